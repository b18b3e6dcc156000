//! Bundles at real targets from the command line: planned, registered, approved by two, made, verified, taken back.

use std::fs;
use std::path::PathBuf;

use govdeck::actions::Asked;
use govdeck::rules::bundle_run::Tier;

use crate::cli_kit::{document, refused, said};
use crate::support::bundle_story::{ID, approve, people};
use crate::support::command::{Run, run};
use crate::support::ground::{Ground, allowing, on_targets};
use crate::support::{REASON, World};

/// A deployment, a target, and a bundle for it in a folder.
pub struct Site {
    pub world: World,
    pub ground: Ground,
    folder: PathBuf,
}

impl Site {
    pub async fn new(ground: Ground, forward: &str, rollback: &str) -> Self {
        let world = if ground.is_postgres() {
            World::postgres().await
        } else {
            World::sqlite().await
        };
        let world = world.where_two_can_agree().await;
        people(&world).await;
        // On SQLite the account at the keys is always hers.
        for (by, to, role) in [
            ("maya", "lee", "governance_lead"),
            ("lee", "maya", "ops_lead"),
        ] {
            let asked = Asked::of(to).with("role", role);
            world.act(by, "grant_role", asked).await.expect("granted");
        }
        let mut declaration = serde_json::to_value(allowing(&["metric"], 3)).expect("JSON");
        let approvals = declaration["approvals"].as_object_mut().expect("there");
        approvals.remove("reference");
        let folder = world.home.folder().join("postgis").join(ID);
        fs::create_dir_all(&folder).expect("made");
        for (name, text) in [
            ("migration.yml", &*declaration.to_string()),
            ("forward.sql", forward),
            ("rollback.sql", rollback),
            ("notes.md", "After the rollback the column is gone.\n"),
        ] {
            fs::write(folder.join(name), text).expect("written");
        }
        Self {
            world,
            ground,
            folder,
        }
    }

    pub fn govdeck(&self, person: &str, words: &[&str]) -> Run {
        let mut command = self.world.govdeck(person, words);
        command.env("GOVDECK_BUNDLE_DSN", self.ground.dsn().expose());
        run(command)
    }

    fn plan(&self, more: &[&str]) -> Run {
        let folder = self.folder.to_str().expect("text");
        let words = ["bundle", "plan", folder, "--environment", "dev"];
        self.govdeck("lee", &[&words, more].concat())
    }

    /// Looks first, and then confirms with the phrase that it was shown.
    fn confirmed(&self, person: &str, words: &[&str]) -> Run {
        let shown = self.govdeck(person, &[words, &["--json"]].concat());
        let phrase = document(&shown, 0, "act")["phrase"].clone();
        let answer = [
            "--confirm",
            phrase.as_str().expect("a phrase"),
            "--reason",
            REASON,
        ];
        self.govdeck(person, &[words, &answer].concat())
    }

    fn register(&self) -> Run {
        let folder = self.folder.to_str().expect("text");
        let words = [
            "bundle",
            "plan",
            folder,
            "--environment",
            "dev",
            "--register",
        ];
        self.confirmed("lee", &words)
    }

    pub async fn merged(&self) {
        let registered = self.register();
        assert!(
            said(&registered, 0).contains("register-bundle"),
            "{registered:?}"
        );
        approve(&self.world, ID, Tier::Dev).await.expect("approved");
        let merged = self.world.act("lee", "merge_bundle", Asked::of(ID)).await;
        merged.expect("merged");
    }

    /// Claims a run, as a console does, and returns it.
    async fn claimed(&self) -> String {
        self.merged().await;
        let planned = self
            .world
            .rows("SELECT schema_fingerprint FROM bundle_plan");
        let asked = Asked::of(ID)
            .with("environment", "dev")
            .with("fingerprint", &*planned[0]);
        // On SQLite the account at the keys is always hers.
        let by = if self.world.is_postgres() {
            "kim"
        } else {
            "maya"
        };
        let claim = self.world.act(by, "claim_bundle_run", asked).await;
        claim.expect("claimed");
        format!("{ID}.migration.1")
    }

    fn at(&self, verb: &str) -> Run {
        self.confirmed("kim", &["bundle", verb, ID, "--environment", "dev"])
    }
}

const FORWARD: &str =
    "ALTER TABLE metric ADD COLUMN owner TEXT;\nUPDATE metric SET owner = 'ana';\n";
const ROLLBACK: &str = "ALTER TABLE metric DROP COLUMN owner;\n";

on_targets!(a_bundle_is_made_verified_and_taken_back, |ground| {
    let site = Site::new(ground, FORWARD, ROLLBACK).await;
    let before = site.ground.everything();
    let planned = site.plan(&["--write"]);
    let text = said(&planned, 0);
    assert!(text.contains("1 tables, +0 indexes, 3 rows"), "{text}");
    assert!(
        text.contains("way back: run, and everything was as before"),
        "{text}"
    );
    assert_eq!(site.ground.everything(), before, "a plan leaves nothing");
    for file in [
        "baselines/pre.json",
        "baselines/post.json",
        "diffs/summary.json",
    ] {
        assert!(site.folder.join(file).is_file(), "{file}");
    }
    site.merged().await;
    let verify = ["bundle", "verify", ID, "--environment", "dev"];
    let untouched = site.govdeck("maya", &verify);
    assert!(
        said(&untouched, 0).contains("the target is as it was left"),
        "{untouched:?}"
    );
    let made = site.at("apply");
    assert!(said(&made, 0).contains(": applied"), "{made:?}");
    assert_eq!(
        site.ground.sql("SELECT DISTINCT owner FROM metric").trim(),
        "ana"
    );
    let stands = site.govdeck("maya", &verify);
    assert!(
        said(&stands, 0).contains("the target is as it was left"),
        "{stands:?}"
    );
    site.ground.sql("CREATE TABLE stray (id INTEGER)");
    let strays = site.govdeck("maya", &verify);
    assert!(said(&strays, 1).contains("stray"), "{strays:?}");
    site.ground.sql("DROP TABLE stray");
    let again = site.govdeck(
        "kim",
        &["bundle", "apply", ID, "--environment", "dev", "--json"],
    );
    document(&again, 1, "act");
    let back = site.at("rollback");
    assert!(said(&back, 0).contains(": rolled_back"), "{back:?}");
    site.ground
        .try_sql("SELECT owner FROM metric")
        .expect_err("the column is gone");
    let taken_back = site.govdeck("maya", &verify);
    assert!(
        said(&taken_back, 0).contains("the target is as it was left"),
        "{taken_back:?}"
    );
    let receipts = "SELECT COUNT(*) FROM bundle_run WHERE receipt_sha256 IS NOT NULL";
    assert_eq!(site.world.rows(receipts), ["4"]);
    site.world.assert_sound().await;
});

on_targets!(
    what_goes_beyond_its_declaration_cannot_be_registered,
    |ground| {
        let forward = "ALTER TABLE metric ADD COLUMN owner TEXT; DELETE FROM treasure;";
        let site = Site::new(ground, forward, ROLLBACK).await;
        let before = site.ground.everything();
        let planned = site.plan(&["--register"]);
        assert!(said(&planned, 1).contains("scope_violation"), "{planned:?}");
        let lost = Site::new(
            if site.ground.is_postgres() {
                Ground::postgres()
            } else {
                Ground::sqlite()
            },
            FORWARD,
            "CREATE INDEX metric_owner ON metric (owner);",
        )
        .await;
        let planned = lost.plan(&["--register"]);
        assert!(said(&planned, 1).contains("rollback_failed"), "{planned:?}");
        assert_eq!(site.ground.everything(), before);
        assert_eq!(site.world.rows("SELECT COUNT(*) FROM bundle"), ["0"]);
    }
);

on_targets!(
    a_target_that_is_not_what_was_planned_is_left_alone,
    |ground| {
        let site = Site::new(ground, FORWARD, ROLLBACK).await;
        site.merged().await;
        site.ground.sql("CREATE TABLE stray (id INTEGER)");
        let shown = site.govdeck("kim", &["bundle", "apply", ID, "--environment", "dev"]);
        assert!(
            said(&shown, 1).contains("the plan changed since it was approved"),
            "{shown:?}"
        );
        site.ground
            .try_sql("SELECT owner FROM metric")
            .expect_err("nothing was made");
        assert_eq!(
            site.world
                .rows("SELECT COUNT(*) FROM bundle_run WHERE run_type = 'migration'"),
            ["0"]
        );
    }
);

on_targets!(
    a_change_that_nobody_told_of_is_interrupted_and_taken_back,
    |ground| {
        let site = Site::new(ground, FORWARD, ROLLBACK).await;
        let run = site.claimed().await;
        // As if whoever ran it had died between the commit and the end of the run.
        site.ground.sql(FORWARD);
        let found = site.govdeck("kim", &["bundle", "run", &run]);
        let text = said(&found, 1);
        assert!(text.contains(": interrupted"), "{text}");
        assert!(text.contains("the change is there already"), "{text}");
        let back = site.at("rollback");
        assert!(said(&back, 0).contains(": rolled_back"), "{back:?}");
        site.ground
            .try_sql("SELECT owner FROM metric")
            .expect_err("the column is gone");
        site.world.assert_sound().await;
    }
);

on_targets!(
    a_run_is_made_by_one_at_a_time_and_by_its_claimant,
    |ground| {
        let site = Site::new(ground, FORWARD, ROLLBACK).await;
        let run = site.claimed().await;
        let store = site.world.store("kim").await;
        let alone = store.alone(&run).await.expect("asked").expect("free");
        let second = site.govdeck("kim", &["bundle", "run", &run]);
        let (sentence, _) = refused(&second, 1);
        assert!(sentence.contains("somebody works on"), "{sentence}");
        alone.let_go().await;
        store.close().await;
        if site.ground.is_postgres() {
            let other = site.govdeck("lee", &["bundle", "run", &run]);
            let (sentence, _) = refused(&other, 1);
            assert!(sentence.contains("kim claimed"), "{sentence}");
        }
        let made = site.govdeck("kim", &["bundle", "run", &run]);
        assert!(said(&made, 0).contains(": applied"), "{made:?}");
        let twice = site.govdeck("kim", &["bundle", "run", &run]);
        refused(&twice, 1);
        site.world.assert_sound().await;
    }
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_is_built_and_dropped_beside_everybody_else() {
    let site = Site::new(
        Ground::postgres(),
        "CREATE INDEX CONCURRENTLY metric_owner ON metric (squad_id);\n",
        "DROP INDEX CONCURRENTLY metric_owner;\n",
    )
    .await;
    site.merged().await;
    let indexes = "SELECT count(*) FROM pg_indexes WHERE indexname = 'metric_owner'";
    let made = site.at("apply");
    assert!(said(&made, 0).contains(": applied"), "{made:?}");
    assert_eq!(site.ground.sql(indexes), "1");
    let back = site.at("rollback");
    assert!(said(&back, 0).contains(": rolled_back"), "{back:?}");
    assert_eq!(site.ground.sql(indexes), "0");
    site.world.assert_sound().await;
}

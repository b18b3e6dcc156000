//! A cutover that can be rehearsed: in dual write, with a bundle that was made, a planned hour, and every file that it takes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use govdeck::bundles::Progress;
use govdeck::bundles::sql::Place;
use govdeck::jobs::bundle::{self as job, AtStore, Files as Scripts, Reach};
use govdeck::rules::Verdict;
use govdeck::rules::bundle_run::{RunOutcome, Script, Tier};
use govdeck::rules::migration::{DICTIONARY, EvidenceKind, LONG_VIEW, WIDE_VIEW};
use serde_json::{Value, json};

use super::bundle_story::{ID as BUNDLE, approve, confirmed, people, register as registered};
use super::cluster::{SUPERUSER, cluster};
use super::command::{Run, run};
use super::ground::allowing;
use super::hour_story::{plan, register};
use super::migration_story::{ID, agreed, dual_writing, found, ready, world};
use super::pairs::row;
use super::week_files::{Files, adopt_policy};
use super::{REASON, World, database_like};
use crate::cli_kit::sha256;

const GOLDEN: &str = "metric,breaches\nMET-0144,3\n";

/// A world with a cutover that can be rehearsed.
pub struct Hall {
    pub world: World,
    pub root: PathBuf,
    /// Where a server's fork goes.
    pub rehearsal: Option<String>,
}

impl Hall {
    /// Lets everything be there; `rollback` is what takes the bundle back.
    pub async fn new(fresh: World, rollback: &str) -> Self {
        let world = world(fresh).await;
        adopt_policy(&world).await;
        dual_writing(&world).await;
        agreed(&world, "cutover", &["breach_count"]).await;
        row(&world, "MET-0144", "", "bo", [Some(3), Some(3)]);
        world.owner_sql("CREATE TABLE roads (name TEXT)");
        made(&world, rollback).await;
        let root = Files::of(&world).root;
        let rehearsal = if world.is_postgres() {
            Some(database_like(None).await)
        } else {
            None
        };
        let hall = Self {
            world,
            root,
            rehearsal,
        };
        hall.files();
        register(&hall.world, &Self::plan())
            .await
            .expect("registered");
        hall
    }

    /// Lets everything be there that the hour itself takes, with a plan in which commands do what is outside.
    pub async fn ready(fresh: World) -> Self {
        let world = world(fresh).await;
        adopt_policy(&world).await;
        ready(&world).await;
        row(&world, "MET-0144", "", "bo", [Some(3), Some(3)]);
        let hall = Self {
            root: Files::of(&world).root,
            world,
            rehearsal: None,
        };
        hall.files();
        let mut plan = Self::plan();
        plan["announce"] = json!({"command": "announce", "minutes": 1});
        plan["bundles"] = json!([]);
        register(&hall.world, &plan).await.expect("registered");
        let rehearsed = found(&hall.world, EvidenceKind::Rehearsal, Verdict::Pass).await;
        rehearsed.expect("recorded");
        hall
    }

    /// Another of the same, as far as it has come.
    pub async fn again(&self) -> Self {
        let world = self.world.again().await;
        let hall = Self {
            root: Files::of(&world).root,
            world,
            rehearsal: None,
        };
        hall.files();
        hall
    }

    /// Begins a step at a terminal, with commands that say so of themselves.
    pub fn beginning(&self, step: &str) -> Command {
        let says = self.program("says", "cat > /dev/null\necho done");
        let words = [
            "hour",
            "begin",
            step,
            ID,
            "--confirm",
            ID,
            "--reason",
            REASON,
        ];
        let mut command = self.world.govdeck("maya", &words);
        let named = ["announce", "deploy", "purge"].map(|name| format!("{name}={says}"));
        command
            .env("GOVDECK_GOVERNANCE_ROOT", &self.root)
            .env("GOVDECK_HOUR_COMMANDS", named.join(","));
        command
    }

    /// The plan of its hour: people announce, commands deploy and purge.
    pub fn plan() -> Value {
        let mut document = plan();
        document["deploy"] = json!({"command": "deploy", "minutes": 1});
        document["purge"] = json!({"command": "purge", "minutes": 1});
        document["reconcile"] = json!(["manifest.json"]);
        document["bundles"] = json!([BUNDLE]);
        document
    }

    fn files(&self) {
        Files::of(&self.world).manifest(|_| {});
        let write = |path: &str, text: &str| {
            let path = self.root.join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("made");
            fs::write(path, text).expect("written");
        };
        write("landed/annex.json", "{\"breachCount\": 3}");
        for dashboard in ["leadership", "partner_annex"] {
            write(&format!("{dashboard}.csv"), GOLDEN);
        }
        let half = |column: &str| {
            let sql = format!(
                "SELECT dictionary_metric_id AS metric, \"{column}\" AS breaches FROM governance_metric_dictionary_current ORDER BY 1"
            );
            json!({"sql": sql})
        };
        let goldens = ["leadership", "partner_annex"].map(|dashboard| {
            json!({
                "dashboard": dashboard, "file": format!("{dashboard}.csv"), "sha256": sha256(GOLDEN.as_bytes()),
                "from": half("breach_count"), "to": half("breachCount"),
            })
        });
        let replay = json!({
            "schema": "govdeck.replay-manifest.v1", "migration_id": ID, "from_semver": "2.4.0", "to_semver": "2.4.1",
            "goldens": goldens,
        });
        write("replay.json", &replay.to_string());
        fs::create_dir_all(self.temporary()).expect("made");
    }

    /// Where forks lie for a while.
    pub fn temporary(&self) -> PathBuf {
        self.world.home.folder().join("temporary")
    }

    /// Writes a program and returns its path.
    pub fn program(&self, name: &str, lines: &str) -> String {
        let path = self.world.home.folder().join(name);
        fs::write(&path, format!("#!/bin/sh\n{lines}\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("ours");
        path.to_str().expect("text").to_owned()
    }

    /// Where a server's fork goes, as an address.
    pub fn rehearsal_dsn(&self) -> Option<String> {
        let name = self.rehearsal.as_ref()?;
        Some(cluster().url("maya", name))
    }

    /// Prepares to rehearse, with a command that stands for the deployment, and a real one for the purge.
    pub fn rehearsing(&self, deploy: &str, words: &[&str]) -> Command {
        let purge = self.program("purge", &format!("touch {}", self.purged().display()));
        let words = [&["rehearse"], words].concat();
        let mut command = self.world.govdeck("maya", &words);
        command
            .env("GOVDECK_GOVERNANCE_ROOT", &self.root)
            .env(
                "GOVDECK_HOUR_COMMANDS",
                format!("purge={purge},deploy={purge}"),
            )
            .env("GOVDECK_REHEARSAL_COMMANDS", format!("deploy={deploy}"))
            .env("TMPDIR", self.temporary());
        if let Some(dsn) = self.rehearsal_dsn() {
            command.env("GOVDECK_REHEARSAL_DSN", dsn);
        }
        command
    }

    /// What the real command would write.
    pub fn purged(&self) -> PathBuf {
        self.world.home.folder().join("purged")
    }

    pub fn rehearse(&self, words: &[&str]) -> Run {
        let deploy = self.program("deploy", "cat > /dev/null\necho the profile would be set");
        run(self.rehearsing(&deploy, words))
    }

    /// What is left of forks, wherever they go.
    pub fn left(&self) -> Vec<String> {
        let folders = fs::read_dir(self.temporary()).expect("it is there");
        let mut left: Vec<String> = folders
            .map(|entry| entry.expect("an entry").path().display().to_string())
            .collect();
        if let Some(name) = &self.rehearsal {
            let sql = "SELECT relname FROM pg_class WHERE relnamespace = CAST('public' AS regnamespace) \
                 UNION ALL SELECT nspname FROM pg_namespace WHERE nspname = 'govdeck_fork' \
                 UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = CAST('public' AS regnamespace) \
                 UNION ALL SELECT typname FROM pg_type WHERE typnamespace = CAST('public' AS regnamespace)";
            let held = cluster().psql(SUPERUSER, name, sql).expect("read");
            left.extend(held.lines().map(str::to_owned));
        }
        left
    }

    /// What there is to know of the deployment itself.
    pub fn stands(&self) -> Vec<String> {
        [
            "SELECT environment FROM deployment",
            "SELECT phase || ' ' || version FROM dictionary_migration_state",
            "SELECT COUNT(*) FROM dictionary_migration_event",
            "SELECT COUNT(*) FROM reconciliation_window",
            "SELECT COUNT(*) FROM bundle_run",
            "SELECT status FROM bundle",
            "SELECT COUNT(*) FROM notification_outbox",
            "SELECT COUNT(*) FROM migration_evidence WHERE gate <> 'D7'",
        ]
        .iter()
        .map(|sql| self.world.rows(sql).join(","))
        .collect()
    }

    /// How many entries there are.
    pub fn entries(&self) -> u32 {
        let count = self.world.rows("SELECT COUNT(*) FROM governance_ledger");
        count.concat().parse().expect("a number")
    }
}

/// Registers a bundle that adds an index, whatever its way back leads to, has it approved, and makes it.
async fn made(world: &World, rollback: &str) {
    people(world).await;
    let mut declared = allowing(&["roads", DICTIONARY, WIDE_VIEW, LONG_VIEW], 0);
    declared.approvals.reference = Some("CHG-2291".to_owned());
    let document = serde_json::to_value(&declared).expect("JSON");
    let script = |path: &str, text: &str| Script {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let files = Scripts {
        declaration: document.to_string(),
        scripts: vec![
            script("forward.sql", "CREATE INDEX roads_by_name ON roads (name);"),
            script("rollback.sql", rollback),
        ],
    };
    let reach = Reach {
        target: world.dsn("maya"),
        drivers: Vec::new(),
    };
    let worker = AtStore::open(declared, &reach, Progress::default()).await;
    let worker = worker.expect("opened");
    let planned = job::plan(&worker, files, Tier::Dev, Place::InPlace).await;
    let mut registration = planned.expect("planned").registration;
    // Whoever registers it says so, and a rehearsal is what finds that out.
    registration.led_back = true;
    registered(world, &registration).await.expect("registered");
    approve(world, BUNDLE, Tier::Dev).await.expect("approved");
    let merged = govdeck::actions::Asked::of(BUNDLE);
    world
        .act("lee", "merge_bundle", merged)
        .await
        .expect("merged");
    let asked = job::asked(&worker, BUNDLE, Tier::Dev).await.expect("asked");
    let claim = confirmed(world, "kim", "claim_bundle_run", asked).await;
    let store = world.store("kim").await;
    let ended = job::run(&store, &worker, claim.expect("confirmed")).await;
    store.close().await;
    let ended = ended.expect("ended");
    assert_eq!(ended.outcome, RunOutcome::Applied, "{ended:?}");
}

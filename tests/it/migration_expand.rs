//! The dictionary is expanded by bundles: written, planned, approved, made at the governance database, and taken back.

use std::fs;
use std::path::PathBuf;

use govdeck::actions::Asked;
use govdeck::rules::bundle_run::Tier;
use govdeck::rules::migration::DICTIONARY;

use crate::cli_kit::{document, govdeck, refused, said};
use crate::support::bundle_story::{approve, people};
use crate::support::cluster::{SUPERUSER, cluster};
use crate::support::command::{Run, run};
use crate::support::pairs::{MIGRATION, in_phase, name, register, text, with_columns};
use crate::support::{REASON, World, on_both};

/// Names that only quotes make into names, and one of as many bytes as fit.
const LEGACY: [&str; 4] = ["breach_count", "say \"when\"", "select", "x'y"];
const MODERN: [&str; 3] = ["breachCount", "route.ownerRouteId", "from where"];

fn longest() -> String {
    format!("{}é", "x".repeat(54))
}

fn pairs(longest: &str) -> Vec<(&str, &str)> {
    let modern = MODERN.into_iter().chain([longest]);
    LEGACY.into_iter().zip(modern).collect()
}

/// A deployment that is its own target, with a migration in prepare.
pub struct Site {
    pub world: World,
}

impl Site {
    pub async fn new(world: World, pairs: &[(&str, &str)]) -> Self {
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
        in_phase(&world, "prepare", pairs).await;
        Self { world }
    }

    pub fn root(&self) -> PathBuf {
        self.world.home.folder().to_owned()
    }

    pub fn expand(&self, more: &[&str]) -> Run {
        let root = self.root();
        let root = root.to_str().expect("text");
        let words = ["migration", "expand", MIGRATION, "--dir", root];
        govdeck(&self.world, "maya", &[&words, more].concat())
    }

    pub fn govdeck(&self, person: &str, target: &str, words: &[&str]) -> Run {
        let mut command = self.world.govdeck(person, words);
        command.env("GOVDECK_BUNDLE_DSN", target);
        run(command)
    }

    /// Looks first, and then confirms with the phrase that it was shown.
    fn confirmed(&self, person: &str, target: &str, words: &[&str]) -> Run {
        let shown = self.govdeck(person, target, &[words, &["--json"]].concat());
        let phrase = document(&shown, 0, "act")["phrase"].clone();
        let answer = [
            "--confirm",
            phrase.as_str().expect("a phrase"),
            "--reason",
            REASON,
        ];
        self.govdeck(person, target, &[words, &answer].concat())
    }

    /// Plans a bundle at a target, registers it, lets two approve it, and makes it.
    pub async fn make(&self, id: &str, planned_at: &str, place: &[&str]) {
        self.merged(id, planned_at, place).await;
        let made = self.at("apply", id);
        assert!(said(&made, 0).contains(": applied"), "{made:?}");
    }

    /// The same, but for making it.
    pub async fn merged(&self, id: &str, planned_at: &str, place: &[&str]) {
        let folder = self.root().join("postgis").join(id);
        let folder = folder.to_str().expect("text");
        let words = ["bundle", "plan", folder, "--environment", "dev"];
        let planned = self.govdeck("lee", planned_at, &[&words, place, &["--write"]].concat());
        let told = said(&planned, 0);
        assert!(told.contains("everything was as before"), "{told}");
        let register = [&words, place, &["--register"]].concat();
        let registered = self.confirmed("lee", planned_at, &register);
        assert!(said(&registered, 0).contains("register-bundle"));
        approve(&self.world, id, Tier::Dev).await.expect("approved");
        let merged = self.world.act("lee", "merge_bundle", Asked::of(id)).await;
        merged.expect("merged");
    }

    /// Confirms, as kim, without a look before.
    pub fn confirmed_anyhow(&self, verb: &str, id: &str) -> Run {
        let target = self.world.dsn_text("maya");
        let words = ["bundle", verb, id, "--environment", "dev"];
        let answer = ["--confirm", id, "--reason", REASON];
        self.govdeck("kim", &target, &[&words[..], &answer].concat())
    }

    fn at(&self, verb: &str, id: &str) -> Run {
        let target = self.world.dsn_text("maya");
        self.confirmed(
            "kim",
            &target,
            &["bundle", verb, id, "--environment", "dev"],
        )
    }

    fn definitions(&self) -> String {
        self.world.owner_sql(if self.world.is_postgres() {
            "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
             WHERE c.relnamespace = CAST('public' AS regnamespace) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2"
        } else {
            "SELECT sql FROM sqlite_master ORDER BY name"
        })
    }
}

on_both!(the_dictionary_is_expanded_and_taken_back, |world| {
    let longest = longest();
    let pairs = pairs(&longest);
    let site = Site::new(world, &pairs).await;
    let world = &site.world;
    let columns: Vec<_> = LEGACY.iter().map(|name| (*name, "INTEGER")).collect();
    with_columns(world, &columns);
    let before = site.definitions();
    let named = format!("{}=TEXT", MODERN[1]);
    let written = document(
        &site.expand(&["--type", &named, "--json"]),
        0,
        "migration-expand",
    );
    let ids = ["expansion", "index"].map(|key| written[key].as_str().expect("an id").to_owned());
    let root = site.root();
    let checked = govdeck(
        world,
        "maya",
        &[
            "bundle",
            "check",
            root.join("postgis").to_str().expect("text"),
        ],
    );
    // What is missing are the baselines, which a plan writes, and receipts, which a run does.
    let told = said(&checked, 1);
    let reasons = ["baseline_missing", "diff_missing", "receipt_missing"];
    let lines = told
        .lines()
        .take_while(|line| *line != "what to do:")
        .skip(1);
    assert!(
        lines
            .clone()
            .all(|line| reasons.iter().any(|reason| line.contains(reason))),
        "{told}"
    );
    let target = world.dsn_text("maya");
    if world.is_postgres() {
        // On PostgreSQL the two types have to be comparable, and an integer is no text.
        let folder = root.join("postgis").join(&ids[0]);
        let folder = folder.to_str().expect("text");
        let words = [
            "bundle",
            "plan",
            folder,
            "--environment",
            "dev",
            "--in-place",
        ];
        let (sentence, _) = refused(&site.govdeck("lee", &target, &words), 1);
        assert!(sentence.contains("integer = text"), "{sentence}");
    }
    let written = document(&site.expand(&["--json"]), 0, "migration-expand");
    let later = ["expansion", "index"].map(|key| written[key].as_str().expect("an id").to_owned());
    assert!(later[0] > ids[1], "{later:?} come after {ids:?}");
    let [columns, index] = later;
    site.make(&columns, &target, &["--in-place"]).await;
    expanded(world, &pairs);
    // An index that is built beside everybody is planned on a copy, of a database to which nobody is connected.
    let copy = world.again().await;
    if world.is_postgres() {
        let may_copy = "ALTER ROLE maya CREATEDB";
        let granted = cluster().psql(SUPERUSER, copy.database(), may_copy);
        granted.expect("a superuser may do anything");
    }
    site.make(&index, &copy.dsn_text("maya"), &[]).await;
    let indexed = if world.is_postgres() {
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'dual_write_mismatch'"
    } else {
        "SELECT sql FROM sqlite_master WHERE name = 'dual_write_mismatch'"
    };
    assert!(world.owner_sql(indexed).contains("IS DISTINCT FROM"));
    let told = world.findings(None).await;
    let definitions: Vec<_> = told.iter().filter(|it| it.contains(DICTIONARY)).collect();
    assert!(definitions.is_empty(), "{definitions:?}");
    for id in [&index, &columns] {
        let back = site.at("rollback", id);
        assert!(said(&back, 0).contains(": rolled_back"), "{back:?}");
    }
    assert_eq!(site.definitions(), before);
});

/// Writes rows of which single halves differ, and asks both views.
fn expanded(world: &World, pairs: &[(&str, &str)]) {
    let metrics = ["MET-0144", "MET-0171", "MET-0200"];
    for metric in metrics {
        world.owner_sql(&format!(
            "INSERT INTO {DICTIONARY} (dictionary_metric_id, owning_squad) VALUES ('{metric}', 'bo')"
        ));
    }
    for ((legacy, _), metric) in pairs[1..].iter().zip(metrics) {
        let column = name(legacy);
        world.owner_sql(&format!(
            "UPDATE {DICTIONARY} SET {column} = 7 WHERE dictionary_metric_id = '{metric}'"
        ));
    }
    let health =
        "SELECT dual_write_health FROM dictionary_column_dual_write ORDER BY dictionary_metric_id";
    assert_eq!(world.rows(health), ["MISMATCH", "MISMATCH", "MISMATCH"]);
    let long = "SELECT legacy_column || '>' || modern_column || ' ' || legacy_value FROM dual_write_pair_health \
         WHERE health = 'MISMATCH' ORDER BY dictionary_metric_id";
    let wanted = pairs[1..].iter();
    let wanted: Vec<_> = wanted
        .map(|(legacy, modern)| format!("{legacy}>{modern} 7"))
        .collect();
    assert_eq!(world.rows(long), wanted);
    let halves = format!(
        "SELECT {} FROM dictionary_column_dual_write WHERE dictionary_metric_id = 'MET-0144'",
        name(&format!("{}_legacy", pairs[1].0))
    );
    assert_eq!(world.rows(&halves), ["7"]);
    let all = "SELECT COUNT(*) FROM dual_write_pair_health";
    assert_eq!(world.rows(all), [(3 * pairs.len()).to_string()]);
}

on_both!(what_cannot_be_expanded_is_refused, |world| {
    let site = Site::new(world, &[]).await;
    let world = &site.world;
    let no = |more: &[&str]| refused(&site.expand(more), 1).0;
    assert!(no(&[]).contains("no pair"), "{}", no(&[]));
    register(world, "breach_count", &"x".repeat(57)).expect_err("57 bytes are too many");
    register(world, "breach_count", "breachCount").expect("registered");
    register(world, "other", "BREACHCOUNT").expect_err("but for its case it is there");
    assert!(
        no(&[]).contains("no column \"breach_count\""),
        "{}",
        no(&[])
    );
    with_columns(
        world,
        &[("breach_count", "INTEGER"), ("BreachCount", "INTEGER")],
    );
    assert!(no(&[]).contains("ignoring case"), "{}", no(&[]));
    world.owner_sql(&format!(
        "ALTER TABLE {DICTIONARY} DROP COLUMN \"BreachCount\""
    ));
    let kind = no(&["--type", "breachCount=TEXT); DROP TABLE person; --"]);
    assert!(kind.contains("no type"), "{kind}");
    let stray = no(&["--type", "nothing=TEXT"]);
    assert!(stray.contains("in no pair"), "{stray}");
    let untyped = site.expand(&["--type", "breachCount"]);
    assert_eq!(untyped.code, Some(2), "{untyped:?}");
    world.tamper(
        "dictionary_migration_state",
        "UPDATE dictionary_migration_state SET phase = 'dual_write'",
    );
    world.tamper(
        "dictionary_migration_state",
        "UPDATE dictionary_migration_state SET phase = 'cutover'",
    );
    assert!(no(&[]).contains("past dual write"), "{}", no(&[]));
    let unknown = govdeck(world, "maya", &["migration", "expand", "nothing"]);
    refused(&unknown, 1);
    let written = fs::exists(site.root().join("postgis")).expect("looked at");
    assert!(!written, "what is refused writes nothing");
});

on_both!(
    what_bundles_may_add_is_no_finding_and_all_else_is,
    |world| {
        let is_postgres = world.is_postgres();
        assert_eq!(world.findings(None).await, Vec::<String>::new());
        with_columns(
            &world,
            &[("breach_count", "INTEGER"), ("say \"when\"", "TEXT")],
        );
        world.owner_sql(&format!(
        "CREATE VIEW dictionary_column_dual_write AS SELECT dictionary_metric_id FROM {DICTIONARY}; \
         CREATE INDEX dual_write_mismatch ON {DICTIONARY} (owning_squad) WHERE breach_count IS DISTINCT FROM 1"
    ));
        world.assert_sound().await;
        let found = async |sql: &str| {
            let changed = world.again().await;
            changed.owner_sql(sql);
            changed.findings(None).await
        };
        let fk = format!("{DICTIONARY}_dictionary_metric_id_fkey");
        let mut changes = vec![
            format!("ALTER TABLE {DICTIONARY} ADD COLUMN x TEXT NOT NULL DEFAULT ''"),
            format!("ALTER TABLE {DICTIONARY} ADD COLUMN x TEXT CHECK (x <> '')"),
            format!("CREATE UNIQUE INDEX one ON {DICTIONARY} (owning_squad)"),
            "ALTER TABLE person ADD COLUMN x TEXT".to_owned(),
        ];
        if is_postgres {
            changes.extend([
            format!("ALTER TABLE {DICTIONARY} DROP CONSTRAINT {fk}"),
            format!("ALTER TABLE {DICTIONARY} DROP CONSTRAINT {DICTIONARY}_owning_squad_check"),
            format!("ALTER TABLE {DICTIONARY} DROP CONSTRAINT {DICTIONARY}_pkey"),
            format!("ALTER TABLE {DICTIONARY} ALTER COLUMN owning_squad DROP NOT NULL"),
            format!(
                "CREATE FUNCTION stray() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
                 CREATE TRIGGER stray BEFORE INSERT ON {DICTIONARY} FOR EACH ROW EXECUTE FUNCTION stray()"
            ),
            format!("ALTER TABLE {DICTIONARY} DISABLE TRIGGER USER"),
        ]);
        } else {
            let without = |what: &str| {
                format!(
                    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, {}, '') WHERE type = 'table' AND name = '{DICTIONARY}'; \
                 PRAGMA writable_schema = RESET",
                    text(what)
                )
            };
            changes.extend([
            without(" REFERENCES metric_dictionary (metric_id)"),
            without(" CHECK (owning_squad <> '')"),
            without(" STRICT"),
            format!("CREATE TRIGGER stray BEFORE INSERT ON {DICTIONARY} BEGIN SELECT RAISE(IGNORE); END"),
        ]);
        }
        for change in changes {
            let told = found(&change).await;
            assert!(!told.is_empty(), "{change}");
        }
    }
);

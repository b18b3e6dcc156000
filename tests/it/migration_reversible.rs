//! The way back: what it rests on is looked at, and no bundle takes it away while it is needed.

use std::fs;

use govdeck::rules::migration::{DICTIONARY, LONG_VIEW};
use serde_json::{Value, json};

use crate::cli_kit::{document, refused, said, sha256};
use crate::migration_expand::Site;
use crate::support::command::{Run, run};
use crate::support::ground::allowing;
use crate::support::pairs::{self, MIGRATION, PAIRS, register, row, with_columns};
use crate::support::{World, on_both};

const CUSTOM: &str = "PG-MIG-2026-03-01-01";

/// A deployment whose dictionary was expanded by a bundle, with the ids of both bundles; its migration is in prepare.
async fn expanded(world: World) -> (Site, [String; 2]) {
    let site = Site::new(world, &PAIRS).await;
    with_columns(
        &site.world,
        &[("breach_count", "INTEGER"), ("owner_route_id", "TEXT")],
    );
    let ids = written(&site);
    let target = site.world.dsn_text("maya");
    site.make(&ids[0], &target, &["--in-place"]).await;
    (site, ids)
}

fn written(site: &Site) -> [String; 2] {
    let written = document(&site.expand(&["--json"]), 0, "migration-expand");
    ["expansion", "index"].map(|key| written[key].as_str().expect("an id").to_owned())
}

/// Puts the migration into a phase, as only an owner can.
fn into(world: &World, set: &str) {
    let sql = format!("UPDATE dictionary_migration_state SET {set}");
    world.tamper("dictionary_migration_state", &sql);
}

/// Looks at what a verb on a bundle would do.
fn looked(site: &Site, verb: &str, id: &str) -> Run {
    let target = site.world.dsn_text("maya");
    let words = ["bundle", verb, id, "--environment", "dev"];
    site.govdeck("kim", &target, &words)
}

fn is_refused(site: &Site, verb: &str, id: &str, why: &str) {
    let looked = looked(site, verb, id);
    assert_eq!(looked.code, Some(1), "{looked:?}");
    let told = format!("{}{}", looked.stdout, looked.stderr);
    assert!(told.contains("way_back_kept"), "{told}");
    assert!(told.contains(why), "{why} in {told}");
}

/// A bundle that changes one of the views and nothing else.
fn on_the_view(site: &Site) {
    let world = &site.world;
    let (forward, rollback) = if world.is_postgres() {
        (
            format!("ALTER VIEW {LONG_VIEW} SET (security_barrier = true)"),
            format!("ALTER VIEW {LONG_VIEW} RESET (security_barrier)"),
        )
    } else {
        (
            format!("DROP VIEW {LONG_VIEW}"),
            pairs::site(world).long_view(&PAIRS),
        )
    };
    let mut declaration = allowing(&[LONG_VIEW], 0);
    declaration.scope.protected_reference_tables.clear();
    let mut document = serde_json::to_value(&declaration).expect("JSON");
    let approvals = document["approvals"].as_object_mut();
    approvals.expect("an object").remove("reference");
    let folder = site.root().join("postgis").join(CUSTOM);
    fs::create_dir_all(&folder).expect("the home is ours");
    for (name, text) in [
        ("migration.yml", document.to_string()),
        ("forward.sql", format!("{forward};\n")),
        ("rollback.sql", format!("{rollback};\n")),
        ("notes.md", "What it takes away it puts back.\n".to_owned()),
    ] {
        fs::write(folder.join(name), text).expect("the home is ours");
    }
}

on_both!(no_bundle_takes_the_way_back_away_while_it_is_needed, |w| {
    let (site, [expansion, index]) = expanded(w).await;
    let (world, target) = (&site.world, site.world.dsn_text("maya"));
    on_the_view(&site);
    site.merged(CUSTOM, &target, &["--in-place"]).await;
    // In prepare nothing needs it yet.
    for (verb, id) in [("rollback", &*expansion), ("apply", CUSTOM)] {
        said(&looked(&site, verb, id), 0);
    }
    into(world, "phase = 'dual_write'");
    let views = format!("{MIGRATION} is in dual_write: it drops or alters");
    is_refused(&site, "rollback", &expansion, &views);
    is_refused(&site, "apply", CUSTOM, &views);
    // Confirmed it is refused all the same, and nothing is claimed.
    let (no, _) = refused(&site.confirmed_anyhow("rollback", &expansion), 1);
    assert!(no.contains("way_back_kept"), "{no}");
    assert_eq!(
        world.rows("SELECT COUNT(*) FROM bundle_run WHERE run_type = 'rollback'"),
        ["0"]
    );
    into(world, "phase = 'cutover'");
    is_refused(
        &site,
        "rollback",
        &expansion,
        &format!("{MIGRATION} is in cutover"),
    );
    // Long watched, and one window more that nobody knows of: no series was ever registered.
    let over = "2026-05-02T00:00:00.000000Z";
    into(
        world,
        &format!("closed_at_dt_utc = '{over}', watch_until = '{over}'"),
    );
    is_refused(&site, "rollback", &expansion, "one scheduled window more");
    into(
        world,
        "phase = 'rollback', watch_until = NULL, rollback_reason = 'operator_abort'",
    );
    for (verb, id) in [("rollback", &*expansion), ("apply", CUSTOM)] {
        said(&looked(&site, verb, id), 0);
    }
    assert!(!index.is_empty());
});

on_both!(dual_write_expands_anew_for_further_pairs, |w| {
    let (site, _) = expanded(w).await;
    let (world, target) = (&site.world, site.world.dsn_text("maya"));
    into(world, "phase = 'dual_write'");
    with_columns(world, &[("squad_note", "TEXT")]);
    register(world, "squad_note", "squad.note").expect("registered");
    let [again, _] = written(&site);
    site.make(&again, &target, &["--in-place"]).await;
    let columns = "SELECT COUNT(*) FROM dual_write_pair_health WHERE legacy_column = 'squad_note'";
    row(world, "MET-0144", "", "bo", [Some(3), Some(3)]);
    assert_eq!(world.rows(columns), ["1"]);
    is_refused(&site, "rollback", &again, "it drops or alters");
});

fn half(column: &str) -> Value {
    let sql = format!(
        "SELECT dictionary_metric_id AS metric, \"{column}\" AS breaches FROM {DICTIONARY} ORDER BY dictionary_metric_id"
    );
    json!({"sql": sql})
}

const GOLDEN: &str = "metric,breaches\nMET-0144,3\n";

/// Freezes two exports, and replays them.
fn replayed(site: &Site) {
    row(&site.world, "MET-0144", "", "bo", [Some(3), Some(3)]);
    let root = site.root();
    let goldens = ["leadership", "partner_annex"].map(|dashboard| {
        fs::write(root.join(format!("{dashboard}.csv")), GOLDEN).expect("the home is ours");
        json!({
            "dashboard": dashboard, "file": format!("{dashboard}.csv"), "sha256": sha256(GOLDEN.as_bytes()),
            "from": half("breach_count"), "to": half("breachCount"),
        })
    });
    let manifest = json!({
        "schema": "govdeck.replay-manifest.v1", "migration_id": MIGRATION, "from_semver": "2.4.0", "to_semver": "2.4.1",
        "goldens": goldens,
    });
    let path = root.join("replay.json");
    fs::write(&path, manifest.to_string()).expect("the home is ours");
    let path = path.to_str().expect("text");
    let mut command = site
        .world
        .govdeck("maya", &["job", "replay", "--manifest", path]);
    command.env("GOVDECK_GOVERNANCE_ROOT", &root);
    said(&run(command), 0);
}

/// Asks whether it is reversible, as whoever runs bundles; returns the conditions that do not hold.
fn open(site: &Site, login: &str, code: i32) -> Vec<String> {
    let words = ["migration", "reversible", "--json"];
    let mut command = site.world.govdeck("maya", &words);
    command.env("GOVDECK_BUNDLE_DSN", site.world.dsn_text(login));
    command.env("GOVDECK_GOVERNANCE_ROOT", site.root());
    let found = document(&run(command), code, "migration-reversible");
    let conditions = found["conditions"].as_array().expect("a list");
    assert_eq!(conditions.len(), 7);
    let open = conditions.iter().filter(|it| it["verdict"] != "pass");
    open.map(|it| {
        let part = |key: &str| it[key].as_str().expect("a text").to_owned();
        format!("{} {}", part("id"), part("verdict"))
    })
    .collect()
}

on_both!(it_says_whether_it_can_be_taken_back, |w| {
    let (site, _) = expanded(w).await;
    let world = &site.world;
    assert_eq!(
        open(&site, "maya", 1),
        ["taken_back fail", "goldens cannot_tell"]
    );
    into(world, "phase = 'dual_write'");
    assert_eq!(open(&site, "maya", 3), ["goldens cannot_tell"]);
    replayed(&site);
    assert!(open(&site, "maya", 0).is_empty());
    let shown = crate::cli_kit::govdeck(world, "maya", &["migration", "show"]);
    let text = said(&shown, 0);
    assert!(text.contains("reversib"), "{text}");
    // A golden that is another, and one that is gone: what was filed of it is as good.
    let golden = site.root().join("leadership.csv");
    fs::write(&golden, "metric,breaches\nMET-0144,4\n").expect("ours");
    assert!(open(&site, "maya", 0).is_empty());
    let bytes = if world.is_postgres() {
        "CAST('{}' AS BYTEA)"
    } else {
        "CAST('{}' AS BLOB)"
    };
    let filed = sha256(GOLDEN.as_bytes());
    world.tamper(
        "artifact",
        &format!("UPDATE artifact SET bytes = {bytes} WHERE sha256 = '{filed}'"),
    );
    assert_eq!(open(&site, "maya", 1), ["goldens fail"]);
    fs::remove_file(&golden).expect("ours");
    assert_eq!(open(&site, "maya", 1), ["goldens fail"]);
    fs::write(&golden, GOLDEN).expect("ours");
    if world.is_postgres() {
        assert_eq!(open(&site, "kim", 1), ["rights fail"]);
        let other = world.again().await;
        other.owner_sql(&format!(
            "ALTER TABLE {DICTIONARY} DROP CONSTRAINT {DICTIONARY}_pkey"
        ));
        let words = ["migration", "reversible", "--json"];
        let found = run(other.govdeck("maya", &words));
        assert!(found.stdout.contains("has no primary key"), "{found:?}");
    }
    // Views that stand, and are not those of the expansion; then none at all.
    pairs::with_views(world, &PAIRS[..1]);
    assert_eq!(open(&site, "maya", 1), ["views fail"]);
    world.owner_sql(&format!("DROP VIEW {LONG_VIEW}"));
    assert_eq!(open(&site, "maya", 1), ["views fail"]);
    world.owner_sql(&format!(
        "DROP VIEW dictionary_column_dual_write; ALTER TABLE {DICTIONARY} DROP COLUMN owner_route_id"
    ));
    assert_eq!(
        open(&site, "maya", 1),
        ["legacy_columns fail", "views fail"]
    );
});

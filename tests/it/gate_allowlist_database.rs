//! `gate allowlist` with pairs from the database: what is registered counts, and nothing registered is no pass.

use std::fs;

use serde_json::json;

use crate::cli_kit::{document, misused, refused, said, sha256, writes_nothing};
use crate::support::command::{Run, run};
use crate::support::pairs::{MIGRATION, PAIRS, in_phase};
use crate::support::{World, on_both};

const BOTH: &str = r#"{"breach_count": 3, "breachCount": 3, "owner_route_id": "r", "route": {"ownerRouteId": "r"}}"#;
const ONE: &str = r#"{"breach_count": 3, "breachCount": 3, "owner_route_id": "r"}"#;

fn write(world: &World, name: &str, text: &str) {
    fs::write(world.home.folder().join(name), text).expect("the home is ours");
}

fn words<'a>(migration: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let words = "gate allowlist --artifact list.json --sha256 list.sha256 --golden golden.json --sample sample.json --phase dual_write --migration";
    let words = words.split(' ').chain([migration]);
    words.chain(more.iter().copied()).collect()
}

fn gate(world: &World, migration: &str, more: &[&str]) -> Run {
    run(world.govdeck("maya", &words(migration, more)))
}

on_both!(
    pairs_come_from_the_database_where_no_file_names_them,
    |world| {
        in_phase(&world, "dual_write", &PAIRS).await;
        let list = json!({
            "allowed_top_level_keys": ["breach_count", "breachCount", "owner_route_id", "route"], "forbidden_exact_keys": [],
            "from_semver": "2.4.0", "migration_id": MIGRATION, "nested_paths_allowed": ["route.ownerRouteId"],
            "phase": "dual_write", "protected_metric_ids": [], "to_semver": "2.4.1",
        });
        // Its keys are ASCII, and its map is sorted, so this is its canonical form.
        write(&world, "list.json", &list.to_string());
        write(&world, "list.sha256", &sha256(list.to_string().as_bytes()));
        write(
            &world,
            "golden.json",
            r#"{"breach_count": 3, "owner_route_id": "r"}"#,
        );
        write(&world, "sample.json", BOTH);
        let green = writes_nothing(&world, "maya", &words(MIGRATION, &[]));
        assert!(said(&green, 0).starts_with("PASS sample.json"), "{green:?}");
        write(&world, "sample.json", ONE);
        let half = document(&gate(&world, MIGRATION, &["--json"]), 1, "gate-allowlist");
        let findings: Vec<_> = half["findings"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|it| (&it["rule"], &it["key"]))
            .collect();
        assert_eq!(
            findings,
            [(&json!("pair_half_missing"), &json!("route.ownerRouteId"))]
        );
        // What was withdrawn is no longer due.
        world.tamper(
        "dictionary_column_pair",
        "UPDATE dictionary_column_pair SET status = 'withdrawn' WHERE legacy_column = 'owner_route_id'",
    );
        said(&gate(&world, MIGRATION, &[]), 0);
        world.tamper(
            "dictionary_column_pair",
            "UPDATE dictionary_column_pair SET status = 'withdrawn'",
        );
        let (sentence, _) = refused(&gate(&world, MIGRATION, &[]), 3);
        assert!(
            sentence.contains("no pair of columns is registered"),
            "{sentence}"
        );
        let (sentence, _) = refused(&gate(&world, "mig-unknown", &[]), 3);
        assert!(sentence.contains("there is no migration"), "{sentence}");
        misused(&gate(&world, MIGRATION, &["--pairs", "list.json"]));
        let mut dead = world.govdeck("maya", &words(MIGRATION, &[]));
        dead.env("GOVDECK_DSN", "sqlite:nowhere/at-all.db");
        refused(&run(dead), 3);
    }
);

on_both!(the_allowlist_of_another_migration_is_refused, |world| {
    in_phase(&world, "dual_write", &PAIRS).await;
    let list = json!({
        "allowed_top_level_keys": ["breach_count"], "forbidden_exact_keys": [], "from_semver": "2.4.0", "migration_id": "mig-other",
        "nested_paths_allowed": [], "phase": "dual_write", "protected_metric_ids": [], "to_semver": "2.4.1",
    });
    write(&world, "list.json", &list.to_string());
    write(&world, "list.sha256", &sha256(list.to_string().as_bytes()));
    write(&world, "golden.json", BOTH);
    write(&world, "sample.json", BOTH);
    let (sentence, _) = refused(&gate(&world, MIGRATION, &[]), 1);
    assert!(sentence.contains("mig-other"), "{sentence}");
});

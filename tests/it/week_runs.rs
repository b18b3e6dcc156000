//! Runs of weekly reconciliation, made of manifests by the built program: files, queries, policies, and what goes wrong.

use std::fs;

use govdeck::canon::Digest;
use serde_json::{Value, json};

use crate::support::command::{Home, run as run_command};
use crate::support::on_both;
use crate::support::week_files::{Files, ROWS, world_with_policy};
use crate::support::weeks::{MONDAYS, plan, run, stands};

on_both!(a_window_is_run_from_files, |world| {
    let world = world_with_policy(world).await;
    let files = Files::of(&world);
    let manifest = files.manifest(|_| {});
    plan(&world, 0).await;
    let early = files.reconcile(&manifest, "scheduled");
    assert_eq!(early.code, Some(1), "{}", early.stdout);
    assert!(
        early.stderr.contains("no window of sla is open now"),
        "{}",
        early.stderr
    );
    world.set_time(MONDAYS[0]).await;
    let passed = files.reconcile(&manifest, "scheduled");
    assert_eq!(passed.code, Some(0), "{}{}", passed.stdout, passed.stderr);
    assert!(
        passed
            .stdout
            .starts_with(&format!("PASS {}: 0 of 2", run(0))),
        "{}",
        passed.stdout
    );
    assert_eq!(stands(&world).await, "amber first_pass");
    assert_eq!(
        world.rows("SELECT metric_id || ' ' || verdict || ' ' || ratio FROM reconciliation_metric ORDER BY place"),
        ["MET-0144 PASS 0.000042", "MET-0171 PASS 0.000000"]
    );
    // The same inputs make the same diff, byte for byte; a manual run feeds nothing.
    let again = files.reconcile(&manifest, "manual");
    assert_eq!(again.code, Some(0), "{}{}", again.stdout, again.stderr);
    assert_eq!(
        world.rows("SELECT COUNT(DISTINCT artifact_uri) FROM reconciliation_window"),
        ["1"]
    );
    assert_eq!(stands(&world).await, "amber first_pass");
    world.assert_sound().await;
});

on_both!(a_query_on_the_database_is_a_side, |world| {
    let world = world_with_policy(world).await;
    let files = Files::of(&world);
    let sql = "SELECT 'MET-0171' AS metric_id, 12 AS value UNION ALL SELECT 'MET-0144', 93";
    let manifest = files.manifest(|manifest| {
        manifest["leadership"] = json!({"id": "q-lead", "sql": sql});
    });
    plan(&world, 0).await;
    world.set_time(MONDAYS[0]).await;
    let failed = files.reconcile(&manifest, "scheduled");
    assert_eq!(failed.code, Some(1), "{}{}", failed.stdout, failed.stderr);
    assert!(
        failed.stdout.contains("epsilon_exceeded, owner maya"),
        "{}",
        failed.stdout
    );
    let told =
        "SELECT recipient_id FROM notification_outbox WHERE event_class = 'reconciliation_failed'";
    assert_eq!(world.rows(told), ["maya"]);
    // What a query tries besides looking is refused, and the run is no pass.
    let writes = files.manifest(|manifest| {
        manifest["leadership"] = json!({"id": "q-lead", "sql": "DELETE FROM person RETURNING person_id AS metric_id, 1 AS value"});
    });
    let refused = files.reconcile(&writes, "manual");
    assert_eq!(
        refused.code,
        Some(3),
        "{}{}",
        refused.stdout,
        refused.stderr
    );
    assert!(
        refused.stdout.contains("INCONCLUSIVE"),
        "{}",
        refused.stdout
    );
    assert_eq!(world.rows("SELECT COUNT(*) FROM person"), ["4"]);
    world.assert_sound().await;
});

on_both!(a_query_has_the_same_bytes_on_both_databases, |world| {
    let world = world_with_policy(world).await;
    let files = Files::of(&world);
    // Most collations put these in another order than their bytes.
    let mut ids = [
        "b", "B", "a", "_a", "A-1", "a-1", "é", "e", "Z", "z", "MET-10", "MET-9", "a,b", "a\"b",
        "ß",
    ];
    let rows = ids.map(|id| format!("SELECT '{id}' AS metric_id, '1.50' AS value"));
    let sql = format!("{} -- as it comes", rows.join(" UNION ALL "));
    let manifest = files.manifest(|manifest| {
        manifest["leadership"] = json!({"id": "q-lead", "sql": sql});
    });
    world.set_time(MONDAYS[0]).await;
    let found = files.reconcile(&manifest, "manual");
    assert_eq!(found.code, Some(1), "{}{}", found.stdout, found.stderr);
    ids.sort_unstable();
    let cell = |id: &str| match id {
        "a,b" => "\"a,b\"".to_owned(),
        "a\"b" => "\"a\"\"b\"".to_owned(),
        id => id.to_owned(),
    };
    let lines = ids.map(|id| format!("{},1.50\n", cell(id))).concat();
    let csv = format!("metric_id,value\n{lines}");
    assert_eq!(
        world.rows("SELECT leadership_ingest_hash FROM reconciliation_window"),
        [format!("sha256:{}", Digest::of(csv.as_bytes()))]
    );
    world.assert_sound().await;
});

on_both!(
    metrics_of_nobody_here_are_told_to_the_backup_or_the_leads,
    |world| {
        let world = world_with_policy(world).await;
        let files = Files::of(&world);
        files.side(
            "annex/partner",
            &ROWS.replace("94.5", "90").replace(",12", ",10"),
        );
        let manifest = files.manifest(|manifest| {
            manifest["owners"] = json!({
                "default": {"owner": "nobody", "backup": "nobody.either"},
                "metrics": {"MET-0144": {"owner": "nobody", "backup": "lee"}},
            });
        });
        world.set_time(MONDAYS[0]).await;
        let failed = files.reconcile(&manifest, "manual");
        assert_eq!(failed.code, Some(1), "{}{}", failed.stdout, failed.stderr);
        let told = "SELECT recipient_id || ': ' || body FROM notification_outbox WHERE event_class = 'reconciliation_failed' ORDER BY recipient_id";
        let told = world.rows(told);
        assert!(told.contains(&"lee: MET-0144".to_owned()), "{told:?}");
        assert!(told.contains(&"maya: MET-0171".to_owned()), "{told:?}");
        world.assert_sound().await;
    }
);

/// What makes a manifest wrong.
type Change = fn(&mut Value);

/// What is wrong with a manifest, and why that run is inconclusive.
const NOT_COMPARED: [(&str, Change); 5] = [
    ("epsilon_policy_mismatch", |manifest| {
        manifest["epsilon_policy_version"] = json!("eps-8");
    }),
    ("tuple_revision_mismatch", |manifest| {
        manifest["tuple_revision_hash"] = json!("cd".repeat(32));
    }),
    ("window_mismatch", |manifest| {
        manifest["window"]["end_exclusive"] = json!("2098-05-06T00:00:00Z");
    }),
    ("footer_schema_too_new", |manifest| {
        manifest["contract_max_semver"] = json!("1.2.9");
    }),
    ("input_unreadable", |manifest| {
        manifest["partner"]["file"] = json!("annex/gone.csv");
    }),
];

on_both!(
    what_cannot_be_compared_is_inconclusive_and_no_pass,
    |world| {
        let world = world_with_policy(world).await;
        let files = Files::of(&world);
        world.set_time(MONDAYS[0]).await;
        for (reason, change) in NOT_COMPARED {
            let manifest = files.manifest(change);
            let found = files.reconcile(&manifest, "manual");
            assert_eq!(
                found.code,
                Some(3),
                "{reason}: {}{}",
                found.stdout,
                found.stderr
            );
            assert!(found.stdout.contains(reason), "{reason}: {}", found.stdout);
        }
        let manifest = files.manifest(|_| {});
        fs::write(files.root.join("annex/partner.csv"), "metric_id,value\n").expect("written");
        let altered = files.reconcile(&manifest, "manual");
        assert!(
            altered.stdout.contains("ingest_hash_mismatch"),
            "{}",
            altered.stdout
        );
        files.side("annex/partner", "metric_id,value\n");
        files.side("lead", "metric_id,value\n");
        let empty = files.reconcile(&manifest, "manual");
        assert!(empty.stdout.contains("no_metrics"), "{}", empty.stdout);
        fs::write(files.root.join("annex/partner.csv"), "%PDF-1.7").expect("written");
        let pdf = files.reconcile(&manifest, "manual");
        assert!(pdf.stdout.contains("is a PDF"), "{}", pdf.stdout);
        assert_eq!(
            world.rows(
                "SELECT DISTINCT status || COALESCE(artifact_uri, '') FROM reconciliation_window"
            ),
            ["INCONCLUSIVE"]
        );
        // Which bytes were rejected stays known, as far as they were read.
        let hashes = world.rows(
            "SELECT reject_reason FROM reconciliation_window WHERE leadership_ingest_hash IS NULL OR partner_ingest_hash IS NULL ORDER BY reject_reason",
        );
        assert_eq!(
            hashes,
            [
                "epsilon_policy_mismatch",
                "input_unreadable",
                "input_unreadable"
            ]
        );
        world.assert_sound().await;
    }
);

on_both!(a_protected_metric_on_neither_side_fails, |world| {
    let world = world_with_policy(world).await;
    let files = Files::of(&world);
    let manifest = files.manifest(|m| m["protected"] = json!(["MET-0171", "MET-9999"]));
    world.set_time(MONDAYS[0]).await;
    let failed = files.reconcile(&manifest, "manual");
    assert_eq!(failed.code, Some(1), "{}{}", failed.stdout, failed.stderr);
    assert!(
        failed.stdout.contains("on neither side: MET-9999"),
        "{}",
        failed.stdout
    );
    world.assert_sound().await;
});

#[test]
fn numbers_that_make_no_sense_are_refused_before_anything_is_opened() {
    let home = Home::new();
    let plan = |weeks| vec!["window", "plan", "sla", "--weeks", weeks];
    let claim = |minutes| {
        vec![
            "job",
            "reconcile",
            "--manifest",
            "m.json",
            "--claim",
            minutes,
        ]
    };
    for words in [
        plan("0"),
        plan("521"),
        claim("0"),
        claim("1441"),
        claim("99999999999999999999"),
        vec!["window", "list", "--most", "0"],
        vec!["week", "show", "sla.x", "--most", "0"],
    ] {
        let refused = run_command(home.govdeck(&words));
        assert_eq!(refused.code, Some(2), "{words:?}: {refused:?}");
    }
}

on_both!(a_malformed_manifest_stores_nothing, |world| {
    let world = world_with_policy(world).await;
    let files = Files::of(&world);
    let manifest = files.manifest(|m| m["unknown"] = json!(1));
    let refused = files.reconcile(&manifest, "manual");
    assert_eq!(refused.code, Some(2), "{}", refused.stdout);
    assert!(
        refused.stderr.contains("unknown field"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        world.rows("SELECT COUNT(*) FROM reconciliation_window"),
        ["0"]
    );
});

on_both!(a_pair_is_replayed_before_it_is_adopted, |world| {
    let world = world_with_policy(world).await;
    let files = Files::of(&world);
    let manifest = files.manifest(|m| m["protected"] = json!(["MET-0144"]));
    plan(&world, 0).await;
    world.set_time(MONDAYS[0]).await;
    files.side("annex/partner", &ROWS.replace("94.5", "93.9"));
    assert_eq!(files.reconcile(&manifest, "scheduled").code, Some(0));
    let replay = |soft: &str, hard: &str| {
        let words = [
            "policy", "backtest", "--soft", soft, "--hard", hard, "--floor", "1",
        ];
        run_command(world.govdeck("maya", &words)).stdout
    };
    assert!(
        replay("0.001", "0.002")
            .contains(&format!("would roll back though they passed: {}", run(0)))
    );
    assert!(replay("0.05", "0.1").contains("would turn amber: none"));
    let of_another = [
        "policy", "backtest", "--soft", "0.05", "--hard", "0.1", "--floor", "1", "--series", "slo",
    ];
    let unknown = run_command(world.govdeck("maya", &of_another));
    assert_eq!(unknown.code, Some(3), "{}", unknown.stdout);
    assert!(
        unknown.stderr.contains("no series \"slo\""),
        "{}",
        unknown.stderr
    );
    let refused = run_command(world.govdeck(
        "maya",
        &[
            "policy", "backtest", "--soft", "0.2", "--hard", "0.1", "--floor", "1",
        ],
    ));
    assert_eq!(refused.code, Some(2), "{}", refused.stdout);
    let shown = run_command(world.govdeck("maya", &["policy", "show"])).stdout;
    assert!(
        shown.starts_with("eps-7: soft 0.05, hard 0.1, floor 1, by maya and lee"),
        "{shown}"
    );
    let direct = "UPDATE epsilon_policy SET hard = '0.9', version = version + 1";
    world.sql(direct).expect_err("a policy stays");
});

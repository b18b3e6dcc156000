//! Practice runs, the week's checkpoints, and what a block says once nobody works on it.

use govdeck::actions::Asked;
use serde_json::Value;

use crate::cli_kit::{document, govdeck, refused, said};
use crate::support::on_both;

on_both!(
    a_drill_practises_all_three_and_nothing_takes_it_for_real,
    |world| {
        let (sentence, hint) = refused(&govdeck(&world, "maya", &["drill", "premint"]), 3);
        assert!(
            sentence.contains("no footer schema is registered"),
            "{sentence}"
        );
        assert!(hint.contains("register-footer"), "{hint}");
        world.register_footer().await;
        let run = govdeck(&world, "maya", &["--json", "drill", "premint"]);
        let page = document(&run, 0, "drill-premint");
        let of = |field: &str| -> Vec<Value> {
            let runs = page["runs"].as_array().expect("three runs");
            runs.iter().map(|run| run[field].clone()).collect()
        };
        assert_eq!(
            of("found"),
            [
                Value::Null,
                "tuple_drift".into(),
                "missing_publish_hash".into()
            ]
        );
        assert_eq!(of("verdict"), ["pass", "pass", "pass"]);
        assert_eq!(of("messages"), [0, 1, 1]);
        let cells = "3 of 7 leaves differ: MET-0144/platform=quest, MET-0171/platform=mobile (added), MET-0171/platform=pcvr (vanished)";
        assert_eq!(of("drift"), [Value::Null, cells.into(), Value::Null]);
        let told = "SELECT body FROM notification_outbox WHERE subject LIKE '%drifted%'";
        assert!(world.owner_sql(told).contains(cells));
        assert_eq!(
            world
                .rows("SELECT DISTINCT drill FROM publish_replay_audit")
                .len(),
            1
        );
        for words in [&["status"][..], &["snapshot", "blocks", "--format", "text"]] {
            let page = govdeck(&world, "maya", words);
            assert!(!said(&page, 0).contains("drill-"), "{page:?}");
        }
        let text = govdeck(&world, "maya", &["drill", "premint"]);
        let text = said(&text, 0);
        assert_eq!(
            text.lines()
                .filter(|line| line.starts_with("[PASS] DRILL drill-"))
                .count(),
            3,
            "{text}"
        );
        world.assert_sound().await;
    }
);

on_both!(
    the_week_s_checkpoints_are_told_as_far_as_they_are_known,
    |world| {
        let run = govdeck(&world, "maya", &["cadence"]);
        let text = said(&run, 3);
        assert_eq!(
            text.lines()
                .filter(|line| line.starts_with("[  ? ]"))
                .count(),
            9,
            "{text}"
        );
        world.register_footer().await;
        let hash = "a".repeat(64);
        world
            .mint("pub-1", Some(&hash), Some(&hash))
            .expect("minted");
        let run = govdeck(&world, "maya", &["cadence"]);
        assert!(
            said(&run, 3).contains(
                "[  ? ] 6 publish_gate         0 passed this week, 1 wait, 0 blocks open"
            )
        );
        world.decide("pub-1").await.expect("decided");
        let run = govdeck(&world, "maya", &["cadence"]);
        assert!(
            said(&run, 0).contains(
                "[PASS] 6 publish_gate         1 passed this week, 0 wait, 0 blocks open"
            )
        );
        world.block("pub-2").await;
        let run = govdeck(&world, "maya", &["--json", "cadence"]);
        let page = document(&run, 1, "cadence");
        let verdicts: Vec<_> = page["checkpoints"]
            .as_array()
            .expect("nine")
            .iter()
            .map(|standing| standing["verdict"].as_str().expect("a word"))
            .collect();
        let unknown = "cannot_tell";
        assert_eq!(
            verdicts,
            [
                unknown, unknown, unknown, unknown, unknown, "fail", "fail", "fail", unknown
            ]
        );
    }
);

on_both!(responses_and_routes_are_told, |world| {
    world.block("pub-1").await;
    world.block("pub-2").await;
    world
        .act("lee", "take_block", Asked::of("pub-1"))
        .await
        .expect("taken");
    let run = govdeck(&world, "maya", &["--json", "block", "report"]);
    let page = document(&run, 0, "block-report");
    let drift = &page["reasons"].as_array().expect("four")[2];
    assert_eq!(
        [
            &drift["reason"],
            &drift["blocks"],
            &drift["answered"],
            &drift["breaches"]
        ],
        [&Value::from("tuple_drift"), &2.into(), &1.into(), &0.into()]
    );
    assert!(
        drift["p50_seconds"]
            .as_i64()
            .is_some_and(|seconds| seconds < 60),
        "{drift}"
    );
    let signer = Asked::of("kim").with("role", "signer");
    world
        .act("maya", "grant_role", signer)
        .await
        .expect("granted");
    let change = Asked::of("rc-1")
        .with("for", "tuple_drift")
        .with("owner", "lee")
        .with("backup", "kim");
    world
        .act("maya", "propose_route", change)
        .await
        .expect("proposed");
    let run = govdeck(&world, "maya", &["block", "routes"]);
    let text = said(&run, 0);
    assert!(
        text.contains("tuple_drift            owner maya, backup lee, 30 minutes"),
        "{text}"
    );
    assert!(
        text.contains("rc-1 waits for a signer: tuple_drift to owner lee, backup kim, 30 minutes"),
        "{text}"
    );
});

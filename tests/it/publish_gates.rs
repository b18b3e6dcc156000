//! The gates that come after the decision: whether a run may be distributed, and whether a rehearsal may begin.

use std::fs;
use std::os::unix::fs::symlink;

use govdeck::actions::Asked;
use govdeck::clock::Moment;
use serde_json::{Value, json};

use crate::cli_kit::{document, fifo, govdeck, refused, said, sha256, writes_nothing};
use crate::publish_mint::{mint, put};
use crate::support::{REASON, World, on_both};

const ROWS: &str = r#"[{"metric_id":"MET-0144","value":9.5}]"#;

/// Mints a run of equal sides.
fn minted(world: &World, run: &str, more: &[&str]) {
    put(world, "rows.json", ROWS);
    put(world, "source.json", ROWS);
    said(
        &mint(world, run, &[&["--source", "source.json"], more].concat()),
        0,
    );
}

fn distribute(world: &World, run: &str, code: i32) -> Value {
    let run = writes_nothing(world, "maya", &["gate", "distribute", run, "--json"]);
    document(&run, code, "gate-distribute")
}

fn verdict_of(document: &Value, condition: &str) -> String {
    let conditions = document["conditions"].as_array().expect("a list");
    let found = conditions.iter().find(|found| found["id"] == condition);
    found.expect(condition)["verdict"]
        .as_str()
        .expect("a word")
        .to_owned()
}

on_both!(only_what_passed_and_is_unchanged_is_distributed, |world| {
    world.register_footer().await;
    let home = world.home.folder().to_owned();
    fs::create_dir(home.join("out")).expect("ours");
    put(&world, "out/board.csv", "metric,value\n");
    minted(&world, "pub-1", &["--artifact", "out/board.csv"]);
    let named = format!("file:out/board.csv#sha256:{}", sha256(b"metric,value\n"));
    assert_eq!(
        world.owner_sql("SELECT artifact_ref FROM publish_snapshots"),
        named
    );
    // Not decided yet: nobody can tell.
    let waits = distribute(&world, "pub-1", 3);
    assert_eq!(verdict_of(&waits, "gate_passed"), "cannot_tell");
    said(&govdeck(&world, "maya", &["gate", "publish", "pub-1"]), 0);
    let passes = distribute(&world, "pub-1", 0);
    assert_eq!(
        (
            &passes["verdict"],
            &passes["hold"],
            &passes["block_reason"],
            &passes["also"],
            &passes["governance"]
        ),
        (
            &json!("pass"),
            &Value::Null,
            &Value::Null,
            &json!([]),
            &json!("not_established")
        )
    );
    // The bytes are hashed at this moment, not remembered.
    put(&world, "out/board.csv", "metric,value\nx\n");
    assert_eq!(
        verdict_of(&distribute(&world, "pub-1", 1), "artifact"),
        "fail"
    );
    fs::remove_file(home.join("out/board.csv")).expect("ours");
    assert_eq!(
        verdict_of(&distribute(&world, "pub-1", 3), "artifact"),
        "cannot_tell"
    );
    fifo(&home.join("out/board.csv"));
    distribute(&world, "pub-1", 3);
    fs::remove_file(home.join("out/board.csv")).expect("ours");
    put(&world, "good.csv", "metric,value\n");
    symlink("../good.csv", home.join("out/board.csv")).expect("ours");
    distribute(&world, "pub-1", 3);
    fs::remove_file(home.join("out/board.csv")).expect("ours");
    put(&world, "out/board.csv", "metric,value\n");
    distribute(&world, "pub-1", 0);
    refused(
        &govdeck(&world, "maya", &["gate", "distribute", "pub-9"]),
        3,
    );
    world.assert_sound().await;
});

on_both!(
    a_run_without_an_artefact_or_with_one_in_the_database,
    |world| {
        world.register_footer().await;
        minted(&world, "pub-1", &[]);
        let filed = world.add_evidence();
        minted(&world, "pub-2", &["--artifact", &format!("sha256:{filed}")]);
        minted(
            &world,
            "pub-3",
            &["--artifact", &format!("sha256:{}", "0".repeat(64))],
        );
        for run in ["pub-1", "pub-2", "pub-3"] {
            said(&govdeck(&world, "maya", &["gate", "publish", run]), 0);
        }
        assert_eq!(
            verdict_of(&distribute(&world, "pub-1", 3), "artifact"),
            "cannot_tell"
        );
        assert_eq!(
            verdict_of(&distribute(&world, "pub-2", 0), "artifact"),
            "pass"
        );
        assert_eq!(
            verdict_of(&distribute(&world, "pub-3", 3), "artifact"),
            "cannot_tell"
        );
        // What a pipeline wrote by itself may name anything; nothing is read there.
        let zeros = "0".repeat(64);
        put(&world, "a.csv", "x");
        for (number, named) in [
            format!("file:../../etc/passwd#sha256:{zeros}"),
            format!("file:/etc/passwd#sha256:{zeros}"),
            format!("file:a/../a.csv#sha256:{}", sha256(b"x")),
            format!("file:a.csv#sha256:{}", sha256(b"x").to_uppercase()),
            format!("file:a.csv#sha256:{}", &sha256(b"x")[..63]),
            format!("sha256:{}", filed.to_string().to_uppercase()),
            "a.csv".to_owned(),
            String::new(),
        ]
        .iter()
        .enumerate()
        {
            let run = format!("named-{number}");
            let hash = "a".repeat(64);
            world.mint(&run, Some(&hash), Some(&hash)).expect("minted");
            let set = format!(
                "UPDATE publish_snapshots SET artifact_ref = '{named}' WHERE publish_run_id = '{run}'"
            );
            world.sql(&set).expect("a pipeline may");
            said(&govdeck(&world, "maya", &["gate", "publish", &run]), 0);
            let verdict = verdict_of(&distribute(&world, &run, 3), "artifact");
            assert_eq!(verdict, "cannot_tell", "{named:?}");
        }
    }
);

on_both!(
    a_blocked_run_stays_and_a_bypass_is_loud_and_changes_nothing,
    |world| {
        let world = world.where_two_can_agree().await;
        world.register_footer().await;
        let engineer = Asked::of("lee").with("role", "engineering_lead");
        world
            .act("maya", "grant_role", engineer)
            .await
            .expect("granted");
        let before = Asked::of("fb-1").with("freeze", "fz-31").with(
            "expires",
            Moment::on_this_workstation().plus_minutes(240).to_string(),
        );
        world
            .act("maya", "bypass_freeze", before)
            .await
            .expect("proposed");
        let ticket = world.owner_sql("SELECT ticket FROM approval_request");
        world
            .act("lee", "approve", Asked::of(ticket))
            .await
            .expect("agreed");
        put(&world, "a.csv", "x");
        minted(
            &world,
            "pub-1",
            &["--bypass", "fb-1", "--artifact", "a.csv"],
        );
        put(
            &world,
            "source.json",
            r#"[{"metric_id":"MET-0144","value":9}]"#,
        );
        let loud = mint(
            &world,
            "pub-2",
            &[
                "--source",
                "source.json",
                "--bypass",
                "fb-1",
                "--artifact",
                "a.csv",
            ],
        );
        assert!(said(&loud, 0).contains("FREEZE BYPASS fb-1 is recorded; it makes no run pass"));
        said(&govdeck(&world, "maya", &["gate", "publish", "pub-1"]), 0);
        said(&govdeck(&world, "maya", &["gate", "publish", "pub-2"]), 1);
        for (run, code) in [("pub-1", 0), ("pub-2", 1)] {
            let text = govdeck(&world, "maya", &["gate", "distribute", run]);
            let text = said(&text, code);
            assert!(
                text.contains("FREEZE BYPASS fb-1 of fz-31 by maya and lee, until "),
                "{text}"
            );
            assert!(
                text.contains(REASON) && text.contains("it passes nothing"),
                "{text}"
            );
            let document = distribute(&world, run, code);
            assert_eq!(document["freeze_bypass"]["freeze_bypass_id"], "fb-1");
        }
        let blocked = distribute(&world, "pub-2", 1);
        assert_eq!(
            (
                &blocked["block_reason"],
                &blocked["owner"],
                &blocked["backup"]
            ),
            (&json!("tuple_drift"), &json!("maya"), &json!("lee"))
        );
    }
);

on_both!(
    a_rehearsal_waits_for_open_blocks_and_for_no_drill,
    |world| {
        world.register_footer().await;
        let rehearse = |code: i32| {
            let run = writes_nothing(&world, "maya", &["gate", "rehearsal", "--json"]);
            document(&run, code, "gate-rehearsal")
        };
        let free = rehearse(0);
        assert_eq!(
            (&free["verdict"], &free["block_reason"], &free["open"]),
            (&json!("pass"), &Value::Null, &json!(0))
        );
        world
            .mint("drill-1", Some(&"a".repeat(64)), Some(&"b".repeat(64)))
            .expect("minted");
        world
            .sql("UPDATE publish_snapshots SET drill = TRUE")
            .expect("a pipeline may");
        world.decide("drill-1").await.expect("decided");
        rehearse(0);
        world.block("pub-1").await;
        world.block("pub-2").await;
        let stopped = rehearse(1);
        assert_eq!(
            (
                &stopped["verdict"],
                &stopped["block_reason"],
                &stopped["also"],
                &stopped["owner"],
                &stopped["hold"],
                &stopped["open"]
            ),
            (
                &json!("fail"),
                &json!("open_publish_block"),
                &json!([]),
                &json!("maya"),
                &Value::Null,
                &json!(2)
            )
        );
        let runs: Vec<_> = stopped["blocks"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|block| &block["run"])
            .collect();
        assert_eq!(runs, ["pub-1", "pub-2"]);
        let text = govdeck(&world, "maya", &["gate", "rehearsal"]);
        assert!(said(&text, 1).starts_with("FAIL rehearsal: open_publish_block, 2 open\n"));
    }
);

on_both!(a_drill_is_never_distributed, |world| {
    world.register_footer().await;
    put(&world, "a.csv", "x");
    minted(&world, "drill-1", &["--artifact", "a.csv"]);
    world
        .sql("UPDATE publish_snapshots SET drill = TRUE")
        .expect("a pipeline may");
    said(&govdeck(&world, "maya", &["gate", "publish", "drill-1"]), 0);
    let drill = distribute(&world, "drill-1", 1);
    assert_eq!(
        (
            verdict_of(&drill, "not_a_drill"),
            verdict_of(&drill, "gate_passed")
        ),
        ("fail".to_owned(), "pass".to_owned())
    );
    // A drill cannot resolve a block either: the database itself keeps both apart.
    world.block("pub-1").await;
    let error =
        world.sql("UPDATE publish_replay_audit SET drill = TRUE WHERE publish_run_id = 'pub-1'");
    assert!(error.is_err_and(|error| error.contains("wall publish_replay_audit: ")));
});

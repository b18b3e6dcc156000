//! Minting: files in, one pending run with its leaves out, and the drift that the gate finds in it, cell by cell.

use std::fs;
use std::os::unix::fs::symlink;

use govdeck::rules::drift::SCHEMA;
use serde_json::Value;

use crate::cli_kit::{
    contents, document, fifo, govdeck, misused, refused, said, sha256, writes_nothing,
};
use crate::support::command::Run;
use crate::support::{World, on_both};

/// What would be published, and what the source says: three cells differ, one of them has its key twice.
const ROWS: &str = r#"[{"metric_id":"MET-0144","dimension_filter_id":"platform=quest","value":9.5},
    {"metric_id":"MET-0144","dimension_filter_id":null,"value":20},
    {"metric_id":"MET-0171","value":3}, {"metric_id":"MET-0200","value":1}]"#;
const SOURCE: &str = r#"[{"metric_id":"MET-0144","dimension_filter_id":"platform=quest","value":9.75},
    {"metric_id":"MET-0144","value":20,"dimension_filter_id":null},
    {"metric_id":"MET-0171","value":3}, {"metric_id":"MET-0171","value":4}, {"metric_id":"MET-0300","value":1}]"#;

/// Puts a file into the folder that the program works in.
pub fn put(world: &World, name: &str, text: &str) {
    fs::write(world.home.folder().join(name), text).expect("the home is ours");
}

/// Mints a run of files as a pipeline does.
pub fn mint(world: &World, run: &str, more: &[&str]) -> Run {
    let plain = [
        "publish",
        "mint",
        "--run",
        run,
        "--scope",
        "sla/partners",
        "--freeze",
        "fz-31",
        "--lift",
        "lf-31",
        "--dry-run-id",
        "dr-31",
        "--rows",
        "rows.json",
        "--footer",
        "v2.4.0",
    ];
    govdeck(world, "maya", &[&plain[..], more].concat())
}

fn json(run: &Run, code: i32, schema: &str) -> Value {
    document(run, code, schema)
}

on_both!(equal_rows_pass_the_gate, |world| {
    world.register_footer().await;
    put(&world, "rows.json", ROWS);
    put(&world, "source.json", ROWS);
    let more = ["--source", "source.json", "--json"];
    let minted = json(&mint(&world, "pub-1", &more), 0, "publish-mint");
    assert_eq!(minted["publish"]["sha256"], minted["source"]["sha256"]);
    assert_eq!(minted["publish"]["rows"], 4);
    let hash = said(&govdeck(&world, "maya", &["hash", "tuple", "rows.json"]), 0)
        .trim()
        .to_owned();
    assert_eq!(minted["publish"]["sha256"], hash.as_str());
    let order = "SELECT CASE WHEN source_observed_at_utc > created_at_utc AND version = 0 THEN 'later' END FROM publish_snapshots";
    assert_eq!(world.owner_sql(order), "later");
    assert_eq!(
        world.owner_sql("SELECT side FROM publish_leaf ORDER BY side"),
        "publish\nsource"
    );
    let decided = json(
        &govdeck(&world, "maya", &["gate", "publish", "pub-1", "--json"]),
        0,
        "gate-publish",
    );
    assert_eq!(decided["verdict"], "pass");
    let drifts = "SELECT COUNT(*) FROM ledger_artifact WHERE role = 'drift'";
    assert_eq!(world.owner_sql(drifts), "0");
    // A run is minted once, whatever became of it.
    let before = contents(&world);
    let (sentence, _) = refused(&mint(&world, "pub-1", &[]), 1);
    assert!(sentence.contains("\"pub-1\" already"), "{sentence}");
    assert_eq!(contents(&world), before);
    world.assert_sound().await;
});

on_both!(a_drift_is_named_cell_by_cell, |world| {
    world.register_footer().await;
    put(&world, "rows.json", ROWS);
    put(&world, "source.json", SOURCE);
    said(&mint(&world, "pub-1", &["--source", "source.json"]), 0);
    let run = govdeck(&world, "maya", &["gate", "publish", "pub-1"]);
    let line = "4 of 5 leaves differ: MET-0144/platform=quest, MET-0171, MET-0200 (added), MET-0300 (vanished)";
    assert!(said(&run, 1).contains(line), "{}", run.stdout);
    let shown = json(
        &govdeck(&world, "maya", &["block", "show", "pub-1", "--json"]),
        0,
        "block-show",
    );
    let drift = &shown["drift"];
    assert_eq!(drift["schema"], SCHEMA);
    let named: Vec<_> = drift["named"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|cell| {
            format!(
                "{} {} {}/{}",
                cell["change"], cell["metric_id"], cell["publish_rows"], cell["source_rows"]
            )
        })
        .collect();
    assert_eq!(
        named,
        [
            r#""changed" "MET-0144" 1/1"#,
            r#""changed" "MET-0171" 1/2"#,
            r#""added" "MET-0200" 1/0"#,
            r#""vanished" "MET-0300" 0/1"#,
        ]
    );
    assert_eq!(shown["response"], "ok");
    assert_eq!(shown["timeline"][0]["action"], "decide_run");
    assert_eq!(shown["block"]["block_reason"], "tuple_drift");
    // It is evidence of the decision, and the message to the owner names the cells.
    let filed = world.owner_sql("SELECT e.sha256 FROM ledger_artifact e WHERE e.role = 'drift'");
    assert_eq!(shown["drift_sha256"], filed.as_str());
    said(
        &govdeck(
            &world,
            "maya",
            &["artifact", "get", &filed, "--out", "drift.json"],
        ),
        0,
    );
    let bytes = fs::read(world.home.folder().join("drift.json")).expect("written");
    assert_eq!(sha256(&bytes), filed);
    let canonical = said(&govdeck(&world, "maya", &["canon", "drift.json"]), 0).to_owned();
    assert_eq!(canonical.as_bytes(), bytes);
    let told =
        world.owner_sql("SELECT body FROM notification_outbox WHERE event_class = 'block_opened'");
    assert!(
        told.contains(
            "4 of 5 leaves differ: MET-0144/platform=quest, MET-0171, MET-0200 (added), …"
        ),
        "{told}"
    );
    let text = said(&govdeck(&world, "maya", &["block", "show", "pub-1"]), 0).to_owned();
    assert!(
        text.contains("changed  MET-0171 (1 to publish, 2 in the source)"),
        "{text}"
    );
    assert!(said(&govdeck(&world, "maya", &["block", "list"]), 0).starts_with("1 open\n"));
    refused(&govdeck(&world, "maya", &["block", "show", "pub-9"]), 3);
    world.assert_sound().await;
});

on_both!(
    values_are_shown_while_both_files_are_what_was_minted,
    |world| {
        world.register_footer().await;
        put(&world, "rows.json", ROWS);
        put(&world, "source.json", SOURCE);
        said(&mint(&world, "pub-1", &["--source", "source.json"]), 0);
        said(&govdeck(&world, "maya", &["gate", "publish", "pub-1"]), 1);
        let show = ["block", "show", "pub-1", "--rows", "rows.json", "--source"];
        let run = writes_nothing(&world, "maya", &[&show[..], &["source.json"]].concat());
        let text = said(&run, 0);
        for line in [
            "    value: 9.5 to publish, 9.75 in the source\n",
            "    publish  {\"metric_id\":\"MET-0171\",\"value\":3}\n    source   {\"metric_id\":\"MET-0171\",\"value\":3}\n",
            "(1 to publish, 0 in the source)\n    publish  {\"metric_id\":\"MET-0200\",\"value\":1}\n",
            "(0 to publish, 1 in the source)\n    source   {\"metric_id\":\"MET-0300\",\"value\":1}\n",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
        let words = [&show[..], &["source.json", "--json"]].concat();
        let shown = json(&govdeck(&world, "maya", &words), 0, "block-show");
        assert_eq!(shown["values"][0]["publish"][0]["value"], 9.5);
        assert_eq!(shown["values"][0]["source"][0]["value"], 9.75);
        // Other rows are no evidence of anything, and a file that cannot be read shows nothing.
        put(
            &world,
            "other.json",
            r#"[{"metric_id":"MET-0144","value":1}]"#,
        );
        put(&world, "bad.json", "[{]");
        for (file, code) in [
            ("other.json", 1),
            ("rows.json", 1),
            ("bad.json", 2),
            ("gone.json", 2),
        ] {
            refused(
                &govdeck(&world, "maya", &[&show[..], &[file]].concat()),
                code,
            );
        }
        misused(&govdeck(&world, "maya", &show[..5]));
        world.block("pub-2").await;
        let words = [
            "block",
            "show",
            "pub-2",
            "--rows",
            "rows.json",
            "--source",
            "source.json",
        ];
        refused(&govdeck(&world, "maya", &words), 1);
    }
);

on_both!(what_has_no_hash_is_minted_loudly_and_blocked, |world| {
    world.register_footer().await;
    put(&world, "good.json", ROWS);
    for (number, (rows, source, reason)) in [
        (r#"[{"metric_id":1}]"#, Some(ROWS), "missing_publish_hash"),
        ("[]", Some(ROWS), "missing_publish_hash"),
        (ROWS, Some("[{}, "), "missing_source_hash"),
        (
            ROWS,
            Some(r#"[{"metric_id":"a","metric_id":"a"}]"#),
            "missing_source_hash",
        ),
        (ROWS, None, "missing_source_hash"),
    ]
    .into_iter()
    .enumerate()
    {
        let run = format!("pub-{number}");
        put(&world, "rows.json", rows);
        put(&world, "source.json", source.unwrap_or_default());
        let more: &[&str] = if source.is_some() {
            &["--source", "source.json"]
        } else {
            &[]
        };
        let text = mint(&world, &run, more);
        assert!(
            said(&text, 0).contains("NO HASH, the gate will block this run: "),
            "{}",
            text.stdout
        );
        let decided = json(
            &govdeck(&world, "maya", &["gate", "publish", &run, "--json"]),
            1,
            "gate-publish",
        );
        assert_eq!(decided["block_reason"], reason);
        let leaves = world.owner_sql(&format!(
            "SELECT COUNT(*) FROM publish_leaf WHERE publish_run_id = '{run}'"
        ));
        assert_eq!(leaves, "1", "the other side has its leaves");
    }
    world.assert_sound().await;
});

on_both!(what_cannot_be_read_or_named_mints_nothing, |world| {
    put(&world, "rows.json", ROWS);
    let home = world.home.folder();
    fs::create_dir(home.join("folder")).expect("ours");
    fifo(&home.join("pipe"));
    symlink("/etc/passwd", home.join("out")).expect("ours");
    symlink(".", home.join("round")).expect("ours");
    let before = contents(&world);
    for more in [
        &["--source", "gone.json"][..],
        &["--source", "pipe"],
        &["--source", "folder"],
        &["--artifact", "gone.csv"],
        &["--artifact", "/etc/passwd"],
        &["--artifact", "../rows.json"],
        &["--artifact", "folder/../rows.json"],
        &["--artifact", "out"],
        &["--artifact", "round/rows.json"],
        &["--artifact", "pipe"],
        &["--artifact", "folder"],
        &["--artifact", "sha256:00"],
        &["--parser", "a\u{202e}b"],
        &["--source-ref", ""],
    ] {
        refused(&mint(&world, "pub-1", more), 2);
    }
    for (run, scope) in [
        ("", "sla/partners"),
        ("pub\n1", "sla/partners"),
        ("pub-1", "sla"),
        ("pub-1", "a/b/c"),
    ] {
        let words = [
            "publish",
            "mint",
            "--run",
            run,
            "--scope",
            scope,
            "--freeze",
            "f",
            "--lift",
            "l",
            "--dry-run-id",
            "d",
            "--rows",
            "rows.json",
        ];
        refused(&govdeck(&world, "maya", &words), 2);
    }
    misused(&govdeck(
        &world,
        "maya",
        &["publish", "mint", "--run", "pub-1"],
    ));
    // A bypass that nobody agreed on is refused by the database.
    refused(&mint(&world, "pub-1", &["--bypass", "fb-9"]), 3);
    assert_eq!(contents(&world), before);
});

on_both!(hostile_names_of_metrics_reach_no_terminal, |world| {
    world.register_footer().await;
    put(
        &world,
        "rows.json",
        r#"[{"metric_id":"\u001b[2J\u202eMET\u200b","value":1}]"#,
    );
    put(
        &world,
        "source.json",
        r#"[{"metric_id":"\u001b[2J\u202eMET\u200b","value":2}]"#,
    );
    said(&mint(&world, "pub-1", &["--source", "source.json"]), 0);
    let run = govdeck(&world, "maya", &["gate", "publish", "pub-1"]);
    let shown =
        said(&run, 1).to_owned() + said(&govdeck(&world, "maya", &["block", "show", "pub-1"]), 0);
    assert!(shown.contains("1 of 1 leaves differs: "), "{shown}");
    let document = govdeck(&world, "maya", &["block", "show", "pub-1", "--json"]);
    for text in [&shown, &document.stdout] {
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{200b}']), "{text}");
    }
    let read: Value = serde_json::from_str(&document.stdout).expect("JSON");
    assert_eq!(
        read["drift"]["named"][0]["metric_id"],
        "\u{1b}[2J\u{202e}MET\u{200b}"
    );
    world.assert_sound().await;
});

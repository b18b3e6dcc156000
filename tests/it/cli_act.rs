//! `govdeck act` and `govdeck why`: what they ask for, what they refuse, and that looking writes nothing.

use std::collections::BTreeSet;

use govdeck::actions::ENTRIES;
use govdeck::rules::people::Basis;
use serde_json::{Value, json};

use crate::cli_kit::{contents, document, govdeck, misused, refused, said, writes_nothing};
use crate::support::cluster::cluster;
use crate::support::command::run;
use crate::support::{REASON, World, on_both};

const ADD_BOB: [&str; 5] = ["act", "add-person", "bob", "--name", "Bob"];

/// The words of an action with more behind them.
fn with<'a>(words: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    words.iter().chain(more).copied().collect()
}

/// The ledger's position, by plain SQL.
fn newest(world: &World) -> i64 {
    let seq = world.owner_sql("SELECT MAX(seq) FROM governance_ledger");
    seq.parse().expect("a number")
}

fn keys(document: &Value) -> BTreeSet<&str> {
    let members = document.as_object().expect("an object");
    members.keys().map(String::as_str).collect()
}

on_both!(a_dry_run_writes_nothing_and_shows_the_phrase, |world| {
    let run = writes_nothing(&world, "maya", &with(&ADD_BOB, &["--dry-run"]));
    let text = said(&run, 0);
    assert!(
        text.starts_with("add-person bob on PROD gov-test as maya\n"),
        "{text}"
    );
    assert!(text.contains("person bob becomes version 1\n"), "{text}");
    assert!(text.contains("  display_name: null -> \"Bob\"\n"), "{text}");
    assert!(
        text.ends_with("nothing was written; to do it: --confirm \"bob\"\n"),
        "{text}"
    );
});

on_both!(a_dry_run_as_json_holds_all_that_the_text_says, |world| {
    let run = writes_nothing(&world, "maya", &with(&ADD_BOB, &["--dry-run", "--json"]));
    let said = document(&run, 0, "act");
    let expected = [
        "action",
        "changes",
        "conditions",
        "level",
        "outcome",
        "phrase",
        "schema",
        "state_hash",
        "target",
        "target_version",
        "undo",
    ];
    assert_eq!(keys(&said), expected.into());
    assert_eq!(
        (
            &said["action"],
            &said["outcome"],
            &said["phrase"],
            &said["target_version"]
        ),
        (
            &json!("add-person"),
            &json!("dry_run"),
            &json!("bob"),
            &json!(0)
        )
    );
    for condition in said["conditions"].as_array().expect("conditions") {
        assert_eq!(
            keys(condition),
            ["evidence", "fix", "id", "owner", "verdict"].into()
        );
        assert_eq!(condition["verdict"], "pass");
    }
    assert_eq!(said["changes"][0]["table"], "person");
    assert_eq!(said["changes"][0]["version"], 1);
});

on_both!(
    what_is_confirmed_is_in_the_ledger_under_its_ticket,
    |world| {
        let before = newest(&world);
        let words = with(
            &ADD_BOB,
            &["--confirm", "bob", "--reason", REASON, "--json"],
        );
        let done = document(&govdeck(&world, "maya", &words), 0, "act");
        assert_eq!(
            keys(&done),
            [
                "action", "at_utc", "hash", "outcome", "schema", "seq", "ticket"
            ]
            .into()
        );
        assert_eq!(
            (&done["outcome"], &done["seq"]),
            (&json!("done"), &json!(before + 1))
        );
        let ticket = done["ticket"].as_str().expect("a ticket");
        let entry = document(
            &govdeck(
                &world,
                "maya",
                &["ledger", "show", "--ticket", ticket, "--json"],
            ),
            0,
            "ledger-show",
        );
        let entry = &entry["entries"][0];
        for (key, expected) in [
            ("seq", &done["seq"]),
            ("hash", &done["hash"]),
            ("at", &done["at_utc"]),
        ] {
            assert_eq!(&entry[key], expected, "{key}");
        }
        assert_eq!(
            (&entry["reason"], &entry["actor"]),
            (&json!(REASON), &json!("maya"))
        );
        let row = "SELECT display_name || ' ' || kind || ' ' || login FROM person WHERE person_id = 'bob'";
        assert_eq!(world.owner_sql(row), "Bob human bob");
        world.assert_sound().await;
    }
);

on_both!(the_answer_must_be_exactly_what_is_asked_for, |world| {
    let long = "x".repeat(2_001);
    for (confirm, reason, sentence) in [
        ("Bob", Some(REASON), "phrase does not match"),
        ("bob ", Some(REASON), "phrase does not match"),
        ("", Some(REASON), "phrase does not match"),
        ("y", Some(REASON), "phrase does not match"),
        ("bob", None, "a reason of at least 20"),
        ("bob", Some(""), "a reason of at least 20"),
        (
            "bob",
            Some("    nineteen letters...    "),
            "a reason of at least 20",
        ),
        ("bob", Some(&long), "at most 2000"),
    ] {
        let mut words = with(&ADD_BOB, &["--confirm", confirm]);
        words.extend(reason.iter().flat_map(|reason| ["--reason", reason]));
        let refusal = refused(&writes_nothing(&world, "maya", &words), 1);
        assert!(refusal.0.contains(sentence), "{confirm:?}: {refusal:?}");
    }
});

on_both!(
    the_command_line_is_refused_before_anything_is_done,
    |world| {
        for words in [
            with(&ADD_BOB, &[]),
            with(&ADD_BOB, &["--reason", REASON]),
            with(&ADD_BOB, &["--dry-run", "--confirm", "bob"]),
            with(&ADD_BOB, &["--dry-run", "--role", "signer"]),
            with(&ADD_BOB, &["--dry-run", "--dry-run"]),
            with(&ADD_BOB, &["--dry-run", "twice"]),
            with(&ADD_BOB, &["--confirm"]),
            vec!["act", "add-person", "bob", "--dry-run"],
            vec!["act", "add-person", "--name", "Bob", "--dry-run"],
            vec![
                "act",
                "grant-role",
                "kim",
                "--confirm",
                "kim",
                "--reason",
                REASON,
            ],
            vec!["act", "no-such-action", "bob", "--dry-run"],
            vec!["act"],
            vec!["why"],
            vec!["why", "no-such-action", "bob"],
            vec!["why", "take-block"],
            vec!["why", "take-block", "r-1", "--dry-run"],
        ] {
            misused(&writes_nothing(&world, "maya", &words));
        }
    }
);

on_both!(values_that_make_no_sense_are_bad_input, |world| {
    for words in [
        vec!["act", "add-person", "Bob!", "--name", "Bob", "--dry-run"],
        vec!["act", "add-person", "bob", "--name", " ", "--dry-run"],
        vec![
            "act",
            "add-person",
            "bob",
            "--name",
            "B\u{202e}ob",
            "--dry-run",
        ],
        vec![
            "act",
            "add-person",
            "bob",
            "--name",
            "Bob",
            "--kind",
            "robot",
            "--dry-run",
        ],
        vec!["act", "add-person", "", "--name", "Bob", "--dry-run"],
        vec!["act", "grant-role", "kim", "--role", "admin", "--dry-run"],
        vec!["why", "grant-role", "kim", "--role", "admin"],
        vec!["why", "grant-role", "kim"],
    ] {
        refused(&writes_nothing(&world, "maya", &words), 2);
    }
});

on_both!(only_what_a_person_decides_is_offered, |world| {
    let by_rule = ENTRIES.iter().filter(|entry| entry.basis == Basis::Rule);
    for name in by_rule.map(govdeck::actions::Entry::name) {
        misused(&writes_nothing(
            &world,
            "maya",
            &["act", &name, "r-1", "--confirm", "", "--reason", REASON],
        ));
        misused(&writes_nothing(
            &world,
            "maya",
            &["act", &name, "r-1", "--dry-run"],
        ));
        misused(&writes_nothing(&world, "maya", &["why", &name, "r-1"]));
    }
    for noun in ["act", "why"] {
        let help = govdeck(&world, "maya", &[noun, "--help"]);
        let help = said(&help, 0);
        for entry in ENTRIES {
            let offered = help.contains(&format!("  {} ", entry.name()));
            assert_eq!(offered, entry.basis == Basis::Person, "{}", entry.name());
        }
    }
});

on_both!(a_block_is_taken_once, |world| {
    world.block("r-1").await;
    let why = ["why", "take-block", "r-1"];
    let take = ["act", "take-block", "r-1"];
    assert_eq!(
        said(&writes_nothing(&world, "maya", &why), 0)
            .matches("[PASS]")
            .count(),
        3
    );
    let phrase = document(
        &govdeck(&world, "maya", &with(&take, &["--dry-run", "--json"])),
        0,
        "act",
    )["phrase"]
        .clone();
    let confirm = with(&take, &["--confirm", phrase.as_str().expect("a phrase")]);
    let done = govdeck(&world, "maya", &confirm);
    assert!(
        said(&done, 0).starts_with("done: take-block, ledger entry "),
        "{done:?}"
    );

    let (sentence, hint) = refused(&writes_nothing(&world, "maya", &confirm), 1);
    assert_eq!(sentence, "not_taken: taken by maya");
    assert!(hint.contains("taken once"), "{hint}");
    let after = writes_nothing(&world, "maya", &why);
    let text = said(&after, 1);
    assert!(text.contains("[FAIL] not_taken "), "{text}");
    assert_eq!(
        world.owner_sql("SELECT taken_by FROM publish_replay_audit"),
        "maya"
    );
    world.assert_sound().await;
});

on_both!(why_lists_every_condition_and_its_verdict, |world| {
    world.block("r-1").await;
    let why = govdeck(
        &world,
        "maya",
        &[
            "why",
            "grant-role",
            "maya",
            "--role",
            "governance_lead",
            "--json",
        ],
    );
    let said = document(&why, 1, "why");
    assert_eq!(
        keys(&said),
        ["action", "conditions", "schema", "target", "verdict"].into()
    );
    assert_eq!(
        (&said["verdict"], &said["action"]),
        (&json!("fail"), &json!("grant-role"))
    );
    let verdict = |id: &str| {
        let mut all = said["conditions"].as_array().expect("conditions").iter();
        all.find(|condition| condition["id"] == id).expect("listed")["verdict"].clone()
    };
    for (id, expected) in [
        ("role", "pass"),
        ("person_active", "pass"),
        ("not_held", "fail"),
        ("not_yourself", "fail"),
    ] {
        assert_eq!(verdict(id), expected, "{id}");
    }
    let passing = govdeck(&world, "maya", &["why", "take-block", "r-1", "--json"]);
    assert_eq!(document(&passing, 0, "why")["verdict"], "pass");
});

on_both!(what_does_not_exist_is_no_pass, |world| {
    for words in [
        &["why", "take-block", "r-none"][..],
        &["act", "take-block", "r-none", "--dry-run"],
        &["act", "take-block", "r-none", "--confirm", "y"],
        &["act", "grant-role", "eve", "--role", "on_call", "--dry-run"],
    ] {
        let (sentence, _) = refused(&writes_nothing(&world, "maya", words), 1);
        assert!(
            sentence.contains("r-none") || sentence.contains("eve"),
            "{sentence}"
        );
    }
});

on_both!(a_dry_run_of_what_cannot_be_done_shows_no_phrase, |world| {
    let words = ["act", "add-person", "kim", "--name", "Kim", "--dry-run"];
    let run = writes_nothing(&world, "maya", &words);
    let text = said(&run, 1);
    assert!(
        text.ends_with("not possible now\n") && !text.contains("--confirm"),
        "{text}"
    );
    assert!(text.contains("[FAIL] new_id "), "{text}");
    let said = document(
        &writes_nothing(&world, "maya", &with(&words, &["--json"])),
        1,
        "act",
    );
    assert_eq!(said["phrase"], Value::Null);
    let words = [
        "act",
        "add-person",
        "kim",
        "--name",
        "Kim",
        "--confirm",
        "kim",
        "--reason",
        REASON,
    ];
    let (sentence, _) = refused(&writes_nothing(&world, "maya", &words), 1);
    assert!(sentence.contains("belongs to kim"), "{sentence}");
});

on_both!(who_acts_is_never_taken_from_the_environment, |world| {
    let mut command = world.govdeck("maya", &["status", "--json"]);
    for name in ["USER", "LOGNAME", "USERNAME", "PGUSER", "SUDO_USER"] {
        command.env(name, "lee");
    }
    assert_eq!(document(&run(command), 0, "status")["you"], "maya");
});

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_nobody_may_look_and_not_act() {
    let world = World::postgres().await;
    world.block("r-1").await;
    cluster().create_login("stranger");
    world.owner_sql(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO stranger",
    );
    let status = govdeck(&world, "stranger", &["status"]);
    assert!(
        said(&status, 0).contains("you are nobody (login stranger): you may only look\n"),
        "{status:?}"
    );
    let status = document(
        &govdeck(&world, "stranger", &["status", "--json"]),
        0,
        "status",
    );
    assert_eq!(
        (&status["you"], &status["login"]),
        (&Value::Null, &json!("stranger"))
    );
    said(&govdeck(&world, "stranger", &["ledger", "verify"]), 0);
    for words in [
        with(&ADD_BOB, &["--confirm", "bob", "--reason", REASON]),
        with(&ADD_BOB, &["--dry-run"]),
        vec!["act", "take-block", "r-1", "--confirm", "y"],
        vec!["why", "take-block", "r-1"],
    ] {
        let (sentence, _) = refused(&writes_nothing(&world, "stranger", &words), 1);
        assert!(
            sentence.contains("\"stranger\" belongs to no active person"),
            "{sentence}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_without_the_role_is_told_who_has_it() {
    let world = World::postgres().await;
    let words = with(&ADD_BOB, &["--confirm", "bob", "--reason", REASON]);
    let (sentence, hint) = refused(&writes_nothing(&world, "kim", &words), 1);
    assert_eq!(sentence, "role: kim holds no role");
    assert_eq!(hint, "a governance_lead may do this");
    let why = writes_nothing(
        &world,
        "kim",
        &["why", "add-person", "bob", "--name", "Bob"],
    );
    assert!(said(&why, 1).contains("[FAIL] role "), "{why:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_routed_cannot_take_a_block() {
    let world = World::postgres().await;
    world.block("r-1").await;
    let words = ["act", "take-block", "r-1", "--confirm", "y"];
    let (sentence, hint) = refused(&writes_nothing(&world, "kim", &words), 1);
    assert_eq!(sentence, "owner_or_backup: owner maya, backup lee");
    assert!(hint.contains("ask maya or lee"), "{hint}");
    said(&govdeck(&world, "lee", &words), 0);
    assert_eq!(
        world.owner_sql("SELECT taken_by FROM publish_replay_audit"),
        "lee"
    );
}

on_both!(status_counts_what_waits, |world| {
    world.block("r-1").await;
    world.mint("r-2", None, None).expect("minted");
    let arm = ["act", "arm-console", "console-7", "--confirm", "y"];
    said(&govdeck(&world, "maya", &arm), 0);
    let before = contents(&world);
    let said = document(&govdeck(&world, "maya", &["status", "--json"]), 0, "status");
    let expected = [
        "armed",
        "attestation",
        "blocks",
        "connected",
        "deployment",
        "environment",
        "governance",
        "ledger",
        "login",
        "now",
        "open_blocks",
        "pending_runs",
        "routes_without_human_backup",
        "schema",
        "skew_milliseconds",
        "waiting_messages",
        "you",
    ];
    assert_eq!(keys(&said), expected.into());
    assert_eq!(
        (&said["open_blocks"], &said["pending_runs"]),
        (&json!(1), &json!(1))
    );
    let known = ["unattested", "login"][usize::from(world.is_postgres())];
    assert_eq!(said["attestation"], known);
    assert_eq!(said["blocks"][0]["publish_run_id"], "r-1");
    assert_eq!(said["ledger"]["seq"], newest(&world));
    let armed = &said["armed"][0];
    assert_eq!(
        (&armed["console_id"], &armed["person_id"]),
        (&json!("console-7"), &json!("maya"))
    );
    let text = govdeck(&world, "maya", &["status"]);
    let text = crate::cli_kit::said(&text, 0);
    assert!(
        text.contains("1 open block, 1 run waits for the gate, 1 message waits for delivery"),
        "{text}"
    );
    assert!(
        text.contains("  r-1 tuple_drift owner maya: response due "),
        "{text}"
    );
    assert!(
        text.contains("maya has armed the console console-7 until "),
        "{text}"
    );
    assert_eq!(contents(&world), before);
});

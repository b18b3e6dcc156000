//! `govdeck ledger`, `artifact` and `gate`: what a script reads, and what it can rely on.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use govdeck::actions::Asked;
use serde_json::{Value, json};

use crate::cli_kit::{document, govdeck, misused, refused, said, sha256, writes_nothing};
use crate::support::{World, on_both};

/// Writes a file into the world's home and returns its path as text.
fn file(world: &World, name: &str, text: &str) -> String {
    let path = world.home.folder().join(name);
    fs::write(&path, text).expect("the home is ours");
    path.display().to_string()
}

/// The head as `ledger head` prints it.
fn head(world: &World) -> String {
    said(&govdeck(world, "maya", &["ledger", "head"]), 0).to_owned()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// The digest of a value's canonical form, by other code than the program's.
fn digest(value: &Value) -> String {
    sha256(&serde_json_canonicalizer::to_vec(value).expect("canonical"))
}

on_both!(show_lists_the_newest_first, |world| {
    world.block("r-1").await;
    let text = govdeck(&world, "maya", &["ledger", "show"]);
    let lines: Vec<&str> = said(&text, 0).lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (line, (seq, what)) in lines.iter().zip([
        (3, "decide_run r-1 govdeck (rule, "),
        (2, "add_person kim maya (person, "),
        (1, "establish gov-test govdeck (rule, "),
    ]) {
        assert!(
            line.trim_start().starts_with(&format!("{seq} 20")) && line.contains(what),
            "{line}"
        );
    }
    let last = govdeck(&world, "maya", &["ledger", "show", "--last", "2", "--json"]);
    let last = document(&last, 0, "ledger-show");
    let seqs: Vec<_> = last["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| entry["seq"].clone())
        .collect();
    assert_eq!(seqs, [json!(3), json!(2)]);
});

on_both!(
    every_entry_can_be_hashed_again_from_what_is_shown,
    |world| {
        world.block("r-1").await;
        let mut prev = json!("0".repeat(64));
        for seq in 1..=3 {
            let mut shown = document(
                &govdeck(
                    &world,
                    "maya",
                    &["ledger", "show", &seq.to_string(), "--json"],
                ),
                0,
                "ledger-show",
            );
            let mut entry = shown["entries"][0].take();
            let members = entry.as_object_mut().expect("an object");
            let hash = members.remove("hash").expect("a hash");
            let card = members.remove("card").expect("a card");
            assert_eq!(json!(digest(&card)), members["card_sha256"]);
            let changes = members["changes"].as_array_mut().expect("changes");
            assert_eq!(
                json!(changes.len()),
                members.remove("change_count").expect("a count")
            );
            let evidence = members["evidence"].as_array().expect("evidence");
            let roles: Vec<_> = evidence.iter().map(|piece| piece["role"].clone()).collect();
            let wanted = if members["action"] == "decide_run" {
                json!(["drift", "recheck"])
            } else {
                json!(["recheck"])
            };
            assert_eq!(json!(roles), wanted);
            assert_eq!(members.remove("evidence_count"), Some(json!(roles.len())));
            for change in members["changes"].as_array_mut().expect("changes") {
                let change = change.as_object_mut().expect("an object");
                let after = change.remove("after").expect("an image");
                change.remove("before").expect("an image, or null");
                assert_eq!(json!(digest(&after)), change["row_sha256"]);
            }
            assert_eq!(
                (json!(digest(&entry)), &entry["prev_hash"]),
                (hash.clone(), &prev)
            );
            prev = hash;
        }
        assert_eq!(parsed(&head(&world))["hash"], prev);
    }
);

on_both!(what_the_ledger_does_not_have_cannot_be_shown, |world| {
    for words in [
        &["ledger", "show", "99"][..],
        &["ledger", "show", "0"],
        &["ledger", "show", "9223372036854775807"],
        &["ledger", "show", "--ticket", "none"],
        &["ledger", "show", "--ticket", ""],
    ] {
        let (sentence, _) = refused(&govdeck(&world, "maya", words), 3);
        assert!(sentence.starts_with("the ledger has no "), "{sentence}");
    }
    for words in [
        &["ledger", "show", "x"][..],
        &["ledger", "show", "1.0"],
        &["ledger", "show", "9223372036854775808"],
        &["ledger", "show", "--last", "0"],
        &["ledger", "show", "--last", "10001"],
        &["ledger", "show", "1", "--ticket", "x"],
        &["ledger", "verify", "file"],
        &["ledger"],
    ] {
        misused(&govdeck(&world, "maya", words));
    }
});

on_both!(the_head_is_the_same_bytes_in_both_shapes, |world| {
    let text = head(&world);
    let run = govdeck(&world, "maya", &["ledger", "head", "--json"]);
    let head = document(&run, 0, "ledger-head");
    assert_eq!(run.stdout, text);
    let keys: Vec<_> = head
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    assert_eq!(keys, ["at_utc", "deployment_id", "hash", "schema", "seq"]);
    let stored = world
        .owner_sql("SELECT seq || ' ' || hash FROM governance_ledger ORDER BY seq DESC LIMIT 1");
    assert_eq!(
        stored,
        format!("{} {}", head["seq"], head["hash"].as_str().expect("text"))
    );
    assert_eq!(
        world.owner_sql("SELECT deployment_id FROM deployment"),
        head["deployment_id"].as_str().expect("text")
    );
});

on_both!(a_kept_head_still_fits_after_more_was_written, |world| {
    let kept = file(&world, "head.json", &head(&world));
    let verify = ["ledger", "verify", "--head", &kept];
    said(&writes_nothing(&world, "maya", &verify), 0);
    world.block("r-1").await;
    let text = writes_nothing(&world, "maya", &verify);
    assert!(
        said(&text, 0).starts_with("the ledger verifies: 3 entries, "),
        "{text:?}"
    );
    let said = document(
        &govdeck(
            &world,
            "maya",
            &["ledger", "verify", "--head", &kept, "--json"],
        ),
        0,
        "ledger-verify",
    );
    assert_eq!(
        (&said["verdict"], &said["findings"], &said["entries"]),
        (&json!("pass"), &json!([]), &json!(3))
    );
});

on_both!(a_head_of_another_ledger_does_not_fit, |world| {
    let mine = parsed(&head(&world));
    for (key, value, finding) in [
        ("seq", json!(99), "was exported as head and is gone"),
        ("seq", json!(1), "the ledger was rebuilt"),
        ("hash", json!("0".repeat(64)), "the ledger was rebuilt"),
    ] {
        let mut other = mine.clone();
        other[key] = value;
        let path = file(&world, "other.json", &other.to_string());
        let run = govdeck(&world, "maya", &["ledger", "verify", "--head", &path]);
        let text = said(&run, 1);
        assert!(
            text.starts_with("BAD entry ") && text.contains(finding),
            "{text}"
        );
        assert!(text.contains("the ledger does not verify"), "{text}");
    }
    let mut other = mine.clone();
    other["deployment_id"] = json!("f".repeat(32));
    let path = file(&world, "other.json", &other.to_string());
    let (sentence, _) = refused(
        &govdeck(&world, "maya", &["ledger", "verify", "--head", &path]),
        1,
    );
    assert!(sentence.contains("another deployment"), "{sentence}");
});

#[tokio::test(flavor = "multi_thread")]
async fn a_head_of_one_world_is_refused_by_another() {
    let (one, other) = (World::sqlite().await, World::postgres().await);
    let path = file(&other, "head.json", &head(&one));
    let (sentence, _) = refused(
        &govdeck(&other, "maya", &["ledger", "verify", "--head", &path]),
        1,
    );
    assert_eq!(
        sentence,
        format!("{path} is the head of another deployment")
    );
}

on_both!(a_head_file_that_is_malformed_is_bad_input, |world| {
    let good = head(&world);
    let with = |key: &str, value: Value| {
        let mut head = parsed(&good);
        head[key] = value;
        head.to_string()
    };
    let without = |key: &str| {
        let mut head = parsed(&good);
        head.as_object_mut().expect("an object").remove(key);
        head.to_string()
    };
    for text in [
        String::new(),
        "x".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        good.repeat(2),
        good.replace('{', "{\"seq\":1,"),
        with("schema", json!("govdeck.ledger-head.v2")),
        with("schema", json!(1)),
        with("seq", json!(0)),
        with("seq", json!(-1)),
        with("seq", json!(1.5)),
        with("seq", json!("2")),
        with("hash", json!("F".repeat(64))),
        with("hash", json!("f".repeat(63))),
        with("hash", Value::Null),
        without("hash"),
        without("seq"),
        without("schema"),
        without("deployment_id"),
    ] {
        let path = file(&world, "head.json", &text);
        refused(
            &govdeck(&world, "maya", &["ledger", "verify", "--head", &path]),
            2,
        );
    }
    for path in ["/", "missing.json", "head.json/below"] {
        let (sentence, _) = refused(
            &govdeck(&world, "maya", &["ledger", "verify", "--head", path]),
            2,
        );
        assert!(sentence.starts_with(path), "{sentence}");
    }
});

on_both!(a_row_changed_behind_the_ledger_is_named, |world| {
    world.tamper(
        "person",
        "UPDATE person SET display_name = 'Eve' WHERE person_id = 'kim'",
    );
    let run = writes_nothing(&world, "maya", &["ledger", "verify"]);
    assert!(
        said(&run, 1).starts_with("BAD person kim: is not as entry 2 left it\n"),
        "{run:?}"
    );
    let said = document(
        &govdeck(&world, "maya", &["ledger", "verify", "--json"]),
        1,
        "ledger-verify",
    );
    assert_eq!(said["verdict"], "fail");
    assert_eq!(
        said["findings"],
        json!([{"place": "person kim", "wrong": "is not as entry 2 left it"}])
    );
});

on_both!(a_column_that_a_card_hides_is_named, |world| {
    let added = Asked::of("ann").with("name", "Ann");
    world.act("maya", "add_person", added).await.expect("added");
    let gone = world.act("maya", "deactivate_person", Asked::of("ann"));
    let seq = gone.await.expect("deactivated").seq;
    world
        .forge(seq, |forged| {
            forged.image("person")["login"] = json!("eve");
        })
        .await;
    let wrong = "changes login of person ann, which its card leaves out";
    let run = writes_nothing(&world, "maya", &["ledger", "verify"]);
    let first = format!("BAD entry {seq}: {wrong}\n");
    assert!(said(&run, 1).starts_with(&first), "{run:?}");
    let run = govdeck(&world, "maya", &["ledger", "verify", "--json"]);
    let said = document(&run, 1, "ledger-verify");
    let place = format!("entry {seq}");
    assert_eq!(said["findings"], json!([{"place": place, "wrong": wrong}]));
});

/// The newest artefact's hash, as `artifact list` prints it.
fn newest_artifact(world: &World) -> String {
    let list = document(
        &govdeck(world, "maya", &["artifact", "list", "--json"]),
        0,
        "artifact-list",
    );
    list["artifacts"][0]["sha256"]
        .as_str()
        .expect("text")
        .to_owned()
}

on_both!(artifacts_are_listed_with_size_and_type, |world| {
    let list = document(
        &govdeck(&world, "maya", &["artifact", "list", "--json"]),
        0,
        "artifact-list",
    );
    let list = list["artifacts"].as_array().expect("artefacts").clone();
    assert_eq!(list.len(), 4);
    for listed in &list {
        let kind = listed["media_type"].as_str().expect("text");
        assert!(
            ["card", "recheck"]
                .map(|kind| format!("application/vnd.govdeck.{kind}+json"))
                .contains(&kind.to_owned()),
            "{kind}"
        );
        let sql = format!(
            "SELECT length(bytes) FROM artifact WHERE sha256 = '{}'",
            listed["sha256"].as_str().expect("text")
        );
        assert_eq!(world.owner_sql(&sql), listed["size"].to_string());
    }
    let one = govdeck(&world, "maya", &["artifact", "list", "--last", "1"]);
    let text = said(&one, 0);
    assert!(
        text.lines().count() == 1 && text.contains(list[0]["sha256"].as_str().expect("text")),
        "{text}"
    );
    misused(&govdeck(
        &world,
        "maya",
        &["artifact", "list", "--last", "0"],
    ));
});

on_both!(an_artifact_is_written_once_into_a_read_only_file, |world| {
    let hash = newest_artifact(&world);
    let at = |name: &str| -> PathBuf { world.home.folder().join(name) };
    let prefixed = format!("sha256:{hash}");
    for (words, name) in [
        (vec!["artifact", "get", &hash], hash.as_str()),
        (
            vec!["artifact", "get", &prefixed, "--out", "card.json"],
            "card.json",
        ),
    ] {
        let got = govdeck(&world, "maya", &words);
        assert!(
            said(&got, 0).ends_with(&format!(" bytes written to {name}\n")),
            "{got:?}"
        );
        let mode = fs::metadata(at(name))
            .expect("written")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o400);
        assert_eq!(sha256(&fs::read(at(name)).expect("readable")), hash);
        let (sentence, _) = refused(&govdeck(&world, "maya", &words), 2);
        assert!(sentence.starts_with(name), "{sentence}");
    }
    fs::write(at("mine"), "keep me").expect("the home is ours");
    symlink(at("elsewhere"), at("link")).expect("the home is ours");
    for out in ["mine", "link", ".", "missing/card.json", "mine/card.json"] {
        refused(
            &govdeck(&world, "maya", &["artifact", "get", &hash, "--out", out]),
            2,
        );
    }
    assert_eq!(fs::read(at("mine")).expect("readable"), b"keep me");
    assert!(!at("elsewhere").exists());
});

on_both!(an_artifact_that_is_not_there_writes_no_file, |world| {
    let unknown = "0".repeat(64);
    let (sentence, _) = refused(
        &govdeck(&world, "maya", &["artifact", "get", &unknown, "--out", "x"]),
        3,
    );
    assert!(sentence.contains(&unknown), "{sentence}");
    let known = newest_artifact(&world);
    for malformed in [
        "",
        "x",
        "sha256:",
        &known[1..],
        &known.to_uppercase(),
        &format!("sha256:sha256:{known}"),
        &format!("md5:{known}"),
    ] {
        refused(
            &govdeck(
                &world,
                "maya",
                &["artifact", "get", malformed, "--out", "x"],
            ),
            2,
        );
    }
    assert!(!world.home.folder().join("x").exists());
});

on_both!(an_altered_artifact_is_not_handed_out, |world| {
    let hash = newest_artifact(&world);
    let bytes = if world.is_postgres() {
        "'\\x7b7d'"
    } else {
        "x'7b7d'"
    };
    world.tamper(
        "artifact",
        &format!("UPDATE artifact SET bytes = {bytes} WHERE sha256 = '{hash}'"),
    );
    let (sentence, _) = refused(
        &govdeck(&world, "maya", &["artifact", "get", &hash, "--out", "x"]),
        3,
    );
    assert!(sentence.contains("no longer has the bytes"), "{sentence}");
    assert!(!world.home.folder().join("x").exists());
    let verify = govdeck(&world, "maya", &["ledger", "verify"]);
    assert!(
        said(&verify, 1).contains(&format!("BAD artifact {hash}: ")),
        "{verify:?}"
    );
});

on_both!(a_good_run_passes_the_gate_once, |world| {
    world.register_footer().await;
    let hash = "a".repeat(64);
    for run in ["r-1", "r-2"] {
        world.mint(run, Some(&hash), Some(&hash)).expect("minted");
    }
    let run = govdeck(&world, "maya", &["gate", "publish", "r-1"]);
    assert_eq!(said(&run, 0), "PASS r-1\n");
    let said = document(
        &govdeck(&world, "maya", &["gate", "publish", "r-2", "--json"]),
        0,
        "gate-publish",
    );
    let expected = json!({
        "schema": "govdeck.gate-publish.v1", "run": "r-2", "verdict": "pass", "block_reason": null, "also": [],
        "owner": null, "backup": null, "hold": null,
    });
    assert_eq!(said, expected);
    let again = writes_nothing(&world, "maya", &["gate", "publish", "r-1"]);
    let (sentence, _) = refused(&again, 3);
    assert_eq!(sentence, "pending: the run is gate_passed");
    let statuses = world.owner_sql("SELECT status FROM publish_snapshots ORDER BY publish_run_id");
    assert_eq!(statuses, "gate_passed\ngate_passed");
});

on_both!(a_bad_run_is_blocked_with_every_cause_in_order, |world| {
    let (one, two) = ("a".repeat(64), "b".repeat(64));
    for (run, publish, source, reason, also) in [
        (
            "r-1",
            Some(one.as_str()),
            Some(two.as_str()),
            "tuple_drift",
            json!(["footer_schema_drift"]),
        ),
        (
            "r-2",
            None,
            None,
            "missing_publish_hash",
            json!(["missing_source_hash", "footer_schema_drift"]),
        ),
        (
            "r-3",
            Some(one.as_str()),
            Some(""),
            "missing_source_hash",
            json!(["footer_schema_drift"]),
        ),
        (
            "r-4",
            Some(one.as_str()),
            Some(one.as_str()),
            "footer_schema_drift",
            json!([]),
        ),
    ] {
        world.mint(run, publish, source).expect("minted");
        let said = document(
            &govdeck(&world, "maya", &["gate", "publish", run, "--json"]),
            1,
            "gate-publish",
        );
        let expected = json!({
            "schema": "govdeck.gate-publish.v1", "run": run, "verdict": "fail", "block_reason": reason, "also": also,
            "owner": "maya", "backup": "lee", "hold": null,
        });
        assert_eq!(said, expected);
        refused(
            &writes_nothing(&world, "maya", &["gate", "publish", run]),
            3,
        );
    }
    world.mint("r-5", Some(&one), Some(&two)).expect("minted");
    let text = govdeck(&world, "maya", &["gate", "publish", "r-5"]);
    assert_eq!(
        said(&text, 1),
        "BLOCKED r-5: tuple_drift, also [\"footer_schema_drift\"], owner maya\nnot explained: no leaves of the publish side were filed\n"
    );
    world.assert_sound().await;
});

on_both!(the_gate_cannot_tell_about_an_unknown_run, |world| {
    for run in ["r-none", "", "' OR 1 = 1 --"] {
        let (sentence, _) = refused(
            &writes_nothing(&world, "maya", &["gate", "publish", run]),
            3,
        );
        assert!(sentence.starts_with("there is no run "), "{sentence}");
    }
    for words in [
        &["gate"][..],
        &["gate", "publish"],
        &["gate", "publish", "a", "b"],
        &["gate", "unknown", "r-1"],
    ] {
        misused(&govdeck(&world, "maya", words));
    }
});

//! Signing elsewhere: what was confirmed waits in a file, comes back with a signature, and is never anything else than
//! what was signed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use govdeck::actions::Asked;
use govdeck::clock::Moment;
use serde_json::{Value, json};

use crate::cli_kit::{contents, document, govdeck, mode, refused, said};
use crate::support::command::run;
use crate::support::{REASON, World, on_both};

const GRANT: &[&str] = &["act", "grant-role", "kim", "--role", "signer"];

/// Confirms as maya with `--sign-elsewhere`, and returns the ticket.
fn put_aside(world: &World, words: &[&str]) -> String {
    let look: &[&str] = if words[0] == "act" {
        &["--dry-run", "--json"]
    } else {
        &["--json"]
    };
    let dry = govdeck(world, "maya", &[words, look].concat());
    let phrase: Value = serde_json::from_str(&dry.stdout).expect("a document");
    let phrase = phrase["phrase"]
        .as_str()
        .unwrap_or_else(|| panic!("{dry:?}"));
    let yes = [
        "--confirm",
        phrase,
        "--reason",
        REASON,
        "--sign-elsewhere",
        "--json",
    ];
    let before = contents(world);
    let page = document(&govdeck(world, "maya", &[words, &yes].concat()), 0, "act");
    assert_eq!(contents(world), before, "something was written");
    assert_eq!(page["outcome"], "waits_for_signature");
    page["ticket"].as_str().expect("a ticket").to_owned()
}

fn file_of(world: &World, ticket: &str) -> PathBuf {
    let folder = world.home.folder().join("state/govdeck/waiting");
    folder.join(format!("{ticket}.json"))
}

/// Exports the card of a ticket and signs it with the distribution's own tool.
fn sign(world: &World, ticket: &str, key: &Path) {
    let card = world.home.folder().join("card.json");
    fs::remove_file(&card).ok();
    fs::remove_file(card.with_extension("json.sig")).ok();
    said(
        &govdeck(
            world,
            "maya",
            &["card", "export", ticket, "--to", "card.json"],
        ),
        0,
    );
    let mut keygen = world.home.command(Path::new("ssh-keygen"));
    keygen
        .args(["-Y", "sign", "-n", "govdeck", "-f"])
        .arg(key)
        .arg(card);
    let signed = run(keygen);
    assert_eq!(signed.code, Some(0), "{signed:?}");
}

fn attach(world: &World, ticket: &str) -> crate::support::command::Run {
    govdeck(world, "maya", &["card", "attach", ticket, "card.json.sig"])
}

/// Signs and attaches what must be done.
fn finish(world: &World, ticket: &str, key: &Path) -> String {
    sign(world, ticket, key);
    let run = attach(world, ticket);
    assert!(!file_of(world, ticket).exists(), "{run:?}");
    said(&run, 0).to_owned()
}

on_both!(what_was_signed_elsewhere_is_done, |world| {
    let key = world.with_key("maya", "mayas").await;
    let ticket = put_aside(&world, GRANT);
    let file = file_of(&world, &ticket);
    assert_eq!(
        (mode(&file), mode(file.parent().expect("a folder"))),
        (0o600, 0o700)
    );
    let list = document(
        &govdeck(&world, "maya", &["card", "list", "--json"]),
        0,
        "card-list",
    );
    assert_eq!(list["cards"][0]["ticket"], ticket);
    assert_eq!(list["cards"][0]["deployment"], "gov-test");
    sign(&world, &ticket, &key);
    let again = govdeck(
        &world,
        "maya",
        &["card", "export", &ticket, "--to", "card.json"],
    );
    refused(&again, 2);
    let done = attach(&world, &ticket);
    assert!(
        said(&done, 0).starts_with("done: grant-role, ledger entry "),
        "{done:?}"
    );
    assert!(!file.exists());
    let card = fs::read(world.home.folder().join("card.json")).expect("there");
    let card_sha256 = crate::cli_kit::sha256(&card);
    assert_eq!(
        world.rows(&format!("SELECT attestation FROM governance_ledger WHERE ticket = '{ticket}' AND card_sha256 = '{card_sha256}'")),
        ["signed"]
    );
    refused(&attach(&world, &ticket), 3);
    let list = govdeck(&world, "maya", &["card", "list"]);
    assert_eq!(said(&list, 0), "nothing waits for a signature\n");
    world.assert_sound().await;
});

on_both!(what_two_must_sign_is_signed_elsewhere_by_both, |world| {
    let world = world.where_two_can_agree().await;
    let mayas = world.with_key("maya", "mayas").await;
    let lees = world.with_key("lee", "lees").await;
    let role = Asked::of("lee").with("role", "engineering_lead");
    world
        .act("maya", "grant_role", role)
        .await
        .expect("granted");
    let expires = Moment::on_this_workstation()
        .plus_minutes(3 * 24 * 60)
        .to_string();
    let bypass = |id: &str| {
        Asked::of(id)
            .with("freeze", "fz-31")
            .with("expires", &*expires)
    };
    let waits = |id: &str| {
        world
            .rows(&format!(
                "SELECT ticket FROM approval_request WHERE target_id = '{id}'"
            ))
            .remove(0)
    };

    let words = [
        "act",
        "bypass-freeze",
        "chg-1",
        "--freeze",
        "fz-31",
        "--expires",
        &expires,
    ];
    let ticket = put_aside(&world, &words);
    assert!(finish(&world, &ticket, &mayas).starts_with("proposed: bypass-freeze waits"));
    let asked = Asked::of(waits("chg-1"));
    world
        .act_signed("lee", "approve", asked, &lees)
        .await
        .expect("approved");

    for id in ["chg-2", "chg-3"] {
        world
            .act_signed("lee", "bypass_freeze", bypass(id), &lees)
            .await
            .expect("proposed");
    }
    let (two, three) = (waits("chg-2"), waits("chg-3"));
    assert_eq!(put_aside(&world, &["approval", "approve", &two]), two);
    sign(&world, &two, &mayas);
    refuses_edits(
        &world,
        &two,
        &[
            ("/action", json!("decline")),
            ("/action", json!("bypass_freeze")),
            ("/target", json!(three)),
            ("/ticket", json!(three)),
            ("/actor", json!("kim")),
            ("/actor", json!("lee")),
            ("/fields", json!({"freeze": "fz-31"})),
            ("/seen/id", json!(three)),
            ("/seen/version", json!(7)),
            ("/seen/state_hash", json!("a".repeat(64))),
            ("/deployment_id", json!("f".repeat(32))),
        ],
    );
    finish(&world, &two, &mayas);
    let ticket = put_aside(&world, &["approval", "decline", &three]);
    finish(&world, &ticket, &mayas);
    assert_eq!(
        world.rows("SELECT target_id || ' ' || status FROM approval_request ORDER BY target_id"),
        ["chg-1 approved", "chg-2 approved", "chg-3 declined"]
    );

    // Another end that would do as well: only the card says that it is not the one that was signed.
    let sooner = Moment::on_this_workstation().plus_minutes(200).to_string();
    let edits: &[(&str, Value)] = &[
        ("/proposed/expires", json!("2099-01-01T00:00:00.000000Z")),
        ("/proposed/ticket", json!("a".repeat(32))),
        ("/proposed/card", json!("{}")),
        ("/proposed", Value::Null),
        ("/fields/freeze", json!("fz-99")),
        ("/fields/expires", json!(sooner)),
        ("/target", json!("chg-9")),
        ("/action", json!("approve")),
    ];
    let words = [
        "act",
        "bypass-freeze",
        "chg-4",
        "--freeze",
        "fz-31",
        "--expires",
        &expires,
    ];
    let ticket = put_aside(&world, &words);
    sign(&world, &ticket, &mayas);
    refuses_edits(&world, &ticket, edits);
    assert!(said(&attach(&world, &ticket), 0).starts_with("proposed: "));

    let fingerprint = world.public("mayas").fingerprint();
    let ticket = put_aside(&world, &["key", "revoke", &fingerprint]);
    finish(&world, &ticket, &mayas);
    world.assert_sound().await;
});

/// Asserts that no edited file is carried out, and puts the true one back.
fn refuses_edits(world: &World, ticket: &str, edits: &[(&str, Value)]) {
    let file = file_of(world, ticket);
    let sound = fs::read(&file).expect("there");
    let before = contents(world);
    for (place, value) in edits {
        let mut document: Value = serde_json::from_slice(&sound).expect("JSON");
        *document
            .pointer_mut(place)
            .unwrap_or_else(|| panic!("no {place}")) = value.clone();
        fs::write(&file, document.to_string()).expect("written");
        let run = attach(world, ticket);
        assert!(matches!(run.code, Some(1 | 3)), "{place}: {run:?}");
        assert!(
            [
                "tells of another decision",
                "not what the signed card says",
                "is for the deployment",
                "does not fit",
                "another ticket",
                "is no action",
                "was changed meanwhile",
                "what the decision rests on",
                "belongs to no active person"
            ]
            .iter()
            .any(|why| run.stderr.contains(why)),
            "{place}: {run:?}"
        );
        fs::write(&file, &sound).expect("written");
        fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("ours");
    }
    assert_eq!(contents(world), before, "something was written");
}

on_both!(a_file_that_was_edited_is_never_carried_out, |world| {
    let key = world.with_key("maya", "mayas").await;
    let ticket = put_aside(&world, GRANT);
    sign(&world, &ticket, &key);
    let file = file_of(&world, &ticket);
    let sound = fs::read_to_string(&file).expect("text");
    let card = serde_json::from_str::<Value>(&sound).expect("JSON")["card"].clone();
    let card = card.as_str().expect("text").replace("signer", "on_call");
    refuses_edits(
        &world,
        &ticket,
        &[
            ("/action", json!("revoke_role")),
            ("/action", json!("add_key")),
            ("/action", json!("decide_run")),
            ("/action", json!("approve")),
            ("/target", json!("lee")),
            ("/fields/role", json!("on_call")),
            ("/fields", json!({"role": "signer", "more": "x"})),
            ("/ticket", json!("a".repeat(32))),
            ("/reason", json!("because somebody else wants it so")),
            ("/reason", Value::Null),
            ("/actor", json!("lee")),
            ("/seen/version", json!(7)),
            ("/seen/id", json!("lee/signer")),
            ("/seen/kind", json!("person")),
            ("/seen/state_hash", json!("a".repeat(64))),
            ("/deployment_id", json!("f".repeat(32))),
            ("/card", json!(card)),
            (
                "/proposed",
                json!({"ticket": "a".repeat(32), "card": "{}", "expires": "2099-01-01T00:00:00Z"}),
            ),
        ],
    );
    for (text, why) in [
        (sound.replacen('{', "{\"more\":1,", 1), "damaged"),
        (sound.replacen('{', "{\"reason\":\"x\",", 1), "damaged"),
        (sound.replace("put-aside.v1", "put-aside.v9"), "damaged"),
        ("{".to_owned(), "damaged"),
        (" ".repeat(5 * 1024 * 1024), "larger than"),
    ] {
        fs::write(&file, text).expect("written");
        let run = attach(&world, &ticket);
        assert!(
            run.code != Some(0) && run.stderr.contains(why),
            "{why}: {run:?}"
        );
        said(&govdeck(&world, "maya", &["card", "list"]), 0);
    }
    fs::write(&file, &sound).expect("written");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("ours");
    let (sentence, _) = refused(&attach(&world, &ticket), 1);
    assert!(
        sentence.starts_with("others than its owner may use "),
        "{sentence}"
    );
    fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("ours");

    // In another deployment, where the same people hold the same key, what was signed here is no word.
    let other = World::sqlite().await;
    fs::copy(
        world.home.folder().join("mayas.pub"),
        other.home.folder().join("mayas.pub"),
    )
    .expect("copied");
    let public = other.public("mayas");
    let asked = Asked::of(public.fingerprint()).with("key", public.to_line());
    other.act("maya", "add_key", asked).await.expect("added");
    let there = file_of(&other, &ticket);
    put_aside(&other, GRANT);
    fs::copy(&file, &there).expect("copied");
    fs::copy(
        world.home.folder().join("card.json.sig"),
        other.home.folder().join("card.json.sig"),
    )
    .expect("copied");
    let (sentence, _) = refused(&attach(&other, &ticket), 1);
    assert!(
        sentence.starts_with("this request is for the deployment "),
        "{sentence}"
    );
    let id = |world: &World| world.rows("SELECT deployment_id FROM deployment").remove(0);
    let moved = sound.replacen(
        &format!("\"deployment_id\":\"{}\"", id(&world)),
        &format!("\"deployment_id\":\"{}\"", id(&other)),
        10,
    );
    assert_ne!(moved, sound);
    fs::write(&there, moved).expect("written");
    let (sentence, _) = refused(&attach(&other, &ticket), 1);
    assert!(
        sentence.ends_with("is not what the signed card says"),
        "{sentence}"
    );

    said(&attach(&world, &ticket), 0);
    world.assert_sound().await;
});

on_both!(what_is_over_is_forgotten_and_what_is_not_waits, |world| {
    let key = world.with_key("maya", "mayas").await;
    let unknown = world.make_key("unknown");
    let ticket = put_aside(&world, GRANT);
    sign(&world, &ticket, &unknown);
    let (sentence, _) = refused(&attach(&world, &ticket), 1);
    assert!(sentence.ends_with("is not registered"), "{sentence}");
    assert!(
        file_of(&world, &ticket).exists(),
        "another key may still sign"
    );
    fs::write(world.home.folder().join("card.json.sig"), "x").expect("written");
    refused(&attach(&world, &ticket), 1);
    assert!(file_of(&world, &ticket).exists());

    sign(&world, &ticket, &key);
    let role = Asked::of("kim").with("role", "signer");
    world
        .act("maya", "grant_role", role)
        .await
        .expect("granted");
    let (sentence, _) = refused(&attach(&world, &ticket), 1);
    assert!(sentence.contains("was changed meanwhile"), "{sentence}");
    assert!(!file_of(&world, &ticket).exists(), "it will never be done");

    let words = ["act", "grant-role", "lee", "--role", "signer"];
    let ticket = put_aside(&world, &words);
    said(&govdeck(&world, "maya", &["card", "drop", &ticket]), 0);
    refused(&govdeck(&world, "maya", &["card", "drop", &ticket]), 3);
    for bad in ["../../world", "", "A".repeat(32).as_str(), "a"] {
        refused(&govdeck(&world, "maya", &["card", "drop", bad]), 2);
    }
    let other = world.make_key("other");
    let public = format!("{}.pub", other.display());
    let dry = govdeck(&world, "maya", &["key", "add", &public, "--json"]);
    let dry: Value = serde_json::from_str(&dry.stdout).expect("a document");
    let phrase = dry["phrase"].as_str().expect("a phrase");
    let words = [
        "key",
        "add",
        &public,
        "--confirm",
        phrase,
        "--reason",
        REASON,
        "--sign-elsewhere",
    ];
    // Who has a key signs for a further one with it.
    let put_aside = govdeck(&world, "maya", &words);
    assert!(said(&put_aside, 0).contains("waits for its signature"));
    world.assert_sound().await;
});

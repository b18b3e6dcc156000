//! The key that is set: what `doctor` says of it, and what stands in the way of a signature.

use std::fs;
use std::path::Path;
use std::process::Command;

use govdeck::actions::Asked;
use serde_json::Value;

use crate::cli_kit::{contents, document, refused};
use crate::support::command::{Run, run};
use crate::support::{REASON, World, on_both};

/// The program as maya, with a file of her home as the signing key.
fn with_key(world: &World, file: &str, words: &[&str]) -> Command {
    let mut command = world.govdeck("maya", words);
    command.env("GOVDECK_SIGNING_KEY", world.home.folder().join(file));
    command
}

/// What doctor says about the key: health, what it found, and the fix; a failure ends with 1, all else with 0.
fn key_row(world: &World, file: &str) -> (String, String, String) {
    let before = contents(world);
    let report = run(with_key(world, file, &["doctor", "--json"]));
    assert_eq!(contents(world), before, "doctor wrote something");
    let failed = report.stdout.contains("\"health\":\"FAIL\"");
    let report = document(&report, i32::from(failed), "doctor");
    let findings = report["findings"].as_array().expect("findings");
    let found = findings.iter().find(|finding| finding["about"] == "key");
    let found = found.expect("a row about the key");
    let text = |part: &str| found[part].as_str().expect("text").to_owned();
    if text("health") == "FAIL" {
        assert_eq!(report["health"], Value::from("FAIL"));
    }
    (text("health"), text("found"), text("fix"))
}

fn row(health: &str, found: String, fix: &str) -> (String, String, String) {
    (health.to_owned(), found, fix.to_owned())
}

/// Makes a pair of keys as `ssh-keygen` is told to.
fn keygen(world: &World, name: &str, words: &[&str]) {
    let mut command = world.home.command(Path::new("ssh-keygen"));
    command.args(["-q", "-C", name, "-f", name]).args(words);
    assert_eq!(run(command).code, Some(0));
}

const UNSUPPORTED: &str = "is an rsa key; only ed25519 and sk-ed25519 sign";

on_both!(doctor_knows_an_own_key_from_any_other, |world| {
    world.with_key("maya", "mayas").await;
    let mayas = world.public("mayas").fingerprint();
    for file in ["mayas", "mayas.pub"] {
        assert_eq!(key_row(&world, file), row("OK", mayas.clone(), ""));
    }
    world.with_key("kim", "kims").await;
    let kims = world.public("kims").fingerprint();
    assert_eq!(
        key_row(&world, "kims"),
        row(
            "FAIL",
            format!("{kims} belongs to kim"),
            "name a key of your own in `signing_key`"
        )
    );
    world.make_key("nobodys");
    let nobodys = world.public("nobodys").fingerprint();
    assert_eq!(
        key_row(&world, "nobodys"),
        row(
            "WARN",
            format!("{nobodys} is not registered"),
            "govdeck key add FILE"
        )
    );
    let revoked = world.act("maya", "revoke_key", Asked::of(&*mayas)).await;
    revoked.expect("revoked");
    assert_eq!(
        key_row(&world, "mayas.pub"),
        row(
            "FAIL",
            format!("{mayas} was revoked"),
            "name another in `signing_key`: `govdeck key list` shows yours"
        )
    );
    world.assert_sound().await;
});

on_both!(doctor_says_why_a_key_cannot_be_read, |world| {
    let home = world.home.folder();
    fs::write(home.join("letter"), "dear diary").expect("the home is ours");
    fs::write(
        home.join("cut"),
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n",
    )
    .expect("ours");
    fs::create_dir(home.join("folder")).expect("the home is ours");
    crate::cli_kit::fifo(&home.join("pipe"));
    keygen(&world, "rsa", &["-t", "rsa", "-b", "2048", "-N", ""]);
    for (file, says) in [
        ("none", "none does not exist"),
        ("letter", "this is not one OpenSSH public key"),
        ("cut", "cut"),
        ("folder", "folder is a folder"),
        ("pipe", "pipe is a pipe or a device"),
        ("rsa", UNSUPPORTED),
        ("rsa.pub", UNSUPPORTED),
    ] {
        let (health, found, fix) = key_row(&world, file);
        assert_eq!(health, "FAIL", "{file}: {found}");
        assert!(
            found.contains(says) && !fix.is_empty(),
            "{file}: {found}; {fix}"
        );
    }
});

/// Tries to sign a registration without a terminal, and asserts that nothing was written.
fn tries(world: &World, file: &str) -> Run {
    let before = contents(world);
    let words = [
        "act",
        "register-footer",
        "v2.4.0",
        "--confirm",
        "v2.4.0",
        "--reason",
        REASON,
    ];
    let tried = run(with_key(world, file, &words));
    assert_eq!(contents(world), before, "{file}: {tried:?}");
    tried
}

on_both!(
    what_stands_in_the_way_of_a_signature_is_one_sentence,
    |world| {
        let home = world.home.folder().to_owned();
        let shown = |name: &str| home.join(name).display().to_string();
        world.with_key("maya", "mayas").await;
        let (sentence, hint) = refused(&tries(&world, "mayas.pub"), 1);
        assert_eq!(sentence, "there is no ssh-agent: SSH_AUTH_SOCK is not set");
        let add = format!("ssh-add {}", shown("mayas"));
        assert!(hint.contains(&add), "{hint}");

        let fingerprint = world.public("mayas").fingerprint();
        let mut gone = with_key(
            &world,
            "mayas.pub",
            &[
                "key",
                "revoke",
                &fingerprint,
                "--confirm",
                &fingerprint,
                "--reason",
                REASON,
            ],
        );
        gone.env("SSH_AUTH_SOCK", home.join("gone.sock"));
        let (sentence, _) = refused(&run(gone), 1);
        let cannot = format!(
            "the ssh-agent at {} cannot be reached: ",
            shown("gone.sock")
        );
        assert!(sentence.starts_with(&cannot), "{sentence}");

        keygen(
            &world,
            "locked",
            &["-t", "ed25519", "-a", "1", "-N", "open sesame"],
        );
        let (sentence, hint) = refused(&tries(&world, "locked"), 1);
        assert_eq!(
            sentence,
            format!("the key file {} needs its passphrase", shown("locked"))
        );
        assert!(
            hint.contains(&format!("ssh-add {}", shown("locked"))),
            "{hint}"
        );

        keygen(&world, "rsa", &["-t", "rsa", "-b", "2048", "-N", ""]);
        for file in ["rsa", "rsa.pub"] {
            let (sentence, hint) = refused(&tries(&world, file), 1);
            assert!(sentence.contains(UNSUPPORTED), "{file}: {sentence}");
            assert!(hint.contains("ssh-keygen -t ed25519"), "{file}: {hint}");
        }
        let add = with_key(&world, "mayas", &["key", "add", &shown("rsa.pub")]);
        let (sentence, _) = refused(&run(add), 1);
        assert!(sentence.contains(UNSUPPORTED), "{sentence}");
        world.assert_sound().await;
    }
);

on_both!(a_login_that_is_nobodys_is_told_so, |world| {
    let login = world.login_of("maya");
    let away = "UPDATE person SET login = NULL WHERE person_id = 'maya'";
    world.tamper("person", away);
    let says = format!("the login {login:?} belongs to no active person");
    let words = [
        "act",
        "register-footer",
        "v2.4.0",
        "--confirm",
        "v2.4.0",
        "--reason",
        REASON,
    ];
    let before = contents(&world);
    // A gate that decides nothing cannot tell.
    for (words, code) in [
        (&words[..], 1),
        (&["act", "register-footer", "v2.4.0", "--dry-run"], 1),
        (&["key", "revoke", "x"], 1),
        (&["gate", "publish", "r-1"], 3),
    ] {
        let (sentence, hint) = refused(&run(world.govdeck("maya", words)), code);
        assert_eq!(
            sentence,
            format!("{says}, so it may only look"),
            "{words:?}"
        );
        assert!(hint.contains("add-person"), "{hint}");
    }
    assert_eq!(contents(&world), before);
    let doctor = run(world.govdeck("maya", &["doctor"]));
    assert!(doctor.stdout.contains(&says), "{doctor:?}");
});

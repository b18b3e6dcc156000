//! A key with a passphrase, at a terminal: it is asked for, never shown, and the echo comes back whatever is typed.

use std::path::Path;

use govdeck::actions::Asked;
use nix::sys::signal::Signal;

use crate::support::command::run;
use crate::support::terminal::Terminal;
use crate::support::{REASON, World};

const PASSPHRASE: &str = "open sesame";

/// A world whose founder has a registered key that a passphrase locks.
async fn with_a_locked_key() -> World {
    let world = World::sqlite().await;
    let mut keygen = world.home.command(Path::new("ssh-keygen"));
    keygen.args([
        "-q", "-t", "ed25519", "-a", "1", "-N", PASSPHRASE, "-C", "locked", "-f", "locked",
    ]);
    assert_eq!(run(keygen).code, Some(0));
    let key = world.public("locked");
    let asked = Asked::of(key.fingerprint()).with("key", key.to_line());
    world
        .act("maya", "add_key", asked)
        .await
        .expect("registered");
    world
}

/// The program about to sign a registration, at a terminal.
fn asking(world: &World, semver: &str) -> Terminal {
    let words = [
        "act",
        "register-footer",
        semver,
        "--confirm",
        semver,
        "--reason",
        REASON,
    ];
    let mut command = world.govdeck("maya", &words);
    command.env("GOVDECK_SIGNING_KEY", world.home.folder().join("locked"));
    let terminal = Terminal::start(&command, (100, 24));
    terminal.wait_for("Passphrase of the signing key:");
    terminal
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_asked_for_and_never_shown() {
    let world = with_a_locked_key().await;
    let mut wrong = asking(&world, "v2.4.0");
    wrong.send_raw(b"open sesam\r");
    wrong.wait_for("this is not the passphrase of");
    assert!(wrong.is_cooked(), "the echo is back");
    assert_eq!(wrong.exit_code(), 1);
    let mut right = asking(&world, "v2.4.0");
    right.send_raw(b"open sesame\r");
    right.wait_for("done: register-footer");
    assert_eq!(right.exit_code(), 0);
    for terminal in [&wrong, &right] {
        assert!(!terminal.wrote(b"sesam"), "{}", terminal.screen());
    }
    assert_eq!(
        world.rows("SELECT attestation FROM governance_ledger WHERE action = 'register_footer'"),
        ["signed"]
    );
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_interrupted_while_asked_has_written_nothing() {
    let world = with_a_locked_key().await;
    let mut terminal = asking(&world, "v2.4.0");
    terminal.signal(Signal::SIGTERM);
    terminal.ended_within(std::time::Duration::from_secs(5));
    assert_eq!(
        world.rows("SELECT COUNT(*) FROM governance_ledger WHERE action = 'register_footer'"),
        ["0"]
    );
}

//! Letters by a real relay: in the clear on this machine, secured elsewhere, refused, delayed, and never answered.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Instant;

use crate::agent::{once, told};
use crate::support::World;
use crate::support::mail::Relay;

/// The agent's file that sends everything by a relay.
fn mailed(world: &World, port: u16, more: &str) -> PathBuf {
    let text = format!(
        "[channel.mail]\nkind = \"mail\"\nhost = \"localhost\"\nport = {port}\nfrom = \"govdeck <govdeck@example.com>\"\n\
         domain = \"example.com\"\n{more}\n[[route]]\nevents = [\"*\"]\nchannels = [\"mail\"]\n"
    );
    told(world, &text)
}

const CLEAR: &str = "safety = \"none\"";

async fn with_a_block() -> World {
    let world = World::sqlite().await;
    world.register_footer().await;
    world.block("pub-1").await;
    world
}

fn way(world: &World) -> String {
    world.owner_sql("SELECT state || ' ' || attempts || ' ' || COALESCE(last_error, '') FROM notification_delivery")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_arrives_with_everything_that_its_reader_needs() {
    let world = with_a_block().await;
    let relay = Relay::start("take");
    let file = mailed(&world, relay.port, CLEAR);
    assert_eq!(once(&world, Some(&file))["delivered"], 1);
    let [letter] = &relay.letters()[..] else {
        panic!("{:?}", relay.letters());
    };
    assert_eq!(
        (&letter["from"], &letter["to"][0]),
        (&"govdeck@example.com".into(), &"maya@example.com".into())
    );
    let text = letter["letter"].as_str().expect("a text");
    for part in [
        "Subject: [prod gov-test] publish block pub-1: tuple_drift\r\n",
        "Message-ID: <",
        "Auto-Submitted: auto-generated\r\n",
        "X-Govdeck-Idempotency-Key: block_opened/pub-1/maya/",
        "Take it with: govdeck act take-block pub-1",
    ] {
        let unfolded = text.replace("\r\n ", " ");
        assert!(unfolded.contains(part), "{part}: {text}");
    }
    assert_eq!(once(&world, Some(&file))["delivered"], 0);
    assert_eq!(relay.letters().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_elsewhere_is_spoken_to_in_secret_and_with_a_password() {
    for how in ["tls", "starttls"] {
        let world = with_a_block().await;
        let relay = Relay::secured(how);
        let password = world.home.folder().join("password");
        fs::write(&password, "canary-hunter2\n").expect("ours");
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).expect("ours");
        let secured = |ca: &str| {
            format!(
                "safety = \"{how}\"\nuser = \"govdeck\"\npassword_file = \"{}\"\n{ca}",
                password.display()
            )
        };
        // Whom nobody vouches for gets neither the password nor the letter.
        let file = mailed(&world, relay.port, &secured(""));
        assert_eq!(once(&world, Some(&file))["failed"], 1, "{how}");
        assert_eq!(relay.letters().len(), 0);
        assert!(way(&world).starts_with("waiting 1 "), "{}", way(&world));
        world.owner_sql("UPDATE notification_delivery SET next_try_utc = routed_at_utc");
        let file = mailed(
            &world,
            relay.port,
            &secured(&format!("ca_file = \"{}\"", relay.ca_file().display())),
        );
        assert_eq!(
            once(&world, Some(&file))["delivered"],
            1,
            "{how}: {}",
            way(&world)
        );
        let letters = relay.letters();
        assert_eq!(
            (&letters[0]["tls"], &letters[0]["user"]),
            (&true.into(), &"govdeck".into())
        );
        let stored = crate::cli_kit::contents(&world);
        assert!(!stored.contains("canary-hunter2"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greylisted_letter_comes_later_and_a_refused_one_is_dead_at_once() {
    let world = with_a_block().await;
    let relay = Relay::start("greylist");
    let file = mailed(&world, relay.port, CLEAR);
    assert_eq!(once(&world, Some(&file))["failed"], 1);
    assert!(
        way(&world).starts_with("waiting 1 ") && way(&world).contains("greylisted"),
        "{}",
        way(&world)
    );
    world.owner_sql("UPDATE notification_delivery SET next_try_utc = routed_at_utc");
    assert_eq!(once(&world, Some(&file))["delivered"], 1);
    assert_eq!(relay.letters().len(), 1);

    let world = with_a_block().await;
    let relay = Relay::start("refuse");
    let file = mailed(&world, relay.port, CLEAR);
    assert_eq!(once(&world, Some(&file))["failed"], 1);
    let found = way(&world);
    // What the relay said is shown, and moves no cursor.
    assert!(
        found.starts_with("dead 1 ") && found.contains("no such mailbox"),
        "{found}"
    );
    assert!(!found.contains('\u{1b}'), "{found}");

    let world = with_a_block().await;
    let relay = Relay::start("busy");
    let file = mailed(&world, relay.port, CLEAR);
    assert_eq!(once(&world, Some(&file))["failed"], 1);
    assert!(way(&world).starts_with("waiting 1 "), "{}", way(&world));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_never_answers_takes_no_longer_than_it_may() {
    let world = with_a_block().await;
    let relay = Relay::start("slow");
    let file = mailed(&world, relay.port, &format!("{CLEAR}\ntimeout_seconds = 1"));
    let began = Instant::now();
    assert_eq!(once(&world, Some(&file))["failed"], 1);
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
    assert!(way(&world).starts_with("waiting 1 "), "{}", way(&world));
    // One that is not there is no different.
    drop(relay);
    world.owner_sql("UPDATE notification_delivery SET next_try_utc = routed_at_utc");
    assert_eq!(once(&world, Some(&file))["failed"], 1);
    assert!(way(&world).starts_with("waiting 2 "), "{}", way(&world));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_address_gets_no_letter_and_that_is_seen() {
    let world = with_a_block().await;
    let relay = Relay::start("take");
    let file = mailed(&world, relay.port, CLEAR);
    let text = fs::read_to_string(&file).expect("ours");
    fs::write(
        &file,
        text.replace(
            "domain = \"example.com\"",
            "to = { lee = \"lee@example.com\" }",
        ),
    )
    .expect("ours");
    assert_eq!(once(&world, Some(&file))["failed"], 1);
    assert!(
        way(&world).starts_with("dead 1 maya has no address"),
        "{}",
        way(&world)
    );
    assert_eq!(relay.letters().len(), 0);
}

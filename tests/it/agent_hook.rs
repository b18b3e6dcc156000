//! Messages to a server on the web: signed, never into a private network by accident, and no redirect is followed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use serde_json::Value;

use crate::agent::{once, told};
use crate::cli_kit::{contents, fed, said};
use crate::support::World;
use crate::support::command::run;
use crate::support::hook::Hook;

const KEY: &str = "canary-hunter2";

/// The agent's file that sends everything to a server.
fn hooked(world: &World, url: &str, more: &str) -> PathBuf {
    let key = world.home.folder().join("hook.key");
    fs::write(&key, format!("{KEY}\n")).expect("ours");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("ours");
    let text = format!(
        "[channel.hook]\nkind = \"webhook\"\nurl = \"{url}\"\nsecret_file = \"{}\"\n{more}\n\
         [[route]]\nevents = [\"*\"]\nchannels = [\"hook\"]\n",
        key.display()
    );
    told(world, &text)
}

async fn with_a_block() -> World {
    let world = World::sqlite().await;
    world.register_footer().await;
    world.block("pub-1").await;
    world
}

fn way(world: &World) -> String {
    world.owner_sql("SELECT state || ' ' || attempts || ' ' || COALESCE(last_error, '') FROM notification_delivery")
}

const PRIVATE: &str = "private = true";

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_signed_so_that_anybody_with_the_key_can_check_it() {
    let world = with_a_block().await;
    let hook = Hook::start(204).await;
    let file = hooked(
        &world,
        &format!("http://127.0.0.1:{}/govdeck?team=ops", hook.port),
        PRIVATE,
    );
    assert_eq!(once(&world, Some(&file))["delivered"], 1, "{}", way(&world));
    let [got] = &hook.got()[..] else {
        panic!("{:?}", hook.got());
    };
    assert_eq!(
        (got.method.as_str(), got.path.as_str()),
        ("POST", "/govdeck?team=ops")
    );
    assert_eq!(got.header("content-type"), "application/json");
    assert_eq!(got.header("host"), format!("127.0.0.1:{}", hook.port));
    assert!(
        got.header("idempotency-key")
            .starts_with("block_opened/pub-1/maya/")
    );
    let document: Value = serde_json::from_slice(&got.body).expect("JSON");
    assert_eq!(document["recipient"], "maya");
    // OpenSSL knows nothing of us.
    let signed = [got.header("x-govdeck-time").as_bytes(), b".", &got.body].concat();
    let mut openssl = world.home.command("openssl".as_ref());
    openssl
        .args(["dgst", "-sha256", "-hmac", KEY, "-r"])
        .stderr(Stdio::null());
    let digest = run(fed(&world.home, openssl, &signed));
    let digest = said(&digest, 0)
        .split(' ')
        .next()
        .expect("a digest")
        .to_owned();
    assert_eq!(
        got.header("x-govdeck-signature"),
        format!("sha256={digest}")
    );
    assert!(!contents(&world).contains(KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secured_server_must_be_who_it_says() {
    let world = with_a_block().await;
    let hook = Hook::secured(200, world.home.folder()).await;
    let url = format!("https://localhost:{}/", hook.port);
    let file = hooked(&world, &url, PRIVATE);
    assert_eq!(once(&world, Some(&file))["failed"], 1);
    assert!(
        way(&world).contains("no secure connection"),
        "{}",
        way(&world)
    );
    world.owner_sql("UPDATE notification_delivery SET next_try_utc = routed_at_utc");
    let ca = format!(
        "{PRIVATE}\nca_file = \"{}\"",
        world.home.folder().join("cert.pem").display()
    );
    let file = hooked(&world, &url, &ca);
    assert_eq!(once(&world, Some(&file))["delivered"], 1, "{}", way(&world));
    assert_eq!(hook.got().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_address_is_refused_unless_it_is_meant() {
    let world = with_a_block().await;
    let hook = Hook::secured(200, world.home.folder()).await;
    for host in ["localhost", "127.0.0.1"] {
        let file = hooked(&world, &format!("https://{host}:{}/", hook.port), "");
        assert_eq!(once(&world, Some(&file))["failed"], 1);
        assert!(
            way(&world).contains("which is no public address"),
            "{}",
            way(&world)
        );
        world.owner_sql("UPDATE notification_delivery SET next_try_utc = routed_at_utc");
    }
    assert_eq!(hook.got().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_means_what_it_says_and_no_redirect_is_followed() {
    for (code, state) in [
        (200, "delivered"),
        (302, "waiting"),
        (400, "dead"),
        (401, "waiting"),
        (410, "dead"),
        (422, "dead"),
        (429, "waiting"),
        (503, "waiting"),
    ] {
        let world = with_a_block().await;
        let hook = Hook::start(code).await;
        let file = hooked(&world, &format!("http://127.0.0.1:{}/", hook.port), PRIVATE);
        once(&world, Some(&file));
        assert!(
            way(&world).starts_with(&format!("{state} 1")),
            "{code}: {}",
            way(&world)
        );
        assert_eq!(hook.got().len(), 1, "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_takes_no_longer_than_it_may() {
    let world = with_a_block().await;
    let hook = Hook::start(0).await;
    let more = format!("{PRIVATE}\ntimeout_seconds = 1");
    let file = hooked(&world, &format!("http://127.0.0.1:{}/", hook.port), &more);
    let began = Instant::now();
    assert_eq!(once(&world, Some(&file))["failed"], 1);
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
    assert!(
        way(&world).starts_with("waiting 1 no answer within 1 seconds"),
        "{}",
        way(&world)
    );
}

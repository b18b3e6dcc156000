//! `viewer_dsn`: the console looks under a login that may do nothing else, and writes under its own.

use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::cli_kit::{configured, document, said};
use crate::console_kit::{SIZE, arm, console, opened};
use crate::support::cluster::{SUPERUSER, cluster};
use crate::support::command::run;
use crate::support::terminal::Terminal;
use crate::support::{REASON, World};

/// The login that may only look.
const EYES: &str = "eyes";

/// A world in which the groups have their rights, and a login that is a viewer.
async fn world() -> World {
    static IS_VIEWER: OnceLock<()> = OnceLock::new();
    let world = World::postgres().await;
    said(&run(world.govdeck(SUPERUSER, &["init", "--grants"])), 0);
    IS_VIEWER.get_or_init(|| {
        cluster().create_login(EYES);
        let grant = format!("GRANT govdeck_viewer TO {EYES}");
        let granted = cluster().psql(SUPERUSER, world.database(), &grant);
        granted.expect("the group is there");
    });
    world
}

/// The logins under which the program is connected to a world; the tests' own are called otherwise.
fn connected(world: &World) -> String {
    let sql = format!(
        "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'govdeck' AND datname = '{}' ORDER BY 1",
        world.database()
    );
    let found = cluster().psql(SUPERUSER, world.database(), &sql);
    found.expect("the server tells").replace('\n', " ")
}

/// Waits until exactly these logins are connected.
fn wait_connected(world: &World, logins: &str) {
    let begun = std::time::Instant::now();
    while connected(world) != logins {
        let waited = begun.elapsed().as_secs();
        assert!(waited < 30, "{} and not {logins}", connected(world));
        std::thread::yield_now();
    }
}

/// What doctor says of the viewer, with its address in the config file.
fn viewer_row(world: &World, address: &str, code: i32) -> Value {
    configured(&world.home, &format!("viewer_dsn = \"{address}\"\n"));
    let report = document(
        &run(world.govdeck("maya", &["doctor", "--json"])),
        code,
        "doctor",
    );
    let mut rows = report["findings"].as_array().expect("findings").iter();
    rows.find(|row| row["about"] == "viewer")
        .expect("a row")
        .clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_looks_as_the_viewer_and_writes_as_itself() {
    let world = world().await;
    let mut command = console(&world, "maya");
    command.env("GOVDECK_VIEWER_DSN", world.dsn_text(EYES));
    let terminal = opened(&command);
    // Who it is, the own login says; what is seen, the viewer's.
    terminal.wait_for("maya (governance lead");
    terminal.wait_for(" live notify ");
    wait_connected(&world, EYES);
    terminal.type_keys("4 w");
    terminal.wait_for("register-footer (guard 2)");
    terminal.type_keys("esc");
    arm(&terminal);
    wait_connected(&world, &format!("{EYES} maya"));
    let newest = "SELECT action, actor_id, login FROM governance_ledger ORDER BY seq DESC LIMIT 1";
    assert_eq!(world.owner_sql(newest), "arm_console|maya|maya");
    terminal.type_keys("D");
    terminal.wait_for(" READ-ONLY ");
    wait_connected(&world, EYES);
    world.assert_sound().await;
}

/// A copy of a world's database that has gone on by itself since.
fn gone_on(world: &World) -> String {
    let copy = format!("{}_copy", world.database());
    cluster().create_database(&copy, Some(world.database()), "maya");
    let words = [
        "act",
        "register-footer",
        "v9.9.9",
        "--confirm",
        "v9.9.9",
        "--reason",
        REASON,
    ];
    let mut act = world.govdeck("maya", &words);
    act.env("GOVDECK_DSN", cluster().url("maya", &copy));
    said(&run(act), 0);
    copy
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_that_sees_something_else_shows_nothing() {
    let (world, other) = (world().await, world().await);
    let copy = cluster().url(EYES, &gone_on(&world));
    for address in [other.dsn_text(EYES), copy] {
        let mut command = console(&world, "maya");
        command.env("GOVDECK_VIEWER_DSN", &address);
        let terminal = Terminal::start(&command, SIZE);
        terminal.wait_for("cannot read: ");
        terminal.wait_for("leads to another deployment");
        terminal.type_keys("a a");
        terminal.wait_for("the picture is not fresh");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_fails_a_viewer_that_may_write() {
    let (world, other) = (world().await, world().await);
    let row = viewer_row(&world, &world.dsn_text(EYES), 0);
    assert_eq!((&row["health"], &row["fix"]), (&json!("OK"), &json!("")));
    for (address, found) in [
        // A world lets kim and lee write by rights of their own.
        (world.dsn_text("kim"), " may write: "),
        (world.dsn_text(SUPERUSER), "govdeck_owner"),
        (other.dsn_text(EYES), "leads to another deployment"),
        (
            format!("postgres://{EYES}:canary-7@127.0.0.1:1/none"),
            "cannot be reached",
        ),
    ] {
        let row = viewer_row(&world, &address, 1);
        let text = row["found"].as_str().expect("text");
        assert_eq!(row["health"], "FAIL", "{row}");
        assert!(text.contains(found), "{text}");
        assert!(!row.to_string().contains("canary-7"), "{row}");
        assert_ne!(row["fix"], "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_viewer_sees_the_past() {
    let world = world().await;
    let mut command = console(&world, "maya");
    command.env("GOVDECK_VIEWER_DSN", world.dsn_text(EYES));
    world.register_footer().await;
    world.block("pub-1").await;
    let newest = "SELECT to_char(at_utc AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') \
         FROM governance_ledger ORDER BY seq DESC LIMIT 1";
    let blocked = world.owner_sql(newest);
    let taken = world
        .act("lee", "take_block", govdeck::actions::Asked::of("pub-1"))
        .await;
    taken.expect("taken");
    let terminal = opened(&command);
    terminal.type_keys("4");
    terminal.wait_for("TAKEN");
    terminal.type_keys("@");
    terminal.type_text(":as-of ", &blocked);
    terminal.type_keys("enter");
    terminal.wait_for("AS OF ");
    terminal.wait_for("nobody has taken it");
    terminal.wait_gone("TAKEN");
    for pane in ["2", "5", "8"] {
        terminal.type_keys(pane);
        terminal.wait_gone("loading");
        terminal.wait_for(", history");
    }
    terminal.type_keys("esc");
    terminal.wait_gone("AS OF ");
}

//! A database that dies, falls silent, or loses an answer: the console says so, keeps its keys, and writes nothing twice.

use std::time::{Duration, Instant};

use crate::console_kit::{LIVE, arm, begin, console, entries, look, opened, taken_by, to_blocks};
use crate::support::World;
use crate::support::cluster::{Cluster, SUPERUSER, cluster};
use crate::support::command::{Home, run};
use crate::support::proxy::Proxy;
use crate::support::terminal::Terminal;

/// Opens the console on a world's database behind a proxy.
fn behind(world: &World) -> (Proxy, Terminal) {
    let proxy = Proxy::start(&cluster().socket());
    let mut command = console(world, "maya");
    command.env("GOVDECK_DSN", proxy.url("maya", world.database()));
    let terminal = opened(&command);
    (proxy, terminal)
}

/// Asserts that keys change the screen at once, whatever the database does.
fn keys_are_alive(terminal: &Terminal) {
    let mut quickest = Duration::MAX;
    for (key, title) in [
        ("?", "Keys"),
        ("esc", ""),
        ("4", "[4 Blocks"),
        ("1", "[1 Home"),
    ]
    .repeat(3)
    {
        let begun = Instant::now();
        let bytes: &[u8] = if key == "esc" {
            b"\x1b"
        } else {
            key.as_bytes()
        };
        terminal.send_raw(bytes);
        if title.is_empty() {
            terminal.wait_gone("Keys");
        } else {
            terminal.wait_for(title);
        }
        let took = begun.elapsed();
        // A key that waits for the database waits for many seconds; one that waits for a busy processor does not.
        assert!(took < Duration::from_secs(4), "{key} took {took:?}");
        quickest = quickest.min(took);
    }
    assert!(quickest < Duration::from_millis(100), "{quickest:?}");
}

/// Asserts that nothing is decided on an old picture.
fn guarded_keys_are_refused(terminal: &Terminal) {
    terminal.type_keys("a");
    terminal.wait_for("What you can do here");
    terminal.type_keys("a");
    terminal.wait_for("the picture is not fresh");
    terminal.type_keys("esc");
    terminal.wait_gone("What you can do here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_is_lost_and_comes_back() {
    let mut server = Cluster::start_private();
    server.create_login("maya");
    server.create_database("stopped", None, "maya");
    let home = Home::new();
    let dsn = server.url("maya", "stopped");
    let mut init = home.govdeck(["init", "--founder", "maya"]);
    init.env("GOVDECK_DSN", &dsn);
    let made = run(init);
    assert_eq!(made.code, Some(0), "{made:?}");
    let mut command = home.govdeck([""; 0]);
    command
        .env("GOVDECK_DSN", &dsn)
        .env("TERM", "xterm-256color")
        .env("LANG", "C.UTF-8");
    let terminal = opened(&command);
    arm(&terminal);
    let count = "SELECT COUNT(*) FROM governance_ledger";
    let before = server.psql(SUPERUSER, "stopped", count);
    server.stop_immediate();
    terminal.wait_for(" LOST ");
    terminal.wait_for(" READ-ONLY ");
    terminal.type_keys("!");
    terminal.wait_for("disarmed: the connection was lost");
    terminal.type_keys("esc");
    keys_are_alive(&terminal);
    guarded_keys_are_refused(&terminal);
    server.start();
    terminal.wait_for(LIVE);
    terminal.wait_for("the database is back");
    terminal.wait_for(" READ-ONLY ");
    assert_eq!(server.psql(SUPERUSER, "stopped", count), before);
    // And it writes again.
    arm(&terminal);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_is_late_and_then_lost() {
    let world = World::postgres().await;
    world.block("r-1").await;
    let (proxy, terminal) = behind(&world);
    to_blocks(&terminal, "r-1");
    let before = entries(&world);
    proxy.black_hole();
    terminal.wait_for(" LATE ");
    keys_are_alive(&terminal);
    guarded_keys_are_refused(&terminal);
    terminal.wait_for(" LOST ");
    keys_are_alive(&terminal);
    proxy.pass();
    terminal.wait_for(LIVE);
    assert_eq!(entries(&world), before);
    to_blocks(&terminal, "r-1");
    begin(&terminal, 't', "TAKE-BLOCK");
    terminal.type_keys("y");
    terminal.wait_for("DONE: ledger entry");
    assert_eq!(taken_by(&world, "r-1"), "maya");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_does_not_keep_it_from_ending() {
    let world = World::postgres().await;
    let (proxy, mut terminal) = behind(&world);
    proxy.black_hole();
    terminal.wait_for(" LATE ");
    let begun = Instant::now();
    terminal.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(terminal.exit_code(), 143);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_looked_up_and_nothing_is_done_twice() {
    let world = World::postgres().await;
    world.block("r-1").await;
    world.block("r-2").await;
    let (proxy, terminal) = behind(&world);
    for (run, answer_is_lost) in [("r-1", true), ("r-2", false)] {
        terminal.type_keys("4 g g");
        terminal.wait_for(&format!("> {run}"));
        to_blocks(&terminal, run);
        begin(&terminal, 't', &format!("TAKE-BLOCK \u{b7} {run}"));
        let before = entries(&world);
        if answer_is_lost {
            proxy.lose_commit_answer();
        } else {
            proxy.lose_commit_request();
        }
        terminal.type_keys("y");
        let (ends, said) = if answer_is_lost {
            (
                "DONE: ledger entry",
                "the lost answer was yes: ledger entry",
            )
        } else {
            (
                "FAILED, nothing was written",
                "the lost answer was no: nothing was written",
            )
        };
        terminal.wait_for(ends);
        let written = u64::from(answer_is_lost);
        assert_eq!(entries(&world), before + written);
        assert_eq!(
            taken_by(&world, run),
            if answer_is_lost { "maya" } else { "-" }
        );
        terminal.type_keys("esc");
        terminal.wait_gone("TAKE-BLOCK");
        terminal.type_keys("!");
        terminal.wait_for("the outcome is unknown");
        terminal.wait_for(said);
        terminal.type_keys("esc");
        terminal.wait_gone("Messages");
        assert_eq!(entries(&world), before + written);
        look();
    }
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_while_something_is_under_way_names_its_ticket() {
    let world = World::postgres().await;
    world.block("r-1").await;
    let (proxy, mut terminal) = behind(&world);
    to_blocks(&terminal, "r-1");
    begin(&terminal, 't', "TAKE-BLOCK");
    proxy.black_hole();
    terminal.type_keys("y");
    let waiting = terminal.wait_for("ticket ");
    let (_, ticket) = waiting.split_once("ticket ").expect("a ticket");
    let ticket = ticket.get(..32).expect("a ticket").to_owned();
    terminal.type_keys("esc ctrl-c");
    terminal.wait_for("1 sent without an outcome");
    terminal.type_keys("y");
    terminal.wait_for("leaving: waiting a moment for the outcome of 1 sent");
    assert_eq!(terminal.exit_code(), 3);
    let told = format!("govdeck ledger show --ticket {ticket}");
    assert!(terminal.wrote(told.as_bytes()), "{}", terminal.screen());
}

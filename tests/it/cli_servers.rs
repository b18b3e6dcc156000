//! Servers that hold nothing, do not answer, or do not let one in: one sentence, one hint, never a pass.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::cli_kit::{LOOKS, WRITES, all_verbs, at, govdeck, refused, said, writes_nothing};
use crate::support::cluster::{SUPERUSER, cluster};
use crate::support::command::{self, Home};
use crate::support::proxy::Proxy;
use crate::support::{REASON, World};

#[test]
fn an_empty_server_database_is_no_pass() {
    let home = Home::new();
    cluster().create_database("cli_empty", None, SUPERUSER);
    for words in LOOKS.into_iter().chain(WRITES) {
        let (sentence, hint) =
            refused(&at(&home, &cluster().url(SUPERUSER, "cli_empty"), words), 3);
        assert!(
            sentence.contains("empty") && hint.contains("govdeck init"),
            "{sentence}"
        );
    }
    let tables = "SELECT COUNT(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(
        cluster().psql(SUPERUSER, "cli_empty", tables).as_deref(),
        Ok("0")
    );
}

#[test]
fn a_server_that_is_not_there_is_no_pass() {
    let home = Home::new();
    let unused = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = unused.local_addr().expect("an address").port();
    drop(unused);
    let nowhere = home.folder().display().to_string();
    for dsn in [
        format!("postgres://maya@127.0.0.1:{port}/govdeck"),
        format!("postgres://maya@localhost:5432/govdeck?host={nowhere}"),
        "postgres://maya@no-such-host.invalid/govdeck".to_owned(),
    ] {
        for words in all_verbs() {
            let (sentence, _) = refused(&at(&home, &dsn, words), 3);
            assert!(sentence.contains("cannot be reached"), "{sentence}");
        }
    }
}

#[test]
fn a_server_that_speaks_something_else_is_no_pass() {
    use std::io::{Read, Write};
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let server = std::thread::spawn(move || {
        let answer = |stream: std::io::Result<std::net::TcpStream>| {
            let mut stream = stream.expect("a connection");
            let asked = stream.read(&mut [0; 512]).expect("a request");
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").ok();
            asked
        };
        listener.incoming().take(2).map(answer).sum::<usize>()
    });
    let dsn = format!("postgres://maya@127.0.0.1:{port}/govdeck");
    refused(&at(&home, &dsn, &["status"]), 3);
    refused(&at(&home, &dsn, &["gate", "publish", "r-1"]), 3);
    assert!(server.join().expect("it ends") > 0);
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let home = Home::new();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = silent.local_addr().expect("an address").port();
    let dsn = format!("postgres://maya@127.0.0.1:{port}/govdeck");
    let (sentence, _) = refused(&at(&home, &dsn, &["gate", "publish", "r-1"]), 3);
    assert!(sentence.contains("did not answer"), "{sentence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_login_or_database_is_refused_by_name() {
    let world = World::postgres().await;
    for (dsn, name) in [
        (
            cluster().url("nobody_of_that_name", world.database()),
            "nobody_of_that_name",
        ),
        (
            cluster().url("maya", "no_such_database"),
            "no_such_database",
        ),
    ] {
        for words in all_verbs() {
            let (sentence, hint) = refused(&at(&world.home, &dsn, words), 3);
            assert!(sentence.contains(name), "{sentence}");
            assert!(hint.contains("`dsn`"), "{hint}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_may_only_read_changes_nothing() {
    use govdeck::actions::Asked;
    let world = World::postgres().await;
    world.block("r-1").await;
    cluster().create_login("dora");
    let role = Asked::of("dora").with("role", "governance_lead");
    world
        .act("maya", "add_person", Asked::of("dora").with("name", "Dora"))
        .await
        .expect("added");
    world
        .act("maya", "grant_role", role)
        .await
        .expect("granted");
    world.owner_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO dora");
    said(&govdeck(&world, "dora", &["status"]), 0);
    said(
        &govdeck(
            &world,
            "dora",
            &["act", "escalate-block", "r-1", "--dry-run"],
        ),
        0,
    );
    world.mint("r-2", None, None).expect("minted");
    for words in [
        &[
            "act",
            "escalate-block",
            "r-1",
            "--confirm",
            "y",
            "--reason",
            REASON,
        ][..],
        &["gate", "publish", "r-2"],
    ] {
        let (sentence, _) = refused(&writes_nothing(&world, "dora", words), 3);
        assert!(sentence.contains("does not let this login"), "{sentence}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_in_the_middle_is_given_up() {
    let world = World::postgres().await;
    let proxy = Proxy::start(&cluster().socket());
    // While somebody holds the table, the verb waits in the middle of its work; then the answer is lost.
    let database = world.database().to_owned();
    let holder = std::thread::spawn(move || {
        let hold = "BEGIN; LOCK TABLE deployment; SELECT pg_sleep(3); COMMIT;";
        cluster().psql("maya", &database, hold)
    });
    let waits = |what: &str| {
        let sql = format!(
            "SELECT COUNT(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'deployment' AND {what}"
        );
        world.owner_sql(&sql) != "0"
    };
    until(|| waits("l.granted AND l.mode = 'AccessExclusiveLock'"));
    let mut command = world.govdeck("maya", &["status"]);
    command.env("GOVDECK_DSN", proxy.url("maya", world.database()));
    let running = std::thread::spawn(move || command::run(command));
    until(|| waits("NOT l.granted"));
    proxy.black_hole();
    let (sentence, _) = refused(&running.join().expect("it ends"), 3);
    assert_eq!(sentence, "the database has not answered for 30 seconds");
    holder.join().expect("it ends").expect("it held the table");
}

/// Waits until something is so, for ten seconds at most.
fn until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "it never came to that"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

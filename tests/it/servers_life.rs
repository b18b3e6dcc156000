//! What happens to a server over the years: it is dumped and restored, and a standby stands beside it and takes over.

use std::fs::File;
use std::process::Command;

use crate::cli_kit::{at, refused, said};
use crate::support::REASON;
use crate::support::cluster::{Cluster, SUPERUSER};
use crate::support::command::Home;

/// A server with a deployment in its database `govern`, the groups, and one person beside the founder.
fn deployed(home: &Home) -> (Cluster, String) {
    let server = Cluster::start_private();
    let login = "CREATE ROLE maya LOGIN CREATEROLE";
    server.psql(SUPERUSER, SUPERUSER, login).expect("a login");
    server.create_database("govern", None, "maya");
    let dsn = server.url("maya", "govern");
    said(&at(home, &dsn, &["init", "--backup", "lee"]), 0);
    said(&at(home, &dsn, &["init", "--grants"]), 0);
    said(&at(home, &dsn, &add("kim")), 0);
    (server, dsn)
}

fn add(person: &str) -> [&str; 9] {
    [
        "act",
        "add-person",
        person,
        "--name",
        "P",
        "--confirm",
        person,
        "--reason",
        REASON,
    ]
}

fn keep_head(home: &Home, dsn: &str, name: &str) -> String {
    let file = home.folder().join(name);
    let head = at(home, dsn, &["ledger", "head"]);
    std::fs::write(&file, said(&head, 0)).expect("the home is ours");
    file.display().to_string()
}

fn succeeds(mut command: Command) {
    let ended = command.output().expect("it starts");
    let complaint = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{complaint}");
}

#[test]
fn a_dump_by_a_viewer_comes_back_whole_and_only_a_newer_head_says_that_it_is_old() {
    let home = Home::new();
    let (server, dsn) = deployed(&home);
    let viewer = "CREATE ROLE backup LOGIN; GRANT govdeck_viewer TO backup";
    server.psql(SUPERUSER, SUPERUSER, viewer).expect("a login");
    let dump = home.folder().join("governance.dump");
    let mut dumping = server.client("pg_dump");
    dumping.args(["-Fc", "-d", &server.url("backup", "govern")]);
    dumping.stdout(File::create(&dump).expect("the home is ours"));
    succeeds(dumping);
    let then = keep_head(&home, &dsn, "then.json");
    said(&at(&home, &dsn, &add("zoe")), 0);
    let now = keep_head(&home, &dsn, "now.json");

    server.create_database("restored", None, "govdeck_owner");
    let mut restoring = server.client("pg_restore");
    restoring.args(["--exit-on-error", "-d", &server.url(SUPERUSER, "restored")]);
    restoring.arg(&dump);
    succeeds(restoring);
    let restored = server.url("maya", "restored");
    let verified = at(&home, &restored, &["ledger", "verify", "--head", &then]);
    assert!(said(&verified, 0).starts_with("the ledger verifies: 2 entries"));
    let old = at(&home, &restored, &["ledger", "verify", "--head", &now]);
    let found = "BAD entry 3: was exported as head and is gone: the ledger was cut at 2\n";
    assert!(said(&old, 1).starts_with(found), "{old:?}");
    let rights = at(&home, &restored, &["init", "--grants"]);
    assert!(said(&rights, 0).starts_with("unchanged: "), "{rights:?}");
    said(&at(&home, &restored, &add("zoe")), 0);
}

#[test]
fn a_standby_is_looked_at_and_never_written_and_goes_on_once_it_is_promoted() {
    let home = Home::new();
    let (mut server, dsn) = deployed(&home);
    let head = keep_head(&home, &dsn, "head.json");
    server.stop_immediate();
    // What makes a server a standby; this one gets no news of a primary.
    File::create(server.socket_dir().join("data/standby.signal")).expect("root, or its owner");
    server.start();
    let verify = ["ledger", "verify", "--head", &head];
    said(&at(&home, &dsn, &verify), 0);
    said(&at(&home, &dsn, &["status"]), 0);
    let (sentence, hint) = refused(&at(&home, &dsn, &add("zoe")), 3);
    assert!(
        sentence.ends_with("the database is read-only"),
        "{sentence}"
    );
    assert!(hint.contains("connect to the primary server"), "{hint}");
    let (sentence, _) = refused(&at(&home, &dsn, &["gate", "rehearsal"]), 3);
    assert!(sentence.contains("a standby"), "{sentence}");
    let looked = at(&home, &dsn, &["doctor"]);
    let warned = "WARN rights       only looking works: the database is read-only";
    assert!(looked.stdout.contains(warned), "{looked:?}");

    let promoted = server.psql(SUPERUSER, SUPERUSER, "SELECT pg_promote()");
    assert_eq!(promoted.as_deref(), Ok("t"));
    said(&at(&home, &dsn, &add("zoe")), 0);
    said(&at(&home, &dsn, &verify), 0);
    said(&at(&home, &dsn, &["gate", "rehearsal"]), 0);
}

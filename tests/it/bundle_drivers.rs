//! Drivers that do what they must not: nothing that they write, hold or leave behind does harm; and the suite that tries them.

use std::fs::{self, Permissions};
use std::io::{BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::{Duration, Instant};

use govdeck::bundles::driver::graph::resp::{self, Reply, ReplyBounds};
use govdeck::bundles::driver::protocol::Code;
use govdeck::bundles::driver::{
    Bounds, Change, Check, Driver, DriverCommand, DriverError, Secrets, Trouble, conformance,
};
use govdeck::rules::Verdict;
use govdeck::rules::bundle::{Approvals, Artifacts, Declaration, Kind, Limits, Runner, Scope};
use govdeck::rules::bundle_run::Script;

use crate::cli_kit::refused;
use crate::support::World;
use crate::support::command::{Home, run};
use crate::support::redis::Redis;

pub const GOVDECK: &str = env!("CARGO_BIN_EXE_govdeck");
pub const SECRET: &str = "STORE_DSN";

/// One of the shipped drivers, given the address of a store.
pub fn shipped(kind: Kind, address: &str) -> Driver {
    driver(kind, &[GOVDECK, "bundle", "driver", kind.word()], address)
}

fn driver(kind: Kind, words: &[&str], secret: &str) -> Driver {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let command = DriverCommand::of_words(&words).expect("it can be run");
    let names = [SECRET.to_owned()];
    let secrets = Secrets::resolve(&names, |_| Some(secret.to_owned())).expect("it is given");
    Driver::new(command, kind, secrets).within(Bounds {
        time: Duration::from_secs(30),
        bytes: 1024 * 1024,
    })
}

pub fn script(path: &str, text: &str) -> Vec<Script> {
    let (path, text) = (path.to_owned(), text.to_owned());
    vec![Script { path, text }]
}

/// A declaration that allows these tables within these limits.
pub fn declaration(kind: Kind, scope: Scope, limits: [u64; 3]) -> Declaration {
    let [tables, indexes, rows] = limits;
    let text = str::to_owned;
    Declaration {
        migration_id: "SEARCH-MIG-2026-03-01-01".to_owned(),
        kind,
        intent: "to see what a driver does".to_owned(),
        scope,
        limits: Limits {
            max_table_count_touched: tables,
            max_index_count_delta: indexes,
            max_row_backfill: rows,
        },
        requires_rollback: true,
        approvals: Approvals {
            required_reviewers: vec![text("platform")],
            change_class: text("minor"),
            reference: Some(text("ADR-7")),
        },
        runner: Runner {
            tool: text("driver"),
            command: format!("govdeck bundle driver {kind}"),
            environment: vec![text(SECRET)],
        },
        artifacts: Artifacts {
            forward: vec![text("forward")],
            rollback: vec![text("rollback")],
            pre: text("baselines/pre.json"),
            post: text("baselines/post.json"),
            summary: text("diffs/summary.json"),
        },
    }
}

pub fn assert_all_pass(checks: &[Check]) {
    let bad: Vec<_> = checks
        .iter()
        .filter(|check| check.verdict != Verdict::Pass)
        .collect();
    assert!(bad.is_empty() && checks.len() == 16, "{bad:#?}");
}

/// Answers with these words; `ID` becomes the request's id.
fn answering(body: &str) -> String {
    format!(
        r#"id=$(sed 's/.*"id":"\([0-9a-f]*\)".*/\1/'); printf '%s\n' '{body}' | sed "s/ID/$id/""#
    )
}

async fn asked(shell: &str, secret: &str, seconds: u64) -> Result<(), DriverError> {
    let driver = driver(Kind::Search, &["/bin/sh", "-c", shell], secret).within(Bounds {
        time: Duration::from_secs(seconds),
        bytes: 1024 * 1024,
    });
    driver.forward(&Change::default()).await.map(drop)
}

const GOOD: &str = r#"{"protocol":"govdeck.bundle-driver.v1","id":"ID","answer":"apply","body":{"rows":{},"notes":[]}}"#;

#[tokio::test]
async fn only_exactly_an_answer_is_one() {
    asked(&answering(GOOD), "x", 20)
        .await
        .expect("it is an answer");
    asked(
        &format!("head -c 100000000 /dev/zero >&2; {}", answering(GOOD)),
        "x",
        20,
    )
    .await
    .expect("the error stream may say what it likes");
    let table = [
        ("true".to_owned(), Trouble::Malformed),
        ("echo ok".to_owned(), Trouble::Malformed),
        (
            format!("echo starting; {}", answering(GOOD)),
            Trouble::Malformed,
        ),
        (
            format!("{}; echo done", answering(GOOD)),
            Trouble::Malformed,
        ),
        (format!("{}; exit 1", answering(GOOD)), Trouble::Malformed),
        (
            format!("{}; kill -9 $$", answering(GOOD)),
            Trouble::Malformed,
        ),
        (answering(&GOOD.replace("ID", "0000")), Trouble::Malformed),
        (answering(&GOOD.replace(".v1", ".v2")), Trouble::Malformed),
        (
            answering(&GOOD.replace("apply", "rollback")),
            Trouble::Malformed,
        ),
        (
            answering(&GOOD.replace("[]", "[],\"passed\":true")),
            Trouble::Malformed,
        ),
        (
            answering(&GOOD.replace("[]", "[\"canary-secret\"]")),
            Trouble::Malformed,
        ),
        ("head -c 100000000 /dev/zero".to_owned(), Trouble::TooMuch),
        ("yes".to_owned(), Trouble::TooMuch),
        ("sleep 60".to_owned(), Trouble::TimedOut),
        ("exec >&- 2>&-; sleep 60".to_owned(), Trouble::TimedOut),
        (
            "trap '' TERM INT HUP; while :; do :; done".to_owned(),
            Trouble::TimedOut,
        ),
        (
            format!("sleep 60 & {}", answering(GOOD)),
            Trouble::Malformed,
        ),
    ];
    for (shell, trouble) in table {
        let begun = Instant::now();
        let error = asked(&shell, "canary-secret", 3).await.expect_err(&shell);
        assert_eq!(error.trouble, trouble, "{shell}: {error}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{shell}");
        assert!(!format!("{error:?}").contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn what_a_driver_complains_of_is_shown_without_secrets() {
    const DSN: &str = "postgres://ann:pa%73sw0rd-canary@h/d";
    let shell = "echo \"cannot reach $STORE_DSN with password pa%73sw0rd-canary (passw0rd-canary) \
                 or mysql://u:p-canary@h $(printf '\\033[2J')\" >&2; exit 3";
    let error = asked(shell, DSN, 20).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Malformed);
    assert!(error.sentence.contains("cannot reach ***"), "{error}");
    assert!(
        !error.sentence.contains("canary") && !error.sentence.contains('\u{1b}'),
        "{error}"
    );
    let said = r#"{"protocol":"govdeck.bundle-driver.v1","id":"ID","answer":"error",
        "body":{"code":"unreachable","message":"no mysql://u:p-canary@h"}}"#;
    let error = asked(&answering(&said.replace('\n', "")), DSN, 20)
        .await
        .unwrap_err();
    assert_eq!(error.trouble, Trouble::Said(Code::Unreachable));
    assert!(!error.sentence.contains("canary"), "{error}");
}

#[tokio::test]
async fn a_driver_gets_its_secrets_and_nothing_else_and_leaves_nothing_behind() {
    let home = Home::new();
    let (seen, pid) = (home.folder().join("seen"), home.folder().join("pid"));
    let shell = format!(
        "tr '\\0' '\\n' </proc/$$/environ >{0}; tr '\\0' ' ' </proc/$$/cmdline >>{0}; \
         (sleep 77 & echo $! >{1}; wait) & sleep 0.3; {2}",
        seen.display(),
        pid.display(),
        answering(GOOD)
    );
    // What it left behind holds its output open, which is noticed too.
    asked(&shell, "canary-secret", 20).await.unwrap_err();
    let seen = fs::read_to_string(seen).expect("it wrote that");
    let lines: Vec<_> = seen
        .lines()
        .filter(|line| !line.starts_with("/bin/sh"))
        .collect();
    assert_eq!(lines, ["STORE_DSN=canary-secret"]);
    let pid = fs::read_to_string(pid).expect("it wrote that");
    let status = format!("/proc/{}/status", pid.trim());
    let begun = Instant::now();
    while fs::read_to_string(&status).is_ok_and(|status| !status.contains("zombie")) {
        assert!(begun.elapsed() < Duration::from_secs(5), "it still runs");
        thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn shipped_drivers_keep_to_the_protocol_and_say_what_was_not_tried() {
    for (kind, address) in [
        (Kind::Search, "postgres://nobody:canary@localhost:1/none"),
        (Kind::Graph, "falkor://nobody:canary@localhost:1/none"),
    ] {
        let driver = shipped(kind, address);
        let checks = conformance(&driver, Some(&Change::default())).await;
        let (protocol, store) = checks.split_at(10);
        for check in protocol {
            assert_eq!(check.verdict, Verdict::Pass, "{check:?}");
        }
        for check in store {
            assert_eq!(check.verdict, Verdict::CannotTell, "{check:?}");
            assert!(check.detail.starts_with("not run: "), "{check:?}");
        }
        assert!(!format!("{checks:?}").contains("canary"), "{checks:?}");
    }
}

#[test]
fn driver_test_ends_with_what_it_found() {
    let home = Home::new();
    let without = run(home.govdeck([
        "bundle",
        "driver-test",
        "--kind",
        "search",
        "govdeck",
        "bundle",
        "driver",
        "search",
    ]));
    assert_eq!(without.code, Some(3), "{without:?}");
    assert!(
        without
            .stdout
            .contains("pass    garbage_refused: bad_request"),
        "{without:?}"
    );
    assert!(
        without
            .stdout
            .contains("not run rollback_leads_back: not run: no bundle was given")
    );
    assert!(
        without
            .stdout
            .ends_with("16 checks: 10 pass, 0 fail, 6 not run\n"),
        "{without:?}"
    );
    let echo = run(home.govdeck(["--json", "bundle", "driver-test", "cat"]));
    assert_eq!(echo.code, Some(1), "{echo:?}");
    let json: serde_json::Value = serde_json::from_str(&echo.stdout).expect("JSON");
    assert_eq!(json["schema"], "govdeck.bundle-driver-test.v1");
    assert_eq!(json["verdict"], "fail");
    let missing = run(home.govdeck(["bundle", "driver-test", "no-such-driver"]));
    assert_eq!(
        (missing.code, missing.stdout.as_str()),
        (Some(2), ""),
        "{missing:?}"
    );
}

/// Serves one connection after the other with these bytes to each request, whatever it asks.
fn serve(socket: &std::path::Path, reply: Vec<u8>, pause: Duration) {
    let listener = UnixListener::bind(socket).expect("the folder is ours");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut piece = [0; 4096];
            while let Ok(1..) = stream.read(&mut piece) {
                for part in reply.chunks(64 * 1024) {
                    thread::sleep(pause);
                    if stream.write_all(part).is_err() {
                        break;
                    }
                }
            }
        }
    });
}

#[tokio::test]
async fn a_hostile_server_is_unreachable_and_nothing_worse() {
    let drip = "+PONG\r\n".as_bytes();
    for (name, reply, pause) in [
        ("huge", b"$9999999999\r\nx".to_vec(), 0),
        ("wide", b"*2147483647\r\n:1\r\n".to_vec(), 0),
        ("deep", b"*1\r\n".repeat(100_000), 0),
        ("cut", b"$100\r\nabc".to_vec(), 0),
        ("long", b"+".repeat(1_000_000), 0),
        ("odd", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), 0),
        ("wrong", b"+HELLO\r\n".to_vec(), 0),
        ("slow", drip[..3].to_vec(), 50),
        ("error", b"-ERR canary\r\n".to_vec(), 0),
        ("null", b"*-1\r\n".to_vec(), 0),
    ] {
        let home = Home::new();
        let socket = home.folder().join("s");
        serve(&socket, reply, Duration::from_millis(pause));
        let address = format!("falkor:///g?socket={}", socket.display());
        let driver = shipped(Kind::Graph, &address).within(Bounds {
            time: Duration::from_secs(4),
            bytes: 1024 * 1024,
        });
        let begun = Instant::now();
        let error = driver.baseline(&Change::default()).await.expect_err(name);
        assert_eq!(
            error.trouble,
            Trouble::Said(Code::Unreachable),
            "{name}: {error}"
        );
        assert!(begun.elapsed() < Duration::from_secs(6), "{name}");
    }
}

#[tokio::test]
async fn a_real_redis_server_is_spoken_with_and_is_no_graph_store() {
    let redis = Redis::start(Some("pass:w@rd canary"));
    let stream = UnixStream::connect(redis.socket()).expect("it runs");
    let mut writer = stream.try_clone().expect("a descriptor is free");
    let mut reader = BufReader::new(stream);
    let binary: Vec<u8> = (0..=255).chain(*b"\r\n$5\r\n").collect();
    let mut ask = |words: &[&[u8]]| {
        writer
            .write_all(&resp::request(words))
            .expect("it is there");
        resp::read(&mut reader, ReplyBounds::default()).expect("it replies")
    };
    assert!(matches!(ask(&[b"PING"]), Reply::Error(what) if what.starts_with("NOAUTH")));
    assert!(matches!(ask(&[b"AUTH", b"wrong"]), Reply::Error(_)));
    assert_eq!(
        ask(&[b"AUTH", b"pass:w@rd canary"]),
        Reply::Simple("OK".to_owned())
    );
    assert_eq!(ask(&[b"PING"]), Reply::Simple("PONG".to_owned()));
    assert_eq!(ask(&[b"ECHO", &binary]), Reply::Bulk(Some(binary.clone())));
    assert_eq!(ask(&[b"RPUSH", b"list", b"a", &binary]), Reply::Integer(2));
    let both = [b"a".to_vec(), binary].map(|item| Reply::Bulk(Some(item)));
    assert_eq!(
        ask(&[b"LRANGE", b"list", b"0", b"-1"]),
        Reply::Array(Some(both.into()))
    );
    assert_eq!(ask(&[b"GET", b"nothing"]), Reply::Bulk(None));
    assert_eq!(ask(&[b"BLPOP", b"none", b"0.01"]), Reply::Array(None));

    for (credentials, expected) in [
        (":pass%3Aw%40rd%20canary@", "unknown command"),
        (":wrong-canary@", "does not take the password"),
        ("", "NOAUTH"),
    ] {
        let driver = shipped(Kind::Graph, &redis.address(credentials, "g"));
        let error = driver
            .baseline(&Change::default())
            .await
            .expect_err(credentials);
        assert_eq!(error.trouble, Trouble::Said(Code::Unreachable), "{error}");
        assert!(error.sentence.contains(expected), "{error}");
        assert!(!error.sentence.contains("canary"), "{error}");
    }
}

/// A bundle comes from anybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_has_no_program_run_that_the_settings_do_not_name() {
    let world = World::sqlite().await;
    let home = world.home.folder().to_owned();
    let (program, marker) = (home.join("driver"), home.join("it-ran"));
    let text = format!("#!/bin/sh\n: >>'{}'\n", marker.display());
    fs::write(&program, text).expect("the home is ours");
    fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("the home is ours");
    let scope = Scope {
        allowed_schemas: vec!["search".to_owned()],
        allowed_tables: vec!["parcels".to_owned()],
        ..Scope::default()
    };
    let mut declaration = declaration(Kind::Search, scope, [1, 1, 1]);
    declaration.runner.command = program.display().to_string();
    let folder = home.join("search").join(&declaration.migration_id);
    fs::create_dir_all(&folder).expect("the home is ours");
    let declaration = serde_json::to_string(&declaration).expect("JSON");
    for (name, text) in [
        ("migration.yml", &*declaration),
        ("forward", "{}"),
        ("rollback", "{}"),
        ("notes.md", "Nothing is left.\n"),
    ] {
        fs::write(folder.join(name), text).expect("the home is ours");
    }
    let plan = |drivers: Option<&str>| {
        let folder = folder.to_str().expect("text");
        let mut command =
            world.govdeck("maya", &["bundle", "plan", folder, "--environment", "dev"]);
        command.env(SECRET, "x");
        if let Some(drivers) = drivers {
            command.env("GOVDECK_BUNDLE_DRIVERS", drivers);
        }
        refused(&run(command), 3)
    };
    for drivers in [None, Some("/bin/true, driver")] {
        let (sentence, hint) = plan(drivers);
        assert!(sentence.contains("do not name the driver"), "{sentence}");
        assert!(hint.contains("bundle_drivers"), "{hint}");
        assert!(!marker.exists(), "{drivers:?}");
    }
    let named = format!("/bin/true,  {} ", program.display());
    plan(Some(&named));
    assert!(marker.exists(), "what is named is run");
}

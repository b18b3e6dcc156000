//! What the command line keeps to itself: passwords, other people's eyes on the files, and text that would move a
//! terminal's cursor.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::cli_kit::{configured, document, files, govdeck, mode, refused, said, with};
use crate::support::command::{Home, run};
use crate::support::on_both;

const CANARY: &str = "Kanarienvogel";

/// Asserts that no file below a folder, whatever it is, holds the canary.
fn holds_no_canary(folder: &Path) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            holds_no_canary(&path);
        } else {
            let bytes = fs::read(&path).expect("readable");
            let found = bytes
                .windows(CANARY.len())
                .any(|window| window == CANARY.as_bytes());
            assert!(!found, "{} holds the password", path.display());
        }
    }
}

#[test]
fn a_password_appears_nowhere() {
    for dsn in [
        format!("postgres://u:{CANARY}@127.0.0.1:1/d"),
        format!("postgres://u@127.0.0.1:1/d?password={CANARY}&sslmode=disable"),
        format!("postgres://u:{CANARY}@no-such-host.invalid/d"),
        format!("postgres://u:{CANARY}@127.0.0.1:1/d?sslmode=on"),
        format!("postgres://u:{CANARY}/x@127.0.0.1:1/d"),
        format!("postgres://u:x@{CANARY}@127.0.0.1:99999/d"),
        format!("postgres//u:{CANARY}@h/d"),
        format!("sqlite:u:{CANARY}@h/d"),
    ] {
        for words in [
            &["status"][..],
            &["init"],
            &["config", "print"],
            &["config", "check"],
            &["gate", "publish", "r-1"],
            &["ledger", "verify"],
        ] {
            for json in [&[][..], &["--json"]] {
                let home = Home::new();
                let words = [words, json].concat();
                let debug = ("GOVDECK_LOG_LEVEL", "debug");
                for run in [
                    with(&home, &[debug, ("GOVDECK_DSN", &dsn)], &words),
                    with(&home, &[debug], &[&words[..], &["--dsn", &dsn]].concat()),
                    with(
                        &home,
                        &[
                            debug,
                            ("GOVDECK_POOLED", "true"),
                            ("GOVDECK_DIRECT_DSN", &dsn),
                            ("GOVDECK_VIEWER_DSN", &dsn),
                            ("GOVDECK_DSN", "postgres://u@127.0.0.1:1/d"),
                        ],
                        &words,
                    ),
                ] {
                    assert!(matches!(run.code, Some(0..=3)), "{run:?}");
                    assert!(
                        !(run.stdout + &run.stderr).contains(CANARY),
                        "{words:?} shows {dsn}"
                    );
                }
                holds_no_canary(home.folder());
            }
        }
    }
}

#[test]
fn a_password_in_the_config_file_is_never_quoted() {
    let home = Home::new();
    for text in [
        format!("dsn = \"postgres://u:{CANARY}@127.0.0.1:1/d\""),
        format!("dsn = \"postgres://u:{CANARY}@127.0.0.1:1/d"),
        format!("dsn = postgres://u:{CANARY}@127.0.0.1:1/d"),
        format!("dsn = [\"postgres://u:{CANARY}@h/d\"]"),
        format!("dsn = \"x\"\ndsn = \"postgres://u:{CANARY}@h/d\""),
        format!("log_level = \"postgres://u:{CANARY}@h/d\""),
        format!("pooled = \"{CANARY}\""),
    ] {
        configured(&home, &text);
        for words in [
            &["status"][..],
            &["config", "print"],
            &["config", "check"],
            &["init"],
        ] {
            let run = with(&home, &[("GOVDECK_LOG_LEVEL", "debug")], words);
            assert!(
                !(run.stdout + &run.stderr).contains(CANARY),
                "{words:?}: {text}"
            );
        }
        assert!(!home.folder().join("data").exists());
        if home.folder().join("state").exists() {
            holds_no_canary(&home.folder().join("state"));
        }
    }
}

#[test]
fn a_secret_never_reaches_another_program() {
    let home = Home::new();
    let program = home.govdeck([""; 0]);
    for words in [&["status"][..], &["init"], &["config", "check"]] {
        let mut strace = home.command(Path::new("strace"));
        strace.args([
            "-f",
            "-qq",
            "-e",
            "trace=execve,execveat",
            "-e",
            "signal=none",
            "-o",
            "calls",
            "--",
        ]);
        strace.arg(program.get_program()).args(words);
        strace.env(
            "GOVDECK_DSN",
            format!("postgres://u:{CANARY}@127.0.0.1:1/d"),
        );
        let ended = run(strace);
        assert!(matches!(ended.code, Some(0 | 3)), "{ended:?}");
        let calls = fs::read_to_string(home.folder().join("calls")).expect("a log");
        assert_eq!(
            calls.lines().count(),
            1,
            "only the program itself starts: {calls}"
        );
        assert!(!calls.contains(CANARY), "{calls}");
    }
}

#[test]
fn files_are_for_their_owner_alone() {
    let home = Home::new();
    let mut shell = home.command(Path::new("sh"));
    // The most generous mask there is: what is private must be so by itself.
    shell.args(["-c", "umask 000; \"$0\" init && exec \"$0\" status"]);
    shell.arg(home.govdeck([""; 0]).get_program());
    assert_eq!(run(shell).code, Some(0));
    let folder = home.folder().join("data/govdeck");
    let database = folder.join("govdeck.db");
    let reader = held_open(&home, &database);
    for name in files(&folder).keys() {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    assert!(
        files(&folder).contains_key("govdeck.db-wal")
            && files(&folder).contains_key("govdeck.db-shm")
    );
    drop(reader);
    assert_eq!(
        mode(&home.folder().join("state/govdeck/govdeck.log")),
        0o600
    );
    for folder in ["data", "data/govdeck", "state", "state/govdeck"] {
        assert_eq!(mode(&home.folder().join(folder)), 0o700, "{folder}");
    }
}

/// A `sqlite3` shell that keeps the database open while the program writes, so that its side files stay.
struct Reader(std::process::Child);

fn held_open(home: &Home, database: &Path) -> Reader {
    use std::io::{Read, Write};
    let mut shell = home.command(Path::new("sqlite3"));
    shell.arg("-batch").arg(database);
    shell
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    let mut child = shell.spawn().expect("sqlite3 is installed");
    let sql = b"BEGIN; SELECT COUNT(*) > 0 FROM governance_ledger;\n";
    let input = child.stdin.as_mut().expect("piped");
    input
        .write_all(sql)
        .and_then(|()| input.flush())
        .expect("written");
    let mut answer = [0; 2];
    child
        .stdout
        .as_mut()
        .expect("piped")
        .read_exact(&mut answer)
        .expect("an answer");
    assert_eq!(&answer, b"1\n");
    let words = [
        "act",
        "add-person",
        "bob",
        "--name",
        "Bob",
        "--confirm",
        "bob",
        "--reason",
        "so that the side files are filled",
    ];
    said(&with(home, &[], &words), 0);
    Reader(child)
}

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().ok();
    }
}

on_both!(hostile_text_is_shown_and_never_obeyed, |world| {
    let hostile = "r\u{1b}[2J\u{202e}x\nBREACH\u{200b}\u{9b}31m\u{e0041}\u{7}\u{7f}";
    world.block(hostile).await;
    let is_hostile = |character: char| {
        character != '\n' && character.is_control()
            || ['\u{202e}', '\u{200b}', '\u{e0041}'].contains(&character)
    };
    let shown = "r<001B>[2J<202E>x<000A>BREACH<200B><009B>31m<E0041><0007><007F>";
    let status = govdeck(&world, "maya", &["status"]);
    let text = said(&status, 0);
    assert!(
        text.contains(&format!("  {shown} tuple_drift owner maya: ")),
        "{text:?}"
    );
    for words in [
        &["status"][..],
        &["ledger", "show"],
        &["ledger", "show", "3"],
        &["ledger", "verify"],
        &["why", "take-block", hostile],
        &["act", "take-block", hostile, "--dry-run"],
    ] {
        let run = govdeck(&world, "maya", words);
        assert!(
            !said(&run, 0).contains(is_hostile),
            "{words:?}: {:?}",
            run.stdout
        );
        let run = govdeck(&world, "maya", &[words, &["--json"]].concat());
        let text = said(&run, 0);
        assert!(
            !text.contains(is_hostile) && text.lines().count() == 1,
            "{words:?}: {text:?}"
        );
        serde_json::from_str::<Value>(text).expect("still JSON");
    }
    let said = document(&govdeck(&world, "maya", &["status", "--json"]), 0, "status");
    assert_eq!(
        said["blocks"][0]["publish_run_id"], hostile,
        "escaped, not changed"
    );
});

on_both!(a_refusal_shows_hostile_text_plainly, |world| {
    let hostile = "r\u{1b}]0;x\u{7}\u{202e}\n";
    for words in [
        &["gate", "publish", hostile][..],
        &["why", "take-block", hostile],
        &["ledger", "show", "--ticket", hostile],
    ] {
        let run = govdeck(&world, "maya", words);
        refused(&run, run.code.expect("a code"));
        assert!(
            !run.stderr
                .contains(|c: char| c != '\n' && c.is_control() || c == '\u{202e}'),
            "{run:?}"
        );
    }
});

on_both!(one_event_is_one_line_of_the_log, |world| {
    let hostile = "r\u{1b}[2J\n2026-01-01T00:00:00Z  INFO govdeck: forged";
    world.block(hostile).await;
    said(
        &govdeck(
            &world,
            "maya",
            &["act", "take-block", hostile, "--confirm", "y"],
        ),
        0,
    );
    govdeck(&world, "maya", &["gate", "publish", hostile]);
    let log =
        fs::read_to_string(world.home.folder().join("state/govdeck/govdeck.log")).expect("a log");
    assert!(
        log.contains("confirmed") && !log.contains('\u{1b}') && !log.contains("forged"),
        "{log}"
    );
});

#[test]
fn a_log_that_cannot_be_written_is_said_and_stops_nothing() {
    let home = Home::new();
    said(&with(&home, &[], &["init"]), 0);
    let run = with(
        &home,
        &[("GOVDECK_LOG_FILE", "/dev/null/x.log")],
        &["status"],
    );
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.stderr
            .starts_with("warning: no log: /dev/null/x.log cannot be written: "),
        "{run:?}"
    );
    assert_eq!(run.stderr.lines().count(), 1);
    let off = with(
        &home,
        &[
            ("GOVDECK_LOG_FILE", "/dev/null/x.log"),
            ("GOVDECK_LOG_LEVEL", "off"),
        ],
        &["status"],
    );
    said(&off, 0);
}

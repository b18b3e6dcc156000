//! `govdeck config`, `completions` and `man`; and what the whole command line keeps to itself: passwords, other people's
//! eyes on the files, and text that would move a terminal's cursor.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli_kit::{document, fifo, files, govdeck, misused, refused, said};
use crate::support::command::{Home, Run, run};
use crate::support::on_both;

/// Writes the config file that is read when nobody names another.
fn configured(home: &Home, text: &str) {
    let folder = home.folder().join("config/govdeck");
    fs::create_dir_all(&folder).expect("the home is ours");
    fs::write(folder.join("config.toml"), text).expect("the home is ours");
}

fn at(home: &Home, variables: &[(&str, &str)], words: &[&str]) -> Run {
    let mut command = home.govdeck(words);
    command.envs(variables.iter().copied());
    run(command)
}

fn mode(path: &Path) -> u32 {
    let found =
        fs::symlink_metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    found.permissions().mode() & 0o777
}

#[test]
fn init_writes_a_private_template_once() {
    let home = Home::new();
    let path = home.folder().join("config/govdeck/config.toml");
    let run = at(&home, &[], &["config", "init"]);
    assert_eq!(said(&run, 0), format!("written: {}\n", path.display()));
    assert_eq!(
        (mode(&path), mode(path.parent().expect("a folder"))),
        (0o600, 0o700)
    );
    let template = fs::read_to_string(&path).expect("readable");
    for key in [
        "dsn",
        "direct_dsn",
        "pooled",
        "governance_root",
        "log_level",
        "log_file",
    ] {
        assert!(template.contains(&format!("\n#{key} = ")), "{key}");
    }
    said(&at(&home, &[], &["config", "check"]), 0);
    fs::write(&path, "pooled = false\n").expect("the home is ours");
    let (sentence, _) = refused(&at(&home, &[], &["config", "init"]), 2);
    assert!(sentence.contains("exists already"), "{sentence}");
    assert_eq!(
        fs::read_to_string(&path).expect("readable"),
        "pooled = false\n"
    );
}

#[test]
fn the_template_without_its_comment_signs_is_a_config_file() {
    let home = Home::new();
    said(
        &at(&home, &[], &["config", "init", "--config", "mine.toml"]),
        0,
    );
    let template = fs::read_to_string(home.folder().join("mine.toml")).expect("readable");
    let lines = template.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting,
        _ => line,
    });
    let text: Vec<&str> = lines
        .filter(|line| !line.starts_with("direct_dsn"))
        .collect();
    fs::write(home.folder().join("mine.toml"), text.join("\n")).expect("the home is ours");
    let print = at(
        &home,
        &[],
        &["config", "print", "--json", "--config", "mine.toml"],
    );
    let print = document(&print, 0, "config-print");
    for row in print["settings"].as_array().expect("rows") {
        let is_given = row["source"]
            .as_str()
            .expect("text")
            .starts_with("mine.toml, line ");
        assert_eq!(is_given, row["key"] != "direct_dsn", "{row}");
    }
}

#[test]
fn the_flag_wins_over_the_variable_over_the_file_over_the_default() {
    let home = Home::new();
    let dsn = |variables: &[(&str, &str)], more: &[&str]| -> (Value, Value) {
        let words = [&["config", "print", "--json"], more].concat();
        let print = document(&at(&home, variables, &words), 0, "config-print");
        let row = print["settings"][0].clone();
        assert_eq!(row["key"], "dsn");
        (row["value"].clone(), row["source"].clone())
    };
    let default = format!(
        "sqlite:{}",
        home.folder().join("data/govdeck/govdeck.db").display()
    );
    assert_eq!(dsn(&[], &[]), (json!(default), json!("default")));
    configured(&home, "\ndsn = \"sqlite:file.db\"\n");
    let file = home.folder().join("config/govdeck/config.toml");
    assert_eq!(
        dsn(&[], &[]),
        (
            json!("sqlite:file.db"),
            json!(format!("{}, line 2", file.display()))
        )
    );
    let variable = [("GOVDECK_DSN", "sqlite:variable.db")];
    assert_eq!(
        dsn(&variable, &[]),
        (json!("sqlite:variable.db"), json!("variable GOVDECK_DSN"))
    );
    let flag = ["--dsn", "sqlite:flag.db"];
    assert_eq!(
        dsn(&variable, &flag),
        (json!("sqlite:flag.db"), json!("flag --dsn"))
    );
    fs::write(
        home.folder().join("other.toml"),
        "dsn = \"sqlite:other.db\"",
    )
    .expect("the home is ours");
    assert_eq!(dsn(&[], &["--config", "other.toml"]).0, "sqlite:other.db");
    assert_eq!(
        dsn(&[("GOVDECK_CONFIG", "other.toml")], &[]).0,
        "sqlite:other.db"
    );
}

#[test]
fn the_setting_that_wins_is_the_one_that_is_used() {
    let home = Home::new();
    configured(&home, "dsn = \"sqlite:file.db\"");
    said(
        &at(
            &home,
            &[("GOVDECK_DSN", "sqlite:variable.db")],
            &["init", "--dsn", "sqlite:flag.db"],
        ),
        0,
    );
    let here = |name: &str| home.folder().join(name).exists();
    assert!(here("flag.db") && !here("variable.db") && !here("file.db"));
    said(
        &at(&home, &[("GOVDECK_DSN", "sqlite:variable.db")], &["init"]),
        0,
    );
    assert!(here("variable.db") && !here("file.db"));
}

#[test]
fn what_is_unknown_or_malformed_is_refused_by_every_verb_that_reads_settings() {
    let home = Home::new();
    for (text, sentence, hint) in [
        (
            "\ndns = \"sqlite:x\"",
            "line 2, column 1: `dns` is not a setting",
            "did you mean `dsn`?",
        ),
        (
            "dsn = 1",
            "line 1, column 7: `dsn` must be a string",
            "dsn = ",
        ),
        (
            "dsn = \"x\"",
            "line 1, column 7: `dsn` does not begin with a scheme",
            "sqlite:",
        ),
        (
            "pooled = \"true\"",
            "line 1, column 10: `pooled` must be true or false",
            "pooled = false",
        ),
        (
            "log_level = \"loud\"",
            "line 1, column 13: `log_level` is none of",
            "choose one of",
        ),
        ("dsn = ", "this is not TOML", "quotes"),
        (
            "dsn = \"sqlite:a\"\ndsn = \"sqlite:b\"",
            "`dsn` is given twice",
            "keep one",
        ),
    ] {
        configured(&home, text);
        for words in [
            &["status"][..],
            &["config", "print"],
            &["config", "check"],
            &["config", "path"],
            &["init"],
            &["gate", "publish", "r"],
        ] {
            let said = refused(&at(&home, &[], words), 2);
            assert!(
                said.0.contains("config.toml") && said.0.contains(sentence),
                "{said:?}"
            );
            assert!(said.1.contains(hint), "{said:?}");
        }
    }
    assert!(!home.folder().join("data").exists());
}

#[test]
fn unknown_empty_and_malformed_variables_are_refused() {
    let home = Home::new();
    for (name, value, sentence) in [
        (
            "GOVDECK_DNS",
            "sqlite:x",
            "`GOVDECK_DNS` means nothing here",
        ),
        (
            "GOVDECK_PASSWORD",
            "x",
            "`GOVDECK_PASSWORD` means nothing here",
        ),
        ("GOVDECK_USER", "maya", "`GOVDECK_USER` means nothing here"),
        ("GOVDECK_DSN", "", "`GOVDECK_DSN` is empty"),
        ("GOVDECK_POOLED", "yes", "is neither true nor false"),
        ("GOVDECK_LOG_LEVEL", "INFO", "`log_level` is none of"),
        ("GOVDECK_LOG_FILE", " ", "is empty"),
        (
            "GOVDECK_DIRECT_DSN",
            "sqlite:x",
            "only a server has a pooler",
        ),
        (
            "GOVDECK_CONFIG",
            "missing.toml",
            "missing.toml does not exist",
        ),
    ] {
        for words in [&["status"][..], &["config", "print"], &["init"]] {
            let (said, _) = refused(&at(&home, &[(name, value)], words), 2);
            // A pooler in front of a file is said in the words of the file's setting.
            assert!(
                said.contains(sentence) || name == "GOVDECK_DIRECT_DSN",
                "{name}: {said}"
            );
        }
    }
    assert!(!home.folder().join("data").exists());
}

#[test]
fn a_config_file_that_is_no_file_is_refused_by_name() {
    let home = Home::new();
    fifo(&home.folder().join("pipe"));
    fs::write(home.folder().join("bytes"), b"\n\xff").expect("the home is ours");
    fs::write(home.folder().join("huge"), "#".repeat(1_100_000)).expect("the home is ours");
    for path in [
        "pipe",
        "/",
        "missing",
        "bytes",
        "huge",
        "bytes/below",
        "/dev/zero",
    ] {
        let (sentence, _) = refused(&at(&home, &[], &["config", "print", "--config", path]), 2);
        assert!(sentence.contains(path), "{sentence}");
    }
}

#[test]
fn path_names_the_files_of_this_home() {
    let home = Home::new();
    let said = document(
        &at(&home, &[], &["config", "path", "--json"]),
        0,
        "config-path",
    );
    let below = |path: &str| json!(home.folder().join(path).display().to_string());
    let expected = json!({
        "schema": "govdeck.config-path.v1", "config_file": below("config/govdeck/config.toml"), "data_dir": below("data/govdeck"),
        "state_dir": below("state/govdeck"), "log_file": below("state/govdeck/govdeck.log"),
    });
    assert_eq!(said, expected);
    assert_eq!(files(home.folder()).keys().collect::<Vec<_>>(), ["runtime"]);
}

#[test]
fn check_warns_of_what_is_risky() {
    let home = Home::new();
    configured(&home, "dsn = \"postgres://u:secret@h/d\"\n");
    let file = home.folder().join("config/govdeck/config.toml");
    for (bits, warnings) in [(0o600, 0), (0o640, 1), (0o604, 1)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(bits)).expect("ours");
        let checked = at(&home, &[], &["config", "check", "--json"]);
        let said = document(&checked, i32::from(warnings > 0), "config-check");
        assert_eq!(
            said["warnings"].as_array().expect("warnings").len(),
            warnings,
            "{said}"
        );
    }
    let text = at(
        &home,
        &[("GOVDECK_GOVERNANCE_ROOT", "nowhere")],
        &["config", "check"],
    );
    assert!(
        said(&text, 1).contains("warning: `governance_root` nowhere is not a folder\n"),
        "{text:?}"
    );
}

#[test]
fn completions_name_every_verb() {
    let home = Home::new();
    let help = at(&home, &[], &["--help"]);
    let help = said(&help, 0);
    for shell in ["bash", "zsh", "fish"] {
        let script = at(&home, &[], &["completions", shell]);
        let script = said(&script, 0);
        for verb in [
            "init",
            "status",
            "act",
            "why",
            "gate",
            "ledger",
            "artifact",
            "canon",
            "hash",
            "config",
            "completions",
            "man",
            "take-block",
            "verify",
        ] {
            assert!(script.contains(verb), "{shell} does not know {verb}");
            assert!(
                help.contains(&format!("  {verb} ")) || ["take-block", "verify"].contains(&verb),
                "{verb}"
            );
        }
    }
    misused(&at(&home, &[], &["completions", "cmd"]));
    misused(&at(&home, &[], &["completions"]));
}

#[test]
fn the_bash_script_is_bash() {
    let home = Home::new();
    let script = at(&home, &[], &["completions", "bash"]);
    fs::write(home.folder().join("script"), said(&script, 0)).expect("the home is ours");
    let mut check = home.command(Path::new("bash"));
    check.args(["-n", "script"]);
    said(&run(check), 0);
}

#[test]
fn man_pages_are_written_into_a_folder() {
    let home = Home::new();
    let folder = home.folder().join("pages");
    let (sentence, _) = refused(&at(&home, &[], &["man", "pages"]), 2);
    assert!(sentence.starts_with("pages: "), "{sentence}");
    fs::create_dir(&folder).expect("the home is ours");
    assert_eq!(
        said(&at(&home, &[], &["man", "pages"]), 0),
        "man pages written to pages\n"
    );
    for page in [
        "govdeck.1",
        "govdeck-act.1",
        "govdeck-act-take-block.1",
        "govdeck-ledger-verify.1",
        "govdeck-canon.1",
    ] {
        let text = fs::read_to_string(folder.join(page)).expect(page);
        assert!(
            text.contains(".SH NAME") && text.contains("govdeck"),
            "{page}"
        );
    }
    let said = document(&at(&home, &[], &["man", "pages", "--json"]), 0, "man");
    assert_eq!(said["folder"], "pages");
}

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
                    at(&home, &[debug, ("GOVDECK_DSN", &dsn)], &words),
                    at(&home, &[debug], &[&words[..], &["--dsn", &dsn]].concat()),
                    at(
                        &home,
                        &[
                            debug,
                            ("GOVDECK_POOLED", "true"),
                            ("GOVDECK_DIRECT_DSN", &dsn),
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
            let run = at(&home, &[("GOVDECK_LOG_LEVEL", "debug")], words);
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
    said(&at(home, &[], &words), 0);
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
    said(&at(&home, &[], &["init"]), 0);
    let run = at(
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
    let off = at(
        &home,
        &[
            ("GOVDECK_LOG_FILE", "/dev/null/x.log"),
            ("GOVDECK_LOG_LEVEL", "off"),
        ],
        &["status"],
    );
    said(&off, 0);
}

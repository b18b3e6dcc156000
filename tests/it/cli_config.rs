//! `govdeck config`, `completions` and `man`; and what the whole command line keeps to itself: passwords, other people's
//! eyes on the files, and text that would move a terminal's cursor.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli_kit::{configured, document, fifo, files, misused, mode, refused, said, with};
use crate::support::command::{Home, run};

#[test]
fn init_writes_a_private_template_once() {
    let home = Home::new();
    let path = home.folder().join("config/govdeck/config.toml");
    let run = with(&home, &[], &["config", "init"]);
    assert_eq!(said(&run, 0), format!("written: {}\n", path.display()));
    assert_eq!(
        (mode(&path), mode(path.parent().expect("a folder"))),
        (0o600, 0o700)
    );
    let template = fs::read_to_string(&path).expect("readable");
    for key in [
        "dsn",
        "direct_dsn",
        "viewer_dsn",
        "pooled",
        "governance_root",
        "signing_key",
        "log_level",
        "log_file",
        "theme",
    ] {
        assert!(template.contains(&format!("\n#{key} = ")), "{key}");
    }
    said(&with(&home, &[], &["config", "check"]), 0);
    fs::write(&path, "pooled = false\n").expect("the home is ours");
    let (sentence, _) = refused(&with(&home, &[], &["config", "init"]), 2);
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
        &with(&home, &[], &["config", "init", "--config", "mine.toml"]),
        0,
    );
    let template = fs::read_to_string(home.folder().join("mine.toml")).expect("readable");
    let lines = template.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting,
        _ => line,
    });
    let text: Vec<&str> = lines
        .filter(|line| !line.starts_with("direct_dsn") && !line.starts_with("viewer_dsn"))
        .collect();
    fs::write(home.folder().join("mine.toml"), text.join("\n")).expect("the home is ours");
    let print = with(
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
        let left_out = row["key"] == "direct_dsn" || row["key"] == "viewer_dsn";
        assert_eq!(is_given, !left_out, "{row}");
    }
}

#[test]
fn the_flag_wins_over_the_variable_over_the_file_over_the_default() {
    let home = Home::new();
    let dsn = |variables: &[(&str, &str)], more: &[&str]| -> (Value, Value) {
        let words = [&["config", "print", "--json"], more].concat();
        let print = document(&with(&home, variables, &words), 0, "config-print");
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
        &with(
            &home,
            &[("GOVDECK_DSN", "sqlite:variable.db")],
            &["init", "--dsn", "sqlite:flag.db"],
        ),
        0,
    );
    let here = |name: &str| home.folder().join(name).exists();
    assert!(here("flag.db") && !here("variable.db") && !here("file.db"));
    said(
        &with(&home, &[("GOVDECK_DSN", "sqlite:variable.db")], &["init"]),
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
            let said = refused(&with(&home, &[], words), 2);
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
        ("GOVDECK_THEME", "../dark", "is not a plain name"),
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
            let (said, _) = refused(&with(&home, &[(name, value)], words), 2);
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
        let (sentence, _) = refused(&with(&home, &[], &["config", "print", "--config", path]), 2);
        assert!(sentence.contains(path), "{sentence}");
    }
}

#[test]
fn path_names_the_files_of_this_home() {
    let home = Home::new();
    let said = document(
        &with(&home, &[], &["config", "path", "--json"]),
        0,
        "config-path",
    );
    let below = |path: &str| json!(home.folder().join(path).display().to_string());
    let expected = json!({
        "schema": "govdeck.config-path.v1", "config_file": below("config/govdeck/config.toml"),
        "keys_file": below("config/govdeck/keys.toml"),
        "agent_file": below("config/govdeck/agent.toml"),
        "themes_dir": below("config/govdeck/themes"), "data_dir": below("data/govdeck"),
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
        let checked = with(&home, &[], &["config", "check", "--json"]);
        let said = document(&checked, i32::from(warnings > 0), "config-check");
        assert_eq!(
            said["warnings"].as_array().expect("warnings").len(),
            warnings,
            "{said}"
        );
    }
    let text = with(
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
    let help = with(&home, &[], &["--help"]);
    let help = said(&help, 0);
    for shell in ["bash", "zsh", "fish"] {
        let script = with(&home, &[], &["completions", shell]);
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
            "theme",
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
    misused(&with(&home, &[], &["completions", "cmd"]));
    misused(&with(&home, &[], &["completions"]));
}

#[test]
fn the_bash_script_is_bash() {
    let home = Home::new();
    let script = with(&home, &[], &["completions", "bash"]);
    fs::write(home.folder().join("script"), said(&script, 0)).expect("the home is ours");
    let mut check = home.command(Path::new("bash"));
    check.args(["-n", "script"]);
    said(&run(check), 0);
}

#[test]
fn man_pages_are_written_into_a_folder() {
    let home = Home::new();
    let folder = home.folder().join("pages");
    let (sentence, _) = refused(&with(&home, &[], &["man", "pages"]), 2);
    assert!(sentence.starts_with("pages: "), "{sentence}");
    fs::create_dir(&folder).expect("the home is ours");
    assert_eq!(
        said(&with(&home, &[], &["man", "pages"]), 0),
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
    let said = document(&with(&home, &[], &["man", "pages", "--json"]), 0, "man");
    assert_eq!(said["folder"], "pages");
}

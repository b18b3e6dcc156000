//! What is refused, in which words.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::super::*;
use super::{Home, pair};

#[test]
fn a_bad_value_is_refused_in_every_layer_even_when_another_wins() {
    let home = Home::new()
        .with_file("\n  dsn = \"sqlite::memory:\"")
        .with_flag("sqlite:good.db");
    assert_eq!(
        home.refused(),
        pair(
            format!(
                "{}, line 2, column 9: `dsn` asks for a database in memory",
                home.config().display()
            ),
            "governance must outlive the program: name a file, as in sqlite:govdeck.db"
        )
    );
    let home = Home::new().with_variable("GOVDECK_LOG_LEVEL", "infos");
    assert_eq!(
        home.refused(),
        pair(
            "the environment variable `GOVDECK_LOG_LEVEL`: `log_level` is none of off, error, warn, info, debug",
            "did you mean `info`?"
        )
    );
    let home = Home::new().with_variable("GOVDECK_POOLED", "yes");
    assert_eq!(
        home.refused(),
        pair(
            "the environment variable `GOVDECK_POOLED`: `pooled` is neither true nor false",
            "write true or false"
        )
    );
    assert_eq!(
        Home::new().with_flag("mysql://u:p@h/d").refused(),
        pair(
            "the flag `--dsn`: `dsn` does not begin with a scheme this program knows",
            "write sqlite:<path> for a file or postgres://user@host/database for a server"
        )
    );
    assert_eq!(
        Home::new().with_flag("").refused().0,
        "the flag `--dsn`: `dsn` is empty"
    );
    let home = Home::new().with_file("log_file = \"\"\n");
    let place = home.config();
    assert_eq!(
        home.refused(),
        pair(
            format!(
                "{}, line 1, column 12: `log_file` is empty",
                place.display()
            ),
            "write a path, or leave the setting out"
        )
    );
    let home = Home::new().with_variable("GOVDECK_GOVERNANCE_ROOT", "a\tb");
    assert!(
        home.refused()
            .0
            .ends_with("`governance_root` holds a control character")
    );
}

#[test]
fn empty_unknown_and_undecodable_variables_are_refused() {
    for key in KEYS {
        assert_eq!(
            Home::new().with_variable(key.env, "").refused(),
            pair(
                format!("the environment variable `{}` is empty", key.env),
                &format!("give it a value, or unset {}", key.env)
            )
        );
        let broken = OsString::from_vec(b"\xff".to_vec());
        let (sentence, _) = Home::new().with_variable(key.env, broken).refused();
        assert_eq!(
            sentence,
            format!("the environment variable `{}` is not UTF-8 text", key.env)
        );
    }
    let home = Home::new()
        .with_variable("GOVDECK_CONFIG", "")
        .with_config("/x");
    assert_eq!(
        home.refused().0,
        "the environment variable `GOVDECK_CONFIG` is empty"
    );
    assert!(
        Home::new()
            .with_variable("GOVDECK_DSNN", "x")
            .load()
            .is_err()
    );
    assert!(
        Home::new()
            .with_variable("GOVDECK_ROUNDS", "")
            .load()
            .is_ok()
    );
}

#[test]
fn a_named_config_file_must_be_there() {
    for home in [
        Home::new().with_config("/nowhere/c.toml"),
        Home::new().with_variable("GOVDECK_CONFIG", "/nowhere/c.toml"),
    ] {
        assert_eq!(
            home.refused(),
            pair(
                "the config file /nowhere/c.toml does not exist",
                "correct the path, or write a file with `govdeck config init`"
            )
        );
    }
    assert_eq!(
        Home::new().with_config("").refused().0,
        "the flag `--config` is empty"
    );

    let home = Home::new().with_file("pooled = 1");
    let other = home.path("other.toml");
    fs::write(&other, "dsn = \"sqlite:other.db\"").unwrap();
    let home = home
        .with_variable("GOVDECK_CONFIG", "/nowhere")
        .with_config(&other);
    assert_eq!(home.load().unwrap().dsn.to_string(), "sqlite:other.db");
    assert_eq!(
        config_path(&home.flags, home.variables.clone()).unwrap(),
        other
    );
    let fresh = Home::new();
    assert_eq!(
        config_path(&fresh.flags, fresh.variables.clone()).unwrap(),
        fresh.config()
    );
}

#[test]
fn a_config_file_that_is_none_is_refused() {
    let home = Home::new();
    let refused = |name: &str| {
        let path = home.path(name);
        let flags = Flags {
            config: Some(path.clone()),
            ..Flags::default()
        };
        let error = Settings::load(&flags, home.variables.clone()).unwrap_err();
        let shown = path.display().to_string();
        (error.sentence.replace(&shown, "PATH"), error.hint)
    };
    assert_eq!(
        refused(""),
        pair(
            "the config file PATH is a folder",
            "give the path of a plain file"
        )
    );
    fs::write(home.path("latin"), b"# ok\n# \xe9\n").unwrap();
    assert_eq!(
        refused("latin"),
        pair(
            "PATH, line 2: the text is not UTF-8",
            "save the file as UTF-8"
        )
    );
    fs::write(home.path("large"), "#".repeat(1_000_001)).unwrap();
    assert_eq!(
        refused("large"),
        pair(
            "the config file PATH is larger than 1 MB",
            "is this the right file? a config file has a line for each setting"
        )
    );
    assert_eq!(
        refused("latin/below"),
        pair(
            "the config file PATH cannot be read: not a directory",
            "check the path and who may read it"
        )
    );
    fs::write(home.path("largest"), "#".repeat(1_000_000)).unwrap();
    let largest = Home::new().with_config(home.path("largest"));
    assert!(largest.load().is_ok());
}

#[test]
fn a_default_config_file_that_leads_nowhere_is_refused() {
    let home = Home::new().with_file("");
    fs::remove_file(home.config()).unwrap();
    assert!(home.load().is_ok());
    std::os::unix::fs::symlink("/nowhere/at/all", home.config()).unwrap();
    let sentence = format!("the config file {} does not exist", home.config().display());
    assert_eq!(home.refused().0, sentence);
}

#[test]
fn a_named_pipe_does_not_block() {
    let home = Home::new();
    let pipe = home.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let home = home.with_config(&pipe);
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(home.refused()));
    let refused = receiver.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(
        refused,
        pair(
            format!(
                "the config file {} is a pipe, a socket or a device",
                pipe.display()
            ),
            "give the path of a plain file"
        )
    );
}

#[test]
fn home_is_missed_only_where_a_default_needs_it() {
    let load = |variables: &[(&str, &str)]| {
        let pairs = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        Settings::load(&Flags::default(), pairs)
    };
    let error = load(&[]).unwrap_err();
    assert_eq!(
        (error.sentence, error.hint),
        pair(
            "cannot tell where the database belongs, because HOME is not set to an absolute path",
            "set HOME, or give `dsn`"
        )
    );
    let dsn = ("GOVDECK_DSN", "sqlite:a.db");
    let error = load(&[dsn]).unwrap_err();
    assert_eq!(
        (error.sentence, error.hint),
        pair(
            "cannot tell where the log belongs, because HOME is not set to an absolute path",
            "set HOME, or give `log_file`"
        )
    );
    let settings = load(&[dsn, ("GOVDECK_LOG_FILE", "a.log")]).unwrap();
    assert_eq!(settings.paths().config_file, None);
    let silent = load(&[dsn, ("GOVDECK_LOG_LEVEL", "off")]).unwrap();
    assert_eq!(silent.log_file.value, None);
    let error = config_path(&Flags::default(), []).unwrap_err();
    assert_eq!(error.hint, "set HOME, or give --config");
}

#[test]
fn nothing_printed_of_settings_or_errors_holds_a_password() {
    let addresses = [
        "postgres://u:Canary@h/d",
        "postgres://u:%43anary@h/d?password=Canary",
        "postgres://u:a/Canary@h/d",
        "sqlite://u:Canary@h/d",
        "Canary",
        "postgres://u@h/d?sslpassword=Canary",
    ];
    for address in addresses {
        for name in KEYS.iter().map(|key| key.name) {
            let variable = format!("GOVDECK_{}", name.to_uppercase());
            // Whoever puts a password where a path or a command belongs is shown that; nothing else may echo it.
            let is_shown = ["governance_root", "log_file", "signing_key"].contains(&name);
            let is_command = name.ends_with("_commands") || name == "bundle_drivers";
            if is_shown || (is_command && !address.contains("://")) {
                continue;
            }
            for home in [
                Home::new().with_file(&format!("{name} = \"{address}\"")),
                Home::new().with_file(&format!("{name} = {address}")),
                Home::new().with_file(&format!("{name} = [\"{address}\"]")),
                Home::new().with_variable(&variable, address),
                Home::new().with_flag(address),
            ] {
                let seen = match home.load() {
                    Ok(settings) => format!(
                        "{settings:?} {:?} {:?} {:?}",
                        settings.rows(),
                        settings.warnings(),
                        home.flags
                    ),
                    Err(error) => format!("{error} {error:?} {:?}", home.flags),
                };
                assert!(!seen.contains("anary"), "{seen}");
            }
        }
    }
}

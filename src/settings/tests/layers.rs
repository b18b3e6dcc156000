//! Which layer wins, and what the whole leads to.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::super::*;
use super::{Home, pair};

#[test]
fn defaults_lie_in_the_folders_of_the_given_home() {
    let home = Home::new();
    let settings = home.load().unwrap();
    let database = home.path(".local/share/govdeck/govdeck.db");
    assert_eq!(settings.dsn.kind(), DsnKind::Sqlite(database));
    assert_eq!(settings.direct_dsn.value, None);
    assert!(!*settings.pooled);
    assert_eq!(*settings.governance_root, Path::new("."));
    assert_eq!(*settings.log_level, LogLevel::Info);
    let log = home.path(".local/state/govdeck/govdeck.log");
    assert_eq!(settings.log_file.value, Some(log.clone()));
    assert!(
        settings
            .rows()
            .iter()
            .all(|(.., source)| source == "default")
    );
    assert_eq!(settings.warnings(), Vec::<String>::new());
    assert_eq!(
        settings.paths(),
        Paths {
            config_file: Some(home.config()),
            keys_file: Some(home.path(".config/govdeck/keys.toml")),
            agent_file: Some(home.path(".config/govdeck/agent.toml")),
            themes_dir: Some(home.path(".config/govdeck/themes")),
            data_dir: Some(home.path(".local/share/govdeck")),
            state_dir: Some(home.path(".local/state/govdeck")),
            log_file: Some(log),
        }
    );
}

#[test]
fn a_later_layer_wins() {
    let file = "# first\ndsn = \"sqlite:file.db\"\n";
    let table = [
        (Home::new().with_file(file), "sqlite:file.db", None),
        (
            Home::new()
                .with_file(file)
                .with_variable("GOVDECK_DSN", "sqlite:env.db"),
            "sqlite:env.db",
            Some(Source::Env("GOVDECK_DSN")),
        ),
        (
            Home::new()
                .with_file(file)
                .with_variable("GOVDECK_DSN", "sqlite:env.db")
                .with_flag("sqlite:flag.db"),
            "sqlite:flag.db",
            Some(Source::Flag("--dsn")),
        ),
        (
            Home::new().with_file(file).with_flag("sqlite:flag.db"),
            "sqlite:flag.db",
            Some(Source::Flag("--dsn")),
        ),
    ];
    for (home, shown, source) in table {
        let settings = home.load().unwrap();
        let path = home.config();
        assert_eq!(settings.dsn.to_string(), shown);
        assert_eq!(
            settings.dsn.source,
            source.unwrap_or(Source::File { path, line: 2 })
        );
    }
}

/// Values that differ from every default, by key.
fn other_value(key: &Key) -> &'static str {
    match key.kind {
        Kind::Dsn => "postgres://u@h/d",
        Kind::Switch => "true",
        Kind::Folder | Kind::File => "/elsewhere",
        Kind::Name => "dusk-2",
        Kind::Commands => "/opt/one --fast, two",
        Kind::Choice(words) => words[0],
    }
}

#[test]
fn every_row_of_the_table_reaches_its_field_from_every_layer() {
    for key in KEYS {
        let value = other_value(key);
        let find = |settings: &Settings| {
            let rows = settings.rows().into_iter();
            rows.filter(|(name, ..)| *name == key.name)
                .collect::<Vec<_>>()
        };
        let settings = Home::new().with_variable(key.env, value).load().unwrap();
        let source = format!("variable {}", key.env);
        assert_eq!(find(&settings), [(key.name, value.to_owned(), source)]);

        let quote = if key.kind == Kind::Switch { "" } else { "\"" };
        let home = Home::new().with_file(&format!("\n\n{} = {quote}{value}{quote}", key.name));
        let source = format!("{}, line 3", home.config().display());
        assert_eq!(
            find(&home.load().unwrap()),
            [(key.name, value.to_owned(), source)]
        );

        if let Some(flag) = key.flag {
            assert_eq!(
                Flags {
                    dsn: Some("x".into()),
                    theme: Some("x".into()),
                    ..Flags::default()
                }
                .text(flag),
                Some("x")
            );
        }
    }
    let names: Vec<_> = Home::new()
        .load()
        .unwrap()
        .rows()
        .iter()
        .map(|row| row.0)
        .collect();
    assert_eq!(names, KEYS.iter().map(|key| key.name).collect::<Vec<_>>());
}

#[test]
fn a_direct_connection_is_asked_for_only_past_a_pooler() {
    let server = "dsn = \"postgres://u:pw@pool/d\"\n";
    let direct = "direct_dsn = \"postgres://u:pw@db/d\"\n";
    let pooled = "pooled = true\n";
    let shown = |text: &str| {
        let settings = Home::new().with_file(text).load().unwrap();
        settings.direct().map(Dsn::to_string)
    };
    assert_eq!(shown(server).unwrap(), "postgres://u:***@pool/d");
    assert_eq!(
        shown(&format!("{server}{direct}")).unwrap(),
        "postgres://u:***@pool/d"
    );
    assert_eq!(
        shown(&format!("{server}{direct}{pooled}")).unwrap(),
        "postgres://u:***@db/d"
    );
    assert!(shown(pooled).unwrap().starts_with("sqlite:"));
    let error = shown(&format!("{server}{pooled}")).unwrap_err();
    assert_eq!(
        (error.sentence, error.hint),
        pair(
            "this needs a connection past the pooler, and `direct_dsn` is not set",
            "set `direct_dsn` or GOVDECK_DIRECT_DSN, or set `pooled` to false if `dsn` is direct"
        )
    );
    let home = Home::new().with_file("direct_dsn = \"sqlite:a.db\"");
    assert_eq!(
        home.refused(),
        pair(
            format!(
                "{}, line 1, column 14: `direct_dsn` is a file, and only a server has a pooler to go past",
                home.config().display()
            ),
            "write postgres://user@host/database, or leave it out"
        )
    );
}

#[test]
fn only_a_server_has_a_login_that_may_only_look() {
    let home = Home::new().with_file("viewer_dsn = \"postgres://v:pw@db/d\"");
    let rows = home.load().unwrap().rows();
    let row = rows.iter().find(|row| row.0 == "viewer_dsn").unwrap();
    assert_eq!(row.1, "postgres://v:***@db/d");
    let home = Home::new().with_variable("GOVDECK_VIEWER_DSN", "sqlite:a.db");
    assert_eq!(
        home.refused(),
        pair(
            "the environment variable `GOVDECK_VIEWER_DSN`: `viewer_dsn` is a file, and only a server has logins that may only look",
            "write postgres://user@host/database, or leave it out"
        )
    );
}

#[test]
fn warns_of_what_is_probably_not_meant() {
    let warned = |home: &Home| home.load().unwrap().warnings();
    let home = Home::new().with_file("dsn = \"postgres://u:pw@h/d\"");
    assert_eq!(warned(&home), Vec::<String>::new());
    fs::set_permissions(home.config(), fs::Permissions::from_mode(0o640)).unwrap();
    let open = format!(
        "{} holds a password and others may use the file: chmod 600 it",
        home.config().display()
    );
    assert_eq!(warned(&home), [open.as_str()]);
    let home = home.with_variable("GOVDECK_DSN", "sqlite:a.db");
    assert_eq!(
        warned(&home),
        [open],
        "a password that does not win is one too"
    );

    let table = [
        (
            Home::new().with_flag("postgres://u:pw@h/d"),
            "the password in --dsn can be seen in the list of processes: use the config file",
        ),
        (
            Home::new().with_variable("GOVDECK_POOLED", "true"),
            "`pooled` means nothing for an embedded database",
        ),
        (
            Home::new()
                .with_flag("postgres://h/d")
                .with_variable("GOVDECK_POOLED", "true"),
            "`pooled` is true without `direct_dsn`: init, agent and bundles will refuse",
        ),
        (
            Home::new().with_file("direct_dsn = \"postgres://h/d\""),
            "`direct_dsn` is not used, because `pooled` is false",
        ),
        (
            Home::new().with_file("viewer_dsn = \"postgres://h/d\""),
            "`viewer_dsn` means nothing for an embedded database",
        ),
        (
            Home::new()
                .with_flag("postgres://h/d")
                .with_variable("GOVDECK_VIEWER_DSN", "postgres://h/d"),
            "`viewer_dsn` is `dsn` itself, so looking is done with the rights to write",
        ),
        (
            Home::new().with_variable("GOVDECK_GOVERNANCE_ROOT", "/nowhere/at/all"),
            "`governance_root` /nowhere/at/all is not a folder",
        ),
    ];
    for (home, warning) in table {
        assert_eq!(warned(&home), [warning]);
    }
}

#[test]
fn the_template_loads_back_as_it_is_and_line_by_line() {
    let home = Home::new().with_file(&template());
    let settings = home.load().unwrap();
    assert!(
        settings
            .rows()
            .iter()
            .all(|(.., source)| source == "default")
    );
    for key in KEYS {
        let commented = format!("\n#{} = ", key.name);
        assert_eq!(template().matches(&commented).count(), 1, "{}", key.name);
        let text = template().replace(&commented, &commented.replace('#', ""));
        let home = Home::new().with_file(&text);
        let rows = home.load().unwrap().rows();
        let set: Vec<_> = rows.iter().filter(|row| row.2 != "default").collect();
        assert_eq!(set.len(), 1);
        assert_eq!(set[0].0, key.name);
    }
    for line in template().lines() {
        assert!(line.is_empty() || line.starts_with('#'), "{line}");
    }
}

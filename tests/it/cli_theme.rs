//! `govdeck theme`: what there is, what it says in full, and what the check finds.

use std::fs;

use serde_json::json;

use crate::cli_kit::{configured, document, fifo, refused, said, with};
use crate::support::command::Home;

/// Writes a theme into the user's folder.
fn own(home: &Home, name: &str, text: &str) {
    let folder = home.folder().join("config/govdeck/themes");
    fs::create_dir_all(&folder).expect("the home is ours");
    fs::write(folder.join(format!("{name}.toml")), text).expect("the home is ours");
}

#[test]
fn every_built_in_theme_passes() {
    let home = Home::new();
    let run = with(&home, &[], &["theme", "check", "--json"]);
    let report = document(&run, 0, "theme-check");
    let themes = report["themes"].as_array().expect("themes");
    assert_eq!(themes.len(), 7);
    for theme in themes {
        assert_eq!(
            (&theme["passes"], &theme["findings"]),
            (&json!(true), &json!([])),
            "{theme}"
        );
    }
    let text = with(&home, &[], &["theme", "check", "mono"]);
    assert_eq!(
        said(&text, 0),
        "mono: passes; the terminal decides all colours\n"
    );
}

#[test]
fn a_theme_of_ones_own_is_listed_shown_and_checked() {
    let home = Home::new();
    own(
        &home,
        "dusk",
        "name = \"dusk\"\ninherits = \"dark\"\n[tokens]\n\"muted\" = \"#505a6a\"\n",
    );
    let list = document(
        &with(&home, &[], &["theme", "list", "--json"]),
        0,
        "theme-list",
    );
    let rows = list["themes"].as_array().expect("themes");
    let file = home.folder().join("config/govdeck/themes/dusk.toml");
    assert_eq!(rows[0], json!({"name": "dark", "from": "built in"}));
    assert_eq!(
        rows[7],
        json!({"name": "dusk", "from": file.display().to_string()})
    );

    let check = document(
        &with(&home, &[], &["theme", "check", "dusk", "--json"]),
        1,
        "theme-check",
    );
    let found = &check["themes"][0]["findings"][0];
    assert_eq!(
        (&found["kind"], &found["tokens"]),
        (&json!("contrast"), &json!(["muted", "bg"]))
    );
    let text = with(
        &home,
        &[],
        &["theme", "check", file.to_str().expect("text")],
    );
    assert!(
        said(&text, 1).starts_with("dusk: 6 findings; contrast "),
        "{text:?}"
    );

    let shown = with(&home, &[], &["theme", "show", "dusk"]);
    own(&home, "dusk", said(&shown, 0));
    let again = with(&home, &[], &["theme", "show", "dusk"]);
    assert_eq!(said(&again, 0), said(&shown, 0));
    let json = document(
        &with(&home, &[], &["theme", "show", "dusk", "--json"]),
        0,
        "theme-show",
    );
    assert_eq!(json["tokens"]["muted"], "#505a6a");
}

#[test]
fn what_is_no_theme_is_refused() {
    let home = Home::new();
    own(
        &home,
        "bad",
        "name = \"bad\"\ninherits = \"dark\"\n[tokens]\n\"status.okay\" = \"green\"\n",
    );
    fifo(&home.folder().join("config/govdeck/themes/pipe.toml"));
    for (words, sentence, hint) in [
        (
            ["theme", "show", "drak"],
            "there is no theme `drak`",
            "did you mean `dark`?",
        ),
        (
            ["theme", "check", "bad"],
            "bad.toml, line 4, column 1: `status.okay` is no token",
            "did you mean `status.ok`?",
        ),
        (
            ["theme", "check", "pipe"],
            "pipe.toml is no plain file",
            "holds no theme",
        ),
        (
            ["theme", "check", "./gone.toml"],
            "gone.toml cannot be read: entity not found",
            "check the path",
        ),
    ] {
        let said = refused(&with(&home, &[], &words), 2);
        assert!(
            said.0.contains(sentence) && said.1.contains(hint),
            "{said:?}"
        );
    }
}

#[test]
fn the_theme_is_a_setting() {
    let home = Home::new();
    let theme = |variables: &[(&str, &str)], more: &[&str]| {
        let words = [&["config", "print"], more].concat();
        let print = with(&home, variables, &words);
        let line = said(&print, 0)
            .lines()
            .find(|line| line.starts_with("theme = "));
        line.expect("a line").to_owned()
    };
    assert_eq!(theme(&[], &[]), "theme = auto  (default)");
    configured(&home, "theme = \"light\"\n");
    assert!(theme(&[], &[]).starts_with("theme = light  ("));
    let variable = [("GOVDECK_THEME", "mono")];
    assert_eq!(
        theme(&variable, &[]),
        "theme = mono  (variable GOVDECK_THEME)"
    );
    assert_eq!(
        theme(&variable, &["--theme", "dark"]),
        "theme = dark  (flag --theme)"
    );
}

//! `govdeck keys`: the keys in force, and what a file of keys may not say.

use std::fs;

use serde_json::{Value, json};

use crate::cli_kit::{document, fifo, refused, said, with};
use crate::support::command::Home;

/// Writes the user's file of keys.
fn own(home: &Home, text: &str) -> String {
    let folder = home.folder().join("config/govdeck");
    fs::create_dir_all(&folder).expect("the home is ours");
    let path = folder.join("keys.toml");
    fs::write(&path, text).expect("the home is ours");
    path.display().to_string()
}

fn listed(home: &Home) -> Value {
    document(&with(home, &[], &["keys", "--json"]), 0, "keys")
}

/// Finds the row of an intent.
fn row<'a>(keys: &'a Value, intent: &str) -> &'a Value {
    let mut rows = keys["keys"].as_array().expect("keys").iter();
    rows.find(|row| row["intent"] == intent).expect("a row")
}

#[test]
fn the_keys_in_force_are_listed() {
    let home = Home::new();
    let keys = listed(&home);
    assert_eq!(
        (&keys["preset"], &keys["file"]),
        (&json!("default"), &json!(null))
    );
    assert_eq!(
        row(&keys, "verify"),
        &json!({
            "intent": "verify", "chords": ["V"], "pane": "Ledger", "from": "table",
            "about": "hash every entry and every governed row again",
        })
    );
    let action = |name: &str| {
        let mut actions = keys["actions"].as_array().expect("actions").iter();
        let found = actions.find(|action| action["action"] == name);
        found.expect("the action").clone()
    };
    assert_eq!(action("arm-console")["keys"], "a a");
    assert_eq!(action("take-block")["panes"], json!(["Home", "Blocks"]));

    let file = own(
        &home,
        "preset = \"emacs\"\n[keys]\nact = [\"x\"]\nmouse = []\n",
    );
    let keys = listed(&home);
    assert_eq!(
        (&keys["preset"], &keys["file"]),
        (&json!("emacs"), &json!(file))
    );
    let of = |intent: &str| {
        (
            row(&keys, intent)["chords"].clone(),
            row(&keys, intent)["from"].clone(),
        )
    };
    assert_eq!(of("act"), (json!(["x"]), json!("file")));
    assert_eq!(of("mouse"), (json!([]), json!("file")));
    assert_eq!(of("escape"), (json!(["esc", "ctrl-g"]), json!("preset")));
    let text = with(&home, &[], &["keys"]);
    let text = said(&text, 0);
    assert!(
        text.starts_with(&format!("preset emacs, changed by {file}\n")),
        "{text}"
    );
    assert!(text.contains("\nx a  arm-console (guard 1): "), "{text}");
    assert!(text.contains(" (everywhere)\n"), "{text}");
    assert!(text.contains(" (Home, Blocks)\n"), "{text}");
}

#[test]
fn a_file_of_keys_is_checked() {
    let home = Home::new();
    let check = || with(&home, &[], &["keys", "check", "--json"]);
    assert_eq!(
        document(&check(), 0, "keys-check"),
        json!({
            "schema": "govdeck.keys-check.v1", "file": null, "preset": "default",
            "changed": [], "without_a_key": [],
        })
    );
    let file = own(
        &home,
        "preset = \"vim\"\n[keys]\nact = [\"x\"]\nmouse = []\n",
    );
    assert_eq!(
        document(&check(), 0, "keys-check"),
        json!({
            "schema": "govdeck.keys-check.v1", "file": file, "preset": "vim",
            "changed": ["act", "mouse"], "without_a_key": ["mouse"],
        })
    );
    let other = home.folder().join("other.toml");
    fs::write(&other, "preset = \"arrows\"\n").expect("the home is ours");
    let text = with(
        &home,
        &[],
        &["keys", "check", other.to_str().expect("text")],
    );
    assert_eq!(
        said(&text, 0),
        format!(
            "{}: the keys fit together, on the preset arrows\notherwise than there: none\nwithout a key: none\n",
            other.display()
        )
    );
}

#[test]
fn the_example_of_the_page_fits_together() {
    let page = include_str!("../../docs/KEYS.md");
    let (_, example) = page.split_once("```toml\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    let home = Home::new();
    own(&home, example);
    said(&with(&home, &[], &["keys", "check"]), 0);
}

#[test]
fn what_does_not_fit_together_is_refused_everywhere() {
    let home = Home::new();
    let made = with(
        &home,
        &[],
        &[
            "init",
            "--name",
            "gov",
            "--founder",
            "maya",
            "--backup",
            "lee",
        ],
    );
    said(&made, 0);
    let file = own(&home, "preset = \"vim\"\n\n[keys]\nzoom = [\"j\"]\n");
    let expected = (
        format!("{file}, line 4, column 10: `j` means zoom here, and down too"),
        "choose another key, or take it from down, as in down = [\"down\"]".to_owned(),
    );
    for words in [
        &[][..],
        &["keys"],
        &["keys", "check"],
        &["keys", "check", &file],
    ] {
        assert_eq!(refused(&with(&home, &[], words), 2), expected, "{words:?}");
    }
    fs::remove_file(&file).expect("it is ours");
    fifo(file.as_ref());
    let pipe = refused(&with(&home, &[], &["keys"]), 2);
    assert_eq!(pipe.0, format!("the keymap {file} is no plain file"));
    let gone = refused(&with(&home, &[], &["keys", "check", "./gone.toml"]), 2);
    assert_eq!(
        gone.0,
        "the keymap ./gone.toml cannot be read: entity not found"
    );
}

//! `govdeck config schema`: the published shape of the files that a user writes says what their readers say.

use std::fs;

use govdeck::console::keymap::{Intent, Keymap, Preset};
use jsonschema::Validator;
use serde_json::Value;

use crate::cli_kit::{said, with};
use crate::support::command::Home;

const THEMES: [(&str, &str); 7] = [
    ("ansi16", include_str!("../../themes/ansi16.toml")),
    (
        "colour-blind-dark",
        include_str!("../../themes/colour-blind-dark.toml"),
    ),
    (
        "colour-blind-light",
        include_str!("../../themes/colour-blind-light.toml"),
    ),
    ("dark", include_str!("../../themes/dark.toml")),
    (
        "high-contrast",
        include_str!("../../themes/high-contrast.toml"),
    ),
    ("light", include_str!("../../themes/light.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

/// Prints a schema, which is one by the rules it names, and makes it ready.
fn schema(home: &Home, words: &[&str]) -> Validator {
    let printed = with(home, &[], &[&["config", "schema"][..], words].concat());
    let schema: Value = serde_json::from_str(said(&printed, 0)).expect("it is JSON");
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    jsonschema::draft202012::new(&schema).expect("it is a schema")
}

fn value(text: &str) -> Value {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn takes(schema: &Validator, text: &str) -> bool {
    schema.is_valid(&value(text))
}

/// Asserts that a verb and a schema agree about a file, and that both say what is expected.
fn agree(home: &Home, schema: &Validator, verb: &[&str], (text, good): (&str, bool)) {
    let path = home.folder().join("mine.toml");
    fs::write(&path, text).expect("the home is ours");
    let path = path.display().to_string();
    let run = with(home, &[], &[verb, &[path.as_str()]].concat());
    assert_eq!(run.code != Some(2), good, "{text}\n{run:?}");
    assert_eq!(takes(schema, text), good, "{text}");
}

#[test]
fn the_config_schema_says_what_the_reader_says() {
    let home = Home::new();
    let schema = schema(&home, &["config"]);
    let template = govdeck::settings::template();
    assert!(takes(&schema, &template));
    let lines = template.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting,
        _ => line,
    });
    let open = lines.collect::<Vec<_>>().join("\n");
    let settings = value(&open);
    assert_eq!(
        settings.as_object().expect("settings").len(),
        govdeck::settings::KEYS.len()
    );
    assert!(schema.is_valid(&settings), "{open}");
    for sample in [
        ("", true),
        ("pooled = true\nlog_level = \"warn\"", true),
        ("dsn = \"postgres://maya@db.example/governance\"", true),
        ("hour_commands = \"a=/opt/a --b , c=/opt/c\"", true),
        ("dns = \"sqlite:x\"", false),
        ("dsn = 7", false),
        ("dsn = \"mysql://h/d\"", false),
        ("dsn = \"\"", false),
        ("[database]\nurl = \"x\"", false),
        ("pooled = \"true\"", false),
        ("log_level = \"loud\"", false),
        ("theme = \"Dark\"", false),
        ("theme = \"\"", false),
        ("log_file = \" \"", false),
        ("governance_root = \"a\\u001bb\"", false),
        ("hour_commands = \"a,,b\"", false),
        ("hour_commands = \" \"", false),
        ("bundle_drivers = \"/opt/d postgres://u@h/d\"", false),
    ] {
        agree(&home, &schema, &["config", "check", "--config"], sample);
    }
    assert_eq!(
        said(&with(&home, &[], &["config", "schema"]), 0),
        said(&with(&home, &[], &["config", "schema", "config"]), 0)
    );
}

#[test]
fn the_theme_schema_takes_every_built_in_theme_and_refuses_what_the_reader_refuses() {
    let home = Home::new();
    let schema = schema(&home, &["theme"]);
    for (name, text) in THEMES {
        assert!(takes(&schema, text), "{name}");
        let shown = with(&home, &[], &["theme", "show", name]);
        assert!(takes(&schema, said(&shown, 0)), "{name}");
    }
    let whole = "name = \"mine\"\ninherits = \"dark\"\n";
    for (rest, good) in [
        ("", true),
        (
            "[palette]\nsea = \"#0f3f5F\"\n[tokens]\n\"fg\" = \"sea on black bold\"",
            true,
        ),
        ("[tokens]\n\"muted\" = \" default\\tdim \"", true),
        ("[palette]\nsea = \"#12345\"", false),
        ("[palette]\nbold = \"red\"", false),
        ("[palette]\nSea = \"red\"", false),
        ("[palette]\nsea = \"lake\"", false),
        ("[tokens]\n\"fg\" = \"\"", false),
        ("[tokens]\n\"fg\" = \"red on\"", false),
        ("[tokens]\n\"fg\" = \"red blinking\"", false),
        ("[tokens]\n\"fg\" = 7", false),
        ("[tokens]\n\"bg\" = \"red bold\"", false),
        ("[tokens]\n\"fgg\" = \"red\"", false),
        ("[tokens]\nstatus.ok = \"red\"", false),
        ("[token]\n\"fg\" = \"red\"", false),
    ] {
        let text = format!("{whole}{rest}");
        agree(&home, &schema, &["theme", "check"], (&text, good));
    }
    for text in [
        "inherits = \"dark\"",
        "name = \"mine\"",
        "name = \"mine\"\n[tokens]\n\"fg\" = \"red\"",
    ] {
        agree(&home, &schema, &["theme", "check"], (text, false));
    }
}

#[test]
fn the_keymap_schema_takes_every_preset_and_refuses_what_the_reader_refuses() {
    let home = Home::new();
    let schema = schema(&home, &["keymap"]);
    for preset in Preset::ALL {
        let keymap = Keymap::of(*preset).expect("it fits together");
        let rows = Intent::ALL.iter().map(|intent| {
            let keys = Value::from(keymap.written(*intent));
            format!("{intent} = {keys}\n")
        });
        let text = format!(
            "preset = \"{preset}\"\n[keys]\n{}",
            rows.collect::<String>()
        );
        agree(&home, &schema, &["keys", "check"], (&text, true));
    }
    for sample in [
        ("", true),
        ("[keys]\nverify = []", true),
        (
            "[keys]\nverify = [\"ctrl-left\", \" X  y z \", \"é\", \"ctrl-V\"]",
            true,
        ),
        ("preset = \"nano\"", false),
        ("presets = \"vim\"", false),
        ("down = [\"j\"]", false),
        ("keys = \"j\"", false),
        ("[keys]\ndwn = [\"j\"]", false),
        ("[keys]\nverify = \"j\"", false),
        ("[keys]\nverify = [1]", false),
        ("[keys]\nverify = [\"\"]", false),
        ("[keys]\nverify = [\"gg\"]", false),
        ("[keys]\nverify = [\"f5\"]", false),
        ("[keys]\nverify = [\"ctrl-i\"]", false),
        ("[keys]\nverify = [\"ctrl-M\"]", false),
        ("[keys]\nverify = [\"ctrl-enter\"]", false),
        ("[keys]\nverify = [\"alt-x\"]", false),
        ("[keys]\nverify = [\"a b c d\"]", false),
    ] {
        agree(&home, &schema, &["keys", "check"], sample);
    }
}

#[test]
fn every_setting_is_described_with_what_holds_when_nobody_sets_it() {
    let home = Home::new();
    let printed = with(&home, &[], &["config", "schema"]);
    let schema: Value = serde_json::from_str(said(&printed, 0)).expect("it is JSON");
    for key in govdeck::settings::KEYS {
        let row = &schema["properties"][key.name];
        let about = row["description"].as_str().expect("a sentence");
        for said in [key.meaning, key.default, key.env] {
            assert!(about.contains(said), "{about}");
        }
        assert!(row["type"].is_string(), "{row}");
    }
    let properties = &schema["properties"];
    assert_eq!(properties["pooled"]["default"], false);
    assert_eq!(properties["log_level"]["default"], "info");
    assert_eq!(properties["log_level"]["enum"][0], "off");
}

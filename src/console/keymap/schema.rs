//! A file of keys as a JSON Schema, made from the table of keys and the names that keys have.

use serde_json::{Map, Value, json};

use super::super::stroke::{LONGEST, pattern};
use super::{Preset, ROWS};
use crate::settings::DIALECT;

/// Describes a file of keys for editors and linters. Whether the keys fit together, reading the file finds.
#[must_use]
pub fn schema() -> Value {
    let presets = Preset::ALL
        .iter()
        .map(|preset| json!({"const": preset.word(), "description": preset.about()}));
    let stroke = pattern();
    let chord = format!(r"^\s*{stroke}(\s+{stroke}){{0,{}}}\s*$", LONGEST - 1);
    let keys = ROWS.iter().map(|row| {
        let about = match row.only {
            Some(pane) => format!("{} (in {pane} only)", row.about),
            None => row.about.to_owned(),
        };
        let keys = json!({
            "description": about,
            "type": "array",
            "items": {"$ref": "#/$defs/chord"},
            "default": row.keys,
        });
        (row.intent.word().to_owned(), keys)
    });
    json!({
        "$schema": DIALECT,
        "title": "The keys of govdeck",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "preset": {
                "description": "The keymap that the rest changes.",
                "oneOf": presets.collect::<Vec<_>>(),
                "default": Preset::default().word(),
            },
            "keys": {
                "description": "What each meaning has instead of the preset's keys; an empty list takes them away.",
                "type": "object",
                "additionalProperties": false,
                "properties": keys.collect::<Map<_, _>>(),
            },
        },
        "$defs": {"chord": {
            "description": "One to three keys in a row, with blanks between them, as in \"g g\" or \"ctrl-n\".",
            "type": "string", "pattern": chord,
        }},
    })
}

//! The config file as a JSON Schema, made from the table of settings.

use serde_json::{Map, Value, json};

use super::keys::{KEYS, Key, Kind};

/// Which published rules a schema follows.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// What no text in a file may hold, as it stands inside of brackets in a pattern.
pub(crate) const CONTROLS: &str = r"\u0000-\u001f\u007f-\u009f";

/// Describes the config file for editors and linters. What only the whole shows, reading it finds.
#[must_use]
pub fn schema() -> Value {
    let settings = KEYS.iter().map(|key| (key.name.to_owned(), setting(key)));
    json!({
        "$schema": DIALECT,
        "title": "The config file of govdeck",
        "type": "object",
        "additionalProperties": false,
        "properties": settings.collect::<Map<_, _>>(),
    })
}

fn setting(key: &Key) -> Value {
    let mut schema = key.kind.schema();
    let flag = key.flag.map(|flag| format!(", flag {flag}"));
    schema["description"] = json!(format!(
        "{} Takes {}. Default: {}. Also: variable {}{}.",
        key.meaning,
        key.kind,
        key.default,
        key.env,
        flag.unwrap_or_default()
    ));
    match key.kind {
        Kind::Switch => schema["default"] = json!(key.default == "true"),
        Kind::Name | Kind::Choice(_) => schema["default"] = json!(key.default),
        _ => {}
    }
    // A value is spelled in TOML as in JSON: a text in quotes, or true or false.
    if let Ok(example) = serde_json::from_str::<Value>(key.example) {
        schema["examples"] = json!([example]);
    }
    schema
}

impl Kind {
    /// Says what a value of the kind looks like; what is refused here, its reader refuses too.
    fn schema(self) -> Value {
        let text = |pattern: String| json!({"type": "string", "pattern": pattern});
        match self {
            Self::Dsn => text(format!("^(sqlite|postgres|postgresql):[^{CONTROLS}]+$")),
            Self::Switch => json!({"type": "boolean"}),
            Self::Folder | Self::File => {
                text(format!(r"^[^{CONTROLS}]*[^\s{CONTROLS}][^{CONTROLS}]*$"))
            }
            Self::Name => text("^[a-z0-9-]+$".to_owned()),
            Self::Commands => {
                let command = format!(r"[^,{CONTROLS}]*[^,\s{CONTROLS}][^,{CONTROLS}]*");
                let mut schema = text(format!("^{command}(,{command})*$"));
                schema["not"] = json!({"pattern": "://"});
                schema
            }
            Self::Choice(words) => json!({"type": "string", "enum": words}),
        }
    }
}

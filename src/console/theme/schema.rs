//! A theme file as a JSON Schema, made from the tokens and the words of styles.

use serde_json::{Map, Value, json};

use super::colour::{ANSI, DEFAULT};
use super::sheet::MODIFIERS;
use super::token::{Kind, Token};
use crate::settings::DIALECT;

/// What can be the name of a theme or a colour.
const PLAIN: &str = "[a-z0-9-]{1,40}";

/// Describes a theme file for editors and linters. Whether a colour has a meaning, reading the file finds.
#[must_use]
pub fn schema() -> Value {
    let tokens = Token::ALL.iter();
    let styles = tokens
        .clone()
        .map(|token| (token.name().to_owned(), style(*token)));
    let names: Vec<_> = tokens.map(|token| token.name()).collect();
    let name = format!("^{PLAIN}$");
    json!({
        "$schema": DIALECT,
        "title": "A theme of govdeck",
        "type": "object",
        "additionalProperties": false,
        "required": ["name"],
        "properties": {
            "name": {
                "description": "The name of the file without its ending.",
                "type": "string", "pattern": name,
            },
            "inherits": {
                "description": "The theme that says what this one leaves out.",
                "type": "string", "pattern": name,
            },
            "palette": {
                "description": "Colours by names of your own.",
                "type": "object",
                "propertyNames": {"pattern": name, "not": {"enum": words_of_styles()}},
                "additionalProperties": {"type": "string", "pattern": format!("^({})$", colour())},
            },
            "tokens": {
                "description": "What each thing on the screen looks like.",
                "type": "object",
                "additionalProperties": false,
                "properties": styles.collect::<Map<_, _>>(),
            },
        },
        "if": {"not": {"required": ["inherits"]}},
        "then": {"required": ["tokens"], "properties": {"tokens": {"required": names}}},
    })
}

fn words_of_styles() -> Vec<&'static str> {
    let modifiers = MODIFIERS.iter().map(|(word, _)| *word);
    ["on", DEFAULT].into_iter().chain(modifiers).collect()
}

/// Spells what is a colour by itself.
fn colour() -> String {
    let names: Vec<_> = ANSI.iter().map(|(name, ..)| *name).collect();
    format!("#[0-9a-fA-F]{{6}}|{DEFAULT}|{}", names.join("|"))
}

/// Spells the style of a token: a colour, perhaps `on` another, perhaps modifiers; a background is a colour alone.
fn style(token: Token) -> Value {
    let colour = format!("(#[0-9a-fA-F]{{6}}|{PLAIN})");
    let rest = match token.kind() {
        Kind::Ground => String::new(),
        Kind::Text | Kind::Selected | Kind::Line => {
            let modifiers = MODIFIERS.map(|(word, _)| word).join("|");
            format!(r"([ \t]+on[ \t]+{colour})?([ \t]+({modifiers}))*")
        }
    };
    json!({
        "description": token.meaning(),
        "type": "string",
        "pattern": format!(r"^[ \t]*{colour}{rest}[ \t]*$"),
    })
}

//! The page of schemas says what the published schemas say.
//!
//! To renew it: `GOVDECK_BLESS=1 cargo test --test it docs`.

use std::fmt::Write as _;

use govdeck::rules::bundle::Schema;
use serde_json::Value;

use crate::docs::{assert_current, row};

/// A schema and what its references lead to.
struct Shown<'a> {
    whole: &'a Value,
    table: String,
}

impl<'a> Shown<'a> {
    /// Follows a reference inside of the same schema.
    fn followed(&self, part: &'a Value) -> &'a Value {
        let Some(place) = part["$ref"].as_str() else {
            return part;
        };
        let place = place.strip_prefix('#').expect("it stays inside");
        self.whole.pointer(place).expect("it leads somewhere")
    }

    /// Writes a row for each member of an object, and for what lies in it.
    fn members(&mut self, object: &'a Value, before: &str) {
        let required: Vec<_> = object["required"]
            .as_array()
            .into_iter()
            .flatten()
            .collect();
        for (name, part) in object["properties"].as_object().into_iter().flatten() {
            let needed = required.iter().any(|it| *it == name);
            self.member(&format!("{before}{name}"), part, needed);
        }
    }

    fn member(&mut self, name: &str, part: &'a Value, needed: bool) {
        let target = self.followed(part);
        let about = [part, target].map(|of| of["description"].as_str());
        let about = about.into_iter().flatten().next().unwrap_or_default();
        let needed = if needed { "yes" } else { "" };
        self.table += &row(&[&format!("`{name}`"), &kind(target), needed, about]);
        let within = self.followed(&target["items"]);
        self.members(within, &format!("{name}[]."));
        self.members(target, &format!("{name}."));
    }
}

/// Says in words what a value has to be.
fn kind(part: &Value) -> String {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let listed = |values: &Value| {
        let words = values.as_array().into_iter().flatten().map(text);
        let words: Vec<_> = words.map(|word| format!("`{word}`")).collect();
        words.join(", ")
    };
    if !part["const"].is_null() {
        return format!("`{}`", text(&part["const"]));
    }
    if part["enum"].is_array() {
        return format!("one of {}", listed(&part["enum"]));
    }
    let mut says = match &part["type"] {
        Value::String(one) => one.clone(),
        Value::Array(many) => many.iter().map(text).collect::<Vec<_>>().join(" or "),
        _ => "anything".to_owned(),
    };
    for (limit, before, after) in [
        ("minimum", "at least", ""),
        ("maximum", "at most", ""),
        ("minItems", "at least", " elements"),
        ("maxItems", "at most", " elements"),
        ("maxLength", "at most", " characters"),
        ("pattern", "like", ""),
    ] {
        if !part[limit].is_null() {
            let _ = write!(says, ", {before} `{}`{after}", text(&part[limit]));
        }
    }
    says
}

#[test]
fn the_tables_of_schemas_are_current() {
    let mut page = String::new();
    for schema in Schema::ALL {
        let whole: Value = serde_json::from_str(schema.text()).expect("it is JSON");
        let about = whole["description"].as_str().expect("it says what it is");
        let _ = write!(page, "\n## {}\n\n{about}\n\n", schema.word());
        let mut shown = Shown {
            whole: &whole,
            table: row(&["member", "value", "needed", "meaning"]) + "|---|---|---|---|\n",
        };
        shown.members(&whole, "");
        page += &shown.table;
    }
    assert_current("docs/schemas.md", &page);
}

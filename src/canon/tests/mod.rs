//! Tests of the floor as a whole: the standard's own samples, refusals, an independent oracle.

mod keysets;
mod oracle;
mod refusals;
mod rfc8785;
mod templates;
mod tuples;

use proptest::prelude::*;
use serde_json::Value;

use super::canonical;

/// Gives the canonical text, for readable assertions.
fn canon(json: &str) -> String {
    String::from_utf8(canonical(json.as_bytes()).unwrap()).unwrap()
}

/// Asks the oracle.
fn oracle_bytes(value: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).unwrap()
}

/// Makes texts out of characters that are handled in different ways.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => prop::char::range('a', 'd'),
        1 => prop::char::range('\0', '\u{7f}'),
        1 => prop::sample::select(vec!['"', '\\', '/', '\u{7f}', '\u{80}', 'é', '€', '\u{2028}']),
        1 => prop::sample::select(vec!['\u{d7ff}', '\u{e000}', '\u{ffff}', '\u{10000}', '😀']),
        1 => any::<char>(),
    ];
    prop::collection::vec(character, 0..12).prop_map(String::from_iter)
}

/// Makes numbers of every size and shape, but only integers that every reader agrees on.
fn number() -> impl Strategy<Value = Value> {
    let finite = any::<u64>()
        .prop_map(f64::from_bits)
        .prop_filter("finite", |n| n.is_finite());
    prop_oneof![
        (-999_999_999_999_i64..999_999_999_999).prop_map(Value::from),
        (-99_999_i32..99_999).prop_map(|cents| Value::from(f64::from(cents) / 100.0)),
        finite.prop_map(Value::from),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![Value::Null, Value::from(true), Value::from(false)]);
    prop_oneof![word, number(), text().prop_map(Value::from)]
}

/// Makes whole documents.
fn document() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Draws small numbers, always the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.roll(index + 1));
        }
    }
}

/// Writes a document with random white space, escapes and order of keys.
fn render(value: &Value, dice: &mut Dice, out: &mut String) {
    space(dice, out);
    match value {
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                render(element, dice, out);
            }
            space(dice, out);
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            dice.shuffle(&mut members);
            out.push('{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                space(dice, out);
                render_text(name, dice, out);
                space(dice, out);
                out.push(':');
                render(member, dice, out);
            }
            space(dice, out);
            out.push('}');
        }
        Value::String(text) => render_text(text, dice, out),
        Value::Number(number) => render_number(&number.to_string(), dice, out),
        word => out.push_str(&word.to_string()),
    }
    space(dice, out);
}

fn space(dice: &mut Dice, out: &mut String) {
    while dice.roll(3) == 0 {
        out.push([' ', '\n', '\t', '\r'][dice.roll(4)]);
    }
}

fn render_number(text: &str, dice: &mut Dice, out: &mut String) {
    out.push_str(text);
    let is_plain = !text.contains('e');
    if is_plain && dice.roll(3) == 0 {
        out.push_str(if text.contains('.') { "00" } else { ".0" });
    }
    if is_plain && dice.roll(4) == 0 {
        out.push_str(["e0", "E+0", "e-00"][dice.roll(3)]);
    }
}

fn render_text(text: &str, dice: &mut Dice, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        let must = character < ' ' || character == '"' || character == '\\';
        if !must && dice.roll(4) != 0 {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let escape = format!("\\u{unit:04x}");
            let upper = dice.roll(2) == 0;
            out.push_str(&if upper {
                escape.to_uppercase().replace('U', "u")
            } else {
                escape
            });
        }
    }
    out.push('"');
}

//! One press of a key, as people write it: `j`, `ctrl-c`, `enter`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::rules::Refusal;

/// One press of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stroke {
    /// The key.
    pub code: KeyCode,
    /// Whether control was held.
    pub control: bool,
}

/// The keys that have names instead of characters.
const NAMED: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("space", KeyCode::Char(' ')),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
];

impl Stroke {
    /// Reads a key event; one with alt or super is none of ours.
    #[must_use]
    pub fn of(key: &KeyEvent) -> Option<Self> {
        let foreign = KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META;
        if key.modifiers.intersects(foreign) {
            return None;
        }
        Some(Self {
            code: key.code,
            control: key.modifiers.contains(KeyModifiers::CONTROL),
        })
    }

    /// Returns the character that was typed, if it was one.
    #[must_use]
    pub fn character(self) -> Option<char> {
        match self.code {
            KeyCode::Char(character) if !self.control => Some(character),
            _ => None,
        }
    }
}

impl fmt::Display for Stroke {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.control {
            out.write_str("ctrl-")?;
        }
        match (NAMED.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => out.write_str(name),
            (None, KeyCode::Char(character)) => write!(out, "{character}"),
            (None, other) => write!(out, "{other:?}"),
        }
    }
}

impl FromStr for Stroke {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let (control, name) = match text.strip_prefix("ctrl-") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let mut characters = name.chars();
        let code = match NAMED.iter().find(|(named, _)| *named == name) {
            Some((_, code)) => *code,
            None => match (characters.next(), characters.next()) {
                (Some(only), None) if !only.is_control() => KeyCode::Char(only),
                _ => {
                    let names: Vec<_> = NAMED.iter().map(|(name, _)| *name).collect();
                    return Err(Refusal::new(
                        format!("{text:?} is no key"),
                        format!(
                            "one character, or one of: {}; with ctrl- before it",
                            names.join(", ")
                        ),
                    ));
                }
            },
        };
        Ok(Self { code, control })
    }
}

/// Reads a chord: strokes with blanks between them, like `g g`.
pub fn chord(text: &str) -> Result<Vec<Stroke>, Refusal> {
    text.split_whitespace().map(str::parse).collect()
}

/// Writes a chord as people read it.
#[must_use]
pub fn written(chord: &[Stroke]) -> String {
    chord
        .iter()
        .map(Stroke::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strokes_read_back_what_they_write() {
        for text in [
            "j",
            "G",
            "?",
            "ctrl-c",
            "enter",
            "space",
            "pgdn",
            "ctrl-left",
            "é",
        ] {
            assert_eq!(text.parse::<Stroke>().expect("a key").to_string(), text);
        }
        for text in ["", "jj", "ctrl-", "f1", "alt-x", "\u{1b}"] {
            assert!(text.parse::<Stroke>().is_err(), "{text:?} was taken");
        }
        assert_eq!(written(&chord("g g").expect("a chord")), "g g");
    }
}

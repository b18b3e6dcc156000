//! One press of a key, as people write it: `j`, `ctrl-c`, `enter`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::user_file::quoted;
use crate::rules::Refusal;
use crate::settings::{CONTROLS, nearest};

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

/// What people call keys elsewhere, and what they are called here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("return", "enter"),
    ("escape", "esc"),
    ("pagedown", "pgdn"),
    ("pageup", "pgup"),
    ("shift-tab", "backtab"),
    ("bs", "backspace"),
];

/// The most strokes in a chord of a keymap.
pub(super) const LONGEST: usize = 3;

impl Stroke {
    /// The key that is always safe.
    pub const ESC: Self = Self {
        code: KeyCode::Esc,
        control: false,
    };
    /// The key that always asks whether to leave.
    pub const CTRL_C: Self = Self {
        code: KeyCode::Char('c'),
        control: true,
    };

    /// Reads a key event; one with alt or super is none of ours.
    #[must_use]
    pub fn of(key: &KeyEvent) -> Option<Self> {
        let foreign = KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META;
        if key.modifiers.intersects(foreign) {
            return None;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        Some(Self::plain(key.code, control))
    }

    /// With control, terminals do not tell upper case from lower case.
    fn plain(code: KeyCode, control: bool) -> Self {
        let code = match code {
            KeyCode::Char(character) if control => KeyCode::Char(character.to_ascii_lowercase()),
            code => code,
        };
        Self { code, control }
    }

    /// Tells whether a terminal sends it as itself, and not as another key or not at all.
    pub(super) fn arrives(self) -> bool {
        match self.code {
            _ if !self.control => true,
            KeyCode::Char(' ')
            | KeyCode::Up
            | KeyCode::Down
            | KeyCode::Left
            | KeyCode::Right
            | KeyCode::PageUp
            | KeyCode::PageDown
            | KeyCode::Home
            | KeyCode::End => true,
            // These two are tab and enter.
            KeyCode::Char(letter) => letter.is_ascii_lowercase() && !"im".contains(letter),
            _ => false,
        }
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
            (None, KeyCode::F(number)) => write!(out, "F{number}"),
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
                (Some(only), None) if !only.is_control() && !only.is_whitespace() => {
                    KeyCode::Char(only)
                }
                _ => return Err(unknown(text)),
            },
        };
        Ok(Self::plain(code, control))
    }
}

/// Spells every stroke that can be typed, as a pattern.
pub(super) fn pattern() -> String {
    let with_control = |code| Stroke::plain(code, true).arrives();
    let names = |takes: &dyn Fn(KeyCode) -> bool| {
        let named = NAMED.iter().filter(|(_, code)| takes(*code));
        named.map(|(name, _)| *name).collect::<Vec<_>>().join("|")
    };
    let letters = ('a'..='z').chain('A'..='Z');
    let letters: String = letters
        .filter(|letter| with_control(KeyCode::Char(*letter)))
        .collect();
    format!(
        r"({}|[^\s{CONTROLS}]|ctrl-({}|[{letters}]))",
        names(&|_| true),
        names(&with_control)
    )
}

/// Says that there is no such key, and what was probably meant.
fn unknown(text: &str) -> Refusal {
    let names = NAMED.iter().map(|(name, _)| *name);
    let elsewhere =
        |(there, here): &(&str, &str)| text.eq_ignore_ascii_case(there).then(|| (*here).to_owned());
    let emacs = || {
        Some(format!(
            "ctrl-{}",
            text.strip_prefix("C-").or(text.strip_prefix('^'))?
        ))
    };
    let apart = || {
        let letters = text.chars().all(|c| c.is_ascii_graphic() && c != '-');
        let apart: Vec<String> = text.chars().map(String::from).collect();
        (letters && (2..=LONGEST).contains(&apart.len())).then(|| apart.join(" "))
    };
    let near = ELSEWHERE
        .iter()
        .find_map(elsewhere)
        .or_else(|| emacs().filter(|near| near.parse::<Stroke>().is_ok()))
        .or_else(|| nearest(text, names.clone()).map(str::to_owned))
        .or_else(apart);
    let hint = near.map_or_else(
        || {
            let names: Vec<_> = names.collect();
            format!(
                "a key is one character, or one of {}, perhaps with ctrl- before it",
                names.join(", ")
            )
        },
        |near| format!("did you mean `{near}`?"),
    );
    Refusal::new(format!("{} is no key", quoted(text)), hint)
}

/// Reads strokes with blanks between them, like `g g`.
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
        for text in ["", " ", "jj", "ctrl-", "f1", "alt-x", "\u{1b}"] {
            assert!(text.parse::<Stroke>().is_err(), "{text:?} was taken");
        }
        assert_eq!(written(&chord("g g").expect("a chord")), "g g");
        assert_eq!(Stroke::plain(KeyCode::F(5), false).to_string(), "F5");
    }

    #[test]
    fn control_knows_no_upper_case_and_nothing_that_arrives_as_another_key() {
        assert_eq!("ctrl-C".parse::<Stroke>().expect("a key"), Stroke::CTRL_C);
        let shifted = KeyModifiers::CONTROL | KeyModifiers::SHIFT;
        let typed = KeyEvent::new(KeyCode::Char('C'), shifted);
        assert_eq!(Stroke::of(&typed), Some(Stroke::CTRL_C));
        for text in [
            "ctrl-i",
            "ctrl-M",
            "ctrl-[",
            "ctrl-enter",
            "ctrl-esc",
            "ctrl-tab",
            "ctrl-1",
        ] {
            assert!(!text.parse::<Stroke>().expect("a key").arrives(), "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_told_what_it_may_be() {
        for (text, meant) in [
            ("Return", "enter"),
            ("PageDown", "pgdn"),
            ("spcae", "space"),
            ("C-x", "ctrl-x"),
            ("^X", "ctrl-X"),
            ("gg", "g g"),
        ] {
            let refusal = text.parse::<Stroke>().expect_err(text);
            assert_eq!(refusal.sentence, format!("`{text}` is no key"));
            assert_eq!(refusal.hint, format!("did you mean `{meant}`?"));
        }
        let other = "alt-x".parse::<Stroke>().expect_err("no key");
        assert!(other.hint.contains("one of enter, esc"), "{}", other.hint);
    }
}

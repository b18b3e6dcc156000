//! The one error of this floor.

use std::fmt;

/// Says in one sentence why the settings cannot be used, and in a hint what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct SettingsError {
    /// Names the place and the thing that is wrong; never holds a value that was read.
    pub sentence: String,
    /// Says what would make it right.
    pub hint: String,
}

impl SettingsError {
    pub(super) fn new(sentence: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            hint: hint.into(),
        }
    }

    pub(super) fn at(place: &impl fmt::Display, fault: Fault) -> Self {
        Self {
            sentence: format!("{place}: {}", fault.what),
            hint: fault.hint,
        }
    }
}

/// Says what is wrong with a thing before it is known where the thing stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub what: String,
    pub hint: String,
}

impl Fault {
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
        }
    }
}

/// Names a key or variable in an error, unless its text could be something else than a name.
pub(super) fn named(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !word.is_empty() && word.len() <= 64 && word.chars().all(plain) {
        format!("`{word}`")
    } else {
        "(a name with unusual characters)".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_repeated() {
        assert_eq!(named("log_level"), "`log_level`");
        for odd in [
            "",
            "a b",
            "x\u{1b}[31m",
            "postgres://u:p@h/d",
            &"x".repeat(65),
        ] {
            assert_eq!(named(odd), "(a name with unusual characters)");
        }
    }

    #[test]
    fn displays_its_sentence() {
        let error = SettingsError::new("this is wrong", "do that");
        assert_eq!(error.to_string(), "this is wrong");
    }
}

//! Files that a user writes for the console: read with care, and every complaint with its line and column.

use std::borrow::Cow;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::settings::{nearest, position, shown_path};

const LARGEST: u64 = 64 * 1024;

/// Says in one sentence why a file of the user cannot be used, and in a hint what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct FileError {
    /// Names the file, the place and what is wrong there.
    pub sentence: String,
    /// Says what would make it right.
    pub hint: String,
}

impl FileError {
    pub(super) fn new(sentence: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            hint: hint.into(),
        }
    }

    /// Complains about a place in a text; `shown` names where the text comes from.
    pub(super) fn at(
        shown: &str,
        text: &str,
        start: usize,
        what: impl Display,
        hint: impl Into<String>,
    ) -> Self {
        let (line, column) = position(text, start);
        Self::new(
            format!("{shown}, line {line}, column {column}: {what}"),
            hint,
        )
    }
}

pub(super) type Key<'a> = Spanned<Cow<'a, str>>;
pub(super) type Value<'a> = Spanned<DeValue<'a>>;

/// Reads a plain file of a bearable size; `what` says what it should hold.
pub(super) fn read(path: &Path, what: &str) -> Result<String, FileError> {
    let shown = shown_path(path);
    let unreadable = |error: io::Error| {
        FileError::new(
            format!("the {what} {shown} cannot be read: {}", error.kind()),
            "check the path and who may read it",
        )
    };
    // Opening a named pipe waits for a writer, so nothing is opened before this check.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(FileError::new(
            format!("the {what} {shown} is no plain file"),
            format!("a folder, a pipe or a device holds no {what}"),
        ));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    let read = file.take(LARGEST + 1).read_to_end(&mut bytes);
    if read.map_err(unreadable)? as u64 > LARGEST {
        return Err(FileError::new(
            format!("the {what} {shown} is larger than 64 KB"),
            format!("is this the right file? a {what} has a few lines"),
        ));
    }
    String::from_utf8(bytes).map_err(|_| {
        FileError::new(
            format!("the {what} {shown} is not UTF-8"),
            "save the file as UTF-8",
        )
    })
}

/// Repeats a word from a file, as long as that helps.
pub(super) fn quoted(word: &str) -> String {
    if word.chars().count() <= 40 && !word.contains(char::is_control) {
        format!("`{word}`")
    } else {
        "(a long or unusual text)".to_owned()
    }
}

/// Names what a person probably meant, or all that there is.
pub(super) fn meant(word: &str, what: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known {what}s: {}", known.join(", ")),
    }
}

/// Lists what a table holds, as it stands in the file.
pub(super) fn in_order<'a>(table: &'a DeTable<'a>) -> Vec<(&'a Key<'a>, &'a Value<'a>)> {
    let mut pairs: Vec<_> = table.iter().collect();
    pairs.sort_by_key(|(key, _)| key.span().start);
    pairs
}

/// Finds where the first letter of a text in quotes stands.
pub(super) fn first_letter(file: &str, value: &Value<'_>, text: &str) -> usize {
    // With escapes in it, the text does not stand in the file as it is; then the column is only near.
    let inside = file.get(value.span()).and_then(|quoted| quoted.find(text));
    value.span().start + inside.unwrap_or(0)
}

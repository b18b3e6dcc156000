//! What is wrong with an input, and where.

use std::fmt;

use super::RejectReason;
use crate::canon::JsonError;
use crate::rules::text;

/// The most characters of somebody else's text that a message repeats.
const QUOTED_CHARACTERS: usize = 40;

/// Where in a file something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Nowhere in particular.
    Whole,
    /// At a character, both counted from 1; a line ends at a line feed.
    At {
        /// The line.
        line: usize,
        /// The column in characters.
        column: usize,
    },
    /// In a field.
    Field(&'static str),
}

/// Says what is wrong with a text and where; the text has no name here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub what: String,
}

impl Fault {
    /// Makes a fault of a text as a whole.
    pub fn whole(what: impl Into<String>) -> Self {
        Self {
            place: Place::Whole,
            what: what.into(),
        }
    }

    /// Makes a fault of a field.
    pub fn of_field(field: &'static str, what: impl Into<String>) -> Self {
        Self {
            place: Place::Field(field),
            what: what.into(),
        }
    }

    /// Makes a fault at a byte of a text.
    #[cold]
    pub(super) fn at(text: &[u8], offset: usize, what: impl Into<String>) -> Self {
        let before = &text[..offset.min(text.len())];
        let line_start = before.iter().rposition(|byte| *byte == b'\n');
        let begun = &before[line_start.map_or(0, |newline| newline + 1)..];
        let characters = begun.iter().filter(|byte| **byte & 0xC0 != 0x80);
        Self {
            place: Place::At {
                line: before.split(|byte| *byte == b'\n').count(),
                column: 1 + characters.count(),
            },
            what: what.into(),
        }
    }

    /// Makes the rejection of a file for this.
    #[must_use]
    pub fn rejects(self, reason: RejectReason, file: &str) -> Reject {
        Reject {
            reason,
            file: file.to_owned(),
            fault: self,
        }
    }
}

impl From<JsonError> for Fault {
    fn from(error: JsonError) -> Self {
        Self {
            place: Place::At {
                line: error.line,
                column: error.column,
            },
            what: error.what,
        }
    }
}

/// Says why inputs are not compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The reason, a fixed word.
    pub reason: RejectReason,
    /// The file it is found in.
    pub file: String,
    /// What is wrong there.
    pub fault: Fault,
}

impl fmt::Display for Reject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, what) = (&self.file, &self.fault.what);
        match &self.fault.place {
            Place::Whole => write!(out, "{file}: {what}"),
            Place::At { line, column } => {
                write!(out, "{file}, line {line}, column {column}: {what}")
            }
            Place::Field(field) => write!(out, "{file}, {field}: {what}"),
        }
    }
}

/// Quotes somebody else's text for a message: invisible characters become visible, long text is cut.
pub(in crate::rules) fn quoted(foreign: &str) -> String {
    format!("{:?}", text::shorten(foreign, QUOTED_CHARACTERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        for (text, offset, line, column) in [
            ("", 0, 1, 1),
            ("ab", 1, 1, 2),
            ("ab\ncd", 3, 2, 1),
            ("ab\r\n\ncd", 6, 3, 2),
            ("é€😀x", 9, 1, 4),
            ("ab", 99, 1, 3),
        ] {
            let fault = Fault::at(text.as_bytes(), offset, "x");
            assert_eq!(fault.place, Place::At { line, column }, "{text:?} {offset}");
        }
    }

    #[test]
    fn a_rejection_names_file_and_place() {
        let reject = |fault: Fault| fault.rejects(RejectReason::CsvInvalid, "a.csv").to_string();
        assert_eq!(reject(Fault::whole("why")), "a.csv: why");
        assert_eq!(reject(Fault::of_field("side", "why")), "a.csv, side: why");
        let placed = Fault::at(b"x\ny", 2, "why");
        assert_eq!(reject(placed), "a.csv, line 2, column 1: why");
    }

    #[test]
    fn quoting_shows_what_is_invisible() {
        assert_eq!(quoted("a\u{202e}b\u{1b}"), r#""a\u{202e}b\u{1b}""#);
        assert!(quoted(&"x".repeat(1_000_000)).len() < 50);
    }
}

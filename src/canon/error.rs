//! Where a text was refused and why.

use thiserror::Error;

use super::scan::Scanner;

/// The most characters of somebody else's text that a message repeats.
const QUOTED_CHARACTERS: usize = 40;

/// Says where a JSON text was refused, and why.
///
/// `what` is safe to show: text taken from the input is escaped and shortened before it gets here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {what}")]
pub struct JsonError {
    /// The line, counted from 1; a line ends at a line feed.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The refusal in words.
    pub what: String,
    reason: Reason,
}

/// Sorts refusals by what a caller may want to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The text is not strict JSON, or not of the shape that was asked for.
    Malformed,
    /// Two keys of one object are equal, or two raw paths flatten to one dotted path.
    DuplicateKey,
    /// A raw key contains a dot, so its dotted path would be ambiguous.
    DottedKey,
}

impl JsonError {
    /// Finds the line and column of a byte offset and makes the refusal.
    #[cold]
    pub(super) fn at(input: &[u8], offset: usize, reason: Reason, what: String) -> Fault {
        Fault(Box::new(Places::of(input).error(offset, reason, what)))
    }

    /// Tells which kind of refusal this is.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }
}

/// Finds the lines and columns of byte offsets that ascend, going through the text once.
pub(super) struct Places<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
    column: usize,
}

impl<'a> Places<'a> {
    pub(super) fn of(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
            column: 1,
        }
    }

    /// Makes the refusal at an offset no smaller than the one before.
    pub(super) fn error(&mut self, offset: usize, reason: Reason, what: String) -> JsonError {
        let offset = offset.clamp(self.at, self.text.len().max(self.at));
        let passed = &self.text[self.at..offset];
        let mut begun = passed;
        if let Some(newline) = passed.iter().rposition(|&byte| byte == b'\n') {
            self.line += passed.split(|&byte| byte == b'\n').count() - 1;
            self.column = 1;
            begun = &passed[newline + 1..];
        }
        let starts_character = |byte: &&u8| **byte & 0xC0 != 0x80;
        self.column += begun.iter().filter(starts_character).count();
        self.at = offset;
        JsonError {
            line: self.line,
            column: self.column,
            what,
            reason,
        }
    }
}

/// Carries a [`JsonError`] out of the reader; boxed, because the way of success is hot and should
/// stay narrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(Box<JsonError>);

impl From<Fault> for JsonError {
    fn from(fault: Fault) -> Self {
        *fault.0
    }
}

/// Quotes hostile text for a message: invisible characters become visible, long text is cut.
pub(super) fn quoted(text: &str) -> String {
    let mut shown = String::from("\"");
    let mut length = 0;
    for character in text.chars() {
        let escaped = character.escape_debug();
        length += escaped.len();
        if length > QUOTED_CHARACTERS {
            shown.push('…');
            break;
        }
        shown.extend(escaped);
    }
    shown.push('"');
    shown
}

/// Makes the refusal of a key that its object already has.
#[cold]
pub(super) fn duplicate_key(scanner: &Scanner<'_>, name: &str, at: usize) -> Fault {
    scanner.refusal(at, Reason::DuplicateKey, duplicate_key_words(name))
}

/// Says that an object already has a key.
pub(super) fn duplicate_key_words(name: &str) -> String {
    format!("duplicate key {}", quoted(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(input: &str, offset: usize) -> (usize, usize) {
        let fault = JsonError::at(input.as_bytes(), offset, Reason::Malformed, String::new());
        let error = JsonError::from(fault);
        (error.line, error.column)
    }

    #[test]
    fn places_count_lines_and_characters_from_one() {
        assert_eq!(place("", 0), (1, 1));
        assert_eq!(place("ab", 1), (1, 2));
        assert_eq!(place("ab\ncd", 3), (2, 1));
        assert_eq!(place("ab\r\n\ncd", 6), (3, 2));
        assert_eq!(place("é€😀x", "é€😀".len()), (1, 4));
        assert_eq!(place("ab", 99), (1, 3));
    }

    #[test]
    fn places_are_the_same_however_one_gets_there() {
        let text = "a\né€\n\n😀b\r\nc".as_bytes();
        for step in 1..=text.len() {
            let mut places = Places::of(text);
            for offset in (0..=text.len() + 1).step_by(step) {
                let found = places.error(offset, Reason::Malformed, String::new());
                let alone = Places::of(text).error(offset, Reason::Malformed, String::new());
                assert_eq!(found, alone, "{offset} by {step}");
            }
        }
    }

    #[test]
    fn displays_line_column_and_reason() {
        let fault = JsonError::at(b"\n\n12345", 4, Reason::DuplicateKey, "why".into());
        let error = JsonError::from(fault);
        assert_eq!(error.to_string(), "line 3, column 3: why");
        assert_eq!(error.reason(), Reason::DuplicateKey);
    }

    #[test]
    fn quoting_escapes_what_could_mislead() {
        assert_eq!(quoted("a\"b\\"), r#""a\"b\\""#);
        assert_eq!(quoted("\u{1b}[2J"), r#""\u{1b}[2J""#);
        for hostile in [
            '\u{0}',
            '\u{9b}',
            '\u{ad}',
            '\u{200b}',
            '\u{200d}',
            '\u{202e}',
            '\u{2066}',
            '\u{2028}',
            '\u{feff}',
            '\u{e0041}',
            '\u{301}',
            '\u{fe0f}',
        ] {
            let shown = quoted(&format!("a{hostile}b"));
            assert!(!shown.contains(hostile), "{hostile:?} came through");
            assert!(shown.contains(r"\u{") || shown.contains(r"\0"), "{shown}");
        }
        assert_eq!(quoted("größe 😀"), "\"größe 😀\"");
    }

    #[test]
    fn quoting_cuts_long_text() {
        assert_eq!(quoted(&"x".repeat(40)), format!("\"{}\"", "x".repeat(40)));
        assert_eq!(quoted(&"x".repeat(41)), format!("\"{}…\"", "x".repeat(40)));
        assert!(quoted(&"\u{202e}".repeat(1000)).chars().count() <= 43);
    }
}

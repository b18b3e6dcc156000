//! The strict reader: walks one JSON text token by token and builds nothing.
//!
//! What it accepts is RFC 8259 minus everything two readers could understand differently. Equal
//! keys of one object are the one refusal left to its users, since each remembers keys anyway.

#![expect(
    clippy::inline_always,
    reason = "a call costs as much as a short token: measured"
)]

use std::borrow::Cow;
use std::ops::Range;

use super::Integers;
use super::error::{Fault, JsonError, Reason, quoted};
use super::number::Number;
use super::string::plain_length;

/// How many arrays and objects may be open at once.
pub const MAX_DEPTH: usize = 128;

/// The longest text taken, so that any two positions fit together in 32 bits.
const MAX_BYTES: usize = (u32::MAX / 2) as usize;

/// Gives what was read, or why it was refused.
pub type Scan<T> = Result<T, Fault>;

/// Names what a value begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// `{`
    Object,
    /// `[`
    Array,
    /// `"`
    String,
    /// `-` or a digit
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

/// Holds a string, unescaped, and where it stands.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    /// The text without quotes and escapes; borrowed when there was nothing to unescape.
    pub text: Cow<'a, str>,
    /// The byte offset of its opening quote.
    pub at: usize,
}

/// Reads one JSON text from start to end.
#[derive(Debug, Clone)]
pub struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) depth: usize,
    integers: Integers,
}

impl<'a> Scanner<'a> {
    /// Starts at the beginning, after checking what concerns the bytes as a whole.
    pub fn new(input: &'a [u8], integers: Integers) -> Scan<Self> {
        let refuse = |at, what: &str| Err(JsonError::at(input, at, Reason::Malformed, what.into()));
        if input.len() > MAX_BYTES {
            return refuse(0, "a text over 2 GiB");
        }
        let text = match std::str::from_utf8(input) {
            Ok(text) => text,
            Err(error) => return refuse(error.valid_up_to(), "invalid UTF-8"),
        };
        if text.starts_with('\u{feff}') {
            return refuse(0, "a byte order mark before the JSON text");
        }
        let mut scanner = Self {
            text,
            at: 0,
            depth: 0,
            integers,
        };
        scanner.skip_space();
        if scanner.at == text.len() {
            return refuse(scanner.at, "no JSON text: the input is empty");
        }
        Ok(scanner)
    }

    /// Shows the whole text.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Tells the byte offset of what comes next.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Goes back to a value at the same depth, or to the string at a place.
    #[must_use]
    pub fn back_at(&self, at: usize) -> Self {
        Self { at, ..self.clone() }
    }

    /// Makes a refusal that points at a byte offset.
    #[must_use]
    pub fn refusal(&self, at: usize, reason: Reason, what: impl Into<String>) -> Fault {
        JsonError::at(self.text.as_bytes(), at, reason, what.into())
    }

    /// Looks at the value that comes next without taking it.
    #[inline(always)]
    pub fn peek(&mut self) -> Scan<Start> {
        self.skip_space();
        match self.byte() {
            Some(b'"') => Ok(Start::String),
            Some(b'-' | b'0'..=b'9') => Ok(Start::Number),
            Some(b'{') => Ok(Start::Object),
            Some(b'[') => Ok(Start::Array),
            Some(b't') if self.rest().starts_with(b"true") => Ok(Start::True),
            Some(b'f') if self.rest().starts_with(b"false") => Ok(Start::False),
            Some(b'n') if self.rest().starts_with(b"null") => Ok(Start::Null),
            _ => Err(self.unexpected("a value")),
        }
    }

    /// Takes the `true`, `false` or `null` just seen by [`Scanner::peek`] and gives its text.
    #[inline]
    pub fn word(&mut self, start: Start) -> &'static str {
        let word = match start {
            Start::True => "true",
            Start::False => "false",
            _ => "null",
        };
        self.at += word.len();
        word
    }

    /// Walks an object, calling back once a member; the value is to be peeked at and taken.
    #[inline]
    pub fn members<F>(&mut self, mut each: F) -> Scan<()>
    where
        F: FnMut(&mut Self, Text<'a>) -> Scan<()>,
    {
        self.enter()?;
        if !self.take(b'}') {
            loop {
                self.skip_space();
                let key = self.key()?;
                each(self, key)?;
                if !self.take(b',') {
                    break;
                }
            }
            if !self.take(b'}') {
                return Err(self.unexpected("a comma or the end of the object"));
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Takes a member's key with the colon behind it; its value comes next.
    #[inline(always)]
    pub fn key(&mut self) -> Scan<Text<'a>> {
        if self.byte() != Some(b'"') {
            return Err(self.unexpected("a key in quotes"));
        }
        let key = self.string()?;
        if !self.take(b':') {
            return Err(self.unexpected("a colon after the key"));
        }
        Ok(key)
    }

    /// Walks an array, calling back once an element, which is to be peeked at and taken.
    #[inline]
    pub fn elements<F>(&mut self, mut each: F) -> Scan<()>
    where
        F: FnMut(&mut Self) -> Scan<()>,
    {
        self.enter()?;
        if !self.take(b']') {
            loop {
                each(self)?;
                if !self.take(b',') {
                    break;
                }
            }
            if !self.take(b']') {
                return Err(self.unexpected("a comma or the end of the array"));
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Takes a string and unescapes it.
    #[inline(always)]
    pub fn string(&mut self) -> Scan<Text<'a>> {
        let at = self.at;
        let start = at + 1;
        let end = start + plain_length(&self.text.as_bytes()[start..]);
        if self.text.as_bytes().get(end) == Some(&b'"') {
            self.at = end + 1;
            let text = Cow::Borrowed(&self.text[start..end]);
            return Ok(Text { text, at });
        }
        let text = Cow::Owned(self.unescape()?);
        Ok(Text { text, at })
    }

    /// Takes a string that has nothing to unescape, giving where it ends; otherwise takes nothing.
    #[inline(always)]
    pub(super) fn plain_string(&mut self) -> Option<usize> {
        let start = self.at + 1;
        let end = start + plain_length(&self.text.as_bytes()[start..]);
        let is_plain = self.text.as_bytes().get(end) == Some(&b'"');
        is_plain.then(|| {
            self.at = end + 1;
            self.at
        })
    }

    /// Takes a piece of text if that is what comes next.
    #[inline(always)]
    pub(super) fn pass(&mut self, piece: &str) -> Option<()> {
        let comes = self.rest().starts_with(piece.as_bytes());
        comes.then(|| self.at += piece.len())
    }

    /// Takes a value that begins with its canonical form, giving where that stands; otherwise takes nothing.
    #[inline(always)]
    pub(super) fn verbatim(&mut self) -> Option<Range<usize>> {
        let start = self.peek().ok()?;
        let at = self.at;
        let end = match start {
            Start::Object | Start::Array => None,
            Start::String => self.plain_string(),
            Start::Number => {
                let number = self.number().ok();
                let length = number.and_then(|number| number.faithful_length());
                length.map(|length| at + length)
            }
            word => Some(at + self.word(word).len()),
        };
        if end.is_none() {
            self.at = at;
        }
        end.map(|end| at..end)
    }

    /// Takes a number, refusing what a double or, if exactness is asked for, JSON at large cannot carry.
    #[inline(always)]
    pub fn number(&mut self) -> Scan<Number<'a>> {
        let start = self.at;
        match Number::scan(&self.text[start..]) {
            Ok(number) => {
                self.at += number.text().len();
                match number.refusal(self.integers) {
                    None => Ok(number),
                    Some(what) => Err(self.malformed(start, what)),
                }
            }
            Err((length, what)) => Err(self.malformed(start + length, what)),
        }
    }

    /// Takes the value that comes next, whatever it is.
    #[cold]
    pub fn skip(&mut self) -> Scan<()> {
        match self.peek()? {
            Start::Object => self.members(|scanner, _| scanner.skip()),
            Start::Array => self.elements(Self::skip),
            Start::String => self.string().map(|_| ()),
            Start::Number => self.number().map(|_| ()),
            word => {
                self.word(word);
                Ok(())
            }
        }
    }

    /// Makes sure that nothing but white space is left.
    pub fn finish(mut self) -> Scan<()> {
        self.skip_space();
        match self.byte() {
            None => Ok(()),
            Some(_) => Err(self.malformed(self.at, "text after the end of the JSON value")),
        }
    }

    #[inline]
    pub(super) fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.byte() {
            self.at += 1;
        }
    }

    #[inline]
    fn take(&mut self, mark: u8) -> bool {
        self.skip_space();
        let found = self.byte() == Some(mark);
        self.at += usize::from(found);
        found
    }

    #[inline]
    fn enter(&mut self) -> Scan<()> {
        if self.depth == MAX_DEPTH {
            let what = format!("arrays and objects nested more than {MAX_DEPTH} deep");
            return Err(self.malformed(self.at, what));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    #[cold]
    pub(super) fn malformed(&self, at: usize, what: impl Into<String>) -> Fault {
        self.refusal(at, Reason::Malformed, what)
    }

    #[cold]
    fn unexpected(&self, wanted: &str) -> Fault {
        let found = match self.text[self.at..].chars().next() {
            Some(character) => quoted(character.encode_utf8(&mut [0; 4])),
            None => "the end of the text".to_owned(),
        };
        self.malformed(self.at, format!("expected {wanted}, found {found}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_sees_keys_unescaped_with_their_places() {
        let text = br#" { "a" : [ 1 , true ] , "b\u0021" : "c" } "#;
        let mut scanner = Scanner::new(text, Integers::Exact).unwrap();
        assert_eq!(scanner.peek().unwrap(), Start::Object);
        let mut seen = Vec::new();
        scanner
            .members(|scanner, key| {
                seen.push(format!("{}@{}", key.text, key.at));
                if scanner.peek()? == Start::String {
                    seen.push(scanner.string()?.text.into_owned());
                    return Ok(());
                }
                scanner.elements(|scanner| {
                    match scanner.peek()? {
                        Start::Number => seen.push(scanner.number()?.text().to_owned()),
                        start => seen.push(scanner.word(start).to_owned()),
                    }
                    Ok(())
                })
            })
            .unwrap();
        assert_eq!(seen, ["a@3", "1", "true", "b!@24", "c"]);
        assert_eq!(scanner.at(), text.len() - 1);
        assert_eq!(scanner.text().len(), text.len());
        scanner.finish().unwrap();
    }
}

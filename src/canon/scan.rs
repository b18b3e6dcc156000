//! The strict reader: walks one JSON text token by token and builds nothing.
//!
//! What it accepts is RFC 8259 minus everything two readers could understand differently. Equal
//! keys of one object are the one refusal left to its users, since each remembers keys anyway.

use std::borrow::Cow;

use super::Integers;
use super::error::{Fault, JsonError, Reason, quoted};
use super::number::Number;

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
    text: &'a str,
    at: usize,
    depth: usize,
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

    /// Makes a refusal that points at a byte offset.
    #[must_use]
    pub fn refusal(&self, at: usize, reason: Reason, what: impl Into<String>) -> Fault {
        JsonError::at(self.text.as_bytes(), at, reason, what.into())
    }

    /// Looks at the value that comes next without taking it.
    #[inline]
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
                if self.byte() != Some(b'"') {
                    return Err(self.unexpected("a key in quotes"));
                }
                let key = self.string()?;
                if !self.take(b':') {
                    return Err(self.unexpected("a colon after the key"));
                }
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
        let text = Cow::Owned(self.unescape(start, end)?);
        Ok(Text { text, at })
    }

    /// Takes a string that has nothing to unescape, giving where it ends; otherwise takes nothing.
    #[inline]
    pub(super) fn plain_string(&mut self) -> Option<usize> {
        let start = self.at + 1;
        let end = start + plain_length(&self.text.as_bytes()[start..]);
        let is_plain = self.text.as_bytes().get(end) == Some(&b'"');
        is_plain.then(|| {
            self.at = end + 1;
            self.at
        })
    }

    /// Takes a number, refusing what a double or, if exactness is asked for, JSON at large cannot carry.
    #[inline]
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

    /// Makes sure that nothing but white space is left.
    pub fn finish(mut self) -> Scan<()> {
        self.skip_space();
        match self.byte() {
            None => Ok(()),
            Some(_) => Err(self.malformed(self.at, "text after the end of the JSON value")),
        }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
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
    fn unescape(&mut self, mut start: usize, mut end: usize) -> Scan<String> {
        let mut text = String::new();
        loop {
            text.push_str(&self.text[start..end]);
            self.at = end;
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(control) => {
                    let what = format!("a raw control character U+{control:04X} in a string");
                    return Err(self.malformed(end, what));
                }
                None => return Err(self.malformed(end, "a string without an end")),
            }
            start = self.at;
            end = start + plain_length(self.rest());
        }
    }

    fn escape(&mut self) -> Scan<char> {
        let at = self.at;
        self.at += 2;
        Ok(match self.text.as_bytes().get(at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(at),
            Some(_) => return Err(self.malformed(at, "an unknown escape in a string")),
            None => return Err(self.malformed(at + 1, "a string without an end")),
        })
    }

    fn unicode_escape(&mut self, at: usize) -> Scan<char> {
        let high = self.hex_unit(at)?;
        self.at = at + 6;
        if !(0xD800..0xDC00).contains(&high) {
            return char::from_u32(high).ok_or_else(|| self.lone_surrogate(at, high));
        }
        if !self.rest().starts_with(b"\\u") {
            return Err(self.lone_surrogate(at, high));
        }
        let low = self.hex_unit(self.at)?;
        if !(0xDC00..0xE000).contains(&low) {
            return Err(self.lone_surrogate(at, high));
        }
        self.at += 6;
        let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        char::from_u32(code).ok_or_else(|| self.lone_surrogate(at, high))
    }

    fn hex_unit(&self, at: usize) -> Scan<u32> {
        let digits = self.text.as_bytes().get(at + 2..at + 6);
        digits
            .and_then(|digits| {
                digits.iter().try_fold(0, |code, &digit| {
                    Some(code << 4 | char::from(digit).to_digit(16)?)
                })
            })
            .ok_or_else(|| self.malformed(at, "an escape \\u without four hex digits"))
    }

    #[cold]
    fn lone_surrogate(&self, at: usize, unit: u32) -> Fault {
        self.malformed(at, format!("a lone surrogate \\u{unit:04x}"))
    }

    #[cold]
    fn malformed(&self, at: usize, what: impl Into<String>) -> Fault {
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

/// Counts the bytes before the first quote, backslash or control character.
#[inline(always)]
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    // Sets a lane's top bit where the byte is below a limit; past the first hit lanes may lie.
    let below = |lanes: u64, limit: u64| lanes.wrapping_sub(ONES * limit) & !lanes & HIGHS;
    let mut length = 0;
    while let Some(chunk) = bytes.get(length..).and_then(<[u8]>::first_chunk::<8>) {
        let lanes = u64::from_le_bytes(*chunk);
        let escapes = below(lanes ^ (ONES * u64::from(b'\\')), 1);
        // Flipping this bit puts the quote (0x22) right after the control characters.
        let others = below(lanes ^ (ONES * 0x02), 0x21);
        let hits = escapes | others;
        if hits != 0 {
            return length + (hits.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    let special = |&byte: &u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    let tail = &bytes[length..];
    length + tail.iter().position(special).unwrap_or(tail.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_length_stops_exactly_at_the_first_special_byte() {
        for length in 0..40 {
            for special in (0..0x20).chain([b'"', b'\\']) {
                for filler in [b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xa2, 0xdc, 0xff] {
                    let mut bytes = vec![filler; length];
                    assert_eq!(plain_length(&bytes), length);
                    bytes.push(special);
                    bytes.extend([special ^ 1, b'"', filler, 0, 1, 2, 3]);
                    assert_eq!(plain_length(&bytes), length, "{filler} {special}");
                }
            }
        }
    }

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

//! The insides of JSON strings: finding where plain text ends, making and undoing escapes.

use std::iter;

use super::error::Fault;
use super::scan::{Scan, Scanner};

impl Scanner<'_> {
    /// Takes a string the long way, unescaping as it goes.
    #[cold]
    pub(super) fn unescape(&mut self) -> Scan<String> {
        let mut text = String::new();
        self.at += 1;
        loop {
            let start = self.at;
            let end = start + plain_length(self.rest());
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
}

/// Appends text as a string of canonical JSON, in quotes.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    if plain_length(text.as_bytes()) == text.len() {
        out.extend_from_slice(text.as_bytes());
    } else {
        escaped(text, out);
    }
    out.push(b'"');
}

/// Appends text with its quotes, backslashes and control characters escaped.
pub(super) fn escaped(text: &str, out: &mut Vec<u8>) {
    for &byte in text.as_bytes() {
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0c => b'f',
            b'\r' => b'r',
            0x00..0x20 => {
                out.extend_from_slice(if byte < 0x10 { b"\\u000" } else { b"\\u001" });
                out.push(b"0123456789abcdef"[usize::from(byte & 15)]);
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
}

/// Gives the bytes of a string in canonical form up to its closing quote, with the escapes undone.
pub(super) fn unescaped(mut written: &[u8]) -> impl Iterator<Item = u8> {
    let hex = |digit: u8| (digit & 15) + if digit > b'9' { 9 } else { 0 };
    iter::from_fn(move || {
        let (byte, length) = match *written {
            [] | [b'"', ..] => return None,
            [b'\\', b'u', _, _, high, low, ..] => (hex(high) << 4 | hex(low), 6),
            [b'\\', b'b', ..] => (0x08, 2),
            [b'\\', b't', ..] => (b'\t', 2),
            [b'\\', b'n', ..] => (b'\n', 2),
            [b'\\', b'f', ..] => (0x0c, 2),
            [b'\\', b'r', ..] => (b'\r', 2),
            [b'\\', plain, ..] => (plain, 2),
            [plain, ..] => (plain, 1),
        };
        written = &written[length..];
        Some(byte)
    })
}

/// Counts the bytes before the first quote, backslash or control character.
#[inline(always)]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
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
}

//! Numbers that are longer in canonical form than they need to be, as `1e20` is with its 21 digits: kept short until they
//! are given out, since a text of nothing else would take more than four times its room.

use std::cmp::Ordering;
use std::convert::Infallible;
use std::io::{self, Write};

use super::digest::{Digest, Hasher};

/// Stands before a number that is still to be spelt out; it cannot occur in UTF-8.
const MARK: u8 = 0xFE;

/// How many bytes are gathered before they are given out.
const BATCH: usize = 64 * 1024;

/// Tells whether a text has numbers that are still to be spelt out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Spelling {
    /// It has none.
    #[default]
    Whole,
    /// It may have some.
    Short,
}

/// Appends a number as ECMAScript prints it, or a shorter form behind the mark, and tells which.
pub(super) fn push_number(double: f64, out: &mut Vec<u8>) -> Spelling {
    let mut buffer = ryu_js::Buffer::new();
    let printed = buffer.format(double);
    let start = out.len();
    out.push(MARK);
    // Writing into memory never fails; what was not written would be no shorter form.
    let is_short = write!(out, "{double:e}").is_ok() && out.len() - start < printed.len();
    if is_short {
        return Spelling::Short;
    }
    out.truncate(start);
    out.extend_from_slice(printed.as_bytes());
    Spelling::Whole
}

impl Spelling {
    /// Calls back with a text piece by piece, its numbers spelt out.
    pub(super) fn each<E>(
        self,
        text: &[u8],
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = text;
        while let Some((before, printed, behind)) = self.next_number(rest) {
            each(before)?;
            each(printed.as_bytes())?;
            rest = behind;
        }
        each(rest)
    }

    /// Finds the next number that is still to be spelt out, and does that.
    fn next_number(self, text: &[u8]) -> Option<(&[u8], String, &[u8])> {
        if self == Self::Whole {
            return None;
        }
        let at = text.iter().position(|&byte| byte == MARK)?;
        let (before, number) = text.split_at(at);
        let (printed, behind) = printed(number);
        Some((before, printed, behind))
    }

    /// Appends a text, its numbers spelt out.
    pub(super) fn push(self, text: &[u8], out: &mut Vec<u8>) {
        let Ok(()) = self.each(text, |piece| {
            out.extend_from_slice(piece);
            Ok::<_, Infallible>(())
        });
    }

    /// Hashes a text, its numbers spelt out.
    pub(super) fn digest(self, text: &[u8]) -> Digest {
        if self == Self::Whole {
            return Digest::of(text);
        }
        let mut hasher = Hasher::default();
        let Ok(()) = self.each(text, |piece| {
            hasher.update(piece);
            Ok::<_, Infallible>(())
        });
        hasher.finish()
    }

    /// Compares two texts as they are when spelt out.
    pub(super) fn order(self, a: &[u8], b: &[u8]) -> Ordering {
        if self == Self::Whole {
            return a.cmp(b);
        }
        let shared = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        // A number in which they differ is looked at from its beginning on.
        let number = a[..shared]
            .iter()
            .rposition(|byte| !is_of_a_number(*byte))
            .filter(|&at| a[at] == MARK);
        let at = number.unwrap_or(shared);
        // One number may be short in one of them and whole in the other.
        Spelt::of(&a[at..]).cmp(Spelt::of(&b[at..]))
    }
}

/// Gives the bytes of a text, its numbers spelt out.
struct Spelt<'a> {
    number: std::vec::IntoIter<u8>,
    rest: &'a [u8],
}

impl<'a> Spelt<'a> {
    fn of(rest: &'a [u8]) -> Self {
        let number = Vec::new().into_iter();
        Self { number, rest }
    }
}

impl Iterator for Spelt<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if let Some(byte) = self.number.next() {
            return Some(byte);
        }
        let (byte, behind) = self.rest.split_first()?;
        if *byte != MARK {
            self.rest = behind;
            return Some(*byte);
        }
        let (number, behind) = printed(self.rest);
        (self.number, self.rest) = (number.into_bytes().into_iter(), behind);
        self.number.next()
    }
}

/// Spells out the number behind the mark that a text begins with, and gives what stands behind it.
fn printed(text: &[u8]) -> (String, &[u8]) {
    let text = text.get(1..).unwrap_or_default();
    let length = text.iter().position(|&byte| !is_of_a_number(byte));
    let (number, behind) = text.split_at(length.unwrap_or(text.len()));
    // It was written here from a double.
    let double = String::from_utf8_lossy(number).parse().unwrap_or(f64::NAN);
    let printed = ryu_js::Buffer::new().format(double).to_owned();
    (printed, behind)
}

fn is_of_a_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'-')
}

/// Holds a text in canonical form, in hardly more room than it took before.
#[derive(Debug)]
pub struct Canonical {
    short: Vec<u8>,
    spelling: Spelling,
}

impl Canonical {
    pub(super) fn new(short: Vec<u8>, spelling: Spelling) -> Self {
        Self { short, spelling }
    }

    pub(super) fn into_parts(self) -> (Vec<u8>, Spelling) {
        (self.short, self.spelling)
    }

    /// Gives the bytes, for which there must be room if numbers are longer than they were.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        if self.spelling == Spelling::Whole {
            return self.short;
        }
        let mut bytes = Vec::with_capacity(self.short.len());
        self.spelling.push(&self.short, &mut bytes);
        bytes
    }

    /// Writes the bytes without holding them.
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.spelling == Spelling::Whole {
            return out.write_all(&self.short);
        }
        let mut batch = Vec::with_capacity(BATCH);
        self.spelling.each(&self.short, |piece| {
            batch.extend_from_slice(piece);
            if batch.len() < BATCH {
                return Ok(());
            }
            let written = out.write_all(&batch);
            batch.clear();
            written
        })?;
        out.write_all(&batch)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spelt(numbers: &[(f64, bool)]) -> (Vec<u8>, Vec<u8>) {
        let (mut short, mut whole) = (Vec::new(), Vec::new());
        for (number, is_short) in numbers {
            for out in [&mut short, &mut whole] {
                out.push(b',');
            }
            let mut buffer = ryu_js::Buffer::new();
            let printed = buffer.format(*number).as_bytes();
            if *is_short {
                push_number(*number, &mut short);
            } else {
                short.extend_from_slice(printed);
            }
            whole.extend_from_slice(printed);
        }
        (short, whole)
    }

    #[test]
    fn only_what_becomes_shorter_is_kept_short() {
        for (number, spelling, length) in [
            (1e20, Spelling::Short, 5),
            (-1.5e20, Spelling::Short, 8),
            (1e21, Spelling::Whole, 5),
            (1e-6, Spelling::Short, 5),
            (100.0, Spelling::Whole, 3),
            (1e5, Spelling::Short, 4),
            (0.1, Spelling::Whole, 3),
            (-0.0, Spelling::Whole, 1),
        ] {
            let mut out = Vec::new();
            assert_eq!(push_number(number, &mut out), spelling, "{number}");
            assert_eq!(out.len(), length, "{number}");
        }
    }

    /// Numbers that print long and short, some of which begin alike, and whether they may be kept short.
    fn numbers() -> impl Strategy<Value = Vec<(f64, bool)>> {
        let number = (-3_i16..13, prop::sample::select(vec![-7, -6, 0, 5, 20, 21]));
        let number = number.prop_map(|(digits, exponent)| {
            let text = format!("{digits}e{exponent}");
            text.parse::<f64>().unwrap()
        });
        prop::collection::vec((number, any::<bool>()), 0..4)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn short_texts_are_ordered_and_spelt_out_as_whole_ones(a in numbers(), b in numbers()) {
            let ((short_a, whole_a), (short_b, whole_b)) = (spelt(&a), spelt(&b));
            let spelling = Spelling::Short;
            prop_assert_eq!(spelling.order(&short_a, &short_b), whole_a.cmp(&whole_b));
            prop_assert_eq!(spelling.digest(&short_a), Digest::of(&whole_a));
            let canonical = Canonical::new(short_a, spelling);
            let mut written = Vec::new();
            canonical.write_to(&mut written).unwrap();
            prop_assert_eq!(&written, &whole_a);
            prop_assert_eq!(canonical.into_bytes(), whole_a);
        }
    }
}

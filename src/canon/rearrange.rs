//! The order of an object's members, and moving them into it.
//!
//! A member is known by where the comma before it is written; all else is read from the output.

use std::cmp::Ordering;

use super::error::{Fault, duplicate_key};
use super::scan::Scanner;
use super::spelling::{Canonical, Spelling};
use super::string::unescaped;

/// Stands for the comma before a member still to be moved; it cannot occur in UTF-8.
const MARK: u8 = 0xFF;

/// Holds what was written, and no longer needs the input.
#[derive(Debug)]
pub(super) struct Written {
    out: Vec<u8>,
    later: Vec<Rearrangement>,
    spelling: Spelling,
}

impl Written {
    pub(super) fn new(out: Vec<u8>, later: Vec<Rearrangement>, spelling: Spelling) -> Self {
        Self {
            out,
            later,
            spelling,
        }
    }

    /// Gives the whole; the input should be let go of before, since long objects are copied now.
    pub(super) fn finish(self) -> Canonical {
        let mut out = self.out;
        for rearrangement in self.later {
            // A copy at a time: one that grew could take twice the room for a moment.
            rearrangement.apply(&mut out, &mut Vec::new());
        }
        Canonical::new(out, self.spelling)
    }
}

/// Holds what is left to do to a finished object: moving its members.
#[derive(Debug)]
pub(super) struct Rearrangement {
    start: usize,
    end: usize,
    /// In the order they shall have.
    members: Vec<u32>,
}

impl Rearrangement {
    /// Takes the members of the object that the output ends with, sorted, and marks where they begin.
    ///
    /// Sorted, they no longer tell where each ends: that is at the next mark.
    pub(super) fn new(out: &mut [u8], start: usize, members: Vec<u32>) -> Self {
        for &member in &members {
            out[member as usize] = MARK;
        }
        let end = out.len();
        Self {
            start,
            end,
            members,
        }
    }

    /// Moves the members.
    pub(super) fn apply(self, out: &mut [u8], scratch: &mut Vec<u8>) {
        scratch.clear();
        scratch.extend_from_slice(&out[self.start..self.end]);
        let mut to = self.start;
        for &member in &self.members {
            let rest = &scratch[member as usize - self.start + 1..];
            let length = rest.iter().position(|&byte| byte == MARK);
            let piece = &rest[..length.unwrap_or(rest.len())];
            out[to] = b',';
            out[to + 1..][..piece.len()].copy_from_slice(piece);
            to += 1 + piece.len();
        }
        out[self.start] = b'{';
    }
}

/// Compares the names of two written members by their UTF-16 code units.
pub(super) fn name_order(out: &[u8], a: u32, b: u32) -> Ordering {
    let (a, b) = (&out[a as usize + 2..], &out[b as usize + 2..]);
    let telling = |(a, b): &(&u8, &u8)| a != b || **a == b'"' || **a == b'\\';
    match a.iter().zip(b).find(telling) {
        Some((b'\\', _) | (_, b'\\')) => unescaped(a).map(rank).cmp(unescaped(b).map(rank)),
        Some((b'"', b'"')) | None => Ordering::Equal,
        Some((b'"', _)) => Ordering::Less,
        Some((_, b'"')) => Ordering::Greater,
        Some((&a, &b)) => rank(a).cmp(&rank(b)),
    }
}

/// Compares two strings by their UTF-16 code units without making them.
#[inline]
pub(super) fn utf16_order(a: &str, b: &str) -> Ordering {
    let differing = a.bytes().zip(b.bytes()).find(|(a, b)| a != b);
    differing.map_or(a.len().cmp(&b.len()), |(a, b)| rank(a).cmp(&rank(b)))
}

/// Ranks the bytes of UTF-8 so that texts compare as their UTF-16 code units do.
///
/// UTF-8 orders by code point, and so does UTF-16 but for one thing: surrogates, and with them
/// everything beyond the BMP, come before U+E000–U+FFFF, whose first bytes are 0xEE and 0xEF.
#[inline]
fn rank(byte: u8) -> u8 {
    if byte | 1 == 0xEF { byte | 0x10 } else { byte }
}

/// Makes the refusal of a repeated member of the object that comes next, which is walked again for it.
#[cold]
pub(super) fn refuse_member(mut scanner: Scanner<'_>, member: usize) -> Fault {
    let (at, mut seen) = (scanner.at(), 0);
    let walked = scanner.members(|scanner, key| {
        if seen == member {
            return Err(duplicate_key(scanner, &key.text, key.at));
        }
        seen += 1;
        scanner.skip()
    });
    match walked {
        Err(fault) => fault,
        Ok(()) => duplicate_key(&scanner, "", at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::string::escaped;
    use proptest::prelude::*;

    /// Compares two names in both ways: as they are, and as written into an object.
    fn order(a: &str, b: &str) -> Ordering {
        let mut out = b",\"".to_vec();
        escaped(a, &mut out);
        out.extend(b"\":1,\"");
        let second = u32::try_from(out.len() - 2).unwrap();
        escaped(b, &mut out);
        out.extend(b"\":1");
        let order = name_order(&out, 0, second);
        assert_eq!(utf16_order(a, b), order);
        order
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn names_have_the_order_of_code_units(
            a in "[ !\"#ab\\\\\u{0}\u{1}\u{8}\u{a}\u{1f}\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{efff}\u{f000}\u{ffff}\u{10000}\u{10ffff}]{0,4}",
            b in "[ !\"#ab\\\\\u{0}\u{1}\u{8}\u{a}\u{1f}\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{efff}\u{f000}\u{ffff}\u{10000}\u{10ffff}]{0,4}",
        ) {
            prop_assert_eq!(order(&a, &b), a.encode_utf16().cmp(b.encode_utf16()));
        }

        #[test]
        fn the_order_holds_for_any_text(a in "\\PC{0,3}", b in "\\PC{0,3}") {
            prop_assert_eq!(order(&a, &b), a.encode_utf16().cmp(b.encode_utf16()));
        }
    }

    #[test]
    fn members_are_moved_whole() {
        let mut out = br#"[{"b":[1,2],"":{"c":3},"a":"x""#.to_vec();
        let rearrangement = Rearrangement::new(&mut out, 1, vec![11, 22, 1]);
        rearrangement.apply(&mut out, &mut Vec::new());
        assert_eq!(out, br#"[{"":{"c":3},"a":"x","b":[1,2]"#);
    }
}

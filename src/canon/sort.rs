//! Sorting by names that stand in a text, without a copy of them.
//!
//! Four bytes of each name at a time: most are told apart before a name is looked at twice, which far away in the text is
//! what takes the time.

use std::borrow::Cow;

/// The bits of an entry that say which name it is of.
const NUMBER: u64 = (1 << 32) - 1;

/// So few names are compared as a whole.
const FEW: usize = 8;

/// Names that have so many bytes in common are compared as a whole: there cannot be too many of them.
const LONG: usize = 64;

/// Sorts entries by the names that their low halves stand for; the high halves are scratch.
pub(super) fn sort_by_name<'a>(entries: &mut [u64], name: impl Fn(u32) -> Cow<'a, str>) {
    let name = |entry: u64| name(low(entry));
    let mut open = vec![(0..entries.len(), 0)];
    while let Some((range, depth)) = open.pop() {
        let mut begin = range.start;
        let entries = &mut entries[range];
        let depth = depth + in_common(entries, depth, name);
        for entry in entries.iter_mut() {
            *entry = with_high(*entry, four_bytes(&name(*entry), depth));
        }
        entries.sort_unstable();
        for alike in entries.chunk_by_mut(|a, b| high(*a) == high(*b)) {
            let range = begin..begin + alike.len();
            begin = range.end;
            let goes_on = high(alike[0]) & 0xff != 0;
            if goes_on && alike.len() > FEW && depth < LONG {
                open.push((range, depth + 4));
            } else if goes_on && alike.len() > 1 {
                alike.sort_by_cached_key(|entry| name(*entry));
            }
        }
    }
}

/// Counts the bytes that all names have in common, from a depth on.
fn in_common<'a>(entries: &[u64], depth: usize, name: impl Fn(u64) -> Cow<'a, str>) -> usize {
    let Some((first, others)) = entries.split_first() else {
        return 0;
    };
    let first = name(*first);
    let first = &first.as_bytes()[depth..];
    let mut length = first.len();
    for other in others {
        let other = name(*other);
        let pairs = first[..length].iter().zip(&other.as_bytes()[depth..]);
        length = pairs.take_while(|(a, b)| a == b).count();
        if length == 0 {
            break;
        }
    }
    length
}

/// Packs four bytes of a name so that they sort, and the end of the name before any byte.
fn four_bytes(name: &str, depth: usize) -> u32 {
    let mut packed = [0; 4];
    for (byte, found) in packed.iter_mut().zip(&name.as_bytes()[depth..]) {
        // No byte of UTF-8 is the largest one.
        *byte = found + 1;
    }
    u32::from_be_bytes(packed)
}

pub(super) fn high(entry: u64) -> u32 {
    u32::try_from(entry >> 32).unwrap_or_default()
}

pub(super) fn low(entry: u64) -> u32 {
    u32::try_from(entry & NUMBER).unwrap_or_default()
}

pub(super) fn with_high(entry: u64, high: u32) -> u64 {
    u64::from(high) << 32 | entry & NUMBER
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn names_sort_by_their_bytes(names in prop::collection::vec("(a|shared prefix)?[a\u{0}é😀]{0,70}", 0..80)) {
            let mut entries: Vec<u64> = (0_u64..).take(names.len()).collect();
            sort_by_name(&mut entries, |number| Cow::Borrowed(&names[number as usize]));
            let sorted: Vec<&String> = entries.iter().map(|entry| &names[low(*entry) as usize]).collect();
            let mut expected: Vec<&String> = names.iter().collect();
            expected.sort();
            prop_assert_eq!(sorted, expected);
        }
    }
}

//! Sorting by names that stand in a text, without a copy of them.
//!
//! Very many are parted by one byte first, in hardly more room than their numbers take. Of the others four bytes of each
//! name are looked at a time: most are told apart before a name is looked at twice, which far away in the text is what
//! takes the time.

use std::borrow::Cow;
use std::ops::Range;

/// The bits of an entry that say which name it is of.
const NUMBER: u64 = (1 << 32) - 1;

/// More than so many are parted before they are sorted.
const MANY: usize = 1 << 16;

/// How many parts there are: one for each byte but the largest, which UTF-8 never has, and before them one for names that end.
const PARTS: usize = 256;

/// So few names are compared as a whole.
const FEW: usize = 8;

/// Names that have so many bytes in common are compared as a whole: there cannot be too many of them.
const LONG: usize = 64;

/// Sorts numbers by the names that they stand for.
pub(super) fn sort_by_name<'a>(numbers: &mut [u32], name: impl Fn(u32) -> Cow<'a, str>) {
    let mut open = vec![(0..numbers.len(), 0)];
    while let Some((range, depth)) = open.pop() {
        let begin = range.start;
        let numbers = &mut numbers[range];
        // Long names take so much room themselves that they need not be parted.
        if numbers.len() > MANY && depth < LONG {
            let depth = depth + in_common(numbers, depth, &name);
            let [_, parts @ ..] = part_by_byte(numbers, depth, &name);
            let parts = parts.into_iter().filter(|part| part.len() > 1);
            open.extend(parts.map(|part| (begin + part.start..begin + part.end, depth + 1)));
            continue;
        }
        let mut entries: Vec<u64> = numbers.iter().copied().map(u64::from).collect();
        sort_few_by_name(&mut entries, depth, &name);
        for (number, entry) in numbers.iter_mut().zip(entries) {
            *number = low(entry);
        }
    }
}

/// Parts numbers by the byte that their names have at a depth, and returns where each part is.
fn part_by_byte<'a>(
    numbers: &mut [u32],
    depth: usize,
    name: impl Fn(u32) -> Cow<'a, str>,
) -> [Range<usize>; PARTS] {
    let mut counts = [0; PARTS];
    let mut parts = Vec::with_capacity(numbers.len());
    for number in &*numbers {
        let byte = name(*number).as_bytes().get(depth).copied();
        let part = byte.map_or(0, |byte| byte + 1);
        counts[usize::from(part)] += 1;
        parts.push(part);
    }
    let mut end = 0;
    let ranges = counts.map(|count| {
        end += count;
        end - count..end
    });
    let mut next = ranges.clone().map(|range| range.start);
    for (part, range) in ranges.iter().enumerate() {
        while next[part] < range.end {
            let here = next[part];
            let belongs = usize::from(parts[here]);
            let there = next[belongs];
            numbers.swap(here, there);
            parts.swap(here, there);
            next[belongs] += 1;
        }
    }
    ranges
}

/// Sorts entries by the names that their low halves stand for, which have some bytes in common; the high halves are scratch.
fn sort_few_by_name<'a>(entries: &mut [u64], depth: usize, name: impl Fn(u32) -> Cow<'a, str>) {
    let name = |entry: u64| name(low(entry));
    let mut open = vec![(0..entries.len(), depth)];
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
fn in_common<'a, T: Copy>(entries: &[T], depth: usize, name: impl Fn(T) -> Cow<'a, str>) -> usize {
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
            prop_assert_eq!(sorted(&names), in_order(&names));
        }
    }

    fn sorted(names: &[String]) -> Vec<&String> {
        let mut numbers: Vec<u32> = (0..).take(names.len()).collect();
        sort_by_name(&mut numbers, |number| {
            Cow::Borrowed(&names[number as usize])
        });
        numbers
            .iter()
            .map(|number| &names[*number as usize])
            .collect()
    }

    fn in_order(names: &[String]) -> Vec<&String> {
        let mut names: Vec<&String> = names.iter().collect();
        names.sort();
        names
    }

    #[test]
    fn very_many_names_are_parted_first() {
        let most = u32::try_from(MANY).unwrap() + 5_000;
        let mixed = |number: u32| number.wrapping_mul(0x9E37_79B1);
        let shapes: [fn(u32) -> String; 4] = [
            |mixed| format!("{mixed:x}"),
            |mixed| format!("shared beginning {}", mixed % 90_000),
            |mixed| ["", "a", "é", "\u{10ffff}"][mixed as usize % 4].repeat(mixed as usize % 9),
            |_| "the same".to_owned(),
        ];
        for shape in shapes {
            let names: Vec<String> = (0..most).map(|number| shape(mixed(number))).collect();
            assert_eq!(sorted(&names), in_order(&names));
        }
    }
}

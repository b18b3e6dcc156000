//! The epsilons of a policy, in the order of their metrics, in little memory.
//!
//! Ids in order resemble their neighbours, and so do epsilons. Kept for each metric are: the bytes that its id does not
//! share with the one before, how many it shares unless both are as long, and the epsilon's text unless it is the one
//! before again. A million metrics take about a tenth of the policy's text.

use super::decimal::Decimal;

/// Says of an id that it is as long as the one before.
const AS_LONG: usize = 1;

/// Says of an epsilon that it is the one before again.
const AGAIN: usize = 2;

/// How many bits of a head such words take; above them stands how many bytes of the id follow.
const WORDS: u32 = 2;

/// Holds epsilons by metric, ids ascending.
#[derive(Debug, Clone, Default)]
pub(super) struct Epsilons {
    bytes: Vec<u8>,
    metrics: u64,
    last_id: Vec<u8>,
    last_text: Vec<u8>,
}

impl Epsilons {
    /// Tells whether an id lies behind all that are there.
    pub(super) fn may_follow(&self, id: &str) -> bool {
        self.metrics == 0 || self.last_id.as_slice() < id.as_bytes()
    }

    /// Adds a metric behind all that are there, with the text of a checked decimal.
    pub(super) fn push(&mut self, id: &str, text: &str) {
        let id = id.as_bytes();
        let shared = shared_length(&self.last_id, id);
        let as_long = self.last_id.len() == id.len();
        let again = self.last_text == text.as_bytes();
        let words = usize::from(as_long) * AS_LONG + usize::from(again) * AGAIN;
        push_length(&mut self.bytes, ((id.len() - shared) << WORDS) | words);
        if !as_long {
            push_length(&mut self.bytes, shared);
        }
        self.bytes.extend_from_slice(&id[shared..]);
        if !again {
            push_length(&mut self.bytes, text.len());
            self.bytes.extend_from_slice(text.as_bytes());
            self.last_text.clear();
            self.last_text.extend_from_slice(text.as_bytes());
        }
        self.last_id.truncate(shared);
        self.last_id.extend_from_slice(&id[shared..]);
        self.metrics += 1;
    }

    /// Adds others behind all that are there; nothing is added when the first of them lies not behind.
    pub(super) fn append(&mut self, later: &Self) -> bool {
        let first = later.walk();
        if !first.at_one {
            return true;
        }
        if self.metrics > 0 && self.last_id >= first.id {
            return false;
        }
        // The first of them shares nothing with the one before, and says its text.
        self.bytes.extend_from_slice(&later.bytes);
        self.last_id.clone_from(&later.last_id);
        self.last_text.clone_from(&later.last_text);
        self.metrics += later.metrics;
        true
    }

    /// Joins several into one; nothing when none is left or a metric stands in two of them.
    pub(super) fn joined(mut parts: Vec<Self>) -> Option<Self> {
        if parts.len() == 1 {
            let mut only = parts.pop()?;
            only.shrink();
            return Some(only);
        }
        let mut cursors: Vec<_> = parts.iter().map(Self::walk).collect();
        let mut joined = Self::default();
        while let Some(first) = cursors
            .iter_mut()
            .filter(|cursor| cursor.at_one)
            .min_by(|a, b| a.id.cmp(&b.id))
        {
            let id = std::str::from_utf8(&first.id).ok()?;
            if !joined.may_follow(id) {
                return None;
            }
            joined.push(id, first.text);
            first.advance();
        }
        joined.shrink();
        (!cursors.is_empty()).then_some(joined)
    }

    /// Returns how many metrics there are.
    pub(super) fn metrics(&self) -> u64 {
        self.metrics
    }

    /// Gives back the room that nothing needs.
    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Begins a walk at the first metric that is not before an id.
    pub(super) fn walk_from(&self, id: &str) -> Cursor<'_> {
        let mut cursor = self.walk();
        cursor.pass_over(id);
        cursor.passed_over = 0;
        cursor
    }

    /// Begins a walk along the metrics.
    pub(super) fn walk(&self) -> Cursor<'_> {
        let mut cursor = Cursor {
            rest: &self.bytes,
            id: Vec::new(),
            text: "",
            value: Decimal::ZERO,
            at_one: false,
            passed_over: 0,
        };
        cursor.advance();
        cursor
    }
}

/// Walks along epsilons, from one metric to a later one.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    id: Vec<u8>,
    text: &'a str,
    value: Decimal,
    at_one: bool,
    passed_over: u64,
}

impl<'a> Cursor<'a> {
    /// Returns the epsilon of a metric that lies behind all that were asked for before.
    #[inline]
    pub(super) fn seek(&mut self, id: &str) -> Option<(&'a str, Decimal)> {
        self.pass_over(id);
        if !self.at_one || self.id != id.as_bytes() {
            return None;
        }
        let found = (self.text, self.value.clone());
        self.advance();
        Some(found)
    }

    #[inline]
    fn pass_over(&mut self, id: &str) {
        while self.at_one && self.id.as_slice() < id.as_bytes() {
            self.passed_over += 1;
            self.advance();
        }
    }

    /// Walks to an id and returns how many metrics before it nobody asked for.
    pub(super) fn finish_before(mut self, id: &str) -> u64 {
        self.pass_over(id);
        self.passed_over
    }

    /// Walks to the end and returns how many metrics nobody asked for.
    pub(super) fn finish(mut self) -> u64 {
        while self.at_one {
            self.passed_over += 1;
            self.advance();
        }
        self.passed_over
    }

    fn advance(&mut self) {
        self.at_one = self.read().is_some();
    }

    /// Reads the next metric; nothing at the end.
    #[inline]
    fn read(&mut self) -> Option<()> {
        let head = self.length()?;
        let own = head >> WORDS;
        let shared = if head & AS_LONG == 0 {
            self.length()?
        } else {
            self.id.len().checked_sub(own)?
        };
        let own = self.take(own)?;
        self.id.truncate(shared);
        self.id.extend_from_slice(own);
        if head & AGAIN == 0 {
            let length = self.length()?;
            self.text = std::str::from_utf8(self.take(length)?).ok()?;
            self.value = Decimal::parse(self.text).ok()?;
        }
        Some(())
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    #[inline]
    fn length(&mut self) -> Option<usize> {
        let (mut length, mut shift) = (0, 0);
        loop {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(length);
            }
            shift += 7;
        }
    }
}

/// Counts the bytes that two texts begin with alike.
pub(super) fn shared_length(a: &[u8], b: &[u8]) -> usize {
    let same = |(a, b): &(&u8, &u8)| a == b;
    a.iter().zip(b).take_while(same).count()
}

/// Appends a length, seven bits a byte, the lowest first, the highest bit set where more follow.
fn push_length(bytes: &mut Vec<u8>, length: usize) {
    let mut rest = length;
    while rest >= 0x80 {
        bytes.push(0x80 | u8::try_from(rest & 0x7f).unwrap_or(0));
        rest >>= 7;
    }
    bytes.push(u8::try_from(rest).unwrap_or(0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    #[test]
    fn what_resembles_its_neighbour_takes_few_bytes() {
        let mut epsilons = Epsilons::default();
        for number in 0..10_000 {
            epsilons.push(&format!("MET-{number:07}"), "0.005");
        }
        assert!(
            epsilons.bytes.len() < 10_000 * 5 / 2,
            "{}",
            epsilons.bytes.len()
        );
        assert_eq!(epsilons.metrics(), 10_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn a_walk_finds_what_a_map_finds(
            kept in proptest::collection::btree_map("[ab\u{e9}]{0,4}|a{120,140}", "[0-9]|[1-9][0-9]{40}|0\\.[0-9]{130}", 0..30),
            asked in proptest::collection::btree_set("[ab\u{e9}]{0,4}|a{120,140}", 0..30),
        ) {
            let kept: BTreeMap<String, String> = kept;
            let mut epsilons = Epsilons::default();
            for (id, text) in &kept {
                prop_assert!(epsilons.may_follow(id));
                epsilons.push(id, text);
                prop_assert!(!epsilons.may_follow(id));
            }
            // Parted anywhere and joined again they are the same.
            for id in &asked {
                let (mut before, mut behind) = (Epsilons::default(), Epsilons::default());
                for (other, text) in &kept {
                    let part = if other < id { &mut before } else { &mut behind };
                    part.push(other, text);
                }
                let missed = before.walk().finish();
                prop_assert_eq!(epsilons.walk().finish_before(id), missed);
                prop_assert_eq!(epsilons.walk_from(id).finish(), kept.len() as u64 - missed);
                prop_assert!(before.append(&behind));
                prop_assert_eq!(before.metrics(), epsilons.metrics());
                for (other, text) in &kept {
                    prop_assert_eq!(before.walk().seek(other).map(|it| it.0), Some(text.as_str()));
                }
                prop_assert!(kept.is_empty() || !before.append(&epsilons));
            }
            let mut cursor = epsilons.walk();
            for id in &asked {
                let found = cursor.seek(id);
                prop_assert_eq!(found.as_ref().map(|found| found.0), kept.get(id).map(String::as_str));
                if let Some((text, value)) = found {
                    prop_assert_eq!(value, Decimal::parse(text).expect("a decimal"));
                }
            }
            let left = kept.keys().filter(|id| !asked.contains(*id)).count();
            prop_assert_eq!(cursor.finish(), left as u64);
        }
    }
}

//! Puts rows in the order of their ids, compared as UTF-8 bytes, with an index of places and no copy of the ids.
//!
//! Looking an id up costs a walk into the text, and the memory is slow to answer. So the places are parted first, by few
//! ids that were looked at before; then the parts are put in order one by one, each small enough to stay near, by the
//! eight bytes in which its ids differ. Two threads do it.

use std::borrow::Cow;
use std::hint::black_box;
use std::ops::Range;
use std::thread;

use super::epsilons::shared_length;

/// How many stretches that are in order already are walked along together, rather than sorted.
pub(super) const MOST_RUNS: usize = 16;

/// How many places are worth being parted, and two threads.
pub(super) const MANY: usize = 1 << 14;

/// How many parts there are.
const PARTS: usize = 256;

/// How many ids are looked at for each part, to find where it begins.
const LOOKED_AT: usize = 16;

/// How many places are put in order at a time with parts of their ids at hand.
const STRETCH: usize = 1 << 18;

/// How many places are brought near at once, before they are read.
pub(super) const SOON: usize = 32;

/// How many bytes behind its place a row mostly ends.
const ROW: u32 = 32;

/// How many ids of the same key are compared as they are.
const FEW: usize = 32;

/// How often ids of the same key are told apart by eight further bytes, before they are compared as they are.
const DEEPEST: u32 = 16;

/// The ids of a text by their places.
pub(super) trait Ids: Sync {
    /// Returns the id at a place.
    fn id(&self, at: u32) -> Cow<'_, str>;

    /// Reads the byte at a place.
    fn byte(&self, at: u32) -> u8;

    /// Brings places near that are read soon: asked for together, they are waited for together.
    fn bring_near(&self, places: &[u32]) {
        let both = |at: &u32| self.byte(*at) ^ self.byte(at.saturating_add(ROW));
        black_box(places.iter().map(both).fold(0, |all, byte| all ^ byte));
    }
}

/// Does two things at once.
pub(super) fn at_once<A, B: Send>(
    ours: impl FnOnce() -> A,
    theirs: impl FnOnce() -> B + Send,
) -> (A, B) {
    thread::scope(|scope| {
        let theirs = scope.spawn(theirs);
        let ours = ours();
        match theirs.join() {
            Ok(theirs) => (ours, theirs),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Sorts places by the ids that stand there, and those of one id by themselves.
pub(super) fn sort_by_id(places: &mut [u32], ids: &impl Ids) {
    if places.len() < MANY {
        return sort_stretch(places, Behind(&[]), 0, ids);
    }
    let begins = Begins::of(places, ids);
    let ends = begins.part(places, ids);
    let half = ends.partition_point(|end| *end < places.len() / 2);
    let (first_ends, second_ends) = ends.split_at(half);
    let middle = first_ends.last().copied().unwrap_or(0);
    let (first, second) = places.split_at_mut(middle);
    at_once(
        || sort_parts(first, 0, first_ends, begins.behind(), ids),
        || sort_parts(second, middle, second_ends, begins.behind(), ids),
    );
}

/// Sorts parts that stand one behind the other from a place on, each up to its end.
fn sort_parts(
    mut parts: &mut [u32],
    mut from: usize,
    ends: &[usize],
    behind: Behind<'_>,
    ids: &impl Ids,
) {
    for end in ends {
        let (part, rest) = parts.split_at_mut(end - from);
        sort_part(part, behind, ids);
        (parts, from) = (rest, *end);
    }
}

/// Sorts one part: stretches of it by eight bytes of their ids; then they are joined.
fn sort_part(part: &mut [u32], behind: Behind<'_>, ids: &impl Ids) {
    for stretch in part.chunks_mut(STRETCH) {
        sort_stretch(stretch, behind, 0, ids);
    }
    if part.len() > STRETCH {
        part.sort_by(|a, b| (ids.id(*a), a).cmp(&(ids.id(*b), b)));
    }
}

/// Sorts places by eight bytes of their ids, and those that have the same there by what they do not share.
fn sort_stretch(stretch: &mut [u32], behind: Behind<'_>, depth: u32, ids: &impl Ids) {
    for alike in sort_by_key(stretch, behind, ids) {
        let alike = &mut stretch[alike];
        if alike.len() > FEW && depth < DEEPEST {
            let shared = shared_by_all(alike, ids);
            sort_stretch(alike, Behind(&shared), depth + 1, ids);
        } else {
            alike.sort_by(|a, b| (ids.id(*a), a).cmp(&(ids.id(*b), b)));
        }
    }
}

/// Sorts places by eight bytes of their ids, and returns where several have the same.
fn sort_by_key(places: &mut [u32], behind: Behind<'_>, ids: &impl Ids) -> Vec<Range<usize>> {
    // One number, for it is compared without a branch.
    let keyed = |at: &u32| (u128::from(behind.key(&ids.id(*at))) << 64) | u128::from(*at);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the lowest half is the place"
    )]
    let place = |keyed: &u128| *keyed as u32;
    let mut all = Vec::with_capacity(places.len());
    for soon in places.chunks(SOON) {
        ids.bring_near(soon);
        all.extend(soon.iter().map(keyed));
    }
    all.sort_unstable();
    for (at, keyed) in places.iter_mut().zip(&all) {
        *at = place(keyed);
    }
    let mut several = Vec::new();
    let mut from = 0;
    for alike in all.chunk_by(|a, b| a >> 64 == b >> 64) {
        if alike.len() > 1 {
            several.push(from..from + alike.len());
        }
        from += alike.len();
    }
    several
}

/// Returns what all ids at some places begin with.
fn shared_by_all(places: &[u32], ids: &impl Ids) -> Vec<u8> {
    let mut places = places.iter();
    let first = places.next().map(|at| ids.id(*at).into_owned());
    let mut shared = first.unwrap_or_default().into_bytes();
    for at in places {
        shared.truncate(shared_length(&shared, ids.id(*at).as_bytes()));
    }
    shared
}

/// Returns eight bytes of a text as a number that compares as they do; zeros stand behind a short text.
#[inline]
fn key(text: &[u8], from: usize) -> u64 {
    let rest = text.get(from..).unwrap_or_default();
    if let Some(bytes) = rest.first_chunk() {
        return u64::from_be_bytes(*bytes);
    }
    // The last eight bytes of the whole, without those before the rest: quicker than to copy so few.
    let whole = text.last_chunk().map(|bytes| u64::from_be_bytes(*bytes));
    let before = u32::try_from(8 * (8 - rest.len())).unwrap_or(64);
    whole.map_or_else(
        || {
            let mut bytes = [0; 8];
            bytes[..rest.len()].copy_from_slice(rest);
            u64::from_be_bytes(bytes)
        },
        |whole| whole.checked_shl(before).unwrap_or(0),
    )
}

/// Keys of ids, taken behind what most of them begin with.
#[derive(Clone, Copy)]
struct Behind<'a>(&'a [u8]);

impl Behind<'_> {
    /// Returns an id as a number that never compares in another way than the id, though several ids may have the same.
    #[inline]
    fn key(self, id: &str) -> u64 {
        let (id, shared) = (id.as_bytes(), self.0);
        let mut both = id.iter().zip(shared);
        if id.len() >= shared.len() && both.all(|(a, b)| a == b) {
            key(id, shared.len())
        } else if id < shared {
            0
        } else {
            u64::MAX
        }
    }
}

/// Where parts begin: the keys of some ids.
struct Begins {
    shared: Vec<u8>,
    keys: [u64; PARTS - 1],
}

impl Begins {
    /// Looks at some ids, evenly spread.
    fn of(places: &[u32], ids: &impl Ids) -> Self {
        let step = (places.len() / (PARTS * LOOKED_AT)).max(1);
        let looked_at: Vec<u32> = places.iter().step_by(step).copied().collect();
        let shared = shared_by_all(&looked_at, ids);
        let key = |at: &u32| Behind(&shared).key(&ids.id(*at));
        let mut keys: Vec<u64> = looked_at.iter().map(key).collect();
        keys.sort_unstable();
        let mut begins = [u64::MAX; PARTS - 1];
        for (number, begin) in begins.iter_mut().enumerate() {
            let at = keys.len() * (number + 1) / PARTS;
            *begin = keys.get(at).copied().unwrap_or(u64::MAX);
        }
        Self {
            shared,
            keys: begins,
        }
    }

    fn behind(&self) -> Behind<'_> {
        Behind(&self.shared)
    }

    fn part_of(&self, id: &str) -> u8 {
        let key = self.behind().key(id);
        let part = self.keys.partition_point(|begin| *begin <= key);
        // There are 255 beginnings.
        u8::try_from(part).unwrap_or(u8::MAX)
    }

    /// Parts places, each part before the next, and returns where each ends.
    fn part(&self, places: &mut [u32], ids: &impl Ids) -> [usize; PARTS] {
        let mut parts = vec![0_u8; places.len()];
        let middle = places.len() / 2;
        let (first, second) = parts.split_at_mut(middle);
        let find = |parts: &mut [u8], places: &[u32]| {
            let mut counts = [0; PARTS];
            for (part, at) in parts.iter_mut().zip(places) {
                *part = self.part_of(&ids.id(*at));
                counts[usize::from(*part)] += 1;
            }
            counts
        };
        let (ours, theirs): ([usize; PARTS], [usize; PARTS]) = at_once(
            || find(first, &places[..middle]),
            || find(second, &places[middle..]),
        );
        let (mut next, mut ends) = ([0; PARTS], [0; PARTS]);
        let mut end = 0;
        for part in 0..PARTS {
            next[part] = end;
            end += ours[part] + theirs[part];
            ends[part] = end;
        }
        for part in 0..PARTS {
            while next[part] < ends[part] {
                let here = next[part];
                let belongs = usize::from(parts[here]);
                let there = next[belongs];
                places.swap(here, there);
                parts.swap(here, there);
                next[belongs] += 1;
            }
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Ids for &[String] {
        fn id(&self, at: u32) -> Cow<'_, str> {
            Cow::Borrowed(&self[at as usize])
        }

        fn byte(&self, at: u32) -> u8 {
            let id = self.get(at as usize).map(String::as_bytes);
            id.and_then(|id| id.first().copied()).unwrap_or(0)
        }
    }

    fn sorted(ids: &[String]) -> Vec<usize> {
        let most = u32::try_from(ids.len()).expect("few");
        let mut places: Vec<u32> = (0..most).collect();
        sort_by_id(&mut places, &ids);
        places.into_iter().map(|at| at as usize).collect()
    }

    fn plainly(ids: &[String]) -> Vec<usize> {
        let mut places: Vec<usize> = (0..ids.len()).collect();
        places.sort_by_key(|place| ids[*place].as_bytes());
        places
    }

    #[test]
    fn every_order_of_ids_becomes_the_order_of_their_bytes() {
        let mixed = |number: u32| number.wrapping_mul(0x9E37_79B1);
        let most = u32::try_from(MANY).expect("small") + 2_000;
        let shapes: [fn(u32) -> String; 6] = [
            |number| format!("m{number}"),
            |number| format!("MET-{number:09}"),
            |number| format!("{:x}", number.wrapping_mul(0x9E37_79B1)),
            |number| format!("long.shared.beginning.{}", number % 500),
            |number| "é\0".repeat(number as usize % 7),
            |_| "the same".to_owned(),
        ];
        for shape in shapes {
            let ids: Vec<_> = (0..most).map(shape).collect();
            assert_eq!(sorted(&ids), plainly(&ids));
            let jumbled: Vec<_> = (0..most)
                .map(|number| shape(mixed(number) % most))
                .collect();
            assert_eq!(sorted(&jumbled), plainly(&jumbled));
        }
        assert_eq!(sorted(&[]), plainly(&[]));
    }

    #[test]
    fn a_part_of_more_than_a_stretch_is_joined() {
        let most = u32::try_from(STRETCH).expect("small") + 2_000;
        // Nearly all begin alike, and not with what all share.
        let first = |number: u32| {
            if number.is_multiple_of(1_000) {
                "a"
            } else {
                "b"
            }
        };
        let ids: Vec<_> = (0..most)
            .map(|number| {
                let rest = u64::from(number) * 7_368_787 % 200_000;
                format!("{}.beginning.{rest:06}", first(number))
            })
            .collect();
        assert_eq!(sorted(&ids), plainly(&ids));
    }

    #[test]
    fn bytes_decide_not_letters() {
        let ids = ["\u{ff5e}", "\u{1f600}", "é", "e", "z", "Z", ""].map(str::to_owned);
        let order: Vec<_> = sorted(&ids)
            .into_iter()
            .map(|at| ids[at].as_str())
            .collect();
        assert_eq!(order, ["", "Z", "e", "z", "é", "\u{ff5e}", "\u{1f600}"]);
    }
}

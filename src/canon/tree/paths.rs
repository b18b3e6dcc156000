//! The paths of a finished tree, sorted, or what keeps them from being a key set.

use std::hash::BuildHasher;

use super::order::walk;
use super::{MAX_SPELT, Note, TYPES, Tree, has_a_dot, narrow};
use crate::canon::error::{Places, Reason, duplicate_key_words, quoted};
use crate::canon::keys::BadKey;
use crate::canon::keyset::Types;
use crate::canon::scan::Scan;
use crate::canon::sort::{high, low, with_high};

/// How many bad keys of one reason are told apart; of further ones only their number is known.
const MOST_TOLD: usize = 100;

/// How many characters of a bad key's path are spelled out.
const MOST_PATH: usize = 1024;

/// Holds the keys that no path can be made of, in their order in the text.
#[derive(Debug)]
pub(in crate::canon) struct NoPaths {
    pub(in crate::canon) told: Vec<BadKey>,
    /// How many further ones there are of each reason.
    pub(in crate::canon) further: [(Reason, usize); 2],
}

impl Tree<'_> {
    /// Calls back once a path that has leaves, sorted by the path's UTF-8 bytes, with its types; or tells every key that no
    /// path can be made of, and the calls are void.
    pub(in crate::canon) fn paths(
        mut self,
        each: impl FnMut(&str, Types),
    ) -> Scan<Result<(), NoPaths>> {
        self.forget_the_walk();
        if self.notes.is_empty() && walk(&mut self, each).is_ok() {
            return Ok(Ok(()));
        }
        let collisions = self.collisions()?;
        Ok(Err(self.told(collisions)))
    }

    /// Lets go of what only the walk needs.
    fn forget_the_walk(&mut self) {
        (self.slots, self.next) = Default::default();
        (self.seen, self.journal) = Default::default();
    }

    /// Lists the nodes whose path an earlier one of another raw path has, in their order in the text.
    fn collisions(&self) -> Scan<Vec<u32>> {
        let is_leaf = |number: &u32| self.types[*number as usize] & TYPES != 0;
        let (mut path, mut spelt) = (String::new(), 0);
        let mut hashed = Vec::new();
        for number in (0..narrow(self.nodes.len())).filter(is_leaf) {
            self.spell(number, &mut path);
            spelt += path.len();
            if spelt > MAX_SPELT {
                let what = "paths that take over 64 MiB when spelt out";
                return Err(self.refusal(number, Reason::Malformed, what));
            }
            let hash = high(self.hashing.hash_one(&path));
            hashed.push(with_high(u64::from(number), hash));
        }
        hashed.sort_unstable();
        let mut later = Vec::new();
        for alike in hashed.chunk_by(|a, b| high(*a) == high(*b)) {
            if alike.len() == 1 {
                continue;
            }
            let numbers = alike.iter().copied().map(low);
            let placed = |number| (self.spelled(number), self.place(number));
            let mut paths: Vec<(String, (usize, u32))> = numbers.map(placed).collect();
            paths.sort_unstable();
            let neighbours = paths.windows(2).filter(|pair| pair[0].0 == pair[1].0);
            later.extend(neighbours.map(|pair| pair[1].1));
        }
        later.sort_unstable();
        Ok(later.into_iter().map(|(_, number)| number).collect())
    }

    fn place(&self, number: u32) -> (usize, u32) {
        (self.nodes[number as usize].at(), number)
    }

    fn spelled(&self, number: u32) -> String {
        let mut path = String::new();
        self.spell(number, &mut path);
        path
    }

    /// Puts all bad keys into words.
    fn told(mut self, collisions: Vec<u32>) -> NoPaths {
        let mut notes = std::mem::take(&mut self.notes);
        let on_the_way = notes.len();
        notes.extend(collisions.into_iter().map(|node| Note {
            node,
            at: narrow(self.nodes[node as usize].at()),
            reason: Reason::DuplicateKey,
        }));
        // Of one place, what was noted on the way comes first.
        let mut order: Vec<usize> = (0..notes.len()).collect();
        order.sort_by_key(|&index| notes[index].at);
        let mut places = Places::of(self.reader.text().as_bytes());
        let mut further = [(Reason::DuplicateKey, 0), (Reason::DottedKey, 0)];
        let mut counts = [0; 2];
        let mut told = Vec::new();
        for index in order {
            let note = notes[index];
            let kind = usize::from(note.reason == Reason::DottedKey);
            counts[kind] += 1;
            if counts[kind] > MOST_TOLD {
                further[kind].1 += 1;
                continue;
            }
            let path = self.spelled(note.node);
            let name = self.name(note.node).unwrap_or_default();
            let what = match note.reason {
                Reason::DottedKey => has_a_dot(&name),
                _ if index < on_the_way => duplicate_key_words(&name),
                _ => flatten_to_one(&path),
            };
            let error = places.error(note.at as usize, note.reason, what);
            let path = path.chars().take(MOST_PATH).collect();
            told.push(BadKey { path, error });
        }
        NoPaths { told, further }
    }
}

fn flatten_to_one(path: &str) -> String {
    format!("two raw paths flatten to {}", quoted(path))
}

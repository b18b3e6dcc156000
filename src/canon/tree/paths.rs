//! The paths of a finished tree, sorted, or what keeps them from being a key set.

use super::{Note, TYPES, Tree, has_a_dot, narrow};
use crate::canon::error::{Places, Reason, duplicate_key_words, quoted};
use crate::canon::keys::BadKey;
use crate::canon::keyset::Types;
use crate::canon::scan::Scan;

/// The most bytes that all paths together may take, since a short text can spell very long ones.
const MAX_SPELT: usize = 64 << 20;

/// How many bad keys of one reason are told apart; of further ones only their number is known.
const MOST_TOLD: usize = 100;

/// How many characters of a bad key's path are spelled out.
const MOST_PATH: usize = 1024;

/// Holds the paths of an export in order.
#[derive(Debug)]
pub(in crate::canon) struct Paths<'a> {
    tree: Tree<'a>,
    order: Vec<u32>,
    spelt: usize,
}

/// Holds the keys that no path can be made of, in their order in the text.
#[derive(Debug)]
pub(in crate::canon) struct NoPaths {
    pub(in crate::canon) told: Vec<BadKey>,
    /// How many further ones there are of each reason.
    pub(in crate::canon) further: [(Reason, usize); 2],
}

impl<'a> Tree<'a> {
    /// Sorts all paths that have leaves, and refuses raw paths that flatten to one.
    pub(in crate::canon) fn into_paths(mut self) -> Scan<Paths<'a>> {
        self.forget_the_walk();
        let (order, spelt) = self.in_order()?;
        match self.collisions(&order).first() {
            None => Ok(Paths {
                tree: self,
                order,
                spelt,
            }),
            Some(&number) => {
                let what = flatten_to_one(&self.spelled(number));
                Err(self.refusal(number, Reason::DuplicateKey, &what))
            }
        }
    }

    /// Sorts all paths that have leaves, or tells every key that no path can be made of.
    pub(in crate::canon) fn into_paths_or_notes(mut self) -> Scan<Result<Paths<'a>, NoPaths>> {
        self.forget_the_walk();
        let (order, spelt) = self.in_order()?;
        let collisions = self.collisions(&order);
        if self.notes.is_empty() && collisions.is_empty() {
            let tree = self;
            return Ok(Ok(Paths { tree, order, spelt }));
        }
        drop(order);
        Ok(Err(self.told(collisions)))
    }

    /// Lets go of what only the walk needs.
    fn forget_the_walk(&mut self) {
        (self.slots, self.next) = Default::default();
        (self.seen, self.journal) = Default::default();
    }

    /// Sorts the nodes that have leaves by their paths, then by where they stand.
    fn in_order(&self) -> Scan<(Vec<u32>, usize)> {
        let is_leaf = |types: &&u8| **types & TYPES != 0;
        let mut order = Vec::with_capacity(self.types.iter().filter(is_leaf).count());
        let (mut path, mut other, mut spelt) = (String::new(), String::new(), 0);
        for number in 0..narrow(self.nodes.len()) {
            if self.types[number as usize] & TYPES == 0 {
                continue;
            }
            self.spell(number, &mut path);
            spelt += path.len();
            if spelt > MAX_SPELT {
                let what = "paths that take over 64 MiB when spelt out";
                return Err(self.refusal(number, Reason::Malformed, what));
            }
            order.push(number);
        }
        order.sort_unstable_by(|&a, &b| {
            let paths = if self.nodes[a as usize].parent == self.nodes[b as usize].parent {
                self.name(a).cmp(&self.name(b))
            } else {
                self.spell(a, &mut path);
                self.spell(b, &mut other);
                path.cmp(&other)
            };
            paths.then_with(|| self.place(a).cmp(&self.place(b)))
        });
        Ok((order, spelt))
    }

    fn place(&self, number: u32) -> (u32, u32) {
        (self.nodes[number as usize].at, number)
    }

    /// Lists the nodes whose path an earlier one of another raw path has, in their order in the text.
    fn collisions(&self, order: &[u32]) -> Vec<u32> {
        let (mut path, mut other) = (String::new(), String::new());
        let mut are_one = |a: u32, b: u32| {
            if self.nodes[a as usize].parent == self.nodes[b as usize].parent {
                return self.name(a) == self.name(b);
            }
            self.spell(a, &mut path);
            self.spell(b, &mut other);
            path == other
        };
        let neighbours = order.windows(2);
        let later = neighbours.filter(|pair| are_one(pair[0], pair[1]));
        let mut later: Vec<u32> = later.map(|pair| pair[1]).collect();
        later.sort_unstable_by_key(|&number| self.place(number));
        later
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
            at: self.nodes[node as usize].at,
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

impl Paths<'_> {
    pub(in crate::canon) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(in crate::canon) fn len(&self) -> usize {
        self.order.len()
    }

    /// Tells how many bytes all paths take when spelt out one after the other.
    pub(in crate::canon) fn spelt(&self) -> usize {
        self.spelt
    }

    /// Calls back once a path with its types, sorted by the path's UTF-8 bytes.
    pub(in crate::canon) fn each(&self, mut each: impl FnMut(&str, Types)) {
        let mut path = String::new();
        for &number in &self.order {
            self.tree.spell(number, &mut path);
            let types = self.tree.types[number as usize];
            each(&path, Types::of_bits(types & TYPES));
        }
    }
}

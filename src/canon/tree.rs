//! The tree of raw paths that an export is flattened with.
//!
//! It grows with the distinct paths, not with the export, and spells them out only at the end.

mod order;
mod paths;
mod steps;

use std::hash::RandomState;

use super::error::{Fault, Reason, duplicate_key, quoted};
use super::keyset::JsonType;
use super::scan::{Scan, Scanner, Start, Text};

pub(super) use paths::NoPaths;

/// The node that stands for the export itself.
pub(super) const ROOT: u32 = 0;

/// Stands for no node.
const NONE: u32 = u32::MAX;

/// The bits of a slot that hold a node's number; a node takes over four bytes of a text of 2 GiB.
const NUMBER: u32 = (1 << 29) - 1;

/// The first nodes remember what came after them; millions of others had better be small.
const REMEMBERING: usize = 1 << 16;

/// Marks the node of a key that an open object has, beside the bits of its types.
const SEEN: u8 = 1 << 7;

/// Marks the node of a key whose repetition was noted, beside the bits of its types.
const NOTED: u8 = 1 << 6;

/// The most bytes that all paths together may take, since a short text can spell very long ones.
const MAX_SPELT: usize = 64 << 20;

/// The bits of types.
const TYPES: u8 = NOTED - 1;

/// Says what comes of a key that no path can be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadKeys {
    /// The first one ends the walk.
    EndTheWalk,
    /// Each is noted once, and the walk goes on.
    AreNoted,
}

/// Notes a key that no path can be made of.
#[derive(Debug, Clone, Copy)]
struct Note {
    node: u32,
    at: u32,
    reason: Reason,
}

/// Marks, beside the place of its brace, the step from an array to its elements that was met right after the array's key.
const ADJACENT: u32 = 1 << 31;

/// Holds one step of a raw path.
#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    /// Where the key stands, the one of the first leaf if there is any; the step from an array to
    /// its elements has the brace of an element instead, and may be marked.
    at: u32,
}

impl Node {
    fn at(self) -> usize {
        (self.at & !ADJACENT) as usize
    }

    fn is_adjacent(self) -> bool {
        self.at & ADJACENT != 0
    }
}

/// Tells whether an object had members.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    Some,
    None,
}

/// Holds all raw paths met so far.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    /// Reads names again, which are kept nowhere else.
    reader: Scanner<'a>,
    nodes: Vec<Node>,
    /// The types of leaves that each node was met with.
    types: Vec<u8>,
    /// The node that came after this one last time: most siblings repeat each other.
    next: Vec<u32>,
    /// Open addressing over node numbers, at most three quarters full; what is left of a slot's bits holds some of the
    /// hash, so that hardly any other node is looked at on the way.
    slots: Vec<u32>,
    /// How many slots are taken.
    held: usize,
    hashing: RandomState,
    /// The keys of open objects that are older than these.
    seen: Vec<u32>,
    /// The leaves met for the first time inside arrays still open, in case one turns out mixed.
    journal: Vec<(u32, JsonType)>,
    open_arrays: usize,
    bad_keys: BadKeys,
    notes: Vec<Note>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(reader: Scanner<'a>, bad_keys: BadKeys) -> Self {
        let root = Node {
            parent: NONE,
            at: 0,
        };
        Self {
            reader,
            nodes: vec![root],
            types: vec![0],
            next: vec![NONE],
            slots: vec![NONE; 63],
            held: 0,
            hashing: RandomState::new(),
            seen: Vec::new(),
            journal: Vec::new(),
            open_arrays: 0,
            bad_keys,
            notes: Vec::new(),
        }
    }

    pub(super) fn object(&mut self, scanner: &mut Scanner<'a>, parent: u32) -> Scan<Members> {
        let (older, before) = (self.nodes.len(), self.seen.len());
        let mut previous = parent;
        let mut members = Members::None;
        scanner.members(|scanner, key| {
            members = Members::Some;
            let known = self.nodes.len();
            let node = self.step(parent, previous, &key);
            let index = node as usize;
            if index >= known {
                if key.text.contains('.') {
                    self.dotted(scanner, node, &key)?;
                }
            } else if index >= older || self.types[index] & SEEN != 0 {
                // Objects of one path never nest, so a node younger than this object is of this object.
                self.repeated(scanner, node, &key)?;
            } else {
                self.types[index] |= SEEN;
                self.seen.push(node);
            }
            previous = node;
            self.value(scanner, node, key.at)
        })?;
        for node in self.seen.drain(before..) {
            self.types[node as usize] &= !SEEN;
        }
        Ok(members)
    }

    #[cold]
    fn dotted(&mut self, scanner: &Scanner<'a>, node: u32, key: &Text<'_>) -> Scan<()> {
        let reason = Reason::DottedKey;
        match self.bad_keys {
            BadKeys::EndTheWalk => Err(scanner.refusal(key.at, reason, has_a_dot(&key.text))),
            BadKeys::AreNoted => {
                self.note(node, key.at, reason);
                Ok(())
            }
        }
    }

    #[cold]
    fn repeated(&mut self, scanner: &Scanner<'a>, node: u32, key: &Text<'_>) -> Scan<()> {
        if self.bad_keys == BadKeys::EndTheWalk {
            return Err(duplicate_key(scanner, &key.text, key.at));
        }
        if self.types[node as usize] & NOTED == 0 {
            self.types[node as usize] |= NOTED;
            self.note(node, key.at, Reason::DuplicateKey);
        }
        Ok(())
    }

    fn note(&mut self, node: u32, at: usize, reason: Reason) {
        let at = narrow(at);
        self.notes.push(Note { node, at, reason });
    }

    fn value(&mut self, scanner: &mut Scanner<'a>, node: u32, at: usize) -> Scan<()> {
        let kind = match scanner.peek()? {
            Start::Object => match self.object(scanner, node)? {
                Members::Some => return Ok(()),
                Members::None => JsonType::Object,
            },
            Start::Array => match self.array(scanner, node)? {
                Members::Some => return Ok(()),
                Members::None => JsonType::Array,
            },
            scalar => take_scalar(scanner, scalar)?,
        };
        self.mark(node, kind, at);
        Ok(())
    }

    /// Walks an array; one that holds objects only has members, every other is a leaf.
    fn array(&mut self, scanner: &mut Scanner<'a>, node: u32) -> Scan<Members> {
        let mut elements = None;
        let begun = self.journal.len();
        let (mut objects, mut others) = (0_usize, 0_usize);
        self.open_arrays += 1;
        scanner.elements(|scanner| {
            match scanner.peek()? {
                Start::Object => {
                    objects += 1;
                    let at = scanner.at();
                    let elements = *elements.get_or_insert_with(|| self.elements(node, at));
                    if self.object(scanner, elements)? == Members::None {
                        self.mark(elements, JsonType::Object, at);
                    }
                }
                other => {
                    others += 1;
                    match other {
                        Start::Array => {
                            // Whatever is in it goes when this array turns out to be a leaf.
                            self.array(scanner, node)?;
                        }
                        scalar => {
                            take_scalar(scanner, scalar)?;
                        }
                    }
                }
            }
            Ok(())
        })?;
        self.open_arrays -= 1;
        let is_leaf = objects == 0 || others > 0;
        if is_leaf {
            for (node, kind) in self.journal.drain(begun..) {
                self.types[node as usize] &= !kind.bit();
            }
        }
        if self.open_arrays == 0 {
            self.journal.clear();
        }
        Ok(if is_leaf {
            Members::None
        } else {
            Members::Some
        })
    }

    fn mark(&mut self, number: u32, kind: JsonType, at: usize) {
        let types = &mut self.types[number as usize];
        if *types & kind.bit() != 0 {
            return;
        }
        if *types & TYPES == 0 {
            let node = &mut self.nodes[number as usize];
            node.at = node.at & ADJACENT | narrow(at);
        }
        *types |= kind.bit();
        if self.open_arrays > 0 {
            self.journal.push((number, kind));
        }
    }

    #[cold]
    fn refusal(&self, number: u32, reason: Reason, what: &str) -> Fault {
        let at = self.nodes[number as usize].at();
        self.reader.refusal(at, reason, what)
    }

    /// Spells out the path to a node.
    fn spell(&self, number: u32, path: &mut String) {
        path.clear();
        self.spell_on(number, path);
    }

    /// Appends the path to a node, and tells whether it has a key.
    fn spell_on(&self, number: u32, path: &mut String) -> bool {
        let parent = self.nodes[number as usize].parent;
        if parent == NONE {
            return false;
        }
        let follows = self.spell_on(parent, path);
        let Some(name) = self.name(number) else {
            return follows;
        };
        path.push_str(if follows { "." } else { "" });
        path.push_str(&name);
        true
    }
}

fn take_scalar(scanner: &mut Scanner<'_>, start: Start) -> Scan<JsonType> {
    Ok(match start {
        Start::String => {
            scanner.string()?;
            JsonType::String
        }
        Start::Number => {
            scanner.number()?;
            JsonType::Number
        }
        Start::Null => {
            scanner.word(start);
            JsonType::Null
        }
        _ => {
            scanner.word(start);
            JsonType::Boolean
        }
    })
}

fn has_a_dot(key: &str) -> String {
    format!("key {} contains a dot", quoted(key))
}

/// Narrows an offset or a count, which the longest text taken keeps below 2^31.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NONE)
}

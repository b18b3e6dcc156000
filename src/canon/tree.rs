//! The tree of raw paths that an export is flattened with.
//!
//! It grows with the distinct paths, not with the export, and spells them out only at the end.

mod order;
mod paths;

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

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

/// Holds one step of a raw path.
#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    /// Where the key stands, the one of the first leaf if there is any; the step from an array to
    /// its elements has the brace of an element instead.
    at: u32,
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
                    let elements = *elements.get_or_insert_with(|| self.child(node, None, at));
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
            self.nodes[number as usize].at = narrow(at);
        }
        *types |= kind.bit();
        if self.open_arrays > 0 {
            self.journal.push((number, kind));
        }
    }

    /// Finds the node of a key, first where it was last time.
    #[inline]
    fn step(&mut self, parent: u32, previous: u32, key: &Text<'_>) -> u32 {
        let guess = self.next.get(previous as usize).copied().unwrap_or(NONE);
        if guess != NONE && self.is(guess, parent, Some(key)) {
            return guess;
        }
        let found = self.child(parent, Some(key), key.at);
        if let Some(next) = self.next.get_mut(previous as usize) {
            *next = found;
        }
        found
    }

    /// Finds or makes the node of a step.
    fn child(&mut self, parent: u32, key: Option<&Text<'_>>, at: usize) -> u32 {
        let (mut slot, tag) = self.home(parent, key.map(|key| &*key.text));
        loop {
            let held = self.slots[slot];
            if held == NONE {
                break;
            }
            if held & !NUMBER == tag && self.is(held & NUMBER, parent, key) {
                return held & NUMBER;
            }
            slot = (slot + 1) % self.slots.len();
        }
        let number = narrow(self.nodes.len());
        self.slots[slot] = tag | number;
        let at = narrow(at);
        self.nodes.push(Node { parent, at });
        self.types.push(0);
        if self.next.len() < REMEMBERING {
            self.next.push(NONE);
        }
        if self.nodes.len() * 4 > self.slots.len() * 3 {
            self.grow();
        }
        number
    }

    #[inline]
    fn is(&self, number: u32, parent: u32, key: Option<&Text<'_>>) -> bool {
        let node = self.nodes[number as usize];
        if node.parent != parent {
            return false;
        }
        let name = key.map(|key| &key.text);
        if let Some(Cow::Borrowed(plain)) = name {
            let written = &self.reader.text().as_bytes()[node.at as usize + 1..];
            if written.starts_with(plain.as_bytes()) && written.get(plain.len()) == Some(&b'"') {
                return true;
            }
        }
        self.name(number).as_ref() == name
    }

    /// Tells a key from the step of an array to its elements.
    fn has_key(&self, number: u32) -> bool {
        let at = self.nodes[number as usize].at as usize;
        self.reader.text().as_bytes().get(at) == Some(&b'"')
    }

    /// Reads the key of a step again; that from an array to its elements has none.
    fn name(&self, number: u32) -> Option<Cow<'a, str>> {
        if !self.has_key(number) {
            return None;
        }
        let at = self.nodes[number as usize].at as usize;
        let mut reader = self.reader.back_at(at);
        reader.string().ok().map(|key| key.text)
    }

    /// Gives the first slot to look at, and what a slot holds of the hash.
    fn home(&self, parent: u32, name: Option<&str>) -> (usize, u32) {
        let hash = self.hashing.hash_one((parent, name));
        let slot = (u128::from(hash) * self.slots.len() as u128) >> 64;
        let tag = u32::try_from(hash & 7).unwrap_or_default() << NUMBER.count_ones();
        (usize::try_from(slot).unwrap_or_default(), tag)
    }

    /// Makes as many slots as the text will need if it goes on like this, but a third more at least, and four times as many
    /// at most: each growth reads all names again, and slots that stay empty for good are memory for nothing.
    fn grow(&mut self) {
        let (known, length) = (self.nodes.len(), self.slots.len());
        let read = self.nodes.last().map_or(1, |node| node.at as usize + 1);
        let expected = known as u128 * self.reader.text().len() as u128 / read as u128;
        let wanted = usize::try_from(expected / 3 * 4).unwrap_or(usize::MAX);
        let length = (wanted + wanted / 64).clamp(length / 3 * 4, length * 4);
        self.slots = Vec::new();
        self.slots = vec![NONE; length];
        for number in 1..narrow(self.nodes.len()) {
            let parent = self.nodes[number as usize].parent;
            let (mut slot, tag) = self.home(parent, self.name(number).as_deref());
            while self.slots[slot] != NONE {
                slot = (slot + 1) % length;
            }
            self.slots[slot] = tag | number;
        }
    }

    #[cold]
    fn refusal(&self, number: u32, reason: Reason, what: &str) -> Fault {
        let at = self.nodes[number as usize].at as usize;
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

//! The tree of raw paths that an export is flattened with.
//!
//! It grows with the distinct paths, not with the export, and spells them out only at the end.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

use super::error::{Reason, duplicate_key, quoted};
use super::keyset::{JsonType, Keyset, Leaf, path};
use super::scan::{Scan, Scanner, Start, Text};

/// The most bytes that all paths together may take, since a short text can spell very long ones.
const MAX_SPELT: usize = 64 << 20;

/// The node that stands for the export itself.
pub(super) const ROOT: u32 = 0;

/// Stands for no node and no object.
const NONE: u32 = u32::MAX;

/// Holds one step of a raw path.
#[derive(Debug)]
struct Node<'a> {
    parent: u32,
    /// The key, or nothing for the step from an array to its elements.
    name: Option<Cow<'a, str>>,
    /// The node that came after this one last time: most siblings repeat each other.
    next: u32,
    /// The last object in which this key was seen.
    seen_in: u32,
    /// Where its first leaf stands.
    at: u32,
    types: u8,
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
    nodes: Vec<Node<'a>>,
    /// Open addressing over node numbers; a power of two, at most three quarters full.
    slots: Vec<u32>,
    hashing: RandomState,
    objects: u32,
    /// The leaves met for the first time inside arrays still open, in case one turns out mixed.
    journal: Vec<(u32, JsonType)>,
    open_arrays: usize,
}

impl<'a> Tree<'a> {
    pub(super) fn new() -> Self {
        let root = Node {
            parent: NONE,
            name: None,
            next: NONE,
            seen_in: NONE,
            at: 0,
            types: 0,
        };
        Self {
            nodes: vec![root],
            slots: vec![NONE; 64],
            hashing: RandomState::new(),
            objects: 0,
            journal: Vec::new(),
            open_arrays: 0,
        }
    }

    pub(super) fn object(&mut self, scanner: &mut Scanner<'a>, parent: u32) -> Scan<Members> {
        let object = self.objects;
        self.objects += 1;
        let mut previous = parent;
        let mut members = Members::None;
        scanner.members(|scanner, key| {
            members = Members::Some;
            if key.text.contains('.') {
                let what = format!("key {} contains a dot", quoted(&key.text));
                return Err(scanner.refusal(key.at, Reason::DottedKey, what));
            }
            let at = key.at;
            let node = self.step(parent, previous, key);
            if self.nodes[node as usize].seen_in == object {
                let name = self.nodes[node as usize]
                    .name
                    .as_deref()
                    .unwrap_or_default();
                return Err(duplicate_key(scanner, name, at));
            }
            self.nodes[node as usize].seen_in = object;
            previous = node;
            self.value(scanner, node, at)
        })?;
        Ok(members)
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
                    let elements = *elements.get_or_insert_with(|| self.child(node, None));
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
                self.nodes[node as usize].types &= !kind.bit();
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
        let node = &mut self.nodes[number as usize];
        if node.types & kind.bit() != 0 {
            return;
        }
        if node.types == 0 {
            node.at = narrow(at);
        }
        node.types |= kind.bit();
        if self.open_arrays > 0 {
            self.journal.push((number, kind));
        }
    }

    /// Finds the node of a key, first where it was last time.
    #[inline]
    fn step(&mut self, parent: u32, previous: u32, key: Text<'a>) -> u32 {
        let guess = self.nodes[previous as usize].next;
        if let Some(node) = self.nodes.get(guess as usize)
            && node.parent == parent
            && node.name.as_ref() == Some(&key.text)
        {
            return guess;
        }
        let found = self.child(parent, Some(key.text));
        self.nodes[previous as usize].next = found;
        found
    }

    /// Finds or makes the node of a step.
    fn child(&mut self, parent: u32, name: Option<Cow<'a, str>>) -> u32 {
        let mask = self.slots.len() - 1;
        let mut slot = self.home(parent, name.as_deref());
        loop {
            let number = self.slots[slot];
            if number == NONE {
                break;
            }
            let node = &self.nodes[number as usize];
            if node.parent == parent && node.name == name {
                return number;
            }
            slot = (slot + 1) & mask;
        }
        let number = narrow(self.nodes.len());
        self.slots[slot] = number;
        self.nodes.push(Node {
            parent,
            name,
            next: NONE,
            seen_in: NONE,
            at: 0,
            types: 0,
        });
        if self.nodes.len() * 4 > self.slots.len() * 3 {
            self.grow();
        }
        number
    }

    fn home(&self, parent: u32, name: Option<&str>) -> usize {
        let hash = self.hashing.hash_one((parent, name));
        usize::try_from(hash & narrow_mask(self.slots.len())).unwrap_or_default()
    }

    fn grow(&mut self) {
        self.slots = vec![NONE; self.slots.len() * 2];
        let mask = self.slots.len() - 1;
        for (number, node) in self.nodes.iter().enumerate().skip(1) {
            let mut slot = self.home(node.parent, node.name.as_deref());
            while self.slots[slot] != NONE {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = narrow(number);
        }
    }

    /// Spells out and sorts all leaves, and refuses raw paths that flatten to one.
    pub(super) fn spell(&self, scanner: &Scanner<'_>) -> Scan<Keyset> {
        let mut spelt = String::new();
        let mut leaves = Vec::new();
        let mut names = Vec::new();
        for (number, node) in self
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.types != 0)
        {
            let start = spelt.len();
            names.clear();
            let mut step = node;
            while step.parent != NONE {
                names.extend(step.name.as_deref());
                step = &self.nodes[step.parent as usize];
            }
            let length = names.iter().map(|name| name.len() + 1).sum::<usize>() - 1;
            if start + length > MAX_SPELT {
                let what = "paths that take over 64 MiB when spelt out";
                return Err(scanner.refusal(node.at as usize, Reason::Malformed, what));
            }
            for (index, name) in names.iter().rev().enumerate() {
                spelt.push_str(if index == 0 { "" } else { "." });
                spelt.push_str(name);
            }
            let (start, length, node_number) = (narrow(start), narrow(length), narrow(number));
            let kinds = JsonType::ALL
                .into_iter()
                .filter(|kind| node.types & kind.bit() != 0);
            leaves.extend(kinds.map(|kind| Leaf {
                start,
                length,
                kind,
                node: node_number,
            }));
        }
        leaves.sort_unstable_by(|a, b| {
            let paths = path(&spelt, a).cmp(path(&spelt, b));
            paths
                .then(self.first(a).cmp(&self.first(b)))
                .then(a.kind.cmp(&b.kind))
        });
        self.refuse_collisions(scanner, &spelt, &leaves)?;
        Ok(Keyset { spelt, leaves })
    }

    fn first(&self, leaf: &Leaf) -> (u32, u32) {
        (self.nodes[leaf.node as usize].at, leaf.node)
    }

    fn refuse_collisions(&self, scanner: &Scanner<'_>, spelt: &str, leaves: &[Leaf]) -> Scan<()> {
        let collide = |pair: &&[Leaf]| {
            pair[0].node != pair[1].node && path(spelt, &pair[0]) == path(spelt, &pair[1])
        };
        let later = leaves.windows(2).filter(collide).map(|pair| &pair[1]);
        let Some(leaf) = later.min_by_key(|leaf| self.first(leaf)) else {
            return Ok(());
        };
        let shown = quoted(path(spelt, leaf));
        let what = format!("two raw paths, one through an array, flatten to {shown}");
        let at = self.nodes[leaf.node as usize].at as usize;
        Err(scanner.refusal(at, Reason::DuplicateKey, what))
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

/// Narrows an offset or a count, which the longest text taken keeps below 2^31.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NONE)
}

fn narrow_mask(slots: usize) -> u64 {
    slots as u64 - 1
}

//! Finding the node of a step, or making it.

use std::borrow::Cow;
use std::hash::BuildHasher;

use super::{ADJACENT, NONE, NUMBER, Node, REMEMBERING, Tree, narrow};
use crate::canon::scan::Text;

impl<'a> Tree<'a> {
    /// Finds the node of a key, first where it was last time.
    #[inline]
    pub(super) fn step(&mut self, parent: u32, previous: u32, key: &Text<'_>) -> u32 {
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

    /// Finds or makes the node of the step from an array to its elements: mostly it is the next one, and no slot is needed.
    pub(super) fn elements(&mut self, array: u32, at: usize) -> u32 {
        if let Some(found) = self.adjacent(array) {
            return found;
        }
        let number = narrow(self.nodes.len());
        if array + 1 < number {
            return self.child(array, None, at);
        }
        self.push(array, ADJACENT | narrow(at));
        number
    }

    /// Finds the step to the elements of an array that stands next to it.
    pub(super) fn adjacent(&self, array: u32) -> Option<u32> {
        let next = self.nodes.get(array as usize + 1);
        next.is_some_and(|next| next.is_adjacent())
            .then_some(array + 1)
    }

    fn push(&mut self, parent: u32, at: u32) {
        self.nodes.push(Node { parent, at });
        self.types.push(0);
        if self.next.len() < REMEMBERING {
            self.next.push(NONE);
        }
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
        self.push(parent, narrow(at));
        self.held += 1;
        if self.held * 4 > self.slots.len() * 3 {
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
            let written = &self.reader.text().as_bytes()[node.at() + 1..];
            if written.starts_with(plain.as_bytes()) && written.get(plain.len()) == Some(&b'"') {
                return true;
            }
        }
        self.name(number).as_ref() == name
    }

    /// Tells a key from the step of an array to its elements.
    pub(super) fn has_key(&self, number: u32) -> bool {
        let at = self.nodes[number as usize].at();
        self.reader.text().as_bytes().get(at) == Some(&b'"')
    }

    /// Reads the key of a step again; that from an array to its elements has none.
    pub(super) fn name(&self, number: u32) -> Option<Cow<'a, str>> {
        if !self.has_key(number) {
            return None;
        }
        let at = self.nodes[number as usize].at();
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
        let (known, length) = (self.held, self.slots.len());
        let read = self.nodes.last().map_or(1, |node| node.at() + 1);
        let expected = known as u128 * self.reader.text().len() as u128 / read as u128;
        let wanted = usize::try_from(expected / 3 * 4).unwrap_or(usize::MAX);
        let length = (wanted + wanted / 64).clamp(length / 3 * 4, length * 4);
        self.slots = Vec::new();
        self.slots = vec![NONE; length];
        for number in 1..narrow(self.nodes.len()) {
            let Node { parent, .. } = self.nodes[number as usize];
            if self.nodes[number as usize].is_adjacent() {
                continue;
            }
            let (mut slot, tag) = self.home(parent, self.name(number).as_deref());
            while self.slots[slot] != NONE {
                slot = (slot + 1) % length;
            }
            self.slots[slot] = tag | number;
        }
    }
}

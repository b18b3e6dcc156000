//! The walk along a finished tree in the order of the dotted paths.
//!
//! Siblings are sorted, not paths, and no path is spelt out but the one just met.

use std::borrow::Cow;
use std::mem;
use std::ops::Range;

use super::{MAX_SPELT, NONE, NUMBER, ROOT, TYPES, Tree, narrow};
use crate::canon::keyset::Types;
use crate::canon::sort::sort_by_name;

/// Marks a step that has a key; that from an array to its elements has none.
const KEYED: u32 = 1 << 31;

/// Marks the first step below a node.
const FIRST: u32 = 1 << 30;

/// Says that a walk ended early: two raw paths flatten to one, or all paths are too long to be spelt out.
#[derive(Debug)]
pub(super) struct Stopped;

/// Walks along a tree, in whose nodes it notes where the steps below them begin instead of their parents.
struct Order<'t, 'a, F> {
    tree: &'t mut Tree<'a>,
    /// Nodes, but for those that stand next to their arrays. Those of one parent stand together, the one without a key first.
    steps: Vec<u32>,
    path: String,
    spelt: usize,
    each: F,
}

/// A path that leads on: its last name, and its nodes that have keys below them.
struct Branch<'a> {
    name: Cow<'a, str>,
    nodes: Vec<u32>,
}

/// Calls back once a path that has leaves, sorted by the path's UTF-8 bytes, with its types. No key may have a dot.
pub(super) fn walk(tree: &mut Tree<'_>, each: impl FnMut(&str, Types)) -> Result<(), Stopped> {
    let mut order = Order {
        steps: steps(tree),
        tree,
        path: String::new(),
        spelt: 0,
        each,
    };
    let ended = order.descend(&[ROOT]);
    let Order { tree, steps, .. } = order;
    give_parents_back(tree, &steps);
    ended
}

/// Lists the nodes by their parents, and notes where those of each begin.
fn steps(tree: &mut Tree<'_>) -> Vec<u32> {
    let mut steps = Vec::with_capacity(tree.held);
    for number in 1..narrow(tree.nodes.len()) {
        let node = &mut tree.nodes[number as usize];
        if node.is_adjacent() {
            node.parent = NONE;
        } else {
            let keyed = if tree.has_key(number) { KEYED } else { 0 };
            steps.push(keyed | number);
        }
    }
    let nodes = &mut tree.nodes;
    steps.sort_unstable_by_key(|&step| (nodes[node(step) as usize].parent, step));
    let mut before = NONE;
    for (place, step) in steps.iter_mut().enumerate() {
        // Whatever has steps below it is itself a step below an earlier node, whose parent was taken before.
        let parent = mem::replace(&mut nodes[node(*step) as usize].parent, NONE);
        if parent != before {
            *step |= FIRST;
            nodes[parent as usize].parent = narrow(place);
            before = parent;
        }
    }
    steps
}

/// Notes the parents of nodes again instead of where the steps below them begin.
fn give_parents_back(tree: &mut Tree<'_>, steps: &[u32]) {
    // A node comes after its parent: where the steps below it begin is not needed any more when its parent is noted.
    for number in (ROOT..narrow(tree.nodes.len())).rev() {
        let begin = tree.nodes[number as usize].parent as usize;
        for step in steps.get(group(steps, begin)).unwrap_or_default() {
            tree.nodes[node(*step) as usize].parent = number;
        }
        if let Some(elements) = tree.adjacent(number) {
            tree.nodes[elements as usize].parent = number;
        }
    }
    tree.nodes[ROOT as usize].parent = NONE;
}

/// Tells where the steps are that stand together from a place on; nowhere if that is beyond all.
fn group(steps: &[u32], begin: usize) -> Range<usize> {
    let Some(others) = steps.get(begin + 1..) else {
        return 0..0;
    };
    let ends = others.iter().position(|step| step & FIRST != 0);
    begin..begin + 1 + ends.unwrap_or(others.len())
}

impl<'a, F: FnMut(&str, Types)> Order<'_, 'a, F> {
    /// Walks along everything below the nodes of one path, which is spelt out with the dot after it.
    fn descend(&mut self, nodes: &[u32]) -> Result<(), Stopped> {
        let before = self.steps.len();
        let mut siblings = self.sorted_below(nodes);
        let mut waiting: Vec<Branch<'a>> = Vec::new();
        while !siblings.is_empty() {
            let name = self.name(siblings.start);
            let mut alike = siblings.start..siblings.start + 1;
            // Two nodes of one parent never have one name.
            while nodes.len() > 1 && alike.end < siblings.end && self.name(alike.end) == name {
                alike.end += 1;
            }
            siblings.start = alike.end;
            while let Some(branch) = waiting.pop_if(|branch| !is_before_dot(&branch.name, &name)) {
                self.follow(&branch)?;
            }
            self.meet(alike.clone(), &name)?;
            let nodes: Vec<u32> = self.nodes(alike).filter(|&it| self.leads_on(it)).collect();
            if !nodes.is_empty() {
                waiting.push(Branch { name, nodes });
            }
        }
        while let Some(branch) = waiting.pop() {
            self.follow(&branch)?;
        }
        self.steps.truncate(before);
        Ok(())
    }

    fn follow(&mut self, branch: &Branch<'a>) -> Result<(), Stopped> {
        let length = self.path.len();
        self.path.push_str(&branch.name);
        self.path.push('.');
        let ended = self.descend(&branch.nodes);
        self.path.truncate(length);
        ended
    }

    /// Calls back with the path of siblings of one name, if there are leaves.
    fn meet(&mut self, alike: Range<usize>, name: &str) -> Result<(), Stopped> {
        let types = |number: u32| self.tree.types[number as usize] & TYPES;
        let mut leaves = self.nodes(alike).map(types).filter(|&types| types != 0);
        let Some(types) = leaves.next() else {
            return Ok(());
        };
        if leaves.next().is_some() {
            return Err(Stopped);
        }
        drop(leaves);
        let length = self.path.len();
        self.path.push_str(name);
        self.spelt += self.path.len();
        if self.spelt > MAX_SPELT {
            return Err(Stopped);
        }
        (self.each)(&self.path, Types::of_bits(types));
        self.path.truncate(length);
        Ok(())
    }

    fn name(&self, place: usize) -> Cow<'a, str> {
        self.tree.name(node(self.steps[place])).unwrap_or_default()
    }

    /// Lists the nodes of steps, and those of the elements of their arrays, which have the same path.
    fn nodes(&self, steps: Range<usize>) -> impl Iterator<Item = u32> {
        self.steps[steps].iter().flat_map(|&step| {
            let first = self.steps.get(self.begin(node(step)));
            let unkeyed = first.filter(|&&step| step & KEYED == 0);
            let elements = self.tree.adjacent(node(step));
            let elements = elements.or(unkeyed.map(|&step| node(step)));
            [Some(node(step)), elements].into_iter().flatten()
        })
    }

    /// Tells where the steps below a node begin; beyond all if there are none.
    fn begin(&self, number: u32) -> usize {
        self.tree.nodes[number as usize].parent as usize
    }

    /// Tells where the steps with keys below a node are.
    fn below(&self, number: u32) -> Range<usize> {
        let mut below = group(&self.steps, self.begin(number));
        let first = self.steps[below.clone()].first();
        if first.is_some_and(|step| step & KEYED == 0) {
            below.start += 1;
        }
        below
    }

    fn leads_on(&self, number: u32) -> bool {
        let first = self.begin(number);
        let keyed = |place: usize| self.steps.get(place).map(|step| step & (KEYED | FIRST));
        keyed(first).is_some_and(|marks| marks & KEYED != 0)
            || keyed(first.saturating_add(1)) == Some(KEYED)
    }

    /// Sorts the steps with keys below nodes by their names: in place, or a copy when they stand in several places.
    fn sorted_below(&mut self, nodes: &[u32]) -> Range<usize> {
        if let [number] = nodes {
            let below = self.below(*number);
            self.sort(below.clone());
            return below;
        }
        let begin = self.steps.len();
        for &number in nodes {
            self.steps.extend_from_within(self.below(number));
            // They stand together, behind those that stood last until now.
            for step in &mut self.steps[begin..] {
                *step &= !FIRST;
            }
            if let Some(first) = self.steps.get_mut(begin) {
                *first |= FIRST;
            }
        }
        let copy = begin..self.steps.len();
        self.sort(copy.clone());
        copy
    }

    /// Sorts steps by their names; the mark of the first stays where it is.
    fn sort(&mut self, steps: Range<usize>) {
        let steps = &mut self.steps[steps];
        let Some(first) = steps.first_mut() else {
            return;
        };
        let mark = *first & FIRST;
        *first &= !FIRST;
        sort_by_name(steps, |step| self.tree.name(node(step)).unwrap_or_default());
        steps[0] |= mark;
    }
}

/// Tells whether a name goes on after another one with what sorts before a dot.
fn is_before_dot(name: &str, longer: &str) -> bool {
    let rest = longer.strip_prefix(name);
    rest.is_some_and(|rest| rest.bytes().next().is_some_and(|byte| byte < b'.'))
}

fn node(step: u32) -> u32 {
    step & NUMBER
}

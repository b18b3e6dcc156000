//! The walk along a finished tree in the order of the dotted paths.
//!
//! Siblings are sorted, not paths, and no path is spelt out but the one just met.

use std::borrow::Cow;
use std::ops::Range;

use super::{MAX_SPELT, NONE, ROOT, TYPES, Tree, narrow};
use crate::canon::keyset::Types;
use crate::canon::sort::{high, low, sort_by_name, with_high};

/// Marks a step that has a key; that from an array to its elements has none.
const KEYED: u32 = 1 << 31;

/// Says that a walk ended early: two raw paths flatten to one, or all paths are too long to be spelt out.
#[derive(Debug)]
pub(super) struct Stopped;

/// Walks along a tree, in whose nodes it notes where the steps below them begin instead of their parents.
struct Order<'t, 'a, F> {
    tree: &'t mut Tree<'a>,
    /// The parent in the high half, the node in the low one. Those of one parent stand together, the one without a key first.
    steps: Vec<u64>,
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
    tree.nodes[ROOT as usize].parent = NONE;
    for step in steps.into_iter().filter(|&step| high(step) != NONE) {
        tree.nodes[node(step) as usize].parent = high(step);
    }
    ended
}

fn steps(tree: &mut Tree<'_>) -> Vec<u64> {
    let step = |number: u32| {
        let keyed = if tree.has_key(number) { KEYED } else { 0 };
        with_high(
            u64::from(keyed | number),
            tree.nodes[number as usize].parent,
        )
    };
    let mut steps: Vec<u64> = (1..narrow(tree.nodes.len())).map(step).collect();
    steps.sort_unstable();
    for node in &mut tree.nodes {
        node.parent = NONE;
    }
    for (place, &step) in steps.iter().enumerate().rev() {
        tree.nodes[high(step) as usize].parent = narrow(place);
    }
    steps
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
            let unkeyed = first.filter(|&&step| low(step) & KEYED == 0);
            [Some(step), unkeyed.copied()]
                .into_iter()
                .flatten()
                .map(node)
        })
    }

    /// Tells where the steps below a node begin; beyond all if there are none.
    fn begin(&self, number: u32) -> usize {
        self.tree.nodes[number as usize].parent as usize
    }

    /// Lists the steps with keys below a node.
    fn below(&self, number: u32) -> impl Iterator<Item = usize> {
        let steps = self.steps.iter().enumerate().skip(self.begin(number));
        let below = steps.take_while(move |(_, step)| high(**step) == number);
        below
            .filter(|(_, step)| low(**step) & KEYED != 0)
            .map(|(place, _)| place)
    }

    fn leads_on(&self, number: u32) -> bool {
        self.below(number).next().is_some()
    }

    /// Sorts the steps with keys below nodes by their names: in place, or a copy when they stand in several places.
    fn sorted_below(&mut self, nodes: &[u32]) -> Range<usize> {
        let end = self.steps.len();
        for &number in nodes {
            let mut below = self.below(number);
            let Some(first) = below.next() else {
                continue;
            };
            let range = first..first + 1 + below.count();
            if nodes.len() == 1 {
                self.sort(range.clone(), number);
                return range;
            }
            self.steps.extend_from_within(range);
        }
        let copy = end..self.steps.len();
        self.sort(copy.clone(), NONE);
        copy
    }

    /// Sorts steps by their names, and gives them their parent back.
    fn sort(&mut self, steps: Range<usize>, parent: u32) {
        let steps = &mut self.steps[steps];
        sort_by_name(steps, |step| {
            self.tree.name(step & !KEYED).unwrap_or_default()
        });
        for step in steps {
            *step = with_high(*step, parent);
        }
    }
}

/// Tells whether a name goes on after another one with what sorts before a dot.
fn is_before_dot(name: &str, longer: &str) -> bool {
    let rest = longer.strip_prefix(name);
    rest.is_some_and(|rest| rest.bytes().next().is_some_and(|byte| byte < b'.'))
}

fn node(step: u64) -> u32 {
    low(step) & !KEYED
}

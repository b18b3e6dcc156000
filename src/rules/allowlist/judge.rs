//! The comparison of two exports by their keys, under a policy.

use std::cmp::Ordering;

use super::{Half, Pair, Policy};
use crate::canon::{ExportKeys, JsonType, Types};

/// What differs between two exports, as places in the order of their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// The places in the sample of what only it has.
    pub added: Vec<u32>,
    /// The places in the golden export of what only it has.
    pub removed: Vec<u32>,
    /// The places in the sample of what is of another type there.
    pub type_changed: Vec<u32>,
}

impl Differences {
    /// Walks along the keys of both.
    #[must_use]
    pub fn between(golden: &ExportKeys, sample: &ExportKeys) -> Self {
        let mut found = Self::default();
        let (mut old, mut new) = (0, 0);
        while old < golden.count() || new < sample.count() {
            let order = if old == golden.count() {
                Ordering::Greater
            } else if new == sample.count() {
                Ordering::Less
            } else {
                golden.path(old).cmp(sample.path(new))
            };
            let before = match order {
                Ordering::Less => {
                    found.removed.push(narrow(old));
                    old += 1;
                    continue;
                }
                Ordering::Equal => {
                    old += 1;
                    golden.types(old - 1)
                }
                Ordering::Greater => {
                    found.added.push(narrow(new));
                    Types::default()
                }
            };
            if type_changes(before, sample.types(new)) {
                found.type_changed.push(narrow(new));
            }
            new += 1;
        }
        found
    }
}

/// Tells whether a key's values are of another type than before; nothing stands for a key that was not there.
///
/// Whoever knew nothing but `null` knew no type. Values of two types are a change whatever was known: nobody can rely on
/// either. A `null` among values is one where there was none before.
pub(super) fn type_changes(before: Types, now: Types) -> bool {
    let (known, found) = (before.without(JsonType::Null), now.without(JsonType::Null));
    if found.count() > 1 {
        return true;
    }
    let became_null = now.has(JsonType::Null) && !before.has(JsonType::Null);
    known.count() > 0 && (known != found || became_null)
}

/// What a policy holds against the keys of an export, as places in the order of keys and of pairs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyFindings {
    /// The places in the sample of what is forbidden.
    pub forbidden: Vec<u32>,
    /// The places in the sample of what nobody allowed.
    pub not_allowed: Vec<u32>,
    /// The places in the golden export of what may not go.
    pub removed: Vec<u32>,
    /// The places in the sample of what is of another type.
    pub type_changed: Vec<u32>,
    /// The pairs of which the sample lacks a half that is due.
    pub halves: Vec<(u32, Half)>,
}

impl KeyFindings {
    /// Tells whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Judges the keys of a sample, against those of a golden export where there is one.
#[must_use]
pub fn judge_keys(
    policy: &Policy,
    golden: Option<(&ExportKeys, &Differences)>,
    sample: &ExportKeys,
    pairs: &[Pair],
) -> KeyFindings {
    let mut found = KeyFindings::default();
    for place in 0..sample.count() {
        let path = sample.path(place);
        if policy.forbids(path) {
            found.forbidden.push(narrow(place));
        } else if !policy.allows(path) {
            found.not_allowed.push(narrow(place));
        }
    }
    if let Some((golden, differences)) = golden {
        let gone = differences.removed.iter().copied();
        found.removed = gone
            .filter(|place| !policy.lets_go(golden.path(*place as usize)))
            .collect();
        found.type_changed.clone_from(&differences.type_changed);
    }
    for (place, pair) in pairs.iter().enumerate() {
        for half in Half::ALL.iter().copied() {
            if half.is_due(policy.phase) && sample.find(pair.column(half)).is_none() {
                found.halves.push((narrow(place), half));
            }
        }
    }
    found
}

/// Narrows a place; an export with more keys than fit is not read.
fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

//! What differs between a baseline that was recorded and what there is now.

use std::collections::BTreeMap;
use std::fmt;

use crate::rules::bundle::{Baseline, Object};

/// How many differences are named; the first ones say what happened.
const NAMED: usize = 50;

/// Something that is not as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// An object is there that was not.
    Added(Object),
    /// An object that was there is not.
    Missing(Object),
    /// An object has another definition.
    Changed(Object),
    /// The fingerprint of the schema is another, and which objects differ was not recorded.
    Schema,
    /// The protected domain is not what it was: definitions, or rows of a reference table.
    Protected,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(object) => write!(out, "{} {} was not there", object.kind, object.name),
            Self::Missing(object) => write!(out, "{} {} is gone", object.kind, object.name),
            Self::Changed(object) => write!(
                out,
                "{} {} has another definition",
                object.kind, object.name
            ),
            Self::Schema => out.write_str("the schema has another fingerprint"),
            Self::Protected => out.write_str("the protected domain has another fingerprint"),
        }
    }
}

/// Names the first differences, in the order of objects; row counts are not compared.
#[must_use]
pub fn differences(recorded: &Baseline, now: &Baseline) -> Vec<Difference> {
    let mut found = Vec::new();
    if recorded.schema_fingerprint != now.schema_fingerprint {
        found = of_objects(&recorded.objects, &now.objects);
        if recorded.objects.is_empty() || found.is_empty() {
            found = vec![Difference::Schema];
        }
        found.truncate(NAMED);
    }
    if recorded.protected_domain_fingerprint != now.protected_domain_fingerprint {
        found.push(Difference::Protected);
    }
    found
}

fn of_objects(recorded: &[Object], now: &[Object]) -> Vec<Difference> {
    type Key<'a> = (&'a str, &'a str, Option<&'a str>);
    fn by_name(objects: &[Object]) -> BTreeMap<Key<'_>, &Object> {
        let keyed = objects.iter().map(|object| {
            (
                (
                    object.kind.as_str(),
                    object.name.as_str(),
                    object.table.as_deref(),
                ),
                object,
            )
        });
        keyed.collect()
    }
    let (before, after) = (by_name(recorded), by_name(now));
    let mut found = Vec::new();
    for (key, object) in &before {
        match after.get(key) {
            None => found.push(Difference::Missing((*object).clone())),
            Some(other) if other.definition != object.definition => {
                found.push(Difference::Changed((*other).clone()));
            }
            Some(_) => {}
        }
    }
    let added = after.iter().filter(|(key, _)| !before.contains_key(*key));
    found.extend(added.map(|(_, object)| Difference::Added((*object).clone())));
    found
}

//! A baseline: what a store looked like at one moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{MOST_NUMBER, canonical};

/// Holds what a store looked like before or after a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// How many objects there are.
    pub object_counts: ObjectCounts,
    /// The digest over all definitions, as `sha256:` and 64 digits.
    pub schema_fingerprint: String,
    /// The digest over what is protected: definitions, and rows of the declared reference tables.
    pub protected_domain_fingerprint: String,
    /// The objects, sorted; may be left out of a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<Object>,
    /// Rows by table, as the change's own transaction sees them, so that what others write meanwhile does not show.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub row_counts: BTreeMap<String, u64>,
    /// Further numbers that a store has, such as a graph's degrees; for reviewers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stats: BTreeMap<String, u64>,
}

/// How many objects a store has; in a graph labels and relationship types count as tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectCounts {
    /// Tables.
    pub tables: u64,
    /// Indexes.
    pub indexes: u64,
    /// Constraints.
    pub constraints: u64,
}

/// An object of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// What it is: `table`, `index`, `constraint`, `view`, `function`, `trigger`, `type` and the like.
    pub kind: String,
    /// Its name, `schema.name` where there are schemas.
    pub name: String,
    /// The table that it belongs to, `schema.table`, when it is an index, a constraint, a trigger or the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The digest of its definition's text, as `sha256:` and 64 digits.
    pub definition: String,
}

impl Object {
    /// Returns what has to be in scope for the object to be touched: its table, else itself.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.table.as_deref().unwrap_or(&self.name)
    }
}

impl Baseline {
    /// Tells whether it is of an SQLite database: all of its objects lie in `main`, and it has no schemas or extensions of its
    /// own, which PostgreSQL always has.
    #[must_use]
    pub fn is_of_sqlite(&self) -> bool {
        let kinds = ["table", "index", "view", "trigger"];
        let is = |object: &Object| {
            object.name.starts_with("main.") && kinds.contains(&object.kind.as_str())
        };
        !self.objects.is_empty() && self.objects.iter().all(is)
    }

    /// Writes it as canonical JSON.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut written = self.clone();
        let counts = &mut written.object_counts;
        let counts = [
            &mut counts.tables,
            &mut counts.indexes,
            &mut counts.constraints,
        ];
        let numbers = counts.into_iter().chain(written.row_counts.values_mut());
        for number in numbers.chain(written.stats.values_mut()) {
            *number = (*number).min(MOST_NUMBER);
        }
        canonical(&written)
    }
}

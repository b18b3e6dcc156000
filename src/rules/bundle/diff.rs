//! The diff: what differs between two baselines, in few numbers.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;

use super::{Baseline, MOST_NUMBER, Object, canonical};

/// Sums up what a change did.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Written")]
pub struct DiffSummary {
    /// The migration.
    pub migration_id: String,
    /// What was touched, sorted: tables, and objects that belong to none.
    pub touched_tables: Vec<String>,
    /// How many these are.
    pub table_count_touched: u64,
    /// How many more indexes there are.
    pub index_count_delta: i64,
    /// How many rows were inserted, changed and deleted.
    pub row_backfill: u64,
}

/// The shape of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    migration_id: String,
    touched: Touched,
    table_count_touched: u64,
    index_count_delta: i64,
    row_backfill: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Touched {
    tables: Vec<String>,
}

impl From<Written> for DiffSummary {
    fn from(written: Written) -> Self {
        Self {
            migration_id: written.migration_id,
            touched_tables: written.touched.tables,
            table_count_touched: written.table_count_touched,
            index_count_delta: written.index_count_delta,
            row_backfill: written.row_backfill,
        }
    }
}

impl DiffSummary {
    /// Compares two baselines, with the rows that were counted by table.
    #[must_use]
    pub fn between(
        migration_id: &str,
        pre: &Baseline,
        post: &Baseline,
        rows: &BTreeMap<String, u64>,
    ) -> Self {
        let mut touched = changed(pre, post);
        let written = rows.iter().filter(|(_, rows)| **rows > 0);
        touched.extend(written.map(|(table, _)| table.as_str()));
        Self {
            migration_id: migration_id.to_owned(),
            table_count_touched: touched.len() as u64,
            touched_tables: touched.into_iter().map(str::to_owned).collect(),
            index_count_delta: index_count_delta(pre, post),
            row_backfill: rows.values().fold(0, |sum, rows| sum.saturating_add(*rows)),
        }
    }

    /// Writes it as canonical JSON.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let most = MOST_NUMBER.cast_signed();
        canonical(&json!({
            "migration_id": self.migration_id,
            "touched": {"tables": self.touched_tables},
            "table_count_touched": self.table_count_touched.min(MOST_NUMBER),
            "index_count_delta": self.index_count_delta.clamp(-most, most),
            "row_backfill": self.row_backfill.min(MOST_NUMBER),
        }))
    }
}

/// Tells by how many the number of indexes has changed.
pub(super) fn index_count_delta(pre: &Baseline, post: &Baseline) -> i64 {
    let (before, after) = (pre.object_counts.indexes, post.object_counts.indexes);
    let apart = i64::try_from(before.abs_diff(after)).unwrap_or(i64::MAX);
    if after < before { -apart } else { apart }
}

/// Lists the tables of objects that are not the same on both sides, and objects that belong to none.
pub(super) fn changed<'a>(pre: &'a Baseline, post: &'a Baseline) -> BTreeSet<&'a str> {
    let before: BTreeSet<_> = pre.objects.iter().collect();
    let after: BTreeSet<_> = post.objects.iter().collect();
    let changed = before.symmetric_difference(&after);
    changed.map(|object| Object::subject(object)).collect()
}

/// Lists the same, or nothing where a baseline does not tell its objects.
pub(super) fn changed_if_told<'a>(pre: &'a Baseline, post: &'a Baseline) -> BTreeSet<&'a str> {
    let is_told = |side: &Baseline| !side.objects.is_empty() || side.object_counts.tables == 0;
    if is_told(pre) && is_told(post) {
        return changed(pre, post);
    }
    BTreeSet::new()
}

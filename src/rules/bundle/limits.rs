//! How far a change may reach.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DiffSummary, Finding, Reason};

/// The largest magnitudes that a change may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// How many tables, indexes of a search store, or labels may be touched.
    pub max_table_count_touched: u64,
    /// By how many the number of indexes may change, either way.
    pub max_index_count_delta: u64,
    /// How many rows may be inserted, changed and deleted.
    pub max_row_backfill: u64,
}

/// The names of the limits.
const NAMES: [&str; 3] = [
    "max_table_count_touched",
    "max_index_count_delta",
    "max_row_backfill",
];

/// Finds limits that a schema takes for whole numbers though they are written as fractions.
pub(super) fn faults(limits: &Value) -> impl Iterator<Item = (&'static str, String)> {
    NAMES.into_iter().filter_map(|name| {
        let is_fraction = limits[name].is_f64() && limits[name].as_f64().is_some_and(is_whole);
        let what = format!("limits.{name}: expected a whole number without a point");
        is_fraction.then_some((name, what))
    })
}

fn is_whole(number: f64) -> bool {
    number.fract() == 0.0 && number >= 0.0
}

impl Limits {
    /// Compares what was observed with the limits, by magnitude.
    #[must_use]
    pub fn exceeded(&self, diff: &DiffSummary, path: &str) -> Vec<Finding> {
        self.exceeded_by(
            Some(diff.table_count_touched),
            Some(diff.index_count_delta.unsigned_abs()),
            Some(diff.row_backfill),
            path,
        )
    }

    /// Compares those magnitudes that are known.
    pub(super) fn exceeded_by(
        &self,
        tables: Option<u64>,
        indexes: Option<u64>,
        rows: Option<u64>,
        path: &str,
    ) -> Vec<Finding> {
        let observed = [
            (tables, self.max_table_count_touched, "tables are touched"),
            (indexes, self.max_index_count_delta, "indexes come or go"),
            (rows, self.max_row_backfill, "rows are written"),
        ];
        let over = observed
            .into_iter()
            .zip(NAMES)
            .filter_map(|((seen, most, what), name)| {
                let seen = seen.filter(|seen| *seen > most)?;
                let detail = format!("{seen} {what}, {name} is {most}");
                Some(Finding::new(Reason::LimitExceeded, path, detail))
            });
        over.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_compared_by_magnitude_and_may_be_reached() {
        let limits = Limits {
            max_table_count_touched: 2,
            max_index_count_delta: 3,
            max_row_backfill: 10,
        };
        for (tables, indexes, rows, over) in [
            (2, 3, 10, 0),
            (2, -3, 10, 0),
            (3, 3, 10, 1),
            (2, 4, 10, 1),
            (2, -4, 10, 1),
            (2, i64::MIN, 11, 2),
            (u64::MAX, 4, u64::MAX, 3),
        ] {
            let diff = DiffSummary {
                migration_id: String::new(),
                touched_tables: Vec::new(),
                table_count_touched: tables,
                index_count_delta: indexes,
                row_backfill: rows,
            };
            let found = limits.exceeded(&diff, "d");
            assert_eq!(found.len(), over, "{tables} {indexes} {rows}: {found:?}");
            assert!(found.iter().all(|f| f.reason == Reason::LimitExceeded));
        }
    }
}

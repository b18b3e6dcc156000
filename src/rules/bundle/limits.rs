//! How far a change may reach.

use serde::{Deserialize, Serialize};

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

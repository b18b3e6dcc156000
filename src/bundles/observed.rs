//! What is seen of a change, whoever makes it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::rules::bundle::{Baseline, DiffSummary, Finding};

/// What was seen of a change that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// What there was before.
    pub pre: Baseline,
    /// What there is with the change made.
    pub post: Baseline,
    /// What differs between the two.
    pub diff: DiffSummary,
    /// Rows inserted, changed and deleted, by table.
    pub rows: BTreeMap<String, u64>,
    /// What goes beyond the declaration; empty when it kept to it.
    pub findings: Vec<Finding>,
    /// How long it took, where SQL runs without the looks before and after.
    pub took: Duration,
}

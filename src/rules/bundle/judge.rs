//! What a change did beyond what was declared.

use super::{Baseline, Declaration, DiffSummary, Finding};

/// Judges what was observed of a change by its declaration; nothing is found when it kept to it.
///
/// One function for the files of a bundle and for a run.
#[must_use]
pub fn judge(
    _declaration: &Declaration,
    _pre: &Baseline,
    _post: &Baseline,
    _diff: &DiffSummary,
) -> Vec<Finding> {
    Vec::new()
}

//! What was practised by rule, and who answered; nothing that counts in earnest reads it.

use super::tables::governed;
use super::view::{all_where, one_where};
use super::{StoreError, View};
use crate::clock::Moment;
use crate::rules::drill::DrillKind;

governed! {
    /// Something that was practised.
    pub struct DrillRecord in "drill_record" keyed by (drill_id) {
        /// The drill.
        pub drill_id: String,
        /// What was practised.
        pub kind: DrillKind,
        /// That it is a drill; it never is anything else.
        pub drill: bool,
        /// The runs that were made up, as canonical JSON.
        pub given: String,
        /// What the rule must say.
        pub expected: String,
        /// What it said.
        pub found: String,
        /// Whether it said what it must.
        pub passed: bool,
        /// Who was told, one beside the other.
        pub paged: String,
        /// When.
        pub practised_at_utc: Moment,
        /// Who answered.
        pub answered_by: Option<String>,
        /// When.
        pub answered_at_utc: Option<Moment>,
        /// The row's version.
        pub version: i64,
    }
}

/// Finds a drill.
pub async fn find(view: &mut View, id: &str) -> Result<Option<DrillRecord>, StoreError> {
    Ok(one_where!(view, DrillRecord, "drill_id = $1", id))
}

/// Lists what was practised since a moment, the newest first.
pub async fn since(
    view: &mut View,
    since: Moment,
    most: i64,
) -> Result<Vec<DrillRecord>, StoreError> {
    Ok(all_where!(
        view,
        DrillRecord,
        "practised_at_utc >= $1 ORDER BY practised_at_utc DESC, drill_id LIMIT $2",
        since,
        most
    ))
}

//! The bundles as a long list.

use sqlx::FromRow;

use super::Bundle;
use crate::clock::Moment;
use crate::rules::words;
use crate::store::window::{self, List, Look, Runs};
use crate::store::{StoreError, View};

words! {
    /// By what bundles are sorted.
    #[derive(Default)]
    pub enum BundleSort {
        /// By how far they have come.
        #[default]
        Status = "status",
        /// By their id.
        Id = "id",
    }
}

/// A bundle with what a list says of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct Listed {
    /// The bundle.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub bundle: Bundle,
    /// What runs now, or how the newest run ended; empty where nothing ran.
    pub newest: String,
    /// Since when it runs; nothing where nothing runs.
    pub runs_since: Option<Moment>,
    /// Whether a rollback of it has failed anywhere.
    pub dead_end: i64,
}

/// The fields that a filter of bundles may name.
pub const BUNDLE_FIELDS: &[&str] = &["id", "status", "type", "class", "owner", "intent", "newest"];

const NEWEST: &str = "(SELECT r.outcome || COALESCE(' ' || r.environment, '') FROM bundle_run r WHERE r.migration_id = b.migration_id \
     AND r.run_type IN ('migration', 'rollback') ORDER BY r.claimed_at_utc DESC, r.run_id DESC LIMIT 1)";

const RUNS_SINCE: &str = "(SELECT MIN(r.claimed_at_utc) FROM bundle_run r WHERE r.migration_id = b.migration_id AND r.outcome = 'running')";

const DEAD_END: &str = "(SELECT CAST(COUNT(*) AS BIGINT) FROM bundle_run r WHERE r.migration_id = b.migration_id AND r.outcome = 'rollback_failed')";

const FIELDS: &[(&str, &str)] = &[
    ("id", "b.migration_id"),
    ("status", "b.status"),
    ("type", "b.kind"),
    ("class", "b.change_class"),
    ("owner", "b.registered_by"),
    ("intent", "b.intent"),
    ("newest", NEWEST),
];

impl BundleSort {
    const fn key(self) -> &'static [&'static str] {
        match self {
            Self::Status => &["status", "migration_id"],
            Self::Id => &["migration_id"],
        }
    }
}

/// Reads a window of all bundles.
pub async fn listed(
    view: &mut View,
    look: &Look<BundleSort>,
) -> Result<window::Window<Listed>, StoreError> {
    let list = List {
        select: format!(
            "SELECT b.{}, COALESCE({NEWEST}, '') AS newest, {RUNS_SINCE} AS runs_since, {DEAD_END} AS dead_end FROM bundle b WHERE TRUE",
            Bundle::COLUMNS.join(", b.")
        ),
        prefix: "b.",
        key: look.sort.key(),
        runs: Runs::Up,
        place: "bundle b WHERE b.migration_id = $1",
        fields: FIELDS,
        sought: None,
        now: None,
    };
    window::read(view, &list, look).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_a_filter_may_name_can_be_read() {
        let known: Vec<_> = FIELDS.iter().map(|(name, _)| *name).collect();
        assert_eq!(known, BUNDLE_FIELDS);
    }
}

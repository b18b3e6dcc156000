//! What follows when a migration is taken back after its cutover: exporters are deployed anew, and partners are told.

use crate::clock::Moment;
use crate::rules::migration::NoticeKind;
use crate::store::tables::governed;
use crate::store::view::{all_where, one_where};
use crate::store::{StoreError, View};

/// How many notices are read at most, the newest.
const MOST: i64 = 100;

governed! {
    /// Exporters that are to be deployed anew, as they were before a migration.
    pub struct RedeployTask in "redeploy_task" keyed by (migration_id) {
        /// The migration that was taken back.
        pub migration_id: String,
        /// The release that exporters write now.
        pub from_semver: String,
        /// The one that they are to write again.
        pub to_semver: String,
        /// Who has to see to it.
        pub owner_id: String,
        /// Since when.
        pub opened_at_utc: Moment,
        /// Who did it.
        pub done_by: Option<String>,
        /// How.
        pub done_reason: Option<String>,
        /// When.
        pub done_at_utc: Option<Moment>,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// What partners are told of a migration, beside the questions that they read.
    pub struct MigrationNotice in "migration_notice" keyed by (migration_id, kind) {
        /// The migration.
        pub migration_id: String,
        /// What it is about.
        pub kind: NoticeKind,
        /// What they are told.
        pub notice_text: String,
        /// Since when.
        pub published_at_utc: Moment,
        /// By whom.
        pub published_by: String,
        /// The row's version.
        pub version: i64,
    }
}

/// Finds what is to be deployed anew after a migration.
pub async fn redeploy_task(view: &mut View, id: &str) -> Result<Option<RedeployTask>, StoreError> {
    Ok(one_where!(view, RedeployTask, "migration_id = $1", id))
}

/// Lists so much of what somebody has to deploy anew, the oldest first.
pub async fn redeploys_of(
    view: &mut View,
    who: &str,
    most: i64,
) -> Result<Vec<RedeployTask>, StoreError> {
    Ok(all_where!(
        view,
        RedeployTask,
        "owner_id = $1 AND done_at_utc IS NULL ORDER BY opened_at_utc, migration_id LIMIT $2",
        who,
        most
    ))
}

/// Lists what partners are told of a migration.
pub async fn notices_of(view: &mut View, id: &str) -> Result<Vec<MigrationNotice>, StoreError> {
    Ok(all_where!(
        view,
        MigrationNotice,
        "migration_id = $1 ORDER BY published_at_utc, kind",
        id
    ))
}

/// Lists what partners are told of any migration, the newest first.
pub async fn notices(view: &mut View) -> Result<Vec<MigrationNotice>, StoreError> {
    Ok(all_where!(
        view,
        MigrationNotice,
        "version >= 1 ORDER BY published_at_utc DESC, migration_id, kind LIMIT $1",
        MOST
    ))
}

//! Fingerprints of what exporters landed, as they were recorded.

use sqlx::FromRow;

use crate::clock::Moment;
use crate::rules::Verdict;
use crate::rules::migration::{self as rule, Phase};
use crate::store::tables::governed;
use crate::store::view::{all_where, on, one_where, query_as};
use crate::store::{StoreError, View};

/// How many fingerprints the clock reads at most.
const MOST: i64 = 10_000;

governed! {
    /// The key sets of the exports that landed in a folder, and whether the allow-list of the phase wants them so.
    pub struct ExporterFingerprint in "exporter_fingerprint" keyed by (fingerprint_id) {
        /// Its id.
        pub fingerprint_id: String,
        /// The migration.
        pub migration_id: String,
        /// The phase that it was in.
        pub phase: Phase,
        /// The folder below the governance root.
        pub folder: String,
        /// The allow-list that the exports were held against; none where there was none that two agreed on.
        pub allowlist_sha256: Option<String>,
        /// What was found.
        pub verdict: Verdict,
        /// How many exports had landed.
        pub exports: i64,
        /// How many of them are not as the allow-list wants them.
        pub drifted: i64,
        /// All key sets, hashed; none where no export has one.
        pub keysets_sha256: Option<String>,
        /// The document.
        pub evidence_sha256: String,
        /// What was found, in one line.
        pub detail: String,
        /// When.
        pub observed_at_utc: Moment,
        /// Who recorded it.
        pub recorded_by: String,
        /// The row's version.
        pub version: i64,
    }
}

/// Finds the newest fingerprint of a folder.
pub async fn fingerprint(
    view: &mut View,
    migration: &str,
    folder: &str,
) -> Result<Option<ExporterFingerprint>, StoreError> {
    Ok(one_where!(
        view,
        ExporterFingerprint,
        "migration_id = $1 AND folder = $2 ORDER BY observed_at_utc DESC, fingerprint_id DESC LIMIT 1",
        migration,
        folder
    ))
}

/// Lists the newest fingerprint of each folder.
pub async fn fingerprints(
    view: &mut View,
    migration: &str,
) -> Result<Vec<ExporterFingerprint>, StoreError> {
    Ok(all_where!(
        view,
        ExporterFingerprint,
        "migration_id = $1 AND NOT EXISTS (SELECT 1 FROM exporter_fingerprint n WHERE n.migration_id = exporter_fingerprint.migration_id \
         AND n.folder = exporter_fingerprint.folder AND (n.observed_at_utc > exporter_fingerprint.observed_at_utc \
         OR (n.observed_at_utc = exporter_fingerprint.observed_at_utc AND n.fingerprint_id > exporter_fingerprint.fingerprint_id))) \
         ORDER BY folder LIMIT 100",
        migration
    ))
}

#[derive(FromRow)]
struct Taken {
    folder: String,
    keysets_sha256: String,
    observed_at_utc: Moment,
}

/// Reads when exporters began to write other keys while both halves were written, the first first.
pub(super) async fn fingerprint_changes(
    view: &mut View,
    migration: &str,
) -> Result<Vec<Moment>, StoreError> {
    const SQL: &str = "SELECT folder, keysets_sha256, observed_at_utc FROM exporter_fingerprint \
         WHERE migration_id = $1 AND phase = 'dual_write' AND keysets_sha256 IS NOT NULL \
         ORDER BY observed_at_utc DESC, fingerprint_id DESC LIMIT $2";
    let mut taken: Vec<Taken> = on!(view, c => {
        query_as(SQL).bind(migration).bind(MOST).fetch_all(c).await
    })?;
    taken.reverse();
    let taken: Vec<rule::Fingerprint<'_>> = taken
        .iter()
        .map(|it| rule::Fingerprint {
            folder: &it.folder,
            sha256: &it.keysets_sha256,
            at: it.observed_at_utc,
        })
        .collect();
    Ok(rule::changes(&taken))
}

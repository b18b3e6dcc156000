//! What scans of the dictionary found; a feed, which gates read anew.

use sqlx::FromRow;

use crate::clock::Moment;
use crate::rules::migration::{Sample, ScanStatus};
use crate::store::view::{on, query_as};
use crate::store::{StoreError, View};

/// How many scans are read at most: two months of one every ten minutes.
const MOST: i64 = 10_000;

/// A scan.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct Scan {
    /// Its id.
    pub scan_id: String,
    /// The migration.
    pub migration_id: String,
    /// When it was made.
    pub scanned_at_utc: Moment,
    /// How it went.
    pub status: ScanStatus,
    /// How many rows it looked at.
    pub rows_total: i64,
    /// How many of them mismatch.
    pub mismatches: i64,
    /// What it was made of, hashed.
    pub inputs_sha256: String,
    /// What there is to say.
    pub detail: String,
    /// When the last rows were looked at, where that took more than one look.
    pub looked_until_utc: Option<Moment>,
}

impl Scan {
    /// Returns it for the rules.
    #[must_use]
    pub fn sample(&self) -> Sample<'_> {
        Sample {
            at: self.scanned_at_utc,
            until: self.looked_until_utc.unwrap_or(self.scanned_at_utc),
            status: self.status,
            rows: self.rows_total,
            mismatches: self.mismatches,
            inputs: &self.inputs_sha256,
        }
    }
}

/// Reads the newest scans of a migration, the oldest first.
pub async fn scans(view: &mut View, migration: &str) -> Result<Vec<Scan>, StoreError> {
    const SQL: &str = "SELECT scan_id, migration_id, scanned_at_utc, status, rows_total, mismatches, inputs_sha256, detail, looked_until_utc \
         FROM dual_write_scan WHERE migration_id = $1 ORDER BY scanned_at_utc DESC, scan_id DESC LIMIT $2";
    let mut scans: Vec<Scan> = on!(view, c => {
        query_as(SQL).bind(migration).bind(MOST).fetch_all(c).await
    })?;
    scans.reverse();
    Ok(scans)
}

//! How far a scan has come: kept after each look, so that a scan that was ended in between is gone on with.

use sqlx::{AssertSqlSafe, FromRow};

use super::mismatch::{Compared, Stretch};
use crate::clock::Moment;
use crate::rules::migration::DICTIONARY;
use crate::store::view::{on, query, query_as, query_scalar};
use crate::store::{Store, StoreError, View};

/// A scan on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// The scan that it becomes.
    pub scan_id: String,
    /// The migration.
    pub migration_id: String,
    /// When it was begun.
    pub begun_at_utc: Moment,
    /// What it is made of, hashed.
    pub inputs_sha256: String,
    /// How many rows the dictionary had when it was begun.
    pub counted: i64,
    /// The metric up to which all was looked at, its own rows too; none before the first look.
    pub reached: Option<String>,
    /// What was found so far.
    pub found: Compared,
}

#[derive(FromRow)]
struct Row {
    scan_id: String,
    migration_id: String,
    begun_at_utc: Moment,
    inputs_sha256: String,
    reached: String,
    rows_counted: i64,
    rows_there: i64,
    rows_seen: i64,
    mismatches: i64,
    worst: String,
}

/// Reads how far the scan of a migration has come; none where none is on its way.
pub async fn walk(view: &mut View, migration: &str) -> Result<Option<Walk>, StoreError> {
    const SQL: &str = "SELECT scan_id, migration_id, begun_at_utc, inputs_sha256, reached, rows_counted, rows_there, rows_seen, \
         mismatches, worst FROM dual_write_walk WHERE migration_id = $1 AND reached IS NOT NULL";
    let found: Option<Row> = on!(view, c => query_as(SQL).bind(migration).fetch_optional(c).await)?;
    Ok(found.map(|row| {
        let worst = serde_json::from_str(&row.worst).ok();
        Walk {
            scan_id: row.scan_id,
            migration_id: row.migration_id,
            begun_at_utc: row.begun_at_utc,
            // What cannot be read is made of nothing that there is now, so that nobody goes on with it.
            inputs_sha256: worst.as_ref().map_or(String::new(), |_| row.inputs_sha256),
            reached: Some(row.reached),
            counted: row.rows_counted,
            found: Compared {
                there: row.rows_there,
                rows: row.rows_seen,
                mismatches: row.mismatches,
                worst: worst.unwrap_or_default(),
            },
        }
    }))
}

/// Finds the stretch after a metric, of about so many rows: it ends with all rows of a metric.
pub async fn next_stretch(
    view: &mut View,
    after: Option<&str>,
    rows: u32,
) -> Result<Stretch, StoreError> {
    let sql = format!(
        "SELECT dictionary_metric_id FROM {DICTIONARY} WHERE dictionary_metric_id > $1 \
         ORDER BY dictionary_metric_id LIMIT 1 OFFSET $2"
    );
    let until = on!(view, c => {
        query_scalar(AssertSqlSafe(sql)).bind(after.unwrap_or_default()).bind(i64::from(rows)).fetch_optional(c).await
    })?;
    Ok(Stretch {
        after: after.map(str::to_owned),
        until,
    })
}

/// Keeps how far a scan has come in place of what was found kept; tells whether nobody else had kept anything since.
pub async fn keep_walk(
    store: &Store,
    found: Option<&Walk>,
    walk: &Walk,
) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO dual_write_walk (migration_id, scan_id, begun_at_utc, inputs_sha256, reached, rows_counted, rows_there, \
         rows_seen, mismatches, worst) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (migration_id) DO UPDATE SET scan_id = $2, \
         begun_at_utc = $3, inputs_sha256 = $4, reached = $5, rows_counted = $6, rows_there = $7, rows_seen = $8, mismatches = $9, worst = $10 \
         WHERE CASE WHEN $12 IS NULL THEN dual_write_walk.reached IS NULL \
         ELSE dual_write_walk.scan_id = $11 AND dual_write_walk.reached = $12 END";
    let worst = serde_json::json!(walk.found.worst).to_string();
    let (scan, reached) = (
        found.map(|it| &*it.scan_id),
        found.and_then(|it| it.reached.as_deref()),
    );
    let mut view = store.view_for_writing("SELECT 1").await?;
    let kept = on!(view, c => {
        query(SQL).bind(&walk.migration_id).bind(&walk.scan_id).bind(walk.begun_at_utc).bind(&walk.inputs_sha256)
            .bind(&walk.reached).bind(walk.counted).bind(walk.found.there).bind(walk.found.rows).bind(walk.found.mismatches)
            .bind(worst).bind(scan).bind(reached).execute(c).await.map(|done| done.rows_affected())
    })?;
    view.commit().await?;
    Ok(kept == 1)
}

/// Notes in the transaction that files a scan that what was found kept is at its end; tells whether it still was as it was found.
pub(super) async fn end_walk(view: &mut View, found: &Walk) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE dual_write_walk SET reached = NULL WHERE migration_id = $1 AND scan_id = $2 AND reached = $3";
    let ended = on!(view, c => {
        query(SQL).bind(&found.migration_id).bind(&found.scan_id).bind(&found.reached).execute(c).await
            .map(|done| done.rows_affected())
    })?;
    Ok(ended == 1)
}

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
    rows_there: i64,
    rows_seen: i64,
    mismatches: i64,
    worst: String,
}

/// Reads how far the scan of a migration has come; none where none is on its way, or what was kept cannot be read.
pub async fn walk(view: &mut View, migration: &str) -> Result<Option<Walk>, StoreError> {
    const SQL: &str = "SELECT scan_id, migration_id, begun_at_utc, inputs_sha256, reached, rows_there, rows_seen, mismatches, worst \
         FROM dual_write_walk WHERE migration_id = $1 AND reached IS NOT NULL";
    let found: Option<Row> = on!(view, c => query_as(SQL).bind(migration).fetch_optional(c).await)?;
    Ok(found.and_then(|row| {
        let worst = serde_json::from_str(&row.worst).ok()?;
        Some(Walk {
            scan_id: row.scan_id,
            migration_id: row.migration_id,
            begun_at_utc: row.begun_at_utc,
            inputs_sha256: row.inputs_sha256,
            reached: Some(row.reached),
            found: Compared {
                there: row.rows_there,
                rows: row.rows_seen,
                mismatches: row.mismatches,
                worst,
            },
        })
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

/// Keeps how far a scan has come; tells whether nobody else had gone on with it since.
pub async fn keep_walk(store: &Store, before: &Walk, walk: &Walk) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO dual_write_walk (migration_id, scan_id, begun_at_utc, inputs_sha256, reached, rows_there, rows_seen, \
         mismatches, worst) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (migration_id) DO UPDATE SET scan_id = $2, \
         begun_at_utc = $3, inputs_sha256 = $4, reached = $5, rows_there = $6, rows_seen = $7, mismatches = $8, worst = $9 \
         WHERE $10 IS NULL OR (dual_write_walk.scan_id = $2 AND dual_write_walk.reached = $10)";
    let worst = serde_json::json!(walk.found.worst).to_string();
    let mut view = store.view_for_writing("SELECT 1").await?;
    let kept = on!(view, c => {
        query(SQL).bind(&walk.migration_id).bind(&walk.scan_id).bind(walk.begun_at_utc).bind(&walk.inputs_sha256)
            .bind(&walk.reached).bind(walk.found.there).bind(walk.found.rows).bind(walk.found.mismatches).bind(worst)
            .bind(&before.reached).execute(c).await.map(|done| done.rows_affected())
    })?;
    view.commit().await?;
    Ok(kept == 1)
}

/// Notes in the transaction that files its scan that a walk is at its end; tells whether it was still on its way.
pub(super) async fn end_walk(view: &mut View, walk: &Walk) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE dual_write_walk SET reached = NULL WHERE migration_id = $1 AND scan_id = $2 AND reached = $3";
    let ended = on!(view, c => {
        query(SQL).bind(&walk.migration_id).bind(&walk.scan_id).bind(&walk.reached).execute(c).await
            .map(|done| done.rows_affected())
    })?;
    Ok(ended == 1)
}

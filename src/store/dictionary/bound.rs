//! What a join over the dictionary gives: for each metric, how many rows.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;

use crate::store::view::{on, query_as};
use crate::store::{Failure, StoreError, View};

/// The most metrics that a join may give.
const MOST: usize = 1_000_000;

/// Runs a join and counts its rows by metric; a row without one counts under the empty id. The view is read-only,
/// whatever the query tries.
pub async fn bound_rows(view: &mut View, sql: &str) -> Result<BTreeMap<String, i64>, StoreError> {
    let sql = format!(
        "SELECT COALESCE(CAST(metric_id AS TEXT), '') AS bound_id, CAST(COUNT(*) AS BIGINT) AS bound_count FROM ({sql}\n) AS bound \
         GROUP BY COALESCE(CAST(metric_id AS TEXT), '') LIMIT {}",
        MOST + 1
    );
    let rows: Vec<(String, i64)> = on!(view, c => query_as(AssertSqlSafe(sql)).fetch_all(c).await)?;
    if rows.len() > MOST {
        return Err(StoreError::new(
            Failure::Other,
            format!("it gives more than {MOST} metrics"),
            "join fewer at a time",
        ));
    }
    Ok(rows.into_iter().collect())
}

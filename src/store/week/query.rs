//! The rows of a side that a query on the governance database gives, written as a file would hold them.

use futures_util::TryStreamExt;
use sqlx::AssertSqlSafe;

use crate::store::view::{on, query_as};
use crate::store::{StoreError, View};

/// Runs a query of two columns, `metric_id` and `value`, and writes its rows as CSV in the order of their ids, so that
/// the same rows have the same bytes. The view is read-only, whatever the query tries.
pub async fn rows_as_csv(view: &mut View, sql: &str) -> Result<Vec<u8>, StoreError> {
    let sql = format!(
        "SELECT CAST(metric_id AS TEXT) AS metric_id, CAST(value AS TEXT) AS value FROM ({sql}) AS side"
    );
    let mut rows: Vec<(Option<String>, Option<String>)> = on!(view, c => {
        query_as(AssertSqlSafe(sql)).fetch(c).try_collect().await
    })?;
    rows.sort_unstable();
    let mut csv = b"metric_id,value\n".to_vec();
    for (metric_id, value) in rows {
        cell(&mut csv, metric_id.as_deref().unwrap_or_default());
        csv.push(b',');
        cell(&mut csv, value.as_deref().unwrap_or_default());
        csv.push(b'\n');
    }
    Ok(csv)
}

/// Writes a cell, in quotes where it must be.
fn cell(csv: &mut Vec<u8>, text: &str) {
    if !text.contains([',', '"', '\r', '\n']) {
        csv.extend_from_slice(text.as_bytes());
        return;
    }
    csv.push(b'"');
    csv.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    csv.push(b'"');
}

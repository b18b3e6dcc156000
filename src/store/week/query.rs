//! The rows of a side that a query on the governance database gives, written as a file would hold them.

use futures_util::TryStreamExt;
use sqlx::AssertSqlSafe;

use crate::canon::{Digest, Hasher};
use crate::store::view::{Session, on, query_as};
use crate::store::{StoreError, View};

/// How many bytes are gathered before they are upto.
const GATHERED: usize = 64 * 1024;

/// Runs a query of two columns, `metric_id` and `value`, writes its rows as CSV in the order of their ids, so that the
/// same rows have the same bytes, and hashes them as they come. The view is read-only, whatever the query tries.
pub async fn rows_as_csv(view: &mut View, sql: &str) -> Result<(Vec<u8>, Digest), StoreError> {
    // Both compare the bytes of UTF-8.
    let binary = match view.session {
        Session::Sqlite(_) => "BINARY",
        Session::Postgres(_) => "\"C\"",
    };
    let sql = format!(
        "SELECT metric_id, value FROM (SELECT CAST(metric_id AS TEXT) AS metric_id, CAST(value AS TEXT) AS value FROM ({sql}\n) AS side) AS cells \
         ORDER BY metric_id COLLATE {binary} NULLS FIRST, value COLLATE {binary} NULLS FIRST"
    );
    let mut csv = b"metric_id,value\n".to_vec();
    let (mut hasher, mut upto) = (Hasher::default(), 0);
    on!(view, c => {
        let mut rows = query_as(AssertSqlSafe(sql)).fetch(c);
        while let Some(row) = rows.try_next().await? {
            let (metric_id, value): (Option<String>, Option<String>) = row;
            cell(&mut csv, metric_id.as_deref().unwrap_or_default());
            csv.push(b',');
            cell(&mut csv, value.as_deref().unwrap_or_default());
            csv.push(b'\n');
            if csv.len() - upto >= GATHERED {
                hasher.update(&csv[upto..]);
                upto = csv.len();
            }
        }
    });
    hasher.update(&csv[upto..]);
    Ok((csv, hasher.finish()))
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

//! What a query gives anew of an export that was frozen, as text, cell by cell; and what replays compared, as it was filed.

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Column, Row};

use super::needing::as_filed;
use super::rows::GateEvidence;
use crate::rules::Verdict;
use crate::rules::migration::{Cells, quoted};
use crate::store::view::{on, query};
use crate::store::{StoreError, View};

/// What a replay compared, as its document says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replays {
    /// The hash of the manifest.
    pub manifest_sha256: String,
    /// Each golden under each release.
    pub replays: Vec<ReplayedGolden>,
}

/// How a golden came out under a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayedGolden {
    /// The golden.
    pub file: String,
    /// What it hashes to.
    pub sha256: String,
    /// The release.
    pub semver: String,
    /// Whether it is what was frozen.
    pub verdict: Verdict,
    /// What was found.
    pub detail: String,
    /// The hash of what came out.
    pub result_sha256: Option<String>,
}

/// Reads what a replay compared from the document that was filed of it, or says why nobody can.
pub async fn replays(
    view: &mut View,
    evidence: &GateEvidence,
) -> Result<Result<Replays, &'static str>, StoreError> {
    let Some(filed) = as_filed(view, &evidence.evidence_sha256).await? else {
        return Ok(Err(
            "the evidence of the replay is not there as it was filed",
        ));
    };
    let read = serde_json::from_slice::<(String, String, String, Replays)>(&filed);
    Ok(read
        .map(|(.., replays)| replays)
        .map_err(|_| "the evidence of the replay names no golden"))
}

/// Runs a query and writes its cells as text, NULL as an empty one, in the order in which it gives its rows: at most as
/// many as are named. The view is read-only, whatever the query tries.
pub async fn replayed_cells(view: &mut View, sql: &str, most: usize) -> Result<Cells, StoreError> {
    let names = names(view, sql).await?;
    let mut cells = Cells::begin(names.iter().map(String::as_str));
    // A column that is there twice cannot be asked for; no golden has such names.
    let once: BTreeSet<&String> = names.iter().collect();
    if names.is_empty() || once.len() < names.len() {
        return Ok(cells);
    }
    // With the query's name before it, since SQLite takes a quoted name that is not there for a text.
    let columns: Vec<String> = names
        .iter()
        .map(|name| format!("CAST(replayed.{} AS TEXT)", quoted(name)))
        .collect();
    let sql = format!(
        "SELECT {} FROM ({sql}\n) AS replayed LIMIT {most}",
        columns.join(", ")
    );
    on!(view, c => {
        let mut rows = query(AssertSqlSafe(sql)).fetch(c);
        while let Some(row) = rows.try_next().await? {
            for place in 0..names.len() {
                let cell: Option<&str> = row.try_get(place)?;
                cells.add([cell.unwrap_or_default()]);
            }
        }
    });
    Ok(cells)
}

/// Reads the names of a query's columns; none where it gives no row.
async fn names(view: &mut View, sql: &str) -> Result<Vec<String>, StoreError> {
    let sql = format!("SELECT * FROM ({sql}\n) AS replayed LIMIT 1");
    Ok(on!(view, c => {
        let row = query(AssertSqlSafe(sql)).fetch_optional(c).await?;
        row.map_or(Vec::new(), |row| row.columns().iter().map(|it| it.name().to_owned()).collect())
    }))
}

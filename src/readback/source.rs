//! Where one side of a run came from, and the very row of a metric there.

use std::path::Path;

use serde::Serialize;

use crate::canon::Digest;
use crate::jobs::below_root;
use crate::rules::reconcile::{Party, Table, sha256_text};
use crate::rules::week::{self, Manifest};

/// The largest file that is looked into; a larger one is only hashed.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// Where one side of a run came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Which side.
    pub side: Party,
    /// The query, or the file below the governance root.
    pub from: String,
    /// What its rows hashed to when they were compared.
    pub ingest_hash: Option<String>,
    /// The row, if it can be shown.
    pub row: Row,
}

/// The very row of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Row {
    /// It stands there, in the bytes that were compared.
    Found(String),
    /// It cannot be shown.
    NotShown(String),
}

/// Finds where a side came from, by the manifest that the run followed.
pub(super) fn source(
    root: &Path,
    manifest: Option<&Manifest>,
    side: Party,
    ingest_hash: Option<&str>,
    metric: &str,
) -> Source {
    let source = manifest.map(|manifest| match side {
        Party::Leadership => &manifest.leadership,
        Party::Partner => &manifest.partner,
    });
    let (from, row) = match source {
        None => (
            "unknown".to_owned(),
            Row::NotShown("the manifest of the run is gone".to_owned()),
        ),
        Some(week::Source::Sql { id, sql }) => (
            format!("query {id}: {sql}"),
            Row::NotShown("a query gives what the database holds when it runs".to_owned()),
        ),
        Some(week::Source::File { id, path }) => (
            format!("{path} ({id})"),
            match row(root, path, ingest_hash, metric) {
                Ok(row) => Row::Found(row),
                Err(why) => Row::NotShown(why),
            },
        ),
    };
    Source {
        side,
        from,
        ingest_hash: ingest_hash.map(str::to_owned),
        row,
    }
}

/// Finds the row of a metric in a file that still has the bytes that were compared.
fn row(root: &Path, path: &str, ingest_hash: Option<&str>, metric: &str) -> Result<String, String> {
    let bytes = below_root::read(root, path, MOST_BYTES)?;
    if ingest_hash != Some(&sha256_text(Digest::of(&bytes))) {
        return Err(format!("{path} has changed since it was compared"));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("{path} is not UTF-8"))?;
    let absent = || format!("{path} has no row of {metric}");
    if path.to_ascii_lowercase().ends_with(".json") {
        let rows: Vec<serde_json::Value> =
            serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
        let found = rows.iter().find(|row| row["metric_id"] == metric);
        return found.map(ToString::to_string).ok_or_else(absent);
    }
    let fault = |fault: crate::rules::reconcile::Fault| fault.what;
    let mut table = Table::begin(&text, &[]).map_err(fault)?;
    while let Some(row) = table.next_row().map_err(fault)? {
        if row.metric_id == metric {
            let line = text[row.at..].lines().next().unwrap_or_default();
            let number = text[..row.at].matches('\n').count() + 1;
            return Ok(format!("line {number}: {line}"));
        }
    }
    Err(absent())
}

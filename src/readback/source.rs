//! Where one side of a run came from, and the very row of a metric there.

use std::path::Path;

use serde::Serialize;

use crate::canon::Digest;
use crate::jobs::below_root;
use crate::rules::reconcile::{Party, Table, sha256_text};
use crate::rules::week::{self, Manifest};
use crate::store::{self, View};

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
    /// The query that would have to be run again for it.
    #[serde(skip)]
    query: Option<String>,
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
    let mut query = None;
    let (from, row) = match source {
        None => (
            "unknown".to_owned(),
            Row::NotShown("the manifest of the run is gone".to_owned()),
        ),
        Some(week::Source::Sql { id, sql }) => {
            query = Some(sql.clone());
            let row = Row::NotShown("the query was not run again".to_owned());
            (format!("query {id}: {sql}"), row)
        }
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
        query,
    }
}

impl Source {
    /// Runs a query again, and shows its row when the rows are still those that were compared.
    pub(super) async fn ask_again(&mut self, view: &mut View, metric: &str) {
        let Some(sql) = self.query.take() else {
            return;
        };
        self.row = match store::week::rows_as_csv(view, &sql).await {
            Err(error) => Row::NotShown(format!("the query does not run: {}", error.sentence)),
            Ok((_, digest)) if self.ingest_hash != Some(sha256_text(digest)) => {
                Row::NotShown("the query gives other rows than those that were compared".to_owned())
            }
            Ok((rows, _)) => match row_of(&String::from_utf8_lossy(&rows), metric) {
                Ok(Some(row)) => Row::Found(row),
                Ok(None) => Row::NotShown(format!("the query gives no row of {metric}")),
                Err(why) => Row::NotShown(why),
            },
        };
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
    row_of(&text, metric)?.ok_or_else(absent)
}

/// Finds the row of a metric among rows in CSV.
fn row_of(text: &str, metric: &str) -> Result<Option<String>, String> {
    let fault = |fault: crate::rules::reconcile::Fault| fault.what;
    let mut table = Table::begin(text, &[]).map_err(fault)?;
    while let Some(row) = table.next_row().map_err(fault)? {
        if row.metric_id == metric {
            let line = text[row.at..].lines().next().unwrap_or_default();
            let number = text[..row.at].matches('\n').count() + 1;
            return Ok(Some(format!("line {number}: {line}")));
        }
    }
    Ok(None)
}

//! Freezes what both pipelines export before the flip: below the governance root, and as artefacts of the entry.

use std::path::Path;

use serde_json::json;

use super::super::below_root;
use super::{Found, ended_early};
use crate::actions::{Prepared, Stop};
use crate::rules::migration::hour::{CutoverPlan, GoldenSource, PlannedGolden, StepState};
use crate::store::artifact::{GOLDEN_BEFORE, MOST_BYTES};
use crate::store::{Failure, Store, StoreError, migration};

/// How many rows a query may give.
const MOST_ROWS: usize = 1_000_000;

/// Freezes everything that the plan names; what cannot be read fails the step, and nothing is half frozen in the ledger.
pub(super) async fn freeze(
    store: &Store,
    (root, below): (&Path, &Path),
    id: &str,
    plan: &CutoverPlan,
) -> Result<Found, Stop> {
    let mut frozen = Vec::new();
    let mut files = Vec::new();
    for golden in &plan.goldens {
        let bytes = match exported(store, root, golden).await? {
            Ok(bytes) if bytes.is_empty() => Err("it is empty".to_owned()),
            other => other,
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(why) => {
                return Ok(Found::failed(
                    format!("{} could not be frozen: {why}", golden.name),
                    json!({"goldens": frozen, "failed": golden.name}),
                ));
            }
        };
        let path = format!("migrations/{id}/golden_before/{}", golden.name);
        let length = bytes.len();
        let file = Prepared::of(GOLDEN_BEFORE, bytes.clone());
        let (below, wanted) = (below.to_owned(), path.clone());
        let writing =
            tokio::task::spawn_blocking(move || below_root::write_once(&below, &wanted, &bytes));
        if let Err(why) = writing.await.map_err(|_| ended_early())? {
            return Ok(Found::failed(
                format!("{} could not be frozen: {why}", golden.name),
                json!({"goldens": frozen, "failed": golden.name}),
            ));
        }
        frozen.push(json!({
            "pipeline": golden.pipeline.word(), "name": golden.name, "path": path,
            "sha256": file.artifact.sha256.to_string(), "bytes": length,
        }));
        files.push(file);
    }
    Ok(Found {
        state: StepState::Done,
        detail: format!(
            "{} exports frozen in migrations/{id}/golden_before",
            files.len()
        ),
        document: json!({"goldens": frozen}),
        files,
    })
}

/// Reads an export; a database that does not answer ends it all.
async fn exported(
    store: &Store,
    root: &Path,
    golden: &PlannedGolden,
) -> Result<Result<Vec<u8>, String>, StoreError> {
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    match &golden.source {
        GoldenSource::File(path) => Ok(below_root::read(root, path, most)),
        GoldenSource::Sql(sql) => {
            let mut view = store.view().await?;
            match migration::replayed_cells(&mut view, sql, MOST_ROWS).await {
                Ok(cells) if cells.rows() == 0 => Ok(Err("the query gives no row".to_owned())),
                Ok(cells) if cells.rows() >= MOST_ROWS => {
                    Ok(Err(format!("the query gives {MOST_ROWS} rows or more")))
                }
                Ok(cells) => {
                    let csv = cells.csv().into_bytes();
                    if csv.len() > MOST_BYTES {
                        return Ok(Err(format!("the query gives more than {MOST_BYTES} bytes")));
                    }
                    Ok(Ok(csv))
                }
                Err(error) if error.kind == Failure::Unreachable => Err(error),
                Err(error) => Ok(Err(error.sentence)),
            }
        }
    }
}

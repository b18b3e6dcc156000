//! What a bundle left: whether everything that was filed of it is there, and what its target is to look like.

use super::baseline;
use crate::rules::bundle::Baseline;
use crate::rules::bundle_run::Tier;
use crate::store::bundle::{self, Known, Run};
use crate::store::{Store, StoreError};

/// Counts the files, receipts, baselines and differences of a bundle; none where one is not there. Reading a file by its
/// hash compares it with the hash.
pub async fn verify_files(store: &Store, known: &Known) -> Result<Option<usize>, StoreError> {
    let mut view = store.view().await?;
    let mut count = bundle::pieces(&mut view, &known.bundle).await?.len();
    for run in &known.runs {
        let named = [
            &run.receipt_sha256,
            &run.pre_sha256,
            &run.post_sha256,
            &run.diff_sha256,
        ];
        for sha256 in named.into_iter().flatten() {
            if bundle::named(&mut view, sha256).await?.is_none() {
                return Ok(None);
            }
            count += 1;
        }
    }
    Ok(Some(count))
}

/// Finds what a target is to look like: as the newest run left it that made or took back the bundle there, else as the plan
/// found it.
pub async fn left(
    store: &Store,
    known: &Known,
    tier: Tier,
) -> Result<Option<Baseline>, StoreError> {
    let kept = |run: &&Run| {
        run.environment == Some(tier)
            && run.outcome.is_success(run.run_type)
            && run.post_sha256.is_some()
    };
    let newest = known.runs.iter().rfind(kept);
    let recorded = match newest {
        Some(run) => run.post_sha256.clone(),
        None => known.plan(tier).map(|plan| plan.pre_sha256.clone()),
    };
    baseline(&mut store.view().await?, recorded).await
}

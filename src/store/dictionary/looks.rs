//! What is read about the dictionary.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::FromRow;

use super::rows::{
    AnnexView, BindProof, BindQuery, DictionaryMetric, FaqRow, Release, RunManifest, VarianceCheck,
};
use crate::canon::Digest;
use crate::store::view::{all_where, on, one_where, query_as};
use crate::store::{StoreError, View, artifact};

/// Finds a release by its version, as it is stored.
pub async fn release(view: &mut View, semver: &str) -> Result<Option<Release>, StoreError> {
    Ok(one_where!(view, Release, "dictionary_semver = $1", semver))
}

/// Finds the newest release, which no other follows.
pub async fn newest(view: &mut View) -> Result<Option<Release>, StoreError> {
    Ok(one_where!(
        view,
        Release,
        "NOT EXISTS (SELECT 1 FROM dictionary_release n WHERE n.previous_semver = dictionary_release.dictionary_semver) \
         ORDER BY dictionary_semver LIMIT 1"
    ))
}

/// Lists all releases, the newest first.
pub async fn releases(view: &mut View) -> Result<Vec<Release>, StoreError> {
    Ok(all_where!(
        view,
        Release,
        "TRUE ORDER BY released_at_utc DESC, major DESC, minor DESC, patch DESC, dictionary_semver"
    ))
}

/// Reads the whole dictionary of a release as the document that was filed.
pub async fn document(view: &mut View, release: &Release) -> Result<Option<Vec<u8>>, StoreError> {
    match release.document_sha256.parse::<Digest>() {
        Ok(sha256) => artifact::bytes(view, sha256).await,
        Err(_) => Ok(None),
    }
}

/// Finds a metric as the newest release has it.
pub async fn metric(view: &mut View, id: &str) -> Result<Option<DictionaryMetric>, StoreError> {
    Ok(one_where!(view, DictionaryMetric, "metric_id = $1", id))
}

/// Lists all metrics as the newest release has them, in the order of their ids.
pub async fn metrics(view: &mut View) -> Result<Vec<DictionaryMetric>, StoreError> {
    Ok(all_where!(
        view,
        DictionaryMetric,
        "TRUE ORDER BY metric_id"
    ))
}

/// Finds a join by its id, as it reads the columns of a release.
pub async fn bind_query(
    view: &mut View,
    id: &str,
    semver: &str,
) -> Result<Option<BindQuery>, StoreError> {
    Ok(one_where!(
        view,
        BindQuery,
        "bind_query_id = $1 AND dictionary_semver = $2",
        id,
        semver
    ))
}

/// Lists the joins in use that read the columns of a release.
pub async fn bind_queries(view: &mut View, semver: &str) -> Result<Vec<BindQuery>, StoreError> {
    Ok(all_where!(
        view,
        BindQuery,
        "dictionary_semver = $1 AND active = TRUE ORDER BY surface, bind_query_id",
        semver
    ))
}

/// Finds the newest proof about the joins of a release; one from before any of them was registered anew proves nothing.
pub async fn proof_of(view: &mut View, to: &str) -> Result<Option<BindProof>, StoreError> {
    Ok(one_where!(
        view,
        BindProof,
        "to_semver = $1 AND NOT EXISTS (SELECT 1 FROM bind_query q WHERE q.dictionary_semver IN (bind_proof.from_semver, bind_proof.to_semver) \
         AND q.registered_at_utc > bind_proof.made_at_utc) ORDER BY made_at_utc DESC, proof_id LIMIT 1",
        to
    ))
}

/// Finds the newest check of a tuple revision before its publish.
pub async fn variance_of(
    view: &mut View,
    tuple: &str,
) -> Result<Option<VarianceCheck>, StoreError> {
    Ok(one_where!(
        view,
        VarianceCheck,
        "tuple_revision_hash = $1 ORDER BY checked_at_utc DESC, verdict, variance_id LIMIT 1",
        tuple
    ))
}

/// Finds the newest view of the partners' annex that reads the columns of a release.
pub async fn annex_view_of(view: &mut View, semver: &str) -> Result<Option<AnnexView>, StoreError> {
    Ok(one_where!(
        view,
        AnnexView,
        "dictionary_semver = $1 ORDER BY registered_at_utc DESC, annex_view_version DESC LIMIT 1",
        semver
    ))
}

/// Finds a view of the partners' annex by its version.
pub async fn annex_view(view: &mut View, version: &str) -> Result<Option<AnnexView>, StoreError> {
    Ok(one_where!(
        view,
        AnnexView,
        "annex_view_version = $1",
        version
    ))
}

/// Finds a question.
pub async fn faq(view: &mut View, id: &str) -> Result<Option<FaqRow>, StoreError> {
    Ok(one_where!(view, FaqRow, "faq_id = $1", id))
}

/// Lists all questions, those that are shown first.
pub async fn faq_all(view: &mut View) -> Result<Vec<FaqRow>, StoreError> {
    Ok(all_where!(view, FaqRow, "TRUE ORDER BY status, faq_id"))
}

/// Lists the questions about a metric that are shown.
pub async fn faq_of(view: &mut View, metric: &str) -> Result<Vec<FaqRow>, StoreError> {
    Ok(all_where!(
        view,
        FaqRow,
        "dictionary_metric_id = $1 AND status = 'active' ORDER BY faq_id",
        metric
    ))
}

/// Reads what the sides of a weekly run said of themselves, leadership first.
pub async fn manifests_of(view: &mut View, run: &str) -> Result<Vec<RunManifest>, StoreError> {
    Ok(all_where!(
        view,
        RunManifest,
        "job_run_id = $1 ORDER BY side",
        run
    ))
}

/// Returns what the newest release calls the metrics that a weekly run kept, the worst of them, as far as it knows them.
pub async fn labels_of(
    view: &mut View,
    run: &str,
    most: i64,
) -> Result<BTreeMap<String, String>, StoreError> {
    const SQL: &str = "SELECT metric_id, display_label FROM metric_dictionary WHERE metric_id IN \
         (SELECT metric_id FROM reconciliation_metric WHERE job_run_id = $1 ORDER BY place, metric_id LIMIT $2)";
    let found: Vec<(String, String)> =
        on!(view, c => query_as(SQL).bind(run).bind(most).fetch_all(c).await)?;
    Ok(found.into_iter().collect())
}

/// Where a number of a metric was seen: one weekly run that kept it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Use {
    /// The run.
    pub job_run_id: String,
    /// The tuple revision.
    pub tuple_revision_hash: String,
    /// Leadership's value.
    pub leadership: Option<String>,
    /// The partners' value.
    pub partner: Option<String>,
    /// How far apart they were.
    pub delta: Option<String>,
    /// Whether that was near enough.
    pub verdict: String,
}

/// Lists the newest runs that kept a number of a metric.
pub async fn uses(view: &mut View, metric: &str, most: i64) -> Result<Vec<Use>, StoreError> {
    const SQL: &str = "SELECT w.job_run_id, w.tuple_revision_hash, m.leadership, m.partner, m.delta, m.verdict \
         FROM reconciliation_metric m JOIN reconciliation_window w ON w.job_run_id = m.job_run_id \
         WHERE m.metric_id = $1 AND w.tuple_revision_hash IS NOT NULL ORDER BY w.scheduled_at DESC, w.job_run_id LIMIT $2";
    Ok(on!(view, c => query_as(SQL).bind(metric).bind(most).fetch_all(c).await)?)
}

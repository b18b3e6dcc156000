//! Holds what leadership would see against what the partners would get, before a publish, under the epsilons of a release.

use serde::Serialize;

use crate::actions::{ByRule, Prepared, Request, Stop, VarianceFinding, random_id};
use crate::canon::Digest;
use crate::rules::Refusal;
use crate::rules::block::BlockReason;
use crate::rules::dictionary::{self as rule, Document};
use crate::rules::reconcile::{
    self, Comparison, Field, Given, Metric, Policy, Reject, RunVerdict, judge,
};
use crate::store::artifact::VARIANCE;
use crate::store::route::{self, Route};
use crate::store::{Store, StoreError, dictionary, publish};

/// What was recorded.
#[derive(Debug, Clone, Serialize)]
pub struct Checked {
    /// The check's id.
    pub variance_id: String,
    /// Whether they may be published.
    pub verdict: RunVerdict,
    /// The tuple revision that both sides show.
    pub tuple_revision_hash: String,
    /// The release whose epsilons were held against them.
    pub dictionary_semver: String,
    /// How many metrics were compared.
    pub metrics_total: u64,
    /// How many of them were too far apart.
    pub metrics_failed: u64,
    /// Whom a failure is routed to.
    pub owner: String,
    /// Another person.
    pub backup: String,
    /// What was found, metric by metric, hashed.
    pub artifact_sha256: Digest,
    /// How the sides differ in their bypass, if they do.
    pub lineage: Option<String>,
    /// The worst metrics, the worst first.
    pub worst: Vec<Metric>,
}

/// Compares and records; two sides that cannot be compared are rejected, and nothing is recorded.
pub async fn run(
    store: &Store,
    leadership: Given,
    partner: Given,
    keep: usize,
) -> Result<Result<Checked, Reject>, Stop> {
    let (policy, semver, route) = terms(store, &leadership).await?;
    let name = format!("dictionary {semver}");
    let comparison = match judge(leadership, partner, policy, &name, keep) {
        Ok(comparison) => comparison.where_bypasses_are_told(),
        Err(reject) => return Ok(Err(reject)),
    };
    let mut diff = Vec::new();
    let written = comparison.write_diff(&mut diff, &mut |_| {
        Some(reconcile::Owner {
            owner: route.owner_user_id.clone(),
            backup: Some(route.backup_owner_user_id.clone()),
        })
    });
    written.map_err(|error| {
        Refusal::new(
            format!("what was found cannot be written: {error}"),
            "compare fewer metrics at a time",
        )
    })?;
    let filed = Prepared::of(VARIANCE, diff);
    let checked = checked(&comparison, &semver, &route, filed.artifact.sha256)?;
    let finding = VarianceFinding {
        tuple_revision_hash: checked.tuple_revision_hash.clone(),
        dictionary_semver: semver,
        verdict: checked.verdict,
        metrics_total: i64::try_from(checked.metrics_total).unwrap_or(i64::MAX),
        metrics_failed: i64::try_from(checked.metrics_failed).unwrap_or(i64::MAX),
        artifact_sha256: checked.artifact_sha256.to_string(),
        owner_id: checked.owner.clone(),
        backup_id: checked.backup.clone(),
    };
    let request = Request::by_rule(ByRule::RecordVariance {
        check: checked.variance_id.clone(),
        finding,
    })?;
    super::done(store, request.with_prepared(vec![filed])).await?;
    Ok(Ok(checked))
}

/// Makes the policy of the release that leadership's side names, as far as what it says can be taken for one.
async fn terms(store: &Store, leadership: &Given) -> Result<(Policy, String, Route), Stop> {
    let mut view = store.view().await?;
    let said = |field| match &leadership.sidecar {
        Ok(sidecar) => sidecar.get(field).unwrap_or_default(),
        Err(_) => "",
    };
    let named = said(Field::DictionarySemver);
    let newest = dictionary::newest(&mut view).await?;
    let release = newest.ok_or_else(|| {
        missing(
            "the dictionary was never released",
            "release it: govdeck dictionary import",
        )
    })?;
    // What cannot be read is rejected with its place; what is of another release is no longer what holds.
    if let Ok(version) = rule::version(named)
        && version.text() != release.dictionary_semver
    {
        let sentence = format!(
            "the sides are of {named}, and {} holds",
            release.dictionary_semver
        );
        let hint = "export both sides under the release that holds";
        return Err(Refusal::new(sentence, hint).into());
    }
    let unreadable = || {
        missing(
            format!("the document of {} is gone", release.dictionary_semver),
            "run `govdeck ledger verify`",
        )
    };
    let document = dictionary::document(&mut view, &release).await?;
    let document = Document::read(&document.ok_or_else(unreadable)?)?;
    let footer = publish::footer_schema(&mut view).await?.ok_or_else(|| {
        missing(
            "no footer schema is registered",
            "register the one in force: govdeck act register-footer",
        )
    })?;
    let route = route::route(&mut view, BlockReason::TupleDrift).await?;
    let route = route.ok_or_else(|| {
        missing(
            "nobody owns tuple_drift",
            "route it: govdeck act propose-route",
        )
    })?;
    let policy = rule::policy_document(
        said(Field::EpsilonPolicyVersion),
        &footer.current_semver,
        &document,
    )?;
    Ok((Policy::read(&policy), release.dictionary_semver, route))
}

/// Says what a check would rest on and that is not there.
fn missing(what: impl Into<String>, hint: &str) -> StoreError {
    StoreError::unusable(what, hint)
}

fn checked(
    comparison: &Comparison,
    semver: &str,
    route: &Route,
    artifact_sha256: Digest,
) -> Result<Checked, Stop> {
    let totals = comparison.totals();
    let tuple = &comparison.terms().tuple_revision_hash;
    if tuple.parse::<Digest>().is_err() {
        return Err(Stop::BadInput(Refusal::new(
            "tuple_revision_hash is no SHA-256: nobody could find the tuple again",
            "give what `govdeck hash tuple` prints",
        )));
    }
    Ok(Checked {
        variance_id: random_id()?,
        verdict: comparison.verdict(),
        tuple_revision_hash: tuple.clone(),
        dictionary_semver: semver.to_owned(),
        metrics_total: totals.metrics,
        metrics_failed: totals.failed,
        owner: route.owner_user_id.clone(),
        backup: route.backup_owner_user_id.clone(),
        artifact_sha256,
        lineage: comparison.lineage_fault(),
        worst: comparison.worst().to_vec(),
    })
}

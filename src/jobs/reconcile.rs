//! Compares the two sides that a manifest names, and ends the window that it belongs to with what was found.
//!
//! The window is claimed first, in a short transaction. Reading, hashing and comparing happen with nothing held open.
//! Whatever cannot be read or compared ends the run INCONCLUSIVE, which is no pass.

use std::path::Path;

use serde::Serialize;

use super::below_root;
use super::side;
use super::trigger::{self, Triggered};
use crate::actions::{ByRule, Finding, Prepared, Request, Stop, Unplanned, random_id};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::dictionary::epsilons_hash_of;
use crate::rules::reconcile::{self, Comparison, Decimal, Party, Policy, RunVerdict, sha256_text};
use crate::rules::week::{Manifest, RunKind, RunStatus, read_manifest};
use crate::store::artifact::{self, MOST_BYTES, RECONCILE_DIFF, RECONCILE_MANIFEST, RUN_MANIFEST};
use crate::store::dictionary::RunManifest;
use crate::store::week::{self, EpsilonPolicy, Metric};
use crate::store::{Store, StoreError};

/// How many of the worst metrics the database keeps.
const KEPT: usize = 1_000;
/// How many windows that have not ended are looked at.
const OPEN: i64 = 10_000;
/// Below the governance root: where a diff lies that is too large for the database.
const DIFFS: &str = "reconciliation/diffs";

/// Which run is made of a manifest.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// Why.
    pub kind: RunKind,
    /// How many minutes the claim holds.
    pub minutes: i64,
}

/// How a run ended.
#[derive(Debug, Clone, Serialize)]
pub struct Ended {
    /// The run.
    pub job_run_id: String,
    /// How.
    pub status: RunStatus,
    /// Why nothing could be compared.
    pub reason: Option<String>,
    /// Where, in words.
    pub detail: Option<String>,
    /// How many metrics were compared.
    pub metrics_total: Option<i64>,
    /// How many of them failed.
    pub metrics_failed: Option<i64>,
    /// Where the diff is.
    pub artifact_uri: Option<String>,
    /// What the trigger said of each migration that is watched, once the run had ended.
    pub triggered: Vec<Triggered>,
    /// The metrics that are kept, the worst first.
    #[serde(skip)]
    pub kept: Vec<Metric>,
}

/// Reads a manifest and makes its run.
pub async fn run(
    store: &Store,
    root: &Path,
    manifest: Vec<u8>,
    order: Order,
) -> Result<Ended, Stop> {
    let read = read_manifest(&manifest).map_err(Stop::BadInput)?;
    below_root::sweep(root, DIFFS);
    let (run, unplanned) = choose(store, &read, order.kind).await?;
    // Nobody else can know it.
    let claim = random_id()?;
    let start = Request::by_rule(ByRule::StartRun {
        run: run.clone(),
        claim: claim.clone(),
        minutes: order.minutes,
        unplanned,
    })?;
    super::done(store, start).await?;
    let (finding, evidence) = find(store, root, &run, &read, manifest).await?;
    let mut ended = ended(&run, &finding);
    let finish = Request::by_rule(ByRule::FinishRun {
        run,
        claim,
        finding: Box::new(finding),
    })?;
    super::done(store, finish.with_prepared(evidence)).await?;
    ended.triggered = trigger::run(store).await?;
    Ok(ended)
}

fn ended(run: &str, finding: &Finding) -> Ended {
    Ended {
        job_run_id: run.to_owned(),
        status: finding.status,
        reason: finding.reject_reason.clone(),
        detail: finding.reject_detail.clone(),
        metrics_total: finding.metrics_total,
        metrics_failed: finding.metrics_failed,
        artifact_uri: finding.artifact_uri.clone(),
        triggered: Vec::new(),
        kept: finding.kept.clone(),
    }
}

/// Chooses the window that a scheduled run serves now, or names a run that nobody planned.
async fn choose(
    store: &Store,
    manifest: &Manifest,
    kind: RunKind,
) -> Result<(String, Option<Unplanned>), Stop> {
    let mut view = store.view().await?;
    let now = view.now();
    let series = manifest.series.clone();
    if kind != RunKind::Scheduled {
        let unplanned = Unplanned {
            kind,
            series,
            at: now,
        };
        return Ok((unplanned.run_id(), Some(unplanned)));
    }
    let Some(row) = week::series(&mut view, &series).await? else {
        return Err(Refusal::new(
            format!("there is no series {series:?}"),
            "register it first: govdeck act register-series",
        )
        .into());
    };
    let open = week::open_windows(&mut view, OPEN).await?;
    let due = open.into_iter().find(|window| {
        window.series_id == series
            && window.run_kind == RunKind::Scheduled
            && row.schedule().opens(window.scheduled_at) <= now
    });
    let due = due.ok_or_else(|| {
        Refusal::new(
            format!("no window of {series} is open now"),
            "plan it with `govdeck window plan`, wait for its time, or make a run with --kind manual",
        )
    })?;
    Ok((due.job_run_id, None))
}

/// Compares, and packs what was found with the files it names.
async fn find(
    store: &Store,
    root: &Path,
    run: &str,
    manifest: &Manifest,
    bytes: Vec<u8>,
) -> Result<(Finding, Vec<Prepared>), Stop> {
    let filed = Prepared::of(RECONCILE_MANIFEST, bytes);
    let manifest_sha256 = Some(filed.artifact.sha256.to_string());
    let found = match compare(store, root, run, manifest).await? {
        Ok(found) => found,
        Err(rejected) => {
            let [leadership, partner] = rejected.ingest.map(|it| it.map(sha256_text));
            let finding = Finding {
                manifest_sha256,
                leadership_ingest_hash: leadership,
                partner_ingest_hash: partner,
                ..Finding::inconclusive(rejected.reason, rejected.detail)
            };
            return Ok((finding, vec![filed]));
        }
    };
    let mut finding = packed(manifest, &found)?;
    finding.manifest_sha256.clone_from(&manifest_sha256);
    let unwritten = |finding: Finding, why: String| Finding {
        manifest_sha256: finding.manifest_sha256,
        leadership_ingest_hash: finding.leadership_ingest_hash,
        partner_ingest_hash: finding.partner_ingest_hash,
        ..Finding::inconclusive("diff_unwritten", why)
    };
    let mut diff = Vec::new();
    let written = found.comparison.write_diff(&mut diff, &mut |metric| {
        let owner = manifest.owners.of(metric);
        Some(reconcile::Owner {
            owner: owner.owner.clone(),
            backup: Some(owner.backup.clone()),
        })
    });
    if let Err(error) = written {
        let why = format!("the diff cannot be written: {error}");
        return Ok((unwritten(finding, why), vec![filed]));
    }
    let (uri, diff) = if diff.len() > MOST_BYTES {
        let sha256 = Digest::of(&diff);
        let path = format!("{DIFFS}/{sha256}.json");
        if let Err(why) = below_root::write_once(root, &path, &diff) {
            return Ok((unwritten(finding, why), vec![filed]));
        }
        (format!("file:{path}#sha256:{sha256}"), None)
    } else {
        let diff = Prepared::of(RECONCILE_DIFF, diff);
        (format!("sha256:{}", diff.artifact.sha256), Some(diff))
    };
    finding.artifact_uri = Some(uri);
    let said = found.manifests.into_iter();
    let mut evidence: Vec<_> = said
        .map(|(_, bytes)| Prepared::of(RUN_MANIFEST, bytes))
        .collect();
    evidence.extend(diff);
    evidence.push(filed);
    Ok((finding, evidence))
}

/// Two sides that were compared, under a policy that was adopted.
struct Found {
    comparison: Comparison,
    policy: EpsilonPolicy,
    footer_schema_semver: Option<String>,
    /// What each side said of itself, and the bytes of that.
    manifests: Vec<(RunManifest, Vec<u8>)>,
}

/// Why nothing could be compared.
struct Rejected {
    reason: String,
    /// Where, in words.
    detail: String,
    /// What was read of leadership's side and the partners', as far as it was.
    ingest: [Option<Digest>; 2],
}

impl Rejected {
    fn unread(reason: &str, detail: String) -> Self {
        Self {
            reason: reason.to_owned(),
            detail,
            ingest: [None, None],
        }
    }
}

async fn compare(
    store: &Store,
    root: &Path,
    run: &str,
    manifest: &Manifest,
) -> Result<Result<Found, Rejected>, StoreError> {
    let mut view = store.view().await?;
    let version = &manifest.epsilon_policy_version;
    let rejected = |reason: &str, detail: String| Ok(Err(Rejected::unread(reason, detail)));
    let Some(policy) = week::policy(&mut view, version).await? else {
        let detail = format!("nobody has adopted the policy {version}");
        return rejected("epsilon_policy_mismatch", detail);
    };
    let document = match policy.document_sha256.parse() {
        Ok(sha256) => artifact::bytes(&mut view, sha256).await?,
        Err(_) => None,
    };
    let Some(document) = document else {
        let detail = format!("the document of the policy {version} is gone");
        return rejected("epsilon_policy_mismatch", detail);
    };
    // Its hash was told when it was adopted; what it holds is looked at here.
    let repeated = epsilons_hash_of(&document).map(|hash| hash.to_string());
    if policy.epsilons_sha256.is_some() && repeated != policy.epsilons_sha256 {
        let detail =
            format!("the document of the policy {version} has other epsilons than its release");
        return rejected("epsilon_policy_mismatch", detail);
    }
    let leadership = side::read(&mut view, root, manifest, Party::Leadership).await?;
    let partner = side::read(&mut view, root, manifest, Party::Partner).await?;
    drop(view);
    let ingest = [&leadership, &partner].map(|side| side.as_ref().ok().and_then(|it| it.hashed));
    let rejected = |reason: &str, detail: String| {
        Err(Rejected {
            ingest,
            ..Rejected::unread(reason, detail)
        })
    };
    let (leadership, partner) = match (leadership, partner) {
        (Ok(leadership), Ok(partner)) => (leadership, partner),
        (Err(why), _) | (_, Err(why)) => return Ok(rejected("input_unreadable", why)),
    };
    let footer = side::footer(&partner);
    let manifests = [(Party::Leadership, &leadership), (Party::Partner, &partner)]
        .into_iter()
        .filter_map(|(party, given)| side::manifest(run, party, given))
        .collect();
    if let Some((reason, detail)) = side::against_manifest(manifest, [&leadership, &partner]) {
        return Ok(rejected(reason, detail));
    }
    let judged = reconcile::judge(
        leadership,
        partner,
        Policy::read(&document),
        &format!("policy {version}"),
        KEPT,
    );
    Ok(match judged {
        Ok(comparison) => Ok(Found {
            comparison: comparison.where_bypasses_are_told(),
            policy,
            footer_schema_semver: footer,
            manifests,
        }),
        Err(reject) => rejected(reject.reason.word(), reject.to_string()),
    })
}

/// Writes down what was found, with the metrics that the database keeps.
fn packed(manifest: &Manifest, found: &Found) -> Result<Finding, Stop> {
    let comparison = &found.comparison;
    let terms = comparison.terms();
    let totals = comparison.totals();
    let (kept, absent) = kept(manifest, found)?;
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let absent_count = i64::try_from(absent.len()).unwrap_or(i64::MAX);
    let mut detail: Vec<String> = comparison.lineage_fault().into_iter().collect();
    if !absent.is_empty() {
        detail.push(format!(
            "protected and on neither side: {}",
            absent.join(", ")
        ));
    }
    let passed = comparison.verdict() == RunVerdict::Pass && absent.is_empty();
    let moment = |text: &str| text.parse::<Moment>().ok();
    let worst = kept.first();
    Ok(Finding {
        status: if passed {
            RunStatus::Pass
        } else {
            RunStatus::Fail
        },
        reject_reason: None,
        reject_detail: (!detail.is_empty()).then(|| detail.join("; ")),
        start_inclusive: moment(&terms.start_inclusive),
        end_exclusive: moment(&terms.end_exclusive),
        manifest_sha256: None,
        artifact_uri: None,
        leadership_ingest_hash: Some(terms.leadership_ingest_hash.clone()),
        partner_ingest_hash: Some(terms.partner_ingest_hash.clone()),
        tuple_revision_hash: Some(terms.tuple_revision_hash.clone()),
        dictionary_semver: Some(terms.dictionary_semver.clone()),
        footer_schema_semver: found.footer_schema_semver.clone(),
        epsilon_policy_version: Some(terms.epsilon_policy_version.clone()),
        metrics_total: Some(count(totals.metrics) + absent_count),
        metrics_failed: Some(count(totals.failed) + absent_count),
        worst_metric: worst.map(|metric| metric.metric_id.clone()),
        worst_ratio: worst.and_then(|metric| metric.ratio.clone()),
        kept,
        manifests: found.manifests.iter().map(|(row, _)| row.clone()).collect(),
    })
}

/// Returns the metrics that are kept, the worst first, and those protected ones that neither side has.
fn kept(manifest: &Manifest, found: &Found) -> Result<(Vec<Metric>, Vec<String>), Stop> {
    let floor = Decimal::parse(&found.policy.floor).unwrap_or(Decimal::ZERO);
    let mut all: Vec<reconcile::Metric> = found.comparison.worst().to_vec();
    let mut wanted = manifest.protected.clone();
    for metric in &all {
        wanted.remove(&metric.metric_id);
    }
    if !wanted.is_empty() {
        let unreadable = |fault: reconcile::Fault| {
            Stop::BadInput(Refusal::new(fault.what, "report this as a bug"))
        };
        let mut walk = found.comparison.walk().map_err(unreadable)?;
        while let Some(outcome) = walk.next_outcome().map_err(unreadable)? {
            if wanted.remove(&*outcome.metric_id) {
                all.push(reconcile::Metric::from(&outcome));
            }
        }
    }
    let absent: Vec<String> = wanted.into_iter().collect();
    let rows = all.into_iter().zip(1..).map(|(metric, place)| {
        let owner = manifest.owners.of(&metric.metric_id);
        let failed = metric.reason.is_some();
        Metric {
            protected: manifest.protected.contains(&metric.metric_id),
            ratio: ratio(&metric, &floor),
            place,
            verdict: metric.verdict.word().to_owned(),
            reason: metric.reason.map(|reason| reason.word().to_owned()),
            owner_id: failed.then(|| owner.owner.clone()),
            backup_id: failed.then(|| owner.backup.clone()),
            metric_id: metric.metric_id,
            leadership: metric.leadership,
            partner: metric.partner,
            epsilon: metric.epsilon,
            delta: metric.delta,
        }
    });
    Ok((rows.collect(), absent))
}

/// How far apart a metric's sides are, against the partner's value or the policy's floor; nearly, for looking at.
fn ratio(metric: &reconcile::Metric, floor: &Decimal) -> Option<String> {
    let delta = Decimal::parse(metric.delta.as_deref()?).ok()?;
    let partner = Decimal::parse(metric.partner.as_deref()?).ok()?;
    let of = if partner.cmp_abs(floor).is_gt() {
        partner
    } else {
        floor.clone()
    };
    Some(format!("{:.6}", delta.ratio(&of)))
}

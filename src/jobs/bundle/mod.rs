//! Runs a bundle: somebody's claim is carried out, a worker makes the change or takes it back, and the run ends with a receipt.
//!
//! The claim and the end are short transactions of their own; the worker works between them with nothing of the ledger
//! held. What it runs is what was registered and approved, read from the database and never from a folder. Whatever goes
//! wrong, the run ends with a receipt; and a run whose process died is marked as interrupted before the next begins.

mod plan;
mod worker;

pub use plan::{Back, Files, Planned, plan};
pub use worker::AtStore;

use std::collections::BTreeMap;
use std::future::Future;

use serde::Serialize;

use crate::actions::{BundleFinding, ByRule, Prepared, Request, Stop};
use crate::clock::Moment;
use crate::rules::bundle::{
    Baseline, Check, CheckStatus, DiffSummary, FileDigest, Receipt, RunType, scan,
};
use crate::rules::bundle_run::{RunOutcome, Tier, Told, receipt};
use crate::rules::{Refusal, text};
use crate::store::artifact::{BUNDLE_BASELINE, BUNDLE_DIFF, BUNDLE_PROV, BUNDLE_RECEIPT};
use crate::store::bundle::{self, Known, Piece, Run};
use crate::store::tables::Boxed;
use crate::store::{Store, StoreError, View};

/// How many characters of what a worker says are kept; it may say anything.
const SAID: usize = 300;

/// What is to be run: files as they were registered, and what the target is expected to look like.
#[derive(Debug, Clone)]
pub struct Order {
    /// The run.
    pub run_id: String,
    /// The bundle.
    pub migration_id: String,
    /// Whether the change is made or taken back.
    pub run_type: RunType,
    /// Where the target stands.
    pub tier: Tier,
    /// The declaration first, then each script.
    pub files: Vec<Piece>,
    /// The baseline before that the plan saw; of a rollback, what the target is to look like again.
    pub before: Option<Baseline>,
    /// The baseline after that the plan saw; none of a rollback.
    pub after: Option<Baseline>,
}

/// What a worker did.
pub struct Ran {
    /// How it ended.
    pub outcome: RunOutcome,
    /// What the target looked like before.
    pub pre: Option<Baseline>,
    /// What it looked like afterwards, before anything was taken back.
    pub post: Option<Baseline>,
    /// How many rows were inserted, changed and deleted, by table.
    pub rows: BTreeMap<String, u64>,
    /// What was checked.
    pub checks: Vec<Check>,
    /// What there is to say, in one line.
    pub detail: Option<String>,
    /// What the worker holds open until the end; none where everything stays or is gone already.
    pub held: Option<Box<dyn Held>>,
}

/// A change that is made and not yet kept.
///
/// This is the seam for targets whose change and whose entry commit together: the governance database itself, and
/// SQLite. Everybody else keeps the change first and ends the run after it; a process that dies between the two leaves a
/// run that is marked as interrupted, which a rollback may take up.
pub trait Held: Send {
    /// Keeps the change.
    fn keep(self: Box<Self>) -> Boxed<'static, Result<(), String>>;
    /// Lets go of it, so that nothing of it stays.
    fn drop_it(self: Box<Self>) -> Boxed<'static, Result<(), String>>;
}

/// What makes changes at a target.
pub trait Worker: Send + Sync {
    /// Makes the change, or takes it back; judges it, and says how it ended.
    fn run(&self, order: &Order) -> impl Future<Output = Result<Ran, String>> + Send;
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// The run.
    pub run_id: String,
    /// The bundle.
    pub migration_id: String,
    /// How.
    pub outcome: RunOutcome,
    /// What was found.
    pub detail: Option<String>,
    /// The receipt.
    pub receipt_sha256: String,
}

impl Ended {
    /// Tells whether the run did what it was made for.
    #[must_use]
    pub fn is_success(&self, run_type: RunType) -> bool {
        self.outcome.is_success(run_type)
    }
}

/// Marks every run of a bundle in a tier as interrupted that was claimed and has not ended; for whoever has the target for
/// themselves, so that nobody else can be running it.
pub async fn sweep(store: &Store, migration_id: &str, tier: Tier) -> Result<Vec<String>, Stop> {
    let mut view = store.view().await?;
    let left = bundle::running(&mut view, migration_id, tier).await?;
    drop(view);
    let mut swept = Vec::new();
    for Run { run_id, .. } in left {
        let run = run_id.clone();
        super::done(store, Request::by_rule(ByRule::InterruptBundleRun { run })?).await?;
        swept.push(run_id);
    }
    Ok(swept)
}

/// Carries out somebody's claim, and runs what was claimed to its end.
pub async fn run<W: Worker>(store: &Store, worker: &W, claim: Request) -> Result<Ended, Stop> {
    let id = claim.subject().to_owned();
    let sealed = super::done(store, claim).await?;
    let mut view = store.view().await?;
    let begun = bundle::runs(&mut view, &id).await?;
    drop(view);
    let mut begun = begun.into_iter();
    let run =
        begun.rfind(|run| run.outcome == RunOutcome::Running && run.claimed_at_utc == sealed.at);
    let run = run.ok_or_else(|| {
        Refusal::new(
            format!("no run of {id} was claimed"),
            "claim-bundle-run or roll-back-bundle claims one",
        )
    })?;
    take_up(store, worker, &run.run_id).await
}

/// Runs what was claimed to its end.
pub async fn take_up<W: Worker>(store: &Store, worker: &W, run_id: &str) -> Result<Ended, Stop> {
    let (run, known, order) = order(store, run_id).await?;
    let mut ran = match worker.run(&order).await {
        Ok(ran) => ran,
        Err(why) => Ran::failed(why),
    };
    settle(&mut ran, run.run_type).await;
    let finished = store.view().await?.now();
    let (finding, evidence) = found(&run, &known, &order, &ran, finished);
    let receipt_sha256 = crate::canon::Digest::of(&finding.receipt.bytes()).to_string();
    let ended = Ended {
        run_id: run.run_id.clone(),
        migration_id: run.migration_id.clone(),
        outcome: finding.outcome,
        detail: finding.detail.clone(),
        receipt_sha256,
    };
    let end = Request::by_rule(ByRule::FinishBundleRun {
        run: run.run_id,
        finding: Box::new(finding),
    })?;
    super::done(store, end.with_prepared(evidence)).await?;
    Ok(ended)
}

impl Ran {
    /// Says that nothing was done, and why.
    #[must_use]
    pub fn failed(why: impl Into<String>) -> Self {
        Self {
            outcome: RunOutcome::Failed,
            pre: None,
            post: None,
            rows: BTreeMap::new(),
            checks: Vec::new(),
            detail: Some(why.into()),
            held: None,
        }
    }
}

/// Keeps what succeeded and lets go of everything else; what cannot be kept has failed.
async fn settle(ran: &mut Ran, run_type: RunType) {
    let keeps = ran.outcome.is_success(run_type);
    let Some(held) = ran.held.take() else {
        return;
    };
    let settled = if keeps {
        held.keep().await
    } else {
        held.drop_it().await
    };
    if let Err(why) = settled {
        // Nobody knows what stayed of a change that could not even be let go of.
        ran.outcome = if keeps {
            RunOutcome::Failed
        } else {
            RunOutcome::RollbackFailed
        };
        ran.detail = Some(why);
    }
}

/// Reads what is to be run, as it was registered.
async fn order(store: &Store, run_id: &str) -> Result<(Run, Known, Order), Stop> {
    let missing = || {
        Refusal::new(
            format!("no run {run_id:?} waits to be taken up"),
            "`govdeck bundle show BUNDLE` lists its runs",
        )
    };
    let mut view = store.view().await?;
    let run = bundle::run(&mut view, run_id).await?;
    let run = run.filter(|run| run.outcome == RunOutcome::Running);
    let run = run.ok_or_else(missing)?;
    let known = bundle::known(&mut view, &run.migration_id).await?;
    let known = known.ok_or_else(missing)?;
    let tier = run.environment.ok_or_else(missing)?;
    let undone = known
        .runs
        .iter()
        .find(|it| Some(&it.run_id) == run.undoes_run_id.as_ref());
    let planned = known.plan(tier).filter(|_| undone.is_none());
    let before = match (undone, planned) {
        (Some(undone), _) => undone.pre_sha256.clone().or_else(|| {
            let plan = known.plan(tier);
            let followed = plan.filter(|plan| run.plan_hash.as_ref() == Some(&plan.plan_hash));
            followed.map(|plan| plan.pre_sha256.clone())
        }),
        (None, plan) => plan.map(|plan| plan.pre_sha256.clone()),
    };
    let after = planned.map(|plan| plan.post_sha256.clone());
    let order = Order {
        run_id: run.run_id.clone(),
        migration_id: run.migration_id.clone(),
        run_type: run.run_type,
        tier,
        files: bundle::pieces(&mut view, &known.bundle).await?,
        before: baseline(&mut view, before).await?,
        after: baseline(&mut view, after).await?,
    };
    Ok((run, known, order))
}

/// Reads a baseline that a row names.
async fn baseline(view: &mut View, sha256: Option<String>) -> Result<Option<Baseline>, StoreError> {
    let bytes = match sha256 {
        Some(sha256) => bundle::named(view, &sha256).await?,
        None => None,
    };
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// Packs what was found with its receipt and the files that it names.
fn found(
    run: &Run,
    known: &Known,
    order: &Order,
    ran: &Ran,
    finished: Moment,
) -> (BundleFinding, Vec<Prepared>) {
    let mut evidence: Vec<Prepared> = Vec::new();
    let mut outputs = Vec::new();
    let mut file = |kind: (&'static str, &'static str), path: &str, bytes: Vec<u8>| {
        let piece = Prepared::of(kind, bytes);
        let sha256 = piece.artifact.sha256.to_string();
        outputs.push(FileDigest {
            path: path.to_owned(),
            digest: format!("sha256:{sha256}"),
        });
        if !evidence.contains(&piece) {
            evidence.push(piece);
        }
        sha256
    };
    let pre = ran.pre.as_ref();
    let pre_sha256 = pre.map(|it| file(BUNDLE_BASELINE, "baselines/pre.json", it.bytes()));
    let post = ran.post.as_ref();
    let post_sha256 = post.map(|it| file(BUNDLE_BASELINE, "baselines/post.json", it.bytes()));
    let diff = pre.zip(post).map(|(pre, post)| {
        let diff = DiffSummary::between(&run.migration_id, pre, post, &ran.rows);
        file(BUNDLE_DIFF, "diffs/summary.json", diff.bytes())
    });
    let detail = ran.detail.as_deref().map(safe);
    let receipt = told(run, known, order, ran, outputs, finished);
    evidence.push(Prepared::of(BUNDLE_RECEIPT, receipt.bytes()));
    evidence.push(Prepared::of(BUNDLE_PROV, receipt.prov()));
    let finding = BundleFinding {
        outcome: ran.outcome,
        detail,
        receipt,
        pre_sha256,
        post_sha256,
        diff_sha256: diff,
    };
    (finding, evidence)
}

fn told(
    run: &Run,
    known: &Known,
    order: &Order,
    ran: &Ran,
    outputs: Vec<FileDigest>,
    finished: Moment,
) -> Receipt {
    let passes = ran.outcome.is_success(run.run_type);
    let status = |passes| {
        if passes {
            CheckStatus::Pass
        } else {
            CheckStatus::Fail
        }
    };
    let mut checks: Vec<Check> = ran.checks.iter().map(safe_check).collect();
    checks.push(Check {
        name: "outcome".to_owned(),
        status: status(passes),
        detail: Some(ran.outcome.to_string()),
    });
    let inputs = order.files.iter().map(|file| FileDigest {
        path: file.path.clone(),
        digest: format!("sha256:{}", crate::canon::Digest::of(&file.bytes)),
    });
    let reference = known.bundle.approval_reference.as_deref();
    let decided = run.approval_id.as_deref().or(run.undoes_run_id.as_deref());
    receipt(Told {
        run_id: &run.run_id,
        run_type: run.run_type,
        migration_id: &run.migration_id,
        tier: run.environment,
        principal: &run.claimed_by,
        role: "claimant",
        plan_hash: run.plan_hash.as_deref(),
        decision: decided.or(reference).unwrap_or("none"),
        inputs: inputs.collect(),
        outputs,
        status: status(passes),
        checks,
        started: run.claimed_at_utc,
        finished,
    })
}

fn safe_check(check: &Check) -> Check {
    Check {
        name: safe(&check.name),
        status: check.status,
        detail: check.detail.as_deref().map(safe),
    }
}

/// Makes one short line of what a worker or a store says.
fn safe(said: &str) -> String {
    let line: Vec<&str> = said.split_whitespace().collect();
    let line = line.join(" ");
    if scan(line.as_bytes()).is_empty() {
        text::shorten(&text::scrub(&line), SAID).into_owned()
    } else {
        "withheld: it looks like a secret".to_owned()
    }
}

/// Returns what a claim of a bundle's run asks: where, and what the target looks like now.
pub async fn asked(
    worker: &AtStore,
    migration_id: &str,
    tier: Tier,
) -> Result<crate::actions::Asked, Stop> {
    let fingerprint = worker.fingerprint().await?;
    Ok(crate::actions::Asked::of(migration_id)
        .with("environment", tier.word())
        .with("fingerprint", fingerprint))
}

/// Reads the runs of a bundle in a tier that are under way.
pub async fn under_way(
    store: &Store,
    migration_id: &str,
    tier: Tier,
) -> Result<Vec<Run>, StoreError> {
    bundle::running(&mut store.view().await?, migration_id, tier).await
}

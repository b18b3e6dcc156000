//! Runs a bundle: somebody's claim is carried out, a worker makes the change or takes it back, and the run ends with a receipt.
//!
//! The claim and the end are short transactions of their own; the worker works between them with nothing of the ledger
//! held. What it runs is what was registered and approved, read from the database and never from a folder. At the ledger's own
//! database a change and the end of its run are one transaction, where the login may write both; elsewhere a change is kept
//! first, and its run ended after it. A run that ends leaves a receipt; one whose process died, or whose commit was not
//! answered, stays as it is until it is taken up again or marked as interrupted.

mod found;
mod open;
mod plan;
mod rehearse;
mod verify;
mod worker;

pub use open::{Reach, claims, look_ahead};
pub use plan::{Back, Files, Planned, plan};
pub use rehearse::{Unmade, unmake};
pub use verify::{left, verify_files};
pub use worker::AtStore;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use serde::Serialize;

use crate::actions::{self, ByRule, Outcome, Request, Stop};
use crate::bundles::Step;
use crate::bundles::sql::Ready;
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::bundle::{Baseline, Check, RunType};
use crate::rules::bundle_run::{RunOutcome, Tier};
use crate::store::bundle::{self, Known, Piece, Run};
use crate::store::{Failure, Store, StoreError, View, person};

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
    /// The baseline after that the plan saw; of a rollback, what the run left that is taken back.
    pub after: Option<Baseline>,
    /// Whether the plan made the target look otherwise, and not only its rows.
    pub reshapes: bool,
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
    /// A change that is made and waits for its commit; none where everything stays or is gone already.
    pub held: Option<Box<Ready>>,
}

/// What makes changes at a target.
pub trait Worker: Send + Sync {
    /// Makes the change, or takes it back; judges it, and says how it ended.
    fn run(&self, order: &Order) -> impl Future<Output = Result<Ran, StoreError>> + Send;

    /// Tells what the run is at to whoever watches; nobody has to.
    fn tell(&self, step: Step) {
        let _ = step;
    }
}

/// How a change and the end of its run were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// In one transaction.
    Together,
    /// The change first, and the end of its run after it.
    Apart,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Together => "the change and the entry that ends its run are one transaction",
            Self::Apart => "the change was kept first, and its run ended after it",
        })
    }
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
    /// How it was written; nothing where no change waited to be kept.
    pub written: Option<Written>,
}

impl Ended {
    /// Tells whether the run did what it was made for.
    #[must_use]
    pub fn is_success(&self, run_type: RunType) -> bool {
        self.outcome.is_success(run_type)
    }
}

/// Marks the runs of a bundle in a tier as interrupted that were claimed so long ago, have not ended, and are nobody's work
/// now.
pub async fn sweep(
    store: &Store,
    migration_id: &str,
    tier: Tier,
    patience: Duration,
) -> Result<Vec<String>, Stop> {
    let mut view = store.view().await?;
    let left = bundle::running(&mut view, migration_id, tier).await?;
    let now = view.now();
    drop(view);
    let mut swept = Vec::new();
    for run in left {
        if run.claimed_at_utc.plus(patience) > now {
            continue;
        }
        let Some(alone) = store.alone(&run.run_id).await? else {
            continue;
        };
        let ended = interrupt(store, &run.run_id).await;
        alone.let_go().await;
        ended?;
        swept.push(run.run_id);
    }
    Ok(swept)
}

async fn interrupt(store: &Store, run: &str) -> Result<(), Stop> {
    let run = run.to_owned();
    let ended = Request::by_rule(ByRule::InterruptBundleRun { run })?;
    super::done(store, ended).await.map(drop)
}

/// Carries out somebody's claim, and runs what was claimed to its end.
pub async fn run<W: Worker>(store: &Store, worker: &W, claim: Request) -> Result<Ended, Stop> {
    let id = claim.subject().to_owned();
    let sealed = super::done(store, claim).await?;
    let run = claimed(store, &id, sealed.at).await?;
    take_up(store, worker, &run.run_id).await
}

/// Finds the run of a bundle that was claimed at a moment and has not ended.
pub async fn claimed(store: &Store, migration_id: &str, at: Moment) -> Result<Run, Stop> {
    let begun = bundle::runs(&mut store.view().await?, migration_id).await?;
    let mut begun = begun.into_iter();
    let run = begun.rfind(|run| run.outcome == RunOutcome::Running && run.claimed_at_utc == at);
    run.ok_or_else(|| {
        Refusal::new(
            format!("no run of {migration_id} was claimed"),
            "claim-bundle-run or roll-back-bundle claims one",
        )
        .into()
    })
}

/// Runs what was claimed to its end, as its claimant, and alone.
pub async fn take_up<W: Worker>(store: &Store, worker: &W, run_id: &str) -> Result<Ended, Stop> {
    let alone = store.alone(run_id).await?.ok_or_else(|| {
        Refusal::new(
            format!("somebody works on {run_id} now"),
            "`govdeck bundle show BUNDLE` tells when it has ended",
        )
    })?;
    let ended = to_its_end(store, worker, run_id).await;
    alone.let_go().await;
    ended
}

async fn to_its_end<W: Worker>(store: &Store, worker: &W, run_id: &str) -> Result<Ended, Stop> {
    let (run, known, order) = order(store, run_id).await?;
    let mut ran = match worker.run(&order).await {
        Ok(ran) => ran,
        // Nothing was begun: it can be taken up again.
        Err(error) if error.kind == Failure::Busy => return Err(error.into()),
        Err(error) => Ran::failed(error.sentence),
    };
    let keeps = ran.outcome.is_success(run.run_type);
    if let Some(held) = ran.held.take_if(|_| !keeps) {
        held.give_up().await?;
    }
    if ran.outcome == RunOutcome::Interrupted {
        interrupt(store, run_id).await?;
        let ended = bundle::run(&mut store.view().await?, run_id).await?;
        return Ok(Ended {
            run_id: run.run_id,
            migration_id: run.migration_id,
            outcome: ran.outcome,
            detail: ran.detail,
            receipt_sha256: ended.and_then(|run| run.receipt_sha256).unwrap_or_default(),
            written: None,
        });
    }
    let held = ran.held.take();
    let (mut ended, end) = told(store, &run, &known, &order, &ran).await?;
    let joined = match held {
        Some(held) => Some(held.into_tx(store).await?),
        None => None,
    };
    let outcome = match joined {
        Some(Ok(tx)) => {
            ended.written = Some(Written::Together);
            worker.tell(Step::File);
            actions::carry_out_in(tx, end).await
        }
        apart => {
            if let Some(Err(held)) = apart {
                ended.written = Some(Written::Apart);
                worker.tell(Step::Commit);
                // Of a commit that was not answered nobody knows whether the change stayed: the run goes on, until somebody
                // looks.
                held.commit().await?;
            }
            worker.tell(Step::File);
            super::done(store, end).await?;
            return Ok(ended);
        }
    };
    let why = match outcome {
        // Nothing is left of it: it can be taken up again.
        Outcome::Failed(error) if error.kind == Failure::Busy => return Err(error.into()),
        Outcome::Refused(refusal) => refusal.sentence,
        Outcome::Failed(error) => error.sentence,
        outcome => {
            super::written(store, outcome).await?;
            return Ok(ended);
        }
    };
    // What was not sealed took the change back with it, and that is told too.
    ran.outcome = RunOutcome::Failed;
    ran.detail = Some(why);
    let (ended, end) = told(store, &run, &known, &order, &ran).await?;
    super::done(store, end).await?;
    Ok(ended)
}

/// Says how a run ended, and asks for the entry that says so, with its receipt.
async fn told(
    store: &Store,
    run: &Run,
    known: &Known,
    order: &Order,
    ran: &Ran,
) -> Result<(Ended, Request), Stop> {
    let finished = store.view().await?.now();
    let (finding, evidence) = found::found(run, known, order, ran, finished);
    let ended = Ended {
        run_id: run.run_id.clone(),
        migration_id: run.migration_id.clone(),
        outcome: finding.outcome,
        detail: finding.detail.clone(),
        receipt_sha256: crate::canon::Digest::of(&finding.receipt.bytes()).to_string(),
        written: None,
    };
    let end = Request::by_rule(ByRule::FinishBundleRun {
        run: run.run_id.clone(),
        finding: Box::new(finding),
    })?;
    Ok((ended, end.with_prepared(evidence)))
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
    let at_work = person::actor(&mut view).await?;
    if at_work.is_none_or(|actor| actor.person_id != run.claimed_by) {
        return Err(Refusal::new(
            format!("{} claimed {run_id}", run.claimed_by),
            "whoever claimed a run takes it up",
        )
        .into());
    }
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
    let after = match undone {
        Some(undone) => undone.post_sha256.clone(),
        None => planned.map(|plan| plan.post_sha256.clone()),
    };
    let plan = known.plan(tier);
    let seen = (
        plan.map(|it| &it.pre_sha256),
        plan.map(|it| &it.post_sha256),
    );
    let shape = |seen: Option<Baseline>| seen.map(|it| it.schema_fingerprint);
    let reshapes = shape(baseline(&mut view, seen.0.cloned()).await?)
        != shape(baseline(&mut view, seen.1.cloned()).await?);
    let order = Order {
        run_id: run.run_id.clone(),
        migration_id: run.migration_id.clone(),
        run_type: run.run_type,
        tier,
        files: bundle::pieces(&mut view, &known.bundle).await?,
        before: baseline(&mut view, before).await?,
        after: baseline(&mut view, after).await?,
        reshapes,
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

/// Returns what a claim of a bundle's run asks: where, and what the target looks like now.
pub async fn asked(
    worker: &AtStore,
    migration_id: &str,
    tier: Tier,
) -> Result<crate::actions::Asked, Stop> {
    let fingerprint = worker.baseline().await?.schema_fingerprint;
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

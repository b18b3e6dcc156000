//! What pipelines, rules and people of a story do to its database.

use std::path::Path;

use crate::actions::{self, Asked, ByRule, Outcome, Request, Stop};
use crate::clock::Moment;
use crate::jobs::bundle::{self, Order, Ran, Worker};
use crate::jobs::{self, bind, probe, reconcile, replay, scan};
use crate::rules::block::SnapshotStatus;
use crate::rules::bundle::{Check, CheckStatus};
use crate::rules::bundle_run::RunOutcome;
use crate::rules::guard::Answer;
use crate::rules::migration::Phase;
use crate::rules::migration::hour::{Step, StepState};
use crate::rules::permission::CLAIM_BUNDLE_RUN;
use crate::rules::week::RunKind;
use crate::store::{Store, StoreError, dictionary, leaf, migration, publish};

use super::beat::{Run, When};
use super::chapters::papers::{ANNEX, LANDED};
use super::files::{self, REPLAY};

/// How many open blocks are enough: a demo that is left alone all night stays readable.
const ENOUGH_OPEN: i64 = 40;

/// After how many minutes somebody sees to what waits for them.
const SOON: i64 = 1;

/// How many minutes a comparison may take.
const COMPARES: i64 = 15;

/// Lets a person act in their own name.
pub(super) async fn act(
    store: &Store,
    verb: &str,
    asked: Asked,
    reason: &str,
) -> Result<(), StoreError> {
    let outcome = match confirmed(store, verb, asked, reason).await {
        Ok(request) => settled(actions::carry_out(store, request).await),
        Err(stop) => Err(stop),
    };
    unless_refused(outcome)
}

/// Lets a person confirm what they propose.
pub(super) async fn confirmed(
    store: &Store,
    verb: &str,
    asked: Asked,
    reason: &str,
) -> Result<Request, Stop> {
    let proposal = actions::propose(&mut store.view().await?, verb, asked).await?;
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some(reason.to_owned()),
    };
    proposal.confirm(&answer)
}

/// What changes a store that the story only tells of: every run of it ends as the story says.
struct Told {
    ends: RunOutcome,
}

impl Worker for Told {
    async fn run(&self, order: &Order) -> Result<Ran, StoreError> {
        let went_too_far = self.ends == RunOutcome::Refused;
        let status = if went_too_far {
            CheckStatus::Fail
        } else {
            CheckStatus::Pass
        };
        let found = "scope_violation: the script touched public.customers, which is not in scope";
        Ok(Ran {
            outcome: self.ends,
            pre: order.before.clone(),
            post: order.after.clone(),
            checks: vec![Check {
                name: "scope_enforcement".to_owned(),
                status,
                detail: went_too_far.then(|| found.to_owned()),
            }],
            detail: went_too_far.then(|| found.to_owned()),
            ..Ran::failed("")
        })
    }
}

/// Lets a person claim the run of a bundle, and ends it as the story says.
pub(super) async fn run_bundle(
    store: &Store,
    asked: Asked,
    ends: RunOutcome,
    reason: &str,
) -> Result<(), StoreError> {
    let ended = match confirmed(store, CLAIM_BUNDLE_RUN.verb, asked, reason).await {
        Ok(request) => bundle::run(store, &Told { ends }, request).await.map(drop),
        Err(stop) => Err(stop),
    };
    unless_refused(ended)
}

/// Mints a run as a pipeline does; while enough blocks are open, nothing is wrong with it.
pub(super) async fn mint(store: &Store, mut run: Run, now: Moment) -> Result<(), StoreError> {
    let mut view = store.view().await?;
    if publish::snapshot(&mut view, &run.id).await?.is_some() {
        return Ok(());
    }
    if publish::counts(&mut view).await?.open >= ENOUGH_OPEN {
        run.flaw = None;
    }
    let footer = publish::footer_schema(&mut view).await?;
    drop(view);
    let footer = footer.map(|footer| footer.current_semver);
    let (hashes, leaves) = run.export().hashed();
    leaf::mint(store, &run.minted(footer, hashes, now), &leaves).await?;
    Ok(())
}

/// Lets the gate decide a run that waits.
pub(super) async fn decide(store: &Store, run: &str) -> Result<(), StoreError> {
    let found = publish::snapshot(&mut store.view().await?, run).await?;
    if found.is_none_or(|run| run.status != SnapshotStatus::PendingGate) {
        return Ok(());
    }
    let drift = actions::explained(store, run).await?;
    let decided = match Request::by_rule(ByRule::DecideRun {
        run: run.to_owned(),
    }) {
        Ok(request) => settled(actions::carry_out(store, request.with_prepared(drift)).await),
        Err(stop) => Err(stop),
    };
    unless_refused(decided)
}

/// Compares both sides that a manifest names.
pub(super) async fn compare(store: &Store, manifest: &str) -> Result<(), StoreError> {
    let order = reconcile::Order {
        kind: RunKind::Scheduled,
        minutes: COMPARES,
    };
    // Its sides are queries: no file is looked for.
    let root = std::path::Path::new("/nonexistent");
    let ended = reconcile::run(store, root, manifest.as_bytes().to_vec(), order).await;
    unless_refused(ended.map(drop))
}

/// Lets a rule decide.
pub(super) async fn by_rule(store: &Store, rule: ByRule) -> Result<(), StoreError> {
    let decided = match Request::by_rule(rule) {
        Ok(request) => settled(actions::carry_out(store, request).await),
        Err(stop) => Err(stop),
    };
    unless_refused(decided)
}

/// Runs the joins of the newest release, unless that was done.
pub(super) async fn prove(store: &Store) -> Result<(), StoreError> {
    let mut view = store.view().await?;
    let newest = dictionary::newest(&mut view).await?;
    let Some(newest) = newest.map(|release| release.dictionary_semver) else {
        return Ok(());
    };
    if dictionary::proof_of(&mut view, &newest).await?.is_some() {
        return Ok(());
    }
    drop(view);
    unless_refused(bind::run(store, None, Some(&newest)).await.map(drop))
}

/// Compares both halves of every pair, where they are both written.
pub(super) async fn look(store: &Store) -> Result<(), StoreError> {
    unless_refused(scan::run(store, scan::ROWS_AT_ONCE).await.map(drop))
}

/// Looks anew at everything that gates rest on.
pub(super) async fn probe(store: &Store, root: &Path) -> Result<(), StoreError> {
    unless_refused(bind::run(store, None, None).await.map(drop))?;
    unless_refused(probe::questions(store).await.map(drop))?;
    unless_refused(probe::protected(store).await.map(drop))?;
    let manifest = files::read(root, REPLAY)?;
    unless_refused(replay::run(store, root, &manifest).await.map(drop))
}

/// Holds the keys of what landed against the allow-list of the phase.
pub(super) async fn fingerprint(store: &Store, root: &Path) -> Result<(), StoreError> {
    unless_refused(jobs::fingerprint::run(store, root, LANDED).await.map(drop))
}

/// Lets exporters land the modern half alone, once that is what they write, and looks at its keys.
pub(super) async fn exported(store: &Store, root: &Path, text: &str) -> Result<(), StoreError> {
    let mut view = store.view().await?;
    let newest = migration::newest_open(&mut view).await?;
    if newest.is_none_or(|it| it.phase != Phase::Cutover) {
        return Ok(());
    }
    let hour = migration::running_hour(&mut view).await?;
    let deployed = hour.as_ref().and_then(|hour| hour.step(Step::Flip));
    let waits = deployed.is_some_and(|step| !step.state.lets_go_on());
    drop(view);
    if waits || files::read(root, ANNEX)? == text.as_bytes() {
        return Ok(());
    }
    files::land(root, ANNEX, text)?;
    fingerprint(store, root).await
}

/// Tells whether a deed is still called for.
pub(super) async fn is_called_for(store: &Store, when: &When) -> Result<bool, StoreError> {
    Ok(match when {
        When::Always => true,
        When::Untaken(run) => publish::audit(&mut store.view().await?, run)
            .await?
            .is_some_and(|block| block.taken_by.is_none()),
        When::Compared => {
            let mut view = store.view().await?;
            let hour = migration::running_hour(&mut view).await?;
            let compared = hour.as_ref().and_then(|hour| hour.step(Step::Reconcile));
            let closes = hour.as_ref().and_then(|hour| hour.step(Step::Complete));
            closes.is_some_and(|step| step.state == StepState::NotStarted)
                && compared
                    .and_then(|step| step.ended_at_utc.filter(|_| step.state.lets_go_on()))
                    .is_some_and(|at| at.plus_minutes(SOON) <= view.now())
        }
        When::TakenBack => {
            let mut view = store.view().await?;
            let waiting = migration::uncountersigned(&mut view).await?;
            let soon = |at: Moment| at.plus_minutes(SOON) <= view.now();
            waiting
                .first()
                .is_some_and(|back| soon(back.happened_at_utc))
        }
    })
}

/// Tells an outcome that is done from one that is not.
pub(super) fn settled(outcome: Outcome) -> Result<(), Stop> {
    match outcome {
        Outcome::Done(_) => Ok(()),
        Outcome::Refused(refusal) => Err(Stop::Refused(refusal)),
        Outcome::Failed(error) | Outcome::Unknown { cause: error, .. } => Err(Stop::Store(error)),
    }
}

/// Lets a rule's no be: in a story, somebody else may simply have been faster.
pub(super) fn unless_refused(outcome: Result<(), Stop>) -> Result<(), StoreError> {
    match outcome {
        Ok(()) => Ok(()),
        Err(Stop::Store(error)) => Err(error),
        Err(Stop::Refused(refusal) | Stop::BadInput(refusal)) => {
            tracing::debug!(%refusal, "not in this story");
            Ok(())
        }
    }
}

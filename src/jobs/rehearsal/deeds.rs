//! What is done on the fork: the deeds of each step, each broken first where that is asked for, and the way back.

use std::path::Path;
use std::time::Instant;

use super::{Faults, Reach, known};
use crate::actions::{ByRule, Request, Stop};
use crate::jobs::bundle;
use crate::jobs::hour::{self, Commands, Job, Work};
use crate::rules::Verdict;
use crate::rules::bundle_run::RunOutcome;
use crate::rules::migration::hour::{CutoverPlan, Outside, Step, StepState};
use crate::rules::migration::{
    Deed, DeedState, Fault, ForkKind, FoundGate, Move, Phase, Receipt, Rehearsed, Struck,
    TakenBack, reports,
};
use crate::store::fork::Fork;
use crate::store::migration::{self, Known};
use crate::store::{Failure, Store};

/// How often the work under a fault goes on before its connection is closed.
const CLOSED_AFTER: usize = 8;

/// What every step does that a rehearsal has to do, in order.
const DEEDS: &[(Step, Deed)] = &[
    (Step::Announce, Deed::Outside),
    (Step::Golden, Deed::Freeze),
    (Step::Flip, Deed::Replay),
    (Step::Flip, Deed::Phase),
    (Step::Flip, Deed::Outside),
    (Step::Purge, Deed::Outside),
    (Step::Reconcile, Deed::Compare),
    (Step::Complete, Deed::SignOff),
    (Step::Complete, Deed::Phase),
    (Step::Note, Deed::Write),
];

/// Where an hour is rehearsed, and how.
pub(super) struct Bench<'a> {
    pub(super) fork: &'a Fork,
    pub(super) reach: &'a Reach,
    pub(super) folder: &'a Path,
    /// Whether bundles change the database that was forked.
    pub(super) has_bundles: bool,
    pub(super) id: &'a str,
    pub(super) faults: Faults,
    pub(super) kind: ForkKind,
}

/// How a deed ended, in one line.
type Ended = (DeedState, String);

impl Bench<'_> {
    /// Does everything, and takes it back.
    pub(super) async fn rehearse(&self) -> Result<Receipt, Stop> {
        let store = self.fork.open().await?;
        let now = store.view().await?.now();
        let known = known(&store, self.id).await?;
        let Some(plan) = known.plan.as_ref().map(|plan| &plan.document) else {
            let gone =
                crate::rules::Refusal::new("the plan of the hour is gone", "register it again");
            return Err(gone.into());
        };
        let gates = known.decide(now, |facts| {
            let reports = reports(facts, Phase::Cutover).into_iter();
            let found = reports.map(|report| {
                let condition = report.condition();
                FoundGate {
                    gate: report.gate,
                    verdict: report.verdict,
                    said: condition.evidence,
                }
            });
            found.collect()
        });
        let expansion = migration::expanded(&mut store.view().await?).await?;
        let deeds = self.forth(&store, plan).await?;
        let moved_back = self.phase_back(&store).await?;
        let taken_back = self.back(&store, plan).await?;
        let receipt = Receipt {
            schema: String::new(),
            migration_id: self.id.to_owned(),
            plan_hash: known.inputs.plan.clone(),
            fork: self.kind,
            with_faults: self.faults == Faults::Injected,
            deeds,
            gates,
            moved_back,
            expansion: expansion.map(|it| it.bundle.migration_id),
            taken_back,
            verdict: Verdict::CannotTell,
        };
        store.close().await;
        Ok(receipt.judged())
    }

    async fn forth(&self, store: &Store, plan: &CutoverPlan) -> Result<Vec<Rehearsed>, Stop> {
        let mut deeds: Vec<Rehearsed> = Vec::new();
        for (step, deed) in DEEDS.iter().copied() {
            let failed = deeds.iter().find(|it| it.state == DeedState::Failed);
            let why_not = match failed.and_then(|it| it.step) {
                Some(before) => Some(format!("{before} failed before it")),
                None => self.why_not(step, deed, plan),
            };
            deeds.push(match why_not {
                Some(why) => Rehearsed::not(step, deed, why),
                None => self.done(store, plan, step, deed).await?,
            });
        }
        Ok(deeds)
    }

    /// Says why something is not rehearsed: people do it, or no command stands for it.
    fn why_not(&self, step: Step, deed: Deed, plan: &CutoverPlan) -> Option<String> {
        match deed {
            Deed::SignOff => Some("another person signs off in the hour".to_owned()),
            Deed::Write => Some("a person writes the note in the hour".to_owned()),
            Deed::Outside => match plan.outside(step)? {
                Outside::Attest { attest } => Some(format!("a person sees to it: {attest}")),
                Outside::Command { command, .. } => {
                    let stands = self.reach.commands.find(command).is_some();
                    (!stands).then(|| {
                        format!("no command stands for {command}: add it to rehearsal_commands")
                    })
                }
            },
            _ => None,
        }
    }

    /// Does a deed; broken first, where that is asked for.
    async fn done(
        &self,
        store: &Store,
        plan: &CutoverPlan,
        step: Step,
        deed: Deed,
    ) -> Result<Rehearsed, Stop> {
        let mut begun = Instant::now();
        let mut fault = None;
        let mut ended = None;
        if self.faults == Faults::Injected {
            let (struck, then) = self.struck(store, plan, step, deed).await?;
            fault = Some(struck);
            ended = then;
        }
        let (state, detail) = if let Some(ended) = ended {
            ended
        } else {
            begun = Instant::now();
            let commands = &self.reach.commands;
            said(self.work(store, commands, plan, step, deed).await)?
        };
        Ok(Rehearsed {
            step: Some(step),
            deed,
            state,
            detail,
            milliseconds: since(begun),
            fault,
        })
    }

    /// Does a deed with something broken under it; how it ended comes along where the fault came too late.
    async fn struck(
        &self,
        store: &Store,
        plan: &CutoverPlan,
        step: Step,
        deed: Deed,
    ) -> Result<(Fault, Option<Ended>), Stop> {
        let (injected, ended) = if deed == Deed::Outside {
            let name = match plan.outside(step) {
                Some(Outside::Command { command, .. }) => &**command,
                _ => "-",
            };
            let fails = Commands(vec![format!("{name}=false")]);
            let ended = self.work(store, &fails, plan, step, deed).await;
            ("its command was replaced by one that fails", ended)
        } else {
            let broken = self.fork.open().await?;
            let closes = async {
                for _ in 0..CLOSED_AFTER {
                    tokio::task::yield_now().await;
                }
                broken.close().await;
            };
            let commands = &self.reach.commands;
            let work = self.work(&broken, commands, plan, step, deed);
            let (ended, ()) = tokio::join!(work, closes);
            ("the store that it works on was closed under it", ended)
        };
        let (then, said, ended) = match ended {
            Err(why) => (Struck::Failed, why.to_string(), None),
            Ok((DeedState::Failed, why)) => (Struck::Failed, why, None),
            Ok((state, why)) => (Struck::EndedBefore, why.clone(), Some((state, why))),
        };
        let fault = Fault {
            injected: injected.to_owned(),
            then,
            said,
        };
        Ok((fault, ended))
    }

    async fn work(
        &self,
        store: &Store,
        commands: &Commands,
        plan: &CutoverPlan,
        step: Step,
        deed: Deed,
    ) -> Result<Ended, Stop> {
        let known: Known = known(store, self.id).await?;
        let reach = hour::Reach {
            root: self.reach.root.clone(),
            commands: commands.clone(),
        };
        let job = Job {
            store,
            reach: &reach,
            frozen_below: self.folder,
            known: &known,
            plan,
            attempt: 1,
        };
        let work = match (deed, plan.outside(step)) {
            (Deed::Outside, Some(outside)) => job.outside(step, outside).await?,
            (Deed::Freeze, _) => Work::Ends(job.freeze().await?),
            (Deed::Replay, _) => job.replay_again().await?,
            (Deed::Compare, _) => Work::Ends(job.reconcile().await?),
            (Deed::Phase, _) => {
                let to = if step == Step::Complete {
                    Move::Close
                } else {
                    Move::Cutover
                };
                return self.moved(store, to).await;
            }
            _ => return Ok((DeedState::NotRehearsed, "people do it".to_owned())),
        };
        Ok(match work {
            // What waits for a person's flip in the hour goes on here.
            Work::Waits(detail, _) => (DeedState::Done, detail),
            Work::Ends(found) => {
                let state = match found.state {
                    StepState::Done => DeedState::Done,
                    StepState::DoneWithWarning => DeedState::DoneWithWarning,
                    _ => DeedState::Failed,
                };
                (state, found.detail)
            }
        })
    }

    async fn moved(&self, store: &Store, to: Move) -> Result<Ended, Stop> {
        let request = Request::by_rule(ByRule::RehearseMove {
            migration: self.id.to_owned(),
            to,
        })?;
        crate::jobs::done(store, request).await?;
        Ok((DeedState::Done, format!("moved: {to}")))
    }

    async fn phase_back(&self, store: &Store) -> Result<Rehearsed, Stop> {
        let begun = Instant::now();
        let (state, detail) = said(self.moved(store, Move::Rollback).await)?;
        Ok(Rehearsed {
            step: None,
            deed: Deed::Phase,
            state,
            detail,
            milliseconds: since(begun),
            fault: None,
        })
    }

    /// Takes the bundles back, the newest first; after one that did not lead back, no other is tried.
    async fn back(&self, store: &Store, plan: &CutoverPlan) -> Result<Vec<TakenBack>, Stop> {
        let mut all: Vec<TakenBack> = Vec::new();
        for id in plan.bundles.iter().rev() {
            let failed = all.iter().find(|it| it.state == DeedState::Failed);
            let why_not = match failed {
                Some(later) => Some(format!("{} did not lead back", later.bundle)),
                None => (!self.has_bundles).then(|| {
                    "`bundle_dsn` names another database than the one that was forked".to_owned()
                }),
            };
            all.push(self.taken_back(store, id, why_not).await?);
        }
        Ok(all)
    }

    async fn taken_back(
        &self,
        store: &Store,
        id: &str,
        why_not: Option<String>,
    ) -> Result<TakenBack, Stop> {
        let begun = Instant::now();
        let mut back = TakenBack {
            bundle: id.to_owned(),
            state: DeedState::NotRehearsed,
            detail: String::new(),
            before: None,
            after: None,
            milliseconds: 0,
            fault: None,
        };
        if let Some(why) = why_not {
            back.detail = why;
            return Ok(back);
        }
        let gives_up = self.faults == Faults::Injected;
        match bundle::unmake(store, id, self.fork.dsn(), gives_up).await {
            Ok(unmade) => {
                back.state = match unmade.outcome {
                    None => DeedState::NotRehearsed,
                    Some(RunOutcome::RolledBack) => DeedState::Done,
                    Some(_) => DeedState::Failed,
                };
                back.detail = unmade.detail;
                (back.before, back.after) = (unmade.before, unmade.after);
                back.fault = unmade.was_given_up.then(|| Fault {
                    injected: "it was given up just before its commit".to_owned(),
                    then: Struck::Failed,
                    said: "nothing of it stayed".to_owned(),
                });
            }
            Err(stop) => (back.state, back.detail) = said(Err(stop))?,
        }
        back.milliseconds = since(begun);
        Ok(back)
    }
}

/// Takes what was refused or broke for a deed that failed; of a database that is gone nothing can be told.
fn said(ended: Result<Ended, Stop>) -> Result<Ended, Stop> {
    match ended {
        Err(Stop::Store(error)) if error.kind == Failure::Unreachable => Err(error.into()),
        Err(stop) => Ok((DeedState::Failed, stop.to_string())),
        ended => ended,
    }
}

fn since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

//! The work of a step of a cutover's hour: done here, with nothing held open, after the step was begun, and ended by rule.
//!
//! Whatever becomes of this process, the step stays begun: beginning it again voids what was under way, and does the work
//! anew. Doing it twice does no harm.

mod golden;
mod outside;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

pub use outside::Commands;

use super::{below_root, reconcile, replay};
use crate::actions::{ByRule, Prepared, Request, StepFinding, Stop};
use crate::rules::migration::hour::{CutoverPlan, Outside, Step, StepState};
use crate::rules::migration::{Phase, no_such_migration};
use crate::rules::text::shorten;
use crate::rules::week::{RunKind, RunStatus};
use crate::rules::{Refusal, Verdict};
use crate::store::artifact::CUTOVER_STEP;
use crate::store::migration::{self, Known, KnownHour};
use crate::store::tables::image_of;
use crate::store::{Failure, Store, StoreError};

/// How long the line about a step may be; the document has all of it.
const MOST_DETAIL: usize = 400;
/// The largest manifest that is read.
const MOST_MANIFEST: u64 = 1024 * 1024;
/// How many minutes a run of the hour claims its window.
const CLAIM: i64 = 15;

/// What the settings say of the world that steps reach into.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The governance root.
    pub root: PathBuf,
    /// What may be run.
    pub commands: Commands,
}

/// How far the work of a step has come.
#[derive(Debug, Clone, Serialize)]
pub struct Performed {
    /// The migration.
    pub migration_id: String,
    /// The step.
    pub step: Step,
    /// Which attempt at it.
    pub attempt: i64,
    /// How far the step is.
    pub state: StepState,
    /// What was found, in one line.
    pub detail: String,
    /// What a person does next; none where the step has ended.
    pub then: Option<String>,
    /// The document, hashed.
    pub evidence_sha256: Option<String>,
}

/// What the work of a step comes to.
pub(in crate::jobs) enum Work {
    /// It ends the step.
    Ends(Found),
    /// A person goes on.
    Waits(String, String),
}

/// What work has found.
pub(in crate::jobs) struct Found {
    pub(in crate::jobs) state: StepState,
    pub(in crate::jobs) detail: String,
    document: Value,
    files: Vec<Prepared>,
}

impl Found {
    fn failed(detail: impl Into<String>, document: Value) -> Self {
        Self {
            state: StepState::Failed,
            detail: detail.into(),
            document,
            files: Vec::new(),
        }
    }
}

/// Does the work of the step that is begun, alone, and ends it with what was found.
pub async fn perform(store: &Store, reach: &Reach, id: &str) -> Result<Performed, Stop> {
    let what = begun(store, id).await?.name();
    let busy = || {
        Refusal::new(
            format!("somebody is at work on {what} now"),
            "wait for its end, or end that process and begin the step again",
        )
    };
    let alone = store.alone(&what).await?.ok_or_else(busy)?;
    let performed = perform_alone(store, reach, id, &what).await;
    alone.let_go().await;
    performed
}

/// A step that is begun and has not ended.
struct Begun {
    known: Known,
    hour: KnownHour,
    step: Step,
    attempt: i64,
}

impl Begun {
    fn name(&self) -> String {
        let (banner, step, attempt) = (self.hour.banner_id(), self.step, self.attempt);
        format!("{banner} {step}, attempt {attempt}")
    }
}

async fn begun(store: &Store, id: &str) -> Result<Begun, Stop> {
    let known = migration::known(&mut store.view().await?, id).await?;
    let known = known.ok_or_else(|| no_such_migration(id))?;
    let hour = known.running_hour().cloned();
    let hour = hour.ok_or_else(|| nothing(id, "no hour runs"))?;
    let running = hour.steps.iter().find(|it| it.state == StepState::Running);
    let row = running.ok_or_else(|| nothing(id, "no step is begun"))?;
    let (step, attempt) = (row.step, row.attempt);
    Ok(Begun {
        known,
        hour,
        step,
        attempt,
    })
}

async fn perform_alone(
    store: &Store,
    reach: &Reach,
    id: &str,
    what: &str,
) -> Result<Performed, Stop> {
    // It may have ended before the way was free.
    let begun = begun(store, id).await?;
    if begun.name() != what {
        return Err(nothing(id, "the step has ended meanwhile").into());
    }
    let plan = begun.known.plan.as_ref();
    let plan = plan.ok_or_else(|| nothing(id, "its hour has no plan"))?;
    let (step, attempt) = (begun.step, begun.attempt);
    let job = Job {
        store,
        reach,
        frozen_below: &reach.root,
        known: &begun.known,
        plan: &plan.document,
        attempt,
    };
    let (state, detail, then) = match job.work(step).await? {
        // The hour has ended with it.
        Work::Ends(found) if found.state == StepState::Aborted => (found.state, found.detail, None),
        Work::Ends(found) => return job.end(&begun.hour, step, found).await,
        Work::Waits(detail, then) => (StepState::Running, detail, Some(then)),
    };
    Ok(Performed {
        migration_id: id.to_owned(),
        step,
        attempt,
        state,
        detail,
        then,
        evidence_sha256: None,
    })
}

fn nothing(id: &str, what: &str) -> Refusal {
    Refusal::new(
        format!("{id}: {what}"),
        "govdeck hour show says what comes now",
    )
}

/// The work of steps at a store: that of the hour, or the fork of a rehearsal.
pub(in crate::jobs) struct Job<'a> {
    pub(in crate::jobs) store: &'a Store,
    pub(in crate::jobs) reach: &'a Reach,
    /// Below which folder exports are frozen.
    pub(in crate::jobs) frozen_below: &'a Path,
    pub(in crate::jobs) known: &'a Known,
    pub(in crate::jobs) plan: &'a CutoverPlan,
    pub(in crate::jobs) attempt: i64,
}

impl Job<'_> {
    fn id(&self) -> &str {
        &self.known.migration.migration_id
    }

    async fn work(&self, step: Step) -> Result<Work, Stop> {
        match step {
            Step::Announce => self.outside(step, &self.plan.announce).await,
            Step::Purge => self.outside(step, &self.plan.purge).await,
            Step::Golden => self.freeze().await.map(Work::Ends),
            Step::Flip if self.known.migration.phase == Phase::Cutover => {
                self.outside(step, &self.plan.deploy).await
            }
            Step::Flip => self.replay_again().await,
            Step::Reconcile => self.reconcile().await.map(Work::Ends),
            Step::Complete | Step::Note => {
                Err(nothing(self.id(), "a person's deed ends this step").into())
            }
        }
    }

    /// Freezes what both pipelines export.
    pub(in crate::jobs) async fn freeze(&self) -> Result<Found, Stop> {
        let (from, to) = (&*self.reach.root, self.frozen_below);
        golden::freeze(self.store, (from, to), self.id(), self.plan).await
    }

    /// Does what happens outside of govdeck, where a command does it.
    pub(in crate::jobs) async fn outside(
        &self,
        step: Step,
        outside: &Outside,
    ) -> Result<Work, Stop> {
        match outside {
            Outside::Attest { attest } => Ok(Work::Waits(
                format!("a person sees to it: {attest}"),
                format!(
                    "govdeck act attest-step {} --step {step} --as done",
                    self.id()
                ),
            )),
            Outside::Command { command, minutes } => {
                let order = outside::Order {
                    migration: &self.known.migration,
                    step,
                    attempt: self.attempt,
                    name: command,
                    minutes: *minutes,
                };
                Ok(Work::Ends(outside::run(&self.reach.commands, &order).await))
            }
        }
    }

    /// Replays what is frozen; a replay that is green waits for a person's flip.
    pub(in crate::jobs) async fn replay_again(&self) -> Result<Work, Stop> {
        let manifest = match self.manifest(&self.plan.replay) {
            Ok(manifest) => manifest,
            Err(why) => return Ok(Work::Ends(Found::failed(why, json!({})))),
        };
        let replayed = match replay::run(self.store, &self.reach.root, &manifest).await {
            Ok(replayed) => replayed,
            Err(Stop::BadInput(refusal) | Stop::Refused(refusal)) => {
                let found = Found::failed(refusal.sentence, json!({"manifest": self.plan.replay}));
                return Ok(Work::Ends(found));
            }
            Err(stop) => return Err(stop),
        };
        let probed = &replayed.probed.probed;
        if probed.verdict != Verdict::Pass {
            let document = json!({"replay": replayed});
            let detail = format!("the replay is not green: {}", probed.detail);
            return Ok(Work::Ends(Found::failed(detail, document)));
        }
        let then = match &self.plan.deploy {
            Outside::Command { .. } => format!(
                "govdeck act cutover {0}, then begin the step again, which deploys the exporters' profile: \
                 govdeck hour begin flip {0}",
                self.id()
            ),
            Outside::Attest { attest } => format!(
                "govdeck act cutover {0}, then see to it ({attest}), and say so: \
                 govdeck act attest-step {0} --step flip --as done",
                self.id()
            ),
        };
        Ok(Work::Waits(format!("replayed: {}", probed.detail), then))
    }

    /// Compares every series now.
    pub(in crate::jobs) async fn reconcile(&self) -> Result<Found, Stop> {
        let mut runs = Vec::new();
        let mut open = Vec::new();
        for path in &self.plan.reconcile {
            let ended = match self.manifest(path) {
                Ok(manifest) => {
                    let order = reconcile::Order {
                        kind: RunKind::Immediate,
                        minutes: CLAIM,
                    };
                    reconcile::run(self.store, &self.reach.root, manifest, order).await
                }
                Err(why) => Err(Stop::Refused(Refusal::new(why, "look at the plan"))),
            };
            match ended {
                Ok(ended) => {
                    let fired = ended.triggered.iter();
                    let mut fired = fired.filter(|it| it.fires() && it.migration_id == self.id());
                    if let Some(fired) = fired.next() {
                        return Ok(Found {
                            state: StepState::Aborted,
                            detail: format!("taken back by rule: {}", fired.trigger.said()),
                            document: json!({}),
                            files: Vec::new(),
                        });
                    }
                    if ended.status != RunStatus::Pass {
                        open.push(format!("{} {}", ended.job_run_id, ended.status));
                    }
                    runs.push(json!({"manifest": path, "run": ended}));
                }
                Err(Stop::Store(error)) if error.kind == Failure::Unreachable => {
                    return Err(error.into());
                }
                Err(stop) => {
                    open.push(format!("{path}: {stop}"));
                    runs.push(json!({"manifest": path, "refused": stop.to_string()}));
                }
            }
        }
        let after = migration::aftermath(&mut self.store.view().await?, self.known).await?;
        let missed = after.open_series.iter();
        open.extend(missed.map(|series| format!("{series} has not passed since the flip")));
        let document = json!({"runs": runs, "passed": after.passed_runs});
        if after.series == 0 || !open.is_empty() {
            let detail = match open.as_slice() {
                [] => "no series is compared".to_owned(),
                open => open.join("; "),
            };
            return Ok(Found::failed(detail, document));
        }
        Ok(Found {
            state: StepState::Done,
            detail: format!("every series passed: {}", after.passed_runs.join(", ")),
            document,
            files: Vec::new(),
        })
    }

    fn manifest(&self, path: &str) -> Result<Vec<u8>, String> {
        below_root::read(&self.reach.root, path, MOST_MANIFEST)
    }

    async fn end(&self, hour: &KnownHour, step: Step, found: Found) -> Result<Performed, Stop> {
        let document = json!({
            "schema": "govdeck.cutover-step.v1",
            "migration_id": self.id(),
            "hour_no": hour.hour.hour_no,
            "step": step.word(),
            "attempt": self.attempt,
            "state": found.state.word(),
            "detail": found.detail,
            "found": found.document,
        });
        let mut pieces = vec![Prepared::of(CUTOVER_STEP, image_of(&document)?)];
        let evidence_sha256 = pieces[0].artifact.sha256.to_string();
        pieces.extend(found.files);
        let detail = shorten(&found.detail, MOST_DETAIL).into_owned();
        let request = Request::by_rule(ByRule::EndStep {
            migration: self.id().to_owned(),
            finding: StepFinding {
                step,
                attempt: self.attempt,
                state: found.state,
                detail: detail.clone(),
            },
        })?;
        super::done(self.store, request.with_prepared(pieces)).await?;
        Ok(Performed {
            migration_id: self.id().to_owned(),
            step,
            attempt: self.attempt,
            state: found.state,
            detail,
            then: None,
            evidence_sha256: Some(evidence_sha256),
        })
    }
}

/// Ends the process of a thread that work was given to.
fn ended_early() -> StoreError {
    StoreError::new(
        Failure::Other,
        "the work of the step ended early",
        "begin the step again",
    )
}

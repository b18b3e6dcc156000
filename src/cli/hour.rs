//! `govdeck hour`: the hour of a cutover, step by step, from any terminal.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::act::Act;
use super::key::Answered;
use super::migration::{one, read};
use super::page::{Exit, Failure, Page};
use super::sign::Pen;
use super::signals::stopped;
use crate::actions::Asked;
use crate::clock::Moment;
use crate::jobs::hour::{self as job, Commands, Performed, Reach};
use crate::rules::migration::Phase;
use crate::rules::migration::hour::{HourStatus, Step, StepState};
use crate::rules::{Refusal, permission, time};
use crate::settings::Settings;
use crate::store::migration::{HourStep, Known, KnownHour};
use crate::store::{Access, Store, person};

/// What to do with the hour of a cutover.
#[derive(Debug, Subcommand)]
pub(super) enum Hours {
    /// Register the plan of the hour: what is frozen, what is run, and what people see to.
    Plan {
        /// The migration.
        id: String,
        /// The file with the plan.
        file: PathBuf,
        #[command(flatten)]
        answer: Answered,
    },
    /// Begin the step that comes now and do its work; whatever became of an attempt before, it is done anew.
    Begin {
        /// The step.
        #[arg(value_parser = clap::builder::ValueParser::new(step))]
        step: Step,
        /// The migration; the one under way when left out.
        id: Option<String>,
        #[command(flatten)]
        answer: Answered,
    },
    /// Do the work of the step that is begun, where beginning it did not: it was signed elsewhere, or begun with `act`.
    Work {
        /// The migration; the one under way when left out.
        id: Option<String>,
    },
    /// Show how far the hour is: its clock, its steps, and what comes now.
    Show {
        /// The migration; the one under way when left out.
        id: Option<String>,
    },
}

fn step(word: &str) -> Result<Step, String> {
    word.parse().map_err(|refusal| format!("{refusal}"))
}

impl Hours {
    pub(super) fn access(&self) -> Access {
        match self {
            Self::Plan { answer, .. } | Self::Begin { answer, .. } => answer.access(),
            Self::Work { .. } => Access::Write,
            Self::Show { .. } => Access::Read,
        }
    }

    pub(super) async fn run(
        self,
        store: &Store,
        settings: &Settings,
        pen: &Pen,
    ) -> Result<Page, Failure> {
        match self {
            Self::Plan { id, file, answer } => {
                let act = Act {
                    verb: permission::REGISTER_HOUR_PLAN.verb,
                    asked: Asked::of(id).with("document", read(&file)?),
                    go: answer.go(),
                };
                act.run(store, pen).await
            }
            Self::Begin { step, id, answer } => {
                let known = one(&mut store.view().await?, id).await?;
                let id = known.migration.migration_id;
                let confirms = answer.access() == Access::Write;
                let act = Act {
                    verb: permission::BEGIN_STEP.verb,
                    asked: Asked::of(id.clone()).with("step", step.word()),
                    go: answer.go(),
                };
                let page = act.run(store, pen).await?;
                if !confirms {
                    return Ok(page);
                }
                worked(store, settings, &id).await
            }
            Self::Work { id } => {
                let mut view = store.view().await?;
                let known = one(&mut view, id).await?;
                let by = person::actor(&mut view).await?.map(|it| it.person_id);
                drop(view);
                let id = known.migration.migration_id.as_str();
                if let Some(hour) = known.running_hour()
                    && by.as_ref() != Some(&hour.hour.lead_id)
                {
                    let lead = &hour.hour.lead_id;
                    let said = format!("{lead} leads the hour of {id}, and does its steps");
                    let hint = "take it over first: govdeck act hand-over-hour";
                    return Err(Refusal::new(said, hint).into());
                }
                worked(store, settings, id).await
            }
            Self::Show { id } => {
                let mut view = store.view().await?;
                let known = one(&mut view, id).await?;
                Ok(shown(&known, view.now()))
            }
        }
    }
}

/// Does the work of the step that is begun, until it ends or somebody stops it here.
async fn worked(store: &Store, settings: &Settings, id: &str) -> Result<Page, Failure> {
    let reach = reach(settings);
    tokio::select! {
        performed = job::perform(store, &reach, id) => Ok(told(&performed?)),
        () = stopped() => Err(Failure::new(
            Exit::CannotTell,
            "the work was stopped here, and what it ran was ended; the step stays begun",
            "see how it stands: govdeck hour show; then begin it again",
        )),
    }
}

/// Returns what the settings say of the world that steps reach into.
pub(super) fn reach(settings: &Settings) -> Reach {
    Reach {
        root: settings.governance_root.value.clone(),
        commands: Commands(settings.hour_commands.value.clone()),
    }
}

/// A step that goes on is fine; one that failed says no.
fn told(performed: &Performed) -> Page {
    let exit = if matches!(performed.state, StepState::Failed | StepState::Aborted) {
        Exit::No
    } else {
        Exit::Done
    };
    let mut lines = vec![format!(
        "{} step {} {}: {}",
        performed.migration_id,
        performed.step.number(),
        performed.step,
        performed.state
    )];
    lines.push(format!("  {}", performed.detail));
    lines.extend(performed.then.iter().map(|then| format!("then {then}")));
    if let Some(sha256) = &performed.evidence_sha256 {
        lines.push(format!("evidence: govdeck artifact get {sha256}"));
    }
    Page::new(exit, lines, "hour-step", json!({"step": performed}))
}

fn shown(known: &Known, now: Moment) -> Page {
    let id = &known.migration.migration_id;
    let plan = known.plan.as_ref();
    let Some(hour) = &known.hour else {
        let lines = vec![match plan {
            None => format!("{id}: no hour was begun, and no plan of one is registered"),
            Some(plan) => format!(
                "{id}: no hour was begun; its plan is {}",
                plan.row.plan_sha256
            ),
        }];
        let json = json!({"migration_id": id, "hour": null, "plan_sha256": plan.map(|it| &it.row.plan_sha256)});
        return Page::new(Exit::Done, lines, "hour-show", json);
    };
    let row = &hour.hour;
    let clock = clock_said(hour, now);
    let mut lines = vec![format!(
        "{id} hour {} {}: led by {}; {clock}",
        row.hour_no, row.status, row.lead_id
    )];
    lines.extend(hour.steps.iter().map(|step| step_line(step, now)));
    let next = next_said(known, hour);
    lines.extend(next.iter().cloned());
    let json = json!({
        "migration_id": id, "hour": row, "steps": hour.steps, "clock": clock, "next": next,
        "plan_sha256": row.plan_sha256, "banner_id": hour.banner_id(),
    });
    Page::new(Exit::Done, lines, "hour-show", json)
}

fn clock_said(hour: &KnownHour, now: Moment) -> String {
    let row = &hour.hour;
    match (row.status, row.ended_at_utc) {
        (HourStatus::Running, _) => hour.stand().clock(now).said(),
        (status, Some(at)) => format!("{status} at {at}"),
        (status, None) => status.to_string(),
    }
}

fn step_line(step: &HourStep, now: Moment) -> String {
    let mut line = format!(
        "  {} {:<9} {:<17}",
        step.step.number(),
        step.step,
        step.state
    );
    if let (Some(began), Some(owner)) = (step.began_at_utc, &step.owner_id) {
        let took = step.ended_at_utc.unwrap_or(now).since(began);
        let (took, attempt) = (time::span(took), step.attempt);
        let _ = write!(line, " {took} {owner}, attempt {attempt}");
    }
    if let Some(detail) = &step.detail {
        let _ = write!(line, "; {detail}");
    }
    line.trim_end().to_owned()
}

/// Says what comes now, in words and as a command.
fn next_said(known: &Known, hour: &KnownHour) -> Option<String> {
    if hour.hour.status != HourStatus::Running {
        return None;
    }
    let stand = hour.stand();
    let at = stand.at()?;
    let id = &hour.hour.migration_id;
    let plan = known.plan.as_ref();
    let by = plan.and_then(|plan| plan.document.outside(at.step));
    let is_flipped = known.migration.phase == Phase::Cutover;
    let deed = at.step.next_deed(at.state, is_flipped, by);
    Some(format!(
        "step {} comes now, {}: {}",
        at.step.number(),
        at.step.meaning(),
        at.step.command(deed, id)
    ))
}

//! The step of an hour that comes now: how it ended last, what it takes, by which key it goes on, and the way back.

use crate::actions::find;
use crate::rules::migration::Phase;
use crate::rules::migration::hour::{EndedBy, HourStatus, Outside, Step, StepState};
use crate::rules::text::{counted, shorten};
use crate::store::migration::HourStep;

use super::super::migration_sight::HourSight;
use super::super::model::Model;
use super::super::theme::Token;
use super::super::ui::{Parts, muted};
use super::cutover::{DIGITS, comes_now, next_deed, scale};

/// Says what the step that comes now takes, and what may be done.
pub(super) fn explain(model: &Model, sight: &HourSight) -> Vec<Parts> {
    let mut lines = Vec::new();
    let plan = sight.plan.as_ref();
    match (comes_now(sight), &sight.hour) {
        (Some(step), Some(hour)) => {
            if let Some(row) = hour.step(step) {
                lines.extend(how_it_ended(row));
            }
            lines.extend(does(model, sight, step));
        }
        (None, Some(hour)) => {
            lines.push(how_all_ended(hour.hour.status, sight.migration.phase));
            let ended = hour.steps.iter().filter(|row| row.detail.is_some());
            for row in ended {
                lines.extend(how_it_ended(row));
            }
        }
        _ => lines.push(match plan {
            None => vec![(
                Token::StatusWarn,
                "no plan of the hour is registered: govdeck hour plan".to_owned(),
            )],
            Some(_) => vec![muted(
                "the plan is registered; begin so that a maintenance window is open fifteen minutes later",
            )],
        }),
    }
    if matches!(sight.migration.phase, Phase::DualWrite | Phase::Cutover) {
        let id = &sight.migration.migration_id;
        lines.extend(model.way_back.lines(id, model.at));
    }
    let deeds = comes_now(sight).map_or(&["start_hour"][..], Step::deeds);
    let next = next_deed(sight);
    lines.extend(super::you_may_now(model, "hour", Some(next), |verb| {
        deeds.contains(&verb)
    }));
    lines.extend(scale(model, sight));
    lines
}

/// Says of an hour that is over what is left to do.
fn how_all_ended(status: HourStatus, phase: Phase) -> Parts {
    let (token, said) = match (status, phase) {
        (HourStatus::Aborted, Phase::Rollback) => (
            Token::StatusWarn,
            "this hour was given up and the migration taken back, for good; another attempt is a migration of its own",
        ),
        (HourStatus::Aborted, _) => (
            Token::StatusWarn,
            "this hour was given up before the flip; another one may be begun",
        ),
        (HourStatus::Running | HourStatus::Done, _) => (
            Token::StatusOk,
            "this hour is over, and nothing of it is left to do",
        ),
    };
    vec![(token, said.to_owned())]
}

/// How a step ended last, and what shows it.
fn how_it_ended(row: &HourStep) -> Vec<Parts> {
    let Some(detail) = &row.detail else {
        return Vec::new();
    };
    let token = match row.state {
        StepState::Failed | StepState::Aborted => Token::StatusDanger,
        StepState::DoneWithWarning | StepState::Skipped => Token::StatusWarn,
        _ => Token::StatusOk,
    };
    let mut line = vec![
        (token, format!("{} {}: ", row.step, row.state)),
        (Token::Fg, detail.clone()),
    ];
    if let Some(sha256) = &row.evidence_sha256 {
        line.push(muted(format!(" (artefact {})", shorten(sha256, DIGITS))));
    }
    vec![line]
}

/// What the step takes, and by which key it goes on.
fn does(model: &Model, sight: &HourSight, step: Step) -> Vec<Parts> {
    let phase = sight.migration.phase;
    let outside = |outside: &Outside| match outside {
        Outside::Command { command, minutes } => {
            let time = counted(*minutes, "minute", "minutes");
            format!("runs the command {command}, for at most {time}")
        }
        Outside::Attest { attest } => format!("a person sees to it and says so: {attest}"),
    };
    let Some(plan) = &sight.plan else {
        return Vec::new();
    };
    let said = match (step, step.ended_by()) {
        (Step::Golden, _) => format!(
            "freezes {} below the governance root and in the ledger",
            counted(plan.goldens.len(), "export", "exports")
        ),
        (Step::Flip, _) if phase == Phase::Cutover => {
            format!("flipped; now the exporters: {}", outside(&plan.deploy))
        }
        (Step::Flip, _) => {
            "replays under both releases again; then cutover flips the phase, every gate asked once more"
                .to_owned()
        }
        (Step::Reconcile, _) => format!(
            "compares every series now, by {}",
            counted(plan.reconcile.len(), "manifest", "manifests")
        ),
        (Step::Complete, _) => {
            "another than who flipped signs the runs off and closes; it is watched from then on".to_owned()
        }
        (Step::Note, _) => "what partners read: what changed, what moved, where to roll back".to_owned(),
        (_, EndedBy::Outside) => plan.outside(step).map(outside).unwrap_or_default(),
        _ => String::new(),
    };
    let mut line = vec![muted("does: "), (Token::Fg, said)];
    if let Ok(entry) = find(next_deed(sight)) {
        let keys = model.start.keymap.action(entry);
        line.extend([
            muted("; next: "),
            (Token::KeyHint, format!("{} ({keys})", entry.name())),
        ]);
    }
    vec![line]
}

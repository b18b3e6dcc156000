//! Actions of the hour of a cutover. Each step's work is done outside of any write, by `jobs/hour`; here it is only begun and
//! ended.

mod abort;
mod attest_step;
mod begin_step;
mod end_step;
mod hand_over;
mod note;
mod register_plan;
mod start;

pub(in crate::actions) use abort::AbortHour;
pub(in crate::actions) use attest_step::AttestStep;
pub(in crate::actions) use begin_step::BeginStep;
pub(in crate::actions) use end_step::EndStep;
pub use end_step::StepFinding;
pub(in crate::actions) use hand_over::HandOverHour;
pub(in crate::actions) use note::NotePostMortem;
pub(in crate::actions) use register_plan::RegisterHourPlan;
pub(in crate::actions) use start::StartHour;

use super::super::entry::{Field, Required, Row, Stop};
use super::{Facts, HOUR, no_such_migration, read, there};
use crate::clock::Moment;
use crate::rules::migration::hour::{HourStatus, Step, StepState};
use crate::rules::people::Acting;
use crate::store::Target;
use crate::store::migration::{Hour, HourStep, Known, KnownHour};

const STEP: Field = Field {
    name: "step",
    help: "announce, golden, flip, purge, reconcile, complete or note",
    required: Required::Yes,
};

/// Names the migration at the version of its hour: whatever happens in the hour meanwhile changes it.
fn target(known: &Known) -> Target {
    let hour = known.hour.as_ref().map_or(0, |it| it.hour.version);
    Target {
        kind: HOUR,
        id: known.migration.migration_id.clone(),
        version: hour,
    }
}

/// Changes the hour, even where nothing but its version does.
fn hour_row(before: &Hour, change: impl FnOnce(Hour) -> Hour) -> Result<Row, Stop> {
    let next = Hour {
        version: before.version + 1,
        ..before.clone()
    };
    Row::change(before, change(next))
}

fn step_row(before: &HourStep, change: impl FnOnce(HourStep) -> HourStep) -> Result<Row, Stop> {
    let next = HourStep {
        version: before.version + 1,
        ..before.clone()
    };
    Row::change(before, change(next))
}

/// How a step ended.
struct Ended<'a> {
    state: StepState,
    detail: &'a str,
    evidence_sha256: Option<String>,
}

/// Makes the rows of a step that ends; the hour ends with its last.
fn ended(
    hour: &KnownHour,
    step: Step,
    how: &Ended<'_>,
    by: &Acting<'_>,
    now: Moment,
) -> Result<Vec<Row>, Stop> {
    let Some(before) = hour.step(step) else {
        return Ok(Vec::new());
    };
    let is_last = step == Step::Note && how.state.lets_go_on();
    let hour_row = hour_row(&hour.hour, |hour| {
        if is_last {
            over(hour, HourStatus::Done, by, now)
        } else {
            hour
        }
    })?;
    let step_row = step_row(before, |row| HourStep {
        state: how.state,
        // A person's deed begins and ends a step at once.
        attempt: row.attempt.max(1),
        owner_id: row.owner_id.clone().or_else(|| Some(by.id())),
        began_at_utc: row.began_at_utc.or(Some(now)),
        ended_at_utc: Some(not_before(row.began_at_utc, now)),
        detail: Some(how.detail.to_owned()),
        evidence_sha256: how.evidence_sha256.clone(),
        ..row
    })?;
    Ok(vec![hour_row, step_row])
}

fn over(hour: Hour, status: HourStatus, by: &Acting<'_>, now: Moment) -> Hour {
    Hour {
        status,
        ended_by: Some(by.id()),
        ended_at_utc: Some(not_before(Some(hour.begun_at_utc), now)),
        ..hour
    }
}

/// Says when something ended: a clock that was set back keeps nobody from the way out.
fn not_before(began: Option<Moment>, now: Moment) -> Moment {
    began.map_or(now, |began| began.max(now))
}

/// Makes the rows that a deed ends its step with: what closes a migration, and the note about it.
pub(super) fn done_by_deed(
    known: &Known,
    step: Step,
    detail: &str,
    by: &Acting<'_>,
    now: Moment,
) -> Result<Vec<Row>, Stop> {
    let Some(hour) = known.running_hour() else {
        return Ok(Vec::new());
    };
    let how = Ended {
        state: StepState::Done,
        detail,
        evidence_sha256: None,
    };
    ended(hour, step, &how, by, now)
}

/// Makes the rows of an hour that is given up, with the step that ran.
pub(super) fn given_up(
    known: &Known,
    because: &str,
    by: &Acting<'_>,
    now: Moment,
) -> Result<Vec<Row>, Stop> {
    let Some(hour) = known.running_hour() else {
        return Ok(Vec::new());
    };
    let mut rows = vec![hour_row(&hour.hour, |hour| {
        over(hour, HourStatus::Aborted, by, now)
    })?];
    for step in &hour.steps {
        if step.state == StepState::Running {
            rows.push(step_row(step, |row| HourStep {
                state: StepState::Aborted,
                ended_at_utc: Some(not_before(row.began_at_utc, now)),
                detail: Some(because.to_owned()),
                ..row
            })?);
        }
    }
    Ok(rows)
}

//! Begins a step of the hour, or begins it again: after it failed, or after whoever was at it was lost.

use super::super::super::entry::{Action, Asked, Draft, Field, Stop, Suggested};
use super::{Facts, HOUR, STEP, hour_row, read, step_row, target, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::hour::{Beginning, Step, StepState, may_begin_step};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::migration::{self, HourStep};
use crate::store::{StoreError, View};

pub(in crate::actions) struct BeginStep {
    id: String,
    step: Step,
}

impl Action for BeginStep {
    const MAY: Permission = permission::BEGIN_STEP;
    const KEY: char = 's';
    const SUMMARY: &'static str = "Begin the step of the hour that comes now, or begin it again";
    const UNDO: &'static str =
        "abort-hour: gives the hour up; after the flip the migration goes back";
    const KIND: &'static str = HOUR;
    const TARGET: &'static str = "The migration's id";
    const FIELDS: &'static [Field] = &[STEP];
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            step: asked.required("step")?.parse()?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        read(view, &self.id).await
    }

    async fn suggest(target: &str, view: &mut View) -> Result<Option<Suggested>, Stop> {
        let hour = migration::newest_hour(view, target).await?;
        let at = hour.as_ref().map(migration::KnownHour::stand);
        let step = at.as_ref().and_then(|hour| hour.at()).map(|at| at.step);
        Ok(Some(Suggested {
            asked: Asked::of(target).with("step", step.unwrap_or(Step::Note).word()),
            untold: &[],
            offers: Some("step"),
        }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let known = &there(facts.as_ref(), &self.id)?.known;
        let hour = known.running_hour();
        let stand = hour.map(migration::KnownHour::stand);
        let begins = Beginning {
            step: self.step,
            by: &by.actor.person_id,
            now,
        };
        let conditions = may_begin_step(stand.as_ref(), begins);
        let mut rows = Vec::new();
        if let Some(hour) = hour {
            rows.push(hour_row(&hour.hour, |hour| hour)?);
            if let Some(before) = hour.step(self.step) {
                rows.push(step_row(before, |row| HourStep {
                    state: StepState::Running,
                    attempt: row.attempt + 1,
                    owner_id: Some(by.id()),
                    began_at_utc: Some(now),
                    ended_at_utc: None,
                    detail: None,
                    evidence_sha256: None,
                    ..row
                })?);
            }
        }
        Ok(Draft::new(target(known), conditions, rows))
    }
}

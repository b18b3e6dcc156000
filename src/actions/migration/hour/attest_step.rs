//! Ends a step of the hour with a person's word, where the plan leaves it to one.

use super::super::super::entry::{Action, Asked, Draft, Field, Required, Stop, Suggested};
use super::{Ended, Facts, HOUR, STEP, ended, read, target, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::hour::{Attesting, Outside, Step, StepState, may_attest};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::migration::{self, Known, KnownHour};
use crate::store::{StoreError, View};

pub(in crate::actions) struct AttestStep {
    id: String,
    step: Step,
    state: StepState,
}

impl Action for AttestStep {
    const MAY: Permission = permission::ATTEST_STEP;
    const KEY: char = 'z';
    const SUMMARY: &'static str = "Say how a step of the hour ended that people see to";
    const UNDO: &'static str =
        "abort-hour: gives the hour up; after the flip the migration goes back";
    const KIND: &'static str = HOUR;
    const TARGET: &'static str = "The migration's id";
    const FIELDS: &'static [Field] = &[
        STEP,
        Field {
            name: "as",
            help: "done, done_with_warning, failed, or skipped where the hour goes on without it",
            required: Required::Yes,
        },
    ];
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            step: asked.required("step")?.parse()?,
            state: asked.required("as")?.parse()?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        read(view, &self.id).await
    }

    async fn suggest(target: &str, view: &mut View) -> Result<Option<Suggested>, Stop> {
        let hour = migration::newest_hour(view, target).await?;
        let at = hour.as_ref().map(KnownHour::stand);
        let step = at.as_ref().and_then(|hour| hour.at()).map(|at| at.step);
        Ok(Some(Suggested {
            asked: Asked::of(target)
                .with("step", step.unwrap_or(Step::Announce).word())
                .with("as", StepState::Done.word()),
            untold: &[],
            offers: Some("step"),
        }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let known = &there(facts.as_ref(), &self.id)?.known;
        let hour = known.running_hour();
        let stand = hour.map(KnownHour::stand);
        let attests = Attesting {
            step: self.step,
            state: self.state,
            by: &by.actor.person_id,
            is_left_to_people: left_to_people(known, self.step),
        };
        let conditions = known.decide(now, |facts| may_attest(facts, stand.as_ref(), attests));
        let reason = by.reason();
        let how = Ended {
            state: self.state,
            detail: &reason,
            evidence_sha256: None,
        };
        let rows = match hour {
            Some(hour) => ended(hour, self.step, &how, by, now)?,
            None => Vec::new(),
        };
        Ok(Draft::new(target(known), conditions, rows))
    }
}

fn left_to_people(known: &Known, step: Step) -> bool {
    let plan = known.plan.as_ref();
    let outside = plan.and_then(|plan| plan.document.outside(step));
    matches!(outside, Some(Outside::Attest { .. }))
}

//! Gives the hour of a cutover up, alone and at once; what was flipped goes back with it.

use super::super::super::entry::{Action, Asked, Draft, Stop};
use super::{Facts, HOUR, given_up, read, target, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::hour::may_abort;
use crate::rules::migration::{self as rule, Phase, RollBack, RollbackReason};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::migration::KnownHour;
use crate::store::{StoreError, View};

pub(in crate::actions) struct AbortHour {
    id: String,
}

impl Action for AbortHour {
    const MAY: Permission = permission::ABORT_HOUR;
    const KEY: char = 'v';
    const SUMMARY: &'static str = "Give the hour of a cutover up; what was flipped goes back";
    const UNDO: &'static str =
        "cannot be undone: before the flip another hour may begin, after it a new migration";
    const KIND: &'static str = HOUR;
    const TARGET: &'static str = "The migration's id";
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        read(view, &self.id).await
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = there(facts.as_ref(), &self.id)?;
        let known = &facts.known;
        let hour = known.running_hour();
        let stand = hour.map(KnownHour::stand);
        let mut conditions = may_abort(stand.as_ref());
        let reason = by.reason();
        let mut rows = given_up(known, &reason, by, now)?;
        let mut said = "its hour was given up";
        if known.migration.phase == Phase::Cutover {
            let back = RollBack {
                reason: RollbackReason::OperatorAbort,
                by_person: true,
            };
            conditions.extend(known.decide(now, |facts| rule::may_roll_back(facts, back)));
            rows.extend(super::super::roll_back::rows(
                known,
                (RollbackReason::OperatorAbort, &reason),
                by,
                now,
            )?);
            said = "its hour was given up, and it was taken back";
        }
        let notices = facts.tell(by, said, &reason);
        Ok(Draft::new(target(known), conditions, rows).with_notices(notices))
    }
}

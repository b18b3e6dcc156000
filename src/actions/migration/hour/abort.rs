//! Gives the hour of a cutover up, alone and at once; what was flipped goes back with it.

use super::super::super::entry::{Action, Asked, Draft, Stop};
use super::super::taken_back::{Back, read_back, taken_back};
use super::{HOUR, given_up, no_such_migration, target};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::hour::may_abort;
use crate::rules::migration::{self as rule, Phase, RollBack, RollbackReason};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::migration::KnownHour;
use crate::store::{StoreError, View};

/// What partners are told; the reason stays in the ledger.
const WHY: &str = "The hour of its cutover was given up.";

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
    type Facts = Option<Back>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Back>, StoreError> {
        read_back(view, &self.id).await
    }

    fn propose(&self, facts: &Option<Back>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let goes = facts.as_ref().ok_or_else(|| no_such_migration(&self.id))?;
        let moved = &goes.moved;
        let known = &moved.known;
        let hour = known.running_hour();
        let stand = hour.map(KnownHour::stand);
        let mut conditions = may_abort(stand.as_ref());
        let reason = by.reason();
        if known.migration.phase != Phase::Cutover {
            let rows = given_up(known, &reason, by, now)?;
            let notices = moved.tell(by, "its hour was given up", &reason);
            return Ok(Draft::new(target(known), conditions, rows).with_notices(notices));
        }
        let why = RollbackReason::OperatorAbort;
        let back = RollBack {
            reason: why,
            by_person: true,
        };
        conditions.extend(known.decide(now, |facts| rule::may_roll_back(facts, back)));
        let (rows, tasks) = taken_back(goes, (why, WHY), by, now)?;
        let said = "its hour was given up, and it was taken back";
        let mut notices = moved.tell(by, said, &reason);
        notices.extend(tasks);
        Ok(Draft::new(target(known), conditions, rows).with_notices(notices))
    }
}

//! Answers a drill: somebody who was told has seen it, and the clock stops.

use super::entry::{Action, Asked, Draft, Row, Stop};
use super::practise::DRILL;
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Refusal, drill};
use crate::store::drill::{self as drills, DrillRecord};
use crate::store::{StoreError, Target, View};

pub(super) struct AnswerDrill {
    id: String,
}

impl Action for AnswerDrill {
    const MAY: Permission = permission::ANSWER_DRILL;
    const KEY: char = 'd';
    const SUMMARY: &'static str = "Answer a drill: you have seen what it tells";
    const UNDO: &'static str = "cannot be undone: you have seen it";
    const KIND: &'static str = DRILL;
    const TARGET: &'static str = "The drill's id";
    type Facts = Option<DrillRecord>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<DrillRecord>, StoreError> {
        drills::find(view, &self.id).await
    }

    fn propose(
        &self,
        facts: &Option<DrillRecord>,
        by: &Acting<'_>,
        now: Moment,
    ) -> Result<Draft, Stop> {
        let before = facts.as_ref().ok_or_else(|| {
            Refusal::new(
                format!("there is no drill {:?} to answer", self.id),
                "`govdeck drill report` shows them; the block of a drill is taken: govdeck act take-block",
            )
        })?;
        let after = DrillRecord {
            answered_by: Some(by.id()),
            answered_at_utc: Some(now),
            version: before.version + 1,
            ..before.clone()
        };
        let target = Target {
            kind: DRILL,
            id: self.id.clone(),
            version: before.version,
        };
        let conditions = drill::may_answer(before.answered_by.as_deref());
        Ok(Draft::new(
            target,
            conditions,
            vec![Row::change(before, after)?],
        ))
    }
}

//! Countersigns what one lead did alone: a second person has seen it.

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::{Facts, MIGRATION, no_such_migration, read, target, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration as rule;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::migration::Event;
use crate::store::{StoreError, View};

pub(in crate::actions) struct CountersignMove {
    id: String,
}

impl Action for CountersignMove {
    const MAY: Permission = permission::COUNTERSIGN_MOVE;
    const KEY: char = 's';
    const SUMMARY: &'static str = "Countersign that one lead took a migration back alone";
    const UNDO: &'static str = "cannot be undone: it says that somebody has seen it";
    const KIND: &'static str = MIGRATION;
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
        let last = facts.known.events.last();
        let last = last.ok_or_else(|| no_such_migration(&self.id))?;
        let after = Event {
            countersigned_by: Some(by.id()),
            countersigned_at_utc: Some(now),
            version: last.version + 1,
            ..last.clone()
        };
        let conditions = rule::may_countersign(
            last.needs_countersign,
            last.countersigned_by.as_deref(),
            &last.moved_by,
            &by.actor.person_id,
        );
        Ok(Draft::new(
            target(&facts.known.migration),
            conditions,
            vec![Row::change(last, after)?],
        ))
    }
}

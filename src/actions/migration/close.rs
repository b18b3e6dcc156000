//! Closes a migration after its cutover; it is watched for two scheduled windows more.

use super::super::entry::{Action, Asked, Draft, Stop};
use super::{MIGRATION, Moved, read, target, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::{self as rule, Closing, Move};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::migration::{self, Aftermath, Migration};
use crate::store::{StoreError, View};

pub(in crate::actions) struct CloseMigration {
    id: String,
}

pub(in crate::actions) struct Facts {
    moved: super::Facts,
    after: Aftermath,
}

impl Action for CloseMigration {
    const MAY: Permission = permission::CLOSE_MIGRATION;
    const KEY: char = 'c';
    const SUMMARY: &'static str = "Close a migration; it is watched for two scheduled windows more";
    const UNDO: &'static str = "roll-back-migration: while it is watched";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        let Some(moved) = read(view, &self.id).await? else {
            return Ok(None);
        };
        let after = migration::aftermath(view, &moved.known).await?;
        Ok(Some(Facts { moved, after }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let read = facts.as_ref();
        let moved = there(read.map(|facts| &facts.moved), &self.id)?;
        let before = &moved.known.migration;
        let none = Aftermath::default();
        let after = read.map_or(&none, |facts| &facts.after);
        let open: Vec<&str> = after.open_series.iter().map(String::as_str).collect();
        let flipped = moved
            .known
            .entered()
            .map_or("nobody", |event| &event.moved_by);
        let closing = Closing {
            open_series: &open,
            series: after.series,
            watch_until: after.watch_until,
            flipped_by: flipped,
            closes: &by.actor.person_id,
        };
        let conditions = moved
            .known
            .decide(now, |facts| rule::may_close(facts, &closing));
        let row = Migration {
            closed_at_dt_utc: Some(now),
            watch_until: Some(after.watch_until.unwrap_or(now)),
            version: before.version + 1,
            ..before.clone()
        };
        let done = Moved {
            kind: Move::Close,
            second: None,
            back: None,
        };
        let rows = done.rows(before, row, by, now)?;
        let draft = Draft::new(target(before), conditions, rows);
        Ok(draft.with_notices(moved.tell(by, "closed", &by.reason())))
    }
}

//! Writes down how the work on a taken block goes, so that it does not count as stale.

use super::add_person::plain_line;
use super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Suggested};
use super::take_block::{no_such_block, target};
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Refusal, block};
use crate::store::publish::{self, Audit};
use crate::store::{StoreError, View};

pub(super) struct NoteBlock {
    run: String,
    note: String,
}

impl Action for NoteBlock {
    const MAY: Permission = permission::NOTE_BLOCK;
    const KEY: char = 'o';
    const SUMMARY: &'static str = "Say how the work on a taken block goes";
    const UNDO: &'static str = "cannot be undone: a later note stands before it";
    const KIND: &'static str = "block";
    const TARGET: &'static str = "The blocked run";
    const FIELDS: &'static [Field] = &[Field {
        name: "note",
        help: "What was found or done, in one line",
        required: Required::Yes,
    }];
    type Facts = Option<Audit>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            run: asked.target.clone(),
            note: plain_line("note", asked.required("note")?)?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Audit>, StoreError> {
        publish::audit(view, &self.run).await
    }

    async fn suggest(target: &str, _view: &mut View) -> Result<Option<Suggested>, Stop> {
        Ok(Some(Suggested {
            asked: Asked::of(target).with("note", "as it goes"),
            untold: &[],
            offers: None,
        }))
    }

    fn propose(&self, facts: &Option<Audit>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let before = facts.as_ref().ok_or_else(|| no_such_block(&self.run))?;
        let after = Audit {
            progress_at_utc: Some(now),
            last_note: Some(self.note.clone()),
            version: before.version + 1,
            ..before.clone()
        };
        let conditions = block::may_note(&before.standing(), by.actor);
        Ok(Draft::new(
            target(before),
            conditions,
            vec![Row::change(before, after)?],
        ))
    }
}

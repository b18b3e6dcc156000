//! Writes the note about a migration that partners read, which ends its hour.

use super::super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Suggested};
use super::{Facts, HOUR, done_by_deed, read, target, there};
use crate::clock::Moment;
use crate::rules::migration::NoticeKind;
use crate::rules::migration::hour::{Step, may_note};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::text::shorten;
use crate::rules::{Condition, Refusal};
use crate::store::migration::{KnownHour, MigrationNotice};
use crate::store::{StoreError, View};

/// How long the note may be: a paragraph.
const MOST: usize = 2_000;
/// How long it is at least.
const LEAST: usize = 40;

pub(in crate::actions) struct NotePostMortem {
    id: String,
    note: String,
}

impl Action for NotePostMortem {
    const MAY: Permission = permission::NOTE_POST_MORTEM;
    const KEY: char = 'n';
    const SUMMARY: &'static str = "Write the post-mortem note that partners read; the hour ends";
    const UNDO: &'static str = "cannot be undone: partners have read it";
    const KIND: &'static str = HOUR;
    const TARGET: &'static str = "The migration's id";
    const FIELDS: &'static [Field] = &[Field {
        name: "note",
        help: "One paragraph: what changed, which totals were expected to move, where to roll back",
        required: Required::Yes,
    }];
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            note: asked.required("note")?.trim().to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        read(view, &self.id).await
    }

    async fn suggest(target: &str, _view: &mut View) -> Result<Option<Suggested>, Stop> {
        Ok(Some(Suggested {
            asked: Asked::of(target).with("note", "-"),
            untold: &["says_something"],
            offers: None,
        }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let known = &there(facts.as_ref(), &self.id)?.known;
        let stand = known.running_hour().map(KnownHour::stand);
        let mut conditions = known.decide(now, |facts| may_note(facts, stand.as_ref()));
        let letters = self.note.chars().count();
        conditions.push(Condition::holds(
            "says_something",
            (LEAST..=MOST).contains(&letters),
            by.id(),
            format!("{letters} letters"),
            "write one paragraph of 40 to 2000 letters, in plain words",
        ));
        let mut rows = done_by_deed(known, Step::Note, &shorten(&self.note, 400), by, now)?;
        rows.push(Row::new(MigrationNotice {
            migration_id: self.id.clone(),
            kind: NoticeKind::PostMortem,
            notice_text: self.note.clone(),
            published_at_utc: now,
            published_by: by.id(),
            version: 1,
        }));
        Ok(Draft::new(target(known), conditions, rows))
    }
}

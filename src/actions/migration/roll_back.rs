//! Takes a migration back, for good; one lead may do it alone, and a second person countersigns.

use super::super::entry::{Action, Asked, Draft, Field, Required, Stop, Suggested};
use super::taken_back::{Back, read_back, taken_back};
use super::{MIGRATION, no_such_migration, target};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::{self as rule, RollBack, RollbackReason};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::{StoreError, View};

pub(in crate::actions) struct RollBackMigration {
    id: String,
    because: RollbackReason,
    note: String,
}

impl Action for RollBackMigration {
    const MAY: Permission = permission::ROLL_BACK_MIGRATION;
    const KEY: char = 'u';
    const SUMMARY: &'static str = "Take a migration back, for good";
    const UNDO: &'static str = "cannot be undone: a further attempt is a new migration";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "because",
            help: "cutover_step_failed or operator_abort",
            required: Required::Yes,
        },
        Field {
            name: "note",
            help: "What partners and the next shift need to know",
            required: Required::Yes,
        },
    ];
    type Facts = Option<Back>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            because: asked.required("because")?.parse()?,
            note: asked.required("note")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Back>, StoreError> {
        read_back(view, &self.id).await
    }

    async fn suggest(target: &str, _view: &mut View) -> Result<Option<Suggested>, Stop> {
        Ok(Some(Suggested {
            asked: Asked::of(target)
                .with("because", RollbackReason::OperatorAbort.word())
                .with("note", "-"),
            untold: &[],
            offers: Some("because"),
        }))
    }

    fn propose(&self, facts: &Option<Back>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let goes = facts.as_ref().ok_or_else(|| no_such_migration(&self.id))?;
        let facts = &goes.moved;
        let before = &facts.known.migration;
        let why = (self.because, &*self.note);
        let (rows, tasks) = taken_back(goes, why, by, now)?;
        let back = RollBack {
            reason: self.because,
            by_person: true,
        };
        let conditions = facts
            .known
            .decide(now, |facts| rule::may_roll_back(facts, back));
        let body = format!("{}: {}", self.because, self.note);
        let mut notices = facts.tell(by, "taken back", &body);
        notices.extend(tasks);
        Ok(Draft::new(target(before), conditions, rows).with_notices(notices))
    }
}

//! Takes a migration back, for good; one lead may do it alone, and a second person countersigns.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Suggested};
use super::{Facts, MIGRATION, Moved, hour, read, target, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::{self as rule, Move, Phase, RollBack, RollbackReason};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::migration::{Known, Migration};
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
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            because: asked.required("because")?.parse()?,
            note: asked.required("note")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        read(view, &self.id).await
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

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = there(facts.as_ref(), &self.id)?;
        let before = &facts.known.migration;
        let why = (self.because, &*self.note);
        let mut rows = rows(&facts.known, why, by, now)?;
        rows.extend(hour::given_up(&facts.known, &self.note, by, now)?);
        let back = RollBack {
            reason: self.because,
            by_person: true,
        };
        let conditions = facts
            .known
            .decide(now, |facts| rule::may_roll_back(facts, back));
        let body = format!("{}: {}", self.because, self.note);
        let draft = Draft::new(target(before), conditions, rows);
        Ok(draft.with_notices(facts.tell(by, "taken back", &body)))
    }
}

/// Makes the rows of a migration that is taken back.
pub(super) fn rows(
    known: &Known,
    back: (RollbackReason, &str),
    by: &Acting<'_>,
    now: Moment,
) -> Result<Vec<Row>, Stop> {
    let before = &known.migration;
    let after = Migration {
        phase: Phase::Rollback,
        closed_at_dt_utc: Some(now),
        rollback_reason: Some(back.0),
        watch_until: None,
        version: before.version + 1,
        ..before.clone()
    };
    let moved = Moved {
        kind: Move::Rollback,
        second: None,
        back: Some(back),
    };
    moved.rows(before, after, by, now)
}

//! Opens a deficiency by rule, so that somebody has to see to it: a metric that did not match on three days running, or a
//! move that one lead made alone and nobody countersigned.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use crate::clock::Moment;
use crate::rules::migration::{
    DAYS, DeficiencyKind, Gate, Mismatching, may_open_countersign, may_open_deficiency,
    no_such_migration,
};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal, text};
use crate::store::migration::{self, Alone, Deficiency, Migration, Seen};
use crate::store::outbox::Notice;
use crate::store::{StoreError, Target, View};

/// What a deficiency is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A metric that does not match.
    Metric(String),
    /// A move, by its number, that waits for a second person.
    Move(i64),
}

impl About {
    /// Adds it to what is asked.
    pub(in crate::actions) fn asked(self, asked: Asked) -> Asked {
        match self {
            Self::Metric(metric) => asked.with("metric", metric),
            Self::Move(number) => asked.with("move", number.to_string()),
        }
    }
}

pub(in crate::actions) struct OpenDeficiency {
    id: String,
    migration: String,
    about: About,
}

pub(in crate::actions) struct Facts {
    migration: Option<Migration>,
    found: Found,
}

/// What was found of what it is about.
enum Found {
    Metric { seen: Option<Seen>, owner: String },
    Move(Option<Alone>),
}

/// What a deficiency says.
struct Told {
    kind: DeficiencyKind,
    subject: String,
    owner: String,
    detail: String,
    body: String,
    conditions: Vec<Condition>,
}

impl Action for OpenDeficiency {
    const MAY: Permission = permission::OPEN_DEFICIENCY;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "Open a deficiency for a metric that did not match on three days running, or a move that nobody countersigned in time";
    const UNDO: &'static str = "close-deficiency: once it was seen to";
    const KIND: &'static str = "deficiency";
    const TARGET: &'static str = "The deficiency's new id";
    const SUBJECT: Subject = Subject::New;
    const FIELDS: &'static [Field] = &[
        Field {
            name: "migration",
            help: "The migration",
            required: Required::Yes,
        },
        Field {
            name: "metric",
            help: "The metric that does not match",
            required: Required::No,
        },
        Field {
            name: "move",
            help: "The number of the move that waits for a second person",
            required: Required::No,
        },
    ];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let about = match (asked.optional("metric"), asked.optional("move")) {
            (Some(metric), None) => Some(About::Metric(metric.to_owned())),
            (None, Some(number)) => number.parse().ok().map(About::Move),
            _ => None,
        };
        Ok(Self {
            id: asked.target.clone(),
            migration: asked.required("migration")?.to_owned(),
            about: about.ok_or_else(|| {
                Refusal::new(
                    "a deficiency is about a metric or about a move",
                    "report this as a bug",
                )
            })?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let found = migration::find(view, &self.migration).await?;
        Ok(Facts {
            found: match (&self.about, &found) {
                (About::Metric(metric), found) => Found::Metric {
                    owner: match found {
                        Some(found) => migration::answers_for(view, found, Gate::Clean).await?,
                        None => String::new(),
                    },
                    seen: migration::seen(view, &self.migration, Some(metric))
                        .await?
                        .into_iter()
                        .next(),
                },
                (About::Move(number), Some(found)) => {
                    Found::Move(migration::made_alone(view, found, &number.to_string()).await?)
                }
                (About::Move(_), None) => Found::Move(None),
            },
            migration: found,
        })
    }

    fn propose(&self, facts: &Facts, _by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let found = facts.migration.as_ref();
        let found = found.ok_or_else(|| no_such_migration(&self.migration))?;
        let told = match (&self.about, &facts.found) {
            (About::Metric(metric), Found::Metric { seen, owner }) => {
                self.of_metric(metric, found, seen.as_ref(), owner)
            }
            (About::Move(_), Found::Move(Some(alone))) => self.of_move(alone, now),
            _ => return Err(Refusal::new("there is no such move", "report this as a bug").into()),
        };
        let row = Deficiency {
            deficiency_id: self.id.clone(),
            kind: told.kind,
            migration_id: self.migration.clone(),
            subject: told.subject,
            owner_id: told.owner.clone(),
            detail: told.detail.clone(),
            opened_at_utc: now,
            closed_by: None,
            closed_reason: None,
            closed_at_utc: None,
            version: 1,
        };
        let notice = Notice {
            event_class: "deficiency_opened",
            about: self.id.clone(),
            recipient_id: told.owner,
            subject: format!("{}: {}", self.migration, told.detail),
            body: told.body,
            drill: false,
        };
        let target = Target {
            kind: Self::KIND,
            id: self.id.clone(),
            version: 0,
        };
        let draft = Draft::new(target, told.conditions, vec![Row::new(row)]);
        Ok(draft.with_notices(vec![notice]))
    }
}

impl OpenDeficiency {
    fn of_metric(&self, metric: &str, found: &Migration, seen: Option<&Seen>, owner: &str) -> Told {
        let shown = text::shorten(metric, 200);
        Told {
            kind: DeficiencyKind::Mismatch,
            subject: metric.to_owned(),
            owner: owner.to_owned(),
            detail: format!("{shown} does not match on {DAYS} days running"),
            body: format!(
                "Whatever fills both halves of its pairs writes them differently, and the migration {} cannot be cut over while it \
                 does. The pane Dictionary shows its rows; `govdeck act close-deficiency {}` says that it was seen to.",
                self.migration, self.id
            ),
            conditions: may_open_deficiency(Mismatching {
                is_under_way: found.is_under_way(),
                is_stuck: seen.is_some_and(Seen::is_stuck),
                is_open: seen.is_some_and(Seen::is_open),
            }),
        }
    }

    fn of_move(&self, alone: &Alone, now: Moment) -> Told {
        let event = &alone.event;
        Told {
            kind: DeficiencyKind::Countersign,
            subject: event.event_no.to_string(),
            owner: alone.owner.clone(),
            detail: format!(
                "nobody countersigned within 24 hours that {} took it back",
                event.moved_by
            ),
            body: format!(
                "One lead took the migration {} back alone, at {}. Another person looks at it and says so: \
                 `govdeck act countersign-move {}`. `govdeck act close-deficiency {}` says that it was seen to.",
                self.migration, event.happened_at_utc, self.migration, self.id
            ),
            conditions: may_open_countersign(alone.made, now),
        }
    }
}

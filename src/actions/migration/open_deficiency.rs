//! Opens a deficiency for a metric that did not match on three days running, by rule: somebody has to see to it.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use crate::clock::Moment;
use crate::rules::migration::{DAYS, DeficiencyKind, Gate, Mismatching, may_open_deficiency};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Refusal, text};
use crate::store::migration::{self, Deficiency, Migration, Seen};
use crate::store::outbox::Notice;
use crate::store::{StoreError, Target, View};

pub(in crate::actions) struct OpenDeficiency {
    id: String,
    migration: String,
    metric: String,
}

pub(in crate::actions) struct Facts {
    migration: Option<Migration>,
    seen: Option<Seen>,
    owner: String,
}

impl Action for OpenDeficiency {
    const MAY: Permission = permission::OPEN_DEFICIENCY;
    const KEY: char = ' ';
    const SUMMARY: &'static str =
        "Open a deficiency for a metric that did not match on three days running";
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
            required: Required::Yes,
        },
    ];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            migration: asked.required("migration")?.to_owned(),
            metric: asked.required("metric")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let found = migration::find(view, &self.migration).await?;
        let owner = match &found {
            Some(found) => migration::answers_for(view, found, Gate::Clean).await?,
            None => String::new(),
        };
        let seen = migration::seen(view, &self.migration, Some(&self.metric)).await?;
        Ok(Facts {
            migration: found,
            seen: seen.into_iter().next(),
            owner,
        })
    }

    fn propose(&self, facts: &Facts, _by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let found = facts.migration.as_ref().ok_or_else(|| {
            Refusal::new(
                format!("there is no migration {:?}", self.migration),
                "scan the one that is under way",
            )
        })?;
        let seen = facts.seen.as_ref();
        let metric = text::shorten(&self.metric, 200);
        let detail = format!("{metric} does not match on {DAYS} days running");
        let row = Deficiency {
            deficiency_id: self.id.clone(),
            kind: DeficiencyKind::Mismatch,
            migration_id: self.migration.clone(),
            subject: self.metric.clone(),
            owner_id: facts.owner.clone(),
            detail: detail.clone(),
            opened_at_utc: now,
            closed_by: None,
            closed_reason: None,
            closed_at_utc: None,
            version: 1,
        };
        let notice = Notice {
            event_class: "deficiency_opened",
            about: self.id.clone(),
            recipient_id: facts.owner.clone(),
            subject: format!("{}: {detail}", self.migration),
            body: format!(
                "Whatever fills both halves of its pairs writes them differently, and the migration {} cannot be cut over while it \
                 does. The pane Dictionary shows its rows; `govdeck act close-deficiency {}` says that it was seen to.",
                self.migration, self.id
            ),
            drill: false,
        };
        let conditions = may_open_deficiency(Mismatching {
            is_under_way: found.is_under_way(),
            is_stuck: seen.is_some_and(Seen::is_stuck),
            is_open: seen.is_some_and(Seen::is_open),
        });
        let target = Target {
            kind: Self::KIND,
            id: self.id.clone(),
            version: 0,
        };
        Ok(Draft::new(target, conditions, vec![Row::new(row)]).with_notices(vec![notice]))
    }
}

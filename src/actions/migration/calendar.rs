//! Sets a span of the calendar, a maintenance window or a cert week, or calls one off.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use super::override_gate::moment;
use crate::clock::Moment;
use crate::rules::migration::{CalendarKind, Standing};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::migration::{self, CalendarWindow};
use crate::store::{StoreError, Target, View};

const CALENDAR: &str = "calendar";
const LEAD: &str = "governance_lead";

pub(in crate::actions) struct SetCalendar {
    id: String,
    kind: CalendarKind,
    starts: Moment,
    ends: Moment,
    title: String,
}

pub(in crate::actions) struct CancelCalendar {
    id: String,
}

fn target(id: &str, before: Option<&CalendarWindow>) -> Target {
    Target {
        kind: CALENDAR,
        id: id.to_owned(),
        version: before.map_or(0, |row| row.version),
    }
}

impl Action for SetCalendar {
    const MAY: Permission = permission::SET_CALENDAR;
    const KEY: char = 'k';
    const SUMMARY: &'static str = "Set a maintenance window or a cert week";
    const UNDO: &'static str = "cancel-calendar: it stays on record, called off";
    const KIND: &'static str = CALENDAR;
    const TARGET: &'static str = "Its id";
    const SUBJECT: Subject = Subject::New;
    const FIELDS: &'static [Field] = &[
        Field {
            name: "kind",
            help: "maintenance or cert",
            required: Required::Yes,
        },
        Field {
            name: "starts",
            help: "When it begins, as 2026-05-26T14:00:00Z",
            required: Required::Yes,
        },
        Field {
            name: "ends",
            help: "When it is over",
            required: Required::Yes,
        },
        Field {
            name: "title",
            help: "What people call it",
            required: Required::Yes,
        },
    ];
    type Facts = Option<CalendarWindow>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            kind: asked.required("kind")?.parse()?,
            starts: moment(asked.required("starts")?)?,
            ends: moment(asked.required("ends")?)?,
            title: asked.required("title")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<CalendarWindow>, StoreError> {
        migration::calendar_window(view, &self.id).await
    }

    fn propose(
        &self,
        facts: &Option<CalendarWindow>,
        by: &Acting<'_>,
        now: Moment,
    ) -> Result<Draft, Stop> {
        let conditions = vec![
            Condition::holds(
                "new_id",
                facts.is_none(),
                LEAD,
                facts
                    .as_ref()
                    .map_or("a new id".to_owned(), |row| format!("{} has it", row.title)),
                "an id is used once: call that one off, and set another",
            ),
            Condition::holds(
                "ends_later",
                self.ends > self.starts && self.ends > now,
                LEAD,
                format!("{} to {}", self.starts, self.ends),
                "it ends after it begins, and is not over yet",
            ),
        ];
        let row = CalendarWindow {
            calendar_id: self.id.clone(),
            kind: self.kind,
            starts_at_utc: self.starts,
            ends_at_utc: self.ends,
            title: self.title.clone(),
            status: Standing::Set,
            set_by: by.id(),
            set_at_utc: now,
            version: 1,
        };
        Ok(Draft::new(
            target(&self.id, facts.as_ref()),
            conditions,
            vec![Row::new(row)],
        ))
    }
}

impl Action for CancelCalendar {
    const MAY: Permission = permission::CANCEL_CALENDAR;
    const KEY: char = 'h';
    const SUMMARY: &'static str = "Call off a maintenance window or a cert week";
    const UNDO: &'static str = "set-calendar: under a new id";
    const KIND: &'static str = CALENDAR;
    const TARGET: &'static str = "Its id";
    type Facts = Option<CalendarWindow>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<CalendarWindow>, StoreError> {
        migration::calendar_window(view, &self.id).await
    }

    fn propose(
        &self,
        facts: &Option<CalendarWindow>,
        by: &Acting<'_>,
        now: Moment,
    ) -> Result<Draft, Stop> {
        let before = facts.as_ref().ok_or_else(|| {
            Refusal::new(
                format!("the calendar has no {:?}", self.id),
                "`govdeck calendar` lists what is set",
            )
        })?;
        let after = CalendarWindow {
            status: Standing::Cancelled,
            set_by: by.id(),
            set_at_utc: now,
            version: before.version + 1,
            ..before.clone()
        };
        let conditions = vec![Condition::holds(
            "stands",
            before.status == Standing::Set,
            LEAD,
            format!("{} is {}", before.title, before.status),
            "nothing is left to do",
        )];
        Ok(Draft::new(
            target(&self.id, Some(before)),
            conditions,
            vec![Row::change(before, after)?],
        ))
    }
}

//! Records that two people let a run go round a freeze; it is shown loudly, and never makes a run pass.

use super::add_person::plain_line;
use super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal, time};
use crate::store::publish::{self, FreezeBypass};
use crate::store::{StoreError, Target, View, ledger};

/// How long a bypass may last at most.
const MOST_DAYS: i64 = 7;

pub(super) struct BypassFreeze {
    bypass_id: String,
    freeze_id: String,
    expires: Moment,
}

pub(super) struct Facts {
    there: Option<FreezeBypass>,
    latest_entry_at: Option<Moment>,
}

impl Action for BypassFreeze {
    const MAY: Permission = permission::BYPASS_FREEZE;
    const KEY: char = 'b';
    const SUMMARY: &'static str = "Record that a freeze is bypassed, and until when";
    const UNDO: &'static str = "cannot be undone: it ends when it expires";
    const KIND: &'static str = "bypass";
    const TARGET: &'static str = "The new bypass's id, such as the change it was asked for in";
    const SUBJECT: Subject = Subject::New;
    const FIELDS: &'static [Field] = &[
        Field {
            name: "freeze",
            help: "The freeze that is bypassed",
            required: Required::Yes,
        },
        Field {
            name: "expires",
            help: "Until when, at most seven days, like 2026-05-26T14:00:00Z",
            required: Required::Yes,
        },
    ];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let expires = asked.required("expires")?;
        Ok(Self {
            bypass_id: plain_line("bypass's id", &asked.target)?.to_owned(),
            freeze_id: plain_line("freeze's id", asked.required("freeze")?)?.to_owned(),
            expires: expires.parse().map_err(|error| {
                Refusal::new(
                    format!("{error}"),
                    "write it as RFC 3339 in UTC, with a Z at its end",
                )
            })?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            there: publish::bypass(view, &self.bypass_id).await?,
            latest_entry_at: ledger::head(view).await?.latest_at_utc,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let row = FreezeBypass {
            freeze_bypass_id: self.bypass_id.clone(),
            freeze_id: self.freeze_id.clone(),
            reason: by.reason(),
            requested_by: by.id(),
            approved_by: by.second(),
            created_at_utc: now,
            expires_at_utc: self.expires,
            version: 1,
        };
        let target = Target {
            kind: Self::KIND,
            id: self.bypass_id.clone(),
            version: facts.there.as_ref().map_or(0, |there| there.version),
        };
        let last = now.plus_minutes(MOST_DAYS * 24 * 60);
        let conditions = vec![
            time::can_be_counted(facts.latest_entry_at, now),
            Condition::holds(
                "new_id",
                facts.there.is_none(),
                &by.actor.person_id,
                facts.there.as_ref().map_or("free".to_owned(), |there| {
                    format!(
                        "bypasses {} until {}",
                        there.freeze_id, there.expires_at_utc
                    )
                }),
                "choose another id; ids are never used again",
            ),
            Condition::holds(
                "expires_soon",
                now < self.expires && self.expires <= last,
                &by.actor.person_id,
                format!("expires {}", self.expires),
                format!("it lies ahead, at most {MOST_DAYS} days"),
            ),
        ];
        Ok(Draft::new(target, conditions, vec![Row::new(row)]))
    }
}

//! Names a publish run in an override annex, by two people: it may be distributed while red holds the others.

use super::super::add_person::plain_line;
use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop};
use super::moment;
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::week as rule;
use crate::rules::{Refusal, time};
use crate::store::publish::{self, Snapshot};
use crate::store::week::{self, Annex, Incident};
use crate::store::{StoreError, Target, View, ledger};

pub(in crate::actions) struct AnnexRun {
    run: String,
    annex_id: String,
    expires: Moment,
}

pub(in crate::actions) struct Facts {
    snapshot: Option<Snapshot>,
    oldest: Option<Incident>,
    there: Option<Annex>,
    latest_entry_at: Option<Moment>,
}

impl Action for AnnexRun {
    const MAY: Permission = permission::ANNEX_RUN;
    const KEY: char = 'n';
    const SUMMARY: &'static str =
        "Let a publish run out that passed before red began, and until when";
    const UNDO: &'static str = "cannot be undone: it ends when it expires";
    const KIND: &'static str = "run";
    const TARGET: &'static str = "The publish run";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "audit",
            help: "The annex's new audit id",
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
        Ok(Self {
            run: asked.target.clone(),
            annex_id: plain_line("audit id", asked.required("audit")?)?.to_owned(),
            expires: moment("expires", asked.required("expires")?)?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            snapshot: publish::snapshot(view, &self.run).await?,
            oldest: week::open_incidents(view).await?.into_iter().next(),
            there: week::annex(view, &self.annex_id).await?,
            latest_entry_at: ledger::head(view).await?.latest_at_utc,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let snapshot = facts.snapshot.as_ref();
        let incident = facts.oldest.as_ref();
        let mut conditions = rule::may_annex(
            &rule::Annexed {
                publish_run_id: &self.run,
                status: snapshot.map(|run| run.status),
                is_drill: snapshot.is_some_and(|run| run.drill),
                decided_at: snapshot.and_then(|run| run.decided_at_utc),
                red_since: incident.map(|incident| incident.opened_at_utc),
            },
            facts.there.is_none(),
            self.expires,
            now,
        );
        conditions.push(time::can_be_counted(facts.latest_entry_at, now));
        let row = Annex {
            annex_id: self.annex_id.clone(),
            publish_run_id: self.run.clone(),
            incident_id: incident.map_or_else(String::new, |open| open.incident_id.clone()),
            reason: by.reason(),
            requested_by: by.id(),
            approved_by: by.second(),
            created_at_utc: now,
            expires_at_utc: self.expires,
            version: 1,
        };
        let target = Target {
            kind: Self::KIND,
            id: self.run.clone(),
            version: snapshot.map_or(0, |run| run.version),
        };
        Ok(Draft::new(target, conditions, vec![Row::new(row)]))
    }
}

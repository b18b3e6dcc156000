//! Attaches what was done about a run that did not pass.

use super::super::add_person::plain_line;
use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop};
use super::{RUN, no_such_run, run_target};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::week as rule;
use crate::store::week::{self, Remediation, Window};
use crate::store::{StoreError, View};

pub(in crate::actions) struct AttachRemediation {
    run: String,
    id: String,
    evidence: String,
}

pub(in crate::actions) struct Facts {
    window: Option<Window>,
    there: Option<Remediation>,
}

impl Action for AttachRemediation {
    const MAY: Permission = permission::ATTACH_REMEDIATION;
    const KEY: char = 'e';
    const SUMMARY: &'static str = "Attach what was done about a run that did not pass";
    const UNDO: &'static str = "cannot be undone: evidence stays; more can be attached";
    const KIND: &'static str = RUN;
    const TARGET: &'static str = "The run that did not pass";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "id",
            help: "The evidence's new id, such as the ticket it was done in",
            required: Required::Yes,
        },
        Field {
            name: "evidence",
            help: "What was done, or where it is written down",
            required: Required::Yes,
        },
    ];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            run: asked.target.clone(),
            id: plain_line("evidence's id", asked.required("id")?)?.to_owned(),
            evidence: plain_line("evidence", asked.required("evidence")?)?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            window: week::find(view, &self.run).await?,
            there: week::remediation(view, &self.id).await?,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let window = facts
            .window
            .as_ref()
            .ok_or_else(|| no_such_run(&self.run))?;
        let row = Remediation {
            remediation_id: self.id.clone(),
            job_run_id: self.run.clone(),
            evidence: self.evidence.clone(),
            attached_by: by.id(),
            attached_at_utc: now,
            version: 1,
        };
        Ok(Draft::new(
            run_target(window),
            rule::may_attach(window.run_kind, window.status, facts.there.is_none()),
            vec![Row::new(row)],
        ))
    }
}

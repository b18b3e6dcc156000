//! Files an override packet, by two people: a run may be signed that is not green, and becomes no greener by it.

use super::super::add_person::plain_line;
use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop};
use super::declare_bootstrap::run_and_look;
use super::{RUN, no_such_run, run_target};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::week as rule;
use crate::store::week::{self, Look, OverridePacket, Window};
use crate::store::{StoreError, View};

pub(in crate::actions) struct OverrideRun {
    run: String,
    audit_id: String,
}

pub(in crate::actions) struct Facts {
    window: Option<Window>,
    look: Option<Look>,
    packet: Option<OverridePacket>,
    same_id: Option<OverridePacket>,
}

impl Action for OverrideRun {
    const MAY: Permission = permission::OVERRIDE_RUN;
    const KEY: char = 'o';
    const SUMMARY: &'static str = "Let a run be signed that is not green; it becomes no greener";
    const UNDO: &'static str =
        "cannot be undone: what was signed on it can be taken back, by revoke-ack";
    const KIND: &'static str = RUN;
    const TARGET: &'static str = "The run";
    const FIELDS: &'static [Field] = &[Field {
        name: "audit",
        help: "The packet's new audit id",
        required: Required::Yes,
    }];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            run: asked.target.clone(),
            audit_id: plain_line("audit id", asked.required("audit")?)?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let (window, look) = run_and_look(view, &self.run).await?;
        Ok(Facts {
            window,
            look,
            packet: week::packet_of(view, &self.run).await?,
            same_id: week::packet(view, &self.audit_id).await?,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let window = facts
            .window
            .as_ref()
            .ok_or_else(|| no_such_run(&self.run))?;
        let look = facts.look.as_ref().ok_or_else(|| no_such_run(&self.run))?;
        let is_newest = look.newest().is_some_and(|run| run.job_run_id == self.run);
        let row = OverridePacket {
            audit_id: self.audit_id.clone(),
            job_run_id: self.run.clone(),
            reason: by.reason(),
            requested_by: by.id(),
            approved_by: by.second(),
            created_at_utc: now,
            version: 1,
        };
        Ok(Draft::new(
            run_target(window),
            rule::may_override(
                window.run_kind,
                window.status,
                is_newest,
                look.standing.state,
                facts.packet.as_ref().map(|packet| &*packet.audit_id),
                facts.same_id.is_none(),
            ),
            vec![Row::new(row)],
        ))
    }
}

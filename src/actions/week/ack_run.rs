//! Puts a signer's name under a weekly run, on the grounds that it gives.

use std::collections::BTreeMap;

use super::super::entry::{Action, Asked, Draft, Prepared, Row, Stop, Suggested};
use super::declare_bootstrap::run_and_look;
use super::outside;
use super::report::{Report, SHOWN};
use super::{RUN, no_such_run, run_target};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::release::Found;
use crate::rules::week::{self as rule, AckBasis, AckFacts, Packet};
use crate::store::week::{self, Ack, Ended, Look, Metric, Name, OverridePacket, Window};
use crate::store::{StoreError, View, dictionary, person};

pub(in crate::actions) struct AckRun {
    run: String,
    /// What its diff hashed to just before, where that lies outside the database.
    seen: Option<Prepared>,
}

pub(in crate::actions) struct Facts {
    window: Option<Window>,
    look: Option<Look>,
    packet: Option<OverridePacket>,
    own: Option<Ack>,
    diff: Found,
    inputs: Option<Digest>,
    worst: Vec<Metric>,
    labels: BTreeMap<String, String>,
    names: Vec<(Name, bool)>,
}

impl Action for AckRun {
    const MAY: Permission = permission::ACK_RUN;
    const KEY: char = 's';
    const SUMMARY: &'static str = "Sign a weekly run: your name goes under its numbers";
    const UNDO: &'static str = "revoke-ack: that it was given stays known";
    const KIND: &'static str = RUN;
    const TARGET: &'static str = "The run";
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            run: asked.target.clone(),
            seen: outside::prepared(asked),
        })
    }

    /// Whether a diff outside the database is what it was is found out only when somebody signs.
    async fn suggest(target: &str, view: &mut View) -> Result<Option<Suggested>, Stop> {
        let window = week::find(view, target).await?;
        let uri = window.and_then(|window| window.artifact_uri);
        let is_outside = uri.is_some_and(|uri| outside::judged(&uri, None).is_some());
        Ok(Some(Suggested {
            asked: Asked::of(target),
            untold: if is_outside { &[rule::DIFF_SAME] } else { &[] },
            offers: None,
        }))
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let (window, look) = run_and_look(view, &self.run).await?;
        let own = match person::actor(view).await? {
            Some(actor) => week::ack(view, &self.run, &actor.person_id).await?,
            None => None,
        };
        let (diff, inputs, names) = match &window {
            Some(window) => {
                let uri = window.artifact_uri.as_deref();
                let diff = match uri.and_then(|uri| outside::judged(uri, self.seen.as_ref())) {
                    Some(found) => found,
                    None => week::found_diff(view, window).await?,
                };
                let names = week::names(view, window, &diff).await?;
                (diff, Some(week::inputs(view, window).await?), names)
            }
            None => (Found::NotNamed, None, Vec::new()),
        };
        Ok(Facts {
            packet: week::packet_of(view, &self.run).await?,
            worst: week::metrics(view, &self.run, SHOWN).await?,
            labels: dictionary::labels_of(view, &self.run, SHOWN).await?,
            names,
            window,
            look,
            own,
            diff,
            inputs,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let no_run = || no_such_run(&self.run);
        let window = facts.window.as_ref().ok_or_else(no_run)?;
        let look = facts.look.as_ref().ok_or_else(no_run)?;
        let inputs = facts.inputs.ok_or_else(no_run)?;
        let known = AckFacts {
            job_run_id: &self.run,
            kind: window.run_kind,
            status: window.status,
            triggered_by: window.triggered_by.as_deref(),
            newest: look.newest().map(|run| &*run.job_run_id),
            standing: &look.standing,
            previous: look.before_newest().map(Ended::run),
            remediation: look.remediations.first().map(|it| &*it.remediation_id),
            packet: facts.packet.as_ref().map(|packet| Packet {
                audit_id: &packet.audit_id,
                requested_by: &packet.requested_by,
                approved_by: &packet.approved_by,
            }),
            has_signed: facts.own.is_some(),
            artifact: &facts.diff,
        };
        let conditions = rule::may_ack(&known, by.actor);
        let grounds = rule::basis(&known);
        let report = Report {
            look,
            window,
            worst: &facts.worst,
            labels: &facts.labels,
            names: &facts.names,
            packet: facts.packet.as_ref(),
            diff: &facts.diff,
            basis: grounds.as_ref().map(|grounds| grounds.basis),
        };
        let report = report.lines();
        let rows = grounds.map(|grounds| {
            Row::new(Ack {
                job_run_id: self.run.clone(),
                signer_id: by.id(),
                ack_basis: grounds.basis,
                previous_run_id: grounds.previous_run_id,
                bootstrap_series_id: (grounds.basis == AckBasis::Bootstrap)
                    .then(|| window.series_id.clone()),
                remediation_id: grounds.remediation_id,
                override_audit_id: grounds.override_audit_id,
                inputs_sha256: inputs.to_string(),
                acked_at_utc: now,
                version: 1,
            })
        });
        let seen = self.seen.iter();
        let seen = seen.map(|seen| (seen.role, seen.artifact.clone()));
        Ok(
            Draft::new(run_target(window), conditions, rows.into_iter().collect())
                .with_evidence(seen.collect())
                .with_report(report),
        )
    }
}

//! Marks a run as interrupted that was claimed and never ended, by rule; its receipt says that nobody knows how far it came.

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::{RUN, filed, no_such_run, run_target};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::bundle::{Check, CheckStatus};
use crate::rules::bundle_run::{self as rule, RunOutcome, Told};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::bundle::{self, Run};
use crate::store::{StoreError, View};

/// What is said of the run.
const SAID: &str =
    "whoever ran it never came back; look at the target before anything else runs there";

pub(in crate::actions) struct InterruptBundleRun {
    run: String,
}

impl Action for InterruptBundleRun {
    const MAY: Permission = permission::INTERRUPT_BUNDLE_RUN;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "Mark the run of a bundle that nobody ends as interrupted";
    const UNDO: &'static str =
        "cannot be undone: a run ends once; roll-back-bundle takes back what it may have made";
    const KIND: &'static str = RUN;
    const TARGET: &'static str = "The run";
    type Facts = Option<Run>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            run: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Run>, StoreError> {
        bundle::run(view, &self.run).await
    }

    fn propose(&self, facts: &Option<Run>, _by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let before = facts.as_ref().ok_or_else(|| no_such_run(&self.run))?;
        let receipt = rule::receipt(Told {
            run_id: &before.run_id,
            run_type: before.run_type,
            migration_id: &before.migration_id,
            tier: before.environment,
            principal: &before.claimed_by,
            role: "claimant",
            plan_hash: before.plan_hash.as_deref(),
            decision: before.approval_id.as_deref().unwrap_or(Self::MAY.verb),
            inputs: Vec::new(),
            outputs: Vec::new(),
            status: CheckStatus::Fail,
            checks: vec![Check {
                name: "ended".to_owned(),
                status: CheckStatus::Fail,
                detail: Some(SAID.to_owned()),
            }],
            started: before.claimed_at_utc,
            finished: now,
        });
        let evidence = filed(&receipt);
        let after = Run {
            outcome: RunOutcome::Interrupted,
            ended_at_utc: Some(now),
            detail: Some(SAID.to_owned()),
            receipt_sha256: Some(evidence[0].1.sha256.to_string()),
            version: before.version + 1,
            ..before.clone()
        };
        let rows = vec![Row::change(before, after)?];
        let conditions = rule::may_interrupt(&before.ran());
        Ok(Draft::new(run_target(before), conditions, rows).with_evidence(evidence))
    }
}

//! `govdeck gate`: verdicts for pipelines.

use clap::Subcommand;
use serde_json::json;

use super::act::settle;
use super::page::{Exit, Failure, Page};
use crate::actions::{self, ByRule, Outcome, Request};
use crate::rules::Verdict;
use crate::rules::block::AuditStatus;
use crate::store::{Store, publish};

/// A gate to ask.
#[derive(Debug, Subcommand)]
pub(super) enum Gate {
    /// Decide a pending publish run, once.
    Publish {
        /// The run's id.
        run: String,
    },
}

impl Gate {
    pub(super) async fn run(self, store: &Store) -> Result<Page, Failure> {
        let Self::Publish { run } = self;
        let request = Request::by_rule(ByRule::DecideRun { run: run.clone() })?;
        match actions::carry_out(store, request).await {
            // An unknown run, a decided one, or one without a route: the gate cannot tell.
            Outcome::Refused(refusal) => {
                return Err(Failure::new(
                    Exit::CannotTell,
                    refusal.sentence,
                    refusal.hint,
                ));
            }
            outcome => settle(store, outcome).await?,
        };
        let audit = publish::audit(&mut store.view().await?, &run).await?;
        let audit = audit.ok_or_else(|| {
            Failure::new(
                Exit::CannotTell,
                format!("the decision on {run} cannot be read"),
                "run `govdeck ledger verify`",
            )
        })?;
        let verdict = Verdict::of(audit.status == AuditStatus::GatePassed);
        let also: serde_json::Value = serde_json::from_str(&audit.also).unwrap_or_default();
        let line = match audit.block_reason {
            None => format!("PASS {run}"),
            Some(reason) => format!(
                "BLOCKED {run}: {reason}, also {also}, owner {}",
                audit.owner_user_id.as_deref().unwrap_or("nobody")
            ),
        };
        let json = json!({
            "run": run, "verdict": verdict, "block_reason": audit.block_reason, "also": also,
            "owner": audit.owner_user_id, "backup": audit.backup_owner_user_id, "hold": null,
        });
        Ok(Page::new(
            Exit::from(verdict),
            vec![line],
            "gate-publish",
            json,
        ))
    }
}

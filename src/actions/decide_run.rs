//! Decides a pending publish run, by rule and exactly once.

use super::entry::{Action, Asked, Draft, Prepared, Row, Stop};
use crate::clock::Moment;
use crate::rules::block::{
    self, AuditStatus, BlockReason, GateDecision, GateFacts, SnapshotStatus,
};
use crate::rules::drift::{FiledLeaves, Side};
use crate::rules::governance::Governance;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal, Verdict, time};
use crate::store::outbox::Notice;
use crate::store::publish::{self, Audit, Snapshot};
use crate::store::route::{self as routes, Route};
use crate::store::tables::image_of;
use crate::store::{StoreError, Target, View, governance, leaf, ledger};

pub(super) struct DecideRun {
    run: String,
    drift: Option<Prepared>,
}

pub(super) struct Facts {
    snapshot: Option<Snapshot>,
    registered_semvers: Vec<String>,
    routes: Vec<Route>,
    governance: Governance,
    leaves: [Option<FiledLeaves>; 2],
    latest_entry_at: Option<Moment>,
}

impl Action for DecideRun {
    const MAY: Permission = permission::DECIDE_RUN;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "Let the publish gate decide a pending run";
    const UNDO: &'static str = "cannot be undone: a run is decided once; another one is minted";
    const KIND: &'static str = "run";
    const TARGET: &'static str = "The pending run";
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            run: asked.target.clone(),
            drift: super::drift::prepared(asked),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            snapshot: publish::snapshot(view, &self.run).await?,
            registered_semvers: publish::registered_semvers(view).await?,
            routes: routes::routes(view).await?,
            governance: governance::hold(view).await?,
            leaves: [
                leaf::head(view, &self.run, Side::Publish).await?,
                leaf::head(view, &self.run, Side::Source).await?,
            ],
            latest_entry_at: ledger::head(view).await?.latest_at_utc,
        })
    }

    fn propose(&self, facts: &Facts, _by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let snapshot = facts.snapshot.as_ref().ok_or_else(|| {
            Refusal::new(format!("there is no run {:?}", self.run), "mint it first")
        })?;
        let decision = block::decide(&GateFacts {
            publish_tuple_hash: snapshot.publish_tuple_hash.as_deref(),
            source_tuple_hash: snapshot.source_tuple_hash.as_deref(),
            footer_schema_semver: snapshot.footer_schema_semver.as_deref(),
            registered_semvers: &facts.registered_semvers,
            minted_at: snapshot.created_at_utc,
            source_observed_at: snapshot.source_observed_at_utc,
            now,
        });
        let route = decision.block_reason().map(|reason| {
            facts
                .routes
                .iter()
                .find(|route| route.block_reason == reason)
        });
        let decided = decided_snapshot(snapshot, &decision, now);
        let audit = audit_of(&decided, &decision, route.flatten(), now)?;
        let drift = if decision.causes.contains(&BlockReason::TupleDrift) {
            super::drift::to_file(snapshot, &facts.leaves, self.drift.as_ref())?
        } else {
            None
        };
        let says = drift.as_ref().map(|drift| drift.says.as_str());
        let notices = tell_the_owner(&audit, says).into_iter().collect();
        Ok(Draft::new(
            Target {
                kind: Self::KIND,
                id: self.run.clone(),
                version: snapshot.version,
            },
            vec![
                Condition::holds(
                    "pending",
                    snapshot.status == SnapshotStatus::PendingGate,
                    "the pipeline",
                    format!("the run is {}", snapshot.status),
                    "a run is decided once; mint another",
                ),
                facts.governance.not_red(),
                time::can_be_counted(facts.latest_entry_at, now),
                Condition {
                    id: "routed",
                    verdict: if matches!(route, Some(None)) {
                        Verdict::CannotTell
                    } else {
                        Verdict::Pass
                    },
                    owner: "governance_lead".to_owned(),
                    evidence: format!("{} routes", facts.routes.len()),
                    fix: "every block reason needs its owner route".to_owned(),
                },
            ],
            vec![Row::change(snapshot, decided)?, Row::new(audit)],
        )
        .with_notices(notices)
        .with_evidence(
            drift
                .into_iter()
                .map(|drift| (drift.role, drift.artifact))
                .collect(),
        ))
    }
}

fn decided_snapshot(snapshot: &Snapshot, decision: &GateDecision, now: Moment) -> Snapshot {
    let block_reason = decision.block_reason();
    Snapshot {
        status: if block_reason.is_some() {
            SnapshotStatus::Blocked
        } else {
            SnapshotStatus::GatePassed
        },
        block_reason,
        decided_at_utc: Some(now),
        version: snapshot.version + 1,
        ..snapshot.clone()
    }
}

fn audit_of(
    run: &Snapshot,
    decision: &GateDecision,
    route: Option<&Route>,
    now: Moment,
) -> Result<Audit, Stop> {
    let also: Vec<&str> = decision
        .also()
        .iter()
        .map(|reason: &BlockReason| reason.word())
        .collect();
    Ok(Audit {
        publish_run_id: run.publish_run_id.clone(),
        freeze_id: run.freeze_id.clone(),
        lift_id: run.lift_id.clone(),
        dry_run_id: run.dry_run_id.clone(),
        publish_tuple_hash: run.publish_tuple_hash.clone(),
        source_tuple_hash: run.source_tuple_hash.clone(),
        status: if decision.block_reason().is_some() {
            AuditStatus::Blocked
        } else {
            AuditStatus::GatePassed
        },
        block_reason: decision.block_reason(),
        also: String::from_utf8_lossy(&image_of(&also)?).into_owned(),
        owner_user_id: route.map(|route| route.owner_user_id.clone()),
        backup_owner_user_id: route.map(|route| route.backup_owner_user_id.clone()),
        sla_first_response_minutes: route.map(|route| route.sla_first_response_minutes),
        respond_by_utc: route.map(|route| now.plus_minutes(route.sla_first_response_minutes)),
        taken_by: None,
        taken_at_utc: None,
        escalated_by: None,
        escalated_at_utc: None,
        resolution_id: None,
        rehash_sha256: None,
        rehash_at_utc: None,
        drill: run.drill,
        created_at_utc: now,
        resolved_at_utc: None,
        version: 1,
        progress_at_utc: None,
        last_note: None,
    })
}

fn tell_the_owner(audit: &Audit, drift: Option<&str>) -> Option<Notice> {
    let reason = audit.block_reason?;
    let run = &audit.publish_run_id;
    let due = audit.respond_by_utc?;
    let drift = drift.map_or(String::new(), |says| format!("\n{says}."));
    Some(Notice {
        event_class: "block_opened",
        about: run.clone(),
        recipient_id: audit.owner_user_id.clone()?,
        subject: format!("publish block {run}: {reason}"),
        body: format!(
            "{run} was stopped before distribution: {reason}. First response due by {due}.{drift}\nTake it with: govdeck act take-block {run}"
        ),
        drill: audit.drill,
    })
}

//! Resolves a publish block by a later run that passed the gate.

use super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Suggested};
use super::take_block::{no_such_block, target};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::block::{self, AuditStatus, GateFacts, Replacement};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::publish::{self, Audit, Snapshot};
use crate::store::{StoreError, View};

pub(super) struct ResolveBlock {
    run: String,
    by: String,
}

pub(super) struct Facts {
    block: Option<(Audit, Snapshot)>,
    by: Option<Snapshot>,
    registered: Vec<String>,
}

/// Reads a block together with its run.
pub(super) async fn block_and_run(
    view: &mut View,
    run: &str,
) -> Result<Option<(Audit, Snapshot)>, StoreError> {
    let audit = publish::audit(view, run).await?;
    let snapshot = publish::snapshot(view, run).await?;
    Ok(audit.zip(snapshot))
}

/// Returns what the rules on ending a block look at.
pub(super) fn ending<'a>(audit: &'a Audit, run: &'a Snapshot) -> block::Ending<'a> {
    block::Ending {
        run: &audit.publish_run_id,
        standing: audit.standing(),
        reason: audit.block_reason,
        scope: &run.publish_scope,
        drill: audit.drill,
        minted_at: run.created_at_utc,
        publish_tuple_hash: audit.publish_tuple_hash.as_deref(),
    }
}

impl Action for ResolveBlock {
    const MAY: Permission = permission::RESOLVE_BLOCK;
    const KEY: char = 'v';
    const SUMMARY: &'static str = "Resolve a publish block by a later run that passed";
    const UNDO: &'static str =
        "cannot be undone: what has ended stays ended; another run is minted";
    const KIND: &'static str = "block";
    const TARGET: &'static str = "The blocked run";
    const FIELDS: &'static [Field] = &[Field {
        name: "by",
        help: "The later run of the same scope that passed the gate",
        required: Required::Yes,
    }];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            run: asked.target.clone(),
            by: asked.required("by")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            block: block_and_run(view, &self.run).await?,
            by: publish::snapshot(view, &self.by).await?,
            registered: publish::registered_semvers(view).await?,
        })
    }

    async fn suggest(target: &str, view: &mut View) -> Result<Option<Suggested>, Stop> {
        let (_, run) = block_and_run(view, target)
            .await?
            .ok_or_else(|| no_such_block(target))?;
        let later = publish::newest_passed_after(view, &run).await?;
        let by = later.ok_or_else(|| {
            Refusal::new(
                "no later run of its scope has passed",
                "publish anew, and resolve by that run",
            )
        })?;
        Ok(Some(Suggested {
            asked: Asked::of(target).with("by", by),
            untold: &[],
            offers: Some("by"),
        }))
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let (before, run) = facts
            .block
            .as_ref()
            .ok_or_else(|| no_such_block(&self.run))?;
        let later = facts.by.as_ref();
        let replacement = Replacement {
            run: &self.by,
            status: later.map(|run| run.status),
            scope: later.map_or("unknown", |run| &run.publish_scope),
            drill: later.is_some_and(|run| run.drill),
            facts: later.map(|run| gate_facts(run, &facts.registered, now)),
        };
        let after = Audit {
            status: AuditStatus::Resolved,
            resolution_id: later.map(|run| run.publish_run_id.clone()),
            resolved_at_utc: Some(now),
            version: before.version + 1,
            ..before.clone()
        };
        let conditions = block::may_resolve(&ending(before, run), &replacement, by.actor);
        Ok(Draft::new(
            target(before),
            conditions,
            vec![Row::change(before, after)?],
        ))
    }
}

fn gate_facts<'a>(run: &'a Snapshot, registered: &'a [String], now: Moment) -> GateFacts<'a> {
    GateFacts {
        publish_tuple_hash: run.publish_tuple_hash.as_deref(),
        source_tuple_hash: run.source_tuple_hash.as_deref(),
        footer_schema_semver: run.footer_schema_semver.as_deref(),
        registered_semvers: registered,
        minted_at: run.created_at_utc,
        source_observed_at: run.source_observed_at_utc,
        now,
    }
}

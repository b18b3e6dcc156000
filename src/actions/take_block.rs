//! Takes a publish block: the first response, which stops its clock once.

use super::entry::{Action, Asked, Draft, Row, Stop};
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Refusal, block};
use crate::store::publish::{self, Audit};
use crate::store::{StoreError, Target, View};

pub(super) struct TakeBlock {
    run: String,
}

/// Says that a run has no audit row to work on.
pub(super) fn no_such_block(run: &str) -> Refusal {
    Refusal::new(
        format!("the gate has decided no run {run:?}"),
        "`govdeck status` lists the open blocks",
    )
}

/// Names a block as the target of an action.
pub(super) fn target(audit: &Audit) -> Target {
    Target {
        kind: TakeBlock::KIND,
        id: audit.publish_run_id.clone(),
        version: audit.version,
    }
}

impl Action for TakeBlock {
    const MAY: Permission = permission::TAKE_BLOCK;
    const KEY: char = 't';
    const SUMMARY: &'static str = "Take a publish block: the first response to it";
    const UNDO: &'static str = "cannot be undone: a first response is given once; resolve-block and withdraw-block end the block";
    const KIND: &'static str = "block";
    const TARGET: &'static str = "The blocked run";
    type Facts = Option<Audit>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            run: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Audit>, StoreError> {
        publish::audit(view, &self.run).await
    }

    fn propose(&self, facts: &Option<Audit>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let before = facts.as_ref().ok_or_else(|| no_such_block(&self.run))?;
        let after = Audit {
            taken_by: Some(by.id()),
            taken_at_utc: Some(now),
            version: before.version + 1,
            ..before.clone()
        };
        Ok(Draft::new(
            target(before),
            block::may_take(&before.standing(), by.actor),
            vec![Row::change(before, after)?],
        ))
    }
}

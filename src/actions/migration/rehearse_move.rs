//! Moves a migration on the fork of a rehearsal, where the rules for people cannot hold; nowhere else does it do anything.

use super::super::entry::{Action, Asked, Draft, Stop};
use super::taken_back::went_back;
use super::{MIGRATION, Moved, no_such_migration, read, target, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::{Move, Phase, RollbackReason, may_rehearse_move};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::deployment::{self, Deployment};
use crate::store::migration::Migration;
use crate::store::{StoreError, View};

/// What the moves of a fork say why.
const WHY: &str = "the hour is rehearsed";

pub(in crate::actions) struct RehearseMove {
    id: String,
    to: Move,
}

pub(in crate::actions) struct Facts {
    read: super::Facts,
    deployment: Deployment,
}

impl Action for RehearseMove {
    const MAY: Permission = permission::REHEARSE_MOVE;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "Move a migration on the fork of a rehearsal";
    const UNDO: &'static str = "cannot be undone: the fork is thrown away";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            to: asked.required("to")?.parse()?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        let Some(read) = read(view, &self.id).await? else {
            return Ok(None);
        };
        let deployment = deployment::read(view).await?;
        Ok(Some(Facts { read, deployment }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = facts.as_ref().ok_or_else(|| no_such_migration(&self.id))?;
        let known = &there(Some(&facts.read), &self.id)?.known;
        let before = &known.migration;
        let environment = facts.deployment.environment;
        let conditions = known.decide(now, |facts| may_rehearse_move(facts, environment, self.to));
        let next = Migration {
            version: before.version + 1,
            ..before.clone()
        };
        let after = match self.to {
            Move::Rollback => went_back(before, RollbackReason::OperatorAbort, now),
            Move::Close => Migration {
                closed_at_dt_utc: Some(now),
                watch_until: Some(now),
                ..next
            },
            _ => Migration {
                phase: Phase::Cutover,
                ..next
            },
        };
        let moved = Moved {
            kind: self.to,
            second: None,
            back: (self.to == Move::Rollback).then_some((RollbackReason::OperatorAbort, WHY)),
        };
        let by = Acting {
            reason: Some(WHY),
            ..*by
        };
        let rows = moved.rows(before, after, &by, now)?;
        Ok(Draft::new(target(before), conditions, rows))
    }
}

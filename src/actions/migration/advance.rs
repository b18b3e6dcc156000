//! Moves a migration on to its next phase, when every gate holds: both halves are written, then the modern half alone.

use super::super::entry::{Action, Asked, Draft, Stop};
use super::{Facts, HOUR, MIGRATION, Moved, in_the_hour, read, target, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::hour::may_flip;
use crate::rules::migration::{self as rule, Move, Phase};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::artifact::{Artifact, DUAL_WRITE_SCANS};
use crate::store::migration::{KnownHour, Migration};
use crate::store::tables::image_of;
use crate::store::{StoreError, View};

pub(in crate::actions) struct StartDualWrite {
    id: String,
}

pub(in crate::actions) struct CutOver {
    id: String,
}

fn advance(
    id: &str,
    facts: Option<&Facts>,
    phase: Phase,
    by: &Acting<'_>,
    now: Moment,
) -> Result<Draft, Stop> {
    let facts = there(facts, id)?;
    let before = &facts.known.migration;
    let hour = facts.known.running_hour();
    let banner = hour.filter(|_| phase == Phase::Cutover);
    let after = Migration {
        phase,
        banner_id: banner.map(KnownHour::banner_id),
        version: before.version + 1,
        ..before.clone()
    };
    let moved = Moved {
        kind: match phase {
            Phase::Cutover => Move::Cutover,
            _ => Move::DualWrite,
        },
        second: None,
        back: None,
    };
    let rows = moved.rows(before, after, by, now)?;
    let stand = hour.map(KnownHour::stand);
    let conditions = facts.known.decide(now, |facts| {
        let mut conditions = Vec::new();
        if phase == Phase::Cutover {
            conditions = may_flip(facts, stand.as_ref(), &by.actor.person_id);
        }
        conditions.extend(rule::may_move(facts, phase));
        conditions
    });
    let said = format!("{} to {phase}", before.phase);
    let target = match phase {
        Phase::Cutover => in_the_hour(before),
        _ => target(before),
    };
    let draft = Draft::new(target, conditions, rows);
    let draft = draft.with_notices(facts.tell(by, &said, &by.reason()));
    if phase != Phase::Cutover {
        return Ok(draft);
    }
    // Scans are a feed: what was read of it stays with the entry, whatever becomes of the rows.
    let (role, media_type) = DUAL_WRITE_SCANS;
    let scans = image_of(&facts.known.frozen_scans(now))?;
    Ok(draft.with_evidence(vec![(role, Artifact::new(media_type, scans))]))
}

impl Action for StartDualWrite {
    const MAY: Permission = permission::START_DUAL_WRITE;
    const KEY: char = 'd';
    const SUMMARY: &'static str = "Move a migration on: both halves of each pair are written";
    const UNDO: &'static str =
        "roll-back-migration: for good; a further attempt is a new migration";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        read(view, &self.id).await
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        advance(&self.id, facts.as_ref(), Phase::DualWrite, by, now)
    }
}

impl Action for CutOver {
    const MAY: Permission = permission::CUT_OVER;
    const KEY: char = 'x';
    const SUMMARY: &'static str = "Cut a migration over: exporters write the modern half alone";
    const UNDO: &'static str =
        "roll-back-migration: while it is open, and while it is watched after that";
    const KIND: &'static str = HOUR;
    const TARGET: &'static str = "The migration's id";
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        read(view, &self.id).await
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        advance(&self.id, facts.as_ref(), Phase::Cutover, by, now)
    }
}

//! Takes a migration back by rule, when what was compared since the flip lies too far apart: once above hard, or above soft
//! in two scheduled weeks in a row.

use super::super::entry::{Action, Asked, Draft, Stop};
use super::taken_back::{Back, read_back, taken_back};
use super::{MIGRATION, no_such_migration, target};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::{self as rule, RollBack, TOLD_OF_ROLLBACK};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::text::shorten;
use crate::store::artifact::{Artifact, ROLLBACK_TRIGGER};
use crate::store::migration::{self, Watched};
use crate::store::outbox::Notice;
use crate::store::tables::image_of;
use crate::store::{StoreError, View, person};

/// How long the note may be; the evidence has all of it.
const MOST_NOTE: usize = 2_000;

pub(in crate::actions) struct TriggerRollback {
    id: String,
}

pub(in crate::actions) struct Facts {
    goes: Back,
    watched: Watched,
    /// Who is paged.
    paged: Vec<String>,
}

impl Action for TriggerRollback {
    const MAY: Permission = permission::TRIGGER_ROLLBACK;
    const KEY: char = ' ';
    const SUMMARY: &'static str =
        "Take a migration back whose numbers lie too far apart since the flip";
    const UNDO: &'static str = "cannot be undone: a further attempt is a new migration";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        let Some(goes) = read_back(view, &self.id).await? else {
            return Ok(None);
        };
        Ok(Some(Facts {
            watched: migration::watched(view, &goes.moved.known).await?,
            paged: person::holders(view, TOLD_OF_ROLLBACK).await?,
            goes,
        }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = facts.as_ref().ok_or_else(|| no_such_migration(&self.id))?;
        let known = &facts.goes.moved.known;
        let before = &known.migration;
        let found = facts.watched.trigger(known, now);
        let mut conditions = vec![rule::may_trigger(&found)];
        let Some(reason) = found.reason else {
            return Ok(Draft::new(target(before), conditions, Vec::new()));
        };
        let back = RollBack {
            reason,
            by_person: false,
        };
        conditions.extend(known.decide(now, |facts| rule::may_roll_back(facts, back)));
        let note = found.grounds();
        let note = shorten(&note, MOST_NOTE);
        let why = (reason, &*note);
        let (rows, mut notices) = taken_back(&facts.goes, why, by, now)?;
        notices.extend(facts.paged.iter().map(|who| Notice {
            event_class: "migration_rolled_back",
            about: self.id.clone(),
            recipient_id: who.clone(),
            subject: format!("{}: ROLLED BACK by rule, {reason}", self.id),
            body: format!("{note}\nSee it with: govdeck migration show {}", self.id),
            drill: false,
        }));
        let (role, media_type) = ROLLBACK_TRIGGER;
        let evidence = Artifact::new(media_type, image_of(&(&self.id, &found))?);
        Ok(Draft::new(target(before), conditions, rows)
            .with_notices(notices)
            .with_evidence(vec![(role, evidence)]))
    }
}

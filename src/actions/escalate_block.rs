//! Escalates a publish block: pages the backup, once.

use super::entry::{Action, Asked, Draft, Row, Stop};
use super::take_block::{no_such_block, target};
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Refusal, block};
use crate::store::outbox::Notice;
use crate::store::publish::{self, Audit};
use crate::store::{StoreError, View};

pub(super) struct EscalateBlock {
    run: String,
}

impl Action for EscalateBlock {
    const MAY: Permission = permission::ESCALATE_BLOCK;
    const KEY: char = 'e';
    const SUMMARY: &'static str = "Escalate a publish block: page its backup";
    const UNDO: &'static str = "cannot be undone: a page for the backup is queued";
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
            escalated_by: Some(by.id()),
            escalated_at_utc: Some(now),
            version: before.version + 1,
            ..before.clone()
        };
        Ok(Draft::new(
            target(before),
            block::may_escalate(&before.standing(), by.actor),
            vec![Row::change(before, after)?],
        )
        .with_notices(page_the_backup(before, by).into_iter().collect()))
    }
}

fn page_the_backup(block: &Audit, by: &Acting<'_>) -> Option<Notice> {
    let backup = block.backup_owner_user_id.clone()?;
    let owner = block.owner_user_id.as_deref().unwrap_or("nobody");
    let reason = block.block_reason.map_or("unknown", |reason| reason.word());
    let due = block
        .respond_by_utc
        .map_or_else(|| "unknown".to_owned(), |due| due.to_string());
    Some(Notice {
        event_class: "block_escalated",
        about: block.publish_run_id.clone(),
        recipient_id: backup,
        subject: format!(
            "publish block {} was escalated to you",
            block.publish_run_id
        ),
        body: format!(
            "{} is blocked ({reason}). Its owner is {owner}; {} escalates it to you. First response due by {due}.\n\
             Take it with: govdeck act take-block {}",
            block.publish_run_id, by.actor.person_id, block.publish_run_id
        ),
        drill: block.drill,
    })
}

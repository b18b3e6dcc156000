//! Says no to what somebody else proposed, or takes an own proposal back.

use super::approve::{Facts, ended, no_such_proposal, target};
use super::ask_approval::KIND;
use super::entry::{Action, Asked, Draft, Stop};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::approval::{self, ApprovalStatus};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::outbox::Notice;
use crate::store::{StoreError, View};

pub(super) struct Decline {
    ticket: String,
}

impl Action for Decline {
    const MAY: Permission = permission::DECLINE;
    const KEY: char = 'n';
    const SUMMARY: &'static str = "Say no to what somebody else proposed, or take it back";
    const UNDO: &'static str = "cannot be undone: it can be proposed anew";
    const KIND: &'static str = KIND;
    const TARGET: &'static str = "The proposal's ticket";
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            ticket: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        Facts::read(view, &self.ticket, None).await
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = facts
            .as_ref()
            .ok_or_else(|| no_such_proposal(&self.ticket))?;
        let request = &facts.request;
        let is_own = by.actor.person_id == request.proposed_by;
        let (status, notices) = if is_own {
            (ApprovalStatus::Withdrawn, Vec::new())
        } else {
            (ApprovalStatus::Declined, vec![tell_the_proposer(facts, by)])
        };
        let row = ended(request, status, Some(by.id()), Some(by.reason()), now)?;
        let conditions = approval::may_decline(&facts.standing(), by.actor, now);
        let draft = Draft::new(target(request), conditions, vec![row]);
        Ok(draft.answering(request).with_notices(notices))
    }
}

fn tell_the_proposer(facts: &Facts, by: &Acting<'_>) -> Notice {
    let request = &facts.request;
    Notice {
        event_class: "approval_declined",
        about: request.ticket.clone(),
        recipient_id: request.proposed_by.clone(),
        subject: format!(
            "{} declines {} of {}",
            by.actor.person_id, request.action, request.target_id
        ),
        body: by.reason(),
        drill: false,
    }
}

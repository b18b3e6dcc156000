//! Ends a proposal that nobody can approve any more: it has expired, or what it rests on has changed.

use super::approve::{Facts, ended, no_such_proposal, target};
use super::ask_approval::KIND;
use super::entry::{Action, Asked, Draft, Stop};
use crate::clock::Moment;
use crate::rules::approval::{self, ApprovalStatus};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal, time};
use crate::store::{StoreError, View};

pub(super) struct EndApproval {
    ticket: String,
}

impl Action for EndApproval {
    const MAY: Permission = permission::END_APPROVAL;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "End a proposal that nobody can approve any more";
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

    fn propose(&self, facts: &Option<Facts>, _by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = facts
            .as_ref()
            .ok_or_else(|| no_such_proposal(&self.ticket))?;
        let request = &facts.request;
        let ends = approval::ends_by_rule(&facts.standing(), facts.is_unchanged(), now);
        let because = match ends {
            Some(ApprovalStatus::Expired) => {
                format!("nobody answered by {}", request.expires_at_utc)
            }
            _ => facts.what_changed(),
        };
        let over = Condition::holds(
            "over",
            ends.is_some(),
            "the second person",
            because.clone(),
            "it can still be approved or declined",
        );
        let status = ends.unwrap_or(ApprovalStatus::Lapsed);
        let row = ended(request, status, None, Some(because), now)?;
        let counted = time::can_be_counted(facts.latest_entry_at, now);
        Ok(Draft::new(target(request), vec![counted, over], vec![row]))
    }
}

//! Files a proposal that one person is not enough for, and tells those who could say the second yes.

use super::entry::{Asked, Draft, Entry, Row, Stop};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::approval::ApprovalStatus;
use crate::rules::people::Acting;
use crate::rules::permission::list_of;
use crate::store::approval::{self, ApprovalRequest};
use crate::store::outbox::Notice;
use crate::store::tables::image_of;
use crate::store::{StoreError, Target, View, person};

/// The kind of a proposal as a target.
pub(super) const KIND: &str = "approval";

/// What waits for a second person.
#[derive(Debug, Clone)]
pub(super) struct Proposed {
    /// The ticket under which it will stand in the ledger when it is done.
    pub ticket: String,
    /// The decision card that both see.
    pub card: Vec<u8>,
    /// Until when it waits.
    pub expires: Moment,
}

impl Proposed {
    /// Says what filing the proposal writes; it rests on the same conditions as what is proposed.
    pub(super) fn ask(
        &self,
        entry: &Entry,
        asked: &Asked,
        draft: &Draft,
        by: &Acting<'_>,
        now: Moment,
    ) -> Result<(ApprovalRequest, Draft), StoreError> {
        let request = ApprovalRequest {
            ticket: self.ticket.clone(),
            action: entry.verb.to_owned(),
            target_kind: draft.target.kind.to_owned(),
            target_id: draft.target.id.clone(),
            target_version: draft.target.version,
            asked: String::from_utf8_lossy(&image_of(&(&asked.target, &asked.fields))?)
                .into_owned(),
            reason: by.reason(),
            state_hash: draft.state_hash()?,
            card_sha256: Digest::of(&self.card),
            proposed_by: by.id(),
            attestation: by.actor.attestation,
            proposed_at_utc: now,
            expires_at_utc: self.expires,
            status: ApprovalStatus::Waiting,
            ended_by: None,
            ended_at_utc: None,
            ended_because: None,
            version: 1,
            roles_needed: Some(list_of(entry.may.two)),
        };
        let target = Target {
            kind: KIND,
            id: self.ticket.clone(),
            version: 0,
        };
        let rows = vec![Row::new(request.clone())];
        Ok((request, Draft::new(target, draft.conditions.clone(), rows)))
    }
}

/// Refuses when the same thing waits for a second person already.
pub(super) async fn refuse_if_waits(
    view: &mut View,
    entry: &Entry,
    target: &Target,
) -> Result<(), Stop> {
    let waits = approval::waits_already(view, entry.verb, target.kind, &target.id).await?;
    match waits {
        Some(waiting) if view.now() < waiting.expires_at_utc => Err(Refusal::new(
            format!(
                "{} of {} waits for a second person already, until {}",
                entry.name(),
                target.id,
                waiting.expires_at_utc
            ),
            format!("govdeck approval show {}", waiting.ticket),
        )
        .into()),
        _ => Ok(()),
    }
}

/// Tells everybody who could say the second yes.
pub(super) async fn tell_the_others(
    view: &mut View,
    request: &ApprovalRequest,
    entry: &Entry,
) -> Result<Vec<Notice>, StoreError> {
    let holders = person::holders(view, entry.may.two).await?;
    let others = holders.into_iter().filter(|id| *id != request.proposed_by);
    Ok(others.map(|id| notice(id, request, entry)).collect())
}

fn notice(recipient_id: String, request: &ApprovalRequest, entry: &Entry) -> Notice {
    let ApprovalRequest {
        ticket,
        target_id,
        proposed_by,
        reason,
        expires_at_utc,
        ..
    } = request;
    Notice {
        event_class: "approval_asked",
        about: ticket.clone(),
        recipient_id,
        subject: format!(
            "{proposed_by} asks for a second person: {} of {target_id}",
            entry.name()
        ),
        body: format!(
            "{proposed_by} proposes {} of {target_id}: {reason}\nIt waits until {expires_at_utc}.\n\
             See it with: govdeck approval show {ticket}",
            entry.name()
        ),
        drill: false,
    }
}

//! What an entry says and files: of one person or a rule alone, of a proposal that waits, and of a second yes.

use serde::Serialize;

use super::ask_approval::Proposed;
use super::card::{Decider, card};
use super::entry::{Draft, Second, Stop};
use super::proposal::{Confirmed, Request};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::people::{Actor, Attestation, Basis};
use crate::rules::{Condition, permission};
use crate::store::artifact::{self, Artifact};
use crate::store::tables::image_of;
use crate::store::{Decision, StoreError, Work};

#[derive(Serialize)]
struct Recheck<'a> {
    schema: &'static str,
    ticket: &'a str,
    observed_at: Moment,
    conditions: &'a [Condition],
}

/// Writes down what was found when everything was checked again; a card shows what was found before.
fn recheck(ticket: &str, conditions: &[Condition], now: Moment) -> Result<Artifact, StoreError> {
    let found = image_of(&Recheck {
        schema: "govdeck.recheck.v1",
        ticket,
        observed_at: now,
        conditions,
    })?;
    Ok(Artifact::new(artifact::RECHECKED, found))
}

#[derive(Serialize)]
struct SecondYes<'a> {
    schema: &'static str,
    ticket: &'a str,
    approved_by: &'a str,
    attestation: Attestation,
    reason: Option<&'a str>,
    observed_at: Moment,
    conditions: &'a [Condition],
}

fn work(
    request: &Request,
    draft: Draft,
    recheck: Artifact,
    further: Option<(&'static str, Artifact)>,
) -> Work {
    let mut artifacts = vec![(artifact::RECHECK, recheck)];
    artifacts.extend(further);
    artifacts.extend(draft.evidence);
    artifacts.extend(request.signature.as_ref().map(|signature| {
        let armored = signature.armored.clone().into_bytes();
        let signature = Artifact::new(artifact::SSH_SIGNATURE, armored);
        (artifact::SIGNATURE, signature)
    }));
    Work {
        rows: draft.rows.into_iter().map(|row| row.after).collect(),
        artifacts,
        notices: draft.notices,
        arming: draft.arming,
        kept: draft.kept,
    }
}

/// The entry of what one person confirmed, or a rule found.
pub(super) fn alone(
    request: &Request,
    actor: &Actor,
    draft: Draft,
    state_hash: Digest,
    now: Moment,
) -> Result<(Decision, Work), StoreError> {
    let (basis, card) = match &request.basis {
        Confirmed::Person { card, .. } => (Basis::Person, card.clone()),
        Confirmed::Rule => {
            let decider = Decider {
                deployment_id: None,
                verb: request.entry.verb,
                basis: Basis::Rule,
                actor_id: &actor.person_id,
                ticket: &request.ticket,
                reason: None,
            };
            (Basis::Rule, card(&decider, &draft, state_hash, now)?)
        }
    };
    let decision = Decision {
        ticket: request.ticket.clone(),
        action: request.entry.verb,
        basis,
        actor_id: actor.person_id.clone(),
        approved_by: None,
        attestation: actor.attestation,
        target: draft.target.clone(),
        state_hash,
        card,
        reason: request.reason.clone(),
    };
    let recheck = recheck(&request.ticket, &draft.conditions, now)?;
    Ok((decision, work(request, draft, recheck, None)))
}

/// The entry of a proposal that waits from now on; the card that both will have seen is filed with it.
pub(super) fn asking(
    request: &Request,
    actor: &Actor,
    proposed: &Proposed,
    asking: Draft,
    now: Moment,
) -> Result<(Decision, Work), StoreError> {
    let decision = Decision {
        ticket: request.ticket.clone(),
        action: permission::ASK_APPROVAL.verb,
        basis: Basis::Person,
        actor_id: actor.person_id.clone(),
        approved_by: None,
        attestation: actor.attestation,
        target: asking.target.clone(),
        state_hash: asking.state_hash()?,
        card: request.card().unwrap_or_default().to_vec(),
        reason: request.reason.clone(),
    };
    let recheck = recheck(&request.ticket, &asking.conditions, now)?;
    let waits = Artifact::new(artifact::CARD, proposed.card.clone());
    Ok((
        decision,
        work(request, asking, recheck, Some((artifact::PROPOSED, waits))),
    ))
}

/// The entry of what two agreed on: the proposer acts, whoever said the second yes writes.
pub(super) fn second_yes(
    request: &Request,
    actor: &Actor,
    mut draft: Draft,
    second: Second,
    now: Moment,
) -> Result<(Decision, Work), Stop> {
    let Second {
        request: filed,
        verb,
        target,
        conditions,
        card,
    } = second;
    let yes = image_of(&SecondYes {
        schema: "govdeck.approval.v1",
        ticket: &filed.ticket,
        approved_by: &actor.person_id,
        attestation: actor.attestation,
        reason: request.reason.as_deref(),
        observed_at: now,
        conditions: &draft.conditions,
    })?;
    draft.conditions.clone_from(&conditions);
    let recheck = recheck(&filed.ticket, &conditions, now)?;
    let decision = Decision {
        ticket: filed.ticket,
        action: verb,
        basis: Basis::Person,
        actor_id: filed.proposed_by,
        approved_by: Some(actor.person_id.clone()),
        attestation: actor.attestation,
        target,
        state_hash: filed.state_hash,
        card,
        reason: Some(filed.reason),
    };
    let yes = Artifact::new(artifact::APPROVAL, yes);
    Ok((
        decision,
        work(request, draft, recheck, Some((artifact::APPROVED, yes))),
    ))
}

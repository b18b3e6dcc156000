//! A confirmed request that waits for a signature made elsewhere, as it is kept in a file.
//!
//! Whoever can write the file can write anything into it. Hence it becomes a request again only together with a good
//! signature over its card, and only if it says what that card says; carrying it out then plans everything anew.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ask_approval::{KIND as APPROVAL, Proposed};
use super::entry::{Asked, Entry, Signing};
use super::proposal::{Confirmed, Request};
use crate::canon::{self, Digest};
use crate::clock::Moment;
use crate::rules::guard::{Level, REASON_AT_LEAST, REASON_AT_MOST};
use crate::rules::people::Basis;
use crate::rules::{Refusal, permission};
use crate::signing::Signature;
use crate::store::deployment::Deployment;
use crate::store::tables::{TABLES, image_of};
use crate::store::{StoreError, Target};

const SCHEMA: &str = "govdeck.put-aside.v1";

/// A confirmed request, put aside until its card is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutAside(Kept);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    schema: String,
    deployment: String,
    deployment_id: String,
    action: String,
    target: String,
    fields: BTreeMap<String, String>,
    actor: String,
    ticket: String,
    reason: Option<String>,
    seen: Seen,
    card: String,
    proposed: Option<KeptProposed>,
}

/// What was decided on, as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    kind: String,
    id: String,
    version: i64,
    state_hash: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptProposed {
    ticket: String,
    card: String,
    expires: String,
}

/// A decision card, as far as it must say what the file says.
#[derive(Deserialize)]
struct Card {
    deployment_id: Option<String>,
    action: String,
    actor: String,
    target_kind: String,
    target_id: String,
    target_version: i64,
    ticket: String,
    reason: Option<String>,
    state_hash: String,
}

impl PutAside {
    /// Puts a request aside, of which a signature was promised; a rule's cannot be, and one that is signed need not be.
    pub fn of(request: &Request, deployment: &Deployment) -> Result<Self, Refusal> {
        let unsignable = || {
            Refusal::new(
                format!("{} is not signed by anybody", request.entry.name()),
                "do it without --sign-elsewhere",
            )
        };
        if !request.wants_signature() {
            return Err(unsignable());
        }
        let Confirmed::Person {
            actor_id,
            target,
            state_hash,
            card,
            proposed,
        } = &request.basis
        else {
            return Err(unsignable());
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Self(Kept {
            schema: SCHEMA.to_owned(),
            deployment: deployment.name.clone(),
            deployment_id: deployment.deployment_id.clone(),
            action: request.entry.verb.to_owned(),
            target: request.asked.target.clone(),
            fields: request.asked.fields.clone(),
            actor: actor_id.clone(),
            ticket: request.ticket.clone(),
            reason: request.reason.clone(),
            seen: Seen {
                kind: target.kind.to_owned(),
                id: target.id.clone(),
                version: target.version,
                state_hash: state_hash.to_string(),
            },
            card: text(card),
            proposed: proposed.as_ref().map(|proposed| KeptProposed {
                ticket: proposed.ticket.clone(),
                card: text(&proposed.card),
                expires: proposed.expires.to_string(),
            }),
        }))
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, strictly.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let damaged = |why: String| {
            Refusal::new(
                format!("what was put aside is damaged: {why}"),
                "drop it with `govdeck card drop`, and decide anew",
            )
        };
        canon::canonical_exact(bytes).map_err(|error| damaged(error.to_string()))?;
        let kept: Kept =
            serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        if kept.schema != SCHEMA {
            return Err(damaged(format!(
                "it is a {:?}, not a {SCHEMA:?}",
                kept.schema
            )));
        }
        Ok(Self(kept))
    }

    /// Writes it down, for [`read`](Self::read).
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        image_of(&self.0)
    }

    /// Returns the bytes that the signature is made over.
    #[must_use]
    pub fn card(&self) -> &[u8] {
        self.0.card.as_bytes()
    }

    /// Returns the ticket by which the outcome will be found.
    #[must_use]
    pub fn ticket(&self) -> &str {
        &self.0.ticket
    }

    /// Returns the verb of the action.
    #[must_use]
    pub fn verb(&self) -> &str {
        &self.0.action
    }

    /// Returns what is acted on.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.0.target
    }

    /// Returns who confirmed it.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.0.actor
    }

    /// Returns the reason that was given.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// Returns the name of the deployment that it is for.
    #[must_use]
    pub fn deployment(&self) -> &str {
        &self.0.deployment
    }

    /// Returns the id of the deployment that it is for.
    #[must_use]
    pub fn deployment_id(&self) -> &str {
        &self.0.deployment_id
    }

    /// Refuses another deployment than the one it is for.
    pub fn check_place(&self, here: &Deployment) -> Result<(), Refusal> {
        if here.deployment_id == self.0.deployment_id {
            return Ok(());
        }
        Err(Refusal::new(
            format!(
                "this request is for the deployment {} ({}), not for {} ({})",
                self.0.deployment, self.0.deployment_id, here.name, here.deployment_id
            ),
            "give its database with --dsn",
        ))
    }

    /// Becomes a request again, together with a good signature over its card, if it says what the card says.
    pub fn signed(self, signature: &Signature) -> Result<Request, Refusal> {
        signature.verify(self.card())?;
        let kept = self.0;
        let entry = super::find(&kept.action)?;
        if !kept.is_told_by_its_cards(entry) {
            return Err(Refusal::new(
                format!(
                    "what was put aside as {} of {} is not what the signed card says",
                    kept.action, kept.target
                ),
                "somebody edited the file: drop it with `govdeck card drop`, and decide anew",
            ));
        }
        let request = kept.into_request(entry).ok_or_else(|| {
            Refusal::new(
                "what was put aside cannot be read",
                "drop it with `govdeck card drop`, and decide anew",
            )
        })?;
        request.signed(signature)
    }
}

impl Kept {
    fn is_told_by_its_cards(&self, entry: &Entry) -> bool {
        let read = |card: &str| serde_json::from_str::<Card>(card).ok();
        let Some(signed) = read(&self.card) else {
            return false;
        };
        let is_here = |card: &Card| card.deployment_id.as_ref() == Some(&self.deployment_id);
        let is_mine = |card: &Card| card.actor == self.actor && card.reason == self.reason;
        let is_asked = |name: &String| entry.fields.iter().any(|field| field.name == name);
        let is_seen = |card: &Card| {
            card.action == self.action
                && card.target_kind == self.seen.kind
                && card.target_id == self.seen.id
                && card.target_version == self.seen.version
                && card.state_hash == self.seen.state_hash
        };
        let tells = match (&self.proposed, entry.verb == permission::APPROVE.verb) {
            (None, false) => {
                !entry.may.needs_two()
                    && is_mine(&signed)
                    && is_seen(&signed)
                    && signed.ticket == self.ticket
            }
            // The second person signs the card that both saw, which is somebody else's.
            (None, true) => {
                signed.ticket == self.ticket
                    && signed.actor != self.actor
                    && self.target == self.ticket
                    && self.seen.kind == APPROVAL
                    && self.seen.id == self.ticket
            }
            (Some(proposed), _) => read(&proposed.card).is_some_and(|waiting| {
                entry.may.needs_two()
                    && is_mine(&signed)
                    && is_mine(&waiting)
                    && is_here(&waiting)
                    && is_seen(&waiting)
                    && waiting.ticket == proposed.ticket
                    && signed.action == permission::ASK_APPROVAL.verb
                    && signed.ticket == self.ticket
                    && signed.target_kind == APPROVAL
                    && signed.target_id == proposed.ticket
                    && signed.target_version == 0
            }),
        };
        tells
            && self.fields.keys().all(is_asked)
            && is_here(&signed)
            && entry.basis == Basis::Person
    }

    fn into_request(self, entry: &'static Entry) -> Option<Request> {
        let length = self
            .reason
            .as_deref()
            .map_or(0, |reason| reason.trim().chars().count());
        // The second person's own reason stands in no card, so at least it is still one.
        if entry.level >= Level::Review && !(REASON_AT_LEAST..=REASON_AT_MOST).contains(&length) {
            return None;
        }
        let digest = |text: &str| text.parse::<Digest>().ok();
        let proposed = match self.proposed {
            None => None,
            Some(kept) => Some(Proposed {
                ticket: kept.ticket,
                card: kept.card.into_bytes(),
                expires: kept.expires.parse::<Moment>().ok()?,
            }),
        };
        Some(Request {
            entry,
            asked: Asked {
                target: self.target,
                fields: self.fields,
                signing: Signing::With,
                prepared: Vec::new(),
            },
            ticket: self.ticket,
            reason: self.reason,
            basis: Confirmed::Person {
                actor_id: self.actor,
                target: Target {
                    kind: known_kind(entry, &self.seen.kind)?,
                    id: self.seen.id,
                    version: self.seen.version,
                },
                state_hash: digest(&self.seen.state_hash)?,
                card: self.card.into_bytes(),
                proposed,
            },
            signature: None,
        })
    }
}

/// Finds a kind of target among those there are: what an action is about, or a table's rows.
fn known_kind(entry: &'static Entry, kind: &str) -> Option<&'static str> {
    let tables = TABLES.iter().map(|table| table.name);
    std::iter::once(entry.kind)
        .chain(tables)
        .find(|known| *known == kind)
}

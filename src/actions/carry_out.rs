//! Carries a request out, in one transaction that reads and decides everything anew.

use serde::Serialize;

use super::entry::{Draft, Stop};
use super::proposal::{Confirmed, Decider, Request, card, unknown_login};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::people::{Actor, Basis, PersonKind};
use crate::rules::{Condition, Refusal, condition};
use crate::store::artifact::{self, Artifact};
use crate::store::tables::image_of;
use crate::store::{
    Decision, Failure, SealError, Sealed, Store, StoreError, Target, Tx, View, Work, ledger, person,
};

/// How often a request that met another writer is tried as a whole.
const ATTEMPTS: u32 = 3;

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    /// It is in the ledger.
    Done(Sealed),
    /// A rule says no, on fresh rows.
    Refused(Refusal),
    /// The store failed, and nothing was written.
    Failed(StoreError),
    /// The connection broke while committing: ask for the ticket.
    Unknown {
        /// The ticket to ask for.
        ticket: String,
        /// What broke.
        cause: StoreError,
    },
}

/// Carries a request out and tells what became of it.
///
/// It runs in a task of its own: whoever waits may go away, the write is never cut in the middle.
pub async fn carry_out(store: &Store, request: Request) -> Outcome {
    let store = store.clone();
    let ticket = request.ticket.clone();
    match tokio::spawn(async move { attempt_repeatedly(&store, &request).await }).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::Unknown {
            ticket,
            cause: StoreError::new(
                Failure::Other,
                "the writing task ended early",
                "look the ticket up",
            ),
        },
    }
}

async fn attempt_repeatedly(store: &Store, request: &Request) -> Outcome {
    let mut attempt = 1;
    loop {
        match attempt_once(store, request).await {
            Ok(sealed) => return Outcome::Done(sealed),
            Err(End::Refused(refusal)) => return Outcome::Refused(refusal),
            Err(End::Unknown(cause)) => {
                return Outcome::Unknown {
                    ticket: request.ticket.clone(),
                    cause,
                };
            }
            Err(End::Failed(error)) if error.kind == Failure::Busy && attempt < ATTEMPTS => {
                attempt += 1;
            }
            Err(End::Failed(error) | End::HeadBusy(error)) => return Outcome::Failed(error),
        }
    }
}

enum End {
    Refused(Refusal),
    Failed(StoreError),
    /// Waiting for the head took all patience already: it is not waited for again.
    HeadBusy(StoreError),
    Unknown(StoreError),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<Stop> for End {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(refusal) | Stop::BadInput(refusal) => Self::Refused(refusal),
            Stop::Store(error) => Self::Failed(error),
        }
    }
}

impl From<SealError> for End {
    fn from(error: SealError) -> Self {
        match error {
            SealError::NotWritten(error) => Self::Failed(error),
            SealError::Unknown(error) => Self::Unknown(error),
        }
    }
}

async fn attempt_once(store: &Store, request: &Request) -> Result<Sealed, End> {
    let mut tx: Tx = store.begin().await.map_err(|error| {
        if error.kind == Failure::Busy {
            End::HeadBusy(error)
        } else {
            End::Failed(error)
        }
    })?;
    if let Some(entry) = ledger::by_ticket(tx.view(), &request.ticket).await? {
        return Ok(entry.into());
    }
    let actor = actor_of(request, tx.view()).await?;
    let draft = request
        .entry
        .plan(&request.asked, tx.view(), &actor)
        .await?;
    let state_hash = draft.state_hash()?;
    if let Confirmed::Person { target, .. } = &request.basis {
        refuse_if_moved(tx.view(), &draft, target).await?;
    }
    // Before the state hash: what is no longer met says more than that something has changed.
    refuse_unless_met(&draft)?;
    if let Confirmed::Person {
        state_hash: seen, ..
    } = &request.basis
        && state_hash != *seen
    {
        return Err(End::Refused(Refusal::new(
            "what the decision rests on has changed since it was shown",
            "look again and decide anew",
        )));
    }
    let decision = decision(request, &actor, &draft, state_hash, tx.now())?;
    let recheck = recheck(&request.ticket, &draft, tx.now())?;
    let work = Work {
        rows: draft.rows.into_iter().map(|row| row.after).collect(),
        artifacts: vec![(artifact::RECHECK, recheck)],
        notices: draft.notices,
        arming: draft.arming,
    };
    Ok(tx.seal(decision, work).await?)
}

fn refuse_unless_met(draft: &Draft) -> Result<(), End> {
    condition::unmet(&draft.conditions).map_or(Ok(()), |refusal| Err(End::Refused(refusal)))
}

#[derive(Serialize)]
struct Recheck<'a> {
    schema: &'static str,
    ticket: &'a str,
    observed_at: Moment,
    conditions: &'a [Condition],
}

/// Writes down what was found when everything was checked again; a card shows what was found before.
fn recheck(ticket: &str, draft: &Draft, now: Moment) -> Result<Artifact, StoreError> {
    let found = image_of(&Recheck {
        schema: "govdeck.recheck.v1",
        ticket,
        observed_at: now,
        conditions: &draft.conditions,
    })?;
    Ok(Artifact::new(artifact::RECHECKED, found))
}

/// Tells who acts, from the database as it is now; a person must still be the one who confirmed.
async fn actor_of(request: &Request, view: &mut View) -> Result<Actor, End> {
    match &request.basis {
        Confirmed::Person { actor_id, .. } => match person::actor(view).await? {
            Some(actor) if actor.person_id == *actor_id => Ok(actor),
            _ => Err(End::Refused(unknown_login(view.login()))),
        },
        Confirmed::Rule => match person::rules_actor(view).await? {
            // A rule decides, but somebody who may act here must have asked it.
            Some(rules) => match person::actor(view).await? {
                Some(_) => Ok(rules),
                None => Err(End::Refused(unknown_login(view.login()))),
            },
            // The very first entry comes before the service in whose name it is written.
            None => Ok(Actor {
                person_id: person::RULES.to_owned(),
                kind: PersonKind::Service,
                roles: std::collections::BTreeSet::new(),
                attestation: person::attestation(view),
            }),
        },
    }
}

/// Refuses when somebody else changed the target in between, and says who and when.
async fn refuse_if_moved(view: &mut View, draft: &Draft, seen: &Target) -> Result<(), End> {
    if draft.target == *seen {
        return Ok(());
    }
    let key = draft
        .rows
        .first()
        .map(|row| (row.after.table(), row.after.key()));
    let by = match key {
        Some((table, key)) => ledger::last_change_of(view, table, &key).await?,
        None => None,
    };
    let who = by.map_or_else(
        || "somebody changed it".to_owned(),
        |entry| {
            format!(
                "{} did {} at {} (entry {})",
                entry.actor_id, entry.action, entry.at_utc, entry.seq
            )
        },
    );
    Err(End::Refused(Refusal::new(
        format!("{} was changed meanwhile: {who}", seen.id),
        "look again and decide anew",
    )))
}

fn decision(
    request: &Request,
    actor: &Actor,
    draft: &Draft,
    state_hash: Digest,
    now: Moment,
) -> Result<Decision, StoreError> {
    let (basis, card) = match &request.basis {
        Confirmed::Person { card, .. } => (Basis::Person, card.clone()),
        Confirmed::Rule => {
            let decider = Decider {
                entry: request.entry,
                actor_id: &actor.person_id,
                ticket: &request.ticket,
                reason: None,
            };
            (Basis::Rule, card(&decider, draft, state_hash, now)?)
        }
    };
    Ok(Decision {
        ticket: request.ticket.clone(),
        action: request.entry.verb,
        basis,
        actor_id: actor.person_id.clone(),
        attestation: actor.attestation,
        target: draft.target.clone(),
        state_hash,
        card,
        reason: request.reason.clone(),
    })
}

//! Carries a request out, in one transaction that reads and decides everything anew.

use super::ask_approval::{refuse_if_waits, tell_the_others};
use super::by_rule::ByRule;
use super::entry::{Draft, Signing, Stop};
use super::proposal::{Confirmed, Request, unknown_login};
use super::writing;
use crate::rules::people::{Acting, Actor, Attestation, PersonKind};
use crate::rules::{Refusal, condition, permission};
use crate::store::ledger::{self, Entry};
use crate::store::{
    Failure, SealError, Sealed, Store, StoreError, Target, Tx, View, approval, key, person,
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
    if let Some(ticket) = in_the_way(store, &request).await {
        end_if_over(store, ticket).await;
    }
    let approves = (request.entry.verb == permission::APPROVE.verb).then(|| request.ticket.clone());
    let outcome = in_a_task(store, request).await;
    if let (Some(ticket), Outcome::Refused(_)) = (approves, &outcome) {
        end_if_over(store, ticket).await;
    }
    outcome
}

/// Names the proposal of the same thing that may have expired, and would be in the way of a new one.
async fn in_the_way(store: &Store, request: &Request) -> Option<String> {
    let Confirmed::Person {
        target,
        proposed: Some(_),
        ..
    } = &request.basis
    else {
        return None;
    };
    let mut view = store.view().await.ok()?;
    let waits = approval::waits_already(&mut view, request.entry.verb, target.kind, &target.id);
    let waiting = waits.await.ok()??;
    (waiting.expires_at_utc <= view.now()).then_some(waiting.ticket)
}

/// Lets a rule end a proposal that nobody can approve any more; where somebody still can, the rule refuses.
pub async fn end_if_over(store: &Store, ticket: String) {
    if let Ok(request) = Request::by_rule(ByRule::EndApproval { ticket }) {
        let outcome = in_a_task(store, request).await;
        tracing::debug!(?outcome, "asked whether the proposal is over");
    }
}

/// Carries out what a rule asked for in a transaction that was begun for other work, so that both are committed together or
/// not at all. It is tried once: what is refused takes the other work back too.
pub async fn carry_out_in(tx: Tx, request: Request) -> Outcome {
    let ticket = request.ticket.clone();
    let attempt = tokio::spawn(async move {
        match attempt_in(tx, &request).await {
            Ok(sealed) => Outcome::Done(sealed),
            Err(end) => end.outcome(&request),
        }
    });
    attempt.await.unwrap_or_else(|_| ended_early(ticket))
}

async fn in_a_task(store: &Store, request: Request) -> Outcome {
    let store = store.clone();
    let ticket = request.ticket.clone();
    match tokio::spawn(async move { attempt_repeatedly(&store, &request).await }).await {
        Ok(outcome) => outcome,
        Err(_) => ended_early(ticket),
    }
}

fn ended_early(ticket: String) -> Outcome {
    Outcome::Unknown {
        ticket,
        cause: StoreError::new(
            Failure::Other,
            "the writing task ended early",
            "look the ticket up",
        ),
    }
}

async fn attempt_repeatedly(store: &Store, request: &Request) -> Outcome {
    let mut attempt = 1;
    loop {
        match attempt_once(store, request).await {
            Ok(sealed) => return Outcome::Done(sealed),
            Err(End::Failed(error)) if error.kind == Failure::Busy && attempt < ATTEMPTS => {
                attempt += 1;
            }
            Err(end) => return end.outcome(request),
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

impl End {
    fn outcome(self, request: &Request) -> Outcome {
        match self {
            Self::Refused(refusal) => Outcome::Refused(refusal),
            Self::Failed(error) | Self::HeadBusy(error) => Outcome::Failed(error),
            Self::Unknown(cause) => Outcome::Unknown {
                ticket: request.ticket.clone(),
                cause,
            },
        }
    }
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

/// Refuses a signed request whose sender is not the one who confirmed it, or whose key does not count; a look ahead, as
/// carrying it out asks the same.
pub async fn check_sender(view: &mut View, request: &Request) -> Result<(), Stop> {
    match actor_of(request, view).await {
        Ok(_) => Ok(()),
        Err(End::Refused(refusal)) => Err(Stop::Refused(refusal)),
        Err(End::Failed(error) | End::HeadBusy(error) | End::Unknown(error)) => {
            Err(Stop::Store(error))
        }
    }
}

async fn attempt_once(store: &Store, request: &Request) -> Result<Sealed, End> {
    let tx: Tx = store.begin().await.map_err(|error| {
        if error.kind == Failure::Busy {
            End::HeadBusy(error)
        } else {
            End::Failed(error)
        }
    })?;
    attempt_in(tx, request).await
}

async fn attempt_in(mut tx: Tx, request: &Request) -> Result<Sealed, End> {
    if let Some(entry) = ledger::by_ticket(tx.view(), &request.ticket).await? {
        return already_there(entry, request);
    }
    let actor = actor_of(request, tx.view()).await?;
    let by = Acting {
        actor: &actor,
        reason: request.reason.as_deref(),
        second: None,
    };
    let mut draft = request.entry.plan(&request.asked, tx.view(), &by).await?;
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
    let now = tx.now();
    let (decision, work) = match (&request.basis, draft.second.take()) {
        (Confirmed::Person { .. }, Some(second)) => {
            writing::second_yes(request, &actor, draft, second, now)?
        }
        (
            Confirmed::Person {
                proposed: Some(proposed),
                ..
            },
            None,
        ) => {
            refuse_if_waits(tx.view(), request.entry, &draft.target).await?;
            if proposed.expires <= now {
                return Err(End::Refused(Refusal::new(
                    format!(
                        "what was proposed could wait only until {}",
                        proposed.expires
                    ),
                    "propose it anew",
                )));
            }
            let (filed, asking) = proposed.ask(request.entry, &request.asked, &draft, &by, now)?;
            let notices = tell_the_others(tx.view(), &filed, request.entry).await?;
            writing::asking(request, &actor, proposed, asking.with_notices(notices), now)?
        }
        _ => writing::alone(request, &actor, draft, state_hash, now)?,
    };
    Ok(tx.seal(decision, work).await?)
}

/// Takes an entry that is there already for this request's own, if it is.
fn already_there(entry: Entry, request: &Request) -> Result<Sealed, End> {
    match &request.basis {
        Confirmed::Person { actor_id, .. } if entry.written_by() != actor_id => {
            Err(End::Refused(Refusal::new(
                format!(
                    "{} has approved it already (entry {})",
                    entry.written_by(),
                    entry.seq
                ),
                "nothing is left to do",
            )))
        }
        _ => Ok(entry.into()),
    }
}

fn refuse_unless_met(draft: &Draft) -> Result<(), End> {
    condition::unmet(&draft.conditions).map_or(Ok(()), |refusal| Err(End::Refused(refusal)))
}

/// Tells who acts, from the database as it is now; a person must still be the one who confirmed.
async fn actor_of(request: &Request, view: &mut View) -> Result<Actor, End> {
    match &request.basis {
        Confirmed::Person { actor_id, .. } => match person::actor(view).await? {
            Some(actor) if actor.person_id == *actor_id => as_signed(request, view, actor).await,
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

/// Raises an actor to one who signed, if the signing key is theirs now; a promise to sign must be kept.
async fn as_signed(request: &Request, view: &mut View, actor: Actor) -> Result<Actor, End> {
    let no = |sentence: String, hint: &str| Err(End::Refused(Refusal::new(sentence, hint)));
    let signature = match (&request.signature, request.asked.signing) {
        (None, Signing::Without) => return Ok(actor),
        (None, Signing::With) => {
            return no(
                "the decision card was to be signed and is not".to_owned(),
                "sign it, or decide anew without a signature",
            );
        }
        (Some(signature), _) => signature,
    };
    let fingerprint = &signature.fingerprint;
    match key::find(view, fingerprint).await? {
        Some(key) if key.person_id != actor.person_id => no(
            format!(
                "the key {fingerprint} belongs to {}, not to {}",
                key.person_id, actor.person_id
            ),
            "sign with a key of your own",
        ),
        Some(key) if key.revoked_at_utc.is_some() => no(
            format!("the key {fingerprint} was revoked"),
            "sign with another key: `govdeck key list` shows yours",
        ),
        Some(_) => Ok(Actor {
            attestation: Attestation::Signed,
            ..actor
        }),
        None => no(
            format!("the key {fingerprint} is not registered"),
            "add it first: govdeck key add",
        ),
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

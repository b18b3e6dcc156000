//! From words to a request: what would be done, what is asked for it, and who said yes.

use super::ask_approval::{Proposed, refuse_if_waits};
use super::by_rule::ByRule;
use super::card::{ChangedRow, Decider, card};
use super::entry::{Asked, Draft, Entry, Prepared, Signing, Stop};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::approval::{self, WAITS_MINUTES};
use crate::rules::guard::{self, Answer};
use crate::rules::people::{Acting, Actor, Attestation, Basis, Environment};
use crate::rules::{Condition, Refusal, condition, permission};
use crate::signing::Signature;
use crate::store::approval::ApprovalRequest;
use crate::store::{Failure, StoreError, Target, View, deployment, person};

/// What an action would do, for a person to look at; looking writes nothing.
#[derive(Debug)]
pub struct Proposal {
    entry: &'static Entry,
    asked: Asked,
    actor: Actor,
    environment: Environment,
    deployment: String,
    deployment_id: String,
    ticket: String,
    state_hash: Digest,
    seen_at: Moment,
    draft: Draft,
}

/// A request that was confirmed by a person, at once or with what was put aside until it was signed, or found by a rule.
/// There is no other way to make one.
#[derive(Debug, Clone)]
pub struct Request {
    pub(super) entry: &'static Entry,
    pub(super) asked: Asked,
    pub(super) ticket: String,
    pub(super) reason: Option<String>,
    pub(super) basis: Confirmed,
    pub(super) signature: Option<CardSignature>,
}

/// A signature over a request's card, found good for these very bytes.
#[derive(Debug, Clone)]
pub(super) struct CardSignature {
    pub fingerprint: String,
    pub armored: String,
}

/// What a confirmed request was confirmed on.
#[derive(Debug, Clone)]
pub(super) enum Confirmed {
    /// A person said yes to this card, in this state.
    Person {
        actor_id: String,
        target: Target,
        state_hash: Digest,
        card: Vec<u8>,
        /// What waits for a second person from now on, where one is not enough.
        proposed: Option<Proposed>,
    },
    /// A rule: everything is found inside the transaction.
    Rule,
}

impl Request {
    /// Makes the request of a rule.
    pub fn by_rule(rule: ByRule) -> Result<Self, Stop> {
        let (verb, asked) = rule.asked()?;
        Ok(Self {
            entry: super::find(verb)?,
            asked,
            ticket: random_id()?,
            reason: None,
            basis: Confirmed::Rule,
            signature: None,
        })
    }

    /// Adds evidence that was made before; the action files it if it still finds there what that was made of.
    #[must_use]
    pub fn with_prepared(mut self, prepared: impl IntoIterator<Item = Prepared>) -> Self {
        self.asked.prepared.extend(prepared);
        self
    }

    /// Returns the bytes that a signature is made over; none where a rule decides.
    #[must_use]
    pub fn card(&self) -> Option<&[u8]> {
        match &self.basis {
            Confirmed::Person { card, .. } => Some(card),
            Confirmed::Rule => None,
        }
    }

    /// Takes a signature over the card, if it is good for these very bytes; whose key it is, the write finds out.
    pub fn signed(mut self, signature: &Signature) -> Result<Self, Refusal> {
        let key = signature.verify(self.card().unwrap_or_default())?;
        self.signature = Some(CardSignature {
            fingerprint: key.fingerprint(),
            armored: signature.to_armor().to_owned(),
        });
        Ok(self)
    }

    /// Tells whether a signature was promised and is still to be made.
    #[must_use]
    pub fn wants_signature(&self) -> bool {
        self.asked.signing == Signing::With && self.signature.is_none()
    }

    /// Returns the ticket of the proposal that will wait for a second person, where one person is not enough.
    #[must_use]
    pub fn proposes(&self) -> Option<&str> {
        match &self.basis {
            Confirmed::Person { proposed, .. } => proposed.as_ref().map(|it| it.ticket.as_str()),
            Confirmed::Rule => None,
        }
    }

    /// Tells until when the proposal will wait for a second person, where one person is not enough.
    #[must_use]
    pub fn waits_until(&self) -> Option<Moment> {
        match &self.basis {
            Confirmed::Person { proposed, .. } => proposed.as_ref().map(|it| it.expires),
            Confirmed::Rule => None,
        }
    }

    /// Returns the verb of the action.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        self.entry.verb
    }

    /// Returns the id of what is acted on, as it was asked for.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.asked.target
    }

    /// Returns a word that it was asked with.
    #[must_use]
    pub fn word(&self, field: &str) -> Option<&str> {
        self.asked.fields.get(field).map(String::as_str)
    }

    /// Returns the ticket by which the outcome can be found, whatever happens to the answer.
    #[must_use]
    pub fn ticket(&self) -> &str {
        &self.ticket
    }
}

/// Makes a random id of 32 hexadecimal digits.
pub fn random_id() -> Result<String, StoreError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        StoreError::new(
            Failure::Other,
            format!("the operating system gives no random numbers: {error}"),
            "see its log",
        )
    })?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Plans an action for whoever is at the keys, and says what is asked for it.
pub async fn propose(view: &mut View, verb: &str, mut asked: Asked) -> Result<Proposal, Stop> {
    let entry = super::find(verb)?;
    if entry.basis == Basis::Rule {
        return Err(Refusal::new(
            format!("{} is decided by rule, nobody confirms it", entry.name()),
            "`govdeck --help` lists the verb that asks the rule",
        )
        .into());
    }
    let Some(mut actor) = person::actor(view).await? else {
        return Err(unknown_login(view.login()).into());
    };
    if entry.adds_first_key(view, &actor).await? {
        asked.signing = Signing::Without;
    }
    if asked.signing == Signing::With {
        actor.attestation = Attestation::Signed;
    }
    let deployment = deployment::read(view).await?;
    let draft = entry.plan(&asked, view, &Acting::looking(&actor)).await?;
    if entry.may.needs_two() {
        refuse_if_waits(view, entry, &draft.target).await?;
    }
    Ok(Proposal {
        entry,
        asked,
        actor,
        environment: deployment.environment,
        deployment: deployment.name,
        deployment_id: deployment.deployment_id,
        ticket: match &draft.second {
            Some(second) => second.request.ticket.clone(),
            None => random_id()?,
        },
        state_hash: draft.state_hash()?,
        seen_at: view.now(),
        draft,
    })
}

pub(super) fn unknown_login(login: &str) -> Refusal {
    Refusal::new(
        format!("the login {login:?} belongs to no active person, so it may only look"),
        "a governance_lead can add you: govdeck act add-person",
    )
}

impl Proposal {
    /// Returns the registry's row of the action.
    #[must_use]
    pub fn entry(&self) -> &'static Entry {
        self.entry
    }

    /// Returns who would act.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Returns where the deployment stands.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// Returns the deployment's name.
    #[must_use]
    pub fn deployment(&self) -> &str {
        &self.deployment
    }

    /// Returns what is acted on, at the version that was seen.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.draft.target
    }

    /// Returns what whoever decides reads to its end before, line by line; mostly nothing.
    #[must_use]
    pub fn report(&self) -> &[String] {
        &self.draft.report
    }

    /// Returns everything that must hold, met or not.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.draft.conditions
    }

    /// Lists what would change, column by column.
    pub fn changes(&self) -> Result<Vec<ChangedRow>, StoreError> {
        self.draft.changes(self.seen_at)
    }

    /// Returns the ticket of the proposal that this would be the second yes to.
    #[must_use]
    pub fn second_to(&self) -> Option<&str> {
        self.draft
            .second
            .as_ref()
            .map(|second| second.request.ticket.as_str())
    }

    /// Returns the proposal of somebody that this would answer, by a yes or a no.
    #[must_use]
    pub fn answers(&self) -> Option<&ApprovalRequest> {
        self.draft.answers.as_ref()
    }

    /// Returns the ticket of the proposal that this would answer, if nobody can any more: it has expired, or what it rests
    /// on has changed. Whoever meets it so lets a rule end it, see [`end_if_over`](super::end_if_over).
    #[must_use]
    pub fn meets_ended(&self) -> Option<&str> {
        let is_over = approval::is_over(&self.draft.conditions);
        let answers = self.answers().filter(|_| is_over);
        answers.map(|request| request.ticket.as_str())
    }

    /// Returns what somebody else's proposal rests on, as found now; nothing where this is no second yes.
    #[must_use]
    pub fn gates_of_the_first(&self) -> &[Condition] {
        let second = self.draft.second.as_ref();
        second.map_or(&[], |second| &second.conditions)
    }

    /// Returns the hash of what the decision rests on.
    #[must_use]
    pub fn state_hash(&self) -> Digest {
        self.state_hash
    }

    /// Returns the exact text that a person types to allow it.
    #[must_use]
    pub fn phrase(&self) -> String {
        if let Some(second) = &self.draft.second {
            let hash = second.request.state_hash.to_string();
            return guard::second_phrase(&second.target.id, &hash);
        }
        let hash = self.state_hash.to_string();
        guard::phrase(
            self.entry.level,
            self.environment,
            self.entry.verb,
            &self.draft.target.id,
            &hash,
        )
    }

    /// Says how what would be done is taken back; of a second yes, what it agrees to.
    #[must_use]
    pub fn undo(&self) -> &'static str {
        let second = self.draft.second.as_ref();
        let agreed = second.and_then(|second| super::find(second.verb).ok());
        agreed.unwrap_or(self.entry).undo
    }

    /// Says why it cannot be done now; none when everything holds.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        condition::unmet(&self.draft.conditions)
    }

    /// Turns the proposal into a request, if everything holds and the answer is what the guard asks for.
    pub fn confirm(self, answer: &Answer) -> Result<Request, Stop> {
        if let Some(refusal) = self.refusal() {
            return Err(refusal.into());
        }
        guard::check_answer(self.entry.level, &self.phrase(), answer)?;
        let reason = answer
            .reason
            .as_deref()
            .map(str::trim)
            .filter(|reason| !reason.is_empty())
            .map(str::to_owned);
        let decider = Decider {
            deployment_id: Some(&self.deployment_id),
            verb: self.entry.verb,
            basis: self.entry.basis,
            actor_id: &self.actor.person_id,
            ticket: &self.ticket,
            reason: reason.as_deref(),
        };
        let card = match &self.draft.second {
            Some(second) => second.card.clone(),
            None => card(&decider, &self.draft, self.state_hash, self.seen_at)?,
        };
        let (ticket, card, proposed) = if self.entry.may.needs_two() {
            let proposed = Proposed {
                ticket: self.ticket.clone(),
                card,
                expires: self.seen_at.plus_minutes(WAITS_MINUTES),
            };
            let ticket = random_id()?;
            let by = Acting {
                actor: &self.actor,
                reason: reason.as_deref(),
                second: None,
            };
            let (_, asking) =
                proposed.ask(self.entry, &self.asked, &self.draft, &by, self.seen_at)?;
            let decider = Decider {
                verb: permission::ASK_APPROVAL.verb,
                ticket: &ticket,
                ..decider
            };
            let card = super::card::card(&decider, &asking, asking.state_hash()?, self.seen_at)?;
            (ticket, card, Some(proposed))
        } else {
            (self.ticket, card, None)
        };
        Ok(Request {
            entry: self.entry,
            asked: self.asked,
            ticket,
            reason,
            basis: Confirmed::Person {
                actor_id: self.actor.person_id,
                target: self.draft.target,
                state_hash: self.state_hash,
                card,
                proposed,
            },
            signature: None,
        })
    }
}

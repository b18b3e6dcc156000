//! The second yes: does what somebody else proposed, in their name and with this person beside them.

use std::collections::BTreeMap;

use super::ask_approval::KIND;
use super::entry::{Action, Asked, Draft, Entry, Row, Second, Stop};
use crate::clock::Moment;
use crate::rules::approval::{self, ApprovalStatus, Standing};
use crate::rules::people::{Acting, Role};
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal, time};
use crate::store::approval::{self as requests, ApprovalRequest};
use crate::store::{Failure, StoreError, Target, View, artifact, ledger, person};

pub(super) struct Approve {
    ticket: String,
}

/// A proposal as it was filed, and planned anew.
pub(super) struct Facts {
    pub request: ApprovalRequest,
    pub proposer_roles: Vec<Role>,
    /// The roles that it was proposed with; today's where none were kept with it.
    needed: Vec<Role>,
    /// How these differ from what is asked today.
    asked_otherwise: Option<String>,
    /// The latest time of any entry; before it no time limit can be counted.
    pub latest_entry_at: Option<Moment>,
    pub entry: &'static Entry,
    /// What would be done now; a refusal where it cannot be planned any more.
    again: Result<Draft, Refusal>,
    unchanged: Result<bool, Refusal>,
    card: Vec<u8>,
}

impl Facts {
    /// Reads a proposal and plans it anew, in its proposer's name and with the second person beside them.
    pub(super) async fn read(
        view: &mut View,
        ticket: &str,
        second: Option<&str>,
    ) -> Result<Option<Self>, StoreError> {
        let Some(request) = requests::find(view, ticket).await? else {
            return Ok(None);
        };
        let unreadable = |what: &str| {
            StoreError::new(
                Failure::Unusable,
                format!("the proposal {ticket} {what}"),
                "run `govdeck ledger verify`",
            )
        };
        let card = artifact::bytes(view, request.card_sha256)
            .await?
            .ok_or_else(|| unreadable("has lost its decision card"))?;
        let entry = super::find(&request.action)
            .map_err(|_| unreadable("names an action that this program does not know"))?;
        let (target, fields): (String, BTreeMap<String, String>) =
            serde_json::from_str(&request.asked).map_err(|_| unreadable("cannot be read"))?;
        let asked = Asked {
            target,
            fields,
            ..Asked::default()
        };
        let proposer = person::acting_as(view, &request.proposed_by, request.attestation).await?;
        let again = match &proposer {
            None => Err(Refusal::new(
                format!("{} may no longer act", request.proposed_by),
                "somebody else can propose it anew",
            )),
            Some(actor) => {
                let by = Acting {
                    actor,
                    reason: Some(&request.reason),
                    second,
                };
                match Box::pin(entry.plan(&asked, view, &by)).await {
                    Ok(draft) => Ok(draft),
                    Err(Stop::Refused(refusal) | Stop::BadInput(refusal)) => Err(refusal),
                    Err(Stop::Store(error)) => return Err(error),
                }
            }
        };
        let unchanged = match &again {
            Ok(draft) => Ok(draft.state_hash()? == request.state_hash),
            Err(refusal) => Err(refusal.clone()),
        };
        let kept = request.roles();
        Ok(Some(Self {
            asked_otherwise: approval::asked_otherwise(kept.as_deref(), entry.may.two),
            needed: kept.unwrap_or_else(|| entry.may.two.to_vec()),
            proposer_roles: proposer
                .map(|actor| actor.roles.into_iter().collect())
                .unwrap_or_default(),
            latest_entry_at: ledger::head(view).await?.latest_at_utc,
            request,
            entry,
            again,
            unchanged,
            card,
        }))
    }

    pub(super) fn standing(&self) -> Standing<'_> {
        Standing {
            status: self.request.status,
            proposer: &self.request.proposed_by,
            proposer_roles: &self.proposer_roles,
            needed: &self.needed,
            expires: self.request.expires_at_utc,
        }
    }

    pub(super) fn is_unchanged(&self) -> bool {
        self.asked_otherwise.is_none() && matches!(self.unchanged, Ok(true))
    }

    /// Says what has changed since it was proposed.
    pub(super) fn what_changed(&self) -> String {
        if let Some(otherwise) = &self.asked_otherwise {
            return otherwise.clone();
        }
        match &self.again {
            Err(refusal) => refusal.sentence.clone(),
            Ok(_) if self.is_unchanged() => "nothing has changed since it was proposed".to_owned(),
            Ok(draft) => crate::rules::condition::unmet(&draft.conditions).map_or_else(
                || {
                    format!(
                        "{} is now at version {}",
                        draft.target.id, draft.target.version
                    )
                },
                |refusal| refusal.sentence,
            ),
        }
    }

    fn unchanged(&self) -> Condition {
        Condition::holds(
            approval::UNCHANGED,
            self.is_unchanged(),
            &self.request.proposed_by,
            self.what_changed(),
            "it lapses; it can be proposed anew",
        )
    }
}

/// Says that there is no such proposal.
pub(super) fn no_such_proposal(ticket: &str) -> Refusal {
    Refusal::new(
        format!("there is no proposal {ticket:?}"),
        "`govdeck approval list` shows what waits",
    )
}

/// Names a proposal as the target of an action.
pub(super) fn target(request: &ApprovalRequest) -> Target {
    Target {
        kind: KIND,
        id: request.ticket.clone(),
        version: request.version,
    }
}

/// Ends a proposal: how, by whom, and why where it was not approved.
pub(super) fn ended(
    request: &ApprovalRequest,
    status: ApprovalStatus,
    by: Option<String>,
    because: Option<String>,
    now: Moment,
) -> Result<Row, Stop> {
    let after = ApprovalRequest {
        status,
        ended_by: by,
        ended_at_utc: Some(now),
        ended_because: because,
        version: request.version + 1,
        ..request.clone()
    };
    Row::change(request, after)
}

impl Action for Approve {
    const MAY: Permission = permission::APPROVE;
    const KEY: char = 'y';
    const SUMMARY: &'static str = "Say the second yes to what somebody else proposed";
    const UNDO: &'static str = "cannot be undone: what was agreed on is done";
    const KIND: &'static str = KIND;
    const TARGET: &'static str = "The proposal's ticket";
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            ticket: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        let second = person::actor(view).await?.map(|actor| actor.person_id);
        Facts::read(view, &self.ticket, second.as_deref()).await
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = facts
            .as_ref()
            .ok_or_else(|| no_such_proposal(&self.ticket))?;
        let request = &facts.request;
        let mut conditions = approval::may_approve(&facts.standing(), by.actor, now);
        conditions.push(time::can_be_counted(facts.latest_entry_at, now));
        conditions.push(facts.unchanged());
        let (what, mut rows, notices, evidence) = match &facts.again {
            Ok(draft) => (
                (draft.target.clone(), draft.conditions.clone()),
                draft.rows.clone(),
                draft.notices.clone(),
                draft.evidence.clone(),
            ),
            Err(_) => (
                (target(request), Vec::new()),
                Vec::new(),
                Vec::new(),
                Vec::new(),
            ),
        };
        rows.push(ended(
            request,
            ApprovalStatus::Approved,
            Some(by.id()),
            None,
            now,
        )?);
        Ok(Draft {
            second: Some(Second {
                request: request.clone(),
                verb: facts.entry.verb,
                target: what.0,
                conditions: what.1,
                card: facts.card.clone(),
            }),
            ..Draft::new(target(request), conditions, rows)
                .answering(request)
                .with_notices(notices)
                .with_evidence(evidence)
        })
    }
}

//! Proposes who shall own the blocks of a reason; the old route holds until a signer has acknowledged it.

use super::add_person::plain_line;
use super::entry::{Action, Asked, Draft, Field, Required, Row, Stop};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::block::BlockReason;
use crate::rules::people::{Acting, Role};
use crate::rules::permission::{self, Permission};
use crate::rules::route::{self, Proposed, RouteChangeStatus};
use crate::store::outbox::Notice;
use crate::store::person::{self, Person, is_active_human};
use crate::store::route::{self as routes, Route, RouteChange};
use crate::store::{StoreError, Target, View};

pub(super) struct ProposeRoute {
    id: String,
    reason: BlockReason,
    owner: String,
    backup: String,
    minutes: i64,
}

pub(super) struct Facts {
    same_id: Option<RouteChange>,
    now: Option<Route>,
    waiting: Option<RouteChange>,
    owner: Option<Person>,
    backup: Option<Person>,
    signers: Vec<String>,
}

impl Action for ProposeRoute {
    const MAY: Permission = permission::PROPOSE_ROUTE;
    const KEY: char = 'u';
    const SUMMARY: &'static str = "Propose who owns the blocks of a reason";
    const UNDO: &'static str = "decline-route: by a signer; until one says yes the old route holds";
    const KIND: &'static str = "route";
    const TARGET: &'static str = "The new change's id, such as the ticket it was asked for in";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "for",
            help: "The block reason",
            required: Required::Yes,
        },
        Field {
            name: "owner",
            help: "The owner's id",
            required: Required::Yes,
        },
        Field {
            name: "backup",
            help: "The backup's id, somebody else",
            required: Required::Yes,
        },
        Field {
            name: "minutes",
            help: "The minutes for the first response, 30 when left out",
            required: Required::No,
        },
    ];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let minutes = asked.optional("minutes").unwrap_or("30");
        Ok(Self {
            id: plain_line("change's id", &asked.target)?.to_owned(),
            reason: asked.required("for")?.parse()?,
            owner: asked.required("owner")?.to_owned(),
            backup: asked.required("backup")?.to_owned(),
            minutes: minutes.parse().map_err(|_| {
                Refusal::new(format!("{minutes:?} is no number of minutes"), "1 to 1440")
            })?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let is_mine = |reason: BlockReason| reason == self.reason;
        Ok(Facts {
            same_id: routes::change(view, &self.id).await?,
            now: routes::routes(view)
                .await?
                .into_iter()
                .find(|route| is_mine(route.block_reason)),
            waiting: routes::pending(view)
                .await?
                .into_iter()
                .find(|change| is_mine(change.block_reason)),
            owner: person::find(view, &self.owner).await?,
            backup: person::find(view, &self.backup).await?,
            signers: person::holders(view, &[Role::Signer]).await?,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let route = facts.now.as_ref().ok_or_else(|| {
            Refusal::new(
                format!("{} has no route", self.reason),
                "run `govdeck ledger verify`",
            )
        })?;
        if let Some(there) = &facts.same_id {
            return Err(Refusal::new(
                format!(
                    "the change {:?} is there already, {}",
                    self.id, there.status
                ),
                "choose another id; ids are never used again",
            )
            .into());
        }
        let conditions = route::may_propose(&Proposed {
            owner: (&self.owner, is_active_human(facts.owner.as_ref())),
            backup: (&self.backup, is_active_human(facts.backup.as_ref())),
            minutes: self.minutes,
            waiting: facts
                .waiting
                .as_ref()
                .map(|change| change.route_change_id.as_str()),
            differs: self.owner != route.owner_user_id
                || self.backup != route.backup_owner_user_id
                || self.minutes != route.sla_first_response_minutes,
        });
        let change = RouteChange {
            route_change_id: self.id.clone(),
            block_reason: self.reason,
            owner_role: route.owner_role,
            owner_user_id: self.owner.clone(),
            backup_owner_user_id: self.backup.clone(),
            sla_first_response_minutes: self.minutes,
            proposed_by: by.id(),
            proposed_at_utc: now,
            status: RouteChangeStatus::Pending,
            acked_by: None,
            acked_at_utc: None,
            version: 1,
        };
        let target = Target {
            kind: Self::KIND,
            id: self.id.clone(),
            version: 0,
        };
        let others = facts
            .signers
            .iter()
            .filter(|signer| **signer != by.actor.person_id);
        let notices = others.map(|signer| self.ask(signer, by)).collect();
        Ok(Draft::new(target, conditions, vec![Row::new(change)]).with_notices(notices))
    }
}

impl ProposeRoute {
    fn ask(&self, signer: &str, by: &Acting<'_>) -> Notice {
        Notice {
            event_class: "route_change_proposed",
            about: self.id.clone(),
            recipient_id: signer.to_owned(),
            subject: format!(
                "a change of the route of {} waits for a signer",
                self.reason
            ),
            body: format!(
                "{} proposes that {} owns {} with {} as backup, {} minutes for the first response.\n\
                 Acknowledge it with: govdeck act ack-route {}",
                by.actor.person_id, self.owner, self.reason, self.backup, self.minutes, self.id
            ),
            drill: false,
        }
    }
}

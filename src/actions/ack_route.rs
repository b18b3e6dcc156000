//! Acknowledge a change of route: it holds from now on.

use super::entry::{Action, Asked, Draft, Row, Stop};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::route::{self, Proposed, RouteChangeStatus};
use crate::store::person::{self, Person, is_active_human};
use crate::store::route::{self as routes, Route, RouteChange};
use crate::store::{StoreError, Target, View};

pub(super) struct AckRoute {
    id: String,
}

pub(super) struct Facts {
    change: Option<RouteChange>,
    route: Option<Route>,
    owner: Option<Person>,
    backup: Option<Person>,
}

/// Says that there is no such change.
pub(super) fn no_such_change(id: &str) -> Refusal {
    Refusal::new(
        format!("there is no change of route {id:?}"),
        "`govdeck block routes` shows what waits",
    )
}

/// Answers a change of route.
pub(super) fn answered(
    change: &RouteChange,
    status: RouteChangeStatus,
    by: &Acting<'_>,
    now: Moment,
) -> RouteChange {
    RouteChange {
        status,
        acked_by: Some(by.id()),
        acked_at_utc: Some(now),
        version: change.version + 1,
        ..change.clone()
    }
}

/// Names a change of route as the target of an action.
pub(super) fn target(change: &RouteChange) -> Target {
    Target {
        kind: AckRoute::KIND,
        id: change.route_change_id.clone(),
        version: change.version,
    }
}

impl Action for AckRoute {
    const MAY: Permission = permission::ACK_ROUTE;
    const KEY: char = 'c';
    const SUMMARY: &'static str = "Acknowledge a change of route: it holds from now on";
    const UNDO: &'static str = "propose-route: the owners from before, for a signer to acknowledge";
    const KIND: &'static str = "route";
    const TARGET: &'static str = "The change's id";
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let change = routes::change(view, &self.id).await?;
        let all = routes::routes(view).await?;
        let reason = change.as_ref().map(|change| change.block_reason);
        Ok(Facts {
            route: all
                .into_iter()
                .find(|route| Some(route.block_reason) == reason),
            owner: match &change {
                Some(change) => person::find(view, &change.owner_user_id).await?,
                None => None,
            },
            backup: match &change {
                Some(change) => person::find(view, &change.backup_owner_user_id).await?,
                None => None,
            },
            change,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let before = facts
            .change
            .as_ref()
            .ok_or_else(|| no_such_change(&self.id))?;
        let route = facts.route.as_ref().ok_or_else(|| {
            Refusal::new(
                format!("{} has no route", before.block_reason),
                "run `govdeck ledger verify`",
            )
        })?;
        let new_route = Route {
            owner_role: before.owner_role,
            owner_user_id: before.owner_user_id.clone(),
            backup_owner_user_id: before.backup_owner_user_id.clone(),
            sla_first_response_minutes: before.sla_first_response_minutes,
            updated_at_utc: now,
            updated_by_user_id: by.id(),
            version: route.version + 1,
            ..route.clone()
        };
        let mut conditions = route::may_answer(before.status, &before.proposed_by, by.actor);
        conditions.extend(route::may_ack(&Proposed {
            owner: (&before.owner_user_id, is_active_human(facts.owner.as_ref())),
            backup: (
                &before.backup_owner_user_id,
                is_active_human(facts.backup.as_ref()),
            ),
            minutes: before.sla_first_response_minutes,
            waiting: None,
            differs: true,
        }));
        let acked = answered(before, RouteChangeStatus::Acked, by, now);
        let rows = vec![Row::change(before, acked)?, Row::change(route, new_route)?];
        Ok(Draft::new(target(before), conditions, rows))
    }
}

//! Say no to a change of route; the old one holds.

use super::ack_route::{answered, no_such_change, target};
use super::entry::{Action, Asked, Draft, Row, Stop};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::route::{self, RouteChangeStatus};
use crate::store::route::{self as routes, RouteChange};
use crate::store::{StoreError, View};

pub(super) struct DeclineRoute {
    id: String,
}

impl Action for DeclineRoute {
    const MAY: Permission = permission::DECLINE_ROUTE;
    const KEY: char = 'j';
    const SUMMARY: &'static str = "Say no to a change of route";
    const UNDO: &'static str = "propose-route: the same change under a new id";
    const KIND: &'static str = "route";
    const TARGET: &'static str = "The change's id";
    type Facts = Option<RouteChange>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<RouteChange>, StoreError> {
        routes::change(view, &self.id).await
    }

    fn propose(
        &self,
        facts: &Option<RouteChange>,
        by: &Acting<'_>,
        now: Moment,
    ) -> Result<Draft, Stop> {
        let before = facts.as_ref().ok_or_else(|| no_such_change(&self.id))?;
        let conditions = route::may_answer(before.status, &before.proposed_by, by.actor);
        let declined = answered(before, RouteChangeStatus::Declined, by, now);
        Ok(Draft::new(
            target(before),
            conditions,
            vec![Row::change(before, declined)?],
        ))
    }
}

//! Closes a deficiency: somebody saw to it, and says how.

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::migration::{self, Deficiency};
use crate::store::{StoreError, Target, View};

pub(in crate::actions) struct CloseDeficiency {
    id: String,
}

impl Action for CloseDeficiency {
    const MAY: Permission = permission::CLOSE_DEFICIENCY;
    const KEY: char = 'd';
    const SUMMARY: &'static str = "Close a deficiency that was seen to; the reason says how";
    const UNDO: &'static str =
        "cannot be undone: a metric that still does not match opens another one after three days";
    const KIND: &'static str = "deficiency";
    const TARGET: &'static str = "The deficiency's id";
    type Facts = Option<Deficiency>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Deficiency>, StoreError> {
        migration::deficiency(view, &self.id).await
    }

    fn propose(
        &self,
        facts: &Option<Deficiency>,
        by: &Acting<'_>,
        now: Moment,
    ) -> Result<Draft, Stop> {
        let before = facts.as_ref().ok_or_else(|| {
            Refusal::new(
                format!("there is no deficiency {:?}", self.id),
                "its id is in the message that its owner got",
            )
        })?;
        let evidence = match (&before.closed_by, before.closed_at_utc) {
            (Some(by), Some(at)) => format!("{by} closed it at {at}"),
            _ => format!("open since {}", before.opened_at_utc),
        };
        let conditions = vec![Condition::holds(
            "open",
            before.closed_at_utc.is_none(),
            before.owner_id.clone(),
            evidence,
            "nothing is left to do",
        )];
        let after = Deficiency {
            closed_by: Some(by.id()),
            closed_reason: Some(by.reason()),
            closed_at_utc: Some(now),
            version: before.version + 1,
            ..before.clone()
        };
        let target = Target {
            kind: Self::KIND,
            id: self.id.clone(),
            version: before.version,
        };
        Ok(Draft::new(
            target,
            conditions,
            vec![Row::change(before, after)?],
        ))
    }
}

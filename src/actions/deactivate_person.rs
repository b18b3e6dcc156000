//! Lets a person act no more, from the next transaction on; what they did stays theirs.

use super::entry::{Action, Asked, Draft, Row, Stop};
use super::revoke_role::a_lead_stays;
use crate::clock::Moment;
use crate::rules::people::{Acting, Role};
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::person::{self, Person};
use crate::store::route::{self, Route};
use crate::store::{StoreError, Target, View};

pub(super) struct DeactivatePerson {
    person_id: String,
}

pub(super) struct Facts {
    person: Option<Person>,
    leads: Vec<String>,
    routes: Vec<Route>,
}

impl Action for DeactivatePerson {
    const MAY: Permission = permission::DEACTIVATE_PERSON;
    const KEY: char = 'd';
    const SUMMARY: &'static str = "Let a person, or a service, act no more";
    const UNDO: &'static str =
        "cannot be undone: ids are never used again; add-person takes a new one";
    const KIND: &'static str = "person";
    const TARGET: &'static str = "The person's id";
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            person_id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            person: person::find(view, &self.person_id).await?,
            leads: person::holders(view, &[Role::GovernanceLead]).await?,
            routes: route::routes(view).await?,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, _now: Moment) -> Result<Draft, Stop> {
        let before = facts.person.as_ref().ok_or_else(|| {
            Refusal::new(
                format!("there is no person {:?}", self.person_id),
                "nothing is left to do",
            )
        })?;
        let after = Person {
            active: false,
            version: before.version + 1,
            ..before.clone()
        };
        let target = Target {
            kind: Self::KIND,
            id: self.person_id.clone(),
            version: before.version,
        };
        let routed: Vec<_> = facts
            .routes
            .iter()
            .filter(|route| {
                [&route.owner_user_id, &route.backup_owner_user_id].contains(&&self.person_id)
            })
            .map(|route| route.block_reason.word())
            .collect();
        let conditions = vec![
            Condition::holds(
                "active",
                before.active,
                "governance_lead",
                if before.active {
                    "active"
                } else {
                    "not active any more"
                },
                "nothing is left to do",
            ),
            Condition::holds(
                "not_yourself",
                by.actor.person_id != self.person_id,
                "another governance_lead",
                format!("you are {}", by.actor.person_id),
                "ask another governance_lead",
            ),
            Condition::holds(
                "not_the_rules",
                self.person_id != person::RULES,
                "nobody",
                format!("rules write in the name of {}", person::RULES),
                "without it no gate decides",
            ),
            a_lead_stays(&facts.leads, &self.person_id),
            Condition::holds(
                "not_routed",
                routed.is_empty(),
                "governance_lead",
                match routed.as_slice() {
                    [] => "no block is routed to them".to_owned(),
                    routed => format!("owner or backup of {}", routed.join(", ")),
                },
                "route those blocks to somebody else first",
            ),
        ];
        Ok(Draft::new(
            target,
            conditions,
            vec![Row::change(before, after)?],
        ))
    }
}

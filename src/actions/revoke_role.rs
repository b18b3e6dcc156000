//! Takes a role from a person, from the next transaction on.

use super::entry::{Action, Asked, Draft, Field, Required, Row, Stop};
use crate::clock::Moment;
use crate::rules::people::{Acting, Role};
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::person::{self, PersonRole};
use crate::store::{StoreError, Target, View};

pub(super) struct RevokeRole {
    person_id: String,
    role: Role,
}

pub(super) struct Facts {
    held: Option<PersonRole>,
    leads: Vec<String>,
}

/// Says whether somebody would still lead after `leaver` no longer does.
pub(super) fn a_lead_stays(leads: &[String], leaver: &str) -> Condition {
    let others: Vec<_> = leads.iter().filter(|lead| *lead != leaver).collect();
    Condition::holds(
        "a_lead_stays",
        !leads.iter().any(|lead| lead == leaver) || !others.is_empty(),
        "governance_lead",
        format!("{} other governance leads", others.len()),
        "grant governance_lead to somebody else first",
    )
}

impl Action for RevokeRole {
    const MAY: Permission = permission::REVOKE_ROLE;
    const KEY: char = 'r';
    const SUMMARY: &'static str = "Take a role from a person";
    const UNDO: &'static str = "grant-role: what waited on it meanwhile may have lapsed";
    const KIND: &'static str = "person";
    const TARGET: &'static str = "The person's id";
    const FIELDS: &'static [Field] = &[Field {
        name: "role",
        help: "The role to take",
        required: Required::Yes,
    }];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            person_id: asked.target.clone(),
            role: asked.required("role")?.parse()?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            held: person::find_role(view, &self.person_id, self.role).await?,
            leads: person::holders(view, &[Role::GovernanceLead]).await?,
        })
    }

    fn propose(&self, facts: &Facts, _by: &Acting<'_>, _now: Moment) -> Result<Draft, Stop> {
        let before = facts.held.as_ref().ok_or_else(|| {
            Refusal::new(
                format!("{:?} never held the role {}", self.person_id, self.role),
                "nothing is left to do",
            )
        })?;
        let after = PersonRole {
            active: false,
            version: before.version + 1,
            ..before.clone()
        };
        let target = Target {
            kind: "person_role",
            id: format!("{}/{}", self.person_id, self.role),
            version: before.version,
        };
        let mut conditions = vec![Condition::holds(
            "held",
            before.active,
            "governance_lead",
            if before.active {
                "held"
            } else {
                "not held any more"
            },
            "nothing is left to do",
        )];
        if self.role == Role::GovernanceLead {
            conditions.push(a_lead_stays(&facts.leads, &self.person_id));
        }
        Ok(Draft::new(
            target,
            conditions,
            vec![Row::change(before, after)?],
        ))
    }
}

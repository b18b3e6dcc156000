//! Grants a role to a person.

use super::entry::{Action, Asked, Draft, Field, Required, Row, Stop};
use crate::clock::Moment;
use crate::rules::people::{Acting, Role, check_role_for};
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::person::{self, Person, PersonRole};
use crate::store::{StoreError, Target, View};

pub(super) struct GrantRole {
    person_id: String,
    role: Role,
}

pub(super) struct Facts {
    person: Option<Person>,
    held: Option<PersonRole>,
}

impl Action for GrantRole {
    const MAY: Permission = permission::GRANT_ROLE;
    const KEY: char = 'g';
    const SUMMARY: &'static str = "Grant a role to a person";
    const UNDO: &'static str = "revoke-role: what was done with it stays";
    const KIND: &'static str = "person";
    const TARGET: &'static str = "The person's id";
    const FIELDS: &'static [Field] = &[Field {
        name: "role",
        help: "The role to grant",
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
            person: person::find(view, &self.person_id).await?,
            held: person::find_role(view, &self.person_id, self.role).await?,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let person = facts.person.as_ref().ok_or_else(|| {
            Refusal::new(
                format!("there is no person {:?}", self.person_id),
                "add them first: govdeck act add-person",
            )
        })?;
        let before = facts.held.as_ref();
        let after = PersonRole {
            person_id: self.person_id.clone(),
            role: self.role,
            active: true,
            granted_by: by.id(),
            granted_at_utc: now,
            version: before.map_or(1, |held| held.version + 1),
        };
        let suits = check_role_for(person.kind, self.role);
        let holds_it = before.is_some_and(|held| held.active);
        Ok(Draft::new(
            Target {
                kind: "person_role",
                id: format!("{}/{}", self.person_id, self.role),
                version: after.version - 1,
            },
            vec![
                Condition::holds(
                    "person_active",
                    person.active,
                    "governance_lead",
                    format!(
                        "{} is {}",
                        person.person_id,
                        if person.active {
                            "active"
                        } else {
                            "not active"
                        }
                    ),
                    "an inactive person holds no role",
                ),
                Condition::holds(
                    "role_suits",
                    suits.is_ok(),
                    "governance_lead",
                    suits
                        .err()
                        .map_or("it does".to_owned(), |refusal| refusal.sentence),
                    "grant it to a human",
                ),
                Condition::holds(
                    "not_held",
                    !holds_it,
                    "governance_lead",
                    if holds_it { "held already" } else { "not held" },
                    "nothing is left to do",
                ),
                Condition::holds(
                    "not_yourself",
                    by.actor.person_id != self.person_id,
                    "another governance_lead",
                    format!("you are {}", by.actor.person_id),
                    "nobody grants a role to themselves: ask another governance_lead",
                ),
            ],
            vec![before.map_or_else(
                || Ok(Row::new(after.clone())),
                |before| Row::change(before, after.clone()),
            )?],
        ))
    }
}

//! Says who answers for a gate, and who when they cannot.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use crate::clock::Moment;
use crate::rules::migration::Gate;
use crate::rules::people::{Acting, PersonKind};
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::migration::{self, GateOwner};
use crate::store::{StoreError, Target, View, person};

pub(in crate::actions) struct RouteGate {
    gate: Gate,
    owner: String,
    backup: String,
}

pub(in crate::actions) struct Facts {
    before: Option<GateOwner>,
    /// Of the owner and the backup: whether they are active humans, and the owner's role fits.
    fit: [bool; 2],
    holds_role: bool,
}

impl Action for RouteGate {
    const MAY: Permission = permission::ROUTE_GATE;
    const KEY: char = 'g';
    const SUMMARY: &'static str = "Say who answers for a gate, and who when they cannot";
    const UNDO: &'static str = "route-gate: with those from before";
    const KIND: &'static str = "gate";
    const TARGET: &'static str = "The gate, as G3";
    const SUBJECT: Subject = Subject::New;
    const FIELDS: &'static [Field] = &[
        Field {
            name: "owner",
            help: "Who answers for it",
            required: Required::Yes,
        },
        Field {
            name: "backup",
            help: "Who when they cannot",
            required: Required::Yes,
        },
    ];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            gate: asked.target.parse()?,
            owner: asked.required("owner")?.to_owned(),
            backup: asked.required("backup")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let mut fit = [false; 2];
        for (fits, id) in fit.iter_mut().zip([&self.owner, &self.backup]) {
            let found = person::find(view, id).await?;
            *fits = found.is_some_and(|it| it.active && it.kind == PersonKind::Human);
        }
        let roles = person::roles_of(view, &self.owner).await?;
        let role = self.gate.role();
        Ok(Facts {
            before: migration::gate_owner(view, self.gate).await?,
            fit,
            holds_role: roles.iter().any(|held| held.active && held.role == role),
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let before = facts.before.as_ref();
        let version = before.map_or(0, |row| row.version);
        let role = self.gate.role();
        let after = GateOwner {
            gate: self.gate,
            role,
            person_id: self.owner.clone(),
            backup_id: self.backup.clone(),
            set_by: by.id(),
            set_at_utc: now,
            version: version + 1,
        };
        let lead = "governance_lead";
        let conditions = vec![
            Condition::holds(
                "owner",
                facts.fit[0] && facts.holds_role,
                lead,
                format!(
                    "{} must be an active human with the role {role}",
                    self.owner
                ),
                "name somebody who holds the role, or grant it first",
            ),
            Condition::holds(
                "backup",
                facts.fit[1] && self.backup != self.owner,
                lead,
                format!("{} must be another active human", self.backup),
                "name somebody else",
            ),
        ];
        Ok(Draft::new(
            Target {
                kind: Self::KIND,
                id: self.gate.word().to_owned(),
                version,
            },
            conditions,
            vec![match before {
                Some(before) => Row::change(before, after)?,
                None => Row::new(after),
            }],
        ))
    }
}

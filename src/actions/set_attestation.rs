//! Decides how well a person must be known for one class of actions.

use super::entry::{Action, Asked, Draft, Field, Required, Row, Stop};
use crate::clock::Moment;
use crate::rules::attestation::ActionClass;
use crate::rules::people::{Acting, Attestation};
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::policy::{self, AttestationPolicy};
use crate::store::{StoreError, Target, View};

pub(super) struct SetAttestation {
    class: ActionClass,
    minimum: Attestation,
}

impl Action for SetAttestation {
    const MAY: Permission = permission::SET_ATTESTATION;
    const KEY: char = 'k';
    const SUMMARY: &'static str = "Decide how well a person must be known for a class of actions";
    const UNDO: &'static str = "set-attestation: the minimum from before, by two again";
    const KIND: &'static str = "attestation";
    const TARGET: &'static str = "The class: confirm, review, phrase or approval";
    const FIELDS: &'static [Field] = &[Field {
        name: "minimum",
        help: "The least that is enough: unattested, login or signed",
        required: Required::Yes,
    }];
    type Facts = Option<AttestationPolicy>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            class: asked.target.parse()?,
            minimum: asked.required("minimum")?.parse()?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<AttestationPolicy>, StoreError> {
        policy::attestation(view, self.class).await
    }

    fn propose(
        &self,
        facts: &Option<AttestationPolicy>,
        by: &Acting<'_>,
        now: Moment,
    ) -> Result<Draft, Stop> {
        let before = facts.as_ref();
        let version = before.map_or(0, |policy| policy.version);
        let after = AttestationPolicy {
            action_class: self.class,
            minimum: self.minimum,
            set_by: by.id(),
            approved_by: by.second(),
            set_at_utc: now,
            version: version + 1,
        };
        let target = Target {
            kind: Self::KIND,
            id: self.class.to_string(),
            version,
        };
        let is_new = before.is_none_or(|policy| policy.minimum != self.minimum);
        let now_asked = before.map_or("what a session has", |policy| policy.minimum.word());
        let condition = Condition::holds(
            "not_decided",
            is_new,
            "governance_lead",
            format!("{now_asked} is enough now"),
            "nothing is left to do",
        );
        let row = match before {
            Some(before) => Row::change(before, after)?,
            None => Row::new(after),
        };
        Ok(Draft::new(target, vec![condition], vec![row]))
    }
}

//! Revokes a key: what it signed before stays signed, from now on it signs nothing.

use super::entry::{Action, Asked, Draft, Row, Stop};
use crate::clock::Moment;
use crate::rules::people::{Acting, Role};
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::key::{self, PersonKey};
use crate::store::{StoreError, Target, View};

pub(super) struct RevokeKey {
    fingerprint: String,
}

impl Action for RevokeKey {
    const MAY: Permission = permission::REVOKE_KEY;
    const KEY: char = 'x';
    const SUMMARY: &'static str = "Revoke a key";
    const UNDO: &'static str =
        "cannot be undone: a key is never added twice; add-key takes another one";
    const KIND: &'static str = "key";
    const TARGET: &'static str = "The key's fingerprint";
    type Facts = Option<PersonKey>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            fingerprint: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<PersonKey>, StoreError> {
        key::find(view, &self.fingerprint).await
    }

    fn propose(
        &self,
        facts: &Option<PersonKey>,
        by: &Acting<'_>,
        now: Moment,
    ) -> Result<Draft, Stop> {
        let before = facts.as_ref().ok_or_else(|| {
            Refusal::new(
                format!("there is no key {:?}", self.fingerprint),
                "`govdeck key list` shows all keys",
            )
        })?;
        let after = PersonKey {
            revoked_at_utc: Some(now),
            revoked_by: Some(by.id()),
            version: before.version + 1,
            ..before.clone()
        };
        let target = Target {
            kind: Self::KIND,
            id: self.fingerprint.clone(),
            version: before.version,
        };
        let may = by.actor.person_id == before.person_id
            || by.actor.holds_one_of(&[Role::GovernanceLead]);
        let conditions = vec![
            Condition::holds(
                "valid",
                before.revoked_at_utc.is_none(),
                &before.person_id,
                before
                    .revoked_at_utc
                    .map_or("valid".to_owned(), |at| format!("revoked at {at}")),
                "nothing is left to do",
            ),
            Condition::holds(
                "own_or_lead",
                may,
                &before.person_id,
                format!(
                    "it is {}'s; you are {}",
                    before.person_id, by.actor.person_id
                ),
                "its person or a governance_lead revokes it",
            ),
        ];
        Ok(Draft::new(
            target,
            conditions,
            vec![Row::change(before, after)?],
        ))
    }
}

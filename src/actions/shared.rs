//! What every action asks besides its own conditions: a role that is held, and a person who is known well enough.

use super::entry::{Asked, Draft, Entry, Stop};
use crate::rules::Condition;
use crate::rules::attestation::{self, ActionClass};
use crate::rules::people::{Acting, Actor, Basis, Role};
use crate::rules::permission;
use crate::store::{StoreError, View, deployment, key, person, policy};

impl Entry {
    /// Reads the facts and says what the action would do, with every condition, also those that all actions share.
    pub(super) async fn plan(
        &self,
        asked: &Asked,
        view: &mut View,
        by: &Acting<'_>,
    ) -> Result<Draft, Stop> {
        let mut draft = (self.plan)(asked, view, by).await?;
        let mut shared: Vec<Condition> = self.role_held(by.actor).into_iter().collect();
        if self.basis == Basis::Person && !self.adds_first_key(view, by.actor).await? {
            shared.extend(self.attested(view, by.actor).await?);
        }
        draft.conditions.splice(0..0, shared);
        Ok(draft)
    }

    /// A first key is worth what the login was that added it: nothing could sign for it. Every further one can be signed for.
    pub(super) async fn adds_first_key(
        &self,
        view: &mut View,
        actor: &Actor,
    ) -> Result<bool, StoreError> {
        Ok(
            self.verb == permission::ADD_KEY.verb
                && !key::has_valid(view, &actor.person_id).await?,
        )
    }

    fn role_held(&self, actor: &Actor) -> Option<Condition> {
        let words = |roles: &mut dyn Iterator<Item = &Role>, between: &str| {
            let words: Vec<_> = roles.map(|role| role.word()).collect();
            words.join(between)
        };
        let wanted = words(&mut self.roles.iter(), " or ");
        let held = words(&mut actor.roles.iter(), ", ");
        let held = if held.is_empty() { "no role" } else { &held };
        (!self.roles.is_empty()).then(|| {
            Condition::holds(
                "role",
                actor.holds_one_of(self.roles),
                wanted.clone(),
                format!("{} holds {held}", actor.person_id),
                format!("a {wanted} may do this"),
            )
        })
    }

    /// Says whether the actor is known well enough, where more is asked than what every session has.
    async fn attested(
        &self,
        view: &mut View,
        actor: &Actor,
    ) -> Result<Option<Condition>, StoreError> {
        let class = ActionClass::of(&self.may);
        let decided = policy::attestation(view, class).await?;
        let environment = deployment::read(view).await?.environment;
        let of_session = person::attestation(view);
        let decided = decided.map(|policy| policy.minimum);
        let wanted = attestation::enough(class, decided, of_session, environment);
        Ok((!of_session.suffices_for(wanted))
            .then(|| attestation::is_attested(&actor.person_id, actor.attestation, wanted)))
    }
}

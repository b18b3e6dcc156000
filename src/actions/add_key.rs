//! Adds a public key that its person signs decision cards with.

use super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use crate::clock::Moment;
use crate::rules::people::{Acting, PersonKind};
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::signing::PublicKey;
use crate::store::key::{self, PersonKey};
use crate::store::{StoreError, Target, View};

pub(super) struct AddKey {
    key: PublicKey,
}

impl Action for AddKey {
    const MAY: Permission = permission::ADD_KEY;
    const KEY: char = 's';
    const SUMMARY: &'static str = "Add a key that you sign with";
    const UNDO: &'static str = "revoke-key: what it signed until then stays signed";
    const KIND: &'static str = "key";
    const TARGET: &'static str = "The key's fingerprint, as `ssh-keygen -l` prints it";
    const SUBJECT: Subject = Subject::New;
    const FIELDS: &'static [Field] = &[Field {
        name: "key",
        help: "The public key, as one line: ssh-ed25519 or sk-ssh-ed25519@openssh.com",
        required: Required::Yes,
    }];
    type Facts = Option<PersonKey>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let key = PublicKey::parse(asked.required("key")?)?;
        if key.fingerprint() != asked.target {
            return Err(Refusal::new(
                format!(
                    "the key's fingerprint is {}, not {:?}",
                    key.fingerprint(),
                    asked.target
                ),
                "look with ssh-keygen -lf FILE.pub",
            ));
        }
        Ok(Self { key })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<PersonKey>, StoreError> {
        key::find(view, &self.key.fingerprint()).await
    }

    fn propose(
        &self,
        facts: &Option<PersonKey>,
        by: &Acting<'_>,
        now: Moment,
    ) -> Result<Draft, Stop> {
        let row = PersonKey {
            fingerprint: self.key.fingerprint(),
            person_id: by.id(),
            public_key: self.key.to_line().to_owned(),
            added_at_utc: now,
            revoked_at_utc: None,
            revoked_by: None,
            version: 1,
        };
        let target = Target {
            kind: Self::KIND,
            id: self.key.fingerprint(),
            version: facts.as_ref().map_or(0, |there| there.version),
        };
        let conditions = vec![
            Condition::holds(
                "a_human",
                by.actor.kind == PersonKind::Human,
                "a human",
                format!("{} is a {}", by.actor.person_id, by.actor.kind),
                "a service never signs",
            ),
            Condition::holds(
                "new_key",
                facts.is_none(),
                &by.actor.person_id,
                facts
                    .as_ref()
                    .map_or("not registered yet".to_owned(), |there| {
                        let revoked = there.revoked_at_utc.map_or("", |_| ", and revoked");
                        format!("belongs to {}{revoked}", there.person_id)
                    }),
                "make another: ssh-keygen -t ed25519; a key is one person's for ever",
            ),
        ];
        Ok(Draft::new(target, conditions, vec![Row::new(row)]))
    }
}

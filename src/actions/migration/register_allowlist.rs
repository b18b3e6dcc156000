//! Registers the allow-list of a phase; yeses to it are bound to its hash.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop};
use super::{MIGRATION, open, read, target, there};
use crate::canon::{Digest, Texts, canonical_exact};
use crate::clock::Moment;
use crate::rules::allowlist::Policy;
use crate::rules::migration::Phase;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::artifact::{self, Artifact, EXPORTER_ALLOWLIST};
use crate::store::migration::{self, Allowlist};
use crate::store::{StoreError, View};

const OWNER: &str = "exporter_maintainer";

pub(in crate::actions) struct RegisterAllowlist {
    id: String,
    policy: Policy,
    phase: Phase,
    canonical: Vec<u8>,
}

pub(in crate::actions) struct Facts {
    read: super::Facts,
    registered: Option<Allowlist>,
    /// What the list of the phase before forbids; nothing where there is none.
    forbidden: Texts,
}

impl Action for RegisterAllowlist {
    const MAY: Permission = permission::REGISTER_ALLOWLIST;
    const KEY: char = 'l';
    const SUMMARY: &'static str = "Register the allow-list of a phase";
    const UNDO: &'static str = "register-allowlist: the one from before, which is approved anew";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    const FIELDS: &'static [Field] = &[Field {
        name: "document",
        help: "The allow-list as JSON; `migration allowlist ID FILE` reads it from a file",
        required: Required::Yes,
    }];
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let document = asked.required("document")?.as_bytes();
        let refused = |what: String| {
            Refusal::new(
                format!("the allow-list cannot be read: {what}"),
                "`govdeck gate allowlist` says what is wrong with it",
            )
        };
        let policy = Policy::read(document).map_err(|error| refused(error.to_string()))?;
        let canonical = canonical_exact(document).map_err(|error| refused(error.to_string()))?;
        Ok(Self {
            id: asked.target.clone(),
            phase: policy.phase.word().parse()?,
            policy,
            canonical,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        let Some(read) = read(view, &self.id).await? else {
            return Ok(None);
        };
        let mut forbidden = Texts::default();
        for list in migration::allowlists(view, &self.id).await? {
            if list.phase >= self.phase {
                break;
            }
            let sha256: Option<Digest> = list.document_sha256.parse().ok();
            let bytes = match sha256 {
                Some(sha256) => artifact::bytes(view, sha256).await?,
                None => None,
            };
            let policy = bytes.and_then(|bytes| Policy::read(&bytes).ok());
            forbidden = policy.map_or(Texts::default(), |policy| policy.forbidden_exact_keys);
        }
        Ok(Some(Facts {
            registered: migration::allowlist(view, &self.id, self.phase).await?,
            read,
            forbidden,
        }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let known = &there(facts.as_ref().map(|facts| &facts.read), &self.id)?.known;
        let registered = facts.as_ref().and_then(|facts| facts.registered.as_ref());
        let earlier = facts.as_ref().map(|facts| &facts.forbidden);
        let forbids = &self.policy.forbidden_exact_keys;
        let grew = earlier.is_none_or(|earlier| !forbids.iter().all(|key| earlier.contains(key)));
        let file = Artifact::new(EXPORTER_ALLOWLIST.1, self.canonical.clone());
        let sha256 = file.sha256.to_string();
        let row = Allowlist {
            migration_id: self.id.clone(),
            phase: self.phase,
            allowlist_sha256: sha256.clone(),
            document_sha256: sha256.clone(),
            forbidden_grew: grew,
            author_id: by.id(),
            registered_at_utc: now,
            version: registered.map_or(1, |before| before.version + 1),
        };
        let mut conditions = vec![open(known)];
        conditions.extend(self.conditions(known, registered, &sha256));
        let rows = vec![match registered {
            Some(before) => Row::change(before, row)?,
            None => Row::new(row),
        }];
        let draft = Draft::new(target(&known.migration), conditions, rows);
        Ok(draft.with_evidence(vec![(EXPORTER_ALLOWLIST.0, file)]))
    }
}

impl RegisterAllowlist {
    fn conditions(
        &self,
        known: &migration::Known,
        registered: Option<&Allowlist>,
        sha256: &str,
    ) -> Vec<Condition> {
        let (row, policy) = (&known.migration, &self.policy);
        let is_its = (&policy.migration_id, &policy.from_semver, &policy.to_semver)
            == (&row.migration_id, &row.from_semver, &row.to_semver);
        let protected = known.protected.iter();
        let missing: Vec<&str> = protected
            .map(|it| &*it.metric_id)
            .filter(|id| !policy.protected_metric_ids.contains(id))
            .collect();
        vec![
            Condition::holds(
                "of_this_migration",
                is_its,
                OWNER,
                format!(
                    "it is of {}, {} to {}",
                    policy.migration_id, policy.from_semver, policy.to_semver
                ),
                "name this migration and its two releases, as they are registered",
            ),
            Condition::holds(
                "protects",
                missing.is_empty(),
                OWNER,
                if missing.is_empty() {
                    "it names every protected metric".to_owned()
                } else {
                    format!("it does not name {}", missing.join(", "))
                },
                "name every protected metric in protected_metric_ids",
            ),
            Condition::holds(
                "says_something",
                registered.is_none_or(|list| list.allowlist_sha256 != sha256),
                OWNER,
                format!("for {}", self.phase),
                "it is registered already",
            ),
        ]
    }
}

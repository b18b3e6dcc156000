//! Registers the footer schema that artefacts must carry from now on.

use super::entry::{Action, Asked, Draft, Row, Stop};
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal, semver};
use crate::store::publish::{self, FooterSchema};
use crate::store::{StoreError, Target, View};

/// The registry's only slot.
const CURRENT: &str = "current";

pub(super) struct RegisterFooter {
    semver: String,
}

impl Action for RegisterFooter {
    const MAY: Permission = permission::REGISTER_FOOTER;
    const KEY: char = 'f';
    const SUMMARY: &'static str = "Register the current footer schema";
    const UNDO: &'static str =
        "register-footer: the version from before; what was decided meanwhile stays";
    const KIND: &'static str = "footer";
    const TARGET: &'static str = "Its semver, to the letter as artefacts carry it";
    type Facts = Option<FooterSchema>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        semver::parse(&asked.target)?;
        Ok(Self {
            semver: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<FooterSchema>, StoreError> {
        publish::footer_schema(view).await
    }

    fn propose(
        &self,
        facts: &Option<FooterSchema>,
        by: &Acting<'_>,
        now: Moment,
    ) -> Result<Draft, Stop> {
        let before = facts.as_ref();
        let version = before.map_or(0, |current| current.version);
        let after = FooterSchema {
            slot: CURRENT.to_owned(),
            current_semver: self.semver.clone(),
            updated_at_utc: now,
            updated_by_user_id: by.id(),
            version: version + 1,
        };
        let is_new = before.is_none_or(|current| current.current_semver != self.semver);
        let current = before.map_or("none", |current| &current.current_semver);
        Ok(Draft::new(
            Target {
                kind: Self::KIND,
                id: self.semver.clone(),
                version,
            },
            vec![Condition::holds(
                "not_current",
                is_new,
                "governance_lead",
                format!("the current one is {current}"),
                "nothing is left to do",
            )],
            vec![match before {
                Some(before) => Row::change(before, after)?,
                None => Row::new(after),
            }],
        ))
    }
}

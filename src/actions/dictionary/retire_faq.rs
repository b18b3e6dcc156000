//! Retires a question of the FAQ: it is no longer shown.

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::there;
use crate::clock::Moment;
use crate::rules::faq::FaqStatus;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::dictionary::{self, FaqRow};
use crate::store::{StoreError, Target, View};

pub(in crate::actions) struct RetireFaq {
    id: String,
}

impl Action for RetireFaq {
    const MAY: Permission = permission::RETIRE_FAQ;
    const KEY: char = 'x';
    const SUMMARY: &'static str = "Retire a question of the FAQ";
    const UNDO: &'static str = "put-faq: it is shown again";
    const KIND: &'static str = "faq";
    const TARGET: &'static str = "The question's id";
    type Facts = Option<FaqRow>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<FaqRow>, StoreError> {
        dictionary::faq(view, &self.id).await
    }

    fn propose(&self, facts: &Option<FaqRow>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let before = there(facts.as_ref(), "question", &self.id)?;
        let after = FaqRow {
            status: FaqStatus::Retired,
            edited_by: by.id(),
            edited_at_utc: now,
            version: before.version + 1,
            ..before.clone()
        };
        let conditions = vec![Condition::holds(
            "shown",
            before.status == FaqStatus::Active,
            "faq_editor",
            before.status.to_string(),
            "nothing is left to do",
        )];
        let target = Target {
            kind: Self::KIND,
            id: self.id.clone(),
            version: before.version,
        };
        Ok(Draft::new(
            target,
            conditions,
            vec![Row::change(before, after)?],
        ))
    }
}

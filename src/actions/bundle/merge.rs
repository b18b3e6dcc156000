//! Says that an approved bundle is part of the code from now on.

use super::super::entry::{Action, Asked, Draft, Stop};
use super::{BUNDLE, Decided, Facts, begun, read, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::bundle::RunType;
use crate::rules::bundle_run::{self as rule, BundleStatus};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::{StoreError, View};

pub(in crate::actions) struct MergeBundle {
    id: String,
}

impl Action for MergeBundle {
    const MAY: Permission = permission::MERGE_BUNDLE;
    const KEY: char = 'm';
    const SUMMARY: &'static str = "Say that an approved bundle is merged";
    const UNDO: &'static str =
        "supersede-bundle: another bundle takes its place; it is never deleted";
    const KIND: &'static str = BUNDLE;
    const TARGET: &'static str = "The bundle's migration id";
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        read(view, &self.id).await
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = there(facts.as_ref(), &self.id)?;
        let known = &facts.known;
        Decided {
            facts,
            run: begun(known, RunType::Merge, None, by, now),
            status: Some(BundleStatus::Merged),
            conditions: known.decide(rule::may_merge),
            may: &Self::MAY,
        }
        .draft(by, now)
    }
}

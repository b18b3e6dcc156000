//! Lets another bundle take a bundle's place; nothing of it runs any more, and it is never deleted.

use super::super::entry::{Action, Asked, Draft, Field, Required, Stop};
use super::{BUNDLE, Decided, Facts, begun, read, successor, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::bundle::RunType;
use crate::rules::bundle_run::{self as rule, BundleStatus};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::bundle::{self, Bundle, Run};
use crate::store::{StoreError, View};

pub(in crate::actions) struct SupersedeBundle {
    id: String,
    by: String,
}

impl Action for SupersedeBundle {
    const MAY: Permission = permission::SUPERSEDE_BUNDLE;
    const KEY: char = 's';
    const SUMMARY: &'static str = "Let another bundle take a bundle's place";
    const UNDO: &'static str = "cannot be undone: a bundle is superseded once, and never deleted";
    const KIND: &'static str = BUNDLE;
    const TARGET: &'static str = "The bundle's migration id";
    const FIELDS: &'static [Field] = &[Field {
        name: "by",
        help: "The bundle that takes its place",
        required: Required::Yes,
    }];
    type Facts = (Option<Facts>, Option<Bundle>);

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            by: asked.required("by")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Self::Facts, StoreError> {
        Ok((
            read(view, &self.id).await?,
            bundle::find(view, &self.by).await?,
        ))
    }

    fn propose(
        &self,
        (facts, other): &Self::Facts,
        by: &Acting<'_>,
        now: Moment,
    ) -> Result<Draft, Stop> {
        let facts = there(facts.as_ref(), &self.id)?;
        let known = &facts.known;
        let successor = successor(&self.by, other.as_ref());
        Decided {
            facts,
            run: Run {
                detail: Some(format!("superseded by {}", self.by)),
                ..begun(known, RunType::Approval, None, by, now)
            },
            status: Some(BundleStatus::Superseded),
            superseded_by: Some(self.by.clone()),
            conditions: known.decide(|facts| rule::may_supersede(&self.id, facts, &successor)),
            may: &Self::MAY,
        }
        .draft(by, now)
    }
}

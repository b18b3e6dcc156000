//! Lets the merge of a later bundle take a bundle's place; nothing of it runs any more, and it is never deleted.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop};
use super::{BUNDLE, no_such_bundle, target};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::bundle::RunType;
use crate::rules::bundle_run::{self as rule, BundleStatus, Successor, is_later};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::artifact::{Artifact, BUNDLE_RECEIPT};
use crate::store::bundle::{self, Bundle, Known};
use crate::store::{StoreError, View};

pub(in crate::actions) struct SupersedeBundle {
    id: String,
    by: String,
}

pub(in crate::actions) struct Facts {
    known: Option<Known>,
    /// How far the other has come.
    status: Option<BundleStatus>,
    /// The receipt of its merge.
    receipt: Option<Vec<u8>>,
}

impl Action for SupersedeBundle {
    const MAY: Permission = permission::SUPERSEDE_BUNDLE;
    const KEY: char = 's';
    const SUMMARY: &'static str = "Let the merge of a later bundle take a bundle's place";
    const UNDO: &'static str = "cannot be undone: a bundle is superseded once, and never deleted";
    const KIND: &'static str = BUNDLE;
    const TARGET: &'static str = "The bundle's migration id";
    const FIELDS: &'static [Field] = &[Field {
        name: "by",
        help: "The later bundle that was merged",
        required: Required::Yes,
    }];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            by: asked.required("by")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let known = bundle::known(view, &self.id).await?;
        let other = bundle::known(view, &self.by).await?;
        let mut runs = other.iter().flat_map(|other| &other.runs);
        let merge = runs.find(|run| run.run_type == RunType::Merge);
        let receipt = match merge.and_then(|run| run.receipt_sha256.as_deref()) {
            Some(sha256) => bundle::named(view, sha256).await?,
            None => None,
        };
        Ok(Facts {
            known,
            status: other.map(|other| other.bundle.status),
            receipt,
        })
    }

    fn propose(&self, facts: &Facts, _by: &Acting<'_>, _now: Moment) -> Result<Draft, Stop> {
        let known = facts.known.as_ref();
        let known = known.ok_or_else(|| no_such_bundle(&self.id))?;
        let before = &known.bundle;
        let successor = Successor {
            migration_id: &self.by,
            status: facts.status,
            is_later: is_later(&self.id, &self.by),
        };
        let after = Bundle {
            status: BundleStatus::Superseded,
            superseded_by: Some(self.by.clone()),
            version: before.version + 1,
            ..before.clone()
        };
        let conditions = known.decide(|facts| rule::may_supersede(facts, &successor));
        let receipt = facts.receipt.clone().map(|bytes| {
            let (role, media_type) = BUNDLE_RECEIPT;
            (role, Artifact::new(media_type, bytes))
        });
        let rows = vec![Row::change(before, after)?];
        Ok(Draft::new(target(before), conditions, rows)
            .with_evidence(receipt.into_iter().collect()))
    }
}

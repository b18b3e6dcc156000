//! Records what a rehearsal of the hour comes to, by rule: its receipt says it, and nobody else.

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::{Facts, MIGRATION, evidence_id, open, read, target, there};
use crate::clock::Moment;
use crate::rules::migration::{EvidenceKind, Receipt};
use crate::rules::people::{Acting, Role};
use crate::rules::permission::{self, Permission};
use crate::rules::text::shorten;
use crate::rules::{Condition, Refusal};
use crate::store::artifact::{Artifact, REHEARSAL_RECEIPT};
use crate::store::migration::GateEvidence;
use crate::store::{StoreError, View};

/// How long the line about it may be; the receipt has all of it.
const MOST_DETAIL: usize = 500;

pub(in crate::actions) struct RecordRehearsal {
    id: String,
    receipt: Receipt,
    evidence: Vec<(&'static str, Artifact)>,
}

impl Action for RecordRehearsal {
    const MAY: Permission = permission::RECORD_REHEARSAL;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "Record what a rehearsal of the hour came to";
    const UNDO: &'static str =
        "cannot be undone: what was found stays, and what is found next counts";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let evidence = asked.filed(&[REHEARSAL_RECEIPT.0]);
        let [(_, document)] = evidence.as_slice() else {
            let what = "the receipt does not come along";
            return Err(Refusal::new(what, "report this as a bug"));
        };
        Ok(Self {
            id: asked.target.clone(),
            receipt: Receipt::read(document.bytes())?,
            evidence,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        read(view, &self.id).await
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let known = &there(facts.as_ref(), &self.id)?.known;
        let receipt = &self.receipt;
        let kind = EvidenceKind::Rehearsal;
        let is_current =
            receipt.migration_id == self.id && receipt.plan_hash == known.inputs_of(kind);
        let conditions = vec![
            open(known),
            Condition::holds(
                "same_plan",
                is_current,
                Role::GovernanceLead.word(),
                if is_current {
                    "it rehearsed the plan that there is now"
                } else {
                    "the plan, its bundles, the pairs or the allow-list have changed meanwhile"
                },
                "rehearse it again: govdeck rehearse",
            ),
        ];
        let sha256 = self.evidence[0].1.sha256;
        let row = GateEvidence {
            evidence_id: evidence_id(&self.id, kind, &sha256, Some(known)),
            migration_id: self.id.clone(),
            gate: kind,
            verdict: receipt.verdict,
            inputs_sha256: receipt.plan_hash.clone(),
            evidence_sha256: sha256.to_string(),
            detail: shorten(&receipt.said(), MOST_DETAIL).into_owned(),
            observed_at_utc: now,
            recorded_by: by.id(),
            version: 1,
        };
        let draft = Draft::new(target(&known.migration), conditions, vec![Row::new(row)]);
        Ok(draft.with_evidence(self.evidence.clone()))
    }
}

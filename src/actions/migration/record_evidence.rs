//! Records what a probe, a replay or a search found for a gate, by rule.

use serde::{Deserialize, Serialize};

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::{MIGRATION, evidence_id, open, read, target, there};
use crate::clock::Moment;
use crate::rules::migration::EvidenceKind;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal, Verdict};
use crate::store::artifact::{
    Artifact, GATE_EVIDENCE, REPLAY_GOLDEN, REPLAY_MANIFEST, REPLAY_RESULT,
};
use crate::store::migration::GateEvidence;
use crate::store::{StoreError, View};

/// What was found, as far as the database keeps it; the document comes along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateFinding {
    /// What it is about.
    pub kind: EvidenceKind,
    /// What was found.
    pub verdict: Verdict,
    /// What it was found of, hashed.
    pub inputs_sha256: String,
    /// What was found, in one line.
    pub detail: String,
}

/// The document of what was found, and what a replay compared.
const FILED: [&str; 4] = [
    GATE_EVIDENCE.0,
    REPLAY_MANIFEST.0,
    REPLAY_GOLDEN.0,
    REPLAY_RESULT.0,
];

pub(in crate::actions) struct RecordGateEvidence {
    id: String,
    finding: GateFinding,
    evidence: Vec<(&'static str, Artifact)>,
}

impl Action for RecordGateEvidence {
    const MAY: Permission = permission::RECORD_GATE_EVIDENCE;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "Record what was found for a gate";
    const UNDO: &'static str =
        "cannot be undone: what was found stays, and what is found next counts";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    type Facts = Option<super::Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            finding: asked.finding()?,
            evidence: asked.filed(&FILED),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<super::Facts>, StoreError> {
        read(view, &self.id).await
    }

    fn propose(
        &self,
        facts: &Option<super::Facts>,
        by: &Acting<'_>,
        now: Moment,
    ) -> Result<Draft, Stop> {
        let facts = there(facts.as_ref(), &self.id)?;
        let found = &self.finding;
        let pieces = self.evidence.iter();
        let documents: Vec<_> = pieces
            .filter(|(role, _)| *role == GATE_EVIDENCE.0)
            .collect();
        let [(_, document)] = documents.as_slice() else {
            let what = "the document of what was found does not come along";
            return Err(Refusal::new(what, "report this as a bug").into());
        };
        let is_current = facts.known.inputs_of(found.kind) == found.inputs_sha256;
        let conditions = vec![
            open(&facts.known),
            Condition::holds(
                "inputs",
                is_current && !matches!(found.kind, EvidenceKind::Matrix | EvidenceKind::Rehearsal),
                found.kind.word(),
                if is_current {
                    "it was found of what there is now"
                } else {
                    "what it was found of has changed meanwhile"
                },
                "run it again",
            ),
        ];
        let row = GateEvidence {
            evidence_id: evidence_id(&self.id, found.kind, &document.sha256, Some(&facts.known)),
            migration_id: self.id.clone(),
            gate: found.kind,
            verdict: found.verdict,
            inputs_sha256: found.inputs_sha256.clone(),
            evidence_sha256: document.sha256.to_string(),
            detail: found.detail.clone(),
            observed_at_utc: now,
            recorded_by: by.id(),
            version: 1,
        };
        let draft = Draft::new(
            target(&facts.known.migration),
            conditions,
            vec![Row::new(row)],
        );
        Ok(draft.with_evidence(self.evidence.clone()))
    }
}

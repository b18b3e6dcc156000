//! Records what was found when the joins of two releases were run, by rule; the proof and its picture come along.

use serde::{Deserialize, Serialize};

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::comes_with;
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal, Verdict};
use crate::store::artifact::{Artifact, BIND_PICTURE, BIND_PROOF};
use crate::store::dictionary::{self, BindProof, Release};
use crate::store::{StoreError, Target, View};

/// What was found, as far as the database keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindFinding {
    /// The release before.
    pub from_semver: String,
    /// The release after.
    pub to_semver: String,
    /// Whether nothing was lost.
    pub verdict: Verdict,
    /// How many metrics the joins have.
    pub metrics: i64,
    /// The proof, hashed.
    pub proof_sha256: String,
    /// The picture, hashed.
    pub picture_sha256: String,
}

pub(in crate::actions) struct RecordBindProof {
    id: String,
    finding: BindFinding,
    evidence: Vec<(&'static str, Artifact)>,
}

impl Action for RecordBindProof {
    const MAY: Permission = permission::RECORD_BIND_PROOF;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "Record whether the joins of a release lost anything";
    const UNDO: &'static str = "cannot be undone: a proof stays; `gate bind` makes the next one";
    const KIND: &'static str = "bind_proof";
    const TARGET: &'static str = "The proof's id";
    type Facts = [Option<Release>; 2];

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            finding: asked.finding()?,
            evidence: asked.filed(&[BIND_PROOF.0, BIND_PICTURE.0]),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<[Option<Release>; 2], StoreError> {
        let from = dictionary::release(view, &self.finding.from_semver).await?;
        Ok([
            from,
            dictionary::release(view, &self.finding.to_semver).await?,
        ])
    }

    fn propose(
        &self,
        facts: &[Option<Release>; 2],
        _by: &Acting<'_>,
        now: Moment,
    ) -> Result<Draft, Stop> {
        let found = &self.finding;
        let named = [&*found.proof_sha256, &*found.picture_sha256];
        let conditions = vec![
            Condition::holds(
                "releases",
                facts.iter().all(Option::is_some),
                "analytics_owner",
                format!("{} and {}", found.from_semver, found.to_semver),
                "prove the joins of two releases that are there",
            ),
            comes_with(&self.evidence, &named),
        ];
        let row = BindProof {
            proof_id: self.id.clone(),
            from_semver: found.from_semver.clone(),
            to_semver: found.to_semver.clone(),
            verdict: found.verdict,
            metrics: found.metrics,
            proof_sha256: found.proof_sha256.clone(),
            picture_sha256: found.picture_sha256.clone(),
            made_at_utc: now,
            version: 1,
        };
        let target = Target {
            kind: Self::KIND,
            id: self.id.clone(),
            version: 0,
        };
        let draft = Draft::new(target, conditions, vec![Row::new(row)]);
        Ok(draft.with_evidence(self.evidence.clone()))
    }
}

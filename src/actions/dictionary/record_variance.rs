//! Records what leadership and the partners would have seen before a publish, by rule; what was found comes along.

use serde::{Deserialize, Serialize};

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::{comes_with, release_is_there};
use crate::clock::Moment;
use crate::rules::block::BlockReason;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::reconcile::RunVerdict;
use crate::rules::{Condition, Refusal};
use crate::store::artifact::{Artifact, VARIANCE};
use crate::store::dictionary::{self, Release, VarianceCheck};
use crate::store::outbox::Notice;
use crate::store::route::{self, Route};
use crate::store::{StoreError, Target, View};

/// What was found, as far as the database keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VarianceFinding {
    /// The tuple revision that both sides show.
    pub tuple_revision_hash: String,
    /// The release whose epsilons were held against them.
    pub dictionary_semver: String,
    /// Whether they may be published.
    pub verdict: RunVerdict,
    /// How many metrics were compared.
    pub metrics_total: i64,
    /// How many of them were too far apart.
    pub metrics_failed: i64,
    /// What was found, metric by metric, hashed.
    pub artifact_sha256: String,
    /// The route that a failure goes.
    pub owner_id: String,
    /// Its backup.
    pub backup_id: String,
}

pub(in crate::actions) struct RecordVariance {
    id: String,
    finding: VarianceFinding,
    evidence: Vec<(&'static str, Artifact)>,
}

pub(in crate::actions) struct Facts {
    release: Option<Release>,
    route: Option<Route>,
}

impl Action for RecordVariance {
    const MAY: Permission = permission::RECORD_VARIANCE;
    const KEY: char = ' ';
    const SUMMARY: &'static str =
        "Record how far leadership and partners lay apart before a publish";
    const UNDO: &'static str =
        "cannot be undone: a check stays; `gate variance` makes the next one";
    const KIND: &'static str = "variance";
    const TARGET: &'static str = "The check's id";
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            finding: asked.finding()?,
            evidence: asked.filed(&[VARIANCE.0]),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let newest = dictionary::newest(view).await?;
        let is_it = |it: &Release| it.dictionary_semver == self.finding.dictionary_semver;
        Ok(Facts {
            release: newest.filter(is_it),
            route: route::route(view, BlockReason::TupleDrift).await?,
        })
    }

    fn propose(&self, facts: &Facts, _by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let found = &self.finding;
        let is_its_route = facts.route.as_ref().is_some_and(|route| {
            (&route.owner_user_id, &route.backup_owner_user_id)
                == (&found.owner_id, &found.backup_id)
        });
        let conditions = vec![
            release_is_there(&found.dictionary_semver, facts.release.as_ref()),
            Condition::holds(
                "route",
                is_its_route,
                "governance_lead",
                format!("{}, then {}", found.owner_id, found.backup_id),
                "the route of tuple_drift has changed: check again",
            ),
            comes_with(&self.evidence, &[&found.artifact_sha256]),
        ];
        let row = VarianceCheck {
            variance_id: self.id.clone(),
            tuple_revision_hash: found.tuple_revision_hash.clone(),
            dictionary_semver: found.dictionary_semver.clone(),
            verdict: found.verdict,
            metrics_total: found.metrics_total,
            metrics_failed: found.metrics_failed,
            owner_id: found.owner_id.clone(),
            backup_id: found.backup_id.clone(),
            artifact_uri: format!("sha256:{}", found.artifact_sha256),
            checked_at_utc: now,
            version: 1,
        };
        let target = Target {
            kind: Self::KIND,
            id: self.id.clone(),
            version: 0,
        };
        let notices = self.notices();
        let draft = Draft::new(target, conditions, vec![Row::new(row)]);
        Ok(draft
            .with_evidence(self.evidence.clone())
            .with_notices(notices))
    }
}

impl RecordVariance {
    /// Tells whom a failure is routed to.
    fn notices(&self) -> Vec<Notice> {
        let found = &self.finding;
        if found.verdict == RunVerdict::Pass {
            return Vec::new();
        }
        vec![Notice {
            event_class: "variance_failed",
            about: self.id.clone(),
            recipient_id: found.owner_id.clone(),
            subject: format!(
                "before a publish {} of {} metrics lie too far apart",
                found.metrics_failed, found.metrics_total
            ),
            body: format!(
                "tuple {}, dictionary {}\nSee them with: govdeck artifact get {}",
                found.tuple_revision_hash, found.dictionary_semver, found.artifact_sha256
            ),
            drill: false,
        }]
    }
}

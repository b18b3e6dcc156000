//! Ends a run with what was found, by rule; whoever began it brings the diff and the manifest along.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::ending::{self, Ending};
use super::{RUN, run_target};
use crate::clock::Moment;
use crate::rules::people::{Acting, Role};
use crate::rules::permission::{self, Permission};
use crate::rules::week::{self as rule, RunStatus};
use crate::rules::{Condition, Refusal, Verdict, time};
use crate::store::artifact::{Artifact, RECONCILE_DIFF, RECONCILE_MANIFEST};
use crate::store::dictionary::RunManifest;
use crate::store::outbox::Notice;
use crate::store::week::{Kept, Metric, Window};
use crate::store::{StoreError, View, ledger, person};

/// How many metrics a message names.
const NAMED: usize = 3;

/// What a comparison found, as far as the database keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// PASS, FAIL or INCONCLUSIVE.
    pub status: RunStatus,
    /// Why nothing could be compared.
    pub reject_reason: Option<String>,
    /// Where, in words.
    pub reject_detail: Option<String>,
    /// The beginning of the window whose numbers were compared.
    pub start_inclusive: Option<Moment>,
    /// The end of it.
    pub end_exclusive: Option<Moment>,
    /// The manifest.
    pub manifest_sha256: Option<String>,
    /// Where the diff is.
    pub artifact_uri: Option<String>,
    /// What the leadership's input hashed to.
    pub leadership_ingest_hash: Option<String>,
    /// What the partners' input hashed to.
    pub partner_ingest_hash: Option<String>,
    /// The tuple revision that both showed.
    pub tuple_revision_hash: Option<String>,
    /// The dictionary that both used.
    pub dictionary_semver: Option<String>,
    /// The footer schema of the partners' side.
    pub footer_schema_semver: Option<String>,
    /// The policy it was judged by.
    pub epsilon_policy_version: Option<String>,
    /// How many metrics were compared.
    pub metrics_total: Option<i64>,
    /// How many of them failed.
    pub metrics_failed: Option<i64>,
    /// The metric that lay farthest apart.
    pub worst_metric: Option<String>,
    /// How far.
    pub worst_ratio: Option<String>,
    /// The metrics that are kept.
    pub kept: Vec<Metric>,
    /// What the sides said of themselves.
    #[serde(default)]
    pub manifests: Vec<RunManifest>,
}

impl Finding {
    /// Begins a finding that could not compare anything.
    #[must_use]
    pub fn inconclusive(reason: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            status: RunStatus::Inconclusive,
            reject_reason: Some(reason.into()),
            reject_detail: Some(detail.into()),
            start_inclusive: None,
            end_exclusive: None,
            manifest_sha256: None,
            artifact_uri: None,
            leadership_ingest_hash: None,
            partner_ingest_hash: None,
            tuple_revision_hash: None,
            dictionary_semver: None,
            footer_schema_semver: None,
            epsilon_policy_version: None,
            metrics_total: None,
            metrics_failed: None,
            worst_metric: None,
            worst_ratio: None,
            kept: Vec::new(),
            manifests: Vec::new(),
        }
    }
}

pub(in crate::actions) struct FinishRun {
    run: String,
    claim: String,
    finding: Finding,
    evidence: Vec<(&'static str, Artifact)>,
}

pub(in crate::actions) struct Facts {
    ending: Ending,
    latest_entry_at: Option<Moment>,
    /// Everybody who is here.
    people: BTreeSet<String>,
    /// Whoever is told of metrics that are routed to nobody here.
    leads: Vec<String>,
}

impl Action for FinishRun {
    const MAY: Permission = permission::FINISH_RUN;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "End a run with what was found";
    const UNDO: &'static str = "cannot be undone: a window ends once";
    const KIND: &'static str = RUN;
    const TARGET: &'static str = "The run";
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let evidence = asked.prepared.iter();
        Ok(Self {
            run: asked.target.clone(),
            claim: asked.required("claim")?.to_owned(),
            finding: asked.finding()?,
            evidence: evidence
                .map(|piece| (piece.role, piece.artifact.clone()))
                .collect(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            ending: ending::read(view, &self.run).await?,
            latest_entry_at: ledger::head(view).await?.latest_at_utc,
            people: person::active(view).await?.into_iter().collect(),
            leads: person::holders(view, &[Role::GovernanceLead]).await?,
        })
    }

    fn propose(&self, facts: &Facts, _by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let there = facts.ending.there(&self.run)?;
        let before = there.window;
        let standing = before.standing(there.series, there.earlier_open);
        let is_its_claim = before.claim.as_deref() == Some(&*self.claim);
        let mut conditions = rule::may_finish(&standing, is_its_claim, now);
        conditions.push(time::can_be_counted(facts.latest_entry_at, now));
        conditions.push(self.has_its_evidence());
        let (mut rows, mut notices) = facts.ending.rows(before, self.ended(before, now), now)?;
        rows.extend(self.finding.manifests.iter().cloned().map(Row::new));
        notices.extend(self.tell_the_owners(before, facts));
        Ok(Draft::new(run_target(before), conditions, rows)
            .with_notices(notices)
            .with_evidence(self.evidence.clone())
            .with_kept(Kept {
                job_run_id: self.run.clone(),
                metrics: self.finding.kept.clone(),
            }))
    }
}

impl FinishRun {
    fn ended(&self, before: &Window, now: Moment) -> Window {
        let found = self.finding.clone();
        Window {
            status: found.status,
            completed_at: Some(now),
            reject_reason: found.reject_reason,
            reject_detail: found.reject_detail,
            start_inclusive: found.start_inclusive,
            end_exclusive: found.end_exclusive,
            manifest_sha256: found.manifest_sha256,
            artifact_uri: found.artifact_uri,
            leadership_ingest_hash: found.leadership_ingest_hash,
            partner_ingest_hash: found.partner_ingest_hash,
            tuple_revision_hash: found.tuple_revision_hash,
            dictionary_semver: found.dictionary_semver,
            footer_schema_semver: found.footer_schema_semver,
            epsilon_policy_version: found.epsilon_policy_version,
            metrics_total: found.metrics_total,
            metrics_failed: found.metrics_failed,
            worst_metric: found.worst_metric,
            worst_ratio: found.worst_ratio,
            ..before.clone()
        }
    }

    /// States that the files which the finding names by hash come with it, or lie outside under that hash.
    fn has_its_evidence(&self) -> Condition {
        let is_filed = |hash: &str| {
            let filed = self.evidence.iter();
            let mut hashes = filed.map(|(_, artifact)| artifact.sha256.to_string());
            hashes.any(|filed| filed == hash)
        };
        let uri = self.finding.artifact_uri.as_deref();
        let diff = match uri.map(|uri| uri.strip_prefix("sha256:")) {
            Some(Some(hash)) => is_filed(hash),
            Some(None) => true,
            None => !self.finding.status.has_compared(),
        };
        let manifest = self.finding.manifest_sha256.as_deref().is_none_or(is_filed);
        let mut said = self.finding.manifests.iter();
        let said = said.all(|it| it.job_run_id == self.run && is_filed(&it.manifest_sha256));
        let kept_all =
            self.finding.metrics_failed.unwrap_or(0) == 0 || !self.finding.kept.is_empty();
        Condition {
            id: "its_evidence",
            verdict: Verdict::of(diff && manifest && said && kept_all),
            owner: "data_engineer".to_owned(),
            evidence: format!(
                "{}, {} pieces of evidence",
                uri.unwrap_or("no diff"),
                self.evidence.len()
            ),
            fix: "a finding comes with the files it names".to_owned(),
        }
    }

    /// Returns the metrics that failed, as far as they are kept.
    fn failed(&self) -> impl Iterator<Item = &Metric> {
        let kept = self.finding.kept.iter();
        kept.filter(|metric| metric.reason.is_some())
    }

    /// Tells each owner which of their metrics failed; their backup where they are nobody here, and the leads where both are.
    fn tell_the_owners(&self, window: &Window, facts: &Facts) -> Vec<Notice> {
        let mut theirs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut nobodys: Vec<&str> = Vec::new();
        for metric in self.failed() {
            let routed_to = [&metric.owner_id, &metric.backup_id].into_iter().flatten();
            match routed_to.into_iter().find(|id| facts.people.contains(*id)) {
                Some(id) => theirs.entry(id).or_default().push(&metric.metric_id),
                None => nobodys.push(&metric.metric_id),
            }
        }
        let run = &window.job_run_id;
        let notice = |recipient: &str, failed: &[&str], whose: &str| Notice {
            event_class: "reconciliation_failed",
            about: run.clone(),
            recipient_id: recipient.to_owned(),
            subject: format!("weekly run {run}: {} {whose} failed", failed.len()),
            body: format!(
                "{}\nSee them with: govdeck week show {run}",
                failed[..failed.len().min(NAMED)].join(", ")
            ),
            drill: window.run_kind == rule::RunKind::Drill,
        };
        let mut all: Vec<Notice> = theirs
            .iter()
            .map(|(owner, failed)| notice(owner, failed, "of your metrics"))
            .collect();
        if !nobodys.is_empty() {
            let leads = facts.leads.iter();
            all.extend(leads.map(|lead| notice(lead, &nobodys, "metrics of people unknown here")));
        }
        all
    }
}

/// The roles that a finding's evidence plays.
impl Finding {
    /// The role of the diff.
    pub const DIFF: &'static str = RECONCILE_DIFF.0;
    /// The role of the manifest.
    pub const MANIFEST: &'static str = RECONCILE_MANIFEST.0;
}

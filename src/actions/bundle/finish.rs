//! Ends a run with what was found, by rule; its receipt, baselines and diff come along, and the bundle moves.

use serde::{Deserialize, Serialize};

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::{RUN, no_such_run, run_target};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::bundle::{Receipt, RunType, scan};
use crate::rules::bundle_run::{self as rule, RunOutcome};
use crate::rules::people::{Acting, Actor, Role};
use crate::rules::permission::{self, Permission};
use crate::store::artifact::{Artifact, BUNDLE_BASELINE, BUNDLE_DIFF, BUNDLE_PROV, BUNDLE_RECEIPT};
use crate::store::bundle::{self, Bundle, Known, Run};
use crate::store::outbox::Notice;
use crate::store::{StoreError, View, person};

/// The most characters that the database keeps of what was found.
const MOST_DETAIL: usize = 400;

/// How a run ended, as far as the database keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleFinding {
    /// How.
    pub outcome: RunOutcome,
    /// What was found, in one line that is safe to show.
    pub detail: Option<String>,
    /// The receipt.
    pub receipt: Receipt,
    /// The baseline before.
    pub pre_sha256: Option<String>,
    /// The baseline after.
    pub post_sha256: Option<String>,
    /// The summary of what differs.
    pub diff_sha256: Option<String>,
}

pub(in crate::actions) struct FinishBundleRun {
    run: String,
    finding: BundleFinding,
    evidence: Vec<(&'static str, Artifact)>,
}

pub(in crate::actions) struct Facts {
    run: Run,
    known: Known,
    /// Who asks the rule.
    ends: Option<Actor>,
    leads: Vec<String>,
}

impl Action for FinishBundleRun {
    const MAY: Permission = permission::FINISH_BUNDLE_RUN;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "End the run of a bundle with what was found";
    const UNDO: &'static str =
        "cannot be undone: a run ends once; roll-back-bundle takes back what it made";
    const KIND: &'static str = RUN;
    const TARGET: &'static str = "The run";
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let files = [BUNDLE_BASELINE, BUNDLE_DIFF, BUNDLE_PROV, BUNDLE_RECEIPT];
        Ok(Self {
            run: asked.target.clone(),
            finding: asked.finding()?,
            evidence: asked.filed(&files.map(|(role, _)| role)),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        let Some(run) = bundle::run(view, &self.run).await? else {
            return Ok(None);
        };
        let Some(known) = bundle::known(view, &run.migration_id).await? else {
            return Ok(None);
        };
        Ok(Some(Facts {
            run,
            known,
            ends: person::actor(view).await?,
            leads: person::holders(view, &[Role::GovernanceLead]).await?,
        }))
    }

    fn propose(&self, facts: &Option<Facts>, _by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = facts.as_ref().ok_or_else(|| no_such_run(&self.run))?;
        let (before, bundle) = (&facts.run, &facts.known.bundle);
        let found = &self.finding;
        let receipt = Artifact::new(BUNDLE_RECEIPT.1, found.receipt.bytes());
        let fault = self.fault(before, &receipt);
        let conditions = rule::may_finish(
            &before.ran(),
            found.outcome,
            &before.claimed_by,
            facts.ends.as_ref(),
            fault,
        );
        let after = Run {
            outcome: found.outcome,
            ended_at_utc: Some(now),
            detail: found.detail.as_deref().map(shortened),
            receipt_sha256: Some(receipt.sha256.to_string()),
            pre_sha256: found.pre_sha256.clone(),
            post_sha256: found.post_sha256.clone(),
            diff_sha256: found.diff_sha256.clone(),
            version: before.version + 1,
            ..before.clone()
        };
        let mut rows = vec![Row::change(before, after)?];
        if let Some(status) = self.moves_to(facts) {
            let after = Bundle {
                status,
                version: bundle.version + 1,
                ..bundle.clone()
            };
            rows.push(Row::change(bundle, after)?);
        }
        Ok(Draft::new(run_target(before), conditions, rows)
            .with_evidence(self.evidence.clone())
            .with_notices(self.tell(facts)))
    }
}

impl FinishBundleRun {
    /// Where the bundle comes to; taking back what only may have been made leaves it where it is.
    fn moves_to(&self, facts: &Facts) -> Option<rule::BundleStatus> {
        let run = &facts.run;
        let undone = facts
            .known
            .runs
            .iter()
            .find(|it| Some(&it.run_id) == run.undoes_run_id.as_ref());
        let only_may_have = undone.is_some_and(|it| it.outcome != RunOutcome::Applied);
        let status = facts.known.bundle.status;
        (!only_may_have)
            .then(|| status.moved_by(run.run_type, run.environment, self.finding.outcome))
            .flatten()
    }

    /// Says what is wrong with the receipt, or with what comes along.
    fn fault(&self, run: &Run, receipt: &Artifact) -> Option<&'static str> {
        let found = &self.finding;
        let named = [&found.pre_sha256, &found.post_sha256, &found.diff_sha256];
        let named: Vec<&str> = named.into_iter().flatten().map(String::as_str).collect();
        let is_there = |hash: &&str| {
            let mut filed = self.evidence.iter();
            filed.any(|(_, piece)| piece.sha256.to_string() == **hash)
        };
        let receipts = self
            .evidence
            .iter()
            .filter(|(role, _)| *role == BUNDLE_RECEIPT.0);
        let receipts: Vec<_> = receipts.map(|(_, piece)| piece.sha256).collect();
        let is_made = run.run_type == RunType::Migration && found.outcome == RunOutcome::Applied;
        if receipts != [receipt.sha256] {
            Some("does not come along")
        } else if !named.iter().all(is_there) || (is_made && named.len() < 3) {
            Some("names what does not come along")
        } else {
            rule::agrees(
                &found.receipt,
                &run.ran(),
                &run.migration_id,
                found.outcome,
                &named,
            )
        }
    }

    /// Tells the leads of a run that left something behind, and whoever claimed it how it ended otherwise.
    fn tell(&self, facts: &Facts) -> Vec<Notice> {
        let (run, outcome) = (&facts.run, self.finding.outcome);
        if outcome.is_success(run.run_type) {
            return Vec::new();
        }
        let mut told = vec![run.claimed_by.clone()];
        told.extend(
            facts
                .leads
                .iter()
                .filter(|lead| **lead != run.claimed_by)
                .cloned(),
        );
        let notice = |recipient_id: String| Notice {
            event_class: "bundle_run_ended",
            about: run.run_id.clone(),
            recipient_id,
            subject: format!("{} ended {outcome}", run.run_id),
            body: format!(
                "{}\nSee it with: govdeck bundle show {}",
                self.finding
                    .detail
                    .as_deref()
                    .map_or(String::new(), shortened),
                run.migration_id
            ),
            drill: false,
        };
        told.into_iter().map(notice).collect()
    }
}

/// Keeps one line of a text, unless it looks like a secret.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return "nothing more was said".to_owned();
    }
    if !scan(line.as_bytes()).is_empty() {
        return "withheld: it looks like a secret".to_owned();
    }
    crate::rules::text::shorten(&line, MOST_DETAIL).into_owned()
}

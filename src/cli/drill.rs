//! `govdeck drill`: practice runs that no gate, count or report ever takes for real ones.

use std::time::Instant;

use chrono::TimeDelta;
use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::page::{Exit, Failure, Page};
use super::{drill_report, drill_rule, drill_sla};
use crate::actions::{self, ByRule, Outcome, Request};
use crate::canon::{self, Digest};
use crate::clock::Moment;
use crate::rules::block::{BlockReason, SnapshotStatus};
use crate::rules::drift::Side;
use crate::rules::drill::DrillKind;
use crate::rules::{Refusal, Verdict};
use crate::store::leaf::{self, NewLeaves};
use crate::store::publish::{self, Snapshot};
use crate::store::{Store, outbox};

/// What to practise.
#[derive(Debug, Subcommand)]
pub(super) enum Drill {
    /// Mint three sample runs, marked DRILL, and let the gate decide them: one passes, one drifted, one has no hash.
    Premint,
    /// Leave out two scheduled windows in a row that are made up: governance would be red.
    DoubleSkip,
    /// Let a weekly run that is made up lie above the hard limit: a migration would be taken back.
    EpsilonBreach,
    /// Let the gate stop a run that nobody answers: its owner is warned at half time, and the backup paged at its end.
    Sla,
    /// Say who answered drills in how long, and whether the agent warned and paged when it should.
    Report {
        /// Over how many days until now.
        #[arg(long, default_value_t = 28, value_parser = clap::value_parser!(i64).range(1..=366))]
        days: i64,
    },
}

/// A sample run: the rows that it would publish, and what the gate must say.
pub(super) struct Sample {
    name: &'static str,
    publish: Option<&'static str>,
    expected: Option<BlockReason>,
}

/// The rows that the source of every sample has.
const SOURCE: &str = r#"[
{"metric_id":"MET-0144","dimension_filter_id":null,"value":31},
{"metric_id":"MET-0144","dimension_filter_id":"platform=pcvr","value":12},
{"metric_id":"MET-0144","dimension_filter_id":"platform=quest","value":19},
{"metric_id":"MET-0171","dimension_filter_id":null,"value":97.4},
{"metric_id":"MET-0171","dimension_filter_id":"platform=pcvr","value":98.1},
{"metric_id":"MET-0171","dimension_filter_id":"platform=quest","value":96.85}
]"#;

/// The same before somebody edited it: one cell had another value, one was there and one was not.
const EDITED: &str = r#"[
{"metric_id":"MET-0144","dimension_filter_id":null,"value":31},
{"metric_id":"MET-0144","dimension_filter_id":"platform=pcvr","value":12},
{"metric_id":"MET-0144","dimension_filter_id":"platform=quest","value":17},
{"metric_id":"MET-0171","dimension_filter_id":null,"value":97.4},
{"metric_id":"MET-0171","dimension_filter_id":"platform=mobile","value":95.2},
{"metric_id":"MET-0171","dimension_filter_id":"platform=quest","value":96.85}
]"#;

/// How many cells of the drift are named.
const CELLS: usize = 3;

const SAMPLES: [Sample; 3] = [
    Sample {
        name: "passes",
        publish: Some(SOURCE),
        expected: None,
    },
    Sample {
        name: "drifted",
        publish: Some(EDITED),
        expected: Some(BlockReason::TupleDrift),
    },
    Sample {
        name: "unhashed",
        ..STOPPED
    },
];

/// A run that the gate stops at once.
pub(super) const STOPPED: Sample = Sample {
    name: "sla",
    publish: None,
    expected: Some(BlockReason::MissingPublishHash),
};

/// How a sample went.
#[derive(Serialize)]
pub(super) struct Went {
    pub run: String,
    pub verdict: Verdict,
    expected: Option<BlockReason>,
    found: Option<BlockReason>,
    owner: Option<String>,
    messages: i64,
    /// The cells that differ, where both sides do.
    drift: Option<String>,
    decided_in_ms: u128,
}

impl Drill {
    pub(super) async fn run(self, store: &Store) -> Result<Page, Failure> {
        match self {
            Self::Premint => {
                let mut all = Vec::new();
                for sample in &SAMPLES {
                    all.push(practise(store, sample).await?);
                }
                Ok(page(&all))
            }
            Self::DoubleSkip => drill_rule::run(store, DrillKind::DoubleSkip).await,
            Self::EpsilonBreach => drill_rule::run(store, DrillKind::EpsilonBreach).await,
            Self::Sla => drill_sla::run(store).await,
            Self::Report { days } => drill_report::run(store, days).await,
        }
    }
}

/// What a drill that begins now is called.
pub(super) fn named(now: Moment, name: &str) -> String {
    let at = now.as_datetime().format("%Y%m%dT%H%M%S%6f");
    format!("drill-{at}-{name}")
}

/// What is refused to a drill is no finding about what it practises.
pub(super) fn cannot_practise(refusal: Refusal) -> Failure {
    Failure::new(Exit::CannotTell, refusal.sentence, refusal.hint)
}

pub(super) async fn practise(store: &Store, sample: &Sample) -> Result<Went, Failure> {
    let mut view = store.view().await?;
    let footer = publish::footer_schema(&mut view).await?.ok_or_else(|| {
        cannot_practise(Refusal::new(
            "no footer schema is registered, so no run could pass",
            "register it first: govdeck act register-footer",
        ))
    })?;
    let now = view.now();
    drop(view);
    let run = named(now, sample.name);
    let publish = sample.publish.map(canon::tuple_leaves).transpose();
    let (publish, source) = publish
        .and_then(|publish| Ok((publish, canon::tuple_leaves(SOURCE)?)))
        .map_err(|error| {
            Failure::new(Exit::CannotTell, error.to_string(), "report this as a bug")
        })?;
    let snapshot = minted(
        &run,
        publish.as_ref().map(|side| side.digest),
        source.digest,
        &footer.current_semver,
        now,
    );
    let ours = publish.map(|side| NewLeaves::new(Side::Publish, side.leaves));
    let theirs = NewLeaves::new(Side::Source, source.leaves);
    let leaves: Vec<_> = ours.into_iter().chain([theirs]).collect();
    leaf::mint(store, &snapshot, &leaves).await?;
    let began = Instant::now();
    let drift = actions::explained(store, &run).await?;
    let request = Request::by_rule(ByRule::DecideRun { run: run.clone() })?.with_prepared(drift);
    match actions::carry_out(store, request).await {
        Outcome::Refused(refusal) => return Err(cannot_practise(refusal)),
        outcome => super::act::settle(store, outcome).await?,
    };
    let decided_in_ms = began.elapsed().as_millis();
    let mut view = store.view().await?;
    let audit = publish::audit(&mut view, &run).await?;
    let messages = outbox::about(&mut view, "run", &run).await?;
    let found = audit.as_ref().and_then(|audit| audit.block_reason);
    let drift = leaf::drift(&mut view, &run).await?;
    let drift = drift.and_then(|filed| filed.drift.ok());
    // A drift that is not explained is no drift that its owner can work on.
    let explained = drift.as_ref().is_some_and(|drift| drift.counts.is_some());
    let told = messages == i64::from(sample.expected.is_some())
        && explained == (sample.expected == Some(BlockReason::TupleDrift));
    Ok(Went {
        verdict: Verdict::of(audit.is_some() && found == sample.expected && told),
        expected: sample.expected,
        found,
        owner: audit.and_then(|audit| audit.owner_user_id),
        messages,
        drift: drift.map(|drift| drift.in_a_line(CELLS)),
        decided_in_ms,
        run,
    })
}

fn minted(
    run: &str,
    publish: Option<Digest>,
    source: Digest,
    footer: &str,
    now: Moment,
) -> Snapshot {
    Snapshot {
        publish_run_id: run.to_owned(),
        publish_scope: "drill/nobody".to_owned(),
        freeze_id: "drill".to_owned(),
        lift_id: "drill".to_owned(),
        dry_run_id: "drill".to_owned(),
        publish_tuple_hash: publish.map(|hash| hash.to_string()),
        source_tuple_hash: Some(source.to_string()),
        footer_schema_semver: Some(footer.to_owned()),
        replay_parser_contract: None,
        epsilon_policy_version: None,
        source_ref: None,
        artifact_ref: None,
        source_observed_at_utc: Some(now),
        freeze_bypass_id: None,
        drill: true,
        status: SnapshotStatus::PendingGate,
        block_reason: None,
        created_at_utc: Moment::from(now.as_datetime() - TimeDelta::seconds(1)),
        decided_at_utc: None,
        version: 0,
    }
}

impl Went {
    pub(super) fn line(&self) -> String {
        let reason = |reason: Option<BlockReason>| reason.map_or("passes", BlockReason::word);
        let went = if self.verdict == Verdict::Pass {
            "PASS"
        } else {
            "FAIL"
        };
        format!(
            "[{went}] DRILL {}: expected {}, found {}, owner {}, {} messages queued, decided in {} ms",
            self.run,
            reason(self.expected),
            reason(self.found),
            self.owner.as_deref().unwrap_or("none"),
            self.messages,
            self.decided_in_ms
        )
    }
}

fn page(all: &[Went]) -> Page {
    let verdict = Verdict::all(all.iter().map(|went| went.verdict));
    let drift = |went: &Went| went.drift.as_ref().map(|drift| format!("       {drift}"));
    let lines = all
        .iter()
        .flat_map(|went| [Some(went.line()), drift(went)])
        .flatten()
        .collect();
    let json = json!({"verdict": verdict, "runs": all});
    Page::new(Exit::from(verdict), lines, "drill-premint", json)
}

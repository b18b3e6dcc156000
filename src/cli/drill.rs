//! `govdeck drill`: practice runs that no gate, count or report ever takes for real ones.

use std::time::Instant;

use chrono::TimeDelta;
use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::page::{Exit, Failure, Page};
use crate::actions::{self, ByRule, Outcome, Request};
use crate::canon::{self, Digest};
use crate::clock::Moment;
use crate::rules::Verdict;
use crate::rules::block::{BlockReason, SnapshotStatus};
use crate::rules::drift::Side;
use crate::store::leaf::{self, NewLeaves};
use crate::store::publish::{self, Snapshot};
use crate::store::{Store, outbox};

/// What to practise.
#[derive(Debug, Subcommand)]
pub(super) enum Drill {
    /// Mint three sample runs, marked DRILL, and let the gate decide them: one passes, one drifted, one has no hash.
    Premint,
    /// Say who answered the blocks of drills, and in how long.
    Report {
        /// Over how many days until now.
        #[arg(long, default_value_t = 28, value_parser = clap::value_parser!(i64).range(1..=366))]
        days: i64,
    },
}

/// A sample run: the rows that it would publish, and what the gate must say.
struct Sample {
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
        publish: None,
        expected: Some(BlockReason::MissingPublishHash),
    },
];

/// How a sample went.
#[derive(Serialize)]
struct Went {
    run: String,
    verdict: Verdict,
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
        if let Self::Report { days } = self {
            return super::drill_report::run(store, days).await;
        }
        let footer = publish::footer_schema(&mut store.view().await?).await?;
        let footer = footer.ok_or_else(|| {
            Failure::new(
                Exit::CannotTell,
                "no footer schema is registered, so no run could pass",
                "register it first: govdeck act register-footer",
            )
        })?;
        let mut all = Vec::new();
        for sample in &SAMPLES {
            all.push(practise(store, sample, &footer.current_semver).await?);
        }
        Ok(page(&all))
    }
}

async fn practise(store: &Store, sample: &Sample, footer: &str) -> Result<Went, Failure> {
    let now = store.view().await?.now();
    let run = format!(
        "drill-{}-{}",
        now.as_datetime().format("%Y%m%dT%H%M%S%6f"),
        sample.name
    );
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
        footer,
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
        Outcome::Refused(refusal) => {
            return Err(Failure::new(
                Exit::CannotTell,
                refusal.sentence,
                refusal.hint,
            ));
        }
        outcome => super::act::settle(store, outcome).await?,
    };
    let decided_in_ms = began.elapsed().as_millis();
    let mut view = store.view().await?;
    let audit = publish::audit(&mut view, &run).await?;
    let messages = outbox::about(&mut view, &run).await?;
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

fn page(all: &[Went]) -> Page {
    let verdict = Verdict::all(all.iter().map(|went| went.verdict));
    let reason = |reason: Option<BlockReason>| reason.map_or("passes", BlockReason::word);
    let line = |went: &Went| {
        format!(
            "[{}] DRILL {}: expected {}, found {}, owner {}, {} messages queued, decided in {} ms",
            if went.verdict == Verdict::Pass {
                "PASS"
            } else {
                "FAIL"
            },
            went.run,
            reason(went.expected),
            reason(went.found),
            went.owner.as_deref().unwrap_or("none"),
            went.messages,
            went.decided_in_ms
        )
    };
    let drift = |went: &Went| went.drift.as_ref().map(|drift| format!("       {drift}"));
    let lines = all
        .iter()
        .flat_map(|went| [Some(line(went)), drift(went)])
        .flatten()
        .collect();
    let json = json!({"verdict": verdict, "runs": all});
    Page::new(Exit::from(verdict), lines, "drill-premint", json)
}

//! `govdeck job`: unattended work, one subcommand for each file of `src/jobs/`.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::hash;
use super::page::{Exit, Failure, Page};
use super::week::metric_line;
use crate::jobs::{drop_leaves, reconcile};
use crate::rules::week::{RunKind, RunStatus};
use crate::settings::Settings;
use crate::store::Store;

/// How many of the worst metrics are listed.
const LISTED: usize = 10;
/// How many minutes a run may work when nobody says otherwise.
const CLAIM_MINUTES: i64 = 15;
/// How many it may at most; a run that is killed keeps its window as long.
const MOST_CLAIM_MINUTES: i64 = 24 * 60;

/// Which work to do; doing it again does no harm.
#[derive(Debug, Subcommand)]
pub(super) enum Job {
    /// Compare the two sides that a manifest names, and end the weekly window that is open now.
    Reconcile {
        /// What is compared with what.
        #[arg(long, value_name = "F.json")]
        manifest: PathBuf,
        /// Why; only a scheduled run serves a window.
        #[arg(
            long,
            value_name = "scheduled|immediate|manual|drill",
            default_value = "scheduled"
        )]
        kind: RunKind,
        /// After how many minutes somebody else may take the window up.
        #[arg(
            long,
            value_name = "MINUTES",
            default_value_t = CLAIM_MINUTES,
            value_parser = clap::value_parser!(i64).range(1..=MOST_CLAIM_MINUTES)
        )]
        claim: i64,
    },
    /// Drop the leaves of runs that passed more than seven days ago; once a day is enough.
    DropLeaves,
}

impl Job {
    pub(super) async fn run(self, store: &Store, settings: &Settings) -> Result<Page, Failure> {
        match self {
            Self::Reconcile {
                manifest,
                kind,
                claim,
            } => {
                let bytes = hash::read(Some(&manifest))?;
                let order = reconcile::Order {
                    kind,
                    minutes: claim,
                };
                let root = &settings.governance_root;
                let ended = reconcile::run(store, root, bytes, order).await?;
                Ok(reconciled(&ended))
            }
            Self::DropLeaves => drop_leaves(store).await,
        }
    }
}

/// A pass is a pass; a failure says no; what could not be compared cannot tell.
fn reconciled(ended: &reconcile::Ended) -> Page {
    let exit = match ended.status {
        RunStatus::Pass => Exit::Done,
        RunStatus::Fail => Exit::No,
        _ => Exit::CannotTell,
    };
    let mut lines = vec![match (&ended.reason, ended.metrics_total) {
        (Some(reason), _) => format!("{} {}: {reason}", ended.status, ended.job_run_id),
        (None, total) => format!(
            "{} {}: {} of {} metrics failed",
            ended.status,
            ended.job_run_id,
            ended.metrics_failed.unwrap_or(0),
            total.unwrap_or(0)
        ),
    }];
    lines.extend(ended.detail.as_ref().map(|detail| format!("  {detail}")));
    let failed = ended.kept.iter().filter(|metric| metric.reason.is_some());
    lines.extend(failed.take(LISTED).map(metric_line));
    lines.extend(
        ended
            .artifact_uri
            .as_ref()
            .map(|uri| format!("  diff: {uri}")),
    );
    Page::new(exit, lines, "job-reconcile", json!(ended))
}

async fn drop_leaves(store: &Store) -> Result<Page, Failure> {
    let done = drop_leaves::run(store).await?;
    let line = format!("dropped the leaves of {} sides", done.dropped);
    Ok(Page::new(
        Exit::Done,
        vec![line],
        "job-drop-leaves",
        json!(done),
    ))
}

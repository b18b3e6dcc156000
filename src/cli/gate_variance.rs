//! `govdeck gate variance` and `gate parity`: whether both sides may be published, and whether they were pulled alike.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::gate_reconcile::{given, line, rejected};
use super::hash;
use super::page::{Exit, Failure, Page};
use crate::jobs::variance::{self, Checked};
use crate::rules::Verdict;
use crate::rules::reconcile::{RunVerdict, Sidecar, disparity};
use crate::store::Store;

/// How many of the worst metrics are named.
const NAMED: usize = 10;

/// The largest manifest that is read.
const MOST_BYTES: u64 = 1024 * 1024;

/// Compare two CSV files metric by metric, under the epsilons of the release that they name.
#[derive(Debug, Args)]
pub(super) struct Variance {
    /// What leadership would see; `<stem>.sidecar.json` stands beside it.
    #[arg(long, value_name = "F.csv")]
    leadership: PathBuf,
    /// What the partners would get; `<stem>.sidecar.json` stands beside it.
    #[arg(long, value_name = "F.csv")]
    partner: PathBuf,
}

impl Variance {
    pub(super) async fn run(self, store: &Store) -> Result<Page, Failure> {
        let (leadership, partner) = (given(&self.leadership)?, given(&self.partner)?);
        Ok(
            match variance::run(store, leadership, partner, NAMED).await? {
                Ok(checked) => compared(&checked),
                Err(reject) => rejected(&reject, "gate-variance"),
            },
        )
    }
}

fn compared(checked: &Checked) -> Page {
    let exit = match checked.verdict {
        RunVerdict::Pass => Exit::Done,
        _ => Exit::No,
    };
    let mut lines = vec![format!(
        "{} {} of {} metrics within their epsilon; tuple {}, dictionary {}",
        checked.verdict,
        checked.metrics_total - checked.metrics_failed,
        checked.metrics_total,
        checked.tuple_revision_hash,
        checked.dictionary_semver
    )];
    lines.extend(checked.lineage.clone());
    let failing = checked
        .worst
        .iter()
        .filter(|metric| metric.reason.is_some());
    lines.extend(failing.map(line));
    if exit == Exit::No {
        lines.push(format!(
            "owner {}, then {}; do not publish",
            checked.owner, checked.backup
        ));
    }
    lines.push(format!(
        "recorded, artefact sha256:{}",
        checked.artifact_sha256
    ));
    let json = json!({
        "verdict": Verdict::of(exit == Exit::Done), "check": checked.variance_id, "run_verdict": checked.verdict,
        "tuple_revision_hash": checked.tuple_revision_hash, "dictionary_semver": checked.dictionary_semver,
        "metrics_total": checked.metrics_total, "metrics_failed": checked.metrics_failed, "owner": checked.owner,
        "backup": checked.backup, "lineage": checked.lineage, "worst": checked.worst,
        "artifact_uri": format!("sha256:{}", checked.artifact_sha256),
    });
    Page::new(exit, lines, "gate-variance", json)
}

/// Compare two run manifests, which are JSON objects as sidecars are.
#[derive(Debug, Args)]
pub(super) struct Parity {
    /// What leadership's pull says of itself.
    #[arg(long, value_name = "F.json")]
    leadership: PathBuf,
    /// What the partners' pull says of itself.
    #[arg(long, value_name = "F.json")]
    partner: PathBuf,
}

impl Parity {
    pub(super) fn run(self) -> Result<Page, Failure> {
        let leadership = manifest(&self.leadership)?;
        let partner = manifest(&self.partner)?;
        let found = disparity(&leadership, &partner);
        let (exit, line) = match &found {
            None => (
                Exit::Done,
                "PASS: both sides were pulled for the same window, tuple and bypass".to_owned(),
            ),
            Some(found) => (Exit::No, format!("FAIL {}: {}", found.field, found.detail)),
        };
        let json = json!({
            "verdict": Verdict::of(found.is_none()), "findings": Vec::from_iter(&found),
        });
        Ok(Page::new(exit, vec![line], "gate-parity", json))
    }
}

fn manifest(path: &Path) -> Result<Sidecar, Failure> {
    let bytes = hash::read_at_most(MOST_BYTES, Some(path))?;
    Sidecar::read(&bytes).map_err(|fault| {
        let reject = fault.rejects(
            crate::rules::reconcile::RejectReason::SidecarMissing,
            &path.display().to_string(),
        );
        Failure::new(
            Exit::BadInput,
            reject.to_string(),
            "a run manifest is one JSON object of texts",
        )
    })
}

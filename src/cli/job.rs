//! `govdeck job`: unattended work, one subcommand for each file of `src/jobs/`.

use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::hash;
use super::page::{Exit, Failure, Page};
use super::week::metric_line;
use crate::jobs::trigger::Triggered;
use crate::jobs::{drop_leaves, due, fingerprint, probe, reconcile, replay, scan};
use crate::rules::Verdict;
use crate::rules::migration::{CLEAN_HOURS, Probed, ScanStatus};
use crate::rules::time;
use crate::rules::week::{RunKind, RunStatus};
use crate::settings::Settings;
use crate::store::Store;

/// How many of the worst metrics are listed.
const LISTED: usize = 10;
/// How many metrics of a scan are listed.
const WORST: usize = 5;
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
    /// Compare both halves of every pair of the dictionary's migration under way; at least once an hour.
    Scan {
        /// How many rows one look takes in, about; a scan that was ended in between is gone on with after the last of them.
        #[arg(
            long,
            value_name = "ROWS",
            default_value_t = scan::ROWS_AT_ONCE,
            value_parser = clap::value_parser!(u32).range(1..)
        )]
        rows_at_once: u32,
    },
    /// Look whether every active question binds to a row of the view over the pairs, for gate G3.
    FaqProbe,
    /// Look whether every protected metric is in both joins, for gate D5.
    Protected,
    /// Replay frozen exports under both releases of a migration, for gate G4.
    Replay {
        /// Which exports, and what gives each anew.
        #[arg(long, value_name = "F.json")]
        manifest: PathBuf,
    },
    /// Hold the keys of every export in a folder against the allow-list of the migration's phase; drift pages somebody.
    Fingerprint {
        /// The folder below the governance root that exports land in.
        #[arg(long, value_name = "FOLDER")]
        folder: String,
    },
    /// Do what is due: take back what lies too far apart since its flip; what one lead took back alone and nobody countersigned within 24 hours becomes a deficiency.
    Due,
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
            Self::FaqProbe => Ok(probed(&probe::questions(store).await?, "job-faq-probe", [])),
            Self::Protected => Ok(probed(&probe::protected(store).await?, "job-protected", [])),
            Self::Replay { manifest } => {
                let bytes = hash::read(Some(&manifest))?;
                let root = &settings.governance_root;
                Ok(replayed(&replay::run(store, root, &bytes).await?))
            }
            Self::Fingerprint { folder } => {
                let root = &settings.governance_root;
                let (found, evidence) = fingerprint::run(store, root, &folder).await?;
                Ok(fingerprinted(&found, &evidence))
            }
            Self::Scan { rows_at_once } => Ok(scanned(&scan::run(store, rows_at_once).await?)),
            Self::Due => Ok(done_by_now(&due::run(store).await?)),
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
    lines.extend(ended.triggered.iter().map(triggered_line));
    Page::new(exit, lines, "job-reconcile", json!(ended))
}

fn probed<T: AsRef<Probed> + Serialize>(
    recorded: &probe::Recorded<T>,
    schema: &'static str,
    further: impl IntoIterator<Item = String>,
) -> Page {
    let found = recorded.probed.as_ref();
    let mut lines = vec![format!(
        "{} {} {}: {}",
        found.verdict, recorded.gate, recorded.migration_id, found.detail
    )];
    lines.extend(further);
    lines.push(format!("evidence sha256:{}", recorded.evidence_sha256));
    Page::new(Exit::from(found.verdict), lines, schema, json!(recorded))
}

fn replayed(recorded: &probe::Recorded<replay::Replayed>) -> Page {
    let played = recorded.probed.replays.iter();
    let not_alike = played.filter(|it| it.verdict != Verdict::Pass).take(LISTED);
    let lines = not_alike.map(|it| {
        let (verdict, file, semver, detail) = (it.verdict, &it.file, &it.semver, &it.detail);
        format!("  {verdict} {file} under {semver}: {detail}")
    });
    probed(recorded, "job-replay", lines)
}

fn fingerprinted(found: &fingerprint::Fingerprinted, evidence: &str) -> Page {
    let probed = &found.probed;
    let mut lines = vec![format!(
        "{} {} in {}, {}: {}",
        probed.verdict, found.migration_id, found.phase, found.folder, probed.detail
    )];
    let told = found.exports.iter();
    let told = told.filter(|it| it.drifts() || it.unread.is_some());
    lines.extend(
        told.take(LISTED)
            .map(|it| format!("  {}: {}", it.file, it.told())),
    );
    lines.push(format!("evidence sha256:{evidence}"));
    let mut document = json!(found);
    document["evidence_sha256"] = json!(evidence);
    let exit = Exit::from(probed.verdict);
    Page::new(exit, lines, "job-fingerprint", document)
}

/// A scan that looked at every row and found all alike is a pass; what was not looked at cannot be told.
fn scanned(scanned: &scan::Scanned) -> Page {
    let (scan, clean) = (&scanned.scan, &scanned.clean);
    let exit = match scan.status {
        ScanStatus::Whole if scan.mismatches > 0 => Exit::No,
        ScanStatus::Whole if scan.rows_total > 0 => Exit::Done,
        _ => Exit::CannotTell,
    };
    let mut lines = vec![format!(
        "{} {}: {}",
        scan.status, scan.migration_id, scan.detail
    )];
    lines.extend(scanned.worst.iter().take(WORST).map(|it| {
        format!(
            "  {} of {}: {} rows",
            it.metric_id, it.owning_squad, it.mismatches
        )
    }));
    let counted = time::clock(clean.counted);
    let wanted = time::clock(CLEAN_HOURS);
    let last = clean.log.last().map(|it| it.why.word());
    lines.push(match last {
        Some(why) if clean.counted.is_zero() => {
            format!("clean for {counted} of {wanted}; set back: {why}")
        }
        _ => format!("clean for {counted} of {wanted}"),
    });
    lines.extend(scanned.opened.iter().map(|it| {
        format!(
            "opened deficiency {}: {} does not match on three days running",
            it.deficiency_id, it.metric_id
        )
    }));
    let clock = json!({
        "counted_seconds": clean.counted.as_secs(),
        "wanted_seconds": CLEAN_HOURS.as_secs(),
        "runs": clean.runs,
        "last_interruption": clean.log.last(),
    });
    let mut document = json!(scanned);
    document["clock"] = clock;
    Page::new(exit, lines, "job-scan", document)
}

fn done_by_now(due: &due::Due) -> Page {
    let mut lines: Vec<String> = due
        .opened
        .iter()
        .map(|it| {
            let (id, migration, by) = (&it.deficiency_id, &it.migration_id, &it.moved_by);
            format!(
                "opened deficiency {id}: {by} took {migration} back alone, and nobody countersigned"
            )
        })
        .collect();
    let back = due.triggered.iter().filter(|it| it.rolled_back);
    lines.extend(back.map(triggered_line));
    if lines.is_empty() {
        lines.push("nothing is due".to_owned());
    }
    Page::new(Exit::Done, lines, "job-due", json!(due))
}

/// Says what the trigger made of a migration.
fn triggered_line(it: &Triggered) -> String {
    let (id, said) = (&it.migration_id, it.trigger.said());
    match &it.refused {
        None if it.rolled_back => format!("{id} was rolled back just now: {said}"),
        None => format!("{id}: {said}"),
        Some(why) => format!("{id} was not rolled back here: {why}"),
    }
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

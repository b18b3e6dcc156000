//! How a deployment stands, in the text form that Prometheus reads: served on a loopback port, or written into a file.

mod serve;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::rules::block::BlockReason;
use crate::rules::week::RunStatus;
use crate::store::{Store, StoreError, delivery, gauge, job, lease, migration, outbox};

/// Reads how everything stands, in one look; `holder` says who asks, to tell whether they lead.
pub async fn text(store: &Store, holder: &str) -> Result<String, StoreError> {
    let mut view = store.view().await?;
    let mut out = String::new();
    let blocks = gauge::open_blocks(&mut view).await?;
    let of = |reason: BlockReason| {
        let found = blocks.iter().find(|(found, _)| *found == reason);
        found.map_or(0, |(_, amount)| *amount)
    };
    let by_reason = BlockReason::ALL
        .iter()
        .map(|reason| (format!("{{reason=\"{reason}\"}}"), of(*reason)));
    many(
        &mut out,
        "open_blocks",
        "Open publish blocks, by reason.",
        by_reason,
    );
    if let Some(until) = gauge::next_breach(&mut view).await? {
        let left = until.since(view.now()).num_seconds();
        let what = "Seconds until the first unanswered block is late; negative once it is.";
        one(&mut out, "seconds_to_breach", what, left);
    }
    let (pending, windows) = gauge::runs(&mut view).await?;
    one(
        &mut out,
        "pending_runs",
        "Publish runs that wait for the gate.",
        pending,
    );
    let by_status = RunStatus::ALL.iter().map(|status| {
        let found = windows.iter().find(|it| it.state == status.word());
        (
            format!("{{status=\"{status}\"}}"),
            found.map_or(0, |it| it.amount),
        )
    });
    many(
        &mut out,
        "windows",
        "Windows of weekly reconciliation, by status.",
        by_status,
    );
    if let Some(under_way) = migration::newest_open(&mut view).await? {
        let now = view.now();
        let known = migration::known(&mut view, &under_way.migration_id).await?;
        if let Some(known) = known {
            let clean = known.clean(now).counted.as_secs();
            let what = "Seconds for which the dual write has been clean.";
            one(
                &mut out,
                "clean_seconds",
                what,
                i64::try_from(clean).unwrap_or(i64::MAX),
            );
            if let Some(scan) = known.scans.last() {
                let what = "Rows that mismatched in the newest scan of the dual write.";
                one(&mut out, "mismatches", what, scan.mismatches);
            }
        }
    }
    let depth = delivery::depth(&mut view).await?;
    let ways = [
        ("unrouted", depth.unrouted),
        ("waiting", depth.waiting),
        ("dead", depth.dead),
    ];
    let ways = ways.map(|(state, amount)| (format!("{{state=\"{state}\"}}"), amount));
    many(
        &mut out,
        "outbox",
        "Messages on their ways, by where they stand.",
        ways,
    );
    let waiting = outbox::waiting(&mut view).await?;
    one(
        &mut out,
        "undelivered",
        "Messages that have not got through yet.",
        waiting,
    );
    let failing = job::all(&mut view).await?;
    let failing = failing.iter().map(|run| {
        let label = label(&run.job);
        let is_failing = matches!(
            run.outcome,
            job::JobOutcome::Failed | job::JobOutcome::TimedOut
        );
        (format!("{{job=\"{label}\"}}"), i64::from(is_failing))
    });
    many(
        &mut out,
        "job_failed",
        "Whether a job could not be done the last time.",
        failing,
    );
    let server_now = view.server_now();
    let lease = lease::find(&mut view).await?;
    let held = lease.as_ref().filter(|lease| lease.is_held(server_now));
    let leads = held.is_some_and(|lease| lease.holder == holder);
    one(
        &mut out,
        "leader",
        "Whether this agent leads.",
        i64::from(leads),
    );
    one(
        &mut out,
        "agents_lead",
        "Whether any agent leads.",
        i64::from(held.is_some()),
    );
    Ok(out)
}

fn one(out: &mut String, name: &str, help: &str, value: i64) {
    many(out, name, help, [(String::new(), value)]);
}

fn many(out: &mut String, name: &str, help: &str, values: impl IntoIterator<Item = (String, i64)>) {
    let _ = writeln!(
        out,
        "# HELP govdeck_{name} {help}\n# TYPE govdeck_{name} gauge"
    );
    for (labels, value) in values {
        let _ = writeln!(out, "govdeck_{name}{labels} {value}");
    }
}

/// Writes a text as the value of a label.
fn label(text: &str) -> String {
    let shown = crate::rules::text::scrub(text);
    shown.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Writes the text into a file, whole or not at all.
pub(super) fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = Path::new(&name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o644);
    let mut file = options.open(new)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    fs::rename(new, path)
}

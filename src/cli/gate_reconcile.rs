//! `govdeck gate reconcile`: two files with their sidecars and a policy in, a verdict out; no database.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::hash;
use super::page::{Exit, Failure, Page};
use crate::rules::reconcile::{
    Comparison, Fault, Given, Metric, Place, Policy, Reject, Rows, RunVerdict, Sidecar, judge,
};
use crate::rules::text;

/// The schema's name.
const SCHEMA: &str = "gate-reconcile";

/// How many of the worst metrics the lines name.
const NAMED: usize = 10;

/// The largest sidecar that is read.
const MOST_SIDECAR_BYTES: u64 = 1024 * 1024;

/// How many characters of an id or a value a line shows.
const SHOWN: usize = 60;

/// Compare two CSV files metric by metric.
#[derive(Debug, Args)]
pub(super) struct Reconcile {
    /// What leadership sees; `<stem>.sidecar.json` stands beside it.
    #[arg(long, value_name = "F.csv")]
    leadership: PathBuf,
    /// What the partner gets; `<stem>.sidecar.json` stands beside it.
    #[arg(long, value_name = "F.csv")]
    partner: PathBuf,
    /// How far each metric's sides may lie apart.
    #[arg(long, value_name = "F.json")]
    policy: PathBuf,
}

impl Reconcile {
    pub(super) fn run(self) -> Result<Page, Failure> {
        // The policy's text is let go of before the rows are read.
        let policy = Policy::read(&hash::read(Some(&self.policy))?);
        let leadership = given(&self.leadership)?;
        let partner = given(&self.partner)?;
        let policy_file = self.policy.display().to_string();
        Ok(
            match judge(leadership, partner, policy, &policy_file, NAMED) {
                Ok(comparison) => compared(comparison, &self),
                Err(reject) => rejected(&reject, SCHEMA),
            },
        )
    }
}

/// Reads a side; without its sidecar it can be judged all the same, and is rejected.
pub(super) fn given(path: &Path) -> Result<Given, Failure> {
    let beside = path.with_extension("sidecar.json");
    let bytes = hash::read(Some(path))?;
    let sidecar = match hash::read_at_most(MOST_SIDECAR_BYTES, Some(&beside)) {
        Ok(bytes) => Sidecar::read(&bytes),
        Err(failure) => {
            let said = failure.sentence();
            let name = beside.display().to_string();
            let said = said.strip_prefix(&name).unwrap_or(said);
            Err(Fault::whole(said.trim_start_matches([':', ' '])))
        }
    };
    Ok(Given {
        file: path.display().to_string(),
        bytes,
        hashed: None,
        rows: Rows::Csv {
            further: Vec::new(),
        },
        sidecar_file: beside.display().to_string(),
        sidecar,
    })
}

pub(super) fn rejected(reject: &Reject, schema: &str) -> Page {
    let lines = vec![
        format!("REJECT {}: {reject}", reject.reason),
        "nothing was compared".to_owned(),
    ];
    let (line, column, field) = match reject.fault.place {
        Place::Whole => (None, None, None),
        Place::At { line, column } => (Some(line), Some(column), None),
        Place::Field(field) => (None, None, Some(field)),
    };
    let json = json!({
        "run_verdict": RunVerdict::Reject, "reason": reject.reason, "detail": reject.to_string(),
        "file": reject.file, "line": line, "column": column, "field": field, "metrics": [],
    });
    Page::new(Exit::BadInput, lines, schema, json)
}

fn compared(comparison: Comparison, files: &Reconcile) -> Page {
    let (totals, verdict) = (comparison.totals(), comparison.verdict());
    let exit = match verdict {
        RunVerdict::Pass => Exit::Done,
        _ => Exit::No,
    };
    let (leadership, partner) = (files.leadership.display(), files.partner.display());
    let mut lines = vec![format!(
        "{verdict} {leadership} against {partner}: {} metrics, {} within their epsilon, {} not",
        totals.metrics, totals.passed, totals.failed
    )];
    for (count, what) in [
        (totals.epsilon_exceeded, "epsilon_exceeded"),
        (totals.missing_in_partner, "missing_in_partner"),
        (totals.missing_in_leadership, "missing_in_leadership"),
        (totals.epsilon_missing, "epsilon_missing"),
    ] {
        if count > 0 {
            lines.push(format!("  {what}: {count}"));
        }
    }
    if totals.on_neither_side > 0 {
        let count = totals.on_neither_side;
        lines.push(format!(
            "  of the policy's metrics on neither side: {count}"
        ));
    }
    lines.extend(comparison.lineage_fault());
    if totals.failed > 0 {
        lines.push("the worst:".to_owned());
        let failing = comparison.worst().iter();
        let failing = failing.filter(|metric| metric.reason.is_some());
        lines.extend(failing.map(line));
    }
    Page::streamed(exit, lines, move |out| {
        comparison.write_page(out, &format!("govdeck.{SCHEMA}.v1"))
    })
}

pub(super) fn line(metric: &Metric) -> String {
    let shown = |value: &Option<String>| match value {
        Some(value) => text::shorten(value, SHOWN).into_owned(),
        None => "none".to_owned(),
    };
    format!(
        "  {}: leadership {}, partner {}, delta {}, epsilon {}: {}",
        text::shorten(&metric.metric_id, SHOWN),
        shown(&metric.leadership),
        shown(&metric.partner),
        shown(&metric.delta),
        shown(&metric.epsilon),
        metric.reason.map_or("within", |reason| reason.word()),
    )
}

//! `govdeck week`: how governance stands and why, and one weekly run with everything that it rests on.

use std::path::Path;

use clap::Subcommand;
use serde_json::json;

use super::page::{Exit, Failure, Page};
use super::window;
use crate::jobs::outside;
use crate::rules::Verdict;
use crate::rules::release::Found;
use crate::rules::week::{self as rule, Signed, State};
use crate::store::week::{self, Look, Metric, Name};
use crate::store::{Store, governance};

/// How many metrics are listed when nobody says otherwise.
const LISTED: i64 = 10;

/// What to look at.
#[derive(Debug, Subcommand)]
pub(super) enum Week {
    /// Say how every series stands, by which rule, and on which runs.
    Status,
    /// Show a run: its inputs, the worst metrics, and the names under it.
    Show {
        /// The run.
        run: String,
        /// How many metrics.
        #[arg(
            long,
            value_name = "N",
            default_value_t = LISTED,
            value_parser = clap::value_parser!(i64).range(1..)
        )]
        most: i64,
    },
}

impl Week {
    pub(super) async fn run(self, store: &Store, root: &Path) -> Result<Page, Failure> {
        match self {
            Self::Status => status(store).await,
            Self::Show { run, most } => show(store, root, &run, most).await,
        }
    }
}

async fn status(store: &Store) -> Result<Page, Failure> {
    let mut view = store.view().await?;
    let stands = governance::hold(&mut view).await?;
    let mut lines = vec![format!(
        "governance is {}",
        stands.word().replace('_', " ").to_uppercase()
    )];
    let mut all = Vec::new();
    for series in week::active_series(&mut view).await? {
        let look = week::look(&mut view, series).await?;
        lines.extend(look_lines(&look));
        all.push(json!({
            "series": look.series.series_id, "standing": look.standing, "incident": look.incident,
            "bootstrap": look.bootstrap, "remediations": look.remediations,
        }));
    }
    let verdict = match stands.word() {
        "green" => Verdict::Pass,
        "not_established" => Verdict::CannotTell,
        _ => Verdict::Fail,
    };
    let json =
        json!({"governance": stands, "verdict": verdict, "hold": stands.hold(), "series": all});
    Ok(Page::new(Exit::from(verdict), lines, "week-status", json))
}

fn look_lines(look: &Look) -> Vec<String> {
    let standing = &look.standing;
    let mut lines = vec![
        format!(
            "{} {}: {}",
            standing.state.word().to_uppercase(),
            look.series.series_id,
            standing.because.meaning()
        ),
        format!(
            "  rests on {}",
            if standing.runs.is_empty() {
                "no run".to_owned()
            } else {
                standing.runs.join(", ")
            }
        ),
    ];
    lines.extend(look.incident.as_ref().map(|incident| {
        let seen = incident.acknowledged_by.as_deref().map_or_else(
            || "nobody has acknowledged it".to_owned(),
            |by| format!("{by} acknowledged it"),
        );
        let owes = if incident.addendum_demanded {
            "; the readback owes partners an addendum"
        } else {
            ""
        };
        format!(
            "  incident {} since {}: {seen}{owes}",
            incident.incident_id, incident.opened_at_utc
        )
    }));
    if standing.state == State::Red {
        lines.push(
            "  gates, distribution and promotion are held until two people leave red".to_owned(),
        );
    }
    lines
}

async fn show(store: &Store, root: &Path, run: &str, most: i64) -> Result<Page, Failure> {
    let found = week::find(&mut store.view().await?, run).await?;
    let window = found.ok_or_else(|| {
        Failure::new(
            Exit::CannotTell,
            format!("there is no weekly run {run:?}"),
            "`govdeck window list` shows them",
        )
    })?;
    let diff = outside::found(store, root, &window).await?;
    let mut view = store.view().await?;
    let metrics = week::metrics(&mut view, run, most).await?;
    let names = week::names(&mut view, &window, &diff).await?;
    let series = week::series(&mut view, &window.series_id).await?;
    let mut lines = vec![window::line(&window)];
    for (what, value) in [
        ("diff", &window.artifact_uri),
        ("leadership", &window.leadership_ingest_hash),
        ("partners", &window.partner_ingest_hash),
        ("tuple revision", &window.tuple_revision_hash),
        ("policy", &window.epsilon_policy_version),
        ("because", &window.reject_detail),
    ] {
        lines.extend(value.as_ref().map(|value| format!("  {what}: {value}")));
    }
    let (word, told) = told(&diff);
    if window.status.has_compared() {
        lines.push(format!("  {told}"));
    }
    lines.extend(metrics.iter().map(metric_line));
    lines.extend(
        names
            .iter()
            .map(|(name, is_current)| name_line(name, *is_current, &diff)),
    );
    let signed: Vec<Signed> = names
        .iter()
        .map(|(name, is_current)| name.signed(*is_current))
        .collect();
    let quorum = series.map(|series| rule::counts(&signed, series.quorum, series.override_quorum));
    if let Some((have, need)) = quorum.filter(|_| window.status.has_compared()) {
        lines.push(format!("  {have} of {need} names count"));
    }
    let names: Vec<_> = names
        .iter()
        .map(|(name, is_current)| json!({"name": name, "is_current": is_current}))
        .collect();
    let json = json!({
        "window": window, "metrics": metrics, "acks": names, "diff": word,
        "quorum": quorum.map(|(have, need)| json!({"have": have, "need": need})),
    });
    Ok(Page::new(Exit::Done, lines, "week-show", json))
}

fn told(diff: &Found) -> (&'static str, String) {
    match diff {
        Found::Same(_) => ("same", "the diff hashes to its name".to_owned()),
        Found::Changed(why) => ("changed", format!("DIFF CHANGED: {why}")),
        Found::Unreachable(why) => ("unreachable", format!("cannot tell about the diff: {why}")),
        Found::NotNamed => ("none", "there is no diff".to_owned()),
    }
}

/// Shows one metric in a line.
pub(super) fn metric_line(metric: &Metric) -> String {
    let dash = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let why = metric.reason.as_deref().map_or(String::new(), |reason| {
        format!(
            ", {reason}, owner {}",
            metric.owner_id.as_deref().unwrap_or("nobody")
        )
    });
    format!(
        "  {} {}: leadership {}, partners {}, apart {} of {}{why}",
        metric.verdict,
        metric.metric_id,
        dash(&metric.leadership),
        dash(&metric.partner),
        dash(&metric.delta),
        dash(&metric.epsilon)
    )
}

/// Shows one name in a line.
pub(super) fn name_line(name: &Name, is_current: bool, diff: &Found) -> String {
    let stands = match (name.revoked_at_utc, is_current) {
        (Some(at), _) => format!("REVOKED at {at}"),
        (None, true) => "counts".to_owned(),
        (None, false) => rule::why_not_current(diff).to_owned(),
    };
    format!(
        "  signed by {} at {} ({}, {}): {stands}",
        name.signer_id, name.acked_at_utc, name.ack_basis, name.attestation
    )
}

//! `govdeck window`: the windows of weekly reconciliation, planned before their time.

use clap::Subcommand;
use serde_json::json;

use super::act::{Act, settle};
use super::key::Answered;
use super::page::{Exit, Failure, Page};
use super::sign::Pen;
use crate::actions::{self, Asked, ByRule, Request};
use crate::rules::permission;
use crate::rules::week::{SkipReason, is_missed};
use crate::store::week::{self, Series, Window};
use crate::store::{Access, Store};

/// How many windows are listed when nobody says otherwise.
const LISTED: i64 = 20;
/// How many windows one call plans at most.
const MOST_PLANNED: i64 = 520;
/// How many open windows one sweep looks at.
const SWEPT: i64 = 10_000;

/// What to do with windows.
#[derive(Debug, Subcommand)]
pub(super) enum Windows {
    /// Plan the next windows of a series; none is left out.
    Plan {
        /// The series.
        series: String,
        /// How many.
        #[arg(
            long,
            value_name = "N",
            default_value_t = 4,
            value_parser = clap::value_parser!(u32).range(1..=MOST_PLANNED)
        )]
        weeks: u32,
    },
    /// List the newest windows.
    List {
        /// Of this series alone.
        #[arg(long, value_name = "ID")]
        series: Option<String>,
        /// How many.
        #[arg(
            long,
            value_name = "N",
            default_value_t = LISTED,
            value_parser = clap::value_parser!(i64).range(1..)
        )]
        most: i64,
    },
    /// Skip a window that nobody has begun; it counts as one that did not pass.
    Skip {
        /// The run.
        run: String,
        /// Why.
        #[arg(long, value_name = "maintenance|credential_rotation|manual_pause")]
        because: SkipReason,
        #[command(flatten)]
        answer: Answered,
    },
    /// Mark every window missed whose time went by.
    Sweep,
}

impl Windows {
    pub(super) fn access(&self) -> Access {
        match self {
            Self::List { .. } => Access::Read,
            Self::Skip { answer, .. } => answer.access(),
            Self::Plan { .. } | Self::Sweep => Access::Write,
        }
    }

    pub(super) async fn run(self, store: &Store, pen: &Pen) -> Result<Page, Failure> {
        match self {
            Self::Plan { series, weeks } => plan(store, &series, weeks).await,
            Self::List { series, most } => list(store, series.as_deref(), most).await,
            Self::Sweep => sweep(store).await,
            Self::Skip {
                run,
                because,
                answer,
            } => {
                let act = Act {
                    verb: permission::SKIP_WINDOW.verb,
                    asked: Asked::of(run).with("because", because.word()),
                    go: answer.go(),
                };
                act.run(store, pen).await
            }
        }
    }
}

/// Finds a series that somebody named.
pub(super) async fn named(store: &Store, series: &str) -> Result<Series, Failure> {
    let found = week::series(&mut store.view().await?, series).await?;
    found.ok_or_else(|| {
        Failure::new(
            Exit::CannotTell,
            format!("there is no series {series:?}"),
            "register it first: govdeck act register-series",
        )
    })
}

async fn plan(store: &Store, series: &str, weeks: u32) -> Result<Page, Failure> {
    let schedule = named(store, series).await?.schedule();
    let mut lines = Vec::new();
    let mut planned = Vec::new();
    for _ in 0..weeks {
        let last = week::planned(&mut store.view().await?, series).await?;
        let at = schedule.next(last);
        let request = Request::by_rule(ByRule::PlanWindow {
            series: series.to_owned(),
            at,
        })?;
        settle(store, actions::carry_out(store, request).await).await?;
        lines.push(format!("planned {series} at {at}"));
        planned.push(at);
    }
    let json = json!({"series": series, "planned": planned});
    Ok(Page::new(Exit::Done, lines, "window-plan", json))
}

async fn list(store: &Store, series: Option<&str>, most: i64) -> Result<Page, Failure> {
    if let Some(series) = series {
        named(store, series).await?;
    }
    let windows = week::windows(&mut store.view().await?, series, most).await?;
    let mut lines: Vec<String> = windows.iter().map(line).collect();
    if lines.is_empty() {
        lines.push("no window is planned yet: govdeck window plan SERIES".to_owned());
    }
    let json = json!({"windows": windows});
    Ok(Page::new(Exit::Done, lines, "window-list", json))
}

/// Shows one window in a line.
pub(super) fn line(window: &Window) -> String {
    let more = match (
        &window.skip_reason,
        &window.reject_reason,
        &window.worst_metric,
    ) {
        (Some(why), ..) => format!(" {why}"),
        (_, Some(why), _) => format!(" {why}"),
        (_, _, Some(worst)) => format!(
            " {} of {} failed, worst {worst} {}",
            window.metrics_failed.unwrap_or(0),
            window.metrics_total.unwrap_or(0),
            window.worst_ratio.as_deref().unwrap_or("?")
        ),
        _ => String::new(),
    };
    format!(
        "{:<12} {:<9} {} at {}{more}",
        window.status, window.run_kind, window.job_run_id, window.scheduled_at
    )
}

/// Marks what was missed, the earliest first, since windows end in their order.
async fn sweep(store: &Store) -> Result<Page, Failure> {
    let mut missed = Vec::new();
    let mut view = store.view().await?;
    let now = view.now();
    let open = week::open_windows(&mut view, SWEPT).await?;
    let series = week::series_all(&mut view).await?;
    drop(view);
    for window in open {
        let of = series.iter().find(|row| row.series_id == window.series_id);
        if !of.is_some_and(|row| is_missed(&window.standing(row, None), now)) {
            continue;
        }
        let run = window.job_run_id;
        let request = Request::by_rule(ByRule::MissWindow { run: run.clone() })?;
        settle(store, actions::carry_out(store, request).await).await?;
        missed.push(run);
    }
    let mut lines: Vec<String> = missed.iter().map(|run| format!("MISSED {run}")).collect();
    if lines.is_empty() {
        lines.push("no window's time went by".to_owned());
    }
    let json = json!({"missed": missed});
    Ok(Page::new(Exit::Done, lines, "window-sweep", json))
}

//! What is read to show how far apart a weekly run's protected metrics lie, against both limits of its policy.

use crate::rules::week::{Judged, Pair, PastWeek, Seen, backtest};
use crate::store::week::{self, Metric, Window};
use crate::store::{StoreError, View};

/// How many weeks the chart looks back: a quarter.
const WEEKS: usize = 13;

/// How far apart protected metrics lie, by one policy.
#[derive(Debug)]
pub struct SpreadSight {
    /// The policy's version.
    pub policy: String,
    /// Its two limits.
    pub pair: Pair,
    /// What it makes of the selected run; none where its protected metrics were not read.
    pub run: Option<Judged>,
    /// Whether the run was compared all the same.
    pub cannot_tell: bool,
    /// What it makes of the newest weeks of the series, the oldest first.
    pub weeks: Vec<Judged>,
}

/// Reads it for a run, by the policy that the run was judged by, else by the newest one; none where there is no policy.
pub(super) async fn read(
    view: &mut View,
    window: &Window,
    metrics: Option<&[Metric]>,
) -> Result<Option<SpreadSight>, StoreError> {
    let policy = match &window.epsilon_policy_version {
        Some(version) => week::policy(view, version).await?,
        None => week::policies(view).await?.into_iter().next(),
    };
    let Some(policy) = policy else {
        return Ok(None);
    };
    let pair = Pair {
        soft: policy.soft,
        hard: policy.hard,
        floor: policy.floor,
    };
    let past = week::past(view, &window.series_id, WEEKS).await?;
    let known = past
        .iter()
        .find(|week| week.job_run_id == window.job_run_id);
    let own = metrics.filter(|_| window.metrics_total.is_some());
    let week = known.cloned().or_else(|| Some(of(window, own?)));
    // Alone, so that a week rolls back above hard only.
    let run = week.and_then(|week| backtest(&pair, &[week]).weeks.into_iter().next());
    Ok(Some(SpreadSight {
        policy: policy.epsilon_policy_version,
        weeks: backtest(&pair, &past).weeks,
        cannot_tell: run.is_none() && window.metrics_total.is_some(),
        run,
        pair,
    }))
}

/// Makes a week of a run and its metrics, all of which must have been read.
fn of(window: &Window, metrics: &[Metric]) -> PastWeek {
    let protected = metrics.iter().filter(|metric| metric.protected);
    let seen = protected.map(|metric| Seen {
        metric_id: metric.metric_id.clone(),
        delta: metric.delta.clone(),
        partner: metric.partner.clone(),
    });
    PastWeek {
        job_run_id: window.job_run_id.clone(),
        status: window.status,
        was_incident: false,
        protected: seen.collect(),
    }
}

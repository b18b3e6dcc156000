//! What has been compared since a migration was cut over, as the trigger looks at it.

use sqlx::FromRow;

use super::known::Known;
use super::rows::Migration;
use crate::clock::Moment;
use crate::rules::migration::{EndedRun, KeptMetric, Move, Trigger, Watch, trigger};
use crate::rules::week::{Pair, RunKind, RunStatus};
use crate::store::view::{all_where, on, query_as};
use crate::store::week::{self, EpsilonPolicy};
use crate::store::{StoreError, View};

/// What has ended since the flip, and the policies it was judged by.
#[derive(Debug, Clone)]
pub struct Watched {
    flipped: Option<Moment>,
    runs: Vec<Ended>,
    kept: Vec<Kept>,
    policies: Vec<EpsilonPolicy>,
    series: Vec<String>,
}

#[derive(Debug, Clone, FromRow)]
struct Ended {
    job_run_id: String,
    series_id: String,
    run_kind: RunKind,
    status: RunStatus,
    scheduled_at: Moment,
    began: Moment,
    epsilon_policy_version: Option<String>,
}

#[derive(Debug, Clone, FromRow)]
struct Kept {
    job_run_id: String,
    metric_id: String,
    protected: bool,
    leadership: Option<String>,
    partner: Option<String>,
}

/// Lists the migrations that were cut over and are still watched.
pub async fn under_watch(view: &mut View) -> Result<Vec<Migration>, StoreError> {
    let now = view.now();
    Ok(all_where!(
        view,
        Migration,
        "phase = 'cutover' AND (closed_at_dt_utc IS NULL OR watch_until >= $1) ORDER BY opened_at_dt_utc, migration_id LIMIT 100",
        now
    ))
}

/// Reads what has ended since a migration was cut over.
pub async fn watched(view: &mut View, known: &Known) -> Result<Watched, StoreError> {
    const RUNS: &str = "SELECT job_run_id, series_id, run_kind, status, scheduled_at, COALESCE(started_at, scheduled_at) AS began, \
         epsilon_policy_version FROM reconciliation_window WHERE run_kind IN ('scheduled', 'immediate') \
         AND status IN ('PASS', 'FAIL', 'SKIP', 'MISSED', 'INCONCLUSIVE') AND COALESCE(started_at, scheduled_at) >= $1 \
         AND COALESCE(started_at, scheduled_at) <= $2 ORDER BY scheduled_at, job_run_id";
    const KEPT: &str = "SELECT m.job_run_id, m.metric_id, m.protected, m.leadership, m.partner FROM reconciliation_window w \
         JOIN reconciliation_metric m ON m.job_run_id = w.job_run_id WHERE w.run_kind IN ('scheduled', 'immediate') \
         AND COALESCE(w.started_at, w.scheduled_at) >= $1 AND COALESCE(w.started_at, w.scheduled_at) <= $2 \
         AND (m.protected = TRUE OR EXISTS (SELECT 1 FROM protected_metric p WHERE p.migration_id = $3 AND p.metric_id = m.metric_id)) \
         ORDER BY m.job_run_id, m.metric_id";
    let row = &known.migration;
    let flipped = known.flipped();
    let mut found = Watched {
        flipped,
        runs: Vec::new(),
        kept: Vec::new(),
        policies: week::policies(view).await?,
        series: Vec::new(),
    };
    for series in week::active_series(view).await? {
        found.series.push(series.series_id);
    }
    if let Some(since) = flipped {
        let closed = row.closed_at_dt_utc;
        let until = closed.map_or(view.now(), |closed| row.watch_until.unwrap_or(closed));
        let id = &row.migration_id;
        found.runs = on!(view, c => query_as(RUNS).bind(since).bind(until).fetch_all(c).await)?;
        found.kept =
            on!(view, c => query_as(KEPT).bind(since).bind(until).bind(id).fetch_all(c).await)?;
    }
    Ok(found)
}

impl Known {
    /// Tells when it was cut over.
    #[must_use]
    pub fn flipped(&self) -> Option<Moment> {
        let mut events = self.events.iter();
        let cut_over = events.find(|event| event.kind == Move::Cutover);
        cut_over.map(|event| event.happened_at_utc)
    }
}

impl Watched {
    /// Lets the trigger decide.
    #[must_use]
    pub fn trigger(&self, known: &Known, now: Moment) -> Trigger {
        known.decide(now, |facts| {
            trigger(&Watch {
                now,
                clock_is_behind: facts.clock_is_behind,
                stand: facts.stand,
                flipped: self.flipped,
                protected: known.protected.iter().map(|it| &*it.metric_id).collect(),
                series: self.series.iter().map(String::as_str).collect(),
                runs: self.runs.iter().map(|run| self.run(run)).collect(),
            })
        })
    }

    fn run<'a>(&'a self, run: &'a Ended) -> EndedRun<'a> {
        let version = run.epsilon_policy_version.as_ref();
        let mut policies = self.policies.iter();
        let policy = policies.find(|it| Some(&it.epsilon_policy_version) == version);
        let kept = self
            .kept
            .iter()
            .filter(|it| it.job_run_id == run.job_run_id);
        EndedRun {
            job_run_id: &run.job_run_id,
            series: &run.series_id,
            kind: run.run_kind,
            status: run.status,
            scheduled_at: run.scheduled_at,
            began: run.began,
            policy: policy.map(|it| {
                let pair = Pair {
                    soft: it.soft.clone(),
                    hard: it.hard.clone(),
                    floor: it.floor.clone(),
                };
                (&*it.epsilon_policy_version, pair)
            }),
            kept: kept
                .map(|it| KeptMetric {
                    metric_id: &it.metric_id,
                    protected: it.protected,
                    leadership: it.leadership.as_deref(),
                    partner: it.partner.as_deref(),
                })
                .collect(),
        }
    }
}

//! What has happened since a migration was cut over: who compared, and when the watch would end.

use super::known::Known;
use crate::clock::Moment;
use crate::rules::week::RunStatus;
use crate::store::view::{on, query_as, query_scalar};
use crate::store::{StoreError, View, week};

/// What is known when a migration is to be closed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aftermath {
    /// How many series are compared.
    pub series: usize,
    /// Those that have not passed in a run made since the flip.
    pub open_series: Vec<String>,
    /// The runs since the flip that passed, one of each of the others.
    pub passed_runs: Vec<String>,
    /// Until when the second scheduled window from now must have ended, so that the trigger sees what it finds.
    pub watch_until: Option<Moment>,
}

/// Reads what has happened since a migration entered its phase.
pub async fn aftermath(view: &mut View, known: &Known) -> Result<Aftermath, StoreError> {
    const NEWEST: &str = "SELECT job_run_id, status FROM reconciliation_window WHERE series_id = $1 AND run_kind = 'immediate' \
         AND started_at >= $2 AND completed_at IS NOT NULL ORDER BY completed_at DESC, job_run_id LIMIT 1";
    const PLANNED: &str = "SELECT scheduled_at FROM reconciliation_window WHERE run_kind = 'scheduled' AND status = 'SCHEDULED' \
         AND series_id = $1 AND scheduled_at > $2 ORDER BY scheduled_at LIMIT 1 OFFSET 1";
    let now = view.now();
    let since = known
        .entered()
        .map_or(known.migration.opened_at_dt_utc, |event| {
            event.happened_at_utc
        });
    let mut found = Aftermath::default();
    let mut latest = None;
    let mut is_planned = true;
    for series in week::active_series(view).await? {
        let id = series.series_id;
        found.series += 1;
        let newest: Option<(String, RunStatus)> =
            on!(view, c => query_as(NEWEST).bind(&id).bind(since).fetch_optional(c).await)?;
        match newest {
            Some((run, RunStatus::Pass)) => found.passed_runs.push(run),
            _ => found.open_series.push(id.clone()),
        }
        let second: Option<Moment> =
            on!(view, c => query_scalar(PLANNED).bind(&id).bind(now).fetch_optional(c).await)?;
        let second = second.map(|at| at.plus_minutes(series.grace_minutes));
        is_planned &= second.is_some();
        latest = latest.max(second);
    }
    found.watch_until = latest.filter(|_| is_planned);
    Ok(found)
}

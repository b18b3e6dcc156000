//! What is read about weekly reconciliation.

use serde::Serialize;
use sqlx::{AssertSqlSafe, FromRow};

use super::rows::{
    Ack, AckRevocation, Annex, Bootstrap, EpsilonPolicy, Incident, Metric, OverridePacket,
    Remediation, Series, Window,
};
use crate::clock::Moment;
use crate::rules::week::{self, FinalRun, History, PastWeek, RunStatus, Seen, Standing};
use crate::store::view::{all_where, on, one_where, query_as, query_scalar};
use crate::store::{StoreError, View};

/// The statuses after which nothing comes, as SQL.
const ENDED: &str = "status IN ('PASS', 'FAIL', 'SKIP', 'MISSED', 'INCONCLUSIVE')";

/// Finds a run.
pub async fn find(view: &mut View, id: &str) -> Result<Option<Window>, StoreError> {
    Ok(one_where!(view, Window, "job_run_id = $1", id))
}

/// Finds a series.
pub async fn series(view: &mut View, id: &str) -> Result<Option<Series>, StoreError> {
    Ok(one_where!(view, Series, "series_id = $1", id))
}

/// Lists all series, the active ones first.
pub async fn series_all(view: &mut View) -> Result<Vec<Series>, StoreError> {
    Ok(all_where!(
        view,
        Series,
        "TRUE ORDER BY active DESC, series_id"
    ))
}

/// Lists the series that count.
pub async fn active_series(view: &mut View) -> Result<Vec<Series>, StoreError> {
    Ok(all_where!(view, Series, "active = TRUE ORDER BY series_id"))
}

/// Returns the time of the last window of a series that was planned.
pub async fn planned(view: &mut View, series: &str) -> Result<Option<Moment>, StoreError> {
    const SQL: &str = "SELECT scheduled_at FROM reconciliation_window WHERE series_id = $1 AND run_kind = 'scheduled' \
         ORDER BY scheduled_at DESC, job_run_id LIMIT 1";
    Ok(on!(view, c => query_scalar(SQL).bind(series).fetch_optional(c).await)?)
}

/// Finds the earliest scheduled window of a series that has not ended and whose time comes before another.
pub async fn open_before(
    view: &mut View,
    series: &str,
    scheduled_at: Moment,
) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT job_run_id FROM reconciliation_window WHERE series_id = $1 AND run_kind = 'scheduled' \
         AND status IN ('SCHEDULED', 'RUNNING') AND scheduled_at < $2 ORDER BY scheduled_at, job_run_id LIMIT 1";
    Ok(on!(view, c => query_scalar(SQL).bind(series).bind(scheduled_at).fetch_optional(c).await)?)
}

/// Lists the windows that have not ended, the earliest first.
pub async fn open_windows(view: &mut View, most: i64) -> Result<Vec<Window>, StoreError> {
    Ok(all_where!(
        view,
        Window,
        "status IN ('SCHEDULED', 'RUNNING') ORDER BY scheduled_at, job_run_id LIMIT $1",
        most
    ))
}

/// Lists the newest windows of a series, or of all.
pub async fn windows(
    view: &mut View,
    series: Option<&str>,
    most: i64,
) -> Result<Vec<Window>, StoreError> {
    Ok(if let Some(series) = series {
        all_where!(
            view,
            Window,
            "series_id = $1 ORDER BY scheduled_at DESC, job_run_id DESC LIMIT $2",
            series,
            most
        )
    } else {
        all_where!(
            view,
            Window,
            "TRUE ORDER BY scheduled_at DESC, job_run_id DESC LIMIT $1",
            most
        )
    })
}

/// A run that has ended, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Ended {
    /// The run's id.
    pub job_run_id: String,
    /// How it ended.
    pub status: RunStatus,
}

impl Ended {
    /// Returns it for the rules.
    #[must_use]
    pub fn run(&self) -> FinalRun<'_> {
        FinalRun {
            job_run_id: &self.job_run_id,
            status: self.status,
        }
    }
}

/// Finds the newest scheduled run of a series that had ended and whose time comes before a moment.
pub async fn ended_before(
    view: &mut View,
    series: &str,
    scheduled_at: Moment,
) -> Result<Option<Ended>, StoreError> {
    let sql = format!(
        "SELECT job_run_id, status FROM reconciliation_window WHERE series_id = $1 AND run_kind = 'scheduled' \
         AND {ENDED} AND scheduled_at < $2 ORDER BY scheduled_at DESC, job_run_id DESC LIMIT 1"
    );
    Ok(
        on!(view, c => query_as(AssertSqlSafe(sql)).bind(series).bind(scheduled_at).fetch_optional(c).await)?,
    )
}

/// Everything that the state of a series rests on, and the state.
#[derive(Debug, Clone)]
pub struct Look {
    /// The series.
    pub series: Series,
    /// Its scheduled runs that have ended since red was last left, the newest last.
    pub ended: Vec<Ended>,
    /// The incident that is open.
    pub incident: Option<Incident>,
    /// Its bootstrap.
    pub bootstrap: Option<Bootstrap>,
    /// The evidence attached to the run before the newest.
    pub remediations: Vec<Remediation>,
    /// How it stands, and why.
    pub standing: Standing,
}

impl Look {
    /// Returns the newest run that has ended.
    #[must_use]
    pub fn newest(&self) -> Option<&Ended> {
        self.ended.last()
    }

    /// Returns the run that ended before the newest.
    #[must_use]
    pub fn before_newest(&self) -> Option<&Ended> {
        self.ended.iter().rev().nth(1)
    }
}

/// Reads how a series stands.
pub async fn look(view: &mut View, series: Series) -> Result<Look, StoreError> {
    let id = series.series_id.as_str();
    let left: Option<Incident> = one_where!(
        view,
        Incident,
        "series_id = $1 AND left_at_utc IS NOT NULL ORDER BY left_at_utc DESC, incident_id DESC LIMIT 1",
        id
    );
    let incident: Option<Incident> =
        one_where!(view, Incident, "series_id = $1 AND left_at_utc IS NULL", id);
    let left_at = left.and_then(|incident| incident.left_at_run_id);
    let ended = ended_since(view, id, left_at.as_deref()).await?;
    let bootstrap = bootstrap(view, id).await?;
    let remediations = match ended.iter().rev().nth(1) {
        Some(before) => evidence_of(view, &before.job_run_id).await?,
        None => Vec::new(),
    };
    let runs: Vec<FinalRun<'_>> = ended.iter().map(Ended::run).collect();
    let standing = week::stand(&History {
        runs: &runs,
        bootstrap: bootstrap.as_ref().map(|declared| &*declared.job_run_id),
        is_remediated: !remediations.is_empty(),
        open_incident: incident.as_ref().map(|open| &*open.incident_id),
        left_red_at: left_at.as_deref(),
    });
    Ok(Look {
        series,
        ended,
        incident,
        bootstrap,
        remediations,
        standing,
    })
}

async fn ended_since(
    view: &mut View,
    series: &str,
    since: Option<&str>,
) -> Result<Vec<Ended>, StoreError> {
    let sql = format!(
        "SELECT job_run_id, status FROM reconciliation_window WHERE series_id = $1 AND run_kind = 'scheduled' AND {ENDED} \
         AND scheduled_at >= COALESCE((SELECT s.scheduled_at FROM reconciliation_window s WHERE s.job_run_id = $2), scheduled_at) \
         ORDER BY scheduled_at, job_run_id"
    );
    Ok(on!(view, c => query_as(AssertSqlSafe(sql)).bind(series).bind(since).fetch_all(c).await)?)
}

/// Finds an incident.
pub async fn incident(view: &mut View, id: &str) -> Result<Option<Incident>, StoreError> {
    Ok(one_where!(view, Incident, "incident_id = $1", id))
}

/// Lists the incidents that are open, the oldest first.
pub async fn open_incidents(view: &mut View) -> Result<Vec<Incident>, StoreError> {
    Ok(all_where!(
        view,
        Incident,
        "left_at_utc IS NULL ORDER BY opened_at_utc, incident_id"
    ))
}

/// Finds the bootstrap of a series.
pub async fn bootstrap(view: &mut View, series: &str) -> Result<Option<Bootstrap>, StoreError> {
    Ok(one_where!(view, Bootstrap, "series_id = $1", series))
}

/// Finds a piece of remediation evidence.
pub async fn remediation(view: &mut View, id: &str) -> Result<Option<Remediation>, StoreError> {
    Ok(one_where!(view, Remediation, "remediation_id = $1", id))
}

/// Lists the evidence attached to a run.
pub async fn evidence_of(view: &mut View, run: &str) -> Result<Vec<Remediation>, StoreError> {
    Ok(all_where!(
        view,
        Remediation,
        "job_run_id = $1 ORDER BY remediation_id",
        run
    ))
}

/// Finds an override packet.
pub async fn packet(view: &mut View, id: &str) -> Result<Option<OverridePacket>, StoreError> {
    Ok(one_where!(view, OverridePacket, "audit_id = $1", id))
}

/// Finds the override packet of a run.
pub async fn packet_of(view: &mut View, run: &str) -> Result<Option<OverridePacket>, StoreError> {
    Ok(one_where!(view, OverridePacket, "job_run_id = $1", run))
}

/// Finds an override annex.
pub async fn annex(view: &mut View, id: &str) -> Result<Option<Annex>, StoreError> {
    Ok(one_where!(view, Annex, "annex_id = $1", id))
}

/// Finds the annex that lets a publish run out longest; one of an incident that is over lets nothing out.
pub async fn annex_for(view: &mut View, run: &str) -> Result<Option<Annex>, StoreError> {
    Ok(one_where!(
        view,
        Annex,
        "publish_run_id = $1 AND incident_id IN (SELECT incident_id FROM reconciliation_incident WHERE left_at_utc IS NULL) \
         ORDER BY expires_at_utc DESC, annex_id LIMIT 1",
        run
    ))
}

/// Lists the annexes of an incident, the newest first.
pub async fn annexes_of(view: &mut View, incident: &str) -> Result<Vec<Annex>, StoreError> {
    Ok(all_where!(
        view,
        Annex,
        "incident_id = $1 ORDER BY created_at_utc DESC, annex_id",
        incident
    ))
}

/// Lists the incidents that were open at some time of a stretch, the oldest first.
pub async fn incidents_in(
    view: &mut View,
    from: Moment,
    until: Moment,
) -> Result<Vec<Incident>, StoreError> {
    Ok(all_where!(
        view,
        Incident,
        "opened_at_utc <= $2 AND (left_at_utc IS NULL OR left_at_utc >= $1) ORDER BY opened_at_utc, incident_id",
        from,
        until
    ))
}

/// Lists the scheduled windows whose time lies in a stretch, the earliest first.
pub async fn scheduled_in(
    view: &mut View,
    from: Moment,
    until: Moment,
) -> Result<Vec<Window>, StoreError> {
    Ok(all_where!(
        view,
        Window,
        "run_kind = 'scheduled' AND scheduled_at >= $1 AND scheduled_at < $2 ORDER BY scheduled_at, job_run_id",
        from,
        until
    ))
}

/// Lists the newest runs that compared a revision of a tuple.
pub async fn runs_of_tuple(
    view: &mut View,
    tuple: &str,
    most: i64,
) -> Result<Vec<Window>, StoreError> {
    Ok(all_where!(
        view,
        Window,
        "tuple_revision_hash = $1 AND status IN ('PASS', 'FAIL') ORDER BY scheduled_at DESC, job_run_id LIMIT $2",
        tuple,
        most
    ))
}

/// Finds what a run kept of a metric.
pub async fn metric_of(
    view: &mut View,
    run: &str,
    metric: &str,
) -> Result<Option<Metric>, StoreError> {
    const SQL: &str = "SELECT metric_id, place, protected, leadership, partner, epsilon, delta, ratio, verdict, reason, owner_id, backup_id \
         FROM reconciliation_metric WHERE job_run_id = $1 AND metric_id = $2";
    Ok(on!(view, c => query_as(SQL).bind(run).bind(metric).fetch_optional(c).await)?)
}

/// Finds a policy by its version.
pub async fn policy(view: &mut View, version: &str) -> Result<Option<EpsilonPolicy>, StoreError> {
    Ok(one_where!(
        view,
        EpsilonPolicy,
        "epsilon_policy_version = $1",
        version
    ))
}

/// Lists all policies, the newest first.
pub async fn policies(view: &mut View) -> Result<Vec<EpsilonPolicy>, StoreError> {
    Ok(all_where!(
        view,
        EpsilonPolicy,
        "TRUE ORDER BY adopted_at_utc DESC, epsilon_policy_version"
    ))
}

/// Finds the ack of a signer.
pub async fn ack(view: &mut View, run: &str, signer: &str) -> Result<Option<Ack>, StoreError> {
    Ok(one_where!(
        view,
        Ack,
        "job_run_id = $1 AND signer_id = $2",
        run,
        signer
    ))
}

/// Finds the revocation of an ack.
pub async fn revocation(
    view: &mut View,
    run: &str,
    signer: &str,
) -> Result<Option<AckRevocation>, StoreError> {
    Ok(one_where!(
        view,
        AckRevocation,
        "job_run_id = $1 AND signer_id = $2",
        run,
        signer
    ))
}

/// Lists the metrics of a run that are kept, the worst first.
pub async fn metrics(view: &mut View, run: &str, most: i64) -> Result<Vec<Metric>, StoreError> {
    const SQL: &str = "SELECT metric_id, place, protected, leadership, partner, epsilon, delta, ratio, verdict, reason, owner_id, backup_id \
         FROM reconciliation_metric WHERE job_run_id = $1 ORDER BY place, metric_id LIMIT $2";
    Ok(on!(view, c => query_as(SQL).bind(run).bind(most).fetch_all(c).await)?)
}

/// Reads the newest weeks of a series that have ended, the oldest first, with their protected metrics.
pub async fn past(view: &mut View, series: &str, most: usize) -> Result<Vec<PastWeek>, StoreError> {
    const METRICS: &str = "SELECT metric_id, delta, partner FROM reconciliation_metric WHERE job_run_id = $1 AND protected = TRUE \
         ORDER BY metric_id";
    let sql = format!(
        "SELECT w.job_run_id, w.status, i.incident_id IS NOT NULL AS was_incident FROM reconciliation_window w \
         LEFT JOIN reconciliation_incident i ON i.second_run_id = w.job_run_id \
         WHERE w.series_id = $1 AND w.run_kind = 'scheduled' AND w.{ENDED} ORDER BY w.scheduled_at DESC, w.job_run_id DESC LIMIT $2"
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let found: Vec<(String, RunStatus, bool)> =
        on!(view, c => query_as(AssertSqlSafe(sql)).bind(series).bind(most).fetch_all(c).await)?;
    let mut weeks = Vec::with_capacity(found.len());
    for (job_run_id, status, was_incident) in found.into_iter().rev() {
        let seen: Vec<(String, Option<String>, Option<String>)> =
            on!(view, c => query_as(METRICS).bind(&job_run_id).fetch_all(c).await)?;
        let protected = seen.into_iter().map(|(metric_id, delta, partner)| Seen {
            metric_id,
            delta,
            partner,
        });
        weeks.push(PastWeek {
            protected: protected.collect(),
            job_run_id,
            status,
            was_incident,
        });
    }
    Ok(weeks)
}

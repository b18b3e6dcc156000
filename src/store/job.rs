//! When each job of the agent ran last, and what became of it: bookkeeping, so that nothing runs twice or is forgotten.

use sqlx::FromRow;

use super::view::{on, query, query_as};
use super::{Store, StoreError, View};
use crate::clock::Moment;
use crate::rules::words;

words! {
    /// What became of a job.
    pub enum JobOutcome {
        /// It is being done, or was when whoever did it died.
        Running = "running",
        /// It was done, and found everything well.
        Done = "done",
        /// It was done and something is not well, or there was nothing to do.
        No = "no",
        /// It could not be done.
        Failed = "failed",
        /// It took too long.
        TimedOut = "timed_out",
    }
}

/// A job as it was done last.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct JobRun {
    /// Its name.
    pub job: String,
    /// Under which lease.
    pub fence: i64,
    /// When it began, by the database's own clock.
    pub started_at_utc: Moment,
    /// When it ended.
    pub ended_at_utc: Option<Moment>,
    /// What became of it.
    pub outcome: JobOutcome,
    /// What there is to say.
    pub detail: String,
}

/// Lists the jobs that were ever done.
pub async fn all(view: &mut View) -> Result<Vec<JobRun>, StoreError> {
    const SQL: &str = "SELECT job, fence, started_at_utc, ended_at_utc, outcome, detail FROM agent_job ORDER BY job";
    Ok(on!(view, c => query_as(SQL).fetch_all(c).await)?)
}

/// Writes down that a job begins.
pub async fn begin(store: &Store, job: &str, fence: i64) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO agent_job (job, fence, started_at_utc, ended_at_utc, outcome, detail) VALUES ($1, $2, $3, NULL, 'running', '') \
         ON CONFLICT (job) DO UPDATE SET fence = excluded.fence, started_at_utc = excluded.started_at_utc, ended_at_utc = NULL, outcome = 'running', detail = ''";
    let mut view = store.view_for_writing("SELECT 1").await?;
    let now = view.server_now();
    on!(view, c => query(SQL).bind(job).bind(fence).bind(now).execute(c).await.map(drop))?;
    view.commit().await
}

/// Writes down how a job ended that began under a lease.
pub async fn end(
    store: &Store,
    job: &str,
    fence: i64,
    outcome: JobOutcome,
    detail: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE agent_job SET ended_at_utc = $1, outcome = $2, detail = $3 WHERE job = $4 AND fence = $5 AND outcome = 'running'";
    let mut view = store.view_for_writing("SELECT 1").await?;
    let now = view.server_now();
    on!(view, c => {
        query(SQL).bind(now).bind(outcome).bind(detail).bind(job).bind(fence).execute(c).await.map(drop)
    })?;
    view.commit().await
}

//! What the database knows of a cert week, and of how fast its blocks were answered.

use sqlx::FromRow;

use super::view::{on, query_as};
use super::{StoreError, View};
use crate::clock::Moment;
use crate::rules::block::{Answered, BlockReason};
use crate::rules::cadence::Week;

#[derive(FromRow)]
struct Counted {
    passed: i64,
    pending: i64,
    open_blocks: i64,
    windows_ended: i64,
    windows_passed: i64,
}

/// Counts the runs since a week began, drills left out.
pub async fn week(view: &mut View, since: Moment) -> Result<Week, StoreError> {
    const SQL: &str = "SELECT \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM publish_replay_audit WHERE status = 'gate_passed' AND drill = FALSE AND created_at_utc >= $1) AS passed, \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM publish_snapshots WHERE status = 'pending_gate' AND drill = FALSE) AS pending, \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM publish_replay_audit WHERE status = 'blocked' AND drill = FALSE) AS open_blocks, \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM reconciliation_window WHERE run_kind = 'scheduled' AND scheduled_at >= $1 \
         AND status NOT IN ('SCHEDULED', 'RUNNING')) AS windows_ended, \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM reconciliation_window WHERE run_kind = 'scheduled' AND scheduled_at >= $1 \
         AND status = 'PASS') AS windows_passed";
    let Counted {
        passed,
        pending,
        open_blocks,
        windows_ended,
        windows_passed,
    } = on!(view, c => query_as(SQL).bind(since).fetch_one(c).await)?;
    Ok(Week {
        rehearsed: None,
        passed,
        pending,
        open_blocks,
        windows_ended,
        windows_passed,
    })
}

#[derive(FromRow)]
struct Times {
    block_reason: BlockReason,
    created_at_utc: Moment,
    respond_by_utc: Moment,
    taken_at_utc: Option<Moment>,
}

impl From<Times> for Answered {
    fn from(times: Times) -> Self {
        Self {
            reason: times.block_reason,
            blocked_at: times.created_at_utc,
            respond_by: times.respond_by_utc,
            taken_at: times.taken_at_utc,
        }
    }
}

/// Reads when the blocks since a moment came and were answered, drills left out.
pub async fn answered(view: &mut View, since: Moment) -> Result<Vec<Answered>, StoreError> {
    const SQL: &str = "SELECT block_reason, created_at_utc, respond_by_utc, taken_at_utc FROM publish_replay_audit \
         WHERE block_reason IS NOT NULL AND drill = FALSE AND created_at_utc >= $1 ORDER BY created_at_utc, publish_run_id";
    let found: Vec<Times> = on!(view, c => query_as(SQL).bind(since).fetch_all(c).await)?;
    Ok(found.into_iter().map(Answered::from).collect())
}

/// The newest blocks, and from when on they are all that there are.
#[derive(Debug)]
pub struct Newest {
    /// No block since then is left out.
    pub since: Moment,
    /// When they came and were answered, newest first, drills left out.
    pub answered: Vec<Answered>,
}

#[derive(FromRow)]
struct TimesOrDrill {
    #[sqlx(flatten)]
    times: Times,
    drill: bool,
}

/// Reads the same of the newest blocks alone: however many there are, at most so many rows, drills among them.
pub async fn newest_answered(
    view: &mut View,
    since: Moment,
    most: u16,
) -> Result<Newest, StoreError> {
    const SQL: &str = "SELECT block_reason, created_at_utc, respond_by_utc, taken_at_utc, drill FROM publish_replay_audit \
         WHERE block_reason IS NOT NULL AND created_at_utc >= $1 ORDER BY created_at_utc DESC, publish_run_id DESC LIMIT $2";
    let found: Vec<TimesOrDrill> =
        on!(view, c => query_as(SQL).bind(since).bind(i64::from(most)).fetch_all(c).await)?;
    let oldest = found.last().filter(|_| found.len() >= usize::from(most));
    Ok(Newest {
        since: oldest.map_or(since, |oldest| oldest.times.created_at_utc),
        answered: found
            .into_iter()
            .filter(|found| !found.drill)
            .map(|found| found.times.into())
            .collect(),
    })
}

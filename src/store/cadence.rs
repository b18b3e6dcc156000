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
}

/// Counts the runs since a week began, drills left out.
pub async fn week(view: &mut View, since: Moment) -> Result<Week, StoreError> {
    const SQL: &str = "SELECT \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM publish_replay_audit WHERE status = 'gate_passed' AND drill = FALSE AND created_at_utc >= $1) AS passed, \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM publish_snapshots WHERE status = 'pending_gate' AND drill = FALSE) AS pending, \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM publish_replay_audit WHERE status = 'blocked' AND drill = FALSE) AS open_blocks";
    let Counted {
        passed,
        pending,
        open_blocks,
    } = on!(view, c => query_as(SQL).bind(since).fetch_one(c).await)?;
    Ok(Week {
        rehearsed: None,
        passed,
        pending,
        open_blocks,
    })
}

#[derive(FromRow)]
struct Times {
    block_reason: BlockReason,
    created_at_utc: Moment,
    respond_by_utc: Moment,
    taken_at_utc: Option<Moment>,
}

/// Reads when the blocks since a moment came and were answered, drills left out.
pub async fn answered(view: &mut View, since: Moment) -> Result<Vec<Answered>, StoreError> {
    const SQL: &str = "SELECT block_reason, created_at_utc, respond_by_utc, taken_at_utc FROM publish_replay_audit \
         WHERE block_reason IS NOT NULL AND drill = FALSE AND created_at_utc >= $1 ORDER BY created_at_utc, publish_run_id";
    let found: Vec<Times> = on!(view, c => query_as(SQL).bind(since).fetch_all(c).await)?;
    let answered = |times: Times| Answered {
        reason: times.block_reason,
        blocked_at: times.created_at_utc,
        respond_by: times.respond_by_utc,
        taken_at: times.taken_at_utc,
    };
    Ok(found.into_iter().map(answered).collect())
}

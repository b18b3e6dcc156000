//! What was marked about first responses to blocks, and what is watched for the next mark.

use sqlx::FromRow;

use super::tables::governed;
use super::view::{all_where, on, query_as};
use super::{StoreError, View};
use crate::clock::Moment;
use crate::rules::block::{BlockReason, SlaMark, Watched};

governed! {
    /// A mark about the first response to a block; it is made once, and stays.
    pub struct BlockMark in "block_sla_mark" keyed by (publish_run_id, mark, mark_no) {
        /// The blocked run.
        pub publish_run_id: String,
        /// What was marked.
        pub mark: SlaMark,
        /// The how manieth of its kind.
        pub mark_no: i64,
        /// The moment it is counted from.
        pub since_utc: Moment,
        /// From when on it was due.
        pub due_at_utc: Moment,
        /// When it was marked.
        pub marked_at_utc: Moment,
        /// Who was told.
        pub paged_id: Option<String>,
        /// Whether it belongs to a drill.
        pub drill: bool,
        /// The row's version.
        pub version: i64,
    }
}

/// An open block as the agent watches it.
#[derive(Debug, Clone, FromRow)]
pub struct Open {
    /// The blocked run.
    pub publish_run_id: String,
    created_at_utc: Moment,
    respond_by_utc: Moment,
    sla_first_response_minutes: i64,
    taken_at_utc: Option<Moment>,
    progress_at_utc: Option<Moment>,
    is_warned: bool,
    is_breached: bool,
    stale_since_utc: Option<Moment>,
}

impl Open {
    /// Returns its times for the rules.
    #[must_use]
    pub fn watched(&self) -> Watched {
        Watched {
            blocked_at: self.created_at_utc,
            respond_by: self.respond_by_utc,
            minutes: self.sla_first_response_minutes,
            taken_at: self.taken_at_utc,
            progress_at: self.progress_at_utc,
            is_warned: self.is_warned,
            is_breached: self.is_breached,
            stale_since: self.stale_since_utc,
        }
    }
}

/// How an open block is read, with what was marked about it.
const OPEN: &str = "SELECT a.publish_run_id, a.created_at_utc, a.respond_by_utc, a.sla_first_response_minutes, a.taken_at_utc, a.progress_at_utc, \
     EXISTS (SELECT 1 FROM block_sla_mark m WHERE m.publish_run_id = a.publish_run_id AND m.mark = 'soon') AS is_warned, \
     EXISTS (SELECT 1 FROM block_sla_mark m WHERE m.publish_run_id = a.publish_run_id AND m.mark = 'breach') AS is_breached, \
     (SELECT MAX(m.since_utc) FROM block_sla_mark m WHERE m.publish_run_id = a.publish_run_id AND m.mark = 'stale') AS stale_since_utc \
     FROM publish_replay_audit a WHERE a.status = 'blocked' AND a.respond_by_utc IS NOT NULL AND a.sla_first_response_minutes IS NOT NULL";

/// Lists the open blocks, drills among them: practice is watched like the real thing.
pub async fn open(view: &mut View, most: i64) -> Result<Vec<Open>, StoreError> {
    let sql = format!("{OPEN} ORDER BY a.publish_run_id LIMIT $1");
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(most).fetch_all(c).await)?)
}

/// Finds an open block.
pub async fn find(view: &mut View, run: &str) -> Result<Option<Open>, StoreError> {
    let sql = format!("{OPEN} AND a.publish_run_id = $1");
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(run).fetch_optional(c).await)?)
}

/// Lists what was marked about a block, in the order in which it was.
pub async fn marks(view: &mut View, run: &str) -> Result<Vec<BlockMark>, StoreError> {
    Ok(all_where!(
        view,
        BlockMark,
        "publish_run_id = $1 ORDER BY marked_at_utc, mark, mark_no",
        run
    ))
}

/// A block of a drill: whose it was, who answered, and what was marked meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct Drilled {
    /// The run.
    pub publish_run_id: String,
    /// Why it was stopped.
    pub block_reason: BlockReason,
    /// Its owner.
    pub owner_user_id: Option<String>,
    /// Their backup.
    pub backup_owner_user_id: Option<String>,
    /// When it was stopped.
    pub created_at_utc: Moment,
    /// Until when a first response is in time.
    pub respond_by_utc: Option<Moment>,
    /// Who answered.
    pub taken_by: Option<String>,
    /// When.
    pub taken_at_utc: Option<Moment>,
    /// When half time was marked.
    pub warned_at_utc: Option<Moment>,
    /// When the breach was marked.
    pub breached_at_utc: Option<Moment>,
}

/// Lists the blocks of drills since a moment, the newest first.
pub async fn drilled(
    view: &mut View,
    since: Moment,
    most: i64,
) -> Result<Vec<Drilled>, StoreError> {
    const SQL: &str = "SELECT a.publish_run_id, a.block_reason, a.owner_user_id, a.backup_owner_user_id, a.created_at_utc, a.respond_by_utc, \
         a.taken_by, a.taken_at_utc, \
         (SELECT MIN(m.marked_at_utc) FROM block_sla_mark m WHERE m.publish_run_id = a.publish_run_id AND m.mark = 'soon') AS warned_at_utc, \
         (SELECT MIN(m.marked_at_utc) FROM block_sla_mark m WHERE m.publish_run_id = a.publish_run_id AND m.mark = 'breach') AS breached_at_utc \
         FROM publish_replay_audit a WHERE a.drill = TRUE AND a.block_reason IS NOT NULL AND a.created_at_utc >= $1 \
         ORDER BY a.created_at_utc DESC, a.publish_run_id LIMIT $2";
    Ok(on!(view, c => query_as(SQL).bind(since).bind(most).fetch_all(c).await)?)
}

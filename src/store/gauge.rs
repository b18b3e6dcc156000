//! What is counted for whoever measures a deployment; drills left out.

use sqlx::FromRow;

use super::view::{on, query_as, query_scalar};
use super::{StoreError, View};
use crate::clock::Moment;
use crate::rules::block::BlockReason;

/// How many of something stand somewhere.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Count {
    /// Where.
    pub state: String,
    /// How many.
    pub amount: i64,
}

/// Counts the open blocks by their reason; reasons without any are not listed.
pub async fn open_blocks(view: &mut View) -> Result<Vec<(BlockReason, i64)>, StoreError> {
    const SQL: &str = "SELECT block_reason, CAST(COUNT(*) AS BIGINT) FROM publish_replay_audit WHERE status = 'blocked' AND drill = FALSE \
         GROUP BY block_reason ORDER BY block_reason";
    Ok(on!(view, c => query_as(SQL).fetch_all(c).await)?)
}

/// Tells until when the first block that nobody has answered is to be answered.
pub async fn next_breach(view: &mut View) -> Result<Option<Moment>, StoreError> {
    const SQL: &str = "SELECT MIN(respond_by_utc) FROM publish_replay_audit WHERE status = 'blocked' AND drill = FALSE AND taken_by IS NULL";
    Ok(on!(view, c => query_scalar(SQL).fetch_one(c).await)?)
}

/// Counts the runs of the publish gate that wait, and the windows of weekly reconciliation by where they stand.
pub async fn runs(view: &mut View) -> Result<(i64, Vec<Count>), StoreError> {
    const PENDING: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM publish_snapshots WHERE status = 'pending_gate' AND drill = FALSE";
    const WINDOWS: &str = "SELECT status AS state, CAST(COUNT(*) AS BIGINT) AS amount FROM reconciliation_window WHERE run_kind = 'scheduled' \
         GROUP BY status ORDER BY status";
    let pending = on!(view, c => query_scalar(PENDING).fetch_one(c).await)?;
    Ok((
        pending,
        on!(view, c => query_as(WINDOWS).fetch_all(c).await)?,
    ))
}

//! Leaves of minted runs: a feed, one row a side, from which a drift is explained.

use super::publish::Snapshot;
use super::tables::GovernedRow;
use super::view::{on, query, query_as, query_scalar};
use super::{Store, StoreError, View, artifact, ledger};
use crate::canon::{Digest, Leaves};
use crate::clock::Moment;
use crate::rules::drift::{Drift, FiledLeaves, Side};

/// How many minutes the leaves of a run that passed are kept.
const KEPT_MINUTES: i64 = 7 * 24 * 60;

/// The leaves of one side, about to be filed with their run.
#[derive(Debug)]
pub struct NewLeaves {
    side: Side,
    rows: i64,
    sha256: Option<Digest>,
    bytes: Option<Vec<u8>>,
}

impl NewLeaves {
    /// Hashes the leaves of a side.
    #[must_use]
    pub fn new(side: Side, leaves: Leaves) -> Self {
        Self {
            side,
            rows: i64::try_from(leaves.rows).unwrap_or(i64::MAX),
            sha256: leaves.bytes.as_deref().map(Digest::of),
            bytes: leaves.bytes,
        }
    }

    /// Returns their digest; none where they are too large to keep.
    #[must_use]
    pub fn sha256(&self) -> Option<Digest> {
        self.sha256
    }

    /// Returns how many rows the side has.
    #[must_use]
    pub fn rows(&self) -> i64 {
        self.rows
    }
}

/// Whether a run could be minted under its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Minted {
    /// It waits for the gate now.
    Pending,
    /// There is a run of that id already, and it was left alone.
    ThereAlready,
}

/// Mints a run with its leaves in one transaction, as a plain write of the feed; it waits for the gate.
pub async fn mint(
    store: &Store,
    run: &Snapshot,
    leaves: &[NewLeaves],
) -> Result<Minted, StoreError> {
    const THERE: &str =
        "SELECT CAST(COUNT(*) AS BIGINT) FROM publish_snapshots WHERE publish_run_id = $1";
    const SQL: &str = "INSERT INTO publish_leaf (publish_run_id, side, row_count, sha256, bytes, minted_at_utc, keep_until_utc) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    // Feeds are not in the ledger, so nothing queues up for its head.
    let mut view = store.view_for_writing("SELECT 1").await?;
    let there: i64 =
        on!(view, c => query_scalar(THERE).bind(&run.publish_run_id).fetch_one(c).await)?;
    if there > 0 {
        return Ok(Minted::ThereAlready);
    }
    run.write(&mut view).await?;
    let minted = run.created_at_utc;
    for side in leaves {
        on!(view, c => query(SQL)
            .bind(&run.publish_run_id).bind(side.side.word()).bind(side.rows).bind(side.sha256).bind(&side.bytes)
            .bind(minted).bind(minted.plus_minutes(KEPT_MINUTES))
            .execute(c).await.map(drop))?;
    }
    view.commit().await?;
    Ok(Minted::Pending)
}

/// Reads the leaves of a side; none where nobody filed any.
pub async fn filed(
    view: &mut View,
    run: &str,
    side: Side,
) -> Result<Option<FiledLeaves>, StoreError> {
    const SQL: &str = "SELECT bytes FROM publish_leaf WHERE publish_run_id = $1 AND side = $2";
    let Some(head) = head(view, run, side).await? else {
        return Ok(None);
    };
    let bytes: Option<Option<Vec<u8>>> =
        on!(view, c => query_scalar(SQL).bind(run).bind(side.word()).fetch_optional(c).await)?;
    let bytes = bytes.flatten();
    Ok(Some(FiledLeaves { bytes, ..head }))
}

/// Reads everything about the leaves of a side but the leaves.
pub async fn head(
    view: &mut View,
    run: &str,
    side: Side,
) -> Result<Option<FiledLeaves>, StoreError> {
    const SQL: &str =
        "SELECT row_count, sha256 FROM publish_leaf WHERE publish_run_id = $1 AND side = $2";
    let found: Option<(i64, Option<Digest>)> =
        on!(view, c => query_as(SQL).bind(run).bind(side.word()).fetch_optional(c).await)?;
    Ok(found.map(|(rows, sha256)| FiledLeaves {
        rows,
        sha256,
        bytes: None,
    }))
}

/// Drops up to `most` sides of runs that passed, seven days after they were minted; that they were there stays known.
///
/// The ledger's newest entry tells the time too, since the walls compare with it: while nothing is written, nothing is
/// dropped.
pub async fn drop_old_leaves(store: &Store, most: u16) -> Result<u64, StoreError> {
    let due = |what: &str| {
        format!(
            "SELECT {what} FROM publish_leaf l JOIN publish_snapshots s ON s.publish_run_id = l.publish_run_id \
             WHERE l.bytes IS NOT NULL AND l.keep_until_utc <= $1 AND s.status = 'gate_passed' \
             ORDER BY l.keep_until_utc, l.publish_run_id, l.side LIMIT"
        )
    };
    let first = format!("{} 1", due("l.side"));
    let drop_them = format!(
        "UPDATE publish_leaf SET bytes = NULL WHERE bytes IS NOT NULL AND (publish_run_id, side) IN ({} $2)",
        due("l.publish_run_id, l.side")
    );
    let mut view = store.view_for_writing("SELECT 1").await?;
    let Some(newest) = ledger::head(&mut view).await?.at_utc else {
        return Ok(0);
    };
    let until: Moment = newest.min(view.now());
    // A write wakes everybody who looks, also one that hits no row.
    let found: Option<String> = on!(view, c => {
        query_scalar(sqlx::AssertSqlSafe(first)).bind(until).fetch_optional(c).await
    })?;
    if found.is_none() {
        return Ok(0);
    }
    let dropped = on!(view, c => {
        query(sqlx::AssertSqlSafe(drop_them)).bind(until).bind(i64::from(most)).execute(c).await
            .map(|done| done.rows_affected())
    })?;
    view.commit().await?;
    Ok(dropped)
}

/// The explanation of a drift as it was filed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiledDrift {
    /// The artefact's name.
    pub sha256: Digest,
    /// What it says, or why it cannot be read.
    pub drift: Result<Drift, String>,
}

/// Reads the explanation that was filed with the decision about a run; none where there was nothing to explain.
pub async fn drift(view: &mut View, run: &str) -> Result<Option<FiledDrift>, StoreError> {
    const SQL: &str = "SELECT e.sha256 FROM ledger_change c JOIN ledger_artifact e ON e.seq = c.seq \
         WHERE c.table_name = 'publish_replay_audit' AND c.row_key = $1 AND c.version = 1 AND e.role = $2 ORDER BY e.sha256 LIMIT 1";
    let found: Option<Digest> =
        on!(view, c => query_scalar(SQL).bind(run).bind(artifact::DRIFT).fetch_optional(c).await)?;
    let Some(sha256) = found else {
        return Ok(None);
    };
    let drift = match artifact::bytes(view, sha256).await {
        Ok(Some(bytes)) => serde_json::from_slice(&bytes)
            .map_err(|_| "the explanation is of another form than this program knows".to_owned()),
        Ok(None) => Err("the explanation is gone; verify the ledger".to_owned()),
        Err(error) if error.kind == super::Failure::Unusable => Err(error.sentence),
        Err(error) => return Err(error),
    };
    Ok(Some(FiledDrift { sha256, drift }))
}

//! The lease of whoever works unattended: one row, a number that only grows, and a heart that beats.
//!
//! Times are those of the database's own clock, also in a demo, whose bent time would end a lease at once. A store that
//! was [fenced](Store::fenced) asks for the number inside every write: who lost the lease writes nothing any more.

use sqlx::FromRow;

use super::view::{Session, on, query, query_as, query_scalar};
use super::{Failure, Store, StoreError, View};
use crate::clock::Moment;
use crate::rules::lease::{TERM, is_free};

/// The lease as it stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct Lease {
    /// Its number.
    pub fence: i64,
    /// Who has it, by an id that nobody else knows before.
    pub holder: String,
    /// On which machine.
    pub host: String,
    /// Since when.
    pub taken_at_utc: Moment,
    /// When its heart beat last.
    pub beat_at_utc: Moment,
    /// Until when nobody else takes it.
    pub until_utc: Moment,
    /// The newest entry whose messages were sent on their ways.
    pub routed_seq: i64,
}

impl Lease {
    /// Tells whether somebody has it at a moment of the database's own clock.
    #[must_use]
    pub fn is_held(&self, server_now: Moment) -> bool {
        !is_free(self.until_utc, server_now)
    }
}

/// What became of somebody's wish for the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// They have it, under this number.
    Granted(i64),
    /// Somebody else has it.
    Held(Lease),
}

const COLUMNS: &str =
    "fence, holder, host, taken_at_utc, beat_at_utc, until_utc, routed_seq FROM agent_lease";

/// Reads the lease; none before the first was taken.
pub async fn find(view: &mut View) -> Result<Option<Lease>, StoreError> {
    let sql = format!("SELECT {COLUMNS}");
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).fetch_optional(c).await)?)
}

/// Takes the lease if nobody has it; the number of whoever had it before is refused from then on.
pub async fn take(store: &Store, holder: &str, host: &str) -> Result<Wish, StoreError> {
    const FIRST: &str = "INSERT INTO agent_lease (slot, fence, holder, host, taken_at_utc, beat_at_utc, until_utc, routed_seq) \
         VALUES ('agent', $1, $2, $3, $4, $4, $5, 0) ON CONFLICT (slot) DO NOTHING";
    const NEXT: &str = "UPDATE agent_lease SET fence = $1, holder = $2, host = $3, taken_at_utc = $4, beat_at_utc = $4, until_utc = $5 \
         WHERE fence = $1 - 1";
    let mut view = store.view_for_writing("SELECT 1").await?;
    let now = view.server_now();
    let found = find(&mut view).await?;
    let (sql, fence) = match found {
        None => (FIRST, 1),
        Some(lease) if lease.is_held(now) => return Ok(Wish::Held(lease)),
        Some(lease) => (NEXT, lease.fence + 1),
    };
    let hit = on!(view, c => {
        query(sql).bind(fence).bind(holder).bind(host).bind(now).bind(now.plus(TERM)).execute(c).await
            .map(|done| done.rows_affected())
    })?;
    view.commit().await?;
    match (hit, find(&mut store.view().await?).await?) {
        (0, Some(lease)) => Ok(Wish::Held(lease)),
        _ => Ok(Wish::Granted(fence)),
    }
}

/// Keeps the lease for another term; tells whether it was still theirs.
pub async fn beat(store: &Store, fence: i64) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE agent_lease SET beat_at_utc = $2, until_utc = $3 WHERE fence = $1";
    let mut view = store.view_for_writing("SELECT 1").await?;
    let now = view.server_now();
    let hit = on!(view, c => {
        query(SQL).bind(fence).bind(now).bind(now.plus(TERM)).execute(c).await.map(|done| done.rows_affected())
    })?;
    view.commit().await?;
    Ok(hit == 1)
}

/// Gives the lease up, so that the next one need not wait for its end.
pub async fn give_up(store: &Store, fence: i64) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE agent_lease SET beat_at_utc = $2, until_utc = $2 WHERE fence = $1 AND until_utc > $2";
    let mut view = store.view_for_writing("SELECT 1").await?;
    let now = view.server_now();
    on!(view, c => query(SQL).bind(fence).bind(now).execute(c).await.map(drop))?;
    view.commit().await
}

impl Store {
    /// Returns the same store for whoever has the lease under this number: it writes only while that is the newest.
    #[must_use]
    pub fn fenced(&self, fence: i64) -> Self {
        Self {
            fence: Some(fence),
            ..self.clone()
        }
    }
}

/// Refuses a write under a lease that is another's by now; until the write ends, nobody else takes it.
pub(in crate::store) async fn refuse_if_lost(
    view: &mut View,
    fence: i64,
) -> Result<(), StoreError> {
    const SQLITE: &str = "SELECT fence FROM agent_lease";
    const POSTGRES: &str = "SELECT fence FROM agent_lease FOR SHARE";
    let newest: Option<i64> = match &mut view.session {
        // There whoever writes is alone anyway.
        Session::Sqlite(t) => query_scalar(SQLITE).fetch_optional(&mut **t).await?,
        Session::Postgres(t) => query_scalar(POSTGRES).fetch_optional(&mut **t).await?,
    };
    if newest == Some(fence) {
        return Ok(());
    }
    Err(StoreError::new(
        Failure::Fenced,
        "another agent leads by now, and this one writes nothing any more",
        "nothing is to be done: it waits for its turn",
    ))
}

//! The clock of a demo: what the database's time is taken for, and which story is told.
//!
//! One clock counts everywhere, the database's. A demo's database says how fast it runs, so that every process that
//! looks at it sees the same time. A deployment that is no demo cannot have a row here, and would not heed one; the fork
//! of a demo goes on by the clock that came along.

use sqlx::FromRow;

use super::view::{on, query, query_as, query_scalar};
use super::{Store, StoreError, View};
use crate::clock::Moment;
use crate::rules::time;

/// What a demo's clock shows: `anchor_demo_utc` at `anchor_real_utc`, and since then `rate` times the time that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct DemoClock {
    anchor_real_utc: Moment,
    anchor_demo_utc: Moment,
    rate: i64,
    seed: i64,
}

impl DemoClock {
    /// Returns what the clock shows at a moment of the real time.
    pub fn shows(&self, real: Moment) -> Result<Moment, StoreError> {
        time::bent(self.anchor_real_utc, self.anchor_demo_utc, self.rate, real).ok_or_else(unusable)
    }

    /// Returns how many seconds of the demo a real second has; 0 while it stands still.
    pub fn rate(&self) -> Result<u32, StoreError> {
        u32::try_from(self.rate).map_err(|_| unusable())
    }

    /// Returns the number that the story is told by.
    pub fn seed(&self) -> Result<u32, StoreError> {
        u32::try_from(self.seed).map_err(|_| unusable())
    }
}

fn unusable() -> StoreError {
    StoreError::unusable(
        "the demo's clock shows no time that can be written",
        "begin another demo: govdeck demo",
    )
}

/// Reads the clock of a demo or its fork; none where none was set, and always none in a deployment that is neither.
pub async fn find(view: &mut View) -> Result<Option<DemoClock>, StoreError> {
    const SQL: &str = "SELECT c.anchor_real_utc, c.anchor_demo_utc, c.rate, c.seed FROM demo_clock c \
         WHERE (SELECT environment FROM deployment) IN ('demo', 'rehearsal')";
    Ok(on!(view, c => query_as(SQL).fetch_optional(c).await)?)
}

/// Sets the clock of a demo: it shows `demo` now, and goes on at `rate`. The walls refuse it anywhere else.
pub async fn set(store: &Store, demo: Moment, rate: u32, seed: u32) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO demo_clock (slot, anchor_real_utc, anchor_demo_utc, rate, seed) \
         VALUES ('demo', $1, $2, $3, $4) ON CONFLICT (slot) DO UPDATE SET anchor_real_utc = excluded.anchor_real_utc, \
         anchor_demo_utc = excluded.anchor_demo_utc, rate = excluded.rate, seed = excluded.seed";
    let mut view = store.view_for_writing("SELECT 1").await?;
    let real = view.server_now();
    on!(view, c => query(SQL)
        .bind(real).bind(demo).bind(i64::from(rate)).bind(i64::from(seed))
        .execute(c).await.map(drop))?;
    view.commit().await
}

/// Tells whether a clock stands in a deployment that is no demo; only with the walls down can it have come there.
pub(in crate::store) async fn is_misplaced(view: &mut View) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM demo_clock \
         WHERE (SELECT environment FROM deployment) IS DISTINCT FROM 'demo'";
    let count: i64 = on!(view, c => query_scalar(SQL).fetch_one(c).await)?;
    Ok(count > 0)
}

//! Drops the leaves of runs that passed more than seven days ago: nobody will ask what differed.

use serde::Serialize;

use crate::store::{Store, StoreError, leaf};

/// How many sides one transaction drops; each may hold 64 MB.
const AT_ONCE: u16 = 100;

/// What was dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// How many sides of runs.
    pub dropped: u64,
}

/// Drops all that is due, some at a time.
pub async fn run(store: &Store) -> Result<Dropped, StoreError> {
    let mut all = Dropped::default();
    loop {
        let dropped = leaf::drop_old_leaves(store, AT_ONCE).await?;
        all.dropped += dropped;
        if dropped < u64::from(AT_ONCE) {
            return Ok(all);
        }
    }
}

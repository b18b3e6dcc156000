//! Which consoles are armed, by whom and until when; shown to everybody.
//!
//! Arming and disarming are ledger entries. The row beside them is a feed: it expires by itself.

use sqlx::FromRow;

use super::ledger::Entry;
use super::view::{on, query, query_as};
use super::{StoreError, View};
use crate::clock::Moment;

/// An armed console.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct Armed {
    /// The console's id.
    pub console_id: String,
    /// Who armed it.
    pub person_id: String,
    /// Under which login.
    pub login: String,
    /// Until when it is armed.
    pub armed_until_utc: Moment,
}

/// Lists the consoles that are armed now.
pub async fn armed(view: &mut View) -> Result<Vec<Armed>, StoreError> {
    const SQL: &str = "SELECT console_id, person_id, login, armed_until_utc FROM presence \
         WHERE armed_until_utc > $1 ORDER BY person_id, console_id";
    let now = view.now();
    Ok(on!(view, c => query_as(SQL).bind(now).fetch_all(c).await)?)
}

/// Tells who has a console armed now, if anybody has.
pub async fn find(view: &mut View, console: &str) -> Result<Option<Armed>, StoreError> {
    const SQL: &str = "SELECT console_id, person_id, login, armed_until_utc FROM presence \
         WHERE armed_until_utc > $1 AND console_id = $2";
    let now = view.now();
    Ok(on!(view, c => query_as(SQL).bind(now).bind(console).fetch_optional(c).await)?)
}

/// What an entry makes of a console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arming {
    /// The console's id.
    pub console_id: String,
    /// Who sits there.
    pub person_id: String,
    /// Until when it is armed; none disarms it.
    pub armed_until_utc: Option<Moment>,
}

impl Arming {
    pub(in crate::store) async fn write(
        &self,
        view: &mut View,
        entry: &Entry,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO presence (console_id, person_id, login, armed_until_utc, seen_at_utc) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (console_id) DO UPDATE SET person_id = excluded.person_id, \
             login = excluded.login, armed_until_utc = excluded.armed_until_utc, seen_at_utc = excluded.seen_at_utc";
        on!(view, c => query(SQL)
            .bind(&self.console_id).bind(&self.person_id).bind(&entry.login).bind(self.armed_until_utc).bind(entry.at_utc)
            .execute(c).await.map(drop))?;
        Ok(())
    }
}

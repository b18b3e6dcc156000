//! Which consoles are armed, by whom and until when, and who is connected; shown to everybody.
//!
//! Arming and disarming are ledger entries. The row beside them is a feed: it expires by itself. Who is connected is
//! nobody's row: the server knows.

use sqlx::FromRow;

use super::ledger::Entry;
use super::view::{Session, on, query, query_as, query_scalar};
use super::{StoreError, View};
use crate::clock::Moment;

/// Under which name a server knows this program.
pub(super) const APPLICATION: &str = "govdeck";

/// How many logins are told of.
const MOST: usize = 200;

/// Lists the logins under which this program is connected to the same database now; none where no server knows.
///
/// Through a pooler these are the pooler's own connections, whoever is behind them.
pub async fn connected(view: &mut View) -> Result<Option<Vec<String>>, StoreError> {
    const SQL: &str = "SELECT DISTINCT CAST(usename AS TEXT) AS login FROM pg_stat_activity \
         WHERE datname = current_database() AND usename IS NOT NULL AND application_name = $1";
    let Session::Postgres(transaction) = &mut view.session else {
        return Ok(None);
    };
    let mut logins: Vec<String> = query_scalar(SQL)
        .bind(APPLICATION)
        .fetch_all(&mut **transaction)
        .await?;
    logins.sort_unstable();
    logins.truncate(MOST);
    Ok(Some(logins))
}

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

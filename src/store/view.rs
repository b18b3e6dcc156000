//! A consistent view of the database: one short read-only transaction on either side.

use sqlx::database::HasStatementCache;
use sqlx::postgres::{PgConnection, Postgres};
use sqlx::query::{Query, QueryAs, QueryScalar};
use sqlx::sqlite::Sqlite;
use sqlx::{AssertSqlSafe, Database, FromRow, Row, SqlSafeStr, Transaction};

use super::seat::Seat;
use super::{Access, Failure, LOCK_PATIENCE, Pool, Store, StoreError, demo_clock, lease};
use crate::clock::Moment;

/// Runs one sqlx expression on whichever database a view stands on; `$c` names the connection.
macro_rules! on {
    ($view:expr, $c:ident => $run:expr) => {
        match &mut $view.session {
            $crate::store::view::Session::Sqlite(transaction) => {
                let $c = &mut **transaction;
                $run
            }
            $crate::store::view::Session::Postgres(transaction) => {
                let $c = &mut **transaction;
                $run
            }
        }
    };
}
pub(in crate::store) use on;

/// Reads the one row of a table that a condition finds.
macro_rules! one_where {
    ($view:expr, $Row:ident, $sql:literal $(, $bind:expr)*) => {{
        let sql = format!(
            concat!("SELECT {} FROM {} WHERE ", $sql),
            $Row::COLUMNS.join(", "),
            $Row::TABLE
        );
        $crate::store::view::on!($view, c => $crate::store::view::query_as(sqlx::AssertSqlSafe(sql))$(.bind($bind))*.fetch_optional(c).await)?
    }};
}

/// Reads the rows of a table that a condition finds, in its order.
macro_rules! all_where {
    ($view:expr, $Row:ident, $sql:literal $(, $bind:expr)*) => {{
        let sql = format!(
            concat!("SELECT {} FROM {} WHERE ", $sql),
            $Row::COLUMNS.join(", "),
            $Row::TABLE
        );
        $crate::store::view::on!($view, c => $crate::store::view::query_as(sqlx::AssertSqlSafe(sql))$(.bind($bind))*.fetch_all(c).await)?
    }};
}
pub(in crate::store) use {all_where, one_where};

/// Makes a statement; a named one would not survive a pooler in transaction mode, so only SQLite keeps them.
pub(in crate::store) fn query<'q, DB: Cached>(
    sql: impl SqlSafeStr,
) -> Query<'q, DB, DB::Arguments> {
    sqlx::query(sql).persistent(DB::NAME == Sqlite::NAME)
}

/// Makes a statement whose rows become values; see [`query`].
pub(in crate::store) fn query_as<'q, DB: Cached, T>(
    sql: impl SqlSafeStr,
) -> QueryAs<'q, DB, T, DB::Arguments>
where
    T: for<'r> FromRow<'r, DB::Row>,
{
    sqlx::query_as(sql).persistent(DB::NAME == Sqlite::NAME)
}

/// Makes a statement whose rows are single values; see [`query`].
pub(in crate::store) fn query_scalar<'q, DB: Cached, T>(
    sql: impl SqlSafeStr,
) -> QueryScalar<'q, DB, T, DB::Arguments>
where
    (T,): for<'r> FromRow<'r, DB::Row>,
{
    sqlx::query_scalar(sql).persistent(DB::NAME == Sqlite::NAME)
}

/// A database whose connections can keep prepared statements.
pub(in crate::store) trait Cached: Database + HasStatementCache {}
impl<DB: Database + HasStatementCache> Cached for DB {}

/// An open transaction on one of the two databases.
#[derive(Debug)]
pub(crate) enum Session {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// One consistent look at the database, and who is looking.
#[derive(Debug)]
pub struct View {
    pub(in crate::store) session: Session,
    now: Moment,
    server_now: Moment,
    rate: u32,
    login: String,
    walls_stand: bool,
}

const SQLITE_NOW: &str = "SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z' AS now";
const POSTGRES_NOW: &str = "SELECT clock_timestamp() AS now, CAST(session_user AS TEXT) AS login, \
     current_setting('session_replication_role') = 'origin' AS walls_stand";

impl View {
    /// Returns the database's time, read once when the view was opened; in a demo, what the demo's clock shows.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Returns the time of the database's own clock, also in a demo: only to compare clocks, never to decide by.
    #[must_use]
    pub fn server_now(&self) -> Moment {
        self.server_now
    }

    /// Returns how many seconds of [`View::now`] a real second has: 1, but in a demo.
    #[must_use]
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Returns the login: `session_user` on PostgreSQL, the operating system's account on SQLite.
    ///
    /// Through a viewer's login it is that of whoever looks.
    #[must_use]
    pub fn login(&self) -> &str {
        &self.login
    }

    /// Tells whether this session's triggers fire: a replica's do not, and then no wall stands.
    #[must_use]
    pub fn walls_stand(&self) -> bool {
        self.walls_stand
    }

    /// Tells whether the view stands on PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self.session, Session::Postgres(_))
    }

    /// Tells whether the server is a standby, which knows what its primary has sent and nothing newer.
    pub async fn is_of_a_standby(&mut self) -> Result<bool, StoreError> {
        match &mut self.session {
            Session::Sqlite(_) => Ok(false),
            Session::Postgres(t) => Ok(query_scalar("SELECT pg_is_in_recovery()")
                .fetch_one(&mut **t)
                .await?),
        }
    }

    async fn over(mut session: Session, store: &Store) -> Result<Self, StoreError> {
        let account = store.account.name();
        let (now, login, walls_stand) = match &mut session {
            Session::Sqlite(t) => {
                let row = query(SQLITE_NOW).fetch_one(&mut **t).await?;
                (row.try_get("now")?, account.to_owned(), true)
            }
            Session::Postgres(t) => {
                let row = query(POSTGRES_NOW).fetch_one(&mut **t).await?;
                let login = match &store.seen_for {
                    Some(login) => login.clone(),
                    None => row.try_get("login")?,
                };
                (row.try_get("now")?, login, row.try_get("walls_stand")?)
            }
        };
        let mut view = Self {
            session,
            now,
            server_now: now,
            rate: 1,
            login,
            walls_stand,
        };
        if store.is_demo
            && let Some(clock) = demo_clock::find(&mut view).await?
        {
            (view.now, view.rate) = (clock.shows(now)?, clock.rate()?);
        }
        Ok(view)
    }

    /// Commits what was written into feeds and bookkeeping, or what `seal` wrote.
    pub(in crate::store) async fn commit(self) -> Result<(), StoreError> {
        match self.session {
            Session::Sqlite(transaction) => transaction.commit().await?,
            Session::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }
}

impl Store {
    /// Opens a consistent view; dropping it ends its transaction.
    pub async fn view(&self) -> Result<View, StoreError> {
        let session = self
            .start("BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        View::over(session, self).await
    }

    /// Opens the view that a guarded write works on: the head of the ledger is locked before the time is read.
    pub(in crate::store) async fn view_for_writing(
        &self,
        lock_head: &'static str,
    ) -> Result<View, StoreError> {
        if self.access == Access::Read {
            return Err(StoreError::new(
                Failure::Other,
                "the database is open for reading only",
                "open it for writing",
            ));
        }
        let session = self
            .start(
                "BEGIN IMMEDIATE",
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            )
            .await?;
        self.write_on(session, lock_head).await
    }

    /// Goes on in a transaction that was begun for other work in this very database.
    pub(in crate::store) async fn view_taken_over(
        &self,
        mut session: Session,
        seat: &Seat,
        lock_head: &'static str,
    ) -> Result<View, StoreError> {
        // Neither the login's own settings nor a temporary table may put another table in the place of the ledger's.
        const LOOK_THERE_FIRST: &str = "SELECT set_config('search_path', \
             concat_ws(', ', $1, NULLIF(current_setting('search_path'), ''), 'pg_temp'), TRUE)";
        if let Session::Postgres(t) = &mut session {
            limit(t).await?;
            query(LOOK_THERE_FIRST)
                .bind(seat.schema())
                .execute(&mut **t)
                .await?;
            // The constraints that wait for the end of an entry wait for it here too.
            query("SET CONSTRAINTS ALL DEFERRED")
                .execute(&mut **t)
                .await?;
        }
        self.write_on(session, lock_head).await
    }

    async fn write_on(
        &self,
        mut session: Session,
        lock_head: &'static str,
    ) -> Result<View, StoreError> {
        if let Session::Postgres(t) = &mut session {
            query(lock_head).execute(&mut **t).await?;
        }
        let mut view = View::over(session, self).await?;
        if let Some(fence) = self.fence {
            lease::refuse_if_lost(&mut view, fence).await?;
        }
        if !view.walls_stand {
            return Err(StoreError::new(
                Failure::Wall,
                "the server lets this session's triggers sleep (session_replication_role), so nothing is written",
                "set it back to origin, for the database and for the login",
            ));
        }
        Ok(view)
    }

    /// Begins a transaction in a task of its own: a begin that is dropped half-way would leak an open transaction.
    async fn start(
        &self,
        sqlite: &'static str,
        postgres: &'static str,
    ) -> Result<Session, StoreError> {
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move {
            match pool {
                Pool::Sqlite(pool) => pool.begin_with(sqlite).await.map(Session::Sqlite),
                Pool::Postgres(pool) => pool.begin_with(postgres).await.map(Session::Postgres),
            }
        });
        let mut session = match begun.await {
            Ok(session) => session?,
            Err(_) => return Err(sqlx::Error::WorkerCrashed.into()),
        };
        if let Session::Postgres(t) = &mut session {
            limit(t).await?;
        }
        Ok(session)
    }
}

async fn limit(connection: &mut PgConnection) -> Result<(), StoreError> {
    let limits = format!(
        "SET LOCAL jit = off; SET LOCAL lock_timeout = {}",
        LOCK_PATIENCE.as_millis()
    );
    sqlx::raw_sql(AssertSqlSafe(limits))
        .execute(connection)
        .await?;
    Ok(())
}

//! A connection to a target, and the one transaction in which a script runs.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgPool, PgPoolOptions, Postgres};
use sqlx::sqlite::{
    Sqlite, SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, PgConnection, Transaction};

use super::failure::Failed;
use super::script::Statement;
use super::tokens::Dialect;
use super::watch::Watch;
use crate::bundles::Progress;
use crate::settings::{Dsn, DsnKind};
use crate::store::{Failure, StoreError, postgres_options, try_once};

/// How long a script may wait and work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long a lock is waited for; whoever comes later waits no longer for the one who waits.
    pub lock: Duration,
    /// How long one statement may take.
    pub statement: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            lock: Duration::from_secs(2),
            statement: Duration::from_mins(10),
        }
    }
}

/// A database that scripts run on.
#[derive(Debug, Clone)]
pub struct Target {
    pub(super) pool: Pool,
    pub(super) dsn: Dsn,
    pub(super) patience: Patience,
    pub(super) progress: Progress,
}

#[derive(Debug, Clone)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// An open transaction on a target; dropping it takes everything back.
#[derive(Debug)]
pub enum Open {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

/// Only one bundle runs on a database at a time.
pub(super) const BUNDLE_LOCK: i64 = 0x676f_7662_756e_646c;
/// What the server shows of the runner's sessions.
pub(super) const PROGRAM: &str = "govdeck bundle";
/// How long the connection is waited for.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// Which transaction it is, whose, whether its walls are awake, and its limits of time.
const WHOSE: &str = "SELECT CAST(txid_current() AS TEXT) || ' ' || session_user || ' ' || current_user || ' ' || current_setting('session_replication_role') \
     || ' ' || current_setting('lock_timeout') || ' ' || current_setting('statement_timeout')";
/// Whether rows are counted at all, and the walls are awake.
const COUNTS: &str = "SELECT current_setting('track_counts') = 'on' AND current_setting('session_replication_role') = 'origin'";
/// How often the server looks whether a client that waits for a statement is still there, in milliseconds.
const STILL_THERE_MS: u32 = 1_000;

impl Target {
    /// Opens a target, which need not hold anything of govdeck's.
    pub async fn open(dsn: &Dsn) -> Result<Self, StoreError> {
        Self::open_with(dsn, Patience::default()).await
    }

    /// Opens a target with other limits of time.
    pub async fn open_with(dsn: &Dsn, patience: Patience) -> Result<Self, StoreError> {
        let pool = connect(dsn, patience)
            .await
            .map_err(|error| error.about(dsn))?;
        Ok(Self {
            pool,
            dsn: dsn.clone(),
            patience,
            progress: Progress::default(),
        })
    }

    /// Tells how far its runs have come.
    #[must_use]
    pub fn watched_by(self, progress: Progress) -> Self {
        Self { progress, ..self }
    }

    /// Tells whose rules of writing its scripts follow.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.pool {
            Pool::Sqlite(_) => Dialect::Sqlite,
            Pool::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Closes all connections and waits until they are gone.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

async fn connect(dsn: &Dsn, patience: Patience) -> Result<Pool, StoreError> {
    match dsn.kind() {
        DsnKind::Sqlite(path) => {
            // A table that others refer to can only be built anew while references are not enforced row by row; they are
            // checked as a whole before the commit.
            let options = SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(false)
                .foreign_keys(false)
                .busy_timeout(patience.lock)
                .synchronous(SqliteSynchronous::Full)
                .pragma("recursive_triggers", "ON")
                .pragma("trusted_schema", "OFF")
                .pragma("cell_size_check", "ON");
            let pool = SqlitePoolOptions::new()
                .max_connections(1)
                .acquire_timeout(CONNECT_PATIENCE);
            // The hooks of one script are not the next one's.
            let pool = pool.after_release(|_, _| Box::pin(async { Ok(false) }));
            Ok(Pool::Sqlite(pool.connect_with(options).await?))
        }
        DsnKind::Postgres => {
            let options = postgres_options(dsn, PROGRAM)?;
            try_once(&options).await?;
            let pool = PgPoolOptions::new()
                .max_connections(2)
                .acquire_timeout(CONNECT_PATIENCE);
            // Settings, counters and locks end with their session, and a database that is copied may have no other.
            let pool = pool.after_release(|_, _| Box::pin(async { Ok(false) }));
            Ok(Pool::Postgres(pool.connect_lazy_with(options)))
        }
    }
}

/// A transaction under the runner's rules: limits of time, the bundle lock, nobody else's commit.
#[derive(Debug)]
pub(super) struct Work {
    pub open: Open,
    pub watch: Option<Watched>,
    pub progress: Progress,
    xid: String,
    patience: Patience,
}

/// Ends what SQLite is doing when nobody waits for it any more.
#[derive(Debug)]
pub(super) struct Watched(pub Arc<Watch>);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

impl Work {
    /// Begins in a task of its own: a begin that is dropped half-way would leave an open transaction behind.
    pub async fn begin(target: &Target) -> Result<Self, StoreError> {
        let (pool, patience) = (target.pool.clone(), target.patience);
        let begun = tokio::spawn(async move {
            match pool {
                Pool::Sqlite(pool) => begin_sqlite(&pool, patience).await,
                Pool::Postgres(pool) => begin_postgres(&pool, patience).await,
            }
        });
        match begun.await {
            Ok(Ok(work)) => Ok(Self {
                progress: target.progress.clone(),
                ..work
            }),
            Ok(Err(error)) => Err(error.about(&target.dsn)),
            Err(_) => Err(sqlx::Error::WorkerCrashed.into()),
        }
    }

    /// Runs a statement of a script.
    pub async fn run(&mut self, statement: &Statement) -> Result<(), Stopped> {
        let text = AssertSqlSafe(statement.text.clone());
        if let Some(Watched(watch)) = &self.watch {
            watch.limit(Some(self.patience.statement));
        }
        // A statement that is prepared can be only one, which a text sent as it is need not be.
        let ran = match &mut self.open {
            Open::Sqlite(t) => sqlx::query(text)
                .persistent(false)
                .execute(&mut **t)
                .await
                .map(drop),
            Open::Postgres(t) => sqlx::query(text)
                .persistent(false)
                .execute(&mut **t)
                .await
                .map(drop),
        };
        if let Some(Watched(watch)) = &self.watch {
            watch.limit(None);
        }
        ran.map_err(|error| Stopped::at(statement, error, self.patience))
    }

    /// Makes sure that it is still the transaction that was begun, as the login that began it, with its walls awake.
    pub async fn is_still_ours(&mut self) -> Result<bool, StoreError> {
        match &mut self.open {
            Open::Postgres(t) => {
                let now: String = sqlx::query_scalar(WHOSE)
                    .persistent(false)
                    .fetch_one(&mut **t)
                    .await?;
                Ok(now == self.xid)
            }
            // The hook lets nobody commit, and after a rollback there is nothing to go on with.
            Open::Sqlite(_) => Ok(true),
        }
    }

    /// Takes back what was done after a statement failed, and waits until it is.
    pub async fn take_back(self) {
        if let Ok(open) = self.into_open().await
            && let Err(error) = open.roll_back().await
        {
            // SQLite has taken back by itself what it had to interrupt.
            tracing::debug!(%error, "there was nothing left to take back");
        }
    }

    /// Gives the transaction away for its last statements and its commit.
    pub async fn into_open(self) -> Result<Open, StoreError> {
        let Self {
            mut open, watch, ..
        } = self;
        if let Open::Sqlite(t) = &mut open {
            Watch::lift(t).await?;
        }
        if let Some(Watched(watch)) = &watch {
            watch.allow_commit();
        }
        Ok(open)
    }
}

async fn begin_sqlite(pool: &SqlitePool, patience: Patience) -> Result<Work, StoreError> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let watch = Watch::over(&mut transaction).await?;
    Ok(Work {
        open: Open::Sqlite(transaction),
        watch: Some(Watched(watch)),
        progress: Progress::default(),
        xid: String::new(),
        patience,
    })
}

async fn begin_postgres(pool: &PgPool, patience: Patience) -> Result<Work, StoreError> {
    let mut open = Open::Postgres(
        pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
            .await?,
    );
    open.limit(patience).await?;
    let Open::Postgres(t) = &mut open else {
        return Err(sqlx::Error::WorkerCrashed.into());
    };
    let counts: bool = sqlx::query_scalar(COUNTS)
        .persistent(false)
        .fetch_one(&mut **t)
        .await?;
    if !counts {
        return Err(StoreError::new(
            Failure::Wall,
            "the server does not count rows (track_counts), or lets triggers sleep (session_replication_role)",
            "set track_counts to on and session_replication_role to origin, for the database and for the login",
        ));
    }
    take_lock(t, "SELECT pg_try_advisory_xact_lock($1)").await?;
    let xid: String = sqlx::query_scalar(WHOSE)
        .persistent(false)
        .fetch_one(&mut **t)
        .await?;
    Ok(Work {
        open,
        watch: None,
        progress: Progress::default(),
        xid,
        patience,
    })
}

/// Takes the bundle lock, or says that somebody has it.
pub(super) async fn take_lock(
    connection: &mut PgConnection,
    sql: &'static str,
) -> Result<(), StoreError> {
    let is_ours: bool = sqlx::query_scalar(sql)
        .bind(BUNDLE_LOCK)
        .persistent(false)
        .fetch_one(connection)
        .await?;
    if is_ours {
        return Ok(());
    }
    Err(StoreError::new(
        Failure::Busy,
        "another bundle is running on this database",
        "wait until it is done, and begin again",
    ))
}

impl Open {
    /// Runs statements of our own, one text for each database; an empty one does nothing.
    pub(super) async fn run_own(
        &mut self,
        postgres: &'static str,
        sqlite: &'static str,
    ) -> Result<(), StoreError> {
        match self {
            Self::Postgres(t) if !postgres.is_empty() => {
                sqlx::raw_sql(postgres).execute(&mut **t).await?;
            }
            Self::Sqlite(t) if !sqlite.is_empty() => {
                sqlx::raw_sql(sqlite).execute(&mut **t).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Sets the limits of time for what follows in this transaction.
    pub(super) async fn limit(&mut self, patience: Patience) -> Result<(), StoreError> {
        let Self::Postgres(t) = self else {
            return Ok(());
        };
        sqlx::raw_sql(AssertSqlSafe(limits("LOCAL", patience)))
            .execute(&mut **t)
            .await?;
        Ok(())
    }

    /// Commits.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await?,
            Self::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }

    /// Takes everything back, and waits until it is.
    pub async fn roll_back(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await?,
            Self::Postgres(transaction) => transaction.rollback().await?,
        }
        Ok(())
    }
}

/// Writes the limits of time, for a transaction or for a session.
pub(super) fn limits(scope: &str, patience: Patience) -> String {
    let (lock, statement) = (patience.lock.as_millis(), patience.statement.as_millis());
    format!(
        "SET {scope} lock_timeout = {lock}; SET {scope} statement_timeout = {statement}; \
         SET {scope} idle_in_transaction_session_timeout = {statement}; \
         SELECT set_config('client_connection_check_interval', '{STILL_THERE_MS}', {}) \
             WHERE CAST(current_setting('server_version_num') AS INTEGER) >= 140000",
        scope == "LOCAL"
    )
}

/// Why a script did not come to its end.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The database refused a statement.
    Failed(Failed),
    /// The connection or the database went away.
    Lost(StoreError),
}

impl Stopped {
    fn at(statement: &Statement, error: sqlx::Error, patience: Patience) -> Self {
        match error {
            // The server went away, or ended the session.
            sqlx::Error::Database(said)
                if said
                    .code()
                    .is_some_and(|code| code.starts_with("57P") || code.starts_with("08")) =>
            {
                Self::Lost(sqlx::Error::Database(said).into())
            }
            sqlx::Error::Database(said) => Self::Failed(Failed::of(statement, &*said, patience)),
            other => Self::Lost(other.into()),
        }
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Lost(error)
    }
}

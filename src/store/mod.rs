//! The two databases, the ledger, and the one door for writes.
//!
//! This is the only floor that knows sqlx. It may import `canon`, `rules`, `clock` and `settings`. Rows are nouns and
//! live here; what they mean is decided in `rules`. Governed tables are written by `Tx::seal` and in no other way.

pub mod alone;
pub mod approval;
pub mod artifact;
pub mod block;
pub mod bundle;
pub mod cadence;
mod codec;
pub mod delivery;
pub mod demo_clock;
pub mod deployment;
pub mod dictionary;
pub mod drill;
pub mod error;
pub mod export;
mod file;
pub mod fork;
pub mod gauge;
pub mod governance;
pub mod grants;
pub mod job;
pub mod key;
pub mod leaf;
pub mod lease;
pub mod ledger;
pub mod migration;
pub mod outbox;
pub mod past;
pub mod people;
pub mod person;
pub mod policy;
pub mod presence;
pub mod publish;
pub mod route;
pub mod schema;
mod seat;
pub mod sla;
pub mod tables;
pub mod tx;
pub mod verify;
pub mod view;
mod viewer;
pub mod wake;
pub mod walls;
pub mod week;
pub mod window;

use std::path::Path;
use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

pub use error::{Failure, SealError, StoreError};
pub(crate) use tx::{Decision, Work};
pub use tx::{Sealed, Target, Tx};
pub use view::View;

use crate::settings::{Dsn, DsnKind};

/// What a store may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Looking only: SQLite is opened read-only, every PostgreSQL transaction is READ ONLY.
    Read,
    /// Guarded writes too.
    Write,
}

/// The account that the operating system says we are; on SQLite it names the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsAccount(String);

impl OsAccount {
    /// Asks the operating system for the account of the effective user, never an environment variable.
    pub fn of_this_process() -> Result<Self, StoreError> {
        let unnamed = |cause: String| {
            StoreError::new(
                Failure::Other,
                format!("the operating system does not name your account: {cause}"),
                "give the account a name (in the password database)",
            )
        };
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid())
            .map_err(|error| unnamed(error.to_string()))?;
        user.map(|user| Self(user.name))
            .ok_or_else(|| unnamed("no entry for this uid".to_owned()))
    }

    /// Stands for an account by name, for stories that need several people on one machine.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Returns the account's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// A database that holds a govdeck deployment.
#[derive(Debug, Clone)]
pub struct Store {
    pool: Pool,
    account: OsAccount,
    access: Access,
    /// The login of whoever looks through this one; none where it is their own.
    seen_for: Option<String>,
    newer_schema: Option<i64>,
    /// Whether it is a demo, whose clock may be bent; that never changes.
    is_demo: bool,
    /// The lease under which everything is written; none where nobody else must be kept out.
    fence: Option<i64>,
}

#[derive(Debug, Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// How long anything waits for a lock or for an answer before it is called busy or unreachable.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

impl Access {
    /// Guarded writes queue up for the ledger's head anyway, so one connection writes; several may look.
    const fn connections(self) -> u32 {
        match self {
            Self::Read => 4,
            Self::Write => 1,
        }
    }
}

impl Store {
    /// Opens a deployment and checks that its schema is one this program can work with.
    pub async fn open(dsn: &Dsn, account: OsAccount, access: Access) -> Result<Self, StoreError> {
        Self::open_with(dsn, account, access, access.connections()).await
    }

    /// Opens a deployment to look at it through one connection alone, so that a second view waits until the first is dropped.
    ///
    /// Each connection of SQLite's holds the whole schema, which is several megabytes.
    pub async fn open_narrow(dsn: &Dsn, account: OsAccount) -> Result<Self, StoreError> {
        Self::open_with(dsn, account, Access::Read, 1).await
    }

    async fn open_with(
        dsn: &Dsn,
        account: OsAccount,
        access: Access,
        connections: u32,
    ) -> Result<Self, StoreError> {
        let about = |error: StoreError| error.about(dsn);
        if let DsnKind::Sqlite(path) = dsn.kind() {
            file::refuse_foreign(&path)?;
        }
        let connecting = Self::connect_with(dsn, account, access, connections);
        let mut store = connecting.await.map_err(about)?;
        match schema::look(&store).await {
            Ok((schema::State::Current, is_demo)) => {
                store.is_demo = is_demo;
                Ok(store)
            }
            Ok((schema::State::Newer { found }, is_demo)) if access == Access::Read => {
                store.newer_schema = Some(found);
                store.is_demo = is_demo;
                Ok(store)
            }
            unfit => {
                store.close().await;
                Err(about(unfit.map_or_else(
                    |error| error,
                    |(state, _)| state.into_error(),
                )))
            }
        }
    }

    /// Opens the fork of a deployment, which nothing but a rehearsal works on.
    pub(in crate::store) async fn open_fork(
        dsn: &Dsn,
        account: OsAccount,
    ) -> Result<Self, StoreError> {
        let about = |error: StoreError| error.about(dsn);
        let mut store = Self::connect(dsn, account, Access::Write)
            .await
            .map_err(about)?;
        match schema::look(&store).await {
            Ok((schema::State::Fork, is_demo)) => {
                store.is_demo = is_demo;
                Ok(store)
            }
            other => {
                store.close().await;
                Err(about(other.map_or_else(
                    |error| error,
                    |_| StoreError::unusable("the database is no fork", "report this as a bug"),
                )))
            }
        }
    }

    /// Returns the schema of the database where it is newer than this program knows: then it may only look.
    #[must_use]
    pub fn newer_schema(&self) -> Option<i64> {
        self.newer_schema
    }

    /// Connects without asking what the database holds; only `init` needs that.
    pub(in crate::store) async fn connect(
        dsn: &Dsn,
        account: OsAccount,
        access: Access,
    ) -> Result<Self, StoreError> {
        Self::connect_with(dsn, account, access, access.connections()).await
    }

    async fn connect_with(
        dsn: &Dsn,
        account: OsAccount,
        access: Access,
        connections: u32,
    ) -> Result<Self, StoreError> {
        let pool = match dsn.kind() {
            DsnKind::Sqlite(path) => Pool::Sqlite(sqlite_pool(&path, access, connections).await?),
            DsnKind::Postgres => Pool::Postgres(postgres_pool(dsn, connections).await?),
        };
        Ok(Self {
            pool,
            account,
            access,
            seen_for: None,
            newer_schema: None,
            is_demo: false,
            fence: None,
        })
    }

    /// Tells whether the deployment lives on PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self.pool, Pool::Postgres(_))
    }

    /// Returns the connection to a file through which alone this one looks, and never writes.
    fn only_connection(&self) -> Option<SqlitePool> {
        match &self.pool {
            Pool::Sqlite(pool) if self.access == Access::Read => {
                (pool.options().get_max_connections() == 1).then(|| pool.clone())
            }
            _ => None,
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

async fn sqlite_pool(
    path: &Path,
    access: Access,
    connections: u32,
) -> Result<SqlitePool, StoreError> {
    let options = SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(CONNECT_PATIENCE)
        // A file answers, or says why not when it is asked; only a server's connection dies by itself.
        .test_before_acquire(false)
        // `PRAGMA data_version` means something to one connection alone.
        .max_lifetime(None)
        .idle_timeout(None);
    let pool = options.connect_with(sqlite_options(path, access));
    Ok(pool.await?)
}

fn sqlite_options(path: &Path, access: Access) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(access == Access::Read)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(LOCK_PATIENCE)
        .pragma("recursive_triggers", "ON")
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON");
    match access {
        // Only writes are ever synchronous, and to say so reads the whole schema, which not every reader needs.
        Access::Read => options,
        Access::Write => options.synchronous(SqliteSynchronous::Full),
    }
}

/// Reads where a server is; what is open there says which program it is.
pub(crate) fn postgres_options(dsn: &Dsn, program: &str) -> Result<PgConnectOptions, StoreError> {
    let options: PgConnectOptions = dsn.expose().parse().map_err(|_| {
        // The parser's own words may quote the DSN, so they stay out of the message.
        StoreError::new(
            Failure::Other,
            format!("the DSN {dsn} cannot be read"),
            "write it as postgres://user@host:port/database",
        )
    })?;
    // Neither named statements nor session settings survive a pooler in transaction mode.
    Ok(options
        .application_name(program)
        .statement_cache_capacity(0)
        .extra_float_digits(None))
}

/// Connects once: a pool tries a dead server again and again until its patience ends, and this says at once what is wrong.
pub(crate) async fn try_once(options: &PgConnectOptions) -> Result<(), StoreError> {
    let connecting = tokio::time::timeout(CONNECT_PATIENCE, PgConnection::connect_with(options));
    let connected = connecting.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
    Ok(connected?.close().await?)
}

async fn postgres_pool(dsn: &Dsn, connections: u32) -> Result<PgPool, StoreError> {
    let options = postgres_options(dsn, presence::APPLICATION)?;
    try_once(&options).await?;
    Ok(PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(CONNECT_PATIENCE)
        .connect_lazy_with(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_connection_to_sqlite_has_a_cache_of_its_own() {
        // Built with this, all of them share one, and whoever reads much leaves the others none: see `.cargo/config.toml`.
        const SHARED: &str = "SELECT sqlite_compileoption_used('ENABLE_MEMORY_MANAGEMENT')";
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        let options = sqlite_options(&path, Access::Write).create_if_missing(true);
        let pool = SqlitePool::connect_with(options).await.expect("it opens");
        let shared: i64 = view::query_scalar(SHARED)
            .fetch_one(&pool)
            .await
            .expect("it answers");
        assert_eq!(shared, 0);
    }
}

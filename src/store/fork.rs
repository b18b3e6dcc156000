//! The fork of a deployment, on which the hour of a cutover is rehearsed: a copy that says of itself that it is one, and
//! that is thrown away.
//!
//! Only whoever owns a database's tables can make a fork of it, as no entry of a ledger does. What is copied into a server
//! is copied into a database that is empty, or that an earlier fork was left in; nothing else is ever removed.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row};

use super::view::{query, query_scalar};
use super::{Access, Failure, OsAccount, Pool, Store, StoreError, postgres_options, presence};
use crate::settings::{Dsn, DsnKind};

/// A fork that is there and marked.
#[derive(Debug)]
pub struct Fork {
    dsn: Dsn,
    account: OsAccount,
    claimed: Option<Claimed>,
}

/// A database on a server that is a fork's alone, as long as the session stands.
#[derive(Debug)]
pub struct Claimed {
    dsn: Dsn,
    session: PgConnection,
}

/// What marks a database as filled by a rehearsal before the fork can say so of itself; everything in it is a rehearsal's.
const MARK: &str = "CREATE SCHEMA IF NOT EXISTS govdeck_fork";
const UNMARK: &str = "DROP SCHEMA IF EXISTS govdeck_fork";
/// One rehearsal at a time fills a database.
const LOCK: &str = "SELECT pg_try_advisory_lock(7382151)";
/// Which database of which server it is; no two servers start in the same microsecond.
const WHICH: &str = "SELECT CAST(d.oid AS TEXT) || ' ' || CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) AS TEXT) \
     FROM pg_database d WHERE d.datname = current_database()";
/// Everything that somebody put into a database, but what extensions bring and what goes with its table, as what drops it.
const HELD: &str = "WITH own AS (SELECT oid, nspname FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'), \
     brought AS (SELECT objid FROM pg_depend WHERE deptype = 'e'), \
     kept AS (SELECT objid FROM pg_depend WHERE deptype IN ('i', 'a') AND classid = CAST('pg_class' AS regclass) AND refclassid = CAST('pg_class' AS regclass)), \
     held AS (SELECT 1 AS step, format('DROP SCHEMA IF EXISTS %I CASCADE', nspname) AS gone FROM own WHERE nspname NOT IN ('public', 'govdeck_fork') AND oid NOT IN (SELECT objid FROM brought) \
     UNION ALL SELECT 2, format('DROP %s IF EXISTS %I.%I CASCADE', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' \
       WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, n.nspname, c.relname) FROM pg_class c JOIN own n ON n.oid = c.relnamespace \
       WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.oid NOT IN (SELECT objid FROM brought) \
       AND NOT (c.relkind = 'S' AND c.oid IN (SELECT objid FROM kept)) \
     UNION ALL SELECT 3, format('DROP ROUTINE IF EXISTS %s CASCADE', CAST(p.oid AS regprocedure)) FROM pg_proc p JOIN own n ON n.oid = p.pronamespace \
       WHERE n.nspname = 'public' AND p.oid NOT IN (SELECT objid FROM brought) \
       AND p.oid NOT IN (SELECT objid FROM pg_depend WHERE deptype = 'i' AND classid = CAST('pg_proc' AS regclass)) \
     UNION ALL SELECT 4, format('DROP TYPE IF EXISTS %I.%I CASCADE', n.nspname, t.typname) FROM pg_type t JOIN own n ON n.oid = t.typnamespace \
       WHERE n.nspname = 'public' AND (t.typtype IN ('d', 'e', 'r') OR t.typtype = 'c' AND EXISTS (SELECT 1 FROM pg_class k WHERE k.oid = t.typrelid AND k.relkind = 'c')) AND t.oid NOT IN (SELECT objid FROM brought)) \
     SELECT gone FROM held ORDER BY step, gone";

/// Tells whether two addresses lead to one database.
pub async fn is_same_database(one: &Dsn, other: &Dsn) -> Result<bool, StoreError> {
    match (one.kind(), other.kind()) {
        (DsnKind::Sqlite(one), DsnKind::Sqlite(other)) => {
            let real = |path: &Path| path.canonicalize().ok();
            Ok(real(&one).is_some() && real(&one) == real(&other))
        }
        (DsnKind::Postgres, DsnKind::Postgres) => Ok(which(one).await? == which(other).await?),
        _ => Ok(false),
    }
}

async fn which(dsn: &Dsn) -> Result<String, StoreError> {
    let mut session = connect(dsn).await?;
    let which = query_scalar(WHICH).fetch_one(&mut session).await?;
    session.close().await?;
    Ok(which)
}

async fn connect(dsn: &Dsn) -> Result<PgConnection, StoreError> {
    let options = postgres_options(dsn, presence::APPLICATION)?;
    let connected = PgConnection::connect_with(&options).await;
    connected.map_err(|error| StoreError::from(error).about(dsn))
}

impl Store {
    /// Makes a fork of an embedded deployment, in a folder that is the rehearsal's alone.
    pub async fn fork_into(&self, folder: &Path) -> Result<Fork, StoreError> {
        let Pool::Sqlite(pool) = &self.pool else {
            return Err(StoreError::new(
                Failure::Other,
                "a server's database is no file",
                "report this as a bug",
            ));
        };
        let path = folder.join("fork.db");
        let not_made = |error: &dyn std::fmt::Display| {
            StoreError::new(
                Failure::Unreachable,
                format!("the fork cannot be made: {error}"),
                "check the temporary folder, and how much room it has",
            )
        };
        // SQLite fills a file that is there and empty, and keeps its mode.
        let mut options = OpenOptions::new();
        let made = options.write(true).create_new(true).mode(0o600).open(&path);
        made.map_err(|error| not_made(&error))?;
        let shown = path.to_string_lossy().into_owned();
        query("VACUUM INTO $1").bind(shown).execute(pool).await?;
        let dsn = Dsn::of_file(&path).map_err(|fault| not_made(&fault))?;
        mark(&dsn, self.account.clone()).await?;
        Ok(Fork {
            dsn,
            account: self.account.clone(),
            claimed: None,
        })
    }
}

impl Claimed {
    /// Takes a database for a fork: another one than the ledger's, which is empty but for what an earlier fork has left there.
    pub async fn take(ledger: &Dsn, dsn: &Dsn) -> Result<Self, StoreError> {
        let about = |error: StoreError| error.about(dsn);
        if !dsn.is_postgres() {
            return Err(about(StoreError::unusable(
                "a deployment on a server is not rehearsed in a file",
                "let `rehearsal_dsn` name an empty database of a server",
            )));
        }
        if is_same_database(ledger, dsn).await? {
            return Err(about(StoreError::unusable(
                "this is the deployment itself, and no rehearsal touches it",
                "let `rehearsal_dsn` name another, empty database",
            )));
        }
        let mut session = connect(dsn).await?;
        if !query_scalar(LOCK).fetch_one(&mut session).await? {
            return Err(about(StoreError::new(
                Failure::Busy,
                "another rehearsal is at work there",
                "wait for its end",
            )));
        }
        let held = held(&mut session).await?;
        if !held.is_empty() && !is_marked(&mut session).await? {
            return Err(about(StoreError::unusable(
                "the database holds something that is no fork of a rehearsal, and nothing of it is removed",
                "let `rehearsal_dsn` name an empty database",
            )));
        }
        let mut claimed = Self {
            dsn: dsn.clone(),
            session,
        };
        claimed.empty(held).await.map_err(about)?;
        // From here on everything in it may be removed again, also after this process was killed.
        claimed.run(MARK).await.map_err(about)?;
        Ok(claimed)
    }

    /// Returns where it is.
    #[must_use]
    pub fn dsn(&self) -> &Dsn {
        &self.dsn
    }

    /// Marks what was copied into it as a fork.
    pub async fn filled(self, ledger: &Store) -> Result<Fork, Box<(Self, StoreError)>> {
        let account = ledger.account.clone();
        match mark(&self.dsn, account.clone()).await {
            Ok(()) => Ok(Fork {
                dsn: self.dsn.clone(),
                account,
                claimed: Some(self),
            }),
            Err(error) => Err(Box::new((self, error))),
        }
    }

    /// Leaves the database as empty as it was.
    pub async fn throw_away(mut self) -> Result<(), StoreError> {
        let held = held(&mut self.session).await?;
        self.empty(held).await?;
        self.run(UNMARK).await?;
        Ok(self.session.close().await?)
    }

    /// Removes what there is, and first of all whoever of ours still works on it.
    async fn empty(&mut self, held: Vec<String>) -> Result<(), StoreError> {
        const OURS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = session_user";
        if !held.is_empty() {
            // What is half removed is a rehearsal's all the same.
            self.run(MARK).await?;
            self.run(OURS).await?;
        }
        for gone in held {
            self.run(&gone).await?;
        }
        Ok(())
    }

    async fn run(&mut self, sql: &str) -> Result<(), StoreError> {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut self.session)
            .await?;
        Ok(())
    }
}

async fn held(session: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    Ok(query_scalar(HELD).fetch_all(session).await?)
}

/// Tells whether a database was filled by a rehearsal: it is a fork, or was about to become one.
async fn is_marked(session: &mut PgConnection) -> Result<bool, StoreError> {
    const MARKED: &str =
        "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = 'govdeck_fork')";
    const HOLDS: &str = "SELECT to_regclass('deployment') IS NOT NULL";
    const FORKED: &str = "SELECT EXISTS (SELECT 1 FROM deployment WHERE environment = 'rehearsal')";
    if query_scalar(MARKED).fetch_one(&mut *session).await? {
        return Ok(true);
    }
    let holds: bool = query_scalar(HOLDS).fetch_one(&mut *session).await?;
    Ok(holds && query_scalar(FORKED).fetch_one(session).await?)
}

impl Fork {
    /// Returns where it is.
    #[must_use]
    pub fn dsn(&self) -> &Dsn {
        &self.dsn
    }

    /// Opens it; everything else that opens a database refuses a fork.
    pub async fn open(&self) -> Result<Store, StoreError> {
        Store::open_fork(&self.dsn, self.account.clone()).await
    }

    /// Removes it; a file goes with the folder that it lies in.
    pub async fn throw_away(self) -> Result<(), StoreError> {
        match self.claimed {
            Some(claimed) => claimed.throw_away().await,
            None => Ok(()),
        }
    }
}

/// Lets the copy of a deployment say of itself that it is a fork, as only its owner can: with the table's walls down.
async fn mark(dsn: &Dsn, account: OsAccount) -> Result<(), StoreError> {
    const FORKED: &str = "UPDATE deployment SET environment = 'rehearsal'";
    let store = Store::connect(dsn, account, Access::Write).await?;
    let marked = async {
        match &store.pool {
            Pool::Sqlite(pool) => {
                let mut t = pool.begin().await?;
                let walls = query(
                    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'deployment'",
                );
                let walls = walls.fetch_all(&mut *t).await?;
                for wall in &walls {
                    let name: String = wall.try_get("name")?;
                    let gone = format!("DROP TRIGGER \"{name}\"");
                    sqlx::raw_sql(AssertSqlSafe(gone)).execute(&mut *t).await?;
                }
                query(FORKED).execute(&mut *t).await?;
                for wall in &walls {
                    let again: String = wall.try_get("sql")?;
                    sqlx::raw_sql(AssertSqlSafe(again)).execute(&mut *t).await?;
                }
                t.commit().await
            }
            Pool::Postgres(pool) => {
                let mut t = pool.begin().await?;
                query("ALTER TABLE deployment DISABLE TRIGGER USER")
                    .execute(&mut *t)
                    .await?;
                query(FORKED).execute(&mut *t).await?;
                query("ALTER TABLE deployment ENABLE TRIGGER USER")
                    .execute(&mut *t)
                    .await?;
                // From here on the fork says of itself what it is, and is like what it was made of but for that.
                query(UNMARK).execute(&mut *t).await?;
                t.commit().await
            }
        }
    };
    let marked = marked.await;
    store.close().await;
    marked.map_err(|error| StoreError::from(error).about(dsn))
}

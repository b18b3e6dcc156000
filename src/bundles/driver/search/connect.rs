//! One connection to PostgreSQL, with the settings that make what is read the same everywhere.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};

use super::super::protocol::{Code, Said, Work};
use super::super::speak::address;
use crate::settings::{Dsn, DsnKind};

/// How long the server has to take a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// How long a lock is waited for; whoever queues up behind it waits as long.
const LOCK_PATIENCE: &str = "2s";

/// How long another change is waited for; the server notices within a second that a driver was ended.
const TURN_PATIENCE: &str = "10s";

/// Two changes of a database never run at the same time.
const ONE_AT_A_TIME: i64 = 0x6765_6164_7365_6172;

/// A connection, in at most one transaction.
pub(super) struct Session {
    connection: PgConnection,
    time_limit_ms: u64,
}

impl Session {
    pub async fn open(work: &Work) -> Result<Self, Said> {
        let text = address(work)?;
        let bad = |what: String| Said::new(Code::BadRequest, what);
        let dsn = Dsn::parse(&text).map_err(|fault| bad(format!("the address {fault}")))?;
        if dsn.kind() != DsnKind::Postgres {
            return Err(bad("the address leads to no PostgreSQL server".to_owned()));
        }
        // The parser's own words may quote the address.
        let options: PgConnectOptions = dsn
            .expose()
            .parse()
            .map_err(|_| bad("the address cannot be read".to_owned()))?;
        let options = options
            .application_name("govdeck-search-driver")
            .statement_cache_capacity(0)
            .disable_statement_logging();
        let connecting = PgConnection::connect_with(&options);
        let connection = tokio::time::timeout(CONNECT_PATIENCE, connecting)
            .await
            .map_err(|_| Said::new(Code::Unreachable, "the server does not answer"))?
            .map_err(|error| said(&error))?;
        let mut session = Self {
            connection,
            time_limit_ms: work.time_limit_ms,
        };
        // Not every platform can look after a client that was killed; where it can, its work ends with it.
        let _ = session
            .run("SET client_connection_check_interval = '1s'")
            .await;
        Ok(session)
    }

    /// Begins to look, at one moment at which no change is at work.
    pub async fn begin_looking(&mut self) -> Result<(), Said> {
        self.take_turns("pg_advisory_lock_shared").await?;
        self.enter("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await
    }

    /// Begins what will be undone; what others commit meanwhile does not show.
    pub async fn begin_rehearsal(&mut self) -> Result<(), Said> {
        self.take_turns("pg_advisory_lock").await?;
        self.enter("BEGIN ISOLATION LEVEL REPEATABLE READ").await
    }

    /// Begins a change.
    pub async fn begin(&mut self) -> Result<(), Said> {
        self.take_turns("pg_advisory_lock").await?;
        self.enter("BEGIN ISOLATION LEVEL READ COMMITTED").await
    }

    /// Waits for a change that is at work, or was when its driver was ended; the turn ends with the connection.
    async fn take_turns(&mut self, lock: &str) -> Result<(), Said> {
        let sql = format!(
            "SET lock_timeout = '{TURN_PATIENCE}'; SELECT pg_catalog.{lock}({ONE_AT_A_TIME})"
        );
        self.run(&sql).await.map(drop).map_err(|said| {
            let what = format!(
                "another search change is at work in this database: {}",
                said.message
            );
            Said::new(Code::Unreachable, what)
        })
    }

    async fn enter(&mut self, begin: &'static str) -> Result<(), Said> {
        self.run(begin).await?;
        // A little before the driver itself is ended, so that it can still say why.
        let statement = (self.time_limit_ms / 10 * 9).clamp(1, i32::MAX.unsigned_abs().into());
        let settings = format!(
            "SET LOCAL search_path = ''; SET LOCAL lock_timeout = '{LOCK_PATIENCE}'; \
             SET LOCAL statement_timeout = {statement}; SET LOCAL idle_in_transaction_session_timeout = '60s'; \
             SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; \
             SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL row_security = off; \
             SET LOCAL standard_conforming_strings = on; SET LOCAL client_min_messages = 'error'"
        );
        self.run(&settings).await.map(drop)
    }

    pub async fn commit(&mut self) -> Result<(), Said> {
        self.run("COMMIT").await.map(drop)
    }

    pub async fn undo(&mut self) -> Result<(), Said> {
        self.run("ROLLBACK").await.map(drop)
    }

    /// Runs statements made here of quoted names and returns how many rows they wrote.
    pub async fn run(&mut self, sql: &str) -> Result<u64, Said> {
        let statements = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let done = self.connection.execute(statements).await;
        done.map(|done| done.rows_affected())
            .map_err(|error| said(&error))
    }

    /// Asks for rows; values are bound.
    pub async fn rows(&mut self, sql: &str, values: &[&str]) -> Result<Vec<PgRow>, Said> {
        let mut query = sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(false);
        for value in values {
            query = query.bind(*value);
        }
        let rows = query.fetch_all(&mut self.connection).await;
        rows.map_err(|error| said(&error))
    }

    /// Asks for the one row that there is.
    pub async fn one(&mut self, sql: &str, values: &[&str]) -> Result<PgRow, Said> {
        let mut rows = self.rows(sql, values).await?;
        match (rows.pop(), rows.pop()) {
            (Some(row), None) => Ok(row),
            _ => Err(Said::new(
                Code::Internal,
                "the server answered with no single row",
            )),
        }
    }

    /// Hands each row's first column, a digest, to `each`, without holding all of them.
    pub async fn digests(&mut self, sql: &str, mut each: impl FnMut(&[u8])) -> Result<(), Said> {
        use futures_util::TryStreamExt;
        let query = sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(false);
        let mut rows = query.fetch(&mut self.connection);
        while let Some(row) = rows.try_next().await.map_err(|error| said(&error))? {
            let digest: &[u8] = row.try_get(0).map_err(|error| said(&error))?;
            each(digest);
        }
        Ok(())
    }
}

/// Says what the server said: its code and its sentence, never its details, which quote rows.
pub(super) fn said(error: &sqlx::Error) -> Said {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            let kind = match &*code {
                "57P01" | "57P02" | "57P03" | "53300" | "28P01" | "28000" | "3D000" => {
                    Code::Unreachable
                }
                _ => Code::ScriptFailed,
            };
            Said::new(kind, format!("{} ({code})", error.message()))
        }
        sqlx::Error::Io(error) => Said::new(
            Code::Unreachable,
            format!("the server cannot be reached: {error}"),
        ),
        sqlx::Error::Tls(_) => Said::new(Code::Unreachable, "no secure connection to the server"),
        _ => Said::new(Code::Internal, "the server's answer cannot be read"),
    }
}

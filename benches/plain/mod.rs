//! A connection past the store: it puts rows there that no action would.

use std::error::Error;

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

type Done<T> = Result<T, Box<dyn Error>>;

/// The connection.
pub enum Plain {
    /// To a file.
    Sqlite(SqliteConnection),
    /// To a server.
    Postgres(PgConnection),
}

impl Plain {
    /// Connects to where a deployment is.
    pub async fn connect(dsn: &str) -> Done<Self> {
        Ok(if dsn.starts_with("sqlite:") {
            Self::Sqlite(SqliteConnection::connect(dsn).await?)
        } else {
            Self::Postgres(PgConnection::connect(dsn).await?)
        })
    }

    /// Runs statements as they are.
    pub async fn run(&mut self, sql: &str) -> Done<()> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(c) => sqlx::raw_sql(sql).execute(c).await.map(drop)?,
            Self::Postgres(c) => sqlx::raw_sql(sql).execute(c).await.map(drop)?,
        }
        Ok(())
    }

    /// Reads the first column.
    pub async fn texts(&mut self, sql: &str) -> Done<Vec<String>> {
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Self::Sqlite(c) => sqlx::query_scalar(sql).fetch_all(c).await?,
            Self::Postgres(c) => sqlx::query_scalar(sql).fetch_all(c).await?,
        })
    }

    /// Writes without a trigger, which all stand again afterwards.
    pub async fn past_every_wall(&mut self, sql: &str) -> Done<()> {
        let (before, after) = match self {
            Self::Sqlite(_) => {
                let drops = "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_master WHERE type = 'trigger'";
                let again = "SELECT sql || ';' FROM sqlite_master WHERE type = 'trigger'";
                let drops = self.texts(drops).await?.concat();
                let again = self.texts(again).await?.join("\n");
                (format!("BEGIN;{drops}"), format!("{again}COMMIT;"))
            }
            Self::Postgres(_) => (
                "SET session_replication_role = replica;".to_owned(),
                "SET session_replication_role = origin;".to_owned(),
            ),
        };
        self.run(&format!("{before}{sql}{after}")).await?;
        match self {
            Self::Sqlite(_) => Ok(()),
            // What a server does by itself while rows come one by one, and would else do while we measure.
            Self::Postgres(_) => self.run("VACUUM ANALYZE").await,
        }
    }
}

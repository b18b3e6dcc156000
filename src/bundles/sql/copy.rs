//! A copy of a target to try a change on: a private file, or a database made like the target. It is thrown away afterwards.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection};

use super::catalog::own;
use super::session::{PROGRAM, Pool, Target};
use crate::clock::Moment;
use crate::settings::Dsn;
use crate::store::postgres_options;
use crate::store::{Failure, StoreError};

/// A target that exists only while a plan is tried.
pub(super) struct Copied {
    target: Target,
    kept: Kept,
}

/// What has to be removed again.
enum Kept {
    Folder(Folder),
    Database {
        name: String,
        server: Box<PgConnectOptions>,
    },
}

/// A private folder, removed with everything in it when it goes out of scope.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "the copy of a plan could not be removed");
        }
    }
}

/// Names of copies begin like this, with the second they were made in.
const PREFIX: &str = "govdeck_plan_";
/// A copy that is older than this was left by a program that was killed.
const LEFT_SECONDS: i64 = 24 * 60 * 60;
/// The database that is there to be connected to when another is made.
const MAINTENANCE: &str = "postgres";

impl Copied {
    /// Makes the copy.
    pub async fn of(target: &Target) -> Result<Self, StoreError> {
        match &target.pool {
            Pool::Sqlite(_) => Self::file(target).await,
            Pool::Postgres(_) => {
                // In a task of its own, so that a database is never made that nobody knows the name of.
                let target = target.clone();
                let made = tokio::spawn(async move { Self::database(&target).await });
                made.await
                    .map_err(|_| StoreError::from(sqlx::Error::WorkerCrashed))?
            }
        }
    }

    /// Returns what a change is tried on.
    pub fn target(&self) -> &Target {
        &self.target
    }

    async fn file(target: &Target) -> Result<Self, StoreError> {
        let folder = Folder(std::env::temp_dir().join(fresh_name()?));
        let made = DirBuilder::new().mode(0o700).create(&folder.0);
        made.map_err(|error| not_made(&error))?;
        let path = folder.0.join("copy.db");
        // SQLite fills a file that is there and empty, and keeps its mode.
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        made.map_err(|error| not_made(&error))?;
        let Pool::Sqlite(pool) = &target.pool else {
            return Err(sqlx::Error::WorkerCrashed.into());
        };
        let shown = path.to_string_lossy().into_owned();
        let copied = sqlx::query("VACUUM INTO $1")
            .bind(shown)
            .execute(pool)
            .await;
        copied.map_err(|error| StoreError::from(error).about(&target.dsn))?;
        let dsn = Dsn::of_file(&path).map_err(|fault| not_made(&fault))?;
        Ok(Self {
            target: Target::open_with(&dsn, target.patience).await?,
            kept: Kept::Folder(folder),
        })
    }

    async fn database(target: &Target) -> Result<Self, StoreError> {
        let options = postgres_options(&target.dsn, PROGRAM)?;
        let Some(template) = options.get_database().map(str::to_owned) else {
            return Err(StoreError::new(
                Failure::Other,
                format!("the DSN {} names no database", target.dsn),
                "write the database's name into it",
            ));
        };
        let server = Box::new(options.clone().database(MAINTENANCE));
        let name = fresh_name()?;
        let mut connection = PgConnection::connect_with(&server).await?;
        sweep(&mut connection).await?;
        let sql = format!(
            "CREATE DATABASE \"{name}\" TEMPLATE \"{}\"",
            template.replace('"', "\"\"")
        );
        let made = sqlx::query(own(sql))
            .persistent(false)
            .execute(&mut connection)
            .await;
        connection.close().await?;
        made.map_err(|error| not_copied(&template, error))?;
        let pool = PgPoolOptions::new()
            .max_connections(2)
            .after_release(|_, _| Box::pin(async { Ok(false) }));
        Ok(Self {
            target: Target {
                pool: Pool::Postgres(pool.connect_lazy_with(options.database(&name))),
                ..target.clone()
            },
            kept: Kept::Database { name, server },
        })
    }

    /// Removes the copy.
    pub async fn throw_away(self) -> Result<(), StoreError> {
        self.target.close().await;
        match self.kept {
            Kept::Folder(folder) => drop(folder),
            Kept::Database { name, server } => {
                let mut connection = PgConnection::connect_with(&server).await?;
                drop_database(&mut connection, &name).await?;
                connection.close().await?;
            }
        }
        Ok(())
    }
}

async fn drop_database(connection: &mut PgConnection, name: &str) -> Result<(), StoreError> {
    let sql = format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)");
    sqlx::query(own(sql))
        .persistent(false)
        .execute(connection)
        .await?;
    Ok(())
}

/// Drops copies that a killed program has left, as far as they are ours to drop.
async fn sweep(connection: &mut PgConnection) -> Result<(), StoreError> {
    const COPIES: &str = "SELECT CAST(datname AS TEXT) FROM pg_database WHERE datname LIKE 'govdeck\\_plan\\_%' \
         AND pg_has_role(datdba, 'USAGE') ORDER BY 1";
    let found: Vec<String> = sqlx::query_scalar(COPIES)
        .persistent(false)
        .fetch_all(&mut *connection)
        .await?;
    let now = Moment::on_this_workstation().as_datetime().timestamp();
    for name in found {
        let made = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('_').next())
            .and_then(|second| second.parse::<i64>().ok());
        if made.is_some_and(|made| now - made > LEFT_SECONDS) {
            drop_database(connection, &name).await?;
        }
    }
    Ok(())
}

fn fresh_name() -> Result<String, StoreError> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| not_made(&error))?;
    let now = Moment::on_this_workstation().as_datetime().timestamp();
    Ok(format!("{PREFIX}{now}_{:016x}", u64::from_be_bytes(random)))
}

fn not_made(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::new(
        Failure::Unreachable,
        format!("the copy cannot be made: {error}"),
        "check the temporary folder, or plan in place",
    )
}

/// Says why a database could not be copied: no right to, or somebody is connected.
fn not_copied(template: &str, error: sqlx::Error) -> StoreError {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .unwrap_or_default()
        .into_owned();
    match code.as_str() {
        "42501" => StoreError::new(
            Failure::Wall,
            format!("this login may not copy the database {template}"),
            "give the login CREATEDB on the rehearsal server, or plan in place",
        ),
        "55006" => StoreError::new(
            Failure::Busy,
            format!("others are connected to the database {template}, so it cannot be copied"),
            "plan on a rehearsal database that nobody uses, or in place",
        ),
        _ => error.into(),
    }
}

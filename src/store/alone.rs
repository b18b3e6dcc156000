//! Being the only one at work on something, however many processes there are; whoever dies lets go of it.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;

use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions, Connection};

use super::view::query_scalar;
use super::{Failure, Pool, Store, StoreError};
use crate::canon::Digest;

/// Holds something for one process until it is let go of.
#[derive(Debug)]
pub struct Alone {
    held: Held,
}

#[derive(Debug)]
enum Held {
    File(File),
    Session(PgConnection),
}

impl Alone {
    /// Lets go of it, and waits until the server knows.
    pub async fn let_go(self) {
        match self.held {
            Held::File(file) => drop(file),
            // A session that cannot be ended any more has ended.
            Held::Session(session) => drop(session.close().await),
        }
    }
}

impl Store {
    /// Takes something for this process alone; none where another has it.
    ///
    /// On SQLite it is a file beside the database, and all that is taken so is one. On PostgreSQL it is a lock of a session of
    /// its own, which a pooler would hand to others: the store must have been opened past it.
    pub async fn alone(&self, what: &str) -> Result<Option<Alone>, StoreError> {
        match &self.pool {
            Pool::Sqlite(pool) => {
                let mut path = pool.connect_options().get_filename().as_os_str().to_owned();
                path.push("-alone");
                let failed = |error: std::io::Error| {
                    StoreError::new(
                        Failure::Other,
                        format!("the lock beside the database cannot be taken: {error}"),
                        "its folder must be writable",
                    )
                };
                let mut options = OpenOptions::new();
                options.write(true).create(true).truncate(false).mode(0o600);
                let file = options.open(path).map_err(failed)?;
                match file.try_lock() {
                    Ok(()) => Ok(Some(Alone {
                        held: Held::File(file),
                    })),
                    Err(TryLockError::WouldBlock) => Ok(None),
                    Err(TryLockError::Error(error)) => Err(failed(error)),
                }
            }
            Pool::Postgres(pool) => {
                let mut session = pool.connect_options().connect().await?;
                let digest = Digest::of(what.as_bytes());
                let first = digest.as_bytes().first_chunk().copied();
                let key = i64::from_be_bytes(first.unwrap_or_default());
                let is_ours: bool = query_scalar("SELECT pg_try_advisory_lock($1)")
                    .bind(key)
                    .fetch_one(&mut session)
                    .await?;
                let held = Held::Session(session);
                Ok(is_ours.then_some(Alone { held }))
            }
        }
    }
}

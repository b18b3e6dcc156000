//! Tells when the database changed, so that a picture of it can be taken anew.
//!
//! Hints come early and cheap (LISTEN/NOTIFY, a watch on the `-wal` file); polling a small counter is the floor, so a
//! lost hint costs a moment and never a change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use sqlx::SqlitePool;
use sqlx::postgres::PgListener;
use tokio::sync::Notify;

use super::view::{Session, query_scalar};
use super::{Access, Failure, Store, StoreError, postgres_options, presence, sqlite_pool};
use crate::settings::{Dsn, DsnKind};

/// How often the counter is read where hints are not to be had.
pub const POLL: Duration = Duration::from_secs(1);

/// How often it is read where they are, lest one was lost.
const FLOOR: Duration = Duration::from_secs(2);

/// A file event may precede the moment when the commit can be read; these looks follow it.
const LOOKS_AFTER_HINT: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(5),
    Duration::from_millis(50),
];

/// What brings the news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The server tells.
    Notify,
    /// The file system tells.
    FileWatch,
    /// Nobody tells; the counter is read in turns.
    Polling,
}

/// Waits for changes of one database.
pub struct Wake {
    counter: Counter,
    seen: i64,
    hint: Arc<Notify>,
    source: Source,
    /// Whether the listener has a connection.
    listening: Arc<AtomicBool>,
    _watcher: Option<notify::RecommendedWatcher>,
    listener: Option<tokio::task::JoinHandle<()>>,
}

impl std::fmt::Debug for Wake {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Wake")
            .field("seen", &self.seen)
            .field("source", &self.source())
            .finish_non_exhaustive()
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

/// Where the small change counter is read.
enum Counter {
    /// `PRAGMA data_version` belongs to a connection, and tells of everybody else's commits: whoever only looks through one
    /// lends it, and beside everybody else stands one more; with the file that it has open.
    Sqlite(SqlitePool, PathBuf, FileId),
    Postgres(Store),
}

/// Which file a name stands for: a connection reads on in the old one when another takes its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let found = std::fs::metadata(path).ok()?;
        Some(Self(found.dev(), found.ino()))
    }
}

fn replaced(path: &Path) -> StoreError {
    StoreError::new(
        Failure::Unreachable,
        format!("{} is another file than before, or gone", path.display()),
        "put the database's file back, or leave it to govdeck to open the new one",
    )
}

impl Counter {
    async fn read(&mut self) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT CAST(((SELECT seq FROM ledger_head) + (SELECT COALESCE(SUM(changes), 0) FROM change_counter)) % 4611686018427387904 AS BIGINT)";
        match self {
            Self::Sqlite(pool, path, id) => {
                if FileId::of(path) != Some(*id) {
                    return Err(replaced(path));
                }
                Ok(query_scalar("PRAGMA data_version")
                    .fetch_one(&*pool)
                    .await?)
            }
            Self::Postgres(store) => match &mut store.view().await?.session {
                Session::Postgres(t) => Ok(query_scalar(SQL).fetch_one(&mut **t).await?),
                Session::Sqlite(_) => Ok(0),
            },
        }
    }
}

impl Wake {
    /// Starts waiting; `direct` is a connection past any pooler, without which PostgreSQL is polled.
    pub async fn on(store: &Store, dsn: &Dsn, direct: Option<&Dsn>) -> Result<Self, StoreError> {
        let hint = Arc::new(Notify::new());
        let listening = Arc::new(AtomicBool::new(true));
        let mut wake = match dsn.kind() {
            DsnKind::Sqlite(path) => {
                let id = FileId::of(&path).ok_or_else(|| replaced(&path))?;
                let pool = match store.only_connection() {
                    Some(pool) => pool,
                    None => sqlite_pool(&path, Access::Read, 1).await?,
                };
                let watcher = watch_folder_of(&path, &hint);
                let source = if watcher.is_some() {
                    Source::FileWatch
                } else {
                    Source::Polling
                };
                Self {
                    counter: Counter::Sqlite(pool, path, id),
                    seen: 0,
                    hint,
                    source,
                    listening,
                    _watcher: watcher,
                    listener: None,
                }
            }
            DsnKind::Postgres => {
                let listener = match direct {
                    Some(direct) => listen(direct, &hint, &listening).await,
                    None => None,
                };
                let source = if listener.is_some() {
                    Source::Notify
                } else {
                    Source::Polling
                };
                Self {
                    counter: Counter::Postgres(store.clone()),
                    seen: 0,
                    hint,
                    source,
                    listening,
                    _watcher: None,
                    listener,
                }
            }
        };
        wake.seen = wake.counter.read().await?;
        Ok(wake)
    }

    /// Tells what brings the news now: a listener that has lost its connection brings none.
    #[must_use]
    pub fn source(&self) -> Source {
        match self.source {
            Source::Notify if !self.listening.load(Ordering::Relaxed) => Source::Polling,
            source => source,
        }
    }

    /// Waits until the database has changed since the last call.
    ///
    /// Run it in a task of its own: dropping it while it reads the counter is harmless, but wasteful.
    pub async fn changed(&mut self) -> Result<(), StoreError> {
        while !self.turn().await? {}
        Ok(())
    }

    /// Waits for one hint or one turn of polling, and tells whether the database has changed since the last call.
    ///
    /// It returns within little more than two seconds, so that its caller knows that the database still answers.
    pub async fn turn(&mut self) -> Result<bool, StoreError> {
        let patience = match self.source() {
            Source::Polling => POLL,
            Source::Notify | Source::FileWatch => FLOOR,
        };
        let looks: &[Duration] = tokio::select! {
            () = self.hint.notified() => &LOOKS_AFTER_HINT,
            () = tokio::time::sleep(patience) => &LOOKS_AFTER_HINT[..1],
        };
        for pause in looks {
            tokio::time::sleep(*pause).await;
            let now = self.counter.read().await?;
            if now != self.seen {
                self.seen = now;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn watch_folder_of(
    path: &std::path::Path,
    hint: &Arc<Notify>,
) -> Option<notify::RecommendedWatcher> {
    // The -wal file comes and goes, so its folder is watched.
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(std::path::Path::new("."));
    let wal = format!("{}-wal", path.file_name()?.to_string_lossy());
    let hint = Arc::clone(hint);
    let told = move |event: notify::Result<notify::Event>| {
        let about_wal = |path: &std::path::PathBuf| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy() == wal)
        };
        if event.is_ok_and(|event| event.paths.iter().any(about_wal)) {
            hint.notify_one();
        }
    };
    let mut watcher = notify::recommended_watcher(told).ok()?;
    watcher.watch(folder, RecursiveMode::NonRecursive).ok()?;
    Some(watcher)
}

async fn listen(
    direct: &Dsn,
    hint: &Arc<Notify>,
    listening: &Arc<AtomicBool>,
) -> Option<tokio::task::JoinHandle<()>> {
    let options = postgres_options(direct, presence::APPLICATION).ok()?;
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(1)
        .connect_lazy_with(options);
    let mut listener = subscribe(&pool).await.ok()?;
    let (hint, listening) = (Arc::clone(hint), Arc::clone(listening));
    Some(tokio::spawn(async move {
        loop {
            while let Ok(Some(_)) = listener.try_recv().await {
                hint.notify_one();
            }
            // The connection is lost; what is missed until there is another one, polling finds.
            listening.store(false, Ordering::Relaxed);
            drop(listener);
            listener = loop {
                tokio::time::sleep(POLL).await;
                if let Ok(another) = subscribe(&pool).await {
                    break another;
                }
            };
            listening.store(true, Ordering::Relaxed);
            hint.notify_one();
        }
    }))
}

async fn subscribe(pool: &sqlx::PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    // A connection that is made anew behind our back would hide that there was none.
    listener.eager_reconnect(false);
    listener.listen("govdeck").await?;
    Ok(listener)
}

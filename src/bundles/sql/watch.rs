//! Keeps an eye on a transaction of SQLite: counts rows as they change, ends what takes too long, lets nobody else commit.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnection, SqliteOperation};

use super::sqlite::MAIN;
use crate::store::StoreError;

/// How many steps of SQLite's machine lie between two looks at the clock.
const STEPS: i32 = 10_000;

/// What the hooks know, shared with whoever runs the statements.
#[derive(Debug, Default)]
pub(super) struct Watch {
    changes: Mutex<Changes>,
    deadline: Mutex<Option<Instant>>,
    may_commit: AtomicBool,
    is_given_up: AtomicBool,
}

#[derive(Debug, Default)]
pub(super) struct Changes {
    pub tables: BTreeMap<String, Change>,
    /// Rows of temporary tables, which vanish.
    pub elsewhere: u64,
}

/// Rows of one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub inserted: u64,
    pub updated: u64,
    pub deleted: u64,
    /// Rows of a rewritten table.
    pub rewritten: u64,
}

impl Change {
    /// Adds up what was told row by row.
    pub fn sum(self) -> u64 {
        self.inserted + self.updated + self.deleted
    }
}

impl Watch {
    /// Sets the hooks on a connection.
    pub async fn over(connection: &mut SqliteConnection) -> Result<Arc<Self>, StoreError> {
        let watch = Arc::new(Self::default());
        let mut handle = connection.lock_handle().await?;
        let counting = Arc::clone(&watch);
        handle.set_update_hook(move |row| counting.count(row.database, row.table, &row.operation));
        let committing = Arc::clone(&watch);
        handle.set_commit_hook(move || committing.may_commit.load(Ordering::SeqCst));
        let going_on = Arc::clone(&watch);
        handle.set_progress_handler(STEPS, move || going_on.may_go_on());
        Ok(watch)
    }

    /// Takes the hooks away again, before the connection is used for anything else.
    pub async fn lift(connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let mut handle = connection.lock_handle().await?;
        handle.remove_update_hook();
        handle.remove_commit_hook();
        handle.remove_progress_handler();
        Ok(())
    }

    /// Lets the transaction be committed from now on.
    pub fn allow_commit(&self) {
        self.may_commit.store(true, Ordering::SeqCst);
    }

    /// Ends whatever statement is running, because nobody waits for it any more.
    pub fn give_up(&self) {
        self.is_given_up.store(true, Ordering::SeqCst);
    }

    /// Limits the time of the statements from now on.
    pub fn limit(&self, time: Option<Duration>) {
        let deadline = time.and_then(|time| Instant::now().checked_add(time));
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
    }

    fn may_go_on(&self) -> bool {
        let deadline = *self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        !self.is_given_up.load(Ordering::SeqCst) && deadline.is_none_or(|end| Instant::now() < end)
    }

    /// Gives what was counted so far.
    pub fn changes(&self) -> std::sync::MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, database: &str, table: &str, operation: &SqliteOperation) {
        let mut changes = self.changes();
        if database != MAIN {
            changes.elsewhere += 1;
            return;
        }
        if !changes.tables.contains_key(table) {
            changes.tables.insert(table.to_owned(), Change::default());
        }
        let Some(change) = changes.tables.get_mut(table) else {
            return;
        };
        match operation {
            SqliteOperation::Insert => change.inserted += 1,
            SqliteOperation::Delete => change.deleted += 1,
            _ => change.updated += 1,
        }
    }

    /// Tells how many rows were told of.
    pub fn seen(&self) -> u64 {
        let changes = self.changes();
        changes
            .tables
            .values()
            .map(|change| change.sum())
            .sum::<u64>()
            + changes.elsewhere
    }
}

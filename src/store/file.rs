//! The embedded database as a file: whether it may be ours, and how it is made.
//!
//! A file is looked at before it is opened for work, because that alone can leave side files next to somebody else's
//! data. Only SQLite itself ever opens it: the system drops all locks that a process holds on a file as soon as the
//! process closes any descriptor of it, and SQLite is the only one that knows which descriptors there are.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::view::query_scalar;
use super::{Failure, StoreError};

/// Marks an SQLite file as govdeck's: "govd" in ASCII.
pub(in crate::store) const APPLICATION_ID: u32 = 0x676f_7664;

/// SQLite's code for a file whose parts do not fit together.
const DAMAGED: &str = "11";

/// The smallest page of an SQLite file, and so the smallest file.
const SMALLEST: u64 = 512;

/// Refuses a file that cannot be govdeck's, and one that is not there; an empty one may become ours.
pub(in crate::store) async fn refuse_foreign(path: &Path) -> Result<(), StoreError> {
    let shown = path.display();
    let length = match std::fs::metadata(path) {
        Ok(found) if found.is_file() => found.len(),
        Ok(_) => {
            return Err(StoreError::unusable(
                format!("{shown} is not a file"),
                "point `dsn` at a database file",
            ));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(StoreError::unusable(
                format!("there is no database at {shown}"),
                "put it back, or point `dsn` at yours; `govdeck init` makes a new one",
            ));
        }
        Err(error) => return Err(cannot_be("read", path, &error)),
    };
    if length == 0 {
        return Ok(());
    }
    if length < SMALLEST {
        return Err(StoreError::unusable(
            format!("{shown} is no SQLite database"),
            "point `dsn` at another file, or move this one away",
        ));
    }
    match application_id(path).await {
        Ok(id) if id == i64::from(APPLICATION_ID) => Ok(()),
        Ok(_) => Err(StoreError::unusable(
            format!("{shown} belongs to another program"),
            "point `dsn` at a database of govdeck's",
        )),
        // In the middle of a checkpoint the file alone may look damaged; together with its log it is whole.
        Err(sqlx::Error::Database(said)) if said.code().as_deref() == Some(DAMAGED) => Ok(()),
        Err(error) => {
            let error = StoreError::from(error);
            Err(StoreError {
                sentence: format!("{shown}: {}", error.sentence),
                ..error
            })
        }
    }
}

/// Reads whose file it is, without locks and side files: as if nobody ever wrote to it.
async fn application_id(path: &Path) -> Result<i64, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(true);
    let mut connection = options.connect().await?;
    let id = query_scalar("PRAGMA application_id")
        .fetch_one(&mut connection)
        .await;
    connection.close().await?;
    id
}

/// Makes an empty file that only its owner may read, in a folder of the same kind; an empty one that is there becomes so.
pub(in crate::store) async fn create_private(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
    {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| cannot_be("made", folder, &error))?;
    }
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            refuse_foreign(path).await?;
            if std::fs::metadata(path).is_ok_and(|found| found.len() == 0) {
                let private = std::fs::set_permissions(path, Permissions::from_mode(0o600));
                private.map_err(|error| cannot_be("made private", path, &error))?;
            }
            Ok(())
        }
        Err(error) => Err(cannot_be("made", path, &error)),
    }
}

fn cannot_be(what: &str, path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::new(
        Failure::Unreachable,
        format!("{} cannot be {what}: {error}", path.display()),
        "check the path and its permissions",
    )
}

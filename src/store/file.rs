//! The embedded database as a file: whether it may be ours, and how it is made.
//!
//! A file is looked at before SQLite opens it for work, because that alone can leave side files next to somebody else's
//! data. Whatever is opened to look stays open: the system drops all locks that a process holds on a file as soon as the
//! process closes any descriptor of it.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::{Failure, StoreError};

/// Marks an SQLite file as govdeck's: "govd" in ASCII.
pub(in crate::store) const APPLICATION_ID: u32 = 0x676f_7664;

/// What every SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Where in the file it says which program it belongs to.
const OWNER: std::ops::Range<usize> = 68..72;

/// How long SQLite's header is.
const HEADER: usize = 100;

/// The files that were looked at, by device and inode; none of them is ever closed.
static LOOKED_AT: Mutex<BTreeMap<(u64, u64), File>> = Mutex::new(BTreeMap::new());

/// The smallest page of an SQLite file, and so the smallest file.
const SMALLEST: u64 = 512;

/// Refuses a file that cannot be govdeck's, and one that is not there; an empty one may become ours.
pub(in crate::store) fn refuse_foreign(path: &Path) -> Result<(), StoreError> {
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
    let no_database = || {
        StoreError::unusable(
            format!("{shown} is no SQLite database"),
            "point `dsn` at another file, or move this one away",
        )
    };
    if length < SMALLEST {
        return Err(no_database());
    }
    let header = header(path).map_err(|error| cannot_be("read", path, &error))?;
    if !header.starts_with(MAGIC) {
        return Err(no_database());
    }
    if header[OWNER] != APPLICATION_ID.to_be_bytes() {
        return Err(StoreError::unusable(
            format!("{shown} belongs to another program"),
            "point `dsn` at a database of govdeck's",
        ));
    }
    Ok(())
}

/// Reads how a file begins, through the one descriptor that stays open for it.
fn header(path: &Path) -> io::Result<[u8; HEADER]> {
    let mut header = [0; HEADER];
    let mut looked_at = LOOKED_AT.lock().unwrap_or_else(PoisonError::into_inner);
    let found = std::fs::metadata(path)?;
    let known = looked_at.get(&(found.dev(), found.ino()));
    if let Some(file) = known {
        file.read_exact_at(&mut header, 0)?;
        return Ok(header);
    }
    let file = File::open(path)?;
    let opened = file.metadata()?;
    let read = file.read_exact_at(&mut header, 0);
    looked_at
        .entry((opened.dev(), opened.ino()))
        .or_insert(file);
    read.map(|()| header)
}

/// Makes an empty file that only its owner may read, in a folder of the same kind; an empty one that is there becomes so.
pub(in crate::store) fn create_private(path: &Path) -> Result<(), StoreError> {
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
            refuse_foreign(path)?;
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

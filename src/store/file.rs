//! The embedded database as a file: whether it may be ours, and how it is made.
//!
//! A file is looked at before SQLite opens it, because opening alone can leave side files next to somebody else's data.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{Failure, StoreError};

/// Marks an SQLite file as govdeck's: "govd" in ASCII.
pub(in crate::store) const APPLICATION_ID: u32 = 0x676f_7664;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEADER_BYTES: u64 = 100;
/// Where the header keeps the application id, most significant byte first.
const APPLICATION_ID_AT: usize = 68;

/// Refuses a file that cannot be govdeck's, and one that is not there.
pub(in crate::store) fn refuse_foreign(path: &Path) -> Result<(), StoreError> {
    let header = match read_header(path) {
        Ok(header) => header,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(StoreError::unusable(
                format!("there is no database at {}", path.display()),
                "`govdeck init` makes one, or point `dsn` at yours",
            ));
        }
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            return Err(StoreError::unusable(
                format!("{} is not a file", path.display()),
                "point `dsn` at a database file",
            ));
        }
        Err(error) => return Err(cannot_be("read", path, &error)),
    };
    if header.is_empty() {
        return Ok(());
    }
    if !header.starts_with(MAGIC) {
        return Err(StoreError::unusable(
            format!("{} is no SQLite database", path.display()),
            "point `dsn` at another file, or move this one away",
        ));
    }
    let id = header.get(APPLICATION_ID_AT..APPLICATION_ID_AT + 4);
    // What was just made may still stand in the -wal file alone; then SQLite is asked.
    if id != Some(&APPLICATION_ID.to_be_bytes()[..]) && !has_a_log(path) {
        return Err(StoreError::unusable(
            format!("{} belongs to another program", path.display()),
            "point `dsn` at a database of govdeck's",
        ));
    }
    Ok(())
}

fn read_header(path: &Path) -> std::io::Result<Vec<u8>> {
    // Asked first: opening a named pipe would wait for somebody to write into it.
    if !std::fs::metadata(path)?.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    let mut header = Vec::new();
    File::open(path)?
        .take(HEADER_BYTES)
        .read_to_end(&mut header)?;
    Ok(header)
}

fn has_a_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(PathBuf::from(log)).is_ok_and(|found| found.len() > 0)
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

//! Files of a story, below a governance root of its own beside the database.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::store::{Failure, StoreError};

/// The manifest of the replay.
pub(super) const REPLAY: &str = "replay.json";

/// Returns the governance root of the demo in a file.
#[must_use]
pub fn root_of(database: &Path) -> PathBuf {
    database.with_extension("files")
}

/// Makes the root, which only its owner may look into.
pub(super) fn make(root: &Path) -> Result<(), StoreError> {
    let made = fs::DirBuilder::new().mode(0o700).create(root);
    made.map_err(|error| about(root, &error))
}

/// Reads a file.
pub(super) fn read(root: &Path, path: &str) -> Result<Vec<u8>, StoreError> {
    let path = root.join(path);
    fs::read(&path).map_err(|error| about(&path, &error))
}

/// Lets a file land; one that was there is replaced at once.
pub(super) fn land(root: &Path, path: &str, text: &str) -> Result<(), StoreError> {
    let wanted = root.join(path);
    let landed = (|| {
        fs::create_dir_all(wanted.parent().unwrap_or(root))?;
        let half = wanted.with_extension("part");
        fs::write(&half, text)?;
        fs::rename(&half, &wanted)
    })();
    landed.map_err(|error| about(&wanted, &error))
}

/// Says what became of a file.
pub(super) fn about(path: &Path, error: &io::Error) -> StoreError {
    StoreError::new(
        Failure::Other,
        format!("{}: {error}", path.display()),
        "the demo keeps its files beside its database: begin another one",
    )
}

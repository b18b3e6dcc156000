//! A folder that is a rehearsal's alone, and gone after it; what a killed one has left goes before the next.

use std::fs::{DirBuilder, File, OpenOptions, read_dir, remove_dir_all, symlink_metadata};
use std::io::Error;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::actions::random_id;
use crate::store::{Failure, StoreError};

const PREFIX: &str = "govdeck_rehearsal_";
/// Whoever has locked it still works there.
const LOCK: &str = "lock";

/// A folder that only its owner may look into, removed with everything in it when it goes out of scope.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    pub(super) fn make() -> Result<Self, StoreError> {
        let above = std::env::temp_dir();
        sweep(&above);
        let path = above.join(format!("{PREFIX}{}", random_id()?));
        let made = || {
            DirBuilder::new().mode(0o700).create(&path)?;
            let lock = private(&path.join(LOCK))?;
            lock.lock()?;
            Ok(lock)
        };
        let made: Result<File, Error> = made();
        let lock = made.map_err(|error| {
            StoreError::new(
                Failure::Unreachable,
                format!("no folder for the rehearsal can be made: {error}"),
                "check the temporary folder",
            )
        })?;
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = remove_dir_all(&self.path) {
            tracing::warn!(folder = %self.path.display(), %error, "what a rehearsal needed could not be removed");
        }
    }
}

/// Makes a file that only its owner may read.
pub(super) fn private(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

/// Removes the folders of rehearsals that were killed: they are ours, and nobody holds their lock.
fn sweep(above: &Path) {
    let Ok(entries) = read_dir(above) else { return };
    let ours = nix::unistd::geteuid().as_raw();
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        let is_named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let is_ours = is_named
            && symlink_metadata(&path).is_ok_and(|found| found.is_dir() && found.uid() == ours);
        if is_ours && File::open(path.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok()) {
            let swept = remove_dir_all(&path);
            tracing::info!(?path, ?swept, "a rehearsal was killed there");
        }
    }
}

//! What one console leaves for the next: which entry was seen last, and that the card for a newcomer was read.

use std::io;
use std::path::Path;

/// Keeps something in a file that is its owner's alone; where that cannot be, only the log says so.
pub(super) fn keep(path: Option<&Path>, what: &[u8]) {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let Some(path) = path else {
        return;
    };
    let write = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let mut options = std::fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        io::Write::write_all(&mut file, what)
    };
    if let Err(error) = write() {
        tracing::warn!(%error, "what was seen cannot be kept");
    }
}

/// Reads which entry was seen last.
pub(super) fn remembered(path: &Path) -> Option<i64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

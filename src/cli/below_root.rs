//! Files below the governance root, which verbs of the database name and hash: no way out, no waiting.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::canon::{self, Digest};
use crate::rules::release::stays_below;

/// Hashes a file by its path from the root, or says why it cannot be.
///
/// Nothing on the way may be a symbolic link, and what is there must be a plain file: a pipe could keep us waiting.
pub(super) fn hash(root: &Path, path: &str) -> Result<Digest, String> {
    let about = |error: std::io::Error| format!("{path}: {error}");
    canon::hash_file(open(root, path)?).map_err(about)
}

fn open(root: &Path, path: &str) -> Result<File, String> {
    if !stays_below(path) {
        return Err(format!("{path:?} is no path below the governance root"));
    }
    let about = |error: std::io::Error| format!("{path}: {error}");
    let root = root.canonicalize().map_err(about)?;
    let wanted = root.join(path);
    if wanted.canonicalize().map_err(about)? != wanted {
        return Err(format!("{path} leads through a symbolic link"));
    }
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(flags).open(&wanted);
    let file = file.map_err(about)?;
    if !file.metadata().map_err(about)?.is_file() {
        return Err(format!("{path} is not a file"));
    }
    Ok(file)
}

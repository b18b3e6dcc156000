//! Files below the governance root, named by what the database or a manifest says: no way out, no waiting.

use std::fs::{DirBuilder, File, OpenOptions, rename};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::canon::{self, Digest};
use crate::rules::release::stays_below;

/// Hashes a file by its path from the root, or says why it cannot be.
///
/// Nothing on the way may be a symbolic link, and what is there must be a plain file: a pipe could keep us waiting.
pub fn hash(root: &Path, path: &str) -> Result<Digest, String> {
    let about = |error: std::io::Error| format!("{path}: {error}");
    canon::hash_file(open(root, path)?).map_err(about)
}

/// Reads a file of at most so many bytes, or says why it cannot be.
pub fn read(root: &Path, path: &str, most: u64) -> Result<Vec<u8>, String> {
    let about = |error: std::io::Error| format!("{path}: {error}");
    let mut bytes = Vec::new();
    let file = open(root, path)?;
    let mut limited = file.take(most.saturating_add(1));
    limited.read_to_end(&mut bytes).map_err(about)?;
    if u64::try_from(bytes.len()).is_ok_and(|read| read > most) {
        return Err(format!("{path} is larger than {most} bytes"));
    }
    Ok(bytes)
}

/// Writes a file that is named by its own hash, whole or not at all; one that is there already is the same.
pub(super) fn write_once(root: &Path, path: &str, bytes: &[u8]) -> Result<(), String> {
    if !stays_below(path) {
        return Err(format!("{path:?} is no path below the governance root"));
    }
    let about = |error: std::io::Error| format!("{path}: {error}");
    let wanted = root.join(path);
    let half = wanted.with_extension(format!("{}.part", std::process::id()));
    if let Some(folder) = wanted.parent() {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(folder);
        made.map_err(about)?;
    }
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = file.open(&half).map_err(about)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.and_then(|()| rename(&half, &wanted)).map_err(about)
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

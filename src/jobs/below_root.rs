//! Files below the governance root, named by what the database or a manifest says: no way out, no waiting.

use std::fs::{DirBuilder, File, OpenOptions, read_dir, remove_file, rename};
use std::io::{Error, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::canon::{self, Digest};
use crate::rules::release::stays_below;

/// How the names of files end that are not whole yet.
const HALF: &str = "part";
/// How often a file is begun anew.
const ATTEMPTS: u32 = 3;

/// Hashes a file by its path from the root, or says why it cannot be.
///
/// Nothing on the way may be a symbolic link, and what is there must be a plain file: a pipe could keep us waiting.
pub fn hash(root: &Path, path: &str) -> Result<Digest, String> {
    let about = |error: Error| format!("{path}: {error}");
    canon::hash_file(open(root, path)?).map_err(about)
}

/// Reads a file of at most so many bytes, or says why it cannot be.
pub fn read(root: &Path, path: &str, most: u64) -> Result<Vec<u8>, String> {
    let about = |error: Error| format!("{path}: {error}");
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
    let about = |error: Error| format!("{path}: {error}");
    let wanted = root.join(path);
    let folder = wanted.parent().unwrap_or(root);
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(folder);
    made.map_err(about)?;
    let mut attempt = 1;
    loop {
        match write_and_rename(&wanted, bytes) {
            // Somebody swept it away before it was locked.
            Err(error) if error.kind() == ErrorKind::NotFound && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(about(error)),
            Ok(()) => break,
        }
    }
    // Without it the name could be gone after a power cut, while the database names it.
    let folder = File::open(folder).and_then(|folder| folder.sync_all());
    folder.map_err(about)
}

fn write_and_rename(wanted: &Path, bytes: &[u8]) -> Result<(), Error> {
    let half = wanted.with_extension(format!("{}.{HALF}", std::process::id()));
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600);
    let mut file = file.open(&half)?;
    // Whoever holds the lock still writes: nobody sweeps it away.
    file.lock()?;
    file.set_len(0)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    rename(&half, wanted)
}

/// Removes what processes that were killed had half written in a folder.
pub(super) fn sweep(root: &Path, folder: &str) {
    let Ok(entries) = read_dir(root.join(folder)) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        let is_half = path.extension().is_some_and(|ending| ending == HALF);
        if is_half && File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            let swept = remove_file(&path);
            tracing::info!(?path, ?swept, "a file was half written");
        }
    }
}

/// Lists the names in a folder, sorted, or says why it cannot be.
pub fn names(root: &Path, folder: &str) -> Result<Vec<String>, String> {
    let about = |error: Error| format!("{folder}: {error}");
    let mut names = Vec::new();
    for entry in read_dir(below(root, folder)?).map_err(about)? {
        let name = entry.map_err(about)?.file_name().into_string();
        names.push(name.map_err(|name| {
            let shown = name.to_string_lossy();
            format!("{folder}: the name {shown:?} is not UTF-8")
        })?);
    }
    names.sort_unstable();
    Ok(names)
}

/// Finds what a path from the root leads to, and refuses to follow symbolic links.
fn below(root: &Path, path: &str) -> Result<PathBuf, String> {
    if !stays_below(path) {
        return Err(format!("{path:?} is no path below the governance root"));
    }
    let about = |error: Error| format!("{path}: {error}");
    let root = root.canonicalize().map_err(about)?;
    let wanted = root.join(path);
    if wanted.canonicalize().map_err(about)? != wanted {
        return Err(format!("{path} leads through a symbolic link"));
    }
    Ok(wanted)
}

fn open(root: &Path, path: &str) -> Result<File, String> {
    let about = |error: Error| format!("{path}: {error}");
    let wanted = below(root, path)?;
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(flags).open(&wanted);
    let file = file.map_err(about)?;
    if !file.metadata().map_err(about)?.is_file() {
        return Err(format!("{path} is not a file"));
    }
    Ok(file)
}

//! `govdeck canon` and `govdeck hash`: files in, canonical bytes or 64 hexadecimal digits out.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::page::{Exit, Failure, Page};
use crate::canon::{self, Digest, JsonError};

/// The largest text that is read; a larger one is refused before memory is.
const MOST_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Prints the RFC 8785 form of one JSON text.
#[derive(Debug, Args)]
pub(super) struct Canon {
    /// The JSON text; standard input when left out.
    file: Option<PathBuf>,
}

impl Canon {
    pub(super) fn run(self) -> Result<Page, Failure> {
        let canonical = hashed(self.file.as_deref(), canon::canonical_to_write)?;
        Ok(Page::written(move |out| canonical.write_to(out)))
    }
}

/// Hashes rows, a key set, or a file.
#[derive(Debug, Subcommand)]
pub(super) enum Hash {
    /// Hash a JSON array of metric rows: `publish_tuple_hash`, `source_tuple_hash`.
    Tuple(Input),
    /// Hash the key set of an export: `keyset_sha256`.
    Keyset(Input),
    /// Hash the bytes of a file: `export_sha256`.
    File(Input),
}

/// What is hashed.
#[derive(Debug, Args)]
pub(super) struct Input {
    /// The file; standard input when left out.
    file: Option<PathBuf>,
}

impl Hash {
    pub(super) fn run(self) -> Result<Page, Failure> {
        let (of, digest) = match self {
            Self::Tuple(input) => ("tuple", hashed(input.file.as_deref(), canon::tuple_hash)?),
            Self::Keyset(input) => (
                "keyset",
                hashed(input.file.as_deref(), |bytes| canon::keyset_hash(&bytes))?,
            ),
            Self::File(input) => ("file", hash_file(input.file.as_deref())?),
        };
        Ok(Page::new(
            Exit::Done,
            vec![digest.to_string()],
            "hash",
            json!({"of": of, "sha256": digest}),
        ))
    }
}

/// Reads a JSON text and works on it; what is wrong with it is told with the file's name.
fn hashed<T>(
    path: Option<&Path>,
    work: impl FnOnce(Vec<u8>) -> Result<T, JsonError>,
) -> Result<T, Failure> {
    work(read(path)?)
        .map_err(|error| Failure::of_json(path.unwrap_or(Path::new("standard input")), &error))
}

fn hash_file(path: Option<&Path>) -> Result<Digest, Failure> {
    let hashed = match path {
        Some(path) => open(path).and_then(|file| {
            canon::hash_file(file).map_err(|error| Failure::of_file(path, &error))
        })?,
        None => canon::hash_file(std::io::stdin().lock())
            .map_err(|error| Failure::of_file(Path::new("standard input"), &error))?,
    };
    Ok(hashed)
}

/// Opens a regular file; a pipe or a device could keep us waiting for ever.
fn open(path: &Path) -> Result<File, Failure> {
    let found = std::fs::metadata(path).map_err(|error| Failure::of_file(path, &error))?;
    if !found.is_file() {
        return Err(Failure::new(
            Exit::BadInput,
            format!("{} is not a file", path.display()),
            "give a file, or pipe it in",
        ));
    }
    File::open(path).map_err(|error| Failure::of_file(path, &error))
}

/// Reads a whole file, or standard input.
pub(super) fn read(path: Option<&Path>) -> Result<Vec<u8>, Failure> {
    read_at_most(MOST_BYTES, path)
}

/// Reads a whole file, or standard input, that has no more bytes than these.
pub(super) fn read_at_most(most: u64, path: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let (name, mut source): (&Path, Box<dyn Read>) = match path {
        Some(path) => (path, Box::new(open(path)?)),
        None => (
            Path::new("standard input"),
            Box::new(std::io::stdin().lock()),
        ),
    };
    let size = path
        .and_then(|path| std::fs::metadata(path).ok())
        .map_or(0, |found| found.len().min(most));
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    let read = source
        .by_ref()
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::of_file(name, &error))?;
    if read as u64 > most {
        return Err(Failure::new(
            Exit::BadInput,
            format!("{} is larger than {}", name.display(), size_words(most)),
            "split it",
        ));
    }
    Ok(bytes)
}

fn size_words(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    if bytes >= 1024 * MIB {
        format!("{} GiB", bytes / MIB / 1024)
    } else {
        format!("{} MiB", bytes / MIB)
    }
}

//! The keys of an export with all their types at hand, or every key that no path can be made of.

use super::Integers;
use super::digest::Digest;
use super::error::{JsonError, Reason};
use super::keyset::{Listing, Types, no_key, walk};
use super::scan::{Scan, Scanner};
use super::texts::Texts;
use super::tree::{BadKeys, NoPaths};

/// Holds the dotted paths of an export, sorted by their UTF-8 bytes, each with the types it was met with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportKeys {
    paths: Texts,
    types: Vec<Types>,
}

/// Says why an export has no keys to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoKeys {
    /// It is not strict JSON, no export, or has no key at all.
    NoExport(JsonError),
    /// Some of its keys stand twice or contain a dot.
    BadKeys {
        /// The first hundred of each reason, in their order in the text.
        told: Vec<BadKey>,
        /// How many further ones there are of each reason.
        further: [(Reason, usize); 2],
    },
}

/// Names a key that no path can be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadKey {
    /// Its path, cut when it is very long.
    pub path: String,
    /// What is wrong and where.
    pub error: JsonError,
}

impl ExportKeys {
    /// Flattens an export as [`keyset`](super::keyset) does, and tells every bad key instead of the first.
    pub fn of(input: &[u8]) -> Result<Self, NoKeys> {
        let (mut paths, mut types) = (Texts::default(), Vec::new());
        let flattened = flatten(input, BadKeys::AreNoted, |path, found| {
            paths.push(path);
            types.push(found);
        });
        match flattened {
            Ok(Ok(())) => Ok(Self { paths, types }),
            Ok(Err(NoPaths { told, further })) => Err(NoKeys::BadKeys { told, further }),
            Err(fault) => Err(NoKeys::NoExport(fault.into())),
        }
    }

    /// Counts the paths; there is always one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.paths.len()
    }

    /// Gives the path of a place in the order, which is empty beyond the last.
    #[must_use]
    pub fn path(&self, place: usize) -> &str {
        self.paths.get(place)
    }

    /// Gives the types of a place in the order, which are none beyond the last.
    #[must_use]
    pub fn types(&self, place: usize) -> Types {
        self.types.get(place).copied().unwrap_or_default()
    }

    /// Finds the place of a path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<usize> {
        self.paths.find(path)
    }

    /// Hashes the key set: `keyset_sha256`.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let mut listing = Listing::default();
        for place in 0..self.count() {
            listing.add_all(self.path(place), self.types(place));
        }
        listing.finish()
    }
}

/// Calls back once a path of an export, sorted by their UTF-8 bytes; the calls are void when it has none or bad keys.
pub(super) fn flatten(
    input: &[u8],
    bad_keys: BadKeys,
    mut each: impl FnMut(&str, Types),
) -> Scan<Result<(), NoPaths>> {
    let scanner = Scanner::new(input, Integers::Exact)?;
    let at = scanner.at();
    let (scanner, tree) = walk(scanner, bad_keys)?;
    let mut is_empty = true;
    let paths = tree.paths(|path, types| {
        is_empty = false;
        each(path, types);
    })?;
    if is_empty && paths.is_ok() {
        return Err(no_key(&scanner, at));
    }
    Ok(paths)
}

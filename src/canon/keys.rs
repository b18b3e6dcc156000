//! The keys of an export with all their types at hand, or every key that no path can be made of.

use super::Integers;
use super::digest::Digest;
use super::error::{JsonError, Reason};
use super::keyset::{Listing, Types, no_key, walk};
use super::scan::{Scan, Scanner};
use super::tree::{BadKeys, NoPaths, Paths};

/// Holds the dotted paths of an export, sorted by their UTF-8 bytes, each with the types it was met with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportKeys {
    spelt: String,
    /// Where each path ends in the text of all; it begins where the one before ends.
    ends: Vec<u32>,
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
        match flatten(input) {
            Ok(Ok(paths)) => Ok(Self::listed(&paths)),
            Ok(Err(NoPaths { told, further })) => Err(NoKeys::BadKeys { told, further }),
            Err(fault) => Err(NoKeys::NoExport(fault.into())),
        }
    }

    fn listed(paths: &Paths<'_>) -> Self {
        let mut keys = Self {
            spelt: String::with_capacity(paths.spelt()),
            ends: Vec::with_capacity(paths.len()),
            types: Vec::with_capacity(paths.len()),
        };
        paths.each(|path, types| {
            keys.spelt.push_str(path);
            // All paths together are far shorter than what does not fit.
            keys.ends
                .push(u32::try_from(keys.spelt.len()).unwrap_or(u32::MAX));
            keys.types.push(types);
        });
        keys
    }

    /// Counts the paths; there is always one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// Gives the path of a place in the order, which is empty beyond the last.
    #[must_use]
    pub fn path(&self, place: usize) -> &str {
        let end = |place: usize| self.ends.get(place).map_or(0, |end| *end as usize);
        let start = place.checked_sub(1).map_or(0, end);
        self.spelt.get(start..end(place)).unwrap_or_default()
    }

    /// Gives the types of a place in the order, which are none beyond the last.
    #[must_use]
    pub fn types(&self, place: usize) -> Types {
        self.types.get(place).copied().unwrap_or_default()
    }

    /// Finds the place of a path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low.midpoint(high);
            match self.path(middle).cmp(path) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
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

fn flatten(input: &[u8]) -> Scan<Result<Paths<'_>, NoPaths>> {
    let scanner = Scanner::new(input, Integers::Exact)?;
    let at = scanner.at();
    let (scanner, tree) = walk(scanner, BadKeys::AreNoted)?;
    let paths = tree.into_paths_or_notes()?;
    if paths.as_ref().is_ok_and(Paths::is_empty) {
        return Err(no_key(&scanner, at));
    }
    Ok(paths)
}

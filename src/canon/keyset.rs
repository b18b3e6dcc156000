//! The key set of an export: which dotted paths it has, and of which JSON types.

use super::digest::{Digest, Hasher};
use super::error::{Fault, JsonError, Reason};
use super::keys;
use super::scan::{Scan, Scanner, Start};
use super::string::write_text;
use super::tree::{BadKeys, ROOT, Tree};

/// Names the type of a leaf; the order is that of the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JsonType {
    /// An empty array, or one that does not hold objects only.
    Array,
    /// `true` or `false`.
    Boolean,
    /// `null`.
    Null,
    /// A number.
    Number,
    /// An empty object.
    Object,
    /// A string.
    String,
}

impl JsonType {
    pub(super) const ALL: [Self; 6] = [
        Self::Array,
        Self::Boolean,
        Self::Null,
        Self::Number,
        Self::Object,
        Self::String,
    ];

    /// Gives the name that goes into the hash.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Array => "array",
            Self::Boolean => "boolean",
            Self::Null => "null",
            Self::Number => "number",
            Self::Object => "object",
            Self::String => "string",
        }
    }

    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Holds the types that one path was met with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Types(u8);

impl Types {
    pub(super) fn of_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Tells whether a type is one of them.
    #[must_use]
    pub fn has(self, kind: JsonType) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Gives those that are not this type.
    #[must_use]
    pub fn without(self, kind: JsonType) -> Self {
        Self(self.0 & !kind.bit())
    }

    /// Tells how many there are.
    #[must_use]
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Lists them in the order of their names.
    pub fn each(self) -> impl Iterator<Item = JsonType> {
        JsonType::ALL
            .into_iter()
            .filter(move |kind| self.has(*kind))
    }
}

/// Holds the sorted, unique list of dotted paths and types of an export.
#[derive(Debug, Clone)]
pub struct Keyset {
    spelt: String,
    leaves: Vec<Leaf>,
}

/// Places a path in the text of all paths, and names one of its types.
#[derive(Debug, Clone)]
struct Leaf {
    start: usize,
    end: usize,
    kind: JsonType,
}

impl Keyset {
    /// Lists the paths with their types, sorted by the path's UTF-8 bytes, then the type's name.
    #[must_use]
    pub fn keys(&self) -> impl ExactSizeIterator<Item = (&str, JsonType)> {
        self.leaves
            .iter()
            .map(|leaf| (&self.spelt[leaf.start..leaf.end], leaf.kind))
    }

    /// Hashes the canonical JSON array of `[path, type]` arrays.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let mut listing = Listing::default();
        for (path, kind) in self.keys() {
            listing.add(path, kind);
        }
        listing.finish()
    }
}

/// Hashes the canonical list of paths and types while these come.
#[derive(Debug, Default)]
pub(super) struct Listing {
    hasher: Hasher,
    line: Vec<u8>,
    is_begun: bool,
}

impl Listing {
    pub(super) fn add_all(&mut self, path: &str, types: Types) {
        for kind in types.each() {
            self.add(path, kind);
        }
    }

    fn add(&mut self, path: &str, kind: JsonType) {
        self.line.clear();
        let mark = if self.is_begun { b',' } else { b'[' };
        self.line.extend_from_slice(&[mark, b'[']);
        write_text(path, &mut self.line);
        self.line.extend_from_slice(b",\"");
        self.line.extend_from_slice(kind.name().as_bytes());
        self.line.extend_from_slice(b"\"]");
        self.hasher.update(&self.line);
        self.is_begun = true;
    }

    pub(super) fn finish(mut self) -> Digest {
        self.hasher
            .update(if self.is_begun { &b"]"[..] } else { b"[]" });
        self.hasher.finish()
    }
}

impl PartialEq for Keyset {
    fn eq(&self, other: &Self) -> bool {
        self.keys().eq(other.keys())
    }
}

impl Eq for Keyset {}

/// Flattens an export, an object or an array of objects, to its key set.
///
/// Objects inside arrays use the array's path. An empty object and an empty array are leaves, and
/// so is an array that holds anything but objects; an export without any leaf is refused.
pub fn keyset(input: &[u8]) -> Result<Keyset, JsonError> {
    let (mut spelt, mut leaves) = (String::new(), Vec::new());
    flatten(input, |path, types| {
        let start = spelt.len();
        spelt.push_str(path);
        let end = spelt.len();
        leaves.extend(types.each().map(|kind| Leaf { start, end, kind }));
    })?;
    Ok(Keyset { spelt, leaves })
}

/// Hashes the key set of an export as [`Keyset::hash`] does, without holding a copy of its paths.
pub fn keyset_hash(input: &[u8]) -> Result<Digest, JsonError> {
    let mut listing = Listing::default();
    flatten(input, |path, types| listing.add_all(path, types))?;
    Ok(listing.finish())
}

fn flatten(input: &[u8], each: impl FnMut(&str, Types)) -> Result<(), JsonError> {
    match keys::flatten(input, BadKeys::EndTheWalk, each)? {
        Ok(()) => Ok(()),
        Err(paths) => paths.told.into_iter().try_for_each(|bad| Err(bad.error)),
    }
}

/// Walks an export to its end; what is not strict JSON, and no export, is refused.
pub(super) fn walk(mut scanner: Scanner<'_>, bad_keys: BadKeys) -> Scan<(Scanner<'_>, Tree<'_>)> {
    let start = scanner.peek()?;
    let at = scanner.at();
    let mut tree = Tree::new(scanner.clone(), bad_keys);
    match start {
        Start::Object => {
            tree.object(&mut scanner, ROOT)?;
        }
        Start::Array => scanner.elements(|scanner| match scanner.peek()? {
            Start::Object => tree.object(scanner, ROOT).map(|_| ()),
            _ => Err(malformed(
                scanner,
                scanner.at(),
                "an element of the export that is not an object",
            )),
        })?,
        _ => {
            let what = "expected an object or an array of objects";
            return Err(malformed(&scanner, at, what));
        }
    }
    scanner.clone().finish()?;
    Ok((scanner, tree))
}

/// Refuses an export that nothing could be compared of.
#[cold]
pub(super) fn no_key(scanner: &Scanner<'_>, at: usize) -> Fault {
    malformed(scanner, at, "an export without a single key")
}

#[cold]
fn malformed(scanner: &Scanner<'_>, at: usize, what: &str) -> Fault {
    scanner.refusal(at, Reason::Malformed, what)
}

//! The key set of an export: which dotted paths it has, and of which JSON types.

use super::Integers;
use super::digest::{Digest, Hasher};
use super::error::{Fault, JsonError, Reason};
use super::scan::{Scanner, Start};
use super::string::escaped;
use super::tree::{Paths, ROOT, Tree};

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
struct Listing {
    hasher: Hasher,
    line: Vec<u8>,
    is_begun: bool,
}

impl Listing {
    fn add(&mut self, path: &str, kind: JsonType) {
        self.line.clear();
        let mark = if self.is_begun { b',' } else { b'[' };
        self.line.extend_from_slice(&[mark, b'[', b'"']);
        escaped(path, &mut self.line);
        self.line.extend_from_slice(b"\",\"");
        self.line.extend_from_slice(kind.name().as_bytes());
        self.line.extend_from_slice(b"\"]");
        self.hasher.update(&self.line);
        self.is_begun = true;
    }

    fn finish(mut self) -> Digest {
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
    flatten(input)?.each(|path, kind| {
        let start = spelt.len();
        spelt.push_str(path);
        let end = spelt.len();
        leaves.push(Leaf { start, end, kind });
    });
    Ok(Keyset { spelt, leaves })
}

/// Hashes the key set of an export as [`Keyset::hash`] does, without holding a copy of its paths.
pub fn keyset_hash(input: &[u8]) -> Result<Digest, JsonError> {
    let mut listing = Listing::default();
    flatten(input)?.each(|path, kind| listing.add(path, kind));
    Ok(listing.finish())
}

fn flatten(input: &[u8]) -> Result<Paths<'_>, JsonError> {
    let mut scanner = Scanner::new(input, Integers::Exact)?;
    let start = scanner.peek()?;
    let at = scanner.at();
    let mut tree = Tree::new(scanner.clone());
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
            return Err(
                malformed(&scanner, at, "expected an object or an array of objects").into(),
            );
        }
    }
    scanner.clone().finish()?;
    let paths = tree.into_paths()?;
    if paths.is_empty() {
        return Err(malformed(&scanner, at, "an export without a single key").into());
    }
    Ok(paths)
}

#[cold]
fn malformed(scanner: &Scanner<'_>, at: usize, what: &str) -> Fault {
    scanner.refusal(at, Reason::Malformed, what)
}

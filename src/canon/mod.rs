//! Canonical JSON and the hashes made of it.
//!
//! This floor is for everything that two parties must be able to recompute and find equal: the
//! RFC 8785 form of a JSON text or a typed value, the hash of a set of metric rows, the hash of an
//! export's key set, the hash of a file. Reading is strict, because a text that two readers
//! understand differently must not get a hash: equal keys, lone surrogates, numbers beyond a
//! double and the like are refused with line and column.
//!
//! It imports nothing else of the project. It never opens a file, asks for the time, decides
//! anything, or repairs what it reads; and it never builds a tree of the text: memory stays within
//! three times the input, whatever its shape, but for the few that `docs/canon.md` names.

mod digest;
mod error;
mod keys;
mod keyset;
mod leaves;
mod number;
mod rearrange;
pub mod scan;
mod sort;
mod spelling;
mod string;
mod template;
#[cfg(test)]
mod tests;
mod texts;
mod tree;
mod tuple;
mod typed;
mod write;

pub use digest::{Digest, DigestError, Hasher, hash_file};
pub use error::{Fault, JsonError, Reason};
pub use keys::{BadKey, ExportKeys, NoKeys};
pub use keyset::{JsonType, Keyset, Types, keyset, keyset_hash};
pub use leaves::{Leaf, LeafReader, Leaves, LeavesError, MOST_LEAF_BYTES};
pub use number::Number;
pub use spelling::Canonical;
pub use string::write_text;
pub use texts::Texts;
pub use tuple::{Hashed, tuple_hash, tuple_leaves};
pub use typed::{ValueError, canonical_of};

use rearrange::Written;
use write::Writer;

/// Says what to do with integers that a double cannot tell from their neighbours.
///
/// An integer is a number token without a point and an exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integers {
    /// Rounds them to a double, as RFC 8785 does.
    AsDouble,
    /// Refuses those beyond ±(2^53−1), since two of them would hash alike.
    Exact,
}

/// Gives the RFC 8785 form of one JSON text.
///
/// An input that is given away is let go of as soon as it is read.
pub fn canonical(input: impl AsRef<[u8]>) -> Result<Vec<u8>, JsonError> {
    Ok(short(input, Integers::AsDouble)?.into_bytes())
}

/// Gives the RFC 8785 form of one JSON text whose integers all fit a double exactly.
///
/// An input that is given away is let go of as soon as it is read.
pub fn canonical_exact(input: impl AsRef<[u8]>) -> Result<Vec<u8>, JsonError> {
    Ok(short(input, Integers::Exact)?.into_bytes())
}

/// Gives the RFC 8785 form of one JSON text for being written: it never takes three times the room of the input.
///
/// An input that is given away is let go of as soon as it is read.
pub fn canonical_to_write(input: impl AsRef<[u8]>) -> Result<Canonical, JsonError> {
    short(input, Integers::AsDouble)
}

fn short(input: impl AsRef<[u8]>, integers: Integers) -> Result<Canonical, JsonError> {
    let written = written(input.as_ref(), integers)?;
    drop(input);
    Ok(written.finish())
}

fn written(input: &[u8], integers: Integers) -> Result<Written, JsonError> {
    let mut scanner = scan::Scanner::new(input, integers)?;
    let mut writer = Writer::with_room(input.len());
    writer.value(&mut scanner)?;
    scanner.finish()?;
    Ok(writer.finish())
}

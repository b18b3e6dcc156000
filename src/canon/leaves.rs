//! Leaves: for each row of a set its key and the digest of its canonical bytes, in the order of the tuple hash.
//!
//! Two sets that hash differently are compared leaf by leaf to find the rows that differ. The form is written down in
//! `docs/blocks.md`, so that anyone can read it.

use thiserror::Error;

use super::digest::Digest;

/// What the bytes begin with.
const MAGIC: &[u8; 8] = b"govleaf1";

/// How long the head is: the magic, the tuple hash, and the number of rows.
const HEAD: usize = 8 + 32 + 8;

/// How many bytes of leaves are kept; the leaves of a larger set are only counted.
pub const MOST_LEAF_BYTES: usize = 64 * 1024 * 1024;

/// The leaves of a set as they were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaves {
    /// How many rows the set has.
    pub rows: u64,
    /// The leaves in their binary form; none when they would take more than [`MOST_LEAF_BYTES`].
    pub bytes: Option<Vec<u8>>,
}

/// Says why bytes are no leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LeavesError {
    /// They do not begin as leaves do.
    #[error("they do not begin as leaves do")]
    Head,
    /// A leaf is cut short, or its key is no text.
    #[error("a leaf is cut short, or its key is no text")]
    Leaf,
    /// The leaves are not in order.
    #[error("they are not in order")]
    Order,
    /// There are more or fewer than the head says.
    #[error("there are more or fewer than their head says")]
    Count,
}

/// One leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// The row's metric.
    pub metric_id: &'a str,
    /// The row's dimension filter.
    pub dimension_filter_id: Option<&'a str>,
    /// The digest of the row's canonical bytes.
    pub digest: Digest,
}

impl<'a> Leaf<'a> {
    /// Returns what leaves are sorted by: bytes of the metric, then no filter, then bytes of the filter.
    #[must_use]
    pub fn key(&self) -> (&'a str, Option<&'a str>) {
        (self.metric_id, self.dimension_filter_id)
    }
}

/// Writes leaves, until they become too many.
#[derive(Debug)]
pub(super) struct LeafWriter {
    rows: u64,
    most: usize,
    bytes: Option<Vec<u8>>,
}

impl LeafWriter {
    /// Begins with room for a number of bytes, of which at most `most` are kept.
    pub(super) fn new(room: usize, most: usize) -> Self {
        let mut bytes = Vec::with_capacity(HEAD + room.min(most));
        bytes.resize(HEAD, 0);
        Self {
            rows: 0,
            most,
            bytes: Some(bytes),
        }
    }

    /// Adds the leaf of a row by its digest, whose key was encoded for sorting: each byte plus one, a zero, and a one before a filter.
    pub(super) fn push(&mut self, key: &[u8], digest: impl FnOnce() -> Digest) {
        self.rows += 1;
        let Some(bytes) = &mut self.bytes else { return };
        let end = key.iter().position(|&byte| byte == 0);
        let (metric, rest) = key.split_at(end.unwrap_or(key.len()));
        push_length(bytes, metric.len());
        bytes.extend(metric.iter().map(|byte| byte.wrapping_sub(1)));
        match rest {
            [0, 1, filter @ ..] => {
                push_length(bytes, filter.len() + 1);
                bytes.extend(filter.iter().map(|byte| byte.wrapping_sub(1)));
            }
            _ => push_length(bytes, 0),
        }
        bytes.extend_from_slice(digest().as_bytes());
        if bytes.len() > self.most {
            self.bytes = None;
        }
    }

    /// Ends with the tuple hash of the same rows.
    pub(super) fn finish(mut self, tuple_hash: Digest) -> Leaves {
        if let Some(head) = self.bytes.as_mut().and_then(|all| all.get_mut(..HEAD)) {
            let (magic, rest) = head.split_at_mut(MAGIC.len());
            let (hash, rows) = rest.split_at_mut(32);
            magic.copy_from_slice(MAGIC);
            hash.copy_from_slice(tuple_hash.as_bytes());
            rows.copy_from_slice(&self.rows.to_be_bytes());
        }
        Leaves {
            rows: self.rows,
            bytes: self.bytes,
        }
    }
}

/// Appends a length, seven bits a byte, the lowest first, the highest bit set where more follow.
fn push_length(bytes: &mut Vec<u8>, length: usize) {
    let mut rest = length;
    while rest >= 0x80 {
        bytes.push(0x80 | u8::try_from(rest & 0x7f).unwrap_or(0));
        rest >>= 7;
    }
    bytes.push(u8::try_from(rest).unwrap_or(0));
}

/// Reads leaves one by one; what is not as it must be ends the reading with an error.
#[derive(Debug, Clone)]
pub struct LeafReader<'a> {
    tuple_hash: Digest,
    rows: u64,
    rest: &'a [u8],
    read: u64,
    before: Option<(&'a str, Option<&'a str>)>,
}

impl<'a> LeafReader<'a> {
    /// Reads the head.
    pub fn new(bytes: &'a [u8]) -> Result<Self, LeavesError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(LeavesError::Head)?;
        let (hash, rest) = rest.split_first_chunk::<32>().ok_or(LeavesError::Head)?;
        let (rows, rest) = rest.split_first_chunk::<8>().ok_or(LeavesError::Head)?;
        Ok(Self {
            tuple_hash: Digest::from_bytes(*hash),
            rows: u64::from_be_bytes(*rows),
            rest,
            read: 0,
            before: None,
        })
    }

    /// Returns the tuple hash of the set that the leaves were made of.
    #[must_use]
    pub fn tuple_hash(&self) -> Digest {
        self.tuple_hash
    }

    /// Reads the next leaf; none after the last.
    pub fn next_leaf(&mut self) -> Result<Option<Leaf<'a>>, LeavesError> {
        if self.rest.is_empty() {
            return if self.read == self.rows {
                Ok(None)
            } else {
                Err(LeavesError::Count)
            };
        }
        let metric = self.length()?;
        let metric_id = self.text(metric)?;
        let dimension_filter_id = match self.length()? {
            0 => None,
            more => Some(self.text(more - 1)?),
        };
        let digest = self.rest.split_first_chunk::<32>();
        let (digest, rest) = digest.ok_or(LeavesError::Leaf)?;
        self.rest = rest;
        self.read += 1;
        if self.read > self.rows {
            return Err(LeavesError::Count);
        }
        let leaf = Leaf {
            metric_id,
            dimension_filter_id,
            digest: Digest::from_bytes(*digest),
        };
        if self.before.is_some_and(|before| before > leaf.key()) {
            return Err(LeavesError::Order);
        }
        self.before = Some(leaf.key());
        Ok(Some(leaf))
    }

    fn length(&mut self) -> Result<usize, LeavesError> {
        let (mut length, mut shift) = (0_usize, 0_u32);
        loop {
            let (byte, rest) = self.rest.split_first().ok_or(LeavesError::Leaf)?;
            self.rest = rest;
            let bits = usize::from(byte & 0x7f);
            if shift > 28 || (bits << shift) >> shift != bits {
                return Err(LeavesError::Leaf);
            }
            length |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(length);
            }
            shift += 7;
        }
    }

    fn text(&mut self, length: usize) -> Result<&'a str, LeavesError> {
        let parts = self.rest.split_at_checked(length);
        let (text, rest) = parts.ok_or(LeavesError::Leaf)?;
        self.rest = rest;
        std::str::from_utf8(text).map_err(|_| LeavesError::Leaf)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{tuple_hash, tuple_leaves};
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<(String, Option<String>, Digest)>, LeavesError> {
        let mut reader = LeafReader::new(bytes)?;
        let mut all = Vec::new();
        while let Some(leaf) = reader.next_leaf()? {
            let filter = leaf.dimension_filter_id.map(str::to_owned);
            all.push((leaf.metric_id.to_owned(), filter, leaf.digest));
        }
        Ok(all)
    }

    fn leaves(json: &str) -> Vec<u8> {
        let hashed = tuple_leaves(json).expect("a set");
        hashed.leaves.bytes.expect("few")
    }

    #[test]
    fn leaves_stand_in_the_order_of_the_tuple_hash_with_digests_anyone_can_make() {
        let long = "x".repeat(300);
        let json = format!(
            r#"[{{"metric_id":"b","v":1}},{{"metric_id":"a","dimension_filter_id":"é\n","v":2}},
               {{"metric_id":"a","dimension_filter_id":""}},{{"dimension_filter_id":null,"metric_id":"a"}},{{"metric_id":"{long}"}}]"#
        );
        let hashed = tuple_leaves(json.as_str()).expect("a set");
        assert_eq!(hashed.digest, tuple_hash(json.as_str()).expect("a set"));
        assert_eq!(hashed.leaves.rows, 5);
        let bytes = hashed.leaves.bytes.expect("few");
        let reader = LeafReader::new(&bytes).expect("a head");
        assert_eq!(reader.tuple_hash(), hashed.digest);
        let rows = [
            ("a", None, r#"{"dimension_filter_id":null,"metric_id":"a"}"#),
            (
                "a",
                Some(""),
                r#"{"dimension_filter_id":"","metric_id":"a"}"#,
            ),
            (
                "a",
                Some("é\n"),
                r#"{"dimension_filter_id":"é\n","metric_id":"a","v":2}"#,
            ),
            ("b", None, r#"{"metric_id":"b","v":1}"#),
        ];
        let found = read(&bytes).expect("leaves");
        assert_eq!(found.len(), 5);
        assert_eq!(found[4].0, long);
        for ((metric, filter, digest), (wanted, wanted_filter, row)) in found.iter().zip(rows) {
            assert_eq!(
                (metric.as_str(), filter.as_deref()),
                (wanted, wanted_filter)
            );
            assert_eq!(*digest, Digest::of(row.as_bytes()));
        }
    }

    #[test]
    fn what_is_no_set_has_no_leaves() {
        for json in ["", "[]", "{}", "[{}]", r#"[{"metric_id":1}]"#] {
            assert!(tuple_leaves(json).is_err(), "{json}");
        }
    }

    #[test]
    fn damaged_leaves_are_never_read_to_their_end() {
        let good = leaves(r#"[{"metric_id":"a"},{"metric_id":"b","dimension_filter_id":"f"}]"#);
        assert_eq!(read(&good).map(|all| all.len()), Ok(2));
        for cut in 0..good.len() {
            assert!(read(&good[..cut]).is_err(), "cut at {cut}");
        }
        let mut longer = good.clone();
        longer.push(0);
        assert!(read(&longer).is_err());
        let altered = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            read(&bytes).err()
        };
        assert_eq!(altered(0, b'x'), Some(LeavesError::Head));
        assert_eq!(altered(HEAD - 1, 3), Some(LeavesError::Count));
        assert_eq!(altered(HEAD - 1, 1), Some(LeavesError::Count));
        assert_eq!(altered(HEAD + 1, b'c'), Some(LeavesError::Order));
        assert_eq!(altered(HEAD + 1, 0xff), Some(LeavesError::Leaf));
    }

    #[test]
    fn too_many_leaves_are_counted_and_not_kept() {
        let mut writer = LeafWriter::new(usize::MAX, HEAD + 60);
        for _ in 0..3 {
            writer.push(b"b\0", || Digest::of(b"{}"));
        }
        let leaves = writer.finish(Digest::of(b""));
        assert_eq!((leaves.rows, leaves.bytes), (3, None));
    }
}

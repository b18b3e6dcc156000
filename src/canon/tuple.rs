//! The tuple hash: one digest for a set of metric rows, whatever order they came in.
//!
//! Each row's canonical bytes go into one arena. Only when the input is let go of do the sort keys
//! go into another, since there would not be room for all three; what is sorted is a small record
//! a row. Keys are compared through 8-byte windows, moved along the keys as far as the rows still
//! agree.

use std::cmp::Ordering;
use std::convert::Infallible;

use super::Integers;
use super::digest::{Digest, Hasher};
use super::error::{Fault, JsonError, Reason};
use super::leaves::{LeafWriter, Leaves, MOST_LEAF_BYTES};
use super::rearrange::Written;
use super::scan::{Scan, Scanner, Start};
use super::spelling::Spelling;
use super::string::{plain_length, unescaped};
use super::write::Writer;

/// How many rows are few enough to be compared outright.
const FEW: usize = 16;

/// How many bytes are gathered before they are hashed.
const BATCH: usize = 32 * 1024;

/// The length of the shortest row with the comma after it: `{"metric_id":""},`.
const SHORTEST: usize = 17;

/// Hashes a JSON array of row objects, sorted by metric, then dimension filter, then own bytes.
///
/// Each row needs a string `metric_id`; its `dimension_filter_id` may be a string, null or absent.
/// An input that is given away is let go of as soon as it is read.
pub fn tuple_hash(input: impl AsRef<[u8]>) -> Result<Digest, JsonError> {
    let rows = read(input.as_ref())?;
    drop(input);
    Ok(rows.sorted().digest(|_, _| ()))
}

/// The tuple hash of a set of rows, and a leaf for each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    /// The tuple hash.
    pub digest: Digest,
    /// The leaves.
    pub leaves: Leaves,
}

/// Hashes rows as [`tuple_hash`] does, and each of them alone, in the same pass.
pub fn tuple_leaves(input: impl AsRef<[u8]>) -> Result<Hashed, JsonError> {
    let rows = read(input.as_ref())?;
    drop(input);
    let sorted = rows.sorted();
    // A digest, and a byte for each of two lengths; the encoded keys are as long as their texts and a zero.
    let room = sorted.keys.len() + 34 * sorted.rows.len();
    let mut writer = LeafWriter::new(room, MOST_LEAF_BYTES);
    let spelling = sorted.spelling;
    let digest = sorted.digest(|key, row| writer.push(key, || spelling.digest(row)));
    Ok(Hashed {
        digest,
        leaves: writer.finish(digest),
    })
}

/// Places a row's sort key and its bytes, and shows the part of the key being compared.
#[derive(Debug, Clone, Copy)]
struct Row {
    window: u64,
    key: Span,
    bytes: Span,
}

/// Places a piece of an arena.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    length: u32,
}

impl Span {
    fn between(start: u32, end: u32) -> Self {
        let length = end - start;
        Self { start, length }
    }

    #[inline]
    fn of(self, arena: &[u8]) -> &[u8] {
        &arena[self.start as usize..][..self.length as usize]
    }
}

/// Collects the rows.
#[derive(Debug)]
struct Table<'a> {
    writer: Writer<'a>,
    starts: Vec<u32>,
}

/// Holds the rows of the input.
#[derive(Debug)]
struct Rows {
    written: Written,
    /// Where each row begins, comma and all; it ends where the next one begins.
    starts: Vec<u32>,
}

fn read(input: &[u8]) -> Result<Rows, JsonError> {
    let mut scanner = Scanner::new(input, Integers::Exact)?;
    let mut table = Table {
        writer: Writer::with_room(input.len()),
        // Room that is never used is never given out, and growing would need both for a moment.
        starts: Vec::with_capacity(input.len() / SHORTEST + 1),
    };
    table.rows(&mut scanner)?;
    scanner.finish()?;
    Ok(Rows {
        written: table.writer.finish(),
        starts: table.starts,
    })
}

impl<'a> Table<'a> {
    fn rows(&mut self, scanner: &mut Scanner<'a>) -> Scan<()> {
        let start = scanner.peek()?;
        let at = scanner.at();
        if start != Start::Array {
            return Err(malformed(scanner, at, "expected an array of row objects"));
        }
        scanner.elements(|scanner| self.row(scanner))?;
        if self.starts.is_empty() {
            return Err(malformed(scanner, at, "a set without a row"));
        }
        Ok(())
    }

    fn row(&mut self, scanner: &mut Scanner<'a>) -> Scan<()> {
        let start = scanner.peek()?;
        let at = scanner.at();
        if start != Start::Object {
            return Err(malformed(scanner, at, "a row that is not an object"));
        }
        let bytes = self.writer.written();
        let mut has_metric = false;
        self.writer.comma();
        self.writer.element(scanner, |scanner, name| {
            has_metric |= name == "metric_id";
            check_column(scanner, name)
        })?;
        if !has_metric {
            return Err(malformed(scanner, at, "a row without a metric_id"));
        }
        if u32::try_from(self.writer.written()).is_err() {
            return Err(malformed(scanner, at, "rows over 4 GiB in canonical form"));
        }
        self.starts.push(narrow(bytes));
        Ok(())
    }
}

/// Holds the rows in their order.
#[derive(Debug)]
struct Sorted {
    bytes: Vec<u8>,
    spelling: Spelling,
    keys: Vec<u8>,
    rows: Vec<Row>,
}

impl Rows {
    fn sorted(self) -> Sorted {
        let (bytes, spelling) = self.written.finish().into_parts();
        // Each row's bytes begin with a comma, which for the first row is the bracket.
        let mut keys = Vec::with_capacity(bytes.len());
        let mut rows = Vec::with_capacity(self.starts.len());
        let ends = self.starts.iter().skip(1).copied();
        for (&start, end) in self.starts.iter().zip(ends.chain([narrow(bytes.len())])) {
            let key = narrow(keys.len());
            push_key(&mut keys, &bytes[start as usize + 1..]);
            rows.push(Row {
                window: 0,
                key: Span::between(key, narrow(keys.len())),
                bytes: Span::between(start, end),
            });
        }
        drop(self.starts);
        sort(&mut rows, &keys, &|a, b| {
            spelling.order(a.bytes.of(&bytes), b.bytes.of(&bytes))
        });
        Sorted {
            bytes,
            spelling,
            keys,
            rows,
        }
    }
}

impl Sorted {
    /// Hashes the rows in their order, and hands each one over with its key, its numbers still short.
    #[inline]
    fn digest(mut self, mut each: impl FnMut(&[u8], &[u8])) -> Digest {
        if let Some(first) = self
            .rows
            .first()
            .and_then(|row| self.bytes.get_mut(row.bytes.start as usize))
        {
            *first = b'[';
        }
        let mut hasher = Hasher::default();
        // Gathered first, since the next row's bytes are slow to come and hashing would not overlap that.
        let mut batch = Vec::with_capacity(2 * BATCH);
        for row in &self.rows {
            let bytes = row.bytes.of(&self.bytes);
            let Ok(()) = self.spelling.each(bytes, |piece| {
                batch.extend_from_slice(piece);
                if batch.len() >= BATCH {
                    hasher.update(&batch);
                    batch.clear();
                }
                Ok::<_, Infallible>(())
            });
            each(row.key.of(&self.keys), bytes.get(1..).unwrap_or_default());
        }
        batch.push(b']');
        hasher.update(&batch);
        hasher.finish()
    }
}

/// Refuses the value that comes next if it cannot be in the column of this name.
#[inline]
fn check_column(scanner: &mut Scanner<'_>, name: &str) -> Scan<()> {
    let what = match name {
        "metric_id" if scanner.peek()? != Start::String => "a metric_id that is not a string",
        "dimension_filter_id" if !matches!(scanner.peek()?, Start::String | Start::Null) => {
            "a dimension_filter_id that is neither a string nor null"
        }
        _ => return Ok(()),
    };
    Err(malformed(scanner, scanner.at(), what))
}

/// Appends one byte string that compares as the two columns of a row do.
///
/// It is the metric's bytes, each plus one; 0; then, if there is a filter, 1 and the filter's
/// bytes, each plus one. UTF-8 has no byte 0xFF, so adding one never wraps, and a key cut short
/// or padded with zeros still never compares wrongly.
fn push_key(keys: &mut Vec<u8>, row: &[u8]) {
    const METRIC: &[u8] = br#""metric_id":"#;
    const FILTER: &[u8] = br#""dimension_filter_id":"#;
    let mut filter = None;
    let mut at = 1;
    // Canonical keys are in order: the filter comes before the metric, which every row has.
    while let Some(member) = row.get(at..) {
        if let Some(metric) = member.strip_prefix(METRIC) {
            push_text(keys, metric);
            break;
        }
        if let Some(value @ [b'"', ..]) = member.strip_prefix(FILTER) {
            filter = Some(value);
        }
        at += value_length(member) + 1;
        at += row.get(at..).map_or(0, value_length) + 1;
    }
    keys.push(0);
    if let Some(filter) = filter {
        keys.push(1);
        push_text(keys, filter);
    }
}

/// Appends the bytes of a string in canonical form, each plus one.
#[inline]
fn push_text(keys: &mut Vec<u8>, written: &[u8]) {
    let text = written.get(1..).unwrap_or_default();
    let length = plain_length(text);
    if text.get(length) == Some(&b'"') {
        keys.extend(text[..length].iter().map(|byte| byte + 1));
    } else {
        keys.extend(unescaped(text).map(|byte| byte + 1));
    }
}

/// Tells how long the value in canonical form is that a text begins with.
#[inline]
fn value_length(text: &[u8]) -> usize {
    let mut open = 0_usize;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at += string_length(&text[at..]) - 1,
            b'{' | b'[' => open += 1,
            b',' | b':' | b'}' | b']' if open == 0 => break,
            b'}' | b']' => open -= 1,
            _ => {}
        }
        at += 1;
    }
    at
}

/// Tells how long the string is, quotes and all, that a text begins with.
#[inline]
fn string_length(text: &[u8]) -> usize {
    let mut length = 1;
    loop {
        length += plain_length(&text[length..]);
        match text.get(length) {
            Some(b'\\') => length += 2,
            _ => return length + 1,
        }
    }
}

/// Narrows an offset into the canonical form, which was kept below 4 GiB.
fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// Sorts rows by their keys, and those of one key as they are told to.
fn sort(rows: &mut [Row], keys: &[u8], by_bytes: &impl Fn(&Row, &Row) -> Ordering) {
    if rows.len() < FEW {
        rows.sort_unstable_by(|a, b| {
            let order = a.key.of(keys).cmp(b.key.of(keys));
            order.then_with(|| by_bytes(a, b))
        });
        return;
    }
    let first = rows[0].key.of(keys);
    let agreed = rows
        .iter()
        .map(|row| shared(first, row.key.of(keys)))
        .min()
        .unwrap_or(0);
    if rows.iter().all(|row| row.key.length as usize == agreed) {
        rows.sort_unstable_by(by_bytes);
        return;
    }
    for row in &mut *rows {
        row.window = window(row.key.of(keys), agreed);
    }
    rows.sort_unstable_by_key(|row| row.window);
    // Each run agrees on a window more than this one, so this comes to an end.
    for run in rows.chunk_by_mut(|a, b| a.window == b.window) {
        if run.len() > 1 {
            sort(run, keys, by_bytes);
        }
    }
}

/// Counts the leading bytes that two keys share.
#[inline]
fn shared(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Cuts eight bytes out of a key, padding with zeros.
#[inline]
fn window(key: &[u8], skip: usize) -> u64 {
    let rest = key.get(skip..).unwrap_or_default();
    if let Some(chunk) = rest.first_chunk() {
        return u64::from_be_bytes(*chunk);
    }
    let mut bytes = [0; 8];
    bytes[..rest.len()].copy_from_slice(rest);
    u64::from_be_bytes(bytes)
}

#[cold]
fn malformed(scanner: &Scanner<'_>, at: usize, what: &str) -> Fault {
    scanner.refusal(at, Reason::Malformed, what)
}

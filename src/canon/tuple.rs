//! The tuple hash: one digest for a set of metric rows, whatever order they came in.
//!
//! Each row's canonical bytes go into one arena, its sort key into another; what is sorted is a
//! small record a row. Keys are compared through 16-byte windows, moved along the keys as far as
//! the rows still agree.

use std::borrow::Cow;

use super::Integers;
use super::digest::{Digest, Hasher};
use super::error::{Fault, JsonError, Reason};
use super::scan::{Scan, Scanner, Start};
use super::write::Writer;

/// How many rows are few enough to be compared outright.
const FEW: usize = 16;

/// How many bytes are gathered before they are hashed.
const BATCH: usize = 32 * 1024;

/// Hashes a JSON array of row objects, sorted by metric, then dimension filter, then own bytes.
///
/// Each row needs a string `metric_id`; its `dimension_filter_id` may be a string, null or absent.
pub fn tuple_hash(input: &[u8]) -> Result<Digest, JsonError> {
    let mut scanner = Scanner::new(input, Integers::Exact)?;
    let mut table = Table {
        writer: Writer::with_room(input.len()),
        keys: Vec::new(),
        rows: Vec::new(),
    };
    table.read(&mut scanner)?;
    scanner.finish()?;
    Ok(table.into_digest())
}

/// Records where a row's bytes and its sort key begin; each ends where the next row's begins.
#[derive(Debug, Clone, Copy)]
struct Row {
    window: u128,
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
    /// Places what was appended to an arena since it was `start` long, if 32 bits can.
    fn since(start: usize, end: usize) -> Option<Self> {
        let length = u32::try_from(end - start).ok()?;
        Some(Self {
            start: u32::try_from(start).ok()?,
            length,
        })
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
    keys: Vec<u8>,
    rows: Vec<Row>,
}

/// Holds the two columns that rows are sorted by.
#[derive(Debug, Default)]
struct Columns<'a> {
    metric: Option<Cow<'a, str>>,
    filter: Option<Cow<'a, str>>,
}

impl<'a> Table<'a> {
    fn read(&mut self, scanner: &mut Scanner<'a>) -> Scan<()> {
        let start = scanner.peek()?;
        let at = scanner.at();
        if start != Start::Array {
            return Err(malformed(scanner, at, "expected an array of row objects"));
        }
        scanner.elements(|scanner| self.row(scanner))?;
        if self.rows.is_empty() {
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
        let mut columns = Columns::default();
        self.writer.comma();
        self.writer
            .object(scanner, |scanner, name| columns.look(scanner, name))?;
        let Some(metric) = columns.metric else {
            return Err(malformed(scanner, at, "a row without a metric_id"));
        };
        self.make_room(scanner);
        let key = self.keys.len();
        push_key(&mut self.keys, &metric, columns.filter.as_deref());
        let spans = (
            Span::since(key, self.keys.len()),
            Span::since(bytes, self.writer.written()),
        );
        let (Some(key), Some(bytes)) = spans else {
            return Err(malformed(scanner, at, "rows over 4 GiB in canonical form"));
        };
        self.rows.push(Row {
            window: 0,
            key,
            bytes,
        });
        Ok(())
    }

    /// Grows the records by what the rows so far let expect, since doubling could waste half of it.
    fn make_room(&mut self, scanner: &Scanner<'_>) {
        let (count, read) = (self.rows.len() + 1, scanner.at());
        let left = scanner.text().len().saturating_sub(read);
        if self.rows.len() == self.rows.capacity() {
            let expected = left / (read / count + 1);
            self.rows.reserve_exact(expected + expected / 16 + 16);
            let key_bytes = (self.keys.len() / count + 16) * expected;
            self.keys.reserve_exact(key_bytes.min(left));
        }
    }

    fn into_digest(mut self) -> Digest {
        let mut bytes = self.writer.into_bytes();
        sort(&mut self.rows, &self.keys, &bytes);
        // Each row's bytes begin with a comma, which for the first row is the bracket.
        if let Some(first) = self
            .rows
            .first()
            .and_then(|row| bytes.get_mut(row.bytes.start as usize))
        {
            *first = b'[';
        }
        let mut hasher = Hasher::default();
        // Gathered first, since the next row's bytes are slow to come and hashing would not overlap that.
        let mut batch = Vec::with_capacity(2 * BATCH);
        for row in &self.rows {
            batch.extend_from_slice(row.bytes.of(&bytes));
            if batch.len() >= BATCH {
                hasher.update(&batch);
                batch.clear();
            }
        }
        batch.push(b']');
        hasher.update(&batch);
        hasher.finish()
    }
}

impl<'a> Columns<'a> {
    /// Keeps the value that comes next, without taking it, if it is one of the columns.
    #[inline]
    fn look(&mut self, scanner: &mut Scanner<'a>, name: &str) -> Scan<()> {
        match name {
            "metric_id" => {
                self.metric = string(scanner)?;
                if self.metric.is_none() {
                    let what = "a metric_id that is not a string";
                    return Err(malformed(scanner, scanner.at(), what));
                }
            }
            "dimension_filter_id" => {
                self.filter = string(scanner)?;
                if self.filter.is_none() && scanner.peek()? != Start::Null {
                    let what = "a dimension_filter_id that is neither a string nor null";
                    return Err(malformed(scanner, scanner.at(), what));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn string<'a>(scanner: &mut Scanner<'a>) -> Scan<Option<Cow<'a, str>>> {
    match scanner.peek()? {
        Start::String => Ok(Some(scanner.clone().string()?.text)),
        _ => Ok(None),
    }
}

/// Appends one byte string that compares as the two columns do.
///
/// It is the metric's bytes, each plus one; 0; then, if there is a filter, 1 and the filter's
/// bytes, each plus one. UTF-8 has no byte 0xFF, so adding one never wraps, and a key cut short
/// or padded with zeros still never compares wrongly.
fn push_key(keys: &mut Vec<u8>, metric: &str, filter: Option<&str>) {
    keys.extend(metric.bytes().map(|byte| byte + 1));
    keys.push(0);
    if let Some(filter) = filter {
        keys.push(1);
        keys.extend(filter.bytes().map(|byte| byte + 1));
    }
}

fn sort(rows: &mut [Row], keys: &[u8], bytes: &[u8]) {
    if rows.len() < FEW {
        rows.sort_unstable_by(|a, b| {
            let order = a.key.of(keys).cmp(b.key.of(keys));
            order.then_with(|| a.bytes.of(bytes).cmp(b.bytes.of(bytes)))
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
        rows.sort_unstable_by(|a, b| a.bytes.of(bytes).cmp(b.bytes.of(bytes)));
        return;
    }
    for row in &mut *rows {
        row.window = window(row.key.of(keys), agreed);
    }
    rows.sort_unstable_by_key(|row| row.window);
    // Each run agrees on a window more than this one, so this comes to an end.
    for run in rows.chunk_by_mut(|a, b| a.window == b.window) {
        if run.len() > 1 {
            sort(run, keys, bytes);
        }
    }
}

/// Counts the leading bytes that two keys share.
#[inline]
fn shared(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Cuts sixteen bytes out of a key, padding with zeros.
#[inline]
fn window(key: &[u8], skip: usize) -> u128 {
    let rest = key.get(skip..).unwrap_or_default();
    if let Some(chunk) = rest.first_chunk() {
        return u128::from_be_bytes(*chunk);
    }
    let mut bytes = [0; 16];
    bytes[..rest.len()].copy_from_slice(rest);
    u128::from_be_bytes(bytes)
}

#[cold]
fn malformed(scanner: &Scanner<'_>, at: usize, what: &str) -> Fault {
    scanner.refusal(at, Reason::Malformed, what)
}

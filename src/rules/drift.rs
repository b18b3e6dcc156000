//! Drift explained: which cells of what would be published are not what the source says.
//!
//! A cell is a metric under a dimension filter. It is told only what both sides' leaves prove; where they cannot, the
//! explanation says why there is none.

use serde::{Deserialize, Serialize};

use super::text;
use super::words;
use crate::canon::{Digest, LeafReader, LeavesError};

/// The schema of the explanation.
pub const SCHEMA: &str = "govdeck.drift.v1";

/// How many cells are named.
const MOST_NAMED: usize = 1_000;

/// How many bytes of names are kept; a metric may be called anything, at any length.
const MOST_NAME_BYTES: usize = 256 * 1024;

/// How much of one name a line shows.
const SHOWN_NAME: usize = 60;

words! {
    /// The side of a comparison.
    pub enum Side {
        /// What would be published.
        Publish = "publish",
        /// What the source says.
        Source = "source",
    }
}

words! {
    /// What happened to a cell on its way from the source.
    pub enum CellChange {
        /// Both sides have it, with other rows.
        Changed = "changed",
        /// It would be published, and the source does not have it.
        Added = "added",
        /// The source has it, and it would not be published.
        Vanished = "vanished",
    }
}

/// The leaves of one side, as they were filed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiledLeaves {
    /// How many rows the side has.
    pub rows: i64,
    /// The digest of the leaves; none where they were too large to keep.
    pub sha256: Option<Digest>,
    /// The leaves; none where they were too large, or have been dropped since.
    pub bytes: Option<Vec<u8>>,
}

/// What is known of one side of a run.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The tuple hash that the run has for it.
    pub tuple_hash: Digest,
    /// Its leaves; none where nobody filed any.
    pub leaves: Option<&'a FiledLeaves>,
}

/// One side in the explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The tuple hash.
    pub tuple_hash: Digest,
    /// How many rows it has, where leaves were filed.
    pub rows: Option<i64>,
    /// The digest of its leaves, where they were kept.
    pub leaves_sha256: Option<Digest>,
}

/// A cell that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The metric.
    pub metric_id: String,
    /// The dimension filter.
    pub dimension_filter_id: Option<String>,
    /// What happened to it.
    pub change: CellChange,
    /// How many rows would be published there.
    pub publish_rows: u32,
    /// How many rows the source has there.
    pub source_rows: u32,
}

/// How many cells there are, and how many differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// The cells of both sides together.
    pub cells: u64,
    /// Those with other rows.
    pub changed: u64,
    /// Those that only what would be published has.
    pub added: u64,
    /// Those that only the source has.
    pub vanished: u64,
}

impl Counts {
    /// Returns how many differ.
    #[must_use]
    pub fn differing(&self) -> u64 {
        self.changed + self.added + self.vanished
    }
}

/// The explanation of a drift, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The run.
    pub publish_run_id: String,
    /// What would be published.
    pub publish: Told,
    /// What the source says.
    pub source: Told,
    /// Why nothing can be told; none where it can.
    pub unexplained: Option<String>,
    /// How many cells differ; none where nothing can be told.
    pub counts: Option<Counts>,
    /// The first cells that differ, in the order of the tuple hash.
    pub named: Vec<Cell>,
}

/// Compares both sides of a run.
#[must_use]
pub fn explain(run: &str, publish: Known<'_>, source: Known<'_>) -> Drift {
    match compare(publish, source) {
        Ok((counts, named)) => Drift {
            counts: Some(counts),
            named,
            ..unexplained(run, publish, source, None)
        },
        Err(why) => unexplained(run, publish, source, Some(why)),
    }
}

/// Tells of a drift that nothing explains, and why.
#[must_use]
pub fn unexplained(run: &str, publish: Known<'_>, source: Known<'_>, why: Option<String>) -> Drift {
    let told = |known: Known<'_>| Told {
        tuple_hash: known.tuple_hash,
        rows: known.leaves.map(|leaves| leaves.rows),
        leaves_sha256: known.leaves.and_then(|leaves| leaves.sha256),
    };
    Drift {
        schema: SCHEMA.to_owned(),
        publish_run_id: run.to_owned(),
        publish: told(publish),
        source: told(source),
        unexplained: why,
        counts: None,
        named: Vec::new(),
    }
}

fn compare(publish: Known<'_>, source: Known<'_>) -> Result<(Counts, Vec<Cell>), String> {
    let mut publish = Cells::open(Side::Publish, publish)?;
    let mut source = Cells::open(Side::Source, source)?;
    let mut counts = Counts::default();
    let (mut named, mut room) = (Vec::new(), MOST_NAME_BYTES);
    let (mut here, mut there) = (publish.next()?, source.next()?);
    loop {
        let key = match (&here, &there) {
            (None, None) => break,
            (Some(one), None) | (None, Some(one)) => one.key,
            (Some(here), Some(there)) => here.key.min(there.key),
        };
        let ours = here.take_if(|cell| cell.key == key);
        let theirs = there.take_if(|cell| cell.key == key);
        counts.cells += 1;
        let change = match (&ours, &theirs) {
            (Some(ours), Some(theirs)) if ours.digests == theirs.digests => None,
            (Some(_), Some(_)) => Some(CellChange::Changed),
            (Some(_), None) => Some(CellChange::Added),
            (None, _) => Some(CellChange::Vanished),
        };
        if let Some(change) = change {
            match change {
                CellChange::Changed => counts.changed += 1,
                CellChange::Added => counts.added += 1,
                CellChange::Vanished => counts.vanished += 1,
            }
            let size = key.0.len() + key.1.map_or(0, str::len);
            if named.len() < MOST_NAMED && size <= room {
                room -= size;
                named.push(Cell {
                    metric_id: key.0.to_owned(),
                    dimension_filter_id: key.1.map(str::to_owned),
                    change,
                    publish_rows: rows_of(ours.as_ref()),
                    source_rows: rows_of(theirs.as_ref()),
                });
            } else {
                // The first ones are named, without a gap.
                room = 0;
            }
        }
        if ours.is_some() {
            here = publish.next()?;
        }
        if theirs.is_some() {
            there = source.next()?;
        }
    }
    if counts.differing() == 0 {
        return Err(
            "the leaves of both sides agree, although their tuple hashes differ".to_owned(),
        );
    }
    Ok((counts, named))
}

fn rows_of(cell: Option<&Rows<'_>>) -> u32 {
    cell.map_or(0, |cell| {
        u32::try_from(cell.digests.len()).unwrap_or(u32::MAX)
    })
}

/// The rows of one cell on one side: a key may come more than once.
#[derive(Debug)]
struct Rows<'a> {
    key: (&'a str, Option<&'a str>),
    /// Sorted, so that the same rows are the same list.
    digests: Vec<Digest>,
}

/// Walks over the cells of one side.
#[derive(Debug)]
struct Cells<'a> {
    side: Side,
    reader: LeafReader<'a>,
    ahead: Option<Rows<'a>>,
}

impl<'a> Cells<'a> {
    fn open(side: Side, known: Known<'a>) -> Result<Self, String> {
        let Some(leaves) = known.leaves else {
            return Err(format!("no leaves of the {side} side were filed"));
        };
        let Some(sha256) = leaves.sha256 else {
            return Err(format!(
                "the leaves of the {side} side ({} rows) take more than 64 MB and were not kept",
                leaves.rows
            ));
        };
        let Some(bytes) = &leaves.bytes else {
            return Err(format!("the leaves of the {side} side were dropped"));
        };
        if Digest::of(bytes) != sha256 {
            return Err(format!(
                "the leaves of the {side} side no longer hash to what was filed"
            ));
        }
        let damaged = |error: LeavesError| damaged(side, error);
        let mut reader = LeafReader::new(bytes).map_err(damaged)?;
        if reader.tuple_hash() != known.tuple_hash {
            return Err(format!(
                "the leaves of the {side} side belong to other rows than its tuple hash"
            ));
        }
        let ahead = reader.next_leaf().map_err(damaged)?.map(|leaf| Rows {
            key: leaf.key(),
            digests: vec![leaf.digest],
        });
        Ok(Self {
            side,
            reader,
            ahead,
        })
    }

    fn next(&mut self) -> Result<Option<Rows<'a>>, String> {
        let Some(mut cell) = self.ahead.take() else {
            return Ok(None);
        };
        let damaged = |error| damaged(self.side, error);
        while let Some(leaf) = self.reader.next_leaf().map_err(damaged)? {
            if leaf.key() != cell.key {
                self.ahead = Some(Rows {
                    key: leaf.key(),
                    digests: vec![leaf.digest],
                });
                break;
            }
            cell.digests.push(leaf.digest);
        }
        cell.digests.sort_unstable();
        Ok(Some(cell))
    }
}

fn damaged(side: Side, error: LeavesError) -> String {
    format!("the leaves of the {side} side are damaged: {error}")
}

impl Cell {
    /// Writes the cell as people name it, cut to a line.
    #[must_use]
    pub fn name(&self) -> String {
        let short = |name: &str| text::shorten(name, SHOWN_NAME).into_owned();
        match &self.dimension_filter_id {
            Some(filter) => format!("{}/{}", short(&self.metric_id), short(filter)),
            None => short(&self.metric_id),
        }
    }
}

impl Drift {
    /// Says in one line what differs, and names the first cells: one that is not on both sides says so.
    #[must_use]
    pub fn in_a_line(&self, most_named: usize) -> String {
        let counts = match (&self.counts, &self.unexplained) {
            (Some(counts), None) => counts,
            (_, Some(why)) => return format!("not explained: {why}"),
            (None, None) => return "not explained".to_owned(),
        };
        let told = |cell: &Cell| match cell.change {
            CellChange::Changed => cell.name(),
            change => format!("{} ({change})", cell.name()),
        };
        let shown: Vec<_> = self.named.iter().take(most_named).map(told).collect();
        let (differing, cells) = (counts.differing(), counts.cells);
        let verb = if differing == 1 { "differs" } else { "differ" };
        let named = if shown.is_empty() {
            String::new()
        } else {
            format!(": {}", shown.join(", "))
        };
        let more = if !shown.is_empty()
            && u64::try_from(shown.len()).is_ok_and(|shown| shown < differing)
        {
            ", …"
        } else {
            ""
        };
        format!("{differing} of {cells} leaves {verb}{named}{more}")
    }
}

#[cfg(test)]
mod tests;

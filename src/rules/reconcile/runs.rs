//! Stretches of a text, each in order, walked along together: files that are sorted by number, or joined from some
//! sorted ones, need no index of their rows.

use super::csv::{Row, Table};
use super::fault::Fault;

/// Walks along the rows of several stretches in the order of their ids.
#[derive(Debug, Clone)]
pub(super) struct Runs<'a> {
    /// The stretches that have rows left, each with the next.
    open: Vec<(Table<'a>, Row<'a>)>,
    /// The one whose next row comes first.
    least: usize,
    /// The one that comes first of the others.
    second: Option<usize>,
}

impl<'a> Runs<'a> {
    pub(super) fn begin(tables: impl Iterator<Item = Table<'a>>) -> Result<Self, Fault> {
        let mut open = Vec::new();
        for mut table in tables {
            if let Some(row) = table.next_row()? {
                open.push((table, row));
            }
        }
        let mut begun = Self {
            open,
            least: 0,
            second: None,
        };
        begun.choose();
        Ok(begun)
    }

    /// Reads the next row; none after the last.
    #[inline]
    pub(super) fn next_row(&mut self) -> Result<Option<Row<'a>>, Fault> {
        let Some((table, row)) = self.open.get_mut(self.least) else {
            return Ok(None);
        };
        let Some(following) = table.next_row()? else {
            let (_, row) = self.open.remove(self.least);
            self.choose();
            return Ok(Some(row));
        };
        let taken = std::mem::replace(row, following);
        let second = self.second.map(|second| &self.open[second].1.metric_id);
        if second.is_some_and(|second| *second < self.open[self.least].1.metric_id) {
            self.choose();
        }
        Ok(Some(taken))
    }

    /// Finds the two stretches that come first.
    fn choose(&mut self) {
        (self.least, self.second) = (0, None);
        let id = |run: usize| &self.open[run].1.metric_id;
        for run in 1..self.open.len() {
            if id(run) < id(self.least) {
                self.second = Some(self.least);
                self.least = run;
            } else if self.second.is_none_or(|second| id(run) < id(second)) {
                self.second = Some(run);
            }
        }
    }
}

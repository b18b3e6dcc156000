//! The replay of frozen exports: whether both releases still give, cell by cell, what was frozen.
//!
//! Nothing is green because it could not be compared: a golden that is gone, changed or empty, a query that does not run,
//! and a surface without a golden leave it open.

mod manifest;

pub use manifest::{Golden, Replay, ReplaySource, read_replay};

use std::collections::BTreeSet;

use serde::Serialize;

use super::Probed;
use crate::rules::Verdict;
use crate::rules::bind::Surface;
use crate::rules::reconcile::{Fault, each_line, quoted};

/// The cells of an export, a line after the other; the first line names the columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cells {
    columns: usize,
    text: String,
    /// Where each cell ends in the text of all; it begins where the one before ends.
    ends: Vec<usize>,
}

impl Cells {
    /// Begins with the names of the columns.
    pub fn begin<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut cells = Self::default();
        cells.add(names);
        cells.columns = cells.ends.len();
        cells
    }

    /// Reads a CSV.
    pub fn read(csv: &str) -> Result<Self, Fault> {
        let mut cells = Self::default();
        each_line(csv, |line| {
            cells.add(line.iter().map(AsRef::as_ref));
            cells.columns = cells.columns.max(line.len());
        })?;
        Ok(cells)
    }

    /// Adds the cells of a line.
    pub fn add<'a>(&mut self, line: impl IntoIterator<Item = &'a str>) {
        for cell in line {
            self.text.push_str(cell);
            self.ends.push(self.text.len());
        }
    }

    /// Counts the lines below the names.
    #[must_use]
    pub fn rows(&self) -> usize {
        let lines = self.ends.len().checked_div(self.columns).unwrap_or(0);
        lines.saturating_sub(1)
    }

    /// Writes them as a CSV: cells with a comma, a quote or a line break in them are quoted.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut csv = String::with_capacity(self.text.len() + self.ends.len());
        for line in 0..=self.rows() {
            for (place, cell) in self.line(line).enumerate() {
                if place > 0 {
                    csv.push(',');
                }
                if cell.contains([',', '"', '\n', '\r']) {
                    csv.push('"');
                    csv.push_str(&cell.replace('"', "\"\""));
                    csv.push('"');
                } else {
                    csv.push_str(cell);
                }
            }
            csv.push('\n');
        }
        csv
    }

    fn line(&self, line: usize) -> impl Iterator<Item = &str> {
        let places = line * self.columns..(line + 1) * self.columns;
        places.map(|place| {
            let end = |place: usize| self.ends.get(place).copied().unwrap_or(0);
            let begin = place.checked_sub(1).map_or(0, end);
            self.text.get(begin..end(place)).unwrap_or_default()
        })
    }
}

/// Names the first place in which what was replayed is not what was frozen; none where every cell is the same.
#[must_use]
pub fn first_difference(golden: &Cells, replayed: &Cells) -> Option<String> {
    let no_row = || Some("it gave no row".to_owned());
    if replayed.columns == 0 {
        return no_row();
    }
    if golden.columns != replayed.columns {
        let (found, wanted) = (replayed.columns, golden.columns);
        return Some(format!("it has {found} columns, the golden {wanted}"));
    }
    for (at, (old, new)) in golden.line(0).zip(replayed.line(0)).enumerate() {
        if old != new {
            let (at, new, old) = (at + 1, quoted(new), quoted(old));
            return Some(format!("column {at} is {new}, the golden has {old}"));
        }
    }
    if replayed.rows() == 0 && golden.rows() > 0 {
        return no_row();
    }
    for row in 1..=golden.rows().min(replayed.rows()) {
        let names = golden.line(0);
        for ((name, old), new) in names.zip(golden.line(row)).zip(replayed.line(row)) {
            if old != new {
                let (name, new, old) = (quoted(name), quoted(new), quoted(old));
                return Some(format!(
                    "row {row}, column {name} is {new}, the golden has {old}"
                ));
            }
        }
    }
    let further = golden.rows().min(replayed.rows()) + 1;
    match golden.rows().cmp(&replayed.rows()) {
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some(format!("row {further} is missing")),
        std::cmp::Ordering::Less => Some(format!("row {further} is not in the golden")),
    }
}

/// How one golden came out under one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Played {
    /// Whose export it is.
    pub dashboard: String,
    /// The golden.
    pub file: String,
    /// What it must hash to.
    pub sha256: String,
    /// The release.
    pub semver: String,
    /// What was run or read.
    pub source: ReplaySource,
    /// What the file that was read hashes to; none where a query ran.
    pub source_sha256: Option<String>,
    /// What came out, as a CSV, hashed; none where nothing did.
    pub result_sha256: Option<String>,
    /// Whether it is what was frozen.
    pub verdict: Verdict,
    /// How many rows were compared.
    pub rows: usize,
    /// What was found.
    pub detail: String,
}

/// Judges a replay: both surfaces have a golden, and each is the same under both releases.
#[must_use]
pub fn replayed(semvers: [&str; 2], played: &[Played]) -> Probed {
    if played.is_empty() {
        return Probed::cannot_tell("no golden is named: nothing was compared");
    }
    for surface in Surface::ALL {
        for semver in semvers {
            let is_played = |it: &&Played| it.dashboard == surface.word() && it.semver == semver;
            if played.iter().filter(is_played).count() == 0 {
                return Probed::cannot_tell(format!(
                    "no golden of {surface} was replayed under {semver}"
                ));
            }
        }
    }
    let verdict = Verdict::all(played.iter().map(|it| it.verdict));
    let worst = played.iter().find(|it| it.verdict == verdict);
    let missed = played.iter().filter(|it| it.verdict != Verdict::Pass);
    let missing: BTreeSet<String> = missed
        .clone()
        .map(|it| format!("{} under {}", it.file, it.semver))
        .collect();
    let same = played.len() - missed.count();
    let mut detail = format!("{same} of {} replays are what was frozen", played.len());
    if let Some(worst) = worst.filter(|it| it.verdict != Verdict::Pass) {
        let Played { file, semver, .. } = worst;
        detail = format!("{detail}; {file} under {semver}: {}", worst.detail);
    }
    Probed {
        verdict,
        looked_for: played.len(),
        missing: missing.into_iter().collect(),
        detail,
    }
}

#[cfg(test)]
mod tests;

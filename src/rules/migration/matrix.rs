//! The impact matrix: every surface that reads the dictionary against every kind of risk, in three colours.

use std::fmt;

use crate::rules::{Verdict, text, words};

/// Where the numbers of the dictionary are read, in the matrix's order.
pub const SURFACES: &[&str] = &[
    "leadership",
    "partner_annex",
    "mock_audit_export",
    "reply_manifest_validator",
];
/// What may go wrong, in the matrix's order.
pub const RISKS: &[&str] = &["column_rename", "nested_json", "nullable_add", "type_widen"];

words! {
    /// A colour of the matrix.
    pub enum Cell {
        /// Nothing is to be feared.
        Green = "green",
        /// Somebody watches it.
        Amber = "amber",
        /// It would break.
        Red = "red",
    }
}

/// What is wrong with a matrix, and in which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixFault {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for MatrixFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}: {}", self.line, self.what)
    }
}

/// Reads a matrix: a header, and one line a surface, each exactly once.
pub fn read_matrix(csv: &str) -> Result<Vec<(&'static str, Vec<Cell>)>, MatrixFault> {
    let fault = |line: usize, what: String| MatrixFault { line, what };
    let mut lines = csv
        .lines()
        .map(|line| line.trim_end_matches('\r'))
        .enumerate();
    let header = format!("dashboard,{}", RISKS.join(","));
    let first = lines.next().map(|(_, line)| line);
    if first != Some(&*header) {
        return Err(fault(1, format!("the header is {header}")));
    }
    let mut rows: Vec<(&'static str, Vec<Cell>)> = Vec::new();
    for (at, line) in lines {
        let mut words = line.split(',');
        let named = words.next().unwrap_or_default();
        let surface = SURFACES.iter().find(|surface| **surface == named);
        let Some(surface) = surface else {
            let shown = text::shorten(named, 40);
            return Err(fault(
                at + 1,
                format!("{shown:?} is none of {}", SURFACES.join(", ")),
            ));
        };
        if rows.iter().any(|(known, _)| known == surface) {
            return Err(fault(at + 1, format!("{surface} is there twice")));
        }
        let cells: Result<Vec<Cell>, _> = words.map(str::parse).collect();
        let cells = cells.map_err(|refusal| fault(at + 1, refusal.sentence))?;
        if cells.len() != RISKS.len() {
            return Err(fault(
                at + 1,
                format!("{} cells, {} are due", cells.len(), RISKS.len()),
            ));
        }
        rows.push((surface, cells));
    }
    let missing = SURFACES
        .iter()
        .find(|it| !rows.iter().any(|(row, _)| row == *it));
    match missing {
        Some(surface) => Err(fault(
            csv.lines().count() + 1,
            format!("{surface} is missing"),
        )),
        None => Ok(rows),
    }
}

/// Judges a matrix: red cells fail, and are named.
#[must_use]
pub fn matrix_verdict(rows: &[(&'static str, Vec<Cell>)]) -> (Verdict, String) {
    let of_row = |(surface, cells): &(&'static str, Vec<Cell>)| {
        let named = cells
            .iter()
            .zip(RISKS)
            .filter(|(cell, _)| **cell == Cell::Red);
        named
            .map(|(_, risk)| format!("{surface}/{risk}"))
            .collect::<Vec<_>>()
    };
    let red: Vec<String> = rows.iter().flat_map(of_row).collect();
    let cells = rows.iter().flat_map(|(_, cells)| cells);
    let amber = cells.filter(|cell| **cell == Cell::Amber).count();
    match red.as_slice() {
        [] => (Verdict::Pass, format!("no cell is red, {amber} are amber")),
        some => (Verdict::Fail, format!("red: {}", some.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "dashboard,column_rename,nested_json,nullable_add,type_widen\n\
        leadership,green,green,amber,green\n\
        partner_annex,green,green,green,green\n\
        mock_audit_export,green,green,green,green\n\
        reply_manifest_validator,green,green,green,green\n";

    #[test]
    fn a_whole_matrix_is_read_and_judged() {
        let rows = read_matrix(GOOD).expect("it reads");
        let told = matrix_verdict(&rows);
        assert_eq!(
            told,
            (Verdict::Pass, "no cell is red, 1 are amber".to_owned())
        );
        let red = read_matrix(&GOOD.replace("leadership,green", "leadership,red"));
        let told = matrix_verdict(&red.expect("it reads"));
        assert_eq!(
            told,
            (Verdict::Fail, "red: leadership/column_rename".to_owned())
        );
        assert!(read_matrix(&GOOD.replace('\n', "\r\n")).is_ok());
    }

    #[test]
    fn whatever_is_missing_twice_or_unknown_is_told_by_its_line() {
        for (from, to, line) in [
            ("dashboard", "Dashboard", 1),
            ("leadership,", "board,", 2),
            ("partner_annex,", "leadership,", 3),
            ("leadership,green", "leadership,blue", 2),
            ("leadership,green", "leadership", 2),
            ("leadership,green", "leadership,green,green", 2),
            ("reply_manifest_validator,green,green,green,green\n", "", 5),
            ("reply_manifest_validator", "\nreply_manifest_validator", 5),
        ] {
            let fault = read_matrix(&GOOD.replacen(from, to, 1)).expect_err(to);
            assert_eq!(fault.line, line, "{to}: {fault}");
        }
        assert_eq!(read_matrix("").expect_err("empty").line, 1);
    }
}

//! A CSV of whatever columns, cell by cell, read as strictly as one with metrics.

use std::borrow::Cow;

use super::Table;
use crate::rules::reconcile::fault::{Fault, quoted};

/// Reads every cell of a text, the header's first: `take` gets the cells of one line after the other.
pub fn each_line(text: &str, mut take: impl FnMut(&[Cow<'_, str>])) -> Result<(), Fault> {
    let mut table = Table::open(text)?;
    let mut cells = Vec::new();
    while table.at < text.len() {
        let begin = table.at;
        let mut at = begin;
        loop {
            let (cell, end) = table.cell(at)?;
            if table.columns == 0 {
                refuse_name(&table, at, &cell, &cells)?;
            }
            cells.push(cell);
            if !table.comma_at(end) {
                table.at = table.line_end(end)?;
                break;
            }
            at = end + 1;
        }
        if table.columns == 0 {
            table.columns = cells.len();
        } else if cells.len() != table.columns {
            let (found, wanted) = (cells.len(), table.columns);
            let what = format!("a line of {found} cells, the header has {wanted}");
            return Err(table.fault(begin, what));
        }
        take(&cells);
        cells.clear();
    }
    Ok(())
}

fn refuse_name(
    table: &Table<'_>,
    at: usize,
    name: &str,
    before: &[Cow<'_, str>],
) -> Result<(), Fault> {
    if name.is_empty() {
        return Err(table.fault(at, "a column without a name"));
    }
    if before.iter().any(|before| before == name) {
        let what = format!("the column {} stands twice", quoted(name));
        return Err(table.fault(at, what));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::reconcile::fault::Place;

    fn lines(text: &str) -> Result<Vec<Vec<String>>, Fault> {
        let mut lines = Vec::new();
        each_line(text, |cells| {
            lines.push(cells.iter().map(ToString::to_string).collect());
        })?;
        Ok(lines)
    }

    #[test]
    fn cells_are_read_as_they_are_meant() {
        let read = lines("a,b\r\n1,\"x,\"\"y\"\"\n\"\n,\n").expect("it is a CSV");
        assert_eq!(read, [["a", "b"], ["1", "x,\"y\"\n"], ["", ""]]);
        assert_eq!(lines("a").expect("a header alone"), [["a"]]);
    }

    #[test]
    fn what_two_readers_would_read_otherwise_is_refused_with_its_place() {
        for (text, line, column) in [
            ("", 1, 1),
            ("\u{feff}a", 1, 1),
            ("a,,b", 1, 3),
            ("a,a", 1, 3),
            ("a,b\n1,2\n1", 3, 1),
            ("a,b\n1,2,3", 2, 1),
            ("a\n\"x", 2, 1),
            ("a\n\u{1}", 2, 1),
        ] {
            let fault = lines(text).expect_err(text);
            assert_eq!(fault.place, Place::At { line, column }, "{text:?}");
        }
    }
}

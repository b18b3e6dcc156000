//! Rows as CSV, read strictly by RFC 4180: nothing that two readers would understand differently.
//!
//! Lines end with a line feed, with or without a carriage return before it. A cell that begins with a quote ends with
//! one; a quote inside is doubled. A quote inside a bare cell, text behind a closing quote, control characters (line ends
//! inside quotes aside), another number of cells than the header has: all are refused with line and column.

mod sheet;

pub use sheet::each_line;

use std::borrow::Cow;

use super::fault::{Fault, quoted};

/// The largest cell that is taken, in bytes.
pub const MOST_CELL_BYTES: usize = 64 * 1024;

/// The columns that are compared, first in every header.
const COLUMNS: [&str; 2] = ["metric_id", "value"];

/// The bytes that a bare cell goes on with.
const BARE: [bool; 256] = {
    let mut bare = [true; 256];
    let mut byte = 0;
    while byte < 0x20 {
        bare[byte] = false;
        byte += 1;
    }
    bare[0x7f] = false;
    bare[b',' as usize] = false;
    bare[b'"' as usize] = false;
    bare
};

/// One metric of one side.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// The metric.
    pub metric_id: Cow<'a, str>,
    /// Its value, as it was written.
    pub value: Cow<'a, str>,
    /// The byte offset of the row.
    pub at: usize,
    /// The byte offset of the value's text.
    pub value_at: usize,
}

/// Reads the rows of one text in the order in which they are written.
#[derive(Debug, Clone)]
pub struct Table<'a> {
    text: &'a str,
    at: usize,
    columns: usize,
}

impl<'a> Table<'a> {
    /// Stands before the header of a text that can have one.
    fn open(text: &'a str) -> Result<Self, Fault> {
        let table = Self {
            text,
            at: 0,
            columns: 0,
        };
        if text.starts_with('\u{feff}') {
            return Err(table.fault(0, "a byte order mark before the header"));
        }
        if text.is_empty() {
            return Err(table.fault(0, "no header: the file is empty"));
        }
        Ok(table)
    }

    /// Reads the header, which may name further columns only from a list.
    pub fn begin(text: &'a str, further: &[String]) -> Result<Self, Fault> {
        let mut table = Self::open(text)?;
        let mut names: Vec<Cow<'a, str>> = Vec::new();
        let mut at = 0;
        loop {
            let (name, end) = table.cell(at)?;
            table.expect_column(at, &name, &names, further)?;
            names.push(name);
            if !table.comma_at(end) {
                table.at = table.line_end(end)?;
                break;
            }
            at = end + 1;
        }
        if let Some(missing) = COLUMNS.get(names.len()) {
            let what = format!("the header ends before the column {missing}");
            return Err(table.fault(at, what));
        }
        table.columns = names.len();
        Ok(table)
    }

    fn expect_column(
        &self,
        at: usize,
        name: &str,
        before: &[Cow<'a, str>],
        further: &[String],
    ) -> Result<(), Fault> {
        let what = match COLUMNS.get(before.len()) {
            Some(wanted) if *wanted == name => return Ok(()),
            Some(wanted) => format!("the header has {} for {wanted}", quoted(name)),
            None if before.iter().any(|before| before == name) => {
                format!("the column {} stands twice", quoted(name))
            }
            None if further.iter().any(|further| further == name) => return Ok(()),
            None => format!("no manifest allows the column {}", quoted(name)),
        };
        Err(self.fault(at, what))
    }

    /// Goes on at a row of a text whose header was read before.
    pub(super) fn resume(text: &'a str, at: usize, columns: usize) -> Self {
        Self { text, at, columns }
    }

    /// Tells the byte offset of the next row.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Tells how many columns there are.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Reads the next row; none after the last.
    #[inline]
    pub fn next_row(&mut self) -> Result<Option<Row<'a>>, Fault> {
        let at = self.at;
        if at == self.text.len() {
            return Ok(None);
        }
        let (metric_id, end) = self.cell(at)?;
        let value_at = self.after_comma(end, 1)?;
        let (value, mut end) = self.cell(value_at)?;
        for cells in 2..self.columns {
            let next = self.after_comma(end, cells)?;
            end = self.cell(next)?.1;
        }
        if self.comma_at(end) {
            let what = format!("more cells than the {} of the header", self.columns);
            return Err(self.fault(end, what));
        }
        if metric_id.is_empty() {
            return Err(self.fault(at, "an empty metric_id"));
        }
        self.at = self.line_end(end)?;
        let is_quoted = self.text.as_bytes().get(value_at) == Some(&b'"');
        Ok(Some(Row {
            metric_id,
            value,
            at,
            value_at: value_at + usize::from(is_quoted),
        }))
    }

    /// Reads the row at a place where one was read before.
    pub(super) fn row_at(&self, at: usize) -> Result<Row<'a>, Fault> {
        let row = Self { at, ..*self }.next_row()?;
        row.ok_or_else(|| self.fault(at, "a row is gone"))
    }

    /// Returns the byte at a place.
    #[inline]
    pub(super) fn byte_at(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// Reads the id of the row at a place where one was read before.
    #[inline]
    pub(super) fn id_at(&self, at: usize) -> Cow<'a, str> {
        self.cell(at).map(|(id, _)| id).unwrap_or_default()
    }

    /// Takes one cell and tells where it ends: at a comma, a line's end or the text's end, unless it is quoted.
    #[inline]
    fn cell(&self, at: usize) -> Result<(Cow<'a, str>, usize), Fault> {
        let bytes = self.text.as_bytes();
        if bytes.get(at) == Some(&b'"') {
            return self.quoted_cell(at);
        }
        let mut end = at;
        while let Some(byte) = bytes.get(end)
            && BARE[usize::from(*byte)]
        {
            end += 1;
        }
        if end - at > MOST_CELL_BYTES {
            return Err(self.too_large(at));
        }
        match bytes.get(end) {
            None | Some(b',' | b'\n' | b'\r') => Ok((Cow::Borrowed(&self.text[at..end]), end)),
            Some(b'"') => Err(self.fault(end, "a quote inside a cell without quotes")),
            Some(byte) => Err(self.control(end, *byte)),
        }
    }

    fn quoted_cell(&self, at: usize) -> Result<(Cow<'a, str>, usize), Fault> {
        let bytes = self.text.as_bytes();
        let start = at + 1;
        let (mut end, mut has_quotes) = (start, false);
        loop {
            match bytes.get(end) {
                None => return Err(self.fault(at, "a quoted cell without an end")),
                Some(b'"') if bytes.get(end + 1) == Some(&b'"') => {
                    has_quotes = true;
                    end += 2;
                }
                Some(b'"') => break,
                Some(byte @ (0..=0x1f | 0x7f)) if !b"\r\n".contains(byte) => {
                    return Err(self.control(end, *byte));
                }
                Some(_) => end += 1,
            }
            if end - start > MOST_CELL_BYTES {
                return Err(self.too_large(at));
            }
        }
        if !matches!(bytes.get(end + 1), None | Some(b',' | b'\n' | b'\r')) {
            return Err(self.fault(end + 1, "text behind a closing quote"));
        }
        let text = &self.text[start..end];
        let text = if has_quotes {
            Cow::Owned(text.replace("\"\"", "\""))
        } else {
            Cow::Borrowed(text)
        };
        Ok((text, end + 1))
    }

    #[inline]
    fn comma_at(&self, at: usize) -> bool {
        self.text.as_bytes().get(at) == Some(&b',')
    }

    #[inline]
    fn after_comma(&self, end: usize, cells: usize) -> Result<usize, Fault> {
        if self.comma_at(end) {
            return Ok(end + 1);
        }
        let plural = if cells == 1 { "" } else { "s" };
        let what = format!(
            "a line of {cells} cell{plural}, the header has {}",
            self.columns
        );
        Err(self.fault(end, what))
    }

    /// Steps over a line's end, which may be the text's.
    #[inline]
    fn line_end(&self, end: usize) -> Result<usize, Fault> {
        match self.text.as_bytes().get(end..).unwrap_or_default() {
            [] => Ok(end),
            [b'\n', ..] => Ok(end + 1),
            [b'\r', b'\n', ..] => Ok(end + 2),
            _ => Err(self.fault(end, "a carriage return without a line feed")),
        }
    }

    #[cold]
    fn too_large(&self, at: usize) -> Fault {
        self.fault(at, format!("a cell of more than {MOST_CELL_BYTES} bytes"))
    }

    #[cold]
    fn control(&self, at: usize, byte: u8) -> Fault {
        self.fault(at, format!("a control character U+{byte:04X}"))
    }

    #[cold]
    fn fault(&self, at: usize, what: impl Into<String>) -> Fault {
        Fault::at(self.text.as_bytes(), at, what)
    }
}

#[cfg(test)]
mod tests;

//! Rows as CSV, read strictly by RFC 4180: nothing that two readers would understand differently.
//!
//! Lines end with a line feed, with or without a carriage return before it. A cell that begins with a quote ends with
//! one; a quote inside is doubled. A quote inside a bare cell, text behind a closing quote, control characters (line ends
//! inside quotes aside), another number of cells than the header has: all are refused with line and column.

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
    /// Reads the header, which may name further columns only from a list.
    pub fn begin(text: &'a str, further: &[String]) -> Result<Self, Fault> {
        let mut table = Self {
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
mod tests {
    use super::super::RejectReason;
    use super::*;

    fn read(text: &str, further: &[&str]) -> Result<Vec<(String, String)>, String> {
        let told = |fault: Fault| fault.rejects(RejectReason::CsvInvalid, "f").to_string();
        let further: Vec<_> = further.iter().map(|name| (*name).to_owned()).collect();
        let mut table = Table::begin(text, &further).map_err(told)?;
        let mut rows = Vec::new();
        while let Some(row) = table.next_row().map_err(told)? {
            assert!(text[row.value_at..].starts_with(row.value.split('"').next().expect("a part")));
            let again = Table::resume(text, row.at, table.columns()).next_row();
            let again = again.expect("it was read").expect("a row");
            assert_eq!(again.metric_id, row.metric_id);
            rows.push((row.metric_id.into_owned(), row.value.into_owned()));
        }
        assert_eq!(table.at(), text.len());
        Ok(rows)
    }

    fn pairs(rows: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let owned = |(id, value): &(&str, &str)| ((*id).to_owned(), (*value).to_owned());
        Ok(rows.iter().map(owned).collect())
    }

    #[test]
    fn what_rfc_4180_writes_is_read() {
        for (text, rows) in [
            ("metric_id,value", &[][..]),
            ("metric_id,value\r\n", &[]),
            ("metric_id,value\na,1", &[("a", "1")]),
            ("metric_id,value\r\na,1\r\nb,2\n", &[("a", "1"), ("b", "2")]),
            ("\"metric_id\",\"value\"\n\"a\",\"1\"", &[("a", "1")]),
            (
                "metric_id,value\n\"a,\"\"b\"\"\r\nc\",1",
                &[("a,\"b\"\r\nc", "1")],
            ),
            ("metric_id,value\n\"\"\"\",\"\"\"\"", &[("\"", "\"")]),
            ("metric_id,value\n a ,\n", &[(" a ", "")]),
            (
                "metric_id,value\nmét 漢\u{202e},1",
                &[("mét 漢\u{202e}", "1")],
            ),
        ] {
            assert_eq!(read(text, &[]), pairs(rows), "{text:?}");
        }
    }

    #[test]
    fn further_columns_are_read_past_where_a_manifest_allows_them() {
        let text = "metric_id,value,squad,note\na,1,s,\"x,\ny\"\nb,2,,\n";
        let rows = pairs(&[("a", "1"), ("b", "2")]);
        assert_eq!(read(text, &["note", "squad"]), rows);
        let refused = read(text, &["squad"]);
        assert_eq!(
            refused,
            Err("f, line 1, column 23: no manifest allows the column \"note\"".into())
        );
        let twice = read("metric_id,value,squad,squad\n", &["squad"]);
        assert_eq!(
            twice,
            Err("f, line 1, column 23: the column \"squad\" stands twice".into())
        );
    }

    #[test]
    fn everything_else_is_refused_in_place() {
        for (text, said) in [
            ("", "line 1, column 1: no header: the file is empty"),
            (
                "\u{feff}metric_id,value\n",
                "line 1, column 1: a byte order mark",
            ),
            (
                "metric_id",
                "line 1, column 1: the header ends before the column value",
            ),
            (
                "metric_id;value\n",
                "line 1, column 1: the header has \"metric_id;value\"",
            ),
            (
                "value,metric_id\n",
                "line 1, column 1: the header has \"value\" for metric_id",
            ),
            (
                "metric_id, value\n",
                "line 1, column 11: the header has \" value\" for value",
            ),
            (
                "Metric_id,value\n",
                "line 1, column 1: the header has \"Metric_id\"",
            ),
            (
                "metric_id,value,\n",
                "line 1, column 17: no manifest allows the column \"\"",
            ),
            (
                "metric_id,value\n\n",
                "line 2, column 1: a line of 1 cell, the header has 2",
            ),
            (
                "metric_id,value\na,1\n\n",
                "line 3, column 1: a line of 1 cell",
            ),
            ("metric_id,value\na", "line 2, column 2: a line of 1 cell"),
            (
                "metric_id,value\na,1,2\n",
                "line 2, column 4: more cells than the 2",
            ),
            (
                "metric_id,value\n,1\n",
                "line 2, column 1: an empty metric_id",
            ),
            (
                "metric_id,value\n\"\",1\n",
                "line 2, column 1: an empty metric_id",
            ),
            (
                "metric_id,value\na\"b,1\n",
                "line 2, column 2: a quote inside a cell",
            ),
            (
                "metric_id,value\n\"a\"b,1\n",
                "line 2, column 4: text behind a closing quote",
            ),
            (
                "metric_id,value\n\"a\" ,1\n",
                "line 2, column 4: text behind a closing quote",
            ),
            (
                "metric_id,value\na,\"1\n2",
                "line 2, column 3: a quoted cell without an end",
            ),
            (
                "metric_id,value\na,1\rb,2\n",
                "line 2, column 4: a carriage return without",
            ),
            (
                "metric_id,value\ra,1\n",
                "line 1, column 16: a carriage return without",
            ),
            (
                "metric_id,value\na\0b,1\n",
                "line 2, column 2: a control character U+0000",
            ),
            (
                "metric_id,value\né\"\"\u{1b},1\n",
                "line 2, column 2: a quote inside a cell",
            ),
            (
                "metric_id,value\n\"é\u{1b}[2J\",1\n",
                "line 2, column 3: a control character U+001B",
            ),
            (
                "metric_id,value\na\tb,1\n",
                "line 2, column 2: a control character U+0009",
            ),
            (
                "metric_id,value\na\u{7f},1\n",
                "line 2, column 2: a control character U+007F",
            ),
        ] {
            let refused = read(text, &[]).expect_err(text);
            assert!(
                refused.starts_with(&format!("f, {said}")),
                "{text:?}: {refused}"
            );
        }
    }

    #[test]
    fn a_cell_is_bounded() {
        let most = "9".repeat(MOST_CELL_BYTES);
        for (quote, rows) in [("", 1), ("\"", 1)] {
            let sound = format!("metric_id,value\na,{quote}{most}{quote}\n");
            assert_eq!(read(&sound, &[]).map(|rows| rows.len()), Ok(rows));
            let larger = format!("metric_id,value\na,{quote}{most}9{quote}\n");
            let said = "f, line 2, column 3: a cell of more than 65536 bytes";
            assert_eq!(read(&larger, &[]), Err(said.into()));
        }
    }
}

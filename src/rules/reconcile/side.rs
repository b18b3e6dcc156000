//! The rows of one side: the text as it was handed in, and where its rows stand, unless the text itself is in order.

use super::csv::{Row, Table};
use super::decimal::Decimal;
use super::fault::{Fault, quoted};
use super::json_rows;
use super::order::sort_by_id;
use crate::canon::scan::Scanner;
use crate::canon::{Integers, JsonError};

/// How rows are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    /// As CSV; the header may also have these columns.
    Csv {
        /// The columns that a manifest allows besides `metric_id` and `value`.
        further: Vec<String>,
    },
    /// As a JSON array of objects.
    Json,
}

/// One side, whose rows can be walked along.
#[derive(Debug)]
pub(super) struct Side {
    text: String,
    form: Form,
    /// Where the rows begin, in their order; nothing while the order of the text is taken.
    places: Option<Vec<u32>>,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Csv { first: usize, columns: usize },
    Json,
}

impl Side {
    /// Takes a text; of CSV only the header is read, JSON is read whole.
    pub(super) fn open(bytes: Vec<u8>, rows: &Rows) -> Result<Self, Fault> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(Fault::whole("larger than 4 GiB"));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            Fault::at(error.as_bytes(), valid, "invalid UTF-8")
        })?;
        let (form, places) = match rows {
            Rows::Csv { further } => {
                let table = Table::begin(&text, further)?;
                let form = Form::Csv {
                    first: table.at(),
                    columns: table.columns(),
                };
                (form, None)
            }
            Rows::Json => (Form::Json, Some(json_rows::row_places(&text)?)),
        };
        Ok(Self { text, form, places })
    }

    /// Walks along the rows in their order.
    pub(super) fn walk(&self) -> Result<SideWalk<'_>, Fault> {
        let rows = self.rows_at()?;
        let ahead = match (&self.places, self.form) {
            (None, Form::Csv { first, columns }) => {
                Ahead::InText(Table::resume(&self.text, first, columns))
            }
            (places, _) => Ahead::Places(places.as_deref().unwrap_or_default().iter()),
        };
        Ok(SideWalk { rows, ahead })
    }

    fn rows_at(&self) -> Result<RowsAt<'_>, Fault> {
        Ok(match self.form {
            Form::Csv { columns, .. } => RowsAt::Csv {
                text: &self.text,
                columns,
            },
            Form::Json => {
                let scanner = Scanner::new(self.text.as_bytes(), Integers::AsDouble);
                RowsAt::Json(scanner.map_err(JsonError::from)?)
            }
        })
    }

    /// Finds every row, and the first that is malformed.
    pub(super) fn find_rows(&mut self) -> Result<(), Fault> {
        if self.places.is_some() {
            return Ok(());
        }
        let mut places = Vec::new();
        let mut walk = self.walk()?;
        while let Some(row) = walk.next_row()? {
            // The text is no longer than its offsets fit.
            places.push(u32::try_from(row.at).unwrap_or(u32::MAX));
        }
        self.places = Some(places);
        Ok(())
    }

    /// Puts the rows that were found in the order of their ids, and finds the first that repeats one.
    pub(super) fn put_in_order(&mut self) -> Result<(), Fault> {
        let mut places = self.places.take().unwrap_or_default();
        let rows = self.rows_at()?;
        let id = |at| rows.row(at).map(|row| row.metric_id).unwrap_or_default();
        sort_by_id(&mut places, id);
        let repeats = places.windows(2).filter(|two| id(two[0]) == id(two[1]));
        let first = repeats.map(|two| two[1]).min();
        if let Some(at) = first {
            let what = format!("the metric {} stands twice", quoted(&id(at)));
            return Err(Fault::at(self.text.as_bytes(), at as usize, what));
        }
        self.places = Some(places);
        Ok(())
    }

    /// Finds the first value that is no plain decimal.
    pub(super) fn check_values(&self) -> Result<(), Fault> {
        let mut walk = self.walk()?;
        let mut first: Option<(usize, String)> = None;
        while let Some(row) = walk.next_row()? {
            if let Err(error) = Decimal::parse(&row.value) {
                let at = row.value_at + error.at.min(row.value.len());
                if first.as_ref().is_none_or(|(before, _)| at < *before) {
                    let value = quoted(&row.value);
                    first = Some((
                        at,
                        format!("the value {value} is no plain decimal: {error}"),
                    ));
                }
            }
        }
        match first {
            None => Ok(()),
            Some((at, what)) => Err(Fault::at(self.text.as_bytes(), at, what)),
        }
    }
}

/// Reads single rows of a text.
#[derive(Debug, Clone)]
enum RowsAt<'a> {
    Csv { text: &'a str, columns: usize },
    Json(Scanner<'a>),
}

impl<'a> RowsAt<'a> {
    fn row(&self, at: u32) -> Result<Row<'a>, Fault> {
        match self {
            Self::Csv { text, columns } => {
                let row = Table::resume(text, at as usize, *columns).next_row()?;
                row.ok_or_else(|| Fault::at(text.as_bytes(), at as usize, "a row is gone"))
            }
            Self::Json(scanner) => json_rows::row_at(scanner, at),
        }
    }
}

/// Walks along the rows of a side.
#[derive(Debug, Clone)]
pub(super) struct SideWalk<'a> {
    rows: RowsAt<'a>,
    ahead: Ahead<'a>,
}

#[derive(Debug, Clone)]
enum Ahead<'a> {
    InText(Table<'a>),
    Places(std::slice::Iter<'a, u32>),
}

impl<'a> SideWalk<'a> {
    #[inline]
    pub(super) fn next_row(&mut self) -> Result<Option<Row<'a>>, Fault> {
        match &mut self.ahead {
            Ahead::InText(table) => table.next_row(),
            Ahead::Places(places) => places.next().map(|at| self.rows.row(*at)).transpose(),
        }
    }
}

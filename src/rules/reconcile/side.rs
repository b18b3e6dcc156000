//! The rows of one side: the text as it was handed in, and how its rows come in the order of their ids.

use std::borrow::Cow;

use super::csv::{Row, Table};
use super::decimal::Decimal;
use super::fault::{Fault, quoted};
use super::json_rows;
use super::order::{Ids, MOST_RUNS, SOON, sort_by_id};
use super::runs::Runs;
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
    order: Order,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Csv { first: usize, columns: usize },
    Json,
}

/// How the rows come in order.
#[derive(Debug)]
enum Order {
    /// As they are written.
    Written,
    /// As few stretches of the text that are in order, each from where to where.
    Runs(Vec<(usize, usize)>),
    /// One by one, from these places.
    Places(Vec<u32>),
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
        let (form, order) = match rows {
            Rows::Csv { further } => {
                let table = Table::begin(&text, further)?;
                let form = Form::Csv {
                    first: table.at(),
                    columns: table.columns(),
                };
                (form, Order::Written)
            }
            Rows::Json => (Form::Json, Order::Places(json_rows::row_places(&text)?)),
        };
        Ok(Self { text, form, order })
    }

    /// Walks along the rows in the order that is known so far.
    pub(super) fn walk(&self) -> Result<SideWalk<'_>, Fault> {
        Ok(match (&self.order, self.form) {
            (Order::Places(places), _) => self.walk_along(places)?,
            (Order::Written, Form::Csv { first, columns }) => {
                SideWalk::Written(Table::resume(&self.text, first, columns))
            }
            (Order::Runs(runs), Form::Csv { columns, .. }) => {
                let table = |(from, to): &(_, _)| Table::resume(&self.text[..*to], *from, columns);
                SideWalk::Runs(Runs::begin(runs.iter().map(table))?)
            }
            // JSON has places from the beginning.
            (_, Form::Json) => self.walk_along(&[])?,
        })
    }

    /// Walks along the rows at some places.
    pub(super) fn walk_along<'a>(&'a self, places: &'a [u32]) -> Result<SideWalk<'a>, Fault> {
        let rows = self.rows_at()?;
        Ok(SideWalk::Places(Places {
            rows,
            rest: places,
            near: 0,
        }))
    }

    /// Returns the places of the rows, where they come one by one.
    pub(super) fn at_places(&self) -> Option<&[u32]> {
        match &self.order {
            Order::Places(places) => Some(places),
            Order::Written | Order::Runs(_) => None,
        }
    }

    pub(super) fn rows_at(&self) -> Result<RowsAt<'_>, Fault> {
        Ok(match self.form {
            Form::Csv { first, columns } => RowsAt::Csv(Table::resume(&self.text, first, columns)),
            Form::Json => {
                let scanner = Scanner::new(self.text.as_bytes(), Integers::AsDouble);
                RowsAt::Json(scanner.map_err(JsonError::from)?)
            }
        })
    }

    /// Finds out how the rows can be put in order, and the first that is malformed.
    pub(super) fn find_order(&mut self) -> Result<(), Fault> {
        if let (Order::Written, Form::Csv { .. }) = (&self.order, self.form) {
            self.order = match self.runs()? {
                Some(runs) => Order::Runs(runs),
                None => Order::Places(self.places()?),
            };
        }
        Ok(())
    }

    /// Puts the rows in order whose places were found.
    pub(super) fn sort(&mut self) -> Result<(), Fault> {
        if let Order::Places(places) = &mut self.order {
            let mut places = std::mem::take(places);
            sort_by_id(&mut places, &self.rows_at()?);
            self.order = Order::Places(places);
        }
        Ok(())
    }

    /// Finds the stretches of the text that are in order, unless there are many.
    fn runs(&self) -> Result<Option<Vec<(usize, usize)>>, Fault> {
        let mut walk = self.walk()?;
        let mut runs: Vec<(usize, usize)> = Vec::new();
        let mut before: Option<Row<'_>> = None;
        while let Some(row) = walk.next_row()? {
            let goes_on = |before: &Row<'_>| before.metric_id < row.metric_id;
            if !before.as_ref().is_some_and(goes_on) {
                if runs.len() == MOST_RUNS {
                    return Ok(None);
                }
                if let Some(last) = runs.last_mut() {
                    last.1 = row.at;
                }
                runs.push((row.at, self.text.len()));
            }
            before = Some(row);
        }
        Ok(Some(runs))
    }

    /// Finds the place of every row.
    fn places(&self) -> Result<Vec<u32>, Fault> {
        let mut walk = self.walk()?;
        // A list that grows leaves holes as large as itself behind.
        let lines = self.text.bytes().filter(|byte| *byte == b'\n').count();
        let mut places = Vec::with_capacity(lines + 1);
        while let Some(row) = walk.next_row()? {
            // The text is no longer than its offsets fit.
            places.push(u32::try_from(row.at).unwrap_or(u32::MAX));
        }
        Ok(places)
    }

    /// Finds the first row that repeats a metric; the rows were put in order.
    pub(super) fn find_repeated(&self) -> Result<(), Fault> {
        let mut walk = self.walk()?;
        let (mut before, mut first) = (None::<Row<'_>>, None::<Row<'_>>);
        while let Some(row) = walk.next_row()? {
            if let Some(before) = before.replace(row.clone())
                && before.metric_id == row.metric_id
            {
                let later = if before.at > row.at { before } else { row };
                first = match first {
                    Some(first) if first.at < later.at => Some(first),
                    _ => Some(later),
                };
            }
        }
        first.map_or(Ok(()), |row| {
            let what = format!("the metric {} stands twice", quoted(&row.metric_id));
            Err(Fault::at(self.text.as_bytes(), row.at, what))
        })
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
                    let what = format!("the value {value} is no plain decimal: {error}");
                    first = Some((at, what));
                }
            }
        }
        first.map_or(Ok(()), |(at, what)| {
            Err(Fault::at(self.text.as_bytes(), at, what))
        })
    }
}

/// Reads single rows of a text.
#[derive(Debug, Clone)]
pub(super) enum RowsAt<'a> {
    Csv(Table<'a>),
    Json(Scanner<'a>),
}

impl<'a> RowsAt<'a> {
    fn row(&self, at: u32) -> Result<Row<'a>, Fault> {
        match self {
            Self::Csv(table) => table.row_at(at as usize),
            Self::Json(scanner) => json_rows::row_at(scanner, at),
        }
    }
}

impl Ids for RowsAt<'_> {
    fn id(&self, at: u32) -> Cow<'_, str> {
        match self {
            Self::Csv(table) => table.id_at(at as usize),
            Self::Json(_) => self.row(at).map(|row| row.metric_id).unwrap_or_default(),
        }
    }

    fn byte(&self, at: u32) -> u8 {
        match self {
            Self::Csv(table) => table.byte_at(at as usize),
            Self::Json(scanner) => scanner
                .text()
                .as_bytes()
                .get(at as usize)
                .map_or(0, |it| *it),
        }
    }
}

/// Walks along rows that come one by one.
#[derive(Debug, Clone)]
pub(super) struct Places<'a> {
    rows: RowsAt<'a>,
    rest: &'a [u32],
    /// How many of the rest were brought near.
    near: usize,
}

impl<'a> Places<'a> {
    #[inline]
    fn next_row(&mut self) -> Result<Option<Row<'a>>, Fault> {
        let Some((at, rest)) = self.rest.split_first() else {
            return Ok(None);
        };
        if self.near == 0 {
            self.near = self.rest.len().min(SOON);
            self.rows.bring_near(&self.rest[..self.near]);
        }
        self.near -= 1;
        self.rest = rest;
        self.rows.row(*at).map(Some)
    }
}

/// Walks along the rows of a side.
#[derive(Debug, Clone)]
pub(super) enum SideWalk<'a> {
    Written(Table<'a>),
    Runs(Runs<'a>),
    Places(Places<'a>),
}

impl<'a> SideWalk<'a> {
    #[inline]
    pub(super) fn next_row(&mut self) -> Result<Option<Row<'a>>, Fault> {
        match self {
            Self::Written(table) => table.next_row(),
            Self::Runs(runs) => runs.next_row(),
            Self::Places(places) => places.next_row(),
        }
    }
}

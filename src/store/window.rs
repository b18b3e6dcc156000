//! Windows: the part of a long list that is looked at, read by key and never by position.

use crate::rules::filter::Filter;

/// Where in the list a window lies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Anchor {
    /// At the first row.
    #[default]
    First,
    /// At the last row.
    Last,
    /// Around the row with this id, or around where it stood.
    Around(String),
}

/// Which way a list runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// As the sort is meant.
    #[default]
    Natural,
    /// The other way round.
    Reversed,
}

/// What is asked of a long list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look<Sort> {
    /// Which rows.
    pub filter: Filter,
    /// By what they are sorted.
    pub sort: Sort,
    /// Which way.
    pub order: Order,
    /// Where.
    pub anchor: Anchor,
    /// How many rows on either side of the anchor.
    pub reach: u16,
}

/// The rows that a look found, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window<Row> {
    /// The rows.
    pub rows: Vec<Row>,
    /// Whether there are rows before them.
    pub more_before: bool,
    /// Whether there are rows after them.
    pub more_after: bool,
}

impl<Row> Default for Window<Row> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            more_before: false,
            more_after: false,
        }
    }
}

//! A list's state: which row is selected, by its id, and which window of the list is wanted.

use std::cell::Cell;

use super::form::Line;
use crate::rules::filter::Filter;
use crate::store::window::{Anchor, Look, Order, Window};

/// How many rows more than the screen shows are read on either side, so that walking needs no new picture.
const AHEAD: u16 = 100;

/// A row that can be selected.
pub trait Identified {
    /// Returns the row's id.
    fn id(&self) -> String;
}

/// The state of one long list.
#[derive(Debug, Default)]
pub struct List<Sort> {
    /// The selected row's id, also when a refresh took the row away.
    pub selected: Option<String>,
    /// What is wanted of the list.
    pub look: Look<Sort>,
    /// The filter as it was typed.
    pub filter_text: String,
    /// The filter while it is being typed.
    pub typing: Option<Line>,
    /// Where the rows were drawn last; only the drawing knows.
    pub drawn: Cell<Drawn>,
}

/// Where the rows of a list were drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drawn {
    /// The screen's column where they begin.
    pub left: u16,
    /// How many cells wide they are.
    pub width: u16,
    /// The screen's line of the first row.
    pub top: u16,
    /// How many rows the screen shows.
    pub height: u16,
    /// Which row of the window is the first on the screen.
    pub offset: usize,
}

/// Where to go in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many rows on, or back.
    By(isize),
    /// So many screens on, or back.
    Pages(isize),
    /// To the first row.
    First,
    /// To the last row.
    Last,
}

impl Step {
    /// Goes from one row to another among those up to the last; a screen holds `page` of them.
    #[must_use]
    pub fn from(self, at: usize, last: usize, page: usize) -> usize {
        let page = isize::try_from(page).unwrap_or(1);
        match self {
            Self::By(rows) => at.saturating_add_signed(rows),
            Self::Pages(pages) => at.saturating_add_signed(pages.saturating_mul(page)),
            Self::First => 0,
            Self::Last => last,
        }
        .min(last)
    }
}

/// How far a text is scrolled; only the drawing knows how far that can be.
#[derive(Debug, Clone)]
pub struct Scroll {
    at: usize,
    last: Cell<usize>,
}

impl Default for Scroll {
    fn default() -> Self {
        Self {
            at: 0,
            last: Cell::new(usize::MAX),
        }
    }
}

impl Scroll {
    /// Returns how far it is scrolled.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Goes on or back.
    pub fn walk(&mut self, step: Step, page: usize) {
        let last = self.last.get();
        self.at = step.from(self.at.min(last), last, page.max(1));
    }

    /// Returns the first line to be drawn of so many, where there is room for some of them.
    #[must_use]
    pub fn first(&self, lines: usize, room: usize) -> usize {
        self.last.set(lines.saturating_sub(room));
        self.at.min(self.last.get())
    }
}

impl<Sort: Copy + Default> List<Sort> {
    /// Tells whether what was read by another look is this list too, though perhaps another part of it.
    #[must_use]
    pub fn is_read_by(&self, look: &Look<Sort>) -> bool
    where
        Sort: PartialEq,
    {
        let mine = &self.look;
        (&mine.filter, mine.sort, mine.order) == (&look.filter, look.sort, look.order)
    }

    /// Makes a list that is not looked at yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            look: Look {
                reach: AHEAD,
                ..Look::default()
            },
            ..Self::default()
        }
    }

    /// Returns where the selected row is in the window; none when it is gone.
    pub fn position<Row: Identified>(&self, window: &Window<Row>) -> Option<usize> {
        let selected = self.selected.as_ref()?;
        window.rows.iter().position(|row| row.id() == *selected)
    }

    /// Selects the first row when nothing was selected yet; a row that is gone stays selected, as gone.
    pub fn settle<Row: Identified>(&mut self, window: &Window<Row>) {
        if self.selected.is_none() {
            let at = match self.look.anchor {
                Anchor::Last => window.rows.last(),
                _ => window.rows.first(),
            };
            self.selected = at.map(Identified::id);
        }
    }

    /// Moves the selection; the wanted window follows it.
    pub fn step<Row: Identified>(&mut self, window: &Window<Row>, step: Step) {
        let last = window.rows.len().saturating_sub(1);
        let rows = match step {
            Step::By(rows) => rows,
            Step::Pages(pages) => {
                pages * isize::try_from(self.drawn.get().height.max(1)).unwrap_or(1)
            }
            Step::First if window.more_before => return self.jump(Anchor::First),
            Step::Last if window.more_after => return self.jump(Anchor::Last),
            Step::First => isize::MIN / 2,
            Step::Last => isize::MAX / 2,
        };
        let from = self.position(window);
        // From a row that is gone, the first step goes to where the list was read around it.
        let to = match from {
            Some(from) => from.saturating_add_signed(rows).min(last),
            None if window.more_before => usize::from(self.look.reach).min(last),
            None => 0,
        };
        if let Some(row) = window.rows.get(to) {
            self.select(&row.id());
        }
    }

    fn jump(&mut self, anchor: Anchor) {
        self.selected = None;
        self.look.anchor = anchor;
    }

    /// Sorts anew; the selected row stays selected.
    pub fn sort_by(&mut self, sort: Sort) {
        self.look.sort = sort;
        if let Some(selected) = &self.selected {
            self.look.anchor = Anchor::Around(selected.clone());
        }
    }

    /// Turns the order round.
    pub fn reverse(&mut self) {
        self.look.order = match self.look.order {
            Order::Natural => Order::Reversed,
            Order::Reversed => Order::Natural,
        };
        self.jump(Anchor::First);
    }

    /// Shows the rows that a filter lets through.
    pub fn filter_by(&mut self, text: &str, filter: Filter) {
        text.trim().clone_into(&mut self.filter_text);
        self.look.filter = filter;
        self.jump(Anchor::First);
    }

    /// Selects a row by its id, wherever it is, and keeps the window around it.
    pub fn select(&mut self, id: &str) {
        self.selected = Some(id.to_owned());
        self.look.anchor = Anchor::Around(id.to_owned());
    }
}

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

/// The rows of a window, whatever they are.
pub trait Rows {
    /// Returns the id of the row at a place; none where there is no row.
    fn id_at(&self, at: usize) -> Option<String>;
    /// Returns where a row is; none when it is not in the window.
    fn place_of(&self, id: &str) -> Option<usize>;
    /// Counts the rows.
    fn count(&self) -> usize;
    /// Tells whether the list goes on before them.
    fn more_before(&self) -> bool;
    /// Tells whether the list goes on after them.
    fn more_after(&self) -> bool;
}

impl<Row: Identified> Rows for Window<Row> {
    fn id_at(&self, at: usize) -> Option<String> {
        self.rows.get(at).map(Identified::id)
    }

    fn place_of(&self, id: &str) -> Option<usize> {
        self.rows.iter().position(|row| row.id() == id)
    }

    fn count(&self) -> usize {
        self.rows.len()
    }

    fn more_before(&self) -> bool {
        self.more_before
    }

    fn more_after(&self) -> bool {
        self.more_after
    }
}

/// What a list can be sorted by and filtered by.
pub trait Sorts: Copy + Default + PartialEq + std::fmt::Display + 'static {
    /// All that it can be sorted by, in the order in which a key goes through them.
    const SORTS: &'static [Self];
    /// The fields that a filter may name.
    const FIELDS: &'static [&'static str];
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

/// What can be done with every list, whatever it lists and however it is sorted.
pub trait Listing {
    /// Returns the filter line that is being typed.
    fn typing(&self) -> Option<&Line>;
    /// Returns the filter line that is being typed, to type on.
    fn typing_mut(&mut self) -> Option<&mut Line>;
    /// Begins to type a filter, with what it is now.
    fn begin_typing(&mut self);
    /// Ends the typing; the filter stays what it was.
    fn stop_typing(&mut self);
    /// Returns the filter as it was typed.
    fn filter_text(&self) -> &str;
    /// Returns the fields that a filter may name.
    fn fields(&self) -> &'static [&'static str];
    /// Shows the rows that a filter lets through.
    fn filter_by(&mut self, text: &str, filter: Filter);
    /// Sorts by what comes next, and names it; none where there is but one order.
    fn sort_on(&mut self) -> Option<String>;
    /// Turns the order round.
    fn reverse(&mut self);
    /// Returns the selected row's id, also when the row is gone.
    fn selected(&self) -> Option<&str>;
    /// Selects a row by its id, wherever it is, and keeps the window around it.
    fn select(&mut self, id: &str);
    /// Returns where the selected row is in the window; none when it is gone.
    fn position(&self, rows: &dyn Rows) -> Option<usize>;
    /// Selects the first row when nothing was selected yet; a row that is gone stays selected, as gone.
    fn settle(&mut self, rows: &dyn Rows);
    /// Moves the selection; the wanted window follows it.
    fn step(&mut self, rows: &dyn Rows, step: Step);
    /// Tells where the rows were drawn last.
    fn drawn(&self) -> Drawn;
}

impl<Sort: Sorts> List<Sort> {
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

    /// Tells whether what was read by another look is this list too, though perhaps another part of it.
    #[must_use]
    pub fn is_read_by(&self, look: &Look<Sort>) -> bool {
        let mine = &self.look;
        (&mine.filter, mine.sort, mine.order) == (&look.filter, look.sort, look.order)
    }

    fn jump(&mut self, anchor: Anchor) {
        self.selected = None;
        self.look.anchor = anchor;
    }
}

impl<Sort: Sorts> Listing for List<Sort> {
    fn typing(&self) -> Option<&Line> {
        self.typing.as_ref()
    }

    fn typing_mut(&mut self) -> Option<&mut Line> {
        self.typing.as_mut()
    }

    fn begin_typing(&mut self) {
        self.typing = Some(Line::holding(&self.filter_text));
    }

    fn stop_typing(&mut self) {
        self.typing = None;
    }

    fn filter_text(&self) -> &str {
        &self.filter_text
    }

    fn fields(&self) -> &'static [&'static str] {
        Sort::FIELDS
    }

    fn filter_by(&mut self, text: &str, filter: Filter) {
        text.trim().clone_into(&mut self.filter_text);
        self.look.filter = filter;
        self.jump(Anchor::First);
    }

    fn sort_on(&mut self) -> Option<String> {
        let [first, _, ..] = Sort::SORTS else {
            return None;
        };
        let mut from_here = Sort::SORTS.iter();
        from_here.find(|sort| **sort == self.look.sort);
        self.look.sort = *from_here.next().unwrap_or(first);
        if let Some(selected) = &self.selected {
            self.look.anchor = Anchor::Around(selected.clone());
        }
        Some(self.look.sort.to_string())
    }

    fn reverse(&mut self) {
        self.look.order = match self.look.order {
            Order::Natural => Order::Reversed,
            Order::Reversed => Order::Natural,
        };
        self.jump(Anchor::First);
    }

    fn selected(&self) -> Option<&str> {
        self.selected.as_deref()
    }

    fn select(&mut self, id: &str) {
        self.selected = Some(id.to_owned());
        self.look.anchor = Anchor::Around(id.to_owned());
    }

    fn position(&self, rows: &dyn Rows) -> Option<usize> {
        rows.place_of(self.selected.as_ref()?)
    }

    fn settle(&mut self, rows: &dyn Rows) {
        if self.selected.is_none() {
            self.selected = rows.id_at(match self.look.anchor {
                Anchor::Last => rows.count().saturating_sub(1),
                _ => 0,
            });
        }
    }

    fn step(&mut self, rows: &dyn Rows, step: Step) {
        let last = rows.count().saturating_sub(1);
        let by = match step {
            Step::By(by) => by,
            Step::Pages(pages) => {
                pages * isize::try_from(self.drawn.get().height.max(1)).unwrap_or(1)
            }
            Step::First if rows.more_before() => return self.jump(Anchor::First),
            Step::Last if rows.more_after() => return self.jump(Anchor::Last),
            Step::First => isize::MIN / 2,
            Step::Last => isize::MAX / 2,
        };
        // From a row that is gone, the first step goes to where the list was read around it.
        let to = match self.position(rows) {
            Some(from) => from.saturating_add_signed(by).min(last),
            None if rows.more_before() => usize::from(self.look.reach).min(last),
            None => 0,
        };
        if let Some(id) = rows.id_at(to) {
            self.select(&id);
        }
    }

    fn drawn(&self) -> Drawn {
        self.drawn.get()
    }
}

//! The panes: each draws one topic from the picture, and says what its selected row is.

pub mod blocks;
mod bundle_detail;
pub mod bundles;
pub mod cutover;
pub mod dictionary;
mod filed;
pub mod home;
mod hour_detail;
mod inbox;
pub mod ledger;
mod looked;
pub mod migration;
pub mod mismatches;
mod past;
pub mod people;
pub mod proposals;
mod responses;
mod spoken;
mod spread;
mod week_detail;
pub mod weeks;
mod you_may;

use ratatui::layout::Rect;

use crate::rules::text::counted;
use crate::rules::words;
use crate::store::window::{Order, Window};

pub use spoken::spoken;
pub use you_may::{you_may, you_may_now};

use super::keymap::Intent;
use super::list::{Drawn, List, Listing};
use super::model::Model;
use super::prose::{flow, wrap};
use super::table::Table;
use super::theme::Token;
use super::ui::{Parts, Pen};

words! {
    /// A pane.
    #[derive(Default)]
    pub enum PaneId {
        /// What is blocked, what waits, what changed.
        #[default]
        Home = "Home",
        /// Where the dictionary's migration stands, and every gate to the next phase.
        Migration = "Migration",
        /// What did not match in the newest scan.
        Mismatches = "Mismatches",
        /// Runs that the publish gate stopped.
        Blocks = "Blocks",
        /// Weekly reconciliation: what was compared, what it makes of governance, and who signed.
        Weeks = "Weeks",
        /// The hour of a cutover, step by step.
        Cutover = "Cutover",
        /// Governed changes of stores: how far each has come, and its runs.
        Bundles = "Bundles",
        /// Who decided what.
        Ledger = "Ledger",
        /// Who may do what.
        People = "People",
        /// What every metric means.
        Dictionary = "Dictionary",
    }
}

impl PaneId {
    /// Returns what opens the pane.
    #[must_use]
    pub const fn intent(self) -> Intent {
        match self {
            Self::Home => Intent::Home,
            Self::Migration => Intent::Migration,
            Self::Mismatches => Intent::Mismatches,
            Self::Cutover => Intent::Cutover,
            Self::Bundles => Intent::Bundles,
            Self::Dictionary => Intent::Dictionary,
            Self::Blocks => Intent::Blocks,
            Self::Weeks => Intent::Weeks,
            Self::Ledger => Intent::Ledger,
            Self::People => Intent::People,
        }
    }

    /// Returns the pane that a key opens; none where the key means something else.
    #[must_use]
    pub fn opened_by(intent: Intent) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|pane| pane.intent() == intent)
    }

    /// Tells whether the ledger keeps what its rows were, so that they can be shown as they stood.
    #[must_use]
    pub const fn keeps_history(self) -> bool {
        matches!(
            self,
            Self::Migration | Self::Blocks | Self::Weeks | Self::Ledger
        )
    }

    /// Returns the pane so many places on, round and round.
    #[must_use]
    pub fn neighbour(self, by: isize) -> Self {
        let all = Self::ALL;
        let here = all.iter().position(|pane| *pane == self).unwrap_or(0);
        all[(here + all.len()).saturating_add_signed(by) % all.len()]
    }
}

/// Tells whether a timer is on the screen.
#[must_use]
pub fn counts(model: &Model) -> bool {
    // The past stands still.
    if model.as_of.is_some() {
        return false;
    }
    match model.pane {
        PaneId::Home => home::counts(model),
        PaneId::Blocks => blocks::counts(model),
        PaneId::Cutover => cutover::counts(model),
        PaneId::Migration
        | PaneId::Mismatches
        | PaneId::Bundles
        | PaneId::Dictionary
        | PaneId::Weeks
        | PaneId::Ledger
        | PaneId::People => false,
    }
}

/// Writes the selected row as JSON, with a title that names it; nothing while it is not read.
#[must_use]
pub fn row_json(model: &Model) -> Option<(String, String)> {
    let (kind, id) = model.selected()?;
    match (model.pane, kind) {
        (_, "entry") => {
            let json = ledger::card_json(model, &id)?;
            Some((format!("Card of entry {id}"), json))
        }
        (PaneId::Weeks, _) => Some((format!("{id} as JSON"), weeks::row_json(model)?)),
        (PaneId::Migration, _) => Some((format!("{id} as JSON"), migration::row_json(model)?)),
        (PaneId::Cutover, _) => Some((format!("{id} as JSON"), cutover::row_json(model)?)),
        (PaneId::Mismatches, _) => Some((format!("{id} as JSON"), mismatches::row_json(model)?)),
        (PaneId::Bundles, _) => Some((format!("{id} as JSON"), bundles::row_json(model)?)),
        (PaneId::Dictionary, _) => Some((format!("{id} as JSON"), dictionary::row_json(model)?)),
        (PaneId::People, _) => Some((format!("{id} as JSON"), people::row_json(model)?)),
        (PaneId::Home, _) => Some((format!("{id} as JSON"), home::row_json(model, &id)?)),
        _ => Some((format!("{id} as JSON"), blocks::row_json(model)?)),
    }
}

/// Draws a pane whose rows were read.
pub fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    if model.as_of.is_some() && !model.pane.keeps_history() {
        return past::none_kept(model, pen, area);
    }
    match model.pane {
        PaneId::Home => home::draw(model, pen, area),
        PaneId::Migration => migration::draw(model, pen, area),
        PaneId::Mismatches => mismatches::draw(model, pen, area),
        PaneId::Cutover => cutover::draw(model, pen, area),
        PaneId::Bundles => bundles::draw(model, pen, area),
        PaneId::Dictionary => dictionary::draw(model, pen, area),
        PaneId::Blocks => blocks::draw(model, pen, area),
        PaneId::Weeks => weeks::draw(model, pen, area),
        PaneId::Ledger => ledger::draw(model, pen, area),
        PaneId::People => people::draw(model, pen, area),
    }
}

/// Selects the row that was clicked.
pub fn click(model: &mut Model, column: u16, row: u16) {
    if !model.has_read() {
        return;
    }
    let Some(drawn) = model.list().map(Listing::drawn) else {
        return home::click(model, row);
    };
    // Zoomed, there is no list.
    if model.zoomed {
        return;
    }
    let inside = |at: u16, from: u16, length: u16| at.checked_sub(from).filter(|at| *at < length);
    let (Some(_), Some(at)) = (
        inside(column, drawn.left, drawn.width),
        inside(row, drawn.top, drawn.height),
    ) else {
        return;
    };
    let at = drawn.offset + usize::from(at);
    let picture = model.picture.as_ref();
    let rows = picture.and_then(|picture| picture.rows(model.pane));
    let id = rows.and_then(|rows| rows.id_at(at));
    if let (Some(id), Some(list)) = (id, model.list_mut()) {
        list.select(&id);
    }
}

/// Splits a pane into list and detail: side by side where it is wide, one above the other else, one alone when zoomed
/// or when there is no room for two.
#[must_use]
pub fn split(model: &Model, area: Rect, rows: usize) -> (Rect, Rect) {
    let nothing = Rect { height: 0, ..area };
    if model.zoomed {
        return (nothing, area);
    }
    if area.width < 60 || area.height < 12 {
        return (area, nothing);
    }
    if area.width >= 120 {
        let list = area.width * 11 / 20;
        (
            Rect {
                width: list,
                ..area
            },
            Rect {
                x: area.x + list,
                width: area.width - list,
                ..area
            },
        )
    } else {
        let wanted = u16::try_from(rows.max(3))
            .unwrap_or(u16::MAX)
            .saturating_add(4);
        let list = wanted.min(area.height - (area.height * 11 / 20).min(12));
        (
            Rect {
                height: list,
                ..area
            },
            Rect {
                y: area.y + list,
                height: area.height - list,
                ..area
            },
        )
    }
}

/// Draws a row's detail inside its frame; zoomed it is scrolled, and what is not shown is said on the lower edge.
pub fn detail(model: &Model, pen: &mut Pen<'_>, frame: Rect, lines: &[Parts]) {
    let inside = Rect {
        x: frame.x + 2,
        y: frame.y + 1,
        width: frame.width.saturating_sub(4),
        height: frame.height.saturating_sub(2),
    };
    let lines: Vec<Parts> = lines
        .iter()
        .flat_map(|line| flow(line, inside.width))
        .collect();
    let room = usize::from(inside.height);
    let first = if model.zoomed {
        model.detail.first(lines.len(), room)
    } else {
        0
    };
    pen.lines(inside, &lines[first.min(lines.len())..]);
    let hidden = lines.len().saturating_sub(first + room);
    let hint = |intent| model.start.keymap.hint(intent);
    if hidden > 0 {
        let key = hint(if model.zoomed {
            Intent::PageDown
        } else {
            Intent::Zoom
        });
        pen.foot(
            frame,
            &format!("{}: {key}", counted(hidden, "more line", "more lines")),
        );
    } else if first > 0 {
        pen.foot(frame, &format!("the end: {}", hint(Intent::PageUp)));
    }
}

/// Leaves a blank column on either side.
fn inset(area: Rect) -> Rect {
    Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    }
}

/// Says one thing in the middle of nothing.
pub fn say(pen: &mut Pen<'_>, area: Rect, token: Token, text: &str) {
    let area = inset(area);
    let lines: Vec<Parts> = wrap(text, usize::from(area.width))
        .into_iter()
        .map(|line| vec![(token, line)])
        .collect();
    pen.lines(area, &lines);
}

/// Names a filter for a title.
#[must_use]
pub fn filter_word(filter: &str) -> String {
    if filter.is_empty() {
        String::new()
    } else {
        format!(" in all, /{filter}")
    }
}

/// Says why a list has no rows: there are none, or a filter lets none through.
#[must_use]
pub fn nothing<Sort>(model: &Model, list: &List<Sort>, there_are_none: &str) -> String {
    if list.filter_text.is_empty() {
        return there_are_none.to_owned();
    }
    nothing_passes(model)
}

/// Says that a filter lets nothing through.
#[must_use]
pub fn nothing_passes(model: &Model) -> String {
    let escape = model.start.keymap.hint(Intent::Escape);
    format!("0 rows pass the filter; {escape} shows all")
}

/// Names an order that is turned round.
#[must_use]
pub fn order_word(order: Order) -> &'static str {
    match order {
        Order::Natural => "",
        Order::Reversed => ", reversed",
    }
}

/// Parts a list's frame into the table and, where there is room, a line below it.
#[must_use]
pub fn above_a_line(inside: Rect) -> (Rect, Option<u16>) {
    if inside.height <= 3 {
        return (inside, None);
    }
    let height = inside.height - 1;
    (Rect { height, ..inside }, Some(inside.bottom() - 1))
}

/// Draws a list's rows and says where the selection is; without rows it says why there are none.
pub fn rows<Row, Sort>(
    pen: &mut Pen<'_>,
    (frame, area): (Rect, Rect),
    list: &List<Sort>,
    window: &Window<Row>,
    table: &Table<'_, Row>,
    (token, nothing): (Token, &str),
) {
    if window.rows.is_empty() {
        say(pen, area, token, nothing);
        return list.drawn.set(Drawn::default());
    }
    list.drawn.set(table.draw(pen, area));
    place(pen, frame, window, table.selected, list.drawn.get());
}

/// Says on a list's lower edge where the selection is, and whether there is more.
fn place<Row>(
    pen: &mut Pen<'_>,
    frame: Rect,
    window: &Window<Row>,
    selected: Option<usize>,
    drawn: Drawn,
) {
    let total = window.rows.len();
    let above = window.more_before || drawn.offset > 0;
    let below = window.more_after || drawn.offset + usize::from(drawn.height) < total;
    let at = match selected {
        _ if window.more_before => String::new(),
        Some(at) if window.more_after => format!("row {}", at + 1),
        Some(at) => format!("row {} of {total}", at + 1),
        None => String::new(),
    };
    let more = match (above, below) {
        (false, false) => "",
        (true, false) => "more above",
        (false, true) => "more below",
        (true, true) => "more above and below",
    };
    let said: Vec<&str> = [at.as_str(), more]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    if !said.is_empty() && (above || below) {
        pen.foot(frame, &said.join(", "));
    }
}

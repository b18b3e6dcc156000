//! The one table of keys: what a key means, and what footer, help, palette and docs say about it.

//!
//! A preset changes rows of the table, and the user's file changes both. Whatever they say, `esc` means escape, `ctrl-c`
//! asks whether to leave, and `enter` opens or means nothing.

mod conflict;
mod file;
mod force;
mod presets;
mod schema;
#[cfg(test)]
mod tests;

pub use super::user_file::FileError as KeysError;
pub use force::{GivenBy, Keymap};
pub use presets::Preset;
pub use schema::schema;

use super::panes::PaneId;
use crate::rules::words;

words! {
    /// What a key can mean; none of them writes.
    pub enum Intent {
        /// To the next row.
        Down = "down",
        /// To the row before.
        Up = "up",
        /// A page on.
        PageDown = "page-down",
        /// A page back.
        PageUp = "page-up",
        /// To the first row.
        First = "first",
        /// To the last row.
        Last = "last",
        /// To the next row that needs somebody.
        NextProblem = "next-problem",
        /// Goes to what the row is about, or shows more of it.
        Open = "open",
        /// Lists what can be done, and why not.
        Act = "act",
        /// Lists all conditions.
        Why = "why",
        /// Shows fewer rows.
        Filter = "filter",
        /// Sorts by the next column.
        Sort = "sort",
        /// Turns the order round.
        Reverse = "reverse",
        /// The pane Home.
        Home = "home",
        /// The pane Migration.
        Migration = "migration",
        /// The pane Mismatches.
        Mismatches = "mismatches",
        /// The pane Blocks.
        Blocks = "blocks",
        /// The pane Weeks.
        Weeks = "weeks",
        /// The pane Ledger.
        Ledger = "ledger",
        /// The pane People.
        People = "people",
        /// The pane Cutover.
        Cutover = "hour",
        /// The pane Bundles.
        Bundles = "bundles",
        /// The pane Dictionary.
        Dictionary = "dictionary",
        /// The next pane.
        NextPane = "next-pane",
        /// The pane before.
        PreviousPane = "previous-pane",
        /// Copies the row's id.
        CopyId = "copy-id",
        /// Copies the command line that does the same.
        CopyCommand = "copy-command",
        /// Shows the row as JSON.
        RowJson = "row-json",
        /// Gives the detail the whole screen.
        Zoom = "zoom",
        /// Shows local time, or UTC.
        Clock = "clock",
        /// Reads everything anew.
        Refresh = "refresh",
        /// Hashes the whole ledger again.
        Verify = "verify",
        /// Ends the armed time.
        Disarm = "disarm",
        /// Picks a theme.
        Theme = "theme",
        /// Begins the tour, or ends it.
        Tour = "tour",
        /// Looks at a moment in the past.
        AsOf = "as-of",
        /// Comes back from the past.
        Now = "now",
        /// Shows what was said.
        Messages = "messages",
        /// Lets the mouse select rows.
        Mouse = "mouse",
        /// Finds a command by its name.
        Palette = "palette",
        /// Shows all keys.
        Help = "help",
        /// Closes what is open.
        Escape = "escape",
        /// Goes back, and on Home asks whether to leave.
        Back = "back",
        /// Puts the program to sleep.
        Suspend = "suspend",
        /// Asks whether to leave; twice leaves.
        Interrupt = "interrupt",
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What is meant.
    pub intent: Intent,
    /// The keys that mean it, as chords.
    pub keys: &'static [&'static str],
    /// What the footer says; empty where it says nothing.
    pub label: &'static str,
    /// What help says.
    pub about: &'static str,
    /// The only pane where it means something; none means everywhere.
    pub only: Option<PaneId>,
}

const fn row(
    intent: Intent,
    keys: &'static [&'static str],
    label: &'static str,
    about: &'static str,
) -> Row {
    Row {
        intent,
        keys,
        label,
        about,
        only: None,
    }
}

const fn only(pane: PaneId, row: Row) -> Row {
    Row {
        only: Some(pane),
        ..row
    }
}

impl Row {
    /// Tells whether it means something in a pane.
    #[must_use]
    pub fn is_in(&self, pane: PaneId) -> bool {
        self.only.is_none_or(|only| only == pane)
    }

    /// Tells whether there is a pane where both mean something.
    fn meets(&self, other: &Self) -> bool {
        self.only.is_none() || other.only.is_none() || self.only == other.only
    }
}

/// Every key, in the order in which help lists them.
pub const ROWS: &[Row] = &[
    row(
        Intent::Open,
        &["enter"],
        "open",
        "go to what the row is about, or show more of it; never writes",
    ),
    row(
        Intent::Act,
        &["a"],
        "act",
        "list what can be done here, with its key, its guard and why not",
    ),
    row(
        Intent::Why,
        &["w"],
        "why",
        "say which rule, rows and hashes a verdict rests on, and every condition",
    ),
    row(
        Intent::Filter,
        &["/"],
        "filter",
        "show fewer rows: text, ~fuzzy, !not, field:value",
    ),
    row(
        Intent::Palette,
        &[":"],
        "commands",
        "find a command by its name",
    ),
    row(Intent::Help, &["?"], "help", "show all keys"),
    row(
        Intent::Back,
        &["q"],
        "back",
        "go back; on Home, ask whether to leave",
    ),
    row(
        Intent::Escape,
        &["esc"],
        "",
        "close what is open; always safe",
    ),
    row(Intent::Down, &["j", "down"], "", "the next row"),
    row(Intent::Up, &["k", "up"], "", "the row before"),
    row(Intent::PageDown, &["pgdn", "ctrl-f"], "", "a page on"),
    row(Intent::PageUp, &["pgup", "ctrl-b"], "", "a page back"),
    row(Intent::First, &["g g", "home"], "", "the first row"),
    row(Intent::Last, &["G", "end"], "", "the last row"),
    row(
        Intent::NextProblem,
        &["n"],
        "",
        "the next row that needs somebody",
    ),
    row(Intent::Sort, &["s"], "", "sort by the next column"),
    row(Intent::Reverse, &["S"], "", "turn the order round"),
    row(
        Intent::Home,
        &["1", "g h"],
        "",
        "Home: what is blocked, what waits for you, what changed",
    ),
    row(
        Intent::Migration,
        &["2", "g m"],
        "",
        "Migration: which phase, and every gate to the next",
    ),
    row(
        Intent::Mismatches,
        &["3", "g x"],
        "",
        "Mismatches: what did not match in the newest scan, and the 72-hour clock",
    ),
    row(
        Intent::Blocks,
        &["4", "g b"],
        "",
        "Blocks: runs that the publish gate stopped",
    ),
    row(
        Intent::Weeks,
        &["5", "g w"],
        "",
        "Weeks: what was compared each week, and who signed it",
    ),
    row(
        Intent::Cutover,
        &["6", "g c"],
        "",
        "Cutover: the hour step by step, its clock, and what comes now",
    ),
    row(
        Intent::Bundles,
        &["7", "g u"],
        "",
        "Bundles: governed changes of stores, how far each has come, and its runs",
    ),
    row(
        Intent::Ledger,
        &["8", "g l"],
        "",
        "Ledger: who decided what, on which evidence",
    ),
    row(
        Intent::People,
        &["9", "g p"],
        "",
        "People: who may do what, and how they are known",
    ),
    row(
        Intent::Dictionary,
        &["0", "g d"],
        "",
        "Dictionary: what every metric means, and where its numbers come from",
    ),
    row(
        Intent::NextPane,
        &["tab", "l", "right"],
        "",
        "the next pane",
    ),
    row(
        Intent::PreviousPane,
        &["backtab", "h", "left"],
        "",
        "the pane before",
    ),
    row(Intent::CopyId, &["y"], "", "copy the row's id"),
    row(
        Intent::CopyCommand,
        &["C"],
        "",
        "copy the action as a command line, with what is still to be said",
    ),
    row(Intent::RowJson, &["J"], "", "show the row as JSON"),
    row(
        Intent::Zoom,
        &["z"],
        "",
        "give the detail the whole screen, and back",
    ),
    row(Intent::Clock, &["t"], "", "show local time, or UTC again"),
    row(Intent::Refresh, &["r"], "", "read everything anew"),
    only(
        PaneId::Ledger,
        row(
            Intent::Verify,
            &["V"],
            "verify",
            "hash every entry and every governed row again",
        ),
    ),
    row(Intent::Disarm, &["D"], "", "end the armed time now"),
    row(
        Intent::Theme,
        &["T"],
        "",
        "pick a theme, with a live preview",
    ),
    row(
        Intent::Tour,
        &["*"],
        "",
        "the card for newcomers and a tour of eight steps, or its end",
    ),
    row(
        Intent::AsOf,
        &["@"],
        "",
        "look at a moment in the past: as-of 2026-05-14T02:14Z",
    ),
    row(Intent::Now, &["."], "", "come back from the past"),
    row(Intent::Messages, &["!"], "", "show what was said"),
    row(
        Intent::Mouse,
        &["m"],
        "",
        "let the mouse select rows, or leave it to the terminal",
    ),
    row(
        Intent::Suspend,
        &["ctrl-z"],
        "",
        "put govdeck to sleep; `fg` wakes it",
    ),
    row(
        Intent::Interrupt,
        &["ctrl-c"],
        "",
        "quit: ask whether to leave; twice leaves",
    ),
];

/// What the strokes typed so far mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// This.
    Is(Intent),
    /// Something that needs more strokes.
    Begins,
    /// That the strokes before it are forgotten.
    Forgets,
    /// Nothing.
    Nothing,
}

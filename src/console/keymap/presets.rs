//! Keymaps that need no file, each as what it changes in the table.

use super::super::panes::PaneId;
use super::{Intent, Row};
use crate::rules::words;

words! {
    /// A keymap that needs no file.
    #[derive(Default)]
    pub enum Preset {
        /// The table itself.
        #[default]
        Default = "default",
        /// More of what vim has.
        Vim = "vim",
        /// What emacs has, without alt.
        Emacs = "emacs",
        /// No letters for moving.
        Arrows = "arrows",
    }
}

type Change = (Intent, &'static [&'static str]);

/// Half pages are whole ones here; `Z Z` leaves as it does there, after a question.
const VIM: &[Change] = &[
    (Intent::PageDown, &["ctrl-d", "ctrl-f", "pgdn"]),
    (Intent::PageUp, &["ctrl-u", "ctrl-b", "pgup"]),
    (Intent::NextPane, &["g t", "tab", "l", "right"]),
    (Intent::PreviousPane, &["g T", "backtab", "h", "left"]),
    (Intent::Zoom, &["z", "ctrl-w o"]),
    (Intent::CopyId, &["y y"]),
    (Intent::Back, &["q", "ctrl-o"]),
    (Intent::Interrupt, &["ctrl-c", "Z Z", "Z Q"]),
];

/// Space and backspace turn pages, and `<`, `>` and `g` are as in emacs' own lists; alt is left to the terminal.
const EMACS: &[Change] = &[
    (Intent::Down, &["ctrl-n", "down"]),
    (Intent::Up, &["ctrl-p", "up"]),
    (Intent::PageDown, &["ctrl-v", "space", "pgdn"]),
    (Intent::PageUp, &["backspace", "pgup"]),
    (Intent::First, &["<", "home"]),
    (Intent::Last, &[">", "end"]),
    (Intent::NextPane, &["ctrl-f", "ctrl-x o", "tab", "right"]),
    (Intent::PreviousPane, &["ctrl-b", "backtab", "left"]),
    (Intent::Filter, &["ctrl-s", "/"]),
    (Intent::Refresh, &["g", "ctrl-l", "r"]),
    (Intent::Zoom, &["z", "ctrl-x 1"]),
    (Intent::Back, &["q", "ctrl-x k"]),
    (Intent::Escape, &["esc", "ctrl-g"]),
    (Intent::Interrupt, &["ctrl-c", "ctrl-x ctrl-c"]),
];

/// Nothing that moves is a letter.
const ARROWS: &[Change] = &[
    (Intent::Down, &["down"]),
    (Intent::Up, &["up"]),
    (Intent::PageDown, &["pgdn"]),
    (Intent::PageUp, &["pgup"]),
    (Intent::First, &["home"]),
    (Intent::Last, &["end"]),
    (Intent::NextProblem, &["space"]),
    (Intent::NextPane, &["right", "tab"]),
    (Intent::PreviousPane, &["left", "backtab"]),
];

impl Preset {
    /// Says in a few words what it is.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Default => "letters and arrows, as most terminal programs have them",
            Self::Vim => "the default, and more of what vim has",
            Self::Emacs => "what emacs has, without alt",
            Self::Arrows => "arrows, pgup, pgdn, home and end move, and no letter does",
        }
    }

    /// Returns what it changes in the table, besides the keys of panes.
    pub(super) const fn changes(self) -> &'static [Change] {
        match self {
            Self::Default => &[],
            Self::Vim => VIM,
            Self::Emacs => EMACS,
            Self::Arrows => ARROWS,
        }
    }

    /// Tells whether a pane's digit alone opens it there, and no letters do.
    const fn knows_digits_alone(self) -> bool {
        matches!(self, Self::Emacs | Self::Arrows)
    }

    /// Returns the keys that a row has in it.
    pub(super) fn keys(self, row: &Row) -> &'static [&'static str] {
        let mut changes = self.changes().iter();
        let change = changes.find(|(intent, _)| *intent == row.intent);
        match change {
            Some((_, keys)) => keys,
            None if self.knows_digits_alone() && PaneId::opened_by(row.intent).is_some() => {
                row.keys.get(..1).unwrap_or_default()
            }
            None => row.keys,
        }
    }
}

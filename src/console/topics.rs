//! Which pane an action belongs to: the kind of thing that it is about says so, and no action has to.

use crate::actions::{ENTRIES, Entry};
use crate::rules::people::Basis;

use super::ARM;
use super::panes::PaneId;

/// How somebody says which thing of a kind an action is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// By selecting its row.
    Selected,
    /// By its id, in the dialog.
    Typed,
}

/// A kind of thing that actions are about.
#[derive(Debug, Clone, Copy)]
pub struct Topic {
    /// The kind.
    pub kind: &'static str,
    /// How one of them is named.
    pub named: Named,
    /// The panes where actions on it belong; a row is selected in each of them, its own pane last.
    pub panes: &'static [PaneId],
}

const fn selected(kind: &'static str, panes: &'static [PaneId]) -> Topic {
    Topic {
        kind,
        named: Named::Selected,
        panes,
    }
}

const fn typed(kind: &'static str, panes: &'static [PaneId]) -> Topic {
    Topic {
        kind,
        named: Named::Typed,
        panes,
    }
}

/// Every kind that an action of a person can be about, but consoles, which are everywhere.
pub const TOPICS: &[Topic] = &[
    selected("block", &[PaneId::Home, PaneId::Blocks]),
    typed("route", &[PaneId::Blocks]),
    typed("footer", &[PaneId::Blocks]),
    typed("bypass", &[PaneId::Blocks]),
    selected("migration", &[PaneId::Home, PaneId::Migration]),
    selected("hour", &[PaneId::Cutover]),
    typed("gate", &[PaneId::Migration]),
    typed("calendar", &[PaneId::Migration]),
    selected("bundle", &[PaneId::Bundles]),
    typed("release", &[PaneId::Dictionary]),
    typed("bind_query", &[PaneId::Dictionary]),
    typed("annex_view", &[PaneId::Dictionary]),
    typed("faq", &[PaneId::Dictionary]),
    typed("deficiency", &[PaneId::Home, PaneId::Dictionary]),
    selected("week", &[PaneId::Home, PaneId::Weeks]),
    typed("series", &[PaneId::Weeks]),
    typed("ack", &[PaneId::Weeks]),
    typed("incident", &[PaneId::Weeks]),
    typed("policy", &[PaneId::Weeks]),
    typed("run", &[PaneId::Weeks]),
    selected("entry", &[PaneId::Home, PaneId::Ledger]),
    selected("approval", &[PaneId::Ledger, PaneId::Home]),
    typed("drill", &[PaneId::Ledger]),
    selected("person", &[PaneId::People]),
    typed("key", &[PaneId::People]),
    typed("attestation", &[PaneId::People]),
];

/// Finds a kind.
#[must_use]
pub fn topic(kind: &str) -> Option<&'static Topic> {
    TOPICS.iter().find(|topic| topic.kind == kind)
}

/// Returns the panes whose action box an action can be in; arming is in every one.
#[must_use]
pub fn panes_of(entry: &Entry) -> &'static [PaneId] {
    if entry.verb == ARM {
        PaneId::ALL
    } else {
        topic(entry.kind).map_or(&[], |topic| topic.panes)
    }
}

/// Names the panes whose action box an action can be in.
#[must_use]
pub fn places(entry: &Entry) -> String {
    if entry.verb == ARM {
        return "everywhere".to_owned();
    }
    let panes = panes_of(entry);
    let in_order = PaneId::ALL.iter().filter(|pane| panes.contains(pane));
    let words: Vec<_> = in_order.map(|pane| pane.word()).collect();
    words.join(", ")
}

/// Where somebody is: in which pane, and what kind of row actions would be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Here {
    /// The pane.
    pub pane: PaneId,
    /// The kind of the row; none when nothing is selected that actions can be about.
    pub kind: Option<&'static str>,
}

impl Here {
    /// Tells whether an action belongs here. Home has rows of many kinds: there only those on the selected one do.
    #[must_use]
    pub fn offers(self, entry: &Entry) -> bool {
        let is_of_pane = panes_of(entry).contains(&self.pane);
        let is_of_row = self.pane != PaneId::Home || self.kind == Some(entry.kind);
        entry.basis == Basis::Person && is_of_pane && (is_of_row || entry.verb == ARM)
    }

    /// Lists the actions that belong here: those on the selected row first, then what opens the way to most others.
    #[must_use]
    pub fn actions(self) -> Vec<&'static Entry> {
        let mut all: Vec<_> = ENTRIES.iter().filter(|entry| self.offers(entry)).collect();
        all.sort_by_key(|entry| match entry.kind {
            kind if Some(kind) == self.kind => 0,
            _ if entry.verb == ARM => 1,
            _ => 2,
        });
        all
    }

    /// Finds the action that a key means here.
    #[must_use]
    pub fn action_of(self, key: char) -> Option<&'static Entry> {
        ENTRIES
            .iter()
            .find(|entry| entry.key == key && self.offers(entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every place where an action box can be opened.
    fn places() -> impl Iterator<Item = Here> {
        let kinds = || TOPICS.iter().map(|topic| Some(topic.kind)).chain([None]);
        let all = PaneId::ALL.iter().copied();
        all.flat_map(move |pane| kinds().map(move |kind| Here { pane, kind }))
    }

    #[test]
    fn every_action_of_a_person_belongs_somewhere() {
        for entry in ENTRIES.iter().filter(|entry| entry.basis == Basis::Person) {
            assert!(!panes_of(entry).is_empty(), "{}", entry.verb);
            assert!(places().any(|here| here.offers(entry)), "{}", entry.verb);
        }
        for entry in ENTRIES.iter().filter(|entry| entry.basis == Basis::Rule) {
            assert!(!places().any(|here| here.offers(entry)), "{}", entry.verb);
        }
    }

    #[test]
    fn no_box_has_a_key_twice_or_more_lines_than_there_are() {
        for here in places() {
            let all = here.actions();
            let arms = all.iter().filter(|entry| entry.verb == ARM);
            assert_eq!(arms.count(), 1, "{here:?}");
            for entry in &all {
                let found = here.action_of(entry.key).map(|found| found.verb);
                assert_eq!(found, Some(entry.verb), "{here:?}");
            }
            // Of 24 lines there are two borders, one on what it is about, and one with the keys.
            assert!(all.len() <= 20, "{here:?} has {} actions", all.len());
        }
    }

    #[test]
    fn home_offers_what_can_be_done_with_the_selected_row() {
        let verbs = |kind| {
            let pane = PaneId::Home;
            let all = Here { pane, kind }.actions();
            all.iter().map(|entry| entry.verb).collect::<Vec<_>>()
        };
        assert_eq!(verbs(None), [ARM]);
        assert_eq!(verbs(Some("person")), [ARM], "no row of Home is a person");
        assert_eq!(verbs(Some("approval")), ["approve", "decline", ARM]);
        assert_eq!(verbs(Some("block"))[..2], ["take_block", "escalate_block"]);
    }
}

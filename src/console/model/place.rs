//! Where somebody is: which row is selected, what it is about, and what the reader is to look at for it.

use crate::store::block::BLOCK_FIELDS;
use crate::store::ledger::LEDGER_FIELDS;
use crate::store::people::PERSON_FIELDS;

use super::super::form::Line;
use super::super::panes::{PaneId, home};
use super::super::picture::Wanted;
use super::Model;

/// The kind of a proposal that waits for a second person.
pub(in crate::console) const APPROVAL: &str = "approval";

impl Model {
    /// Tells whether the picture holds what the open pane shows: another pane's holds no rows, another filter's the wrong
    /// ones.
    #[must_use]
    pub fn has_read(&self) -> bool {
        let Some(picture) = &self.picture else {
            return false;
        };
        let read = &picture.wanted;
        match self.pane {
            PaneId::Home => true,
            PaneId::Blocks => read.pane == self.pane && self.blocks.is_read_by(&read.blocks),
            PaneId::Ledger => read.pane == self.pane && self.entries.is_read_by(&read.entries),
            PaneId::People => read.pane == self.pane && self.people.is_read_by(&read.people),
        }
    }

    /// Returns the row whose detail is shown: its kind and its id.
    #[must_use]
    pub fn selected(&self) -> Option<(&'static str, String)> {
        match self.pane {
            PaneId::Home => home::items(self)
                .get(self.home)
                .and_then(home::Item::subject),
            PaneId::Blocks => {
                let picture = self.picture.as_ref()?;
                // A row that is gone can be seen, but nothing is done with it.
                self.blocks.position(&picture.blocks)?;
                self.blocks.selected.clone().map(|id| ("block", id))
            }
            PaneId::Ledger => self.entries.selected.clone().map(|id| ("entry", id)),
            PaneId::People => self.people.selected.clone().map(|id| ("person", id)),
        }
    }

    /// Returns what actions are about: the selected row, or the proposal that a selected entry asked for.
    #[must_use]
    pub fn about(&self) -> Option<(&'static str, String)> {
        let picture = self.picture.as_ref()?;
        let entry = match self.pane {
            PaneId::Ledger => self.entries.position(&picture.entries),
            _ => None,
        };
        entry
            .and_then(|at| picture.entries.rows.get(at))
            .filter(|entry| entry.target_kind == APPROVAL)
            .map(|entry| (APPROVAL, entry.target_id.clone()))
            .or_else(|| self.selected())
    }

    pub(super) fn wants(&self) -> Wanted {
        Wanted {
            pane: self.pane,
            blocks: self.blocks.look.clone(),
            entries: self.entries.look.clone(),
            people: self.people.look.clone(),
            selected: self.selected(),
            about: self.about(),
            last_looked: self.last_looked,
            signing: self.start.signing,
        }
    }

    /// Returns the filter line that is being typed.
    #[must_use]
    pub fn typing(&self) -> Option<&Line> {
        match self.pane {
            PaneId::Home => None,
            PaneId::Blocks => self.blocks.typing.as_ref(),
            PaneId::Ledger => self.entries.typing.as_ref(),
            PaneId::People => self.people.typing.as_ref(),
        }
    }

    pub(in crate::console) fn typing_mut(&mut self) -> Option<&mut Line> {
        match self.pane {
            PaneId::Home => None,
            PaneId::Blocks => self.blocks.typing.as_mut(),
            PaneId::Ledger => self.entries.typing.as_mut(),
            PaneId::People => self.people.typing.as_mut(),
        }
    }

    /// Returns the fields that a filter of the open pane may name.
    #[must_use]
    pub fn filter_fields(&self) -> &'static [&'static str] {
        match self.pane {
            PaneId::Home => &[],
            PaneId::Blocks => BLOCK_FIELDS,
            PaneId::Ledger => LEDGER_FIELDS,
            PaneId::People => PERSON_FIELDS,
        }
    }
}

//! Where somebody is: which row is selected, what it is about, and what the reader is to look at for it.

use super::super::form::Line;
use super::super::list::Listing;
use super::super::panes::{PaneId, home};
use super::super::picture::Wanted;
use super::super::topics::Here;
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
        if read.as_of != self.as_of {
            return false;
        }
        match self.pane {
            PaneId::Home => true,
            PaneId::Cutover => read.pane == self.pane,
            PaneId::Migration => {
                read.pane == self.pane && self.migrations.is_read_by(&read.migrations)
            }
            PaneId::Mismatches => {
                read.pane == self.pane && self.mismatches.is_read_by(&read.mismatches)
            }
            PaneId::Bundles => read.pane == self.pane && self.bundles.is_read_by(&read.bundles),
            PaneId::Dictionary => {
                read.pane == self.pane && self.dictionary.is_read_by(&read.dictionary)
            }
            PaneId::Blocks => read.pane == self.pane && self.blocks.is_read_by(&read.blocks),
            PaneId::Weeks => read.pane == self.pane && self.weeks.is_read_by(&read.weeks),
            PaneId::Ledger => read.pane == self.pane && self.entries.is_read_by(&read.entries),
            PaneId::People => read.pane == self.pane && self.people.is_read_by(&read.people),
        }
    }

    /// Returns the row whose detail is shown: its kind and its id.
    #[must_use]
    pub fn selected(&self) -> Option<(&'static str, String)> {
        if self.as_of.is_some() && !self.pane.keeps_history() {
            return None;
        }
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
            PaneId::Migration => self.migrations.selected.clone().map(|id| ("migration", id)),
            PaneId::Cutover => {
                let hour = self.picture.as_ref()?.migrations.hour.as_ref()?;
                Some(("hour", hour.migration.migration_id.clone()))
            }
            PaneId::Mismatches => self.mismatches.selected.clone().map(|id| ("mismatch", id)),
            PaneId::Bundles => self.bundles.selected.clone().map(|id| ("bundle", id)),
            PaneId::Dictionary => self.dictionary.selected.clone().map(|id| ("metric", id)),
            PaneId::Weeks => self.weeks.selected.clone().map(|id| ("week", id)),
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
            migrations: self.migrations.look.clone(),
            mismatches: self.mismatches.look.clone(),
            bundles: self.bundles.look.clone(),
            dictionary: self.dictionary.look.clone(),
            weeks: self.weeks.look.clone(),
            entries: self.entries.look.clone(),
            people: self.people.look.clone(),
            selected: self.selected(),
            about: self.about(),
            last_looked: self.last_looked,
            signing: self.start.signing,
            way: self.start.way,
            as_of: self.as_of,
        }
    }

    /// Returns where somebody is: the pane, and what kind of row actions would be about.
    #[must_use]
    pub fn here(&self) -> Here {
        Here {
            pane: self.pane,
            kind: self.about().map(|(kind, _)| kind),
        }
    }

    /// Returns the list of the open pane; Home and Cutover have none.
    #[must_use]
    pub fn list(&self) -> Option<&dyn Listing> {
        match self.pane {
            PaneId::Home | PaneId::Cutover => None,
            PaneId::Migration => Some(&self.migrations),
            PaneId::Mismatches => Some(&self.mismatches),
            PaneId::Bundles => Some(&self.bundles),
            PaneId::Dictionary => Some(&self.dictionary),
            PaneId::Blocks => Some(&self.blocks),
            PaneId::Weeks => Some(&self.weeks),
            PaneId::Ledger => Some(&self.entries),
            PaneId::People => Some(&self.people),
        }
    }

    /// Returns the list of the open pane, to change it.
    pub fn list_mut(&mut self) -> Option<&mut dyn Listing> {
        match self.pane {
            PaneId::Home | PaneId::Cutover => None,
            PaneId::Migration => Some(&mut self.migrations),
            PaneId::Mismatches => Some(&mut self.mismatches),
            PaneId::Bundles => Some(&mut self.bundles),
            PaneId::Dictionary => Some(&mut self.dictionary),
            PaneId::Blocks => Some(&mut self.blocks),
            PaneId::Weeks => Some(&mut self.weeks),
            PaneId::Ledger => Some(&mut self.entries),
            PaneId::People => Some(&mut self.people),
        }
    }

    /// Returns the filter line that is being typed.
    #[must_use]
    pub fn typing(&self) -> Option<&Line> {
        self.list()?.typing()
    }

    /// Returns the fields that a filter of the open pane may name.
    #[must_use]
    pub fn filter_fields(&self) -> &'static [&'static str] {
        self.list().map_or(&[], |list| list.fields())
    }
}

//! What is due by rule now, and when something will be: one file for each thing that is watched.
//!
//! A look only reads. What it finds due is asked of the rules again inside each write, so a look may be old, or made by two
//! agents at once, and nothing is done twice. Another duty is one more file here and one more line in [`look`].

mod approvals;
mod blocks;
mod moves;
mod trigger;
mod windows;

use std::time::Duration;

use super::turn::ends_everything;
use crate::actions::{ByRule, Stop};
use crate::clock::Moment;
use crate::rules::words;
use crate::store::Store;

words! {
    /// What a duty does.
    pub enum Deed {
        /// A window of weekly reconciliation is planned.
        Planned = "planned",
        /// A window is marked missed.
        Missed = "missed",
        /// Something is marked about the first response to a block.
        Marked = "marked",
        /// A proposal ends that nobody answered.
        Ended = "ended",
        /// A deficiency is opened.
        Opened = "opened",
        /// A migration is taken back.
        TakenBack = "taken_back",
    }
}

/// What is due, and when to look again.
#[derive(Debug)]
pub(super) struct Agenda {
    now: Moment,
    rate: u32,
    /// What is to be done now, in this order.
    pub due: Vec<(Deed, ByRule)>,
    next: Option<Moment>,
}

impl Agenda {
    fn add(&mut self, deed: Deed, rule: ByRule) {
        self.due.push((deed, rule));
    }

    /// Looks again at a moment, if it is to come.
    fn look_at(&mut self, at: Moment) {
        if at > self.now {
            self.next = Some(self.next.map_or(at, |next| next.min(at)));
        }
    }

    /// Returns how long the next look can wait; in a demo its time passes faster, or not at all.
    pub fn rests(&self) -> Option<Duration> {
        let passes = self.next?.since(self.now).to_std().ok()?;
        passes.checked_div(self.rate)
    }
}

/// Looks at everything that is watched.
pub(super) async fn look(store: &Store, planned_ahead: Duration) -> Result<Agenda, Stop> {
    let mut view = store.view().await?;
    let mut agenda = Agenda {
        now: view.now(),
        rate: view.rate(),
        due: Vec::new(),
        next: None,
    };
    looked("trigger", trigger::look(&mut view, &mut agenda).await)?;
    looked("blocks", blocks::look(&mut view, &mut agenda).await)?;
    let windows = windows::look(&mut view, &mut agenda, planned_ahead).await;
    looked("windows", windows)?;
    looked("approvals", approvals::look(&mut view, &mut agenda).await)?;
    looked("moves", moves::look(&mut view, &mut agenda).await)?;
    Ok(agenda)
}

/// A row that cannot be read ends the look at its kind, and no other.
fn looked<E: Into<Stop>>(kind: &'static str, found: Result<(), E>) -> Result<(), Stop> {
    match found.map_err(E::into) {
        Err(stop) if ends_everything(&stop) => Err(stop),
        Err(stop) => {
            tracing::warn!(kind, %stop, "cannot be watched");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

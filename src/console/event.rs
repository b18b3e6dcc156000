//! What happens, and what is to be done about it.

use std::sync::Arc;

use crate::actions::{Asked, Outcome, Proposal, Request, Stop};
use crate::clock::Moment;
use crate::readback::Chain;
use crate::rules::migration::Reversible;
use crate::rules::readback::Citation;
use crate::store::verify::Report;
use crate::store::{Sealed, StoreError};

use super::live::Link;
use super::picture::{Picture, Wanted};
use super::running::{Running, Work};

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A key that was typed before the newest screen was shown, or right behind another.
    TypedAhead(crossterm::event::KeyEvent),
    /// A key, a paste, a resize, the mouse.
    Input(crossterm::event::Event),
    /// The reader has news.
    Sight(Sight),
    /// What an action would do.
    Planned(u64, Box<Result<Proposal, Stop>>),
    /// What became of a request.
    Done(String, Box<Outcome>),
    /// What became of a request whose answer was lost: it is in the ledger, or it never will be.
    Resolved(String, Option<Sealed>),
    /// The run of a bundle that is made here came further, or ended.
    Run(Box<Running>),
    /// This console may no longer write.
    Disarmed,
    /// The ledger was hashed again.
    Verified(Box<Result<Report, StoreError>>),
    /// A number was followed to where it comes from.
    Cited(Box<Result<Chain, StoreError>>),
    /// Whether a migration can be taken back; none where it is gone.
    WayBack(String, Box<Result<Option<Reversible>, StoreError>>),
    /// The text came back from the editor; none when nothing was written.
    Edited(Option<String>),
    /// Something could not be done outside the database.
    Trouble(String),
    /// The program woke up again.
    Awake,
    /// Time went by.
    Tick,
    /// The terminal or the system wants an end.
    Stop(Cause),
}

/// Why the program is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A signal, by its number.
    Signal(i32),
    /// The terminal is gone.
    HungUp,
}

/// The newest picture and how the link stands; only the last one matters.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// The newest picture, if there ever was one.
    pub picture: Option<Arc<Picture>>,
    /// How the link stands.
    pub link: Link,
}

/// Something to be done outside the model.
#[derive(Debug)]
pub enum Effect {
    /// Look at this from now on.
    Want(Box<Wanted>),
    /// Look again now.
    Refresh,
    /// Say what an action would do.
    Plan {
        /// By which number the answer comes.
        id: u64,
        /// The action.
        verb: &'static str,
        /// What it is asked to do.
        asked: Asked,
    },
    /// Have a request carried out.
    Submit(Box<Request>),
    /// Make what was claimed or begun here.
    Run {
        /// The bundle, or the migration.
        migration_id: String,
        /// What.
        work: Work,
        /// When it was claimed.
        claimed: Moment,
    },
    /// Give the writing connection back.
    Disarm,
    /// Hash the ledger again.
    Verify,
    /// Follow a number to where it comes from.
    Cite(Citation),
    /// Look whether a migration can be taken back.
    FindWayBack(String),
    /// Put a text into the clipboard.
    Copy(String),
    /// Let the person write a text in their editor.
    Edit(String),
    /// Take the mouse, or leave it to the terminal.
    Mouse(Mouse),
    /// Ring the bell, and have the terminal show what for, where that is configured.
    Bell(String),
    /// Let a rule end the proposal that has this ticket, for nobody can answer it any more.
    EndProposal(String),
    /// Keep that the card for a newcomer was read.
    KeepCardRead,
    /// Sleep until woken.
    Suspend,
    /// Leave.
    Quit,
}

impl Effect {
    /// Tells whether only the database is asked for something, and nothing of the screen or the terminal.
    #[must_use]
    pub fn is_for_the_link(&self) -> bool {
        match self {
            Self::Want(_)
            | Self::Refresh
            | Self::Plan { .. }
            | Self::Submit(_)
            | Self::Run { .. }
            | Self::Disarm
            | Self::EndProposal(_)
            | Self::Verify
            | Self::Cite(_)
            | Self::FindWayBack(_) => true,
            Self::Copy(_)
            | Self::Edit(_)
            | Self::Mouse(_)
            | Self::Bell(_)
            | Self::KeepCardRead
            | Self::Suspend
            | Self::Quit => false,
        }
    }
}

/// Who has the mouse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mouse {
    /// The terminal, to select text with.
    #[default]
    Terminal,
    /// The console, to select rows with.
    Console,
}

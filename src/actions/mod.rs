//! Guarded writes, one file an action: propose → confirm → carry out.
//!
//! May import `canon`, `rules`, `clock`, `settings` and `store`. Every action is one row of [`ENTRIES`], which the
//! command line, the console and the docs read. A [`Request`] can be made in two ways only: by confirming a
//! [`Proposal`], or by rule, from the closed list [`ByRule`]; and [`carry_out`] is the only way to have it written.

mod add_person;
mod carry_out;
mod decide_run;
mod entry;
mod escalate_block;
mod establish;
mod grant_role;
mod proposal;
mod register_footer;
mod take_block;

pub use carry_out::{Outcome, carry_out};
pub use entry::{Asked, Draft, Entry, Field, Required, Row, Stop};
pub use establish::Founding;
pub use proposal::{ByRule, ChangedField, ChangedRow, Proposal, Request, propose};

use crate::rules::Refusal;

/// Every action, once, in the order in which people read about them.
pub const ENTRIES: &[Entry] = &[
    entry::entry::<take_block::TakeBlock>(),
    entry::entry::<escalate_block::EscalateBlock>(),
    entry::entry::<add_person::AddPerson>(),
    entry::entry::<grant_role::GrantRole>(),
    entry::entry::<register_footer::RegisterFooter>(),
    entry::entry::<decide_run::DecideRun>(),
    entry::entry::<establish::Establish>(),
];

/// Finds an action by its verb, written with `_` or `-`.
pub fn find(verb: &str) -> Result<&'static Entry, Refusal> {
    let wanted = verb.replace('-', "_");
    ENTRIES
        .iter()
        .find(|entry| entry.verb == wanted)
        .ok_or_else(|| {
            let all: Vec<_> = ENTRIES.iter().map(Entry::name).collect();
            Refusal::new(
                format!("{verb:?} is no action"),
                format!("one of: {}", all.join(", ")),
            )
        })
}

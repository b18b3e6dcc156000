//! Guarded writes, one file an action: propose → confirm → carry out.
//!
//! May import `canon`, `rules`, `clock`, `settings` and `store`. Every action is one row of [`ENTRIES`], which the
//! command line, the console and the docs read. A [`Request`] can be made in two ways only: by confirming a
//! [`Proposal`], or by rule, from the closed list [`ByRule`]; and [`carry_out`] is the only way to have it written.

mod add_person;
mod arm_console;
mod carry_out;
mod decide_run;
mod disarm_console;
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
    entry::entry::<arm_console::ArmConsole>(),
    entry::entry::<decide_run::DecideRun>(),
    entry::entry::<disarm_console::DisarmConsole>(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::people::Basis;

    #[test]
    fn every_action_of_a_person_has_a_key_of_its_own_and_no_other_has_one() {
        let (by_person, by_rule): (Vec<_>, Vec<_>) = ENTRIES
            .iter()
            .partition(|entry| entry.basis == Basis::Person);
        let mut keys: Vec<_> = by_person.iter().map(|entry| entry.key).collect();
        assert!(keys.iter().all(char::is_ascii_lowercase), "{keys:?}");
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), by_person.len(), "two actions share a key");
        assert!(by_rule.iter().all(|entry| entry.key == ' '));
    }
}

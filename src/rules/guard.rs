//! What a person must do before a write happens, by guard level.

use super::people::{Actor, Environment};
use super::{Condition, Refusal, words};

words! {
    /// How dangerous an action is, and so how much is asked for it.
    pub enum Level {
        /// Look, copy, export: asks nothing.
        Look = "0",
        /// Small and reversible: a plain yes.
        Confirm = "1",
        /// Puts a name under something: a reason, and the target's id typed.
        Review = "2",
        /// Moves what partners read: a reason, and a phrase that differs each time.
        Phrase = "3",
    }
}

/// The fewest characters that count as a reason.
pub const REASON_AT_LEAST: usize = 20;
/// The most characters that a reason may have.
pub const REASON_AT_MOST: usize = 2_000;

/// How many minutes a console stays armed; the database allows no more.
pub const ARMED_MINUTES: i64 = 15;

/// Lists what must hold before `actor` arms a console; `armed_by` is who has it armed now.
#[must_use]
pub fn may_arm(actor: &Actor, armed_by: Option<&str>) -> Vec<Condition> {
    let holder = armed_by.unwrap_or("nobody");
    vec![Condition::holds(
        "not_anothers",
        armed_by.is_none_or(|by| by == actor.person_id),
        holder,
        format!("armed by {holder}"),
        "arm a console of your own",
    )]
}

/// Lists what must hold before a console is disarmed by `login`; `armed_by` is the login that has it armed now.
#[must_use]
pub fn may_disarm(login: &str, armed_by: Option<&str>) -> Vec<Condition> {
    let holder = armed_by.unwrap_or("nobody");
    vec![
        Condition::holds(
            "armed",
            armed_by.is_some(),
            "whoever sits there",
            format!("armed by {holder}"),
            "nothing is left to do",
        ),
        Condition::holds(
            "same_login",
            armed_by == Some(login),
            holder,
            format!("armed by {holder}; you are {login}"),
            "whoever armed it disarms it, or waits until it expires",
        ),
    ]
}

/// Tells whether some seconds go by between the phrase and the write, in which it can be stopped; going back never waits.
#[must_use]
pub fn counts_down(level: Level, verb: &str) -> bool {
    let ways_back = [
        super::permission::ROLL_BACK_BUNDLE.verb,
        super::permission::ROLL_BACK_MIGRATION.verb,
        super::permission::ABORT_HOUR.verb,
    ];
    level == Level::Phrase && !ways_back.contains(&verb)
}

/// Returns the exact text a person types to allow the action.
#[must_use]
pub fn phrase(
    level: Level,
    environment: Environment,
    verb: &str,
    target: &str,
    state_hash: &str,
) -> String {
    match level {
        Level::Look => String::new(),
        Level::Confirm => "y".to_owned(),
        Level::Review => target.to_owned(),
        Level::Phrase => {
            let four: String = state_hash.chars().take(4).collect();
            format!("{environment} {verb} {target} {four}")
        }
    }
}

/// Returns the exact text that the second person types: the same four digits, and the id.
#[must_use]
pub fn second_phrase(target: &str, state_hash: &str) -> String {
    let four: String = state_hash.chars().take(4).collect();
    format!("{four} {target}")
}

/// What a person answered when asked.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The phrase as typed.
    pub typed: String,
    /// The reason given, which goes into the ledger.
    pub reason: Option<String>,
}

/// Checks an answer against what the level asks.
pub fn check_answer(level: Level, wanted: &str, answer: &Answer) -> Result<(), Refusal> {
    let reason_length = answer
        .reason
        .as_deref()
        .map_or(0, |reason| reason.trim().chars().count());
    if level >= Level::Review && reason_length < REASON_AT_LEAST {
        return Err(Refusal::new(
            format!(
                "a reason of at least {REASON_AT_LEAST} characters is needed, this one has {reason_length}"
            ),
            "say why, for whoever reads the ledger next year",
        ));
    }
    if reason_length > REASON_AT_MOST {
        return Err(Refusal::new(
            format!("the reason has {reason_length} characters, at most {REASON_AT_MOST} are kept"),
            "put the long form into the ticket and name it here",
        ));
    }
    if answer.typed != wanted {
        return Err(Refusal::new(
            "the typed phrase does not match",
            format!("type exactly: {wanted}"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(typed: &str, reason: Option<&str>) -> Answer {
        Answer {
            typed: typed.into(),
            reason: reason.map(Into::into),
        }
    }

    #[test]
    fn each_level_has_its_phrase() {
        let asked = |level| phrase(level, Environment::Prod, "flip", "mig-1", "7f3a99");
        assert_eq!(asked(Level::Look), "");
        assert_eq!(asked(Level::Confirm), "y");
        assert_eq!(asked(Level::Review), "mig-1");
        assert_eq!(asked(Level::Phrase), "prod flip mig-1 7f3a");
    }

    #[test]
    fn reasons_count_characters_without_the_blanks_around_them() {
        let nineteen = format!("  {}  ", "ä".repeat(19));
        let twenty = "ä".repeat(20);
        let long = "x".repeat(REASON_AT_MOST + 1);
        for (level, reason, allowed) in [
            (Level::Confirm, None, true),
            (Level::Confirm, Some(long.as_str()), false),
            (Level::Review, None, false),
            (Level::Review, Some(nineteen.as_str()), false),
            (Level::Review, Some(twenty.as_str()), true),
            (Level::Phrase, Some(nineteen.as_str()), false),
            (Level::Phrase, Some(twenty.as_str()), true),
            (Level::Phrase, Some(long.as_str()), false),
        ] {
            assert_eq!(
                check_answer(level, "go", &answer("go", reason)).is_ok(),
                allowed,
                "{level} {reason:?}"
            );
        }
    }

    #[test]
    fn the_phrase_must_match_to_the_letter() {
        let reason = Some("because the runbook says so");
        for typed in ["", "Go", "go ", " go", "g", "goo"] {
            assert!(
                check_answer(Level::Phrase, "go", &answer(typed, reason)).is_err(),
                "{typed:?} was taken"
            );
        }
    }
}

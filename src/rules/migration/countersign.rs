//! When it becomes somebody's task that nobody countersigned what one lead did alone: after a day, and once.

use std::time::Duration;

use crate::clock::Moment;
use crate::rules::{Condition, time};

/// How long a second person may take.
pub const COUNTERSIGN_WITHIN: Duration = Duration::from_hours(24);

/// A move that one lead made alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeAlone {
    /// When.
    pub at: Moment,
    /// Whether it still waits for a second person.
    pub waits: bool,
    /// Whether it became somebody's task before, even if that was closed since.
    pub is_told: bool,
}

impl MadeAlone {
    /// Returns the last moment at which somebody countersigns it in time.
    #[must_use]
    pub fn countersign_by(&self) -> Moment {
        self.at.plus(COUNTERSIGN_WITHIN)
    }

    /// Tells whether the time is over in which somebody should have countersigned it.
    #[must_use]
    pub fn is_overdue(&self, now: Moment) -> bool {
        let passed = now.since(self.at).to_std().unwrap_or_default();
        self.waits && passed > COUNTERSIGN_WITHIN
    }
}

/// What must hold before a deficiency is opened by rule for a move.
#[must_use]
pub fn may_open_countersign(made: MadeAlone, now: Moment) -> Vec<Condition> {
    let age = time::span(now.since(made.at));
    vec![
        Condition::holds(
            "waits",
            made.waits,
            "govdeck",
            "it must wait for a second person".to_owned(),
            "nothing is left to do",
        ),
        Condition::holds(
            "a_day_passed",
            made.is_overdue(now),
            "govdeck",
            format!("it was made {age} ago"),
            "a second person has 24 hours",
        ),
        Condition::holds(
            "not_told",
            !made.is_told,
            "govdeck",
            "it becomes somebody's task once".to_owned(),
            "nothing is left to do",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Verdict;

    #[test]
    fn a_second_person_has_a_day_and_not_a_moment_more() {
        let at: Moment = "2026-05-26T15:00:00Z".parse().expect("a moment");
        let made = MadeAlone {
            at,
            waits: true,
            is_told: false,
        };
        let unmet = |made: MadeAlone, now: Moment| {
            let conditions = may_open_countersign(made, now).into_iter();
            let unmet = conditions.filter(|it| it.verdict != Verdict::Pass);
            unmet.map(|it| it.id).collect::<Vec<_>>()
        };
        let day = at.plus(COUNTERSIGN_WITHIN);
        let later = day.plus(Duration::from_micros(1));
        assert_eq!(unmet(made, day), ["a_day_passed"]);
        assert!(unmet(made, later).is_empty());
        // A clock that was turned back tells nothing.
        assert_eq!(unmet(MadeAlone { at: later, ..made }, at), ["a_day_passed"]);
        let signed = MadeAlone {
            waits: false,
            ..made
        };
        assert_eq!(unmet(signed, later), ["waits", "a_day_passed"]);
        let told = MadeAlone {
            is_told: true,
            ..made
        };
        assert_eq!(unmet(told, later), ["not_told"]);
    }
}

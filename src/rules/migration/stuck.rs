//! When what does not match becomes somebody's task: the same metric on three days running.

use std::time::Duration;

use crate::clock::Moment;
use crate::rules::Condition;

/// How many days in a row it takes.
pub const DAYS: u64 = 3;

/// The calendar days, in UTC, that are looked at, today first: each from its first moment up to the next day's.
#[must_use]
pub fn days(now: Moment) -> Vec<(Moment, Moment)> {
    const DAY: Duration = Duration::from_hours(24);
    let seconds = now.as_datetime().timestamp().rem_euclid(24 * 60 * 60);
    let micros = i64::from(now.as_datetime().timestamp_subsec_micros());
    let since = chrono::TimeDelta::seconds(seconds) + chrono::TimeDelta::microseconds(micros);
    let mut begins = Moment::from(now.as_datetime() - since);
    let mut all = Vec::new();
    for _ in 0..DAYS {
        all.push((begins, begins.plus(DAY)));
        begins = Moment::from(begins.as_datetime() - chrono::TimeDelta::days(1));
    }
    all
}

/// Tells whether a metric did not match on each of the days, by the last time that a scan saw it on each; what was seen
/// before an earlier deficiency was closed was seen to.
#[must_use]
pub fn is_stuck(seen: &[Option<Moment>], closed: Option<Moment>) -> bool {
    let counts = |at: &Option<Moment>| at.is_some_and(|at| closed.is_none_or(|closed| at > closed));
    seen.len() as u64 == DAYS && seen.iter().all(counts)
}

/// How a metric stands that scans saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatching {
    /// Whether its migration is between dual write and its close.
    pub is_under_way: bool,
    /// Whether it did not match on each of the last days.
    pub is_stuck: bool,
    /// Whether somebody has to see to it already.
    pub is_open: bool,
}

/// What must hold before a deficiency is opened by rule.
#[must_use]
pub fn may_open_deficiency(metric: Mismatching) -> Vec<Condition> {
    let Mismatching {
        is_under_way,
        is_stuck,
        is_open,
    } = metric;
    vec![
        Condition::holds(
            "under_way",
            is_under_way,
            "govdeck",
            "only what is written twice can differ".to_owned(),
            "nothing is left to do",
        ),
        Condition::holds(
            "three_days",
            is_stuck,
            "govdeck",
            "it has to mismatch on three days running".to_owned(),
            "scan again tomorrow",
        ),
        Condition::holds(
            "not_open",
            !is_open,
            "govdeck",
            "one deficiency is open for each metric".to_owned(),
            "close the one that is open first",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        text.parse().expect("a moment")
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        let days = days(at("2026-05-03T00:00:00.000001Z"));
        let begins: Vec<String> = days.iter().map(|(from, _)| from.to_string()).collect();
        assert_eq!(
            begins,
            [
                "2026-05-03T00:00:00.000000Z",
                "2026-05-02T00:00:00.000000Z",
                "2026-05-01T00:00:00.000000Z"
            ]
        );
        assert!(days.windows(2).all(|pair| pair[0].0 == pair[1].1));
    }

    #[test]
    fn a_deficiency_is_opened_once_and_for_what_is_stuck_alone() {
        let stuck = Mismatching {
            is_under_way: true,
            is_stuck: true,
            is_open: false,
        };
        let missing = |metric: Mismatching| {
            let conditions = may_open_deficiency(metric).into_iter();
            let unmet = conditions.filter(|it| it.verdict != crate::rules::Verdict::Pass);
            unmet.map(|it| it.id).collect::<Vec<_>>()
        };
        assert!(missing(stuck).is_empty());
        let open = Mismatching {
            is_open: true,
            ..stuck
        };
        assert_eq!(missing(open), ["not_open"]);
        let neither = Mismatching {
            is_under_way: false,
            is_stuck: false,
            is_open: false,
        };
        assert_eq!(missing(neither), ["under_way", "three_days"]);
    }

    #[test]
    fn three_days_are_three_and_what_was_closed_is_over() {
        let seen = |hours: [Option<&str>; 3]| hours.map(|hour| hour.map(at));
        let all = seen([
            Some("2026-05-03T01:00:00Z"),
            Some("2026-05-02T23:00:00Z"),
            Some("2026-05-01T05:00:00Z"),
        ]);
        assert!(is_stuck(&all, None));
        assert!(is_stuck(&all, Some(at("2026-04-30T05:00:00Z"))));
        assert!(!is_stuck(&all, Some(at("2026-05-01T05:00:00Z"))));
        assert!(!is_stuck(&[all[0], None, all[2]], None));
        assert!(!is_stuck(&all[..2], None));
        assert!(!is_stuck(&[], None));
    }
}

//! How long the run of a bundle keeps everybody else from writing: on SQLite as long as it takes, which may need a
//! maintenance window.

use std::time::Duration;

use super::facts::LEAD;
use crate::clock::Moment;
use crate::rules::migration::{CalendarKind, Planned, stands_in};
use crate::rules::{Condition, Verdict};

/// How long a run may keep others from writing outside of a maintenance window.
pub const UNNOTICED: Duration = Duration::from_secs(5);

/// How long others cannot write, as a plan was seen to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// They can, or for so short that nobody asks: the store is no SQLite, or it took no longer than [`UNNOTICED`].
    Nobody,
    /// Not at all while it runs, which took so long when it was planned; nothing where nobody measured it.
    Everybody(Option<Duration>),
}

const SET: &str = "set a maintenance window that is long enough: govdeck act set-calendar";

/// Says how long a window has to be; where none is needed, or nobody can tell, `Err` says so.
fn needed(hold: Hold) -> Result<Duration, Condition> {
    match hold {
        Hold::Nobody => Err(window(
            Verdict::Pass,
            "it keeps nobody from writing for long",
        )),
        Hold::Everybody(Some(took)) if took <= UNNOTICED => Err(window(
            Verdict::Pass,
            format!("others cannot write for {}, at most 5 s", seconds(took)),
        )),
        Hold::Everybody(Some(took)) => Ok(took),
        Hold::Everybody(None) => Err(Condition {
            fix: "plan it with `govdeck bundle plan --register`, which measures it".to_owned(),
            ..window(
                Verdict::CannotTell,
                "others cannot write while it runs, and nobody measured how long that is",
            )
        }),
    }
}

/// Tells whether a run may begin now: what holds everybody up for longer runs inside a maintenance window, up to its end.
#[must_use]
pub fn writers_may_wait_now(hold: Hold, calendar: &[Planned<'_>], now: Moment) -> Condition {
    let took = match needed(hold) {
        Ok(took) => took,
        Err(settled) => return settled,
    };
    if !is_set(calendar) {
        return unset(took);
    }
    match stands_in(calendar, CalendarKind::Maintenance, now) {
        Some(span) if now.plus(took) <= span.ends => window(
            Verdict::Pass,
            format!("{} of {} until {}", seconds(took), span.title, span.ends),
        ),
        Some(span) => window(
            Verdict::Fail,
            format!(
                "it takes {}, and {} ends at {}",
                seconds(took),
                span.title,
                span.ends
            ),
        ),
        None => window(
            Verdict::Fail,
            format!(
                "it takes {} and it is outside of every maintenance window",
                seconds(took)
            ),
        ),
    }
}

/// Tells whether a run could begin now or later: there is a maintenance window that is long enough and not over.
#[must_use]
pub fn writers_may_wait_ever(hold: Hold, calendar: &[Planned<'_>], now: Moment) -> Condition {
    let took = match needed(hold) {
        Ok(took) => took,
        Err(settled) => return settled,
    };
    if !is_set(calendar) {
        return unset(took);
    }
    let fits = |span: &&Planned<'_>| {
        span.kind == CalendarKind::Maintenance && span.starts.max(now).plus(took) <= span.ends
    };
    let mut spans: Vec<_> = calendar.iter().filter(fits).collect();
    spans.sort_by_key(|span| span.starts);
    match spans.first() {
        Some(span) => window(
            Verdict::Pass,
            format!(
                "{} of {}, {} to {}",
                seconds(took),
                span.title,
                span.starts,
                span.ends
            ),
        ),
        None => window(
            Verdict::Fail,
            format!("no maintenance window to come has {}", seconds(took)),
        ),
    }
}

fn is_set(calendar: &[Planned<'_>]) -> bool {
    let mut spans = calendar.iter();
    spans.any(|span| span.kind == CalendarKind::Maintenance)
}

fn unset(took: Duration) -> Condition {
    window(
        Verdict::CannotTell,
        format!(
            "others cannot write for {}, and no maintenance window was ever set",
            seconds(took)
        ),
    )
}

fn window(verdict: Verdict, evidence: impl Into<String>) -> Condition {
    Condition {
        verdict,
        ..Condition::holds("maintenance_window", true, LEAD, evidence, SET)
    }
}

fn seconds(span: Duration) -> String {
    format!("{}.{:03} s", span.as_secs(), span.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{CannotTell, Fail, Pass};

    fn at(seconds: u64) -> Moment {
        let start: Moment = "2026-05-01T00:00:00Z".parse().expect("a moment");
        start.plus(Duration::from_secs(seconds))
    }

    fn span(kind: CalendarKind, starts: u64, ends: u64) -> Planned<'static> {
        Planned {
            title: "night",
            kind,
            starts: at(starts),
            ends: at(ends),
        }
    }

    const fn took(milliseconds: u64) -> Hold {
        Hold::Everybody(Some(Duration::from_millis(milliseconds)))
    }

    fn verdicts(hold: Hold, calendar: &[Planned<'_>], now: u64) -> (Verdict, Verdict) {
        (
            writers_may_wait_ever(hold, calendar, at(now)).verdict,
            writers_may_wait_now(hold, calendar, at(now)).verdict,
        )
    }

    #[test]
    fn five_seconds_are_nobodys_business_and_a_millisecond_more_is() {
        for calendar in [&[][..], &[span(CalendarKind::Maintenance, 100, 200)]] {
            assert_eq!(verdicts(took(0), calendar, 0), (Pass, Pass));
            assert_eq!(verdicts(took(5_000), calendar, 0), (Pass, Pass));
            assert_ne!(verdicts(took(5_001), calendar, 0).1, Pass);
            assert_eq!(verdicts(Hold::Nobody, calendar, 0), (Pass, Pass));
            let unmeasured = verdicts(Hold::Everybody(None), calendar, 150);
            assert_eq!(unmeasured, (CannotTell, CannotTell));
        }
    }

    #[test]
    fn a_calendar_without_a_window_cannot_tell() {
        let cert = [span(CalendarKind::Cert, 0, 1_000)];
        for calendar in [&[][..], &cert] {
            assert_eq!(
                verdicts(took(5_001), calendar, 10),
                (CannotTell, CannotTell)
            );
        }
    }

    #[test]
    fn it_begins_inside_a_window_and_ends_there() {
        let calendar = [
            span(CalendarKind::Maintenance, 100, 110),
            span(CalendarKind::Maintenance, 300, 306),
        ];
        for (milliseconds, now, expected) in [
            (5_001, 99, (Pass, Fail)),
            (5_001, 100, (Pass, Pass)),
            (5_001, 104, (Pass, Pass)),
            (10_000, 100, (Pass, Pass)),
            (10_001, 100, (Fail, Fail)),
            // What is left of the one window is too short; the other is not.
            (5_001, 105, (Pass, Fail)),
            (7_000, 105, (Fail, Fail)),
            // An end is no longer part of a window.
            (5_001, 110, (Pass, Fail)),
            (5_001, 300, (Pass, Pass)),
            (5_001, 301, (Fail, Fail)),
            (5_001, 400, (Fail, Fail)),
        ] {
            let found = verdicts(took(milliseconds), &calendar, now);
            assert_eq!(found, expected, "{milliseconds} at {now}");
        }
    }

    #[test]
    fn it_says_how_long_and_what_to_do() {
        let condition = writers_may_wait_now(took(7_050), &[], at(0));
        assert!(condition.evidence.contains("7.050 s"), "{condition:?}");
        assert!(condition.fix.contains("set-calendar"));
    }
}

//! What is due about the first response to a block: a warning at half time, a page at the breach, and one for a block that
//! was taken and shows no sign of work.

use std::time::Duration;

use super::{AuditStatus, Standing};
use crate::clock::Moment;
use crate::rules::{Condition, words};

words! {
    /// What a rule marks about the first response to a block.
    pub enum SlaMark {
        /// Half of the time is gone, and nobody has answered.
        Soon = "soon",
        /// All of the time is gone, and nobody has answered.
        Breach = "breach",
        /// It was taken, and shows no sign of work for as long as the first response may take.
        Stale = "stale",
    }
}

/// The smallest step of a database's clock.
const STEP: Duration = Duration::from_micros(1);

/// How late a page may be before it says so.
const LATE: chrono::TimeDelta = chrono::TimeDelta::seconds(60);

/// The times of a block, and what was marked about it already.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    /// When it was stopped.
    pub blocked_at: Moment,
    /// Until when a first response is in time.
    pub respond_by: Moment,
    /// How many minutes the first response may take.
    pub minutes: i64,
    /// When somebody took it.
    pub taken_at: Option<Moment>,
    /// When whoever works on it last said so.
    pub progress_at: Option<Moment>,
    /// Whether half time was marked.
    pub is_warned: bool,
    /// Whether the breach was marked.
    pub is_breached: bool,
    /// The sign of work after which it was last marked as stale.
    pub stale_since: Option<Moment>,
}

/// Something to mark: what, counted from when, and from when on it was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueMark {
    /// What.
    pub mark: SlaMark,
    /// The moment it is counted from: the block's beginning, or the last sign of work.
    pub since: Moment,
    /// The first moment at which it may be marked.
    pub due_at: Moment,
}

impl DueMark {
    /// Says how late it is marked; nothing where that is soon enough.
    #[must_use]
    pub fn lateness(&self, now: Moment) -> Option<chrono::TimeDelta> {
        let late = now.since(self.due_at);
        (late > LATE).then_some(late)
    }
}

impl Watched {
    /// Names what is to be marked next, now or later; none where nothing will be before somebody does something.
    #[must_use]
    pub fn next(&self, now: Moment) -> Option<DueMark> {
        let from_start = |mark, due_at| DueMark {
            mark,
            since: self.blocked_at,
            due_at,
        };
        if let Some(taken_at) = self.taken_at {
            let since = self.progress_at.unwrap_or(taken_at);
            let due_at = since.plus_minutes(self.minutes).plus(STEP);
            let mark = SlaMark::Stale;
            return (self.stale_since != Some(since)).then_some(DueMark {
                mark,
                since,
                due_at,
            });
        }
        if self.is_breached {
            return None;
        }
        let breach = from_start(SlaMark::Breach, self.respond_by.plus(STEP));
        // Whoever comes after the breach has nothing to warn of any more.
        if self.is_warned || breach.due_at <= now {
            return Some(breach);
        }
        Some(from_start(SlaMark::Soon, self.half_time()))
    }

    /// Names what is to be marked now.
    #[must_use]
    pub fn due(&self, now: Moment) -> Option<DueMark> {
        self.next(now).filter(|next| next.due_at <= now)
    }

    fn half_time(&self) -> Moment {
        half_time(self.blocked_at, self.respond_by)
    }
}

/// The first moment at which no more time is left than is gone.
#[must_use]
pub fn half_time(blocked_at: Moment, respond_by: Moment) -> Moment {
    let whole = respond_by.since(blocked_at);
    let half = whole.num_microseconds().unwrap_or(0).max(0).cast_unsigned();
    blocked_at.plus(Duration::from_micros(half.div_ceil(2)))
}

words! {
    /// Whether something that was due was marked.
    pub enum Promptness {
        /// It is not due yet, or somebody answered before it was.
        NotDue = "not_due",
        /// It was, soon enough.
        InTime = "in_time",
        /// It was, later than a minute after it was due.
        Late = "late",
        /// It was not, and should have been.
        Missing = "missing",
    }
}

/// Judges whether something that was due at a moment, unless somebody answered before, was marked.
#[must_use]
pub fn promptness(
    due_at: Moment,
    answered_at: Option<Moment>,
    marked_at: Option<Moment>,
    now: Moment,
) -> Promptness {
    let is_late = |at: Moment| at.since(due_at) > LATE;
    match marked_at {
        Some(at) if is_late(at) => Promptness::Late,
        Some(_) => Promptness::InTime,
        None if is_late(answered_at.unwrap_or(now)) => Promptness::Missing,
        None => Promptness::NotDue,
    }
}

/// Lists what must hold before something is marked about a block.
#[must_use]
pub fn may_mark(
    block: &Standing<'_>,
    watched: &Watched,
    mark: SlaMark,
    now: Moment,
) -> Vec<Condition> {
    let next = watched.next(now).filter(|next| next.mark == mark);
    let owner = block.owner.unwrap_or("nobody");
    vec![
        Condition::holds(
            "block_open",
            block.status == AuditStatus::Blocked,
            owner,
            format!("the run is {}", block.status),
            "only a blocked run is watched",
        ),
        Condition::holds(
            "due",
            next.is_some_and(|next| next.due_at <= now),
            owner,
            match next {
                Some(next) => format!("{mark} is due at {}", next.due_at),
                None => format!("{mark} was marked already, or somebody has answered"),
            },
            "each is marked once, at its time",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::{Sla, is_stale, sla, was_late};
    use super::*;
    use crate::rules::Verdict;

    fn at(text: &str) -> Moment {
        format!("2026-05-14T{text}Z").parse().expect("a moment")
    }

    fn watched() -> Watched {
        Watched {
            blocked_at: at("02:00:00"),
            respond_by: at("02:30:00"),
            minutes: 30,
            taken_at: None,
            progress_at: None,
            is_warned: false,
            is_breached: false,
            stale_since: None,
        }
    }

    fn due(watched: Watched, now: &str) -> Option<SlaMark> {
        watched.due(at(now)).map(|due| due.mark)
    }

    #[test]
    fn the_page_comes_at_thirty_minutes_and_not_before() {
        let warned = Watched {
            is_warned: true,
            ..watched()
        };
        for (now, fresh, half) in [
            ("02:14:59.999999", None, None),
            ("02:15:00", Some(SlaMark::Soon), None),
            ("02:29:59.999999", Some(SlaMark::Soon), None),
            ("02:30:00", Some(SlaMark::Soon), None),
            (
                "02:30:00.000001",
                Some(SlaMark::Breach),
                Some(SlaMark::Breach),
            ),
            ("09:00:00", Some(SlaMark::Breach), Some(SlaMark::Breach)),
        ] {
            assert_eq!(due(watched(), now), fresh, "{now}");
            assert_eq!(due(warned, now), half, "{now}");
        }
        let breached = Watched {
            is_breached: true,
            ..watched()
        };
        assert_eq!(breached.next(at("09:00:00")), None);
    }

    #[test]
    fn what_is_marked_is_what_the_clock_of_the_block_says() {
        for offset in 0..4_000 {
            let now = at("02:00:00").plus(Duration::from_millis(offset * 501));
            let state = sla(at("02:00:00"), at("02:30:00"), None, now);
            let expected = match state {
                Sla::Soon => Some(SlaMark::Soon),
                Sla::Breach => Some(SlaMark::Breach),
                _ => None,
            };
            assert_eq!(watched().due(now).map(|due| due.mark), expected, "{now}");
            let late = was_late(at("02:30:00"), now);
            assert_eq!(expected == Some(SlaMark::Breach), late, "{now}");
        }
    }

    #[test]
    fn a_taken_block_is_stale_once_for_each_sign_of_work() {
        let taken = Watched {
            taken_at: Some(at("02:10:00")),
            ..watched()
        };
        assert_eq!(due(taken, "02:40:00"), None);
        assert_eq!(due(taken, "02:40:00.000001"), Some(SlaMark::Stale));
        assert!(is_stale(at("02:10:00"), 30, at("02:40:00.000001")));
        let marked = Watched {
            stale_since: Some(at("02:10:00")),
            ..taken
        };
        assert_eq!(marked.next(at("09:00:00")), None);
        let noted = Watched {
            progress_at: Some(at("02:50:00")),
            ..marked
        };
        assert_eq!(due(noted, "03:20:00"), None);
        assert_eq!(due(noted, "03:20:00.000001"), Some(SlaMark::Stale));
    }

    #[test]
    fn only_an_open_block_is_marked_at_its_time() {
        for status in AuditStatus::ALL {
            for (now, soon, breach) in [
                ("02:14:00", false, false),
                ("02:16:00", true, false),
                ("02:31:00", false, true),
            ] {
                let block = Standing {
                    status: *status,
                    owner: Some("lee"),
                    backup: Some("maya"),
                    taken_by: None,
                    escalated_by: None,
                };
                for (mark, holds) in [
                    (SlaMark::Soon, soon),
                    (SlaMark::Breach, breach),
                    (SlaMark::Stale, false),
                ] {
                    let found = may_mark(&block, &watched(), mark, at(now));
                    let verdict = Verdict::all(found.iter().map(|it| it.verdict));
                    let expected = holds && *status == AuditStatus::Blocked;
                    assert_eq!(verdict, Verdict::of(expected), "{status} {mark} {now}");
                }
            }
        }
    }

    #[test]
    fn a_page_that_comes_late_says_so() {
        let due = watched().due(at("02:16:00")).expect("it is due");
        assert_eq!(due.lateness(at("02:16:00")), None);
        let late = due.lateness(at("02:16:00.000001")).expect("late");
        assert_eq!(late.num_seconds(), 60);
    }
}

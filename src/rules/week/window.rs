//! Windows: planned before their time, run once, skipped with a reason, or missed.

use super::{RunKind, RunStatus};
use crate::clock::Moment;
use crate::rules::Condition;
use crate::rules::people::{Actor, Role};

/// How often a series runs, and how far from its time a run still serves its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The time of its first window.
    pub first: Moment,
    /// Minutes from one window to the next.
    pub every_minutes: i64,
    /// How many minutes before its time a window may be run.
    pub early_minutes: i64,
    /// How many minutes after its time a window must have ended.
    pub grace_minutes: i64,
}

impl Schedule {
    /// Returns the time of the window after the last one that was planned.
    ///
    /// None is left out, however long nobody planned: what nobody ran was missed, and is to be seen.
    #[must_use]
    pub fn next(&self, last: Option<Moment>) -> Moment {
        last.map_or(self.first, |last| last.plus_minutes(self.every_minutes))
    }

    /// Tells whether a window compares a stretch that begins in another one; each compares what lies before its time.
    #[must_use]
    pub fn begins_in(&self, from: Moment, until: Moment) -> bool {
        let first = self.first.plus_minutes(-self.every_minutes);
        if first >= from {
            return first < until;
        }
        let step = self.every_minutes.max(1);
        let passed = (from.since(first).num_seconds() + step * 60 - 1).div_euclid(step * 60);
        first.plus_minutes(passed * step) < until
    }

    /// Returns the time from which a window may be run.
    #[must_use]
    pub fn opens(&self, scheduled_at: Moment) -> Moment {
        scheduled_at.plus_minutes(-self.early_minutes)
    }

    /// Returns the time until which a window must have ended.
    #[must_use]
    pub fn closes(&self, scheduled_at: Moment) -> Moment {
        scheduled_at.plus_minutes(self.grace_minutes)
    }
}

/// A window as it stands, and what stands before it.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// The run's id.
    pub job_run_id: &'a str,
    /// Why it was made.
    pub kind: RunKind,
    /// Where it stands.
    pub status: RunStatus,
    /// Its time.
    pub scheduled_at: Moment,
    /// Until when whoever runs it may work, if somebody does.
    pub claim_until: Option<Moment>,
    /// Its series' schedule.
    pub schedule: Schedule,
    /// Whether its series is active.
    pub is_active: bool,
    /// An earlier scheduled window of its series that has not ended.
    pub earlier_open: Option<&'a str>,
}

impl Window<'_> {
    fn in_order(&self) -> Condition {
        let is_first = self.kind != RunKind::Scheduled || self.earlier_open.is_none();
        Condition::holds(
            "in_order",
            is_first,
            "data_engineer",
            match self.earlier_open {
                Some(earlier) if !is_first => format!("{earlier} has not ended"),
                _ => "every earlier window has ended".to_owned(),
            },
            "end the earlier window first: run it, or `govdeck window sweep` marks it missed",
        )
    }

    fn active(&self) -> Condition {
        Condition::holds(
            "series_active",
            self.is_active,
            "governance_lead",
            if self.is_active {
                "the series is active"
            } else {
                "the series was retired"
            },
            "register the series again",
        )
    }

    fn within_grace(&self, now: Moment) -> Condition {
        let closes = self.schedule.closes(self.scheduled_at);
        Condition::holds(
            "within_grace",
            now <= closes,
            "data_engineer",
            format!("it must have ended by {closes}"),
            "its time is over: `govdeck window sweep` marks it missed",
        )
    }
}

/// Lists what must hold before a series' next window is planned.
#[must_use]
pub fn may_plan(is_active: bool, next: Moment, wanted: Moment) -> Vec<Condition> {
    vec![
        Condition::holds(
            "series_active",
            is_active,
            "governance_lead",
            if is_active {
                "the series is active"
            } else {
                "the series was retired"
            },
            "register the series again",
        ),
        Condition::holds(
            "next_in_line",
            next == wanted,
            "data_engineer",
            format!("the next window is at {next}"),
            "windows are planned in their order, none left out",
        ),
    ]
}

/// Lists what must hold before somebody begins to compare.
#[must_use]
pub fn may_start(window: &Window<'_>, now: Moment) -> Vec<Condition> {
    let opens = window.schedule.opens(window.scheduled_at);
    let is_free = match (window.status, window.claim_until) {
        (RunStatus::Scheduled, _) => true,
        (RunStatus::Running, Some(until)) => until < now,
        _ => false,
    };
    let evidence = match (window.status, window.claim_until) {
        (RunStatus::Running, Some(until)) if !is_free => format!("somebody runs it until {until}"),
        (status, _) => format!("the window is {status}"),
    };
    vec![
        Condition::holds(
            "free",
            is_free,
            "data_engineer",
            evidence,
            "a window ends once; one that is being run is free again when its claim is over",
        ),
        window.active(),
        window.in_order(),
        Condition::holds(
            "open",
            opens <= now,
            "data_engineer",
            format!("it may be run from {opens}"),
            "wait until then, or make a manual run",
        ),
        window.within_grace(now),
    ]
}

/// Lists what must hold before a run ends with what was found.
#[must_use]
pub fn may_finish(window: &Window<'_>, is_claimed_by_it: bool, now: Moment) -> Vec<Condition> {
    vec![
        Condition::holds(
            "running",
            window.status == RunStatus::Running,
            "data_engineer",
            format!("the window is {}", window.status),
            "a window ends once",
        ),
        Condition::holds(
            "its_claim",
            is_claimed_by_it,
            "data_engineer",
            if is_claimed_by_it {
                "whoever began it ends it"
            } else {
                "another process runs it"
            },
            "its claim was over and somebody else took it up: leave it to them",
        ),
        window.in_order(),
        window.within_grace(now),
    ]
}

/// Tells whether a window's time went by.
#[must_use]
pub fn is_missed(window: &Window<'_>, now: Moment) -> bool {
    !window.status.is_final() && window.schedule.closes(window.scheduled_at) < now
}

/// Lists what must hold before a window is marked missed.
#[must_use]
pub fn may_miss(window: &Window<'_>, now: Moment) -> Vec<Condition> {
    let closes = window.schedule.closes(window.scheduled_at);
    vec![
        Condition::holds(
            "not_ended",
            !window.status.is_final(),
            "the schedule",
            format!("the window is {}", window.status),
            "a window ends once",
        ),
        Condition::holds(
            "grace_over",
            closes < now,
            "the schedule",
            format!("it may end until {closes}"),
            "nothing is missed before that",
        ),
        window.in_order(),
    ]
}

/// The roles that may say that a window will not run.
const SKIPPERS: &[Role] = &[
    Role::GovernanceLead,
    Role::OpsLead,
    Role::DataEngineer,
    Role::OnCall,
];

/// Lists what must hold before a window is skipped.
#[must_use]
pub fn may_skip(window: &Window<'_>, actor: &Actor, now: Moment) -> Vec<Condition> {
    let is_scheduled = window.kind == RunKind::Scheduled && window.status == RunStatus::Scheduled;
    vec![
        Condition::holds(
            "scheduled",
            is_scheduled,
            "data_engineer",
            format!("a {} window, {}", window.kind, window.status),
            "only what has not begun is skipped",
        ),
        Condition::holds(
            "may_skip",
            actor.holds_one_of(SKIPPERS),
            "governance_lead, ops_lead, data_engineer or on_call",
            format!("you are {}", actor.person_id),
            "ask one of them",
        ),
        window.in_order(),
        window.within_grace(now),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Verdict;
    use crate::rules::people::{Attestation, PersonKind};

    fn moment(text: &str) -> Moment {
        text.parse().expect("a moment")
    }

    fn schedule() -> Schedule {
        Schedule {
            first: moment("2026-05-04T06:00:00Z"),
            every_minutes: 10_080,
            early_minutes: 30,
            grace_minutes: 360,
        }
    }

    fn window(status: RunStatus) -> Window<'static> {
        Window {
            job_run_id: "jr-1",
            kind: RunKind::Scheduled,
            status,
            scheduled_at: moment("2026-05-04T06:00:00Z"),
            claim_until: (status == RunStatus::Running).then(|| moment("2026-05-04T06:20:00Z")),
            schedule: schedule(),
            is_active: true,
            earlier_open: None,
        }
    }

    fn all_pass(conditions: &[Condition]) -> bool {
        Verdict::all(conditions.iter().map(|condition| condition.verdict)) == Verdict::Pass
    }

    fn unmet(conditions: &[Condition]) -> Vec<&'static str> {
        let open = conditions
            .iter()
            .filter(|condition| condition.verdict != Verdict::Pass);
        open.map(|condition| condition.id).collect()
    }

    #[test]
    fn a_schedule_says_which_stretches_it_compares() {
        let at = |day: u32| moment(&format!("2026-05-{day:02}T00:00:00Z"));
        let every = |days: i64| Schedule {
            first: at(18),
            every_minutes: days * 24 * 60,
            ..schedule()
        };
        for (days, from, until, begins) in [
            (7, 4, 11, false),
            (7, 11, 18, true),
            (7, 18, 25, true),
            (7, 12, 18, false),
            (14, 4, 11, true),
            (14, 11, 18, false),
            (14, 18, 25, true),
        ] {
            let found = every(days).begins_in(at(from), at(until));
            assert_eq!(found, begins, "every {days} days, {from} to {until}");
        }
    }

    #[test]
    fn no_window_is_left_out() {
        let schedule = schedule();
        let first = schedule.next(None);
        assert_eq!(first, moment("2026-05-04T06:00:00Z"));
        assert_eq!(schedule.next(Some(first)), moment("2026-05-11T06:00:00Z"));
        assert_eq!(unmet(&may_plan(true, first, first)), [""; 0]);
        let later = schedule.next(Some(first));
        assert_eq!(unmet(&may_plan(true, first, later)), ["next_in_line"]);
        assert_eq!(unmet(&may_plan(false, first, first)), ["series_active"]);
    }

    #[test]
    fn a_window_is_begun_in_its_time_and_again_only_when_its_claim_is_over() {
        for (now, wrong) in [
            ("2026-05-04T05:29:59.999999Z", &["open"][..]),
            ("2026-05-04T05:30:00Z", &[]),
            ("2026-05-04T12:00:00Z", &[]),
            ("2026-05-04T12:00:00.000001Z", &["within_grace"]),
        ] {
            let found = may_start(&window(RunStatus::Scheduled), moment(now));
            assert_eq!(unmet(&found), wrong, "{now}");
        }
        let running = window(RunStatus::Running);
        for (now, wrong) in [
            ("2026-05-04T06:20:00Z", &["free"][..]),
            ("2026-05-04T06:20:00.000001Z", &[]),
        ] {
            assert_eq!(unmet(&may_start(&running, moment(now))), wrong, "{now}");
        }
        for status in RunStatus::ALL.iter().filter(|status| status.is_final()) {
            let found = may_start(&window(*status), moment("2026-05-04T06:00:00Z"));
            assert_eq!(unmet(&found), ["free"], "{status}");
        }
    }

    #[test]
    fn windows_end_in_their_order_and_drills_in_none() {
        let behind = |kind| Window {
            kind,
            earlier_open: Some("jr-0"),
            ..window(RunStatus::Running)
        };
        let now = moment("2026-05-04T06:10:00Z");
        let found = may_finish(&behind(RunKind::Scheduled), true, now);
        assert_eq!(unmet(&found), ["in_order"]);
        assert_eq!(
            unmet(&may_finish(&behind(RunKind::Drill), true, now)),
            [""; 0]
        );
        let other = may_finish(&window(RunStatus::Running), false, now);
        assert_eq!(unmet(&other), ["its_claim"]);
    }

    #[test]
    fn whatever_has_not_ended_after_its_grace_is_missed() {
        for status in RunStatus::ALL {
            let window = window(*status);
            let closes = moment("2026-05-04T12:00:00Z");
            let after = moment("2026-05-04T12:00:00.000001Z");
            assert!(!is_missed(&window, closes), "{status}");
            assert_eq!(is_missed(&window, after), !status.is_final(), "{status}");
            assert_eq!(
                all_pass(&may_miss(&window, after)),
                is_missed(&window, after),
                "{status}"
            );
            assert!(!all_pass(&may_finish(&window, true, after)), "{status}");
        }
    }

    #[test]
    fn only_what_has_not_begun_is_skipped_and_only_by_some() {
        let now = moment("2026-05-04T06:10:00Z");
        for role in Role::ALL {
            let actor = Actor {
                person_id: "kim".into(),
                kind: PersonKind::Human,
                roles: [*role].into(),
                attestation: Attestation::Login,
            };
            for status in RunStatus::ALL {
                let found = may_skip(&window(*status), &actor, now);
                let may = SKIPPERS.contains(role) && *status == RunStatus::Scheduled;
                assert_eq!(all_pass(&found), may, "{role} {status}");
            }
        }
    }
}

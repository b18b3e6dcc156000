//! What is practised of weekly windows and of the rollback trigger: made-up runs, given to the very rules that decide in
//! earnest, and nothing that those rules ever read.

use serde::Serialize;

use super::migration::{
    EndedRun, KeptMetric, Phase, RollbackReason, Stand, Trigger, Untold, Watch, trigger,
};
use super::reconcile::Decimal;
use super::week::{FinalRun, History, Pair, RunKind, RunStatus, is_sound, opens_incident, stand};
use super::{Condition, Verdict, words};
use crate::clock::Moment;

words! {
    /// What is practised by rule.
    pub enum DrillKind {
        /// Two scheduled windows in a row are left out.
        DoubleSkip = "double_skip",
        /// A weekly run lies above the hard limit after a flip.
        EpsilonBreach = "epsilon_breach",
    }
}

/// A run that is made up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MadeUp {
    /// The run.
    pub run: String,
    /// How it ends.
    pub status: RunStatus,
    /// The leadership's value, where it compares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leadership: Option<String>,
    /// The partners' value, where it compares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner: Option<String>,
}

/// What was given to a rule, what was to come of it, and what did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Practised {
    /// The runs.
    pub given: Vec<MadeUp>,
    /// What the rule must say.
    pub expected: String,
    /// What it said.
    pub found: String,
}

impl Practised {
    /// Tells whether the rule said what it must.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.expected == self.found
    }
}

fn run_id(drill: &str, number: usize) -> String {
    format!("{drill}.{number}")
}

/// Leaves out two windows in a row after one that passed, and asks how their series would stand after each.
#[must_use]
pub fn double_skip(drill: &str) -> Practised {
    let statuses = [RunStatus::Pass, RunStatus::Skip, RunStatus::Skip];
    let given: Vec<MadeUp> = statuses
        .iter()
        .zip(1..)
        .map(|(status, number)| MadeUp {
            run: run_id(drill, number),
            status: *status,
            leadership: None,
            partner: None,
        })
        .collect();
    let runs: Vec<FinalRun<'_>> = given
        .iter()
        .map(|it| FinalRun {
            job_run_id: &it.run,
            status: it.status,
        })
        .collect();
    let after = |window: usize| {
        let standing = stand(&History {
            runs: &runs[..=window],
            bootstrap: None,
            is_remediated: false,
            open_incident: None,
            left_red_at: None,
        });
        let opens = opens_incident(Some(runs[window - 1]), runs[window].status, false);
        let opens = if opens { "an incident" } else { "no incident" };
        format!("{} ({}) with {opens}", standing.state, standing.because)
    };
    Practised {
        expected:
            "amber (not_passed) with no incident, then red (twice_not_passed) with an incident"
                .to_owned(),
        found: format!("{}, then {}", after(1), after(2)),
        given,
    }
}

/// The metric of a run that is made up.
const METRIC: &str = "DRILL";

/// Lets the run of a week lie above the hard limit of a policy after a flip, and asks what the trigger says; and that it says
/// nothing of the same run when it is called what it is, a drill.
#[must_use]
pub fn epsilon_breach(drill: &str, policy: (&str, &Pair), now: Moment) -> Practised {
    let run = run_id(drill, 1);
    let (leadership, partner) = far_apart(policy.1);
    let says = |kind: RunKind| {
        let ended = EndedRun {
            job_run_id: &run,
            series: drill,
            kind,
            status: RunStatus::Pass,
            scheduled_at: now,
            began: now,
            policy: Some((policy.0, policy.1.clone())),
            kept: vec![KeptMetric {
                metric_id: METRIC,
                protected: true,
                leadership: leadership.as_deref(),
                partner: partner.as_deref(),
            }],
        };
        in_words(&trigger(&watched(drill, ended, now)))
    };
    Practised {
        expected: "roll_back (epsilon_hard); of a drill's run: inconclusive (no_run)".to_owned(),
        found: format!(
            "{}; of a drill's run: {}",
            says(RunKind::Scheduled),
            says(RunKind::Drill)
        ),
        given: vec![MadeUp {
            run: run.clone(),
            status: RunStatus::Pass,
            leadership: leadership.clone(),
            partner: partner.clone(),
        }],
    }
}

/// A migration that is made up: it was cut over just now, and has one run.
fn watched<'a>(drill: &'a str, ended: EndedRun<'a>, now: Moment) -> Watch<'a> {
    Watch {
        now,
        clock_is_behind: false,
        stand: Stand {
            migration_id: drill,
            from_semver: "1.0.0",
            to_semver: "1.1.0",
            phase: Phase::Cutover,
            since: now,
            closed: None,
            watch_until: None,
        },
        flipped: Some(now),
        protected: vec![METRIC],
        series: vec![drill],
        runs: vec![ended],
    }
}

/// Makes two values that lie above the hard limit: a whole floor more than it, whatever it is.
fn far_apart(pair: &Pair) -> (Option<String>, Option<String>) {
    let read = |text: &str| Decimal::parse(text).ok();
    let (Some(hard), Some(floor)) = (read(&pair.hard), read(&pair.floor)) else {
        return (None, None);
    };
    let leadership = &(&floor + &(&hard * &floor)) + &floor;
    (Some(leadership.to_string()), Some(floor.to_string()))
}

fn in_words(said: &Trigger) -> String {
    let reason = said.reason.map(RollbackReason::word);
    let why = reason.or(said.untold.map(Untold::word));
    format!("{} ({})", said.state, why.unwrap_or("-"))
}

/// Lists what must hold before something is practised.
#[must_use]
pub fn may_practise(is_new: bool, policy: Option<&Pair>, kind: DrillKind) -> Vec<Condition> {
    let mut conditions = vec![Condition::holds(
        "new_id",
        is_new,
        "governance_lead",
        if is_new { "free" } else { "the id is taken" },
        "practise again: each drill has an id of its own",
    )];
    if kind == DrillKind::EpsilonBreach {
        conditions.push(Condition::holds(
            "policy_adopted",
            policy.is_some_and(|pair| is_sound(pair).verdict == Verdict::Pass),
            "analytics_owner",
            policy.map_or("none is adopted".to_owned(), |pair| {
                format!("soft {}, hard {}", pair.soft, pair.hard)
            }),
            "adopt a policy first: govdeck act adopt-policy",
        ));
    }
    conditions
}

/// Lists what must hold before somebody answers a drill.
#[must_use]
pub fn may_answer(answered_by: Option<&str>) -> Vec<Condition> {
    vec![Condition::holds(
        "unanswered",
        answered_by.is_none(),
        "whoever was paged",
        answered_by.map_or("nobody has answered".to_owned(), |who| {
            format!("{who} has answered")
        }),
        "a drill is answered once",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Moment {
        "2026-05-14T02:00:00Z".parse().expect("a moment")
    }

    fn pair(soft: &str, hard: &str, floor: &str) -> Pair {
        Pair {
            soft: soft.to_owned(),
            hard: hard.to_owned(),
            floor: floor.to_owned(),
        }
    }

    #[test]
    fn two_windows_left_out_are_red_and_the_runs_carry_the_drill_s_name() {
        let practised = double_skip("drill-1");
        assert!(practised.passed(), "{}", practised.found);
        let runs: Vec<_> = practised.given.iter().map(|it| &*it.run).collect();
        assert_eq!(runs, ["drill-1.1", "drill-1.2", "drill-1.3"]);
    }

    #[test]
    fn above_hard_is_rolled_back_whatever_the_limits_are() {
        for (soft, hard, floor) in [
            ("0.05", "0.1", "1"),
            ("0", "0.000000000000000000001", "0.5"),
            ("1", "1234567890123456789012345678901234567890", "1000000"),
        ] {
            let pair = pair(soft, hard, floor);
            let practised = epsilon_breach("drill-1", ("eps-7", &pair), now());
            assert!(practised.passed(), "{hard}: {}", practised.found);
        }
    }

    /// A drill can fail: where the limits are none, nobody can tell, and that is no pass.
    #[test]
    fn limits_that_are_none_fail_the_drill() {
        for (soft, hard, floor) in [("0.2", "0.1", "1"), ("", "", ""), ("0.1", "0.2", "0")] {
            let pair = pair(soft, hard, floor);
            let practised = epsilon_breach("drill-1", ("eps-7", &pair), now());
            assert!(!practised.passed(), "{hard}: {}", practised.found);
            let conditions = may_practise(true, Some(&pair), DrillKind::EpsilonBreach);
            assert_eq!(conditions[1].verdict, Verdict::Fail, "{hard}");
        }
    }

    #[test]
    fn a_drill_is_answered_once_and_a_policy_is_asked_for_only_where_it_counts() {
        assert_eq!(may_answer(None)[0].verdict, Verdict::Pass);
        assert_eq!(may_answer(Some("maya"))[0].verdict, Verdict::Fail);
        let verdicts = |kind| {
            let conditions = may_practise(true, None, kind);
            conditions.iter().all(|it| it.verdict == Verdict::Pass)
        };
        assert!(verdicts(DrillKind::DoubleSkip));
        assert!(!verdicts(DrillKind::EpsilonBreach));
        assert_eq!(
            may_practise(false, None, DrillKind::DoubleSkip)[0].verdict,
            Verdict::Fail
        );
    }
}

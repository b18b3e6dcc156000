//! Random runs since a flip against a naive reading of the rule.

use proptest::prelude::*;

use super::*;

/// A run as a generator makes it: its series, its kind, and how far apart it lies in hundredths; none tells nothing.
type Made = (usize, RunKind, Option<i64>);

fn made() -> impl Strategy<Value = Vec<Made>> {
    let kind = prop::sample::select(RunKind::ALL);
    let delta = prop::option::weighted(0.8, -14_i64..=14);
    prop::collection::vec((0..2_usize, kind, delta), 0..8)
}

/// The rule read naively: run by run, with a counter for each series, in whole hundredths.
fn naive(runs: &[Made]) -> (TriggerState, Option<RollbackReason>) {
    let counts = |kind: RunKind| matches!(kind, RunKind::Scheduled | RunKind::Immediate);
    let counted: Vec<&Made> = runs.iter().filter(|it| counts(it.1)).collect();
    if counted.iter().any(|it| it.2.is_some_and(|d| d.abs() > 10)) {
        return (TriggerState::RollBack, Some(RollbackReason::EpsilonHard));
    }
    let (mut twice, mut amber, mut open) = (false, false, false);
    for series in 0..2 {
        let (mut row, mut at_once, mut last) = (0, false, None);
        for (_, kind, delta) in counted.iter().filter(|it| it.0 == series) {
            last = Some(delta.is_some());
            let Some(delta) = delta else { continue };
            let is_soft = delta.abs() > 5;
            match kind {
                RunKind::Scheduled if is_soft => row += 1,
                RunKind::Scheduled => row = 0,
                _ if is_soft => at_once = true,
                _ => {}
            }
            at_once &= is_soft;
            twice |= row == 2;
        }
        amber |= row > 0 || at_once;
        open |= last != Some(true);
    }
    match (twice, amber, open) {
        (true, ..) => (
            TriggerState::RollBack,
            Some(RollbackReason::EpsilonSoftTwice),
        ),
        (_, true, _) => (TriggerState::Amber, None),
        (_, _, true) => (TriggerState::Inconclusive, None),
        _ => (TriggerState::Stays, None),
    }
}

const VALUES: [&str; 29] = [
    "86", "87", "88", "89", "90", "91", "92", "93", "94", "95", "96", "97", "98", "99", "100",
    "101", "102", "103", "104", "105", "106", "107", "108", "109", "110", "111", "112", "113",
    "114",
];

fn of_made(runs: &[Made]) -> Watch<'static> {
    let all = runs
        .iter()
        .enumerate()
        .map(|(place, (series, kind, delta))| {
            let mut run = run(place, if delta.is_some() { 'w' } else { 'I' }, *kind);
            run.series = SERIES[*series];
            if let Some(delta) = delta {
                let value = VALUES[usize::try_from(delta + 14).expect("in range")];
                run.kept[0].leadership = Some(value);
            }
            run
        });
    Watch {
        series: SERIES.to_vec(),
        ..watch(all.collect())
    }
}

proptest! {
    #[test]
    fn it_is_what_the_rule_says_naively(runs in made()) {
        let found = trigger(&of_made(&runs));
        prop_assert_eq!((found.state, found.reason), naive(&runs));
        prop_assert_eq!(found.reason.is_some(), found.state == TriggerState::RollBack);
        prop_assert_eq!(found.untold.is_some(), found.state == TriggerState::Inconclusive);
    }

    #[test]
    fn no_order_in_which_runs_are_read_changes_it(runs in made(), seed in any::<prop::sample::Index>()) {
        let in_order = of_made(&runs);
        let mut turned = in_order.clone();
        if !turned.runs.is_empty() {
            let by = seed.index(turned.runs.len());
            turned.runs.rotate_left(by);
            turned.runs.reverse();
        }
        prop_assert_eq!(trigger(&in_order), trigger(&turned));
    }

    #[test]
    fn a_week_that_tells_nothing_never_stops_a_rollback(runs in made(), place in 0..8_usize) {
        let found = trigger(&of_made(&runs));
        prop_assume!(found.state == TriggerState::RollBack && runs.len() < 8);
        let mut more = runs.clone();
        more.insert(place.min(runs.len()), (0, RunKind::Scheduled, None));
        prop_assert_eq!(trigger(&of_made(&more)).reason, found.reason);
    }
}

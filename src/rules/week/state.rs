//! How a series stands: one reducer over its final scheduled runs and its incident, for console, verbs and gates alike.

use serde::Serialize;

use super::{RunStatus, State};
use crate::rules::words;

/// A final scheduled run, as far as the state of its series goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FinalRun<'a> {
    /// The run's id.
    pub job_run_id: &'a str,
    /// How it ended.
    pub status: RunStatus,
}

impl FinalRun<'_> {
    fn passed(&self) -> bool {
        self.status == RunStatus::Pass
    }
}

/// Everything that the state of a series rests on.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// Its final scheduled runs by their scheduled time, the newest last; since red was left, that run included.
    pub runs: &'a [FinalRun<'a>],
    /// The run that was declared to be the first.
    pub bootstrap: Option<&'a str>,
    /// Whether remediation evidence is attached to the run before the newest.
    pub is_remediated: bool,
    /// The incident that is open.
    pub open_incident: Option<&'a str>,
    /// The newest run at the time when red was last left.
    pub left_red_at: Option<&'a str>,
}

words! {
    /// Why a series stands as it does.
    pub enum Because {
        /// Nothing has run yet.
        NoRuns = "no_runs",
        /// Its only run passed, and nobody declared it to be the first.
        FirstPass = "first_pass",
        /// Its only run passed, and two people declared it to be the first.
        Bootstrap = "bootstrap",
        /// The two newest runs passed.
        DoubleGreen = "double_green",
        /// A pass after a failure, whose remediation is not attached.
        NotRemediated = "not_remediated",
        /// A pass after a failure, whose remediation is attached.
        Remediated = "remediated",
        /// The newest run did not pass.
        NotPassed = "not_passed",
        /// Two runs in a row did not pass.
        TwiceNotPassed = "twice_not_passed",
        /// An incident is open.
        IncidentOpen = "incident_open",
        /// Red was left at the newest run; the next pass is green.
        LeftRed = "left_red",
    }
}

impl Because {
    /// Says in a sentence what it means.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::NoRuns => "no window has ended yet",
            Self::FirstPass => "the first pass counts once two people declare it the bootstrap",
            Self::Bootstrap => "the first pass, declared the bootstrap by two people",
            Self::DoubleGreen => "the two newest windows passed",
            Self::NotRemediated => {
                "a pass after a window that did not: its remediation evidence is not attached"
            }
            Self::Remediated => "a pass after a window that did not, whose remediation is attached",
            Self::NotPassed => "the newest window did not pass",
            Self::TwiceNotPassed => "two windows in a row did not pass",
            Self::IncidentOpen => "two windows in a row did not pass, and the incident is open",
            Self::LeftRed => "red was left at the newest window; the next pass is green",
        }
    }
}

/// How a series stands, why, and which runs that rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The colour.
    pub state: State,
    /// The rule that gave it.
    pub because: Because,
    /// The runs that the rule looked at, the older first.
    pub runs: Vec<String>,
}

/// Tells how a series stands.
#[must_use]
pub fn stand(history: &History<'_>) -> Standing {
    let runs = history.runs;
    let standing = |state, because, runs: &[FinalRun<'_>]| Standing {
        state,
        because,
        runs: runs.iter().map(|run| run.job_run_id.to_owned()).collect(),
    };
    if let Some(pair) = twice_not_passed(runs) {
        let because = if history.open_incident.is_some() {
            Because::IncidentOpen
        } else {
            Because::TwiceNotPassed
        };
        return standing(State::Red, because, pair);
    }
    if history.open_incident.is_some() {
        return standing(State::Red, Because::IncidentOpen, newest(runs, 2));
    }
    let newest_two = newest(runs, 2);
    let (state, because) = match newest_two {
        [] => (State::Amber, Because::NoRuns),
        [.., last] if !last.passed() => (State::Amber, Because::NotPassed),
        [.., last] if history.left_red_at == Some(last.job_run_id) => {
            (State::Amber, Because::LeftRed)
        }
        [only] if history.bootstrap == Some(only.job_run_id) => (State::Green, Because::Bootstrap),
        [_] => (State::Amber, Because::FirstPass),
        [before, ..] if before.passed() => (State::Green, Because::DoubleGreen),
        _ if history.is_remediated => (State::Green, Because::Remediated),
        _ => (State::Amber, Because::NotRemediated),
    };
    standing(state, because, newest_two)
}

/// Tells whether a run that ends now makes its series red where it was not, so that an incident opens.
#[must_use]
pub fn opens_incident(before: Option<FinalRun<'_>>, now: RunStatus, is_open: bool) -> bool {
    !is_open && now != RunStatus::Pass && before.is_some_and(|before| !before.passed())
}

fn newest<'a, 'b>(runs: &'a [FinalRun<'b>], most: usize) -> &'a [FinalRun<'b>] {
    &runs[runs.len().saturating_sub(most)..]
}

/// Finds the newest two runs in a row that did not pass.
fn twice_not_passed<'a, 'b>(runs: &'a [FinalRun<'b>]) -> Option<&'a [FinalRun<'b>]> {
    runs.windows(2)
        .rfind(|pair| pair.iter().all(|run| !run.passed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINAL: [RunStatus; 5] = [
        RunStatus::Pass,
        RunStatus::Fail,
        RunStatus::Skip,
        RunStatus::Missed,
        RunStatus::Inconclusive,
    ];

    fn history<'a>(runs: &'a [FinalRun<'a>]) -> History<'a> {
        History {
            runs,
            bootstrap: None,
            is_remediated: false,
            open_incident: None,
            left_red_at: None,
        }
    }

    fn runs(statuses: &[RunStatus]) -> Vec<FinalRun<'static>> {
        const IDS: [&str; 6] = ["jr-0", "jr-1", "jr-2", "jr-3", "jr-4", "jr-5"];
        statuses
            .iter()
            .zip(IDS)
            .map(|(status, job_run_id)| FinalRun {
                job_run_id,
                status: *status,
            })
            .collect()
    }

    fn found(history: &History<'_>) -> (State, Because) {
        let standing = stand(history);
        (standing.state, standing.because)
    }

    /// The words of the rule, one row each; P passed, any other letter did not.
    #[test]
    fn the_truth_table_of_states() {
        use Because as B;
        use State::{Amber, Green, Red};
        let letters = |text: &str| -> Vec<FinalRun<'static>> {
            let statuses: Vec<_> = text
                .chars()
                .map(|letter| match letter {
                    'P' => RunStatus::Pass,
                    'F' => RunStatus::Fail,
                    'S' => RunStatus::Skip,
                    'M' => RunStatus::Missed,
                    _ => RunStatus::Inconclusive,
                })
                .collect();
            runs(&statuses)
        };
        for (text, remediated, plain) in [
            ("", (Amber, B::NoRuns), (Amber, B::NoRuns)),
            ("P", (Amber, B::FirstPass), (Amber, B::FirstPass)),
            ("F", (Amber, B::NotPassed), (Amber, B::NotPassed)),
            ("S", (Amber, B::NotPassed), (Amber, B::NotPassed)),
            ("PP", (Green, B::DoubleGreen), (Green, B::DoubleGreen)),
            ("FP", (Green, B::Remediated), (Amber, B::NotRemediated)),
            ("SP", (Green, B::Remediated), (Amber, B::NotRemediated)),
            ("MP", (Green, B::Remediated), (Amber, B::NotRemediated)),
            ("IP", (Green, B::Remediated), (Amber, B::NotRemediated)),
            ("PF", (Amber, B::NotPassed), (Amber, B::NotPassed)),
            ("PS", (Amber, B::NotPassed), (Amber, B::NotPassed)),
            ("FF", (Red, B::TwiceNotPassed), (Red, B::TwiceNotPassed)),
            ("SM", (Red, B::TwiceNotPassed), (Red, B::TwiceNotPassed)),
            ("FPF", (Amber, B::NotPassed), (Amber, B::NotPassed)),
            ("FPP", (Green, B::DoubleGreen), (Green, B::DoubleGreen)),
            // What nobody closed stays red, whatever passes after it.
            ("FFPP", (Red, B::TwiceNotPassed), (Red, B::TwiceNotPassed)),
        ] {
            let runs = letters(text);
            assert_eq!(found(&history(&runs)), plain, "{text}");
            let with = History {
                is_remediated: true,
                ..history(&runs)
            };
            assert_eq!(found(&with), remediated, "{text} remediated");
        }
    }

    /// Every sequence of up to five endings, with every other fact: the properties that the rule promises.
    #[test]
    fn every_history_keeps_the_promises() {
        let mut sequences: Vec<Vec<RunStatus>> = vec![Vec::new()];
        for from in 0.. {
            let Some(sequence) = sequences.get(from).cloned() else {
                break;
            };
            if sequence.len() < 5 {
                sequences.extend(FINAL.iter().map(|next| {
                    let mut longer = sequence.clone();
                    longer.push(*next);
                    longer
                }));
            }
        }
        for sequence in &sequences {
            let runs = runs(sequence);
            let last = runs.last().map(|run| run.job_run_id);
            for bits in 0..16_u8 {
                let history = History {
                    runs: &runs,
                    bootstrap: last.filter(|_| bits & 1 != 0),
                    is_remediated: bits & 2 != 0,
                    open_incident: (bits & 4 != 0).then_some("inc-1"),
                    left_red_at: last.filter(|_| bits & 8 != 0),
                };
                let state = stand(&history).state;
                let twice = sequence
                    .windows(2)
                    .any(|pair| pair.iter().all(|status| *status != RunStatus::Pass));
                let red = twice || history.open_incident.is_some();
                assert_eq!(state == State::Red, red, "{sequence:?} {bits:b}");
                if state == State::Green {
                    assert_eq!(sequence.last(), Some(&RunStatus::Pass), "{sequence:?}");
                    assert!(
                        bits & 8 == 0,
                        "the run at which red was left is never green"
                    );
                    let before = sequence.len().checked_sub(2).map(|at| sequence[at]);
                    let earned = match before {
                        None => bits & 1 != 0,
                        Some(RunStatus::Pass) => true,
                        Some(_) => bits & 2 != 0,
                    };
                    assert!(earned, "{sequence:?} {bits:b}");
                }
            }
        }
    }

    #[test]
    fn an_incident_opens_once_at_the_second_that_did_not_pass() {
        for before in FINAL {
            for now in FINAL {
                for is_open in [false, true] {
                    let earlier = Some(FinalRun {
                        job_run_id: "jr-0",
                        status: before,
                    });
                    let both = before != RunStatus::Pass && now != RunStatus::Pass;
                    assert_eq!(opens_incident(earlier, now, is_open), both && !is_open);
                    assert!(!opens_incident(None, now, is_open));
                }
            }
        }
    }
}

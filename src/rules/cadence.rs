//! The nine checkpoints of a cert week: what stands, what does not, and what cannot be told.

use serde::Serialize;

use super::{Verdict, words};

words! {
    /// The checkpoints, in their order.
    pub enum Checkpoint {
        /// The metric dictionary has advanced.
        DictionaryAdvance = "dictionary_advance",
        /// No FAQ row waits for review.
        FaqCleared = "faq_cleared",
        /// The partner annex's revision is pinned.
        AnnexPinned = "annex_pinned",
        /// The executive readback is pinned.
        ReadbackPinned = "readback_pinned",
        /// The rehearsal of the freeze lift has passed.
        RehearsalPassed = "rehearsal_passed",
        /// The publish gate has let the week's runs pass.
        PublishGate = "publish_gate",
        /// The dashboards are on the CDN.
        CdnDistribution = "cdn_distribution",
        /// The partners' annex is where they read it.
        SharepointSync = "sharepoint_sync",
        /// The weekly reconciliation has run.
        ReconciliationTail = "reconciliation_tail",
    }
}

impl Checkpoint {
    /// Says what a checkpoint does when it does not pass.
    #[must_use]
    pub const fn effect(self) -> Effect {
        match self {
            Self::PublishGate => Effect::StopsDistribution,
            Self::CdnDistribution | Self::SharepointSync => Effect::IsStopped,
            Self::ReconciliationTail => Effect::Follows,
            _ => Effect::Banner,
        }
    }
}

words! {
    /// What a checkpoint does when it does not pass.
    pub enum Effect {
        /// Raises a banner, and stops nothing.
        Banner = "banner",
        /// Stops the two distributions, alone.
        StopsDistribution = "stops 7 and 8",
        /// Is stopped by the publish gate, alone.
        IsStopped = "stopped by 6",
        /// Comes after everything.
        Follows = "follows",
    }
}

/// What is known of the week; nothing is known of a checkpoint without a source.
#[derive(Debug, Clone, Copy, Default)]
pub struct Week {
    /// Whether the newest rehearsal passed, where one was made.
    pub rehearsed: Option<bool>,
    /// How many runs of the week passed the gate.
    pub passed: i64,
    /// How many runs wait for the gate.
    pub pending: i64,
    /// How many publish blocks are open.
    pub open_blocks: i64,
    /// How many weekly windows of the week have ended.
    pub windows_ended: i64,
    /// How many of them passed.
    pub windows_passed: i64,
}

/// A checkpoint as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Its place, from 1.
    pub step: usize,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// What can be said of it.
    pub verdict: Verdict,
    /// What was looked at.
    pub evidence: String,
    /// What it does when it does not pass.
    pub effect: Effect,
}

/// Says how every checkpoint of the week stands.
#[must_use]
pub fn cadence(week: &Week) -> Vec<Standing> {
    let standing = |(at, checkpoint): (usize, &Checkpoint)| {
        let (verdict, evidence) = look(*checkpoint, week);
        Standing {
            step: at + 1,
            checkpoint: *checkpoint,
            verdict,
            evidence,
            effect: checkpoint.effect(),
        }
    };
    Checkpoint::ALL.iter().enumerate().map(standing).collect()
}

fn look(checkpoint: Checkpoint, week: &Week) -> (Verdict, String) {
    let no_source = || (Verdict::CannotTell, "no source yet".to_owned());
    match checkpoint {
        Checkpoint::RehearsalPassed => match week.rehearsed {
            None => (Verdict::CannotTell, "no rehearsal is recorded".to_owned()),
            Some(passed) => (
                Verdict::of(passed),
                format!(
                    "the newest one {}",
                    if passed { "passed" } else { "failed" }
                ),
            ),
        },
        Checkpoint::ReconciliationTail => reconciled(week),
        Checkpoint::PublishGate => gate(week),
        // Whatever they did, they may not while the gate stands in their way.
        Checkpoint::CdnDistribution | Checkpoint::SharepointSync => match gate(week) {
            (Verdict::Fail, _) => (
                Verdict::Fail,
                "held: the publish gate has not passed".to_owned(),
            ),
            _ => no_source(),
        },
        _ => no_source(),
    }
}

/// The tail passes when every window of the week that has ended passed, and at least one has.
fn reconciled(week: &Week) -> (Verdict, String) {
    let (ended, passed) = (week.windows_ended, week.windows_passed);
    let verdict = match ended {
        0 => Verdict::CannotTell,
        _ => Verdict::of(ended == passed),
    };
    let evidence = format!("{ended} weekly windows have ended this week, {passed} passed");
    (verdict, evidence)
}

fn gate(week: &Week) -> (Verdict, String) {
    let Week {
        passed,
        pending,
        open_blocks,
        ..
    } = week;
    let evidence = format!("{passed} passed this week, {pending} wait, {open_blocks} blocks open");
    let verdict = if *open_blocks > 0 {
        Verdict::Fail
    } else if *passed == 0 || *pending > 0 {
        Verdict::CannotTell
    } else {
        Verdict::Pass
    };
    (verdict, evidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(week: &Week, checkpoint: Checkpoint) -> Verdict {
        let all = cadence(week);
        let found = all
            .iter()
            .find(|standing| standing.checkpoint == checkpoint);
        found
            .map(|standing| standing.verdict)
            .expect("it is one of nine")
    }

    #[test]
    fn there_are_nine_in_their_order_and_the_sixth_alone_stops_two() {
        let all = cadence(&Week::default());
        let steps: Vec<_> = all.iter().map(|standing| standing.step).collect();
        assert_eq!(steps, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let stopping: Vec<_> = all
            .iter()
            .filter(|standing| standing.effect == Effect::StopsDistribution)
            .map(|standing| standing.step)
            .collect();
        let stopped: Vec<_> = all
            .iter()
            .filter(|standing| standing.effect == Effect::IsStopped)
            .map(|standing| standing.step)
            .collect();
        assert_eq!((stopping, stopped), (vec![6], vec![7, 8]));
    }

    #[test]
    fn a_week_of_which_nothing_is_known_passes_nothing() {
        for standing in cadence(&Week::default()) {
            assert_eq!(standing.verdict, Verdict::CannotTell, "{standing:?}");
        }
    }

    #[test]
    fn the_tail_passes_when_all_that_ended_passed_and_something_did() {
        for (windows_ended, windows_passed, expected) in [
            (0, 0, Verdict::CannotTell),
            (1, 1, Verdict::Pass),
            (2, 1, Verdict::Fail),
            (2, 0, Verdict::Fail),
        ] {
            let week = Week {
                windows_ended,
                windows_passed,
                ..Week::default()
            };
            assert_eq!(verdict(&week, Checkpoint::ReconciliationTail), expected);
        }
    }

    #[test]
    fn the_gate_passes_when_something_passed_and_nothing_waits_or_is_blocked() {
        for passed in [0, 1, 5] {
            for pending in [0, 2] {
                for open_blocks in [0, 3] {
                    let week = Week {
                        passed,
                        pending,
                        open_blocks,
                        ..Week::default()
                    };
                    let expected = match (passed, pending, open_blocks) {
                        (_, _, 3) => Verdict::Fail,
                        (0, _, _) | (_, 2, _) => Verdict::CannotTell,
                        _ => Verdict::Pass,
                    };
                    assert_eq!(
                        verdict(&week, Checkpoint::PublishGate),
                        expected,
                        "{week:?}"
                    );
                    let held = open_blocks > 0;
                    for stopped in [Checkpoint::CdnDistribution, Checkpoint::SharepointSync] {
                        assert_eq!(verdict(&week, stopped) == Verdict::Fail, held, "{week:?}");
                    }
                    let unmoved = verdict(&week, Checkpoint::ReconciliationTail);
                    assert_eq!(unmoved, Verdict::CannotTell);
                }
            }
        }
    }

    #[test]
    fn a_rehearsal_counts_as_it_ended() {
        for (rehearsed, expected) in [
            (None, Verdict::CannotTell),
            (Some(true), Verdict::Pass),
            (Some(false), Verdict::Fail),
        ] {
            let week = Week {
                rehearsed,
                ..Week::default()
            };
            assert_eq!(verdict(&week, Checkpoint::RehearsalPassed), expected);
        }
    }
}

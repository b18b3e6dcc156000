//! How long a claim of a run holds, and what is said of one that nobody ended.

use std::time::Duration;

use super::RunOutcome;
use crate::clock::Moment;

/// How long whoever claimed a run has to end it, before the next run of the bundle there may mark it as interrupted.
pub const GIVEN_UP: Duration = Duration::from_hours(1);

/// Tells whether a run that was claimed then would have had to end by now.
#[must_use]
pub fn is_given_up(claimed_at: Moment, now: Moment) -> bool {
    claimed_at.plus(GIVEN_UP) <= now
}

/// Says what may have become of a run that did not end in its time, and what to do; nothing of any other.
#[must_use]
pub fn given_up(
    run_id: &str,
    outcome: RunOutcome,
    claimed_at: Moment,
    now: Moment,
) -> Option<String> {
    let is_it = outcome == RunOutcome::Running && is_given_up(claimed_at, now);
    is_it.then(|| {
        format!(
            "CLAIMED OVER AN HOUR AGO: unless somebody is at it, nobody knows how far it came; `govdeck bundle run {run_id}` \
             takes it up, and the next apply or rollback there marks it as interrupted"
        )
    })
}

/// Says how the newest run of a bundle stands, of which a list knows since when it runs.
#[must_use]
pub fn newest(stands: &str, since: Option<Moment>, now: Moment) -> String {
    match since {
        Some(at) if is_given_up(at, now) => format!("GIVEN UP? {stands}"),
        _ => stands.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_runs_for_too_long_is_said_to_be_given_up() {
        let claimed: Moment = "2026-05-01T10:00:00Z".parse().expect("a moment");
        let (before, after) = (claimed.plus_minutes(59), claimed.plus_minutes(60));
        for outcome in RunOutcome::ALL {
            assert_eq!(given_up("r", *outcome, claimed, before), None);
            let said = given_up("r", *outcome, claimed, after);
            assert_eq!(said.is_some(), *outcome == RunOutcome::Running, "{outcome}");
        }
        assert_eq!(newest("running dev", Some(claimed), before), "running dev");
        assert_eq!(
            newest("running dev", Some(claimed), after),
            "GIVEN UP? running dev"
        );
        assert_eq!(newest("applied dev", None, after), "applied dev");
    }
}

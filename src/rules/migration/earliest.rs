//! When a migration may be cut over at the earliest, and what that hangs on.

use serde::Serialize;

use super::clean::CLEAN_HOURS;
use super::gates::PREPARED;
use super::{Facts, Gate, Phase, next_window, reports};
use crate::clock::Moment;

/// The earliest moment at which every gate that only waits could hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Earliest {
    /// When; none where the calendar says nothing of that time.
    pub at: Option<Moment>,
    /// What decides it, the last first.
    pub path: Vec<Gate>,
    /// What no waiting mends: somebody has to do something.
    pub work: Vec<Gate>,
}

/// Finds the earliest legal move to the next phase.
///
/// Gates that wait for time say when they could hold; all others count as work, which is taken to be done at once. A clock that
/// stands still is both: it goes on from where it stands once somebody has seen to it.
#[must_use]
pub fn earliest(facts: &Facts<'_>) -> Option<Earliest> {
    let target = facts.stand.phase.next()?;
    let open: Vec<Gate> = reports(facts, target)
        .iter()
        .filter(|report| !report.lets_pass())
        .map(|report| report.gate)
        .collect();
    let waits = |gate: &Gate| match gate {
        Gate::Clean => {
            let missing = CLEAN_HOURS.saturating_sub(facts.clean.counted);
            let newest = facts.clean.newest.filter(|_| facts.clean.runs);
            Some(newest.unwrap_or(facts.now).plus(missing))
        }
        Gate::Prepared => Some(facts.stand.since.plus(PREPARED)),
        Gate::Unwatched => facts
            .others
            .iter()
            .filter_map(|other| other.watch_until)
            .max(),
        Gate::Calendar => Some(facts.now),
        _ => None,
    };
    let stands_still = |gate: &Gate| *gate == Gate::Clean && !facts.clean.runs;
    let work = open
        .iter()
        .filter(|gate| waits(gate).is_none() || stands_still(gate));
    let work: Vec<Gate> = work.copied().collect();
    let times = open.iter().filter(|gate| **gate != Gate::Calendar);
    let latest = times
        .filter_map(|gate| waits(gate).map(|at| (at, *gate)))
        .max_by_key(|(at, _)| *at);
    let ready = latest.map_or(facts.now, |(at, _)| at.max(facts.now));
    let mut path: Vec<Gate> = latest.map(|(_, gate)| gate).into_iter().collect();
    let at = match target {
        Phase::Cutover => next_window(&facts.calendar, ready),
        _ => Some(ready),
    };
    if at != Some(ready) {
        path.insert(0, Gate::Calendar);
    }
    Some(Earliest { at, path, work })
}

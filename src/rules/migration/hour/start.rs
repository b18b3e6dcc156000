//! What must hold before an hour begins, and what waits while it runs.

use super::NOTICE;
use super::may::holds;
use crate::rules::migration::moves::lockstep;
use crate::rules::migration::{Facts, Gate, Phase, gates, next_window};
use crate::rules::{Condition, Verdict};

/// What changes what the hour is about: it is frozen while one runs.
const FROZEN: &[&str] = &[
    "release_dictionary",
    "register_bind_query",
    "register_annex_view",
    "put_faq",
    "retire_faq",
    "register_pair",
    "withdraw_pair",
    "protect_metric",
    "register_allowlist",
    "attach_matrix",
    "register_footer",
];

/// Tells whether an action waits while the hour of a cutover runs.
#[must_use]
pub fn is_frozen(verb: &str) -> bool {
    FROZEN.contains(&verb)
}

/// States that an hour runs, and edits are frozen.
#[must_use]
pub fn frozen(banner: &str) -> Condition {
    holds(
        "frozen",
        false,
        format!("the hour {banner} runs, and edits are frozen"),
        "wait for its end: govdeck hour show",
    )
}

/// What is known besides the migration when an hour is to begin.
#[derive(Debug, Clone, Copy)]
pub struct Starting<'a> {
    /// Whether a plan of the hour is registered.
    pub is_planned: bool,
    /// The migration whose hour runs already.
    pub running: Option<&'a str>,
    /// The view that the partners' annex reads of the release after, and the footer schema that it was made for.
    pub annex: Option<(&'a str, &'a str)>,
    /// The footer schema that is in force, which carries the banner of a migration.
    pub footer: Option<&'a str>,
}

/// Lists what must hold before the hour of a cutover begins: everything that the flip takes, but what only the hour brings.
#[must_use]
pub fn may_start_hour(facts: &Facts<'_>, starting: Starting<'_>) -> Vec<Condition> {
    let stand = &facts.stand;
    let is_there = stand.phase == Phase::DualWrite && stand.closed.is_none();
    let there = holds(
        "phase",
        is_there,
        format!("it is in {}", stand.phase),
        "the hour begins in dual_write",
    );
    if stand.is_past(Phase::DualWrite) {
        return vec![there];
    }
    let mut conditions = vec![
        there,
        holds(
            "one_hour",
            starting.running.is_none(),
            starting
                .running
                .map_or("no other hour runs".to_owned(), |id| {
                    format!("the hour of {id} runs")
                }),
            "one hour at a time: end that one first",
        ),
        holds(
            "planned",
            starting.is_planned,
            if starting.is_planned {
                "the plan of the hour is registered"
            } else {
                "no plan of the hour is registered"
            },
            "register it: govdeck act register-hour-plan",
        ),
        lockstep(starting.annex, starting.footer),
        window_near(facts),
    ];
    let of_the_hour = [Gate::Replay, Gate::Calendar];
    let reports = gates::reports(facts, Phase::Cutover);
    let others = reports
        .iter()
        .filter(|report| !of_the_hour.contains(&report.gate));
    conditions.extend(others.map(gates::Report::condition));
    conditions
}

/// States that a maintenance window is open once everybody has heard of the lock.
fn window_near(facts: &Facts<'_>) -> Condition {
    let is_let_past = facts
        .overrides
        .iter()
        .any(|it| it.gate == Gate::Calendar && it.expires > facts.now);
    let heard = facts.now.plus(NOTICE);
    let opens = next_window(&facts.calendar, heard);
    let is_near = opens == Some(heard);
    let found = match opens {
        _ if is_let_past => "two people let it past the calendar".to_owned(),
        None => "no maintenance window is known".to_owned(),
        Some(_) if is_near => format!("a maintenance window is open at {heard}"),
        Some(opens) => {
            format!("no maintenance window is open at {heard}, the next opens at {opens}")
        }
    };
    let mut condition = holds(
        "window_near",
        is_near || is_let_past,
        found,
        "begin so that a maintenance window is open fifteen minutes later: govdeck calendar",
    );
    if opens.is_none() && !is_let_past {
        condition.verdict = Verdict::CannotTell;
    }
    condition
}

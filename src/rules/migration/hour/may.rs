//! What must hold before a step begins or ends, and before an hour is handed over, given up or ended.

use super::{EndedBy, HourStand, HourStatus, Step, StepState};
use crate::clock::Moment;
use crate::rules::migration::{EvidenceKind, Facts, Phase};
use crate::rules::people::Role;
use crate::rules::{Condition, time};

const LEAD: Role = Role::GovernanceLead;

pub(super) fn holds(
    id: &'static str,
    holds: bool,
    found: impl Into<String>,
    fix: &str,
) -> Condition {
    Condition::holds(id, holds, LEAD.word(), found, fix)
}

fn runs(hour: Option<&HourStand<'_>>) -> Condition {
    let is_running = hour.is_some_and(|hour| hour.status == HourStatus::Running);
    holds(
        "hour_runs",
        is_running,
        match hour {
            None => "no hour runs".to_owned(),
            Some(hour) => format!("hour {} is {}", hour.number, hour.status),
        },
        "begin one: govdeck act start-hour",
    )
}

fn leads(hour: Option<&HourStand<'_>>, by: &str) -> Condition {
    let lead = hour.map_or("nobody", |hour| hour.lead);
    Condition::holds(
        "leads",
        lead == by,
        lead,
        format!("{lead} leads the hour"),
        "whoever leads it does the steps; it is handed over with hand-over-hour",
    )
}

/// Who would begin which step.
#[derive(Debug, Clone, Copy)]
pub struct Beginning<'a> {
    /// The step.
    pub step: Step,
    /// Who.
    pub by: &'a str,
    /// The time.
    pub now: Moment,
}

/// Lists what must hold before a step begins, or begins again.
#[must_use]
pub fn may_begin_step(hour: Option<&HourStand<'_>>, begins: Beginning<'_>) -> Vec<Condition> {
    let step = begins.step;
    let at = hour.and_then(HourStand::at);
    let is_next = at.is_some_and(|at| at.step == step);
    let is_deed = matches!(step.ended_by(), EndedBy::Deed(_));
    let mut conditions = vec![
        runs(hour),
        leads(hour, begins.by),
        holds(
            "next_step",
            is_next,
            at.map_or("every step is done".to_owned(), |at| {
                format!("step {} comes now: {}", at.step.number(), at.step)
            }),
            "steps follow each other; what has failed is begun again",
        ),
        holds(
            "is_begun",
            !is_deed,
            match step.ended_by() {
                EndedBy::Deed(verb) => format!("{step} is done by {}", verb.replace('_', "-")),
                _ => format!("{step}: {}", step.meaning()),
            },
            "do that; it needs no beginning",
        ),
    ];
    if step == Step::Golden {
        let opens = hour.and_then(HourStand::opens);
        conditions.push(holds(
            "everybody_heard",
            opens.is_some_and(|opens| opens <= begins.now),
            opens.map_or("the lock is not announced".to_owned(), |opens| {
                let clock = time::to_the_minute(opens);
                if opens <= begins.now {
                    format!("everybody has had fifteen minutes to hear of the lock, since {clock}")
                } else {
                    format!(
                        "not everybody has had fifteen minutes to hear of the lock before {clock}"
                    )
                }
            }),
            "wait until everybody has had fifteen minutes to hear of it",
        ));
    }
    conditions
}

/// What would end a step.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// The step.
    pub step: Step,
    /// Which attempt at it.
    pub attempt: i64,
    /// As what it ends.
    pub state: StepState,
    /// Whether what was found comes along as a document.
    pub is_shown: bool,
    /// Series that have not passed since the flip, once they are looked at.
    pub open_series: Option<&'a [String]>,
}

/// Lists what must hold before work ends a step: it is still that attempt, and what the step is for is so.
#[must_use]
pub fn may_end_step(
    facts: &Facts<'_>,
    hour: Option<&HourStand<'_>>,
    ends: Ending<'_>,
) -> Vec<Condition> {
    let at = hour.and_then(|hour| hour.step(ends.step));
    let is_it = at.is_some_and(|at| at.state == StepState::Running && at.attempt == ends.attempt);
    let as_what = [
        StepState::Done,
        StepState::DoneWithWarning,
        StepState::Failed,
    ];
    let mut conditions = vec![
        runs(hour),
        holds(
            "still_at_it",
            is_it,
            at.map_or("no hour has it".to_owned(), |at| {
                format!("{}: {}, attempt {}", at.step, at.state, at.attempt)
            }),
            "whoever began it anew ends it",
        ),
        holds(
            "ends_as",
            as_what.contains(&ends.state),
            format!("it ends as {}", ends.state),
            "work ends as done, done_with_warning or failed",
        ),
    ];
    if ends.state != StepState::Failed {
        conditions.push(holds(
            "shown",
            ends.is_shown,
            if ends.is_shown {
                "what was found comes along"
            } else {
                "nothing shows what was found"
            },
            "a step ends with evidence",
        ));
        conditions.extend(afterwards(facts, ends.step, ends.open_series));
    }
    conditions
}

/// States what a step is for.
fn afterwards(facts: &Facts<'_>, step: Step, open_series: Option<&[String]>) -> Option<Condition> {
    match step {
        Step::Flip => Some(holds(
            "flipped",
            facts.stand.phase == Phase::Cutover,
            format!("it is in {}", facts.stand.phase),
            "flip it: govdeck act cutover",
        )),
        Step::Reconcile => {
            let open = open_series.unwrap_or_default();
            Some(holds(
                "every_series_passed",
                open_series.is_some() && open.is_empty(),
                match open_series {
                    None => "no series is compared".to_owned(),
                    Some([]) => "every series passed in a run made since the flip".to_owned(),
                    Some(open) => format!("not passed since the flip: {}", open.join(", ")),
                },
                "mend what differs and begin the step again, or take the migration back",
            ))
        }
        _ => None,
    }
}

/// What a person's word would end.
#[derive(Debug, Clone, Copy)]
pub struct Attesting<'a> {
    /// The step.
    pub step: Step,
    /// As what it ends.
    pub state: StepState,
    /// Who says so.
    pub by: &'a str,
    /// Whether the plan leaves it to a person's word.
    pub is_left_to_people: bool,
}

/// Lists what must hold before a person's word ends a step.
#[must_use]
pub fn may_attest(
    facts: &Facts<'_>,
    hour: Option<&HourStand<'_>>,
    attests: Attesting<'_>,
) -> Vec<Condition> {
    let step = attests.step;
    let at = hour.and_then(|hour| hour.step(step));
    let state = at.map(|at| at.state);
    let skips = attests.state == StepState::Skipped;
    let comes_now = hour
        .and_then(HourStand::at)
        .is_some_and(|at| at.step == step);
    let is_it = comes_now && (state == Some(StepState::Running) || skips);
    let may_say = match attests.state {
        StepState::Skipped => step.may_be_skipped(),
        // What govdeck does itself is begun again instead.
        StepState::Failed => matches!(step.ended_by(), EndedBy::Outside | EndedBy::Flip),
        StepState::Done | StepState::DoneWithWarning => attests.is_left_to_people,
        _ => false,
    };
    let mut conditions = vec![
        runs(hour),
        leads(hour, attests.by),
        holds(
            "still_at_it",
            is_it,
            state.map_or("no hour has it".to_owned(), |state| {
                format!("{step} is {state}")
            }),
            "begin it first: govdeck act begin-step",
        ),
        holds(
            "may_be_said",
            may_say,
            format!("{step} as {}", attests.state),
            "a person's word ends what the plan leaves to people; only purge is skipped",
        ),
    ];
    if matches!(attests.state, StepState::Done | StepState::DoneWithWarning) {
        conditions.extend(afterwards(facts, step, None));
    }
    conditions
}

/// Lists what must hold in the hour before the flip, besides the gates.
#[must_use]
pub fn may_flip(facts: &Facts<'_>, hour: Option<&HourStand<'_>>, by: &str) -> Vec<Condition> {
    let flip = hour.and_then(|hour| hour.step(Step::Flip));
    let began = flip
        .filter(|at| at.state == StepState::Running)
        .and_then(|at| at.began);
    let replayed = facts.newest(EvidenceKind::Replay).map(|it| it.observed);
    vec![
        runs(hour),
        leads(hour, by),
        holds(
            "flip_step",
            began.is_some(),
            flip.map_or("no hour has come to it".to_owned(), |at| {
                format!("flip is {}", at.state)
            }),
            "begin step 3, flip: govdeck hour begin flip",
        ),
        holds(
            "replayed_again",
            began.is_some() && replayed >= began,
            replayed.map_or("nothing was replayed".to_owned(), |at| {
                format!("last replayed at {at}")
            }),
            "beginning the flip replays again; begin it once more when that failed",
        ),
    ]
}

/// Lists what must hold before an hour is given up.
#[must_use]
pub fn may_abort(hour: Option<&HourStand<'_>>) -> Vec<Condition> {
    vec![runs(hour)]
}

/// Lists what must hold before an hour is led by another.
#[must_use]
pub fn may_hand_over(
    hour: Option<&HourStand<'_>>,
    by: &str,
    to: &str,
    to_is_lead: bool,
) -> Vec<Condition> {
    let lead = hour.map_or("nobody", |hour| hour.lead);
    vec![
        runs(hour),
        holds(
            "one_of_both",
            by == lead || by == to,
            format!("{lead} leads the hour, and {to} would"),
            "whoever leads it hands it over, or whoever takes it takes it",
        ),
        holds(
            "another",
            to != lead,
            format!("{lead} leads it now"),
            "name another",
        ),
        holds(
            "is_lead",
            to_is_lead,
            if to_is_lead {
                format!("{to} is a governance lead")
            } else {
                format!("{to} is no active governance lead")
            },
            "another governance lead takes it",
        ),
    ]
}

/// Lists what must hold before the note is written that partners read.
#[must_use]
pub fn may_note(facts: &Facts<'_>, hour: Option<&HourStand<'_>>) -> Vec<Condition> {
    let at = hour.and_then(HourStand::at);
    vec![
        runs(hour),
        holds(
            "next_step",
            at.is_some_and(|at| at.step == Step::Note),
            at.map_or("every step is done".to_owned(), |at| {
                format!("step {} comes now: {}", at.step.number(), at.step)
            }),
            "the note is the last step",
        ),
        holds(
            "closed",
            facts.stand.closed.is_some(),
            if facts.stand.closed.is_some() {
                "it is closed"
            } else {
                "it is not closed"
            },
            "close it first: govdeck act close-migration",
        ),
    ]
}

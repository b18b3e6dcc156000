//! What must hold before a migration is opened, moved on, closed, taken back, countersigned, or let past a gate.

use std::time::Duration;

use super::hour::{HourStand, Step};
use super::{Facts, Gate, Phase, RollbackReason, Stand, gates};
use crate::clock::Moment;
use crate::rules::people::Role;
use crate::rules::{Condition, Verdict};

const LEAD: Role = Role::GovernanceLead;
/// How long an override counts at most.
pub const LONGEST_OVERRIDE: Duration = Duration::from_hours(7 * 24);

fn holds(id: &'static str, holds: bool, found: impl Into<String>, fix: &str) -> Condition {
    Condition::holds(id, holds, LEAD.word(), found, fix)
}

/// What a migration would be opened as.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// Whether its id is free.
    pub is_new: bool,
    /// The release before, as three numbers; none where it is not registered.
    pub from: Option<[i64; 3]>,
    /// The release after.
    pub to: Option<[i64; 3]>,
    /// The last attempt at the same way that was not taken back.
    pub standing: Option<&'a str>,
    /// Protected metrics that no dictionary knows.
    pub unknown: &'a [&'a str],
}

/// Lists what must hold before a migration is opened.
#[must_use]
pub fn may_open(opening: &Opening<'_>) -> Vec<Condition> {
    let raises = match (opening.from, opening.to) {
        (Some(from), Some(to)) => from[0] == to[0] && to > from,
        _ => false,
    };
    vec![
        holds(
            "new_id",
            opening.is_new,
            if opening.is_new {
                "a new id"
            } else {
                "the id is taken"
            },
            "an id is used once: a new attempt has a new one",
        ),
        holds(
            "raises_minor_or_patch",
            raises,
            match (opening.from, opening.to) {
                (None, _) => "the release before is not registered",
                (_, None) => "the release after is not registered",
                _ if raises => "a later release of the same major version",
                _ => "not a later release of the same major version",
            },
            "name two releases of the dictionary; a new major version is no migration",
        ),
        holds(
            "attempts_end",
            opening.standing.is_none(),
            opening
                .standing
                .map_or("no attempt at it stands".to_owned(), |id| {
                    format!("{id} is an attempt at it, and was not taken back")
                }),
            "go on with that one; only what was taken back is tried again",
        ),
        holds(
            "protected_known",
            opening.unknown.is_empty(),
            match opening.unknown {
                [] => "every protected metric is in the dictionary".to_owned(),
                some => format!("not in the dictionary: {}", some.join(", ")),
            },
            "name metrics of the dictionary",
        ),
    ]
}

fn moves_from(stand: &Stand<'_>, from: Phase) -> Condition {
    let at = match stand.closed {
        Some(_) if stand.phase == Phase::Cutover => "closed".to_owned(),
        _ => stand.phase.to_string(),
    };
    holds(
        "phase",
        stand.phase == from && stand.closed.is_none(),
        format!("it is in {at}"),
        "phases follow each other: prepare, dual_write, cutover, closed",
    )
}

/// Lists what must hold before a migration moves on to its next phase: the move itself, and every gate.
#[must_use]
pub fn may_move(facts: &Facts<'_>, target: Phase) -> Vec<Condition> {
    let from = match target {
        Phase::DualWrite => Phase::Prepare,
        _ => Phase::DualWrite,
    };
    // What the gates of a move that lies behind would say now is about something else.
    if facts.stand.is_past(from) {
        return vec![moves_from(&facts.stand, from)];
    }
    let other = facts.others.iter().find(|other| {
        other.closed.is_none() && matches!(other.phase, Phase::DualWrite | Phase::Cutover)
    });
    let mut conditions = vec![
        moves_from(&facts.stand, from),
        holds(
            "one_at_a_time",
            other.is_none(),
            other.map_or("no other is under way".to_owned(), |other| {
                format!("{} is in {}", other.migration_id, other.phase)
            }),
            "one migration at a time is in dual_write or cutover",
        ),
        holds(
            "pairs",
            facts.pairs > 0,
            format!("{} pairs of columns", facts.pairs),
            "register what is renamed: govdeck act register-pair",
        ),
        holds(
            "expanded",
            facts.views_stand,
            if facts.views_stand {
                "the views over the pairs stand"
            } else {
                "the views over the pairs are not there"
            },
            "expand the dictionary first: govdeck migration expand; the move itself changes no table",
        ),
    ];
    conditions.extend(gates::conditions(facts, target));
    conditions
}

/// What is known when a migration is to be closed.
#[derive(Debug, Clone, Copy)]
pub struct Closing<'a> {
    /// Active series without an immediate run since the flip that passed.
    pub open_series: &'a [&'a str],
    /// How many series are active.
    pub series: usize,
    /// When the second scheduled window from now ends the watch.
    pub watch_until: Option<Moment>,
    /// Who flipped it.
    pub flipped_by: &'a str,
    /// Who would close it.
    pub closes: &'a str,
    /// Its hour, while it runs.
    pub hour: Option<&'a HourStand<'a>>,
    /// The view that the partners' annex reads of the release after, and the footer schema that it was made for.
    pub annex: Option<(&'a str, &'a str)>,
    /// The footer schema that is in force.
    pub footer: Option<&'a str>,
    /// The allow-list of the cutover, hashed.
    pub allowlist: Option<&'a str>,
}

/// Lists what must hold before a migration is closed.
#[must_use]
pub fn may_close(facts: &Facts<'_>, closing: &Closing<'_>) -> Vec<Condition> {
    let compared = closing.series > 0 && closing.open_series.is_empty();
    let mut ran = holds(
        "immediate_run",
        compared,
        match (closing.series, closing.open_series) {
            (0, _) => "no series is compared".to_owned(),
            (_, []) => "every series passed in a run made since the flip".to_owned(),
            (_, open) => format!(
                "no immediate run since the flip has passed: {}",
                open.join(", ")
            ),
        },
        "run govdeck job reconcile --kind immediate now, not next week",
    );
    if closing.series == 0 {
        ran.verdict = Verdict::CannotTell;
    }
    let mut watch = holds(
        "watch",
        closing.watch_until.is_some(),
        closing.watch_until.map_or(
            "fewer than two scheduled windows are planned".to_owned(),
            |until| format!("watched until {until}"),
        ),
        "plan the next windows: govdeck window plan",
    );
    if closing.watch_until.is_none() {
        watch.verdict = Verdict::CannotTell;
    }
    let comes_now = closing.hour.and_then(HourStand::at).map(|at| at.step);
    vec![
        moves_from(&facts.stand, Phase::Cutover),
        holds(
            "in_the_hour",
            comes_now == Some(Step::Complete),
            match (closing.hour, comes_now) {
                (None, _) => "no hour runs".to_owned(),
                (_, None) => "every step is done".to_owned(),
                (_, Some(step)) => format!("step {} comes now: {step}", step.number()),
            },
            "it is closed in its hour, once every series was compared: govdeck hour show",
        ),
        ran,
        gates::judge(Gate::NotRed, facts, Phase::Cutover).condition(),
        holds(
            "another_closes",
            closing.closes != closing.flipped_by,
            format!("{} flipped it", closing.flipped_by),
            "another than whoever flipped it closes it",
        ),
        lockstep(closing.annex, closing.footer),
        holds(
            "allowlist",
            closing.allowlist.is_some(),
            closing.allowlist.map_or(
                "no allow-list of the cutover is registered".to_owned(),
                |sha256| format!("allow-list {sha256}"),
            ),
            "register it: govdeck act register-allowlist",
        ),
        watch,
    ]
}

/// States that what partners read goes along with the release.
pub(super) fn lockstep(annex: Option<(&str, &str)>, footer: Option<&str>) -> Condition {
    let is_alike = annex.is_some_and(|(_, made_for)| footer == Some(made_for));
    holds(
        "lockstep",
        is_alike,
        match (annex, footer) {
            (None, _) => "no annex view of the release after is registered".to_owned(),
            (_, None) => "no footer schema is registered".to_owned(),
            (Some((annex, made_for)), Some(footer)) => format!(
                "annex view {annex} is made for footer schema {made_for}, and {footer} is in force"
            ),
        },
        "register both before the hour: govdeck act register-annex-view, register-footer",
    )
}

/// Why a migration would be taken back, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct RollBack {
    /// Why.
    pub reason: RollbackReason,
    /// Whether a person decides it.
    pub by_person: bool,
}

/// Lists what must hold before a migration is taken back; the way back waits for nobody.
#[must_use]
pub fn may_roll_back(facts: &Facts<'_>, back: RollBack) -> Vec<Condition> {
    let stand = &facts.stand;
    let watched = stand.watch_until.is_some_and(|until| until >= facts.now);
    let stands = match stand.phase {
        Phase::DualWrite => stand.closed.is_none(),
        Phase::Cutover => stand.closed.is_none() || watched,
        Phase::Prepare | Phase::Rollback => false,
    };
    let at = match (stand.phase, stand.closed, watched) {
        (Phase::Cutover, Some(_), true) => "it is closed and watched".to_owned(),
        (Phase::Cutover, Some(_), false) => "it is closed, and its watch is over".to_owned(),
        (phase, ..) => format!("it is in {phase}"),
    };
    vec![
        holds(
            "can_be_taken_back",
            stands,
            at,
            "only what is in dual_write or cutover, or closed and still watched, is taken back",
        ),
        holds(
            "reason",
            back.reason.is_measured() != back.by_person,
            format!("{}", back.reason),
            "people name cutover_step_failed or operator_abort; what was measured is found by rule",
        ),
    ]
}

/// Lists what must hold before a second person countersigns what one lead did alone.
#[must_use]
pub fn may_countersign(
    needs: bool,
    by: Option<&str>,
    moved_by: &str,
    signs: &str,
) -> Vec<Condition> {
    vec![
        holds(
            "waits",
            needs && by.is_none(),
            match (needs, by) {
                (_, Some(by)) => format!("{by} countersigned it"),
                (true, None) => "it waits for a second person".to_owned(),
                (false, None) => "two people decided it".to_owned(),
            },
            "only what one lead did alone is countersigned, once",
        ),
        holds(
            "another_person",
            moved_by != signs,
            format!("{moved_by} did it"),
            "another than whoever did it countersigns",
        ),
    ]
}

/// Lists what must hold before two people let a migration past a gate.
#[must_use]
pub fn may_override(facts: &Facts<'_>, gate: Gate, expires: Moment) -> Vec<Condition> {
    let target = facts.stand.phase.next();
    let stands = target.is_some_and(|target| Gate::before(target).contains(&gate));
    let span = expires.since(facts.now).to_std().unwrap_or_default();
    let verdict = target.map(|target| gates::judge(gate, facts, target).verdict);
    vec![
        holds(
            "is_before_it",
            stands && facts.stand.closed.is_none(),
            format!("{gate}: {}", gate.meaning()),
            "only a gate of the next phase is overridden",
        ),
        holds(
            "can_be_overridden",
            gate.can_be_overridden(),
            if gate.can_be_overridden() {
                format!("{gate} may be overridden")
            } else {
                format!("{gate} holds for everybody")
            },
            "G1, G2, D1, D3 and D4 are never overridden: make them hold",
        ),
        holds(
            "does_not_hold",
            verdict != Some(Verdict::Pass),
            verdict.map_or("it is asked nowhere".to_owned(), |it| {
                format!("{gate}: {it}")
            }),
            "what holds needs no override",
        ),
        holds(
            "expires",
            !span.is_zero() && span <= LONGEST_OVERRIDE,
            format!("until {expires}"),
            "an override ends within seven days",
        ),
    ]
}

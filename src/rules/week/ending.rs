//! What people do about runs that did not pass: declare a first one, attach a remediation, let one run by, leave red.

use super::{RunKind, RunStatus, State};
use crate::clock::Moment;
use crate::rules::Condition;
use crate::rules::block::SnapshotStatus;

/// How long an override annex may last at most.
const MOST_DAYS: i64 = 7;

/// An incident as it stands.
#[derive(Debug, Clone, Copy)]
pub struct Incident<'a> {
    /// The incident's id.
    pub incident_id: &'a str,
    /// Who acknowledged it.
    pub acknowledged_by: Option<&'a str>,
    /// Whether it is over.
    pub is_closed: bool,
    /// Whether numbers had reached partners, so that the readback owes them an addendum.
    pub addendum_demanded: bool,
}

/// Lists what must hold before a run is declared the first of its series.
#[must_use]
pub fn may_declare(
    kind: RunKind,
    status: RunStatus,
    ended_in_series: i64,
    declared: Option<&str>,
) -> Vec<Condition> {
    vec![
        Condition::holds(
            "first_pass",
            kind == RunKind::Scheduled && status == RunStatus::Pass && ended_in_series == 1,
            "data_engineer",
            format!("a {kind} run, {status}; {ended_in_series} scheduled runs have ended"),
            "only a pass that is the only run of its series is declared the first",
        ),
        Condition::holds(
            "not_declared",
            declared.is_none(),
            "governance_lead",
            declared.map_or("none was declared".to_owned(), |run| {
                format!("{run} was declared")
            }),
            "a series has one bootstrap",
        ),
    ]
}

/// Lists what must hold before remediation evidence is attached to a run.
#[must_use]
pub fn may_attach(kind: RunKind, status: RunStatus, is_new: bool) -> Vec<Condition> {
    vec![
        Condition::holds(
            "did_not_pass",
            kind == RunKind::Scheduled && status.is_final() && status != RunStatus::Pass,
            "data_engineer",
            format!("a {kind} run, {status}"),
            "evidence is attached to a scheduled run that ended without a pass",
        ),
        new_id(is_new),
    ]
}

fn new_id(is_new: bool) -> Condition {
    Condition::holds(
        "new_id",
        is_new,
        "governance_lead",
        if is_new { "free" } else { "the id is taken" },
        "choose another id; ids are never used again",
    )
}

/// Lists what must hold before an incident is acknowledged.
#[must_use]
pub fn may_acknowledge(incident: &Incident<'_>) -> Vec<Condition> {
    vec![
        open(incident),
        Condition::holds(
            "not_acknowledged",
            incident.acknowledged_by.is_none(),
            "governance_lead",
            incident
                .acknowledged_by
                .map_or("nobody has".to_owned(), |by| format!("{by} has")),
            "an incident is acknowledged once",
        ),
    ]
}

fn open(incident: &Incident<'_>) -> Condition {
    Condition::holds(
        "open",
        !incident.is_closed,
        "governance_lead",
        if incident.is_closed {
            "the incident is over"
        } else {
            "the incident is open"
        },
        "an incident ends once",
    )
}

/// Lists what must hold before a series leaves red.
#[must_use]
pub fn may_leave_red(
    incident: &Incident<'_>,
    newest: Option<(&str, RunStatus)>,
    evidence: &[&str],
    unknown_evidence: &[&str],
    has_addendum: bool,
) -> Vec<Condition> {
    vec![
        open(incident),
        Condition::holds(
            "acknowledged",
            incident.acknowledged_by.is_some(),
            "governance_lead",
            incident
                .acknowledged_by
                .map_or("nobody has acknowledged it".to_owned(), |by| {
                    format!("{by} acknowledged it")
                }),
            "somebody acknowledges the incident first: acknowledge-incident",
        ),
        Condition::holds(
            "newest_passed",
            newest.is_some_and(|(_, status)| status == RunStatus::Pass),
            "data_engineer",
            newest.map_or("no run has ended".to_owned(), |(run, status)| {
                format!("{run} is {status}")
            }),
            "the newest scheduled run passes first",
        ),
        Condition::holds(
            "evidence",
            !evidence.is_empty() && unknown_evidence.is_empty(),
            "data_engineer",
            match unknown_evidence {
                [] if evidence.is_empty() => "no evidence is named".to_owned(),
                [] => format!("evidence: {}", evidence.join(", ")),
                unknown => format!(
                    "not attached to a run of this series: {}",
                    unknown.join(", ")
                ),
            },
            "name remediation evidence that is attached to its runs: attach-remediation",
        ),
        Condition::holds(
            "addendum",
            has_addendum || !incident.addendum_demanded,
            "analytics_owner",
            match (incident.addendum_demanded, has_addendum) {
                (false, _) => "no numbers had reached partners",
                (true, true) => "the readback's addendum is named",
                (true, false) => "numbers had reached partners, and no addendum is named",
            },
            "file the readback's addendum, and name its hash",
        ),
    ]
}

/// Lists what must hold before two people let a run be signed that is not green.
#[must_use]
pub fn may_override(
    kind: RunKind,
    status: RunStatus,
    is_newest: bool,
    state: State,
    there: Option<&str>,
    is_new: bool,
) -> Vec<Condition> {
    vec![
        Condition::holds(
            "compared",
            kind == RunKind::Scheduled && status.has_compared(),
            "data_engineer",
            format!("a {kind} run, {status}"),
            "there are numbers to sign only where both sides were compared",
        ),
        Condition::holds(
            "newest_run",
            is_newest,
            "signer",
            if is_newest {
                "the newest run"
            } else {
                "a later run has ended"
            },
            "only the newest run is signed",
        ),
        Condition::holds(
            "not_green",
            state != State::Green,
            "signer",
            format!("the series is {state}"),
            "green needs no override",
        ),
        Condition::holds(
            "none_yet",
            there.is_none(),
            "governance_lead",
            there.map_or("no packet yet".to_owned(), |id| format!("{id} is there")),
            "one packet for each run",
        ),
        new_id(is_new),
    ]
}

/// A publish run that two people would let out while red holds the others.
#[derive(Debug, Clone, Copy)]
pub struct Annexed<'a> {
    /// The run's id.
    pub publish_run_id: &'a str,
    /// Where it stands, if it is there.
    pub status: Option<SnapshotStatus>,
    /// Whether it is a drill.
    pub is_drill: bool,
    /// When the gate decided it.
    pub decided_at: Option<Moment>,
    /// When the oldest open incident began, if one is open.
    pub red_since: Option<Moment>,
}

/// Lists what must hold before a run is named in an override annex.
#[must_use]
pub fn may_annex(
    annexed: &Annexed<'_>,
    is_new: bool,
    expires: Moment,
    now: Moment,
) -> Vec<Condition> {
    let last = now.plus_minutes(MOST_DAYS * 24 * 60);
    let passed_before = annexed
        .decided_at
        .zip(annexed.red_since)
        .is_some_and(|(decided, red)| decided < red);
    vec![
        new_id(is_new),
        Condition::holds(
            "red",
            annexed.red_since.is_some(),
            "governance_lead",
            annexed
                .red_since
                .map_or("governance is not red".to_owned(), |since| {
                    format!("red since {since}")
                }),
            "nothing is held, so nothing is to be let out",
        ),
        Condition::holds(
            "passed_before_red",
            annexed.status == Some(SnapshotStatus::GatePassed)
                && !annexed.is_drill
                && (passed_before || annexed.red_since.is_none()),
            "the pipeline",
            match (annexed.status, annexed.decided_at) {
                (None, _) => format!("there is no run {:?}", annexed.publish_run_id),
                (Some(status), Some(at)) => format!("{status} at {at}"),
                (Some(status), None) => format!("{status}"),
            },
            "only a run that had passed the gate before red began is named",
        ),
        Condition::holds(
            "expires_soon",
            now < expires && expires <= last,
            "governance_lead",
            format!("expires {expires}"),
            format!("it lies ahead, at most {MOST_DAYS} days"),
        ),
    ]
}

#[cfg(test)]
mod tests;

//! Every gate as one small rule: asked alone, told alone, or all of them at once.

use std::time::Duration;

use serde::Serialize;

use super::clean::CLEAN_HOURS;
use super::{Allowlist, CalendarKind, EvidenceKind, Facts, Gate, Known, Phase, known_until};
use crate::clock::Moment;
use crate::rules::people::Role;
use crate::rules::{Condition, Verdict, time};

/// How old a proof, a probe or a replay may be.
const FRESH: Duration = Duration::from_hours(24);
/// How old a rehearsal may be.
const REHEARSED: Duration = Duration::from_hours(7 * 24);
/// How long a migration stays in prepare at least.
pub(super) const PREPARED: Duration = Duration::from_hours(7 * 24);
/// How many scheduled weeks must have passed in a row.
const BASELINE: usize = 3;

/// How a gate stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The gate.
    pub gate: Gate,
    /// Whether it holds; an override does not change what was found.
    pub verdict: Verdict,
    /// Until when two people let the migration pass it all the same.
    pub overridden_until: Option<Moment>,
    /// Who answers for it: a person, else the role.
    pub owner: String,
    /// What was found, in one line.
    pub found: String,
    /// The document that shows it, hashed.
    pub evidence_sha256: Option<String>,
    /// When it was found; now where the gate is asked anew each time.
    pub observed_at: Moment,
    /// What to do when it does not hold.
    pub fix: &'static str,
}

impl Report {
    /// Tells whether the migration may pass.
    #[must_use]
    pub fn lets_pass(&self) -> bool {
        self.verdict == Verdict::Pass || self.overridden_until.is_some()
    }

    /// Returns it as a condition of a move.
    #[must_use]
    pub fn condition(&self) -> Condition {
        let verdict = match self.overridden_until {
            Some(_) => Verdict::Pass,
            None => self.verdict,
        };
        let found = match self.overridden_until {
            Some(until) if self.verdict != Verdict::Pass => {
                format!("OVERRIDDEN until {until}: {}", self.found)
            }
            _ => self.found.clone(),
        };
        Condition {
            id: self.gate.word(),
            verdict,
            owner: self.owner.clone(),
            evidence: found,
            fix: self.fix.to_owned(),
        }
    }
}

/// What a gate's rule found.
struct Found {
    verdict: Verdict,
    said: String,
    sha256: Option<String>,
    observed: Option<Moment>,
}

impl Found {
    fn new(verdict: Verdict, said: impl Into<String>) -> Self {
        Self {
            verdict,
            said: said.into(),
            sha256: None,
            observed: None,
        }
    }

    fn of(holds: bool, said: impl Into<String>) -> Self {
        Self::new(Verdict::of(holds), said)
    }

    fn unknown(said: impl Into<String>) -> Self {
        Self::new(Verdict::CannotTell, said)
    }
}

/// Asks every gate before a phase.
#[must_use]
pub fn reports(facts: &Facts<'_>, target: Phase) -> Vec<Report> {
    let gates = Gate::before(target);
    gates
        .into_iter()
        .map(|gate| judge(gate, facts, target))
        .collect()
}

/// Returns what must hold before a phase.
#[must_use]
pub fn conditions(facts: &Facts<'_>, target: Phase) -> Vec<Condition> {
    reports(facts, target)
        .iter()
        .map(Report::condition)
        .collect()
}

/// Asks one gate.
#[must_use]
pub fn judge(gate: Gate, facts: &Facts<'_>, target: Phase) -> Report {
    let found = match gate {
        Gate::MatrixPresent => matrix_present(facts),
        Gate::MatrixClear => of_evidence(facts, EvidenceKind::Matrix, None),
        Gate::Bind => bind(facts),
        Gate::Allowlist => allowlist(facts, target),
        Gate::Faq => of_evidence(facts, EvidenceKind::Faq, Some(FRESH)),
        Gate::Replay => of_evidence(facts, EvidenceKind::Replay, Some(FRESH)),
        Gate::Baseline => baseline(facts),
        Gate::Clean => clean_hours(facts),
        Gate::Calendar => calendar(facts),
        Gate::Blocks => Found::of(
            facts.open_blocks == 0,
            match facts.open_blocks {
                0 => "no publish block is open".to_owned(),
                open => format!("{open} publish blocks are open"),
            },
        ),
        Gate::NotRed => match facts.red {
            Known::So(red) => Found::of(
                !red,
                if red {
                    "governance is red"
                } else {
                    "governance is not red"
                },
            ),
            Known::CannotTell(why) => Found::unknown(why),
        },
        Gate::Protected => of_evidence(facts, EvidenceKind::Protected, Some(FRESH)),
        Gate::Prepared => prepared(facts),
        Gate::Rehearsed => of_evidence(facts, EvidenceKind::Rehearsal, Some(REHEARSED)),
        Gate::Unwatched => unwatched(facts),
    };
    let owner = facts.owners.iter().find(|owner| owner.gate == gate);
    let overridden = facts
        .overrides
        .iter()
        .filter(|it| gate.can_be_overridden() && it.gate == gate && it.expires > facts.now);
    Report {
        gate,
        verdict: found.verdict,
        overridden_until: overridden.map(|it| it.expires).max(),
        owner: owner.map_or_else(
            || gate.role().word().to_owned(),
            |owner| owner.person.to_owned(),
        ),
        found: found.said,
        evidence_sha256: found.sha256,
        observed_at: found.observed.unwrap_or(facts.now),
        fix: fix(gate),
    }
}

const fn fix(gate: Gate) -> &'static str {
    match gate {
        Gate::MatrixPresent => "attach it: govdeck act attach-matrix",
        Gate::MatrixClear => "mend what is red there, and attach the matrix anew",
        Gate::Bind => "register the joins of both releases, and run govdeck gate bind",
        Gate::Allowlist => {
            "register it with act register-allowlist, and let two humans approve that hash"
        }
        Gate::Faq => "run govdeck job faq-probe",
        Gate::Replay => "run govdeck job replay",
        Gate::Baseline => "wait for three scheduled weeks in a row that pass",
        Gate::Clean => "run govdeck job scan at least every hour, and mend what mismatches",
        Gate::Calendar => {
            "wait for the next maintenance window; set the calendar with act set-calendar"
        }
        Gate::Blocks => "resolve or withdraw each: govdeck block list",
        Gate::NotRed => "end red by act leave-red",
        Gate::Protected => "run govdeck job protected",
        Gate::Prepared => "wait: a consumer that runs once a week is seen within a week",
        Gate::Rehearsed => "rehearse the hour: govdeck rehearse",
        Gate::Unwatched => "wait until the other migration is closed and its watch is over",
    }
}

fn matrix_present(facts: &Facts<'_>) -> Found {
    match facts.newest(EvidenceKind::Matrix) {
        None => Found::unknown("no impact matrix is attached"),
        Some(matrix) => Found {
            sha256: Some(matrix.sha256.to_owned()),
            observed: Some(matrix.observed),
            ..Found::of(true, "an impact matrix is attached")
        },
    }
}

/// Reads evidence anew: it must be there, be of what there is now, and not be too old.
fn of_evidence(facts: &Facts<'_>, kind: EvidenceKind, most: Option<Duration>) -> Found {
    let Some(evidence) = facts.newest(kind) else {
        return Found::unknown("nothing was found out yet");
    };
    let (verdict, detail) = (evidence.verdict, evidence.detail);
    let found = if evidence.is_of_now {
        dated(facts, verdict, detail, evidence.observed, most)
    } else {
        Found::unknown(format!("what it was found of has changed since: {detail}"))
    };
    Found {
        sha256: Some(evidence.sha256.to_owned()),
        observed: Some(evidence.observed),
        ..found
    }
}

fn dated(
    facts: &Facts<'_>,
    verdict: Verdict,
    said: &str,
    observed: Moment,
    most: Option<Duration>,
) -> Found {
    let age = facts.now.since(observed);
    match most {
        Some(_) if facts.clock_is_behind => Found::unknown(BEHIND),
        Some(most) if age.to_std().unwrap_or_default() > most => Found::unknown(format!(
            "found {} ago, which is too old: {said}",
            time::span(age)
        )),
        _ => Found::new(verdict, said),
    }
}

const BEHIND: &str = "the database's clock is behind its newest entry";

fn bind(facts: &Facts<'_>) -> Found {
    let Some(proof) = facts.proof else {
        return Found::unknown("the joins of both releases were not compared");
    };
    let said = format!("{} metrics in the joins: {}", proof.metrics, proof.verdict);
    let found = if proof.is_of_now {
        dated(facts, proof.verdict, &said, proof.made, Some(FRESH))
    } else {
        Found::unknown("a join was registered since they were compared")
    };
    Found {
        sha256: Some(proof.sha256.to_owned()),
        observed: Some(proof.made),
        ..found
    }
}

fn allowlist(facts: &Facts<'_>, target: Phase) -> Found {
    let Some(list) = &facts.allowlist else {
        return Found::unknown(format!("no allow-list for {target} is registered"));
    };
    let (holds, said) = agreed(list);
    let sha256 = Some(list.sha256.to_owned());
    let found = Found::of(holds, said);
    Found { sha256, ..found }
}

/// Tells whether two who did not write an allow-list agreed on it, as it is registered, and who did.
#[must_use]
pub fn agreed(list: &Allowlist<'_>) -> (bool, String) {
    let counted: Vec<_> = list
        .approvals
        .iter()
        .filter(|it| it.counts && it.person != list.author)
        .collect();
    let holds = |role: Role| counted.iter().any(|it| it.roles.contains(&role));
    let named: Vec<&str> = counted.iter().map(|it| it.person).collect();
    let agreed = match named.as_slice() {
        [] => "approved by nobody".to_owned(),
        some => format!("approved by {}", some.join(", ")),
    };
    if counted.len() < 2 {
        let said = format!("{agreed}; two who did not write it are needed");
        return (false, said);
    }
    if list.forbidden_grew && !(holds(Role::GovernanceLead) && holds(Role::AnalyticsOwner)) {
        let said = format!("{agreed}; it forbids more keys, which takes governance and analytics");
        return (false, said);
    }
    (true, agreed)
}

fn baseline(facts: &Facts<'_>) -> Found {
    if facts.red == Known::So(true) {
        return Found::of(false, "governance is red");
    }
    if facts.series.is_empty() {
        return Found::unknown("no series is compared every week");
    }
    for series in &facts.series {
        let newest = &series.passed[series.passed.len().saturating_sub(BASELINE)..];
        if newest.len() < BASELINE {
            return Found::unknown(format!(
                "{} has {} ended weeks, {BASELINE} are needed",
                series.id,
                newest.len()
            ));
        }
        if newest.contains(&false) {
            return Found::of(
                false,
                format!(
                    "not each of the last {BASELINE} weeks of {} passed",
                    series.id
                ),
            );
        }
    }
    Found::of(
        true,
        format!("the last {BASELINE} weeks of every series passed"),
    )
}

fn clean_hours(facts: &Facts<'_>) -> Found {
    let clock = &facts.clean;
    let counted = time::clock(clock.counted);
    let Some(newest) = clock.newest else {
        return Found::unknown("nothing was scanned yet");
    };
    if facts.pairs == 0 {
        return Found::unknown("no pair of columns is registered");
    }
    if facts.clock_is_behind {
        return Found::unknown(BEHIND);
    }
    let last = clock.log.last();
    let found = if clock.is_empty {
        Found::unknown("the dictionary is empty: nothing was compared")
    } else if clock.runs {
        Found::of(
            clock.counted >= CLEAN_HOURS,
            format!("clean for {counted} of 72:00:00"),
        )
    } else if last.is_some_and(|it| !it.why.resets()) {
        Found::unknown(format!(
            "no scan for over an hour: {counted} of 72:00:00 so far"
        ))
    } else {
        let why = last.map_or("not counting", |it| it.why.word());
        Found::of(false, format!("set back: {why}"))
    };
    Found {
        observed: Some(newest),
        ..found
    }
}

fn calendar(facts: &Facts<'_>) -> Found {
    let Some(until) = known_until(&facts.calendar) else {
        return Found::unknown("no cert week is set: nobody can tell that this is none");
    };
    if facts.now >= until {
        return Found::unknown(format!(
            "the calendar is known to {} only",
            time::to_the_minute(until)
        ));
    }
    if let Some(cert) = facts.span(CalendarKind::Cert) {
        return Found::of(false, format!("inside the cert week {}", cert.title));
    }
    match facts.span(CalendarKind::Maintenance) {
        Some(window) => Found::of(
            true,
            format!(
                "inside {} until {}",
                window.title,
                time::to_the_minute(window.ends)
            ),
        ),
        None => Found::of(false, "outside of every maintenance window"),
    }
}

fn prepared(facts: &Facts<'_>) -> Found {
    if facts.clock_is_behind {
        return Found::unknown(BEHIND);
    }
    let spent = facts.now.since(facts.stand.since);
    let holds = spent.to_std().unwrap_or_default() >= PREPARED;
    Found::of(holds, format!("{} in prepare", time::span(spent)))
}

fn unwatched(facts: &Facts<'_>) -> Found {
    let watched = facts.others.iter().find(|other| match other.phase {
        Phase::DualWrite => other.closed.is_none(),
        Phase::Cutover => {
            other.closed.is_none() || other.watch_until.is_some_and(|it| it > facts.now)
        }
        Phase::Prepare | Phase::Rollback => false,
    });
    match watched {
        None => Found::of(true, "no other migration is under way or under watch"),
        Some(other) => Found::of(
            false,
            match other.watch_until {
                Some(until) => format!("{} is watched until {until}", other.migration_id),
                None => format!("{} is in {}", other.migration_id, other.phase),
            },
        ),
    }
}

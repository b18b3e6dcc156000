mod moves;

use std::time::Duration;

use super::hour::{HourStand, HourStatus, Step, StepStand, StepState};
use super::*;
use crate::clock::Moment;
use crate::rules::Verdict;

#[test]
fn gates_stand_before_the_phases_that_they_are_for() {
    use Gate::{
        Allowlist, Baseline, Bind, Blocks, Calendar, Clean, Faq, MatrixClear, MatrixPresent,
        NotRed, Prepared, Protected, Rehearsed, Replay, Unwatched,
    };
    assert_eq!(
        Gate::before(Phase::DualWrite),
        [
            MatrixPresent,
            MatrixClear,
            Bind,
            Allowlist,
            Baseline,
            Blocks,
            NotRed,
            Protected,
            Prepared,
            Unwatched
        ]
    );
    assert_eq!(
        Gate::before(Phase::Cutover),
        [
            MatrixPresent,
            Bind,
            Allowlist,
            Faq,
            Replay,
            Baseline,
            Clean,
            Calendar,
            Blocks,
            NotRed,
            Protected,
            Rehearsed
        ]
    );
    for phase in [Phase::Prepare, Phase::Rollback] {
        assert!(Gate::before(phase).is_empty());
    }
    let fixed: Vec<_> = Gate::ALL
        .iter()
        .filter(|gate| !gate.can_be_overridden())
        .collect();
    assert_eq!(fixed, [&Bind, &Allowlist, &Clean, &Blocks, &NotRed]);
}

fn at(text: &str) -> Moment {
    text.parse().expect("a moment")
}

const NOW: &str = "2026-05-26T14:30:00Z";

fn found(kind: EvidenceKind) -> Evidence<'static> {
    Evidence {
        kind,
        verdict: Verdict::Pass,
        observed: at("2026-05-26T02:00:00Z"),
        sha256: "e",
        is_of_now: true,
        detail: "found",
    }
}

fn yes(person: &'static str, roles: &[Role]) -> Approval<'static> {
    Approval {
        person,
        roles: roles.to_vec(),
        counts: true,
    }
}

fn stand(id: &'static str, phase: Phase) -> Stand<'static> {
    Stand {
        migration_id: id,
        from_semver: "2.4.0",
        to_semver: "2.4.1",
        phase,
        since: at("2026-05-14T00:00:00Z"),
        closed: None,
        watch_until: None,
    }
}

/// Everything that lets a migration pass from a phase.
pub(super) fn good(phase: Phase) -> Facts<'static> {
    Facts {
        now: at(NOW),
        clock_is_behind: false,
        stand: stand("mig-1", phase),
        owners: vec![Owner {
            gate: Gate::Faq,
            person: "finn",
        }],
        evidence: EvidenceKind::ALL.iter().map(|kind| found(*kind)).collect(),
        proof: Some(Proof {
            verdict: Verdict::Pass,
            made: at("2026-05-26T02:00:00Z"),
            sha256: "p",
            is_of_now: true,
            metrics: 3,
        }),
        allowlist: Some(Allowlist {
            sha256: "a",
            author: "max",
            forbidden_grew: true,
            approvals: vec![
                yes("lee", &[Role::GovernanceLead]),
                yes("ana", &[Role::AnalyticsOwner]),
            ],
        }),
        overrides: Vec::new(),
        series: vec![Series {
            id: "weekly",
            passed: vec![false, true, true, true],
        }],
        red: Known::So(false),
        open_blocks: 0,
        clean: Clean {
            counted: CLEAN_HOURS,
            newest: Some(at("2026-05-26T14:00:00Z")),
            runs: true,
            log: Vec::new(),
            is_empty: false,
        },
        pairs: 2,
        views_stand: true,
        calendar: vec![
            Planned {
                title: "Tuesday",
                kind: CalendarKind::Maintenance,
                starts: at("2026-05-26T14:00:00Z"),
                ends: at("2026-05-26T15:00:00Z"),
            },
            Planned {
                title: "W30",
                kind: CalendarKind::Cert,
                starts: at("2026-07-20T00:00:00Z"),
                ends: at("2026-07-27T00:00:00Z"),
            },
        ],
        others: Vec::new(),
    }
}

fn unmet(facts: &Facts<'_>, target: Phase) -> Vec<(&'static str, Verdict)> {
    let all = may_move(facts, target);
    let open = all.iter().filter(|it| it.verdict != Verdict::Pass);
    open.map(|it| (it.id, it.verdict)).collect()
}

type Spoil = fn(&mut Facts<'_>);

fn spoil_evidence(facts: &mut Facts<'_>, kind: EvidenceKind, spoil: fn(&mut Evidence<'_>)) {
    let mut all = facts.evidence.iter_mut();
    spoil(all.find(|it| it.kind == kind).expect("it is there"));
}

#[test]
fn each_gate_fails_alone_and_names_itself() {
    use Verdict::{CannotTell, Fail};
    assert_eq!(unmet(&good(Phase::Prepare), Phase::DualWrite), []);
    assert_eq!(unmet(&good(Phase::DualWrite), Phase::Cutover), []);
    let cases: &[(&'static str, Verdict, Spoil)] = &[
        ("G1", CannotTell, |it| it.proof = None),
        ("G1", Fail, |it| {
            it.proof.as_mut().expect("there").verdict = Verdict::Fail;
        }),
        ("G1", CannotTell, |it| {
            it.proof.as_mut().expect("there").is_of_now = false;
        }),
        ("G1", CannotTell, |it| {
            it.proof.as_mut().expect("there").made = at("2026-05-25T14:29:59Z");
        }),
        ("G2", CannotTell, |it| it.allowlist = None),
        ("G2", Fail, |it| {
            drop(it.allowlist.as_mut().expect("there").approvals.pop());
        }),
        ("G2", Fail, |it| {
            it.allowlist.as_mut().expect("there").author = "lee";
        }),
        ("G2", Fail, |it| {
            it.allowlist.as_mut().expect("there").approvals[0].counts = false;
        }),
        ("G2", Fail, |it| {
            it.allowlist.as_mut().expect("there").approvals[0]
                .roles
                .clear();
        }),
        ("G5", CannotTell, |it| it.series.clear()),
        ("G5", CannotTell, |it| it.series[0].passed.truncate(2)),
        ("G5", Fail, |it| {
            *it.series[0].passed.last_mut().expect("there") = false;
        }),
        ("D3", Fail, |it| it.open_blocks = 1),
        ("D4", CannotTell, |it| {
            it.red = Known::CannotTell("nobody looks");
        }),
        ("pairs", Fail, |it| it.pairs = 0),
        ("expanded", Fail, |it| it.views_stand = false),
        ("D5", CannotTell, |it| {
            it.evidence.retain(|it| it.kind != EvidenceKind::Protected);
        }),
        ("D5", Fail, |it| {
            spoil_evidence(it, EvidenceKind::Protected, |it| it.verdict = Verdict::Fail);
        }),
    ];
    for (id, verdict, spoil) in cases {
        for phase in [Phase::Prepare, Phase::DualWrite] {
            let mut facts = good(phase);
            spoil(&mut facts);
            let target = phase.next().expect("it goes on");
            let mut open = unmet(&facts, target);
            // Without pairs there is nothing to be clean either.
            open.retain(|(open, _)| *id != "pairs" || *open == "pairs");
            assert_eq!(open, [(*id, *verdict)], "{phase}");
        }
    }
}

#[test]
fn gates_of_one_phase_fail_alone_too() {
    use Verdict::{CannotTell, Fail};
    let before_dual_write: &[(&'static str, Verdict, Spoil)] = &[
        ("G0b", Fail, |it| {
            spoil_evidence(it, EvidenceKind::Matrix, |it| it.verdict = Verdict::Fail);
        }),
        ("D6", Fail, |it| it.stand.since = at("2026-05-19T14:30:01Z")),
        ("D8", Fail, |it| {
            it.others.push(Stand {
                closed: Some(at("2026-05-20T00:00:00Z")),
                watch_until: Some(at("2026-05-27T00:00:00Z")),
                ..stand("mig-0", Phase::Cutover)
            });
        }),
    ];
    let before_cutover: &[(&'static str, Verdict, Spoil)] = &[
        ("G3", CannotTell, |it| {
            spoil_evidence(it, EvidenceKind::Faq, |it| it.is_of_now = false);
        }),
        ("G3", CannotTell, |it| {
            spoil_evidence(it, EvidenceKind::Faq, |it| {
                it.observed = at("2026-05-25T14:29:59Z");
            });
        }),
        ("G4", Fail, |it| {
            spoil_evidence(it, EvidenceKind::Replay, |it| it.verdict = Verdict::Fail);
        }),
        ("D7", CannotTell, |it| {
            spoil_evidence(it, EvidenceKind::Rehearsal, |it| {
                it.observed = at("2026-05-19T14:29:59Z");
            });
        }),
        ("D1", Fail, |it| {
            it.clean.counted = CLEAN_HOURS.saturating_sub(Duration::from_secs(1));
        }),
        ("D1", CannotTell, |it| it.clean.newest = None),
        ("D1", CannotTell, |it| it.clean.is_empty = true),
        ("D1", CannotTell, |it| {
            it.clean.runs = false;
            it.clean.log.push(Interruption {
                at: at(NOW),
                why: Why::Gap,
                counted_micros: 0,
            });
        }),
        ("D1", Fail, |it| {
            it.clean.runs = false;
            it.clean.log.push(Interruption {
                at: at(NOW),
                why: Why::Mismatch,
                counted_micros: 0,
            });
        }),
        ("D2", CannotTell, |it| it.calendar.truncate(1)),
        ("D2", Fail, |it| {
            it.calendar.retain(|it| it.kind == CalendarKind::Cert);
        }),
        ("D2", Fail, |it| {
            it.calendar[1].starts = at("2026-05-20T00:00:00Z");
        }),
    ];
    for (phase, cases) in [
        (Phase::Prepare, before_dual_write),
        (Phase::DualWrite, before_cutover),
    ] {
        for (id, verdict, spoil) in cases {
            let mut facts = good(phase);
            spoil(&mut facts);
            let target = phase.next().expect("it goes on");
            assert_eq!(unmet(&facts, target), [(*id, *verdict)], "{phase}");
        }
    }
    // Red stops the baseline as well, and a matrix that is missing both of its gates.
    let mut red = good(Phase::Prepare);
    red.red = Known::So(true);
    assert_eq!(unmet(&red, Phase::DualWrite), [("G5", Fail), ("D4", Fail)]);
    let mut bare = good(Phase::Prepare);
    bare.evidence.retain(|it| it.kind != EvidenceKind::Matrix);
    let open = unmet(&bare, Phase::DualWrite);
    assert_eq!(open, [("G0a", CannotTell), ("G0b", CannotTell)]);
    // A clock that was turned back counts no time.
    let mut behind = good(Phase::DualWrite);
    behind.clock_is_behind = true;
    let ids: Vec<_> = unmet(&behind, Phase::Cutover)
        .iter()
        .map(|(id, _)| *id)
        .collect();
    assert_eq!(ids, ["G1", "G3", "G4", "D1", "D5", "D7"]);
}

/// An hour whose first steps are done, and whose next one is in a state.
pub(super) fn hour(done: usize, state: StepState) -> HourStand<'static> {
    let steps = Step::ALL.iter().zip(0..).map(|(step, place)| {
        let state = match usize::cmp(&place, &done) {
            std::cmp::Ordering::Less => StepState::Done,
            std::cmp::Ordering::Equal => state,
            std::cmp::Ordering::Greater => StepState::NotStarted,
        };
        let is_begun = state != StepState::NotStarted;
        StepStand {
            step: *step,
            state,
            attempt: i64::from(is_begun),
            owner: is_begun.then_some("maya"),
            began: is_begun.then(|| at("2026-05-26T14:00:00Z")),
            ended: state.lets_go_on().then(|| at("2026-05-26T14:05:00Z")),
        }
    });
    HourStand {
        number: 1,
        status: HourStatus::Running,
        lead: "maya",
        steps: steps.collect(),
    }
}

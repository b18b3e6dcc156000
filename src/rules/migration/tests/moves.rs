use std::time::Duration;

use super::super::hour::StepState;
use super::super::*;
use super::{NOW, at, good, hour, stand, unmet};
use crate::rules::{Condition, Verdict};

#[test]
fn every_other_move_is_refused() {
    let closed = |phase, watch: Option<&str>| Stand {
        closed: Some(at("2026-05-20T00:00:00Z")),
        watch_until: watch.map(at),
        ..stand("mig-1", phase)
    };
    let places = [
        (stand("mig-1", Phase::Prepare), "prepare"),
        (stand("mig-1", Phase::DualWrite), "dual_write"),
        (stand("mig-1", Phase::Cutover), "cutover"),
        (
            closed(Phase::Cutover, Some("2026-05-27T00:00:00Z")),
            "watched",
        ),
        (
            closed(Phase::Cutover, Some("2026-05-26T00:00:00Z")),
            "closed",
        ),
        (closed(Phase::Rollback, None), "rollback"),
    ];
    let hour = hour(5, StepState::NotStarted);
    for (place, name) in places {
        // What lies behind is refused for that alone.
        let asked = |target| {
            let mut facts = good(Phase::Prepare);
            facts.stand = place;
            may_move(&facts, target).len()
        };
        assert_eq!(asked(Phase::DualWrite) == 1, name != "prepare", "{name}");
        let is_ahead = ["prepare", "dual_write"].contains(&name);
        assert_eq!(asked(Phase::Cutover) == 1, !is_ahead, "{name}");
        let mut facts = good(Phase::Prepare);
        facts.stand = place;
        let open = |conditions: &[Condition], id: &str| {
            conditions
                .iter()
                .any(|it| it.id == id && it.verdict == Verdict::Pass)
        };
        assert_eq!(
            open(&may_move(&facts, Phase::DualWrite), "phase"),
            name == "prepare",
            "{name}"
        );
        assert_eq!(
            open(&may_move(&facts, Phase::Cutover), "phase"),
            name == "dual_write",
            "{name}"
        );
        let closing = Closing {
            open_series: &[],
            series: 1,
            watch_until: Some(at("2026-06-09T00:00:00Z")),
            flipped_by: "lee",
            closes: "maya",
            hour: Some(&hour),
            annex: Some(("annex-3", "1.2.0")),
            footer: Some("1.2.0"),
            allowlist: Some("a"),
        };
        assert_eq!(
            open(&may_close(&facts, &closing), "phase"),
            name == "cutover",
            "{name}"
        );
        for reason in RollbackReason::ALL {
            let measured = matches!(
                reason,
                RollbackReason::EpsilonHard | RollbackReason::EpsilonSoftTwice
            );
            for by_person in [true, false] {
                let back = may_roll_back(
                    &facts,
                    RollBack {
                        reason: *reason,
                        by_person,
                    },
                );
                let stands = ["dual_write", "cutover", "watched"].contains(&name);
                assert_eq!(open(&back, "can_be_taken_back"), stands, "{name}");
                assert_eq!(open(&back, "reason"), measured != by_person, "{reason}");
            }
        }
    }
    let mut two = good(Phase::Prepare);
    two.others.push(stand("mig-2", Phase::Cutover));
    let open = unmet(&two, Phase::DualWrite);
    assert_eq!(
        open,
        [("one_at_a_time", Verdict::Fail), ("D8", Verdict::Fail)]
    );
}

#[test]
fn a_migration_is_closed_by_another_after_every_series_was_compared() {
    let facts = good(Phase::Cutover);
    let compared = hour(5, StepState::NotStarted);
    let good = Closing {
        open_series: &[],
        series: 1,
        watch_until: Some(at("2026-06-09T00:00:00Z")),
        flipped_by: "lee",
        closes: "maya",
        hour: Some(&compared),
        annex: Some(("annex-3", "1.2.0")),
        footer: Some("1.2.0"),
        allowlist: Some("a"),
    };
    let open = |closing: Closing<'_>| {
        let all = may_close(&facts, &closing);
        let open: Vec<_> = all
            .iter()
            .filter(|it| it.verdict != Verdict::Pass)
            .map(|it| it.id)
            .collect();
        open
    };
    assert!(open(good).is_empty());
    assert_eq!(
        open(Closing {
            open_series: &["weekly"],
            ..good
        }),
        ["immediate_run"]
    );
    assert_eq!(open(Closing { series: 0, ..good }), ["immediate_run"]);
    assert_eq!(
        open(Closing {
            closes: "lee",
            ..good
        }),
        ["another_closes"]
    );
    assert_eq!(
        open(Closing {
            watch_until: None,
            ..good
        }),
        ["watch"]
    );
    assert_eq!(
        open(Closing {
            allowlist: None,
            ..good
        }),
        ["allowlist"]
    );
    for (annex, footer) in [
        (None, Some("1.2.0")),
        (Some(("annex-3", "1.2.0")), None),
        (Some(("annex-3", "1.1.0")), Some("1.2.0")),
    ] {
        let closing = Closing {
            annex,
            footer,
            ..good
        };
        assert_eq!(open(closing), ["lockstep"]);
    }
    let earlier = hour(4, StepState::Running);
    for hour in [None, Some(&earlier)] {
        assert_eq!(open(Closing { hour, ..good }), ["in_the_hour"]);
    }
}

#[test]
fn what_may_be_opened_raises_within_a_major_version() {
    let open = |from, to, standing, unknown: &[&str]| {
        let all = may_open(&Opening {
            is_new: true,
            from,
            to,
            standing,
            unknown,
        });
        let open: Vec<_> = all
            .iter()
            .filter(|it| it.verdict != Verdict::Pass)
            .map(|it| it.id)
            .collect();
        open
    };
    let ok = Some([2, 4, 0]);
    for (to, raises) in [
        ([2, 4, 1], true),
        ([2, 5, 0], true),
        ([2, 4, 0], false),
        ([2, 3, 9], false),
        ([3, 0, 0], false),
    ] {
        assert_eq!(open(ok, Some(to), None, &[]).is_empty(), raises, "{to:?}");
    }
    assert_eq!(open(None, ok, None, &[]), ["raises_minor_or_patch"]);
    assert_eq!(open(ok, None, None, &[]), ["raises_minor_or_patch"]);
    assert_eq!(
        open(ok, Some([2, 4, 1]), Some("mig-0"), &["MET-9"]),
        ["attempts_end", "protected_known"]
    );
}

#[test]
fn an_override_is_for_an_open_gate_of_the_next_phase_and_ends() {
    let mut facts = good(Phase::DualWrite);
    facts.evidence.retain(|it| it.kind != EvidenceKind::Faq);
    facts.open_blocks = 1;
    let open = |gate, expires: &str| {
        let all = may_override(&facts, gate, at(expires));
        let open: Vec<_> = all
            .iter()
            .filter(|it| it.verdict != Verdict::Pass)
            .map(|it| it.id)
            .collect();
        open
    };
    assert!(open(Gate::Faq, "2026-05-26T15:30:00Z").is_empty());
    assert_eq!(open(Gate::Faq, NOW), ["expires"]);
    assert_eq!(open(Gate::Faq, "2026-06-02T14:30:01Z"), ["expires"]);
    assert_eq!(
        open(Gate::Blocks, "2026-05-26T15:30:00Z"),
        ["can_be_overridden"]
    );
    assert_eq!(
        open(Gate::Replay, "2026-05-26T15:30:00Z"),
        ["does_not_hold"]
    );
    assert_eq!(
        open(Gate::MatrixClear, "2026-05-26T15:30:00Z"),
        ["is_before_it", "does_not_hold"]
    );
    // It lets the gate pass while it lasts, and only such a gate.
    let by = |gate, expires: &str| Override {
        gate,
        expires: at(expires),
        by: ("lee", "kim"),
    };
    facts.overrides = vec![
        by(Gate::Faq, "2026-05-26T15:30:00Z"),
        by(Gate::Blocks, "2026-05-26T15:30:00Z"),
    ];
    assert_eq!(unmet(&facts, Phase::Cutover), [("D3", Verdict::Fail)]);
    facts.overrides[0].expires = at(NOW);
    assert_eq!(unmet(&facts, Phase::Cutover).len(), 2);
}

#[test]
fn the_earliest_move_waits_for_the_last_clock_and_a_window() {
    let mut facts = good(Phase::DualWrite);
    let told = earliest(&facts).expect("it goes on");
    assert_eq!(
        (told.at, told.path.len(), told.work.len()),
        (Some(at(NOW)), 0, 0)
    );
    facts.clean.counted = Duration::from_hours(48);
    let told = earliest(&facts).expect("it goes on");
    assert_eq!(
        (told.at, told.path),
        (None, vec![Gate::Calendar, Gate::Clean])
    );
    facts.calendar.push(Planned {
        title: "next Tuesday",
        kind: CalendarKind::Maintenance,
        starts: at("2026-06-02T14:00:00Z"),
        ends: at("2026-06-02T15:00:00Z"),
    });
    facts.evidence.retain(|it| it.kind != EvidenceKind::Faq);
    let told = earliest(&facts).expect("it goes on");
    assert_eq!(told.at, Some(at("2026-06-02T14:00:00Z")));
    assert_eq!(
        (told.path, told.work),
        (vec![Gate::Calendar, Gate::Clean], vec![Gate::Faq])
    );
    facts.clean.runs = false;
    facts.clean.counted = Duration::ZERO;
    let told = earliest(&facts).expect("it goes on");
    assert!(told.path.contains(&Gate::Clean) && told.work.contains(&Gate::Clean));
    assert!(
        told.at
            .is_some_and(|moment| moment >= at(NOW).plus(CLEAN_HOURS))
    );
    let mut prepared = good(Phase::Prepare);
    prepared.stand.since = at("2026-05-20T00:00:00Z");
    let told = earliest(&prepared).expect("it goes on");
    assert_eq!(
        (told.at, told.path),
        (Some(at("2026-05-27T00:00:00Z")), vec![Gate::Prepared])
    );
    assert_eq!(earliest(&good(Phase::Cutover)), None);
}

#[test]
fn names_of_columns_are_bytes_and_each_is_there_once() {
    let exact = "x".repeat(56);
    let long = "x".repeat(57);
    for (name, fits) in [
        ("breach_count", true),
        ("route.ownerRouteId", true),
        ("a\"b", true),
        ("select", true),
        (&*exact, true),
        (&*long, false),
        ("", false),
        ("a\nb", false),
        ("ü", true),
    ] {
        assert_eq!(identifier_fault(name).is_none(), fits, "{name}");
    }
    let faults = |pairs: &[(&str, &str)], others: &[&str]| {
        let found = faults_of_pairs(pairs, others);
        found.into_iter().map(|it| it.name).collect::<Vec<_>>()
    };
    assert!(
        faults(
            &[("breach_count", "breachCount"), ("a", "b")],
            &["owning_squad"]
        )
        .is_empty()
    );
    assert_eq!(faults(&[("a", "A")], &[]), ["A"]);
    assert_eq!(faults(&[("a", "b"), ("c", "B")], &[]), ["B"]);
    assert_eq!(faults(&[("a", "b")], &["B"]), ["b"]);
    assert_eq!(
        faults(&[("a", "x"), ("A", "y")], &[]),
        ["A", "A_legacy", "A_modern"]
    );
}

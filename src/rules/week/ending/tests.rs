use super::*;
use crate::rules::Verdict;

fn unmet(conditions: &[Condition]) -> Vec<&'static str> {
    let open = conditions
        .iter()
        .filter(|condition| condition.verdict != Verdict::Pass);
    open.map(|condition| condition.id).collect()
}

#[test]
fn only_the_first_pass_is_declared_the_first_and_only_once() {
    for kind in RunKind::ALL {
        for status in RunStatus::ALL {
            for ended in 0..3 {
                for declared in [None, Some("jr-1")] {
                    let found = unmet(&may_declare(*kind, *status, ended, declared));
                    let first =
                        *kind == RunKind::Scheduled && *status == RunStatus::Pass && ended == 1;
                    assert_eq!(found.contains(&"first_pass"), !first);
                    assert_eq!(found.contains(&"not_declared"), declared.is_some());
                }
            }
        }
    }
}

#[test]
fn evidence_is_attached_to_what_ended_without_a_pass() {
    for status in RunStatus::ALL {
        let found = unmet(&may_attach(RunKind::Scheduled, *status, true));
        let may = status.is_final() && *status != RunStatus::Pass;
        assert_eq!(found.is_empty(), may, "{status}");
    }
    let drill = may_attach(RunKind::Drill, RunStatus::Fail, true);
    assert_eq!(unmet(&drill), ["did_not_pass"]);
    let taken = may_attach(RunKind::Scheduled, RunStatus::Fail, false);
    assert_eq!(unmet(&taken), ["new_id"]);
}

#[test]
fn red_is_left_acknowledged_passed_and_with_evidence() {
    let incident = Incident {
        incident_id: "inc-1",
        acknowledged_by: Some("maya"),
        is_closed: false,
        addendum_demanded: true,
    };
    let passed = Some(("jr-4", RunStatus::Pass));
    let all = may_leave_red(&incident, passed, &["rem-1"], &[], true);
    assert_eq!(unmet(&all), [""; 0]);
    let none = Incident {
        acknowledged_by: None,
        is_closed: true,
        ..incident
    };
    let failed = Some(("jr-4", RunStatus::Fail));
    assert_eq!(
        unmet(&may_leave_red(&none, failed, &[], &[], false)),
        [
            "open",
            "acknowledged",
            "newest_passed",
            "evidence",
            "addendum"
        ]
    );
    let unknown = may_leave_red(&incident, None, &["rem-9"], &["rem-9"], true);
    assert_eq!(unmet(&unknown), ["newest_passed", "evidence"]);
    let undemanded = Incident {
        addendum_demanded: false,
        ..incident
    };
    let without = may_leave_red(&undemanded, passed, &["rem-1"], &[], false);
    assert_eq!(unmet(&without), [""; 0]);
}

#[test]
fn a_packet_is_for_the_newest_run_with_numbers_that_is_not_green() {
    for status in RunStatus::ALL {
        for state in State::ALL {
            for newest in [false, true] {
                let found = may_override(RunKind::Scheduled, *status, newest, *state, None, true);
                let may = status.has_compared() && *state != State::Green && newest;
                assert_eq!(unmet(&found).is_empty(), may, "{status} {state} {newest}");
            }
        }
    }
    let second = may_override(
        RunKind::Scheduled,
        RunStatus::Fail,
        true,
        State::Amber,
        Some("aud-1"),
        false,
    );
    assert_eq!(unmet(&second), ["none_yet", "new_id"]);
}

#[test]
fn an_annex_lets_out_only_what_had_passed_before_red_began() {
    let moment = |text: &str| text.parse::<Moment>().expect("a moment");
    let red = moment("2026-05-20T10:00:00Z");
    let now = moment("2026-05-20T12:00:00Z");
    for (status, drill, decided, wrong) in [
        (
            Some(SnapshotStatus::GatePassed),
            false,
            "2026-05-20T09:59:59Z",
            false,
        ),
        (
            Some(SnapshotStatus::GatePassed),
            false,
            "2026-05-20T10:00:00Z",
            true,
        ),
        (
            Some(SnapshotStatus::GatePassed),
            true,
            "2026-05-20T09:00:00Z",
            true,
        ),
        (
            Some(SnapshotStatus::Blocked),
            false,
            "2026-05-20T09:00:00Z",
            true,
        ),
        (None, false, "2026-05-20T09:00:00Z", true),
    ] {
        let annexed = Annexed {
            publish_run_id: "pub-1",
            status,
            is_drill: drill,
            decided_at: Some(moment(decided)),
            red_since: Some(red),
        };
        let found = may_annex(&annexed, true, now.plus_minutes(60), now);
        assert_eq!(
            unmet(&found).contains(&"passed_before_red"),
            wrong,
            "{decided}"
        );
        let late = may_annex(&annexed, true, now.plus_minutes(7 * 24 * 60 + 1), now);
        assert!(unmet(&late).contains(&"expires_soon"));
        let calm = Annexed {
            red_since: None,
            ..annexed
        };
        let found = may_annex(&calm, true, now.plus_minutes(60), now);
        assert!(unmet(&found).contains(&"red"));
    }
}

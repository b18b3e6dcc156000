//! Every way to end a block, and every way not to.

use super::*;
use crate::rules::Verdict;
use crate::rules::block::AuditStatus;
use crate::rules::people::{Attestation, PersonKind};

fn at(text: &str) -> Moment {
    format!("2026-05-14T{text}Z").parse().expect("a moment")
}

fn actor(id: &str, roles: &[Role]) -> Actor {
    Actor {
        person_id: id.into(),
        kind: PersonKind::Human,
        roles: roles.iter().copied().collect(),
        attestation: Attestation::Login,
    }
}

fn standing(status: AuditStatus, taken_by: Option<&'static str>) -> Standing<'static> {
    Standing {
        status,
        owner: Some("lee"),
        backup: Some("maya"),
        taken_by,
        escalated_by: None,
    }
}

fn block(status: AuditStatus, reason: BlockReason) -> Ending<'static> {
    Ending {
        run: "pub-1",
        standing: standing(status, None),
        reason: Some(reason),
        scope: "sla/partners",
        drill: false,
        minted_at: at("02:00:00"),
        publish_tuple_hash: Some(HASH),
    }
}

const HASH: &str = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945";

fn replacement(registered: &[String]) -> Replacement<'_> {
    Replacement {
        run: "pub-2",
        status: Some(SnapshotStatus::GatePassed),
        scope: "sla/partners",
        drill: false,
        facts: Some(GateFacts {
            publish_tuple_hash: Some(HASH),
            source_tuple_hash: Some(HASH),
            footer_schema_semver: Some("v2.4.0"),
            registered_semvers: registered,
            minted_at: at("03:00:00"),
            source_observed_at: Some(at("03:00:05")),
            // Long after: how old the source is by now does not count.
            now: at("09:00:00"),
        }),
    }
}

fn unmet(conditions: &[Condition]) -> Vec<&'static str> {
    let open = |condition: &&Condition| condition.verdict != Verdict::Pass;
    conditions
        .iter()
        .filter(open)
        .map(|condition| condition.id)
        .collect()
}

#[test]
fn a_later_passing_run_of_the_same_scope_resolves() {
    let current = ["v2.4.0".to_owned()];
    let newer = ["v2.5.0".to_owned()];
    let open = block(AuditStatus::Blocked, BlockReason::TupleDrift);
    let good = replacement(&current);
    let lee = actor("lee", &[]);
    assert_eq!(unmet(&may_resolve(&open, &good, &lee)), [""; 0]);
    let facts = good.facts.expect("facts");
    for (by, missing) in [
        (
            Replacement {
                run: "pub-1",
                ..good
            },
            &["another_run"][..],
        ),
        (
            Replacement {
                status: Some(SnapshotStatus::Blocked),
                ..good
            },
            &["passed"],
        ),
        (
            Replacement {
                status: Some(SnapshotStatus::PendingGate),
                ..good
            },
            &["passed"],
        ),
        (
            Replacement {
                scope: "sla/board",
                ..good
            },
            &["same_scope"],
        ),
        (
            Replacement {
                drill: true,
                ..good
            },
            &["same_scope"],
        ),
        (
            Replacement {
                status: None,
                facts: None,
                ..good
            },
            &["passed", "later", "would_pass_now"],
        ),
        (
            Replacement {
                facts: Some(GateFacts {
                    minted_at: at("02:00:00"),
                    ..facts
                }),
                ..good
            },
            &["later"],
        ),
        (
            Replacement {
                facts: Some(GateFacts {
                    registered_semvers: &newer,
                    ..facts
                }),
                ..good
            },
            &["would_pass_now"],
        ),
        (
            Replacement {
                facts: Some(GateFacts {
                    registered_semvers: &[],
                    ..facts
                }),
                ..good
            },
            &["would_pass_now"],
        ),
    ] {
        assert_eq!(unmet(&may_resolve(&open, &by, &lee)), missing, "{by:?}");
    }
}

#[test]
fn only_two_reasons_are_withdrawn_and_only_by_the_same_hash() {
    let right: Digest = HASH.parse().expect("a hash");
    let wrong = Digest::of(b"edited");
    let lee = actor("lee", &[]);
    for reason in BlockReason::ALL {
        let can_be = matches!(
            reason,
            BlockReason::TupleDrift | BlockReason::MissingSourceHash
        );
        let open = block(AuditStatus::Blocked, *reason);
        let mut missing = Vec::new();
        if !can_be {
            missing.push("can_be_withdrawn");
        }
        assert_eq!(unmet(&may_withdraw(&open, right, &lee)), missing);
        missing.push("source_restored");
        assert_eq!(unmet(&may_withdraw(&open, wrong, &lee)), missing);
    }
    let without = Ending {
        publish_tuple_hash: None,
        ..block(AuditStatus::Blocked, BlockReason::TupleDrift)
    };
    assert_eq!(
        unmet(&may_withdraw(&without, right, &lee)),
        ["source_restored"]
    );
}

#[test]
fn an_ended_block_stays_ended_and_a_stranger_ends_none() {
    let current = ["v2.4.0".to_owned()];
    for status in AuditStatus::ALL {
        let open = *status == AuditStatus::Blocked;
        let ending = block(*status, BlockReason::TupleDrift);
        for (who, roles, may) in [
            ("lee", &[][..], true),
            ("maya", &[], true),
            ("ann", &[Role::GovernanceLead], true),
            ("ann", &[Role::OnCall, Role::Signer], false),
            ("ann", &[], false),
        ] {
            let actor = actor(who, roles);
            let right: Digest = HASH.parse().expect("a hash");
            let resolved = unmet(&may_resolve(&ending, &replacement(&current), &actor));
            let withdrawn = unmet(&may_withdraw(&ending, right, &actor));
            assert_eq!(resolved.is_empty(), open && may, "{status} {who}");
            assert_eq!(withdrawn.is_empty(), open && may, "{status} {who}");
        }
    }
}

#[test]
fn notes_are_for_taken_blocks_and_reassigning_for_others() {
    for (taken_by, who, roles, may_note_it, may_give) in [
        (None, "lee", &[][..], false, true),
        (None, "maya", &[], false, false),
        (None, "ann", &[Role::GovernanceLead], false, true),
        (Some("maya"), "maya", &[], true, false),
        (Some("maya"), "lee", &[], true, false),
        (Some("maya"), "ann", &[Role::GovernanceLead], false, false),
    ] {
        let standing = standing(AuditStatus::Blocked, taken_by);
        let actor = actor(who, roles);
        assert_eq!(
            unmet(&may_note(&standing, &actor)).is_empty(),
            may_note_it,
            "{taken_by:?} {who}"
        );
        let given = unmet(&may_reassign(&standing, "kim", true, &actor));
        assert_eq!(given.is_empty(), may_give, "{taken_by:?} {who}");
    }
    let open = standing(AuditStatus::Blocked, None);
    let lee = actor("lee", &[]);
    for (to, active, may) in [
        ("kim", true, true),
        ("kim", false, false),
        ("lee", true, false),
        ("maya", true, false),
    ] {
        assert_eq!(
            unmet(&may_reassign(&open, to, active, &lee)).is_empty(),
            may,
            "{to}"
        );
    }
}

#[test]
fn a_taken_block_is_stale_after_as_long_as_its_first_response_may_take() {
    let taken = at("02:00:00");
    assert!(!is_stale(taken, 30, at("02:30:00")));
    assert!(is_stale(taken, 30, at("02:30:00.000001")));
    assert!(!is_stale(taken, 30, at("01:00:00")));
}

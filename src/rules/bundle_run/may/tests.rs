use super::*;
use crate::rules::Verdict;
use crate::rules::bundle::RunType;
use crate::rules::bundle_run::Planned;
use crate::rules::people::Attestation;

const P: &str = "p";

fn unmet(conditions: &[Condition]) -> Vec<&'static str> {
    let open = conditions.iter().filter(|it| it.verdict != Verdict::Pass);
    open.map(|condition| condition.id).collect()
}

fn actor(person_id: &str, kind: PersonKind) -> Actor {
    Actor {
        person_id: person_id.to_owned(),
        kind,
        roles: std::collections::BTreeSet::new(),
        attestation: Attestation::Login,
    }
}

fn facts<'a>(status: BundleStatus, plans: &'a [Planned<'a>], runs: &'a [Ran<'a>]) -> Facts<'a> {
    Facts {
        status,
        plans,
        runs,
        requires_rollback: true,
        has_rollback: true,
        reference: None,
        touches_dictionary: false,
    }
}

fn ran(run_id: &'static str, run_type: RunType, tier: Tier, outcome: RunOutcome) -> Ran<'static> {
    Ran {
        run_id,
        run_type,
        tier: Some(tier),
        outcome,
        plan_hash: Some(P),
        approval_id: (run_type == RunType::Migration).then_some("a1"),
        undoes: (run_type == RunType::Rollback).then_some("m1"),
    }
}

fn approval(run_id: &'static str, tier: Tier, plan_hash: &'static str) -> Ran<'static> {
    Ran {
        plan_hash: Some(plan_hash),
        ..ran(run_id, RunType::Approval, tier, RunOutcome::Applied)
    }
}

fn plans(plan_hash: &'static str) -> [Planned<'static>; 3] {
    [Tier::Dev, Tier::Stage, Tier::Prod].map(|tier| Planned {
        tier,
        plan_hash,
        led_back: true,
    })
}

#[test]
fn what_must_lead_back_is_neither_approved_nor_claimed_before_it_did() {
    let plans = plans(P).map(|plan| Planned {
        led_back: plan.tier == Tier::Stage,
        ..plan
    });
    let runs = [approval("a1", Tier::Dev, P)];
    let strict = facts(BundleStatus::Merged, &plans, &runs);
    assert_eq!(unmet(&may_claim(&strict, Tier::Dev, P)), ["way_back_ran"]);
    let unasked = Facts {
        runs: &[],
        ..strict
    };
    let approve = |facts: &Facts<'_>, tier| unmet(&may_approve(facts, tier, P, P));
    assert_eq!(approve(&unasked, Tier::Dev), ["way_back_ran"]);
    assert!(approve(&unasked, Tier::Stage).is_empty());
    let irreversible = Facts {
        requires_rollback: false,
        reference: Some("CHG-1"),
        ..strict
    };
    assert!(unmet(&may_claim(&irreversible, Tier::Dev, P)).is_empty());
}

#[test]
fn each_status_lets_each_move_in_its_tier_and_no_other() {
    let plans = plans(P);
    for status in BundleStatus::ALL {
        assert_eq!(
            unmet(&may_merge(&facts(*status, &plans, &[]))).is_empty(),
            *status == BundleStatus::Approved
        );
        for tier in Tier::ALL {
            let facts = facts(*status, &plans, &[]);
            let approve = unmet(&may_approve(&facts, *tier, P, P));
            assert_eq!(approve.is_empty(), status.is_open(), "{status} {tier}");
            let runs = [approval("a1", *tier, P)];
            let claim = may_claim(
                &Facts {
                    runs: &runs,
                    ..facts
                },
                *tier,
                P,
            );
            let is_turn = status.next_tier() == Some(*tier);
            assert_eq!(unmet(&claim).is_empty(), is_turn, "{status} {tier}");
        }
        let found = |successor: Option<BundleStatus>, is_later| {
            let successor = Successor {
                migration_id: "B",
                status: successor,
                is_later,
            };
            unmet(&may_supersede(&facts(*status, &[], &[]), &successor))
        };
        for other in BundleStatus::ALL {
            let is_fit = *other >= BundleStatus::Merged && *other != BundleStatus::Superseded;
            let may = is_fit && *status != BundleStatus::Superseded;
            assert_eq!(
                found(Some(*other), true).is_empty(),
                may,
                "{status} {other}"
            );
        }
        assert!(found(None, true).contains(&"successor"));
        assert!(found(Some(BundleStatus::Merged), false).contains(&"successor"));
    }
}

#[test]
fn an_approval_serves_one_claim_of_its_very_plan() {
    let other = plans("q");
    let plans = plans(P);
    let merged = |runs: &[Ran<'_>], plans: &[Planned<'_>], found: &str| {
        unmet(&may_claim(
            &facts(BundleStatus::Merged, plans, runs),
            Tier::Dev,
            found,
        ))
    };
    let waits = [approval("a1", Tier::Dev, P)];
    assert!(merged(&waits, &plans, P).is_empty());
    assert_eq!(merged(&[], &plans, P), ["approval", "plan_unchanged"]);
    assert_eq!(merged(&waits, &plans, "q"), ["plan_unchanged"]);
    assert_eq!(merged(&waits, &other, "q"), ["plan_unchanged"]);
    assert_eq!(
        merged(&[approval("a1", Tier::Prod, P)], &plans, P),
        ["approval", "plan_unchanged"]
    );
    for outcome in RunOutcome::ALL {
        let used = [waits[0], ran("m1", RunType::Migration, Tier::Dev, *outcome)];
        let open = merged(&used, &plans, P);
        assert!(open.contains(&"approval"), "{outcome}: {open:?}");
        let anew = [used[0], used[1], approval("a2", Tier::Dev, P)];
        let blocked = match outcome {
            RunOutcome::Running => vec!["nothing_runs"],
            RunOutcome::RollbackFailed => vec!["no_rollback_failed"],
            _ => Vec::new(),
        };
        assert_eq!(merged(&anew, &plans, P), blocked, "{outcome}");
    }
}

#[test]
fn a_plan_is_approved_as_it_is_registered_and_once() {
    let (plans, other) = (plans(P), plans("q"));
    let waits = [approval("a1", Tier::Dev, P)];
    let found = |plans: &[Planned<'_>], runs: &[Ran<'_>]| {
        unmet(&may_approve(
            &facts(BundleStatus::Draft, plans, runs),
            Tier::Dev,
            P,
            P,
        ))
    };
    assert!(found(&plans, &[]).is_empty());
    assert_eq!(found(&[], &[]), ["plan", "way_back_ran"]);
    assert_eq!(found(&other, &[]), ["plan"]);
    // Of files that were registered anew since.
    let anew = may_approve(&facts(BundleStatus::Draft, &plans, &[]), Tier::Dev, P, "q");
    assert_eq!(unmet(&anew), ["plan"]);
    assert_eq!(found(&plans, &waits), ["not_approved"]);
    // One that is bound to another plan has lapsed, and is in nobody's way.
    assert!(found(&plans, &[approval("a1", Tier::Dev, "q")]).is_empty());
    let draft = facts(BundleStatus::Draft, &plans, &[]);
    let irreversible = Facts {
        requires_rollback: false,
        ..draft
    };
    assert_eq!(
        unmet(&may_approve(&irreversible, Tier::Dev, P, P)),
        ["way_back"]
    );
    let named = Facts {
        reference: Some("ADR-7"),
        ..irreversible
    };
    assert!(unmet(&may_approve(&named, Tier::Dev, P, P)).is_empty());
    for tier in Tier::ALL {
        let dictionary = Facts {
            touches_dictionary: true,
            ..draft
        };
        let open = unmet(&may_approve(&dictionary, *tier, P, P));
        assert_eq!(open.is_empty(), *tier != Tier::Prod, "{tier}");
        let named = Facts {
            reference: Some("ADR-7"),
            ..dictionary
        };
        assert!(unmet(&may_approve(&named, *tier, P, P)).is_empty());
    }
}

#[test]
fn what_was_made_is_taken_back_once_and_the_last_first() {
    use RunOutcome::{Applied, Failed, Interrupted, Refused, RollbackFailed, RolledBack, Running};
    let made = |tier| ran("m1", RunType::Migration, tier, Applied);
    let back = |outcome| ran("r1", RunType::Rollback, Tier::Dev, outcome);
    let found = |runs: &[Ran<'_>]| {
        unmet(&may_roll_back(
            &facts(BundleStatus::ExecutedDev, &[], runs),
            Tier::Dev,
        ))
    };
    assert!(found(&[made(Tier::Dev)]).is_empty());
    assert_eq!(found(&[]), ["made_there"]);
    let later = Ran {
        run_id: "m2",
        ..made(Tier::Stage)
    };
    assert_eq!(found(&[made(Tier::Dev), later]), ["last_first"]);
    for (outcome, open) in [
        (Running, vec!["made_there", "nothing_runs"]),
        (Refused, vec!["made_there"]),
        (Failed, vec!["made_there"]),
        (RolledBack, vec!["made_there"]),
        (RollbackFailed, vec!["made_there", "no_rollback_failed"]),
        (Interrupted, vec![]),
    ] {
        let run = ran("m1", RunType::Migration, Tier::Dev, outcome);
        assert_eq!(found(&[run]), open, "{outcome}");
    }
    for (outcome, open) in [
        (Running, vec!["nothing_runs"]),
        (Refused, vec![]),
        (Failed, vec![]),
        (Interrupted, vec![]),
        (RolledBack, vec!["made_there"]),
        (RollbackFailed, vec!["no_rollback_failed"]),
    ] {
        assert_eq!(found(&[made(Tier::Dev), back(outcome)]), open, "{outcome}");
    }
    let runs = [made(Tier::Dev)];
    let no_way = Facts {
        has_rollback: false,
        ..facts(BundleStatus::ExecutedDev, &[], &runs)
    };
    assert_eq!(unmet(&may_roll_back(&no_way, Tier::Dev)), ["has_way_back"]);
    let superseded = facts(BundleStatus::Superseded, &[], &runs);
    assert_eq!(
        unmet(&may_roll_back(&superseded, Tier::Dev)),
        ["not_superseded"]
    );
}

#[test]
fn a_run_ends_once_with_its_own_receipt() {
    let lee = actor("lee", PersonKind::Human);
    for run_type in [RunType::Migration, RunType::Rollback] {
        for before in RunOutcome::ALL {
            let run = ran("m1", run_type, Tier::Dev, *before);
            let runs = *before == RunOutcome::Running;
            assert_eq!(unmet(&may_interrupt(&run)).is_empty(), runs, "{before}");
            for after in RunOutcome::ALL {
                let may = unmet(&may_finish(&run, *after, "lee", Some(&lee), None)).is_empty();
                let fits = after.ends(run_type) && *after != RunOutcome::Interrupted;
                assert_eq!(may, runs && fits, "{run_type} {before} {after}");
            }
        }
    }
    let run = ran("m1", RunType::Migration, Tier::Dev, RunOutcome::Running);
    let fault = Some("tells of another run");
    let found = may_finish(&run, RunOutcome::Applied, "lee", Some(&lee), fault);
    assert_eq!(unmet(&found), ["receipt"]);
}

#[test]
fn a_run_is_ended_by_whoever_claimed_it_or_by_a_service() {
    for run_type in [RunType::Migration, RunType::Rollback] {
        let run = ran("m1", run_type, Tier::Dev, RunOutcome::Running);
        for after in RunOutcome::ALL.iter().filter(|it| it.ends(run_type)) {
            let found = |ends: Option<&Actor>| {
                let all = may_finish(&run, *after, "lee", ends, None);
                let mut unmet = unmet(&all).into_iter();
                unmet.any(|id| id == "its_claim")
            };
            assert!(found(None), "{after}: nobody");
            for kind in [PersonKind::Human, PersonKind::Service] {
                for who in ["lee", "kim"] {
                    let may_not = kind == PersonKind::Human && who == "kim";
                    assert_eq!(
                        found(Some(&actor(who, kind))),
                        may_not,
                        "{after} {who} {kind}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_was_approved_is_registered_no_other_way() {
    for status in BundleStatus::ALL {
        for is_same in [true, false] {
            let facts = facts(*status, &[], &[]);
            let may = unmet(&may_register(&facts, false, Tier::Dev, is_same, &[], &[])).is_empty();
            let wanted = status.is_open() && (is_same || *status == BundleStatus::Draft);
            assert_eq!(may, wanted, "{status} {is_same}");
        }
    }
    let new = facts(BundleStatus::Draft, &[], &[]);
    assert!(unmet(&may_register(&new, true, Tier::Dev, false, &[], &[])).is_empty());
    let ledger = may_register(&new, true, Tier::Dev, false, &["ledger_change"], &[]);
    assert_eq!(unmet(&ledger), ["ledger_out_of_scope"]);
    let beyond = ["scope_violation: public.x".to_owned()];
    let beyond = may_register(&new, true, Tier::Dev, false, &[], &beyond);
    assert_eq!(unmet(&beyond), ["within_declaration"]);
    let runs = [ran(
        "m1",
        RunType::Migration,
        Tier::Dev,
        RunOutcome::Applied,
    )];
    let made = facts(BundleStatus::ExecutedDev, &[], &runs);
    let found = |tier| unmet(&may_register(&made, false, tier, true, &[], &[]));
    assert_eq!(found(Tier::Dev), ["not_made_there"]);
    assert!(found(Tier::Stage).is_empty());
}

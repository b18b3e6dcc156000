use super::*;

fn deed(state: DeedState) -> Rehearsed {
    Rehearsed {
        state,
        ..Rehearsed::not(Step::Purge, Deed::Outside, "x")
    }
}

fn back(state: DeedState, before: Option<&str>, after: Option<&str>) -> TakenBack {
    TakenBack {
        bundle: BUNDLE.to_owned(),
        state,
        detail: "x".to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
        milliseconds: 1,
        fault: None,
    }
}

const BUNDLE: &str = "PG-MIG-2026-03-01-01";

/// Every step was done, but what is told of the purge.
fn receipt(purge: Vec<Rehearsed>, taken_back: Vec<TakenBack>) -> Receipt {
    let others = Step::ALL.iter().filter(|step| **step != Step::Purge);
    let others = others.map(|step| Rehearsed {
        step: Some(*step),
        ..deed(DeedState::Done)
    });
    let deeds = others.chain(purge).collect();
    Receipt {
        schema: String::new(),
        migration_id: "mig".to_owned(),
        plan_hash: "0".repeat(64),
        fork: ForkKind::Sqlite,
        with_faults: true,
        deeds,
        gates: Vec::new(),
        moved_back: Rehearsed {
            step: None,
            ..deed(DeedState::Done)
        },
        expansion: Some(BUNDLE.to_owned()),
        taken_back,
        verdict: Verdict::Pass,
    }
    .judged()
}

#[test]
fn only_the_very_same_definitions_pass() {
    use DeedState::{Done, Failed, NotRehearsed};
    use Verdict::{CannotTell, Fail, Pass};
    let same = || back(Done, Some("a"), Some("a"));
    for (deeds, taken_back, verdict) in [
        (vec![deed(Done)], vec![same()], Pass),
        (vec![deed(NotRehearsed)], vec![same()], Pass),
        (vec![deed(Failed)], vec![same()], Fail),
        (vec![deed(Done)], vec![], CannotTell),
        (vec![deed(Failed)], vec![], Fail),
        (vec![], vec![same()], CannotTell),
        (vec![], vec![same(), back(Done, Some("a"), Some("b"))], Fail),
        (vec![], vec![same(), back(Failed, None, None)], Fail),
        (
            vec![],
            vec![same(), back(NotRehearsed, None, None)],
            CannotTell,
        ),
        (
            vec![],
            vec![same(), back(Done, None, Some("a"))],
            CannotTell,
        ),
    ] {
        let receipt = receipt(deeds, taken_back);
        assert_eq!(receipt.verdict, verdict, "{receipt:?}");
        assert!(!receipt.said().is_empty());
    }
}

#[test]
fn what_made_both_halves_goes_back_or_nothing_is_told() {
    let good = receipt(
        vec![deed(DeedState::Done)],
        vec![back(DeedState::Done, Some("a"), Some("a"))],
    );
    assert_eq!(good.verdict, Verdict::Pass);
    for (expansion, says) in [
        (None, "no bundle is known"),
        (Some("PG-OTHER".to_owned()), "does not name PG-OTHER"),
    ] {
        let other = Receipt {
            expansion,
            ..good.clone()
        };
        let other = other.judged();
        assert_eq!(other.verdict, Verdict::CannotTell);
        assert!(other.said().contains(says), "{}", other.said());
    }
}

#[test]
fn a_receipt_that_says_more_than_its_deeds_is_refused() {
    let good = receipt(vec![deed(DeedState::Failed)], Vec::new());
    let bytes = serde_json::to_vec(&good).unwrap();
    assert_eq!(Receipt::read(&bytes).unwrap(), good);
    for lie in [
        Receipt {
            verdict: Verdict::Pass,
            ..good.clone()
        },
        Receipt {
            schema: "other".to_owned(),
            ..good
        },
    ] {
        let bytes = serde_json::to_vec(&lie).unwrap();
        Receipt::read(&bytes).unwrap_err();
    }
}

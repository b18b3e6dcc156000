use std::time::Duration;

use super::super::Phase;
use super::super::tests::{good, hour};
use super::*;

const BEGUN: &str = "2026-05-26T14:00:00Z";

fn at(minutes: u64) -> Moment {
    let begun: Moment = BEGUN.parse().expect("a moment");
    begun.plus(Duration::from_mins(minutes))
}

fn unmet(conditions: &[crate::rules::Condition]) -> Vec<&'static str> {
    let open = conditions
        .iter()
        .filter(|it| it.verdict != crate::rules::Verdict::Pass);
    open.map(|it| it.id).collect()
}

#[test]
fn a_step_begins_when_it_comes_and_again_after_whatever_became_of_it() {
    for (place, step) in Step::ALL.iter().enumerate() {
        for done in 0..=Step::ALL.len() {
            for state in StepState::ALL {
                let hour = hour(done, *state);
                let begins = Beginning {
                    step: *step,
                    by: "maya",
                    now: at(20),
                };
                let open = unmet(&may_begin_step(Some(&hour), begins));
                let is_deed = matches!(step.ended_by(), EndedBy::Deed(_));
                let comes_now = place == done + usize::from(state.lets_go_on());
                assert_eq!(
                    open.is_empty(),
                    comes_now && !is_deed,
                    "{step} with {done} done and the next {state}: {open:?}"
                );
            }
        }
    }
}

#[test]
fn only_who_leads_a_running_hour_begins_a_step() {
    let begins = |by| Beginning {
        step: Step::Purge,
        by,
        now: at(20),
    };
    let mut hour = hour(3, StepState::NotStarted);
    assert_eq!(
        unmet(&may_begin_step(Some(&hour), begins("lee"))),
        ["leads"]
    );
    hour.status = HourStatus::Aborted;
    assert_eq!(
        unmet(&may_begin_step(Some(&hour), begins("maya"))),
        ["hour_runs"]
    );
    assert!(!unmet(&may_begin_step(None, begins("maya"))).is_empty());
}

#[test]
fn nothing_is_frozen_before_everybody_had_fifteen_minutes_to_hear_of_it() {
    let open = |hour: &HourStand<'_>, now| {
        let begins = Beginning {
            step: Step::Golden,
            by: "maya",
            now,
        };
        unmet(&may_begin_step(Some(hour), begins))
    };
    // It was announced at five past, however long ago the hour was begun.
    let announced = hour(1, StepState::NotStarted);
    let just_before = at(19).plus(Duration::from_secs(59));
    assert_eq!(open(&announced, just_before), ["everybody_heard"]);
    assert!(open(&announced, at(20)).is_empty());
    // A clock that was set back cannot tell either.
    let earlier: Moment = "2026-05-26T13:00:00Z".parse().expect("a moment");
    assert_eq!(open(&announced, earlier), ["everybody_heard"]);
    let announcing = hour(0, StepState::Running);
    assert_eq!(open(&announcing, at(40)), ["next_step", "everybody_heard"]);
}

#[test]
fn the_clock_counts_from_when_everybody_had_heard() {
    let announcing = hour(0, StepState::Running);
    assert_eq!(announcing.clock(at(40)), HourClock::Announcing);
    let waiting = hour(1, StepState::NotStarted);
    let notice = HourClock::Notice(Duration::from_mins(12));
    assert_eq!(waiting.clock(at(8)), notice);
    assert_eq!(notice.said(), "lock announced, the hour begins in 12:00");
    // Whatever is begun, and begun again, does not set it back.
    let mut running = hour(2, StepState::NotStarted);
    running.steps[1].began = Some(at(49));
    running.steps[1].attempt = 3;
    for hour in [waiting, running] {
        assert_eq!(hour.clock(at(20)), HourClock::Left(HOUR));
        assert_eq!(hour.clock(at(50)), HourClock::Left(Duration::from_mins(30)));
        assert_eq!(hour.clock(at(80)), HourClock::Left(Duration::ZERO));
        let over = HourClock::Over(Duration::from_mins(12));
        assert_eq!(hour.clock(at(92)), over);
        assert_eq!(over.said(), "OVERRUN by 12:00");
    }
}

#[test]
fn an_hour_begins_so_that_a_window_is_open_once_everybody_has_heard() {
    let starting = Starting {
        is_planned: true,
        running: None,
        annex: Some(("annex-2", "v2.4.0")),
        footer: Some("v2.4.0"),
    };
    // The window of that Tuesday is open from two to three.
    for (now, opens) in [
        ("2026-05-26T13:44:59Z", false),
        ("2026-05-26T13:45:00Z", true),
        ("2026-05-26T14:44:59Z", true),
        ("2026-05-26T14:45:00Z", false),
    ] {
        let mut facts = good(Phase::DualWrite);
        facts.now = now.parse().expect("a moment");
        facts.clean.newest = Some(facts.now);
        let open = unmet(&may_start_hour(&facts, starting));
        assert_eq!(open.contains(&"window_near"), !opens, "{now}: {open:?}");
        assert!(
            open.iter().all(|id| *id == "window_near"),
            "{now}: {open:?}"
        );
    }
}

#[test]
fn an_hour_is_handed_over_to_another_lead_by_either_of_both() {
    let hour = hour(2, StepState::Running);
    let open = |by, to, is_lead| unmet(&may_hand_over(Some(&hour), by, to, is_lead));
    assert!(open("maya", "lee", true).is_empty());
    assert!(open("lee", "lee", true).is_empty());
    assert_eq!(open("kim", "lee", true), ["one_of_both"]);
    assert_eq!(open("maya", "maya", true), ["another"]);
    assert_eq!(open("maya", "kim", false), ["is_lead"]);
}

/// A plan with everything in it.
fn plan() -> serde_json::Value {
    serde_json::json!({
        "schema": "govdeck.cutover-plan.v1",
        "migration_id": "mig-1",
        "announce": {"attest": "the banner is up"},
        "goldens": [
            {"pipeline": "leadership", "name": "leadership.csv", "sql": "SELECT 1 AS x"},
            {"pipeline": "partner", "name": "annex.json", "file": "landed/annex.json"},
        ],
        "replay": "replay.json",
        "deploy": {"command": "deploy", "minutes": 10},
        "purge": {"command": "purge-annex", "minutes": 5},
        "reconcile": ["weekly/sla.json"],
        "bundles": ["DICT-MIG-1-01"],
    })
}

fn refused(change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut plan = plan();
    change(&mut plan);
    let refusal = read_plan(plan.to_string().as_bytes());
    refusal.expect_err("it is no plan").sentence
}

#[test]
fn a_plan_is_read_strictly() {
    let text = plan().to_string();
    assert!(
        read_plan(text.as_bytes()).is_ok(),
        "{:?}",
        read_plan(text.as_bytes())
    );
    for (change, says) in [
        (("schema", serde_json::json!("x")), "schema"),
        (
            (
                "deploy",
                serde_json::json!({"command": "a b", "minutes": 1}),
            ),
            "flip",
        ),
        (
            ("deploy", serde_json::json!({"command": "a", "minutes": 0})),
            "minutes",
        ),
        (
            ("deploy", serde_json::json!({"command": "a", "minutes": 60})),
            "minutes",
        ),
        (("purge", serde_json::json!({"attest": " "})), "purge"),
        (
            ("purge", serde_json::json!({"attest": "a\u{1b}[31m"})),
            "purge",
        ),
        (
            ("purge", serde_json::json!({"attest": "x", "command": "y"})),
            "malformed",
        ),
        (("goldens", serde_json::json!([])), "leadership"),
        (("replay", serde_json::json!("../replay.json")), "replay"),
        (("reconcile", serde_json::json!([])), "reconcile"),
        (
            ("reconcile", serde_json::json!(["/etc/passwd"])),
            "reconcile",
        ),
        (("further", serde_json::json!(1)), "malformed"),
    ] {
        let (field, value) = change;
        let shown = value.to_string();
        let said = refused(|plan| plan[field] = value);
        assert!(said.contains(says), "{field} {shown}: {said}");
    }
    let twice = text.replacen("\"replay\":", "\"replay\":\"a\",\"replay\":", 1);
    assert!(read_plan(twice.as_bytes()).is_err());
    let said = refused(|plan| plan["goldens"][1]["name"] = "leadership.csv".into());
    assert!(said.contains("twice"), "{said}");
    let said = refused(|plan| plan["goldens"][1]["name"] = "../x".into());
    assert!(said.contains("no name"), "{said}");
}

#[test]
fn what_comes_next_is_what_ends_the_step() {
    let command = Outside::Command {
        command: "deploy".to_owned(),
        minutes: 1,
    };
    let person = Outside::Attest {
        attest: "deployed".to_owned(),
    };
    let begun = StepState::Running;
    for step in Step::ALL {
        let next = |state, is_flipped, by| step.next_deed(state, is_flipped, by);
        let both = [Some(&person), Some(&command), None];
        if let EndedBy::Deed(verb) = step.ended_by() {
            assert_eq!(both.map(|by| next(begun, true, by)), [verb; 3], "{step}");
            continue;
        }
        for state in StepState::ALL.iter().filter(|state| **state != begun) {
            let begins = both.map(|by| next(*state, false, by));
            assert_eq!(begins, ["begin_step"; 3], "{step} {state}");
        }
        let ends = ["attest_step", "begin_step", "begin_step"];
        assert_eq!(both.map(|by| next(begun, true, by)), ends, "{step}");
        let is_flip = *step == Step::Flip;
        let ends = if is_flip { ["cutover"; 3] } else { ends };
        assert_eq!(both.map(|by| next(begun, false, by)), ends, "{step}");
    }
}

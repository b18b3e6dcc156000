//! Every role against every action inside the writing transaction: what was confirmed in good faith is decided anew, by
//! the roles that its person holds at that moment.
//!
//! One world holds something for every action. Whatever would be written meets a trap in the ledger, so that nothing
//! ever changes and every pair meets the same facts: a role is refused by the rule, or gets as far as the trap.

use govdeck::actions::{self, Asked, ByRule, Outcome, Request, window_run_id};
use govdeck::clock::Moment;
use govdeck::rules::drill::DrillKind;
use govdeck::rules::guard::Answer;
use govdeck::rules::people::{Basis, Role};
use govdeck::rules::permission::{self, ACTING, MATRIX};
use govdeck::rules::week::RunStatus::{self, Fail, Pass};
use govdeck::rules::week::{self, Pair, PastWeek};
use govdeck::store::Store;
use govdeck::store::week::past;
use serde_json::json;

use crate::support::bundle_story;
use crate::support::cluster::cluster;
use crate::support::dictionary;
use crate::support::migration_story;
use crate::support::weeks::{MONDAYS, by_rule, claim, ended};
use crate::support::{REASON, World, on_both};

/// Who confirms everything, and then holds one role after the other.
const WHO: &str = "swap";

/// What the trap says.
const TRAP: &str = "wall of the story: nothing is written";

fn moment(text: &str) -> Moment {
    text.parse().expect("a moment")
}

fn run(series: &str, week: usize) -> String {
    window_run_id(series, moment(MONDAYS[week]))
}

async fn done(world: &World, person: &str, verb: &str, asked: Asked) {
    let done = world.act(person, verb, asked).await;
    done.unwrap_or_else(|refused| panic!("{verb}: {refused}"));
}

/// Plans a window of each series, and ends it as told when its time has come; what has no end stays planned.
async fn week_of(world: &World, week: usize, series: &[(&str, Option<RunStatus>)]) {
    for (series, _) in series {
        let rule = ByRule::PlanWindow {
            series: (*series).to_owned(),
            at: moment(MONDAYS[week]),
        };
        by_rule(world, "lee", rule).await.expect("planned");
    }
    world.set_time(MONDAYS[week]).await;
    for (series, status) in series {
        let Some(status) = status else { continue };
        let rule = ByRule::StartRun {
            run: run(series, week),
            claim: claim(),
            minutes: 15,
            unplanned: None,
        };
        by_rule(world, "lee", rule).await.expect("begun");
        ended(world, &run(series, week), week, *status)
            .await
            .expect("ended");
    }
}

/// Mints a run by the demo's time and lets the gate decide it.
async fn published(world: &World, id: &str, time: &str, source: &str) {
    let at = |second: u32| format!("2098-05-05T{time}:{second:02}.000000Z");
    world.set_time(&at(10)).await;
    let hash = "a".repeat(64);
    world
        .sql(&format!(
            "INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, publish_tuple_hash, \
             source_tuple_hash, footer_schema_semver, source_observed_at_utc, created_at_utc) VALUES ('{id}', 's/p', 'f', 'l', 'd', \
             '{hash}', '{}', 'v2.4.0', '{}', '{}')",
            source.repeat(64),
            at(5),
            at(0)
        ))
        .expect("minted");
    world.decide(id).await.expect("decided");
}

/// A world with something for every action, in which one person holds every role that acts.
async fn with_something_for_every_action(world: World) -> World {
    let world = world.where_time_is_set().await;
    world.set_time("2098-05-01T12:00:00Z").await;
    if world.is_postgres() {
        cluster().create_login(WHO);
        world.owner_sql(&format!(
            "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {WHO}"
        ));
    }
    let asked = Asked::of(WHO).with("name", "Somebody");
    done(&world, "maya", "add_person", asked).await;
    let others = [("kim", Role::Signer), ("lee", Role::AnalyticsOwner)];
    for (person, role) in ACTING.iter().map(|role| (WHO, *role)).chain(others) {
        let asked = Asked::of(person).with("role", role.word());
        done(&world, "maya", "grant_role", asked).await;
    }
    world.register_footer().await;
    for series in ["green", "first", "red", "left"] {
        let asked = Asked::of(series).with("first", MONDAYS[0]);
        done(&world, "maya", "register_series", asked).await;
    }
    let practised = ByRule::Practise {
        drill: "drill-1".to_owned(),
        kind: DrillKind::DoubleSkip,
    };
    by_rule(&world, "maya", practised).await.expect("practised");
    published(&world, "pub-1", "04:00", "a").await;
    published(&world, "pub-2", "04:10", "b").await;
    published(&world, "pub-3", "04:20", "a").await;
    let all = [
        ("green", Pass),
        ("first", Pass),
        ("red", Fail),
        ("left", Fail),
    ];
    week_of(
        &world,
        0,
        &all.map(|(series, status)| (series, Some(status))),
    )
    .await;
    let second = [
        ("green", Some(Pass)),
        ("red", Some(Fail)),
        ("left", Some(Fail)),
    ];
    week_of(&world, 1, &second).await;
    done(&world, "kim", "ack_run", Asked::of(run("green", 1))).await;
    let incident = format!("inc.{}", run("left", 1));
    done(&world, "lee", "acknowledge_incident", Asked::of(incident)).await;
    week_of(&world, 2, &[("green", None), ("left", Some(Pass))]).await;
    let asked = Asked::of(run("left", 1))
        .with("id", "rem-1")
        .with("evidence", "ETL-77 fixed");
    done(&world, "lee", "attach_remediation", asked).await;
    let route = Asked::of("rc-1")
        .with("for", "tuple_drift")
        .with("owner", "lee")
        .with("backup", "kim");
    done(&world, "maya", "propose_route", route).await;
    done(&world, "maya", "bypass_freeze", bypass("chg-1")).await;
    bundle_story::at_each_step(&world).await;
    dictionary::released(&world).await;
    dictionary::ask(&world, "faq-1", "MET-0144")
        .await
        .expect("put");
    migration_story::with_something_to_do(&world).await;
    world.with_key("kim", "kims").await;
    world.make_key("own");
    world
}

fn bypass(id: &str) -> Asked {
    Asked::of(id)
        .with("freeze", "fz-1")
        .with("expires", "2098-05-20T06:00:00Z")
}

fn policy(weeks: &[PastWeek]) -> Asked {
    let pair = Pair {
        soft: "0.05".to_owned(),
        hard: "0.1".to_owned(),
        floor: "1".to_owned(),
    };
    let backtest = serde_json::to_string(&week::backtest(&pair, weeks)).expect("JSON");
    let document = r#"{"epsilon_policy_version":"eps-9","contract_max_semver":"2.9.9","epsilon":{"MET-0144":"1","MET-0171":"0.5"}}"#;
    Asked::of("eps-9")
        .with("document", document)
        .with("release", "2.4.0")
        .with("soft", pair.soft)
        .with("hard", pair.hard)
        .with("floor", pair.floor)
        .with("backtest", backtest)
}

/// Somebody else's block; and moves that a red week holds here, each of which has its own story.
const UNTRIED: [&str; 16] = [
    "close_deficiency",
    "close_redeploy_task",
    "take_block",
    "note_block",
    "ask_approval",
    "start_dual_write",
    "cutover",
    "close_migration",
    "roll_back_migration",
    "countersign_move",
    "start_hour",
    "begin_step",
    "attest_step",
    "hand_over_hour",
    "note_post_mortem",
    "abort_hour",
];

/// What is asked of an action, and which roles open it there; none where that is somebody else's block.
fn asked(world: &World, verb: &str, weeks: &[PastWeek]) -> Option<(Asked, Vec<Role>)> {
    use Role::{DataEngineer, GovernanceLead, OnCall, OpsLead};
    let lead = || vec![GovernanceLead];
    let by_matrix = || permission::of(verb).expect("listed").roles.to_vec();
    let waiting = || {
        let ticket = "SELECT ticket FROM approval_request WHERE status = 'waiting'";
        Asked::of(world.rows(ticket).remove(0))
    };
    let addendum = world.rows("SELECT sha256 FROM artifact ORDER BY sha256 LIMIT 1");
    Some(match verb {
        verb if UNTRIED.contains(&verb) => return None,
        "escalate_block" => (Asked::of("pub-2"), vec![GovernanceLead, OnCall]),
        "reassign_block" => (Asked::of("pub-2").with("to", "kim"), lead()),
        "resolve_block" => (Asked::of("pub-2").with("by", "pub-3"), lead()),
        "withdraw_block" => (Asked::of("pub-2").with("rehash", "a".repeat(64)), lead()),
        "propose_route" => (
            Asked::of("rc-2")
                .with("for", "missing_source_hash")
                .with("owner", "lee")
                .with("backup", "kim"),
            by_matrix(),
        ),
        "ack_route" | "decline_route" => (Asked::of("rc-1"), by_matrix()),
        "add_person" => (Asked::of("somebody").with("name", "Somebody"), by_matrix()),
        "deactivate_person" => (Asked::of("kim"), by_matrix()),
        "grant_role" => (Asked::of("kim").with("role", "viewer"), by_matrix()),
        "revoke_role" => (Asked::of("lee").with("role", "on_call"), by_matrix()),
        "add_key" => {
            let key = world.public("own");
            let asked = Asked::of(key.fingerprint()).with("key", key.to_line());
            (asked, Role::ALL.to_vec())
        }
        "revoke_key" => (Asked::of(world.public("kims").fingerprint()), lead()),
        "set_attestation" => (Asked::of("review").with("minimum", "signed"), by_matrix()),
        "register_footer" => (Asked::of("v9.0.0"), by_matrix()),
        "bypass_freeze" => (bypass("chg-2"), by_matrix()),
        "register_series" => (Asked::of("other").with("first", MONDAYS[4]), by_matrix()),
        "retire_series" => (Asked::of("green"), by_matrix()),
        "skip_window" => (
            Asked::of(run("green", 2)).with("because", "maintenance"),
            vec![GovernanceLead, OpsLead, DataEngineer, OnCall],
        ),
        "ack_run" => (Asked::of(run("green", 1)), by_matrix()),
        "revoke_ack" => (Asked::of(format!("{}/kim", run("green", 1))), lead()),
        "declare_bootstrap" => (Asked::of(run("first", 0)), by_matrix()),
        "attach_remediation" => (
            Asked::of(run("red", 0))
                .with("id", "rem-2")
                .with("evidence", "ETL-78 fixed"),
            by_matrix(),
        ),
        "override_run" => (Asked::of(run("red", 1)).with("audit", "aud-1"), by_matrix()),
        "acknowledge_incident" => (Asked::of(format!("inc.{}", run("red", 1))), by_matrix()),
        "leave_red" => (
            Asked::of(format!("inc.{}", run("left", 1)))
                .with("evidence", "rem-1")
                .with("addendum", addendum[0].clone()),
            by_matrix(),
        ),
        "annex_run" => (
            Asked::of("pub-1")
                .with("audit", "aud-2")
                .with("expires", "2098-05-20T06:00:00Z"),
            by_matrix(),
        ),
        "adopt_policy" => (policy(weeks), by_matrix()),
        // The proposer leads governance, and the two hold both roles between them.
        "approve" => (waiting(), vec![Role::EngineeringLead]),
        "decline" => (waiting(), vec![GovernanceLead, Role::EngineeringLead]),
        "arm_console" => (Asked::of("c-7"), by_matrix()),
        "answer_drill" => (Asked::of("drill-1"), by_matrix()),
        other => {
            let asked = bundle_story::asked_at_each_step(world, other)
                .or_else(|| migration_story::asked_at_each_step(world, other))
                .or_else(|| asked_of_the_dictionary(other));
            let asked = asked.unwrap_or_else(|| panic!("{other} is tried with nothing"));
            (asked, by_matrix())
        }
    })
}

/// What is asked of an action on the dictionary.
fn asked_of_the_dictionary(verb: &str) -> Option<Asked> {
    Some(match verb {
        "release_dictionary" => {
            let mut next = dictionary::document("2.5.0");
            next["metrics"][0]["display_label"] = json!("Late responses");
            dictionary::with_metric(&mut next, "MET-0200");
            dictionary::asked(&next)
        }
        "register_bind_query" => Asked::of("rollup/2.4.0")
            .with("surface", "leadership")
            .with("sql", "SELECT metric_id FROM metric_dictionary"),
        "register_annex_view" => Asked::of("annex-1")
            .with("release", "2.4.0")
            .with("footer", "1.3.0")
            .with("sql", "SELECT metric_id FROM metric_dictionary"),
        "put_faq" => Asked::of("faq-2")
            .with("metric", "MET-0144")
            .with("question", "When does a response count as late?")
            .with("anchor", "annex.html#met-0144"),
        "retire_faq" => Asked::of("faq-1"),
        _ => return None,
    })
}

async fn confirmed(store: &Store, verb: &str, asked: Asked) -> Request {
    let mut view = store.view().await.expect("a view");
    let proposal = actions::propose(&mut view, verb, asked).await;
    let proposal = proposal.unwrap_or_else(|stop| panic!("{verb}: {stop}"));
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some(REASON.to_owned()),
    };
    let request = proposal.confirm(&answer);
    request.unwrap_or_else(|stop| panic!("{verb}: {stop}"))
}

/// Sets the trap, or takes it away.
fn set_trap(world: &World, is_set: bool) {
    let sql = match (world.is_postgres(), is_set) {
        (true, true) => format!(
            "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{TRAP}'; END $$; \
             CREATE TRIGGER a_trap BEFORE INSERT ON governance_ledger FOR EACH ROW EXECUTE FUNCTION trap()"
        ),
        (true, false) => {
            "DROP TRIGGER a_trap ON governance_ledger; DROP FUNCTION trap()".to_owned()
        }
        (false, true) => format!(
            "CREATE TRIGGER a_trap BEFORE INSERT ON governance_ledger BEGIN SELECT RAISE(ABORT, '{TRAP}'); END"
        ),
        (false, false) => "DROP TRIGGER a_trap".to_owned(),
    };
    world.owner_sql(&sql);
}

/// Gives the person one role and takes all others.
async fn holds(world: &World, role: Option<Role>) {
    let held = world.rows(&format!(
        "SELECT role FROM person_role WHERE person_id = '{WHO}' AND active = TRUE"
    ));
    let wanted = role.map(|role| role.word().to_owned());
    for role in held.iter().filter(|held| Some(*held) != wanted.as_ref()) {
        let asked = Asked::of(WHO).with("role", role.clone());
        done(world, "maya", "revoke_role", asked).await;
    }
    if let Some(wanted) = wanted.filter(|wanted| !held.contains(wanted)) {
        let asked = Asked::of(WHO).with("role", wanted);
        done(world, "maya", "grant_role", asked).await;
    }
}

on_both!(a_role_opens_the_same_inside_the_write, |world| {
    let world = with_something_for_every_action(world).await;
    let store = world.store(WHO).await;
    let by_person = MATRIX.iter().filter(|it| it.basis == Basis::Person);
    let mut view = store.view().await.expect("a view");
    let weeks = past(&mut view, "green", week::WEEKS).await.expect("read");
    drop(view);
    let mut requests = Vec::new();
    for permission in by_person {
        if let Some((asked, roles)) = asked(&world, permission.verb, &weeks) {
            let request = confirmed(&store, permission.verb, asked).await;
            requests.push((permission, request, roles));
        }
    }
    for role in Role::ALL.iter().copied().map(Some).chain([None]) {
        holds(&world, role).await;
        set_trap(&world, true);
        let before = world.owner_sql("SELECT seq, hash FROM ledger_head");
        for (permission, request, roles) in &requests {
            let verb = permission.verb;
            let may = role.is_none_or(|role| roles.contains(&role))
                && (role.is_some() || verb == "add_key");
            match actions::carry_out(&store, request.clone()).await {
                Outcome::Failed(error) => {
                    assert!(error.sentence.contains(TRAP), "{verb} {role:?}: {error}");
                    assert!(may, "{verb} {role:?} was let through");
                }
                Outcome::Refused(refusal) => {
                    assert!(!may, "{verb} {role:?}: {refusal}");
                    let by_role = refusal.sentence.contains(&format!("role: {WHO} holds"));
                    let listed = role.is_some_and(|role| permission.roles.contains(&role));
                    let asks_for_one = !permission.roles.is_empty();
                    assert_eq!(
                        by_role,
                        asks_for_one && !listed,
                        "{verb} {role:?}: {refusal}"
                    );
                }
                other => panic!("{verb} {role:?}: {other:?}"),
            }
        }
        let after = world.owner_sql("SELECT seq, hash FROM ledger_head");
        assert_eq!(before, after, "{role:?}");
        set_trap(&world, false);
    }
    assert_eq!(requests.len(), 55);
    store.close().await;
    world.assert_sound().await;
});

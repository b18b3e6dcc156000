//! Drills of windows left out, of numbers too far apart and of a block that nobody answers: the rule says what it must, the
//! right people are told that it is a drill, somebody answers, and nothing of it ever counts.

use govdeck::actions::Asked;
use govdeck::rules::week::RunStatus::Pass;
use serde_json::Value;

use crate::agent::{once, stand};
use crate::agent_post::{KEEP, commanded, taken};
use crate::cli_kit::{document, govdeck, refused, said};
use crate::support::migration_story::{self, cut_over};
use crate::support::week_files::adopt_policy;
use crate::support::weeks::{self, week};
use crate::support::{World, on_both};
use crate::week_forbidden::{By, Tried, all_are_refused, tried};

/// Everything that a drill must leave as it is.
const COUNTS: &[&str] = &[
    "reconciliation_window",
    "reconciliation_incident",
    "reconciliation_metric",
    "signer_ack",
    "dictionary_migration_state",
    "dictionary_migration_event",
    "redeploy_task",
    "migration_notice",
    "publish_snapshots",
    "publish_replay_audit",
];

/// The rows of each table that counts, and what is said of governance.
fn what_counts(world: &World) -> Vec<String> {
    let all = |table: &&str| {
        let versions = if *table == "reconciliation_metric" {
            "0"
        } else {
            "SUM(version)"
        };
        world.owner_sql(&format!("SELECT COUNT(*), {versions} FROM {table}"))
    };
    let mut all: Vec<String> = COUNTS.iter().map(all).collect();
    for words in [["week", "status"], ["cadence", "--json"]] {
        all.push(govdeck(world, "maya", &words).stdout);
    }
    all.push(governance(world));
    all
}

/// What `status` says of blocks, runs and governance; its messages and its newest entry a drill does make.
fn governance(world: &World) -> String {
    let status = govdeck(world, "maya", &["--json", "status"]);
    let status = document(&status, 0, "status");
    ["open_blocks", "pending_runs", "governance"]
        .map(|field| format!("{field}: {}", status[field]))
        .join(", ")
}

fn practised(world: &World, what: &str) -> Value {
    let words = ["--json", "drill", what];
    let page = document(&govdeck(world, "maya", &words), 0, &format!("drill-{what}"));
    assert_eq!(page["verdict"], "pass", "{page}");
    page
}

fn id(page: &Value) -> String {
    page["drill"].as_str().expect("an id").to_owned()
}

const TOLD: &str = "SELECT event_class || ' ' || recipient_id FROM notification_outbox WHERE drill = TRUE ORDER BY event_class, recipient_id";

on_both!(
    two_windows_left_out_would_be_red_and_governance_is_not,
    |world| {
        let world = weeks::world(world).await;
        week(&world, 0, Pass).await;
        week(&world, 1, Pass).await;
        stand(&world, "2098-05-20T08:00:00Z").await;
        let before = what_counts(&world);
        let page = practised(&world, "double-skip");
        assert_eq!(
            page["found"],
            "amber (not_passed) with no incident, then red (twice_not_passed) with an incident"
        );
        // Who is told of red in earnest: leads and signers.
        assert_eq!(page["paged"], serde_json::json!(["kim", "maya"]));
        assert_eq!(
            world.rows(TOLD),
            ["governance_red kim", "governance_red maya"]
        );
        assert_eq!(what_counts(&world), before);
        // Somebody answers, once.
        let id = id(&page);
        let text = said(&govdeck(&world, "maya", &["drill", "report"]), 0).to_owned();
        assert!(text.contains("nobody has answered yet"), "{text}");
        stand(&world, "2098-05-20T08:07:00Z").await;
        let asked = Asked::of(&*id);
        let answered = world.act("kim", "answer_drill", asked.clone()).await;
        answered.expect("answered");
        let again = world.act("maya", "answer_drill", asked).await;
        assert!(again.expect_err("once").contains("unanswered"));
        let text = said(&govdeck(&world, "maya", &["drill", "report"]), 0).to_owned();
        assert!(
            text.contains("would page kim, maya: kim answered in 7 min"),
            "{text}"
        );
        assert_eq!(what_counts(&world)[..10], before[..10]);
        world.assert_sound().await;
        assert_eq!(world.findings(None).await, Vec::<String>::new());
    }
);

on_both!(
    numbers_too_far_apart_would_be_taken_back_and_the_migration_stays,
    |world| {
        let world = migration_story::world(world).await;
        let (sentence, hint) = refused(&govdeck(&world, "maya", &["drill", "epsilon-breach"]), 3);
        assert!(sentence.contains("policy_adopted"), "{sentence}");
        assert!(hint.contains("adopt-policy"), "{hint}");
        adopt_policy(&world).await;
        let on_call = Asked::of("kim").with("role", "on_call");
        let granted = world.act("maya", "grant_role", on_call).await;
        granted.expect("granted");
        cut_over(&world).await;
        // What is due anyway is done before.
        once(&world, None);
        let before = what_counts(&world);
        let due = |world: &World| {
            let run = govdeck(world, "maya", &["job", "due", "--json"]);
            document(&run, 0, "job-due")["triggered"].clone()
        };
        let said_before = due(&world);
        assert_eq!(said_before[0]["state"], "inconclusive");
        let page = practised(&world, "epsilon-breach");
        assert_eq!(
            page["found"],
            "roll_back (epsilon_hard); of a drill's run: inconclusive (no_run)"
        );
        assert_eq!(page["paged"], serde_json::json!(["kim", "lee", "maya"]));
        assert_eq!(
            world.rows(TOLD),
            [
                "migration_rolled_back kim",
                "migration_rolled_back lee",
                "migration_rolled_back maya"
            ]
        );
        let given = world.rows("SELECT given FROM drill_record");
        assert!(
            given[0].contains("\"leadership\":\"2.1\",\"partner\":\"1\""),
            "{given:?}"
        );
        // The trigger of the real migration, asked by the agent as well, says what it said before.
        once(&world, None);
        assert_eq!(due(&world), said_before);
        assert_eq!(what_counts(&world)[..10], before[..10]);
        world.assert_sound().await;
    }
);

on_both!(
    a_block_that_nobody_answers_is_warned_of_and_paged,
    |world| {
        let world = world.where_time_is_set().await;
        stand(&world, "2098-05-01T02:00:00Z").await;
        let (sentence, _) = refused(&govdeck(&world, "maya", &["drill", "sla"]), 3);
        assert!(sentence.contains("no footer schema"), "{sentence}");
        world.register_footer().await;
        let before = governance(&world);
        let page = practised(&world, "sla");
        assert_eq!(
            (&page["warned"], &page["paged"]),
            (&"maya".into(), &"lee".into())
        );
        assert_eq!(page["agent_leads"], false);
        let told = |at: &'static str| {
            let world = &world;
            async move {
                stand(world, at).await;
                once(world, None);
                let run = govdeck(world, "maya", &["--json", "drill", "report"]);
                let block = document(&run, 0, "drill-report")["blocks"][0].clone();
                [block["warned"].clone(), block["paged"].clone()]
            }
        };
        assert_eq!(told("2098-05-01T02:14:00Z").await, ["not_due", "not_due"]);
        assert_eq!(told("2098-05-01T02:15:30Z").await, ["in_time", "not_due"]);
        // The agent comes two minutes late, and the report says so.
        assert_eq!(told("2098-05-01T02:32:30Z").await, ["in_time", "late"]);
        let text = said(&govdeck(&world, "maya", &["drill", "report"]), 0).to_owned();
        assert!(
        text.contains("nobody answered in 30 min, warned after 15 min, backup paged after 32 min, too late"),
        "{text}"
    );
        assert_eq!(governance(&world), before);
        // Where no agent came at all, that is said too.
        practised(&world, "sla");
        stand(&world, "2098-05-01T04:00:00Z").await;
        let text = said(&govdeck(&world, "maya", &["drill", "report"]), 0).to_owned();
        let missing = "not warned: no agent was at work, not backup paged: no agent was at work";
        assert!(text.contains(missing), "{text}");
        world.assert_sound().await;
    }
);

on_both!(drills_are_delivered_only_where_a_route_asks, |world| {
    let world = weeks::world(world).await;
    let file = commanded(&world, KEEP, "");
    once(&world, Some(&file));
    let told_before = taken(&world).len();
    practised(&world, "double-skip");
    assert_eq!(once(&world, Some(&file))["delivered"], 0);
    assert_eq!(taken(&world).len(), told_before);
    let text = std::fs::read_to_string(&file).expect("ours") + "drills = true\n";
    std::fs::write(&file, text).expect("ours");
    practised(&world, "double-skip");
    assert_eq!(once(&world, Some(&file))["delivered"], 2);
    for got in &taken(&world)[told_before..] {
        let subject = got["subject"].as_str().expect("a subject");
        assert!(subject.starts_with("DRILL drill-"), "{subject}");
        let text = got["text"].as_str().expect("a text");
        assert!(text.starts_with("DRILL: the runs drill-"), "{text}");
        assert!(text.contains("govdeck act answer-drill drill-"), "{text}");
        assert_eq!(got["drill"], true);
    }
});

/// Everything by which somebody could have a drill count, each behind an entry of the right action.
fn ways_to_count(drill: &str, block: &str) -> Vec<Tried> {
    let first = format!("{drill}.2");
    let second = format!("{drill}.3");
    let incident = format!("inc.{second}");
    let record = || ("drill_record", drill.to_owned(), 2);
    let answer = ("answer_drill", By::One("maya"));
    let changed = |set: &str| format!("UPDATE drill_record SET {set}, version = 2");
    let taken = ("take_block", By::One("maya"));
    let audit = || ("publish_replay_audit", block.to_owned(), 2);
    let stays = "what was practised stays what it was";
    vec![
        // Its windows as windows: they were planned by nobody.
        tried(
            "a window starts planned",
            ("miss_window", By::Rule),
            &*first,
            ("reconciliation_window", first.clone(), 1),
            format!(
                "INSERT INTO reconciliation_window (job_run_id, series_id, run_kind, status, scheduled_at, completed_at, version) \
                 SELECT '{first}', 'sla', 'scheduled', 'MISSED', at_utc, at_utc, 1 FROM ledger_head"
            ),
        ),
        // Its windows as the grounds of an incident.
        tried(
            "an incident opens with the second window in a row",
            ("miss_window", By::Rule),
            &*second,
            ("reconciliation_incident", incident.clone(), 1),
            format!(
                "INSERT INTO reconciliation_incident (incident_id, series_id, first_run_id, second_run_id, opened_at_utc, addendum_demanded, version) \
                 SELECT '{incident}', 'sla', '{first}', '{second}', at_utc, FALSE, 1 FROM ledger_head"
            ),
        ),
        // Its pass as what a signer signs.
        tried(
            "only the newest scheduled run that compared is signed",
            ("ack_run", By::One("kim")),
            format!("{drill}.1"),
            ("signer_ack", format!("{drill}.1/kim"), 1),
            format!(
                "INSERT INTO signer_ack (job_run_id, signer_id, ack_basis, bootstrap_series_id, inputs_sha256, acked_at_utc, version) \
                 SELECT '{drill}.1', 'kim', 'bootstrap', 'sla', hash, at_utc, 1 FROM ledger_head"
            ),
        ),
        // The mark taken off, and the result made up.
        tried(
            stays,
            answer,
            drill,
            record(),
            changed(
                "drill = FALSE, answered_by = 'maya', answered_at_utc = (SELECT at_utc FROM ledger_head)",
            ),
        ),
        tried(
            stays,
            answer,
            drill,
            record(),
            changed(
                "found = 'green', expected = 'green', answered_by = 'maya', answered_at_utc = (SELECT at_utc FROM ledger_head)",
            ),
        ),
        tried(
            "answered once by the newest entry",
            answer,
            drill,
            record(),
            changed("answered_by = 'lee', answered_at_utc = (SELECT at_utc FROM ledger_head)"),
        ),
        // The block of a drill as a real one.
        tried(
            "what the gate found is final",
            taken,
            block,
            audit(),
            "UPDATE publish_replay_audit SET drill = FALSE, version = 2, taken_by = 'maya', taken_at_utc = (SELECT at_utc FROM ledger_head)",
        ),
        tried(
            "a decided snapshot is final",
            ("decide_run", By::Rule),
            block,
            ("publish_snapshots", block.to_owned(), 2),
            "UPDATE publish_snapshots SET drill = FALSE, version = 2",
        ),
    ]
}

on_both!(nobody_has_a_drill_count_by_plain_sql, |world| {
    let world = weeks::world(world).await;
    world.register_footer().await;
    week(&world, 0, Pass).await;
    let drill = id(&practised(&world, "double-skip"));
    let sla = practised(&world, "sla");
    let block = sla["run"]["run"].as_str().expect("a run").to_owned();
    let before = what_counts(&world);
    all_are_refused(&world, &ways_to_count(&drill, &block));
    // A pending run is its pipeline's, but for this: what was minted as a drill stays one.
    let hash = "a".repeat(64);
    world
        .mint("pub-1", Some(&hash), Some(&hash))
        .expect("minted");
    let mark = |drill: &str| {
        format!("UPDATE publish_snapshots SET drill = {drill} WHERE publish_run_id = 'pub-1'")
    };
    world.sql(&mark("TRUE")).expect("its pipeline may");
    let said = world.sql(&mark("FALSE")).expect_err("a wall");
    assert!(said.contains("a run that is a drill stays one"), "{said}");
    world.sql("DELETE FROM drill_record").expect_err("a wall");
    // Where the triggers are gone the constraint is still there, and verification finds the rest.
    let away = world.walls_away("drill_record");
    let unmarked = format!("BEGIN; {away} UPDATE drill_record SET drill = FALSE; ROLLBACK;");
    let said = world.sql_as("maya", &unmarked).expect_err("a constraint");
    assert!(said.contains("always_a_drill"), "{said}");
    // All that is new is the run that was minted here.
    let mut expected = before;
    expected[8] = world.owner_sql("SELECT COUNT(*), SUM(version) FROM publish_snapshots");
    assert_eq!(what_counts(&world)[..10], expected[..10]);
    world.assert_sound().await;
});

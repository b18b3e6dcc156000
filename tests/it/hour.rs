//! The hour of a cutover: its steps follow each other, somebody always leads it, it is given up at any time, and whoever is
//! lost in the middle is replaced.

use govdeck::actions::Asked;
use govdeck::rules::migration::hour::{Step, StepState};
use govdeck::rules::week::RunStatus;
use serde_json::json;

use crate::cli_kit::{document, govdeck, said};
use crate::support::hour_story::{at_the_flip, attest, begin, end, flipped, plan, register, start};
use crate::support::migration_story::{
    ID, closed, compared, cut_over, dual_writing, opened, ready, world,
};
use crate::support::{World, on_both, weeks};

/// The steps of the newest hour with their states.
fn steps(world: &World) -> Vec<String> {
    world.rows(
        "SELECT step || ' ' || state || ' ' || attempt FROM cutover_step WHERE attempt > 0 \
         AND hour_no = (SELECT MAX(hour_no) FROM cutover_hour) ORDER BY began_at_utc, version DESC, step",
    )
}

fn hour_is(world: &World) -> String {
    world
        .rows(
            "SELECT hour_no || ' ' || status || ' ' || lead_id FROM cutover_hour ORDER BY hour_no",
        )
        .join(", ")
}

async fn note(world: &World, text: &str) -> Result<(), String> {
    let asked = Asked::of(ID).with("note", text);
    let noted = world.act("maya", "note_post_mortem", asked).await;
    noted.map(drop)
}

on_both!(an_hour_goes_its_whole_way, |w| {
    let world = world(w).await;
    closed(&world).await;
    assert_eq!(hour_is(&world), "1 running maya");
    assert_eq!(
        world.rows("SELECT signer_id || ' ' || flipped_by FROM migration_signoff"),
        ["lee maya"]
    );
    assert_eq!(
        world.rows("SELECT dictionary_semver || ' ' || footer_schema_semver || ' ' || annex_view_version FROM migration_complete_event"),
        ["2.4.1 v2.4.0 annex-2.4.1"]
    );
    // What another signed off is no ack, and counts for no streak.
    assert_eq!(world.rows("SELECT COUNT(*) FROM signer_ack"), ["0"]);
    assert_eq!(
        world.rows("SELECT banner_id FROM dictionary_migration_state"),
        [format!("{ID}/1")]
    );
    let why = note(&world, "done").await.unwrap_err();
    assert!(why.contains("says_something"), "{why}");
    let text = "Late responses have another label; no total was expected to move, and none did.";
    note(&world, text).await.expect("noted");
    assert_eq!(hour_is(&world), "1 done maya");
    let states = world.rows("SELECT DISTINCT state FROM cutover_step");
    assert_eq!(states, ["done"]);
    assert_eq!(
        world.rows("SELECT kind || ': ' || notice_text FROM migration_notice"),
        [format!("post_mortem: {text}")]
    );
    let why = note(&world, text).await.unwrap_err();
    assert!(why.contains("hour_runs"), "{why}");
    world.assert_sound().await;
});

on_both!(an_hour_waits_for_its_plan_its_gates_and_its_window, |w| {
    let world = world(w).await;
    dual_writing(&world).await;
    let why = start(&world).await.unwrap_err();
    for id in ["planned", "lockstep", "window_near", "D1", "D7", "G3"] {
        assert!(why.contains(&format!("{id}:")), "{id}: {why}");
    }
    // What only the hour brings is not asked for: the replay again, and the window itself.
    assert!(!why.contains("G4:") && !why.contains("D2:"), "{why}");
    assert!(world.rows("SELECT 1 FROM cutover_hour").is_empty());
});

on_both!(steps_follow_each_other, |w| {
    let world = world(w).await;
    ready(&world).await;
    start(&world).await.expect("begun");
    assert_eq!(steps(&world), ["announce running 1"]);
    let why = start(&world).await.unwrap_err();
    assert!(why.contains("one_hour"), "{why}");
    let why = begin(&world, "maya", "golden").await.unwrap_err();
    assert!(why.contains("next_step"), "{why}");
    let why = world
        .act("maya", "cutover", Asked::of(ID))
        .await
        .unwrap_err();
    assert!(why.contains("flip_step"), "{why}");
    attest(&world, "maya", "announce", "done")
        .await
        .expect("announced");
    let why = begin(&world, "maya", "golden").await.unwrap_err();
    assert!(why.contains("everybody_heard"), "{why}");
    world.set_time("2098-05-22T06:18:00Z").await;
    begin(&world, "maya", "golden").await.expect("begun");
    // A person's word does not end what govdeck does itself.
    for state in ["done", "failed", "skipped"] {
        let why = attest(&world, "maya", "golden", state).await.unwrap_err();
        assert!(why.contains("may_be_said"), "{state}: {why}");
    }
    end(&world, Step::Golden, 1, StepState::Failed)
        .await
        .expect("it failed");
    begin(&world, "maya", "golden").await.expect("again");
    // Whoever was at it before comes back too late.
    let why = end(&world, Step::Golden, 1, StepState::Done)
        .await
        .unwrap_err();
    assert!(why.contains("still_at_it"), "{why}");
    end(&world, Step::Golden, 2, StepState::Done)
        .await
        .expect("frozen");
    let why = attest(&world, "maya", "flip", "skipped").await.unwrap_err();
    assert!(why.contains("may_be_said"), "{why}");
    begin(&world, "maya", "flip").await.expect("begun");
    let why = attest(&world, "maya", "flip", "done").await.unwrap_err();
    assert!(why.contains("flipped"), "{why}");
    let why = world
        .act("maya", "cutover", Asked::of(ID))
        .await
        .unwrap_err();
    assert!(why.contains("replayed_again"), "{why}");
    assert_eq!(
        steps(&world),
        ["announce done 1", "golden done 2", "flip running 1"]
    );
    world.assert_sound().await;
});

on_both!(edits_are_frozen_while_an_hour_runs, |w| {
    let world = world(w).await;
    ready(&world).await;
    let question = || {
        Asked::of("faq-1")
            .with("metric", "MET-0144")
            .with("question", "When is it late?")
            .with("anchor", "annex.html#late")
    };
    start(&world).await.expect("begun");
    for (verb, asked) in [
        ("put_faq", question()),
        ("register_footer", Asked::of("v2.5.0")),
        ("protect_metric", Asked::of(ID).with("metric", "MET-0171")),
    ] {
        let who = if verb == "put_faq" { "lee" } else { "maya" };
        let why = world.act(who, verb, asked).await.unwrap_err();
        assert!(why.contains("frozen"), "{verb}: {why}");
    }
    let why = register(&world, &plan()).await.unwrap_err();
    assert!(why.contains("no_hour_runs"), "{why}");
    let given_up = world.act("lee", "abort_hour", Asked::of(ID)).await;
    given_up.expect("given up");
    assert_eq!(hour_is(&world), "1 aborted maya");
    assert_eq!(steps(&world), ["announce aborted 1"]);
    // Before the flip nothing had changed: another hour may begin.
    start(&world).await.expect("begun");
    assert_eq!(hour_is(&world), "1 aborted maya, 2 running maya");
    world.assert_sound().await;
});

on_both!(the_note_is_the_last_step, |w| {
    let world = world(w).await;
    cut_over(&world).await;
    let text = "It was cut over, and this comes too early to be of any use.";
    let why = note(&world, text).await.unwrap_err();
    assert!(why.contains("next_step") && why.contains("closed"), "{why}");
});

on_both!(what_was_flipped_goes_back_with_the_hour, |w| {
    let world = world(w).await;
    cut_over(&world).await;
    let given_up = world.act("lee", "abort_hour", Asked::of(ID)).await;
    given_up.expect("given up");
    assert_eq!(hour_is(&world), "1 aborted maya");
    assert_eq!(
        world.rows("SELECT phase || ' ' || rollback_reason FROM dictionary_migration_state"),
        ["rollback operator_abort"]
    );
    assert_eq!(
        world.rows("SELECT moved_by || ' ' || CAST(needs_countersign AS INTEGER) FROM dictionary_migration_event WHERE kind = 'rollback'"),
        ["lee 1"]
    );
    // Exporters are deployed anew, and partners are told.
    assert_eq!(
        world.rows("SELECT from_semver || ' ' || to_semver || ' ' || owner_id FROM redeploy_task"),
        ["2.4.1 2.4.0 kim"]
    );
    assert_eq!(
        world.rows("SELECT kind FROM migration_notice"),
        ["rolled_back"]
    );
    world.assert_sound().await;
});

on_both!(a_migration_taken_back_in_its_hour_ends_it, |w| {
    let world = world(w).await;
    cut_over(&world).await;
    let back = Asked::of(ID)
        .with("because", "cutover_step_failed")
        .with("note", "the annex showed other totals");
    let back = world.act("lee", "roll_back_migration", back).await;
    back.expect("taken back");
    assert_eq!(hour_is(&world), "1 aborted maya");
    assert!(steps(&world).contains(&"flip aborted 1".to_owned()));
    world.assert_sound().await;
});

on_both!(somebody_else_takes_the_hour_over_in_the_middle, |w| {
    let world = world(w).await;
    ready(&world).await;
    at_the_flip(&world).await;
    let why = begin(&world, "lee", "flip").await.unwrap_err();
    assert!(why.contains("leads"), "{why}");
    let to = |who: &str| Asked::of(ID).with("to", who);
    let why = world
        .act("lee", "hand_over_hour", to("kim"))
        .await
        .unwrap_err();
    assert!(
        why.contains("one_of_both") && why.contains("is_lead"),
        "{why}"
    );
    world
        .act("lee", "hand_over_hour", to("lee"))
        .await
        .expect("taken");
    assert_eq!(hour_is(&world), "1 running lee");
    let why = begin(&world, "maya", "flip").await.unwrap_err();
    assert!(why.contains("leads"), "{why}");
    // What maya had begun is void once lee begins it.
    begin(&world, "lee", "flip").await.expect("again");
    let why = end(&world, Step::Flip, 1, StepState::Failed)
        .await
        .unwrap_err();
    assert!(why.contains("still_at_it"), "{why}");
    assert_eq!(
        world.rows("SELECT DISTINCT recipient_id FROM notification_outbox WHERE subject LIKE '%leads the hour'"),
        ["maya"]
    );
    world.assert_sound().await;
});

on_both!(nothing_is_closed_before_every_series_was_compared, |w| {
    let world = world(w).await;
    cut_over(&world).await;
    flipped(&world).await;
    begin(&world, "maya", "reconcile").await.expect("begun");
    let why = end(&world, Step::Reconcile, 1, StepState::Done)
        .await
        .unwrap_err();
    assert!(why.contains("every_series_passed"), "{why}");
    compared(&world, RunStatus::Fail).await;
    let why = end(&world, Step::Reconcile, 1, StepState::DoneWithWarning)
        .await
        .unwrap_err();
    assert!(why.contains("every_series_passed"), "{why}");
    end(&world, Step::Reconcile, 1, StepState::Failed)
        .await
        .expect("it failed");
    for at in [3, 4] {
        weeks::plan(&world, at).await;
    }
    let why = world
        .act("lee", "close_migration", Asked::of(ID))
        .await
        .unwrap_err();
    assert!(why.contains("in_the_hour"), "{why}");
    world.assert_sound().await;
});

on_both!(a_plan_is_of_its_migration, |w| {
    let world = world(w).await;
    opened(&world).await;
    let mut other = plan();
    other["migration_id"] = json!("mig-other");
    let why = register(&world, &other).await.unwrap_err();
    assert!(why.contains("of_this_migration"), "{why}");
    let mut open = plan();
    open["goldens"] = json!([]);
    let why = register(&world, &open).await.unwrap_err();
    assert!(why.contains("leadership"), "{why}");
    register(&world, &plan()).await.expect("registered");
    let why = register(&world, &plan()).await.unwrap_err();
    assert!(why.contains("says_something"), "{why}");
});

on_both!(plain_sql_moves_no_step, |w| {
    let world = world(w).await;
    ready(&world).await;
    at_the_flip(&world).await;
    let truth = if world.is_postgres() { "TRUE" } else { "1" };
    for sql in [
        "UPDATE cutover_hour SET lead_id = 'lee', version = version + 1".to_owned(),
        "UPDATE cutover_hour SET status = 'done', ended_by = 'maya', ended_at_utc = begun_at_utc, version = version + 1".to_owned(),
        "UPDATE cutover_step SET state = 'done', detail = 'x', ended_at_utc = began_at_utc, version = version + 1 WHERE step = 'flip'".to_owned(),
        "UPDATE cutover_step SET state = 'skipped' WHERE step = 'purge'".to_owned(),
        format!("UPDATE dictionary_migration_state SET phase = 'cutover', version = version + {truth}").replace("+ TRUE", "+ 1"),
        "DELETE FROM cutover_step".to_owned(),
        "DELETE FROM cutover_hour".to_owned(),
        "UPDATE cutover_plan SET version = version + 1".to_owned(),
        format!("INSERT INTO migration_signoff SELECT '{ID}', job_run_id, 'lee', 'maya', scheduled_at, 1 FROM reconciliation_window"),
    ] {
        assert!(world.sql_as("maya", &sql).is_err(), "{sql}");
    }
    assert_eq!(hour_is(&world), "1 running maya");
    world.assert_sound().await;
});

on_both!(an_hour_is_shown_to_everybody, |w| {
    let world = world(w).await;
    ready(&world).await;
    let before = govdeck(&world, "kim", &["hour", "show"]);
    assert!(said(&before, 0).contains("no hour was begun"));
    at_the_flip(&world).await;
    let now = govdeck(&world, "kim", &["hour", "show", "--json"]);
    let json = document(&now, 0, "hour-show");
    assert_eq!(json["hour"]["lead_id"], "maya");
    assert_eq!(json["steps"][2]["state"], "running");
    let next = json["next"].as_str().expect("a text");
    assert!(
        next.contains(&format!("govdeck act cutover {ID}")),
        "{next}"
    );
    let now = govdeck(&world, "kim", &["hour", "show", ID]);
    let text = said(&now, 0);
    assert!(text.contains("1 announce  done"), "{text}");
    assert!(text.contains("of the hour left"), "{text}");
});

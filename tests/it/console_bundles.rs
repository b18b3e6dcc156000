//! Bundles in the console: who claims a run has it made, sees how far it has come, and is told how it ended.

use std::time::Duration;

use govdeck::bundles::Step;
use govdeck::console::event::{Effect, Event};
use govdeck::console::running::{Came, Running, Work};
use govdeck::jobs::bundle::Ended;
use govdeck::rules::Refusal;
use govdeck::rules::bundle::RunType;
use govdeck::rules::bundle_run::RunOutcome;

use crate::console_dialog::{is_asking, is_done};
use crate::support::bundle_story::{ID, merged};
use crate::support::desk::{Answers, Desk, Written};
use crate::support::{REASON, World, on_both};

/// Sits kim down, armed, with the claim of a merged bundle shown and everything typed but the last key.
async fn about_to_claim(world: &World) -> Desk {
    merged(world, ID).await;
    let mut desk = Desk::open(world, "kim").await;
    desk.arm().await;
    desk.press("7 a x").await;
    desk.write("dev").await;
    desk.press("enter enter").await;
    assert!(is_asking(&desk), "{}", desk.screen(100, 40));
    desk.wait(500).await;
    desk.paste(REASON).await;
    desk.press("tab").await;
    let phrase = desk.screen(100, 40);
    let phrase = phrase.split_once("Type  ").expect("a phrase").1;
    let phrase = phrase.split_once("  to allow").expect("its end").0;
    desk.write(phrase).await;
    desk.press("tab").await;
    desk.wait(500).await;
    desk
}

async fn confirmed(desk: &mut Desk) {
    desk.press("space").await;
    desk.wait(6_000).await;
}

fn asked_to_run(desk: &Desk) -> Vec<(&str, RunType)> {
    let runs = desk.told.iter().filter_map(|effect| match effect {
        Effect::Run {
            migration_id,
            work: Work::Bundle(run_type),
            ..
        } => Some((&**migration_id, *run_type)),
        _ => None,
    });
    runs.collect()
}

async fn ran(desk: &mut Desk, running: &Running) {
    desk.happen(Event::Run(Box::new(running.clone()))).await;
}

fn statement(number: usize) -> Step {
    Step::Statement {
        number,
        of: 2,
        file: "forward.sql".to_owned(),
        line: number,
    }
}

on_both!(a_claim_is_made_and_its_run_is_watched, |world| {
    let world = world.where_two_can_agree().await;
    let mut desk = about_to_claim(&world).await;
    assert_eq!(asked_to_run(&desk), [], "nothing runs before it is claimed");
    confirmed(&mut desk).await;
    assert!(is_done(&desk), "{}", desk.screen(100, 40));
    assert_eq!(asked_to_run(&desk), [(ID, RunType::Migration)]);
    let mut running = Running::new(ID, Work::Bundle(RunType::Migration), desk.at());
    ran(&mut desk, &running).await;
    running.take(Step::Look, desk.at());
    running.take(statement(1), desk.at());
    ran(&mut desk, &running).await;
    desk.shows(&[
        "DONE: ledger entry",
        "is being made here since 00:00",
        "statement 1 of 2",
    ]);
    // The dialog can be closed, and every key does what it does.
    desk.press("esc 4 7").await;
    assert!(desk.model.dialog.is_none());
    desk.wait(3_000).await;
    desk.shows(&[
        "[7 Bundles",
        "is being made here since 00:03",
        "statement 1 of 2",
    ]);
    running.take(statement(2), desk.at());
    ran(&mut desk, &running).await;
    desk.shows(&["statement 2 of 2, forward.sql:2"]);
    desk.hides(&["statement 1 of 2"]);
    let receipt = "4f".repeat(32);
    running.end = Some((
        desk.at(),
        Ok(Came::Bundle(Ended {
            run_id: format!("{ID}.migration.1"),
            migration_id: ID.to_owned(),
            outcome: RunOutcome::Refused,
            detail: Some("scope_violation: rivers".to_owned()),
            receipt_sha256: receipt,
            written: None,
        })),
    ));
    ran(&mut desk, &running).await;
    assert!(
        desk.says().contains("refused, receipt 4f4f4f4f4f4f"),
        "{}",
        desk.says()
    );
    desk.wait(60_000).await;
    desk.shows(&["after 00:0", "scope_violation: rivers"]);
});

on_both!(
    a_claim_whose_answer_was_lost_is_run_when_it_is_found,
    |world| {
        let world = world.where_two_can_agree().await;
        let mut desk = about_to_claim(&world).await;
        desk.answers = Answers::Wait;
        confirmed(&mut desk).await;
        let ticket = desk.lose_answer(Written::Yes).await;
        assert_eq!(
            asked_to_run(&desk),
            [],
            "nobody knows whether it was claimed"
        );
        desk.resolve(&ticket).await;
        assert_eq!(asked_to_run(&desk), [(ID, RunType::Migration)]);
    }
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_was_not_written_is_not_run() {
    let world = World::sqlite().await;
    let world = world.where_two_can_agree().await;
    let mut desk = about_to_claim(&world).await;
    desk.answers = Answers::Wait;
    confirmed(&mut desk).await;
    let ticket = desk.lose_answer(Written::No).await;
    desk.resolve(&ticket).await;
    assert_eq!(asked_to_run(&desk), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_during_a_run_says_so_and_the_seconds_are_counted() {
    let world = World::sqlite().await;
    let mut desk = Desk::open(&world, "kim").await;
    let still = |desk: &Desk| desk.model.counts();
    assert!(!still(&desk));
    let mut running = Running::new(ID, Work::Bundle(RunType::Rollback), desk.at());
    ran(&mut desk, &running).await;
    assert!(still(&desk), "a run counts");
    desk.press("q").await;
    desk.shows(&[
        "Leave govdeck?",
        "is being taken back",
        "Leaving waits for its end",
    ]);
    desk.press("n").await;
    let why = Refusal::new("the database is gone", "see whether it runs");
    running.end = Some((desk.at() + Duration::from_secs(1), Err(why)));
    ran(&mut desk, &running).await;
    assert!(!still(&desk), "what has ended counts no more");
    assert!(
        desk.says()
            .contains("was not taken back: the database is gone"),
        "{}",
        desk.says()
    );
    desk.press("q").await;
    desk.shows(&["Nothing is lost by leaving."]);
}

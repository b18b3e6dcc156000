//! What becomes due by itself: a rollback that one lead did alone and that nobody countersigned.

use govdeck::actions::{About, Asked, ByRule};
use govdeck::jobs::due;

use crate::cli_kit::{document, govdeck, said};
use crate::support::migration_story::{ID, dual_writing, world};
use crate::support::weeks::by_rule;
use crate::support::{World, on_both};

const OPEN: &str = "SELECT owner_id || ' ' || kind || ' ' || subject || ': ' || detail FROM deficiency WHERE closed_at_utc IS NULL";

/// Takes the migration back alone, as maya, at a time.
async fn taken_back(world: &World, at: &str) {
    dual_writing(world).await;
    world.set_time(at).await;
    let back = Asked::of(ID)
        .with("because", "operator_abort")
        .with("note", "totals moved");
    let moved = world.act("maya", "roll_back_migration", back).await;
    moved.expect("taken back");
}

fn due(world: &World) -> String {
    said(&govdeck(world, "maya", &["job", "due"]), 0).to_owned()
}

on_both!(
    what_nobody_countersigns_within_a_day_becomes_a_task_once,
    |w| {
        let world = world(w).await;
        assert_eq!(due(&world), "nothing is due\n");
        taken_back(&world, "2098-05-20T10:00:00Z").await;
        world.set_time("2098-05-21T09:59:00Z").await;
        assert_eq!(due(&world), "nothing is due\n");
        world.set_time("2098-05-21T10:05:00Z").await;
        let found = document(
            &govdeck(&world, "maya", &["job", "due", "--json"]),
            0,
            "job-due",
        );
        let [opened] = &found["opened"].as_array().expect("a list")[..] else {
            panic!("one is opened: {found}")
        };
        assert_eq!(
            (
                &opened["migration_id"],
                &opened["event_no"],
                &opened["moved_by"]
            ),
            (&ID.into(), &3.into(), &"maya".into())
        );
        // It goes to another lead than whoever did it.
        assert_eq!(
            world.rows(OPEN),
            ["lee countersign 3: nobody countersigned within 24 hours that maya took it back"]
        );
        let told =
            "SELECT recipient_id FROM notification_outbox WHERE event_class = 'deficiency_opened'";
        assert_eq!(world.rows(told), ["lee"]);
        assert_eq!(due(&world), "nothing is due\n");
        // Closed it does not come again, though it still waits for a second person, who may come late.
        let id = opened["deficiency_id"].as_str().expect("an id");
        let closed = world.act("lee", "close_deficiency", Asked::of(id)).await;
        closed.expect("closed");
        world.set_time("2098-05-25T10:00:00Z").await;
        assert_eq!(due(&world), "nothing is due\n");
        let signed = world.act("kim", "countersign_move", Asked::of(ID)).await;
        signed.expect("countersigned");
        assert_eq!(world.rows("SELECT COUNT(*) FROM deficiency"), ["1"]);
        world.assert_sound().await;
    }
);

on_both!(what_was_countersigned_in_time_is_nobody_s_task, |w| {
    let world = world(w).await;
    taken_back(&world, "2098-05-20T10:00:00Z").await;
    let signed = world.act("kim", "countersign_move", Asked::of(ID)).await;
    signed.expect("countersigned");
    world.set_time("2098-05-22T10:00:00Z").await;
    assert_eq!(due(&world), "nothing is due\n");
    // The rule itself refuses, whoever asks it.
    for (number, why) in [(3, "waits"), (2, "waits"), (9, "no such move")] {
        let rule = ByRule::OpenDeficiency {
            deficiency: "a".repeat(32),
            migration: ID.to_owned(),
            about: About::Move(number),
        };
        let no = by_rule(&world, "maya", rule).await.expect_err(why);
        assert!(no.contains(why), "{no}");
    }
    assert_eq!(world.rows("SELECT COUNT(*) FROM deficiency"), ["0"]);
});

on_both!(two_timers_at_once_open_one_deficiency, |w| {
    let world = world(w).await;
    taken_back(&world, "2098-05-20T10:00:00Z").await;
    world.set_time("2098-05-22T10:00:00Z").await;
    let (one, two) = (world.store("maya").await, world.store("lee").await);
    let (first, second) = tokio::join!(due::run(&one), due::run(&two));
    let opened = [first, second].map(|it| it.expect("done").opened.len());
    assert_eq!(opened.iter().sum::<usize>(), 1, "{opened:?}");
    assert_eq!(world.rows("SELECT COUNT(*) FROM deficiency"), ["1"]);
    one.close().await;
    two.close().await;
});

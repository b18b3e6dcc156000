//! Two consoles that flip a migration at once.

use govdeck::console::dialog::Stage;

use crate::console_approvals::{fill, go_ahead};
use crate::console_dialog::{is_asking, is_done, stage};
use crate::support::desk::{Answers, Desk};
use crate::support::hour_story::at_the_flip;
use crate::support::migration_story::{ready, world};
use crate::support::{World, on_both};

/// A terminal of whoever leads the hour, at which the flip was confirmed and is about to be carried out.
async fn about_to_flip(world: &World, console_id: &str) -> Desk {
    let mut desk = Desk::open(world, "maya").await;
    console_id.clone_into(&mut desk.model.start.console_id);
    desk.arm().await;
    desk.press("6 a x").await;
    assert!(is_asking(&desk), "{}", desk.screen(80, 24));
    desk.answers = Answers::Wait;
    fill(&mut desk).await;
    go_ahead(&mut desk).await;
    assert_eq!(desk.waiting.len(), 1, "{}", desk.screen(80, 24));
    desk
}

on_both!(of_two_consoles_that_flip_at_once_one_wins, |w| {
    let world = world(w).await;
    ready(&world).await;
    at_the_flip(&world).await;
    let mut one = about_to_flip(&world, "one0000000000000").await;
    let mut two = about_to_flip(&world, "two0000000000000").await;
    tokio::join!(one.answer(), two.answer());
    let (won, lost) = if is_done(&one) {
        (one, two)
    } else {
        (two, one)
    };
    assert!(is_done(&won), "{}", won.screen(80, 24));
    let Stage::Refused(refusal) = stage(&lost) else {
        panic!("{}", lost.screen(80, 24));
    };
    let why = refusal.to_string();
    assert!(why.contains("phase") || why.contains("changed"), "{why}");
    let flips = "SELECT COUNT(*) FROM dictionary_migration_event WHERE phase = 'cutover'";
    assert_eq!(world.rows(flips), ["1"]);
    world.assert_sound().await;
});

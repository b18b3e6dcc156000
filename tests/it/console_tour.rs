//! The card for a newcomer and the tour, which leads through the console by its own keys; neither writes anything.

use govdeck::console::event::{Effect, Event};
use govdeck::console::newcomer::Card;
use govdeck::console::panes::PaneId;

use crate::console_kit::{console, opened};
use crate::support::desk::{Desk, drawn, text_of};
use crate::support::{World, on_both, still};

const CARD: &str = "New here?";

async fn looked_at(world: &World) -> String {
    world.register_footer().await;
    world.block("pub-1").await;
    world.owner_sql("SELECT seq, hash FROM ledger_head")
}

on_both!(each_step_is_done_by_its_own_keys, |world| {
    let before = looked_at(&world).await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.hides(&["tour 1/8"]);
    desk.press("*").await;
    for (step, keys) in ["4", "w", "esc", "a", "t", "esc 8", "V", "?"]
        .iter()
        .enumerate()
    {
        desk.shows(&[&format!("tour {}/8", step + 1)]);
        desk.press(keys).await;
    }
    assert!(desk.model.tour.is_none(), "the tour is over");
    assert_eq!(world.owner_sql("SELECT seq, hash FROM ledger_head"), before);
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_keys_end_it() {
    let world = World::sqlite().await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("*").await;
    assert!(desk.model.tour.is_some());
    desk.press("*").await;
    assert!(desk.model.tour.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn esc_puts_the_card_away_and_the_tour_brings_it_back() {
    let world = World::sqlite().await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.hides(&[CARD]);
    desk.model.card = Card::Shown;
    desk.shows(&[
        CARD,
        "Home says what comes next",
        "leads you through all of it in eight steps",
        "Phase",
        "Blocked",
    ]);
    // It stays while somebody looks elsewhere, and esc there is about what is open there.
    desk.press("4 esc").await;
    desk.hides(&[CARD]);
    desk.press("1 ? esc").await;
    desk.shows(&[CARD]);
    let is_kept = |desk: &Desk| {
        let kept = |told: &&Effect| matches!(told, Effect::KeepCardRead);
        desk.told.iter().filter(kept).count()
    };
    assert_eq!(is_kept(&desk), 0);
    desk.press("esc").await;
    desk.hides(&[CARD]);
    assert_eq!(is_kept(&desk), 1);
    desk.press("esc").await;
    assert_eq!(is_kept(&desk), 1, "there is nothing to put away any more");
    desk.press("4").await;
    desk.choose("tour").await;
    assert_eq!(desk.model.pane, PaneId::Home);
    desk.shows(&[CARD, "tour 1/8"]);
}

/// The card gives way to what Home is about where there is no room for both, and a click still hits its line.
#[test]
fn the_card_takes_no_room_that_is_not_there() {
    let mut model = still::model(PaneId::Home, still::picture);
    model.card = Card::Shown;
    for (size, is_shown) in [
        ((80, 24), true),
        ((160, 48), true),
        ((80, 19), false),
        ((20, 5), false),
    ] {
        let (columns, rows) = size;
        let resized = crossterm::event::Event::Resize(columns, rows);
        model.update(Event::Input(resized), model.at);
        let screen = text_of(&drawn(&model, columns, rows));
        assert_eq!(screen.contains(CARD), is_shown, "{screen}");
    }
    let resized = crossterm::event::Event::Resize(80, 24);
    model.update(Event::Input(resized), model.at);
    let screen = text_of(&drawn(&model, 80, 24));
    let line = screen.lines().position(|line| line.contains("cert week"));
    let line = u16::try_from(line.expect("it is shown")).expect("a small number");
    govdeck::console::panes::click(&mut model, 10, line);
    assert!(text_of(&drawn(&model, 80, 24)).contains("> cert week"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_that_was_read_does_not_come_back_by_itself() {
    let world = World::sqlite().await;
    for is_new in [true, false] {
        let mut terminal = opened(&console(&world, "maya"));
        if is_new {
            terminal.wait_for(CARD);
            terminal.type_keys("esc");
            terminal.wait_gone(CARD);
        } else {
            assert!(!terminal.screen().contains(CARD));
        }
        terminal.type_keys("ctrl-c");
        terminal.wait_for("Leave govdeck?");
        terminal.type_keys("y");
        assert_eq!(terminal.exit_code(), 0);
    }
}

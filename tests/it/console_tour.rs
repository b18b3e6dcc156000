//! The tour leads through the console by its own keys, and writes nothing.

use crate::support::desk::Desk;
use crate::support::{World, on_both};

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

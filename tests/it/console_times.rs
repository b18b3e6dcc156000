//! When the console wakes, what makes it draw, and when it rings.

use std::sync::Arc;
use std::time::Duration;

use govdeck::actions::Asked;
use govdeck::console::event::{Effect, Event, Sight};
use govdeck::rules::week::RunStatus::{Fail, Pass};
use govdeck::store::block::ReasonCount;

use crate::support::desk::{Cable, Desk};
use crate::support::weeks::{run, week, world as weekly};
use crate::support::{World, on_both};

async fn blocked(world: &World) {
    world.register_footer().await;
    world.block("pub-1").await;
}

on_both!(the_console_sleeps_when_nothing_counts, |world| {
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("esc").await;
    let sleeps = |desk: &Desk| desk.model.wakes_at().expect("some day") - desk.at();
    // The header's minute, or the moment from which the picture would be late.
    assert!(!desk.model.counts());
    let until_late = Duration::from_millis(3_700);
    let minute = 60 - u64::from(second_of(&desk));
    assert!(
        sleeps(&desk) >= until_late.min(Duration::from_secs(minute - 1)),
        "{:?}",
        sleeps(&desk)
    );
    blocked(&world).await;
    desk.see().await;
    assert!(desk.model.counts(), "the block's time is on the screen");
    assert!(
        sleeps(&desk) <= Duration::from_millis(1_001),
        "{:?}",
        sleeps(&desk)
    );
    let before = desk.screen(80, 24);
    desk.wait(1_002).await;
    assert_ne!(desk.screen(80, 24), before, "it counts");
    desk.press("8").await;
    assert!(!desk.model.counts(), "the ledger has no timers");
    desk.press("1").await;
    world
        .act("lee", "take_block", Asked::of("pub-1"))
        .await
        .expect("taken");
    desk.see().await;
    assert!(!desk.model.counts(), "it is answered");
    desk.arm().await;
    assert!(desk.model.counts(), "the armed time is on the screen");
    assert!(sleeps(&desk) <= Duration::from_millis(1_001));
});

/// The desk's picture anew, with other counts.
async fn with_reasons(desk: &Desk, reasons: Vec<ReasonCount>) -> Event {
    let mut picture = desk.picture().await;
    picture.reasons = reasons;
    picture.at = desk.at();
    Event::Sight(Sight {
        picture: Some(Arc::new(picture)),
        link: desk.model.link.clone(),
    })
}

fn second_of(desk: &Desk) -> u32 {
    use chrono::Timelike;
    desk.model.now().expect("a time").as_datetime().second()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heartbeats_draw_nothing() {
    let world = World::sqlite().await;
    let mut desk = Desk::open(&world, "maya").await;
    let heartbeat = |desk: &Desk| {
        let mut link = desk.model.link.clone();
        link.heard = Some(desk.at());
        Event::Sight(Sight {
            picture: desk.model.picture.clone(),
            link,
        })
    };
    assert!(desk.model.take_redraw());
    assert!(!desk.model.take_redraw(), "once");
    desk.happen(heartbeat(&desk)).await;
    assert!(!desk.model.take_redraw(), "nothing has changed");
    desk.see().await;
    assert!(desk.model.take_redraw(), "a new picture");
    desk.cable = Cable::Silent;
    desk.wait(5_000).await;
    desk.model.take_redraw();
    desk.happen(heartbeat(&desk)).await;
    assert!(desk.model.take_redraw(), "live again");
    desk.press("j").await;
    assert!(desk.model.take_redraw());
}

/// How often the bell was rung.
fn rings(desk: &Desk) -> usize {
    let bells = desk.told.iter();
    bells
        .filter(|effect| matches!(effect, Effect::Bell(_)))
        .count()
}

on_both!(a_gate_that_stands_otherwise_rings_once, |world| {
    world.register_footer().await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("8").await;
    assert_eq!(rings(&desk), 0);
    world.block("pub-1").await;
    desk.see().await;
    assert_eq!(rings(&desk), 1);
    let said = "the publish gate: FAIL now, 0 passed this week, 0 wait, 1 blocks open";
    assert_eq!(desk.says(), said);
    world.block("pub-2").await;
    desk.see().await;
    assert_eq!(rings(&desk), 1, "it stands as it stood");
    desk.press("!").await;
    desk.shows(&["the publish gate: FAIL now"]);
});

on_both!(a_run_that_waits_for_a_name_rings_whoever_signs, |world| {
    let world = weekly(world).await;
    let mut kim = Desk::open(&world, "kim").await;
    let mut lee = Desk::open(&world, "lee").await;
    week(&world, 0, Pass).await;
    for desk in [&mut kim, &mut lee] {
        desk.press("4").await;
        desk.see().await;
        assert_eq!(rings(desk), 0, "amber before and after");
    }
    week(&world, 1, Pass).await;
    kim.see().await;
    lee.see().await;
    assert_eq!(rings(&kim), 1, "once for all that is new");
    assert_eq!(kim.says(), format!("{} waits for your name", run(1)));
    assert_eq!(rings(&lee), 1);
    assert_eq!(lee.says(), "governance is GREEN now");
    kim.press("1").await;
    kim.shows(&["Waits for you · 1", &format!("sign {}", run(1))]);
    lee.press("1").await;
    lee.shows(&["Waits for you · 0"]);
    week(&world, 2, Fail).await;
    kim.see().await;
    assert_eq!(rings(&kim), 2);
    assert_eq!(kim.says(), "governance is AMBER now");
});

on_both!(a_block_that_runs_past_its_time_rings_once, |world| {
    blocked(&world).await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.wait(29 * 60_000).await;
    assert_eq!(rings(&desk), 0);
    desk.wait(2 * 60_000).await;
    assert_eq!(rings(&desk), 1);
    assert_eq!(desk.says(), "pub-1 has run past its time, and it is yours");
    desk.shows(&["BREACH +0"]);
    desk.wait(10 * 60_000).await;
    assert_eq!(rings(&desk), 1);
    // Another one of the same reason rings as well.
    let rung = rings(&desk);
    let picture = desk.model.picture.clone().expect("a picture");
    let mut reasons = picture.reasons.clone();
    for reason in &mut reasons {
        reason.late = 2;
    }
    desk.happen(with_reasons(&desk, reasons).await).await;
    assert_eq!(rings(&desk), rung + 1);
    // Whoever comes later is not rung for what had happened before.
    assert_eq!(rings(&Desk::open(&world, "lee").await), 0);
});

on_both!(a_block_that_turns_late_is_looked_at_anew, |world| {
    blocked(&world).await;
    let mut desk = Desk::open(&world, "lee").await;
    desk.wait(29 * 60_000).await;
    let before = desk.looks;
    desk.wait(2 * 60_000).await;
    assert_eq!(desk.looks, before + 1, "whom it waits for has changed");
    desk.wait(10 * 60_000).await;
    assert_eq!(desk.looks, before + 1, "once");
});

on_both!(who_was_armed_is_not_shown_for_ever, |world| {
    let mut maya = Desk::open(&world, "maya").await;
    maya.arm().await;
    let mut lee = Desk::open(&world, "lee").await;
    lee.wait(14 * 60_000).await;
    lee.shows(&["armed: maya"]);
    lee.wait(2 * 60_000).await;
    lee.hides(&["armed: maya"]);
});

//! What keeps the guarded dialog from confirming: a window that is too small, foreign keys, and news that comes late.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use govdeck::actions::{Asked, Stop};
use govdeck::console::dialog::Stage;
use govdeck::console::event::Event;
use govdeck::rules::Refusal;
use govdeck::rules::week::RunStatus::Pass;

use crate::console_dialog::{
    asked_to_grant, asked_to_take, blocked, entries, is_asking, is_done, stage,
};
use crate::support::desk::{Answers, Desk, Written};
use crate::support::weeks::{run, week, world as weekly};
use crate::support::{REASON, World, on_both};

/// Gives the console's window another height.
async fn resize(desk: &mut Desk, height: u16) {
    let resized = crossterm::event::Event::Resize(80, height);
    desk.happen(Event::Input(resized)).await;
    desk.wait(500).await;
}

on_both!(nothing_is_confirmed_whose_evidence_is_not_shown, |world| {
    blocked(&world).await;
    let before = entries(&world);
    let mut desk = asked_to_take(&world, "lee").await;
    for height in 10..12 {
        resize(&mut desk, height).await;
        let screen = desk.screen(80, height);
        assert!(screen.contains("enlarge the window to 12"), "{screen}");
        desk.say_yes().await;
        desk.press("tab space").await;
        desk.wait(500).await;
        assert!(is_asking(&desk), "{height}");
    }
    assert_eq!(entries(&world), before);
    resize(&mut desk, 12).await;
    let screen = desk.screen(80, 12);
    assert!(screen.contains("Changes  publish_replay_audit"), "{screen}");
    assert!(screen.contains("more lines: pgdn"), "{screen}");
    // The evidence ends, and the way back from its end is as long as the way there.
    desk.press("pgdn pgdn pgdn pgdn pgdn pgdn pgdn pgdn").await;
    assert!(desk.screen(80, 12).contains("the end: pgup"));
    desk.press("pgup").await;
    assert!(!desk.screen(80, 12).contains("the end: pgup"));
    desk.say_yes().await;
    assert!(is_done(&desk), "{}", desk.screen(80, 12));
});

on_both!(what_asks_for_more_needs_more_room, |world| {
    let mut desk = asked_to_grant(&world).await;
    desk.paste(REASON).await;
    desk.press("tab").await;
    desk.write("kim/on_call").await;
    desk.press("tab").await;
    let before = entries(&world);
    resize(&mut desk, 16).await;
    let screen = desk.screen(80, 16);
    assert!(screen.contains("enlarge the window to 17"), "{screen}");
    desk.press("space").await;
    desk.wait(500).await;
    assert!(is_asking(&desk));
    assert_eq!(entries(&world), before);
    resize(&mut desk, 17).await;
    let screen = desk.screen(80, 17);
    for seen in ["Changes", "Type  kim/on_call", "ready: ", "Cancel"] {
        assert!(screen.contains(seen), "{screen}");
    }
    desk.press("esc").await;
    assert!(desk.model.dialog.is_none());
});

on_both!(keys_with_alt_take_a_confirmation_back, |world| {
    blocked(&world).await;
    let before = entries(&world);
    let mut desk = asked_to_take(&world, "lee").await;
    desk.wait(500).await;
    desk.press("y").await;
    desk.wait(40).await;
    // Escape and a letter, as one chunk of bytes: the escape closes.
    desk.happen(with(KeyModifiers::ALT, 'y')).await;
    desk.wait(1_000).await;
    assert!(desk.model.dialog.is_none(), "{}", desk.screen(80, 24));
    desk.press("a t").await;
    desk.wait(500).await;
    desk.press("y").await;
    desk.wait(40).await;
    desk.happen(with(KeyModifiers::SUPER, 'x')).await;
    desk.wait(1_000).await;
    assert!(is_asking(&desk), "a yes with another key behind it");
    // A countdown, such as the last guard has, is stopped by any key.
    let Some(dialog) = &mut desk.model.dialog else {
        panic!("a dialog")
    };
    let Stage::Asking(asking) = &mut dialog.stage else {
        panic!("it asks")
    };
    asking.ahead_at = Some(desk.model.at + std::time::Duration::from_secs(1));
    desk.happen(with(KeyModifiers::SUPER, 'x')).await;
    assert_eq!(desk.says(), "stopped: nothing was written");
    desk.wait(2_000).await;
    assert!(is_asking(&desk));
    assert_eq!(entries(&world), before);
});

on_both!(a_key_that_was_typed_ahead_confirms_nothing, |world| {
    blocked(&world).await;
    let before = entries(&world);
    let mut desk = asked_to_take(&world, "lee").await;
    // However late it is taken: the loop may have had no core for a while.
    desk.wait(5_000).await;
    let yes = KeyEvent::new(KeyCode::Char('y'), KeyModifiers::NONE);
    desk.happen(Event::TypedAhead(yes)).await;
    assert!(desk.says().contains("too fast"), "{}", desk.says());
    desk.wait(2_000).await;
    assert!(is_asking(&desk));
    assert_eq!(entries(&world), before);
    desk.say_yes().await;
    assert_eq!(entries(&world), before + 1);
});

fn with(modifiers: KeyModifiers, letter: char) -> Event {
    let key = KeyEvent::new(KeyCode::Char(letter), modifiers);
    Event::Input(crossterm::event::Event::Key(key))
}

on_both!(
    a_late_comparison_closes_no_dialog_that_is_refused,
    |world| {
        blocked(&world).await;
        let mut lee = asked_to_take(&world, "lee").await;
        world
            .act("maya", "take_block", Asked::of("pub-1"))
            .await
            .expect("taken");
        lee.say_yes().await;
        assert!(matches!(stage(&lee), Stage::Refused(_)));
        let id = lee.model.dialog.as_ref().expect("a dialog").id;
        let late = Err(Stop::Refused(Refusal::new("taken by maya", "look again")));
        lee.happen(Event::Planned(id, Box::new(late))).await;
        assert!(
            matches!(stage(&lee), Stage::Refused(_)),
            "it stays to be read"
        );
    }
);

on_both!(the_armed_time_ends_in_the_database_too, |world| {
    let mut desk = Desk::open(&world, "maya").await;
    desk.arm().await;
    // As after a sleep of the machine: no time has passed here, but the database's has.
    world.owner_sql("UPDATE presence SET armed_until_utc = '2020-01-01T00:00:00.000000Z'");
    desk.see().await;
    desk.shows(&["READ-ONLY"]);
    assert_eq!(desk.says(), "disarmed: the armed time is over");
    assert!(desk.model.arming.left(desk.at()).is_none());
});

on_both!(arming_whose_answer_was_lost_is_taken_back, |world| {
    let armed = "SELECT COUNT(*) FROM presence WHERE armed_until_utc IS NOT NULL";
    let mut desk = Desk::open(&world, "maya").await;
    desk.answers = Answers::Wait;
    desk.press("a a").await;
    desk.say_yes().await;
    let ticket = desk.lose_answer(Written::Yes).await;
    assert_eq!(world.owner_sql(armed).trim(), "1");
    desk.resolve(&ticket).await;
    desk.shows(&["READ-ONLY", "DONE: ledger entry"]);
    assert_eq!(desk.says(), "disarmed: the answer to arming was lost");
    assert_eq!(world.owner_sql(armed).trim(), "0");
    // Whoever sees that others see it armed can end that.
    world
        .act(
            "maya",
            "arm_console",
            Asked::of(&desk.model.start.console_id),
        )
        .await
        .expect("armed");
    desk.press("esc").await;
    desk.see().await;
    desk.press("D").await;
    assert_eq!(desk.says(), "disarmed");
});

/// What escape closes it also closes when the next letter comes so fast that both arrive as one key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn escape_counts_when_a_letter_is_typed_right_behind_it() {
    let world = World::sqlite().await;
    let mut desk = Desk::open(&world, "maya").await;
    for keys in ["?", ":", "4 /", "a", "T"] {
        desk.press(keys).await;
        desk.happen(with(KeyModifiers::ALT, 'x')).await;
        assert!(desk.model.overlay.is_none(), "{keys}");
        assert!(desk.model.typing().is_none(), "{keys}");
        desk.press("esc").await;
    }
    desk.press("g").await;
    desk.happen(with(KeyModifiers::ALT, 'l')).await;
    assert!(desk.model.pending.is_empty());
    desk.happen(with(KeyModifiers::ALT, 'x')).await;
    assert_eq!(
        desk.says(),
        "keys with alt mean nothing here; ? lists the keys"
    );
    desk.press("?").await;
    desk.happen(with(KeyModifiers::SUPER, 'x')).await;
    assert!(desk.model.overlay.is_some(), "super is no escape");
}

on_both!(a_name_goes_under_numbers_that_were_read_to_their_end, |w| {
    let world = weekly(w).await;
    week(&world, 0, Pass).await;
    week(&world, 1, Pass).await;
    let mut desk = Desk::open(&world, "kim").await;
    desk.arm().await;
    desk.press("5 a s").await;
    desk.wait(500).await;
    assert!(is_asking(&desk), "{}", desk.screen(80, 24));
    let shown = desk.screen(80, 24);
    for said in ["Weekly numbers of sla", "read it to its end: pgdn"] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    desk.paste(REASON).await;
    desk.press("tab").await;
    desk.write(&run(1)).await;
    desk.press("tab space").await;
    desk.wait(500).await;
    assert_eq!(desk.says(), "read it to its end: pgdn");
    assert!(is_asking(&desk));
    let seen = desk.screen(80, 24);
    let mut all = seen.clone();
    while !desk.screen(80, 24).contains("the end: pgup") {
        desk.press("pgdn").await;
        all += &desk.screen(80, 24);
    }
    for said in [
        "MET-0144",
        "leadership 94.5",
        "is GREEN",
        "Undo ",
        "grounds",
    ] {
        assert!(all.contains(said), "{said}: {all}");
    }
    desk.shows(&["ready: space presses"]);
    assert_eq!(world.rows("SELECT signer_id FROM signer_ack"), [""; 0]);
    desk.press("space").await;
    desk.wait(500).await;
    assert!(is_done(&desk), "{}", desk.screen(80, 24));
    assert_eq!(world.rows("SELECT signer_id FROM signer_ack"), ["kim"]);
    world.assert_sound().await;
});

//! The guarded dialog: what confirms and what never does, what locks it, and what it says until the end.

use govdeck::actions::Asked;
use govdeck::console::dialog::{Focus, Stage};
use govdeck::console::event::{Effect, Event};

use crate::support::desk::{Answers, Desk, Written};
use crate::support::{REASON, World, on_both};

pub fn stage(desk: &Desk) -> &Stage {
    &desk.model.dialog.as_ref().expect("a dialog").stage
}

pub fn is_asking(desk: &Desk) -> bool {
    matches!(stage(desk), Stage::Asking(_))
}

pub fn is_done(desk: &Desk) -> bool {
    matches!(stage(desk), Stage::Done(_))
}

/// How many entries the ledger has.
pub fn entries(world: &World) -> u32 {
    let count = world.owner_sql("SELECT COUNT(*) FROM governance_ledger");
    count.trim().parse().expect("a number")
}

pub async fn blocked(world: &World) {
    world.register_footer().await;
    world.block("pub-1").await;
}

/// A desk with the dialog about taking `pub-1` open.
pub async fn asked_to_take(world: &World, person: &str) -> Desk {
    let mut desk = Desk::open(world, person).await;
    desk.press("4 a t").await;
    assert!(is_asking(&desk), "{}", desk.screen(80, 24));
    desk
}

/// A desk that is armed, with the dialog about granting kim a role open and its words typed.
pub async fn asked_to_grant(world: &World) -> Desk {
    let mut desk = Desk::open(world, "maya").await;
    desk.arm().await;
    desk.choose("grant_role").await;
    desk.write("kim").await;
    desk.press("enter").await;
    desk.write("on_call").await;
    desk.press("enter").await;
    assert!(is_asking(&desk), "{}", desk.screen(80, 24));
    desk.wait(500).await;
    desk
}

on_both!(a_yes_that_stands_alone_writes_once, |world| {
    blocked(&world).await;
    let mut desk = asked_to_take(&world, "lee").await;
    desk.shows(&[
        "TAKE-BLOCK · pub-1 on PROD gov-test",
        "3 of 3 pass",
        "taken_by",
        "y does it",
    ]);
    let before = entries(&world);
    desk.wait(500).await;
    desk.press("y").await;
    assert!(is_asking(&desk), "it counts only when nothing follows");
    desk.wait(79).await;
    assert!(is_asking(&desk));
    desk.wait(2).await;
    assert!(is_done(&desk), "{}", desk.screen(80, 24));
    assert_eq!(entries(&world), before + 1);
    desk.shows(&["DONE: ledger entry", "hash "]);
    assert!(
        desk.says().contains("take_block: ledger entry"),
        "{}",
        desk.says()
    );
    // It stays until it is closed, and no further key does anything.
    desk.press("y space j a").await;
    assert!(is_done(&desk));
    desk.press("enter").await;
    assert!(desk.model.dialog.is_none());
    assert_eq!(entries(&world), before + 1);
    desk.shows(&["taken by lee"]);
    world.assert_sound().await;
});

on_both!(neither_enter_nor_no_nor_esc_writes, |world| {
    blocked(&world).await;
    let before = entries(&world);
    let mut desk = Desk::open(&world, "lee").await;
    for keys in ["n", "q", "esc", "space", "ctrl-c"] {
        desk.press("4 a t").await;
        desk.wait(500).await;
        desk.press(keys).await;
        desk.wait(500).await;
        assert!(desk.model.dialog.is_none(), "{keys} on Cancel closes");
    }
    // Enter does nothing and says so, on Cancel and on the way on; so do all other keys.
    desk.press("a t").await;
    desk.wait(500).await;
    for keys in ["enter", "tab enter"] {
        desk.press(keys).await;
        assert!(
            desk.says().contains("enter does nothing here"),
            "{}",
            desk.says()
        );
        assert!(is_asking(&desk));
    }
    desk.press("j a Y 1 up backspace ctrl-y").await;
    desk.wait(500).await;
    assert!(is_asking(&desk));
    assert_eq!(entries(&world), before);
    // Space presses the button that has the cursor.
    desk.press("space").await;
    desk.wait(100).await;
    assert!(is_done(&desk));
    assert_eq!(entries(&world), before + 1);
});

on_both!(early_keys_do_not_count, |world| {
    blocked(&world).await;
    let before = entries(&world);
    let mut desk = asked_to_take(&world, "lee").await;
    desk.press("y").await;
    desk.wait(1_000).await;
    assert!(is_asking(&desk), "200 ms after it opened");
    desk.press("esc a t").await;
    desk.wait(190).await;
    desk.press("y").await;
    desk.wait(1_000).await;
    assert!(is_asking(&desk), "390 ms after it opened");
    assert_eq!(entries(&world), before);
    // Esc counts from the first moment.
    desk.press("esc a t").await;
    desk.press("esc").await;
    assert!(desk.model.dialog.is_none());
    desk.press("a t").await;
    desk.wait(210).await;
    desk.press("y").await;
    desk.wait(100).await;
    assert!(is_done(&desk), "410 ms after it opened, alone");
});

on_both!(held_keys_and_pastes_never_confirm, |world| {
    blocked(&world).await;
    let before = entries(&world);
    // Typed at once, as a terminal without brackets pastes: the keys that open it, and a yes behind them.
    let mut desk = Desk::open(&world, "lee").await;
    desk.press("4").await;
    for pause in [0, 1, 20, 30, 50, 70, 79] {
        desk.burst("at", pause).await;
        desk.burst(&"y".repeat(60), pause).await;
        assert!(is_asking(&desk), "{pause} ms between keys");
        desk.burst("y", pause).await;
        desk.wait(1_000).await;
        assert!(is_asking(&desk), "{pause} ms between keys");
        desk.press("n").await;
        assert!(desk.model.dialog.is_none());
    }
    // A key that was held down before the dialog came, at any rate that keyboards have.
    desk.press("a t").await;
    for pause in [25, 33, 50, 100, 140] {
        desk.burst(&"y".repeat(20), pause).await;
    }
    assert!(is_asking(&desk), "{}", desk.screen(80, 24));
    assert!(desk.says().contains("too fast"), "{}", desk.says());
    // A paste in brackets, before, behind and instead of the yes.
    desk.wait(1_000).await;
    desk.paste("y").await;
    desk.paste("y\n").await;
    desk.wait(1_000).await;
    assert!(is_asking(&desk));
    desk.paste("yes").await;
    desk.burst("y", 100).await;
    desk.wait(1_000).await;
    assert!(is_asking(&desk), "a yes in the wake of a paste");
    desk.burst("y", 200).await;
    desk.wait(40).await;
    desk.paste("yes").await;
    desk.wait(1_000).await;
    assert!(is_asking(&desk), "a yes with a paste behind it");
    desk.burst("y", 200).await;
    desk.burst("x", 70).await;
    desk.wait(1_000).await;
    assert!(is_asking(&desk), "a yes with another key behind it");
    assert_eq!(entries(&world), before);
    desk.say_yes().await;
    assert!(is_done(&desk));
});

on_both!(a_block_that_is_taken_meanwhile_locks_the_dialog, |world| {
    blocked(&world).await;
    let mut lee = asked_to_take(&world, "lee").await;
    let mut maya = asked_to_take(&world, "maya").await;
    maya.say_yes().await;
    assert!(is_done(&maya));
    let before = entries(&world);
    // A yes that was pressed just before the news does not count any more.
    lee.wait(500).await;
    lee.press("y").await;
    lee.see().await;
    lee.wait(1_000).await;
    assert!(is_asking(&lee));
    lee.shows(&["LOCKED", "taken by maya"]);
    lee.say_yes().await;
    lee.press("tab space").await;
    lee.wait(100).await;
    assert!(is_asking(&lee));
    assert!(lee.says().contains("locked"), "{}", lee.says());
    assert_eq!(entries(&world), before);
    // It stays locked, whatever comes.
    lee.see().await;
    lee.say_yes().await;
    assert!(is_asking(&lee));
    lee.press("esc a t").await;
    assert!(lee.model.dialog.is_none());
    assert!(lee.says().contains("taken by maya"), "{}", lee.says());
    world.assert_sound().await;
});

on_both!(whoever_comes_second_is_refused_by_the_database, |world| {
    blocked(&world).await;
    let mut lee = asked_to_take(&world, "lee").await;
    world
        .act("maya", "take_block", Asked::of("pub-1"))
        .await
        .expect("taken");
    let before = entries(&world);
    // No news has come yet.
    lee.say_yes().await;
    assert!(matches!(stage(&lee), Stage::Refused(_)));
    lee.shows(&["REFUSED", "maya"]);
    assert_eq!(entries(&world), before);
    lee.press("q").await;
    assert!(lee.model.dialog.is_none());
    lee.press("!").await;
    lee.shows(&["Messages", "take_block: "]);
    world.assert_sound().await;
});

on_both!(waiting_can_be_left_and_the_answer_is_still_said, |world| {
    blocked(&world).await;
    let mut desk = asked_to_take(&world, "lee").await;
    desk.answers = Answers::Wait;
    desk.say_yes().await;
    assert!(matches!(stage(&desk), Stage::Waiting { .. }));
    desk.wait(3_000).await;
    desk.shows(&["waiting for the database: 3 s", "it cannot be taken back"]);
    desk.press("y y").await;
    assert_eq!(desk.waiting.len(), 1, "it was sent once");
    desk.press("esc").await;
    assert!(desk.model.dialog.is_none());
    assert_eq!(
        desk.says(),
        "the request goes on; ! shows what became of it"
    );
    desk.answer().await;
    assert!(
        desk.says().contains("take_block: ledger entry"),
        "{}",
        desk.says()
    );
    assert!(desk.model.dialog.is_none(), "nothing opens by itself");
    desk.shows(&["taken by lee"]);
});

/// An answer is told apart by its ticket, not by the dialog that happens to be open when it comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_belongs_to_its_request() {
    let world = World::sqlite().await;
    blocked(&world).await;
    let mut desk = asked_to_take(&world, "maya").await;
    desk.answers = Answers::Wait;
    desk.say_yes().await;
    desk.press("esc a a").await;
    desk.answer().await;
    assert!(is_asking(&desk), "the dialog about arming still asks");
    assert!(desk.says().contains("take_block"), "{}", desk.says());
    assert_eq!(
        desk.model.arming.left(desk.at()),
        None,
        "taking a block arms nothing"
    );
    // The other way round: the answer to arming comes when its dialog is gone.
    desk.say_yes().await;
    desk.press("esc").await;
    desk.answer().await;
    assert!(desk.says().contains("arm_console"), "{}", desk.says());
    assert!(desk.model.arming.left(desk.at()).is_some(), "armed it is");
    desk.press("D").await;
    assert_eq!(
        world
            .owner_sql("SELECT COUNT(*) FROM presence WHERE armed_until_utc IS NOT NULL")
            .trim(),
        "0"
    );
}

on_both!(a_lost_answer_is_looked_up, |world| {
    blocked(&world).await;
    for (written, verdict) in [
        (Written::No, "nothing was written"),
        (Written::Yes, "DONE: ledger entry"),
    ] {
        let mut desk = asked_to_take(&world, "lee").await;
        desk.answers = Answers::Wait;
        desk.say_yes().await;
        let ticket = desk.lose_answer(written).await;
        assert!(matches!(stage(&desk), Stage::Unknown { .. }));
        desk.shows(&["UNKNOWN: the wire broke", &ticket, "the ledger is asked"]);
        desk.press("y").await;
        desk.wait(500).await;
        assert!(desk.waiting.is_empty(), "nothing is sent again");
        // Somebody else's ticket settles nothing.
        desk.happen(Event::Resolved("0".repeat(32), None)).await;
        assert!(matches!(stage(&desk), Stage::Unknown { .. }));
        desk.resolve(&ticket).await;
        desk.shows(&[verdict]);
        assert!(
            desk.says().contains("the lost answer was"),
            "{}",
            desk.says()
        );
        desk.press("esc").await;
    }
    world.assert_sound().await;
});

on_both!(
    a_lost_answer_is_said_to_whoever_closed_the_dialog,
    |world| {
        blocked(&world).await;
        let mut desk = asked_to_take(&world, "lee").await;
        desk.answers = Answers::Wait;
        desk.say_yes().await;
        let ticket = desk.lose_answer(Written::Yes).await;
        desk.press("esc").await;
        assert_eq!(
            desk.says(),
            "the request goes on; ! shows what became of it"
        );
        desk.resolve(&ticket).await;
        assert!(
            desk.says().contains("the lost answer was yes"),
            "{}",
            desk.says()
        );
        desk.press("!").await;
        desk.shows(&[
            "the outcome is unknown: the wire broke",
            "the lost answer was yes",
        ]);
    }
);

on_both!(
    more_is_asked_for_what_puts_a_name_under_something,
    |world| {
        let before = entries(&world);
        let mut desk = Desk::open(&world, "maya").await;
        desk.choose("grant_role").await;
        assert!(desk.model.dialog.is_none());
        assert_eq!(desk.says(), "this console is read-only (arm it first: a a)");
        assert_eq!(entries(&world), before);
        let mut desk = asked_to_grant(&world).await;
        let before = entries(&world);
        desk.shows(&[
            "GRANT-ROLE · kim",
            "reason: 0 of 20 characters",
            "Type  kim/on_call  to allow",
        ]);
        // The cursor is in the reason: letters are letters, and Enter is a new line.
        desk.write("yes, go on").await;
        desk.press("enter tab").await;
        desk.write("kim/on_call").await;
        desk.press("tab space").await;
        desk.wait(500).await;
        assert!(desk.says().contains("reason: 10 of 20"), "{}", desk.says());
        desk.press("backtab backtab").await;
        desk.paste("because the story needs it").await;
        desk.press("tab tab").await;
        desk.shows(&["ready: space presses"]);
        // The id is typed to the letter.
        desk.press("backtab").await;
        desk.write("x").await;
        desk.shows(&["locked until the text matches"]);
        desk.press("tab space").await;
        desk.wait(500).await;
        assert!(is_asking(&desk));
        desk.press("backtab backspace enter").await;
        assert!(
            desk.says().contains("enter does nothing here"),
            "{}",
            desk.says()
        );
        desk.press("tab enter y").await;
        desk.wait(500).await;
        assert!(is_asking(&desk), "neither enter nor y is the way on");
        assert_eq!(entries(&world), before);
        desk.press("space").await;
        desk.wait(100).await;
        assert!(is_done(&desk), "{}", desk.screen(80, 24));
        assert_eq!(entries(&world), before + 1);
        let reason =
            world.owner_sql("SELECT reason FROM governance_ledger ORDER BY seq DESC LIMIT 1");
        assert_eq!(reason.trim(), "yes, go on\nbecause the story needs it");
        world.assert_sound().await;
    }
);

on_both!(the_phrase_is_typed_and_never_pasted, |world| {
    let mut desk = asked_to_grant(&world).await;
    desk.paste(REASON).await;
    desk.press("tab").await;
    desk.paste("kim/on_call").await;
    assert!(
        desk.says().contains("a paste is not taken here"),
        "{}",
        desk.says()
    );
    desk.shows(&["locked until the text matches"]);
    desk.wait(500).await;
    desk.burst("kim/on_call", 2).await;
    assert!(desk.says().contains("typed, not pasted"), "{}", desk.says());
    let Stage::Asking(asking) = stage(&desk) else {
        panic!("it asks")
    };
    assert!(asking.focus == Focus::Phrase && asking.missing().is_some());
    desk.press("ctrl-u").await;
    desk.write("kim/on_call").await;
    desk.press("tab").await;
    // A held space, then one alone.
    desk.burst("     ", 30).await;
    desk.wait(500).await;
    assert!(is_asking(&desk));
    desk.press("space").await;
    desk.wait(100).await;
    assert!(is_done(&desk), "{}", desk.screen(80, 24));
});

on_both!(a_reason_is_plain_text_however_it_comes, |world| {
    let mut desk = asked_to_grant(&world).await;
    desk.paste("one\r\ntwo\tthree\u{1b}[31m\n").await;
    let reason = |desk: &Desk| match stage(desk) {
        Stage::Asking(asking) => asking.reason.lines().join("\n"),
        _ => panic!("it asks"),
    };
    assert_eq!(reason(&desk), "one\ntwo<0009>three<001B>[31m");
    desk.write("\u{202e}").await;
    assert!(
        !reason(&desk).contains('\u{202e}'),
        "nothing that reorders text is typed"
    );
    desk.press("ctrl-x").await;
    assert!(matches!(desk.told.last(), Some(Effect::Edit(text)) if text.starts_with("one\ntwo")));
    // An editor may write anything; giving up changes nothing.
    let text = "a reason\u{9b}31m from an editor\r\nin two lines\n\n".to_owned();
    desk.happen(Event::Edited(Some(text))).await;
    assert_eq!(
        reason(&desk),
        "a reason<009B>31m from an editor\nin two lines"
    );
    desk.happen(Event::Edited(None)).await;
    assert!(reason(&desk).starts_with("a reason"));
    // One that is too long is said while it can still be shortened.
    desk.happen(Event::Edited(Some("x".repeat(2_001)))).await;
    desk.press("tab").await;
    desk.write("kim/on_call").await;
    desk.press("tab space").await;
    desk.wait(500).await;
    assert!(is_asking(&desk), "{}", desk.screen(80, 24));
    assert!(desk.says().contains("2000"), "{}", desk.says());
});

on_both!(words_that_are_refused_come_back_to_be_changed, |world| {
    let mut desk = Desk::open(&world, "maya").await;
    desk.arm().await;
    desk.choose("add_person").await;
    desk.write("ann").await;
    desk.press("enter enter").await;
    desk.write("lee").await;
    desk.press("enter enter").await;
    desk.shows(&["name is missing"]);
    desk.write("Ann").await;
    desk.press("enter enter enter").await;
    assert!(matches!(stage(&desk), Stage::Filling(_)));
    desk.shows(&["belongs to lee", "Ann"]);
    // The login that belongs to somebody is taken away, so it is Ann's own.
    desk.press("backtab ctrl-u enter enter").await;
    assert!(is_asking(&desk), "{}", desk.screen(80, 24));
    desk.shows(&["ADD-PERSON · ann", "login none → ann"]);
    desk.press("esc").await;
    assert!(desk.model.dialog.is_none());
});

on_both!(the_armed_time_ends_before_the_yes, |world| {
    let mut desk = asked_to_grant(&world).await;
    desk.paste(REASON).await;
    desk.press("tab").await;
    desk.write("kim/on_call").await;
    desk.press("tab").await;
    let before = entries(&world);
    desk.wait(5 * 60_000 + 1_000).await;
    assert_eq!(desk.model.arming.left(desk.at()), None);
    assert_eq!(
        entries(&world),
        before + 1,
        "it was disarmed, which is an entry"
    );
    desk.shows(&["READ-ONLY", "arm it first"]);
    desk.press("space").await;
    desk.wait(500).await;
    assert!(is_asking(&desk), "{}", desk.screen(80, 24));
    assert_eq!(entries(&world), before + 1);
    world.assert_sound().await;
});

on_both!(
    nothing_is_confirmed_on_a_picture_that_is_not_fresh,
    |world| {
        blocked(&world).await;
        let mut desk = asked_to_take(&world, "lee").await;
        let before = entries(&world);
        desk.wait(500).await;
        desk.lose("the wire broke").await;
        desk.say_yes().await;
        assert!(is_asking(&desk));
        desk.shows(&["the picture is not fresh"]);
        assert_eq!(entries(&world), before);
        // It is fresh again, and nothing had changed: the same dialog goes on.
        desk.mend().await;
        desk.hides(&["the picture is not fresh"]);
        desk.say_yes().await;
        assert!(is_done(&desk), "{}", desk.screen(80, 24));
    }
);

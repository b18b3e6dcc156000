//! Lists in the console: the selection is a row, never a place; filters, orders, and what a row can be copied as.

use std::collections::BTreeSet;

use crossterm::event::Event as Input;
use govdeck::actions::{self, Asked, ByRule, ENTRIES, Request};
use govdeck::clock::Moment;
use govdeck::console::event::{Effect, Event};
use govdeck::console::list::Listing;
use govdeck::console::overlay;
use govdeck::console::panes::PaneId;

use crate::support::desk::{Cable, Desk};
use crate::support::{World, on_both, sealed};

fn selected(desk: &Desk) -> Option<String> {
    desk.model.selected().map(|(_, id)| id)
}

async fn world_with(world: &World, runs: &[&str]) {
    world.register_footer().await;
    for run in runs {
        world.block(run).await;
    }
}

on_both!(a_refresh_never_moves_the_selection, |world| {
    world_with(&world, &["pub-b", "pub-d"]).await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("4 s s").await;
    desk.shows(&["sort run"]);
    desk.press("j").await;
    assert_eq!(selected(&desk).as_deref(), Some("pub-d"));
    // Rows come before, between and after; one goes.
    for run in ["pub-a", "pub-c", "pub-e"] {
        world.block(run).await;
        desk.see().await;
        assert_eq!(selected(&desk).as_deref(), Some("pub-d"), "after {run}");
    }
    world
        .mint("pub-f", Some(&"c".repeat(64)), Some(&"c".repeat(64)))
        .expect("minted");
    desk.press("S").await;
    desk.press("G").await;
    assert_eq!(selected(&desk).as_deref(), Some("pub-a"));
    desk.press("k").await;
    assert_eq!(selected(&desk).as_deref(), Some("pub-b"));
    desk.press("s").await;
    assert_eq!(
        selected(&desk).as_deref(),
        Some("pub-b"),
        "another order, the same row"
    );
});

on_both!(
    a_row_that_is_gone_is_shown_as_gone_and_nothing_is_done_with_it,
    |world| {
        world_with(&world, &["pub-1", "pub-2"]).await;
        let mut desk = Desk::open(&world, "maya").await;
        desk.press("4 s s j").await;
        assert_eq!(selected(&desk).as_deref(), Some("pub-2"));
        // The list holds what nobody has taken, and then somebody takes it.
        desk.press("/").await;
        desk.write("state:open").await;
        desk.press("enter j").await;
        assert_eq!(selected(&desk).as_deref(), Some("pub-2"));
        world
            .act("lee", "take_block", Asked::of("pub-2"))
            .await
            .expect("taken");
        world.block("pub-0").await;
        desk.see().await;
        assert_eq!(
            desk.model.blocks.selected.as_deref(),
            Some("pub-2"),
            "still, as gone"
        );
        assert_eq!(selected(&desk), None);
        desk.shows(&["no longer in the list", "pub-0"]);
        for key in ["t", "e"] {
            desk.press("a").await;
            desk.press(key).await;
            assert!(desk.model.dialog.is_none());
            assert!(
                desk.says().contains("no block is selected"),
                "{}",
                desk.says()
            );
        }
        desk.press("J").await;
        assert_eq!(desk.says(), "no row is selected");
        desk.press("y C").await;
        assert_eq!(desk.copied(), None);
        // The next step goes on where there is a row.
        desk.press("j").await;
        assert_eq!(selected(&desk).as_deref(), Some("pub-0"));
        world.assert_sound().await;
    }
);

on_both!(home_keeps_the_selected_line_too, |world| {
    world_with(&world, &["pub-b"]).await;
    let mut desk = Desk::open(&world, "maya").await;
    while selected(&desk).as_deref() != Some("pub-b") {
        desk.press("j").await;
    }
    // It is taken before the others, so it moves down when they come.
    world
        .act("maya", "take_block", Asked::of("pub-b"))
        .await
        .expect("taken");
    world.block("pub-a").await;
    world.block("pub-c").await;
    desk.see().await;
    assert_eq!(
        selected(&desk).as_deref(),
        Some("pub-b"),
        "{}",
        desk.screen(80, 24)
    );
    // It goes: the selection goes where nothing can be done, not to a neighbour.
    desk.press("k").await;
    assert_eq!(selected(&desk).as_deref(), Some("pub-c"));
    world
        .act("lee", "take_block", Asked::of("pub-c"))
        .await
        .expect("taken");
    world.block("pub-d").await;
    desk.see().await;
    assert_eq!(selected(&desk), None, "{}", desk.screen(80, 24));
    world.assert_sound().await;
});

on_both!(filters_show_fewer_rows_and_say_so, |world| {
    world_with(&world, &["pub-alpha", "pub-beta", "run-gamma"]).await;
    world
        .act("maya", "take_block", Asked::of("pub-beta"))
        .await
        .expect("taken");
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("4").await;
    for (typed, shown, hidden) in [
        ("gamma", &["run-gamma"][..], &["pub-alpha", "pub-beta"][..]),
        ("~pbt", &["pub-beta"], &["pub-alpha", "run-gamma"]),
        ("!pub", &["run-gamma"], &["pub-alpha", "pub-beta"]),
        ("state:taken", &["pub-beta"], &["pub-alpha", "run-gamma"]),
        (
            "!state:taken pub",
            &["pub-alpha"],
            &["pub-beta", "run-gamma"],
        ),
        (
            "nowhere",
            &["0 rows pass the filter"],
            &["pub-alpha", "pub-beta", "run-gamma"],
        ),
    ] {
        desk.press("/ ctrl-u").await;
        desk.write(typed).await;
        desk.press("enter").await;
        desk.shows(shown);
        desk.shows(&[&format!("/{typed}")]);
        desk.hides(hidden);
    }
    desk.press("esc").await;
    desk.shows(&["pub-alpha", "pub-beta", "run-gamma"]);
    // What cannot be read is refused and changes nothing; leaving the line changes nothing either.
    desk.press("/").await;
    desk.write("who:lee").await;
    desk.press("enter").await;
    assert!(
        desk.says().contains("is no field of this list"),
        "{}",
        desk.says()
    );
    desk.shows(&["/who:lee", "is no field of this list"]);
    desk.press("ctrl-u").await;
    desk.shows(&["fields run"]);
    desk.write("gamma").await;
    desk.press("esc").await;
    desk.shows(&["pub-alpha", "run-gamma"]);
    desk.press("/").await;
    desk.paste("gam\nma\u{1b}[2J").await;
    assert_eq!(desk.model.typing().expect("typing").text(), "gam ma[2J");
    desk.press("ctrl-c").await;
    assert!(desk.model.typing().is_none() && desk.model.overlay.is_none());
    // The keys of the pane are letters while a filter is typed.
    desk.press("/ a t y q").await;
    assert_eq!(desk.model.typing().expect("typing").text(), "atyq");
});

on_both!(the_ledger_is_a_list_too, |world| {
    world_with(&world, &["pub-1"]).await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("8").await;
    desk.shows(&["newest first", "decide_run", "register_footer"]);
    let newest = selected(&desk).expect("an entry");
    world
        .act("maya", "take_block", Asked::of("pub-1"))
        .await
        .expect("taken");
    desk.see().await;
    assert_eq!(
        selected(&desk),
        Some(newest),
        "a new entry above moves nothing"
    );
    desk.press("/").await;
    desk.write("action:add_person").await;
    desk.press("enter").await;
    desk.shows(&["/action:add_person", "add_person"]);
    desk.hides(&["take_block"]);
    desk.press("esc S").await;
    desk.shows(&["oldest first"]);
    assert_eq!(selected(&desk).as_deref(), Some("1"));
    desk.press("s").await;
    assert!(desk.says().contains("one order"), "{}", desk.says());
    desk.press("G").await;
    desk.shows(&["target block pub-1"]);
    desk.press("J").await;
    desk.shows(&["Card of entry", "\"action\": \"take_block\""]);
    desk.press("esc V").await;
    assert!(
        desk.says().contains("the ledger verifies"),
        "{}",
        desk.says()
    );
    desk.shows(&["nothing wrong"]);
});

on_both!(the_next_problem_waits_for_an_answer, |world| {
    world_with(&world, &["pub-1", "pub-2", "pub-3"]).await;
    world
        .act("maya", "take_block", Asked::of("pub-2"))
        .await
        .expect("taken");
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("n").await;
    assert_eq!(desk.model.pane, PaneId::Home, "a line of Home");
    desk.press("enter").await;
    assert_eq!(desk.model.pane, PaneId::Blocks);
    desk.press("s s g g").await;
    assert_eq!(selected(&desk).as_deref(), Some("pub-1"));
    desk.press("n").await;
    assert_eq!(selected(&desk).as_deref(), Some("pub-3"));
    desk.press("n").await;
    assert_eq!(selected(&desk).as_deref(), Some("pub-1"), "round and round");
    for run in ["pub-1", "pub-3"] {
        world
            .act("maya", "take_block", Asked::of(run))
            .await
            .expect("taken");
    }
    desk.see().await;
    desk.press("n").await;
    assert_eq!(desk.says(), "no block here waits for an answer");
    assert_eq!(selected(&desk).as_deref(), Some("pub-1"));
});

on_both!(a_row_is_copied_shown_and_explained, |world| {
    world_with(&world, &["pub-1"]).await;
    let mut desk = Desk::open(&world, "lee").await;
    desk.press("4 y").await;
    assert_eq!(desk.copied(), Some("pub-1"));
    desk.press("C").await;
    assert_eq!(
        desk.copied(),
        Some("govdeck act take-block pub-1 --dry-run")
    );
    // Elsewhere a shell would find another database.
    desk.model.start.elsewhere = Some("sqlite:/tmp/a demo.db".to_owned());
    desk.press("C").await;
    assert_eq!(
        desk.copied(),
        Some("govdeck act take-block pub-1 --dsn 'sqlite:/tmp/a demo.db' --dry-run")
    );
    desk.press("J").await;
    desk.shows(&[
        "\"publish_run_id\": \"pub-1\"",
        "\"publish_scope\": \"sla/partners\"",
    ]);
    let copies = |effect: &Effect| matches!(effect, Effect::Copy(_));
    assert!(desk.told.iter().all(copies));
    let mut desk = Desk::open(&world, "kim").await;
    desk.press("4 w").await;
    desk.shows(&[
        "Why: pub-1",
        "take-block (guard 1): not now",
        "[FAIL] owner_or_backup: owner maya, backup lee",
        "escalate-block (guard 1): not now",
        "[FAIL] may_escalate",
    ]);
    desk.press("pgdn pgdn").await;
    desk.shows(&["does not hold governance_lead"]);
});

/// A run's name comes from outside, and a copied command may be pasted into a shell.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_copied_is_safe_to_paste() {
    let world = World::sqlite().await;
    world.register_footer().await;
    for run in [
        "x; touch /tmp/x",
        "--reason=x",
        "$(id)",
        "two words",
        "hid\u{202e}den",
        "li\nne",
    ] {
        world.block(run).await;
    }
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("4").await;
    for (run, command) in [
        (
            "x; touch /tmp/x",
            Some("govdeck act take-block 'x; touch /tmp/x' --dry-run"),
        ),
        (
            "--reason=x",
            Some("govdeck act take-block --dry-run -- --reason=x"),
        ),
        ("$(id)", Some("govdeck act take-block '$(id)' --dry-run")),
        (
            "two words",
            Some("govdeck act take-block 'two words' --dry-run"),
        ),
        ("hid\u{202e}den", None),
        ("li\nne", None),
    ] {
        desk.told.clear();
        desk.model.blocks.select(run);
        desk.see().await;
        desk.press("C").await;
        assert_eq!(desk.copied(), command, "{run:?}");
        desk.told.clear();
        desk.press("y").await;
        assert_eq!(desk.copied().is_some(), command.is_some(), "{run:?}");
    }
}

on_both!(long_lists_are_read_in_windows, |world| {
    world.register_footer().await;
    let now = Moment::on_this_workstation().as_datetime();
    let created = Moment::from(now - chrono::TimeDelta::seconds(10));
    let rows: Vec<String> = (0..260)
        .map(|at| format!("('pub-{at:03}', 'sla/partners', 'fz', 'lf', 'dr', '{created}')"))
        .collect();
    world
        .sql(&format!(
            "INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, created_at_utc) VALUES {}",
            rows.join(", ")
        ))
        .expect("minted");
    let store = world.store("maya").await;
    for at in 0..260 {
        let run = format!("pub-{at:03}");
        let request = Request::by_rule(ByRule::DecideRun { run }).expect("a request");
        sealed(actions::carry_out(&store, request).await);
    }
    store.close().await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("4 s s").await;
    desk.shows(&["260", "more below"]);
    desk.press("G").await;
    assert_eq!(selected(&desk).as_deref(), Some("pub-259"));
    desk.shows(&["pub-259", "more above"]);
    for _ in 0..3 {
        desk.press("pgup").await;
    }
    let walked = selected(&desk).expect("a row");
    desk.shows(&[&format!("> {walked}")]);
    desk.press("g g").await;
    assert_eq!(selected(&desk).as_deref(), Some("pub-000"));
    // Walking on crosses the window's edge without a gap.
    desk.model.blocks.select("pub-190");
    desk.see().await;
    for at in 191..=210 {
        desk.press("j").await;
        assert_eq!(selected(&desk), Some(format!("pub-{at}")));
    }
    desk.press("G").await;
    desk.press("j").await;
    assert_eq!(selected(&desk).as_deref(), Some("pub-259"));
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_action_has_its_line_in_the_box_of_its_pane_and_in_no_other() {
    let world = World::sqlite().await;
    world_with(&world, &["pub-1"]).await;
    let mut desk = Desk::open(&world, "maya").await;
    let mut seen = BTreeSet::new();
    for pane in PaneId::ALL {
        let key = desk.model.start.keymap.key(pane.intent());
        desk.press(&key.expect("a pane has a key")).await;
        desk.press("a").await;
        desk.shows(&[": finds all others by a word"]);
        for entry in ENTRIES.iter().filter(|entry| entry.key != ' ') {
            let line = format!("{}  {}", entry.key, entry.name());
            if desk.model.here().offers(entry) {
                desk.shows(&[&line]);
                seen.insert(entry.verb);
            } else {
                desk.hides(&[&format!("{line} ")]);
            }
        }
        desk.press("esc").await;
        assert!(desk.model.overlay.is_none());
    }
    assert_eq!(
        seen.len(),
        ENTRIES.iter().filter(|entry| entry.key != ' ').count()
    );
}

on_both!(rows_that_were_not_read_are_not_said_to_be_none, |world| {
    world_with(&world, &["pub-1"]).await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.cable = Cable::Silent;
    desk.press("4").await;
    desk.shows(&["loading"]);
    desk.hides(&["0 rows", "nothing is blocked", "no longer in the list"]);
    desk.lose("the wire broke").await;
    desk.shows(&["cannot read: the wire broke", "wait"]);
    desk.press("8").await;
    desk.shows(&["cannot read: the wire broke"]);
    desk.hides(&["0 rows"]);
    desk.press("1").await;
    desk.shows(&["tuple_drift"]);
    desk.press("4").await;
    desk.mend().await;
    desk.shows(&["> pub-1"]);
    // Neither does another filter or order stand over the rows of the last one.
    for keys in ["/ z z enter", "s", "S"] {
        desk.cable = Cable::Silent;
        desk.press(keys).await;
        desk.shows(&["searching for zz"]);
        desk.hides(&["pub-1", "0 rows"]);
        desk.press("j n").await;
        desk.mend().await;
    }
    desk.shows(&["0 rows pass the filter"]);
});

on_both!(
    a_detail_that_is_longer_than_its_place_is_scrolled,
    |world| {
        world_with(&world, &["pub-1"]).await;
        let mut desk = Desk::open(&world, "maya").await;
        desk.press("8").await;
        let screen = desk.screen(80, 16);
        assert!(screen.contains("more lines: z"), "{screen}");
        desk.press("z").await;
        let first = desk.screen(80, 12);
        assert!(first.contains("more lines: pgdn"), "{first}");
        desk.press("pgdn pgdn pgdn pgdn").await;
        let last = desk.screen(80, 12);
        assert!(last.contains("the end: pgup"), "{last}");
        assert!(last.contains("after "), "{last}");
        desk.press("pgup").await;
        assert_ne!(desk.screen(80, 12), last, "the end is where it stopped");
        // Another row is read from its beginning.
        desk.press("pgdn pgdn pgdn pgdn j").await;
        assert!(desk.screen(80, 12).contains("more lines: pgdn"));
    }
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_is_read_to_its_end_in_a_narrow_window() {
    let world = World::sqlite().await;
    let mut desk = Desk::open(&world, "maya").await;
    let size = (60, 14);
    desk.happen(Event::Input(Input::Resize(size.0, size.1)))
        .await;
    desk.press("?").await;
    let mut seen = String::new();
    for _ in 0..90 {
        seen += &desk.screen(size.0, size.1);
        desk.press("j").await;
    }
    assert!(desk.screen(size.0, size.1).contains("the end"), "{seen}");
    let (_, about) = overlay::help(&desk.model.start.keymap, desk.model.pane)
        .lines
        .pop()
        .expect("keys");
    let last = about.split_whitespace().next_back().expect("words");
    assert!(seen.contains(last), "{last} in {seen}");
}

on_both!(a_card_is_never_shown_under_another_entrys_name, |world| {
    world_with(&world, &["pub-1"]).await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("8").await;
    let newest = selected(&desk).expect("an entry");
    desk.press("J").await;
    desk.shows(&[&format!("Card of entry {newest}")]);
    // The picture still holds the entry before.
    desk.press("esc").await;
    desk.cable = Cable::Silent;
    desk.press("j J").await;
    assert!(desk.model.overlay.is_none(), "{}", desk.screen(80, 24));
    assert_eq!(desk.says(), "the row is being looked at; a moment");
    desk.mend().await;
    let next = selected(&desk).expect("an entry");
    assert_ne!(next, newest);
    desk.press("J").await;
    desk.shows(&[&format!("Card of entry {next}")]);
    // On Home a decision has its card too, and a run its row.
    desk.press("esc 1 G J").await;
    desk.shows(&["Card of entry "]);
    desk.press("esc g g J").await;
    assert_eq!(
        desk.says(),
        "this line is no row; enter goes to what it tells of"
    );
});

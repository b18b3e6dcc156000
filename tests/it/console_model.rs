//! What the keys of the console do, when it may write, and when it wakes.

use crossterm::event::{Event as Input, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use govdeck::actions::ENTRIES;
use govdeck::console::event::{Cause, Effect, Event, Mouse};
use govdeck::console::keymap::{Intent, Keymap, ROWS};
use govdeck::console::overlay::{Overlay, Palette, help};
use govdeck::console::panes::PaneId;
use govdeck::console::stroke::chord;
use govdeck::console::topics::Here;
use govdeck::rules::people::Basis;

use crate::support::desk::{Cable, Desk};
use crate::support::{World, on_both};

async fn blocked(world: &World) {
    world.register_footer().await;
    world.block("pub-1").await;
}

fn armed_in(world: &World) -> String {
    let sql = "SELECT person_id FROM presence WHERE armed_until_utc IS NOT NULL ORDER BY person_id";
    world.owner_sql(sql)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn panes_are_reached_by_digit_by_name_and_in_turn() {
    let world = World::sqlite().await;
    let mut desk = Desk::open(&world, "maya").await;
    for (keys, pane) in [
        ("4", PaneId::Blocks),
        ("1", PaneId::Home),
        ("g l", PaneId::Ledger),
        ("g w", PaneId::Weeks),
        ("g h", PaneId::Home),
        ("tab", PaneId::Migration),
        ("tab", PaneId::Mismatches),
        ("tab", PaneId::Blocks),
        ("tab", PaneId::Weeks),
        ("tab", PaneId::Cutover),
        ("tab", PaneId::Bundles),
        ("tab tab", PaneId::People),
        ("tab", PaneId::Dictionary),
        ("backtab h", PaneId::Ledger),
        ("2", PaneId::Migration),
        ("g x", PaneId::Mismatches),
        ("g d", PaneId::Dictionary),
        ("right", PaneId::Home),
        ("left", PaneId::Dictionary),
        // q goes back, to Home at last.
        ("q", PaneId::Home),
        ("4 8 4 q", PaneId::Ledger),
    ] {
        desk.press(keys).await;
        assert_eq!(desk.model.pane, pane, "{keys}");
    }
    desk.press("q").await;
    assert_eq!(desk.model.pane, PaneId::Home);
    assert!(desk.model.overlay.is_none(), "back to Home first");
    // Whatever was open before, on Home it asks.
    desk.press("4 8 1 q").await;
    desk.shows(&["Leave govdeck?"]);
    desk.press("esc").await;
    // A chord that leads nowhere is forgotten and does nothing.
    desk.press("g").await;
    desk.shows(&["goes on; esc forgets it"]);
    desk.press("esc").await;
    assert!(desk.model.pending.is_empty());
    desk.press("g a").await;
    assert!(
        desk.says().contains("means nothing here"),
        "{}",
        desk.says()
    );
    assert!(desk.model.overlay.is_none());
    desk.press("4").await;
    assert_eq!(desk.model.pane, PaneId::Blocks);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_is_asked_for() {
    let world = World::sqlite().await;
    for (keys, leaves) in [
        ("q", false),
        ("q esc", false),
        ("q n", false),
        ("q q", false),
        ("q enter", false),
        ("q y", true),
        ("ctrl-c", false),
        ("ctrl-c esc", false),
        ("ctrl-c y", true),
        ("ctrl-c ctrl-c", true),
        ("4 ctrl-c ctrl-c", true),
        ("4 q", false),
        ("4 / ctrl-c", false),
        (": ctrl-c", false),
    ] {
        let mut desk = Desk::open(&world, "maya").await;
        desk.press(keys).await;
        assert_eq!(desk.has_left(), leaves, "{keys}");
    }
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("q").await;
    desk.paste("y").await;
    assert!(!desk.has_left(), "a paste never leaves");
    desk.happen(Event::Stop(Cause::HungUp)).await;
    assert!(desk.has_left());
}

/// Every key by itself, in every pane, over a row on which something could be done: nothing is written, nothing is asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_but_the_one_for_actions_leads_to_a_dialog() {
    let world = World::sqlite().await;
    blocked(&world).await;
    let before = world.owner_sql("SELECT COUNT(*) FROM governance_ledger");
    let printable = (' '..='~').map(|key| match key {
        ' ' => "space".to_owned(),
        key => key.to_string(),
    });
    let control = ('a'..='z').map(|key| format!("ctrl-{key}"));
    let named = "enter tab backtab backspace up down left right pgup pgdn home end";
    let named = named.split(' ').map(str::to_owned);
    let keys: Vec<String> = printable.chain(control).chain(named).collect();
    for pane in ["1", "4", "8"] {
        let mut desk = Desk::open(&world, "maya").await;
        for key in &keys {
            desk.press(pane).await;
            desk.press(key).await;
            desk.wait(1_000).await;
            assert!(desk.model.dialog.is_none(), "{pane} {key}");
            // Esc leads out of everything, and never leaves.
            desk.press("esc esc").await;
            assert!(desk.model.overlay.is_none(), "{pane} {key} esc");
        }
        assert!(!desk.has_left());
    }
    assert_eq!(
        world.owner_sql("SELECT COUNT(*) FROM governance_ledger"),
        before
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enter_opens_and_goes_where_the_line_leads() {
    let world = World::sqlite().await;
    blocked(&world).await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("enter").await;
    assert_eq!(desk.says(), "this line leads nowhere");
    while desk.model.selected().is_none() {
        desk.press("j").await;
    }
    desk.press("enter").await;
    assert_eq!(desk.model.pane, PaneId::Blocks);
    assert_eq!(desk.model.blocks.selected.as_deref(), Some("pub-1"));
    desk.press("enter").await;
    assert!(desk.model.zoomed, "more of it");
    desk.hides(&["Open publish blocks"]);
    desk.shows(&["answer by", "you may: take-block"]);
    for out in ["esc", "z", "q", "enter"] {
        desk.press(out).await;
        assert!(!desk.model.zoomed, "{out}");
        assert_eq!(desk.model.pane, PaneId::Blocks, "{out}");
        desk.press("z").await;
        assert!(desk.model.zoomed);
    }
    desk.press("esc 1 G enter").await;
    assert_eq!(desk.model.pane, PaneId::Ledger);
}

on_both!(
    a_console_is_armed_for_a_while_and_everybody_sees_it,
    |world| {
        let mut maya = Desk::open(&world, "maya").await;
        let mut lee = Desk::open(&world, "lee").await;
        maya.shows(&["READ-ONLY"]);
        maya.arm().await;
        maya.shows(&["ARMED 14:5"]);
        assert_eq!(armed_in(&world), "maya");
        lee.see().await;
        lee.shows(&["armed: maya", "READ-ONLY"]);
        maya.hides(&["armed: maya"]);
        maya.press("D").await;
        maya.shows(&["READ-ONLY"]);
        assert_eq!(armed_in(&world), "");
        lee.see().await;
        lee.hides(&["armed: maya"]);
        maya.press("D").await;
        assert_eq!(maya.says(), "this console is read-only already");
        // Without a key it ends after five minutes,
        maya.arm().await;
        maya.wait(4 * 60_000 + 30_000).await;
        maya.shows(&["ARMED 00:30"]);
        maya.wait(31_000).await;
        maya.shows(&["READ-ONLY"]);
        assert!(
            maya.says().contains("the armed time is over"),
            "{}",
            maya.says()
        );
        assert_eq!(armed_in(&world), "");
        // with keys after fifteen,
        maya.arm().await;
        for _ in 0..14 {
            maya.wait(60_000).await;
            maya.press("j").await;
        }
        maya.shows(&["ARMED 00:"]);
        maya.wait(60_000).await;
        maya.shows(&["READ-ONLY"]);
        assert_eq!(armed_in(&world), "");
        // and when the link is lost, at once.
        maya.arm().await;
        maya.lose("the wire broke").await;
        maya.shows(&["READ-ONLY", "disarmed: the connection was lost"]);
        assert_eq!(armed_in(&world), "");
        maya.mend().await;
        maya.shows(&["READ-ONLY"]);
        world.assert_sound().await;
    }
);

on_both!(nothing_is_decided_on_a_stale_picture, |world| {
    blocked(&world).await;
    let mut desk = Desk::open(&world, "lee").await;
    desk.press("4").await;
    desk.shows(&["live notify", "pub-1", "you may: take-block (a t)"]);
    let refused =
        "the picture is not fresh, so nothing is decided on it (wait until the header says live)";
    let assert_stale = async |desk: &mut Desk, mark: &str| {
        desk.shows(&[mark, "pub-1"]);
        for key in ["t", "e", "a"] {
            desk.press("a").await;
            desk.shows(&["the picture is not fresh"]);
            desk.press(key).await;
            assert!(desk.model.dialog.is_none());
            assert_eq!(desk.says(), refused);
        }
        desk.press(":").await;
        desk.write("take").await;
        desk.press("enter").await;
        assert!(desk.model.dialog.is_none());
        assert_eq!(desk.says(), refused);
    };
    desk.cable = Cable::Silent;
    desk.wait(4_500).await;
    desk.shows(&["LATE 4s"]);
    assert_stale(&mut desk, "LATE").await;
    desk.wait(12_000).await;
    assert_stale(&mut desk, "LOST").await;
    desk.mend().await;
    desk.shows(&["live notify"]);
    desk.lose("the wire broke").await;
    assert!(desk.says().contains("the wire broke"), "{}", desk.says());
    assert_stale(&mut desk, "LOST").await;
    desk.mend().await;
    assert_eq!(desk.says(), "the database is back");
    desk.press("a t").await;
    assert!(desk.model.dialog.is_some());
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_the_first_picture_nothing_is_decided() {
    let world = World::sqlite().await;
    let mut desk = Desk::loading(&world, "maya").await;
    desk.cable = Cable::Silent;
    desk.shows(&["loading sqlite:world.db", "READ-ONLY", " ? "]);
    for keys in [
        "a a",
        "j j k G",
        "enter",
        "n",
        "y",
        "C",
        "J",
        "w",
        "esc",
        "4",
        "/ x enter",
        "8",
        "tab",
    ] {
        desk.press(keys).await;
        assert!(desk.model.dialog.is_none(), "{keys}");
        desk.screen(80, 24);
    }
    desk.press("esc").await;
    desk.lose("no route").await;
    desk.shows(&["cannot read: no route", "wait"]);
    assert_eq!(desk.copied(), None);
    desk.mend().await;
    desk.shows(&["live notify", "gov-test"]);
}

on_both!(nobody_may_only_look, |world| {
    blocked(&world).await;
    let gone = "UPDATE person SET active = FALSE WHERE person_id = 'kim'";
    world.tamper("person", gone);
    let mut desk = Desk::open(&world, "kim").await;
    desk.shows(&[
        "kim (nobody: look only)",
        "belongs to nobody: you may only look",
    ]);
    desk.press("4").await;
    desk.shows(&["pub-1", "the login kim may only look"]);
    for entry in desk.model.here().actions() {
        desk.press("a").await;
        desk.press(&entry.key.to_string()).await;
        assert!(desk.model.dialog.is_none(), "{}", entry.verb);
        assert!(
            desk.says().contains("belongs to no active person"),
            "{}",
            desk.says()
        );
    }
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_schema_may_be_looked_at() {
    let world = World::sqlite().await;
    blocked(&world).await;
    let mut desk = Desk::open(&world, "maya").await;
    let mut picture = govdeck::console::picture::take(&world.store("maya").await, &desk.wanted)
        .await
        .expect("a picture");
    picture.newer_schema = Some(99);
    let mut link = desk.model.link.clone();
    link.heard = Some(desk.at());
    let sight = govdeck::console::event::Sight {
        picture: Some(std::sync::Arc::new(picture)),
        link,
    };
    desk.happen(Event::Sight(sight)).await;
    for entry in ENTRIES.iter().filter(|entry| entry.basis == Basis::Person) {
        let refusal = desk.model.why_not(entry).expect("it is refused");
        assert!(refusal.sentence.contains("schema 99"), "{refusal}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn themes_are_shown_at_once_and_esc_brings_the_old_one_back() {
    let world = World::sqlite().await;
    let mut desk = Desk::open(&world, "maya").await;
    let name = |desk: &Desk| desk.model.start.theme.name().to_owned();
    for (keys, kept) in [
        ("T j", None),
        ("T j j j esc", Some("dark")),
        ("T down down enter", Some("high-contrast")),
        ("T k esc", Some("high-contrast")),
        ("T k enter", Some("light")),
        ("T k k k k enter", Some("dark")),
        ("T k ctrl-c", Some("dark")),
    ] {
        desk.press(keys).await;
        match kept {
            None => {
                assert_eq!(name(&desk), "light", "while it is walked over");
                desk.press("esc").await;
                assert_eq!(name(&desk), "dark");
            }
            Some(kept) => assert_eq!(name(&desk), kept, "{keys}"),
        }
        assert!(desk.model.overlay.is_none(), "{keys}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_things_are_switched_and_said() {
    let world = World::sqlite().await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("t").await;
    assert!(desk.model.local_time && desk.says().contains("local time"));
    desk.press("t").await;
    assert!(!desk.model.local_time && desk.says().contains("UTC"));
    desk.press("m").await;
    assert!(matches!(
        desk.told.last(),
        Some(Effect::Mouse(Mouse::Console))
    ));
    desk.press("m").await;
    assert!(matches!(
        desk.told.last(),
        Some(Effect::Mouse(Mouse::Terminal))
    ));
    desk.press("ctrl-z").await;
    assert!(matches!(desk.told.last(), Some(Effect::Suspend)));
    desk.press("!").await;
    desk.shows(&["nothing was said yet"]);
    desk.press("esc").await;
    desk.happen(Event::Trouble("the editor gave up".to_owned()))
        .await;
    desk.paste("rm -rf").await;
    desk.press("j !").await;
    desk.shows(&[
        "the editor gave up",
        "a paste outside a text field was dropped",
    ]);
    let Some(Overlay::Text(text)) = &desk.model.overlay else {
        panic!("a text is open")
    };
    assert!(text.lines[0].1.contains("a paste"), "the newest first");
    desk.press("q ?").await;
    desk.shows(&["Enter opens, it never writes", "g g  home"]);
    desk.press("G").await;
    desk.shows(&["the end"]);
    desk.press("esc r").await;
    assert_eq!(desk.says(), "reading everything anew");
}

on_both!(a_text_gives_way_to_keys_that_lead_elsewhere, |world| {
    blocked(&world).await;
    let mut desk = Desk::open(&world, "lee").await;
    desk.press("? 4").await;
    assert!(desk.model.overlay.is_none());
    assert_eq!(desk.model.pane, PaneId::Blocks);
    desk.press("w a").await;
    desk.shows(&["What you can do here"]);
    desk.press("esc ? *").await;
    desk.shows(&["tour 1/8"]);
    // What changes something stays without effect in a text.
    desk.press("? s D t y").await;
    desk.shows(&["Enter opens, it never writes"]);
    assert!(!desk.model.local_time);
});

on_both!(the_palette_finds_and_does, |world| {
    blocked(&world).await;
    let mut desk = Desk::open(&world, "lee").await;
    desk.press(":").await;
    desk.write("ledg").await;
    desk.press("enter").await;
    assert_eq!(desk.model.pane, PaneId::Ledger);
    desk.press("4 :").await;
    desk.paste("take_block\n").await;
    assert!(desk.model.dialog.is_none(), "a paste does not press enter");
    desk.shows(&[":take_block"]);
    desk.press("enter").await;
    assert_eq!(
        desk.model.dialog.as_ref().expect("a dialog").entry.verb,
        "take_block"
    );
    // Typed at once, as a paste without brackets: a dialog opens, and nothing more.
    desk.press("esc").await;
    desk.burst(":take_block\ny\ny\n", 3).await;
    desk.wait(1_000).await;
    let untaken = "SELECT COUNT(*) FROM publish_replay_audit WHERE taken_by IS NOT NULL";
    assert_eq!(world.owner_sql(untaken), "0");
});

#[test]
fn no_two_keys_are_the_same_and_none_begins_another() {
    let meet = |a: Option<PaneId>, b: Option<PaneId>| a.is_none() || b.is_none() || a == b;
    let chords: Vec<_> = ROWS
        .iter()
        .flat_map(|row| row.keys.iter().map(move |keys| (row, keys)))
        .map(|(row, keys)| (row, chord(keys).expect("a chord")))
        .collect();
    assert!(chords.len() > ROWS.len());
    for (at, (row, keys)) in chords.iter().enumerate() {
        assert!(!keys.is_empty(), "{}", row.intent);
        for (other_at, (other, other_keys)) in chords.iter().enumerate() {
            let clash = other_keys.starts_with(keys) && meet(row.only, other.only);
            assert!(
                at == other_at || !clash,
                "{} and {}",
                row.intent,
                other.intent
            );
        }
    }
    for intent in Intent::ALL {
        assert_eq!(
            ROWS.iter().filter(|row| row.intent == *intent).count(),
            1,
            "{intent}"
        );
    }
}

#[test]
fn help_and_palette_leave_nothing_out() {
    let keymap = Keymap::standard().expect("the table holds");
    for pane in PaneId::ALL {
        let (pane, kind) = (*pane, None);
        let text = help(&keymap, pane);
        let lines: Vec<&str> = text.lines.iter().map(|(_, line)| line.as_str()).collect();
        let found = Palette::default().found(Here { pane, kind });
        let named = |name: &str| found.iter().filter(|command| command.name == name).count();
        for row in ROWS {
            let line = lines.iter().find(|line| line.contains(row.about));
            let line = line.unwrap_or_else(|| panic!("{} is not in help", row.intent));
            for keys in row.keys {
                assert!(line.contains(keys), "{keys} in {line}");
            }
            let here = row.only.is_none_or(|only| only == pane);
            let count = named(row.intent.word());
            assert_eq!(count, usize::from(here), "{}", row.intent);
        }
        for entry in ENTRIES {
            let by_person = entry.basis == Basis::Person;
            assert_eq!(named(entry.verb), usize::from(by_person), "{}", entry.verb);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mouse_selects_what_it_points_at_and_nothing_under_a_box() {
    let world = World::sqlite().await;
    blocked(&world).await;
    world.block("pub-2").await;
    let mut desk = Desk::open(&world, "lee").await;
    let mouse = |kind, column, row| {
        Event::Input(Input::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        }))
    };
    let click = MouseEventKind::Down(MouseButton::Left);
    let wheel = MouseEventKind::ScrollDown;
    let of = |screen: &str, text: &str| {
        let line = screen.lines().position(|line| line.contains(text));
        u16::try_from(line.unwrap_or_else(|| panic!("no {text} in {screen}"))).expect("a line")
    };
    desk.press("4").await;
    let selected = |desk: &Desk| desk.model.blocks.selected.clone();
    let first = selected(&desk);
    // Beside a list, in its detail, a click means nothing.
    let wide = desk.screen(160, 48);
    desk.happen(mouse(click, 150, of(&wide, "pub-2"))).await;
    assert_eq!(selected(&desk), first);
    desk.happen(mouse(click, 5, of(&wide, "  pub-2"))).await;
    assert_eq!(selected(&desk).as_deref(), Some("pub-2"));
    desk.press("g g").await;
    for open in ["a", "a t", "?"] {
        desk.press(open).await;
        desk.happen(mouse(wheel, 5, 5)).await;
        assert_eq!(selected(&desk), first, "{open}");
        desk.press("esc").await;
    }
    desk.happen(mouse(wheel, 5, 5)).await;
    assert_eq!(selected(&desk).as_deref(), Some("pub-2"));
    // On Home the line that was clicked, with tabs and without.
    desk.press("1").await;
    for size in [(80, 24), (59, 15)] {
        desk.happen(Event::Input(Input::Resize(size.0, size.1)))
            .await;
        desk.press("g g").await;
        let screen = desk.screen(size.0, size.1);
        let line = of(&screen, "tuple_drift");
        desk.happen(mouse(click, 5, line)).await;
        let screen = desk.screen(size.0, size.1);
        assert!(
            screen.contains("> ") && of(&screen, "\u{2502}>") == line,
            "{screen}"
        );
    }
}

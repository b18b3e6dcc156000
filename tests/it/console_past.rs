//! Looking at the past: rows as they stood at a moment, nothing of today among them, and nothing that can be done to them.

use govdeck::actions::Asked;
use govdeck::clock::Moment;
use govdeck::console::list::Listing;
use govdeck::console::panes::PaneId;
use govdeck::rules::week::RunStatus;
use govdeck::store::past::{self, NoPast, Past};
use govdeck::store::window::{Anchor, Look};
use govdeck::store::{Store, block, ledger, migration, week};

use crate::cli_kit::{document, refused, said};
use crate::support::command::run;
use crate::support::desk::Desk;
use crate::support::{World, migration_story, on_both, weeks};

/// The moment of the newest entry.
async fn newest(world: &World) -> Moment {
    let store = world.store("maya").await;
    let mut view = store.view().await.expect("a view");
    let newest = ledger::newest(&mut view, 1).await.expect("read");
    drop(view);
    store.close().await;
    newest[0].at_utc
}

/// Three moments of a block: before it, when it was taken, and when it had ended.
struct Story {
    before: Moment,
    opened: Moment,
    taken: Moment,
    ended: Moment,
}

async fn a_block_comes_and_goes(world: &World) -> Story {
    world.register_footer().await;
    let before = newest(world).await;
    world.block("pub-1").await;
    let opened = newest(world).await;
    let took = world.act("lee", "take_block", Asked::of("pub-1")).await;
    took.expect("taken");
    let taken = newest(world).await;
    let hash = "a".repeat(64);
    world
        .mint("pub-2", Some(&hash), Some(&hash))
        .expect("minted");
    world.decide("pub-2").await.expect("decided");
    let by = Asked::of("pub-1").with("by", "pub-2");
    let resolved = world.act("lee", "resolve_block", by).await;
    resolved.expect("resolved");
    let ended = newest(world).await;
    Story {
        before,
        opened,
        taken,
        ended,
    }
}

/// Goes to a moment as people do.
async fn go_back(desk: &mut Desk, moment: &str) {
    desk.press("@").await;
    desk.write(moment).await;
    desk.press("enter").await;
}

on_both!(a_block_is_seen_as_it_stood_at_each_moment, |world| {
    let story = a_block_comes_and_goes(&world).await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("4").await;
    desk.shows(&["nothing is blocked"]);
    go_back(&mut desk, &story.opened.to_string()).await;
    desk.shows(&[
        "Open publish blocks",
        "AS OF ",
        ", history",
        "· 1 ·",
        "pub-1",
        "OPEN",
        "nobody has taken",
    ]);
    desk.shows(&["ok     30:00"]);
    desk.shows(&["you look at the past"]);
    go_back(&mut desk, &story.taken.to_string()).await;
    desk.shows(&["· 1 ·", "TAKEN", "answered", "taken by lee"]);
    go_back(&mut desk, &story.ended.to_string()).await;
    desk.shows(&["· 0 ·", "nothing was blocked then"]);
    go_back(&mut desk, &story.before.to_string()).await;
    desk.shows(&["nothing was blocked then"]);
    // The ledger ends where it ended then.
    go_back(&mut desk, &story.opened.to_string()).await;
    desk.press("8").await;
    desk.shows(&["Ledger · AS OF", "decide_run"]);
    assert!(!desk.screen(160, 48).contains("take_block"));
    // The way back, by its key and by escape.
    desk.press(".").await;
    desk.shows(&["Ledger · ", "resolve_block"]);
    assert_eq!(desk.model.as_of, None);
    go_back(&mut desk, &story.opened.to_string()).await;
    desk.press("esc").await;
    assert_eq!(desk.model.as_of, None);
    // In the palette it is typed as every other command.
    desk.choose(&format!("as-of {}", story.opened)).await;
    assert_eq!(desk.model.as_of, Some(story.opened));
    desk.choose("now").await;
    assert_eq!(desk.model.as_of, None);
    desk.choose("as-of").await;
    desk.shows(&[":as-of "]);
    world.assert_sound().await;
});

on_both!(nothing_is_done_in_the_past, |world| {
    let story = a_block_comes_and_goes(&world).await;
    world.block("pub-3").await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("4").await;
    desk.arm().await;
    let now = newest(&world).await;
    go_back(&mut desk, &now.to_string()).await;
    desk.shows(&["pub-3", "AS OF"]);
    desk.press("a").await;
    desk.shows(&["you look at the past"]);
    desk.press("t").await;
    assert!(desk.model.dialog.is_none());
    desk.shows(&["you look at the past", ". comes back"]);
    desk.choose("register_footer").await;
    assert!(desk.model.dialog.is_none());
    // The same keys do it in the present.
    desk.press(". a t").await;
    assert!(desk.model.dialog.is_some(), "{}", desk.screen(100, 30));
    desk.press("esc").await;
    // Tabs hold no count of today beside rows of then.
    desk.shows(&["Blocks 1!"]);
    go_back(&mut desk, &story.opened.to_string()).await;
    assert!(!desk.screen(100, 30).contains("Blocks 1!"));
    for pane in PaneId::ALL {
        desk.model.pane = *pane;
        desk.wait(100).await;
        desk.shows(&["AS OF"]);
        if !pane.keeps_history() {
            desk.shows(&[&format!("{pane} keeps no history")]);
            assert_eq!(desk.model.selected(), None, "{pane}");
            desk.press("enter").await;
            assert_eq!(desk.model.pane, *pane);
        }
    }
});

on_both!(moments_without_a_past_are_refused_in_a_sentence, |world| {
    let story = a_block_comes_and_goes(&world).await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("4").await;
    for (moment, says) in [
        ("2999-01-01T00:00Z", "that moment has not come yet"),
        ("1999-01-01T00:00:00Z", "lies before the first entry"),
    ] {
        go_back(&mut desk, moment).await;
        desk.shows(&[says, "nothing is blocked"]);
        assert_eq!(desk.model.as_of, None, "{moment}");
    }
    for hostile in [
        "",
        "yesterday",
        "2026-05-14",
        "'; DROP TABLE person; --",
        "\u{202e}2026",
        "2026-13-41T99:99Z",
    ] {
        go_back(&mut desk, hostile).await;
        assert_eq!(desk.model.as_of, None, "{hostile:?}");
        let screen = desk.screen(80, 24);
        assert!(!screen.contains('\u{202e}'), "{screen}");
        desk.shows(&["not an RFC 3339 time"]);
        desk.press("esc").await;
    }
    // What was seen stays while what was typed is put right.
    go_back(&mut desk, &story.taken.to_string()).await;
    go_back(&mut desk, "nonsense").await;
    assert_eq!(desk.model.as_of, Some(story.taken));
    desk.press("esc").await;
    desk.shows(&["TAKEN"]);
});

/// Reads the present and the same moment as a past, and compares every row.
async fn alike(store: &Store) {
    let mut view = store.view().await.expect("a view");
    let view = &mut view;
    let now = view.now();
    let past = past::find(view, now).await.expect("read").expect("a past");
    let blocks = Look {
        reach: 50,
        ..Look::default()
    };
    let today = block::window(view, &blocks).await.expect("read");
    let then = block::window_at(view, &blocks, past).await.expect("read");
    assert_eq!(today, then);
    let weeks = Look {
        reach: 50,
        ..Look::default()
    };
    let today = week::listed(view, &weeks).await.expect("read");
    assert_eq!(
        today,
        week::listed_at(view, &weeks, past).await.expect("read")
    );
    let first = today.rows.first().map(|row| row.window.job_run_id.clone());
    if let Some(first) = first {
        let around = Look {
            reach: 50,
            anchor: Anchor::Around(first),
            ..Look::default()
        };
        let today = week::listed(view, &around).await.expect("read");
        assert_eq!(
            today,
            week::listed_at(view, &around, past).await.expect("read")
        );
    }
    let migrations = Look {
        reach: 50,
        ..Look::default()
    };
    let today = migration::window(view, &migrations).await.expect("read");
    assert_eq!(
        today,
        migration::window_at(view, &migrations, past)
            .await
            .expect("read")
    );
    for row in &today.rows {
        let id = &row.migration_id;
        assert_eq!(
            migration::events(view, id).await.expect("read"),
            migration::events_at(view, id, past).await.expect("read")
        );
    }
    let entries = Look {
        reach: 50,
        ..Look::default()
    };
    assert_eq!(
        ledger::window(view, &entries).await.expect("read"),
        ledger::window_at(view, &entries, Some(past))
            .await
            .expect("read")
    );
    let none = Past { at: now, seq: 0 };
    assert_eq!(
        migration::window_at(view, &migrations, none)
            .await
            .expect("read")
            .rows,
        []
    );
}

on_both!(the_past_of_this_very_moment_is_the_present, |world| {
    a_block_comes_and_goes(&world).await;
    for run in ["pub-3", "pub-4"] {
        world.block(run).await;
    }
    let took = world.act("lee", "take_block", Asked::of("pub-4")).await;
    took.expect("taken");
    let store = world.store("maya").await;
    alike(&store).await;
    store.close().await;
});

on_both!(weeks_and_migrations_stand_as_they_stood, |world| {
    let world = migration_story::world(world).await;
    weeks::plan(&world, 0).await;
    let planned = newest(&world).await;
    world.set_time(weeks::MONDAYS[0]).await;
    weeks::start(&world, 0).await.expect("begun");
    weeks::finish(&world, 0, RunStatus::Pass)
        .await
        .expect("ended");
    // The second pass makes it green, and what is green is signed.
    weeks::week(&world, 1, RunStatus::Pass).await;
    let signed = world.act("kim", "ack_run", Asked::of(weeks::run(1))).await;
    signed.expect("signed");
    migration_story::opened(&world).await;
    let opened = newest(&world).await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("5").await;
    desk.shows(&["PASS", &weeks::run(0)]);
    go_back(&mut desk, &planned.to_string()).await;
    desk.shows(&["this run was not there yet"]);
    desk.press("g g").await;
    desk.shows(&[
        "Weekly reconciliation · AS OF",
        "SCHEDULED",
        "signed by then: nobody",
        "metrics are a feed",
    ]);
    assert!(
        !desk.screen(160, 48).contains("PASS"),
        "{}",
        desk.screen(160, 48)
    );
    go_back(&mut desk, &opened.to_string()).await;
    desk.press("g g").await;
    desk.shows(&["PASS", "signed by then: kim"]);
    go_back(&mut desk, &planned.to_string()).await;
    desk.press("2").await;
    desk.shows(&["0 migrations"]);
    go_back(&mut desk, &opened.to_string()).await;
    desk.shows(&[
        "Migrations · AS OF",
        migration_story::ID,
        "prepare",
        "rest on feeds",
        "by maya",
    ]);
    assert_eq!(desk.model.list().map(Listing::filter_text), Some(""));
    desk.press("J").await;
    desk.shows(&["as_of"]);
    let store = world.store("maya").await;
    alike(&store).await;
    store.close().await;
});

on_both!(
    a_clock_that_was_set_back_leaves_no_past_across_it,
    |world| {
        let world = world.where_time_is_set().await;
        world.set_time("2098-05-01T12:00:00Z").await;
        let grant = |role: &str| Asked::of("kim").with("role", role);
        let first = world.act("maya", "grant_role", grant("signer")).await;
        first.expect("granted");
        world.set_time("2098-05-01T11:00:00Z").await;
        let second = world.act("maya", "grant_role", grant("ops_lead")).await;
        second.expect("granted");
        let store = world.store("maya").await;
        let mut view = store.view().await.expect("a view");
        let at = "2098-05-01T11:00:30Z".parse().expect("a moment");
        world.set_time("2098-05-01T13:00:00Z").await;
        drop(view);
        view = store.view().await.expect("a view");
        assert_eq!(
            past::find(&mut view, at).await.expect("read"),
            Err(NoPast::Disordered)
        );
        let later = "2098-05-01T12:30:00Z".parse().expect("a moment");
        assert!(past::find(&mut view, later).await.expect("read").is_ok());
        drop(view);
        store.close().await;
    }
);

on_both!(
    a_snapshot_of_the_past_is_drawn_without_a_terminal,
    |world| {
        let story = a_block_comes_and_goes(&world).await;
        let taken = story.taken.to_string();
        let snapshot = |pane: &str, more: &[&str]| {
            let words = [&["snapshot", pane, "--size", "100x30", "--as-of"][..], more].concat();
            run(world.govdeck("maya", &words))
        };
        let drawn = snapshot("blocks", &[&taken]);
        let text = said(&drawn, 0);
        assert!(text.contains("AS OF") && text.contains("TAKEN"), "{text}");
        let json = document(&snapshot("blocks", &[&taken, "--json"]), 0, "snapshot");
        assert_eq!(json["as_of"], taken);
        assert_eq!(json["blocks"][0]["taken_by"], "lee");
        assert_eq!(json["open_blocks"], 1);
        for of_today in ["waiting_for_you", "people", "first_responses", "proposals"] {
            assert!(json.get(of_today).is_none(), "{of_today}");
        }
        for pane in ["migration", "weeks", "ledger"] {
            let drawn = snapshot(pane, &[&taken]);
            assert!(said(&drawn, 0).contains("AS OF"), "{pane}");
        }
        let (no, _) = refused(&snapshot("home", &[&taken]), 2);
        assert_eq!(no, "Home keeps no history");
        let (no, _) = refused(&snapshot("blocks", &["2999-01-01T00:00Z"]), 2);
        assert_eq!(no, "that moment has not come yet");
        let (no, _) = refused(&snapshot("blocks", &["1999-01-01T00:00Z"]), 2);
        assert!(no.contains("before the first entry"), "{no}");
        assert_eq!(snapshot("blocks", &["yesterday"]).code, Some(2));
    }
);

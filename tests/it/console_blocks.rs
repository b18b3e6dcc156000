//! The detail of a block: what differs, what happened to it, and how fast blocks were answered.

use govdeck::actions::Asked;
use govdeck::console::keymap::Intent;
use govdeck::console::overlay::Overlay;
use govdeck::console::panes::PaneId;
use govdeck::rules::block::Responses;
use govdeck::rules::drift::Side;
use govdeck::store::cadence;

use crate::publish_leaves::{decide, mint_sides, side};
use crate::support::blocks::{Made, PLAIN, put, put_many};
use crate::support::desk::{Desk, drawn, text_of};
use crate::support::still::{self, picture};
use crate::support::still_block::many_cells;
use crate::support::{World, on_both};

const PUBLISHED: &str = r#"[{"metric_id":"MET-0144","dimension_filter_id":"platform=quest","value":9.5},
    {"metric_id":"MET-0171","value":3}, {"metric_id":"MET-0200","value":1}]"#;
const SOURCE: &str = r#"[{"metric_id":"MET-0144","dimension_filter_id":"platform=quest","value":9.75},
    {"metric_id":"MET-0171","value":3}, {"metric_id":"MET-0300","value":1}]"#;

/// Mints a run whose sides differ in three cells, each in its own way, and lets the gate decide it.
async fn drifted(world: &World, run: &str) {
    world.register_footer().await;
    let store = world.store("maya").await;
    let leaves = [side(Side::Publish, PUBLISHED), side(Side::Source, SOURCE)];
    mint_sides(&store, run, 1, [PUBLISHED, SOURCE], &leaves).await;
    decide(&store, run, || ()).await;
    store.close().await;
}

on_both!(a_drift_opens_on_its_cells_and_its_story, |world| {
    drifted(&world, "pub-1").await;
    let note = Asked::of("pub-1").with("note", "the sheet was edited at 02:14Z");
    for (verb, asked) in [("take_block", Asked::of("pub-1")), ("note_block", note)] {
        world.act("lee", verb, asked).await.expect(verb);
    }
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("4").await;
    let cells = "3 of 4 leaves differ: MET-0144/platform=quest, MET-0200 (added), MET-0300";
    assert!(
        desk.screen(80, 24).contains(cells),
        "{}",
        desk.screen(80, 24)
    );
    desk.press("z").await;
    desk.shows(&[
        cells,
        "(vanished)",
        "last word ",
        "the sheet was edited at 02:14Z",
        "what happened",
        "decide_run by govdeck",
        "take_block by lee: because the story needs it to go on",
        "note_block by lee",
        "first responses to 1 block since ",
        "tuple_drift 1 block, 1 answered, 0 late",
    ]);
});

#[test]
fn more_cells_than_one_line_names_are_listed() {
    let many = || {
        let mut picture = picture();
        if let Some(Ok(drift)) = picture
            .block
            .as_mut()
            .and_then(|block| block.drift.as_mut())
        {
            drift.named = many_cells();
        }
        picture
    };
    let model = still::model(PaneId::Blocks, many);
    let screen = text_of(&drawn(&model, 160, 70));
    for shown in [
        "the cells that differ",
        "added    MET-0001/platform=quest;region=eu",
        "vanished MET-0002/platform=quest;region=eu",
        "changed  MET-0003/platform=quest;region=eu",
        "MET-0024",
        "and 6 more: `govdeck block show` with --json names them",
    ] {
        assert!(screen.contains(shown), "{shown:?} in\n{screen}");
    }
    assert!(!screen.contains("MET-0025"), "{screen}");
}

#[test]
fn responses_are_shown_where_there_is_room_and_by_zoom_elsewhere() {
    let mut model = still::model(PaneId::Blocks, picture);
    let wide = text_of(&drawn(&model, 160, 48));
    for shown in [
        "first responses to 32 blocks since 04-16",
        "21 blocks, 18 answered, 3 late",
        "07:12",
        "34:10",
    ] {
        assert!(wide.contains(shown), "{shown:?} in\n{wide}");
    }
    assert!(!text_of(&drawn(&model, 80, 24)).contains("first responses"));
    model.zoomed = true;
    assert!(text_of(&drawn(&model, 80, 24)).contains("first responses"));
    let key = model.start.keymap.hint(Intent::PageDown);
    assert!(text_of(&drawn(&model, 80, 24)).contains(&format!("more lines: {key}")));
}

on_both!(responses_are_read_of_the_newest_blocks_alone, |world| {
    put_many(&world, 2_000);
    let store = world.store("kim").await;
    let mut view = store.view().await.expect("a view");
    let long_ago = view.now().plus_minutes(-60 * 24 * 3_660);
    let newest = cadence::newest_answered(&mut view, long_ago, 500).await;
    let newest = newest.expect("read");
    // Five hundred rows were read, of which each tenth is a drill.
    assert_eq!(newest.answered.len(), 450);
    let oldest = newest.answered.last().expect("some").blocked_at;
    assert!(long_ago < newest.since && newest.since <= oldest);
    drop(view);
    store.close().await;
});

on_both!(responses_are_told_of_some_weeks_and_in_one_pane, |world| {
    let made = [
        Made {
            run: "late",
            ago: 40,
            ..PLAIN
        },
        Made {
            run: "taken",
            ago: 5,
            taken_by: Some("lee"),
            ..PLAIN
        },
        Made {
            run: "practice",
            ago: 1,
            drill: true,
            ..PLAIN
        },
        Made {
            run: "long ago",
            ago: 29 * 24 * 60,
            ..PLAIN
        },
    ];
    put(&world, &made);
    let mut desk = Desk::open(&world, "maya").await;
    assert!(desk.picture().await.lately.is_none());
    desk.press("4").await;
    let picture = desk.picture().await;
    let lately = picture.lately.expect("read");
    assert_eq!(lately.since, picture.now.plus_minutes(-28 * 24 * 60));
    let sum = |of: fn(&Responses) -> usize| lately.responses.iter().map(of).sum::<usize>();
    assert_eq!(
        (
            sum(|of| of.blocks),
            sum(|of| of.answered),
            sum(|of| of.breaches)
        ),
        (2, 1, 1)
    );
});

on_both!(
    what_takes_words_says_why_not_before_they_are_typed,
    |world| {
        world.register_footer().await;
        world.block("pub-1").await;
        let mut desk = Desk::open(&world, "maya").await;
        desk.arm().await;
        desk.press("4 z").await;
        desk.shows(&[
        "you may: take-block (a t), escalate-block (a e), reassign-block (a i), withdraw-block (a w)",
        "not note-block: taken: taken by nobody",
        "not resolve-block: no later run of its scope has passed",
    ]);
        desk.press("a v").await;
        assert!(desk.model.dialog.is_none());
        assert_eq!(
            desk.says(),
            "no later run of its scope has passed (publish anew, and resolve by that run)"
        );
        // Hashing the source again is what nobody has done yet, so nothing is said of it.
        desk.press("w").await;
        let Some(Overlay::Text(why)) = &desk.model.overlay else {
            panic!("{}", desk.screen(100, 40));
        };
        let why: String = why.lines.iter().map(|(_, line)| line.as_str()).collect();
        for text in [
            "withdraw-block (guard 2): possible now",
            "can_be_withdrawn: tuple_drift",
        ] {
            assert!(why.contains(text), "{text}: {why}");
        }
        assert!(!why.contains("source_restored"), "{why}");
        desk.press("esc").await;
        let hash = "a".repeat(64);
        world
            .mint("pub-2", Some(&hash), Some(&hash))
            .expect("minted");
        world.decide("pub-2").await.expect("decided");
        desk.see().await;
        desk.shows(&["withdraw-block (a w)", "resolve-block (a v)"]);
        // The run that would do is offered; it is taken, or typed over.
        desk.press("a v").await;
        desk.shows(&["pub-2"]);
        desk.press("enter").await;
        desk.shows(&["RESOLVE-BLOCK", "resolution_id", "pub-2"]);
        desk.press("esc").await;
        world
            .act("lee", "take_block", Asked::of("pub-1"))
            .await
            .expect("taken");
        desk.see().await;
        desk.shows(&[
            "not reassign-block: not_taken: taken by lee",
            "note-block (a o)",
        ]);
        // A run of another scope is offered to nobody, nor is one that was minted before.
        world.block("pub-3").await;
        desk.press("z / r u n : p u b - 3 enter").await;
        desk.press("z").await;
        desk.shows(&["not resolve-block: no later run of its scope has passed"]);
    }
);

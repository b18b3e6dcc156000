//! Open blocks: filtered, sorted, counted, and whom they wait for.

use std::collections::BTreeSet;

use govdeck::console::panes::blocks::{state, time_left};
use govdeck::rules::block::BlockReason;
use govdeck::rules::filter::Filter;
use govdeck::store::Store;
use govdeck::store::block::{self, BLOCK_FIELDS, BlockSort, OpenBlock};
use govdeck::store::window::{Anchor, Look, Order};

use crate::support::blocks::{Made, PLAIN, around, blocks, ids, look, put, runs};
use crate::support::on_both;

on_both!(filters_find_text_and_nothing_else, |world| {
    let made = [
        Made {
            run: "a%b",
            scope: "Sla/Partners",
            ..PLAIN
        },
        Made {
            run: "a_b",
            scope: "it's/\"quoted\"",
            people: ("lee", "maya"),
            ..PLAIN
        },
        Made {
            run: "a\\b",
            taken_by: Some("maya"),
            reason: "missing_source_hash",
            ..PLAIN
        },
        Made {
            run: "a!b",
            escalated: true,
            ..PLAIN
        },
        Made {
            run: "axb",
            scope: "\u{c4}rzte/kliniken",
            taken_by: Some("lee"),
            escalated: true,
            ..PLAIN
        },
    ];
    put(&world, &made);
    let store = world.store("lee").await;
    for (filter, expected) in [
        ("", "a!b a%b a\\b a_b axb"),
        ("%", "a%b"),
        ("_b", "a_b"),
        ("run:_", "a_b"),
        ("!", "a!b a%b a\\b a_b axb"),
        ("a!b", "a!b"),
        ("\\", "a\\b"),
        ("run:\\b", "a\\b"),
        ("'", "a_b"),
        ("\"", "a_b"),
        ("' OR 1=1 --", ""),
        ("%%", ""),
        ("!%", "a!b a\\b a_b axb"),
        ("!run:x !run:_", "a!b a%b a\\b"),
        ("~a%b", "a%b"),
        ("~run:ab", "a!b a%b a\\b a_b axb"),
        ("~run:ba", ""),
        ("~slptn", "a!b a%b a\\b"),
        ("SLA", "a!b a%b a\\b"),
        ("scope:PARTNERS scope:sla", "a!b a%b a\\b"),
        ("run:partners", ""),
        ("owner:lee", "a_b"),
        ("backup:lee", "a!b a%b a\\b axb"),
        ("!owner:lee !backup:lee", ""),
        ("source", "a\\b"),
        ("!reason:source", "a!b a%b a_b axb"),
        ("state:open", "a%b a_b"),
        ("state:taken", "a\\b axb"),
        ("state:escalated", "a!b"),
        ("!state:escalated state:taken", "a\\b axb"),
        ("taken:lee", "axb"),
        ("!taken:lee state:taken", "a\\b"),
        ("\u{c4}rzte", "axb"),
        ("\u{c4}RZTE", "axb"),
        ("nobody-has-this", ""),
    ] {
        let mut view = store.view().await.expect("a view");
        let asked = Look {
            filter: Filter::parse(filter, BLOCK_FIELDS).expect("a filter"),
            ..look(BlockSort::Run, Order::Natural, Anchor::First, 9)
        };
        let window = blocks(&mut view, &asked).await;
        assert_eq!(ids(&window).join(" "), expected, "{filter:?}");
        // Wherever it lies, a window holds what its filter lets through, and no more.
        let middle = Look {
            anchor: around("a\\b"),
            ..asked
        };
        let mut found = runs(&blocks(&mut view, &middle).await);
        found.sort_unstable();
        assert_eq!(found.join(" "), expected, "{filter:?} around");
    }
});

on_both!(a_filter_finds_the_words_that_stand_in_the_pane, |world| {
    let made = |run, ago| Made { run, ago, ..PLAIN };
    put(
        &world,
        &[
            made("in time", 1),
            made("half gone", 20),
            made("over", 40),
            Made {
                escalated: true,
                ..made("escalated", 45)
            },
            Made {
                taken_by: Some("lee"),
                ..made("stale", 90)
            },
            Made {
                taken_by: Some("lee"),
                ..made("taken", 1)
            },
        ],
    );
    let store = world.store("lee").await;
    let mut view = store.view().await.expect("a view");
    let now = view.now();
    let all = look(BlockSort::Run, Order::Natural, Anchor::First, 9);
    let rows = blocks(&mut view, &all).await.rows;
    let words = |block: &OpenBlock| {
        let sla = time_left(block, now).1;
        let sla = sla.split_whitespace().next().unwrap_or_default();
        [
            format!("sla:{sla}"),
            format!("state:{}", state(block, now).1),
        ]
    };
    let every: BTreeSet<String> = rows.iter().flat_map(words).collect();
    assert_eq!(every.len(), 8, "each word is tried: {every:?}");
    for word in every {
        let asked = Look {
            filter: Filter::parse(&word, BLOCK_FIELDS).expect("a filter"),
            ..look(BlockSort::Run, Order::Natural, Anchor::First, 9)
        };
        let found = runs(&blocks(&mut view, &asked).await);
        let says = rows.iter().filter(|row| words(row).contains(&word));
        let says: Vec<_> = says.map(|row| row.audit.publish_run_id.clone()).collect();
        assert_eq!(found, says, "{word}");
    }
});

on_both!(blocks_are_sorted_by_the_time_that_is_left, |world| {
    put(
        &world,
        &[
            Made {
                run: "new",
                ago: 1,
                ..PLAIN
            },
            Made {
                run: "late",
                ago: 40,
                ..PLAIN
            },
            Made {
                run: "later",
                ago: 50,
                taken_by: Some("lee"),
                ..PLAIN
            },
            Made {
                run: "due",
                ago: 20,
                ..PLAIN
            },
            Made {
                run: "due too",
                ago: 20,
                ..PLAIN
            },
        ],
    );
    let store = world.store("kim").await;
    let mut view = store.view().await.expect("a view");
    for (sort, expected) in [
        (
            BlockSort::TimeLeft,
            ["late", "due", "due too", "new", "later"],
        ),
        (
            BlockSort::BlockedAt,
            ["later", "late", "due", "due too", "new"],
        ),
        (BlockSort::Run, ["due", "due too", "late", "later", "new"]),
    ] {
        let window = blocks(&mut view, &look(sort, Order::Natural, Anchor::First, 9)).await;
        assert_eq!(ids(&window), expected, "{sort}");
    }
});

async fn waiting(store: &Store, person: &str, most: i64) -> Vec<String> {
    let mut view = store.view().await.expect("a view");
    let found = block::waiting_for(&mut view, person, most)
        .await
        .expect("read");
    found
        .into_iter()
        .map(|block| block.audit.publish_run_id)
        .collect()
}

on_both!(what_waits_for_a_person, |world| {
    put(
        &world,
        &[
            Made {
                run: "fresh",
                ..PLAIN
            },
            Made {
                run: "late",
                ago: 31,
                ..PLAIN
            },
            Made {
                run: "escalated",
                ago: 2,
                escalated: true,
                ..PLAIN
            },
            Made {
                run: "taken",
                taken_by: Some("lee"),
                ..PLAIN
            },
            Made {
                run: "taken late",
                ago: 90,
                taken_by: Some("maya"),
                escalated: true,
                ..PLAIN
            },
            Made {
                run: "other way",
                ago: 5,
                people: ("lee", "maya"),
                ..PLAIN
            },
            Made {
                run: "drill",
                drill: true,
                ago: 99,
                ..PLAIN
            },
        ],
    );
    let store = world.store("kim").await;
    assert_eq!(
        waiting(&store, "maya", 9).await,
        ["late", "fresh", "escalated", "taken late"]
    );
    assert_eq!(
        waiting(&store, "lee", 9).await,
        ["late", "other way", "escalated", "taken"]
    );
    assert_eq!(waiting(&store, "lee", 2).await, ["late", "other way"]);
    assert_eq!(waiting(&store, "kim", 9).await, [""; 0]);
});

on_both!(reasons_are_counted_with_their_most_urgent, |world| {
    let store = world.store("kim").await;
    let count = async || {
        let mut view = store.view().await.expect("a view");
        block::by_reason(&mut view).await.expect("read")
    };
    assert_eq!(count().await, []);
    put(
        &world,
        &[
            Made {
                run: "a",
                ago: 3,
                ..PLAIN
            },
            Made {
                run: "b",
                ago: 7,
                ..PLAIN
            },
            Made {
                run: "c",
                ago: 9,
                taken_by: Some("lee"),
                ..PLAIN
            },
            Made {
                run: "f",
                ago: 45,
                ..PLAIN
            },
            Made {
                run: "g",
                ago: 46,
                ..PLAIN
            },
            Made {
                run: "d",
                reason: "missing_publish_hash",
                taken_by: Some("lee"),
                ..PLAIN
            },
            Made {
                run: "e",
                reason: "footer_schema_drift",
                drill: true,
                ..PLAIN
            },
        ],
    );
    let counts = count().await;
    let told: Vec<_> = counts
        .iter()
        .map(|count| (count.block_reason, count.open, count.untaken))
        .collect();
    assert_eq!(
        told,
        [
            (BlockReason::MissingPublishHash, 1, 0),
            (BlockReason::TupleDrift, 5, 4)
        ]
    );
    let mut view = store.view().await.expect("a view");
    let urgent = block::find(&mut view, "b")
        .await
        .expect("read")
        .expect("there");
    assert_eq!(counts[0].respond_by_utc, None);
    assert!(counts[1].respond_by_utc < urgent.audit.respond_by_utc);
    // Each late one counts, not only the first, and the next to become so is told.
    assert_eq!((counts[0].late, counts[1].late), (0, 2));
    assert_eq!(counts[1].next_late_utc, urgent.audit.respond_by_utc);
});

on_both!(a_block_is_found_whatever_became_of_it, |world| {
    world.register_footer().await;
    let hash = "a".repeat(64);
    world
        .mint("pub-1", Some(&hash), Some(&hash))
        .expect("minted");
    world.decide("pub-1").await.expect("passes");
    world.block("pub-2").await;
    world.mint("pub-3", None, None).expect("minted");
    let store = world.store("kim").await;
    let mut view = store.view().await.expect("a view");
    let passed = block::find(&mut view, "pub-1")
        .await
        .expect("read")
        .expect("decided");
    assert_eq!(
        (passed.audit.respond_by_utc, passed.publish_scope.as_str()),
        (None, "sla/partners")
    );
    let blocked = block::find(&mut view, "pub-2")
        .await
        .expect("read")
        .expect("decided");
    assert_eq!(blocked.footer_schema_semver.as_deref(), Some("v2.4.0"));
    assert!(blocked.minted_at_utc < blocked.audit.created_at_utc);
    assert_eq!(
        blocked.audit.respond_by_utc,
        Some(blocked.audit.created_at_utc.plus_minutes(30))
    );
    for undecided in ["pub-3", "pub-9"] {
        assert_eq!(block::find(&mut view, undecided).await.expect("read"), None);
    }
    // A run that passed has no place among the blocks: the window begins at the first.
    let window = blocks(
        &mut view,
        &look(BlockSort::TimeLeft, Order::Natural, around("pub-1"), 5),
    )
    .await;
    assert_eq!(ids(&window), ["pub-2"]);
    world.assert_sound().await;
});

//! Windows: parts of long lists, read by key, in every order and from every place.

use govdeck::actions::Asked;
use govdeck::rules::filter::Filter;
use govdeck::store::View;
use govdeck::store::block::BlockSort;
use govdeck::store::ledger::{self, Entry, LEDGER_FIELDS, LedgerSort};
use govdeck::store::window::Order::{Natural, Reversed};
use govdeck::store::window::{Anchor, Look, Order, Window};

use crate::support::blocks::{Made, PLAIN, around, blocks, ids, look, put, put_many, runs};
use crate::support::on_both;

/// Walks through the whole list, window by window.
async fn walk(view: &mut View, sort: BlockSort, order: Order, reach: u16) -> [Vec<String>; 2] {
    let first = blocks(view, &look(sort, order, Anchor::First, reach)).await;
    assert!(!first.more_before && first.more_after);
    let (mut forward, mut more) = (runs(&first), first.more_after);
    while more {
        let last = forward.last().expect("a row").clone();
        let window = blocks(view, &look(sort, order, around(&last), reach)).await;
        let found = runs(&window);
        let at = found
            .iter()
            .position(|run| *run == last)
            .expect("the anchor is in its window");
        assert_eq!(at, usize::from(reach), "as many before it as asked for");
        assert!(forward.ends_with(&found[..=at]), "the same rows as before");
        forward.extend_from_slice(&found[at + 1..]);
        more = window.more_after;
        assert!(window.more_before);
    }
    let last = blocks(view, &look(sort, order, Anchor::Last, reach)).await;
    assert!(last.more_before && !last.more_after);
    let (mut backward, mut more) = (runs(&last), last.more_before);
    while more {
        let first = backward[0].clone();
        let window = blocks(view, &look(sort, order, around(&first), reach)).await;
        let found = runs(&window);
        let at = found
            .iter()
            .position(|run| *run == first)
            .expect("the anchor is in its window");
        assert!(
            backward.starts_with(&found[at..]),
            "the same rows as before"
        );
        backward.splice(..0, found[..at].iter().cloned());
        more = window.more_before;
    }
    [forward, backward]
}

on_both!(walks_visit_every_row_exactly_once_in_every_order, |world| {
    put_many(&world, 5_000);
    let store = world.store("lee").await;
    let mut view = store.view().await.expect("a view");
    for (sort, key) in [
        (
            BlockSort::TimeLeft,
            "taken_by IS NOT NULL, respond_by_utc, publish_run_id",
        ),
        (BlockSort::BlockedAt, "created_at_utc, publish_run_id"),
        (BlockSort::Run, "publish_run_id"),
    ] {
        let all = world.owner_sql(&format!(
            "SELECT publish_run_id FROM publish_replay_audit WHERE drill = FALSE ORDER BY {key}"
        ));
        let mut expected: Vec<String> = all.lines().map(str::to_owned).collect();
        assert_eq!(expected.len(), 4_500);
        for (order, reach) in [(Natural, 100), (Reversed, 130)] {
            let [forward, backward] = walk(&mut view, sort, order, reach).await;
            assert!(forward == expected, "{sort} {order:?} forward");
            assert!(backward == expected, "{sort} {order:?} backward");
            expected.reverse();
        }
    }
});

on_both!(
    a_window_lies_around_its_anchor_even_when_that_is_gone,
    |world| {
        let runs = ["r-1", "r-2", "r-3", "r-4", "r-5", "r-6", "r-45"];
        put(
            &world,
            &runs.map(|run| Made {
                run,
                drill: run == "r-45",
                ..PLAIN
            }),
        );
        let store = world.store("lee").await;
        let see = async |anchor: Anchor, order: Order, reach: u16| {
            let mut view = store.view().await.expect("a view");
            let window = blocks(&mut view, &look(BlockSort::Run, order, anchor, reach)).await;
            let shown = ids(&window).join(" ");
            (window.more_before, shown, window.more_after)
        };
        let expect = |before: bool, rows: &str, after: bool| (before, rows.to_owned(), after);
        for (anchor, order, reach, expected) in [
            (
                Anchor::First,
                Natural,
                2,
                expect(false, "r-1 r-2 r-3 r-4", true),
            ),
            (
                Anchor::First,
                Natural,
                3,
                expect(false, "r-1 r-2 r-3 r-4 r-5 r-6", false),
            ),
            (
                Anchor::Last,
                Natural,
                2,
                expect(true, "r-3 r-4 r-5 r-6", false),
            ),
            (
                Anchor::Last,
                Natural,
                9,
                expect(false, "r-1 r-2 r-3 r-4 r-5 r-6", false),
            ),
            (
                Anchor::First,
                Reversed,
                2,
                expect(false, "r-6 r-5 r-4 r-3", true),
            ),
            (Anchor::Last, Reversed, 1, expect(true, "r-2 r-1", false)),
            (
                around("r-3"),
                Natural,
                2,
                expect(false, "r-1 r-2 r-3 r-4", true),
            ),
            (around("r-4"), Natural, 1, expect(true, "r-3 r-4", true)),
            (
                around("r-6"),
                Natural,
                2,
                expect(true, "r-4 r-5 r-6", false),
            ),
            (around("r-1"), Natural, 2, expect(false, "r-1 r-2", true)),
            (
                around("r-4"),
                Reversed,
                2,
                expect(false, "r-6 r-5 r-4 r-3", true),
            ),
            (around("r-4"), Natural, 0, expect(true, "", true)),
            // A drill stands between two rows, and somebody else's id nowhere.
            (around("r-45"), Natural, 1, expect(true, "r-4 r-5", true)),
            (
                around("nothing' OR 1=1"),
                Natural,
                1,
                expect(false, "r-1 r-2", true),
            ),
            (around(""), Reversed, 1, expect(false, "r-6 r-5", true)),
        ] {
            let told = format!("{anchor:?} {order:?} {reach}");
            assert_eq!(see(anchor, order, reach).await, expected, "{told}");
        }
        // The walls are away already: one block ends, and so does the last.
        for gone in ["r-3", "r-6"] {
            world.owner_sql(&format!(
            "UPDATE publish_replay_audit SET status = 'withdrawn', rehash_sha256 = publish_tuple_hash, \
             rehash_at_utc = respond_by_utc, resolved_at_utc = respond_by_utc WHERE publish_run_id = '{gone}'"
        ));
        }
        for (anchor, order, expected) in [
            (around("r-3"), Natural, expect(true, "r-2 r-4", true)),
            (around("r-3"), Reversed, expect(true, "r-4 r-2", true)),
            (around("r-6"), Natural, expect(true, "r-5", false)),
            (around("r-6"), Reversed, expect(false, "r-5", true)),
        ] {
            let told = format!("{anchor:?} {order:?}");
            assert_eq!(see(anchor, order, 1).await, expected, "{told}");
        }
    }
);

fn positions(window: &Window<Entry>) -> Vec<i64> {
    window.rows.iter().map(|entry| entry.seq).collect()
}

on_both!(the_ledger_is_read_in_windows, |world| {
    for n in 3..=12 {
        let asked = Asked::of(format!("p{n}")).with("name", "P_%");
        world.act("maya", "add_person", asked).await.expect("added");
    }
    world
        .act("maya", "arm_console", Asked::of("c-1"))
        .await
        .expect("armed");
    let store = world.store("kim").await;
    let mut view = store.view().await.expect("a view");
    let mut see = async |filter: &str, order: Order, anchor: Anchor, reach: u16| {
        let look = Look {
            filter: Filter::parse(filter, LEDGER_FIELDS).expect("a filter"),
            sort: LedgerSort::Newest,
            order,
            anchor,
            reach,
        };
        let window = ledger::window(&mut view, &look).await.expect("a window");
        (window.more_before, positions(&window), window.more_after)
    };
    assert_eq!(
        see("", Natural, Anchor::First, 2).await,
        (false, vec![13, 12, 11, 10], true)
    );
    assert_eq!(
        see("", Natural, Anchor::Last, 2).await,
        (true, vec![4, 3, 2, 1], false)
    );
    assert_eq!(
        see("", Reversed, Anchor::First, 2).await,
        (false, vec![1, 2, 3, 4], true)
    );
    assert_eq!(
        see("", Natural, around("5"), 2).await,
        (true, vec![7, 6, 5, 4], true)
    );
    assert_eq!(
        see("", Reversed, around("5"), 2).await,
        (true, vec![3, 4, 5, 6], true)
    );
    for nowhere in [
        "0",
        "99",
        "-1",
        "99999999999999999999",
        "x",
        "",
        "5; DROP TABLE person",
    ] {
        let first = (false, vec![13, 12], true);
        assert_eq!(
            see("", Natural, around(nowhere), 1).await,
            first,
            "{nowhere:?}"
        );
    }
    for (filter, expected) in [
        ("target:p1", vec![12, 11, 10]),
        ("action:establish", vec![1]),
        ("kind:console", vec![13]),
        ("actor:MAYA !kind:person", vec![13]),
        ("basis:rule", vec![1]),
        // An entry by rule has no reason, and lacks whatever one looks for.
        ("!reason:story", vec![1]),
        ("reason:story target:p12", vec![12]),
        ("~target:c1", vec![13]),
        ("_%", vec![]),
    ] {
        let found = see(filter, Natural, Anchor::First, 20).await;
        assert_eq!(found, (false, expected, false), "{filter}");
    }
    for (seq, later) in [(0, 13), (1, 12), (12, 1), (13, 0), (99, 0)] {
        assert_eq!(ledger::after(&mut view, seq).await.expect("counted"), later);
    }
});

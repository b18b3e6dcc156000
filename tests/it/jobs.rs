//! Unattended work: what a timer may run at any time, as often as it likes.

use govdeck::jobs::drop_leaves;
use govdeck::rules::drift::Side;
use govdeck::store::Store;

use crate::cli_kit::{contents, document, govdeck, refused, said};
use crate::publish_leaves::{ROWS, decide, mint, side};
use crate::support::on_both;

const WEEK: i64 = 7 * 24 * 60;

/// Mints runs that pass, some minutes ago, and lets the gate decide them.
async fn passed(store: &Store, runs: std::ops::Range<u32>, minutes: i64) {
    for run in runs {
        let run = format!("pub-{run}");
        let leaves = [side(Side::Publish, ROWS), side(Side::Source, ROWS)];
        mint(store, &run, minutes, ROWS, &leaves).await;
        decide(store, &run, || ()).await;
    }
}

const KEPT: &str = "SELECT COUNT(*) FROM publish_leaf WHERE bytes IS NOT NULL";

on_both!(old_leaves_are_dropped_by_a_job, |world| {
    world.register_footer().await;
    let store = world.store("maya").await;
    passed(&store, 0..3, WEEK + 1).await;
    passed(&store, 3..5, WEEK - 60).await;
    store.close().await;
    let job = ["job", "drop-leaves"];
    let json = [&job[..], &["--json"]].concat();
    let done = document(&govdeck(&world, "maya", &json), 0, "job-drop-leaves");
    assert_eq!(done["dropped"], 6);
    assert_eq!(world.owner_sql(KEPT), "4");
    // Once more there is nothing to do, and nothing is written.
    let before = contents(&world);
    let text = govdeck(&world, "maya", &job);
    assert_eq!(said(&text, 0), "dropped the leaves of 0 sides\n");
    assert_eq!(contents(&world), before);
    refused(&govdeck(&world, "maya", &["job", "drop-everything"]), 2);
    world.assert_sound().await;
});

on_both!(more_than_one_transaction_takes_are_dropped, |world| {
    world.register_footer().await;
    let store = world.store("maya").await;
    passed(&store, 0..1, WEEK + 1).await;
    // Many of the same, as only an owner can put them there.
    let away = world.walls_away("publish_snapshots") + &world.walls_away("publish_leaf");
    let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)";
    let copied = govdeck::store::publish::Snapshot::COLUMNS[1..].join(", ");
    world.owner_sql(&format!(
        "{away} {numbers} INSERT INTO publish_snapshots (publish_run_id, {copied}) SELECT 'more-' || i, {copied} FROM publish_snapshots, n; \
         {numbers} INSERT INTO publish_leaf SELECT 'more-' || i, side, row_count, sha256, bytes, minted_at_utc, keep_until_utc FROM publish_leaf, n"
    ));
    let done = drop_leaves::run(&store).await.expect("done");
    assert_eq!((done.dropped, world.owner_sql(KEPT).as_str()), (242, "0"));
    store.close().await;
});

on_both!(two_that_drop_leaves_at_once_do_no_harm, |world| {
    world.register_footer().await;
    let (one, two) = (world.store("maya").await, world.store("maya").await);
    passed(&one, 0..8, WEEK + 1).await;
    let (first, second) = tokio::join!(drop_leaves::run(&one), drop_leaves::run(&two));
    let dropped = first.expect("done").dropped + second.expect("done").dropped;
    assert_eq!((dropped, world.owner_sql(KEPT).as_str()), (16, "0"));
    one.close().await;
    two.close().await;
    world.assert_sound().await;
});

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_s_login_does_the_work_and_a_viewer_s_does_not() {
    let world = crate::grants::world().await;
    world.register_footer().await;
    let store = world.store("maya").await;
    passed(&store, 0..1, WEEK + 1).await;
    store.close().await;
    let job = ["job", "drop-leaves"];
    let (sentence, hint) = refused(&govdeck(&world, "in_viewer", &job), 3);
    assert!(
        format!("{sentence} {hint}").contains("govdeck_agent"),
        "{sentence} {hint}"
    );
    assert_eq!(world.owner_sql(KEPT), "2");
    said(&govdeck(&world, "in_agent", &job), 0);
    assert_eq!(world.owner_sql(KEPT), "0");
}

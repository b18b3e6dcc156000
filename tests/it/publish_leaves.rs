//! Leaves in the database: filed with their run, never altered, and dropped only where nobody needs them any more.

use govdeck::actions::{self, ByRule, Outcome, Request};
use govdeck::canon::{Leaves, tuple_leaves};
use govdeck::clock::Moment;
use govdeck::rules::block::SnapshotStatus;
use govdeck::rules::drift::Side;
use govdeck::store::Store;
use govdeck::store::leaf::{self, Minted, NewLeaves};
use govdeck::store::publish::Snapshot;

use crate::support::{World, on_both};

pub const ROWS: &str = r#"[{"metric_id":"a","value":1},{"metric_id":"b","value":2}]"#;
const OTHER: &str = r#"[{"metric_id":"a","value":1},{"metric_id":"b","value":3}]"#;

fn ago(now: Moment, minutes: i64) -> Moment {
    now.plus_minutes(-minutes)
}

pub fn side(side: Side, rows: &str) -> NewLeaves {
    NewLeaves::new(side, tuple_leaves(rows).expect("rows").leaves)
}

/// Mints a run as it was minted some time ago, with leaves; its source was read a second ago.
pub async fn mint(store: &Store, run: &str, minutes: i64, source: &str, leaves: &[NewLeaves]) {
    mint_sides(store, run, minutes, [ROWS, source], leaves).await;
}

/// Mints a run of two sides.
pub async fn mint_sides(
    store: &Store,
    run: &str,
    minutes: i64,
    [publish, source]: [&str; 2],
    leaves: &[NewLeaves],
) {
    let now = store.view().await.expect("a view").now();
    let hash = |rows: &str| Some(tuple_leaves(rows).expect("rows").digest.to_string());
    let snapshot = Snapshot {
        publish_run_id: run.to_owned(),
        publish_scope: "sla/partners".to_owned(),
        freeze_id: "fz-31".to_owned(),
        lift_id: "lf-31".to_owned(),
        dry_run_id: "dr-31".to_owned(),
        publish_tuple_hash: hash(publish),
        source_tuple_hash: hash(source),
        footer_schema_semver: Some("v2.4.0".to_owned()),
        replay_parser_contract: None,
        epsilon_policy_version: None,
        source_ref: None,
        artifact_ref: None,
        source_observed_at_utc: Some(now),
        freeze_bypass_id: None,
        drill: false,
        status: SnapshotStatus::PendingGate,
        block_reason: None,
        created_at_utc: ago(now, minutes),
        decided_at_utc: None,
        version: 0,
    };
    let minted = leaf::mint(store, &snapshot, leaves).await.expect("minted");
    assert_eq!(minted, Minted::Pending);
}

/// Lets the gate decide a run and returns what it says of the drift.
pub async fn decide(store: &Store, run: &str, go_on: impl FnOnce()) -> Option<String> {
    let drift = actions::explained(store, run).await.expect("read");
    go_on();
    let by = ByRule::DecideRun {
        run: run.to_owned(),
    };
    let request = Request::by_rule(by)
        .expect("a request")
        .with_prepared(drift);
    let outcome = actions::carry_out(store, request).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    let mut view = store.view().await.expect("a view");
    let filed = leaf::drift(&mut view, run).await.expect("read")?;
    Some(filed.drift.expect("it reads").in_a_line(3))
}

on_both!(what_the_leaves_do_not_prove_is_never_told, |world| {
    world.register_footer().await;
    let store = world.store("maya").await;
    let nothing = || ();
    mint(
        &store,
        "pub-1",
        1,
        OTHER,
        &[side(Side::Publish, ROWS), side(Side::Source, OTHER)],
    )
    .await;
    assert_eq!(
        decide(&store, "pub-1", nothing).await.as_deref(),
        Some("1 of 2 leaves differs: b")
    );
    mint(&store, "pub-2", 1, OTHER, &[]).await;
    let unfiled = "not explained: no leaves of the publish side were filed";
    assert_eq!(
        decide(&store, "pub-2", nothing).await.as_deref(),
        Some(unfiled)
    );
    let too_many = Leaves {
        rows: 3_000_000,
        bytes: None,
    };
    mint(
        &store,
        "pub-3",
        1,
        OTHER,
        &[
            side(Side::Publish, ROWS),
            NewLeaves::new(Side::Source, too_many),
        ],
    )
    .await;
    let too_large = "not explained: the leaves of the source side (3000000 rows) take more than 64 MB and were not kept";
    assert_eq!(
        decide(&store, "pub-3", nothing).await.as_deref(),
        Some(too_large)
    );
    // A pipeline may amend a hash while the run waits; the leaves then belong to other rows.
    mint(
        &store,
        "pub-4",
        1,
        OTHER,
        &[side(Side::Publish, ROWS), side(Side::Source, OTHER)],
    )
    .await;
    let amend = |run: &str| {
        let sql = format!(
            "UPDATE publish_snapshots SET source_tuple_hash = '{}' WHERE publish_run_id = '{run}'",
            "c".repeat(64)
        );
        world.sql(&sql).expect("a pipeline may");
    };
    amend("pub-4");
    let other =
        "not explained: the leaves of the source side belong to other rows than its tuple hash";
    assert_eq!(
        decide(&store, "pub-4", nothing).await.as_deref(),
        Some(other)
    );
    mint(
        &store,
        "pub-5",
        1,
        OTHER,
        &[side(Side::Publish, ROWS), side(Side::Source, OTHER)],
    )
    .await;
    let moved = "not explained: the run or its leaves changed while both sides were compared";
    assert_eq!(
        decide(&store, "pub-5", || amend("pub-5")).await.as_deref(),
        Some(moved)
    );
    mint(
        &store,
        "pub-6",
        1,
        ROWS,
        &[side(Side::Publish, ROWS), side(Side::Source, ROWS)],
    )
    .await;
    assert_eq!(decide(&store, "pub-6", nothing).await, None, "it passed");
    store.close().await;
    // Whoever asks the gate without comparing gets a decision, and no explanation.
    world.block("pub-7").await;
    let said = world.owner_sql("SELECT body FROM notification_outbox WHERE subject LIKE '%pub-7%'");
    assert!(
        said.contains("not explained: nobody compared both sides"),
        "{said}"
    );
    world.assert_sound().await;
});

on_both!(
    leaves_are_written_with_their_run_and_never_altered,
    |world| {
        world.register_footer().await;
        let store = world.store("maya").await;
        mint(&store, "pub-1", 1, OTHER, &[side(Side::Publish, ROWS)]).await;
        let insert = "INSERT INTO publish_leaf SELECT publish_run_id, 'source', row_count, sha256, bytes, minted_at_utc, keep_until_utc FROM publish_leaf";
        let wall = |sql: &str, says: &str| {
            let error = world.sql(sql).expect_err(sql);
            assert!(error.contains(says), "{sql}: {error}");
        };
        let stay = "wall publish_leaf: leaves stay as they are";
        wall("UPDATE publish_leaf SET row_count = 9", stay);
        wall("UPDATE publish_leaf SET bytes = NULL", stay);
        wall(
            "DELETE FROM publish_leaf",
            "wall publish_leaf: leaves are dropped",
        );
        let moved = insert.replace(
            "'source', row_count, sha256, bytes, minted_at_utc, keep_until_utc",
            "'source', row_count, sha256, bytes, keep_until_utc, keep_until_utc",
        );
        assert!(world.sql(&moved).is_err(), "seven days after another time");
        let unknown = insert.replace("SELECT publish_run_id,", "SELECT 'pub-9',");
        wall(&unknown, "wall publish_leaf: ");
        decide(&store, "pub-1", || ()).await;
        store.close().await;
        wall(
            insert,
            "wall publish_leaf: leaves are filed while their run waits",
        );
        wall("UPDATE publish_leaf SET bytes = NULL", stay);
        if !world.is_postgres() {
            let replace = insert
                .replace("INSERT", "INSERT OR REPLACE")
                .replace("'source'", "'publish'");
            wall(&replace, "wall publish_leaf: leaves are filed while");
        }
        world.assert_sound().await;
    }
);

on_both!(
    leaves_of_passed_runs_are_dropped_after_seven_days,
    |world| {
        const WEEK: i64 = 7 * 24 * 60;
        world.register_footer().await;
        let store = world.store("maya").await;
        for (run, minutes, source) in [
            ("old", WEEK + 1, ROWS),
            ("young", WEEK - 1, ROWS),
            ("blocked", WEEK + 1, OTHER),
        ] {
            mint(
                &store,
                run,
                minutes,
                source,
                &[side(Side::Publish, ROWS), side(Side::Source, source)],
            )
            .await;
            decide(&store, run, || ()).await;
        }
        mint(
            &store,
            "waiting",
            WEEK + 1,
            ROWS,
            &[side(Side::Publish, ROWS)],
        )
        .await;
        // As many at once as are asked for: the database is held for no longer.
        for (most, dropped) in [(1, 1), (9, 1), (9, 0)] {
            let found = leaf::drop_old_leaves(&store, most).await;
            assert_eq!(found.expect("dropped"), dropped);
        }
        let left = "SELECT DISTINCT publish_run_id FROM publish_leaf WHERE bytes IS NOT NULL ORDER BY publish_run_id";
        assert_eq!(world.owner_sql(left), "blocked\nwaiting\nyoung");
        let mut view = store.view().await.expect("a view");
        let old = leaf::filed(&mut view, "old", Side::Source)
            .await
            .expect("read")
            .expect("known");
        assert!(old.sha256.is_some() && old.bytes.is_none() && old.rows == 2);
        drop(view);
        store.close().await;
        for run in ["young", "blocked", "waiting"] {
            let sql =
                format!("UPDATE publish_leaf SET bytes = NULL WHERE publish_run_id = '{run}'");
            assert!(world.sql(&sql).is_err(), "{run}");
        }
        world.assert_sound().await;
    }
);

#[tokio::test]
async fn the_leaves_of_a_side_are_found_by_anyone_who_reads_the_page() {
    // The form as docs/blocks.md says it, read without any code of the program.
    let world = World::sqlite().await;
    let store = world.store("maya").await;
    mint(&store, "pub-1", 1, ROWS, &[side(Side::Publish, ROWS)]).await;
    store.close().await;
    let hex = world.owner_sql("SELECT hex(bytes) FROM publish_leaf");
    let hash = tuple_leaves(ROWS).expect("rows").digest.to_string();
    let leaf =
        |key: &str, row: &str| format!("01{key}00{}", crate::cli_kit::sha256(row.as_bytes()));
    let wanted = format!(
        "676f766c65616631{hash}0000000000000002{}{}",
        leaf("61", r#"{"metric_id":"a","value":1}"#),
        leaf("62", r#"{"metric_id":"b","value":2}"#)
    );
    assert_eq!(hex.to_lowercase(), wanted);
}

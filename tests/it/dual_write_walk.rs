//! A scan of a large dictionary: gone through in looks that are kept, and gone on with where one was ended in between.

use std::collections::BTreeSet;

use govdeck::actions::Stop;
use govdeck::clock::Moment;
use govdeck::jobs::scan::{self, Scanned};
use govdeck::rules::migration::ScanStatus;
use govdeck::store::migration::{self, Walk};

use crate::support::command::{kill_at_every, wait_for};
use crate::support::pairs::{MIGRATION, PAIRS, hide_rows_but, in_dual_write, row};
use crate::support::{World, on_both};

const NOW: &str = "2098-05-04T06:00:00Z";
const SAMPLES: &str = "SELECT COUNT(*) FROM dual_write_scan";
const FOUND: &str =
    "SELECT DISTINCT status || ' ' || mismatches || ' of ' || rows_total FROM dual_write_scan";
const ON_ITS_WAY: &str = "SELECT scan_id FROM dual_write_walk WHERE reached IS NOT NULL";

/// A dictionary of three metrics with seven rows, of which four do not match.
async fn filled(world: World) -> World {
    let world = world.where_time_is_set().await;
    world.set_time(NOW).await;
    in_dual_write(&world).await;
    for (metric, filter, squad, modern) in [
        ("MET-0144", "", "ana", 1),
        ("MET-0144", "eu", "ana", 2),
        ("MET-0144", "us", "bo", 2),
        ("MET-0171", "", "bo", 1),
        ("MET-0171", "eu", "bo", 2),
        ("MET-0200", "", "bo", 2),
        ("MET-0200", "eu", "ana", 1),
    ] {
        row(&world, metric, filter, squad, [Some(1), Some(modern)]);
    }
    world
}

async fn scan_of(world: &World, rows_at_once: u32) -> Result<Scanned, Stop> {
    let store = world.store("maya").await;
    let scanned = scan::run(&store, rows_at_once).await;
    store.close().await;
    scanned
}

/// Leaves a walk as whoever was ended in between does, with the first metric looked at.
async fn left(world: &World, change: impl FnOnce(&mut Walk)) -> Walk {
    let store = world.store("maya").await;
    let mut view = store.view().await.expect("a view");
    let known = migration::known(&mut view, MIGRATION).await.expect("read");
    let stretch = migration::next_stretch(&mut view, None, 1).await;
    let stretch = stretch.expect("read");
    assert_eq!(stretch.until.as_deref(), Some("MET-0144"));
    let mut walk = Walk {
        scan_id: "a".repeat(32),
        migration_id: MIGRATION.to_owned(),
        begun_at_utc: view.now(),
        inputs_sha256: known.expect("there").inputs.scan,
        reached: stretch.until.clone(),
        counted: migration::rows_of_dictionary(&mut view)
            .await
            .expect("read"),
        found: migration::compare(&mut view, &PAIRS, &stretch)
            .await
            .expect("read"),
    };
    let found = migration::walk(&mut view, MIGRATION).await.expect("read");
    drop(view);
    change(&mut walk);
    let kept = migration::keep_walk(&store, found.as_ref(), &walk).await;
    assert!(kept.expect("written"));
    store.close().await;
    walk
}

on_both!(looks_of_any_size_find_the_same, |world| {
    let world = filled(world).await;
    let whole = scan_of(&world, scan::ROWS_AT_ONCE).await.expect("scanned");
    assert_eq!((whole.scan.rows_total, whole.scan.mismatches), (7, 4));
    assert_eq!(world.rows("SELECT COUNT(*) FROM dual_write_walk"), ["0"]);
    for rows_at_once in 1..=8 {
        let parts = scan_of(&world, rows_at_once).await.expect("scanned");
        assert_eq!(parts.worst, whole.worst, "{rows_at_once} rows at once");
    }
    assert_eq!(world.rows(FOUND), ["whole 4 of 7"]);
    assert_eq!(world.rows(SAMPLES), ["9"]);
    assert!(world.rows(ON_ITS_WAY).is_empty());
});

on_both!(what_was_kept_is_gone_on_with, |world| {
    let world = filled(world).await;
    let walk = left(&world, |_| ()).await;
    // What was looked at is not looked at again; the sample is of the time when the scan was begun.
    world.owner_sql("UPDATE governance_metric_dictionary_current SET \"breachCount\" = 1");
    world.set_time("2098-05-04T06:09:00Z").await;
    let scanned = scan_of(&world, 100).await.expect("scanned");
    assert!(scanned.scan.looked_until_utc > Some(scanned.scan.scanned_at_utc));
    assert_eq!(scanned.scan.scan_id, walk.scan_id);
    assert_eq!(scanned.scan.scanned_at_utc, walk.begun_at_utc);
    assert_eq!((scanned.scan.rows_total, scanned.scan.mismatches), (7, 2));
    assert!(world.rows(ON_ITS_WAY).is_empty());
    assert_eq!(
        scan_of(&world, 1).await.expect("scanned").scan.mismatches,
        0
    );
});

on_both!(what_no_longer_holds_is_begun_anew, |world| {
    let world = filled(world).await;
    let begun: Moment = NOW.parse().expect("a moment");
    let too_old = |walk: &mut Walk| {
        walk.begun_at_utc = begun.plus_minutes(-11);
    };
    let of_others = |walk: &mut Walk| walk.inputs_sha256 = "b".repeat(64);
    for rows_at_once in [1, 100] {
        let walk = left(&world, too_old).await;
        let anew = scan_of(&world, rows_at_once).await.expect("scanned").scan;
        assert!(anew.scan_id != walk.scan_id && anew.scanned_at_utc >= begun);
        assert!(
            world.rows(ON_ITS_WAY).is_empty(),
            "the old one ends with it"
        );
        let walk = left(&world, of_others).await;
        let anew = scan_of(&world, rows_at_once).await.expect("scanned").scan;
        assert_ne!(anew.scan_id, walk.scan_id);
        assert_eq!((anew.rows_total, anew.mismatches), (7, 4));
    }
    // Nobody can read what was kept.
    let walk = left(&world, |_| ()).await;
    world.tamper("dual_write_walk", "UPDATE dual_write_walk SET worst = '{'");
    let anew = scan_of(&world, 1).await.expect("scanned").scan;
    assert_ne!(anew.scan_id, walk.scan_id);
    assert_eq!(world.rows(FOUND), ["whole 4 of 7"]);
});

on_both!(
    rows_that_a_view_hides_in_any_stretch_make_it_short,
    |world| {
        let world = filled(world).await;
        hide_rows_but(&world, "dimension_filter_id <> 'us'");
        let short = scan_of(&world, 1).await.expect("scanned").scan;
        assert_eq!(short.status, ScanStatus::Short);
        assert_eq!(short.detail, "6 of 7 rows, 3 of them mismatch");
    }
);

on_both!(rows_that_leave_between_two_looks_make_it_short, |world| {
    let world = filled(world).await;
    left(&world, |_| ()).await;
    // Out of what is still to be looked at, into what was looked at.
    world.owner_sql("UPDATE governance_metric_dictionary_current SET dictionary_metric_id = 'MET-0144', dimension_filter_id = 'moved' WHERE dictionary_metric_id = 'MET-0200' AND dimension_filter_id = ''");
    let short = scan_of(&world, 100).await.expect("scanned").scan;
    assert_eq!(short.status, ScanStatus::Short);
    assert_eq!(short.detail, "6 of 7 rows, 3 of them mismatch");
    left(&world, |walk| walk.scan_id = "b".repeat(32)).await;
    world.owner_sql(
        "DELETE FROM governance_metric_dictionary_current WHERE dictionary_metric_id <> 'MET-0144'",
    );
    let short = scan_of(&world, 100).await.expect("scanned").scan;
    assert_eq!(short.detail, "4 of 7 rows, 3 of them mismatch");
});

on_both!(of_two_that_begin_at_once_one_files, |world| {
    let world = filled(world).await;
    for _ in 0..crate::support::rounds().div_ceil(10) {
        let before: usize = world.rows(SAMPLES).concat().parse().expect("a number");
        let both = tokio::join!(scan_of(&world, 1), scan_of(&world, 1));
        let filed = [both.0, both.1].iter().filter(|it| it.is_ok()).count();
        assert!(filed > 0);
        let after: usize = world.rows(SAMPLES).concat().parse().expect("a number");
        assert_eq!(after, before + filed);
        assert_eq!(world.rows(FOUND), ["whole 4 of 7"]);
        assert!(world.rows(ON_ITS_WAY).is_empty());
    }
});

on_both!(two_that_go_on_with_one_scan_file_it_once, |world| {
    let world = filled(world).await;
    for round in 0..crate::support::rounds().div_ceil(10) {
        left(&world, |walk| walk.scan_id = format!("{round:032x}")).await;
        let before = world.rows(SAMPLES).concat();
        let (one, two) = tokio::join!(scan_of(&world, 1), scan_of(&world, 1));
        let filed: BTreeSet<String> = [one, two]
            .into_iter()
            .filter_map(|it| match it {
                Ok(scanned) => Some(scanned.scan.scan_id),
                Err(Stop::Refused(refusal)) => {
                    assert!(refusal.sentence.contains("another scan"), "{refusal}");
                    None
                }
                Err(stop) => panic!("{stop}"),
            })
            .collect();
        let after: usize = world.rows(SAMPLES).concat().parse().expect("a number");
        let before: usize = before.parse().expect("a number");
        assert_eq!(after, before + filed.len(), "{filed:?}");
        assert!(filed.contains(&format!("{round:032x}")), "{filed:?}");
        assert_eq!(world.rows(FOUND), ["whole 4 of 7"]);
    }
});

on_both!(a_scan_killed_at_any_call_is_gone_on_with, |world| {
    let first = filled(world).await;
    // The migration was put there by hand, which is all that the verification may find.
    let before = first.findings(None).await;
    let calls = if first.is_postgres() {
        "sendto"
    } else {
        "pwrite64,fsync,fdatasync,ftruncate,unlink"
    };
    let (mut nothing, mut on_its_way, mut filed) = (0, 0, 0);
    let prepare = || {
        let world = wait_for(first.again());
        let command = world.govdeck("maya", &["job", "scan", "--rows-at-once", "1"]);
        (world, command)
    };
    let points = kill_at_every(calls, prepare, |point, world, _| {
        wait_for(async {
            let samples = world.rows(SAMPLES).concat();
            let kept = world.rows(ON_ITS_WAY);
            match (&*samples, kept.len()) {
                ("0", 0) => nothing += 1,
                ("0", 1) => on_its_way += 1,
                ("1", 0) => filed += 1,
                other => panic!("{point:?} left {other:?}"),
            }
            let again = scan_of(&world, 1).await.expect("scanned").scan;
            assert!(kept.is_empty() || kept == [again.scan_id], "{point:?}");
            assert_eq!(world.rows(FOUND), ["whole 4 of 7"], "{point:?}");
            assert_eq!(world.findings(None).await, before, "{point:?}");
        });
    });
    println!(
        "{points} points of {calls}: {nothing} nothing, {on_its_way} on its way, {filed} filed"
    );
    assert!(nothing > 0 && on_its_way > 0 && filed > 0);
});

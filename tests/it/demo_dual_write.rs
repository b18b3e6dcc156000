//! The story of dual write: one half is forgotten now and then, scans find it, and fixes land.

use std::collections::BTreeSet;

use govdeck::demo::chapters::dual_write::OPENS;
use govdeck::demo::chapters::migration::ID;
use govdeck::demo::chapters::people::LEAD;
use govdeck::demo::{Story, World};
use govdeck::rules::Verdict;
use govdeck::rules::migration::{Gate, Phase, ScanStatus, reports};
use govdeck::settings::Dsn;
use govdeck::store::window::Look;
use govdeck::store::{Access, OsAccount, Store, migration, verify};

use crate::support::command::Home;

const MINUTE: i64 = 60;

/// Names the metrics that the newest scan found differing.
async fn differing(store: &Store) -> BTreeSet<String> {
    let look = Look {
        reach: 25,
        ..Look::default()
    };
    let mut view = store.view().await.expect("a view");
    let found = migration::mismatches(&mut view, &look).await;
    let rows = found.expect("the newest scan").rows;
    rows.into_iter().map(|row| row.metric_id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_opens_with_halves_that_differ_and_a_fix_lands_while_somebody_looks() {
    let home = Home::new();
    let dsn = Dsn::of_file(&home.folder().join("demo.db")).expect("a path");
    let world = World::make(dsn.clone(), Story::DualWrite, LEAD, 1).await;
    let mut world = world.unwrap_or_else(|stop| panic!("{stop}"));
    let store = Store::open(&dsn, OsAccount::named(LEAD), Access::Write).await;
    let store = store.expect("it opens");

    let mut view = store.view().await.expect("a view");
    let known = migration::known(&mut view, ID).await.expect("read");
    let known = known.expect("it is there");
    assert_eq!(known.migration.phase, Phase::DualWrite);
    let gates = known.decide(view.now(), |facts| reports(facts, Phase::Cutover));
    let matches = gates.iter().find(|report| report.gate == Gate::Clean);
    assert_eq!(matches.map(|report| report.verdict), Some(Verdict::Fail));
    let scans = migration::scans(&mut view, ID).await.expect("scans");
    assert!(scans.iter().all(|scan| scan.status == ScanStatus::Whole));
    let counts: BTreeSet<i64> = scans.iter().map(|scan| scan.mismatches).collect();
    assert!(counts.len() > 3, "the chart moves: {counts:?}");
    // The same metric for three days running is somebody's to see to.
    let open = migration::deficiencies(&mut view, ID).await.expect("read");
    assert!(open.iter().any(|it| it.subject == "MET-0009"), "{open:?}");
    drop(view);
    assert!(differing(&store).await.contains("MET-0009"));

    world
        .live_through(2 * 60 * MINUTE)
        .await
        .expect("it goes on");
    assert!(!differing(&store).await.contains("MET-0009"));

    let mut view = store.view().await.expect("a view");
    let report = verify::verify(&mut view, None).await.expect("a report");
    assert_eq!(report.findings, []);
    drop(view);
    store.close().await;
    world.end().await;
    let taken = World::take_up(dsn, Some(Story::DualWrite), LEAD, None).await;
    assert_eq!(taken.expect("it goes on").story(), Story::DualWrite);
    assert_eq!(Story::DualWrite.history(), OPENS);
}

//! Scans of what is written twice: what they count, what makes them no proof, and what becomes somebody's task.

use govdeck::actions::{self, Asked, Stop};
use govdeck::jobs::scan::{self, Scanned};
use govdeck::rules::migration::{DICTIONARY, Gate, ScanStatus, Why};
use govdeck::store::migration::{self, Stretch};

use crate::cli_kit::{document, govdeck, refused, said};
use crate::support::desk::Desk;
use crate::support::pairs::{
    MIGRATION, PAIRS, hide_rows_but, in_dual_write, in_phase, mend, row, text, with_columns,
    with_views,
};
use crate::support::{World, on_both};

async fn scanned(world: &World) -> Scanned {
    let store = world.store("maya").await;
    let scanned = scan::run(&store, scan::ROWS_AT_ONCE).await;
    store.close().await;
    scanned.expect("scanned")
}

/// A world whose time the story sets, with a migration in dual write.
async fn timed(world: World) -> World {
    let world = world.where_time_is_set().await;
    world.set_time("2098-05-04T06:00:00Z").await;
    in_dual_write(&world).await;
    world
}

on_both!(a_scan_counts_by_metric_and_squad, |world| {
    let world = timed(world).await;
    row(&world, "MET-0144", "", "ana's", [Some(1), Some(1)]);
    row(&world, "MET-0144", "eu", "ana's", [None, None]);
    row(&world, "MET-0171", "", "bo", [Some(1), Some(1)]);
    let job = ["job", "scan"];
    let clean = govdeck(&world, "maya", &job);
    assert_eq!(
        said(&clean, 0),
        format!("whole {MIGRATION}: 0 of 3 rows mismatch\nclean for 00:00:00 of 72:00:00\n")
    );
    world.set_time("2098-05-04T06:15:00Z").await;
    let clean = govdeck(&world, "maya", &job);
    assert!(said(&clean, 0).contains("clean for 00:1"), "{clean:?}");
    // NULL on one side alone is a mismatch too; a row counts once, however many of its pairs do not match.
    world.owner_sql(&format!(
        "UPDATE {DICTIONARY} SET breach_count = 7, owner_route_id = 'r' WHERE owning_squad = {}",
        text("ana's")
    ));
    row(&world, "MET-0144", "us", "bo", [Some(1), None]);
    let json = [&job[..], &["--json"]].concat();
    let found = document(&govdeck(&world, "maya", &json), 1, "job-scan");
    assert_eq!(
        (&found["rows_total"], &found["mismatches"]),
        (&4.into(), &3.into())
    );
    let worst = serde_json::json!([
        {"metric_id": "MET-0144", "owning_squad": "ana's", "mismatches": 2},
        {"metric_id": "MET-0144", "owning_squad": "bo", "mismatches": 1},
    ]);
    assert_eq!(found["worst"], worst);
    assert_eq!(found["clock"]["counted_seconds"], 0);
    assert_eq!(found["clock"]["last_interruption"]["why"], "mismatch");
    mend(&world);
    assert_eq!(scanned(&world).await.scan.mismatches, 0);
});

on_both!(what_is_not_looked_at_whole_proves_nothing, |world| {
    let world = timed(world).await;
    let job = ["job", "scan"];
    let empty = govdeck(&world, "maya", &job);
    assert!(said(&empty, 3).contains("0 of 0 rows"), "{empty:?}");
    row(&world, "MET-0144", "", "bo", [Some(1), Some(1)]);
    row(&world, "MET-0171", "", "bo", [Some(1), Some(1)]);
    assert_eq!(scanned(&world).await.scan.status, ScanStatus::Whole);
    // A view that hides rows.
    hide_rows_but(&world, "dictionary_metric_id <> 'MET-0144'");
    let short = scanned(&world).await;
    assert_eq!(short.scan.status, ScanStatus::Short);
    assert_eq!(short.scan.detail, "1 of 2 rows, 0 of them mismatch");
    // A view without one of the pairs.
    with_views(&world, &PAIRS[..1]);
    let failed = govdeck(&world, "maya", &job);
    let failed = said(&failed, 3);
    assert!(failed.contains("owner_route_id_legacy"), "{failed}");
    // No view at all.
    world.owner_sql("DROP VIEW dual_write_pair_health; DROP VIEW dictionary_column_dual_write");
    let failed = scanned(&world).await;
    assert_eq!(failed.scan.status, ScanStatus::Failed);
    assert!(failed.scan.detail.contains("views"), "{:?}", failed.scan);
    assert_eq!(
        failed.clean.log.last().map(|it| it.why),
        Some(Why::NotWhole)
    );
    // The shape is another one than before, and it shows.
    let inputs = world.rows("SELECT DISTINCT inputs_sha256 FROM dual_write_scan");
    assert_eq!(inputs.len(), 4, "{inputs:?}");
    with_views(&world, &PAIRS);
    assert_eq!(scanned(&world).await.scan.status, ScanStatus::Whole);
    world.tamper(
        "dictionary_column_pair",
        "UPDATE dictionary_column_pair SET status = 'withdrawn'",
    );
    let failed = scanned(&world).await;
    assert_eq!(failed.scan.detail, "no pair of columns is registered");
});

on_both!(nothing_is_scanned_where_nothing_is_written_twice, |world| {
    let refusal = govdeck(&world, "maya", &["job", "scan"]);
    let (sentence, _) = refused(&refusal, 1);
    assert!(
        sentence.contains("no migration is written twice"),
        "{sentence}"
    );
    in_phase(&world, "prepare", &PAIRS).await;
    refused(&govdeck(&world, "maya", &["job", "scan"]), 1);
    world.tamper(
        "dictionary_migration_state",
        "UPDATE dictionary_migration_state SET phase = 'cutover'",
    );
    // After the cutover it is scanned as long as the views stand.
    refused(&govdeck(&world, "maya", &["job", "scan"]), 1);
    assert_eq!(world.rows("SELECT COUNT(*) FROM dual_write_scan"), ["0"]);
    with_columns(
        &world,
        &[("breach_count", "INTEGER"), ("breachCount", "INTEGER")],
    );
    with_columns(
        &world,
        &[("owner_route_id", "TEXT"), ("route.ownerRouteId", "TEXT")],
    );
    with_views(&world, &PAIRS);
    row(&world, "MET-0144", "", "bo", [Some(1), Some(1)]);
    assert_eq!(scanned(&world).await.scan.status, ScanStatus::Whole);
});

on_both!(three_days_running_become_somebody_s_task_once, |world| {
    let world = timed(world).await;
    row(&world, "MET-0144", "", "bo", [Some(1), Some(2)]);
    row(&world, "MET-0171", "", "bo", [Some(1), Some(1)]);
    let open = "SELECT owner_id || ' ' || subject FROM deficiency WHERE closed_at_utc IS NULL";
    for (at, due) in [
        ("2098-05-04T23:59:00Z", 0),
        // Scans of one day are one day.
        ("2098-05-05T00:01:00Z", 0),
        ("2098-05-05T12:00:00Z", 0),
        ("2098-05-06T00:00:00Z", 1),
        ("2098-05-06T08:00:00Z", 1),
        ("2098-05-07T08:00:00Z", 1),
    ] {
        world.set_time(at).await;
        scanned(&world).await;
        assert_eq!(world.rows(open).len(), due, "{at}");
    }
    // Nobody answers for the gate, so the engineer does.
    assert_eq!(world.rows(open), ["lee MET-0144"]);
    let notices =
        "SELECT recipient_id FROM notification_outbox WHERE event_class = 'deficiency_opened'";
    assert_eq!(world.rows(notices), ["lee"]);
    let mut desk = Desk::open(&world, "lee").await;
    let home = desk.screen(120, 40);
    assert!(home.contains("Waits for you · 1"), "{home}");
    assert!(
        home.contains(&format!("deficiency MET-0144  {MIGRATION}")),
        "{home}"
    );
    desk.press("j j j").await;
    let id = world.rows("SELECT deficiency_id FROM deficiency").concat();
    assert_eq!(desk.model.about(), Some(("deficiency", id)));
    desk.press("a").await;
    desk.shows(&["close-deficiency"]);
    desk.press("esc enter").await;
    let there = desk.screen(120, 40);
    assert!(there.contains("DEFICIENCY of lee"), "{there}");
    let id = world.rows("SELECT deficiency_id FROM deficiency").concat();
    let close = |who: &'static str| world.act(who, "close_deficiency", Asked::of(&*id));
    let no = close("kim").await.expect_err("kim holds no role");
    assert!(no.contains("kim holds no role"), "{no}");
    close("lee").await.expect("closed");
    let again = close("lee").await.expect_err("it is closed");
    assert!(again.contains("lee closed it"), "{again}");
    // What was seen before it was closed was seen to.
    for (at, due) in [
        ("2098-05-07T09:00:00Z", 0),
        ("2098-05-08T09:00:00Z", 0),
        ("2098-05-09T09:00:00Z", 1),
    ] {
        world.set_time(at).await;
        scanned(&world).await;
        assert_eq!(world.rows(open).len(), due, "{at}");
    }
    assert_eq!(world.rows("SELECT COUNT(*) FROM deficiency"), ["2"]);
    let findings = world.findings(None).await;
    let told: Vec<_> = findings
        .iter()
        .filter(|it| it.contains("deficiency"))
        .collect();
    assert!(told.is_empty(), "{told:?}");
});

on_both!(two_scans_at_once_open_one_deficiency, |world| {
    let world = timed(world).await;
    row(&world, "MET-0144", "", "bo", [Some(1), Some(2)]);
    for day in ["2098-05-05T10:00:00Z", "2098-05-06T10:00:00Z"] {
        world.set_time(day).await;
        scanned(&world).await;
    }
    world.set_time("2098-05-07T10:00:00Z").await;
    let (one, two) = (world.store("maya").await, world.store("maya").await);
    let (first, second) = tokio::join!(
        scan::run(&one, scan::ROWS_AT_ONCE),
        scan::run(&two, scan::ROWS_AT_ONCE)
    );
    let opened = [first, second].map(|it| it.expect("scanned").opened.len());
    assert!(opened.iter().sum::<usize>() <= 1, "{opened:?}");
    assert_eq!(world.rows("SELECT COUNT(*) FROM deficiency"), ["1"]);
    assert_eq!(world.rows("SELECT COUNT(*) FROM dual_write_scan"), ["4"]);
    one.close().await;
    two.close().await;
});

on_both!(a_deficiency_goes_to_who_answers_for_the_gate, |world| {
    let world = timed(world).await;
    let store = world.store("maya").await;
    let owner = async || {
        let mut view = store.view().await.expect("a view");
        let found = migration::find(&mut view, MIGRATION).await;
        let found = found.expect("read").expect("there");
        migration::answers_for(&mut view, &found, Gate::Clean)
            .await
            .expect("read")
    };
    assert_eq!(owner().await, "lee");
    world.tamper(
        "gate_owner_route",
        "INSERT INTO gate_owner_route (gate, role, person_id, backup_id, set_by, set_at_utc, version) \
         VALUES ('D1', 'data_engineer', 'kim', 'lee', 'maya', '2026-05-01T00:00:00.000000Z', 1)",
    );
    assert_eq!(owner().await, "kim");
    world.tamper(
        "person",
        "UPDATE person SET active = FALSE WHERE person_id = 'kim'",
    );
    assert_eq!(owner().await, "lee", "the backup");
    world.tamper(
        "gate_owner_route",
        "UPDATE gate_owner_route SET backup_id = 'govdeck'",
    );
    world.tamper(
        "person_role",
        "UPDATE person_role SET active = FALSE WHERE person_id = 'lee'",
    );
    assert_eq!(owner().await, "maya", "who opened it");
    store.close().await;
});

on_both!(pairs_of_one_metric_are_shown_as_they_are, |world| {
    let world = timed(world).await;
    let hostile = "\u{1b}[2J\u{202e}it's";
    row(&world, "MET-0144", "", "bo", [Some(1), Some(2)]);
    row(&world, "MET-0144", "eu", "bo", [Some(3), Some(3)]);
    row(&world, "MET-0171", "", "bo", [Some(4), None]);
    world.owner_sql(&format!(
        "UPDATE {DICTIONARY} SET owner_route_id = {} WHERE dimension_filter_id = 'eu'",
        text(hostile)
    ));
    let store = world.store("maya").await;
    let read = async |metric: &str, most: u16| {
        let mut view = store.view().await.expect("a view");
        let rows = migration::row_pairs(&mut view, metric, most).await;
        rows.expect("read")
    };
    let rows = read("MET-0144", 10).await.expect("the views stand");
    let told: Vec<_> = rows
        .iter()
        .map(|it| {
            let values = (it.legacy_value.as_deref(), it.modern_value.as_deref());
            (&*it.dimension_filter_id, &*it.modern_column, values)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("", "breachCount", (Some("1"), Some("2"))),
            ("eu", "route.ownerRouteId", (Some(hostile), None)),
        ]
    );
    assert_eq!(read("MET-0144", 1).await.expect("there").len(), 1);
    assert_eq!(read("nothing", 9).await, Some(Vec::new()));
    // Whoever looks keeps nobody waiting who writes.
    let mut view = store.view().await.expect("a view");
    let before = migration::compare(&mut view, &PAIRS, &Stretch::default())
        .await
        .expect("read");
    row(&world, "MET-0200", "", "bo", [Some(1), Some(2)]);
    let after = migration::compare(&mut view, &PAIRS, &Stretch::default())
        .await
        .expect("read");
    assert_eq!(before, after, "one look is one moment");
    drop(view);
    world.owner_sql("DROP VIEW dual_write_pair_health");
    assert_eq!(read("MET-0144", 9).await, None);
    store.close().await;
});

on_both!(a_rule_alone_opens_a_deficiency, |world| {
    in_dual_write(&world).await;
    let store = world.store("maya").await;
    let asked = Asked::of("a".repeat(32))
        .with("migration", MIGRATION)
        .with("metric", "MET-0144");
    let mut view = store.view().await.expect("a view");
    let proposal = actions::propose(&mut view, "open_deficiency", asked).await;
    assert!(matches!(
        proposal,
        Err(Stop::Refused(_) | Stop::BadInput(_))
    ));
    drop(view);
    store.close().await;
    let id = "a".repeat(32);
    let past = world.sql(&format!(
        "INSERT INTO deficiency (deficiency_id, kind, migration_id, subject, owner_id, detail, opened_at_utc, version) \
         VALUES ('{id}', 'mismatch', '{MIGRATION}', 'MET-0144', 'lee', 'x', '2026-05-01T00:00:00.000000Z', 1)"
    ));
    let said = past.expect_err("no entry says so");
    assert!(said.contains("newest"), "{said}");
});

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_s_login_scans_once_it_may_read_the_views() {
    let world = crate::grants::world().await;
    in_dual_write(&world).await;
    row(&world, "MET-0144", "", "bo", [Some(1), Some(2)]);
    let job = ["job", "scan"];
    refused(&govdeck(&world, "in_agent", &job), 3);
    let samples = "SELECT COUNT(*) FROM dual_write_scan";
    assert_eq!(world.owner_sql(samples), "0", "no right is no sample");
    let store = world.store("maya").await;
    let mut view = store.view().await.expect("a view");
    let readers = migration::built(&mut view).await.expect("read").readers;
    drop(view);
    store.close().await;
    world.owner_sql(&format!(
        "GRANT SELECT ON dictionary_column_dual_write, dual_write_pair_health TO {}",
        readers.join(", ")
    ));
    let found = govdeck(&world, "in_agent", &job);
    assert!(
        said(&found, 1).contains("MET-0144 of bo: 1 rows"),
        "{found:?}"
    );
    assert_eq!(world.owner_sql(samples), "1");
}

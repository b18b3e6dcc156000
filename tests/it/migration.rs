//! The migration of the dictionary: opened, written twice, cut over, closed, taken back; and every gate on the way.

use govdeck::actions::Asked;
use govdeck::rules::Verdict;
use govdeck::rules::migration::EvidenceKind;
use govdeck::rules::week::RunStatus;
use serde_json::json;

use crate::cli_kit::{document, govdeck, said};
use crate::support::command::run;
use crate::support::dictionary;
use crate::support::hour_story::at_the_flip;
use crate::support::migration_story::{
    ID, MATRIX, allowlist, approve, calendar, closed, compared, cut_over, dual_writing, found,
    opened, opening, pair, prepared, ready, scanned, world,
};
use crate::support::weeks::week;
use crate::support::{World, on_both};

/// Where the migration stands.
fn stands(world: &World) -> String {
    let sql = "SELECT phase || ' ' || version || ' ' || CASE WHEN closed_at_dt_utc IS NULL THEN 'open' ELSE 'ended' END \
         FROM dictionary_migration_state";
    world.rows(sql).concat()
}

async fn refused(world: &World, who: &str, verb: &str, asked: Asked) -> String {
    let done = world.act(who, verb, asked).await;
    done.map(drop).expect_err(verb)
}

on_both!(a_migration_goes_its_whole_way, |w| {
    let world = world(w).await;
    closed(&world).await;
    assert_eq!(stands(&world), "cutover 4 ended");
    assert_eq!(
        world.rows("SELECT kind || ' ' || phase || ' ' || moved_by FROM dictionary_migration_event ORDER BY event_no"),
        ["open prepare maya", "dual_write dual_write maya", "cutover cutover maya", "close cutover lee"]
    );
    assert_eq!(
        world.rows(
            "SELECT COUNT(*) FROM dictionary_migration_state WHERE watch_until > closed_at_dt_utc"
        ),
        ["1"]
    );
    world.assert_sound().await;
    // While it is watched it can be taken back, by one lead alone, and another countersigns.
    let back = Asked::of(ID)
        .with("because", "operator_abort")
        .with("note", "partners saw other totals");
    world
        .act("lee", "roll_back_migration", back.clone())
        .await
        .expect("taken back");
    assert_eq!(stands(&world), "rollback 5 ended");
    let again = refused(&world, "lee", "roll_back_migration", back).await;
    assert!(again.contains("can_be_taken_back"), "{again}");
    let own = refused(&world, "lee", "countersign_move", Asked::of(ID)).await;
    assert!(own.contains("another_person"), "{own}");
    world
        .act("maya", "countersign_move", Asked::of(ID))
        .await
        .expect("countersigned");
    let twice = refused(&world, "maya", "countersign_move", Asked::of(ID)).await;
    assert!(twice.contains("waits"), "{twice}");
    // A further attempt is a new migration.
    let next = Asked {
        target: "mig-2098-06".to_owned(),
        ..opening()
    };
    world
        .act("maya", "open_migration", next)
        .await
        .expect("opened");
    assert_eq!(
        world.rows("SELECT attempt_no FROM dictionary_migration_state ORDER BY attempt_no"),
        ["1", "2"]
    );
    world.assert_sound().await;
});

on_both!(what_is_opened_is_what_may_be_migrated, |w| {
    let world = world(w).await;
    for (field, value, condition) in [
        ("to", "2.4.0", "raises_minor_or_patch"),
        ("from", "9.9.9", "raises_minor_or_patch"),
        ("protected", "MET-9999", "protected_known"),
        ("matrix", "dashboard", "the header is"),
    ] {
        let asked = opening().with(field, value);
        let told = refused(&world, "maya", "open_migration", asked).await;
        assert!(told.contains(condition), "{field}: {told}");
    }
    opened(&world).await;
    let taken = refused(&world, "maya", "open_migration", opening()).await;
    assert!(
        taken.contains("new_id") && taken.contains("attempts_end"),
        "{taken}"
    );
    for (legacy, modern, condition) in [
        ("breach_count", "other", "not_registered"),
        ("owner", "BREACHCOUNT", "names"),
        ("x", "X", "names"),
    ] {
        let told = refused(&world, "kim", "register_pair", pair(legacy, modern)).await;
        assert!(told.contains(condition), "{legacy}: {told}");
    }
    let long = "y".repeat(57);
    let told = refused(&world, "kim", "register_pair", pair(&long, "y")).await;
    assert!(told.contains("more than 56 bytes"), "{told}");
    let exact = "y".repeat(56);
    for (legacy, modern) in [
        (&*exact, "z"),
        ("a\"b", "route.ownerRouteId"),
        ("select", "from"),
    ] {
        let registered = world
            .act("kim", "register_pair", pair(legacy, modern))
            .await;
        registered.expect(legacy);
    }
    let withdrawn = Asked::of(ID).with("legacy", "select");
    world
        .act("kim", "withdraw_pair", withdrawn)
        .await
        .expect("withdrawn");
    let red = MATRIX.replace("leadership,green", "leadership,red");
    let asked = Asked::of(ID).with("matrix", red);
    world
        .act("lee", "attach_matrix", asked)
        .await
        .expect("attached");
    let told = refused(&world, "maya", "start_dual_write", Asked::of(ID)).await;
    for gate in [
        "G0b: red: leadership/column_rename",
        "G1: ",
        "G2: ",
        "G5: ",
        "D5: ",
        "D6: ",
    ] {
        assert!(told.contains(gate), "{gate} in {told}");
    }
    world.assert_sound().await;
});

on_both!(each_gate_before_dual_write_holds_it_back, |w| {
    let world = world(w).await;
    prepared(&world).await;
    // Other words in the allow-list are another hash: nobody approved it.
    let other = Asked::of(ID).with("document", allowlist("dual_write", &["queue_depth"]));
    world
        .act("kim", "register_allowlist", other)
        .await
        .expect("registered");
    let told = refused(&world, "maya", "start_dual_write", Asked::of(ID)).await;
    assert_eq!(told.matches("G2: approved by nobody").count(), 1, "{told}");
    approve(&world, "maya", "dual_write")
        .await
        .expect("approved");
    let own = approve(&world, "kim", "dual_write")
        .await
        .expect_err("hers");
    assert!(own.contains("another_human"), "{own}");
    let twice = approve(&world, "maya", "dual_write")
        .await
        .expect_err("twice");
    assert!(twice.contains("not_approved"), "{twice}");
    approve(&world, "lee", "dual_write")
        .await
        .expect("approved");
    // What was searched for is more now.
    let asked = Asked::of(ID).with("metric", "MET-0171");
    world
        .act("lee", "protect_metric", asked)
        .await
        .expect("protected");
    let told = refused(&world, "maya", "start_dual_write", Asked::of(ID)).await;
    assert!(
        told.contains("D5: what it was found of has changed since"),
        "{told}"
    );
    found(&world, EvidenceKind::Protected, Verdict::Fail)
        .await
        .expect("recorded");
    let told = refused(&world, "maya", "start_dual_write", Asked::of(ID)).await;
    assert!(
        told.starts_with("D5: ") && !told.contains("; "),
        "alone: {told}"
    );
    found(&world, EvidenceKind::Protected, Verdict::Pass)
        .await
        .expect("recorded");
    world
        .act("maya", "start_dual_write", Asked::of(ID))
        .await
        .expect("moved");
    assert_eq!(stands(&world), "dual_write 2 open");
    world.assert_sound().await;
});

on_both!(a_day_old_proof_and_a_week_that_failed_hold_it_back, |w| {
    let world = world(w).await;
    prepared(&world).await;
    week(&world, 3, RunStatus::Fail).await;
    let told = refused(&world, "maya", "start_dual_write", Asked::of(ID)).await;
    for gate in ["G1: found ", "G5: not each", "D5: found "] {
        assert!(told.contains(gate), "{gate} in {told}");
    }
    world.assert_sound().await;
});

on_both!(
    the_cutover_waits_for_its_clock_its_window_and_its_probes,
    |w| {
        let world = world(w).await;
        ready(&world).await;
        at_the_flip(&world).await;
        // A mismatch after all: the clock begins anew, whatever was counted.
        scanned(&world, "2098-05-22T06:20:00Z", 3).await;
        world.set_time("2098-05-22T06:30:00Z").await;
        let told = refused(&world, "maya", "cutover", Asked::of(ID)).await;
        assert_eq!(told, "D1: set back: mismatch");
        // After the window nobody cuts over, and the probes of yesterday are too old tomorrow.
        world.set_time("2098-05-23T07:30:00Z").await;
        let told = refused(&world, "maya", "cutover", Asked::of(ID)).await;
        for gate in [
            "G1: found",
            "G3: found",
            "G4: found",
            "D1: ",
            "D2: outside of every",
            "D5: found",
        ] {
            assert!(told.contains(gate), "{gate} in {told}");
        }
        // Two people let it past one gate for a while, and never past the clock.
        let asked = Asked::of(ID)
            .with("gate", "D1")
            .with("expires", "2098-05-23T08:00:00Z");
        let told = refused(&world, "maya", "override_gate", asked).await;
        assert!(told.contains("can_be_overridden"), "{told}");
        world.assert_sound().await;
    }
);

on_both!(of_two_who_flip_at_once_one_wins, |w| {
    let world = world(w).await;
    ready(&world).await;
    at_the_flip(&world).await;
    // The one who leads the hour, at two terminals.
    let (first, second) = tokio::join!(
        world.act("maya", "cutover", Asked::of(ID)),
        world.act("maya", "cutover", Asked::of(ID)),
    );
    let won = [&first, &second].iter().filter(|it| it.is_ok()).count();
    assert_eq!(won, 1, "{first:?} {second:?}");
    let lost = first.and(second).expect_err("one lost");
    assert!(lost.contains("phase") || lost.contains("changed"), "{lost}");
    assert_eq!(stands(&world), "cutover 3 open");
    world.assert_sound().await;
});

on_both!(it_is_closed_by_another_once_everything_was_compared, |w| {
    let world = world(w).await;
    cut_over(&world).await;
    let told = refused(&world, "maya", "close_migration", Asked::of(ID)).await;
    for condition in ["immediate_run", "another_closes", "watch"] {
        assert!(told.contains(condition), "{condition} in {told}");
    }
    compared(&world, RunStatus::Fail).await;
    let told = refused(&world, "lee", "close_migration", Asked::of(ID)).await;
    assert!(told.contains("immediate_run"), "{told}");
    world.assert_sound().await;
});

on_both!(a_rename_in_mid_flight_waits_in_prepare, |w| {
    let world = world(w).await;
    dual_writing(&world).await;
    let mut third = dictionary::document("2.4.2");
    third["metrics"][0]["display_label"] = json!("Later responses");
    dictionary::release(&world, &third).await.expect("released");
    let next = "mig-2098-07";
    let asked = opening().with("from", "2.4.1").with("to", "2.4.2");
    let asked = Asked {
        target: next.to_owned(),
        ..asked
    };
    world
        .act("maya", "open_migration", asked)
        .await
        .expect("opened");
    let chained =
        "SELECT chained_from FROM dictionary_migration_state WHERE chained_from IS NOT NULL";
    assert_eq!(world.rows(chained), [ID]);
    let told = refused(&world, "maya", "start_dual_write", Asked::of(next)).await;
    assert!(
        told.contains("one_at_a_time: mig-2098-05 is in dual_write"),
        "{told}"
    );
    assert!(told.contains("D8: mig-2098-05 is in dual_write"), "{told}");
    world.assert_sound().await;
});

on_both!(how_it_stands_is_told_on_the_command_line, |w| {
    let world = world(w).await;
    dual_writing(&world).await;
    scanned(&world, "2098-05-19T06:00:00Z", 12).await;
    calendar(&world).await;
    let shown = run(world.govdeck("maya", &["migration", "show"]));
    let text = said(&shown, 0);
    for part in [
        "mig-2098-05 2.4.0 -> 2.4.1 attempt 1: dual_write",
        "BLOCKED",
        "[FAIL] D1",
        "[  ? ] G3",
        "earliest legal move",
        "pair breach_count -> breachCount",
        "protected: MET-0144",
        "allow-list for dual_write",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let json = document(
        &run(world.govdeck("maya", &["migration", "show", ID, "--json"])),
        0,
        "migration-show",
    );
    assert_eq!(json["verdict"], "fail");
    assert_eq!(json["gates"].as_array().map(Vec::len), Some(12));
    let why = run(world.govdeck("maya", &["why", "cutover"]));
    assert!(said(&why, 1).contains("D1"), "{why:?}");
    let listed = run(world.govdeck("maya", &["migration", "list"]));
    assert!(said(&listed, 0).contains("dual_write"), "{listed:?}");
    let evidence = run(world.govdeck("maya", &["migration", "evidence"]));
    assert!(said(&evidence, 0).contains("G1 pass"), "{evidence:?}");
    let calendar = run(world.govdeck("maya", &["calendar"]));
    let text = said(&calendar, 0);
    assert!(
        text.contains("maint-1") && text.contains("next chance: 2098-05-22T06:00:00"),
        "{text}"
    );
});

on_both!(the_scans_that_a_cutover_read_are_frozen_with_it, |w| {
    let world = world(w).await;
    ready(&world).await;
    // What was before the clock was set back does not count.
    scanned(&world, "2098-05-19T05:00:00Z", 0).await;
    scanned(&world, "2098-05-19T05:30:00Z", 1).await;
    at_the_flip(&world).await;
    let moved = world.act("maya", "cutover", Asked::of(ID)).await;
    moved.expect("moved");
    let frozen = "SELECT a.sha256 FROM ledger_artifact a JOIN governance_ledger l ON l.seq = a.seq \
                  WHERE a.role = 'dual_write_scans' AND l.action = 'cutover'";
    let [sha256] = &world.rows(frozen)[..] else {
        panic!("one piece of evidence: {:?}", world.rows(frozen))
    };
    let read = || {
        let words = ["artifact", "get", sha256, "--out", "scans.json"];
        said(&govdeck(&world, "maya", &words), 0);
        let path = world.home.folder().join("scans.json");
        let bytes = std::fs::read(&path).expect("written");
        std::fs::remove_file(path).expect("it is ours");
        serde_json::from_slice::<serde_json::Value>(&bytes).expect("JSON")
    };
    let before = read();
    let scans = before["scans"].as_array().expect("a list");
    assert_eq!(
        (scans.len(), before["counted_seconds"].as_i64()),
        (74, Some(72 * 3600))
    );
    assert_eq!(scans[0]["mismatches"], 1, "what set it back");
    assert!(scans[1..].iter().all(|scan| scan["mismatches"] == 0));
    assert_eq!(before["interruptions"][0]["why"], "mismatch");
    let ids = "SELECT scan_id FROM dual_write_scan ORDER BY scanned_at_utc DESC, scan_id DESC";
    assert_eq!(scans[73]["scan_id"], *world.rows(ids)[0]);
    // Whatever becomes of the feed, what was read stays, and its hash is in the ledger.
    world.tamper(
        "dual_write_scan",
        "UPDATE dual_write_scan SET mismatches = 7",
    );
    assert_eq!(read(), before);
    world.assert_sound().await;
});

//! Every move of a migration that is not allowed, tried by plain SQL behind an entry of the right action, so that more than
//! the link to the ledger refuses it; and the moves of people on the command line and at the console.

use govdeck::actions::{self, Asked};

use crate::cli_kit::{govdeck, refused};
use crate::support::desk::Desk;
use crate::support::migration_story::{ID, calendar, dual_writing, opening, world};
use crate::support::{REASON, on_both};
use crate::week_forbidden::{By, Tried, all_are_refused, tried};

const AT: &str = "2098-06-30T06:00:00.000000Z";

fn row(table: &'static str, key: impl Into<String>, version: i64) -> (&'static str, String, i64) {
    (table, key.into(), version)
}

fn state(version: i64) -> (&'static str, String, i64) {
    row("dictionary_migration_state", ID, version)
}

fn update(set: &str) -> String {
    format!(
        "UPDATE dictionary_migration_state SET {set}, version = version + 1 WHERE migration_id = '{ID}'"
    )
}

/// Adds the change of a further row to the entry that was just written.
fn with_event(version: i64, sql: &str) -> String {
    format!(
        "INSERT INTO ledger_change SELECT 'dictionary_migration_event', '{ID}/{version}', 1, seq, '{}', '{{}}' FROM ledger_head; {sql}",
        "f".repeat(64)
    )
}

fn inserted(id: &str, from: &str, to: &str, attempt: i64, chained: &str, phase: &str) -> String {
    format!(
        "INSERT INTO dictionary_migration_state (migration_id, from_semver, to_semver, attempt_no, chained_from, phase, opened_at_dt_utc, opened_by, version) \
         VALUES ('{id}', '{from}', '{to}', {attempt}, {chained}, '{phase}', '{AT}', 'maya', 1)"
    )
}

fn of_the_state() -> Vec<Tried> {
    let opened = ("open_migration", By::One("maya"));
    let moved = |action| (action, By::One("maya"));
    let new = || row("dictionary_migration_state", "mig-x", 1);
    let chained = format!("'{ID}'");
    vec![
        tried(
            "opened by the newest entry, in prepare, with its first move",
            opened,
            "mig-x",
            new(),
            inserted("mig-x", "2.4.1", "2.4.2", 1, &chained, "prepare"),
        ),
        tried(
            "opened by the newest entry, in prepare, with its first move",
            opened,
            "mig-x",
            new(),
            inserted("mig-x", "2.4.1", "2.4.2", 1, &chained, "cutover"),
        ),
        tried(
            "goes from phase to phase",
            moved("cutover"),
            ID,
            state(3),
            update("phase = 'prepare'"),
        ),
        tried(
            "goes from phase to phase",
            moved("close_migration"),
            ID,
            state(3),
            update(&format!(
                "closed_at_dt_utc = '{AT}', watch_until = '{AT}', phase = 'dual_write'"
            )),
        ),
        tried(
            "goes from phase to phase",
            moved("cutover"),
            ID,
            state(3),
            update("phase = 'cutover', to_semver = '2.4.0'"),
        ),
        // The right move without the event that tells of it.
        tried(
            "and with its next move",
            moved("cutover"),
            ID,
            state(3),
            update("phase = 'cutover'"),
        ),
        // The right move by an entry that says another.
        tried(
            "and with its next move",
            moved("start_dual_write"),
            ID,
            state(3),
            with_event(3, &update("phase = 'cutover'")),
        ),
        // What moves it on a fork moves it nowhere else.
        tried(
            "and with its next move",
            ("rehearse_move", By::Rule),
            ID,
            state(3),
            with_event(3, &update("phase = 'cutover'")),
        ),
        tried(
            "nothing governed is ever deleted",
            moved("cutover"),
            ID,
            state(3),
            format!("DELETE FROM dictionary_migration_state WHERE migration_id = '{ID}'"),
        ),
    ]
}

fn of_moves_and_evidence(hash: &str) -> Vec<Tried> {
    let event = |no: i64, kind: &str, from: &str, phase: &str| {
        format!(
            "INSERT INTO dictionary_migration_event (migration_id, event_no, kind, from_phase, phase, moved_by, reason, needs_countersign, happened_at_utc, version) \
             VALUES ('{ID}', {no}, '{kind}', '{from}', '{phase}', 'maya', 'so', FALSE, '{AT}', 1)"
        )
    };
    let evidence = |gate: &str| {
        format!(
            "INSERT INTO migration_evidence SELECT '{}', '{ID}', '{gate}', 'pass', '{}', sha256, 'found', '{AT}', 'maya', 1 FROM artifact ORDER BY sha256 LIMIT 1",
            "a".repeat(32),
            "b".repeat(64)
        )
    };
    let one = |action| (action, By::One("maya"));
    let first = "dictionary_migration_event";
    vec![
        tried(
            "where the migration stands now",
            one("cutover"),
            ID,
            row(first, format!("{ID}/3"), 1),
            event(3, "cutover", "dual_write", "cutover"),
        ),
        tried(
            "a move stays",
            one("countersign_move"),
            ID,
            row(first, format!("{ID}/2"), 2),
            format!(
                "UPDATE dictionary_migration_event SET reason = 'another', version = 2 WHERE migration_id = '{ID}' AND event_no = 2"
            ),
        ),
        tried(
            "evidence is recorded",
            one("attach_matrix"),
            ID,
            row("migration_evidence", "a".repeat(32), 1),
            evidence("G3"),
        ),
        tried(
            "evidence is recorded",
            ("record_gate_evidence", By::Rule),
            "other",
            row("migration_evidence", "a".repeat(32), 1),
            evidence("G3"),
        ),
        tried(
            "evidence is recorded",
            ("record_gate_evidence", By::Rule),
            ID,
            row("migration_evidence", "a".repeat(32), 1),
            evidence("D7"),
        ),
        tried(
            "evidence is recorded",
            ("record_rehearsal", By::Rule),
            ID,
            row("migration_evidence", "a".repeat(32), 1),
            evidence("G3"),
        ),
        tried(
            "an approval is of the allow-list that is registered",
            ("approve_allowlist", By::One("kim")),
            ID,
            row(
                "allowlist_approval",
                format!("{ID}/dual_write/{hash}/kim"),
                1,
            ),
            format!(
                "INSERT INTO allowlist_approval SELECT migration_id, phase, allowlist_sha256, 'kim', 'so', '{AT}', 1 FROM exporter_allowlist"
            ),
        ),
        tried(
            "an approval is of the allow-list that is registered",
            one("approve_allowlist"),
            ID,
            row(
                "allowlist_approval",
                format!("{ID}/dual_write/{}/maya", "c".repeat(64)),
                1,
            ),
            format!(
                "INSERT INTO allowlist_approval SELECT migration_id, phase, '{}', 'maya', 'so', '{AT}', 1 FROM exporter_allowlist",
                "c".repeat(64)
            ),
        ),
        tried(
            "a column is in one pair",
            ("register_pair", By::One("kim")),
            ID,
            row("dictionary_column_pair", format!("{ID}/BreachCount2"), 1),
            format!(
                "INSERT INTO dictionary_column_pair VALUES ('{ID}', 'BreachCount2', 'BREACH_COUNT', 'x', 'active', 'kim', '{AT}', 1)"
            ),
        ),
        tried(
            "a span that is called off stays",
            one("cancel_calendar"),
            "maint-1",
            row("calendar_window", "maint-1", 2),
            "UPDATE calendar_window SET status = 'cancelled', set_by = 'maya', ends_at_utc = starts_at_utc, version = 2 WHERE calendar_id = 'maint-1'",
        ),
    ]
}

fn of_fingerprints() -> Vec<Tried> {
    let fingerprint = |phase: &str| {
        format!(
            "INSERT INTO exporter_fingerprint SELECT '{}', '{ID}', '{phase}', 'landed', NULL, 'cannot_tell', 0, 0, NULL, sha256, 'x', '{AT}', 'govdeck', 1 \
             FROM artifact ORDER BY sha256 LIMIT 1",
            "a".repeat(32)
        )
    };
    vec![
        tried(
            "a fingerprint is recorded",
            ("record_fingerprint", By::Rule),
            "other",
            row("exporter_fingerprint", "a".repeat(32), 1),
            fingerprint("dual_write"),
        ),
        tried(
            "a fingerprint is recorded",
            ("record_fingerprint", By::Rule),
            ID,
            row("exporter_fingerprint", "a".repeat(32), 1),
            fingerprint("cutover"),
        ),
    ]
}

on_both!(no_migration_moves_but_as_it_may, |w| {
    let world = world(w).await;
    dual_writing(&world).await;
    calendar(&world).await;
    all_are_refused(&world, &of_the_state());
    let hash = world.rows("SELECT allowlist_sha256 FROM exporter_allowlist");
    all_are_refused(&world, &of_moves_and_evidence(&hash.concat()));
    all_are_refused(&world, &of_fingerprints());
    world.assert_sound().await;
});

on_both!(two_are_never_under_way_and_no_scan_is_changed, |w| {
    let world = world(w).await;
    dual_writing(&world).await;
    // Whoever takes the walls away still meets the index on a constant.
    let away = world.walls_away("dictionary_migration_state");
    let second = inserted("mig-x", "2.4.0", "2.4.1", 2, "NULL", "cutover");
    let said = world
        .sql_as("maya", &format!("BEGIN; {away} {second}; ROLLBACK;"))
        .expect_err("refused");
    assert!(said.to_lowercase().contains("unique"), "{said}");
    for sql in [
        "UPDATE dual_write_scan SET mismatches = 0",
        "DELETE FROM dual_write_scan",
    ] {
        let scan = "INSERT INTO dual_write_scan (scan_id, migration_id, scanned_at_utc, status, rows_total, mismatches, inputs_sha256, detail) \
             VALUES";
        let values = format!(
            "('{}', '{ID}', '{AT}', 'whole', 9, 1, '{}', 'whole')",
            "a".repeat(32),
            "b".repeat(64)
        );
        let said = world.sql(&format!("BEGIN; {scan} {values}; {sql}; ROLLBACK;"));
        let said = said.expect_err(sql);
        assert!(said.contains("what a scan found stays"), "{said}");
    }
});

on_both!(what_may_not_be_done_is_refused_on_each_way, |w| {
    let world = world(w).await;
    dual_writing(&world).await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.arm().await;
    let before = world.owner_sql("SELECT COUNT(*) FROM governance_ledger");
    for (verb, says) in [
        ("start_dual_write", "phase"),
        ("cutover", "G2"),
        ("close_migration", "phase"),
        ("countersign_move", "waits"),
    ] {
        let entry = actions::find(verb).expect("an action");
        let name = entry.name();
        let words = ["act", &*name, ID, "--confirm", ID, "--reason", REASON];
        let (said, _) = refused(&govdeck(&world, "maya", &words), 1);
        assert!(said.contains(says), "{verb}: {said}");
        desk.press(&format!("esc 2 a {}", entry.key)).await;
        assert!(desk.model.dialog.is_none(), "{}", desk.screen(80, 24));
        assert!(desk.says().contains(says), "{verb}: {}", desk.says());
    }
    assert_eq!(
        world.owner_sql("SELECT COUNT(*) FROM governance_ledger"),
        before
    );
    // Whoever leads no governance moves nothing.
    let asked = Asked::of("lee").with("role", "governance_lead");
    world
        .act("maya", "revoke_role", asked)
        .await
        .expect("revoked");
    for (verb, asked) in [
        ("cutover", Asked::of(ID)),
        (
            "roll_back_migration",
            Asked::of(ID)
                .with("because", "operator_abort")
                .with("note", "x"),
        ),
        (
            "open_migration",
            Asked {
                target: "mig-y".to_owned(),
                ..opening()
            },
        ),
    ] {
        let told = world.act("kim", verb, asked).await;
        assert!(told.map(drop).expect_err(verb).contains("role"), "{verb}");
    }
    world.assert_sound().await;
});

//! The third wall: plain SQL by somebody who does not own the tables, or in the shell with its defaults.

use govdeck::store::publish::Audit;

use crate::support::{World, on_both};

/// Asserts that each statement is refused, and that nothing moved.
async fn all_refused(world: &World, statements: &[&str]) {
    let before = world.owner_sql("SELECT seq, hash FROM ledger_head");
    for statement in statements {
        let refused = world.sql(statement);
        assert!(refused.is_err(), "was let through: {statement}");
    }
    assert_eq!(world.owner_sql("SELECT seq, hash FROM ledger_head"), before);
    world.assert_sound().await;
}

on_both!(governed_rows_are_not_written_past_the_ledger, |world| {
    all_refused(
        &world,
        &[
            "INSERT INTO person VALUES ('eve', 'human', 'Eve', 'eve', TRUE, '2026-05-14T02:14:07.000000Z', 1)",
            "INSERT INTO person_role VALUES ('kim', 'signer', TRUE, 'kim', '2026-05-14T02:14:07.000000Z', 1)",
            "UPDATE person SET login = 'eve' WHERE person_id = 'kim'",
            "UPDATE person SET login = 'eve', version = version + 1 WHERE person_id = 'kim'",
            "UPDATE person SET person_id = 'kim2' WHERE person_id = 'kim'",
            "DELETE FROM person WHERE person_id = 'kim'",
            "DELETE FROM person_role",
            "UPDATE block_reason_owner_route SET owner_user_id = 'kim', version = version + 1",
            "DELETE FROM block_reason_owner_route WHERE block_reason = 'tuple_drift'",
            "UPDATE deployment SET environment = 'demo', version = 2",
            "INSERT INTO deployment VALUES ('00000000000000000000000000000000', 'x', 'dev', '2026-05-14T02:14:07.000000Z', 1)",
            "INSERT INTO footer_schema_registry VALUES ('current', 'v9.9.9', '2026-05-14T02:14:07.000000Z', 'kim', 1)",
        ],
    )
    .await;
});

on_both!(the_ledger_is_append_only, |world| {
    all_refused(
        &world,
        &[
            "UPDATE governance_ledger SET actor_id = 'kim' WHERE seq = 2",
            "UPDATE governance_ledger SET reason = 'another' WHERE seq = 2",
            "DELETE FROM governance_ledger WHERE seq = 2",
            "DELETE FROM governance_ledger",
            "UPDATE ledger_change SET after_image = '{}'",
            "DELETE FROM ledger_change WHERE seq = 2",
            "INSERT INTO ledger_change SELECT 'person', 'eve', 1, 2, row_sha256, after_image FROM ledger_change WHERE seq = 2",
            "INSERT INTO ledger_artifact SELECT seq, 'other', sha256 FROM ledger_artifact WHERE seq = 1",
            "INSERT INTO ledger_artifact SELECT seq, 'other', sha256 FROM ledger_artifact WHERE seq = 2",
            "INSERT INTO ledger_artifact SELECT seq + 1, role, sha256 FROM ledger_artifact WHERE seq = 2",
            "UPDATE ledger_artifact SET role = 'other'",
            "UPDATE ledger_artifact SET sha256 = (SELECT MIN(sha256) FROM artifact) WHERE seq = 2",
            "DELETE FROM ledger_artifact WHERE seq = 2",
            "UPDATE artifact SET media_type = 'text/plain'",
            "DELETE FROM artifact",
            "UPDATE ledger_head SET seq = 1",
            "UPDATE ledger_head SET seq = seq + 1",
            "DELETE FROM ledger_head",
            "INSERT INTO ledger_head SELECT seq, hash, at_utc FROM ledger_head",
            // An entry out of the row, and one that does not follow the head.
            "INSERT INTO governance_ledger SELECT 9, '00000000000000000000000000000009', action, basis, actor_id, 'kim', attestation, target_kind, target_id, target_version, state_hash, card_sha256, reason, 0, 0, at_utc, clock_anomaly, hash, prev_hash, NULL FROM governance_ledger WHERE seq = 2",
            "INSERT INTO governance_ledger SELECT 3, '00000000000000000000000000000009', action, basis, actor_id, 'kim', attestation, target_kind, target_id, target_version, state_hash, card_sha256, reason, 0, 0, at_utc, clock_anomaly, prev_hash, hash, NULL FROM governance_ledger WHERE seq = 2",
        ],
    )
    .await;
});

on_both!(
    an_entry_is_by_somebody_known_under_their_own_login,
    |world| {
        let card = world.add_evidence();
        let attestation = if world.is_postgres() {
            "login"
        } else {
            "unattested"
        };
        let entry = |actor: &str, basis: &str, card: &str| {
            let action = if basis == "rule" {
                "end_approval"
            } else {
                "add_key"
            };
            format!(
                "INSERT INTO governance_ledger SELECT seq + 1, '00000000000000000000000000000009', '{action}', '{basis}', '{actor}', 'kim', '{attestation}', 'x', 'x', 0, \
             state_hash, {card}, NULL, 0, 0, at_utc, clock_anomaly, hash, state_hash, NULL FROM governance_ledger ORDER BY seq DESC LIMIT 1"
            )
        };
        let new_card = format!("'{card}'");
        for (actor, basis, card, says) in [
            (
                "govdeck",
                "person",
                new_card.as_str(),
                "a service decides by rule",
            ),
            ("kim", "rule", &new_card, "a service decides by rule"),
            (
                "nobody",
                "person",
                &new_card,
                "the actor must be known and active",
            ),
            (
                "maya",
                "person",
                &new_card,
                "a person acts under their own login",
            ),
            (
                "kim",
                "person",
                "card_sha256",
                if world.is_postgres() {
                    "card_sha256"
                } else {
                    "a row is never replaced"
                },
            ),
        ] {
            let refused = world.sql(&entry(actor, basis, card)).expect_err("refused");
            assert!(refused.contains(says), "{actor} by {basis}: {refused}");
        }
        // The same entry by a known human is what the walls let through: they keep shape and order, verification the rest.
        world
            .sql(&entry("kim", "person", &new_card))
            .expect("shape and order are right");
        let findings = world.findings(None).await;
        assert!(
            findings[0].starts_with("entry 3: its content"),
            "{findings:?}"
        );
        assert!(
            findings.contains(&"entry 3: its decision card tells of another decision".to_owned()),
            "{findings:?}"
        );
    }
);

on_both!(a_blocked_run_never_becomes_passed, |world| {
    world.register_footer().await;
    world.block("pub-1").await;
    all_refused(
        &world,
        &[
            "UPDATE publish_replay_audit SET status = 'gate_passed' WHERE publish_run_id = 'pub-1'",
            "UPDATE publish_replay_audit SET status = 'gate_passed', block_reason = NULL, version = version + 1 WHERE publish_run_id = 'pub-1'",
            "UPDATE publish_replay_audit SET status = 'resolved', resolution_id = 'pub-1', resolved_at_utc = created_at_utc, version = version + 1",
            "UPDATE publish_replay_audit SET status = 'withdrawn', resolved_at_utc = created_at_utc, version = version + 1",
            "UPDATE publish_replay_audit SET taken_by = 'maya', taken_at_utc = created_at_utc, version = version + 1",
            "DELETE FROM publish_replay_audit",
            "UPDATE publish_snapshots SET status = 'gate_passed', block_reason = NULL WHERE publish_run_id = 'pub-1'",
            "UPDATE publish_snapshots SET status = 'pending_gate', block_reason = NULL, decided_at_utc = NULL, version = 0 WHERE publish_run_id = 'pub-1'",
            "UPDATE publish_snapshots SET source_tuple_hash = publish_tuple_hash WHERE publish_run_id = 'pub-1'",
            "UPDATE publish_snapshots SET publish_run_id = 'pub-2' WHERE publish_run_id = 'pub-1'",
            "DELETE FROM publish_snapshots",
        ],
    )
    .await;
});

on_both!(a_pending_run_is_a_feed_and_only_that, |world| {
    world.register_footer().await;
    let hash = "a".repeat(64);
    world.mint("pub-1", None, None).expect("a pipeline mints");
    world.sql(&format!("UPDATE publish_snapshots SET publish_tuple_hash = '{hash}', source_tuple_hash = '{hash}'")).expect("a pipeline fills it in");
    all_refused(
        &world,
        &[
            "UPDATE publish_snapshots SET status = 'gate_passed', decided_at_utc = created_at_utc, version = 1",
            "UPDATE publish_snapshots SET status = 'blocked', block_reason = 'tuple_drift', decided_at_utc = created_at_utc, version = 1",
            "UPDATE publish_snapshots SET version = 1",
            "DELETE FROM publish_snapshots",
            "INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, status, decided_at_utc, created_at_utc, version) \
             VALUES ('pub-2', 's', 'f', 'l', 'd', 'gate_passed', '2026-05-14T02:14:07.000000Z', '2026-05-14T02:14:07.000000Z', 1)",
        ],
    )
    .await;
});

/// Rows that a CHECK must refuse even with the walls out of the way, by the table and the SQL.
const MALFORMED: &[(&str, &str)] = &[
    (
        "person",
        "UPDATE person SET person_id = 'Kim' WHERE person_id = 'kim'",
    ),
    (
        "person",
        "UPDATE person SET person_id = '' WHERE person_id = 'kim'",
    ),
    (
        "person",
        "UPDATE person SET kind = 'robot' WHERE person_id = 'kim'",
    ),
    (
        "person",
        "UPDATE person SET version = 0 WHERE person_id = 'kim'",
    ),
    (
        "person",
        "UPDATE person SET login = 'lee' WHERE person_id = 'kim'",
    ),
    (
        "person",
        "UPDATE person SET created_at_utc = '2026-02-30T02:14:07.000000Z' WHERE person_id = 'kim'",
    ),
    ("person_role", "UPDATE person_role SET role = 'admin'"),
    (
        "deployment",
        "UPDATE deployment SET environment = 'production'",
    ),
    (
        "block_reason_owner_route",
        "UPDATE block_reason_owner_route SET backup_owner_user_id = owner_user_id",
    ),
    (
        "block_reason_owner_route",
        "UPDATE block_reason_owner_route SET sla_first_response_minutes = 0",
    ),
    (
        "block_reason_owner_route",
        "UPDATE block_reason_owner_route SET sla_first_response_minutes = 1441",
    ),
    (
        "block_reason_owner_route",
        "UPDATE block_reason_owner_route SET block_reason = 'open_publish_block' WHERE block_reason = 'tuple_drift'",
    ),
    (
        "footer_schema_registry",
        "INSERT INTO footer_schema_registry VALUES ('second', 'v1', '2026-05-14T02:14:07.000000Z', 'maya', 1)",
    ),
    (
        "footer_schema_registry",
        "UPDATE footer_schema_registry SET current_semver = ''",
    ),
    (
        "publish_snapshots",
        "UPDATE publish_snapshots SET status = 'gate_passed', block_reason = NULL",
    ),
    (
        "publish_snapshots",
        "UPDATE publish_snapshots SET status = 'resolved'",
    ),
    (
        "publish_snapshots",
        "UPDATE publish_snapshots SET block_reason = NULL",
    ),
    (
        "publish_snapshots",
        "UPDATE publish_snapshots SET status = 'pending_gate'",
    ),
    (
        "publish_replay_audit",
        "UPDATE publish_replay_audit SET status = 'gate_passed', block_reason = NULL",
    ),
    (
        "publish_replay_audit",
        "UPDATE publish_replay_audit SET block_reason = 'other'",
    ),
    (
        "publish_replay_audit",
        "UPDATE publish_replay_audit SET owner_user_id = backup_owner_user_id",
    ),
    (
        "publish_replay_audit",
        "UPDATE publish_replay_audit SET owner_user_id = NULL",
    ),
    (
        "publish_replay_audit",
        "UPDATE publish_replay_audit SET respond_by_utc = NULL",
    ),
    (
        "publish_replay_audit",
        "UPDATE publish_replay_audit SET respond_by_utc = created_at_utc",
    ),
    (
        "publish_replay_audit",
        "UPDATE publish_replay_audit SET sla_first_response_minutes = sla_first_response_minutes + 1",
    ),
    (
        "presence",
        "INSERT INTO presence VALUES ('c-1', 'kim', 'kim', '2026-05-14T02:29:07.000001Z', '2026-05-14T02:14:07.000000Z')",
    ),
    (
        "publish_replay_audit",
        "UPDATE publish_replay_audit SET status = 'resolved'",
    ),
    (
        "publish_replay_audit",
        "UPDATE publish_replay_audit SET status = 'resolved', resolution_id = publish_run_id, resolved_at_utc = created_at_utc",
    ),
    (
        "publish_replay_audit",
        "UPDATE publish_replay_audit SET status = 'withdrawn', resolved_at_utc = created_at_utc",
    ),
    (
        "publish_replay_audit",
        "UPDATE publish_replay_audit SET taken_by = 'kim', taken_at_utc = created_at_utc",
    ),
    (
        "publish_replay_audit",
        "UPDATE publish_replay_audit SET taken_by = 'lee'",
    ),
    (
        "publish_replay_audit",
        "UPDATE publish_replay_audit SET escalated_at_utc = created_at_utc",
    ),
    (
        "governance_ledger",
        "UPDATE governance_ledger SET hash = 'x' WHERE seq = 1",
    ),
    (
        "governance_ledger",
        "UPDATE governance_ledger SET basis = 'guess' WHERE seq = 1",
    ),
    (
        "governance_ledger",
        "UPDATE governance_ledger SET hash = prev_hash, prev_hash = hash WHERE seq = 1; UPDATE governance_ledger SET hash = (SELECT hash FROM governance_ledger WHERE seq = 1) WHERE seq = 2",
    ),
    (
        "ledger_head",
        "INSERT INTO ledger_head SELECT seq, hash, at_utc FROM ledger_head",
    ),
];

/// Runs a statement with a table's walls out of the way, and takes everything back.
fn without_walls(world: &World, table: &str, statement: &str) -> Result<String, String> {
    let away = world.walls_away(table);
    world.sql_as("maya", &format!("BEGIN; {away} {statement}; ROLLBACK"))
}

on_both!(shape_is_checked_even_without_triggers, |world| {
    world.register_footer().await;
    world.block("pub-1").await;
    let harmless = "UPDATE person SET display_name = 'Kim the second' WHERE person_id = 'kim'";
    without_walls(&world, "person", harmless).expect("only shape is left to stop it");
    for (table, statement) in MALFORMED {
        let refused = without_walls(&world, table, statement).expect_err(statement);
        let by_shape =
            refused.to_lowercase().contains("constraint") || refused.contains("out of range");
        assert!(by_shape, "{statement}: {refused}");
    }
});

#[tokio::test]
async fn replace_is_no_way_round_in_the_shell() {
    let world = World::sqlite().await;
    world.register_footer().await;
    world.block("pub-1").await;
    // One of its columns is computed, so all of them cannot be named at once.
    let columns = Audit::COLUMNS.join(", ");
    all_refused(
        &world,
        &[
            "INSERT OR REPLACE INTO person SELECT person_id, kind, 'Eve', login, active, created_at_utc, version FROM person WHERE person_id = 'kim'",
            "REPLACE INTO governance_ledger SELECT * FROM governance_ledger WHERE seq = 2",
            "INSERT OR REPLACE INTO governance_ledger SELECT seq + 1, (SELECT ticket FROM governance_ledger WHERE seq = 1), action, basis, actor_id, login, attestation, target_kind, target_id, target_version, state_hash, card_sha256, reason, 0, 0, at_utc, 0, hash, state_hash FROM governance_ledger ORDER BY seq DESC LIMIT 1",
            "REPLACE INTO ledger_change SELECT * FROM ledger_change",
            "REPLACE INTO ledger_artifact SELECT * FROM ledger_artifact",
            "UPDATE OR REPLACE ledger_artifact SET role = 'other'",
            "REPLACE INTO artifact SELECT * FROM artifact",
            "REPLACE INTO ledger_head SELECT * FROM ledger_head",
            &format!("REPLACE INTO publish_replay_audit ({columns}) SELECT {columns} FROM publish_replay_audit"),
            "UPDATE OR REPLACE person SET login = 'lee', version = 2 WHERE person_id = 'kim'",
        ],
    )
    .await;
}

#[tokio::test]
async fn foreign_keys_hold_in_a_shell_that_does_not_enforce_them() {
    let world = World::sqlite().await;
    assert_eq!(
        world.sql("PRAGMA foreign_keys").expect("asked"),
        "0",
        "the shell's default"
    );
    let message = "INSERT INTO notification_outbox VALUES ('n1', 'k1', 2, 'x', 'nobody', 's', 'b', 0, '2026-05-14T02:14:07.000000Z', 0, NULL, NULL)";
    let refused = world.sql(message).expect_err("refused");
    assert!(
        refused.contains("recipient_id must name a row of person"),
        "{refused}"
    );
    world
        .sql(&message.replace("'nobody'", "'kim'"))
        .expect("a known person");
    let run = "INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, freeze_bypass_id, created_at_utc) \
         VALUES ('pub-1', 's', 'f', 'l', 'd', 'fb-9', '2026-05-14T02:14:07.000000Z')";
    let refused = world.sql(run).expect_err("refused");
    assert!(
        refused.contains("freeze_bypass_id must name a row of freeze_bypass"),
        "{refused}"
    );
}

#[tokio::test]
async fn truncate_and_shadow_tables_do_not_help_on_postgres() {
    let world = World::postgres().await;
    world.owner_sql("GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO kim");
    for table in [
        "governance_ledger",
        "ledger_change",
        "ledger_artifact",
        "ledger_head",
        "person",
        "artifact",
        "publish_replay_audit",
    ] {
        let refused = world.sql(&format!("TRUNCATE {table} CASCADE")).unwrap_err();
        assert!(refused.contains("never truncated"), "{refused}");
    }
    // A temporary table is found before the real one, unless the walls pin where they look.
    let refused = world.sql(
        "CREATE TEMP TABLE ledger_head AS SELECT CAST(2 AS BIGINT) AS seq; \
         CREATE TEMP TABLE ledger_change AS SELECT 'person' AS table_name, 'eve' AS row_key, CAST(1 AS BIGINT) AS version, CAST(2 AS BIGINT) AS seq; \
         INSERT INTO person VALUES ('eve', 'human', 'Eve', 'eve', TRUE, now(), 1)",
    );
    assert!(
        refused
            .unwrap_err()
            .contains("not in the newest ledger entry")
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn an_entry_carries_the_login_of_its_session_on_postgres() {
    let world = World::postgres().await;
    let card = world.add_evidence();
    let entry = format!(
        "INSERT INTO governance_ledger SELECT seq + 1, '00000000000000000000000000000009', 'end_approval', 'rule', 'govdeck', 'maya', 'login', 'x', 'x', 0, \
         state_hash, '{card}', NULL, 0, 0, at_utc, clock_anomaly, hash, state_hash, NULL FROM governance_ledger ORDER BY seq DESC LIMIT 1"
    );
    assert!(
        world
            .sql(&entry)
            .unwrap_err()
            .contains("the login must be that of the session")
    );
}

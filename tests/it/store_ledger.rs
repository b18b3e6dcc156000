//! The ledger: what verification finds, and what an entry binds.

use govdeck::actions::Asked;
use govdeck::canon::{self, Digest};
use govdeck::store::verify::ExportedHead;
use govdeck::store::{artifact, ledger};

use crate::support::{World, on_both};

/// A world with a few entries: founding, a person, a role, a block that was taken.
async fn with_history(world: &World) {
    world.register_footer().await;
    world
        .act(
            "maya",
            "grant_role",
            Asked::of("kim").with("role", "on_call"),
        )
        .await
        .expect("granted");
    world.block("pub-1").await;
    world
        .act("lee", "take_block", Asked::of("pub-1"))
        .await
        .expect("taken");
    assert_eq!(world.findings(None).await, Vec::<String>::new());
}

async fn head(world: &World) -> ExportedHead {
    let store = world.store("maya").await;
    let head = ledger::head(&mut store.view().await.expect("a view"))
        .await
        .expect("a head");
    store.close().await;
    ExportedHead {
        seq: head.seq,
        hash: head.hash,
    }
}

/// Tampers, and asserts what the first finding says.
async fn found(world: &World, table: &str, sql: &str, first: &str) {
    world.tamper(table, sql);
    let findings = world.findings(None).await;
    assert!(
        findings
            .first()
            .is_some_and(|finding| finding.starts_with(first)),
        "{sql}: {findings:?}"
    );
}

on_both!(an_edited_entry_is_found, |world| {
    with_history(&world).await;
    found(
        &world,
        "governance_ledger",
        "UPDATE governance_ledger SET reason = 'a better reason, in hindsight' WHERE seq = 3",
        "entry 3: its content, its list of changes or of evidence was altered",
    )
    .await;
});

on_both!(every_field_of_an_entry_is_bound, |world| {
    with_history(&world).await;
    let card = world.add_evidence();
    let other = "b".repeat(64);
    for (field, value) in [
        ("ticket", "'00000000000000000000000000000000'".to_owned()),
        ("action", "'flip'".to_owned()),
        ("basis", "'rule'".to_owned()),
        ("actor_id", "'kim'".to_owned()),
        ("login", "'kim'".to_owned()),
        ("attestation", "'signed'".to_owned()),
        ("target_kind", "'run'".to_owned()),
        ("target_id", "'pub-2'".to_owned()),
        ("target_version", "7".to_owned()),
        ("state_hash", format!("'{other}'")),
        ("card_sha256", format!("'{card}'")),
        ("reason", "NULL".to_owned()),
        ("at_utc", "'2026-05-14T02:14:07.000000Z'".to_owned()),
        ("clock_anomaly", "TRUE".to_owned()),
        ("prev_hash", format!("'{other}'")),
        ("hash", format!("'{other}'")),
    ] {
        let original = world.owner_sql(&format!(
            "SELECT {field} FROM governance_ledger WHERE seq = 3"
        ));
        world.tamper(
            "governance_ledger",
            &format!("UPDATE governance_ledger SET {field} = {value} WHERE seq = 3"),
        );
        assert_ne!(world.findings(None).await, Vec::<String>::new(), "{field}");
        let original = if field == "clock_anomaly" {
            "FALSE".to_owned()
        } else {
            format!("'{original}'")
        };
        world.tamper(
            "governance_ledger",
            &format!("UPDATE governance_ledger SET {field} = {original} WHERE seq = 3"),
        );
        assert_eq!(
            world.findings(None).await,
            Vec::<String>::new(),
            "{field} was put back"
        );
    }
});

on_both!(a_deleted_entry_is_found, |world| {
    with_history(&world).await;
    world.tamper_as_superuser(
        "governance_ledger",
        "DELETE FROM governance_ledger WHERE seq = 3",
    );
    let findings = world.findings(None).await;
    assert_eq!(findings[0], "entry 3: is missing; the next is 4");
    assert!(
        findings[1].starts_with("entry 4: does not follow"),
        "{findings:?}"
    );
});

on_both!(an_inserted_entry_is_found, |world| {
    with_history(&world).await;
    let card = world.add_evidence();
    world.tamper_as_superuser(
        "governance_ledger",
        &format!(
            "INSERT INTO governance_ledger SELECT 99, '00000000000000000000000000000000', action, basis, actor_id, login, attestation, target_kind, \
             target_id, target_version, state_hash, '{card}', reason, 0, 0, at_utc, clock_anomaly, state_hash, card_sha256, NULL FROM governance_ledger WHERE seq = 2"
        ),
    );
    let findings = world.findings(None).await;
    assert!(
        findings
            .iter()
            .any(|finding| finding.starts_with("entry 99: does not follow")),
        "{findings:?}"
    );
});

on_both!(reordered_entries_are_found, |world| {
    with_history(&world).await;
    let swap = "UPDATE governance_ledger SET seq = 1000 WHERE seq = 3; UPDATE governance_ledger SET seq = 3 WHERE seq = 4; UPDATE governance_ledger SET seq = 4 WHERE seq = 1000";
    world.tamper_as_superuser("governance_ledger", swap);
    let findings = world.findings(None).await;
    assert!(
        findings[0].starts_with("entry 3: does not follow"),
        "{findings:?}"
    );
});

on_both!(
    a_cut_tail_is_found_by_its_rows_and_by_an_exported_head,
    |world| {
        with_history(&world).await;
        let exported = head(&world).await;
        let last = exported.seq;
        world.tamper_as_superuser(
            "governance_ledger",
            &format!("DELETE FROM governance_ledger WHERE seq = {last}"),
        );
        let findings = world.findings(Some(exported)).await;
        assert!(
            findings
                .iter()
                .any(|finding| finding.starts_with("ledger_head: names entry")),
            "{findings:?}"
        );
        assert!(
            findings.contains(&format!(
                "entry {last}: was exported as head and is gone: the ledger was cut at {}",
                last - 1
            )),
            "{findings:?}"
        );
    }
);

on_both!(
    a_cleanly_rebuilt_ledger_is_found_by_an_exported_head_alone,
    |world| {
        // The tail is cut so thoroughly that nothing inside the database gives it away.
        world
            .act("maya", "add_person", Asked::of("ann").with("name", "Ann"))
            .await
            .expect("added");
        let exported = head(&world).await;
        for (table, sql) in [
            (
                "notification_outbox",
                "DELETE FROM notification_outbox WHERE ledger_seq = 3",
            ),
            ("ledger_change", "DELETE FROM ledger_change WHERE seq = 3"),
            (
                "ledger_artifact",
                "DELETE FROM ledger_artifact WHERE seq = 3",
            ),
            ("person", "DELETE FROM person WHERE person_id = 'ann'"),
            (
                "governance_ledger",
                "DELETE FROM governance_ledger WHERE seq = 3",
            ),
            (
                "ledger_head",
                "UPDATE ledger_head SET seq = 2, hash = (SELECT hash FROM governance_ledger WHERE seq = 2), at_utc = (SELECT at_utc FROM governance_ledger WHERE seq = 2)",
            ),
        ] {
            world.tamper_as_superuser(table, sql);
        }
        assert_eq!(
            world.findings(None).await,
            Vec::<String>::new(),
            "inside, all is well"
        );
        assert_eq!(
            world.findings(Some(exported)).await,
            ["entry 3: was exported as head and is gone: the ledger was cut at 2"]
        );
        // And built up again by the rules, with another third entry.
        world
            .act("maya", "add_person", Asked::of("bob").with("name", "Bob"))
            .await
            .expect("added");
        assert_eq!(world.findings(None).await, Vec::<String>::new());
        assert_eq!(
            world.findings(Some(exported)).await,
            ["entry 3: is not the one that was exported as head: the ledger was rebuilt"]
        );
    }
);

on_both!(a_governed_row_changed_behind_its_back_is_found, |world| {
    with_history(&world).await;
    found(
        &world,
        "person",
        "UPDATE person SET login = 'eve' WHERE person_id = 'kim'",
        "person kim: is not as entry 2 left it",
    )
    .await;
    found(
        &world,
        "person",
        "UPDATE person SET login = 'kim', version = 5 WHERE person_id = 'kim'",
        "person kim: is at version 5, entry 2 left it at 1",
    )
    .await;
    world.tamper(
        "person",
        "UPDATE person SET version = 1 WHERE person_id = 'kim'",
    );
    assert_eq!(world.findings(None).await, Vec::<String>::new());
    found(&world, "person_role", "INSERT INTO person_role VALUES ('kim', 'signer', TRUE, 'maya', '2026-05-14T02:14:07.000000Z', 1)", "person_role kim/signer: is in no ledger entry").await;
    world.tamper(
        "person_role",
        "DELETE FROM person_role WHERE role = 'signer'",
    );
    found(
        &world,
        "person_role",
        "DELETE FROM person_role WHERE person_id = 'kim'",
        "person_role kim/on_call: is gone",
    )
    .await;
});

on_both!(an_altered_image_or_artefact_is_found, |world| {
    with_history(&world).await;
    found(
        &world,
        "ledger_change",
        "UPDATE ledger_change SET after_image = '{}' WHERE seq = 2",
        "entry 2: the recorded image of person kim was altered",
    )
    .await;
    let bytes = if world.is_postgres() {
        "CAST('{}' AS BYTEA)"
    } else {
        "CAST('{}' AS BLOB)"
    };
    world.tamper("artifact", &format!("UPDATE artifact SET bytes = {bytes}"));
    let findings = world.findings(None).await;
    assert!(
        findings
            .iter()
            .any(|finding| finding.contains("no longer hash to its name")),
        "{findings:?}"
    );
});

on_both!(a_change_that_is_recorded_twice_over_is_found, |world| {
    with_history(&world).await;
    let sql = "INSERT INTO ledger_change SELECT 'person', 'eve', 1, 2, row_sha256, after_image FROM ledger_change WHERE seq = 2";
    found(
        &world,
        "ledger_change",
        sql,
        "entry 2: its content, its list of changes or of evidence was altered",
    )
    .await;
});

on_both!(a_missing_card_is_found, |world| {
    world.tamper_as_superuser(
        "artifact",
        "DELETE FROM artifact WHERE sha256 = (SELECT card_sha256 FROM governance_ledger WHERE seq = 2)",
    );
    assert_eq!(
        world.findings(None).await,
        ["entry 2: its decision card is missing"]
    );
});

on_both!(a_card_of_another_decision_is_found, |world| {
    // The card says one thing and the entry another; both hash to what they should.
    let card = r#"{"action":"add_person","actor":"maya","basis":"person","ticket":"other"}"#;
    let sha256 = Digest::of(card.as_bytes());
    let bytes = if world.is_postgres() {
        format!("CAST('{card}' AS BYTEA)")
    } else {
        format!("CAST('{card}' AS BLOB)")
    };
    world.tamper_as_superuser(
        "artifact",
        &format!("INSERT INTO artifact SELECT '{sha256}', media_type, {bytes}, created_at_utc FROM artifact LIMIT 1"),
    );
    world.tamper_as_superuser(
        "governance_ledger",
        &format!("UPDATE governance_ledger SET card_sha256 = '{sha256}' WHERE seq = 2"),
    );
    let store = world.store("maya").await;
    let mut view = store.view().await.expect("a view");
    let entry = ledger::entries(&mut view, 2, 1)
        .await
        .expect("read")
        .remove(0);
    let changes = ledger::changes(&mut view, 2, 2).await.expect("read");
    let evidence = ledger::evidence(&mut view, 2, 2).await.expect("read");
    let hash = entry.computed_hash(&changes, &evidence).expect("a hash");
    drop(view);
    store.close().await;
    world.tamper_as_superuser(
        "governance_ledger",
        &format!("UPDATE governance_ledger SET hash = '{hash}' WHERE seq = 2"),
    );
    world.tamper_as_superuser(
        "ledger_head",
        &format!("UPDATE ledger_head SET hash = '{hash}'"),
    );
    let findings = world.findings(None).await;
    assert_eq!(
        findings,
        [
            "entry 2: its decision card was filed under another type or time",
            "entry 2: its decision card tells of another decision"
        ]
    );
});

on_both!(a_dropped_or_altered_wall_is_found, |world| {
    with_history(&world).await;
    if world.is_postgres() {
        world.owner_sql("DROP TRIGGER wall_person_update ON person");
        assert_eq!(
            world.findings(None).await,
            ["trigger wall_person_update: is missing from the schema"]
        );
        world.owner_sql("ALTER TABLE person_role DISABLE TRIGGER wall_person_role_delete");
        assert!(world.findings(None).await.contains(
            &"trigger wall_person_role_delete: is not as this program made it".to_owned()
        ));
        world.owner_sql("CREATE OR REPLACE FUNCTION wall_deployment_update() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
        assert!(world.findings(None).await.contains(
            &"function wall_deployment_update: is not as this program made it".to_owned()
        ));
        world.owner_sql("ALTER TABLE person DROP CONSTRAINT person_login_check");
        assert!(world.findings(None).await.contains(
            &"constraint person.person_login_check: is missing from the schema".to_owned()
        ));
        world.owner_sql("CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER quiet BEFORE INSERT ON artifact FOR EACH ROW EXECUTE FUNCTION quiet()");
        assert!(
            world
                .findings(None)
                .await
                .contains(&"trigger quiet: was added to the schema".to_owned())
        );
    } else {
        world.owner_sql("DROP TRIGGER wall_person_update");
        assert_eq!(
            world.findings(None).await,
            ["trigger wall_person_update: is missing from the schema"]
        );
        world.owner_sql(
            "CREATE TRIGGER wall_person_update BEFORE UPDATE ON person BEGIN SELECT 1; END",
        );
        assert_eq!(
            world.findings(None).await,
            ["trigger wall_person_update: is not as this program made it"]
        );
        world.owner_sql(
            "CREATE TRIGGER quiet BEFORE INSERT ON artifact BEGIN SELECT RAISE(IGNORE); END",
        );
        assert!(
            world
                .findings(None)
                .await
                .contains(&"trigger quiet: was added to the schema".to_owned())
        );
        // A constraint taken out of a table's text, as only writable_schema can.
        world.owner_sql(".dbconfig defensive off\nPRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'CHECK (login <> '''')', '') WHERE name = 'person'");
        assert!(
            world
                .findings(None)
                .await
                .contains(&"table person: is not as this program made it".to_owned())
        );
    }
});

on_both!(an_outsider_recomputes_the_chain_from_the_columns, |world| {
    with_history(&world).await;
    let store = world.store("maya").await;
    let mut view = store.view().await.expect("a view");
    let mut prev = ledger::BEFORE_THE_FIRST.to_owned();
    let entries = ledger::entries(&mut view, 1, 100).await.expect("entries");
    assert!(entries.len() >= 5);
    for entry in entries {
        let changes = ledger::changes(&mut view, entry.seq, entry.seq)
            .await
            .expect("changes");
        let evidence = ledger::evidence(&mut view, entry.seq, entry.seq)
            .await
            .expect("evidence");
        let bytes = entry.hashed_bytes(&changes, &evidence).expect("bytes");
        assert_eq!(
            canon::canonical(&bytes).expect("JSON"),
            bytes,
            "the hashed bytes are canonical"
        );
        let said: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(said["prev_hash"], prev.as_str());
        assert_eq!(Digest::of(&bytes), entry.hash);
        prev = entry.hash.to_string();
        let card = artifact::bytes(&mut view, entry.card_sha256)
            .await
            .expect("read")
            .expect("there");
        let card: serde_json::Value = serde_json::from_slice(&card).expect("JSON");
        assert_eq!(card["ticket"], entry.ticket.as_str());
        assert_eq!(card["state_hash"], entry.state_hash.to_string().as_str());
        assert_eq!(card["reason"].as_str(), entry.reason.as_deref());
    }
});

//! What rows rest on besides rows: the clock, the server's settings and schema, and messages that reach their people.

use govdeck::actions::Asked;

use crate::support::cluster::{SUPERUSER, cluster};
use crate::support::{World, on_both};

on_both!(a_clock_before_the_newest_entry_is_marked, |world| {
    let at = world.owner_sql("SELECT at_utc FROM governance_ledger WHERE seq = 2");
    let late = |at: &str| format!("UPDATE governance_ledger SET at_utc = '{at}' WHERE seq = 2");
    world.tamper("governance_ledger", &late("2126-05-14T02:14:07.000000Z"));
    let add = |id: &str| world.act("maya", "add_person", Asked::of(id).with("name", "Somebody"));
    add("ann").await.expect("writes go on");
    add("bob").await.expect("writes go on");
    let anomalies = world
        .owner_sql("SELECT seq FROM governance_ledger WHERE clock_anomaly = TRUE ORDER BY seq");
    assert_eq!(
        anomalies, "3\n4",
        "one entry at the true time does not make up for it"
    );
    // What counts time cannot tell until the clock has caught up.
    world.mint("pub-1", None, None).expect("minted");
    let no = world
        .decide("pub-1")
        .await
        .expect_err("the gate counts time");
    assert!(
        no.starts_with("clock: the database's clock lies before"),
        "{no}"
    );
    world.tamper("governance_ledger", &late(&at));
    world
        .decide("pub-1")
        .await
        .expect("the clock has caught up");
    // With the time of the second entry put back, nothing justifies their marks any more.
    let unjustified = "does not say what its clock was against those before it";
    assert_eq!(
        world.findings(None).await,
        [3, 4].map(|seq| format!("entry {seq}: {unjustified}"))
    );
});

on_both!(a_head_with_another_time_is_found, |world| {
    world.tamper(
        "ledger_head",
        "UPDATE ledger_head SET at_utc = '2099-01-01T00:00:00.000000Z'",
    );
    assert_eq!(
        world.findings(None).await,
        ["ledger_head: does not have the newest entry's time"]
    );
});

#[tokio::test]
async fn what_puts_walls_to_sleep_on_postgres_is_found() {
    let superuser = |world: &World, sql: &str| {
        cluster()
            .psql(SUPERUSER, world.database(), sql)
            .expect("a superuser may")
    };
    for (sql, wanted) in [
        (
            "CREATE RULE quiet AS ON DELETE TO person DO INSTEAD NOTHING",
            "rule person.quiet: was added",
        ),
        (
            "ALTER TABLE person ENABLE ROW LEVEL SECURITY",
            "row security person: was added",
        ),
        (
            "ALTER TABLE person_role DISABLE TRIGGER ALL",
            "foreign key person_role.",
        ),
        (
            "ALTER FUNCTION wall_person_update() SECURITY DEFINER",
            "function wall_person_update: is not as",
        ),
        (
            "ALTER DOMAIN moment DROP CONSTRAINT moment_check",
            "domain moment.moment_check: is missing",
        ),
    ] {
        let world = World::postgres().await;
        superuser(&world, sql);
        let findings = world.findings(None).await;
        assert!(
            findings.iter().any(|finding| finding.starts_with(wanted)),
            "{sql}: {findings:?}"
        );
    }
    let world = World::postgres().await;
    superuser(
        &world,
        &format!(
            "ALTER DATABASE {} SET session_replication_role = replica",
            world.database()
        ),
    );
    let findings = world.findings(None).await;
    assert!(
        findings[0].starts_with("setting session_replication_role: lets"),
        "{findings:?}"
    );
    let no = world
        .store("maya")
        .await
        .begin()
        .await
        .expect_err("nothing is written under it");
    assert!(no.sentence.contains("session_replication_role"), "{no}");
}

#[tokio::test]
async fn a_time_that_no_clock_shows_is_refused_on_postgres() {
    let world = World::postgres().await;
    world.mint("pub-1", None, None).expect("minted");
    for time in ["infinity", "-infinity", "294270-01-01T00:00:00Z"] {
        let sql = format!("UPDATE publish_snapshots SET source_observed_at_utc = '{time}'");
        assert!(world.sql(&sql).is_err(), "{time}");
    }
}

on_both!(
    a_message_written_beforehand_keeps_no_page_from_its_owner,
    |world| {
        let head = world.owner_sql("SELECT seq FROM ledger_head");
        let forged = |key: &str| {
            format!(
                "INSERT INTO notification_outbox (notification_id, idempotency_key, ledger_seq, event_class, recipient_id, subject, body, drill, created_at_utc) \
             VALUES ('{key}', '{key}', {head}, 'block_opened', 'maya', 's', 'b', FALSE, '2026-05-14T02:14:07.000000Z')"
            )
        };
        world
            .sql(&forged("block_opened/pub-1/maya"))
            .expect("shape is right");
        world.block("pub-1").await;
        let told = world.owner_sql("SELECT COUNT(*) FROM notification_outbox WHERE subject = 'publish block pub-1: tuple_drift' OR subject LIKE 'publish block pub-1%'");
        assert_eq!(told, "1", "the owner is told all the same");
        assert!(world.sql("DELETE FROM notification_outbox").is_err());
        assert!(
            world
                .sql("UPDATE notification_outbox SET recipient_id = 'kim'")
                .is_err()
        );
        assert!(
            world.sql(&forged("late")).is_err(),
            "the newest entry is another by now"
        );
    }
);

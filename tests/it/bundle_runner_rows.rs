//! Rows that a bundle touches are counted by the database, whatever way they are touched in.

use govdeck::bundles::sql::Applied;
use govdeck::rules::bundle::Reason;

use crate::support::ground::{Ground, allowing, apply, on_targets};

on_targets!(rows_are_counted_one_by_one, |ground| {
    let declaration = allowing(&["metric", "squad"], 100);
    for (forward, rows) in [
        (
            "INSERT INTO metric (metric_id, label) VALUES (10, 'a'), (11, 'b')",
            2,
        ),
        ("UPDATE metric SET label = 'c' WHERE metric_id > 9", 2),
        (
            "UPDATE metric SET metric_id = metric_id + 100 WHERE metric_id > 9",
            2,
        ),
        (
            "INSERT INTO metric (metric_id, label) VALUES (110, 'd'), (12, 'e') ON CONFLICT (metric_id) DO UPDATE SET label = 'f'",
            2,
        ),
        (
            "INSERT INTO metric (metric_id) VALUES (110) ON CONFLICT DO NOTHING",
            0,
        ),
        ("DELETE FROM metric WHERE metric_id > 9", 3),
        (
            "INSERT INTO metric SELECT metric_id + 50, squad_id, label FROM metric",
            3,
        ),
        ("DELETE FROM metric", 6),
    ] {
        let counted = ground.rows(&declaration, forward).await;
        assert_eq!(
            counted.get("metric").copied().unwrap_or(0),
            rows,
            "{forward}: {counted:?}"
        );
        assert!(!counted.contains_key("squad"), "{forward}");
    }
});

on_targets!(a_table_that_is_built_anew_counts_its_rows_once, |ground| {
    let declaration = allowing(&["metric"], 100);
    let rebuild = "CREATE TABLE metric_new (metric_id INTEGER PRIMARY KEY, squad_id INTEGER REFERENCES squad (squad_id), label TEXT, modern TEXT);
        INSERT INTO metric_new SELECT metric_id, squad_id, label, label FROM metric;
        DROP VIEW labels;
        DROP TABLE metric;
        ALTER TABLE metric_new RENAME TO metric;
        CREATE VIEW labels AS SELECT label FROM metric;";
    let counted = ground
        .rows(&allowing(&["metric", "labels"], 100), rebuild)
        .await;
    assert_eq!(counted["metric"], 3, "{counted:?}");
    assert_eq!(counted.len(), 1, "{counted:?}");
    let found = ground
        .refused(
            &allowing(&["metric", "labels"], 2),
            rebuild.replace("modern", "newest").as_str(),
        )
        .await;
    assert!(found.contains(&Reason::LimitExceeded), "{found:?}");
    // A name alone is no change of rows.
    ground.sql("DROP VIEW labels");
    let counted = ground
        .rows(
            &allowing(&["metric", "renamed"], 0),
            "ALTER TABLE metric RENAME TO renamed",
        )
        .await;
    assert!(counted.is_empty(), "{counted:?}");
    ground.sql("ALTER TABLE renamed RENAME TO metric");
    let counted = ground.rows(&declaration, "DROP TABLE metric").await;
    assert_eq!(counted["metric"], 3);
});

on_targets!(a_table_made_of_a_query_counts_its_rows, |ground| {
    let declaration = allowing(&["copied"], 100);
    let counted = ground
        .rows(
            &declaration,
            "CREATE TABLE copied AS SELECT label FROM metric",
        )
        .await;
    assert_eq!(counted["copied"], 3);
    let found = ground
        .refused(
            &allowing(&["other"], 2),
            "CREATE TABLE other AS SELECT label FROM metric",
        )
        .await;
    assert!(found.contains(&Reason::LimitExceeded), "{found:?}");
});

on_targets!(rows_that_triggers_touch_count_for_their_tables, |ground| {
    let trigger = if ground.is_postgres() {
        "CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE metric SET label = 't' WHERE squad_id = NEW.squad_id; RETURN NEW; END $$;
         CREATE TRIGGER follow AFTER UPDATE ON squad FOR EACH ROW EXECUTE FUNCTION follow()"
    } else {
        "CREATE TRIGGER follow AFTER UPDATE ON squad BEGIN UPDATE metric SET label = 't' WHERE squad_id = NEW.squad_id; END"
    };
    ground.sql(trigger);
    let found = ground
        .refused(
            &allowing(&["squad"], 100),
            "UPDATE squad SET name = 'z' WHERE squad_id = 1",
        )
        .await;
    assert!(found.contains(&Reason::ScopeViolation), "{found:?}");
    let counted = ground
        .rows(
            &allowing(&["squad", "metric"], 100),
            "UPDATE squad SET name = 'z' WHERE squad_id = 1",
        )
        .await;
    assert_eq!((counted["squad"], counted["metric"]), (1, 2));
});

on_targets!(temporary_tables_are_nobodys, |ground| {
    let forward = "CREATE TEMP TABLE staged AS SELECT metric_id FROM metric; INSERT INTO staged SELECT metric_id + 9 FROM metric;
        DELETE FROM staged; INSERT INTO staged VALUES (2); UPDATE metric SET label = 'n' WHERE metric_id IN (SELECT metric_id FROM staged)";
    let counted = ground.rows(&allowing(&["metric"], 1), forward).await;
    assert_eq!(counted["metric"], 1, "{counted:?}");
    assert_eq!(counted.len(), 1, "{counted:?}");
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_sqlite_tells_nobody_is_found_by_its_sum() {
    let ground = Ground::sqlite();
    ground.sql("CREATE TABLE plain (a INTEGER PRIMARY KEY, b TEXT UNIQUE) WITHOUT ROWID; INSERT INTO plain VALUES (1, 'x'), (2, 'y'), (3, 'z');
        CREATE TABLE twice (a INTEGER PRIMARY KEY, b INTEGER UNIQUE); INSERT INTO twice VALUES (1, 1), (2, 2), (3, 3), (4, 4)");
    let declaration = allowing(&["plain", "twice", "metric"], 100);
    for (forward, table, rows) in [
        ("UPDATE plain SET b = b || 'x' WHERE a < 3", "plain", 2),
        (
            "INSERT INTO plain SELECT a + 10, b || 'n' FROM plain",
            "plain",
            3,
        ),
        ("DELETE FROM plain", "plain", 6),
        // Each new row takes the place of two.
        ("REPLACE INTO twice VALUES (1, 2)", "twice", 3),
        ("INSERT OR REPLACE INTO twice VALUES (3, 4)", "twice", 3),
        ("DELETE FROM twice WHERE true", "twice", 2),
        (
            "ALTER TABLE metric ADD COLUMN gone TEXT; ALTER TABLE metric DROP COLUMN gone",
            "metric",
            3,
        ),
    ] {
        let counted = ground.rows(&declaration, forward).await;
        assert_eq!(counted.get(table), Some(&rows), "{forward}: {counted:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_may_be_any_tables_are_not_told() {
    let ground = Ground::sqlite();
    ground.sql(
        "CREATE TABLE plain (a INTEGER PRIMARY KEY) WITHOUT ROWID; CREATE TABLE source (a INTEGER);
        CREATE TRIGGER spread AFTER INSERT ON source BEGIN INSERT INTO plain VALUES (NEW.a); END",
    );
    let found = ground
        .refused(
            &allowing(&["plain", "source"], 100),
            "INSERT INTO source VALUES (1)",
        )
        .await;
    assert_eq!(found, [Reason::LimitExceeded]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn references_that_lead_nowhere_are_found_in_sqlite() {
    let ground = Ground::sqlite();
    let found = ground
        .refused(
            &allowing(&["squad"], 100),
            "DELETE FROM squad WHERE squad_id = 1",
        )
        .await;
    assert_eq!(found, [Reason::ArtifactInvalid]);
    let found = ground
        .refused(
            &allowing(&["metric"], 100),
            "INSERT INTO metric VALUES (9, 77, 'x')",
        )
        .await;
    assert_eq!(found, [Reason::ArtifactInvalid]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_whose_rows_are_written_anew_counts_them_all_on_postgres() {
    let ground = Ground::postgres();
    ground.sql("CREATE MATERIALIZED VIEW seen AS SELECT squad_id FROM squad; CREATE TABLE wide (a INTEGER); INSERT INTO wide SELECT generate_series(1, 40)");
    let declaration = allowing(&["metric", "seen", "wide", "labels"], 100);
    for (forward, table, rows) in [
        (
            "DROP VIEW labels; ALTER TABLE metric ALTER COLUMN label TYPE varchar(9)",
            "metric",
            3,
        ),
        ("REFRESH MATERIALIZED VIEW seen", "seen", 4),
        (
            "TRUNCATE wide; INSERT INTO wide VALUES (1), (2)",
            "wide",
            42,
        ),
        (
            "DO $$ BEGIN FOR i IN 1..5 LOOP INSERT INTO wide VALUES (i); END LOOP; END $$",
            "wide",
            5,
        ),
        ("INSERT INTO wide VALUES (9); TRUNCATE wide", "wide", 7),
        (
            "ALTER TABLE metric ADD COLUMN stamped timestamptz DEFAULT clock_timestamp()",
            "metric",
            3,
        ),
    ] {
        let counted = ground.rows(&declaration, forward).await;
        assert_eq!(counted.get(table), Some(&rows), "{forward}: {counted:?}");
    }
    ground.sql("INSERT INTO treasure SELECT generate_series(10, 20)");
    let found = ground.refused(&declaration, "TRUNCATE treasure").await;
    assert!(found.contains(&Reason::ScopeViolation), "{found:?}");
    let found = ground.refused(&declaration, "SELECT lo_create(0)").await;
    assert!(
        !found.is_empty(),
        "large objects are no table of the declaration: {found:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_shows_while_it_runs_stops_the_script_on_postgres() {
    let ground = Ground::postgres();
    cluster_login(&ground);
    let before = ground.everything();
    let target = ground.target().await;
    for forward in [
        "DO $$ BEGIN EXECUTE 'SET ' || 'ROLE guest'; END $$",
        "DO $$ BEGIN EXECUTE 'SET session' || '_replication_role = replica'; END $$",
        "DO $$ BEGIN EXECUTE 'COM' || 'MIT'; END $$",
    ] {
        let script = ground.script(forward);
        let applied = apply(&target, &allowing(&["metric"], 1), &script).await;
        assert!(
            matches!(applied, Applied::Failed(_)),
            "{forward}: {applied:?}"
        );
    }
    target.close().await;
    assert_eq!(ground.everything(), before);
}

fn cluster_login(ground: &Ground) {
    ground.sql("DO $$ BEGIN CREATE ROLE guest; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
}

//! What only PostgreSQL has: locks that others wait for, indexes built CONCURRENTLY, extensions, rights, large schemas.

use std::io::Write;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use govdeck::bundles::sql::{Applied, Change, Place, Planned, Target, WayBack};
use govdeck::rules::bundle::Reason;
use govdeck::settings::Dsn;

use crate::support::cluster::cluster;
use crate::support::ground::{Ground, allowing, apply};

/// A session that holds what it took until it is dropped.
struct Holder(Child);

impl Holder {
    fn of(ground: &Ground, sql: &str) -> Self {
        let mut psql = cluster().client("psql");
        psql.args(["-X", "-q", "-A", "-t", "-d", ground.dsn().expose()]);
        let mut child = psql
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("psql");
        let input = child.stdin.as_mut().expect("piped");
        writeln!(input, "{sql}").expect("written");
        input.flush().expect("written");
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn wait_until(ground: &Ground, sql: &str, wanted: &str) {
    let begun = Instant::now();
    while ground.sql(sql) != wanted {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{sql} is not {wanted}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

const LOCKS_OF_METRIC: &str = "SELECT count(*) FROM pg_locks WHERE relation = 'metric'::regclass AND mode = 'RowExclusiveLock' AND granted";
const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE relation = 'metric'::regclass AND mode = 'AccessExclusiveLock' AND NOT granted";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_queues_behind_a_bundle_that_waits() {
    let ground = Ground::postgres();
    let holder = Holder::of(&ground, "BEGIN; UPDATE metric SET label = 'held';");
    wait_until(&ground, LOCKS_OF_METRIC, "1");
    let target = ground.target().await;
    let script = ground.script("SELECT 1;\nALTER TABLE metric ADD COLUMN modern TEXT");
    let declaration = allowing(&["metric"], 9);
    let begun = Instant::now();
    let (applied, read) = tokio::join!(apply(&target, &declaration, &script), async {
        tokio::task::spawn_blocking({
            let dsn = ground.dsn().expose().to_owned();
            move || {
                let looks = |sql: &str| cluster().psql_at(&dsn, sql).expect("it reads");
                while looks(WAITING) != "1" {
                    assert!(
                        begun.elapsed() < Duration::from_secs(30),
                        "the bundle waits"
                    );
                }
                // A reader that comes now stands behind the bundle in the queue.
                let begun = Instant::now();
                assert_eq!(looks("SELECT count(*) FROM metric"), "3");
                begun.elapsed()
            }
        })
        .await
        .expect("it reads")
    });
    let waited = begun.elapsed();
    let Applied::Failed(failed) = applied else {
        panic!("{applied:?}");
    };
    assert!(failed.is_busy && failed.line == 2, "{failed:?}");
    assert!(waited < Duration::from_secs(5), "{waited:?}");
    assert!(read < Duration::from_secs(3), "{read:?}");
    drop(holder);
    let applied = apply(&target, &declaration, &script).await;
    assert!(matches!(applied, Applied::Ready(_)), "{applied:?}");
    drop(applied);
    target.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bundle_runs_at_a_time() {
    for ground in [Ground::postgres(), Ground::sqlite()] {
        let (first, ready) = ground
            .ready(
                &allowing(&["metric"], 9),
                "UPDATE metric SET label = 'a' WHERE metric_id = 1",
            )
            .await;
        let second = ground.target().await;
        let script = ground.script("UPDATE squad SET name = 'c' WHERE squad_id = 1");
        let declaration = allowing(&["squad"], 9);
        let change = Change {
            declaration: &declaration,
            forward: &script,
            rollback: None,
        };
        let error = second.apply(change).await.expect_err("the lock is taken");
        assert_eq!(error.kind, govdeck::store::Failure::Busy, "{error}");
        ready.commit().await.expect("committed");
        let applied = apply(&second, &declaration, &script).await;
        assert!(matches!(applied, Applied::Ready(_)), "{applied:?}");
        drop(applied);
        first.close().await;
        second.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_others_write_meanwhile_are_not_the_bundles() {
    let ground = Ground::postgres();
    let target = ground.target().await;
    let script = ground.script("SELECT pg_sleep(0.1);\nUPDATE metric SET label = 'b' WHERE metric_id = 1;\nSELECT pg_sleep(1)");
    let declaration = allowing(&["metric"], 1);
    let (applied, ()) = tokio::join!(apply(&target, &declaration, &script), async {
        tokio::task::spawn_blocking({
            let dsn = ground.dsn().expose().to_owned();
            move || {
                let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(1)%' AND state = 'active' AND datname = current_database()";
                let begun = Instant::now();
                while cluster().psql_at(&dsn, sleeps).expect("it reads") != "1" {
                    assert!(begun.elapsed() < Duration::from_secs(30), "it sleeps");
                }
                cluster().psql_at(&dsn, "INSERT INTO metric SELECT i FROM generate_series(10, 30) i; DELETE FROM metric WHERE metric_id = 2").expect("written");
            }
        })
        .await
        .expect("written");
    });
    let Applied::Ready(ready) = applied else {
        panic!("{applied:?}");
    };
    let observed = ready.commit().await.expect("committed");
    assert_eq!(observed.rows.values().collect::<Vec<_>>(), [&1]);
    assert_eq!(observed.pre.row_counts, observed.post.row_counts);
    target.close().await;
}

const INDEX: &str = "CREATE INDEX CONCURRENTLY metric_squad ON metric (squad_id)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_is_built_beside_the_work_of_others() {
    let ground = Ground::postgres();
    let target = ground.target().await;
    let declaration = allowing(&["metric"], 0);
    let (forward, rollback) = (
        ground.script(INDEX),
        ground.script("DROP INDEX CONCURRENTLY metric_squad"),
    );
    let change = Change {
        declaration: &declaration,
        forward: &forward,
        rollback: Some(&rollback),
    };
    let before = ground.everything();
    let planned = target.plan(change, Place::InPlace).await.expect("planned");
    let Planned::Refused(found) = planned else {
        panic!("{planned:?}");
    };
    assert!(found[0].detail.contains("plan it on a copy"), "{found:?}");
    let planned = target.plan(change, Place::Copy).await.expect("planned");
    let Planned::Tried { observed, way_back } = planned else {
        panic!("{planned:?}");
    };
    assert_eq!(
        (observed.findings.len(), observed.diff.index_count_delta),
        (0, 1)
    );
    assert!(matches!(way_back, WayBack::Same { .. }), "{way_back:?}");
    assert_eq!(ground.everything(), before);
    assert!(matches!(
        apply(&target, &declaration, &forward).await,
        Applied::Refused { observed: None, .. }
    ));
    let stepped = target
        .apply_outside(change)
        .await
        .expect("it answers")
        .expect("it fits");
    assert_eq!((&stepped.failed, &stepped.way_back), (&None, &None));
    assert_eq!(
        target
            .verify(&declaration.scope, &stepped.observed.post)
            .await
            .expect("verified"),
        []
    );
    target.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_made_index_is_dropped_and_named() {
    let ground = Ground::postgres();
    ground.sql("UPDATE metric SET label = 'same'");
    let target = ground.target().await;
    let declaration = allowing(&["metric"], 0);
    let forward = ground.script("CREATE INDEX CONCURRENTLY fine ON metric (squad_id);\nCREATE UNIQUE INDEX CONCURRENTLY broken ON metric (label)");
    let rollback = ground.script("DROP INDEX CONCURRENTLY fine");
    let change = Change {
        declaration: &declaration,
        forward: &forward,
        rollback: Some(&rollback),
    };
    let stepped = target
        .apply_outside(change)
        .await
        .expect("it answers")
        .expect("it fits");
    assert_eq!(stepped.failed.expect("it failed").line, 2);
    assert_eq!(stepped.dropped, ["public.broken"]);
    assert!(
        matches!(stepped.way_back, Some(WayBack::Same { .. })),
        "{:?}",
        stepped.way_back
    );
    assert_eq!(
        target
            .verify(&declaration.scope, &stepped.observed.pre)
            .await
            .expect("verified"),
        []
    );
    // Beyond the declaration: built, judged, taken back.
    let squad = allowing(&["squad"], 0);
    let (forward, rollback) = (
        ground.script(INDEX),
        ground.script("DROP INDEX CONCURRENTLY metric_squad"),
    );
    let change = Change {
        declaration: &squad,
        forward: &forward,
        rollback: Some(&rollback),
    };
    let stepped = target
        .apply_outside(change)
        .await
        .expect("it answers")
        .expect("it fits");
    assert_eq!(stepped.observed.findings[0].reason, Reason::ScopeViolation);
    assert!(
        matches!(stepped.way_back, Some(WayBack::Same { .. })),
        "{:?}",
        stepped.way_back
    );
    target.close().await;
}

/// What is done, and the kind of object that is seen to have changed.
const KINDS: &[(&str, &str)] = &[
    ("CREATE SCHEMA other", "schema"),
    (
        "CREATE TABLE geo.plain (a INTEGER GENERATED ALWAYS AS IDENTITY, b INTEGER GENERATED ALWAYS AS (1) STORED)",
        "table",
    ),
    (
        "ALTER TABLE geo.plain ALTER COLUMN b SET STATISTICS 7, ALTER COLUMN a SET (n_distinct = 5)",
        "table",
    ),
    ("ALTER TABLE geo.plain SET (fillfactor = 50)", "table"),
    ("ALTER TABLE geo.plain ENABLE ROW LEVEL SECURITY", "table"),
    (
        "CREATE POLICY few ON geo.plain FOR SELECT TO reader USING (a > 1)",
        "policy",
    ),
    ("ALTER POLICY few ON geo.plain USING (a > 2)", "policy"),
    ("GRANT SELECT ON geo.plain TO reader", "privileges"),
    ("GRANT UPDATE (a) ON geo.plain TO reader", "privileges"),
    ("REVOKE ALL ON squad FROM postgres", "privileges"),
    ("ALTER TABLE standard OWNER TO reader", "privileges"),
    ("CREATE SEQUENCE geo.seq", "sequence"),
    ("ALTER SEQUENCE geo.seq INCREMENT 5", "sequence"),
    ("CREATE TYPE geo.mood AS ENUM ('a', 'b')", "type"),
    ("ALTER TYPE geo.mood ADD VALUE 'c' BEFORE 'b'", "type"),
    ("CREATE TYPE geo.pair AS (a INTEGER, b TEXT)", "type"),
    ("ALTER TYPE geo.pair ADD ATTRIBUTE c TEXT", "type"),
    (
        "CREATE DOMAIN geo.small AS INTEGER CHECK (VALUE < 9)",
        "domain",
    ),
    ("ALTER DOMAIN geo.small SET NOT NULL", "domain"),
    ("CREATE TYPE geo.span AS RANGE (subtype = INTEGER)", "type"),
    (
        "CREATE FUNCTION geo.f(a INTEGER) RETURNS INTEGER LANGUAGE sql AS 'SELECT 1'",
        "function",
    ),
    (
        "CREATE OR REPLACE FUNCTION geo.f(a INTEGER) RETURNS INTEGER LANGUAGE sql AS 'SELECT 2'",
        "function",
    ),
    ("GRANT EXECUTE ON FUNCTION geo.f TO reader", "function"),
    (
        "CREATE PROCEDURE geo.p() LANGUAGE sql AS 'SELECT 1'",
        "procedure",
    ),
    (
        "CREATE AGGREGATE geo.total (INTEGER) (sfunc = int4pl, stype = INTEGER)",
        "aggregate",
    ),
    (
        "CREATE FUNCTION geo.t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "function",
    ),
    (
        "CREATE TRIGGER t BEFORE INSERT ON geo.plain FOR EACH ROW EXECUTE FUNCTION geo.t()",
        "trigger",
    ),
    ("ALTER TABLE geo.plain DISABLE TRIGGER t", "trigger"),
    ("ALTER TABLE metric DISABLE TRIGGER ALL", "table"),
    (
        "CREATE RULE r AS ON DELETE TO geo.plain DO INSTEAD NOTHING",
        "rule",
    ),
    ("CREATE VIEW geo.v AS SELECT a FROM geo.plain", "view"),
    (
        "CREATE OR REPLACE VIEW geo.v AS SELECT a + 0 AS a FROM geo.plain",
        "view",
    ),
    (
        "CREATE MATERIALIZED VIEW geo.m AS SELECT a FROM geo.plain",
        "materialized view",
    ),
    (
        "CREATE STATISTICS geo.st ON a, b FROM geo.plain",
        "statistics",
    ),
    (
        "ALTER TABLE geo.plain ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
        "constraint",
    ),
    ("ALTER TABLE geo.plain VALIDATE CONSTRAINT c", "constraint"),
    (
        "CREATE TABLE geo.part_2 PARTITION OF geo.part FOR VALUES IN (2)",
        "table",
    ),
    ("ALTER TABLE geo.part DETACH PARTITION geo.part_2", "table"),
    ("CREATE COLLATION geo.german (locale = 'C')", "collation"),
    (
        "CREATE OPERATOR geo.@@@ (leftarg = INTEGER, rightarg = INTEGER, function = int4pl)",
        "operator",
    ),
    ("CREATE CAST (geo.mood AS INTEGER) WITH INOUT", "cast"),
    ("COMMENT ON TABLE geo.plain IS 'said'", "comment"),
    ("CREATE EXTENSION pgcrypto SCHEMA geo", "extension"),
    ("CREATE PUBLICATION p FOR TABLE geo.plain", "publication"),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA geo GRANT SELECT ON TABLES TO reader",
        "default privileges",
    ),
    (
        "CREATE TEXT SEARCH CONFIGURATION geo.c (COPY = simple)",
        "text search configuration",
    ),
    (
        "CREATE TEXT SEARCH DICTIONARY geo.d (TEMPLATE = simple)",
        "text search dictionary",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_object_is_seen_to_come_and_to_change() {
    let ground = Ground::postgres();
    ground.sql("CREATE SCHEMA geo; CREATE TABLE geo.part (a INTEGER, b INTEGER) PARTITION BY LIST (a); CREATE TABLE geo.part_1 PARTITION OF geo.part FOR VALUES IN (1);
        DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
    let scope = allowing(&["metric"], 1).scope;
    let target = ground.target().await;
    let mut last = target.baseline(&scope).await.expect("a look");
    for (sql, kind) in KINDS {
        ground.sql(sql);
        let now = target.baseline(&scope).await.expect("a look");
        let fresh = now
            .objects
            .iter()
            .filter(|object| !last.objects.contains(object));
        let kinds: Vec<&str> = fresh.map(|object| object.kind.as_str()).collect();
        if !sql.contains("STATISTICS 7") {
            assert!(kinds.contains(kind), "{sql}: {kinds:?}");
            assert_ne!(now.schema_fingerprint, last.schema_fingerprint, "{sql}");
        }
        assert!(
            !now.objects
                .iter()
                .any(|object| object.name.contains("crypt(")),
            "what an extension brings is its own"
        );
        last = now;
    }
    let names: Vec<_> = last
        .objects
        .iter()
        .map(|object| (&object.kind, &object.name))
        .collect();
    let mut once = names.clone();
    once.dedup();
    assert_eq!(names, once, "each object has its own name");
    target.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_without_the_right_to_copy_is_told_so() {
    let ground = Ground::postgres();
    cluster().create_login("narrow");
    ground.sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO narrow; ALTER TABLE metric OWNER TO narrow; GRANT CREATE ON SCHEMA public TO narrow");
    let url = ground
        .dsn()
        .expose()
        .replace("postgres://postgres@", "postgres://narrow@");
    let target = Target::open(&Dsn::parse(&url).expect("a DSN"))
        .await
        .expect("it opens");
    let declaration = allowing(&["metric"], 9);
    let script = ground.script("ALTER TABLE metric ADD COLUMN modern TEXT");
    let change = Change {
        declaration: &declaration,
        forward: &script,
        rollback: None,
    };
    let error = target
        .plan(change, Place::Copy)
        .await
        .expect_err("no right");
    assert!(
        error.sentence.contains("may not copy") && error.hint.contains("CREATEDB"),
        "{error:?}"
    );
    let planned = target.plan(change, Place::InPlace).await.expect("planned");
    assert!(
        matches!(&planned, Planned::Tried { observed, .. } if observed.findings.is_empty()),
        "{planned:?}"
    );
    target.close().await;
}

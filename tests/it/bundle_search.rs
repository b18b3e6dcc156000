//! The search driver on a real PostgreSQL: a shadow index, its swap, and the way back.

use std::io::Write;
use std::time::{Duration, Instant};

use govdeck::bundles::driver::protocol::{Ask, Code, Request, Work};
use govdeck::bundles::driver::{Change, Driver, RolledBack, Trouble, conformance};
use govdeck::rules::bundle::{Kind, Object, Reason, Scope};

use crate::bundle_drivers::{GOVDECK, SECRET, assert_all_pass, declaration, script, shipped};
use crate::support::cluster::{SUPERUSER, cluster};
use crate::support::command::{Home, run};

const OWNER: &str = "searcher";

const STORY: &str = "
CREATE SCHEMA search;
CREATE SCHEMA governance;
CREATE TABLE governance.authority (id int PRIMARY KEY, name text);
INSERT INTO governance.authority VALUES (1, 'north'), (2, 'south');
CREATE TABLE public.parcels (id int PRIMARY KEY, title text, body text);
INSERT INTO public.parcels VALUES
    (1, 'Mill by the river', 'An old mill with running water'), (2, 'Field', 'A field beside the mill road'),
    (3, 'Runner''s track', 'Where people run'), (4, 'Empty', NULL);
CREATE ROLE reader;
";

/// A database with documents and one index behind an alias.
async fn world(name: &str) -> Driver {
    cluster().create_login(OWNER);
    cluster().create_database(name, None, OWNER);
    cluster()
        .psql(OWNER, name, &STORY.replace("CREATE ROLE reader;", ""))
        .expect("the story begins");
    let driver = shipped(Kind::Search, &cluster().url(OWNER, name));
    let first = Change {
        forward: script(
            "forward.json",
            &steps(&[
                &build("v1", "pg_catalog.simple", "title"),
                &alias(None, Some("v1"), None),
            ]),
        ),
        ..change()
    };
    driver.forward(&first).await.expect("the first index");
    driver
}

fn steps(steps: &[&str]) -> String {
    format!(
        r#"{{"schema":"govdeck.search-change.v1","steps":[{}]}}"#,
        steps.join(",")
    )
}

fn build(index: &str, configuration: &str, columns: &str) -> String {
    let column = |name: &str| format!(r#"{{"name":"{name}","weight":"A"}}"#);
    let columns: Vec<_> = columns.split(' ').map(column).collect();
    format!(
        r#"{{"build":{{"index":"search.{index}","source":"public.parcels","key":"id","columns":[{}],"configuration":"{configuration}"}}}}"#,
        columns.join(",")
    )
}

fn alias(from: Option<&str>, to: Option<&str>, hours: Option<u32>) -> String {
    let name = |index: Option<&str>| {
        index.map_or("null".to_owned(), |index| format!("\"search.{index}\""))
    };
    let hours = hours.map_or(String::new(), |hours| {
        format!(r#","keep_old_hours":{hours}"#)
    });
    format!(
        r#"{{"alias":{{"name":"search.parcels","from":{},"to":{}{hours}}}}}"#,
        name(from),
        name(to)
    )
}

fn drop(index: &str) -> String {
    format!(r#"{{"drop":{{"index":"search.{index}"}}}}"#)
}

fn scope() -> Scope {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Scope {
        allowed_schemas: names(&["search"]),
        allowed_tables: names(&["v2", "parcels"]),
        forbidden_schemas: names(&["governance"]),
        forbidden_tables: names(&[]),
        protected_reference_tables: names(&["governance.authority"]),
    }
}

/// From the first index to a second one, and back.
fn change() -> Change {
    let forward = steps(&[
        &build("v2", "pg_catalog.english", "title body"),
        &alias(Some("v1"), Some("v2"), Some(72)),
    ]);
    let rollback = steps(&[&alias(Some("v2"), Some("v1"), None), &drop("v2")]);
    Change {
        scope: scope(),
        forward: script("forward.json", &forward),
        rollback: script("rollback.json", &rollback),
    }
}

/// What a search through the alias finds.
fn found(database: &str, words: &str) -> String {
    let sql = format!(
        "SELECT key FROM search.parcels WHERE document @@ plainto_tsquery(CASE WHEN (SELECT count(*) FROM search.parcels \
         WHERE fields ? 'body') > 0 THEN 'english' ELSE 'simple' END::regconfig, '{words}') ORDER BY key"
    );
    cluster()
        .psql(OWNER, database, &sql)
        .expect(words)
        .replace('\n', " ")
}

#[tokio::test]
async fn the_shipped_driver_passes_the_whole_suite() {
    let driver = world("driver_suite").await;
    assert_all_pass(&conformance(&driver, Some(&change())).await);
    assert_eq!(found("driver_suite", "mill"), "1");
}

#[tokio::test]
async fn a_search_is_other_through_the_new_index_and_as_before_through_the_old() {
    let database = "driver_story";
    let driver = world(database).await;
    cluster()
        .psql(
            SUPERUSER,
            database,
            "CREATE ROLE driver_reader; GRANT SELECT ON search.parcels TO driver_reader",
        )
        .expect("granted");
    assert_eq!(
        (
            found(database, "mill").as_str(),
            found(database, "running").as_str()
        ),
        ("1", "")
    );
    let declaration = declaration(Kind::Search, scope(), [2, 2, 4]);

    let plan = driver
        .plan(&declaration, &change())
        .await
        .expect("it can be rehearsed");
    assert_eq!(plan.observed.findings, []);
    assert_eq!(plan.way_back, RolledBack::Proven);
    assert!(
        plan.notes[0].contains("search.v1 is kept for 72 hours"),
        "{:?}",
        plan.notes
    );
    assert_eq!(
        plan.observed.diff.touched_tables,
        ["search.parcels", "search.v2"]
    );
    assert_eq!(
        (
            plan.observed.diff.index_count_delta,
            plan.observed.diff.row_backfill
        ),
        (2, 4)
    );
    assert_eq!(
        found(database, "running"),
        "",
        "a rehearsal leaves nothing behind"
    );

    let ran = driver.run(&declaration, &change()).await.expect("it runs");
    assert!(ran.passed(), "{ran:?}");
    assert_eq!(ran.rolled_back, RolledBack::Not);
    let observed = ran.observed.expect("it was looked at");
    assert_eq!(
        observed.post.schema_fingerprint,
        plan.observed.post.schema_fingerprint
    );
    assert_eq!(observed.post.row_counts["search.v2"], 4);
    assert_eq!(
        (
            found(database, "mill").as_str(),
            found(database, "running").as_str()
        ),
        ("1 2", "1 3")
    );

    let early = Change {
        forward: script("forward.json", &steps(&[&drop("v1")])),
        ..change()
    };
    let kept = driver.forward(&early).await.unwrap_err();
    assert!(
        kept.sentence.contains("search.v1 is kept until 2"),
        "{kept}"
    );
    let in_use = Change {
        forward: script("forward.json", &steps(&[&drop("v2")])),
        ..change()
    };
    let in_use = driver.forward(&in_use).await.unwrap_err();
    assert!(in_use.sentence.contains("2BP01"), "{in_use}");

    assert_eq!(
        driver.take_back(&change(), &ran.pre).await,
        RolledBack::Proven
    );
    assert_eq!(
        (
            found(database, "mill").as_str(),
            found(database, "running").as_str()
        ),
        ("1", "")
    );
    let reads = cluster().psql(
        SUPERUSER,
        database,
        "SELECT has_table_privilege('driver_reader', 'search.parcels', 'SELECT')",
    );
    assert_eq!(reads.as_deref(), Ok("t"), "grants outlive the swaps");
    let mark = "SELECT obj_description('search.v1'::regclass)";
    assert_eq!(
        cluster().psql(OWNER, database, mark).as_deref(),
        Ok("govdeck.search-index.v1")
    );
}

#[tokio::test]
async fn the_old_index_goes_once_its_time_is_over() {
    let database = "driver_window";
    let driver = world(database).await;
    driver.forward(&change()).await.expect("swapped");
    let over =
        "COMMENT ON TABLE search.v1 IS 'govdeck.search-index.v1 kept until 2020-01-01T00:00:00Z'";
    cluster().psql(OWNER, database, over).expect("time flies");
    let end = Change {
        forward: script("forward.json", &steps(&[&drop("v1")])),
        rollback: script(
            "rollback.json",
            &steps(&[&build("v1", "pg_catalog.simple", "title")]),
        ),
        scope: Scope {
            allowed_tables: vec!["search.v1".to_owned()],
            ..scope()
        },
    };
    let plan = driver
        .plan(
            &declaration(Kind::Search, end.scope.clone(), [1, 2, 4]),
            &end,
        )
        .await
        .expect("rehearsed");
    assert_eq!(
        (plan.way_back, plan.observed.diff.row_backfill),
        (RolledBack::Proven, 4)
    );
    let changed = driver.forward(&end).await.expect("it goes");
    assert_eq!(changed.rows["search.v1"], 4);
}

#[tokio::test]
async fn what_goes_beyond_its_declaration_is_taken_back_at_once() {
    let database = "driver_limits";
    let driver = world(database).await;
    for (limits, tables, reason) in [
        ([2, 2, 3], vec!["v2", "parcels"], Reason::LimitExceeded),
        ([2, 1, 4], vec!["v2", "parcels"], Reason::LimitExceeded),
        ([2, 2, 4], vec!["v2"], Reason::ScopeViolation),
    ] {
        let allowed_tables = tables.iter().map(|table| (*table).to_owned()).collect();
        let scope = Scope {
            allowed_tables,
            ..scope()
        };
        let change = Change {
            scope: scope.clone(),
            ..change()
        };
        let ran = driver
            .run(&declaration(Kind::Search, scope, limits), &change)
            .await
            .expect("it runs");
        assert!(!ran.passed());
        let findings = &ran.observed.as_ref().expect("it was looked at").findings;
        assert!(
            findings.iter().any(|finding| finding.reason == reason),
            "{findings:?}"
        );
        assert_eq!(ran.rolled_back, RolledBack::Proven, "{ran:?}");
        assert_eq!(found(database, "running"), "");
    }
}

#[tokio::test]
async fn a_change_that_fails_leaves_the_store_untouched() {
    let database = "driver_failing";
    let driver = world(database).await;
    let declaration = declaration(Kind::Search, scope(), [2, 2, 4]);
    for steps_of in [
        vec![build("v2", "pg_catalog.english", "title body"), alias(Some("v9"), Some("v2"), Some(1))],
        vec![build("v2", "pg_catalog.english", "title no_such_column"), alias(Some("v1"), Some("v2"), Some(1))],
        vec![build("v2", "pg_catalog.klingon", "title"), alias(Some("v1"), Some("v2"), Some(1))],
        vec![build("v1", "pg_catalog.english", "title")],
        vec![alias(None, Some("v1"), None)],
        vec![r#"{"drop":{"index":"public.parcels"}}"#.to_owned()],
        vec![r#"{"alias":{"name":"search.parcels","from":"search.v1","to":"public.parcels","keep_old_hours":1}}"#.to_owned()],
    ] {
        let words: Vec<_> = steps_of.iter().map(String::as_str).collect();
        let change = Change { forward: script("forward.json", &steps(&words)), ..change() };
        let ran = driver.run(&declaration, &change).await.expect("a look is possible");
        let trouble = ran.trouble.clone().expect("it fails");
        assert_eq!(trouble.trouble, Trouble::Said(Code::ScriptFailed), "{trouble}");
        assert_eq!(ran.rolled_back, RolledBack::Untouched, "{ran:?}");
    }
    let typo = Change {
        scope: Scope {
            protected_reference_tables: vec!["authorty".to_owned()],
            ..scope()
        },
        ..change()
    };
    let refused = driver.baseline(&typo).await.unwrap_err();
    assert!(refused.sentence.contains("is not there"), "{refused}");
}

#[tokio::test]
async fn a_protected_row_that_changes_shows_whatever_its_table_is_called() {
    let database = "driver_protected";
    let driver = world(database).await;
    let before = driver.baseline(&change()).await.expect("a look");
    let sql = "BEGIN; UPDATE governance.authority SET name = 'west' WHERE id = 2; COMMIT;";
    cluster().psql(OWNER, database, sql).expect("changed");
    let after = driver.baseline(&change()).await.expect("a look");
    assert_ne!(
        before.protected_domain_fingerprint,
        after.protected_domain_fingerprint
    );
    assert_eq!(before.schema_fingerprint, after.schema_fingerprint);
    let sql = "ALTER TABLE governance.authority RENAME TO t; ALTER TABLE governance.t RENAME COLUMN name TO t; \
               UPDATE governance.t SET t = 'south' WHERE id = 2";
    cluster().psql(OWNER, database, sql).expect("renamed");
    let scope = Scope {
        protected_reference_tables: vec!["t".to_owned()],
        ..scope()
    };
    let one = driver
        .baseline(&Change {
            scope: scope.clone(),
            ..change()
        })
        .await
        .expect("a look");
    cluster()
        .psql(
            OWNER,
            database,
            "UPDATE governance.t SET id = 3 WHERE id = 2",
        )
        .expect("changed");
    let other = driver
        .baseline(&Change { scope, ..change() })
        .await
        .expect("a look");
    assert_ne!(
        one.protected_domain_fingerprint,
        other.protected_domain_fingerprint
    );
}

#[tokio::test]
async fn nobody_queues_up_behind_a_change_that_waits() {
    let database = "driver_locks";
    let driver = world(database).await;
    let url = cluster().url(OWNER, database);
    let holder = std::thread::spawn(move || {
        cluster().psql_at(
            &url,
            "BEGIN; SELECT count(*) FROM search.parcels; SELECT pg_sleep(6); COMMIT;",
        )
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    let ran = driver
        .run(&declaration(Kind::Search, scope(), [2, 2, 4]), &change())
        .await
        .expect("a look");
    let trouble = ran.trouble.expect("the view is in use");
    assert!(trouble.sentence.contains("55P03"), "{trouble}");
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(ran.rolled_back, RolledBack::Untouched);
    holder
        .join()
        .expect("it ends")
        .expect("it was not disturbed");
}

#[test]
fn driver_test_makes_a_bundle_s_change_and_takes_it_back() {
    let database = "driver_test_verb";
    let runtime = tokio::runtime::Runtime::new().expect("it starts");
    runtime.block_on(world(database));
    let home = Home::new();
    let folder = home.folder().join("bundle");
    std::fs::create_dir(&folder).expect("the home is ours");
    let declaration = serde_json::to_string(&declaration(Kind::Search, scope(), [2, 2, 4]))
        .expect("JSON is YAML");
    for (name, text) in [
        ("migration.yml", declaration),
        ("forward", change().forward[0].text.clone()),
        ("rollback", change().rollback[0].text.clone()),
    ] {
        std::fs::write(folder.join(name), text).expect("the folder is ours");
    }
    let words = [
        "bundle",
        "driver-test",
        "--bundle",
        "bundle",
        GOVDECK,
        "bundle",
        "driver",
        "search",
    ];
    let unset = run(home.govdeck(words));
    assert_eq!(unset.code, Some(2), "{unset:?}");
    assert!(
        unset
            .stderr
            .contains("`STORE_DSN` is not in the environment"),
        "{unset:?}"
    );
    let mut tested = home.govdeck(words);
    tested.env(SECRET, cluster().url(OWNER, database));
    let tested = run(tested);
    assert_eq!(tested.code, Some(0), "{tested:?}");
    assert!(
        tested
            .stdout
            .ends_with("16 checks: 16 pass, 0 fail, 0 not run\n"),
        "{tested:?}"
    );
    let mut elsewhere = home.govdeck(words);
    elsewhere.env(SECRET, "postgres://nobody@localhost:1/none");
    let elsewhere = run(elsewhere);
    assert_eq!(elsewhere.code, Some(3), "{elsewhere:?}");
    assert!(
        elsewhere
            .stdout
            .contains("not run baseline_repeats: not run: the driver says unreachable"),
        "{elsewhere:?}"
    );
}

#[tokio::test]
async fn a_driver_that_is_killed_leaves_no_change_to_come() {
    let database = "driver_killed";
    let driver = world(database).await;
    let before = driver.baseline(&change()).await.expect("a look");
    let slow = "CREATE VIEW public.slow AS SELECT id, title, pg_sleep(1)::text AS body FROM public.parcels, generate_series(1, 60)";
    cluster().psql(OWNER, database, slow).expect("made");
    let late =
        build("v2", "pg_catalog.english", "title body").replace("public.parcels", "public.slow");
    let request = Request {
        id: "1f".to_owned(),
        ask: Ask::Apply,
        work: Some(Work {
            kind: Kind::Search,
            secrets: vec![SECRET.to_owned()],
            scope: scope(),
            forward: script("forward.json", &steps(&[&late])),
            rollback: vec![],
            time_limit_ms: 60_000,
        }),
    };
    let mut child = std::process::Command::new(GOVDECK)
        .args(["bundle", "driver", "search"])
        .env_clear()
        .env(SECRET, cluster().url(OWNER, database))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin
        .write_all(&request.bytes().expect("JSON"))
        .expect("it reads");
    std::mem::drop(stdin);
    let at_work = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted \
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let begun = Instant::now();
    while cluster().psql(OWNER, database, at_work).as_deref() != Ok("1") {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never began");
    }
    child.kill().expect("it runs");
    child.wait().expect("it is a child");
    let begun = Instant::now();
    let after = driver.baseline(&change()).await.expect("a look");
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(cluster().psql(OWNER, database, at_work).as_deref(), Ok("0"));
    let without_slow =
        |objects: &[Object]| objects.iter().filter(|o| o.name != "public.slow").count();
    assert_eq!(without_slow(&after.objects), before.objects.len());
}

//! A runner that is cancelled, killed or cut off in the middle leaves nothing behind and holds nobody up.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use govdeck::bundles::sql::{Applied, Change, Dialect, Script, Target};
use govdeck::settings::Dsn;

use crate::support::cluster::cluster;
use crate::support::ground::{Ground, allowing, apply, on_targets};

const BEGINS: &str =
    "ALTER TABLE metric ADD COLUMN modern TEXT;\nUPDATE metric SET modern = label;\n";

/// A script that changes something and then does not end.
fn endless(dialect: Dialect) -> String {
    let last = match dialect {
        Dialect::Postgres => {
            "DO $$ BEGIN LOOP PERFORM count(*) FROM generate_series(1, 1000); END LOOP; END $$"
        }
        Dialect::Sqlite => {
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO metric (label) SELECT 'x' FROM n WHERE i < 0"
        }
    };
    format!("{BEGINS}{last}")
}

/// Tells whether a bundle is in the middle of its work, seen from outside.
fn is_at_work(ground: &Ground) -> bool {
    if ground.is_postgres() {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'DO $$ BEGIN LOOP%'";
        return ground.sql(sql) == "1";
    }
    // The shell waits five seconds for a lock unless it is told otherwise.
    let taken = ground.try_sql(".timeout 1\nBEGIN IMMEDIATE; ROLLBACK;");
    taken.is_err_and(|error| error.contains("locked"))
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn is_free(ground: &Ground) -> bool {
    if ground.is_postgres() {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'govdeck bundle'";
        return ground.sql(sql) == "0";
    }
    !is_at_work(ground)
}

/// Nothing is left, and the next one can begin at once.
async fn assert_untouched(ground: &Ground, before: &str) {
    wait_for("the lock is let go", || is_free(ground));
    if !ground.is_postgres() {
        // A shell that opens the file takes back what a killed process had begun to write.
        assert_eq!(ground.sql("PRAGMA integrity_check"), "ok");
    }
    assert_eq!(ground.everything(), before);
    let target = ground.target().await;
    let script = ground.script(BEGINS);
    let applied = apply(&target, &allowing(&["metric"], 9), &script).await;
    assert!(matches!(applied, Applied::Ready(_)), "{applied:?}");
    drop(applied);
    target.close().await;
}

on_targets!(a_cancelled_run_leaves_nothing, |ground| {
    let before = ground.everything();
    let (dsn, dialect) = (ground.dsn(), ground.dialect());
    let run = tokio::spawn(async move { run_endless(&dsn, dialect).await });
    let watched = tokio::task::spawn_blocking(move || {
        wait_for("it is at work", || is_at_work(&ground));
        ground
    });
    let ground = watched.await.expect("it is at work");
    run.abort();
    assert!(run.await.expect_err("cancelled").is_cancelled());
    assert_untouched(&ground, &before).await;
});

async fn run_endless(dsn: &Dsn, dialect: Dialect) {
    let target = Target::open(dsn).await.expect("it opens");
    let text = endless(dialect);
    let script = Script::read(dialect, &[("forward.sql", &text)]).expect("it reads");
    let declaration = allowing(&["metric"], 9);
    let change = Change {
        declaration: &declaration,
        forward: &script,
        rollback: None,
    };
    let ended = target.apply(change).await;
    panic!("it ended: {ended:?}");
}

const CHILD: &str = "GOVDECK_BUNDLE_CHILD";

/// The program that is killed; it does nothing by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of the next one"]
async fn child() {
    let dsn = std::env::var(CHILD).expect("called by the next one");
    let dsn = Dsn::parse(&dsn).expect("a DSN");
    let dialect = if dsn.is_postgres() {
        Dialect::Postgres
    } else {
        Dialect::Sqlite
    };
    run_endless(&dsn, dialect).await;
}

on_targets!(a_killed_process_leaves_nothing, |ground| {
    let before = ground.everything();
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "bundle_runner_faults::child", "--ignored"])
        .env(CHILD, ground.dsn().expose())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    wait_for("it is at work", || is_at_work(&ground));
    child.kill().expect("killed");
    child.wait().expect("it is a child");
    assert_untouched(&ground, &before).await;
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_leaves_nothing() {
    let ground = Ground::postgres();
    let before = ground.everything();
    let script = ground.script(&endless(ground.dialect()));
    let target = ground.target().await;
    let declaration = allowing(&["metric"], 9);
    let change = Change {
        declaration: &declaration,
        forward: &script,
        rollback: None,
    };
    let dsn = ground.dsn().expose().to_owned();
    let (ended, ()) = tokio::join!(target.apply(change), async move {
        let cut = move || {
            let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'DO $$ BEGIN LOOP%' AND state = 'active'";
            wait_for("it is at work", || {
                cluster().psql_at(&dsn, end).expect("it reads") == "1"
            });
        };
        tokio::task::spawn_blocking(cut).await.expect("cut");
    });
    match ended {
        Err(error) => assert_eq!(error.kind, govdeck::store::Failure::Unreachable, "{error}"),
        Ok(ended) => panic!("{ended:?}"),
    }
    target.close().await;
    assert_untouched(&ground, &before).await;
}

//! Faults: killed at any moment, answers lost, servers gone, locks held. Nothing is doubled, nothing half done.

use std::time::{Duration, Instant};

use govdeck::actions::{self, Asked, Outcome, Request};
use govdeck::rules::guard::Answer;
use govdeck::settings::Dsn;
use govdeck::store::{Access, Failure, OsAccount, Store};

use crate::support::cluster::cluster;
use crate::support::command::{self, Home, kill_at_every, wait_for};
use crate::support::proxy::Proxy;
use crate::support::{World, on_both, sqlite_shell};

/// The calls by which a killed process could leave something half done.
const SQLITE_CALLS: &str = "pwrite64,fsync,fdatasync,ftruncate,unlink";
const POSTGRES_CALLS: &str = "sendto";

on_both!(an_action_killed_at_any_call_is_whole_or_absent, |world| {
    let calls = if world.is_postgres() {
        POSTGRES_CALLS
    } else {
        SQLITE_CALLS
    };
    world.register_footer().await;
    world.block("pub-1").await;
    let (mut done, mut absent) = (0, 0);
    let prepare = || {
        let world = wait_for(world.again());
        let command = world.govdeck("maya", &["act", "take-block", "pub-1", "--confirm", "y"]);
        (world, command)
    };
    let points = kill_at_every(calls, prepare, |point, world, run| {
        wait_for(async {
            world.assert_sound().await;
            match world
                .owner_sql("SELECT taken_by, version FROM publish_replay_audit")
                .as_str()
            {
                "maya|2" => done += 1,
                "|1" => absent += 1,
                other => panic!("{point:?} left {other}"),
            }
            if run.code == Some(0) {
                assert_eq!(
                    world.owner_sql("SELECT version FROM publish_replay_audit"),
                    "2",
                    "{point:?} said done"
                );
            }
            // Whatever happened, the next one can go on: the block is taken, or can be.
            let next = world.act("lee", "take_block", Asked::of("pub-1")).await;
            assert!(
                next.is_ok() || next == Err("not_taken: taken by maya".to_owned()),
                "{point:?}: {next:?}"
            );
        });
    });
    println!("{points} points of {calls}: {done} done, {absent} absent");
    assert!(done > 0 && absent > 0, "both sides of the commit were hit");
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn init_killed_at_any_call_goes_on_when_run_again() {
    let init = |home: &Home| home.govdeck(["init", "--backup", "lee"]);
    let points = kill_at_every(
        SQLITE_CALLS,
        || {
            let home = Home::new();
            let command = init(&home);
            (home, command)
        },
        |point, home, _| {
            let again = command::run(init(&home));
            assert_eq!(again.code, Some(0), "{point:?}: {again:?}");
            let verified = command::run(home.govdeck(["ledger", "verify"]));
            assert_eq!(verified.code, Some(0), "{point:?}: {verified:?}");
            let file = home.folder().join("data/govdeck/govdeck.db");
            let counts = sqlite_shell(
                &file,
                "SELECT (SELECT COUNT(*) FROM deployment), (SELECT COUNT(*) FROM governance_ledger)",
            );
            assert_eq!(counts.as_deref(), Ok("1|1"), "{point:?}");
        },
    );
    println!("{points} points");
}

/// A store that reaches a world's PostgreSQL through a proxy.
async fn through(proxy: &Proxy, world: &World, person: &str) -> Store {
    let dsn = Dsn::parse(&proxy.url(person, world.database())).expect("a DSN");
    Store::open(&dsn, OsAccount::named(person), Access::Write)
        .await
        .expect("it opens")
}

async fn confirmed_take(store: &Store, run: &str) -> Request {
    let proposal = actions::propose(
        &mut store.view().await.expect("a view"),
        "take_block",
        Asked::of(run),
    )
    .await
    .expect("a proposal");
    proposal
        .confirm(&Answer {
            typed: "y".to_owned(),
            reason: None,
        })
        .expect("confirmed")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_to_commit_is_unknown_and_found_by_its_ticket() {
    let world = World::postgres().await;
    world.register_footer().await;
    world.block("pub-1").await;
    let proxy = Proxy::start(&cluster().socket());
    let store = through(&proxy, &world, "lee").await;
    let request = confirmed_take(&store, "pub-1").await;
    proxy.lose_commit_answer();
    let Outcome::Unknown { ticket, .. } = actions::carry_out(&store, request.clone()).await else {
        panic!("it was answered")
    };
    let entry = store
        .resolve(&ticket)
        .await
        .expect("it answers again")
        .expect("it was written");
    assert_eq!(
        (entry.action.as_str(), entry.ticket.as_str()),
        ("take_block", ticket.as_str())
    );
    let Outcome::Done(again) = actions::carry_out(&store, request).await else {
        panic!("sent again, it is done already")
    };
    assert_eq!(again.seq, entry.seq);
    assert_eq!(
        world.owner_sql("SELECT version FROM publish_replay_audit"),
        "2",
        "taken once"
    );
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_commit_is_unknown_and_turns_out_not_written() {
    let world = World::postgres().await;
    world.register_footer().await;
    world.block("pub-1").await;
    let proxy = Proxy::start(&cluster().socket());
    let store = through(&proxy, &world, "lee").await;
    let request = confirmed_take(&store, "pub-1").await;
    proxy.lose_commit_request();
    let Outcome::Unknown { ticket, .. } = actions::carry_out(&store, request.clone()).await else {
        panic!("it was answered")
    };
    assert_eq!(
        store.resolve(&ticket).await.expect("it answers again"),
        None
    );
    assert!(
        matches!(actions::carry_out(&store, request).await, Outcome::Done(_)),
        "it can be sent again"
    );
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_resolves_a_lost_answer_by_itself() {
    let world = World::postgres().await;
    world.register_footer().await;
    world.block("pub-1").await;
    let proxy = Proxy::start(&cluster().socket());
    // Reading transactions are rolled back, so the first COMMIT is the write's.
    proxy.lose_commit_answer();
    let mut command = world.govdeck("lee", &["act", "take-block", "pub-1", "--confirm", "y"]);
    command.env("GOVDECK_DSN", proxy.url("lee", world.database()));
    let run = command::run(command);
    assert_eq!((run.code, proxy.counts().lost), (Some(0), 1), "{run:?}");
    assert!(
        run.stdout.starts_with("done: take-block, ledger entry"),
        "{run:?}"
    );
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_cut_at_random_double_and_lose_nothing() {
    let world = World::postgres().await;
    world.register_footer().await;
    let proxy = Proxy::start(&cluster().socket());
    let store = through(&proxy, &world, "lee").await;
    let (mut done, mut unknown) = (0, 0);
    for round in 0..20_u64 {
        let run = format!("pub-{round}");
        world.block(&run).await;
        let request = confirmed_take(&store, &run).await;
        let ticket = request.ticket().to_owned();
        let writing = {
            let store = store.clone();
            tokio::spawn(async move { actions::carry_out(&store, request).await })
        };
        tokio::time::sleep(Duration::from_micros(round * 1500)).await;
        proxy.cut();
        let written = match writing.await.expect("no panic") {
            Outcome::Done(_) => {
                done += 1;
                true
            }
            Outcome::Unknown { .. } => {
                unknown += 1;
                store
                    .resolve(&ticket)
                    .await
                    .expect("it answers again")
                    .is_some()
            }
            Outcome::Failed(error) => {
                assert_eq!(error.kind, Failure::Unreachable, "{error}");
                false
            }
            Outcome::Refused(refusal) => panic!("{refusal}"),
        };
        let version = world.owner_sql(&format!(
            "SELECT version FROM publish_replay_audit WHERE publish_run_id = '{run}'"
        ));
        assert_eq!(version, if written { "2" } else { "1" }, "{run}");
    }
    println!("20 cuts: {done} done, {unknown} unknown");
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminated_session_is_a_failure_and_the_next_request_works() {
    let world = World::postgres().await;
    world.register_footer().await;
    world.block("pub-1").await;
    let store = world.store("lee").await;
    let request = confirmed_take(&store, "pub-1").await;
    let kill = format!(
        "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{}' AND usename = 'lee'",
        world.database()
    );
    assert_ne!(
        cluster()
            .psql("postgres", world.database(), &kill)
            .expect("asked"),
        "0"
    );
    // The pool notices dead connections before it hands them out.
    assert!(matches!(
        actions::carry_out(&store, request).await,
        Outcome::Done(_)
    ));
    world.assert_sound().await;
}

on_both!(a_lock_held_elsewhere_is_busy_and_says_so, |world| {
    world.register_footer().await;
    world.block("pub-1").await;
    let store = world.store("lee").await;
    let request = confirmed_take(&store, "pub-1").await;
    let holder = world.store("maya").await;
    let held = holder.begin().await.expect("the head is free");
    let asked = Instant::now();
    let Outcome::Failed(error) = actions::carry_out(&store, request.clone()).await else {
        panic!("it went through")
    };
    let who = if world.is_postgres() {
        "maya"
    } else {
        "another process"
    };
    assert_eq!(error.kind, Failure::Busy);
    assert!(
        error
            .sentence
            .starts_with(&format!("the ledger is busy: {who}")),
        "{error}"
    );
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "patience has an end"
    );
    drop(held);
    assert!(
        matches!(actions::carry_out(&store, request).await, Outcome::Done(_)),
        "afterwards it works"
    );
    world.assert_sound().await;
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opening_a_second_store_leaves_the_first_ones_locks_alone() {
    // The system drops a process's locks on a file when the process closes any descriptor of it. Without its lock the
    // first store does not count as open, and whoever else closes the database takes the log away from under it.
    let world = World::sqlite().await;
    let first = world.store("maya").await;
    drop(first.view().await.expect("a view"));
    world.store("lee").await.close().await;
    world
        .sql("INSERT INTO artifact SELECT substr(sha256, 2) || substr(sha256, 1, 1), media_type, bytes, created_at_utc FROM artifact LIMIT 1")
        .expect("another process writes and closes");
    let log = world.file().with_extension("db-wal");
    assert!(log.exists(), "the log is still there for the first store");
    first.close().await;
}

on_both!(a_view_that_nobody_waits_for_leaks_no_transaction, |world| {
    let store = world.store("maya").await;
    for round in 0..200_u64 {
        let patience = Duration::from_micros(round * 10);
        let _ = tokio::time::timeout(patience, store.view()).await;
        let _ = tokio::time::timeout(patience, store.begin()).await;
    }
    // All connections are free again, and a write finds no lock.
    world
        .act("maya", "add_person", Asked::of("ann").with("name", "Ann"))
        .await
        .expect("nothing is held");
    if world.is_postgres() {
        let stuck = format!(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '{}' AND state LIKE 'idle in transaction%'",
            world.database()
        );
        let begun = Instant::now();
        while cluster()
            .psql("postgres", world.database(), &stuck)
            .expect("asked")
            != "0"
        {
            assert!(
                begun.elapsed() < Duration::from_secs(5),
                "a transaction was leaked"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    world.assert_sound().await;
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_stopped_in_the_middle_loses_nothing_that_was_done() {
    use crate::support::cluster::Cluster;
    let mut server = Cluster::start_private();
    server.create_login("maya");
    server.create_database("world", None, "maya");
    let dsn = server.url("maya", "world");
    let home = Home::new();
    let govdeck = |words: &[&str]| {
        let mut command = home.govdeck(words);
        command.env("GOVDECK_DSN", &dsn);
        command::run(command)
    };
    assert_eq!(govdeck(&["init", "--backup", "lee"]).code, Some(0));
    let mut added = 0;
    for round in 0..5_u64 {
        let store = Store::open(
            &Dsn::parse(&dsn).expect("a DSN"),
            OsAccount::named("maya"),
            Access::Write,
        )
        .await
        .expect("it opens");
        let writing = tokio::spawn({
            let store = store.clone();
            async move {
                let mut done = Vec::new();
                for n in 0.. {
                    match crate::support::act_on(
                        &store,
                        "add_person",
                        Asked::of(format!("p{round}-{n}")).with("name", "P"),
                    )
                    .await
                    {
                        Ok(Outcome::Done(sealed)) => done.push(sealed.seq),
                        Ok(Outcome::Refused(refusal)) => panic!("{refusal}"),
                        _ => return done,
                    }
                }
                done
            }
        });
        tokio::time::sleep(Duration::from_millis(100 + 37 * round)).await;
        tokio::task::block_in_place(|| {
            server.stop_immediate();
        });
        let done = writing.await.expect("no panic");
        added += done.len();
        tokio::task::block_in_place(|| server.start());
        let head: i64 = server
            .psql("maya", "world", "SELECT seq FROM ledger_head")
            .expect("asked")
            .parse()
            .expect("a number");
        assert!(
            head >= done.last().copied().unwrap_or(0),
            "what was called done is there"
        );
        let verified = govdeck(&["ledger", "verify"]);
        assert_eq!(verified.code, Some(0), "{verified:?}");
    }
    println!("5 stops, {added} done in between");
    assert!(added > 0);
}

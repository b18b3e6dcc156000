//! What an agent does by duty: jobs in their time, proposals and moves that nobody answered, whatever clock its machine has, and
//! what became due while the database was away.

use std::path::{Path, PathBuf};
use std::process::Command;

use govdeck::actions::Asked;
use govdeck::rules::drift::Side;
use govdeck::store::job::{self, JobOutcome};
use govdeck::store::lease;
use serde_json::Value;

use crate::actions_approvals::{propose, with_two};
use crate::agent::{block_at, blocked_at, once, stand, told};
use crate::agent_post::{KEEP, commanded, taken};
use crate::agent_runs::{Running, until};
use crate::cli_kit::said;
use crate::publish_leaves::{ROWS, decide, mint, side};
use crate::support::cluster::cluster;
use crate::support::command::run;
use crate::support::migration_story::{self, ID, dual_writing};
use crate::support::proxy::Proxy;
use crate::support::{World, on_both};

/// Lets everything that was begun have begun so many hours earlier.
fn hours_ago(world: &World, hours: u32) {
    let earlier = if world.is_postgres() {
        format!("started_at_utc - INTERVAL '{hours} hours'")
    } else {
        format!(
            "strftime('%Y-%m-%dT%H:%M:%S', started_at_utc, '-{hours} hours') || substr(started_at_utc, 20)"
        )
    };
    world.owner_sql(&format!("UPDATE agent_job SET started_at_utc = {earlier}"));
}

const JOBS: &str = "SELECT outcome FROM agent_job WHERE job = 'drop-leaves'";
const KEPT: &str = "SELECT COUNT(*) FROM publish_leaf WHERE bytes IS NOT NULL";

on_both!(
    a_due_job_is_done_and_again_when_its_time_has_come,
    |world| {
        world.register_footer().await;
        let store = world.store("maya").await;
        let old_run = |run: &'static str| {
            let store = &store;
            async move {
                let leaves = [side(Side::Publish, ROWS), side(Side::Source, ROWS)];
                mint(store, run, 8 * 24 * 60, ROWS, &leaves).await;
                decide(store, run, || ()).await;
            }
        };
        old_run("pub-1").await;
        assert_eq!(once(&world, None)["jobs"]["drop-leaves"], "done");
        assert_eq!(world.owner_sql(KEPT), "0");
        assert_eq!(world.rows(JOBS), ["done"]);
        old_run("pub-2").await;
        assert_eq!(once(&world, None)["jobs"]["drop-leaves"], Value::Null);
        assert_eq!(world.owner_sql(KEPT), "2");
        hours_ago(&world, 25);
        assert_eq!(once(&world, None)["jobs"]["drop-leaves"], "done");
        assert_eq!(world.owner_sql(KEPT), "0");
        // One that was cut off stands there as what it is, and is done again at its next time, not before.
        let fence = world.owner_sql("SELECT fence FROM agent_lease").parse();
        let fence = fence.expect("a number");
        let (name, why) = (
            "drop-leaves",
            "it took longer than 30 minutes and was cut off",
        );
        job::begin(&store, name, fence).await.expect("begun");
        let ended = job::end(&store, name, fence, JobOutcome::TimedOut, why).await;
        ended.expect("ended");
        assert_eq!(world.rows(JOBS), ["timed_out"]);
        assert_eq!(once(&world, None)["jobs"]["drop-leaves"], Value::Null);
        hours_ago(&world, 25);
        assert_eq!(once(&world, None)["jobs"]["drop-leaves"], "done");
        // One that nobody ended, since its agent died, is done at once by whoever leads next.
        job::begin(&store, name, fence).await.expect("begun");
        assert_eq!(once(&world, None)["jobs"]["drop-leaves"], "done");
        store.close().await;
        world.assert_sound().await;
    }
);

on_both!(a_manifest_that_is_a_pipe_holds_nobody_up, |world| {
    let pipe = world.home.folder().join("manifest.json");
    crate::cli_kit::fifo(&pipe);
    let path = pipe.display();
    let text = format!("[[job]]\nrun = \"reconcile\"\nmanifest = \"{path}\"\nevery_minutes = 15\n");
    let file = told(&world, &text);
    let did = once(&world, Some(&file));
    assert_eq!(did["jobs"][format!("reconcile {path}")], "failed");
    let detail = "SELECT detail FROM agent_job WHERE outcome = 'failed'";
    assert_eq!(
        world.rows(detail),
        [format!("{path} cannot be read: it is no plain file")]
    );
});

on_both!(a_proposal_that_nobody_answers_ends_by_itself, |world| {
    let world = world.where_time_is_set().await;
    with_two(&world).await;
    let ticket = propose(&world, "chg-7").await;
    let expires = format!(
        "SELECT {} FROM approval_request",
        moment(&world, "expires_at_utc")
    );
    let expires: govdeck::clock::Moment = world.owner_sql(&expires).parse().expect("a moment");
    stand(&world, &expires.plus_minutes(-1).to_string()).await;
    assert_eq!(once(&world, None)["done"]["ended"], Value::Null);
    stand(&world, &expires.to_string()).await;
    assert_eq!(once(&world, None)["done"]["ended"], 1);
    assert_eq!(once(&world, None)["done"]["ended"], Value::Null);
    let ended = "SELECT status || ' ' || COALESCE(ended_by, 'by rule') FROM approval_request";
    assert_eq!(world.rows(ended), ["expired by rule"]);
    let late = world.act("lee", "approve", Asked::of(&*ticket)).await;
    late.expect_err("it is over");
    world.assert_sound().await;
});

/// Writes a time as the program reads it.
fn moment(world: &World, column: &str) -> String {
    if world.is_postgres() {
        format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
    } else {
        column.to_owned()
    }
}

on_both!(
    a_move_that_nobody_countersigns_becomes_a_task_by_itself,
    |w| {
        let world = migration_story::world(w).await;
        dual_writing(&world).await;
        stand(&world, "2098-05-20T10:00:00Z").await;
        let back = Asked::of(ID)
            .with("because", "operator_abort")
            .with("note", "totals moved");
        let moved = world.act("maya", "roll_back_migration", back).await;
        moved.expect("taken back");
        stand(&world, "2098-05-21T10:00:00Z").await;
        assert_eq!(once(&world, None)["done"]["opened"], Value::Null);
        stand(&world, "2098-05-21T10:00:01Z").await;
        assert_eq!(once(&world, None)["done"]["opened"], 1);
        assert_eq!(once(&world, None)["done"]["opened"], Value::Null);
        let task = "SELECT owner_id || ' ' || kind FROM deficiency";
        assert_eq!(world.rows(task), ["lee countersign"]);
        let told =
            "SELECT recipient_id FROM notification_outbox WHERE event_class = 'deficiency_opened'";
        assert_eq!(world.rows(told), ["lee"]);
        world.assert_sound().await;
    }
);

/// A library that lets a program's clock be off by so many seconds, as `CLOCK_OFF` says.
const CLOCK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t which, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int answer = real(which, at);
    const char *off = getenv("CLOCK_OFF");
    if (answer == 0 && which == CLOCK_REALTIME && off) at->tv_sec += atol(off);
    return answer;
}
"#;

/// Builds that library.
fn clock(world: &World) -> PathBuf {
    let folder = world.home.folder();
    let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
    std::fs::write(&source, CLOCK).expect("ours");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ldl");
    assert!(cc.status().expect("there is a compiler").success());
    library
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_whose_clocks_are_ten_minutes_apart_go_by_the_database_s() {
    let world = World::postgres().await;
    let world = blocked_at(world, "pub-1", "2098-05-01T02:00:00Z").await;
    let library = clock(&world);
    let off = |seconds: &str, words: &[&str]| {
        let mut command = world.govdeck("maya", words);
        command
            .env("LD_PRELOAD", &library)
            .env("CLOCK_OFF", seconds);
        run(command)
    };
    let both = ["-300", "300"];
    let agent = ["agent", "--once", "--json"];
    for (seconds, wrong) in both.iter().zip([-300_000, 300_000]) {
        let status = off(seconds, &["status", "--json"]);
        let skew: Value = serde_json::from_str(&status.stdout).expect("JSON");
        let skew = skew["skew_milliseconds"].as_i64().expect("a number");
        assert!((skew - wrong).abs() < 60_000, "the clock is off: {skew}");
    }
    // Neither is early, whichever comes first, and neither is late.
    stand(&world, "2098-05-01T02:29:59Z").await;
    for seconds in both {
        off(seconds, &agent);
    }
    let marks = "SELECT mark FROM block_sla_mark ORDER BY mark";
    assert_eq!(world.rows(marks), ["soon"]);
    stand(&world, "2098-05-01T02:30:01Z").await;
    std::thread::scope(|scope| {
        let agents = both.map(|seconds| scope.spawn(move || off(seconds, &agent)));
        for agent in agents {
            assert_eq!(agent.join().expect("it ran").code, Some(0));
        }
    });
    assert_eq!(world.rows(marks), ["breach", "soon"]);
    let late = "SELECT COUNT(*) FROM notification_outbox WHERE body LIKE '%late: nobody was at work%' AND event_class = 'block_breached'";
    assert_eq!(world.owner_sql(late), "0");
    // A lease of 45 seconds is not over for somebody whose clock says so.
    let store = world.store("maya").await;
    lease::take(&store, "one", "elsewhere")
        .await
        .expect("asked");
    store.close().await;
    for seconds in both {
        let run = off(seconds, &["agent", "--once"]);
        assert!(said(&run, 0).starts_with("another agent leads"), "{run:?}");
    }
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_due_while_the_database_was_away_is_done_once_and_late() {
    let world = World::postgres().await;
    let world = blocked_at(world, "pub-1", "2098-05-01T02:00:00Z").await;
    let file = commanded(&world, KEEP, "").display().to_string();
    let proxy = Proxy::start(&cluster().socket());
    let mut command = world.govdeck("maya", &["agent", "--file", &file]);
    command.env("GOVDECK_DSN", proxy.url("maya", world.database()));
    let agent = Running::start(command);
    let delivered = "SELECT COUNT(*) FROM notification_delivery WHERE state = 'delivered'";
    until("the first message comes", || {
        world.owner_sql(delivered) == "1"
    });
    // Ten minutes without it, in which one block becomes late and another comes.
    stand(&world, "2098-05-01T02:25:00Z").await;
    until("half time is marked", || world.owner_sql(delivered) == "2");
    proxy.refuse();
    proxy.cut();
    block_at(&world, "pub-2", "2098-05-01T02:28:00Z").await;
    stand(&world, "2098-05-01T02:35:00Z").await;
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!(taken(&world).len(), 2);
    proxy.pass();
    until("everything comes", || world.owner_sql(delivered) == "4");
    assert_eq!(agent.stop(), Some(0));
    let all = taken(&world);
    let mut keys: Vec<&str> = all
        .iter()
        .filter_map(|it| it["idempotency_key"].as_str())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!((all.len(), keys.len()), (4, 4), "{all:?}");
    let breach = all.iter().find(|it| it["event"] == "block_breached");
    let text = breach.expect("it was paged")["text"].to_string();
    assert!(
        text.contains("This comes 4 min late: nobody was at work when it was due."),
        "{text}"
    );
    let opened = all
        .iter()
        .filter(|it| it["event"] == "block_opened")
        .count();
    assert_eq!(opened, 2);
    world.assert_sound().await;
}

/// Finds what is written between two marks, wherever it is.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    let parts = text.split(before).skip(1);
    parts.filter_map(|part| part.split(after).next()).collect()
}

#[test]
fn the_page_lists_every_event_that_is_sent() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut source = String::new();
    let mut folders = vec![root.join("src/actions")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("it is there") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                source += &std::fs::read_to_string(path).expect("readable");
            }
        }
    }
    let mut sent: Vec<&str> = between(&source, "event_class: \"", "\"");
    sent.extend(between(&source, "SlaMark::Soon => \"", "\""));
    sent.extend(between(&source, "SlaMark::Breach => \"", "\""));
    sent.extend(between(&source, "SlaMark::Stale => \"", "\""));
    sent.sort_unstable();
    sent.dedup();
    let page = std::fs::read_to_string(root.join("docs/agent.md")).expect("readable");
    let table = between(&page, "| event | what is sent |", "\n\n");
    let mut listed = between(table[0], "\n| `", "`");
    listed.sort_unstable();
    assert_eq!(listed, sent);
}

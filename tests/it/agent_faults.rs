//! Faults of agents: killed at any call, two at once, servers gone. Nothing is lost, nothing is doubled.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use crate::agent::{block_at, blocked_at, expire, once, stand};
use crate::agent_post::{KEEP, commanded, taken};
use crate::agent_runs::{Running, until};
use crate::cli_kit::govdeck;
use crate::support::cluster::cluster;
use crate::support::command::{kill_at_every, wait_for};
use crate::support::proxy::Proxy;
use crate::support::{World, on_both, rounds};

const SQLITE_CALLS: &str = "pwrite64,fsync,fdatasync,ftruncate,unlink";
const POSTGRES_CALLS: &str = "sendto";

const PAGES: &str = "SELECT event_class || ' ' || recipient_id FROM notification_outbox ORDER BY ledger_seq, event_class";
const WAYS: &str = "SELECT COUNT(*) FROM notification_delivery WHERE state = 'delivered'";
const MARKS: &str = "SELECT mark || ' ' || mark_no FROM block_sla_mark ORDER BY mark";

on_both!(
    an_agent_killed_at_any_call_loses_and_doubles_nothing,
    |world| {
        let first = blocked_at(world, "pub-1", "2098-05-01T02:00:00Z").await;
        // What keeps the house in order runs on threads of its own: let it be done before.
        once(&first, Some(&commanded(&first, KEEP, "")));
        assert_eq!(taken(&first).len(), 1);
        stand(&first, "2098-05-01T02:30:30Z").await;
        let calls = if first.is_postgres() {
            POSTGRES_CALLS
        } else {
            SQLITE_CALLS
        };
        let (mut before, mut after) = (0, 0);
        let prepare = || {
            let world = wait_for(first.again());
            let file = commanded(&world, KEEP, "").display().to_string();
            let command = world.govdeck("maya", &["agent", "--once", "--file", &file]);
            (world, command)
        };
        let points = kill_at_every(calls, prepare, |point, world, run| {
            wait_for(async {
                world.assert_sound().await;
                match world.rows(MARKS).len() {
                    0 => before += 1,
                    _ => after += 1,
                }
                if run.code == Some(0) {
                    assert_eq!(world.rows(MARKS), ["breach 1"], "{point:?}");
                }
                // Whoever comes next does the rest.
                expire(&world);
                let file = commanded(&world, KEEP, "");
                once(&world, Some(&file));
                assert_eq!(world.rows(MARKS), ["breach 1"], "{point:?}");
                assert_eq!(
                    world.rows(PAGES),
                    ["block_opened maya", "block_breached lee"],
                    "{point:?}"
                );
                let got = taken(&world);
                let keys: BTreeSet<&str> = got
                    .iter()
                    .filter_map(|it| it["idempotency_key"].as_str())
                    .collect();
                assert_eq!(keys.len(), 1, "{point:?}: {got:?}");
                assert!(got.len() <= 2, "{point:?}: {got:?}");
                let left = "SELECT COUNT(*) FROM notification_delivery WHERE state <> 'delivered'";
                assert_eq!(world.owner_sql(left), "0", "{point:?}");
                world.assert_sound().await;
            });
        });
        println!("{points} points of {calls}: {before} before, {after} after");
        assert!(before > 0 && after > 0, "both sides of the commit were hit");
    }
);

on_both!(two_agents_at_once_do_everything_once, |world| {
    let world = blocked_at(world, "pub-0", "2098-05-01T02:00:00Z").await;
    let file = commanded(&world, KEEP, "");
    once(&world, Some(&file));
    let file = file.display().to_string();
    let all = (rounds() / 10).clamp(3, 20);
    for round in 1..=all {
        // One more block is late by the clock of the database, whatever clocks the agents have.
        let hour = round + 2;
        block_at(
            &world,
            &format!("pub-{round}"),
            &format!("2098-05-01T{hour:02}:00:00Z"),
        )
        .await;
        stand(&world, &format!("2098-05-01T{hour:02}:30:01Z")).await;
        let words = ["agent", "--once", "--file", &file];
        std::thread::scope(|scope| {
            let agents: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| govdeck(&world, "maya", &words)))
                .collect();
            for agent in agents {
                let run = agent.join().expect("it ran");
                assert_eq!(run.code, Some(0), "{run:?}");
            }
        });
    }
    let twice = "SELECT event_class, l.target_id FROM notification_outbox o JOIN governance_ledger l ON l.seq = o.ledger_seq \
         GROUP BY event_class, l.target_id HAVING COUNT(*) > 1";
    assert_eq!(world.owner_sql(twice), "");
    let late = "SELECT COUNT(*) FROM block_sla_mark WHERE mark = 'breach'";
    assert_eq!(world.owner_sql(late), (all + 1).to_string());
    world.assert_sound().await;
});

/// Takes each message in one write, so that two at once do not mix.
const IN_ONE: &str = "message=$(cat); printf '%s\\n' \"$message\" >>taken";

on_both!(
    every_timed_event_happens_once_though_an_agent_dies,
    |world| {
        let world = blocked_at(world, "pub-0", "2098-05-01T02:00:00Z").await;
        let file = commanded(&world, IN_ONE, "");
        once(&world, Some(&file));
        let blocks = rounds();
        for number in 1..=blocks {
            block_at(&world, &format!("pub-{number}"), "2098-05-01T02:00:00Z").await;
        }
        // All of them are late at the same moment.
        stand(&world, "2098-05-01T02:30:01Z").await;
        let file = file.display().to_string();
        let start = || Running::start(world.govdeck("maya", &["agent", "--file", &file]));
        let mut agents = vec![start(), start()];
        let late = || {
            let sql = "SELECT COUNT(*) FROM block_sla_mark WHERE mark = 'breach'";
            world.owner_sql(sql).parse::<u32>().expect("a number")
        };
        until("some are marked", || late() > blocks / 4);
        let leads = world.owner_sql("SELECT host FROM agent_lease");
        let leads = |agent: &Running| leads.ends_with(&format!("process {}", agent.id()));
        let leader = agents.iter().position(leads).expect("one of them leads");
        agents.remove(leader).kill();
        expire(&world);
        until("all are marked", || late() == blocks + 1);
        let open = "SELECT COUNT(*) FROM notification_outbox WHERE delivered_at_utc IS NULL";
        until("all are delivered", || world.owner_sql(open) == "0");
        for agent in agents {
            assert_eq!(agent.stop(), Some(0));
        }
        let sent = world.rows("SELECT notification_id FROM notification_outbox");
        let taken = taken(&world);
        let keys = taken
            .iter()
            .map(|it| it["notification_id"].as_str().expect("a key"));
        let keys: BTreeSet<&str> = keys.collect();
        assert_eq!(keys, sent.iter().map(String::as_str).collect());
        // What was on its way when the agent died may come again, under the same key.
        let again = taken.len() - keys.len();
        println!(
            "{} messages of {} blocks, {again} twice",
            keys.len(),
            blocks + 1
        );
        let twice = "SELECT event_class, l.target_id FROM notification_outbox o JOIN governance_ledger l ON l.seq = o.ledger_seq \
         GROUP BY event_class, l.target_id HAVING COUNT(*) > 1";
        assert_eq!(world.owner_sql(twice), "");
        world.assert_sound().await;
    }
);

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_away_loses_nothing() {
    let world = World::postgres().await;
    world.register_footer().await;
    let file = commanded(&world, KEEP, "").display().to_string();
    let proxy = Proxy::start(&cluster().socket());
    let mut command = world.govdeck("maya", &["agent", "--file", &file]);
    command.env("GOVDECK_DSN", proxy.url("maya", world.database()));
    let agent = Running::start(command);
    world.block("pub-1").await;
    let written = |ways: &str| world.owner_sql(WAYS) == ways;
    until("the first message comes, and that is written down", || {
        written("1")
    });
    // Every connection breaks and none is taken; what happens meanwhile waits where it was written.
    proxy.refuse();
    proxy.cut();
    world.block("pub-2").await;
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(taken(&world).len(), 1);
    proxy.pass();
    until("the second one comes", || written("2"));
    assert_eq!(agent.stop(), Some(0));
    let subjects: Vec<String> = taken(&world)
        .iter()
        .map(|it| it["subject"].to_string())
        .collect();
    assert!(
        subjects[0].contains("pub-1") && subjects[1].contains("pub-2"),
        "{subjects:?}"
    );
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_hangs_holds_up_no_other() {
    let world = World::sqlite().await;
    world.register_footer().await;
    let file = commanded(&world, KEEP, "");
    let text = fs::read_to_string(&file).expect("ours").replace(
        "channels = [\"pager\"]",
        "channels = [\"hangs\", \"pager\"]",
    );
    let hangs = "[channel.hangs]\nkind = \"command\"\ncommand = [\"/bin/sleep\", \"600\"]\n";
    fs::write(&file, format!("{hangs}{text}")).expect("ours");
    let file = file.display().to_string();
    let agent = Running::start(world.govdeck("maya", &["agent", "--file", &file]));
    for run in ["pub-1", "pub-2", "pub-3"] {
        world.block(run).await;
    }
    until("all three come on the other", || taken(&world).len() == 3);
    assert_eq!(agent.stop(), Some(0));
    let states = world
        .rows("SELECT channel || ' ' || state FROM notification_delivery WHERE channel = 'hangs'");
    assert_eq!(states, ["hangs waiting", "hangs waiting", "hangs waiting"]);
}

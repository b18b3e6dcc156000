//! An hour whose step is killed at any call: begun again from another terminal, it is done; nothing is half written.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use govdeck::actions::Asked;
use govdeck::rules::migration::hour::Step;

use crate::support::command::{kill_at_a_share, kill_at_every, run};
use crate::support::hour_story::{attest, begin, start};
use crate::support::migration_story::{ID, ready, world};
use crate::support::rehearsal_story::Hall;
use crate::support::{REASON, World, on_both};

/// The calls by which a killed process could leave something half done.
const SQLITE_CALLS: &str = "pwrite64,fdatasync,unlink";
const POSTGRES_CALLS: &str = "sendto";

fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

/// Lets an exporter land what is frozen, and returns the governance root.
fn landed(world: &World) -> PathBuf {
    let root = world.home.folder().join("root");
    fs::create_dir_all(root.join("landed")).expect("the home is ours");
    fs::write(root.join("landed/annex.json"), r#"[{"breach_count": 3}]"#).expect("ours");
    root
}

/// Begins a step as maya, at a terminal, and does its work there.
fn beginning(world: &World, step: &str) -> Command {
    let words = [
        "hour",
        "begin",
        step,
        ID,
        "--confirm",
        ID,
        "--reason",
        REASON,
    ];
    let mut command = world.govdeck("maya", &words);
    command.env("GOVDECK_GOVERNANCE_ROOT", landed(world));
    command
}

fn golden(world: &World) -> String {
    world
        .rows("SELECT state || ' ' || attempt FROM cutover_step WHERE step = 'golden'")
        .concat()
}

/// How many names below the folder of goldens are whole.
fn frozen(world: &World) -> usize {
    let folder = world.home.folder().join("root/migrations").join(ID);
    let listed = fs::read_dir(folder.join("golden_before"));
    listed.map_or(0, |entries| {
        let names = entries.map(|entry| entry.expect("read").file_name());
        let whole = names.filter(|name| !name.to_string_lossy().contains(".part"));
        whole.count()
    })
}

async fn announced(w: World) -> World {
    let world = world(w).await;
    ready(&world).await;
    start(&world).await.expect("begun");
    let told = attest(&world, "maya", "announce", "done").await;
    told.expect("announced");
    world.set_time("2098-05-22T06:18:00Z").await;
    world
}

on_both!(a_step_that_was_killed_anywhere_is_begun_again, |w| {
    let first = announced(w).await;
    let calls = if first.is_postgres() {
        POSTGRES_CALLS
    } else {
        SQLITE_CALLS
    };
    let (mut untouched, mut running, mut done) = (0, 0, 0);
    let prepare = || {
        let world = wait_for(first.again());
        let command = beginning(&world, "golden");
        (world, command)
    };
    let points = kill_at_every(calls, prepare, |point, world, killed| {
        wait_for(world.assert_sound());
        match golden(&world).as_str() {
            "not_started 0" => untouched += 1,
            "running 1" => running += 1,
            "done 1" => {
                done += 1;
                return assert_eq!(frozen(&world), 2, "{point:?}");
            }
            other => panic!("{point:?} left {other}"),
        }
        assert!(killed.code != Some(0), "{point:?} said done");
        // Another terminal; the database alone says how far it is.
        let again = run(beginning(&world, "golden"));
        assert_eq!(again.code, Some(0), "{point:?}: {again:?}");
        assert!(golden(&world).starts_with("done "), "{point:?}");
        assert_eq!(frozen(&world), 2, "{point:?}");
        wait_for(world.assert_sound());
    });
    println!("{points} points of {calls}: {untouched} untouched, {running} running, {done} done");
    assert!(
        untouched > 0 && running > 0 && done > 0,
        "both commits were hit on both sides"
    );
});

/// How a step stands.
fn stands(world: &World, step: Step) -> String {
    world
        .rows(&format!(
            "SELECT state || ' ' || attempt FROM cutover_step WHERE step = '{step}'"
        ))
        .concat()
}

/// Brings an hour to just before a step, by what people and the program do in it; of the flip, to its second beginning.
async fn before(hall: &Hall, step: Step) {
    let world = &hall.world;
    for earlier in Step::ALL.iter().take_while(|it| **it != step) {
        // The hour begins with it.
        if *earlier == Step::Announce {
            continue;
        }
        if *earlier == Step::Golden {
            world.set_time("2098-05-22T06:30:00Z").await;
        }
        let ran = run(hall.beginning(earlier.word()));
        assert_eq!(ran.code, Some(0), "{earlier}: {ran:?}");
        if *earlier == Step::Flip {
            let moved = world.act("maya", "cutover", Asked::of(ID)).await;
            moved.expect("moved");
            let ran = run(hall.beginning("flip"));
            assert_eq!(ran.code, Some(0), "{ran:?}");
        }
    }
}

on_both!(whichever_step_is_killed_is_begun_again, |w| {
    let first = Hall::ready(w).await;
    start(&first.world).await.expect("begun");
    let calls = if first.world.is_postgres() {
        POSTGRES_CALLS
    } else {
        SQLITE_CALLS
    };
    let ran = run(first.beginning("announce"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for step in [Step::Golden, Step::Flip, Step::Purge, Step::Reconcile] {
        let ready = first.again().await;
        before(&ready, step).await;
        // The flip waits for a person once it is replayed.
        let ended = if step == Step::Flip {
            "running"
        } else {
            "done"
        };
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        let prepare = || {
            let hall = wait_for(ready.again());
            let command = hall.beginning(step.word());
            (hall, command)
        };
        let points = kill_at_a_share(12, calls, prepare, |point, hall, killed| {
            let world = &hall.world;
            wait_for(world.assert_sound());
            let left = stands(world, step);
            *seen.entry(left.clone()).or_default() += 1;
            let allowed = ["not_started 0", "running 1", "done 1"];
            assert!(allowed.contains(&&*left), "{step} {point:?} left {left}");
            if killed.was_killed() && left != "done 1" {
                // Another terminal; the database alone says how far it is.
                let again = run(hall.beginning(step.word()));
                assert_eq!(again.code, Some(0), "{step} {point:?}: {again:?}");
                let stands = stands(world, step);
                assert!(stands.starts_with(ended), "{step} {point:?}: {stands}");
                wait_for(world.assert_sound());
            }
        });
        println!("{step}: {points} points of {calls}: {seen:?}");
        assert!(seen.len() > 1, "{step}: {seen:?}");
    }
});

on_both!(
    two_terminals_that_begin_at_once_do_it_one_after_the_other,
    |w| {
        let world = announced(w).await;
        let (first, second) = tokio::join!(
            begin(&world, "maya", "golden"),
            begin(&world, "maya", "golden"),
        );
        let won = [&first, &second].iter().filter(|it| it.is_ok()).count();
        assert!(won >= 1, "{first:?} {second:?}");
        if won == 1 {
            let lost = first.and(second).expect_err("one lost");
            assert!(lost.contains("changed"), "{lost}");
        }
        assert_eq!(golden(&world), format!("running {won}"));
        world.assert_sound().await;
    }
);

on_both!(
    of_two_leads_who_take_an_hour_and_give_it_up_at_once_one_wins,
    |w| {
        let world = announced(w).await;
        let (taken, given_up) = tokio::join!(
            world.act("lee", "hand_over_hour", Asked::of(ID).with("to", "lee")),
            world.act("maya", "abort_hour", Asked::of(ID)),
        );
        let is_over = world.rows("SELECT status FROM cutover_hour").concat();
        assert_eq!(
            is_over == "aborted",
            given_up.is_ok(),
            "{taken:?} {given_up:?}"
        );
        assert!(taken.is_ok() || given_up.is_ok(), "{taken:?} {given_up:?}");
        world.assert_sound().await;
    }
);

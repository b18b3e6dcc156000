//! An hour whose step is killed at any call: begun again from another terminal, it is done; nothing is half written.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use govdeck::actions::Asked;
use govdeck::rules::migration::hour::Step;

use crate::support::cluster::{SUPERUSER, cluster};
use crate::support::command::{kill_at_a_share, run, wait_for};
use crate::support::hour_story::{attest, begin, start};
use crate::support::migration_story::{ID, ready, world};
use crate::support::rehearsal_story::Hall;
use crate::support::week_files::Files;
use crate::support::{World, on_both};

/// The calls by which a killed process could leave something half done.
const SQLITE_CALLS: &str = "pwrite64,fdatasync,unlink";
const POSTGRES_CALLS: &str = "sendto";

/// How many exports are whole below the folder of goldens.
fn frozen(world: &World) -> usize {
    let folder = Files::of(world).root.join("migrations").join(ID);
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

/// Kills a step at each of its calls, or at some of them, and begins it again from another terminal.
async fn killed_anywhere(world: World, step: Step) {
    let first = Hall::ready(world).await;
    start(&first.world).await.expect("begun");
    let calls = if first.world.is_postgres() {
        POSTGRES_CALLS
    } else {
        SQLITE_CALLS
    };
    let ran = run(first.beginning("announce"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    first.world.set_time("2098-05-22T06:30:00Z").await;
    before(&first, step).await;
    // The flip waits for a person once it is replayed.
    let ended = if step == Step::Flip {
        "running"
    } else {
        "done"
    };
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let prepare = || {
        let hall = wait_for(first.again());
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
            let whole = if step == Step::Golden {
                2
            } else {
                frozen(world)
            };
            assert_eq!(frozen(world), whole, "{step} {point:?}");
            wait_for(world.assert_sound());
        }
    });
    println!("{step}: {points} points of {calls}: {seen:?}");
    assert!(seen.len() > 1, "{step}: {seen:?}");
}

on_both!(a_killed_freezing_is_begun_again, |w| {
    killed_anywhere(w, Step::Golden).await;
});

on_both!(a_killed_flip_is_begun_again, |w| {
    killed_anywhere(w, Step::Flip).await;
});

on_both!(a_killed_purge_is_begun_again, |w| {
    killed_anywhere(w, Step::Purge).await;
});

on_both!(a_killed_comparison_is_begun_again, |w| {
    killed_anywhere(w, Step::Reconcile).await;
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
        assert_eq!(stands(&world, Step::Golden), format!("running {won}"));
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

/// Takes a database away from everybody: it lets nobody in, or somebody else holds the file.
enum Away {
    Server(String),
    File(Child),
}

impl Away {
    fn take(world: &World) -> Self {
        if world.is_postgres() {
            let name = world.rows("SELECT current_database()").concat();
            admits(&name, "false");
            Self::Server(name)
        } else {
            let path = world.dsn_text("maya");
            let mut shell = Command::new("sqlite3")
                .arg(path.trim_start_matches("sqlite:"))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("sqlite3 starts");
            let mut says = shell.stdin.as_ref().expect("piped");
            writeln!(says, ".timeout 10000\nBEGIN EXCLUSIVE; SELECT 'held';").expect("told");
            let mut heard = [0; 5];
            let out = shell.stdout.as_mut().expect("piped");
            out.read_exact(&mut heard).expect("it holds");
            Self::File(shell)
        }
    }

    fn give_back(self) {
        match self {
            Self::Server(name) => admits(&name, "true"),
            Self::File(mut shell) => {
                drop(shell.stdin.take());
                shell.wait().expect("it ends");
            }
        }
    }
}

fn admits(name: &str, whom: &str) {
    let sql = format!(
        "ALTER DATABASE {name} ALLOW_CONNECTIONS {whom}; \
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    );
    cluster().psql(SUPERUSER, SUPERUSER, &sql).expect("done");
}

on_both!(
    a_database_that_is_away_leaves_a_step_to_be_begun_again,
    |w| {
        let hall = Hall::ready(w).await;
        let world = &hall.world;
        start(world).await.expect("begun");
        let folder = world.home.folder();
        let (here, go) = (folder.join("here"), folder.join("go"));
        let slow = hall.program(
            "slow",
            &format!(
                "cat > /dev/null\ntouch {}\nwhile [ ! -e {} ]; do sleep 0.05; done",
                here.display(),
                go.display()
            ),
        );
        let mut working = hall.beginning("announce");
        working.env("GOVDECK_HOUR_COMMANDS", format!("announce={slow}"));
        let working = working.stdout(Stdio::piped()).stderr(Stdio::piped());
        let working = working.spawn().expect("it starts");
        while !here.exists() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let away = Away::take(world);
        fs::write(&go, "").expect("ours");
        let ended = working.wait_with_output().expect("it ends");
        assert_eq!(ended.status.code(), Some(3), "{ended:?}");
        away.give_back();
        assert_eq!(stands(world, Step::Announce), "running 2");
        let again = run(hall.beginning("announce"));
        assert_eq!(again.code, Some(0), "{again:?}");
        assert_eq!(stands(world, Step::Announce), "done 3");
        world.assert_sound().await;
    }
);

on_both!(a_clock_that_steps_ends_nothing_and_lets_nothing_pass, |w| {
    let hall = Hall::ready(w).await;
    let world = &hall.world;
    start(world).await.expect("begun");
    let ran = run(hall.beginning("announce"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    // Back by an hour: nobody has had time to hear of it.
    world.set_time("2098-05-22T05:00:00Z").await;
    let ran = run(hall.beginning("golden"));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("fifteen minutes"), "{ran:?}");
    // On by a day: it runs over, loudly, and what needs its window waits.
    world.set_time("2098-05-23T07:00:00Z").await;
    let shown = run(world.govdeck("lee", &["hour", "show"]));
    assert!(shown.stdout.contains("OVERRUN by"), "{shown:?}");
    for step in ["golden", "flip"] {
        let ran = run(hall.beginning(step));
        assert_eq!(ran.code, Some(0), "{step}: {ran:?}");
    }
    let why = world
        .act("maya", "cutover", Asked::of(ID))
        .await
        .unwrap_err();
    assert!(why.contains("D2"), "{why}");
    // The right time again: the flip is begun anew, since what was replayed then lies ahead.
    world.set_time("2098-05-22T06:30:00Z").await;
    let why = world
        .act("maya", "cutover", Asked::of(ID))
        .await
        .unwrap_err();
    assert!(why.contains("D1") || why.contains("G1"), "{why}");
    let given_up = world.act("lee", "abort_hour", Asked::of(ID)).await;
    given_up.expect("the way out is open whatever the clock says");
    world.assert_sound().await;
});

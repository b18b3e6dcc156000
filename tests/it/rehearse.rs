//! The hour of a cutover is rehearsed on a fork: what passes, what fails, what is not rehearsed, and that nothing of it
//! touches the deployment itself.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use govdeck::actions::ByRule;
use govdeck::rules::Verdict;
use govdeck::rules::migration::{EvidenceKind, Gate, Move, Phase, judge};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::cli_kit::{at, document, misused, refused, said, writes_nothing};
use crate::support::cluster::cluster;
use crate::support::command::run;
use crate::support::hour_story::register;
use crate::support::migration_story::{ID, found, known};
use crate::support::rehearsal_story::Hall;
use crate::support::weeks::by_rule;
use crate::support::{World, on_both};

const BACK: &str = "DROP INDEX roads_by_name;";

/// How gate D7 stands.
async fn gate(world: &World) -> Verdict {
    let store = world.store("maya").await;
    let now = store.view().await.expect("a view").now();
    store.close().await;
    let known = known(world).await;
    known
        .decide(now, |facts| judge(Gate::Rehearsed, facts, Phase::Cutover))
        .verdict
}

/// The deeds with how they ended.
fn deeds(receipt: &Value) -> Vec<String> {
    let deeds = receipt["deeds"].as_array().expect("a list").iter();
    let word = |deed: &Value, field: &str| deed[field].as_str().expect("a word").to_owned();
    deeds
        .map(|it| {
            format!(
                "{} {} {}",
                word(it, "step"),
                word(it, "deed"),
                word(it, "state")
            )
        })
        .collect()
}

on_both!(an_hour_is_rehearsed_with_its_way_back, |w| {
    let hall = Hall::new(w, BACK).await;
    assert_eq!(gate(&hall.world).await, Verdict::CannotTell);
    let (before, entries) = (hall.stands(), hall.entries());
    let ran = hall.rehearse(&["--json"]);
    let json = document(&ran, 0, "rehearse");
    let receipt = &json["receipt"];
    assert_eq!(json["verdict"], "pass", "{json}");
    assert_eq!(receipt["schema"], "govdeck.rehearsal-receipt.v1");
    assert_eq!(
        deeds(receipt),
        [
            "announce outside not_rehearsed",
            "golden freeze done",
            "flip replay done",
            "flip phase done",
            "flip outside done",
            "purge outside not_rehearsed",
            "reconcile compare done",
            "complete sign_off not_rehearsed",
            "complete phase done",
            "note write not_rehearsed",
        ],
        "{json}"
    );
    let back = &receipt["taken_back"][0];
    assert_eq!(
        (&back["state"], &back["before"]),
        (&"done".into(), &back["after"]),
        "{back}"
    );
    // Everything that was done was broken first, and begun again.
    let done = receipt["deeds"].as_array().expect("a list").iter();
    let mut done = done.filter(|it| it["state"] == "done").chain([back]);
    assert!(done.all(|it| it["fault"]["then"] == "failed"), "{json}");
    let gates = receipt["gates"].as_array().expect("a list");
    assert!(
        gates
            .iter()
            .any(|it| it["gate"] == "D7" && it["verdict"] == "cannot_tell"),
        "{json}"
    );
    // The deployment itself has one entry more, and is as it was.
    assert_eq!((hall.stands(), hall.entries()), (before, entries + 1));
    assert_eq!(
        hall.world
            .rows("SELECT action FROM governance_ledger ORDER BY seq DESC LIMIT 1"),
        ["record_rehearsal"]
    );
    hall.world.owner_sql("DROP INDEX roads_by_name");
    assert!(!hall.purged().exists(), "the real command was run");
    assert!(
        !hall.root.join("migrations").exists(),
        "the hour's own files were written"
    );
    assert_eq!(hall.left(), Vec::<String>::new());
    assert_eq!(gate(&hall.world).await, Verdict::Pass);
    hall.world.assert_sound().await;
    // Another plan was not rehearsed.
    let mut other = Hall::plan();
    other["purge"] = serde_json::json!({"attest": "annex fragments are gone"});
    register(&hall.world, &other).await.expect("registered");
    assert_eq!(gate(&hall.world).await, Verdict::CannotTell);
});

on_both!(a_bundle_that_does_not_lead_back_fails, |w| {
    let hall = Hall::new(w, "CREATE INDEX roads_again ON roads (name);").await;
    let before = hall.stands();
    let ran = hall.rehearse(&["--without-faults"]);
    let text = said(&ran, 1);
    assert!(text.contains("did not lead back"), "{text}");
    assert!(!text.contains("fault:"), "{text}");
    assert_eq!(hall.stands(), before);
    assert_eq!(gate(&hall.world).await, Verdict::Fail);
    assert_eq!(hall.left(), Vec::<String>::new());
});

on_both!(a_step_that_fails_fails_the_rehearsal, |w| {
    let hall = Hall::new(w, BACK).await;
    fs::write(
        hall.root.join("leadership.csv"),
        "metric,breaches\nMET-0144,4\n",
    )
    .expect("written");
    let ran = hall.rehearse(&["--json", "--without-faults"]);
    let json = document(&ran, 1, "rehearse");
    let deeds = deeds(&json["receipt"]);
    assert_eq!(deeds[2], "flip replay failed", "{json}");
    assert_eq!(deeds[3], "flip phase not_rehearsed", "{json}");
    // The way back is gone all the same.
    assert_eq!(json["receipt"]["taken_back"][0]["state"], "done", "{json}");
});

on_both!(where_nothing_is_taken_back_nothing_can_be_told, |w| {
    let hall = Hall::new(w, BACK).await;
    let mut plan = Hall::plan();
    plan["bundles"] = serde_json::json!([]);
    register(&hall.world, &plan).await.expect("registered");
    let ran = hall.rehearse(&["--without-faults"]);
    let text = said(&ran, 3);
    assert!(text.contains("the plan names no bundle"), "{text}");
    assert_eq!(gate(&hall.world).await, Verdict::CannotTell);
    let unknown = hall.rehearse(&["mig-nothing"]);
    assert_ne!(unknown.code, Some(0));
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_goes_where_nothing_else_is() {
    let hall = Hall::new(World::postgres().await, BACK).await;
    let entries = hall.entries();
    let at = |dsn: Option<String>| {
        let mut command = hall.rehearsing("true", &[]);
        match dsn {
            Some(dsn) => command.env("GOVDECK_REHEARSAL_DSN", dsn),
            None => command.env_remove("GOVDECK_REHEARSAL_DSN"),
        };
        refused(&run(command), 3)
    };
    let (sentence, hint) = at(None);
    assert!(sentence.contains("nowhere to rehearse"), "{sentence}");
    assert!(hint.contains("rehearsal_dsn"), "{hint}");
    let (sentence, _) = at(Some(hall.world.dsn_text("maya")));
    assert!(sentence.contains("the deployment itself"), "{sentence}");
    let name = hall.rehearsal.as_ref().expect("on a server");
    let theirs = "CREATE TABLE somebody (name TEXT); INSERT INTO somebody VALUES ('ana')";
    cluster().psql("maya", name, theirs).expect("made");
    let (sentence, _) = at(hall.rehearsal_dsn());
    assert!(sentence.contains("no fork of a rehearsal"), "{sentence}");
    let kept = cluster().psql("maya", name, "SELECT name FROM somebody");
    assert_eq!(kept.expect("it is there"), "ana");
    assert_eq!(hall.entries(), entries);
    assert_eq!(fs::read_dir(hall.temporary()).expect("there").count(), 0);
    // What a rehearsal left is removed, whatever it is.
    let left = "CREATE SCHEMA govdeck_fork; CREATE TABLE counted (id INTEGER GENERATED ALWAYS AS IDENTITY, other SERIAL); \
         CREATE TYPE pair AS (one INTEGER, other INTEGER); CREATE TYPE span AS RANGE (subtype = integer)";
    cluster().psql("maya", name, left).expect("made");
    let ran = hall.rehearse(&["--without-faults"]);
    assert!(said(&ran, 0).contains("pass"), "{ran:?}");
    assert_eq!(hall.left(), Vec::<String>::new());
}

/// Begins a rehearsal and waits until it is in the middle of its deployment.
fn in_the_middle(hall: &Hall) -> Child {
    let here = hall.world.home.folder().join("here");
    let _ = fs::remove_file(&here);
    let deploy = hall.program("slow", &format!("echo $$ > {}\nsleep 2", here.display()));
    let mut command = hall.rehearsing(&deploy, &["--without-faults"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("it starts");
    let begun = Instant::now();
    let is_there = || fs::read_to_string(&here).is_ok_and(|text| text.ends_with('\n'));
    while !is_there() {
        assert!(
            begun.elapsed() < Duration::from_mins(2),
            "it never came to its deployment"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

fn signalled(mut child: Child, signal: Signal) -> Option<i32> {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("process numbers are small"));
    kill(pid, signal).expect("it is ours");
    child.wait().expect("it ends").code()
}

on_both!(
    a_rehearsal_that_is_killed_leaves_nothing_that_is_worked_on,
    |w| {
        let hall = Hall::new(w, BACK).await;
        let (before, entries) = (hall.stands(), hall.entries());
        // Told to end, it takes its fork away.
        assert_eq!(signalled(in_the_middle(&hall), Signal::SIGTERM), Some(3));
        // What it ran has ended with it.
        let ran = fs::read_to_string(hall.world.home.folder().join("here")).expect("there");
        let ran = Pid::from_raw(ran.trim().parse().expect("a number"));
        kill(ran, None).expect_err("it is gone");
        assert_eq!(hall.left(), Vec::<String>::new());
        assert_eq!((hall.stands(), hall.entries()), (before.clone(), entries));
        assert_eq!(signalled(in_the_middle(&hall), Signal::SIGKILL), None);
        assert!(!hall.left().is_empty());
        assert_eq!((hall.stands(), hall.entries()), (before, entries));
        hall.world.assert_sound().await;
        // What it left is a fork, and nobody works on that by mistake.
        let fork = hall.rehearsal_dsn().unwrap_or_else(|| {
            let folder = fs::read_dir(hall.temporary()).expect("there").next();
            let folder = folder.expect("one is left").expect("an entry").path();
            format!("sqlite:{}", folder.join("fork.db").display())
        });
        for words in [&["status"][..], &["init"], &["rehearse", ID]] {
            let (sentence, _) = refused(&at(&hall.world.home, &fork, words), 3);
            assert!(
                sentence.contains("the fork of a rehearsal"),
                "{words:?}: {sentence}"
            );
        }
        let ran = hall.rehearse(&["--without-faults"]);
        assert!(said(&ran, 0).contains("pass"), "{ran:?}");
        assert_eq!(hall.left(), Vec::<String>::new());
        assert_eq!(gate(&hall.world).await, Verdict::Pass);
    }
);

on_both!(only_a_rehearsal_does_what_it_does, |w| {
    let hall = Hall::new(w, BACK).await;
    let world = &hall.world;
    let rule = ByRule::RehearseMove {
        migration: ID.to_owned(),
        to: Move::Cutover,
    };
    let why = by_rule(world, "maya", rule).await.unwrap_err();
    assert!(why.contains("on_a_fork"), "{why}");
    let forked = "UPDATE deployment SET environment = 'rehearsal', version = version + 1";
    world
        .sql_as("maya", forked)
        .expect_err("a wall stands there");
    let init = ["init", "--environment", "rehearsal"];
    misused(&writes_nothing(world, "maya", &init));
    // A verdict without a receipt is no evidence, and one of another plan neither.
    assert_eq!(gate(world).await, Verdict::CannotTell);
    found(world, EvidenceKind::Rehearsal, Verdict::Fail)
        .await
        .expect("recorded");
    assert_eq!(gate(world).await, Verdict::Fail);
    let sql = "UPDATE migration_evidence SET verdict = 'pass' WHERE gate = 'D7'";
    world.sql_as("maya", sql).expect_err("a wall stands there");
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_password_reaches_the_programs_that_fill_a_fork() {
    const CANARY: &str = "Kanarienvogel";
    let hall = Hall::new(World::postgres().await, BACK).await;
    let secret = |dsn: &str| dsn.replacen("maya@", &format!("maya:{CANARY}@"), 1);
    let rehearsing = hall.rehearsing("true", &["--without-faults"]);
    let mut strace: Command = hall.world.home.command(Path::new("strace"));
    strace.args([
        "-f",
        "-qq",
        "-v",
        "-s",
        "9999",
        "-e",
        "trace=execve,execveat",
        "-e",
        "signal=none",
        "-o",
        "calls",
        "--",
    ]);
    strace
        .arg(rehearsing.get_program())
        .args(rehearsing.get_args());
    for (name, value) in rehearsing.get_envs() {
        strace.env(name, value.expect("set"));
    }
    let dsn = secret(&hall.world.dsn_text("maya"));
    assert!(dsn.contains(CANARY));
    let ran = run({
        strace.env_remove("GOVDECK_DSN");
        let config = hall.world.home.folder().join("config/govdeck");
        fs::create_dir_all(&config).expect("made");
        let rehearsal = secret(&hall.rehearsal_dsn().expect("on a server"));
        let text = format!("dsn = \"{dsn}\"\nrehearsal_dsn = \"{rehearsal}\"\n");
        fs::write(config.join("config.toml"), text).expect("written");
        strace.env_remove("GOVDECK_REHEARSAL_DSN");
        strace
    });
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let calls = fs::read_to_string(hall.world.home.folder().join("calls")).expect("a log");
    assert!(
        calls.contains("pg_dump") && calls.contains("pg_restore"),
        "{calls}"
    );
    assert!(!calls.contains(CANARY) && !(ran.stdout + &ran.stderr).contains(CANARY));
}

//! What the steps of an hour do outside: commands of the settings, whose words are kept and whose faults are said.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::cli_kit::{document, govdeck, refused, said};
use crate::support::command::{Run, run, run_within};
use crate::support::hour_story::{plan, register, start};
use crate::support::migration_story::{ID, found, ready, world};
use crate::support::{REASON, World, is_long, on_both};

/// Writes a script, and returns the setting that names it.
fn script(world: &World, text: &str) -> String {
    let path: PathBuf = world.home.folder().join("announce.sh");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("the home is ours");
    let all = fs::Permissions::from_mode(0o700);
    fs::set_permissions(&path, all).expect("ours");
    format!("other=/bin/true, announce-lock={}", path.display())
}

/// Begins the first step anew, with such a command.
fn announce(world: &World, commands: &str) -> Run {
    run(announcing(world, commands))
}

fn announcing(world: &World, commands: &str) -> Command {
    let words = [
        "hour",
        "begin",
        "announce",
        ID,
        "--json",
        "--confirm",
        ID,
        "--reason",
        REASON,
    ];
    let mut command = world.govdeck("maya", &words);
    command.env("GOVDECK_HOUR_COMMANDS", commands);
    command.env("NIGHT_CANARY", "canary-of-the-night");
    command
}

/// An hour whose lock is announced by a command.
async fn locked(w: World) -> World {
    let world = world(w).await;
    ready(&world).await;
    let mut plan = plan();
    plan["announce"] = json!({"command": "announce-lock", "minutes": 1});
    register(&world, &plan).await.expect("registered");
    // Another plan is another rehearsal.
    let rehearsed = govdeck::rules::migration::EvidenceKind::Rehearsal;
    found(&world, rehearsed, govdeck::rules::Verdict::Pass)
        .await
        .expect("recorded");
    start(&world).await.expect("begun");
    world
}

fn evidence(world: &World, run: &Run) -> Value {
    let json: Value = serde_json::from_str(&run.stdout).expect("a document");
    let sha256 = json["step"]["evidence_sha256"].as_str().expect("a hash");
    let words = ["artifact", "get", sha256, "--out", "step.json"];
    said(&govdeck(world, "maya", &words), 0);
    let path = world.home.folder().join("step.json");
    let bytes = fs::read(&path).expect("written");
    fs::remove_file(path).expect("ours");
    serde_json::from_slice(&bytes).expect("JSON")
}

on_both!(
    what_a_command_says_is_kept_and_what_it_does_wrong_is_said,
    |w| {
        let world = locked(w).await;
        // Nobody here named it.
        let run = announce(&world, "other=/bin/true");
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.stdout.contains("name no command"), "{run:?}");
        // It fails.
        let run = announce(
            &world,
            &script(&world, "echo partly; echo 'no such room' >&2; exit 7"),
        );
        assert_eq!(run.code, Some(1), "{run:?}");
        let json = document(
            &Run {
                code: Some(1),
                ..run
            },
            1,
            "hour-step",
        );
        assert_eq!(json["step"]["state"], "failed");
        let detail = json["step"]["detail"].as_str().expect("a text");
        assert_eq!(detail, "announce-lock ended with 7: no such room");
        // Its words are hostile, and many more than are kept.
        let hostile = "printf 'a\\033[31mb\\n'; head -c 100000000 /dev/zero | tr '\\0' 'x'; echo";
        let run = announce(&world, &script(&world, hostile));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(!run.stdout.contains('\u{1b}'));
        let kept = evidence(&world, &run);
        assert_eq!(kept["found"]["stdout_is_whole"], false);
        assert_eq!(
            kept["found"]["stdout"].as_str().expect("a text").len(),
            256 * 1024
        );
        world.assert_sound().await;
    }
);

on_both!(a_command_sees_what_it_needs_and_nothing_else, |w| {
    let world = locked(w).await;
    let run = announce(&world, &script(&world, "cat; echo; env; echo late >&2"));
    assert_eq!(run.code, Some(0), "{run:?}");
    let kept = evidence(&world, &run);
    assert_eq!(kept["state"], "done_with_warning");
    let stdout = kept["found"]["stdout"].as_str().expect("a text");
    assert!(!stdout.contains("canary"), "{stdout}");
    assert!(!stdout.contains("GOVDECK"), "{stdout}");
    let (first, _) = stdout.split_once('\n').expect("lines");
    let asked: Value = serde_json::from_str(first).expect("one document");
    assert_eq!(
        asked,
        json!({
            "schema": "govdeck.hour-command.v1", "migration_id": ID, "from_semver": "2.4.0",
            "to_semver": "2.4.1", "step": "announce", "attempt": 2,
        })
    );
    world.assert_sound().await;
});

on_both!(what_looks_like_a_secret_is_not_kept, |w| {
    let world = locked(w).await;
    let says = "echo 'postgres://lee:Kanarienvogel7@db/edge'; echo 'token=Kanarienvogel7xyzzy' >&2";
    let run = announce(&world, &script(&world, says));
    assert_eq!(run.code, Some(0), "{run:?}");
    let kept = evidence(&world, &run);
    for stream in ["stdout", "stderr"] {
        assert_eq!(kept["found"][stream], "withheld: it looks like a secret");
    }
    assert!(!kept.to_string().contains("Kanarienvogel"));
    assert!(!run.stdout.contains("Kanarienvogel"), "{}", run.stdout);
    world.assert_sound().await;
});

/// Does the work of the step that is begun, as somebody.
fn work(world: &World, who: &str, commands: &str) -> Run {
    let mut command = world.govdeck(who, &["hour", "work", "--json"]);
    command.env("GOVDECK_HOUR_COMMANDS", commands);
    run(command)
}

on_both!(a_step_that_was_begun_is_worked_by_who_leads_it, |w| {
    let world = locked(w).await;
    // Beginning the hour began its first step, and nobody has worked on it yet.
    let commands = script(&world, "echo told");
    // In a file everybody is whoever the system says.
    if world.is_postgres() {
        let (sentence, _) = refused(&work(&world, "lee", &commands), 1);
        assert!(sentence.contains("maya leads the hour"), "{sentence}");
    }
    let ran = work(&world, "maya", &commands);
    let json = document(&ran, 0, "hour-step");
    assert_eq!(json["step"]["state"], "done");
    assert_eq!(json["step"]["attempt"], 1);
    let (sentence, _) = refused(&work(&world, "maya", &commands), 1);
    assert!(sentence.contains("no step is begun"), "{sentence}");
    world.assert_sound().await;
});

on_both!(
    one_process_works_on_a_step_and_takes_its_command_along,
    |w| {
        let world = locked(w).await;
        let here = world.home.folder().join("here");
        let slow = script(&world, &format!("echo $$ > {}; sleep 60", here.display()));
        let mut first = world.govdeck("maya", &["hour", "work"]);
        first.env("GOVDECK_HOUR_COMMANDS", &slow);
        let mut first = first.spawn().expect("it starts");
        let pid = wait_for(&here);
        let (sentence, _) = refused(&work(&world, "maya", &slow), 1);
        assert!(sentence.contains("somebody is at work"), "{sentence}");
        let govdeck = Pid::from_raw(i32::try_from(first.id()).expect("small"));
        kill(govdeck, Signal::SIGINT).expect("it is ours");
        assert_eq!(first.wait().expect("it ends").code(), Some(3));
        kill(Pid::from_raw(pid), None).expect_err("its command ended with it");
        // The step is still begun: it is begun again, from another terminal.
        let run = announce(&world, &script(&world, "echo told"));
        assert_eq!(run.code, Some(0), "{run:?}");
        let states =
            world.rows("SELECT state || ' ' || attempt FROM cutover_step WHERE step = 'announce'");
        assert_eq!(states, ["done 2"]);
        world.assert_sound().await;
    }
);

/// Waits for a file with a number in it.
fn wait_for(path: &Path) -> i32 {
    let begun = Instant::now();
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        if let Some(number) = text.strip_suffix('\n') {
            return number.parse().expect("a number");
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "it never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

on_both!(a_command_that_hangs_is_killed_and_said, |w| {
    // It takes its whole minute, so only the long run waits for it.
    if !is_long() {
        return;
    }
    let world = locked(w).await;
    let command = announcing(&world, &script(&world, "sleep 600"));
    let run = run_within(Duration::from_mins(3), command);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.stdout.contains("did not end within 1 minutes"),
        "{run:?}"
    );
    world.assert_sound().await;
});

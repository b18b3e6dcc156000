//! What the steps of an hour do outside: commands of the settings, whose words are kept and whose faults are said.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli_kit::{document, govdeck, said};
use crate::support::command::{Run, run};
use crate::support::hour_story::{plan, register, start};
use crate::support::migration_story::{ID, found, ready, world};
use crate::support::{REASON, World, on_both};

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
    run(command)
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

on_both!(a_command_that_hangs_is_killed_and_said, |w| {
    // It takes its whole minute, so only the long run waits for it.
    if crate::support::rounds() < 1_000 {
        return;
    }
    let world = locked(w).await;
    let run = announce(&world, &script(&world, "sleep 600"));
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.stdout.contains("did not end within 1 minutes"),
        "{run:?}"
    );
    world.assert_sound().await;
});

//! Messages on their ways out: at least once, under one key, tried again while that may help, and dead where it cannot.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::agent::{once, told};
use crate::cli_kit::{document, govdeck, refused, said};
use crate::support::{World, on_both};

/// A command that does with each message what a script says, and the agent's file that sends everything there.
pub fn commanded(world: &World, script: &str, more: &str) -> PathBuf {
    let folder = world.home.folder();
    let path = folder.join("take.sh");
    fs::write(
        &path,
        format!("cd '{}' || exit 9\n{script}\n", folder.display()),
    )
    .expect("ours");
    let text = format!(
        "{more}\n[channel.pager]\nkind = \"command\"\ncommand = [\"/bin/sh\", \"{}\"]\n\
         [[route]]\nevents = [\"*\"]\nchannels = [\"pager\"]\n",
        path.display()
    );
    told(world, &text)
}

/// The documents that the command took, in the order in which it did.
pub fn taken(world: &World) -> Vec<Value> {
    let text = fs::read_to_string(world.home.folder().join("taken")).unwrap_or_default();
    let read = |line: &str| serde_json::from_str(line).expect("one JSON document a line");
    text.lines().map(read).collect()
}

/// Keeps what comes.
pub const KEEP: &str = "cat >>taken; echo >>taken";

const WAYS: &str = "SELECT channel || ' ' || state || ' ' || attempts FROM notification_delivery ORDER BY notification_id, channel";

on_both!(a_command_gets_each_message_once_and_nothing_else, |world| {
    let script = format!("{KEEP}; env | cut -d= -f1 | sort >seen; echo \"$#\" >>seen");
    let file = commanded(&world, &script, "");
    world.register_footer().await;
    world.block("pub-1").await;
    let did = once(&world, Some(&file));
    assert_eq!((&did["delivered"], &did["failed"]), (&1.into(), &0.into()));
    let [got] = &taken(&world)[..] else {
        panic!("{:?}", taken(&world));
    };
    assert_eq!(got["schema"], "govdeck.notification.v1");
    assert_eq!(
        (&got["event"], &got["recipient"]),
        (&"block_opened".into(), &"maya".into())
    );
    let text = got["text"].as_str().expect("a text");
    assert!(
        text.ends_with("Take it with: govdeck act take-block pub-1"),
        "{text}"
    );
    assert_eq!(got["drill"], false);
    // No shell but the one that was asked for, no words, and nothing of our environment: no DSN above all.
    let seen = fs::read_to_string(world.home.folder().join("seen")).expect("it wrote");
    assert!(
        !seen.contains("GOVDECK") && !seen.contains("HOME"),
        "{seen}"
    );
    assert!(seen.ends_with("\n0\n"), "{seen}");
    assert_eq!(once(&world, Some(&file))["delivered"], 0);
    assert_eq!(taken(&world).len(), 1);
    assert_eq!(world.rows(WAYS), ["pager delivered 1"]);
    let waits = "SELECT COUNT(*) FROM notification_outbox WHERE delivered_at_utc IS NULL";
    assert_eq!(world.owner_sql(waits), "0");
    world.assert_sound().await;
});

on_both!(
    what_is_refused_for_good_is_dead_until_somebody_says_otherwise,
    |world| {
        let file = commanded(&world, "echo 'no such person' >&2; exit 67", "");
        world.register_footer().await;
        world.block("pub-1").await;
        assert_eq!(once(&world, Some(&file))["failed"], 1);
        assert_eq!(world.rows(WAYS), ["pager dead 1"]);
        let listed = govdeck(&world, "maya", &["outbox", "list", "--state", "dead"]);
        let listed = said(&listed, 0).to_owned();
        assert!(
            listed.starts_with("0 ways are tried, 1 are dead"),
            "{listed}"
        );
        assert!(listed.contains("to maya: publish block pub-1"), "{listed}");
        let id = listed
            .lines()
            .nth(1)
            .and_then(|line| line.split(' ').next())
            .expect("an id");
        let shown = govdeck(&world, "maya", &["outbox", "show", id]);
        assert!(said(&shown, 0).contains("no such person"), "{shown:?}");
        // A second look sends nothing; a person who has put it right says so.
        assert_eq!(once(&world, Some(&file))["failed"], 0);
        let file = commanded(&world, KEEP, "");
        assert_eq!(
            said(&govdeck(&world, "maya", &["outbox", "retry", id]), 0),
            "1 ways are tried anew\n"
        );
        assert_eq!(once(&world, Some(&file))["delivered"], 1);
        assert_eq!(world.rows(WAYS), ["pager delivered 2"]);
        let nothing = govdeck(&world, "maya", &["outbox", "retry", "--all"]);
        assert_eq!(said(&nothing, 1), "nothing there is dead\n");
        refused(&govdeck(&world, "maya", &["outbox", "show", "zz"]), 3);
    }
);

on_both!(
    what_may_be_taken_later_is_tried_again_after_a_pause,
    |world| {
        let file = commanded(&world, "exit 75", "");
        world.register_footer().await;
        world.block("pub-1").await;
        assert_eq!(once(&world, Some(&file))["failed"], 1);
        assert_eq!(world.rows(WAYS), ["pager waiting 1"]);
        // Not yet: the pause has only begun.
        assert_eq!(once(&world, Some(&file))["failed"], 0);
        world.owner_sql("UPDATE notification_delivery SET next_try_utc = routed_at_utc");
        let file = commanded(&world, KEEP, "");
        assert_eq!(once(&world, Some(&file))["delivered"], 1);
        assert_eq!(taken(&world).len(), 1);
    }
);

on_both!(
    a_command_that_hangs_is_cut_off_with_all_that_it_started,
    |world| {
        let file = commanded(&world, "sleep 600 & echo $! >child; sleep 600", "");
        let text = fs::read_to_string(&file).expect("ours");
        fs::write(
            &file,
            text.replace(
                "kind = \"command\"",
                "kind = \"command\"\ntimeout_seconds = 1",
            ),
        )
        .expect("ours");
        world.register_footer().await;
        world.block("pub-1").await;
        assert_eq!(once(&world, Some(&file))["failed"], 1);
        let error = world.owner_sql("SELECT last_error FROM notification_delivery");
        assert_eq!(error, "no answer within 1 seconds");
        let child = fs::read_to_string(world.home.folder().join("child")).expect("it wrote");
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z "), "{stat}");
    }
);

on_both!(a_drill_pages_nobody_unless_it_is_asked_for, |world| {
    world.register_footer().await;
    let drill = govdeck(&world, "maya", &["drill", "premint"]);
    said(&drill, 0);
    let file = commanded(&world, KEEP, "");
    assert_eq!(once(&world, Some(&file))["delivered"], 0);
    assert_eq!(world.rows(WAYS), ["pager quiet 0", "pager quiet 0"]);
    said(&govdeck(&world, "maya", &["drill", "premint"]), 0);
    let text = fs::read_to_string(&file).expect("ours") + "drills = true\n";
    fs::write(&file, text).expect("ours");
    assert_eq!(once(&world, Some(&file))["delivered"], 2);
    for got in taken(&world) {
        assert_eq!(got["drill"], true);
        assert!(
            got["subject"]
                .as_str()
                .is_some_and(|it| it.starts_with("DRILL ")),
            "{got}"
        );
    }
});

on_both!(
    the_first_agent_does_not_send_what_is_older_than_a_day,
    |world| {
        world.register_footer().await;
        world.block("pub-1").await;
        let old = if world.is_postgres() {
            "created_at_utc - INTERVAL '25 hours'".to_owned()
        } else {
            "'2020-01-01T00:00:00.000000Z'".to_owned()
        };
        world.tamper(
            "notification_outbox",
            &format!("UPDATE notification_outbox SET created_at_utc = {old}"),
        );
        world.block("pub-2").await;
        let file = commanded(&world, KEEP, "");
        assert_eq!(once(&world, Some(&file))["delivered"], 1);
        assert_eq!(
            taken(&world)[0]["subject"],
            "publish block pub-2: tuple_drift"
        );
        let quiet = "SELECT COUNT(*) FROM notification_delivery WHERE state = 'quiet'";
        assert_eq!(world.owner_sql(quiet), "1");
    }
);

on_both!(
    a_message_without_a_route_is_written_down_and_sent_nowhere,
    |world| {
        world.register_footer().await;
        world.block("pub-1").await;
        let did = once(&world, None);
        assert_eq!(did["delivered"], 0);
        assert_eq!(world.rows(WAYS), ["(none) quiet 0"]);
        let run = govdeck(&world, "maya", &["outbox", "list", "--json"]);
        let listed = document(&run, 0, "outbox-list");
        assert_eq!(listed["depth"]["unrouted"], 0);
        assert_eq!(listed["messages"][0]["state"], "quiet");
    }
);

#[tokio::test(flavor = "multi_thread")]
async fn what_a_channel_cannot_be_is_said_before_anything_is_done() {
    let world = World::sqlite().await;
    let key = world.home.folder().join("key");
    let hook = format!(
        "[channel.hook]\nkind = \"webhook\"\nurl = \"https://hooks.example/\"\nsecret_file = \"{}\"\n",
        key.display()
    );
    let file = told(&world, &hook);
    let file = file.display().to_string();
    let check = ["agent", "--check", "--file", &file];
    let (sentence, _) = refused(&govdeck(&world, "maya", &check), 2);
    assert!(
        sentence.contains("the channel \"hook\"") && sentence.contains("cannot be read"),
        "{sentence}"
    );
    fs::write(&key, "hunter2-canary\n").expect("ours");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("ours");
    let (sentence, hint) = refused(&govdeck(&world, "maya", &check), 2);
    assert!(sentence.contains("everybody may read"), "{sentence}");
    assert!(hint.starts_with("chmod o= "), "{hint}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("ours");
    let checked = govdeck(&world, "maya", &check);
    assert_eq!(
        said(&checked, 0),
        "1 channels, 0 routes\n  channel hook\n  job sweep-bundles\n  job drop-leaves\n"
    );
    let missing = ["agent", "--file", "/no/such/file.toml"];
    refused(&govdeck(&world, "maya", &missing), 2);
}

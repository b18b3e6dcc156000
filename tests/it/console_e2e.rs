//! The console from its first frame to a row in the database, by keys in a pseudo-terminal.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::{Signal, killpg};

use crate::console_kit::{
    arm, begin, console, entries, fill, look, newest_reason, open, opened, taken_by, to_blocks,
};
use crate::support::terminal::Terminal;
use crate::support::{World, on_both};

on_both!(a_block_is_taken_by_keys, |world| {
    world.block("r-1").await;
    let mut terminal = open(&world, "maya");
    for useful in [" PROD ", " READ-ONLY ", "gov-test", "1 open", "r-1"] {
        terminal.wait_for(useful);
    }
    let before = entries(&world);
    to_blocks(&terminal, "r-1");
    begin(&terminal, 't', "TAKE-BLOCK");
    assert_eq!(taken_by(&world, "r-1"), "-", "a dialog writes nothing");
    terminal.type_keys("y");
    terminal.wait_for("DONE: ledger entry");
    assert_eq!(taken_by(&world, "r-1"), "maya");
    assert_eq!(entries(&world), before + 1);
    terminal.type_keys("esc");
    terminal.wait_gone("DONE: ledger entry");
    terminal.type_keys("q q");
    terminal.wait_for("Leave govdeck?");
    terminal.type_keys("y");
    assert_eq!(terminal.exit_code(), 0);
    world.assert_sound().await;
});

on_both!(
    a_weightier_action_takes_arming_a_reason_and_its_id,
    |world| {
        let terminal = open(&world, "maya");
        terminal.type_keys("4 a");
        let refused = terminal.wait_for("What you can do here");
        assert!(refused.contains("this console is read-only"), "{refused}");
        terminal.type_keys("esc");
        arm(&terminal);
        fill(&terminal, 'f', "REGISTER-FOOTER", "v2.4.0");
        let before = entries(&world);
        terminal.type_text("", "the partners moved to it");
        terminal.type_keys("tab");
        let asked = terminal.wait_for("to allow: ");
        let phrase = asked
            .split_once("Type  ")
            .and_then(|(_, rest)| rest.split_once("  to allow: "))
            .map(|(phrase, _)| phrase.to_owned())
            .expect("the phrase is shown");
        // A wrong id keeps the way on closed.
        terminal.type_text("to allow: ", "x");
        terminal.type_keys("tab");
        terminal.wait_for("[ register-footer ]");
        look();
        terminal.type_keys("space");
        terminal.wait_for("locked until the text matches");
        terminal.type_keys("backtab backspace");
        terminal.type_text("to allow: ", &phrase);
        terminal.type_keys("tab");
        terminal.wait_for("[ register-footer ]");
        look();
        terminal.type_keys("enter");
        terminal.wait_for("enter does nothing here");
        assert_eq!(entries(&world), before, "only the space bar presses");
        look();
        terminal.type_keys("space");
        terminal.wait_for("DONE: ledger entry");
        assert_eq!(entries(&world), before + 1);
        assert_eq!(newest_reason(&world), "the partners moved to it");
        world.assert_sound().await;
    }
);

fn with_editor(world: &World, script: &str) -> Terminal {
    let editor = world.home.folder().join("editor");
    fs::write(&editor, format!("#!/bin/sh\n{script}\n")).expect("the home is ours");
    fs::set_permissions(&editor, Permissions::from_mode(0o755)).expect("the home is ours");
    let drafts = world.home.folder().join("drafts");
    fs::create_dir(&drafts).expect("the home is ours");
    let mut command = console(world, "maya");
    command.env("EDITOR", &editor).env("TMPDIR", &drafts);
    let terminal = opened(&command);
    arm(&terminal);
    terminal.type_keys("4");
    terminal.wait_for("[4 Blocks");
    fill(&terminal, 'f', "REGISTER-FOOTER", "v2.4.0");
    terminal
}

fn drafts(world: &World) -> usize {
    let drafts = fs::read_dir(world.home.folder().join("drafts"));
    drafts.expect("it is there").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reason_goes_through_an_editor_and_back() {
    let world = World::sqlite().await;
    let script =
        "stat -c %a \"$1\" >mode; cp \"$1\" given; printf 'written in an editor\\n' >>\"$1\"";
    let terminal = with_editor(&world, script);
    terminal.type_text("", "begun here, ");
    terminal.type_keys("ctrl-x");
    terminal.wait_for("written in an editor");
    terminal.wait_for("REGISTER-FOOTER");
    assert_eq!(drafts(&world), 0, "the draft is gone");
    let told = |name| fs::read_to_string(world.home.folder().join(name)).expect("the editor ran");
    assert_eq!(told("mode"), "600\n");
    assert_eq!(told("given").trim_end(), "begun here,");
    let raw = terminal.raw();
    let count = |wanted: &[u8]| {
        raw.windows(wanted.len())
            .filter(|part| *part == wanted)
            .count()
    };
    assert_eq!(
        (count(b"\x1b[?1049h"), count(b"\x1b[?1049l")),
        (2, 1),
        "the editor had the terminal"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_editor_may_fail_or_be_put_to_sleep() {
    let world = World::sqlite().await;
    // A key that a terminal turns into signals reaches the console as well; while an editor runs it is the editor's.
    let script = "[ -e slept ] && exit 1; : >slept; kill -INT $PPID; kill -QUIT $PPID; kill -STOP $$; echo awake >>\"$1\"";
    let terminal = with_editor(&world, script);
    terminal.type_text("", "before");
    terminal.type_keys("ctrl-x");
    // Whoever sleeps in front of a shell has to let it know.
    terminal.wait_state('T');
    killpg(terminal.pid(), Signal::SIGCONT).expect("it sleeps");
    terminal.wait_for("awake");
    terminal.type_keys("ctrl-x");
    terminal.wait_for("the editor gave up; the reason is as before");
    terminal.wait_for("awake");
    assert_eq!(drafts(&world), 0, "the drafts are gone");
}

on_both!(of_two_consoles_on_one_block_one_wins, |world| {
    world.block("r-1").await;
    let other = if world.is_postgres() { "lee" } else { "maya" };
    let consoles = [open(&world, "maya"), open(&world, other)];
    for terminal in &consoles {
        to_blocks(terminal, "r-1");
        begin(terminal, 't', "TAKE-BLOCK");
    }
    let before = entries(&world);
    let [first, second] = &consoles;
    first.type_keys("y");
    first.wait_for("DONE: ledger entry");
    let locked = second.wait_for("LOCKED: ");
    assert!(locked.contains("Close it and look again"), "{locked}");
    look();
    second.type_keys("y");
    second.wait_for("locked: ");
    assert_eq!(entries(&world), before + 1);
    assert_eq!(taken_by(&world, "r-1"), "maya");

    // Both at once: the loser is told in the dialog, whichever it is.
    world.block("r-2").await;
    for terminal in &consoles {
        terminal.type_keys("esc");
        terminal.wait_gone("TAKE-BLOCK");
        terminal.wait_for("r-2");
        terminal.type_keys("k");
        terminal.wait_for("> r-2");
        to_blocks(terminal, "r-2");
        begin(terminal, 't', "TAKE-BLOCK \u{b7} r-2");
    }
    for terminal in &consoles {
        terminal.send_raw(b"y");
    }
    let ended = |terminal: &Terminal| {
        terminal.wait_until("it ends", |screen| {
            let text = screen.contents();
            ["DONE: ledger", "LOCKED: ", "REFUSED: "]
                .iter()
                .any(|end| text.contains(end))
        })
    };
    let done = consoles
        .iter()
        .filter(|terminal| ended(terminal).contains("DONE: ledger"))
        .count();
    assert_eq!(done, 1, "{}\n{}", first.screen(), second.screen());
    world.assert_sound().await;
});

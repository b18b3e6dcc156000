//! What the stories about the console share: how it is opened, found ready, and asked for an action.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::World;
use crate::support::terminal::Terminal;

/// The size that most stories have.
pub const SIZE: (u16, u16) = (100, 30);

/// What stands in every useful frame once the picture is there.
pub const LIVE: &str = " live ";

/// Prepares the console on a world, with an environment as a terminal gives it.
pub fn console(world: &World, person: &str) -> Command {
    let mut command = world.govdeck(person, &[]);
    command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
    command
}

/// Prepares the console as a script of `sh` starts it; the script finds it as `$0`.
pub fn from_shell(world: &World, person: &str, script: &str) -> Command {
    let console = console(world, person);
    let mut command = world.home.command(Path::new("sh"));
    for (name, value) in console.get_envs() {
        command.envs(value.map(|value| (name, value)));
    }
    command.args(["-c", script]).arg(console.get_program());
    command
}

/// Opens the console on a world as a person and waits for the first picture.
pub fn open(world: &World, person: &str) -> Terminal {
    opened(&console(world, person))
}

/// Opens a prepared console and waits for the first picture.
pub fn opened(command: &Command) -> Terminal {
    let terminal = Terminal::start(command, SIZE);
    terminal.wait_for(LIVE);
    terminal
}

/// Opens Blocks and waits until the selected row says what can be done with it.
pub fn to_blocks(terminal: &Terminal, run: &str) {
    terminal.type_keys("4");
    terminal.wait_for("[4 Blocks");
    terminal.wait_for(run);
    terminal.type_keys("a");
    terminal.wait_for("What you can do here");
    terminal.wait_gone("being looked at");
    terminal.wait_gone("is not fresh");
    terminal.type_keys("esc");
    terminal.wait_gone("What you can do here");
}

/// Opens the dialog of an action by its key, and lets it stand as long as a person needs to read it.
pub fn begin(terminal: &Terminal, key: char, title: &str) {
    terminal.type_keys("a");
    terminal.wait_for("What you can do here");
    terminal.type_keys(&key.to_string());
    terminal.wait_for(title);
    terminal.wait_for("Cancel");
    look();
}

/// Arms the console.
pub fn arm(terminal: &Terminal) {
    begin(terminal, 'a', "ARM-CONSOLE");
    terminal.type_keys("y");
    terminal.wait_for("DONE: ledger entry");
    terminal.type_keys("esc");
    terminal.wait_for(" ARMED ");
}

/// How many entries the ledger has, by SQL that shares nothing with the program.
pub fn entries(world: &World) -> u64 {
    let counted = world.owner_sql("SELECT COUNT(*) FROM governance_ledger");
    counted.parse().expect("a number")
}

/// Who took a run, by the same means.
pub fn taken_by(world: &World, run: &str) -> String {
    world.owner_sql(&format!(
        "SELECT COALESCE(taken_by, '-') FROM publish_replay_audit WHERE publish_run_id = '{run}'"
    ))
}

/// Opens an action that asks for its target, names it, and goes on to what is asked then.
pub fn fill(terminal: &Terminal, key: char, title: &str, target: &str) {
    terminal.type_keys("a");
    terminal.wait_for("What you can do here");
    terminal.wait_gone("is not fresh");
    terminal.type_keys(&key.to_string());
    terminal.wait_for(title);
    terminal.type_text("> ", target);
    terminal.type_keys("enter");
    terminal.wait_for("to allow: ");
    look();
}

/// Looks at the screen as long as a person does before they go on.
///
/// A dialog takes no key for a moment, so that nobody confirms what they have not seen, and a key that confirms has to
/// stand alone in time; this is no waiting for the program.
pub fn look() {
    std::thread::sleep(Duration::from_millis(600));
}

/// The reason of the newest entry.
pub fn newest_reason(world: &World) -> String {
    world.owner_sql("SELECT reason FROM governance_ledger ORDER BY seq DESC LIMIT 1")
}

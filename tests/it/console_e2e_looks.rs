//! The console in other surroundings: no colours, no UTF-8, tmux, a clipboard; and a password that must not show.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::cli_kit::configured;
use crate::console_kit::{LIVE, begin, console, look, open, opened, to_blocks};
use crate::support::World;
use crate::support::cluster::cluster;
use crate::support::command::run;
use crate::support::proxy::Proxy;
use crate::support::terminal::Terminal;

/// The numbers of every graphic rendition that was asked for.
fn renditions(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw);
    let sequences = text.split("\x1b[").skip(1);
    let of_m = sequences.filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
        rest[end..].starts_with('m').then(|| rest[..end].to_owned())
    });
    of_m.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_colours_there_are_still_bold_and_reverse() {
    let world = World::sqlite().await;
    world.block("r-1").await;
    let mut command = console(&world, "maya");
    command.env("NO_COLOR", "1").env("COLORTERM", "truecolor");
    let terminal = opened(&command);
    to_blocks(&terminal, "r-1");
    begin(&terminal, 't', "TAKE-BLOCK");
    let renditions = renditions(&terminal.raw());
    for rendition in &renditions {
        let is_colour = rendition.split(';').any(|number| {
            let number = number.parse().unwrap_or(0);
            matches!(number, 30..=38 | 40..=48 | 90..=107)
        });
        assert!(!is_colour, "{rendition}");
    }
    for kept in ["1", "7"] {
        assert!(
            renditions.iter().any(|r| r == kept),
            "{kept}: {renditions:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_colours_there_are_colours() {
    let world = World::sqlite().await;
    let terminal = open(&world, "maya");
    let renditions = renditions(&terminal.raw());
    assert!(
        renditions.iter().any(|r| r.starts_with("38;5;")),
        "{renditions:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_of_a_timer_is_one_small_write() {
    let world = World::sqlite().await;
    world.block("r-1").await;
    let terminal = open(&world, "maya");
    to_blocks(&terminal, "r-1");
    look();
    let (bytes, pieces) = terminal.written();
    for _ in 0..3 {
        terminal.wait_written(terminal.written().0, b"\x1b[");
    }
    let (bytes, pieces) = (terminal.written().0 - bytes, terminal.written().1 - pieces);
    // A minute that ends meanwhile changes a little more than the seconds.
    assert!(bytes <= 4 * 100, "{bytes} bytes in about three seconds");
    assert!(pieces <= 4, "{pieces} writes in about three seconds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_locale_gets_plain_letters() {
    let world = World::sqlite().await;
    world.block("r-1").await;
    let mut command = console(&world, "maya");
    command.env("LANG", "C");
    let terminal = opened(&command);
    to_blocks(&terminal, "r-1");
    begin(&terminal, 't', "TAKE-BLOCK");
    terminal.type_keys("esc w");
    terminal.wait_for("Why: r-1");
    let raw = String::from_utf8(terminal.raw()).expect("text");
    let foreign: String = raw.chars().filter(|letter| !letter.is_ascii()).collect();
    assert_eq!(foreign, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_copied_by_the_terminal() {
    let world = World::sqlite().await;
    world.block("r-1").await;
    let terminal = open(&world, "maya");
    to_blocks(&terminal, "r-1");
    terminal.type_keys("y");
    terminal.wait_for("copied: r-1");
    // `r-1` in base64.
    assert!(terminal.wrote(b"\x1b]52;c;ci0x"));
}

/// A tmux server of one's own; dropping it ends it.
struct Tmux<'a>(&'a World);

impl Tmux<'_> {
    fn command(&self, words: &[&str]) -> Command {
        let mut tmux = self.0.home.command(Path::new("tmux"));
        tmux.env("TMUX_TMPDIR", self.0.home.folder().join("runtime"))
            .env("LANG", "C.UTF-8")
            .args(["-u", "-f", "/dev/null"])
            .args(words);
        tmux
    }

    fn say(&self, words: &[&str]) -> String {
        let output = self.command(words).output();
        let output = output.expect("tmux, a package of the distribution, is installed");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn wait_for(&self, words: &[&str], text: &str) -> String {
        let begun = Instant::now();
        loop {
            let said = self.say(words);
            if said.contains(text) {
                return said;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{text:?}:\n{said}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        self.say(&["kill-server"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inside_tmux_an_id_is_copied_into_its_buffer() {
    let world = World::sqlite().await;
    world.block("r-1").await;
    let tmux = Tmux(&world);
    let mut start = tmux.command(&["new-session", "-d", "-x", "80", "-y", "24"]);
    start
        .env("GOVDECK_DSN", world.dsn_text("maya"))
        .arg(env!("CARGO_BIN_EXE_govdeck"));
    let started = start
        .output()
        .expect("tmux, a package of the distribution, is installed");
    assert!(started.status.success(), "{started:?}");
    let screen = ["capture-pane", "-p"];
    let drawn = tmux.wait_for(&screen, LIVE);
    let lines: Vec<_> = drawn.lines().collect();
    assert_eq!(lines.len(), 24, "{drawn}");
    assert!(
        lines[0].contains("PROD") && lines[1].contains("1 Home"),
        "{drawn}"
    );
    assert!(lines[23].contains("help"), "{drawn}");
    tmux.say(&["send-keys", "4"]);
    tmux.wait_for(&screen, "> r-1");
    look();
    tmux.say(&["send-keys", "y"]);
    tmux.wait_for(&screen, "copied: r-1");
    assert_eq!(tmux.say(&["show-buffer"]), "r-1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_shows_nowhere() {
    const CANARY: &str = "canary-4f1c";
    let world = World::postgres().await;
    let proxy = Proxy::start(&cluster().socket());
    let dsn = proxy
        .url("maya", world.database())
        .replace("maya@", &format!("maya:{CANARY}@"));
    configured(&world.home, &format!("dsn = \"{dsn}\"\n"));
    let mut mode = Command::new("chmod");
    mode.arg("600")
        .arg(world.home.folder().join("config/govdeck/config.toml"));
    assert!(mode.status().expect("there is a chmod").success());
    let mut command = console(&world, "maya");
    command.env_remove("GOVDECK_DSN");
    let terminal = opened(&command);
    terminal.type_keys("4 8 1 ? esc");
    proxy.refuse();
    proxy.cut();
    terminal.wait_for(" LOST ");
    terminal.type_keys("!");
    terminal.wait_for("Messages");
    terminal.type_keys("esc");
    let cmdline = std::fs::read(format!("/proc/{}/cmdline", terminal.pid())).expect("it runs");
    for (place, bytes) in [("screen", terminal.raw()), ("command line", cmdline)] {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(CANARY), "{place}");
    }
    drop(terminal);
    let mut search = world.home.command(Path::new("grep"));
    search.args(["-rl", CANARY, "."]);
    assert_eq!(run(search).stdout, "./config/govdeck/config.toml\n");
    // While the database cannot be reached from the start, nothing else is said.
    let terminal = Terminal::start(&command, (100, 30));
    terminal.wait_for("cannot read");
    let text = String::from_utf8_lossy(&terminal.raw()).into_owned();
    assert!(!text.contains(CANARY), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_that_fails_rings_and_is_told_where_that_is_wanted() {
    const SAID: &str = "the publish gate: FAIL now";
    for (notices, told) in [
        ("off", None),
        ("osc9", Some("\x1b]9;govdeck: ")),
        ("osc777", Some("\x1b]777;notify;govdeck;")),
    ] {
        let world = World::sqlite().await;
        world.register_footer().await;
        let mut command = console(&world, "maya");
        command.env("GOVDECK_NOTIFICATIONS", notices);
        let terminal = opened(&command);
        let before = terminal.written().0;
        world.block("pub-1").await;
        terminal.wait_written(before, b"\x07");
        terminal.wait_for(SAID);
        let heard = |part: &str| terminal.wrote(part.as_bytes());
        for notice in ["\x1b]9;", "\x1b]777;"] {
            let is_wanted = told.is_some_and(|told| told.starts_with(notice));
            assert_eq!(heard(notice), is_wanted, "{notices}: {notice:?}");
        }
        assert!(
            told.is_none_or(|told| heard(&format!("{told}{SAID}"))),
            "{notices}"
        );
    }
}

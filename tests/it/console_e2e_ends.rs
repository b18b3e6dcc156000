//! How the console ends and sleeps, and what it leaves behind in the terminal.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cli_kit::refused;
use crate::console_kit::{
    LIVE, SIZE, begin, console, entries, from_shell, open, opened, taken_by, to_blocks,
};
use crate::support::World;
use crate::support::command::run;
use crate::support::terminal::Terminal;

/// How long a console without a terminal may live on; the machine may be busy, so it is more than it takes.
const SOON: Duration = Duration::from_secs(3);

/// Asserts that the terminal is as a shell wants it.
fn is_given_back(terminal: &Terminal) {
    let modes = terminal.look(|screen| {
        (
            screen.alternate_screen(),
            screen.hide_cursor(),
            screen.bracketed_paste(),
            screen.mouse_protocol_mode(),
        )
    });
    let plain = (false, false, false, vt100::MouseProtocolMode::None);
    assert_eq!(modes, plain);
    assert!(terminal.is_cooked());
}

fn is_taken(terminal: &Terminal) {
    terminal.wait_until("the console has the terminal", |screen| {
        screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste()
    });
    terminal.wait_for(LIVE);
    assert!(!terminal.is_cooked());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_end_it_and_the_terminal_is_given_back() {
    let world = World::sqlite().await;
    for signal in [
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGHUP,
        Signal::SIGQUIT,
    ] {
        let mut terminal = open(&world, "maya");
        is_taken(&terminal);
        // The mouse is given back too.
        terminal.type_keys("m");
        terminal.wait_until("it has the mouse", |screen| {
            screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None
        });
        terminal.signal(signal);
        assert_eq!(terminal.exit_code(), 128 + signal as i32, "{signal}");
        is_given_back(&terminal);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_sleeps_and_wakes() {
    let world = World::sqlite().await;
    let mut terminal = open(&world, "maya");
    // It leads its session, so its own key would put it to sleep for ever.
    terminal.type_keys("ctrl-z");
    terminal.wait_for("there is no shell here that could wake the console");
    for _ in 0..2 {
        terminal.signal(Signal::SIGTSTP);
        terminal.wait_state('T');
        terminal.wait_until("the terminal is given back", |screen| {
            !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
        });
        is_given_back(&terminal);
        let before = terminal.written();
        terminal.signal(Signal::SIGCONT);
        // What is typed before the screen is drawn anew is forgotten, as at the start.
        terminal.wait_written(before.0, LIVE.trim().as_bytes());
        is_taken(&terminal);
        terminal.type_keys("8");
        terminal.wait_for("[8 Ledger]");
        terminal.type_keys("1");
        terminal.wait_for("[1 Home]");
    }
    // A stop that cannot be noticed: whatever a shell drew meanwhile is drawn over.
    terminal.signal(Signal::SIGSTOP);
    terminal.wait_state('T');
    let before = terminal.written();
    terminal.signal(Signal::SIGCONT);
    terminal.wait_written(before.0, LIVE.trim().as_bytes());
    terminal.type_keys("4");
    terminal.wait_for("[4 Blocks]");
    terminal.type_keys("ctrl-c ctrl-c");
    assert_eq!(terminal.exit_code(), 0);
    is_given_back(&terminal);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_terminal_it_ends_soon_and_confirms_nothing() {
    let world = World::sqlite().await;
    world.block("r-1").await;
    let before = entries(&world);
    let plain = console(&world, "maya");
    let immune = from_shell(&world, "maya", "trap '' HUP; exec \"$0\"");
    for command in [plain, immune] {
        let mut terminal = opened(&command);
        to_blocks(&terminal, "r-1");
        begin(&terminal, 't', "TAKE-BLOCK");
        let cpu = terminal.cpu();
        terminal.hang_up();
        let ended = terminal.ended_within(SOON);
        assert_eq!(ended.code, 129);
        let spent = ended.cpu.saturating_sub(cpu);
        assert!(spent < Duration::from_millis(500), "it spun for {spent:?}");
        assert_eq!(entries(&world), before);
        assert_eq!(taken_by(&world, "r-1"), "-");
    }
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_terminal_it_says_what_works() {
    let world = World::sqlite().await;
    for term in ["xterm-256color", "dumb"] {
        let mut piped = console(&world, "maya");
        piped.env("TERM", term);
        let (sentence, hint) = refused(&run(piped), 2);
        assert!(sentence.contains("needs a terminal"), "{sentence}");
        assert!(hint.contains("govdeck status"), "{hint}");
    }
    let mut dumb = console(&world, "maya");
    dumb.env("TERM", "dumb");
    let mut terminal = Terminal::start(&dumb, SIZE);
    assert_eq!(terminal.exit_code(), 2);
    let said = String::from_utf8(terminal.raw()).expect("text");
    assert!(
        said.starts_with("error: the console needs a terminal"),
        "{said:?}"
    );
    assert!(!said.contains('\x1b'), "{said:?}");
}

/// The state of the program that a shell in a terminal waits for, and its number.
fn behind_shell(terminal: &Terminal) -> (char, Pid) {
    let shell = terminal.pid();
    let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
    let pid = children.expect("it runs").trim().to_owned();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let (_, state) = stat.rsplit_once(") ").expect("a name in brackets");
    let pid = pid.parse().expect("one child");
    (state.chars().next().unwrap_or('?'), Pid::from_raw(pid))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_sleeps_by_a_key_where_a_shell_waits() {
    let world = World::sqlite().await;
    let mut terminal = opened(&from_shell(&world, "maya", "\"$0\"; exit $?"));
    terminal.type_keys("ctrl-z");
    terminal.wait_until("the terminal is given back", |screen| {
        !screen.alternate_screen() && !screen.bracketed_paste()
    });
    while behind_shell(&terminal).0 != 'T' {
        std::thread::sleep(Duration::from_millis(5));
    }
    let before = terminal.written();
    kill(behind_shell(&terminal).1, Signal::SIGCONT).expect("it sleeps");
    terminal.wait_written(before.0, LIVE.trim().as_bytes());
    is_taken(&terminal);
    terminal.type_keys("ctrl-c ctrl-c");
    assert_eq!(terminal.exit_code(), 0);
}

/// A terminal that is open but read by nobody holds the console in the middle of a frame; signals still end it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_end_it_though_nobody_reads_its_terminal() {
    let world = World::sqlite().await;
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let mut terminal = open(&world, "maya");
        terminal.stop_reading();
        // More frames than any terminal keeps.
        terminal.send_raw(&b"48".repeat(500));
        let mut spent = terminal.cpu();
        loop {
            std::thread::sleep(Duration::from_millis(300));
            let now = terminal.cpu();
            if now == spent {
                break;
            }
            spent = now;
        }
        terminal.signal(signal);
        let ended = terminal.ended_within(2 * SOON);
        assert_eq!(ended.code, 128 + signal as i32, "{signal}");
        assert!(terminal.is_cooked(), "{signal}");
    }
}

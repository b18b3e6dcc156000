//! `govdeck --plain`: the console as lines, on pipes and in a terminal.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use govdeck::actions::Asked;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cli_kit::{misused, refused};
use crate::console_kit::{SIZE, entries};
use crate::support::command::{Home, run};
use crate::support::terminal::Terminal;
use crate::support::{World, on_both};

/// How long a line may take: machines that build at the same time are slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program on pipes, with what it has said.
struct Piped {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Piped {
    fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let output = child.stdout.take().expect("piped");
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { return };
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            lines,
            said: Vec::new(),
        }
    }

    fn write(&mut self, line: &str) {
        let input = self.input.as_mut().expect("it is open");
        writeln!(input, "{line}").expect("it listens");
    }

    /// Waits for a line that holds a text, and returns it.
    #[track_caller]
    fn hears(&mut self, text: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("no {text:?} in {:#?}", self.said);
            };
            self.said.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Closes its input, waits for its end, and returns everything that it has said.
    fn end(mut self) -> (Option<i32>, Vec<String>) {
        drop(self.input.take());
        self.said.extend(self.lines.iter());
        let status = self.child.wait().expect("it ends");
        (status.code(), self.said)
    }
}

fn plain(world: &World, person: &str) -> Command {
    world.govdeck(person, &["--plain"])
}

on_both!(the_state_comes_first_and_then_what_changes, |world| {
    world.register_footer().await;
    world.block("pub-1").await;
    let before = entries(&world);
    let mut piped = Piped::start(plain(&world, "maya"));
    piped.hears("govdeck, as lines, at ");
    piped.hears("environment PROD, gov-test");
    piped.hears("you are maya, ");
    piped.hears("mode read-only");
    piped.hears("phase: no migration is open");
    let block = piped.hears("block pub-1: tuple_drift, OPEN, time enough, answer by ");
    assert!(block.ends_with(" left"), "{block}");
    piped.hears("newest decision: ");
    let took = world.act("lee", "take_block", Asked::of("pub-1")).await;
    took.expect("taken");
    let news = piped.hears("block pub-1: tuple_drift, TAKEN, answered");
    assert!(
        news.as_bytes()[2] == b':' && !news.starts_with("block"),
        "{news}"
    );
    world.block("pub-2").await;
    piped.hears("block pub-2: tuple_drift, OPEN");
    let hash = "a".repeat(64);
    world
        .mint("pub-3", Some(&hash), Some(&hash))
        .expect("minted");
    world.decide("pub-3").await.expect("decided");
    let by = Asked::of("pub-1").with("by", "pub-3");
    world
        .act("lee", "resolve_block", by)
        .await
        .expect("resolved");
    piped.hears("no longer: block pub-1");
    let (code, said) = piped.end();
    assert_eq!(code, Some(0), "{said:#?}");
    assert!(!said.concat().contains('\u{1b}'), "{said:#?}");
    // What did not change was told once.
    for once in ["environment PROD", "you are maya", "phase: "] {
        let told = said.iter().filter(|line| line.contains(once)).count();
        assert_eq!(told, 1, "{once}: {said:#?}");
    }
    assert_eq!(entries(&world), before + 4, "only what the story wrote");
    world.assert_sound().await;
});

on_both!(words_tell_rows_and_why_and_write_nothing, |world| {
    world.register_footer().await;
    world.block("pub-1").await;
    world.block("pub-2").await;
    let before = entries(&world);
    let mut piped = Piped::start(plain(&world, "maya"));
    piped.write("blocks");
    piped.hears("Blocks: 2 rows");
    let row = piped.hears("run pub-1");
    assert!(
        row.contains("; reason tuple_drift; ") && row.contains("; state OPEN"),
        "{row}"
    );
    piped.write("why pub-2");
    piped.hears("pub-2 in Blocks:");
    piped.hears("pub-2 is blocked");
    piped.hears("rule tuple_drift: what would be published is not what the source says");
    piped.hears("hash publish ");
    piped.hears("take-block: possible now; in a shell: govdeck act take-block pub-2 --dry-run");
    piped.hears("resolve-block: not now: ");
    piped.write("why pub-9");
    piped.hears("there is no ");
    for (word, title) in [
        ("Ledger", "Ledger: "),
        ("people", "People: "),
        ("home", "Home: "),
        ("migration", "Migration: no rows"),
        ("mismatches", "Mismatches: no rows"),
        ("weeks", "Weeks: no rows"),
        ("cutover", "Cutover: no rows"),
        ("bundles", "Bundles: no rows"),
        ("dictionary", "Dictionary: no rows"),
    ] {
        piped.write(word);
        piped.hears(title);
    }
    piped.write("take-block pub-1");
    piped.hears("nothing is written from here; in a shell: govdeck act take-block pub-1 --dry-run");
    piped.write("help");
    piped.hears("q: leave");
    piped.write("\u{1b}[2Jnonsense \u{202e}");
    let no = piped.hears("is no word here; help lists them");
    assert!(!no.contains(['\u{1b}', '\u{202e}']), "{no}");
    piped.write("state");
    piped.hears("block pub-2: ");
    piped.write("q");
    let (code, said) = piped.end();
    assert_eq!(code, Some(0), "{said:#?}");
    assert_eq!(entries(&world), before);
    // What stands in the way is said once, each by its line.
    let hindered = said.windows(2).filter(|two| two[1].contains(": FAIL, "));
    let hindered: Vec<_> = hindered
        .map(|two| &two[0])
        .filter(|line| line.contains(": not now: "))
        .collect();
    assert!(!hindered.is_empty(), "{said:#?}");
    assert!(
        hindered.iter().all(|line| line.contains("hindrance")),
        "{hindered:#?}"
    );
});

on_both!(what_is_typed_ahead_is_answered_before_the_end, |world| {
    world.register_footer().await;
    world.block("pub-1").await;
    let mut piped = Piped::start(plain(&world, "lee"));
    piped.write("blocks");
    let (code, said) = piped.end();
    assert_eq!(code, Some(0));
    assert!(
        said.iter().any(|line| line.starts_with("run pub-1; ")),
        "{said:#?}"
    );
});

on_both!(in_a_terminal_it_moves_no_cursor, |world| {
    world.register_footer().await;
    world.block("pub-1").await;
    let mut command = plain(&world, "maya");
    command.env("TERM", "dumb");
    let mut terminal = Terminal::start(&command, SIZE);
    terminal.wait_for("newest decision");
    terminal.send_raw(b"why\n");
    terminal.wait_written(0, b"take-block: possible now");
    assert!(!terminal.raw().contains(&0x1b), "{:?}", terminal.raw());
    terminal.send_raw(b"q\n");
    assert_eq!(terminal.exit_code(), 0);

    let mut terminal = Terminal::start(&command, SIZE);
    terminal.wait_for("newest decision");
    terminal.send_raw(&[4]);
    assert_eq!(terminal.exit_code(), 0, "the end of the input");

    let mut terminal = Terminal::start(&command, SIZE);
    terminal.wait_for("newest decision");
    terminal.send_raw(&[3]);
    assert_eq!(terminal.exit_code(), 1_000 + Signal::SIGINT as i32);
});

on_both!(an_end_from_outside_and_closed_pipes_end_it, |world| {
    let mut piped = Piped::start(plain(&world, "maya"));
    piped.hears("newest decision");
    let pid = Pid::from_raw(i32::try_from(piped.child.id()).expect("a number"));
    kill(pid, Signal::SIGTERM).expect("it runs");
    assert!(!piped.child.wait().expect("it ends").success());

    let mut command = plain(&world, "maya");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    drop(child.stdout.take());
    // Its input stays open: only what it cannot write ends it.
    assert_eq!(child.wait().expect("it ends").code(), Some(3));
});

#[test]
fn without_a_database_it_says_so_and_ends() {
    let home = Home::new();
    let (sentence, _) = refused(&run(home.govdeck(["--plain"])), 3);
    assert!(
        sentence.starts_with("there is no database at "),
        "{sentence}"
    );
    let both = run(home.govdeck(["--plain", "status"]));
    assert!(
        misused(&both).contains("--plain belongs to the console"),
        "{both:?}"
    );
}

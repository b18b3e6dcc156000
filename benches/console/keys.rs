//! From a key to the changed screen, beside a shell that echoes it.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::ssh::Ssh;
use super::terminal::Terminal;
use super::{SIZE, Scale, bare, console, median, milliseconds, program, quantile, ratio};

/// The size that the console is made for.
const OVER_SSH: (u16, u16) = (80, 24);

/// Where a program runs whose keys are measured.
#[derive(Clone, Copy)]
pub(super) enum Through<'a> {
    /// A pseudo-terminal that only passes bytes on: what the two programs alone cost.
    Nothing,
    /// tmux on this machine: it keeps the screen, and draws what has changed.
    Tmux,
    /// The terminal that the console is made for: tmux over SSH, here on loopback.
    Ssh(&'a Ssh),
}

impl Through<'_> {
    fn size(self) -> (u16, u16) {
        match self {
            Self::Nothing | Self::Tmux => SIZE,
            Self::Ssh(_) => OVER_SSH,
        }
    }
}

/// A program that runs in a terminal, and the server of tmux behind it, which ends with it.
struct Running {
    terminal: Terminal,
    server: Option<Command>,
}

impl Running {
    fn start(home: &Path, inside: &Command, through: Through<'_>, name: &str) -> Self {
        if matches!(through, Through::Nothing) {
            return Self {
                terminal: Terminal::start(inside, through.size()),
                server: None,
            };
        }
        let settings = home.join("tmux.conf");
        fs::write(&settings, "set -g status off\nset -s escape-time 0\n").expect("written");
        let tmux = || {
            let mut command = program(home, "tmux");
            command.env("TMUX_TMPDIR", home).args(["-L", name]);
            for (name, value) in inside.get_envs() {
                command.envs(value.map(|value| (name, value)));
            }
            command
        };
        let mut session = tmux();
        session.arg("-f").arg(settings).arg("new-session");
        session.arg(inside.get_program()).args(inside.get_args());
        if let Through::Ssh(ssh) = through {
            session = ssh.through(&session);
        }
        let mut server = tmux();
        server.arg("kill-server");
        Self {
            terminal: Terminal::start(&session, through.size()),
            server: Some(server),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // Nothing is left of it where it has ended by itself.
            let _ = server.output();
        }
    }
}

/// Measures from a key to the first bytes that it brings, on all sides in turn: a shell that edits its line, the least that a
/// console can be, and consoles that step to another row. Bare, the programs are all there is; else all come by way of the
/// same terminal.
pub(super) fn measure(
    home: &Path,
    sides: &[(&str, &str); 3],
    scale: &Scale,
    through: Through<'_>,
) -> io::Result<()> {
    let start = |inside: &Command, name: &str, shown: &str| {
        let running = Running::start(home, inside, through, name);
        running.terminal.wait_for(shown);
        running
    };
    let mut bash = program(home, "bash");
    bash.args(["--norc", "--noprofile", "-i"]);
    let echo = start(&bash, "echo", "bash");
    let mut names = ["few", "many", "old"].into_iter();
    let consoles = sides.map(|(_, dsn)| {
        let name = names.next().unwrap_or_default();
        let running = start(&console(home, dsn), name, " live ");
        running.terminal.send_raw(b"4");
        running.terminal.wait_for("> pub-");
        running
    });
    let least = start(&bare::command(home)?, "least", bare::SHOWN);
    let (mut echoes, mut leasts, mut times) = (vec![], vec![], sides.map(|_| vec![]));
    for turn in 0..scale.keys {
        let key = if turn % 20 < 10 { b"j" } else { b"k" };
        echoes.push(press(&echo.terminal, key, key));
        leasts.push(press(&least.terminal, key, b"\x1b["));
        for (times, console) in times.iter_mut().zip(&consoles) {
            times.push(press(&console.terminal, key, b"\x1b["));
        }
    }
    let (echo, least) = (median(&echoes), median(&leasts));
    let (way, goal) = match through {
        Through::Nothing => ("bare", ""),
        Through::Tmux => ("through tmux alone", ""),
        Through::Ssh(_) => ("in tmux over SSH at 80x24", "; goal 2 x"),
    };
    println!(
        "key to changed screen, {way}: a shell's echo {:.2} ms (p95 {:.2}); a bare console {:.2} ms, {:.2} x that",
        milliseconds(echo),
        milliseconds(quantile(&echoes, 95)),
        milliseconds(least),
        ratio(least, echo)
    );
    for ((name, _), times) in sides.iter().zip(&times) {
        let took = median(times);
        println!(
            "    {name}: {:.2} ms (p95 {:.2}), {:.2} x the bare console, {:.2} x the echo{goal}",
            milliseconds(took),
            milliseconds(quantile(times, 95)),
            ratio(took, least),
            ratio(took, echo)
        );
    }
    Ok(())
}

/// Waits until nothing was written for a moment, and returns how much was.
pub(super) fn quiet(terminal: &Terminal) -> usize {
    loop {
        let before = terminal.written();
        std::thread::sleep(Duration::from_millis(60));
        if terminal.written() == before {
            return before.0;
        }
    }
}

/// Sends a key and waits for what it brings: itself, or the first change of a screen.
fn press(terminal: &Terminal, key: &[u8], brings: &[u8]) -> Duration {
    let before = quiet(terminal);
    let begun = Instant::now();
    terminal.send_raw(key);
    terminal.wait_written(before, brings) - begun
}

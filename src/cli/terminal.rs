//! The terminal that somebody sits at: questions and answers, past any pipe.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};

use nix::sys::termios::{FlushArg, LocalFlags, SetArg, Termios, tcflush, tcgetattr, tcsetattr};

use tokio::runtime;

use super::page::Exit;
use super::signals::stopped;
use crate::rules::text;
use crate::signing::Passphrase;

/// The terminal itself, past any pipe, with its echo off while somebody types what nobody may see.
pub(super) struct Terminal {
    screen: File,
    lines: BufReader<File>,
}

impl Terminal {
    /// Opens it; none where nobody sits at one.
    pub(super) fn open() -> Option<Self> {
        let screen = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/tty")
            .ok()?;
        let lines = BufReader::new(screen.try_clone().ok()?);
        Some(Self { screen, lines })
    }

    /// Says these words when ctrl-c or the system ends the program, and gives the terminal back as it was.
    pub(super) fn when_left(&self, words: &'static str) -> std::io::Result<()> {
        let before = tcgetattr(&self.screen)?;
        let mut screen = self.screen.try_clone()?;
        let waiting = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let stopped = {
            let _here = waiting.enter();
            stopped()
        };
        std::thread::spawn(move || {
            waiting.block_on(stopped);
            // Where the terminal is gone nobody can be told.
            let _ = tcsetattr(&screen, SetArg::TCSANOW, &before);
            let _ = writeln!(screen, "\n{words}");
            std::process::exit(Exit::CannotTell as i32);
        });
        Ok(())
    }

    /// Writes lines, scrubbed of what could move the cursor.
    pub(super) fn say(&mut self, lines: &[String]) -> std::io::Result<()> {
        for line in lines {
            writeln!(self.screen, "{}", text::scrub(line))?;
        }
        self.screen.flush()
    }

    /// Asks a question; what was typed before it was shown does not count. None when the terminal is gone.
    pub(super) fn ask(&mut self, question: &str) -> std::io::Result<Option<String>> {
        tcflush(&self.screen, FlushArg::TCIFLUSH)?;
        write!(self.screen, "{question}")?;
        self.screen.flush()?;
        let mut typed = String::new();
        let read = self.lines.read_line(&mut typed)?;
        Ok((read > 0).then(|| typed.trim().to_owned()))
    }

    /// Asks for what nobody may see.
    pub(super) fn ask_quietly(&mut self, question: &str) -> std::io::Result<Passphrase> {
        let before = tcgetattr(&self.screen)?;
        let quiet = Quiet::on(&self.screen, before)?;
        write!(self.screen, "{question}")?;
        self.screen.flush()?;
        let mut typed = String::new();
        self.lines.read_line(&mut typed)?;
        drop(quiet);
        typed.truncate(typed.trim_end_matches(['\r', '\n']).len());
        Ok(Passphrase::new(typed))
    }
}

/// Gives the echo back, whatever happens.
struct Quiet {
    screen: File,
    before: Termios,
}

impl Quiet {
    fn on(screen: &File, before: Termios) -> std::io::Result<Self> {
        let mut quiet = before.clone();
        quiet.local_flags.remove(LocalFlags::ECHO);
        quiet.local_flags.insert(LocalFlags::ECHONL);
        tcsetattr(screen, SetArg::TCSAFLUSH, &quiet)?;
        Ok(Self {
            screen: screen.try_clone()?,
            before,
        })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.screen, SetArg::TCSAFLUSH, &self.before);
    }
}

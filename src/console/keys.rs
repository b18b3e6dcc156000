//! What is typed, pasted and clicked, and that the window has another size: read in the loop's own thread.
//!
//! A thread that waits for keys and wakes the loop would cost a good part of the time from a key to its screen.

use std::fs::File;
use std::io::{self, Stdin, stdin};
use std::time::Duration;

use crossterm::event::{Event, poll, read};
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{dup2_stdin, ttyname};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Whether the terminal was found empty before something came: after the key before it, and after what was shown last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// It was not: nobody can tell how long ago it was typed, or what was on the screen then.
    Before,
    /// It was.
    Now,
}

/// The keys, as long as they are the console's.
pub(super) struct Keys {
    terminal: AsyncFd<Stdin>,
    resized: Signal,
    /// What the next one is.
    came: Came,
}

impl Keys {
    /// Listens from now on.
    #[expect(
        deprecated,
        reason = "what replaces it is unsafe, for files that are closed too early; standard input is not"
    )]
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminal: AsyncFd::with_interest(stdin(), Interest::READABLE)?,
            resized: signal(SignalKind::window_change())?,
            came: Came::Before,
        })
    }

    /// Hears that something else is shown: what is typed already is no answer to it.
    pub(super) fn shown_anew(&mut self) {
        self.came = Came::Before;
    }

    /// Waits for what comes next; nothing does once the terminal is gone.
    pub(super) async fn next(&mut self) -> io::Result<Option<(Event, Came)>> {
        loop {
            if poll(Duration::ZERO)? {
                let came = std::mem::replace(&mut self.came, Came::Before);
                return read().map(|event| Some((event, came)));
            }
            self.came = Came::Now;
            tokio::select! {
                readable = self.terminal.readable() => {
                    let mut readable = readable?;
                    // Reading a terminal that is gone would never come back.
                    if readable.ready().is_read_closed() {
                        return Ok(None);
                    }
                    readable.clear_ready();
                }
                _ = self.resized.recv() => {}
            }
        }
    }
}

/// Opens the terminal anew as standard input that is never waited for: half of a key's sequence can come long before the
/// other half. The terminal of whoever started this program stays as it is.
pub(super) fn never_wait() {
    let reopened = ttyname(stdin()).and_then(|path| {
        let how = OFlag::O_RDWR | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        open(&path, how, Mode::empty())
    });
    // A terminal that belongs to somebody else is read as it came.
    if let Ok(terminal) = reopened {
        let _ = dup2_stdin(terminal);
    }
}

/// Opens the terminal for another program, which waits for its keys.
pub(super) fn for_another_program() -> io::Result<File> {
    File::open(ttyname(stdin())?)
}

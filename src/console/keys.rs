//! The keys, as the terminal sends them, read by the loop's own thread.

use std::io::{self, Stdin, stdin};
use std::os::fd::AsFd;
use std::time::Duration;

use crossterm::event::{self, Event};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The terminal's keys and sizes; dropping them leaves both to somebody else.
pub(super) struct Keys {
    terminal: AsyncFd<Stdin>,
    resized: Signal,
}

impl Keys {
    /// Reads keys from now on.
    #[expect(
        deprecated,
        reason = "what takes its place is unsafe, for descriptors that may be closed; standard input stays open"
    )]
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self {
            terminal: AsyncFd::with_interest(stdin(), Interest::READABLE)?,
            resized: signal(SignalKind::window_change())?,
        })
    }

    /// Waits for the next one; nothing is lost when the waiting is given up.
    pub(super) async fn next(&mut self) -> io::Result<Event> {
        loop {
            if self.has_hung_up()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if event::poll(Duration::ZERO)? {
                return event::read();
            }
            tokio::select! {
                ready = self.terminal.readable() => ready?.clear_ready(),
                _ = self.resized.recv() => {}
            }
        }
    }

    /// Tells whether the terminal is gone: reading from it would spin.
    fn has_hung_up(&self) -> io::Result<bool> {
        let mut watched = [PollFd::new(
            self.terminal.get_ref().as_fd(),
            PollFlags::empty(),
        )];
        Ok(poll(&mut watched, PollTimeout::ZERO)? > 0)
    }
}

//! What the system says to the console: to end, to sleep, to wake, and that the terminal is gone.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, raise};
use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal};
use tokio::sync::mpsc;

use super::event::Cause;
use super::terminal;

/// The signals that the console answers.
pub(super) struct Signals {
    /// Those that end it, by their numbers.
    pub(super) ends: Vec<(i32, SignalStream)>,
    /// To sleep.
    pub(super) sleep: SignalStream,
    /// Awake again.
    pub(super) wake: SignalStream,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn listen() -> io::Result<Self> {
        let ends = [
            Signal::SIGTERM,
            Signal::SIGINT,
            Signal::SIGHUP,
            Signal::SIGQUIT,
        ]
        .map(|kind| {
            let number = kind as i32;
            signal(SignalKind::from_raw(number)).map(|stream| (number, stream))
        });
        Ok(Self {
            ends: ends.into_iter().collect::<io::Result<_>>()?,
            sleep: signal(SignalKind::from_raw(Signal::SIGTSTP as i32))?,
            wake: signal(SignalKind::from_raw(Signal::SIGCONT as i32))?,
        })
    }

    /// Forgets the signals that keys send, and what wakes from them.
    pub(super) async fn forget_keys(&mut self) -> io::Result<()> {
        // They are told one after the other, and late: with the last of them all before it have been. This one means
        // nothing here, and nothing to whoever reads keys.
        let mut last = signal(SignalKind::from_raw(Signal::SIGURG as i32))?;
        raise(Signal::SIGURG)?;
        last.recv().await;
        for (number, stream) in &mut self.ends {
            if [Signal::SIGINT as i32, Signal::SIGQUIT as i32].contains(number) {
                *stream = signal(SignalKind::from_raw(*number))?;
            }
        }
        self.sleep = signal(SignalKind::from_raw(Signal::SIGTSTP as i32))?;
        self.wake = signal(SignalKind::from_raw(Signal::SIGCONT as i32))?;
        Ok(())
    }

    /// Waits for one that ends the console.
    pub(super) async fn ending(ends: &mut [(i32, SignalStream)]) -> Cause {
        let all = ends.iter_mut().map(|(number, stream)| {
            Box::pin(async move {
                stream.recv().await;
                Cause::Signal(*number)
            })
        });
        futures_util::future::select_all(all).await.0
    }
}

/// Ends the program when it is told to and the loop does not hear it: a terminal that nobody reads holds it in the middle
/// of a frame.
pub(super) async fn end_when_stuck(patience: Duration) {
    let listen = |kind: Signal| signal(SignalKind::from_raw(kind as i32));
    let (Ok(mut term), Ok(mut hup)) = (listen(Signal::SIGTERM), listen(Signal::SIGHUP)) else {
        return;
    };
    let told = tokio::select! {
        _ = term.recv() => Signal::SIGTERM,
        _ = hup.recv() => Signal::SIGHUP,
    };
    tokio::time::sleep(patience).await;
    end_here(told);
}

/// Ends the program without the loop; what cannot be written must not hold up the end either.
fn end_here(told: Signal) -> ! {
    std::thread::spawn(terminal::give_back_unread);
    std::thread::sleep(Duration::from_millis(100));
    std::process::exit(128 + told as i32);
}

/// Tells whether this process leads its session: then there is no shell that could wake it.
pub(super) fn leads_session() -> bool {
    nix::unistd::getsid(None).is_ok_and(|session| session == nix::unistd::getpid())
}

/// Waits in a thread of its own until the terminal hangs up: with that signal ignored, reading keys would spin for ever.
///
/// A loop that spins already does not hear of it, and is ended all the same.
pub(super) fn watch_for_hang_up(stop: mpsc::UnboundedSender<Cause>, patience: Duration) {
    std::thread::spawn(move || {
        let stdin = io::stdin();
        loop {
            let mut watched = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
            match poll(&mut watched, PollTimeout::NONE) {
                Err(Errno::EINTR) => {}
                _ => break,
            }
        }
        let _ = stop.send(Cause::HungUp);
        std::thread::sleep(patience);
        end_here(Signal::SIGHUP);
    });
}

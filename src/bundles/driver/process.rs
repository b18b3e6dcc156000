//! One run of a driver's process: its own group, no more time and no more output than allowed, nothing left behind.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::command::DriverCommand;
use super::secrets::Secrets;

/// How much of a driver's error stream is kept; the rest is read and let go of.
const KEPT_ERRORS: usize = 8 * 1024;

/// How long processes that a driver left behind may hold its output open.
const LINGER: Duration = Duration::from_secs(1);

/// How much a driver may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How long it may run.
    pub time: Duration,
    /// How many bytes its answer may have.
    pub bytes: usize,
}

/// What becomes of output beyond those bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// There must be none.
    Refused,
    /// It is read and let go of.
    Dropped,
}

/// Holds a command that runs: whoever lets go of it ends the command.
#[derive(Debug, Default)]
pub struct Leash(Arc<AtomicBool>);

impl Leash {
    /// Returns what a run looks at to see whether it is let go of.
    #[must_use]
    pub fn end(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How a driver ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote, as far as it was kept.
    pub stdout: Vec<u8>,
    /// The beginning of what it complained of.
    pub stderr: Vec<u8>,
}

/// Why a run gave nothing.
#[derive(Debug)]
pub enum Fault {
    /// It could not be started.
    Start(io::Error),
    /// It did not end in time.
    TimedOut,
    /// It wrote more than it may.
    TooMuch,
    /// A process that it started holds its output open.
    LeftOpen,
    /// Whoever ran it let go of it.
    LetGo,
    /// Its streams broke.
    Broken(io::Error),
}

enum Told {
    Output(Result<Vec<u8>, Fault>),
    Errors(Vec<u8>),
}

/// Runs a driver once: `input` on its standard input, then its end.
pub(super) fn run(
    command: &DriverCommand,
    secrets: &Secrets,
    input: Vec<u8>,
    bounds: Bounds,
) -> Result<Ended, Fault> {
    let leash = Leash::default();
    let limits = (bounds, Beyond::Refused);
    run_in(command, secrets.pairs(), input, limits, &leash.end())
}

/// Runs a command once, in an environment of nothing but these values.
pub fn run_in<'a>(
    command: &DriverCommand,
    environment: impl IntoIterator<Item = (&'a str, &'a str)>,
    input: Vec<u8>,
    (bounds, beyond): (Bounds, Beyond),
    let_go: &AtomicBool,
) -> Result<Ended, Fault> {
    let mut child = Command::new(command.program())
        .args(command.arguments())
        .env_clear()
        .envs(environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(Fault::Start)?;
    let (tell, told) = mpsc::channel();
    if let Some(mut stdin) = child.stdin.take() {
        // A driver may answer without reading; its answer is judged then.
        thread::spawn(move || stdin.write_all(&input).ok());
    }
    if let Some(stdout) = child.stdout.take() {
        let tell = tell.clone();
        thread::spawn(move || tell.send(Told::Output(read_all(stdout, bounds.bytes, beyond))));
    }
    if let Some(stderr) = child.stderr.take() {
        let most = match beyond {
            Beyond::Refused => KEPT_ERRORS,
            Beyond::Dropped => bounds.bytes,
        };
        thread::spawn(move || read_some(stderr, most, &tell));
    }
    let group = Group(i32::try_from(child.id()).map(Pid::from_raw).ok());
    let deadline = Instant::now() + bounds.time;
    let heard = listen(&mut child, &told, deadline, let_go).and_then(|(stdout, stderr)| {
        let status = wait(&mut child, deadline, let_go)?;
        Ok(Ended {
            status,
            stdout,
            stderr,
        })
    });
    group.kill();
    child.wait().map_err(Fault::Broken)?;
    heard
}

/// The driver's process and everything that it started and that did not leave the group.
struct Group(Option<Pid>);

impl Group {
    fn kill(&self) {
        if let Some(group) = self.0 {
            // The group may be empty already.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

/// Waits for the end of both streams.
fn listen(
    child: &mut Child,
    told: &mpsc::Receiver<Told>,
    deadline: Instant,
    let_go: &AtomicBool,
) -> Result<(Vec<u8>, Vec<u8>), Fault> {
    let (mut stdout, mut stderr) = (None, None);
    let mut until = deadline;
    let mut fault = Fault::TimedOut;
    loop {
        if let (Some(_), Some(_)) = (&stdout, &stderr) {
            return Ok((stdout.unwrap_or_default(), stderr.unwrap_or_default()));
        }
        if let_go.load(Ordering::Relaxed) {
            return Err(Fault::LetGo);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(fault);
        }
        match told.recv_timeout(left.min(Duration::from_millis(100))) {
            Ok(Told::Output(bytes)) => stdout = Some(bytes?),
            Ok(Told::Errors(bytes)) => stderr = Some(bytes),
            Err(RecvTimeoutError::Disconnected) => return Err(Fault::LeftOpen),
            Err(RecvTimeoutError::Timeout) => {
                let ended = child.try_wait().map_err(Fault::Broken)?;
                if ended.is_some() && until == deadline {
                    until = deadline.min(Instant::now() + LINGER);
                    fault = Fault::LeftOpen;
                }
            }
        }
    }
}

fn wait(child: &mut Child, deadline: Instant, let_go: &AtomicBool) -> Result<ExitStatus, Fault> {
    loop {
        if let Some(status) = child.try_wait().map_err(Fault::Broken)? {
            return Ok(status);
        }
        if let_go.load(Ordering::Relaxed) {
            return Err(Fault::LetGo);
        }
        if Instant::now() >= deadline {
            return Err(Fault::TimedOut);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn read_all(stream: impl Read, most: usize, beyond: Beyond) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut limited = stream.take(limit);
    limited.read_to_end(&mut bytes).map_err(Fault::Broken)?;
    if bytes.len() > most {
        if beyond == Beyond::Refused {
            return Err(Fault::TooMuch);
        }
        bytes.truncate(most);
        io::copy(&mut limited.into_inner(), &mut io::sink()).map_err(Fault::Broken)?;
    }
    Ok(bytes)
}

fn read_some(mut stream: impl Read, most: usize, tell: &Sender<Told>) {
    let mut kept = Vec::new();
    let mut piece = [0; 8 * 1024];
    // An unreadable error stream is one that says nothing.
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        let room = most.saturating_sub(kept.len());
        kept.extend_from_slice(&piece[..length.min(room)]);
    }
    // Nobody listens any more when the time was up.
    let _ = tell.send(Told::Errors(kept));
}

//! Runs the built program as a person or a script would: a home of its own, an empty environment, a limit of time, and
//! nothing left running afterwards; or kills it at a chosen system call.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

const TIME_LIMIT: Duration = Duration::from_mins(1);

/// A person's home folder with nothing in it yet; dropping it removes it.
pub struct Home {
    folder: TempDir,
}

impl Home {
    /// Makes an empty home.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("the temp folder is writable");
        let runtime = folder.path().join("runtime");
        fs::create_dir(&runtime).expect("the folder is ours");
        fs::set_permissions(&runtime, Permissions::from_mode(0o700)).expect("the folder is ours");
        Self { folder }
    }

    /// Returns the folder, which is also where commands run.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Prepares the built program with the given words: no input, and of the environment only PATH.
    pub fn govdeck<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Command {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_govdeck")));
        command.args(words);
        command
    }

    /// Prepares any other program in the same way.
    pub fn command(&self, program: &Path) -> Command {
        let home = self.folder();
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_STATE_HOME", home.join("state"))
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("XDG_RUNTIME_DIR", home.join("runtime"))
            .current_dir(home)
            .stdin(Stdio::null());
        command
    }
}

/// How a program ended and what it said.
#[derive(Debug)]
pub struct Run {
    /// The exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal, if one ended it.
    pub signal: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Run {
    /// Whether `kill -9` ended it; a run of `kill_at` that was not killed made fewer calls than that.
    pub fn was_killed(&self) -> bool {
        self.signal == Some(Signal::SIGKILL as i32)
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            signal: output.status.signal(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs a command to its end; panics when it takes more than a minute or leaves a process behind.
pub fn run(command: Command) -> Run {
    run_within(TIME_LIMIT, command)
}

/// Runs a command to its end; panics when it takes longer than this or leaves a process behind.
pub fn run_within(limit: Duration, mut command: Command) -> Run {
    let name = words(&command);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // Its own group: whatever it starts can be found and ended, and nothing else.
    let child = command.process_group(0).spawn();
    let child = child.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
    let group = Pid::from_raw(i32::try_from(child.id()).expect("process numbers are small"));
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(child.wait_with_output()));
    let Ok(output) = told.recv_timeout(limit) else {
        killpg(group, Signal::SIGKILL).ok();
        let said = told.recv().ok().and_then(Result::ok).map(Run::from);
        panic!("{name} took more than {limit:?}: {said:?}");
    };
    let output = output.expect("the command is a child");
    assert!(is_gone(group), "{name} left a process behind: {output:?}");
    Run::from(output)
}

/// The command as one would type it; the rest of what it holds (the environment) is nobody's business.
fn words(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    words.join(" ")
}

/// Returns whether the group is empty; ends it if not. A process already killed may take a moment to be cleared away.
fn is_gone(group: Pid) -> bool {
    let begun = Instant::now();
    while killpg(group, None) != Err(Errno::ESRCH) {
        if begun.elapsed() > Duration::from_secs(2) {
            killpg(group, Signal::SIGKILL).ok();
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Runs a command and kills it, as `kill -9` does, on its way into the nth of the given system calls.
///
/// The call itself does not happen any more. `syscalls` is a list for strace, such as `fsync,rename`; a name that not
/// every machine knows takes a question mark, as in `?rename,renameat2`.
///
/// strace counts for each thread and for each name apart: with `write,fsync`, `nth` = 2 means the second write or the
/// second fsync of whichever thread is first to make one. Hence a loop over `nth` visits every call only if the list
/// is one name and one thread makes the calls; [`kill_at_every`] takes care of both.
///
/// The environment of the command has to be one that [`Home`] made: an inherited one is not passed on.
pub fn kill_at(nth: u32, syscalls: &str, command: &Command) -> Run {
    let inject = format!("inject={syscalls}:signal=SIGKILL:when={nth}");
    traced(Path::new("/dev/null"), syscalls, &["-e", &inject], command)
}

/// How often a run is repeated whose threads happened to share the calls.
const TRIES: usize = 60;

/// Kills a command at each of its calls in turn, or at so many of them, evenly spread, and returns how many there were.
///
/// Each time `prepare` sets up a new world and returns the command to run in it, and `check` looks at what is left.
/// First runs, to the end, list the calls; they are checked too. A program whose last calls are made now by one
/// thread, now by another, is run again until one thread makes them all. Panics when none ever does, for then some
/// calls would never be the one that is hit: leave that name out, or give the program one thread.
pub fn kill_at_every<W>(
    syscalls: &str,
    prepare: impl FnMut() -> (W, Command),
    check: impl FnMut(&KillPoint, W, Run),
) -> usize {
    kill_at_a_share(4, syscalls, prepare, check)
}

/// Kills a command at each of its calls in turn, or at a share of so many as there are rounds.
pub fn kill_at_a_share<W>(
    share: u32,
    syscalls: &str,
    mut prepare: impl FnMut() -> (W, Command),
    mut check: impl FnMut(&KillPoint, W, Run),
) -> usize {
    let mut points = Vec::new();
    for attempt in 1..=TRIES {
        let (world, command) = prepare();
        let (survey, run) = kill_points(syscalls, &command);
        check(&KillPoint::default(), world, run);
        match survey {
            Ok(found) => {
                points = found;
                break;
            }
            Err(shared) => assert!(attempt < TRIES, "{shared}"),
        }
    }
    // An action has some sixty of them, making a database many hundreds: of those a part is enough, but in the long run all are hit.
    let rounds = super::rounds();
    let most = match usize::try_from(rounds / share) {
        Ok(some) if !super::is_long() => some.max(1),
        _ => usize::MAX,
    };
    let step = points.len().div_ceil(most).max(1);
    for point in points.iter().step_by(step) {
        for _ in 0..TRIES {
            let (world, command) = prepare();
            let run = kill_at(point.nth, &point.syscall, &command);
            let was_killed = run.was_killed();
            check(point, world, run);
            if was_killed {
                break;
            }
        }
    }
    points.len()
}

/// Waits for something asynchronous inside a blocking closure, such as those that prepare and check.
pub fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

/// Where a command is killed; the default is nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KillPoint {
    /// The name of the system call.
    pub syscall: String,
    /// Which of that name, counted from 1.
    pub nth: u32,
}

/// Lists the calls of a run, or says which of them two threads make.
fn kill_points(syscalls: &str, command: &Command) -> (Result<Vec<KillPoint>, String>, Run) {
    let log = tempfile::NamedTempFile::new().expect("the temp folder is writable");
    let run = traced(log.path(), syscalls, &[], command);
    let log = fs::read_to_string(log.path()).expect("strace wrote its log");
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut threads: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut points = Vec::new();
    // `4711  fsync(3)  = 0`, or `4711  <... fsync resumed>…` for the rest of a call that is known by then.
    for line in log.lines() {
        let Some((thread, call)) = line.split_once(' ') else {
            continue;
        };
        let Some((syscall, _)) = call.trim_start().split_once('(') else {
            continue;
        };
        if !syscall
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            continue;
        }
        threads.entry(syscall).or_default().insert(thread);
        let nth = counts.entry(syscall).or_default();
        *nth += 1;
        let syscall = syscall.to_owned();
        points.push(KillPoint { syscall, nth: *nth });
    }
    let shared = threads.iter().find(|(_, threads)| threads.len() > 1);
    let survey = match shared {
        None => Ok(points),
        Some((syscall, threads)) => Err(format!(
            "{} threads of {} call {syscall}, so not every one of these calls can be hit",
            threads.len(),
            words(command)
        )),
    };
    (survey, run)
}

fn traced(log: &Path, syscalls: &str, more: &[&str], command: &Command) -> Run {
    let mut strace = Command::new("strace");
    strace
        .args([
            "-f",
            "-qq",
            "-e",
            "signal=none",
            "-e",
            &format!("trace={syscalls}"),
        ])
        .args(more)
        .arg("-o")
        .arg(log)
        .arg("--")
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        strace.envs(value.map(|value| (name, value)));
    }
    if let Some(folder) = command.get_current_dir() {
        strace.current_dir(folder);
    }
    let run = run(strace);
    let complaint = run.stderr.lines().find(|line| line.starts_with("strace: "));
    assert!(complaint.is_none(), "strace could not do its work: {run:?}");
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELL: &str = "/bin/sh";

    fn shell(home: &Home, script: &str) -> Command {
        let mut command = home.command(Path::new(SHELL));
        command.args(["-c", script]);
        command
    }

    #[test]
    fn run_tells_code_signal_and_output_from_a_clean_home() {
        let home = Home::new();
        let ended = run(shell(&home, "echo out; echo err >&2; exit 3"));
        let said = (
            ended.code,
            ended.signal,
            ended.stdout.as_str(),
            ended.stderr.as_str(),
        );
        assert_eq!(said, (Some(3), None, "out\n", "err\n"));
        assert_eq!(run(shell(&home, "kill -TERM $$")).signal, Some(15));
        let listed = run(shell(
            &home,
            "env | cut -d= -f1 | sort | tr '\\n' ' '; pwd -P",
        ));
        let folder = home.folder().canonicalize().expect("it exists");
        let names = "HOME PATH PWD XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR XDG_STATE_HOME";
        assert_eq!(listed.stdout, format!("{names} {}\n", folder.display()));
        assert!(run(home.govdeck(["--version"])).code.is_some());
    }

    #[test]
    #[should_panic(expected = "left a process behind")]
    fn run_panics_over_an_orphan() {
        run(shell(&Home::new(), "sleep 30 >/dev/null 2>&1 &"));
    }

    #[test]
    #[should_panic(expected = "took more than 50ms")]
    fn run_panics_over_an_endless_command() {
        run_within(Duration::from_millis(50), shell(&Home::new(), "sleep 30"));
    }

    #[test]
    #[should_panic(expected = "strace could not do its work")]
    fn kill_at_panics_over_an_unknown_call() {
        kill_at(1, "no_such_call", &shell(&Home::new(), ":"));
    }

    #[test]
    fn kill_at_every_hits_each_call_before_it_happens() {
        let script = "cd .; echo 1 >>log; cd .; echo 2 >>log; echo 3 >>log";
        let mut left = Vec::new();
        let calls = kill_at_every(
            "write,chdir",
            || {
                let home = Home::new();
                let command = shell(&home, script);
                (home, command)
            },
            |point, home, run| {
                assert_eq!(run.was_killed(), point.nth > 0, "{run:?}");
                let log = fs::read_to_string(home.folder().join("log")).unwrap_or_default();
                left.push((point.syscall.clone(), point.nth, log.lines().count()));
            },
        );
        let expected = [
            ("", 0, 3),
            ("chdir", 1, 0),
            ("write", 1, 0),
            ("chdir", 2, 1),
            ("write", 2, 1),
            ("write", 3, 2),
        ];
        let left: Vec<_> = left
            .iter()
            .map(|(name, nth, lines)| (name.as_str(), *nth, *lines))
            .collect();
        assert_eq!((calls, left), (5, expected.to_vec()));
    }

    #[test]
    #[should_panic(expected = "2 threads")]
    fn kill_at_every_refuses_calls_that_two_threads_make() {
        let home = Home::new();
        let prepare = || ((), shell(&home, "echo 1 >a; (echo 2 >b); :"));
        kill_at_every("write", prepare, |_, (), _| ());
    }
}

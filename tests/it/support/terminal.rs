//! Runs a program in a pseudo-terminal, as a person would: keys at human speed, and a screen that is read through an
//! emulator.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::Pid;
use rustix::termios::{Winsize, tcsetwinsize};

/// How long anything may take before a story gives up: machines that build at the same time are slow.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause between two keys of a person who knows what they do.
const BETWEEN_KEYS: Duration = Duration::from_millis(180);
/// What a terminal answers when it is asked what it is, and for its colours.
const ANSWERS: [(&[u8], &[u8]); 3] = [
    (b"\x1b]10;?", b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\"),
    (b"\x1b]11;?", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
    (b"\x1b[c", b"\x1b[?62;22c"),
];

/// A terminal with a program in it; dropping it closes the terminal and ends the program.
pub struct Terminal {
    master: Option<File>,
    child: Child,
    seen: Arc<Seen>,
    /// Closing it ends the reader, which has a hold on the terminal too.
    reading: Option<UnixStream>,
    reader: Option<JoinHandle<()>>,
}

struct Seen {
    now: Mutex<Now>,
    changed: Condvar,
}

struct Now {
    emulator: vt100::Parser,
    raw: Vec<u8>,
    /// Where each piece of it ends, and when that came.
    pieces: Vec<(usize, Instant)>,
    is_over: bool,
}

/// What became of a program, and what it cost.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// The exit code, or 1000 and the number of the signal that ended it.
    pub code: i32,
    /// The processor time of the whole program.
    pub cpu: Duration,
}

impl Terminal {
    /// Starts a command in a terminal of so many columns and lines; of the environment it gets what is set on it.
    pub fn start(command: &Command, (columns, lines): (u16, u16)) -> Self {
        let (master, slave) = pair();
        tcsetwinsize(&master, winsize(columns, lines)).expect("a terminal");
        let end = || Stdio::from(slave.try_clone().expect("a descriptor is free"));
        // It becomes the leader of a session whose terminal this is, and then the program, under the same number.
        let mut setsid = Command::new("setsid");
        setsid
            .arg("--ctty")
            .arg(command.get_program())
            .args(command.get_args())
            .env_clear()
            .stdin(end())
            .stdout(end())
            .stderr(end());
        for (name, value) in command.get_envs() {
            setsid.envs(value.map(|value| (name, value)));
        }
        if let Some(folder) = command.get_current_dir() {
            setsid.current_dir(folder);
        }
        let child = setsid
            .spawn()
            .expect("setsid, of util-linux, is everywhere");
        // The command holds the other end, and now only the program does.
        drop((setsid, slave));
        let seen = Arc::new(Seen {
            now: Mutex::new(Now {
                emulator: vt100::Parser::new(lines, columns, 0),
                raw: Vec::new(),
                pieces: Vec::new(),
                is_over: false,
            }),
            changed: Condvar::new(),
        });
        let (reading, stop) = UnixStream::pair().expect("a socket pair");
        let reader = {
            let (seen, master) = (Arc::clone(&seen), master.try_clone().expect("a descriptor"));
            thread::spawn(move || seen.read(master, &stop))
        };
        Self {
            master: Some(master),
            child,
            seen,
            reading: Some(reading),
            reader: Some(reader),
        }
    }

    /// Types keys as a person does, with a pause after each: `4 j enter`, `ctrl-x`, `space`.
    pub fn type_keys(&self, keys: &str) {
        for key in keys.split_whitespace() {
            self.send_raw(&bytes_of(key));
            // After this key a terminal's program has to wait itself, to tell it from the start of a longer one.
            thread::sleep(BETWEEN_KEYS * if key == "esc" { 3 } else { 1 });
        }
    }

    /// Types a text, waiting for each character to show before the next one.
    pub fn type_text(&self, before: &str, text: &str) {
        let mut shown = before.to_owned();
        for character in text.chars() {
            shown.push(character);
            self.send_raw(character.to_string().as_bytes());
            thread::sleep(Duration::from_millis(30));
            self.wait_for(shown.trim_end());
        }
    }

    /// Sends bytes as they are and all at once.
    pub fn send_raw(&self, bytes: &[u8]) {
        let mut master = self.master.as_ref().expect("the terminal is open");
        master.write_all(bytes).expect("the terminal takes keys");
    }

    /// Waits until the screen shows the text, and returns the screen.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(&format!("{text:?} is shown"), |screen| {
            lines_of(screen).contains(text)
        })
    }

    /// Waits until the screen shows the text no more.
    pub fn wait_gone(&self, text: &str) -> String {
        self.wait_until(&format!("{text:?} is gone"), |screen| {
            !lines_of(screen).contains(text)
        })
    }

    /// Waits until the emulator is as it should be, and returns the screen as text.
    pub fn wait_until(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) -> String {
        let begun = Instant::now();
        let mut now = self.now();
        loop {
            if is_so(now.emulator.screen()) {
                return now.screen();
            }
            let left = PATIENCE.saturating_sub(begun.elapsed());
            if left.is_zero() || now.is_over {
                let screen = now.screen();
                drop(now);
                panic!("never was it so that {what}; the screen:\n{screen}");
            }
            let waited = self.seen.changed.wait_timeout(now, left);
            now = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The screen as text, line by line.
    pub fn screen(&self) -> String {
        self.now().screen()
    }

    /// Looks at the emulator: cells, cursor, modes.
    pub fn look<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.now().emulator.screen())
    }

    /// Every byte that the program wrote.
    pub fn raw(&self) -> Vec<u8> {
        self.now().raw.clone()
    }

    /// Tells whether the program wrote these bytes.
    pub fn wrote(&self, bytes: &[u8]) -> bool {
        self.now()
            .raw
            .windows(bytes.len())
            .any(|part| part == bytes)
    }

    /// How many bytes the program wrote so far, and in how many pieces: one for each write, unless they come faster than
    /// they are read.
    pub fn written(&self) -> (usize, usize) {
        let now = self.now();
        (now.raw.len(), now.pieces.len())
    }

    /// Waits until the program writes these bytes after so many others, and returns when they came: before the emulator
    /// had drawn them.
    pub fn wait_written(&self, after: usize, bytes: &[u8]) -> Instant {
        let begun = Instant::now();
        let mut now = self.now();
        loop {
            let mut parts = now.raw[after..].windows(bytes.len());
            if let Some(at) = parts.position(|part| part == bytes) {
                let end = after + at + bytes.len();
                let mut pieces = now.pieces.iter();
                return pieces.find(|(upto, _)| *upto >= end).expect("it came").1;
            }
            let left = PATIENCE.saturating_sub(begun.elapsed());
            if left.is_zero() || now.is_over {
                let screen = now.screen();
                drop(now);
                panic!(
                    "never wrote {:?}; the screen:\n{screen}",
                    String::from_utf8_lossy(bytes)
                );
            }
            let waited = self.seen.changed.wait_timeout(now, left);
            now = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Tells whether the terminal edits and echoes lines, as a shell wants it.
    pub fn is_cooked(&self) -> bool {
        let master = self.master.as_ref().expect("the terminal is open");
        let flags = tcgetattr(master).expect("a terminal").local_flags;
        flags.contains(LocalFlags::ICANON | LocalFlags::ECHO)
    }

    /// Gives the terminal another size; the program hears of it.
    pub fn resize(&self, columns: u16, lines: u16) {
        // Nothing is read while the size changes, so that no old frame meets the new size half-way.
        let mut now = self.now();
        // The emulator cannot do with less than two columns.
        now.emulator
            .screen_mut()
            .set_size(lines.max(2), columns.max(2));
        let master = self.master.as_ref().expect("the terminal is open");
        tcsetwinsize(master, winsize(columns, lines)).expect("a terminal");
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("the program runs");
    }

    /// The program's number.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("process numbers are small"))
    }

    /// The program's state as the system shows it: R, S, T, Z.
    pub fn state(&self) -> char {
        self.stat().chars().next().unwrap_or('?')
    }

    /// Waits until the program is in a state.
    pub fn wait_state(&self, state: char) {
        let begun = Instant::now();
        while self.state() != state {
            assert!(begun.elapsed() < PATIENCE, "its state is {}", self.state());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The processor time that the program has used so far.
    pub fn cpu(&self) -> Duration {
        let stat = self.stat();
        let ticks = |at| stat.split(' ').nth(at).and_then(|n| n.parse().ok());
        // Fields 14 and 15 of the whole line, in hundredths of a second.
        let ticks: u64 = ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0);
        Duration::from_millis(10 * ticks)
    }

    /// What follows the name in `/proc/PID/stat`; also of a program that ended and was not waited for.
    fn stat(&self) -> String {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(path).expect("it was not waited for");
        let (_, rest) = stat.rsplit_once(") ").expect("a name in brackets");
        rest.to_owned()
    }

    /// Closes the terminal under the program.
    pub fn hang_up(&mut self) {
        self.stop_reading();
        self.master = None;
    }

    /// Reads no more of what the program writes; the terminal stays open.
    pub fn stop_reading(&mut self) {
        self.reading = None;
        if let Some(reader) = self.reader.take() {
            reader.join().ok();
        }
    }

    /// Waits for the program's end and for its last bytes; panics when it takes longer than this.
    pub fn ended_within(&mut self, limit: Duration) -> Ended {
        let begun = Instant::now();
        while self.state() != 'Z' {
            let screen = self.screen();
            assert!(
                begun.elapsed() < limit,
                "it goes on after {limit:?}:\n{screen}"
            );
            thread::sleep(Duration::from_millis(5));
        }
        let cpu = self.cpu();
        let status = self.child.wait().expect("a child");
        let mut now = self.now();
        while !now.is_over {
            let waited = self.seen.changed.wait(now);
            now = waited.unwrap_or_else(PoisonError::into_inner);
        }
        let signal = || 1000 + status.signal().unwrap_or(0);
        Ended {
            code: status.code().unwrap_or_else(signal),
            cpu,
        }
    }

    /// Waits for the program's end and returns its exit code.
    pub fn exit_code(&mut self) -> i32 {
        self.ended_within(PATIENCE).code
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.seen.now()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.hang_up();
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            kill(self.pid(), Signal::SIGKILL).ok();
            self.child.wait().ok();
        }
    }
}

impl Now {
    fn screen(&self) -> String {
        lines_of(self.emulator.screen())
    }
}

fn lines_of(screen: &vt100::Screen) -> String {
    let (_, columns) = screen.size();
    let lines: Vec<_> = screen.rows(0, columns).collect();
    lines.join("\n")
}

impl Seen {
    /// A story that fails while it looks must not take its own last words away.
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads until the program is gone or nobody wants to read any more.
    fn read(&self, mut master: File, stop: &UnixStream) {
        let mut buffer = vec![0; 65_536];
        while let Ok(count @ 1..) = read_or_stop(&mut master, stop, &mut buffer) {
            let (bytes, came) = (&buffer[..count], Instant::now());
            for (question, answer) in ANSWERS {
                if bytes.windows(question.len()).any(|part| part == question) {
                    master.write_all(answer).ok();
                }
            }
            let mut now = self.now();
            now.emulator.process(bytes);
            now.raw.extend_from_slice(bytes);
            let end = now.raw.len();
            now.pieces.push((end, came));
            self.changed.notify_all();
        }
        self.now().is_over = true;
        self.changed.notify_all();
    }
}

/// Reads what there is; none at the end, an error when the other end of the terminal is closed.
fn read_or_stop(master: &mut File, stop: &UnixStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut watched = [
        PollFd::new(master.as_fd(), PollFlags::POLLIN),
        PollFd::new(stop.as_fd(), PollFlags::POLLIN),
    ];
    while poll(&mut watched, PollTimeout::NONE) == Err(nix::errno::Errno::EINTR) {}
    if watched[1].any() == Some(true) {
        return Ok(0);
    }
    master.read(buffer)
}

/// Opens both ends of a new terminal; nobody inherits either unasked, for a terminal is closed when its last holder is gone.
fn pair() -> (File, File) {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let master = posix_openpt(flags).expect("the system has terminals");
    grantpt(&master).expect("it is ours");
    unlockpt(&master).expect("it is ours");
    let slave = File::options()
        .read(true)
        .write(true)
        .custom_flags(OFlag::O_NOCTTY.bits())
        .open(ptsname_r(&master).expect("it has a name"))
        .expect("it is unlocked");
    let master = master.as_fd().try_clone_to_owned();
    (File::from(master.expect("a descriptor is free")), slave)
}

fn winsize(columns: u16, lines: u16) -> Winsize {
    Winsize {
        ws_row: lines,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

/// The bytes that a terminal sends for a key.
fn bytes_of(key: &str) -> Vec<u8> {
    match key {
        "enter" => b"\r".to_vec(),
        "esc" => b"\x1b".to_vec(),
        "tab" => b"\t".to_vec(),
        "backtab" => b"\x1b[Z".to_vec(),
        "space" => b" ".to_vec(),
        "backspace" => b"\x7f".to_vec(),
        "down" => b"\x1b[B".to_vec(),
        "up" => b"\x1b[A".to_vec(),
        _ => match key.strip_prefix("ctrl-").map(str::as_bytes) {
            Some([letter]) => vec![letter & 0x1f],
            _ => key.as_bytes().to_vec(),
        },
    }
}

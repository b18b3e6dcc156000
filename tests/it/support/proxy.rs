//! A man in the middle of a database connection: passes everything on, until told to lose just the message a test is
//! about.
//!
//! ```text
//! client ──> own socket ──[requests: parsed, a COMMIT is recognised]──> upstream socket
//!        <──────────────[answers: parsed, counted up to each "ready"]──
//! ```
//! One thread a direction. The protocol is read message by message, so that a COMMIT split over two packets, or the
//! word inside some text, is not mistaken.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use tempfile::TempDir;

use super::cluster::{short_folder, socket_in, socket_url};

const PORT: u16 = 55_329;

/// The two requests a client may send before the session starts, each answered by one byte.
const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
/// A connection that only asks to cancel the query of another one.
const CANCEL_REQUEST: u32 = 80_877_102;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Pass,
    LoseCommitAnswer,
    LoseCommitRequest,
    BlackHole,
    Refuse,
}

/// What a proxy has seen since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections taken, those that only cancel included.
    pub connections: u64,
    /// COMMITs that a client sent, lost ones included.
    pub commits: u64,
    /// COMMITs whose request or answer was lost.
    pub lost: u64,
}

/// A stand-in for a server's socket; dropping it cuts its connections.
pub struct Proxy {
    folder: TempDir,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    upstream: PathBuf,
    mode: Mutex<Mode>,
    is_over: AtomicBool,
    live: Mutex<HashMap<u64, Arc<Connection>>>,
    connections: AtomicU64,
    commits: AtomicU64,
    lost: AtomicU64,
}

/// One client's way through, shared by its two threads.
struct Connection {
    client: UnixStream,
    server: UnixStream,
    answers: Mutex<Answers>,
    /// Whether bytes are missing from either direction: such a session cannot go on.
    has_gap: AtomicBool,
    /// Whether its bytes wait; none of them is lost.
    is_held: Mutex<bool>,
    let_go: Condvar,
}

/// A client may ask again before it is answered, so a lost answer is known by its place in the row, not by its time.
#[derive(Default)]
struct Answers {
    /// How many "ready" the server was asked for.
    asked: u64,
    /// Which of them, counted from 0, is to be lost with all that leads up to it.
    lost: Option<u64>,
}

impl Proxy {
    /// Starts passing connections on to the given socket.
    pub fn start(upstream_socket: &Path) -> Self {
        let folder = short_folder();
        let listener = UnixListener::bind(socket_in(folder.path(), PORT));
        let listener = listener.expect("the folder is new and its name short");
        let shared = Arc::new(Shared {
            upstream: upstream_socket.to_owned(),
            mode: Mutex::new(Mode::Pass),
            is_over: AtomicBool::new(false),
            live: Mutex::default(),
            connections: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        });
        let theirs = Arc::clone(&shared);
        let acceptor = Some(thread::spawn(move || theirs.accept_all(&listener)));
        Self {
            folder,
            shared,
            acceptor,
        }
    }

    /// Returns the address of a database behind the proxy, as seen by a login.
    pub fn url(&self, login: &str, database: &str) -> String {
        socket_url(login, database, self.folder.path(), PORT)
    }

    /// Passes everything again; sessions that lost bytes to the black hole are cut, the others go on.
    pub fn pass(&self) {
        self.enter(Mode::Pass);
        for connection in self.shared.live().values() {
            connection.hold(false);
        }
        let gaps = |connection: &Connection| connection.has_gap.load(Ordering::SeqCst);
        self.shared.cut_those(gaps);
    }

    /// Lets the next COMMIT happen, but closes the connection instead of passing its answer; then passes again.
    pub fn lose_commit_answer(&self) {
        self.enter(Mode::LoseCommitAnswer);
    }

    /// Closes the connection instead of passing the next COMMIT on, so that it never happens; then passes again.
    pub fn lose_commit_request(&self) {
        self.enter(Mode::LoseCommitRequest);
    }

    /// Takes connections and bytes from now on, and answers nothing.
    pub fn black_hole(&self) {
        self.enter(Mode::BlackHole);
    }

    /// Keeps back what the connections that are open send and are sent; new ones go through.
    pub fn hold_those_open(&self) {
        for connection in self.shared.live().values() {
            connection.hold(true);
        }
    }

    /// Refuses new connections, as a stopped server does; those that are open stay so.
    pub fn refuse(&self) {
        self.enter(Mode::Refuse);
    }

    /// Closes all connections, whatever they are doing.
    pub fn cut(&self) {
        self.shared.cut_those(|_| true);
    }

    /// Returns how many connections are open.
    pub fn live(&self) -> usize {
        self.shared.live().len()
    }

    /// Returns what has been seen so far.
    pub fn counts(&self) -> Counts {
        Counts {
            connections: self.shared.connections.load(Ordering::SeqCst),
            commits: self.shared.commits.load(Ordering::SeqCst),
            lost: self.shared.lost.load(Ordering::SeqCst),
        }
    }

    fn enter(&self, mode: Mode) {
        let socket = socket_in(self.folder.path(), PORT);
        let aside = self.folder.path().join("refusing");
        let mut current = self.shared.mode();
        // Without its name the socket cannot be reached, and no thread needs to be told.
        match (*current == Mode::Refuse, mode == Mode::Refuse) {
            (false, true) => fs::rename(socket, aside).expect("the socket is ours"),
            (true, false) => fs::rename(aside, socket).expect("the socket is ours"),
            _ => {}
        }
        *current = mode;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.pass();
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees that it is over.
        let is_awake = UnixStream::connect(socket_in(self.folder.path(), PORT)).is_ok();
        if let Some(acceptor) = self.acceptor.take().filter(|_| is_awake) {
            acceptor.join().ok();
        }
        self.cut();
    }
}

impl Shared {
    fn mode(&self) -> MutexGuard<'_, Mode> {
        self.mode.lock().expect("no holder panics")
    }

    fn live(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.live.lock().expect("no holder panics")
    }

    /// Returns whether the mode is the given one, and falls back to passing if so: each loss happens once.
    fn fires(&self, mode: Mode) -> bool {
        let mut current = self.mode();
        let fires = *current == mode;
        if fires {
            *current = Mode::Pass;
            self.lost.fetch_add(1, Ordering::SeqCst);
        }
        fires
    }

    fn cut_those(&self, chosen: impl Fn(&Connection) -> bool) {
        self.live().retain(|_, connection| {
            let is_chosen = chosen(connection);
            if is_chosen {
                connection.close();
            }
            !is_chosen
        });
    }

    fn accept_all(self: Arc<Self>, listener: &UnixListener) {
        for client in listener.incoming().flatten() {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            // A client of the moment before refusing began may still come through the queue.
            if *self.mode() == Mode::Refuse {
                continue;
            }
            let id = self.connections.fetch_add(1, Ordering::SeqCst);
            // A client whose upstream is gone is hung up on.
            let Ok(server) = UnixStream::connect(&self.upstream) else {
                continue;
            };
            let connection = Arc::new(Connection {
                client,
                server,
                answers: Mutex::default(),
                has_gap: AtomicBool::new(false),
                is_held: Mutex::new(false),
                let_go: Condvar::new(),
            });
            self.live().insert(id, Arc::clone(&connection));
            let directions: [fn(&Self, &Connection) -> io::Result<()>; 2] =
                [Self::pass_requests, Self::pass_answers];
            for pass in directions {
                let (shared, connection) = (Arc::clone(&self), Arc::clone(&connection));
                thread::spawn(move || {
                    // Either side's end, expected or not, is the end of both.
                    pass(&shared, &connection).ok();
                    connection.close();
                    shared.live().remove(&id);
                });
            }
        }
    }

    fn pass_requests(&self, connection: &Connection) -> io::Result<()> {
        let mut client = BufReader::new(&connection.client);
        loop {
            let start = read_start(&mut client)?;
            match start.code() {
                // On a socket PostgreSQL answers these two so as well; from here it cannot become unreadable.
                SSL_REQUEST | GSS_REQUEST => self.pass_on(connection, &connection.client, b"N")?,
                CANCEL_REQUEST => {
                    self.pass_on(connection, &connection.server, &start.0)?;
                    // Whoever cancels waits for the server to hang up.
                    return io::copy(&mut client, &mut io::sink()).map(drop);
                }
                _ => {
                    connection.answers().asked += 1;
                    self.pass_on(connection, &connection.server, &start.0)?;
                    break;
                }
            }
        }
        loop {
            let message = read_message(&mut client)?;
            if message.is_commit() {
                self.commits.fetch_add(1, Ordering::SeqCst);
                if self.fires(Mode::LoseCommitRequest) {
                    return Ok(());
                }
                if self.fires(Mode::LoseCommitAnswer) {
                    connection.lose_next_answer();
                }
            }
            // Query, Sync and function call: each ends in one "ready".
            if matches!(message.kind(), b'Q' | b'S' | b'F') {
                connection.answers().asked += 1;
            }
            self.pass_on(connection, &connection.server, &message.0)?;
        }
    }

    fn pass_answers(&self, connection: &Connection) -> io::Result<()> {
        let mut server = BufReader::new(&connection.server);
        let mut answered = 0;
        loop {
            let message = read_message(&mut server)?;
            let is_ready = message.kind() == b'Z';
            let is_lost = connection.answers().lost == Some(answered);
            if is_lost && is_ready {
                return Ok(());
            }
            if !is_lost {
                self.pass_on(connection, &connection.client, &message.0)?;
            }
            answered += u64::from(is_ready);
        }
    }

    fn pass_on(
        &self,
        connection: &Connection,
        mut to: &UnixStream,
        bytes: &[u8],
    ) -> io::Result<()> {
        connection.wait_until_let_go();
        let mode = self.mode();
        if *mode == Mode::BlackHole || connection.has_gap.load(Ordering::SeqCst) {
            // Under the lock, so that `pass` finds every gap.
            connection.has_gap.store(true, Ordering::SeqCst);
            return Ok(());
        }
        // Not under the lock: a client that does not read must not stop everybody else.
        drop(mode);
        to.write_all(bytes)
    }
}

impl Connection {
    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().expect("no holder panics")
    }

    fn lose_next_answer(&self) {
        let mut answers = self.answers();
        answers.lost = Some(answers.asked);
    }

    fn hold(&self, is_held: bool) {
        *self.is_held.lock().expect("no holder panics") = is_held;
        self.let_go.notify_all();
    }

    fn wait_until_let_go(&self) {
        let is_held = self.is_held.lock().expect("no holder panics");
        let waited = self.let_go.wait_while(is_held, |is_held| *is_held);
        drop(waited.expect("no holder panics"));
    }

    fn close(&self) {
        self.hold(false);
        for side in [&self.client, &self.server] {
            side.shutdown(Shutdown::Both).ok();
        }
    }
}

/// The first message of a connection: length and code, no kind.
struct Start(Vec<u8>);

impl Start {
    fn code(&self) -> u32 {
        self.0.get(4..8).map_or(0, big_endian)
    }
}

/// Any later message: kind, length, content.
struct Message(Vec<u8>);

impl Message {
    fn kind(&self) -> u8 {
        self.0[0]
    }

    /// Whether this is a simple query of the one word; drivers send it so, psql with a semicolon.
    fn is_commit(&self) -> bool {
        let text = self.0[5..].trim_ascii_end();
        let text = text.strip_suffix(b"\0").unwrap_or(text).trim_ascii();
        let text = text.strip_suffix(b";").unwrap_or(text).trim_ascii();
        self.kind() == b'Q' && text.eq_ignore_ascii_case(b"COMMIT")
    }
}

fn read_start(from: &mut impl Read) -> io::Result<Start> {
    let mut bytes = Vec::new();
    read_counted(from, &mut bytes)?;
    Ok(Start(bytes))
}

fn read_message(from: &mut impl Read) -> io::Result<Message> {
    let mut bytes = vec![0];
    from.read_exact(&mut bytes)?;
    read_counted(from, &mut bytes)?;
    Ok(Message(bytes))
}

/// Reads a length, which counts itself, and what it counts.
fn read_counted(from: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    bytes.extend(length);
    let rest = u64::from(big_endian(&length)).saturating_sub(4);
    if from.take(rest).read_to_end(bytes)? as u64 != rest {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn big_endian(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::super::cluster::{Cluster, SUPERUSER, cluster};
    use super::*;

    fn behind_proxy(
        database: &str,
    ) -> (
        &'static Cluster,
        Proxy,
        impl Fn(&str) -> Result<String, String>,
    ) {
        let cluster = cluster();
        cluster.create_database(database, None, SUPERUSER);
        let proxy = Proxy::start(&cluster.socket());
        let url = proxy.url(SUPERUSER, database);
        let ask = move |sql: &str| cluster.psql_at(&url, sql);
        assert_eq!(ask("CREATE TABLE t (v int)").as_deref(), Ok(""));
        (cluster, proxy, ask)
    }

    #[test]
    fn lost_answer_leaves_a_committed_transaction() {
        let (cluster, proxy, ask) = behind_proxy("lost_answer");
        proxy.lose_commit_answer();
        let answer = ask("SELECT 'commit'; BEGIN; INSERT INTO t VALUES (1); COMMIT;");
        assert!(answer.is_err(), "{answer:?}");
        let rows = cluster.psql(SUPERUSER, "lost_answer", "SELECT v FROM t");
        assert_eq!(rows.as_deref(), Ok("1"));
        // Once only.
        assert_eq!(
            ask("BEGIN; INSERT INTO t VALUES (2); commit ;").as_deref(),
            Ok("")
        );
        let seen = Counts {
            connections: 3,
            commits: 2,
            lost: 1,
        };
        assert_eq!(proxy.counts(), seen);
    }

    #[test]
    fn lost_request_leaves_nothing() {
        let (_, proxy, ask) = behind_proxy("lost_request");
        proxy.lose_commit_request();
        let answer = ask("BEGIN; INSERT INTO t VALUES (1); COMMIT;");
        assert!(answer.is_err(), "{answer:?}");
        assert_eq!(
            ask("BEGIN; INSERT INTO t VALUES (2); COMMIT; SELECT v FROM t").as_deref(),
            Ok("2")
        );
        assert_eq!(proxy.counts().lost, 1);
    }

    #[test]
    fn black_hole_refusal_and_cut_end_with_pass() {
        let (_, proxy, ask) = behind_proxy("black_hole");
        proxy.black_hole();
        let answer = thread::scope(|scope| {
            let asking = scope.spawn(|| ask("SELECT 1"));
            while proxy.live() == 0
                || !proxy
                    .shared
                    .live()
                    .values()
                    .any(|c| c.has_gap.load(Ordering::SeqCst))
            {
                thread::yield_now();
            }
            assert!(!asking.is_finished());
            proxy.pass();
            asking.join().expect("psql ran")
        });
        assert!(answer.is_err(), "{answer:?}");

        let answer = thread::scope(|scope| {
            let asking = scope.spawn(|| ask("SELECT pg_sleep(60)"));
            while proxy.live() == 0 {
                thread::yield_now();
            }
            proxy.cut();
            asking.join().expect("psql ran")
        });
        assert!(answer.is_err(), "{answer:?}");

        let before = proxy.counts().connections;
        proxy.refuse();
        assert!(ask("SELECT 1").is_err());
        assert_eq!(proxy.counts().connections, before);
        proxy.pass();
        assert_eq!(ask("SELECT 1").as_deref(), Ok("1"));
    }
}

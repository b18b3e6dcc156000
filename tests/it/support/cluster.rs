//! A private database server for the tests: made from the installed binaries, reached through a socket only, gone with the
//! test process.
//!
//! The server's clock shows Pacific/Chatham (UTC+12:45 or +13:45), so that a time zone taken for granted shows up as a
//! wrong time. Nothing is flushed to the disk, which an operating-system crash would punish and a killed server does not.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};

/// The role that may do everything, with the database of the same name.
pub const SUPERUSER: &str = "postgres";

/// Not the usual 5432, so that a forgotten port shows up.
const PORT: u16 = 54_329;

const SETTINGS: &str = "
listen_addresses = ''
unix_socket_permissions = 0777
max_connections = 200
shared_buffers = 16MB
fsync = off
full_page_writes = off
synchronous_commit = on         # an answered COMMIT must outlive an immediate stop; without fsync this costs nothing
lc_messages = 'C'
timezone = 'Pacific/Chatham'
log_timezone = 'UTC'
";

/// Returns the cluster that all tests of this process share.
pub fn cluster() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(Cluster::start_private)
}

/// A database server with its own data and socket folder.
pub struct Cluster {
    programs: PathBuf,
    port: u16,
    server: Server,
}

impl Cluster {
    /// Makes and starts a cluster of one's own, which a test may stop as it likes; dropping it removes it.
    pub fn start_private() -> Self {
        let programs = programs_folder();
        let server = Server::in_new_folder(Signal::SIGQUIT);
        let mut cluster = Self {
            programs,
            port: PORT,
            server,
        };
        cluster.make_data();
        cluster.start();
        cluster
    }

    /// Starts the server and returns when it takes connections; also recovers what `stop_immediate` left behind.
    pub fn start(&mut self) {
        let is_ready = {
            let mut ask = self.client("pg_isready");
            ask.arg("-q").arg("-h").arg(self.socket_dir());
            ask.arg("-p").arg(self.port.to_string());
            ask
        };
        self.server.launch(
            &self.programs.join("postgres"),
            &[OsStr::new("-D"), self.data().as_os_str()],
            is_ready,
        );
    }

    /// Stops the server at once, in the middle of whatever it does, as `pg_ctl stop -m immediate` would.
    pub fn stop_immediate(&mut self) {
        self.server.stop();
    }

    /// Returns the address of a database as seen by a login.
    pub fn url(&self, login: &str, database: &str) -> String {
        socket_url(login, database, self.socket_dir(), self.port)
    }

    /// Returns the folder that holds the server's socket.
    pub fn socket_dir(&self) -> &Path {
        self.server.folder()
    }

    /// Returns the socket itself, for something that stands in front of it.
    pub fn socket(&self) -> PathBuf {
        socket_in(self.socket_dir(), self.port)
    }

    /// Returns the number in the socket's name; nothing listens on TCP.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Creates a role that may log in and nothing else, unless it is there already.
    pub fn create_login(&self, name: &str) {
        let name = identifier(name);
        self.administer(&format!(
            "DO $login$ BEGIN CREATE ROLE {name} LOGIN; \
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $login$"
        ));
    }

    /// Creates a database, empty or as a copy of a template that nobody is connected to.
    pub fn create_database(&self, name: &str, template: Option<&str>, owner: &str) {
        self.administer(&format!(
            "CREATE DATABASE {} TEMPLATE {} OWNER {}",
            identifier(name),
            identifier(template.unwrap_or("template0")),
            identifier(owner),
        ));
    }

    /// Runs SQL as a login and returns the bare rows, columns parted by `|`, or what went wrong.
    pub fn psql(&self, login: &str, database: &str, sql: &str) -> Result<String, String> {
        self.psql_at(&self.url(login, database), sql)
    }

    /// Runs SQL at any address, say that of a proxy; stops at the first error.
    ///
    /// Each statement travels on its own, so that `BEGIN; …; COMMIT;` sends a COMMIT by itself.
    pub fn psql_at(&self, url: &str, sql: &str) -> Result<String, String> {
        let mut child = self
            .client("psql")
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("psql does not start: {error}"));
        let mut input = child.stdin.take().expect("stdin is piped");
        let output = thread::scope(|scope| {
            // psql may give up before it has read everything; its own message says more than a broken pipe.
            scope.spawn(move || input.write_all(sql.as_bytes()).ok());
            child.wait_with_output().expect("psql is a child")
        });
        if output.status.success() {
            let rows = String::from_utf8_lossy(&output.stdout);
            Ok(rows.trim_end_matches('\n').to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    fn administer(&self, sql: &str) {
        if let Err(message) = self.psql(SUPERUSER, SUPERUSER, sql) {
            panic!("{sql}: {message}");
        }
    }

    fn data(&self) -> PathBuf {
        self.server.folder().join("data")
    }

    /// A client program, free of the `PG…` variables of whoever runs the tests.
    pub fn client(&self, program: &str) -> Command {
        let mut client = Command::new(self.programs.join(program));
        client.env_clear().env("PGCLIENTENCODING", "UTF8");
        client
    }

    fn make_data(&self) {
        let initdb = |locale: &str| {
            // Stopped half-way it would leave shared memory behind; it is soon done.
            let mut initdb = self.server.tracked(None, &self.programs.join("initdb"));
            initdb
                .arg("-D")
                .arg(self.data())
                .args(["-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"])
                .args([locale, "--no-sync", "--no-instructions"]);
            let made = initdb.output().expect("there is a sh");
            self.server.untrack();
            made
        };
        let mut made = initdb("--locale=C.UTF-8");
        if !made.status.success() {
            // Not every system knows C.UTF-8; a failed initdb leaves no folder behind.
            made = initdb("--locale=C");
        }
        let message = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "initdb failed: {message}");
        let socket = format!(
            "port = {}\nunix_socket_directories = '{}'\n",
            self.port,
            self.socket_dir().display()
        );
        File::options()
            .append(true)
            .open(self.data().join("postgresql.conf"))
            .and_then(|mut file| file.write_all((SETTINGS.to_owned() + &socket).as_bytes()))
            .expect("initdb wrote postgresql.conf");
    }
}

/// A server process in a folder of its own; both vanish with this value, or with the test process however that ends.
pub(super) struct Server {
    folder: PathBuf,
    stop: Signal,
    process: Option<Child>,
    watchdog: Child,
}

/// Waits until the pipe on its standard input closes, then stops the server and removes the folder.
///
/// Only the test process holds the other end (every child gets its own descriptors, the pipe is close-on-exec), and
/// the kernel closes it even after `kill -9`.
const WATCHDOG: &str = r#"
trap '' HUP INT QUIT TERM
while read -r _; do :; done
# In a container the dead may lie about for a while, because its first process buries nobody.
runs() { kill -s 0 "$pid" && ! { read -r _ _ state _ <"/proc/$pid/stat" && [ "$state" = Z ]; }; }
if read -r signal pid <"$1/pid" && kill -s "$signal" "$pid"; then
    tries=0
    while runs && [ $((tries += 1)) -le 200 ]; do sleep 0.05; done
    runs && kill -s KILL "$pid"
fi
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf "$1" && break
    sleep 0.1
done
"#;

/// Writes down what to send to whom, then becomes the program: the watchdog must know before there is something to stop.
const TRACK: &str = r#"echo "$1 $$" >pid && shift && exec "$@""#;

impl Server {
    /// Makes the folder and sets the watchdog on it; `stop` is the signal that ends the server at once.
    pub(super) fn in_new_folder(stop: Signal) -> Self {
        let folder = short_folder();
        let mut watchdog = Command::new("sh");
        watchdog
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(folder.path())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        let watchdog = watchdog.spawn().expect("there is a sh");
        Self {
            folder: folder.keep(),
            stop,
            process: None,
            watchdog,
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command that runs in the folder as the folder's owner, with nothing but PATH in its environment.
    ///
    /// It is in a process group of its own (ctrl-c is for the tests) and known to the watchdog, which waits for its end
    /// after the signal; `None` lets it finish.
    fn tracked(&self, stop: Option<Signal>, program: &Path) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", TRACK, "track"])
            .arg(stop.map_or("0", |signal| signal.as_str().trim_start_matches("SIG")))
            .arg(program)
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .env("LC_ALL", "C")
            .env("HOME", &self.folder)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .process_group(0);
        if let Some(user) = unprivileged_user() {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    /// The number may belong to anybody once its process is waited for.
    fn untrack(&self) {
        fs::remove_file(self.folder.join("pid")).ok();
    }

    /// Starts the server and waits until `is_ready` succeeds.
    pub(super) fn launch(&mut self, program: &Path, arguments: &[&OsStr], mut is_ready: Command) {
        assert!(self.process.is_none(), "the server runs already");
        let log_path = self.folder.join("log");
        let log = File::options().create(true).append(true).open(&log_path);
        let log = log.expect("the folder is writable");
        let mut launch = self.tracked(Some(self.stop), program);
        launch
            .args(arguments)
            .stdout(log.try_clone().expect("a descriptor is free"))
            .stderr(log);
        let process = self.process.insert(launch.spawn().expect("there is a sh"));
        is_ready.stdin(Stdio::null()).stdout(Stdio::null());
        is_ready.stderr(Stdio::null());
        let begun = Instant::now();
        while !is_ready.status().is_ok_and(|status| status.success()) {
            let ended = process.try_wait().expect("the server is a child");
            if ended.is_some() || begun.elapsed() > Duration::from_mins(1) {
                self.stop();
                let log = fs::read_to_string(&log_path).unwrap_or_default();
                panic!("{} does not start:\n{log}", program.display());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops the server at once and waits for its end; does nothing when it is stopped already.
    pub(super) fn stop(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        let pid = i32::try_from(process.id()).expect("process numbers are small");
        if process.try_wait().is_ok_and(|ended| ended.is_none()) {
            kill(Pid::from_raw(pid), self.stop).ok();
        }
        process.wait().expect("the server is a child");
        self.untrack();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        drop(self.watchdog.stdin.take());
        self.watchdog.wait().ok();
    }
}

/// Writes an address that sqlx and libpq read alike.
pub(super) fn socket_url(login: &str, database: &str, folder: &Path, port: u16) -> String {
    let folder = folder.display();
    let (login, database) = (percent_encoded(login), percent_encoded(database));
    format!("postgres://{login}@localhost:{port}/{database}?host={folder}")
}

/// Returns the path at which clients look for a server's socket.
pub(super) fn socket_in(folder: &Path, port: u16) -> PathBuf {
    folder.join(format!(".s.PGSQL.{port}"))
}

/// Makes a folder whose name leaves room for a socket's (a socket's path ends after some 100 bytes), owned by the user
/// the servers run as and open to every other.
pub(super) fn short_folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new()
        .prefix("govdeck-")
        .tempdir_in("/tmp")
        .expect("/tmp is writable");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("the folder is ours");
    if let Some(user) = unprivileged_user() {
        let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
        chown(folder.path(), Some(uid), Some(gid)).expect("root may give a folder away");
    }
    folder
}

/// Returns whom to run servers as: they refuse to be root.
fn unprivileged_user() -> Option<User> {
    if !geteuid().is_root() {
        return None;
    }
    let user = ["postgres", "nobody"]
        .iter()
        .find_map(|name| User::from_name(name).ok().flatten());
    Some(user.expect("there is a user postgres or nobody to run servers as"))
}

/// Finds the folder of the server's programs: on PATH, else the newest version where distributions put them.
fn programs_folder() -> PathBuf {
    let is_complete = |folder: &PathBuf| {
        let programs = ["initdb", "postgres", "pg_isready", "psql"];
        programs.iter().all(|name| folder.join(name).is_file())
    };
    let path = env::var_os("PATH").unwrap_or_default();
    if let Some(folder) = env::split_paths(&path).find(is_complete) {
        return folder;
    }
    let mut installed: Vec<(u32, PathBuf)> = [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/usr/libexec", "postgresql", ""),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
        ("/usr/local/opt", "postgresql@", "bin"),
        ("/usr/local", "pgsql", "bin"),
    ]
    .iter()
    .flat_map(|(parent, prefix, bin)| versions_in(Path::new(parent), prefix, bin))
    .filter(|(_, folder)| is_complete(folder))
    .collect();
    installed.sort();
    let (_, folder) = installed.pop().expect(
        "PostgreSQL's server programs are neither on PATH nor where distributions put them: run scripts/test, which \
         installs them",
    );
    folder
}

fn versions_in(parent: &Path, prefix: &str, bin: &str) -> Vec<(u32, PathBuf)> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix(prefix)?;
            // A name without a version is the odd self-built one: last choice.
            let version = version
                .parse()
                .or(if version.is_empty() { Ok(0) } else { Err(()) });
            Some((version.ok()?, entry.path().join(bin)))
        })
        .collect()
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn percent_encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;

    const OWNER_TO_KILL: &str = "GOVDECK_TEST_OWNER_TO_KILL";

    #[test]
    fn cluster_serves_logins_and_databases() {
        let cluster = cluster();
        cluster.create_login("o'brien \"x\"");
        cluster.create_login("o'brien \"x\"");
        cluster.create_database("a/b ä", None, "o'brien \"x\"");
        let sql = "CREATE TABLE t (v int); INSERT INTO t VALUES (1), (2); SELECT v, session_user FROM t ORDER BY v";
        let rows = cluster.psql("o'brien \"x\"", "a/b ä", sql);
        assert_eq!(rows.as_deref(), Ok("1|o'brien \"x\"\n2|o'brien \"x\""));
        cluster.create_database("copy", Some("a/b ä"), SUPERUSER);
        assert_eq!(
            cluster
                .psql(SUPERUSER, "copy", "SELECT count(*) FROM t")
                .as_deref(),
            Ok("2")
        );
        let zone = cluster.psql(SUPERUSER, SUPERUSER, "SHOW timezone");
        assert_eq!(zone.as_deref(), Ok("Pacific/Chatham"));
        let refused = cluster.psql(SUPERUSER, SUPERUSER, "SELECT 1; SELECT nonsense; SELECT 2");
        assert!(refused.is_err_and(|message| message.contains("nonsense")));
    }

    #[test]
    fn private_cluster_keeps_what_was_committed_before_an_immediate_stop() {
        let mut cluster = Cluster::start_private();
        let url = cluster.url(SUPERUSER, SUPERUSER);
        assert!(
            cluster
                .psql_at(
                    &url,
                    "CREATE TABLE kept (v int); INSERT INTO kept VALUES (1)"
                )
                .is_ok()
        );
        cluster.stop_immediate();
        assert!(cluster.psql_at(&url, "SELECT 1").is_err());
        cluster.start();
        assert_eq!(
            cluster.psql_at(&url, "SELECT v FROM kept").as_deref(),
            Ok("1")
        );
        let folder = cluster.socket_dir().to_owned();
        drop(cluster);
        assert!(!folder.exists());
    }

    /// Not a test by itself: the process that the next test kills.
    #[test]
    fn owner_that_waits_to_be_killed() {
        if env::var_os(OWNER_TO_KILL).is_some() {
            let cluster = Cluster::start_private();
            // A bystander that outlives its parent must not keep the watchdog's pipe open.
            let mut bystander = Command::new("sleep")
                .arg("60")
                .stdout(Stdio::null())
                .spawn()
                .expect("there is a sleep");
            let folder = cluster.socket_dir();
            let tracked = fs::read_to_string(folder.join("pid")).expect("the server runs");
            let postmaster = tracked.trim().trim_start_matches("QUIT ");
            let folder = folder.display();
            println!("\nowner: {folder} {postmaster} {}", bystander.id());
            bystander.wait().expect("the bystander is a child");
        }
    }

    #[test]
    fn server_and_folder_vanish_when_their_owner_is_killed() {
        let mut owner = Command::new(env::current_exe().expect("a test is a program"))
            .args(["--exact", "--nocapture"])
            .arg(
                concat!(module_path!(), "::owner_that_waits_to_be_killed")
                    .split_once("::")
                    .expect("a path")
                    .1,
            )
            .env(OWNER_TO_KILL, "yes")
            .stdout(Stdio::piped())
            .spawn()
            .expect("a test program starts");
        let lines = BufReader::new(owner.stdout.take().expect("stdout is piped")).lines();
        let said = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("owner: ").map(str::to_owned));
        let said = said.expect("the owner starts a cluster");
        let [folder, postmaster, bystander] = said.split(' ').collect::<Vec<_>>()[..] else {
            panic!("the owner said {said:?}");
        };
        let is_alive =
            |pid: &str| kill(Pid::from_raw(pid.parse().expect("a number")), None).is_ok();
        assert!(Path::new(folder).join("data").exists() && is_alive(postmaster));
        owner.kill().expect("the owner runs");
        owner.wait().expect("the owner is a child");
        let killed = Instant::now();
        while Path::new(folder).exists() || is_alive(postmaster) {
            assert!(
                killed.elapsed() < Duration::from_secs(10),
                "{said} is still there"
            );
            thread::sleep(Duration::from_millis(10));
        }
        assert!(is_alive(bystander));
        kill(
            Pid::from_raw(bystander.parse().expect("a number")),
            Signal::SIGKILL,
        )
        .expect("it is ours");
    }
}

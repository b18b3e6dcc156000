//! A private Redis server for the tests, with `FalkorDB` in it where that engine is installed: on a socket only, gone with
//! the test process.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;

use super::cluster::Server;

/// Where installations put the engine; `GOVDECK_TEST_FALKORDB` names it elsewhere.
const ENGINES: [&str; 3] = [
    "/usr/lib/redis/modules/falkordb.so",
    "/usr/lib/falkordb/falkordb.so",
    "/var/lib/falkordb/bin/falkordb.so",
];

/// A server with its own socket.
pub struct Redis {
    server: Server,
}

impl Redis {
    /// Starts the distribution's server, with a password when one is given.
    pub fn start(password: Option<&str>) -> Self {
        let mut words = Vec::new();
        if let Some(password) = password {
            words.extend(["--requirepass", password].map(OsString::from));
        }
        Self::launch(&program("redis-server"), words)
    }

    /// Starts a server with the graph engine in it; none, and a line that nobody can miss, where it is not installed.
    pub fn with_graphs(test: &str) -> Option<Self> {
        let named = env::var_os("GOVDECK_TEST_FALKORDB").map(PathBuf::from);
        let usual = ENGINES.iter().map(PathBuf::from);
        let Some(engine) = named.into_iter().chain(usual).find(|path| path.is_file()) else {
            // Not by a macro, whose lines are swallowed when a test passes.
            let line = format!(
                "\nNOT RUN: {test}: FalkorDB is not installed (GOVDECK_TEST_FALKORDB names its module)\n"
            );
            std::io::stderr().write_all(line.as_bytes()).ok();
            return None;
        };
        let server = env::var_os("GOVDECK_TEST_FALKORDB_SERVER").map(PathBuf::from);
        let server = server.unwrap_or_else(|| program("redis-server"));
        let words = vec!["--loadmodule".into(), engine.into_os_string()];
        Some(Self::launch(&server, words))
    }

    fn launch(program_path: &Path, more: Vec<OsString>) -> Self {
        let server = Server::in_new_folder(Signal::SIGKILL);
        let socket = server.folder().join("redis.sock");
        let mut words: Vec<OsString> = [
            "--port",
            "0",
            "--save",
            "",
            "--appendonly",
            "no",
            "--unixsocketperm",
            "777",
        ]
        .map(OsString::from)
        .into();
        words.extend(["--unixsocket".into(), socket.clone().into_os_string()]);
        words.extend(more);
        let words: Vec<&OsStr> = words.iter().map(OsString::as_os_str).collect();
        let mut is_ready = Command::new(program("redis-cli"));
        is_ready.env_clear().arg("-s").arg(&socket).arg("PING");
        let mut redis = Self { server };
        redis.server.launch(program_path, &words, is_ready);
        redis
    }

    /// Returns the path of the socket.
    pub fn socket(&self) -> PathBuf {
        self.server.folder().join("redis.sock")
    }

    /// Returns the address of a graph; `credentials` are `user:password@` or nothing.
    pub fn address(&self, credentials: &str, graph: &str) -> String {
        format!(
            "falkor://{credentials}/{graph}?socket={}",
            self.socket().display()
        )
    }

    /// Sends one command with the client of the distribution and returns what it prints.
    pub fn command(&self, words: &[&str]) -> String {
        let mut client = Command::new(program("redis-cli"));
        client.env_clear().arg("-s").arg(self.socket()).args(words);
        let output = client.output().expect("redis-cli is installed");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

fn program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/bin", "/usr/sbin", "/usr/local/bin"].map(PathBuf::from);
    let found = env::split_paths(&path)
        .chain(more)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not installed: run scripts/test, which installs it"))
}

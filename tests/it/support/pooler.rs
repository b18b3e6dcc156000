//! A real `pgbouncer` in transaction pooling mode: consecutive transactions of one client land on different sessions.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::{env, iter};

use nix::sys::signal::Signal;

use super::cluster::{Cluster, SUPERUSER, Server, socket_in, socket_url};

const PORT: u16 = 64_329;

/// A connection pooler in front of a cluster; dropping it stops it.
pub struct Pooler {
    server: Server,
}

impl Pooler {
    /// Starts a pooler that hands every client's login through and keeps two sessions per login and database.
    ///
    /// It skips `extra_float_digits`, which sqlx and most drivers send and a pooler refuses unless told otherwise; any
    /// other unusual start-up parameter (`options`, say) is refused, as in the field.
    pub fn start(cluster: &Cluster) -> Self {
        let program = program();
        // Nothing of a pooler is worth a tidy end, and its signals changed their meaning between versions.
        let mut server = Server::in_new_folder(Signal::SIGKILL);
        let folder = server.folder().to_owned();
        let logins = folder.join("logins");
        let settings = folder.join("pgbouncer.ini");
        fs::write(&logins, format!("\"{SUPERUSER}\" \"\"\n")).expect("the folder is writable");
        fs::write(&settings, written_settings(cluster, &folder, &logins)).expect("still writable");
        let is_ready = {
            let mut ask = cluster.client("psql");
            ask.args(["-X", "-q", "-c", "SELECT 1", "-d"]);
            ask.arg(socket_url(SUPERUSER, SUPERUSER, &folder, PORT));
            ask
        };
        let arguments = [OsStr::new("-q"), settings.as_os_str()];
        server.launch(&program, &arguments, is_ready);
        Self { server }
    }

    /// Returns the address of a database behind the pooler, as seen by a login.
    pub fn url(&self, login: &str, database: &str) -> String {
        socket_url(login, database, self.server.folder(), PORT)
    }

    /// Returns the pooler's socket, for something that stands in front of it.
    pub fn socket(&self) -> PathBuf {
        socket_in(self.server.folder(), PORT)
    }
}

fn written_settings(cluster: &Cluster, folder: &Path, logins: &Path) -> String {
    format!(
        "[databases]
* = host={upstream} port={upstream_port}

[pgbouncer]
listen_addr =
listen_port = {PORT}
unix_socket_dir = {folder}
unix_socket_mode = 0777
auth_type = trust
auth_file = {logins}
auth_user = {SUPERUSER}
auth_query = SELECT rolname, ''::text FROM pg_catalog.pg_roles WHERE rolname = $1
pool_mode = transaction
default_pool_size = 2
max_client_conn = 500
ignore_startup_parameters = extra_float_digits
",
        upstream = cluster.socket_dir().display(),
        upstream_port = cluster.port(),
        folder = folder.display(),
        logins = logins.display(),
    )
}

/// Finds `pgbouncer`; `/usr/sbin` is often not on the PATH of someone who is not root.
fn program() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(iter::once(PathBuf::from("/usr/sbin")))
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.is_file())
        .expect(
            "pgbouncer is neither on PATH nor in /usr/sbin: run scripts/test, which installs it",
        )
}

#[cfg(test)]
mod tests {
    use super::super::cluster::cluster;
    use super::*;

    #[test]
    fn pooler_keeps_the_login_and_shares_sessions() {
        let cluster = cluster();
        cluster.create_login("pooled");
        cluster.create_database("pooled", None, "pooled");
        let pooler = Pooler::start(cluster);
        assert!(pooler.socket().exists());
        let url = pooler.url("pooled", "pooled");
        assert_eq!(
            cluster.psql_at(&url, "SELECT session_user").as_deref(),
            Ok("pooled")
        );

        // Three clients at once, two sessions: the third waits for the first transaction that ends.
        let sessions = std::thread::scope(|scope| {
            let ask = || {
                cluster.psql_at(
                    &url,
                    "BEGIN; SELECT pg_sleep(0.2); SELECT pg_backend_pid(); COMMIT;",
                )
            };
            let clients: Vec<_> = (0..3).map(|_| scope.spawn(ask)).collect();
            let answers = clients
                .into_iter()
                .map(|client| client.join().expect("psql ran"));
            answers.collect::<Result<std::collections::BTreeSet<_>, _>>()
        });
        assert_eq!(sessions.map(|pids| pids.len()), Ok(2));

        let unknown = cluster.psql_at(&pooler.url("nobody at all", "pooled"), "SELECT 1");
        assert!(unknown.is_err(), "{unknown:?}");
    }
}

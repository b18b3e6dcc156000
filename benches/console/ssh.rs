//! A server for SSH on loopback, with keys of its own; it ends with whoever started it.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where distributions put it; it wants to be started by its whole path.
const SERVERS: [&str; 2] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"];
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Ssh {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Ssh {
    /// Starts it; none where it is not installed, or does not start here.
    pub(super) fn start(home: &Path) -> io::Result<Option<Self>> {
        let Some(server) = SERVERS.into_iter().find(|it| Path::new(it).exists()) else {
            return Ok(None);
        };
        let folder = home.join("ssh");
        fs::create_dir_all(&folder)?;
        if nix::unistd::geteuid().is_root() {
            fs::create_dir_all("/run/sshd")?;
        }
        for name in ["host", "key"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(folder.join(name))
                .status()?;
            assert!(made.success(), "a key");
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let file = |name: &str| folder.join(name).display().to_string();
        let settings = [
            "ListenAddress 127.0.0.1".to_owned(),
            format!("Port {port}"),
            format!("HostKey {}", file("host")),
            format!("AuthorizedKeysFile {}", file("key.pub")),
            "PidFile none".to_owned(),
            "PermitRootLogin prohibit-password".to_owned(),
            "StrictModes no".to_owned(),
            "UsePAM no".to_owned(),
        ];
        fs::write(folder.join("sshd_config"), settings.join("\n") + "\n")?;
        let child = Command::new(server)
            .args(["-D", "-e", "-f"])
            .arg(folder.join("sshd_config"))
            .stderr(Stdio::null())
            .spawn()?;
        let mut ssh = Self {
            child,
            folder,
            port,
        };
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if ssh.child.try_wait()?.is_some() || begun.elapsed() > PATIENCE {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Some(ssh))
    }

    /// Has a command run at the other end, in a terminal of its own.
    pub(super) fn through(&self, inside: &Command) -> Command {
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid());
        let user = user.ok().flatten().expect("an account").name;
        let mut ssh = Command::new("ssh");
        ssh.args(["-tt", "-q", "-F", "none", "-i"])
            .arg(self.folder.join("key"))
            .args(["-p", &self.port.to_string()])
            .args([
                "-o",
                "StrictHostKeyChecking=no",
                "-o",
                "UserKnownHostsFile=/dev/null",
            ])
            .arg(format!("{user}@127.0.0.1"))
            .arg("env");
        for (name, value) in inside.get_envs() {
            let Some(value) = value else { continue };
            ssh.arg(format!("{}={}", name.display(), value.display()));
            ssh.env(name, value);
        }
        ssh.arg(inside.get_program()).args(inside.get_args());
        ssh
    }
}

impl Drop for Ssh {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! A relay of the distribution's for the tests, on loopback only, gone with the test process.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The distribution's own Python, which finds the distribution's packages.
const PYTHON: &str = "/usr/bin/python3";
const SCRIPT: &str = include_str!("mail.py");

/// A relay.
pub struct Relay {
    child: Child,
    /// What keeps it running: it ends when this is closed, also by the end of the test process.
    _stays: Option<ChildStdin>,
    folder: TempDir,
    pub port: u16,
}

impl Relay {
    /// Starts one that takes letters, or does something else with them.
    pub fn start(manner: &str) -> Self {
        Self::with(manner, None)
    }

    /// Starts one that speaks TLS, from the first byte on or when asked, and wants a password.
    pub fn secured(how: &str) -> Self {
        Self::with("take", Some(how))
    }

    fn with(manner: &str, tls: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("the temp folder is writable");
        let script = folder.path().join("mail.py");
        fs::write(&script, SCRIPT).expect("ours");
        let mut command = Command::new(PYTHON);
        command.arg(&script).arg(manner).arg(folder.path());
        if let Some(how) = tls {
            let (certificate, key) = certificate(folder.path());
            command.arg(certificate).arg(key).arg(how);
        }
        let mut child = command
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a Python; scripts/test installs python3-aiosmtpd");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("text");
        Self {
            port: line.trim().parse().expect("a port: is aiosmtpd there?"),
            _stays: child.stdin.take(),
            child,
            folder,
        }
    }

    /// The certificate that its own is signed by: itself.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// The letters that it took.
    pub fn letters(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.path().join("letters")).unwrap_or_default();
        let read = |line: &str| serde_json::from_str(line).expect("one JSON document a line");
        text.lines().map(read).collect()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Makes a certificate for localhost, signed by itself, and its key.
pub fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .stderr(Stdio::null())
        .status();
    assert!(made.expect("there is an openssl").success());
    (certificate, key)
}

//! Fills a fork on a server: `pg_dump` of the ledger's database into `pg_restore` of the fork's.
//!
//! How to log in stands in a file that only its owner may read: neither arguments nor variables hold a password of ours.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::folder::{Folder, private};
use crate::rules::text::{scrub, shorten};
use crate::settings::Dsn;
use crate::store::{Failure, StoreError};

const PAUSE: Duration = Duration::from_millis(20);
/// What a child sees of our own environment, besides what libpq reads of it where an address leaves something out.
const ENVIRONMENT: &[&str] = &["PATH", "HOME", "LANG", "TZ"];
const DUMP: &[&str] = &[
    "--format=custom",
    "--compress=0",
    "--no-owner",
    "--no-privileges",
    "--no-comments",
    "--no-publications",
    "--no-subscriptions",
    "--no-security-labels",
    "--no-tablespaces",
    "--no-password",
    "--dbname=service=ledger",
];
const RESTORE: &[&str] = &[
    "--exit-on-error",
    "--single-transaction",
    "--no-owner",
    "--no-privileges",
    "--no-comments",
    "--no-password",
    "--dbname=service=fork",
];

/// A process that does not outlive us.
struct Running {
    program: &'static str,
    child: Child,
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, and that is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies everything of one database into another, which is empty.
pub(super) async fn fill(folder: &Folder, ledger: &Dsn, fork: &Dsn) -> Result<(), StoreError> {
    let folder = folder.path();
    let mut dump = start(folder, ledger, fork, Stdio::null())?;
    let piped = dump.child.stdout.take().map_or(Stdio::null(), Stdio::from);
    let mut restore = start_program(folder, "pg_restore", RESTORE, (piped, Stdio::null()))?;
    let restored = ended(&mut restore).await?;
    let dumped = ended(&mut dump).await?;
    // A dump that broke off breaks the other too, and says why.
    for (program, status) in [("pg_dump", dumped), ("pg_restore", restored)] {
        if !status.success() {
            return Err(broke(program, &last_line(folder, program)));
        }
    }
    Ok(())
}

fn start(folder: &Path, ledger: &Dsn, fork: &Dsn, input: Stdio) -> Result<Running, StoreError> {
    let mut services = String::new();
    for (service, dsn) in [("ledger", ledger), ("fork", fork)] {
        services.push_str(&format!("[{service}]\n"));
        for (name, value) in dsn.expose_keywords() {
            services.push_str(&format!("{name}={value}\n"));
        }
    }
    let path = folder.join("services");
    let written = private(&path).and_then(|mut file| file.write_all(services.as_bytes()));
    written.map_err(|error| broke("pg_dump", &error.to_string()))?;
    start_program(folder, "pg_dump", DUMP, (input, Stdio::piped()))
}

fn start_program(
    folder: &Path,
    program: &'static str,
    arguments: &[&str],
    (input, output): (Stdio, Stdio),
) -> Result<Running, StoreError> {
    let complaints = private(&folder.join(program));
    let complaints = complaints.map_err(|error| broke(program, &error.to_string()))?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    let of_libpq = |name: &str| name.starts_with("PG") && !name.starts_with("PGSERVICE");
    for (name, value) in std::env::vars_os() {
        let wanted = name
            .to_str()
            .is_some_and(|name| ENVIRONMENT.contains(&name) || of_libpq(name));
        if wanted {
            command.env(name, value);
        }
    }
    command.env("PGSERVICEFILE", folder.join("services"));
    command
        .stdin(input)
        .stdout(output)
        .stderr(Stdio::from(complaints));
    let child = command.spawn().map_err(|error| {
        StoreError::new(
            Failure::Unreachable,
            format!("{program} does not start: {error}"),
            "install PostgreSQL's client programs, of the server's version or later, and have them on PATH",
        )
    })?;
    Ok(Running { program, child })
}

async fn ended(running: &mut Running) -> Result<ExitStatus, StoreError> {
    loop {
        match running.child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(broke(running.program, &error.to_string())),
        }
    }
}

fn last_line(folder: &Path, program: &str) -> String {
    let said = fs::read(folder.join(program)).unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    let line = said.lines().rev().find(|line| !line.trim().is_empty());
    line.map_or_else(
        || "it said nothing".to_owned(),
        |line| shorten(&scrub(line.trim()), 300).into_owned(),
    )
}

fn broke(program: &str, why: &str) -> StoreError {
    StoreError::new(
        Failure::Unreachable,
        format!("the fork cannot be filled: {program}: {why}"),
        "the login of `dsn` reads every table, that of `rehearsal_dsn` makes them; the programs are as new as the server",
    )
}

//! `govdeck bundle driver` speaks the drivers that govdeck ships; `bundle driver-test` tries any driver.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use super::page::{Exit, Failure, Page};
use super::runtime;
use crate::bundles::driver::graph::Cypher;
use crate::bundles::driver::search::Search;
use crate::bundles::driver::speak::{Engine, speak};
use crate::bundles::driver::{
    Bounds, Change, Check, Driver, DriverCommand, DriverError, Secrets, Trouble, conformance,
};
use crate::bundles::folder::Folder;
use crate::rules::Verdict;
use crate::rules::bundle::{DECLARATION_FILE, Declared, Entry, Finding, Kind};

/// How much an answer may be while a driver is tried.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The largest declaration that is looked into; a smaller limit says why it is refused.
const MOST_READ_BYTES: u64 = 16 * 1024 * 1024;

/// The drivers that govdeck ships.
#[derive(Debug, Subcommand)]
pub(super) enum Shipped {
    /// Answer one request about search indexes on PostgreSQL full text.
    Search,
    /// Answer one request about a graph in a Cypher store that speaks the Redis protocol.
    Graph,
}

impl Shipped {
    pub(super) fn run(&self) -> Result<Page, Failure> {
        match self {
            Self::Search => spoken(&Search),
            Self::Graph => spoken(&Cypher),
        }
    }
}

fn spoken(engine: &impl Engine) -> Result<Page, Failure> {
    let mut answer = Vec::new();
    speak(engine, io::stdin().lock(), &mut answer).map_err(|error| {
        Failure::new(
            Exit::BadInput,
            format!("the request cannot be read: {error}"),
            "hand one request of govdeck.bundle-driver.v1 to the standard input",
        )
    })?;
    Ok(Page::raw(answer))
}

/// Try a driver: what every driver must do, and with a bundle what it must do to a store.
#[derive(Debug, Args)]
pub(super) struct DriverTest {
    /// Make this bundle's change and take it back, on the store that its secret leads to; use one that may be changed.
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// Without a bundle: the kind of store that the driver must know.
    #[arg(
        long,
        value_name = "KIND",
        default_value = "other",
        conflicts_with = "bundle"
    )]
    kind: Kind,
    /// How many seconds the driver has for each answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// The driver's program and its words; `govdeck` stands for this program.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CMD"
    )]
    command: Vec<String>,
}

impl DriverTest {
    pub(super) fn run(self) -> Result<Page, Failure> {
        let command = DriverCommand::of_words(&self.command)?;
        let bundle = self.bundle.as_deref().map(read).transpose()?;
        let kind = bundle.as_ref().map_or(self.kind, |(kind, ..)| *kind);
        let names = bundle.as_ref().map_or(&[][..], |(_, names, _)| names);
        let secrets = Secrets::from_environment(names)?;
        let driver = Driver::new(command, kind, secrets).within(Bounds {
            time: Duration::from_secs(self.seconds),
            bytes: MOST_BYTES,
        });
        let change = bundle.as_ref().map(|(_, _, change)| change);
        let checks = runtime()?.block_on(conformance(&driver, change));
        Ok(page(&checks))
    }
}

/// Reads the kind, the names of the secrets and the change of a bundle.
fn read(path: &Path) -> Result<(Kind, Vec<String>, Change), Failure> {
    let folder = Folder::open(path).map_err(|error| Failure::of_file(path, &error))?;
    let refuse = |what: String| {
        Failure::new(
            Exit::BadInput,
            format!("{}: {what}", path.display()),
            "`govdeck bundle check` says all that is wrong with a bundle",
        )
    };
    let Some(Entry::File(bytes)) = folder.file(DECLARATION_FILE, MOST_READ_BYTES) else {
        return Err(refuse(format!("{DECLARATION_FILE} cannot be read")));
    };
    let first = |found: &[Finding]| {
        let detail = found.first().map_or("", |finding| &finding.detail);
        refuse(format!("{DECLARATION_FILE}: {detail}"))
    };
    let declared = Declared::read(&bytes).map_err(|found| first(&found))?;
    let faults = declared.faults();
    if !faults.is_empty() {
        return Err(first(&faults));
    }
    let declaration = declared.declaration;
    let change = Change::read(&declaration, &folder).map_err(refuse)?;
    Ok((declaration.kind, declaration.runner.environment, change))
}

fn page(checks: &[Check]) -> Page {
    let word = |verdict| match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "FAIL",
        Verdict::CannotTell => "not run",
    };
    let mut lines: Vec<String> = checks
        .iter()
        .map(|check| {
            format!(
                "{:<7} {}: {}",
                word(check.verdict),
                check.name,
                check.detail
            )
        })
        .collect();
    let count = |verdict| {
        checks
            .iter()
            .filter(|check| check.verdict == verdict)
            .count()
    };
    lines.push(format!(
        "{} checks: {} pass, {} fail, {} not run",
        checks.len(),
        count(Verdict::Pass),
        count(Verdict::Fail),
        count(Verdict::CannotTell)
    ));
    let verdict = Verdict::all(checks.iter().map(|check| check.verdict));
    let each: Vec<_> = checks
        .iter()
        .map(|c| json!({"name": c.name, "verdict": c.verdict, "detail": c.detail}))
        .collect();
    let json = json!({"verdict": verdict, "checks": each});
    Page::new(Exit::from(verdict), lines, "bundle-driver-test", json)
}

impl From<DriverError> for Failure {
    fn from(error: DriverError) -> Self {
        let exit = match error.trouble {
            Trouble::NotConfigured => Exit::BadInput,
            _ => Exit::CannotTell,
        };
        Self::new(exit, error.sentence, error.hint)
    }
}

//! A command that a plan names: found in the settings, run without a shell, its output kept.

use std::env;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Found;
use crate::bundles::driver::{Beyond, Bounds, DriverCommand, Ended, Fault, Leash, run_in};
use crate::rules::bundle::scan;
use crate::rules::migration::hour::{Step, StepState};
use crate::rules::text::{scrub, shorten};
use crate::store::migration::Migration;

/// How much of a command's output is kept.
const KEPT: usize = 256 * 1024;
/// What a command sees of govdeck's own environment.
const ENVIRONMENT: &[&str] = &["PATH", "HOME", "LANG"];

/// What may be run: the settings' `NAME=COMMAND`.
#[derive(Debug, Clone, Default)]
pub struct Commands(pub Vec<String>);

impl Commands {
    pub(in crate::jobs) fn find(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().filter_map(|line| line.split_once('='));
        let mut named = named.filter(|(named, _)| *named == name);
        named.next().map(|(_, command)| command)
    }
}

/// What a command is run for.
pub(super) struct Order<'a> {
    pub(super) migration: &'a Migration,
    pub(super) step: Step,
    pub(super) attempt: i64,
    pub(super) name: &'a str,
    pub(super) minutes: u64,
}

/// Runs a command; whatever becomes of it is found, and nothing else is left of it. Whoever drops this ends the command.
pub(super) async fn run(commands: &Commands, order: &Order<'_>) -> Found {
    let name = order.name;
    let Some(line) = commands.find(name) else {
        return Found::failed(
            format!("the settings here name no command {name:?}: add it to hour_commands"),
            json!({"command": name}),
        );
    };
    let command = match DriverCommand::parse(line) {
        Ok(command) => command,
        Err(error) => {
            return Found::failed(
                format!("{name} cannot be run: {}", error.sentence),
                json!({"command": name}),
            );
        }
    };
    let input = json!({
        "schema": "govdeck.hour-command.v1",
        "migration_id": order.migration.migration_id,
        "from_semver": order.migration.from_semver,
        "to_semver": order.migration.to_semver,
        "step": order.step.word(),
        "attempt": order.attempt,
    });
    let bounds = Bounds {
        time: Duration::from_mins(order.minutes),
        bytes: KEPT,
    };
    let environment: Vec<(&str, String)> = ENVIRONMENT
        .iter()
        .filter_map(|name| Some((*name, env::var(name).ok()?)))
        .collect();
    let begun = Instant::now();
    let leash = Leash::default();
    let let_go = leash.end();
    let running = tokio::task::spawn_blocking(move || {
        let environment = environment.iter().map(|(name, value)| (*name, &**value));
        let input = input.to_string().into_bytes();
        run_in(
            &command,
            environment,
            input,
            (bounds, Beyond::Dropped),
            &let_go,
        )
    });
    let ended = running.await;
    let took = begun.elapsed().as_secs();
    match ended {
        Ok(Ok(ended)) => judged(name, &ended, took),
        Ok(Err(fault)) => Found::failed(
            format!("{name}: {}", said(&fault, order.minutes)),
            json!({"command": name, "took_seconds": took}),
        ),
        Err(_) => Found::failed(format!("{name} ended early"), json!({"command": name})),
    }
}

fn judged(name: &str, ended: &Ended, took: u64) -> Found {
    let (output, complaint) = (kept(&ended.stdout), kept(&ended.stderr));
    let last = |text: &str| {
        let line = text.lines().rev().find(|line| !line.trim().is_empty());
        line.map(|line| shorten(&scrub(line.trim()), 200).into_owned())
    };
    let document = json!({
        "command": name,
        "exit": ended.status.code(),
        "took_seconds": took,
        "stdout": output,
        "stdout_is_whole": ended.stdout.len() < KEPT,
        "stderr": complaint,
        "stderr_is_whole": ended.stderr.len() < KEPT,
    });
    let complained = last(&complaint);
    let (state, detail) = match (ended.status.code(), complained) {
        (Some(0), None) => (
            StepState::Done,
            format!(
                "{name}: {}",
                last(&output)
                    .as_deref()
                    .unwrap_or("ended well, and said nothing")
            ),
        ),
        (Some(0), Some(complaint)) => (
            StepState::DoneWithWarning,
            format!("{name} ended well, and complained: {complaint}"),
        ),
        (code, complaint) => (
            StepState::Failed,
            format!(
                "{name} ended with {}: {}",
                code.map_or("a signal".to_owned(), |code| code.to_string()),
                complaint.as_deref().unwrap_or("it said nothing")
            ),
        ),
    };
    Found {
        state,
        detail,
        document,
        files: Vec::new(),
    }
}

/// Returns what is kept of an output: all of it, unless there is a secret in it.
fn kept(output: &[u8]) -> String {
    if scan(output).is_empty() {
        String::from_utf8_lossy(output).into_owned()
    } else {
        "withheld: it looks like a secret".to_owned()
    }
}

fn said(fault: &Fault, minutes: u64) -> String {
    match fault {
        Fault::Start(error) => format!("it could not be started: {error}"),
        Fault::TimedOut => format!("it did not end within {minutes} minutes, and was killed"),
        Fault::LeftOpen => "a process that it started held its output open, and was killed".into(),
        Fault::LetGo => "it was given up here, and killed".into(),
        Fault::TooMuch | Fault::Broken(_) => "its output could not be read".into(),
    }
}

//! `govdeck agent`: unattended work, for ever or once.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::page::{Exit, Failure, Page};
use crate::agent::{self, Halt, Led, Once, Place};
use crate::rules::Refusal;
use crate::settings::{AgentSettings, Settings};
use crate::store::OsAccount;

/// How long threads of jobs are waited for at the end.
const GRACE: Duration = Duration::from_secs(2);

/// Do what is due when it is due: page, plan, mark, run jobs, and deliver messages.
#[derive(Debug, Args)]
pub(super) struct Agent {
    /// Do what is due now and end, as a timer would have it.
    #[arg(long)]
    once: bool,
    /// Read what the agent is told from this file instead of `agent.toml` in the config folder.
    #[arg(long, value_name = "F.toml")]
    file: Option<PathBuf>,
    /// Read the file, say whether it can be used, and do nothing.
    #[arg(long, conflicts_with = "once")]
    check: bool,
}

impl Agent {
    pub(super) fn run(self, settings: &Settings) -> Result<Page, Failure> {
        let usual = settings.paths().agent_file;
        let told = AgentSettings::load(self.file.as_deref(), usual.as_deref())?;
        let place = Place {
            dsn: settings.direct()?.clone(),
            account: OsAccount::of_this_process()?,
            governance_root: settings.governance_root.value.clone(),
        };
        let agent = agent::Agent::new(place, told.clone(), host()).map_err(bad_input)?;
        if self.check {
            return Ok(checked(&told));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| {
                Failure::new(
                    Exit::CannotTell,
                    format!("the program cannot start: {error}"),
                    "see the system's limits",
                )
            })?;
        let working = runtime.spawn(async move { self.work(&agent).await });
        let ended = runtime.block_on(working);
        // A job that goes on computing is not waited for: its lease is gone, so it writes nothing.
        runtime.shutdown_timeout(GRACE);
        let ended = ended.map_err(|_| {
            Failure::new(
                Exit::CannotTell,
                "the agent ended early",
                "report this as a bug, with the log",
            )
        })?;
        Ok(match ended? {
            Some(done) => once(&done),
            None => stopped(),
        })
    }

    /// Works once, and says what was done; or until it is told to stop.
    async fn work(self, agent: &agent::Agent) -> Result<Option<Once>, Failure> {
        let halt = on_signals()?;
        if self.once {
            return Ok(Some(agent.once(halt).await?));
        }
        agent.run(halt).await.map_err(bad_input)?;
        Ok(None)
    }
}

/// Names this machine, so that people know where to look.
fn host() -> String {
    let name = nix::unistd::gethostname().ok();
    let name = name.and_then(|name| name.into_string().ok());
    let name = name.filter(|name| !name.is_empty());
    let pid = std::process::id();
    format!(
        "{}, process {pid}",
        name.as_deref().unwrap_or("a machine without a name")
    )
}

/// Stops at the signals by which a service is told to.
fn on_signals() -> Result<Halt, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            Exit::CannotTell,
            format!("signals cannot be heard: {error}"),
            "see the system's limits",
        )
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let (set, halt) = Halt::new();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
        tracing::info!("told to stop");
        set.send_replace(true);
        // A second one ends it at once: nothing is ever half written.
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
        std::process::exit(Exit::CannotTell as i32);
    });
    Ok(halt)
}

fn checked(told: &AgentSettings) -> Page {
    let channels: Vec<_> = told.channels.keys().collect();
    let jobs: Vec<_> = told.jobs().iter().map(crate::settings::Job::name).collect();
    let mut lines = vec![format!(
        "{} channels, {} routes",
        channels.len(),
        told.routes.len()
    )];
    lines.extend(channels.iter().map(|name| format!("  channel {name}")));
    lines.extend(jobs.iter().map(|name| format!("  job {name}")));
    let json = json!({"channels": channels, "routes": told.routes.len(), "jobs": jobs});
    Page::new(Exit::Done, lines, "agent-check", json)
}

fn stopped() -> Page {
    let json = json!({"stopped": true});
    Page::new(Exit::Done, vec!["stopped".to_owned()], "agent", json)
}

fn once(once: &Once) -> Page {
    let lines = match once {
        Once::Followed { leader } => vec![format!(
            "another agent leads: {}, since {}",
            leader.host, leader.taken_at_utc
        )],
        Once::Led(led) => said(led),
    };
    Page::new(Exit::Done, lines, "agent-once", json!(once))
}

fn said(led: &Led) -> Vec<String> {
    let mut lines: Vec<String> = led
        .done
        .iter()
        .map(|(deed, amount)| format!("{deed} {amount}"))
        .collect();
    lines.extend(
        led.jobs
            .iter()
            .map(|(job, outcome)| format!("job {job}: {outcome}")),
    );
    if led.delivered + led.failed > 0 {
        lines.push(format!(
            "delivered {} messages, {} tries failed",
            led.delivered, led.failed
        ));
    }
    if lines.is_empty() {
        lines.push("nothing was due".to_owned());
    }
    lines
}

fn bad_input(refusal: Refusal) -> Failure {
    Failure::new(Exit::BadInput, refusal.sentence, refusal.hint)
}

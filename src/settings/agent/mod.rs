//! What the agent is told in a file of its own: where messages go, which jobs it runs and when, and who may measure it.
//!
//! Secrets stand in files that it names, never in it.

mod channel;
mod read;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

pub use channel::{Channel, Command, Hook, Mail, Safety};

/// How many days ahead windows are planned when nobody says otherwise.
const PLANNED_DAYS: u16 = 28;
/// How long a job may take when nobody says otherwise.
const JOB_MINUTES: u64 = 30;

/// Everything that the file may say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSettings {
    /// Where metrics are served; a loopback address.
    #[serde(default)]
    pub metrics_address: Option<SocketAddr>,
    /// The file that metrics are written to.
    #[serde(default)]
    pub metrics_file: Option<PathBuf>,
    /// How many days ahead windows are planned.
    #[serde(default)]
    plan_days: Option<u16>,
    /// The ways out, by their names.
    #[serde(default, rename = "channel")]
    pub channels: std::collections::BTreeMap<String, Channel>,
    /// Which events go which ways.
    #[serde(default, rename = "route")]
    pub routes: Vec<Route>,
    /// What is done again and again.
    #[serde(default, rename = "job")]
    pub jobs: Vec<Job>,
}

/// Which events go which ways.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The classes of events; `*` stands for all.
    pub events: Vec<String>,
    /// The channels.
    pub channels: Vec<String>,
    /// Whether drills go there too.
    #[serde(default)]
    pub drills: bool,
}

/// Something that is done again and again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// What.
    pub run: Work,
    /// How often.
    pub every_minutes: u64,
    /// How long it may take.
    #[serde(default)]
    timeout_minutes: Option<u64>,
    /// The manifest that says what is compared or replayed.
    #[serde(default)]
    pub manifest: Option<PathBuf>,
    /// The folder below the governance root that exports land in.
    #[serde(default)]
    pub folder: Option<String>,
}

/// What can be done again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Compare both halves of every pair.
    Scan,
    /// Look whether questions bind.
    FaqProbe,
    /// Look whether protected metrics are in both joins.
    Protected,
    /// Hold landed exports against the allow-list.
    Fingerprint,
    /// Replay frozen exports.
    Replay,
    /// Compare the two sides of a weekly window.
    Reconcile,
    /// Drop old leaves.
    DropLeaves,
    /// Mark runs of bundles that nobody ends.
    SweepBundles,
}

impl Work {
    /// Returns its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::FaqProbe => "faq-probe",
            Self::Protected => "protected",
            Self::Fingerprint => "fingerprint",
            Self::Replay => "replay",
            Self::Reconcile => "reconcile",
            Self::DropLeaves => "drop-leaves",
            Self::SweepBundles => "sweep-bundles",
        }
    }
}

impl Job {
    /// Makes one that needs nothing else.
    const fn plain(run: Work, every_minutes: u64) -> Self {
        Self {
            run,
            every_minutes,
            timeout_minutes: None,
            manifest: None,
            folder: None,
        }
    }

    /// Names it, unlike any other.
    #[must_use]
    pub fn name(&self) -> String {
        let word = self.run.word();
        match (&self.manifest, &self.folder) {
            (Some(manifest), _) => format!("{word} {}", manifest.display()),
            (None, Some(folder)) => format!("{word} {folder}"),
            (None, None) => word.to_owned(),
        }
    }

    /// Returns how often it is done.
    #[must_use]
    pub fn every(&self) -> Duration {
        Duration::from_mins(self.every_minutes)
    }

    /// Returns how long it may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_mins(self.timeout_minutes.unwrap_or(JOB_MINUTES))
    }
}

impl AgentSettings {
    /// Returns how far ahead windows are planned.
    #[must_use]
    pub fn planned_ahead(&self) -> Duration {
        let days = self.plan_days.unwrap_or(PLANNED_DAYS);
        Duration::from_hours(24 * u64::from(days))
    }

    /// Names the channels that a message goes to, and whether it is sent there: a drill only where one is asked for.
    #[must_use]
    pub fn ways(&self, event_class: &str, drill: bool) -> Vec<(&str, bool)> {
        let mut ways: Vec<(&str, bool)> = Vec::new();
        let matching = self.routes.iter().filter(|route| {
            let mut events = route.events.iter();
            events.any(|event| event == "*" || event == event_class)
        });
        for route in matching {
            let is_sent = route.drills || !drill;
            for channel in &route.channels {
                match ways.iter_mut().find(|(name, _)| name == channel) {
                    Some(way) => way.1 |= is_sent,
                    None => ways.push((channel, is_sent)),
                }
            }
        }
        ways
    }

    /// Lists the jobs: those that the file names, and what keeps the house in order, where it does not name that.
    #[must_use]
    pub fn jobs(&self) -> Vec<Job> {
        let mut jobs = self.jobs.clone();
        for (work, minutes) in [(Work::SweepBundles, 5), (Work::DropLeaves, 24 * 60)] {
            if !jobs.iter().any(|job| job.run == work) {
                jobs.push(Job::plain(work, minutes));
            }
        }
        jobs
    }
}

#[cfg(test)]
mod tests;

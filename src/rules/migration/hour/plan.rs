//! The plan of a cutover hour: what is frozen, what is run, and what people see to.

use serde::{Deserialize, Serialize};

use super::Step;
use crate::rules::release::stays_below;
use crate::rules::text::is_hostile;
use crate::rules::{Refusal, words};

/// The schema of the plan.
const SCHEMA: &str = "govdeck.cutover-plan.v1";
/// How many minutes a command may run at most.
const LONGEST: u64 = 55;
/// How many goldens and manifests a plan names at most.
const MOST: usize = 50;

words! {
    /// Where an export comes from.
    pub enum Pipeline {
        /// What leaders see.
        Leadership = "leadership",
        /// What partners get.
        Partner = "partner",
    }
}

/// The plan of a cutover hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutoverPlan {
    /// Which form this is.
    pub schema: String,
    /// The migration.
    pub migration_id: String,
    /// How everybody hears of the lock.
    pub announce: Outside,
    /// What is frozen before the flip.
    pub goldens: Vec<PlannedGolden>,
    /// The manifest of the replay, below the governance root.
    pub replay: String,
    /// How exporters come to write the modern half alone.
    pub deploy: Outside,
    /// How caches of what partners read are emptied.
    pub purge: Outside,
    /// The manifests of every series, below the governance root.
    pub reconcile: Vec<String>,
    /// The bundles that expanded the dictionary, in the order in which they were made.
    pub bundles: Vec<String>,
}

/// What happens outside of govdeck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Outside {
    /// A command of the settings does it.
    Command {
        /// The name that the settings give it.
        command: String,
        /// How many minutes it may take.
        minutes: u64,
    },
    /// A person does it, and says so.
    Attest {
        /// What they attest.
        attest: String,
    },
}

/// An export that is frozen before the flip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedGolden {
    /// Where it comes from.
    pub pipeline: Pipeline,
    /// What it is called; the frozen file too.
    pub name: String,
    /// Where it is read.
    #[serde(flatten)]
    pub source: GoldenSource,
}

/// Where an export is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoldenSource {
    /// A file that the exporter landed, below the governance root.
    File(String),
    /// A query on the governance database.
    Sql(String),
}

impl CutoverPlan {
    /// Returns what happens outside of govdeck in a step.
    #[must_use]
    pub fn outside(&self, step: Step) -> Option<&Outside> {
        match step {
            Step::Announce => Some(&self.announce),
            Step::Flip => Some(&self.deploy),
            Step::Purge => Some(&self.purge),
            _ => None,
        }
    }
}

fn refused(what: impl Into<String>) -> Refusal {
    Refusal::new(
        what,
        "docs/cutover-hour.md shows a plan with everything that it may hold",
    )
}

/// Reads a plan strictly.
pub fn read_plan(text: &[u8]) -> Result<CutoverPlan, Refusal> {
    // A second key of one name would be read by some and not by others.
    crate::canon::canonical(text)
        .map_err(|error| refused(format!("the plan of the hour cannot be read: {error}")))?;
    let plan: CutoverPlan = serde_json::from_slice(text)
        .map_err(|error| refused(format!("the plan of the hour is malformed: {error}")))?;
    match fault(&plan) {
        None => Ok(plan),
        Some(fault) => Err(refused(fault)),
    }
}

fn fault(plan: &CutoverPlan) -> Option<String> {
    if plan.schema != SCHEMA {
        return Some(format!("schema: {:?} is not {SCHEMA}", plan.schema));
    }
    for step in [Step::Announce, Step::Flip, Step::Purge] {
        if let Some(why) = plan.outside(step).and_then(fault_of_outside) {
            return Some(format!("{step}: {why}"));
        }
    }
    let missing = Pipeline::ALL
        .iter()
        .find(|pipeline| !plan.goldens.iter().any(|it| it.pipeline == **pipeline));
    if let Some(pipeline) = missing {
        return Some(format!("goldens: nothing of {pipeline} is frozen"));
    }
    let mut names: Vec<&str> = plan.goldens.iter().map(|it| &*it.name).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Some(format!("goldens: {:?} is there twice", twice[0]));
    }
    let lists = [plan.goldens.len(), plan.reconcile.len(), plan.bundles.len()];
    if lists.iter().any(|length| *length > MOST) {
        return Some(format!("more than {MOST} goldens, manifests or bundles"));
    }
    plan.goldens
        .iter()
        .find_map(fault_of_golden)
        .or_else(|| fault_of_path("replay", &plan.replay))
        .or_else(|| {
            let mut paths = plan.reconcile.iter();
            paths.find_map(|path| fault_of_path("reconcile", path))
        })
        .or_else(|| {
            plan.reconcile
                .is_empty()
                .then(|| "reconcile: no series is compared".to_owned())
        })
}

fn fault_of_outside(outside: &Outside) -> Option<String> {
    match outside {
        Outside::Command { command, minutes } => {
            let is_name = is_name(command);
            if !is_name {
                Some(format!("{command:?} is no name of a command"))
            } else if !(1..=LONGEST).contains(minutes) {
                Some(format!("minutes: {minutes} is not 1 to {LONGEST}"))
            } else {
                None
            }
        }
        Outside::Attest { attest }
            if attest.trim().is_empty() || attest.chars().any(is_hostile) =>
        {
            Some("attest: say in one line what a person attests".to_owned())
        }
        Outside::Attest { .. } => None,
    }
}

fn fault_of_golden(golden: &PlannedGolden) -> Option<String> {
    if !is_name(&golden.name) {
        return Some(format!("goldens: {:?} is no name of a file", golden.name));
    }
    match &golden.source {
        GoldenSource::File(path) => fault_of_path("goldens", path),
        GoldenSource::Sql(sql) if sql.trim().is_empty() => {
            Some(format!("goldens: {} has no query", golden.name))
        }
        GoldenSource::Sql(_) => None,
    }
}

fn fault_of_path(field: &str, path: &str) -> Option<String> {
    (!stays_below(path)).then(|| format!("{field}: {path:?} is no path below the governance root"))
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=60).contains(&text.len())
        && text.chars().all(plain)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

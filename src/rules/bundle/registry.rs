//! The registry: every migration there ever was, and how far each has come, which only receipts move.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::names::{MigrationId, escape};
use super::schemas::Schema;
use super::shown::quoted;
use super::{CheckStatus, Finding, Kind, Reason, Receipt, RunType, artefact};
use crate::canon::Digest;
use crate::rules::words;

/// The path of the registry from the governance root.
pub const REGISTRY_FILE: &str = "registry/migrations.v1.json";

/// The version of the registry that is written.
pub const REGISTRY_VERSION: &str = "v1";

words! {
    /// How far a migration has come.
    pub enum Status {
        /// Proposed.
        Draft = "draft",
        /// Approved by its reviewers.
        Approved = "approved",
        /// Merged.
        Merged = "merged",
        /// Run where it is developed.
        ExecutedDev = "executed_dev",
        /// Run where it is tried.
        ExecutedStage = "executed_stage",
        /// Run where it counts.
        ExecutedProd = "executed_prod",
        /// Taken back.
        RolledBack = "rolled_back",
        /// Replaced by a later one.
        Superseded = "superseded",
    }
}

/// What of a receipt moves a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The digest of the receipt's bytes, as `sha256:` and 64 digits.
    pub digest: String,
    /// The migration that it is of.
    pub migration_id: String,
    /// What it is of.
    pub run_type: RunType,
    /// Where it ran.
    pub environment: String,
    /// How it ended.
    pub status: CheckStatus,
}

impl Step {
    /// Takes from a receipt what moves a status; `bytes` are the receipt's file.
    #[must_use]
    pub fn of(receipt: &Receipt, bytes: &[u8]) -> Self {
        let passed = receipt.not_pass().is_none();
        Self {
            digest: format!("sha256:{}", Digest::of(bytes)),
            migration_id: receipt.migration_id.clone(),
            run_type: receipt.run_type,
            environment: receipt.environment.name.clone(),
            status: if passed {
                CheckStatus::Pass
            } else {
                CheckStatus::Fail
            },
        }
    }
}

impl Status {
    /// Tells what a migration's status is after a receipt, or why the receipt cannot be.
    ///
    /// A run that failed moves nothing, and neither does one in an environment that the migration has passed already. Runs
    /// in development and stage before the merge are rehearsals and move nothing either.
    pub fn after(self, migration_id: &str, step: &Step) -> Result<Self, String> {
        let refuse = |what: &str| Err(format!("a receipt of {} {what}", step.run_type));
        if step.migration_id != migration_id {
            return self.superseded_by(migration_id, step);
        }
        if matches!(self, Self::RolledBack | Self::Superseded) {
            return refuse(&format!("comes after {self}, which is final"));
        }
        if step.status != CheckStatus::Pass {
            return Ok(self);
        }
        let place = match step.environment.as_str() {
            "dev" => Some(Self::ExecutedDev),
            "stage" => Some(Self::ExecutedStage),
            "prod" => Some(Self::ExecutedProd),
            _ => None,
        };
        match (step.run_type, self, place) {
            (RunType::Approval, Self::Draft, _) => Ok(Self::Approved),
            (RunType::Merge, Self::Approved, _) => Ok(Self::Merged),
            (RunType::Merge, Self::Draft, _) => refuse("comes before the approval"),
            (RunType::Approval | RunType::Merge, ..) => refuse(&format!("comes after {self}")),
            (_, Self::Draft | Self::Approved, Some(Self::ExecutedProd)) => {
                refuse("in prod comes before the merge")
            }
            (_, Self::Draft | Self::Approved, _) | (_, _, None) => Ok(self),
            (RunType::Migration, _, Some(place)) => Ok(self.max(place)),
            (RunType::Rollback, _, Some(place)) if place == self => Ok(Self::RolledBack),
            (RunType::Rollback, _, Some(place)) if place < self => Ok(self),
            (RunType::Rollback, ..) => refuse("takes back what was not run there"),
        }
    }

    fn superseded_by(self, migration_id: &str, step: &Step) -> Result<Self, String> {
        let ids = [migration_id, &step.migration_id].map(str::parse::<MigrationId>);
        let is_later = matches!(ids, [Ok(own), Ok(other)] if own < other);
        let is_merge = step.run_type == RunType::Merge && step.status == CheckStatus::Pass;
        if is_later && is_merge && self != Self::Superseded {
            return Ok(Self::Superseded);
        }
        Err(format!(
            "a receipt of another migration, {}, supersedes only by the merge of a later one",
            quoted(&step.migration_id)
        ))
    }
}

/// One migration of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The id.
    pub migration_id: String,
    /// The kind of store.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The bundle's folder, from the governance root.
    pub path: String,
    /// Who owns it.
    pub owners: Vec<String>,
    /// How far it has come.
    pub status: Status,
    /// What moved it there, in its order.
    pub receipts: Vec<Step>,
}

/// All migrations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// The version of the format.
    pub registry_version: String,
    /// The migrations, the earlier first within their type.
    pub migrations: Vec<Entry>,
}

/// A bundle that was looked at, as far as the registry is concerned.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its folder from the governance root.
    pub path: String,
    /// The folder's name.
    pub name: String,
    /// The kind of store, by the folder that it lies in.
    pub kind: Kind,
    /// What its receipts say.
    pub receipts: Vec<Step>,
}

impl Registry {
    /// Makes one without a migration.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            registry_version: REGISTRY_VERSION.to_owned(),
            migrations: Vec::new(),
        }
    }

    /// Reads a registry.
    pub fn read(bytes: &[u8]) -> Result<Self, Vec<Finding>> {
        artefact::read(
            bytes,
            REGISTRY_FILE,
            Schema::Registry,
            Reason::ArtifactInvalid,
        )
    }

    /// Writes it for people, with a line for each field.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Finds where the registry contradicts itself or the bundles.
    #[must_use]
    pub fn faults(&self, bundles: &[Known]) -> Vec<Finding> {
        let mut found = self.order();
        let by_path: BTreeMap<_, _> = bundles
            .iter()
            .map(|known| (known.path.as_str(), known))
            .collect();
        let receipts = bundles.iter().flat_map(|known| &known.receipts);
        let receipts: BTreeMap<_, _> = receipts.map(|step| (step.digest.as_str(), step)).collect();
        let mut registered = BTreeSet::new();
        for entry in &self.migrations {
            registered.insert(entry.path.as_str());
            let known = by_path.get(entry.path.as_str()).copied();
            found.extend(entry.place_fault(known));
            found.extend(entry.status_fault(&receipts));
        }
        for known in bundles {
            if !registered.contains(known.path.as_str()) {
                let what = format!("the bundle {} is not registered", quoted(&known.path));
                found.push(fault(Reason::ArtifactInvalid, what));
            }
        }
        found
    }

    /// Finds ids that are used twice, and those that stand before an earlier one of their type.
    fn order(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let mut last: BTreeMap<Kind, (MigrationId, &str)> = BTreeMap::new();
        for entry in &self.migrations {
            let shown = quoted(&entry.migration_id);
            let id: MigrationId = match entry.migration_id.parse() {
                Ok(id) => id,
                Err(what) => {
                    found.push(fault(Reason::ArtifactInvalid, what));
                    continue;
                }
            };
            if !seen.insert(id.clone()) {
                let what = format!("the id {shown} is used twice; ids are never used again");
                found.push(fault(Reason::MigrationIdMismatch, what));
            } else if let Some((earlier, name)) = last.get(&entry.kind)
                && (id.date, id.number) < (earlier.date, earlier.number)
            {
                let what = format!("{shown} stands behind {}, which is later", quoted(name));
                found.push(fault(Reason::MigrationIdMismatch, what));
                continue;
            }
            last.insert(entry.kind, (id, &entry.migration_id));
        }
        found
    }
}

fn fault(reason: Reason, what: impl Into<String>) -> Finding {
    Finding::new(reason, REGISTRY_FILE, what)
}

impl Entry {
    fn place_fault(&self, known: Option<&Known>) -> Option<Finding> {
        let id = quoted(&self.migration_id);
        if let Some(what) = escape(&self.path) {
            return Some(fault(Reason::PathEscape, what));
        }
        let Some(known) = known else {
            let what = format!(
                "the bundle of {id} is not at {}; none is ever deleted",
                quoted(&self.path)
            );
            return Some(fault(Reason::ArtifactInvalid, what));
        };
        if known.name != self.migration_id {
            let what = format!(
                "{id} is registered at {}, the folder of another id",
                quoted(&self.path)
            );
            return Some(fault(Reason::MigrationIdMismatch, what));
        }
        (known.kind != self.kind).then(|| {
            let what = format!(
                "{id} is registered as {} and lies in {}",
                self.kind, known.kind
            );
            fault(Reason::ArtifactInvalid, what)
        })
    }

    /// Finds a status that the listed receipts do not lead to, or receipts that are not there or say something else.
    fn status_fault(&self, receipts: &BTreeMap<&str, &Step>) -> Option<Finding> {
        let id = quoted(&self.migration_id);
        let mut status = Status::Draft;
        for step in &self.receipts {
            match receipts.get(step.digest.as_str()) {
                None => {
                    let what = format!(
                        "the receipt {} of {id} is in no bundle's receipts/",
                        step.digest
                    );
                    return Some(fault(Reason::ReceiptMissing, what));
                }
                Some(found) if *found != step => {
                    let what = format!("the receipt {} of {id} says something else", step.digest);
                    return Some(fault(Reason::ReceiptInvalid, what));
                }
                Some(_) => {}
            }
            status = match status.after(&self.migration_id, step) {
                Ok(status) => status,
                Err(what) => return Some(fault(Reason::ReceiptInvalid, format!("{id}: {what}"))),
            };
        }
        (status != self.status).then(|| {
            let what = format!("{id} is {} and its receipts lead to {status}", self.status);
            fault(Reason::ReceiptInvalid, what)
        })
    }
}

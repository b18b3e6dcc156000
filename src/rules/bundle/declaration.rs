//! The declaration: what a change is, may do, and consists of.

use serde::{Deserialize, Serialize};

use super::{Kind, Limits, Scope};

/// Holds what `migration.yml` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The id, never used again.
    pub migration_id: String,
    /// The kind of store.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// What it is for, in plain words.
    pub intent: String,
    /// What it may touch.
    pub scope: Scope,
    /// How far it may reach.
    pub limits: Limits,
    /// Whether there must be a way back.
    pub requires_rollback: bool,
    /// Who has to look at it.
    pub approvals: Approvals,
    /// What runs it.
    pub runner: Runner,
    /// The files it consists of.
    pub artifacts: Artifacts,
}

/// Who has to look at a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approvals {
    /// Reviewers or groups of them.
    pub required_reviewers: Vec<String>,
    /// The class of the change, such as `governance-critical`.
    pub change_class: String,
    /// The governance approval of what cannot be taken back or is protected: a decision record.
    #[serde(default)]
    pub reference: Option<String>,
}

/// What runs a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runner {
    /// The tool.
    pub tool: String,
    /// The command.
    pub command: String,
    /// Names of references to secrets, never their values.
    pub environment: Vec<String>,
}

/// The files of a bundle, by their path from its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Named", into = "Named")]
pub struct Artifacts {
    /// Scripts that make the change, in their order.
    pub forward: Vec<String>,
    /// Scripts that take it back, in their order.
    pub rollback: Vec<String>,
    /// The baseline before.
    pub pre: String,
    /// The baseline after.
    pub post: String,
    /// The summary of what differs between them.
    pub summary: String,
}

/// The shape of `artifacts` in the file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    forward: Vec<String>,
    #[serde(default)]
    rollback: Vec<String>,
    baselines: Baselines,
    diffs: Diffs,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Baselines {
    pre: String,
    post: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Diffs {
    summary: String,
}

impl From<Named> for Artifacts {
    fn from(named: Named) -> Self {
        Self {
            forward: named.forward,
            rollback: named.rollback,
            pre: named.baselines.pre,
            post: named.baselines.post,
            summary: named.diffs.summary,
        }
    }
}

impl From<Artifacts> for Named {
    fn from(artifacts: Artifacts) -> Self {
        Self {
            forward: artifacts.forward,
            rollback: artifacts.rollback,
            baselines: Baselines {
                pre: artifacts.pre,
                post: artifacts.post,
            },
            diffs: Diffs {
                summary: artifacts.summary,
            },
        }
    }
}

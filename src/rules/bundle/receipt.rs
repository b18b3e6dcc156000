//! A receipt: who ran what, when, on which files, and how it ended.

use serde::{Deserialize, Serialize};

use super::{canonical, prov};
use crate::canon::Digest;
use crate::rules::words;

/// The version of receipts that are written.
pub const RECEIPT_VERSION: &str = "v1";

words! {
    /// What a receipt is of.
    pub enum RunType {
        /// A change was made.
        Migration = "migration",
        /// A change was approved.
        Approval = "approval",
        /// A change was merged.
        Merge = "merge",
        /// A change was taken back.
        Rollback = "rollback",
    }
}

words! {
    /// How a check ended.
    pub enum CheckStatus {
        /// It holds.
        Pass = "pass",
        /// It does not.
        Fail = "fail",
    }
}

/// Tells of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The version of the format.
    #[serde(alias = "kfm_run_receipt_version")]
    pub receipt_version: String,
    /// The run.
    pub run_id: String,
    /// What it is of.
    pub run_type: RunType,
    /// The migration.
    pub migration_id: String,
    /// Who ran it.
    pub actor: Actor,
    /// Where it ran.
    pub environment: Environment,
    /// What it was made of.
    pub inputs: Vec<FileDigest>,
    /// What it made.
    pub outputs: Vec<FileDigest>,
    /// What was checked.
    pub validation: Validation,
    /// Which policy let it run.
    pub policy: PolicyNote,
    /// Where it is attested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<String>,
    /// Where its signature is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// When it began, in UTC.
    pub started_at: String,
    /// When it ended, in UTC.
    pub finished_at: String,
}

/// Who ran something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// A service or a person, by the id.
    pub principal: String,
    /// What they were there.
    pub role: String,
}

/// Where something ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// `dev`, `stage` or `prod`.
    pub name: String,
    /// The commit of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_commit: Option<String>,
    /// The digest of the image that ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_digest: Option<String>,
    /// The digest of its parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params_digest: Option<String>,
}

/// A file with the digest of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileDigest {
    /// Its path from the bundle's folder.
    pub path: String,
    /// The digest, as `sha256:` and 64 digits.
    pub digest: String,
}

/// What was checked, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validation {
    /// The whole.
    pub status: CheckStatus,
    /// One by one.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub status: CheckStatus,
    /// What was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Which policy let something run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyNote {
    /// The decision.
    pub decision_id: String,
    /// How openly it may be shown.
    pub policy_label: String,
}

impl Receipt {
    /// Writes it as canonical JSON.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        canonical(self)
    }

    /// Names a file by its content: the digest of its bytes.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.json", Digest::of(&self.bytes()))
    }

    /// Writes where it came from as a PROV document in JSON-LD.
    #[must_use]
    pub fn prov(&self) -> Vec<u8> {
        prov::document(self)
    }
}

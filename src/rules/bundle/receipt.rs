//! A receipt: who ran what, when, on which files, and how it ended.

use serde::{Deserialize, Serialize};

use super::names::escape;
use super::schemas::Schema;
use super::shown::quoted;
use super::{Finding, Reason, artefact, canonical, prov, secrets};
use crate::canon::Digest;
use crate::clock::Moment;
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

/// Says where a receipt is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptRef {
    /// The version of the format.
    pub receipt_ref_version: String,
    /// The migration.
    pub migration_id: String,
    /// The run.
    pub run_id: String,
    /// Where the receipt is: an artefact, `sha256:` and 64 digits, or an address in an immutable store.
    pub receipt_uri: String,
    /// The digest of its bytes.
    pub receipt_digest: String,
    /// How the run ended.
    pub validation_status: CheckStatus,
}

impl ReceiptRef {
    /// Points to a receipt that is kept as an artefact.
    #[must_use]
    pub fn to(receipt: &Receipt) -> Self {
        let digest = format!("sha256:{}", Digest::of(&receipt.bytes()));
        Self {
            receipt_ref_version: RECEIPT_VERSION.to_owned(),
            migration_id: receipt.migration_id.clone(),
            run_id: receipt.run_id.clone(),
            receipt_uri: digest.clone(),
            receipt_digest: digest,
            validation_status: receipt.validation.status,
        }
    }

    /// Reads a pointer; what is wrong with it is told by this path.
    pub fn read(bytes: &[u8], path: &str) -> Result<Self, Vec<Finding>> {
        artefact::read(bytes, path, Schema::ReceiptRef, Reason::ReceiptInvalid)
    }

    /// Writes it as canonical JSON.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        canonical(self)
    }
}

impl Receipt {
    /// Reads a receipt; what is wrong with it is told by this path.
    pub fn read(bytes: &[u8], path: &str) -> Result<Self, Vec<Finding>> {
        let receipt: Self =
            artefact::read(bytes, path, Schema::RunReceipt, Reason::ReceiptInvalid)?;
        let found = receipt.faults(path);
        if found.is_empty() {
            Ok(receipt)
        } else {
            Err(found)
        }
    }

    fn faults(&self, path: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        let times = [&self.started_at, &self.finished_at].map(|time| time.parse::<Moment>());
        match times {
            [Ok(started), Ok(finished)] if started <= finished => {}
            [Ok(_), Ok(_)] => {
                let what = "it ended before it began";
                found.push(Finding::new(Reason::ReceiptInvalid, path, what));
            }
            _ => {
                let what = "started_at or finished_at is no time that exists";
                found.push(Finding::new(Reason::ReceiptInvalid, path, what));
            }
        }
        for list in [&self.inputs, &self.outputs] {
            for (place, file) in list.iter().enumerate() {
                if let Some(what) = escape(&file.path) {
                    found.push(Finding::new(Reason::PathEscape, path, what));
                } else if list[..place].iter().any(|other| other.path == file.path) {
                    let what = format!("{} is listed twice", quoted(&file.path));
                    found.push(Finding::new(Reason::ReceiptInvalid, path, what));
                }
            }
        }
        found
    }

    /// Says why the receipt tells of no pass; nothing when it does.
    #[must_use]
    pub fn not_pass(&self) -> Option<String> {
        let checks = &self.validation.checks;
        let failed = checks
            .iter()
            .find(|check| check.status != CheckStatus::Pass);
        if self.validation.status != CheckStatus::Pass {
            Some("validation.status is fail".to_owned())
        } else if let Some(check) = failed {
            Some(format!("the check {} failed", quoted(&check.name)))
        } else if checks.is_empty() {
            Some("nothing was checked".to_owned())
        } else {
            None
        }
    }

    /// Writes it as canonical JSON; words of a check that look like a secret are withheld.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut safe = self.clone();
        for check in &mut safe.validation.checks {
            if let Some(detail) = &mut check.detail
                && !secrets::scan(detail.as_bytes()).is_empty()
            {
                "withheld: it looks like a secret".clone_into(detail);
            }
        }
        canonical(&safe)
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

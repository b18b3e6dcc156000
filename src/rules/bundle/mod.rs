//! Governed migration bundles: what a change declares, what was observed of it, and whether the two fit.
//!
//! Whoever reads the folder or asks the target hands over bytes and values; here are only decisions about them. What is
//! due and absent, and what cannot be read, is a finding: nothing passes because it was not there to be judged.

mod baseline;
mod declaration;
mod diff;
mod judge;
mod limits;
mod prov;
mod receipt;
mod scope;

pub use baseline::{Baseline, Object, ObjectCounts};
pub use declaration::{Approvals, Artifacts, Declaration, Runner};
pub use diff::DiffSummary;
pub use judge::judge;
pub use limits::Limits;
pub use receipt::{
    Actor, Check, CheckStatus, Environment, FileDigest, PolicyNote, RECEIPT_VERSION, Receipt,
    RunType, Validation,
};
pub use scope::{DICTIONARY_TABLES, LEDGER_TABLES, Scope};

use serde::Serialize;

use super::words;

/// The largest number that every reader of JSON takes for the same.
pub const MOST_NUMBER: u64 = (1 << 53) - 1;

words! {
    /// The kinds of stores that a bundle changes.
    pub enum Kind {
        /// PostgreSQL, with PostGIS when it is there; also SQLite.
        Postgis = "postgis",
        /// A search index.
        Search = "search",
        /// A graph.
        Graph = "graph",
        /// Anything else that a driver reaches.
        Other = "other",
    }
}

words! {
    /// What can be wrong with a bundle; the words are fixed.
    pub enum Reason {
        /// A file is not what it should be, or a script that is due is not there.
        ArtifactInvalid = "artifact_invalid",
        /// A baseline is not there.
        BaselineMissing = "baseline_missing",
        /// The declaration has another shape than its schema asks for.
        DeclarationInvalid = "declaration_invalid",
        /// The diff says something else than the baselines, or contradicts itself.
        DiffInconsistent = "diff_inconsistent",
        /// The diff is not there.
        DiffMissing = "diff_missing",
        /// A digest is not `sha256:` and 64 lower-case hexadecimal digits.
        DigestInvalid = "digest_invalid",
        /// A digest is not that of the file.
        DigestMismatch = "digest_mismatch",
        /// A change that cannot be taken back names no approval, or does not say why.
        IrreversibleWithoutApproval = "irreversible_without_approval",
        /// More was touched than the limits allow.
        LimitExceeded = "limit_exceeded",
        /// A limit is missing or is no whole number from zero up.
        LimitsInvalid = "limits_invalid",
        /// A file belongs to another migration, or ids are used twice or out of order.
        MigrationIdMismatch = "migration_id_mismatch",
        /// A name leads out of the bundle's folder.
        PathEscape = "path_escape",
        /// What is protected is not what it was.
        ProtectedDomainChanged = "protected_domain_changed",
        /// A receipt is not what its schema asks for, or does not list what it must.
        ReceiptInvalid = "receipt_invalid",
        /// There is neither a receipt nor a pointer to one.
        ReceiptMissing = "receipt_missing",
        /// A way back is due and not there.
        RollbackMissing = "rollback_missing",
        /// The scope allows what it forbids.
        ScopeContradiction = "scope_contradiction",
        /// The scope says nothing that could be enforced.
        ScopeNotEnforceable = "scope_not_enforceable",
        /// Something was touched that the scope does not allow.
        ScopeViolation = "scope_violation",
        /// A file holds what looks like a secret.
        SecretFound = "secret_found",
        /// A symbolic link lies in the bundle.
        Symlink = "symlink",
        /// The receipt tells of checks that did not pass.
        ValidationNotPass = "validation_not_pass",
        /// The declaration is not of the strict subset of YAML.
        YamlRejected = "yaml_rejected",
    }
}

/// A character of a file, both numbers counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line; it ends at a line feed.
    pub line: usize,
    /// The column in characters.
    pub column: usize,
}

/// Something that is wrong with a bundle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The reason, a fixed word.
    pub reason: Reason,
    /// The file it is found in, from the folder that was looked at.
    pub path: String,
    /// What is wrong there, in words that are safe to show.
    pub detail: String,
    /// Where in the file, when that is known; the detail says it too.
    #[serde(skip)]
    pub place: Option<Place>,
}

impl Finding {
    /// Makes a finding about a file as a whole.
    #[must_use]
    pub fn new(reason: Reason, path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            reason,
            path: path.into(),
            detail: detail.into(),
            place: None,
        }
    }

    /// Makes a finding about a place in a file; the detail begins with it.
    #[must_use]
    pub fn at(reason: Reason, path: impl Into<String>, place: Place, what: &str) -> Self {
        let Place { line, column } = place;
        Self {
            place: Some(place),
            ..Self::new(
                reason,
                path,
                format!("line {line}, column {column}: {what}"),
            )
        }
    }
}

/// Writes a value of this module as canonical JSON; its numbers are kept within what JSON can tell apart.
fn canonical(value: &impl Serialize) -> Vec<u8> {
    crate::canon::canonical_of(value).unwrap_or_default()
}

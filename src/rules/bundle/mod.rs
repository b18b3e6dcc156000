//! Governed migration bundles: what a change declares, what was observed of it, and whether the two fit.
//!
//! Whoever reads the folder or asks the target hands over bytes and values; here are only decisions about them. What is
//! due and absent, and what cannot be read, is a finding: nothing passes because it was not there to be judged.

mod artefact;
mod baseline;
mod check;
mod declaration;
mod diff;
mod judge;
mod limits;
mod names;
mod prov;
mod reason;
mod receipt;
mod receipts;
mod registry;
mod schemas;
mod scope;
mod secrets;
mod shown;
mod yaml;

pub use baseline::{Baseline, Object, ObjectCounts};
pub use check::{Bundle, Checked, Due, Entry, NOTES_FILE, check};
pub use declaration::{
    Approvals, Artifacts, DECLARATION_FILE, Declaration, Declared, MOST_DECLARATION_BYTES, Runner,
};
pub use diff::DiffSummary;
pub use judge::judge;
pub use limits::Limits;
pub use names::{MigrationId, escape};
pub use reason::Reason;
pub use receipt::{
    Actor, Check, CheckStatus, Environment, FileDigest, PolicyNote, RECEIPT_VERSION, Receipt,
    ReceiptRef, RunType, Validation,
};
pub use receipts::{RECEIPT_FILE, RECEIPT_REF_FILE};
pub use registry::{
    Entry as RegistryEntry, Known, REGISTRY_FILE, REGISTRY_VERSION, Registry, Status, Step,
};
pub use schemas::Schema;
pub use scope::{DICTIONARY_TABLES, LEDGER_TABLES, Scope, is_dictionary, is_ledger};
pub use secrets::{Hit, scan};

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
    /// Makes a finding about a file as a whole; words that would repeat a secret are withheld.
    #[must_use]
    pub fn new(reason: Reason, path: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        if !scan(detail.as_bytes()).is_empty() {
            "withheld, for the words look like a secret".clone_into(&mut detail);
        }
        Self {
            reason,
            path: path.into(),
            detail,
            place: None,
        }
    }

    /// Makes a finding about a place in a file; the detail begins with it.
    #[must_use]
    pub fn at(reason: Reason, path: impl Into<String>, place: Place, what: &str) -> Self {
        let Place { line, column } = place;
        let mut finding = Self::new(reason, path, what);
        finding.detail = format!("line {line}, column {column}: {}", finding.detail);
        finding.place = Some(place);
        finding
    }
}

/// Writes a value of this module as canonical JSON; its numbers are kept within what JSON can tell apart.
fn canonical(value: &impl Serialize) -> Vec<u8> {
    crate::canon::canonical_of(value).unwrap_or_default()
}

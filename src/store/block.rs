//! Open publish blocks, as people triage them.

use sqlx::FromRow;

use super::publish::Audit;

use crate::clock::Moment;
use crate::rules::words;

words! {
    /// By what open blocks are sorted.
    #[derive(Default)]
    pub enum BlockSort {
        /// Nobody has answered first, the shortest time left first.
        #[default]
        TimeLeft = "time left",
        /// The longest blocked first.
        BlockedAt = "blocked at",
        /// By the run's id.
        Run = "run",
    }
}

/// An open block with what is known of its run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct OpenBlock {
    /// What the gate decided.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub audit: Audit,
    /// Dashboard and audience.
    pub publish_scope: String,
    /// The footer schema that the artefact carries.
    pub footer_schema_semver: Option<String>,
    /// When the run was minted.
    pub minted_at_utc: Moment,
    /// When its source was read.
    pub source_observed_at_utc: Option<Moment>,
}

/// The fields that a filter of blocks may name.
pub const BLOCK_FIELDS: &[&str] = &["run", "scope", "reason", "owner", "backup", "state"];

//! The allow-list of an exporter: which keys an export may have in a phase of a migration, and which it may not lose.
//!
//! Whoever gathers the inputs reads the files or asks the database; here are only bytes and values. An export is known by
//! its keys alone, so a million elements are judged by their few paths. Nothing passes because it could not be read: an
//! export without keys, a policy that is not the approved one, and a key that no path can be made of are findings.

mod case;
mod findings;
mod judge;
mod lint;
mod pairs;
mod policy;
#[cfg(test)]
mod tests;

pub use case::{Artifact, Case, Files, filed_sha256, judge};
pub use findings::{Finding, Judgement};
pub use judge::{Differences, KeyFindings, judge_keys};
pub use lint::lint;
pub use pairs::{Half, Pair, read_pairs};
pub use policy::{Policy, allowlist_sha256};

use super::words;

words! {
    /// The phases of a migration that have an allow-list; a rollback goes back to one that was.
    pub enum Phase {
        /// Nothing is migrated yet.
        Prepare = "prepare",
        /// The exporter writes the legacy and the modern halves.
        DualWrite = "dual_write",
        /// The exporter writes the modern halves only.
        Cutover = "cutover",
    }
}

words! {
    /// What may be wrong, in order of precedence: findings are listed in it.
    pub enum Rule {
        /// The allow-list is not strict JSON, not of its shape, or declares other changes than there are.
        ArtifactInvalid = "artifact_invalid",
        /// The allow-list is not the one whose hash is filed.
        AllowlistHashMismatch = "allowlist_hash_mismatch",
        /// The allow-list is of another phase.
        PhaseMismatch = "phase_mismatch",
        /// The golden export is none, or is empty.
        GoldenInvalid = "golden_invalid",
        /// The sample export is none, or is empty.
        SampleInvalid = "sample_invalid",
        /// Two keys of one object are equal, or two raw paths flatten to one.
        DuplicateKey = "duplicate_key",
        /// A raw key contains a dot.
        AmbiguousDottedKey = "ambiguous_dotted_key",
        /// The sample has a key that is forbidden.
        ForbiddenKey = "forbidden_key",
        /// The sample has a key that nobody allowed.
        KeyNotAllowed = "key_not_allowed",
        /// The sample lacks a key that may not go.
        RemovedKey = "removed_key",
        /// A key's values are of another type.
        TypeChangedKey = "type_changed_key",
        /// The sample lacks a half of a pair.
        PairHalfMissing = "pair_half_missing",
    }
}

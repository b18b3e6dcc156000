//! The comparison of a week: what leadership sees against what the partner gets, metric by metric, exactly.
//!
//! Whoever gathers the inputs reads the files or asks the database; here are only bytes and values. What both sides say
//! about themselves, their window and the policy is judged before any row is looked at. Then the rows of both sides are
//! walked along together in the order of their ids, so that a million metrics take the memory of their texts and little
//! more. Nothing passes because nothing was compared.

mod csv;
mod decimal;
mod diff;
mod epsilons;
mod fault;
pub(in crate::rules) mod fields;
mod json_rows;
mod judge;
mod lineage;
mod order;
mod parity;
mod policy;
mod runs;
mod side;
mod sidecar;
mod terms;
#[cfg(test)]
mod tests;
mod walk;
mod worst;

pub use csv::{MOST_CELL_BYTES, Row, Table, each_line};
pub use decimal::{Decimal, NotADecimal};
pub use diff::{DIFF_SCHEMA, Owner, Owners};
pub(in crate::rules) use fault::quoted;
pub use fault::{Fault, Place, Reject};
pub use judge::{Comparison, Given, judge};
pub use lineage::{Bypass, Lineage, NO_BYPASS};
pub use parity::{Disparity, disparity};
pub use policy::Policy;
pub use side::Rows;
pub use sidecar::{Field, Sidecar};
pub use terms::{Terms, sha256_text};
pub use walk::{Outcome, Totals, Walk};
pub use worst::Metric;

use super::words;

words! {
    /// The two sides of a week.
    pub enum Party {
        /// What leadership sees.
        Leadership = "leadership",
        /// What the partner gets.
        Partner = "partner",
    }
}

words! {
    /// How a comparison ends.
    pub enum RunVerdict {
        /// Every metric is on both sides and within its epsilon.
        Pass = "PASS",
        /// The sides were compared, and something is not as it must be.
        Fail = "FAIL",
        /// The inputs cannot be compared, so nothing was.
        Reject = "REJECT",
    }
}

words! {
    /// Why inputs are rejected, in order of precedence: of several reasons the first is told.
    pub enum RejectReason {
        /// A sidecar is not there, cannot be read, or is not of its side.
        SidecarMissing = "sidecar_missing",
        /// The rows are not those that the sidecar was made for.
        IngestHashMismatch = "ingest_hash_mismatch",
        /// A version is missing or is none.
        SemverInvalid = "semver_invalid",
        /// The window is not in UTC.
        WindowTzPolicy = "window_tz_policy",
        /// A window's times are missing, are none, or do not follow each other.
        WindowInvalid = "window_invalid",
        /// The sides are of different windows.
        WindowMismatch = "window_mismatch",
        /// The sides are of different revisions of the tuple.
        TupleRevisionMismatch = "tuple_revision_mismatch",
        /// The sides follow different dictionaries.
        DictionarySemverMismatch = "dictionary_semver_mismatch",
        /// The sides and the policy are not of one version.
        EpsilonPolicyMismatch = "epsilon_policy_mismatch",
        /// A footer is newer than the contract allows.
        FooterSchemaTooNew = "footer_schema_too_new",
        /// The policy cannot be read, or an epsilon is no decimal from zero up.
        EpsilonInvalid = "epsilon_invalid",
        /// The rows are malformed.
        CsvInvalid = "csv_invalid",
        /// A metric stands twice on one side.
        DuplicateMetric = "duplicate_metric",
        /// A value is no plain decimal.
        ValueInvalid = "value_invalid",
        /// There is nothing to compare.
        NoMetrics = "no_metrics",
    }
}

words! {
    /// Why a metric fails.
    pub enum MetricReason {
        /// The sides differ by more than the epsilon.
        EpsilonExceeded = "epsilon_exceeded",
        /// Only leadership has it.
        MissingInPartner = "missing_in_partner",
        /// Only the partner has it.
        MissingInLeadership = "missing_in_leadership",
        /// The policy has no epsilon for it.
        EpsilonMissing = "epsilon_missing",
    }
}

impl MetricReason {
    /// Judges a metric by the verdict that its reason makes.
    #[must_use]
    pub fn verdict(reason: Option<Self>) -> RunVerdict {
        match reason {
            None => RunVerdict::Pass,
            Some(_) => RunVerdict::Fail,
        }
    }
}

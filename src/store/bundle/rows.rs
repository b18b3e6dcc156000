//! The rows of governed bundles.

use crate::clock::Moment;
use crate::rules::bundle::{Kind, RunType};
use crate::rules::bundle_run::{BundleStatus, Planned, Ran, RunOutcome, Tier};
use crate::store::tables::governed;

governed! {
    /// A bundle as it was registered, and how far it has come.
    pub struct Bundle in "bundle" keyed by (migration_id) {
        /// Its id, which is never used again.
        pub migration_id: String,
        /// The kind of store that it changes.
        pub kind: Kind,
        /// What it is for, in plain words.
        pub intent: String,
        /// The class of the change.
        pub change_class: String,
        /// Whether there must be a way back.
        pub requires_rollback: bool,
        /// Whether there are scripts that take it back.
        pub has_rollback: bool,
        /// The governance approval that its declaration names.
        pub approval_reference: Option<String>,
        /// Whether tables of the metric dictionary are in its scope.
        pub touches_dictionary: bool,
        /// The text of its declaration.
        pub declaration_sha256: String,
        /// The list of its scripts by path and hash.
        pub scripts_sha256: String,
        /// How far it has come.
        pub status: BundleStatus,
        /// What took its place.
        pub superseded_by: Option<String>,
        /// Who registered it.
        pub registered_by: String,
        /// When.
        pub registered_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// What a plan of a bundle was seen to do at one target.
    pub struct Plan in "bundle_plan" keyed by (migration_id, environment) {
        /// The bundle.
        pub migration_id: String,
        /// Where the target stands.
        pub environment: Tier,
        /// What an approval of it is bound to.
        pub plan_hash: String,
        /// What the target looked like.
        pub schema_fingerprint: String,
        /// The baseline before.
        pub pre_sha256: String,
        /// The baseline after.
        pub post_sha256: String,
        /// The summary of what differs.
        pub diff_sha256: String,
        /// How many tables it touched.
        pub tables_touched: i64,
        /// How many more indexes there were.
        pub index_delta: i64,
        /// How many rows it wrote.
        pub rows_touched: i64,
        /// How long it took.
        pub milliseconds: Option<i64>,
        /// Who registered it.
        pub planned_by: String,
        /// When.
        pub planned_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// A run: something was made, taken back, approved or merged.
    pub struct Run in "bundle_run" keyed by (run_id) {
        /// Its id.
        pub run_id: String,
        /// The bundle.
        pub migration_id: String,
        /// What it is of.
        pub run_type: RunType,
        /// Where the target stands; nowhere where it only decided.
        pub environment: Option<Tier>,
        /// The plan that it follows.
        pub plan_hash: Option<String>,
        /// The approval that it consumed.
        pub approval_id: Option<String>,
        /// The run that it takes back.
        pub undoes_run_id: Option<String>,
        /// Who claimed it.
        pub claimed_by: String,
        /// Who else agreed.
        pub approved_by: Option<String>,
        /// Why.
        pub reason: String,
        /// When it began.
        pub claimed_at_utc: Moment,
        /// When it ended.
        pub ended_at_utc: Option<Moment>,
        /// How it stands.
        pub outcome: RunOutcome,
        /// What was found, in one line.
        pub detail: Option<String>,
        /// Its receipt.
        pub receipt_sha256: Option<String>,
        /// The baseline before.
        pub pre_sha256: Option<String>,
        /// The baseline after.
        pub post_sha256: Option<String>,
        /// The summary of what differs.
        pub diff_sha256: Option<String>,
        /// The row's version.
        pub version: i64,
    }
}

impl Plan {
    /// Returns it for the rules, with whether its way back was run and led back.
    #[must_use]
    pub fn planned(&self, led_back: bool) -> Planned<'_> {
        Planned {
            tier: self.environment,
            plan_hash: &self.plan_hash,
            led_back,
        }
    }
}

impl Run {
    /// Returns it for the rules.
    #[must_use]
    pub fn ran(&self) -> Ran<'_> {
        Ran {
            run_id: &self.run_id,
            run_type: self.run_type,
            tier: self.environment,
            outcome: self.outcome,
            plan_hash: self.plan_hash.as_deref(),
            approval_id: self.approval_id.as_deref(),
            undoes: self.undoes_run_id.as_deref(),
        }
    }
}

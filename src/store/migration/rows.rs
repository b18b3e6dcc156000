//! The rows of a migration of the dictionary.

use crate::clock::Moment;
use crate::rules::Verdict;
use crate::rules::migration::{
    CalendarKind, DeficiencyKind, EvidenceKind, Gate, Move, PairStatus, Phase, RollbackReason,
    Standing,
};
use crate::rules::people::Role;
use crate::store::tables::governed;

governed! {
    /// Where a migration of the dictionary stands.
    pub struct Migration in "dictionary_migration_state" keyed by (migration_id) {
        /// Its id, which is never used again.
        pub migration_id: String,
        /// The release before.
        pub from_semver: String,
        /// The release after.
        pub to_semver: String,
        /// How often it was tried, this time included.
        pub attempt_no: i64,
        /// The migration under way when it was opened.
        pub chained_from: Option<String>,
        /// Where it stands.
        pub phase: Phase,
        /// When it was opened.
        pub opened_at_dt_utc: Moment,
        /// When it was closed, or taken back.
        pub closed_at_dt_utc: Option<Moment>,
        /// Who opened it.
        pub opened_by: String,
        /// Why it was taken back.
        pub rollback_reason: Option<RollbackReason>,
        /// The banner that readers see meanwhile.
        pub banner_id: Option<String>,
        /// How long it is watched after it was closed.
        pub watch_until: Option<Moment>,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// A move of a migration.
    pub struct Event in "dictionary_migration_event" keyed by (migration_id, event_no) {
        /// The migration.
        pub migration_id: String,
        /// The version that the migration had from then on.
        pub event_no: i64,
        /// What moved.
        pub kind: Move,
        /// Where it came from.
        pub from_phase: Option<Phase>,
        /// Where it came to.
        pub phase: Phase,
        /// Who moved it.
        pub moved_by: String,
        /// Who else agreed.
        pub approved_by: Option<String>,
        /// Why.
        pub reason: String,
        /// Why it was taken back.
        pub rollback_reason: Option<RollbackReason>,
        /// What there is to know about that.
        pub note: Option<String>,
        /// Whether a second person has to look at it afterwards.
        pub needs_countersign: bool,
        /// Who did.
        pub countersigned_by: Option<String>,
        /// When.
        pub countersigned_at_utc: Option<Moment>,
        /// When it moved.
        pub happened_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// Who answers for a gate.
    pub struct GateOwner in "gate_owner_route" keyed by (gate) {
        /// The gate.
        pub gate: Gate,
        /// In which role.
        pub role: Role,
        /// Who.
        pub person_id: String,
        /// And who when they cannot.
        pub backup_id: String,
        /// Who said so.
        pub set_by: String,
        /// When.
        pub set_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// What was found for a gate that takes long to ask.
    pub struct GateEvidence in "migration_evidence" keyed by (evidence_id) {
        /// Its id.
        pub evidence_id: String,
        /// The migration.
        pub migration_id: String,
        /// What it is about.
        pub gate: EvidenceKind,
        /// What was found.
        pub verdict: Verdict,
        /// What it was found of, hashed.
        pub inputs_sha256: String,
        /// The document.
        pub evidence_sha256: String,
        /// What was found, in one line.
        pub detail: String,
        /// When.
        pub observed_at_utc: Moment,
        /// Who recorded it.
        pub recorded_by: String,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// A gate that two people let a migration pass.
    pub struct GateOverride in "gate_override" keyed by (override_id) {
        /// Its id.
        pub override_id: String,
        /// The migration.
        pub migration_id: String,
        /// The gate.
        pub gate: Gate,
        /// Why.
        pub reason: String,
        /// Who asked for it.
        pub requested_by: String,
        /// Who else agreed.
        pub approved_by: String,
        /// When.
        pub granted_at_utc: Moment,
        /// Until when it counts; it is shown for ever.
        pub expires_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// The allow-list of a phase, as it was registered.
    pub struct Allowlist in "exporter_allowlist" keyed by (migration_id, phase) {
        /// The migration.
        pub migration_id: String,
        /// The phase that it is for.
        pub phase: Phase,
        /// What its canonical form hashes to.
        pub allowlist_sha256: String,
        /// The document.
        pub document_sha256: String,
        /// Whether it forbids a key that the phase before did not.
        pub forbidden_grew: bool,
        /// Who wrote it.
        pub author_id: String,
        /// When it was registered.
        pub registered_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// A yes to an allow-list, bound to its hash.
    pub struct AllowlistApproval in "allowlist_approval" keyed by (migration_id, phase, allowlist_sha256, approver_id) {
        /// The migration.
        pub migration_id: String,
        /// The phase.
        pub phase: Phase,
        /// What was approved.
        pub allowlist_sha256: String,
        /// Who approved it.
        pub approver_id: String,
        /// Why.
        pub reason: String,
        /// When.
        pub approved_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// A span of the calendar: a maintenance window, or a cert week.
    pub struct CalendarWindow in "calendar_window" keyed by (calendar_id) {
        /// Its id.
        pub calendar_id: String,
        /// What it is.
        pub kind: CalendarKind,
        /// When it begins.
        pub starts_at_utc: Moment,
        /// When it is over.
        pub ends_at_utc: Moment,
        /// What people call it.
        pub title: String,
        /// Whether it still stands.
        pub status: Standing,
        /// Who set it.
        pub set_by: String,
        /// When.
        pub set_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// A column of the dictionary and the one that takes its place.
    pub struct ColumnPair in "dictionary_column_pair" keyed by (migration_id, legacy_column) {
        /// The migration.
        pub migration_id: String,
        /// The column that goes.
        pub legacy_column: String,
        /// The column that comes.
        pub modern_column: String,
        /// How both are filled meanwhile, in plain words.
        pub population_rule: String,
        /// Whether it is still to be kept.
        pub status: PairStatus,
        /// Who registered it.
        pub registered_by: String,
        /// When.
        pub registered_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// A metric that must not get lost on the way.
    pub struct ProtectedMetric in "protected_metric" keyed by (migration_id, metric_id) {
        /// The migration.
        pub migration_id: String,
        /// The metric.
        pub metric_id: String,
        /// Who protects it.
        pub protected_by: String,
        /// Since when.
        pub protected_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// Something amiss that somebody has to see to.
    pub struct Deficiency in "deficiency" keyed by (deficiency_id) {
        /// Its id.
        pub deficiency_id: String,
        /// What is amiss.
        pub kind: DeficiencyKind,
        /// The migration.
        pub migration_id: String,
        /// What it is about: a metric, or a move.
        pub subject: String,
        /// Who has to see to it.
        pub owner_id: String,
        /// What was found.
        pub detail: String,
        /// When it was opened.
        pub opened_at_utc: Moment,
        /// Who closed it.
        pub closed_by: Option<String>,
        /// Why.
        pub closed_reason: Option<String>,
        /// When.
        pub closed_at_utc: Option<Moment>,
        /// The row's version.
        pub version: i64,
    }
}

impl Migration {
    /// Tells whether both halves of its pairs are still looked at: it is between dual write and its close.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        let is_open = self.closed_at_dt_utc.is_none();
        is_open && matches!(self.phase, Phase::DualWrite | Phase::Cutover)
    }
}

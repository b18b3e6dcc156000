//! The rows of weekly reconciliation.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::clock::Moment;
use crate::rules::governance;
use crate::rules::week::{self, AckBasis, RunKind, RunStatus, Schedule, SkipReason};
use crate::store::tables::governed;

governed! {
    /// A version of how far apart two sides may be.
    pub struct EpsilonPolicy in "epsilon_policy" keyed by (epsilon_policy_version) {
        /// The version, as manifests and sidecars name it.
        pub epsilon_policy_version: String,
        /// The document with the epsilon of each metric.
        pub document_sha256: String,
        /// The ratio above which a week is watched.
        pub soft: String,
        /// The ratio above which a cutover is rolled back.
        pub hard: String,
        /// What a ratio is taken of at least.
        pub floor: String,
        /// What the pair would have done to the weeks before.
        pub backtest_sha256: String,
        /// Who proposed it.
        pub proposed_by: String,
        /// Who else agreed.
        pub approved_by: String,
        /// When.
        pub adopted_at_utc: Moment,
        /// The row's version.
        pub version: i64,
        /// The release whose epsilons it repeats. Images from before there were releases know no such thing.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub dictionary_semver: Option<String>,
        /// Those, hashed.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub epsilons_sha256: Option<String>,
    }
}

governed! {
    /// A series of weekly runs.
    pub struct Series in "reconciliation_series" keyed by (series_id) {
        /// The series' id, which its manifests name.
        pub series_id: String,
        /// Whether it counts.
        pub active: bool,
        /// The time of its first window.
        pub first_at_utc: Moment,
        /// Minutes from one window to the next.
        pub every_minutes: i64,
        /// How many minutes before its time a window may be run.
        pub early_minutes: i64,
        /// How many minutes after its time a window must have ended.
        pub grace_minutes: i64,
        /// How many names a green run asks for.
        pub quorum: i64,
        /// How many names an overridden run asks for.
        pub override_quorum: i64,
        /// Who registered it.
        pub registered_by: String,
        /// When.
        pub registered_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

impl Series {
    /// Returns its schedule, for the rules.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        Schedule {
            first: self.first_at_utc,
            every_minutes: self.every_minutes,
            early_minutes: self.early_minutes,
            grace_minutes: self.grace_minutes,
        }
    }
}

governed! {
    /// A window of a series: planned, run, skipped or missed.
    pub struct Window in "reconciliation_window" keyed by (job_run_id) {
        /// The run's id.
        pub job_run_id: String,
        /// Its series.
        pub series_id: String,
        /// Why it was made.
        pub run_kind: RunKind,
        /// Where it stands.
        pub status: RunStatus,
        /// Its time.
        pub scheduled_at: Moment,
        /// When somebody began.
        pub started_at: Option<Moment>,
        /// When it ended.
        pub completed_at: Option<Moment>,
        /// Why it was skipped.
        pub skip_reason: Option<SkipReason>,
        /// Why nothing could be compared.
        pub reject_reason: Option<String>,
        /// Where, in words.
        pub reject_detail: Option<String>,
        /// The claim of whoever runs it.
        pub claim: Option<String>,
        /// Until when that holds.
        pub claim_until: Option<Moment>,
        /// Who ran it.
        pub triggered_by: Option<String>,
        /// The beginning of the window whose numbers were compared.
        pub start_inclusive: Option<Moment>,
        /// The end of it.
        pub end_exclusive: Option<Moment>,
        /// The manifest.
        pub manifest_sha256: Option<String>,
        /// Where the diff is.
        pub artifact_uri: Option<String>,
        /// What the leadership's input hashed to.
        pub leadership_ingest_hash: Option<String>,
        /// What the partners' input hashed to.
        pub partner_ingest_hash: Option<String>,
        /// The tuple revision that both showed.
        pub tuple_revision_hash: Option<String>,
        /// The dictionary that both used.
        pub dictionary_semver: Option<String>,
        /// The footer schema of the partners' side.
        pub footer_schema_semver: Option<String>,
        /// The policy it was judged by.
        pub epsilon_policy_version: Option<String>,
        /// How many metrics were compared.
        pub metrics_total: Option<i64>,
        /// How many of them failed.
        pub metrics_failed: Option<i64>,
        /// The metric that lay farthest apart.
        pub worst_metric: Option<String>,
        /// How far.
        pub worst_ratio: Option<String>,
        /// The scheduled run that had ended before it.
        pub previous_run_id: Option<String>,
        /// The row's version.
        pub version: i64,
    }
}

impl Window {
    /// Returns how it stands, for the rules.
    #[must_use]
    pub fn standing<'a>(
        &'a self,
        series: &Series,
        earlier_open: Option<&'a str>,
    ) -> week::Window<'a> {
        week::Window {
            job_run_id: &self.job_run_id,
            kind: self.run_kind,
            status: self.status,
            scheduled_at: self.scheduled_at,
            claim_until: self.claim_until,
            schedule: series.schedule(),
            is_active: series.active,
            earlier_open,
        }
    }
}

/// What was found about one metric: those kept are the protected ones and the worst.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Metric {
    /// The metric.
    pub metric_id: String,
    /// Its place from the worst, from 1.
    pub place: i64,
    /// Whether it is protected.
    pub protected: bool,
    /// The leadership's value.
    pub leadership: Option<String>,
    /// The partners' value.
    pub partner: Option<String>,
    /// How far apart they may be.
    pub epsilon: Option<String>,
    /// How far apart they are.
    pub delta: Option<String>,
    /// That against the epsilon.
    pub ratio: Option<String>,
    /// PASS or FAIL.
    pub verdict: String,
    /// Why it failed.
    pub reason: Option<String>,
    /// Whom it is routed to.
    pub owner_id: Option<String>,
    /// Another person.
    pub backup_id: Option<String>,
}

governed! {
    /// Two windows in a row that did not pass, until red is left.
    pub struct Incident in "reconciliation_incident" keyed by (incident_id) {
        /// The incident's id.
        pub incident_id: String,
        /// The series.
        pub series_id: String,
        /// The first run that did not pass.
        pub first_run_id: String,
        /// The second.
        pub second_run_id: String,
        /// When that was.
        pub opened_at_utc: Moment,
        /// Whether numbers had reached partners, so that the readback owes them an addendum.
        pub addendum_demanded: bool,
        /// Who acknowledged it.
        pub acknowledged_by: Option<String>,
        /// When.
        pub acknowledged_at_utc: Option<Moment>,
        /// Who proposed to leave red.
        pub left_by: Option<String>,
        /// Who else agreed.
        pub left_approved_by: Option<String>,
        /// When.
        pub left_at_utc: Option<Moment>,
        /// The newest run then.
        pub left_at_run_id: Option<String>,
        /// The evidence named, as a JSON list of remediation ids.
        pub evidence: Option<String>,
        /// The readback's addendum.
        pub addendum_sha256: Option<String>,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// The pass that two people declared to be the first of a series.
    pub struct Bootstrap in "bootstrap_declaration" keyed by (series_id) {
        /// The series.
        pub series_id: String,
        /// The run.
        pub job_run_id: String,
        /// Why.
        pub reason: String,
        /// Who declared it.
        pub declared_by: String,
        /// Who else agreed.
        pub approved_by: String,
        /// When.
        pub declared_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// What was done about a run that did not pass.
    pub struct Remediation in "remediation_evidence" keyed by (remediation_id) {
        /// The evidence's id.
        pub remediation_id: String,
        /// The run.
        pub job_run_id: String,
        /// Where it is, or what it says.
        pub evidence: String,
        /// Who attached it.
        pub attached_by: String,
        /// When.
        pub attached_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// What lets a run be signed that is not green.
    pub struct OverridePacket in "override_packet" keyed by (audit_id) {
        /// The packet's audit id.
        pub audit_id: String,
        /// The run.
        pub job_run_id: String,
        /// Why.
        pub reason: String,
        /// Who asked for it.
        pub requested_by: String,
        /// Who else agreed.
        pub approved_by: String,
        /// When.
        pub created_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// What lets a publish run out while red holds the others.
    pub struct Annex in "override_annex" keyed by (annex_id) {
        /// The annex's audit id.
        pub annex_id: String,
        /// The publish run.
        pub publish_run_id: String,
        /// The incident it goes round.
        pub incident_id: String,
        /// Why.
        pub reason: String,
        /// Who asked for it.
        pub requested_by: String,
        /// Who else agreed.
        pub approved_by: String,
        /// When.
        pub created_at_utc: Moment,
        /// Until when.
        pub expires_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

impl Annex {
    /// Returns it for the rules.
    #[must_use]
    pub fn for_rules(&self) -> governance::Annex<'_> {
        governance::Annex {
            annex_id: &self.annex_id,
            requested_by: &self.requested_by,
            approved_by: &self.approved_by,
            expires_at: self.expires_at_utc,
        }
    }
}

governed! {
    /// A name under a run.
    pub struct Ack in "signer_ack" keyed by (job_run_id, signer_id) {
        /// The run.
        pub job_run_id: String,
        /// Who signed.
        pub signer_id: String,
        /// What it rests on.
        pub ack_basis: AckBasis,
        /// The run before, where that is part of it.
        pub previous_run_id: Option<String>,
        /// The series whose bootstrap it rests on.
        pub bootstrap_series_id: Option<String>,
        /// The remediation it rests on.
        pub remediation_id: Option<String>,
        /// The packet it rests on.
        pub override_audit_id: Option<String>,
        /// The hash of everything that was signed.
        pub inputs_sha256: String,
        /// When.
        pub acked_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// An ack that was taken back.
    pub struct AckRevocation in "signer_ack_revocation" keyed by (job_run_id, signer_id) {
        /// The run.
        pub job_run_id: String,
        /// Who had signed.
        pub signer_id: String,
        /// Why.
        pub reason: String,
        /// Who took it back.
        pub revoked_by: String,
        /// When.
        pub revoked_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

//! The rows of the metric dictionary.

use serde::Deserialize;

use crate::clock::Moment;
use crate::rules::Verdict;
use crate::rules::bind::Surface;
use crate::rules::dictionary::{AggregationRule, EpsilonClass, Metric};
use crate::rules::faq::FaqStatus;
use crate::rules::reconcile::{Party, RunVerdict};
use crate::store::tables::governed;

governed! {
    /// A release of the dictionary.
    pub struct Release in "dictionary_release" keyed by (dictionary_semver) {
        /// Its version.
        pub dictionary_semver: String,
        /// The first number of it.
        pub major: i64,
        /// The second.
        pub minor: i64,
        /// The third.
        pub patch: i64,
        /// What stands after a hyphen; empty where there is none.
        pub pre: String,
        /// The release before; none for the first.
        pub previous_semver: Option<String>,
        /// The whole dictionary as a document.
        pub document_sha256: String,
        /// The epsilons by metric, hashed, as policies repeat them.
        pub epsilons_sha256: String,
        /// How many metrics there are.
        pub metrics: i64,
        /// How many of them this release changed.
        pub changed: i64,
        /// Who released it.
        pub released_by: String,
        /// When.
        pub released_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// A metric as the newest release has it.
    pub struct DictionaryMetric in "metric_dictionary" keyed by (metric_id) {
        /// Its id, which never means anything else.
        pub metric_id: String,
        /// What it says, in plain words.
        pub definition: String,
        /// How it is computed.
        pub formula: String,
        /// What it is counted in.
        pub unit: String,
        /// How its values become one.
        pub aggregation_rule: AggregationRule,
        /// What kind of number it is.
        pub epsilon_class: EpsilonClass,
        /// How far apart two sides of it may be.
        pub epsilon_abs: String,
        /// What people see.
        pub display_label: String,
        /// When it stops being used.
        pub deprecated_after: Option<Moment>,
        /// The release that changed it last.
        pub dictionary_semver: String,
        /// The row's version.
        pub version: i64,
    }
}

impl DictionaryMetric {
    /// Makes the row of a metric as a release has it.
    #[must_use]
    pub fn of(metric: &Metric, dictionary_semver: &str, version: i64) -> Self {
        let it = metric.clone();
        Self {
            metric_id: it.metric_id,
            definition: it.definition,
            formula: it.formula,
            unit: it.unit,
            aggregation_rule: it.aggregation_rule,
            epsilon_class: it.epsilon_class,
            epsilon_abs: it.epsilon_abs,
            display_label: it.display_label,
            deprecated_after: it.deprecated_after,
            dictionary_semver: dictionary_semver.to_owned(),
            version,
        }
    }

    /// Returns it for the rules.
    #[must_use]
    pub fn metric(&self) -> Metric {
        let it = self.clone();
        Metric {
            metric_id: it.metric_id,
            definition: it.definition,
            formula: it.formula,
            unit: it.unit,
            aggregation_rule: it.aggregation_rule,
            epsilon_class: it.epsilon_class,
            epsilon_abs: it.epsilon_abs,
            display_label: it.display_label,
            deprecated_after: it.deprecated_after,
        }
    }
}

governed! {
    /// A join that leadership's or the partners' queries make over the dictionary.
    pub struct BindQuery in "bind_query" keyed by (bind_query_id, dictionary_semver) {
        /// Its id, which stays from release to release.
        pub bind_query_id: String,
        /// The release whose columns it reads.
        pub dictionary_semver: String,
        /// Who sees what it gives.
        pub surface: Surface,
        /// Its text.
        pub sql_sha256: String,
        /// Whether it is in use.
        pub active: bool,
        /// Who registered it.
        pub registered_by: String,
        /// When.
        pub registered_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// What was found when the joins of two releases were run.
    pub struct BindProof in "bind_proof" keyed by (proof_id) {
        /// Its id.
        pub proof_id: String,
        /// The release before.
        pub from_semver: String,
        /// The release after.
        pub to_semver: String,
        /// Whether nothing was lost.
        pub verdict: Verdict,
        /// How many metrics the joins have.
        pub metrics: i64,
        /// The proof, for programs.
        pub proof_sha256: String,
        /// The picture of it, for people.
        pub picture_sha256: String,
        /// When it was made.
        pub made_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// What leadership and the partners would have seen before a publish, held against each other.
    pub struct VarianceCheck in "variance_check" keyed by (variance_id) {
        /// Its id.
        pub variance_id: String,
        /// The tuple revision that both sides show.
        pub tuple_revision_hash: String,
        /// The release whose epsilons were held against them.
        pub dictionary_semver: String,
        /// Whether they may be published.
        pub verdict: RunVerdict,
        /// How many metrics were compared.
        pub metrics_total: i64,
        /// How many of them were too far apart.
        pub metrics_failed: i64,
        /// Whom a failure is routed to.
        pub owner_id: String,
        /// Another person.
        pub backup_id: String,
        /// What was found, metric by metric.
        pub artifact_uri: String,
        /// When.
        pub checked_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// A version of the view that the partners' annex reads.
    pub struct AnnexView in "partner_annex_view" keyed by (annex_view_version) {
        /// The version, as the annex shows it.
        pub annex_view_version: String,
        /// The release whose columns it reads.
        pub dictionary_semver: String,
        /// The footer schema that it shows.
        pub footer_schema_semver: String,
        /// Its text.
        pub sql_sha256: String,
        /// Who registered it.
        pub registered_by: String,
        /// When.
        pub registered_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// A question that people ask about a metric, and where the annex answers it.
    pub struct FaqRow in "faq_rows" keyed by (faq_id) {
        /// Its id.
        pub faq_id: String,
        /// The metric.
        pub dictionary_metric_id: String,
        /// The question.
        pub question: String,
        /// Where in the annex the answer stands.
        pub annex_anchor: String,
        /// Whether it is shown.
        pub status: FaqStatus,
        /// Who edited it last.
        pub edited_by: String,
        /// When.
        pub edited_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// What one side of a weekly run said of itself: its window, its tuple, its bypass.
    #[derive(Deserialize)]
    pub struct RunManifest in "run_manifest" keyed by (job_run_id, side) {
        /// The run.
        pub job_run_id: String,
        /// Which side.
        pub side: Party,
        /// What it said, to the letter.
        pub manifest_sha256: String,
        /// The time zone of its window.
        pub window_tz_policy: String,
        /// When the window begins.
        pub start_inclusive: Moment,
        /// When it has ended.
        pub end_exclusive: Moment,
        /// The tuple revision that it shows.
        pub tuple_revision_hash: String,
        /// The release that its ids are of.
        pub dictionary_semver: String,
        /// The bypass that it was published under, or that there was none; none where it is silent.
        pub bypass_audit_id: Option<String>,
        /// The freeze that the bypass goes round.
        pub parent_freeze_id: Option<String>,
        /// The row's version.
        pub version: i64,
    }
}

//! The metric dictionary: one vocabulary for everybody, in which an id never comes to mean something else.

mod diff;
mod document;
mod lint;
mod policy;
mod release;

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::rules::words;

pub use diff::{Change, ChangeKind, diff};
pub use document::{Document, MOST_BYTES, is_plain_id};
pub use lint::{Finding, LintRule, lint};
pub use policy::{epsilons_hash, epsilons_hash_of, policy_document, repeats_the_release};
pub use release::{MOST_CHANGES, Version, may_release, version};

words! {
    /// How the values of a metric become one.
    pub enum AggregationRule {
        /// They are added.
        Sum = "sum",
        /// The largest counts.
        Max = "max",
        /// The newest counts.
        LastObserved = "last_observed",
        /// They are averaged by weight.
        WeightedAverage = "weighted_average",
    }
}

words! {
    /// What kind of number a metric is, which says how far apart two sides of it usually may be.
    pub enum EpsilonClass {
        /// Whole things.
        Count = "count",
        /// A rate, in basis points.
        RateBp = "rate_bp",
        /// A time, in milliseconds.
        LatencyMs = "latency_ms",
        /// Money, in its smallest unit.
        MoneyMinor = "money_minor",
        /// Something else.
        Custom = "custom",
    }
}

impl EpsilonClass {
    /// Tells whether its numbers are whole.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::Count | Self::MoneyMinor)
    }
}

/// What a metric means, how it is computed, and how far apart two sides of it may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
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
    /// How far apart two sides of it may be, as a decimal text.
    pub epsilon_abs: String,
    /// What people see; free to change.
    pub display_label: String,
    /// When it stops being used; none while nobody plans that.
    pub deprecated_after: Option<Moment>,
}

impl Metric {
    /// Returns what may never change while the id stays: each field's name with what it says.
    #[must_use]
    pub fn meaning(&self) -> [(&'static str, &str); 5] {
        [
            ("definition", &self.definition),
            ("formula", &self.formula),
            ("unit", &self.unit),
            ("aggregation_rule", self.aggregation_rule.word()),
            ("epsilon_class", self.epsilon_class.word()),
        ]
    }
}

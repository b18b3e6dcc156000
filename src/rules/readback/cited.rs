//! Numbers that can only be had together with where they come from.

use serde::Serialize;

use crate::canon::Digest;
use crate::rules::Refusal;
use crate::rules::reconcile::Decimal;

/// Where a number comes from: a metric of the dictionary in a revision of a tuple.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Citation {
    metric_id: String,
    tuple_revision_hash: String,
}

impl Citation {
    /// Makes a citation; an empty id or what is no hash cites nothing.
    pub fn new(metric_id: &str, tuple_revision_hash: &str) -> Result<Self, Refusal> {
        let tuple = tuple_revision_hash.parse::<Digest>();
        match (metric_id.is_empty(), tuple) {
            (false, Ok(tuple)) => Ok(Self {
                metric_id: metric_id.to_owned(),
                tuple_revision_hash: tuple.to_string(),
            }),
            (true, _) => Err(Refusal::new(
                "a number without a metric cites nothing",
                "give the id of a metric of the dictionary",
            )),
            (_, Err(_)) => Err(Refusal::new(
                format!("a number of {metric_id} without a tuple revision cites nothing"),
                "give 64 lower-case hexadecimal digits",
            )),
        }
    }

    /// Returns the metric.
    #[must_use]
    pub fn metric_id(&self) -> &str {
        &self.metric_id
    }

    /// Returns the tuple revision.
    #[must_use]
    pub fn tuple_revision_hash(&self) -> &str {
        &self.tuple_revision_hash
    }

    /// Returns the command that follows it to its source.
    #[must_use]
    pub fn command(&self) -> String {
        format!(
            "govdeck cite {} {}",
            self.tuple_revision_hash, self.metric_id
        )
    }
}

/// A number with its citation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cited {
    value: String,
    cites: Citation,
}

impl Cited {
    /// Makes a number that can be shown; what is no plain decimal is none.
    pub fn new(value: &str, cites: Citation) -> Result<Self, Refusal> {
        match Decimal::parse(value) {
            Ok(_) => Ok(Self {
                value: value.to_owned(),
                cites,
            }),
            Err(error) => Err(Refusal::new(
                format!(
                    "the value of {} is no plain decimal: {error}",
                    cites.metric_id
                ),
                "look at the run's diff",
            )),
        }
    }

    /// Returns the number as it was compared.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns where it comes from.
    #[must_use]
    pub fn cites(&self) -> &Citation {
        &self.cites
    }
}

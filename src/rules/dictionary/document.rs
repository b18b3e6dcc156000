//! A dictionary as a document: read strictly, written canonically, in the order of its ids.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Metric, version};
use crate::canon;
use crate::clock::Moment;
use crate::rules::reconcile::Decimal;
use crate::rules::{Refusal, text};

/// The form of documents that this program reads and writes.
const SCHEMA: &str = "govdeck.dictionary.v1";

/// The largest document that is read.
pub const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The longest text of a field.
const MOST_TEXT: usize = 4_000;

/// How long what people see may be: lists are sorted by it, and an index of PostgreSQL holds no row of more than 2 704 bytes.
const MOST_LABEL: usize = 200;

/// The longest id and unit.
const MOST_ID: usize = 100;

/// A whole dictionary, as one release holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Document {
    /// Its form.
    pub schema: String,
    /// The release.
    pub dictionary_semver: String,
    /// Every metric, in the order of the ids as UTF-8 bytes.
    pub metrics: Vec<Metric>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    schema: String,
    dictionary_semver: String,
    metrics: Vec<WrittenMetric>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMetric {
    metric_id: String,
    definition: String,
    formula: String,
    unit: String,
    aggregation_rule: String,
    epsilon_class: String,
    epsilon_abs: String,
    display_label: String,
    deprecated_after: Option<String>,
}

impl Document {
    /// Makes a document of a release and its metrics.
    #[must_use]
    pub fn of(dictionary_semver: String, mut metrics: Vec<Metric>) -> Self {
        metrics.sort_by(|a, b| a.metric_id.cmp(&b.metric_id));
        Self {
            schema: SCHEMA.to_owned(),
            dictionary_semver,
            metrics,
        }
    }

    /// Reads a document: strict JSON, every field known, each of the form that it must have.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let refused = |why: String| {
            Refusal::new(
                format!("the dictionary is malformed: {why}"),
                "its fields are listed in docs/dictionary.md",
            )
        };
        if bytes.len() > MOST_BYTES {
            return Err(refused(format!("it is larger than {MOST_BYTES} bytes")));
        }
        // What two readers could understand differently is refused before it is read.
        canon::canonical_exact(bytes).map_err(|error| refused(error.to_string()))?;
        let written: Written =
            serde_json::from_slice(bytes).map_err(|error| refused(error.to_string()))?;
        written.checked().map_err(refused)
    }

    /// Writes it as canonical JSON.
    pub fn canonical(&self) -> Result<Vec<u8>, Refusal> {
        canon::canonical_of(self).map_err(|error| {
            Refusal::new(
                format!("the dictionary has no canonical form: {error}"),
                "report this as a bug",
            )
        })
    }

    /// Returns how far apart the sides of each metric may be.
    #[must_use]
    pub fn epsilons(&self) -> BTreeMap<&str, &str> {
        let all = self.metrics.iter();
        all.map(|metric| (&*metric.metric_id, &*metric.epsilon_abs))
            .collect()
    }
}

impl Written {
    fn checked(self) -> Result<Document, String> {
        if self.schema != SCHEMA {
            let found = text::shorten(&self.schema, 40);
            return Err(format!("schema is {found:?}, not {SCHEMA:?}"));
        }
        let read = version(&self.dictionary_semver);
        let release = read.map_err(|refusal| format!("dictionary_semver: {}", refusal.sentence))?;
        if self.metrics.is_empty() {
            return Err("metrics is empty: a dictionary without a metric says nothing".to_owned());
        }
        let numbered = self.metrics.into_iter().enumerate();
        let metrics = numbered.map(|(at, metric)| {
            let id = text::shorten(&metric.metric_id, 40).into_owned();
            metric
                .checked()
                .map_err(|why| format!("metrics[{at}] ({id}): {why}"))
        });
        let metrics = metrics.collect::<Result<Vec<_>, String>>()?;
        let document = Document::of(release.text(), metrics);
        let mut neighbours = document.metrics.windows(2);
        match neighbours.find(|two| two[0].metric_id == two[1].metric_id) {
            Some(two) => Err(format!("metric_id {:?} stands twice", two[0].metric_id)),
            None => Ok(document),
        }
    }
}

impl WrittenMetric {
    fn checked(self) -> Result<Metric, String> {
        is_id(&self.metric_id)?;
        for (field, value, most) in [
            ("definition", &self.definition, MOST_TEXT),
            ("formula", &self.formula, MOST_TEXT),
            ("unit", &self.unit, MOST_ID),
            ("display_label", &self.display_label, MOST_LABEL),
        ] {
            is_plain(field, value, most)?;
        }
        let word = |field: &str, refusal: Refusal| {
            format!("{field}: {} ({})", refusal.sentence, refusal.hint)
        };
        let epsilon = Decimal::parse(&self.epsilon_abs)
            .map_err(|error| format!("epsilon_abs is no plain decimal: {error}"))?;
        if epsilon.is_negative() || self.epsilon_abs.starts_with('-') {
            return Err("epsilon_abs is below zero".to_owned());
        }
        if self.epsilon_abs.len() > MOST_ID {
            return Err(format!("epsilon_abs is longer than {MOST_ID} digits"));
        }
        let after = self.deprecated_after.as_deref().map(str::parse::<Moment>);
        Ok(Metric {
            aggregation_rule: self
                .aggregation_rule
                .parse()
                .map_err(|refusal| word("aggregation_rule", refusal))?,
            epsilon_class: self
                .epsilon_class
                .parse()
                .map_err(|refusal| word("epsilon_class", refusal))?,
            deprecated_after: after
                .transpose()
                .map_err(|error| format!("deprecated_after: {error}"))?,
            metric_id: self.metric_id,
            definition: self.definition,
            formula: self.formula,
            unit: self.unit,
            epsilon_abs: self.epsilon_abs,
            display_label: self.display_label,
        })
    }
}

/// Tells whether a text can be an id: of a metric, and of what is said about one.
#[must_use]
pub fn is_plain_id(id: &str) -> bool {
    (1..=MOST_ID).contains(&id.len())
        && id.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn is_id(id: &str) -> Result<(), String> {
    if is_plain_id(id) {
        return Ok(());
    }
    Err(format!(
        "metric_id is not 1 to {MOST_ID} of A-Z a-z 0-9 . _ - with a letter or digit first"
    ))
}

fn is_plain(field: &str, value: &str, most: usize) -> Result<(), String> {
    if value.trim().is_empty() {
        return Err(format!("{field} is empty"));
    }
    if value.len() > most {
        return Err(format!("{field} is longer than {most} bytes"));
    }
    if value.contains(text::is_hostile) {
        return Err(format!("{field} holds what cannot be shown"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn sample() -> Value {
        json!({
            "schema": SCHEMA, "dictionary_semver": "v2.4.0+build.7",
            "metrics": [
                {"metric_id": "MET-0171", "definition": "Share of sessions without a stall", "formula": "good / all",
                 "unit": "bp", "aggregation_rule": "weighted_average", "epsilon_class": "rate_bp", "epsilon_abs": "0.5",
                 "display_label": "Smooth sessions", "deprecated_after": null},
                {"metric_id": "MET-0144", "definition": "Breaches of the agreed time", "formula": "count(breach)",
                 "unit": "count", "aggregation_rule": "sum", "epsilon_class": "count", "epsilon_abs": "0",
                 "display_label": "Breaches", "deprecated_after": "2027-01-01T00:00:00Z"},
            ],
        })
    }

    fn read(value: &Value) -> Result<Document, Refusal> {
        Document::read(value.to_string().as_bytes())
    }

    #[test]
    fn a_document_reads_whole_and_is_written_in_the_order_of_its_ids() {
        let document = read(&sample()).expect("reads");
        assert_eq!(document.dictionary_semver, "2.4.0", "no v, no build");
        let ids: Vec<_> = document.metrics.iter().map(|m| &*m.metric_id).collect();
        assert_eq!(ids, ["MET-0144", "MET-0171"]);
        let written = document.canonical().expect("written");
        assert_eq!(Document::read(&written).expect("reads again"), document);
        let mut turned = sample();
        turned["metrics"].as_array_mut().expect("rows").reverse();
        let turned = read(&turned).expect("reads").canonical();
        assert_eq!(turned.expect("written"), written, "order says nothing");
    }

    #[test]
    fn every_malformed_field_is_named() {
        for (pointer, value, named) in [
            ("/schema", json!("v2"), "schema"),
            ("/dictionary_semver", json!("2.4"), "dictionary_semver"),
            ("/metrics", json!([]), "metrics is empty"),
            ("/metrics/0/metric_id", json!(""), "metric_id"),
            ("/metrics/0/metric_id", json!("-x"), "metric_id"),
            ("/metrics/0/metric_id", json!("a b"), "metric_id"),
            ("/metrics/0/metric_id", json!("MET-0144"), "stands twice"),
            ("/metrics/0/definition", json!("  "), "definition is empty"),
            ("/metrics/0/formula", json!(""), "formula is empty"),
            ("/metrics/0/unit", json!("x".repeat(101)), "unit is longer"),
            (
                "/metrics/0/display_label",
                json!("a\u{202e}b"),
                "display_label holds",
            ),
            (
                "/metrics/0/aggregation_rule",
                json!("median"),
                "aggregation_rule",
            ),
            (
                "/metrics/0/epsilon_class",
                json!("percent"),
                "epsilon_class",
            ),
            ("/metrics/0/epsilon_abs", json!("-1"), "epsilon_abs"),
            ("/metrics/0/epsilon_abs", json!("1e3"), "epsilon_abs"),
            ("/metrics/0/epsilon_abs", json!("-0"), "epsilon_abs"),
            (
                "/metrics/0/epsilon_abs",
                json!("1".repeat(101)),
                "epsilon_abs is longer",
            ),
            (
                "/metrics/0/deprecated_after",
                json!("2027-01-01T00:00:00+02:00"),
                "deprecated_after",
            ),
        ] {
            let mut written = sample();
            if let Some(place) = written.pointer_mut(pointer) {
                *place = value;
            }
            let refusal = read(&written).expect_err(pointer);
            assert!(
                refusal.sentence.contains(named),
                "{pointer}: {}",
                refusal.sentence
            );
        }
    }

    #[test]
    fn unknown_missing_and_double_fields_are_refused() {
        let mut unknown = sample();
        unknown["metrics"][0]["owner"] = json!("maya");
        assert!(read(&unknown).is_err());
        for field in ["formula", "aggregation_rule", "epsilon_abs"] {
            let mut missing = sample();
            let metric = missing["metrics"][0].as_object_mut().expect("a metric");
            metric.remove(field);
            let refusal = read(&missing).expect_err(field);
            assert!(refusal.sentence.contains(field), "{}", refusal.sentence);
        }
        let twice = sample().to_string().replacen('{', "{\"schema\":\"x\",", 1);
        let refusal = Document::read(twice.as_bytes()).expect_err("twice");
        assert!(refusal.sentence.contains("line 1"), "{}", refusal.sentence);
    }
}

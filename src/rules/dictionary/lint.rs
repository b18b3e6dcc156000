//! What is allowed in a dictionary and still looks like a mistake.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Document;
use crate::rules::words;

/// Below this many characters a definition explains nothing.
const SHORT: usize = 12;

words! {
    /// What looks like a mistake.
    pub enum LintRule {
        /// Two metrics look alike to people.
        LabelRepeated = "label_repeated",
        /// The label says no more than the id.
        LabelIsId = "label_is_id",
        /// The definition explains nothing.
        DefinitionShort = "definition_short",
        /// Whole numbers that may be a fraction apart.
        EpsilonFraction = "epsilon_fraction",
        /// Two ids with one formula in one unit.
        FormulaRepeated = "formula_repeated",
    }
}

/// One thing that looks like a mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub rule: LintRule,
    /// Where.
    pub metric_id: String,
    /// In words.
    pub detail: String,
}

/// Looks through a dictionary, in the order of its ids.
#[must_use]
pub fn lint(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut labels: BTreeMap<String, &str> = BTreeMap::new();
    let mut formulas: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for metric in &document.metrics {
        let id = &*metric.metric_id;
        let mut add = |rule, detail: String| {
            findings.push(Finding {
                rule,
                metric_id: id.to_owned(),
                detail,
            });
        };
        let label = metric.display_label.trim().to_lowercase();
        if label == id.to_lowercase() {
            add(LintRule::LabelIsId, "people see only the id".to_owned());
        }
        // What is on its way out may look like what takes its place.
        if metric.deprecated_after.is_none() {
            if let Some(first) = labels.get(&label) {
                let shown = &metric.display_label;
                add(
                    LintRule::LabelRepeated,
                    format!("{shown:?} is also the label of {first}"),
                );
            }
            labels.entry(label).or_insert(id);
            let computed = (&*metric.formula, &*metric.unit);
            if let Some(first) = formulas.get(&computed) {
                add(
                    LintRule::FormulaRepeated,
                    format!("{first} is computed the same way"),
                );
            }
            formulas.entry(computed).or_insert(id);
        }
        if metric.definition.trim().chars().count() < SHORT {
            add(
                LintRule::DefinitionShort,
                format!("{:?} explains nothing", metric.definition.trim()),
            );
        }
        let digits = metric.epsilon_abs.split_once('.');
        let is_fraction = digits.is_some_and(|(_, after)| after.bytes().any(|digit| digit != b'0'));
        if metric.epsilon_class.is_whole() && is_fraction {
            add(
                LintRule::EpsilonFraction,
                format!(
                    "an epsilon of {} for a {}",
                    metric.epsilon_abs, metric.epsilon_class
                ),
            );
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{AggregationRule, EpsilonClass, Metric};
    use super::*;

    fn document(edit: impl Fn(&mut [Metric; 2])) -> Document {
        let metric = |id: &str, formula: &str, label: &str| Metric {
            metric_id: id.into(),
            definition: "Breaches of the agreed time".into(),
            formula: formula.into(),
            unit: "count".into(),
            aggregation_rule: AggregationRule::Sum,
            epsilon_class: EpsilonClass::Count,
            epsilon_abs: "0".into(),
            display_label: label.into(),
            deprecated_after: None,
        };
        let mut two = [metric("A-1", "a", "Breaches"), metric("A-2", "b", "Takes")];
        edit(&mut two);
        Document::of("1.0.0".into(), two.to_vec())
    }

    #[test]
    fn each_rule_finds_its_mistake_and_a_sound_dictionary_has_none() {
        type Edit = fn(&mut [Metric; 2]);
        assert_eq!(lint(&document(|_| {})), []);
        let cases: [(LintRule, &str, Edit); 5] = [
            (LintRule::LabelRepeated, "A-2", |two| {
                two[1].display_label = "breaches ".into();
            }),
            (LintRule::LabelIsId, "A-1", |two| {
                two[0].display_label = "a-1".into();
            }),
            (LintRule::DefinitionShort, "A-2", |two| {
                two[1].definition = "tbd".into();
            }),
            (LintRule::EpsilonFraction, "A-1", |two| {
                two[0].epsilon_abs = "0.5".into();
            }),
            (LintRule::FormulaRepeated, "A-2", |two| {
                two[1].formula = "a".into();
            }),
        ];
        for (rule, metric, edit) in cases {
            let found = lint(&document(edit));
            let found: Vec<_> = found.iter().map(|it| (it.rule, &*it.metric_id)).collect();
            assert_eq!(found, [(rule, metric)]);
        }
        assert_eq!(LintRule::ALL.len(), cases.len());
    }

    #[test]
    fn what_takes_the_place_of_another_may_look_like_it() {
        let found = lint(&document(|two| {
            two[1].display_label = "Breaches".into();
            two[1].formula = "a".into();
            two[0].deprecated_after = "2027-01-01T00:00:00Z".parse().ok();
        }));
        assert_eq!(found, []);
    }

    #[test]
    fn a_whole_epsilon_may_be_written_with_a_point() {
        let found = lint(&document(|two| two[0].epsilon_abs = "1.0".into()));
        assert_eq!(found, []);
    }
}

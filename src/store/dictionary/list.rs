//! The metrics as a long list.

use super::DictionaryMetric;
use crate::rules::words;
use crate::store::window::{self, List, Look, Runs};
use crate::store::{StoreError, View};

words! {
    /// By what metrics are sorted.
    #[derive(Default)]
    pub enum MetricSort {
        /// By their id.
        #[default]
        Id = "id",
        /// By what people see.
        Label = "label",
        /// By what kind of number they are.
        Class = "class",
    }
}

/// The fields that a filter of metrics may name.
pub const METRIC_FIELDS: &[&str] = &["id", "label", "class", "unit", "rule", "release", "state"];

const FIELDS: &[(&str, &str)] = &[
    ("id", "m.metric_id"),
    ("label", "m.display_label"),
    ("class", "m.epsilon_class"),
    ("unit", "m.unit"),
    ("rule", "m.aggregation_rule"),
    ("release", "m.dictionary_semver"),
    (
        "state",
        "CASE WHEN m.deprecated_after IS NULL THEN 'in use' ELSE 'deprecated' END",
    ),
];

impl MetricSort {
    const fn key(self) -> &'static [&'static str] {
        match self {
            Self::Id => &["metric_id"],
            Self::Label => &["display_label", "metric_id"],
            Self::Class => &["epsilon_class", "metric_id"],
        }
    }
}

/// Reads a window of all metrics.
pub async fn listed(
    view: &mut View,
    look: &Look<MetricSort>,
) -> Result<window::Window<DictionaryMetric>, StoreError> {
    // SQLite would else go by the index of the primary key, and make `sought` anew of each row.
    let by = match (look.sort, view.is_postgres()) {
        (MetricSort::Id, false) => " INDEXED BY metric_dictionary_by_id",
        _ => "",
    };
    let list = List {
        select: format!(
            "SELECT m.{} FROM metric_dictionary m{by} WHERE TRUE",
            DictionaryMetric::COLUMNS.join(", m.")
        ),
        prefix: "m.",
        key: look.sort.key(),
        runs: Runs::Up,
        place: "metric_dictionary m WHERE m.metric_id = $1",
        fields: FIELDS,
        sought: Some("m.sought"),
        now: None,
    };
    window::read(view, &list, look).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_a_filter_may_name_can_be_read() {
        let known: Vec<_> = FIELDS.iter().map(|(name, _)| *name).collect();
        assert_eq!(known, METRIC_FIELDS);
    }
}

//! What a release would do to the dictionary before it, metric by metric.

use std::cmp::Ordering;

use serde::Serialize;

use super::Metric;
use crate::rules::words;

words! {
    /// What happens to a metric.
    pub enum ChangeKind {
        /// It is new.
        Added = "added",
        /// It stops being used, or that moves.
        Deprecated = "deprecated",
        /// People see another label.
        Relabelled = "relabelled",
        /// Its sides may be farther apart, or less.
        Retoleranced = "retoleranced",
        /// The same id would mean something else.
        Redefined = "redefined",
        /// The id would be gone.
        Removed = "removed",
        /// What was to stop being used would go on.
        Revived = "revived",
    }
}

impl ChangeKind {
    /// Tells whether nobody may do it: an id is for ever.
    #[must_use]
    pub const fn is_refused(self) -> bool {
        matches!(self, Self::Redefined | Self::Removed | Self::Revived)
    }
}

/// One thing that happens to a metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The metric.
    pub metric_id: String,
    /// What happens to it.
    pub kind: ChangeKind,
    /// The field, where it is one.
    pub field: Option<&'static str>,
    /// What that said.
    pub before: Option<String>,
    /// What it would say.
    pub after: Option<String>,
}

impl Change {
    fn whole(metric: &Metric, kind: ChangeKind) -> Self {
        Self {
            metric_id: metric.metric_id.clone(),
            kind,
            field: None,
            before: None,
            after: None,
        }
    }
}

/// Compares two dictionaries whose metrics are in the order of their ids.
#[must_use]
pub fn diff(before: &[Metric], after: &[Metric]) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return changes,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.metric_id.cmp(&new.metric_id),
        };
        let was = old.next_if(|_| order.is_le());
        let is = new.next_if(|_| order.is_ge());
        match (was, is) {
            (Some(was), Some(is)) => of_one(was, is, &mut changes),
            (Some(was), None) => changes.push(Change::whole(was, ChangeKind::Removed)),
            (None, Some(is)) => changes.push(Change::whole(is, ChangeKind::Added)),
            (None, None) => {}
        }
    }
}

fn of_one(was: &Metric, is: &Metric, changes: &mut Vec<Change>) {
    let mut add = |kind, field, before: Option<String>, after: Option<String>| {
        if before != after {
            changes.push(Change {
                field: Some(field),
                before,
                after,
                ..Change::whole(is, kind)
            });
        }
    };
    let said = |text: &str| Some(text.to_owned());
    for ((field, before), (_, after)) in was.meaning().into_iter().zip(is.meaning()) {
        add(ChangeKind::Redefined, field, said(before), said(after));
    }
    let (before, after) = (&was.epsilon_abs, &is.epsilon_abs);
    add(
        ChangeKind::Retoleranced,
        "epsilon_abs",
        said(before),
        said(after),
    );
    let (before, after) = (&was.display_label, &is.display_label);
    add(
        ChangeKind::Relabelled,
        "display_label",
        said(before),
        said(after),
    );
    let kind = match is.deprecated_after {
        None => ChangeKind::Revived,
        Some(_) => ChangeKind::Deprecated,
    };
    let text = |metric: &Metric| metric.deprecated_after.map(|at| at.to_string());
    add(kind, "deprecated_after", text(was), text(is));
}

#[cfg(test)]
mod tests {
    use super::super::{AggregationRule, EpsilonClass};
    use super::*;

    fn metric(id: &str) -> Metric {
        Metric {
            metric_id: id.into(),
            definition: "Breaches of the agreed time".into(),
            formula: "count(breach)".into(),
            unit: "count".into(),
            aggregation_rule: AggregationRule::Sum,
            epsilon_class: EpsilonClass::Count,
            epsilon_abs: "0".into(),
            display_label: "Breaches".into(),
            deprecated_after: None,
        }
    }

    fn kinds(before: &[Metric], after: &[Metric]) -> Vec<(String, ChangeKind)> {
        let changes = diff(before, after).into_iter();
        changes.map(|it| (it.metric_id, it.kind)).collect()
    }

    #[test]
    fn every_kind_of_change_is_told_with_its_field() {
        type Edit = fn(&mut Metric);
        let date = |metric: &mut Metric| {
            metric.deprecated_after = "2027-01-01T00:00:00Z".parse().ok();
        };
        let cases: [(Edit, ChangeKind, &str); 8] = [
            (
                |m| m.definition = "Something else".into(),
                ChangeKind::Redefined,
                "definition",
            ),
            (
                |m| m.formula = "sum(x)".into(),
                ChangeKind::Redefined,
                "formula",
            ),
            (|m| m.unit = "ms".into(), ChangeKind::Redefined, "unit"),
            (
                |m| m.aggregation_rule = AggregationRule::Max,
                ChangeKind::Redefined,
                "aggregation_rule",
            ),
            (
                |m| m.epsilon_class = EpsilonClass::Custom,
                ChangeKind::Redefined,
                "epsilon_class",
            ),
            (
                |m| m.epsilon_abs = "1".into(),
                ChangeKind::Retoleranced,
                "epsilon_abs",
            ),
            (
                |m| m.display_label = "Late".into(),
                ChangeKind::Relabelled,
                "display_label",
            ),
            (date, ChangeKind::Deprecated, "deprecated_after"),
        ];
        for (edit, kind, field) in cases {
            let (was, mut is) = (metric("A"), metric("A"));
            edit(&mut is);
            let found = diff(std::slice::from_ref(&was), std::slice::from_ref(&is));
            assert_eq!(found.len(), 1, "{field}");
            assert_eq!((found[0].kind, found[0].field), (kind, Some(field)));
            assert_ne!(found[0].before, found[0].after);
            assert_eq!(
                diff(std::slice::from_ref(&was), std::slice::from_ref(&was)),
                [],
                "nothing changed"
            );
        }
        let (mut was, is) = (metric("A"), metric("A"));
        date(&mut was);
        assert_eq!(kinds(&[was], &[is]), [("A".into(), ChangeKind::Revived)]);
    }

    #[test]
    fn ids_that_come_and_go_are_told_in_their_order() {
        use ChangeKind::{Added, Removed};
        let before = ["A", "B", "D"].map(metric);
        let after = ["B", "C", "E"].map(metric);
        let expected = [("A", Removed), ("C", Added), ("D", Removed), ("E", Added)];
        let expected = expected.map(|(id, kind)| (id.to_owned(), kind));
        assert_eq!(kinds(&before, &after), expected);
        assert_eq!(kinds(&[], &after).len(), 3);
        assert_eq!(kinds(&before, &[]).len(), 3);
    }

    #[test]
    fn only_what_keeps_the_meaning_of_an_id_is_allowed() {
        for kind in ChangeKind::ALL {
            let allowed = ["added", "deprecated", "relabelled", "retoleranced"];
            assert_eq!(!kind.is_refused(), allowed.contains(&kind.word()), "{kind}");
        }
    }
}

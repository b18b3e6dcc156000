//! The metric dictionary: it is released, queries are bound to it, people ask about it, and a second release follows.

use std::ops::Range;

use crate::actions::Asked;
use crate::rules::dictionary::{AggregationRule, Document, EpsilonClass, Metric};

use super::super::beat::{Beat, Deed};
use super::act;
use super::people::{BACKUP, LEAD, READY};

/// The release that the story begins with.
pub const FIRST: &str = "2.4.0";
/// The one that follows.
pub const SECOND: &str = "2.4.1";
/// When that is.
pub const FOLLOWS: i64 = READY + 25 * 60;
/// Who looks after the dictionary.
const OWNER: &str = "ana";

type Line = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    AggregationRule,
    EpsilonClass,
);

use AggregationRule::{LastObserved, Max, Sum, WeightedAverage};
use EpsilonClass::{Count, Custom, LatencyMs, MoneyMinor, RateBp};

/// Id, label, meaning, formula, unit, how values become one, what kind of number it is.
const METRICS: &[Line] = &[
    (
        "MET-0009",
        "Open tickets",
        "Tickets that nobody has closed at the week's end",
        "last(open_tickets)",
        "tickets",
        LastObserved,
        Count,
    ),
    (
        "MET-0031",
        "Refund share",
        "Share of orders that were paid back",
        "refunded / orders",
        "basis points",
        WeightedAverage,
        RateBp,
    ),
    (
        "MET-0101",
        "Crash-free sessions",
        "Share of sessions that ended without a crash",
        "1 - crashed / sessions",
        "basis points",
        WeightedAverage,
        RateBp,
    ),
    (
        "MET-0144",
        "Breaches",
        "Breaches of the agreed response time",
        "count(breach)",
        "breaches",
        Sum,
        Count,
    ),
    (
        "MET-0145",
        "Time in breach",
        "Minutes during which an agreed time was exceeded",
        "sum(breach_minutes)",
        "minutes",
        Sum,
        Custom,
    ),
    (
        "MET-0171",
        "Smooth sessions",
        "Share of sessions without a stall of over a second",
        "smooth / sessions",
        "percent",
        WeightedAverage,
        RateBp,
    ),
    (
        "MET-0180",
        "Availability",
        "Share of minutes in which the service answered",
        "answered / minutes",
        "percent",
        WeightedAverage,
        RateBp,
    ),
    (
        "MET-0181",
        "Error minutes",
        "Minutes in which more than one in a hundred requests failed",
        "count(bad_minute)",
        "minutes",
        Sum,
        Count,
    ),
    (
        "MET-0183",
        "Incidents",
        "Incidents that customers noticed",
        "count(incident)",
        "incidents",
        Sum,
        Count,
    ),
    (
        "MET-0190",
        "Late deliveries",
        "Deliveries after the promised day",
        "count(late)",
        "deliveries",
        Sum,
        Count,
    ),
    (
        "MET-0201",
        "Median latency",
        "The time within which half of all requests are answered",
        "p50(latency)",
        "milliseconds",
        WeightedAverage,
        LatencyMs,
    ),
    (
        "MET-0202",
        "Slow latency",
        "The time within which all but five in a hundred are answered",
        "p95(latency)",
        "milliseconds",
        Max,
        LatencyMs,
    ),
    (
        "MET-0204",
        "Timeouts",
        "Requests that were given up",
        "count(timeout)",
        "requests",
        Sum,
        Count,
    ),
    (
        "MET-0222",
        "Churn",
        "Share of accounts that left during the week",
        "left / accounts",
        "basis points",
        WeightedAverage,
        RateBp,
    ),
    (
        "MET-0240",
        "Active devices",
        "Devices that were used at least once",
        "count_distinct(device)",
        "devices",
        LastObserved,
        Count,
    ),
    (
        "MET-0242",
        "New devices",
        "Devices that were used for the first time",
        "count(first_use)",
        "devices",
        Sum,
        Count,
    ),
    (
        "MET-0247",
        "Adoption",
        "Share of devices on the newest version",
        "newest / devices",
        "percent",
        LastObserved,
        RateBp,
    ),
    (
        "MET-0301",
        "Support answers",
        "Answers within a working day",
        "count(answered_in_time)",
        "answers",
        Sum,
        Count,
    ),
    (
        "MET-0302",
        "Cost per hour",
        "What an hour of the service costs",
        "cost / hours",
        "cents",
        WeightedAverage,
        MoneyMinor,
    ),
    (
        "MET-0303",
        "Service hours",
        "Hours that the service ran for",
        "sum(hours)",
        "hours",
        Sum,
        Custom,
    ),
    (
        "MET-0305",
        "Traffic",
        "Data that left the service",
        "sum(bytes) / 10^9",
        "gigabytes",
        Sum,
        Custom,
    ),
];

/// Lists the metrics that both releases have, in the order of their ids.
pub fn metric_ids() -> impl Iterator<Item = &'static str> {
    METRICS.iter().map(|(id, ..)| *id)
}

/// The dictionary as the story begins.
#[must_use]
pub fn first() -> Document {
    let metrics = METRICS.iter().map(metric).collect();
    Document::of(FIRST.to_owned(), metrics)
}

/// The one that follows: a label is made plainer, one metric is on its way out, and another takes its place.
fn second() -> Document {
    let mut metrics: Vec<Metric> = METRICS.iter().map(metric).collect();
    for metric in &mut metrics {
        match metric.metric_id.as_str() {
            "MET-0144" => "Late responses".clone_into(&mut metric.display_label),
            "MET-0009" => metric.deprecated_after = "2027-01-01T00:00:00Z".parse().ok(),
            _ => {}
        }
    }
    metrics.push(metric(&(
        "MET-0310",
        "Ticket backlog",
        "Tickets that were open for more than a week",
        "count(open_over_week)",
        "tickets",
        Sum,
        Count,
    )));
    Document::of(SECOND.to_owned(), metrics)
}

fn metric(line: &Line) -> Metric {
    let (id, label, meaning, formula, unit, rule, class) = *line;
    Metric {
        metric_id: id.to_owned(),
        definition: meaning.to_owned(),
        formula: formula.to_owned(),
        unit: unit.to_owned(),
        aggregation_rule: rule,
        epsilon_class: class,
        epsilon_abs: "1".to_owned(),
        display_label: label.to_owned(),
        deprecated_after: None,
    }
}

/// Tells how the dictionary is released, what is bound to it, and how it goes on.
#[must_use]
pub fn beats(_seed: u32, _seconds: &Range<i64>) -> Vec<Beat> {
    let mut beats = vec![
        act(
            41,
            LEAD,
            "grant_role",
            Asked::of(BACKUP).with("role", "data_engineer"),
            "the team is set up for the demo",
        ),
        act(
            42,
            LEAD,
            "grant_role",
            Asked::of(OWNER).with("role", "faq_editor"),
            "the team is set up for the demo",
        ),
    ];
    let bound = [(44, FIRST, first()), (FOLLOWS, SECOND, second())];
    for (at, release, document) in bound {
        let text = document.canonical().unwrap_or_default();
        let asked = Asked::of(release).with("document", String::from_utf8_lossy(&text));
        beats.push(act(
            at,
            OWNER,
            "release_dictionary",
            asked,
            "agreed with leadership and the partners' engineers",
        ));
        for (id, surface) in [
            ("leadership-rollup", "leadership"),
            ("annex-totals", "partner_annex"),
        ] {
            let asked = Asked::of(format!("{id}/{release}"))
                .with("surface", surface)
                .with(
                    "sql",
                    "SELECT metric_id FROM metric_dictionary WHERE deprecated_after IS NULL",
                );
            beats.push(act(
                at + 10,
                BACKUP,
                "register_bind_query",
                asked,
                "what the rollup and the annex join today",
            ));
        }
        let view = Asked::of(format!("annex-{release}"))
            .with("release", release)
            .with("footer", "v2.4.0")
            .with(
                "sql",
                "SELECT metric_id, display_label, unit FROM metric_dictionary",
            );
        beats.push(act(
            at + 11,
            BACKUP,
            "register_annex_view",
            view,
            "the annex reads this release from now on",
        ));
        beats.push(Beat {
            at: at + 14,
            deed: Deed::Bind,
        });
    }
    for (id, metric, question) in [
        (
            "faq-breaches",
            "MET-0144",
            "When does a response count as late?",
        ),
        (
            "faq-smooth",
            "MET-0171",
            "Why do smooth sessions differ from availability?",
        ),
    ] {
        let asked = Asked::of(id)
            .with("metric", metric)
            .with("question", question)
            .with("anchor", format!("annex.html#{}", metric.to_lowercase()));
        beats.push(act(
            57,
            OWNER,
            "put_faq",
            asked,
            "partners have asked this in three calls",
        ));
    }
    beats
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::dictionary::{diff, lint};

    #[test]
    fn both_releases_are_sound_and_one_may_follow_the_other() {
        for document in [first(), second()] {
            let text = document.canonical().expect("written");
            assert_eq!(Document::read(&text).as_ref(), Ok(&document));
            assert_eq!(lint(&document), []);
        }
        let changes = diff(&first().metrics, &second().metrics);
        let kinds: Vec<_> = changes.iter().map(|it| it.kind.word()).collect();
        assert_eq!(kinds, ["deprecated", "relabelled", "added"]);
    }
}

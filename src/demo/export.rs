//! What pipelines export: metrics by platform and region, and what an edit makes of them on their way.

use std::fmt::Write as _;

use crate::canon;
use crate::rules::block::BlockReason;
use crate::rules::drift::Side;
use crate::store::leaf::NewLeaves;

use super::beat::Run;
use super::dice::Dice;

/// A metric, and between which values it lies.
#[derive(Debug, PartialEq, Eq)]
struct Metric {
    id: &'static str,
    unit: &'static str,
    /// How many places it is written with: a count has none.
    places: u32,
    least: i64,
    most: i64,
}

const fn counted(id: &'static str, unit: &'static str, least: i64, most: i64) -> Metric {
    Metric {
        id,
        unit,
        places: 0,
        least,
        most,
    }
}

/// A metric with two places; its bounds are in hundredths.
const fn measured(id: &'static str, unit: &'static str, least: i64, most: i64) -> Metric {
    Metric {
        places: 2,
        ..counted(id, unit, least, most)
    }
}

/// What each dashboard shows.
const METRICS: &[(&str, &[Metric])] = &[
    (
        "sla/partners",
        &[
            counted("MET-0144", "breaches", 1, 40),
            measured("MET-0145", "minutes", 900, 7_200),
            measured("MET-0171", "percent", 8_200, 9_990),
        ],
    ),
    (
        "uptime/customers",
        &[
            measured("MET-0180", "percent", 9_700, 9_999),
            counted("MET-0181", "error_minutes", 0, 90),
            counted("MET-0183", "incidents", 0, 9),
        ],
    ),
    (
        "latency/partners",
        &[
            measured("MET-0201", "milliseconds", 1_800, 4_200),
            measured("MET-0202", "milliseconds", 7_500, 19_000),
            counted("MET-0204", "timeouts", 0, 120),
        ],
    ),
    (
        "adoption/board",
        &[
            counted("MET-0240", "devices", 900, 99_000),
            counted("MET-0242", "devices", 40, 7_000),
            measured("MET-0247", "percent", 2_100, 6_400),
        ],
    ),
    (
        "cost/internal",
        &[
            counted("MET-0302", "minor_units", 3, 190),
            measured("MET-0303", "hours", 70_000, 2_400_000),
            measured("MET-0305", "gigabytes", 9_000, 880_000),
        ],
    ),
];

/// How a metric is cut; nothing is the whole of it.
const FILTERS: &[Option<&str>] = &[
    None,
    Some("platform=mobile"),
    Some("platform=pcvr"),
    Some("platform=quest"),
    Some("platform=quest;region=apac"),
    Some("platform=quest;region=eu"),
    Some("platform=quest;region=na"),
    Some("platform=web"),
];

/// A cut that only an edited export has.
const NEW_FILTER: Option<&str> = Some("platform=quest;region=latam");

/// Rows as both sides have them; none where a side has no rows that could be hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// What would be published, as JSON.
    pub publish: Option<String>,
    /// What the source says, as JSON.
    pub source: Option<String>,
}

/// A cell: a metric under a filter, with its value in the last of its places.
#[derive(Debug, Clone, Copy)]
struct Cell {
    metric: &'static Metric,
    filter: Option<&'static str>,
    value: i64,
}

impl Export {
    /// Hashes both sides as minting does: what has no rows has neither a hash nor leaves.
    #[must_use]
    pub fn hashed(&self) -> ([Option<String>; 2], Vec<NewLeaves>) {
        let mut leaves = Vec::new();
        let mut hash = |side: Side, rows: Option<&str>| {
            let hashed = canon::tuple_leaves(rows?).ok()?;
            leaves.push(NewLeaves::new(side, hashed.leaves));
            Some(hashed.digest.to_string())
        };
        let hashes = [
            hash(Side::Publish, self.publish.as_deref()),
            hash(Side::Source, self.source.as_deref()),
        ];
        (hashes, leaves)
    }
}

impl Run {
    /// Writes what the run would publish and what its source says; the same for the same run.
    #[must_use]
    pub fn export(&self) -> Export {
        let mut dice = Dice::of(self.rows, "export", 0);
        let source = cells(self.scope, &mut dice);
        let has = |missing| self.flaw != Some(missing);
        let publish = if has(BlockReason::TupleDrift) {
            source.clone()
        } else {
            edited(&source, &mut dice)
        };
        Export {
            publish: has(BlockReason::MissingPublishHash).then(|| json(&publish)),
            source: has(BlockReason::MissingSourceHash).then(|| json(&source)),
        }
    }
}

fn cells(scope: &str, dice: &mut Dice) -> Vec<Cell> {
    let found = METRICS.iter().find(|(of, _)| *of == scope);
    let metrics: &'static [Metric] = found.or(METRICS.first()).map_or(&[], |(_, all)| all);
    let mut cell = |metric: &'static Metric, filter| Cell {
        metric,
        filter,
        value: dice.between(metric.least, metric.most),
    };
    let all = metrics
        .iter()
        .flat_map(|metric| FILTERS.iter().map(move |filter| (metric, *filter)));
    all.map(|(metric, filter)| cell(metric, filter)).collect()
}

/// Edits what would be published: a value or two are others, and at times a row is gone or is new.
fn edited(source: &[Cell], dice: &mut Dice) -> Vec<Cell> {
    let mut cells = source.to_vec();
    let (first, count) = (place(&cells, dice), usize::from(dice.happens(50)) + 1);
    for cell in cells.iter_mut().skip(first).take(count) {
        let most = cell.metric.most;
        cell.value = if cell.value < most {
            dice.between(cell.value + 1, most)
        } else {
            most - 1
        };
    }
    if dice.happens(40) && !cells.is_empty() {
        cells.remove(place(&cells, dice));
    }
    if dice.happens(30)
        && let Some(cell) = cells.get(place(&cells, dice)).copied()
    {
        let value = cell.value / 5;
        cells.push(Cell {
            filter: NEW_FILTER,
            value,
            ..cell
        });
    }
    cells
}

fn place(cells: &[Cell], dice: &mut Dice) -> usize {
    let last = i64::try_from(cells.len()).unwrap_or(1) - 1;
    usize::try_from(dice.between(0, last.max(0))).unwrap_or(0)
}

fn json(cells: &[Cell]) -> String {
    let mut text = String::from("[");
    for (number, cell) in cells.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let filter = cell
            .filter
            .map_or("null".to_owned(), |filter| format!("\"{filter}\""));
        let Metric {
            id, unit, places, ..
        } = cell.metric;
        let parts = 10_i64.pow(*places);
        let value = match places {
            0 => cell.value.to_string(),
            _ => format!("{}.{:02}", cell.value / parts, cell.value % parts),
        };
        // Writing into a text never fails.
        let _ = write!(
            text,
            "{comma}\n{{\"metric_id\":\"{id}\",\"dimension_filter_id\":{filter},\"value\":{value},\
             \"unit\":\"{unit}\",\"dictionary_semver\":\"v2.4.0\"}}"
        );
    }
    text.push_str("\n]\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::tuple_leaves;

    fn run(rows: u32, flaw: Option<BlockReason>) -> Run {
        Run {
            id: "pub-1".to_owned(),
            scope: "latency/partners",
            flaw,
            rows,
        }
    }

    #[test]
    fn every_dashboard_has_rows_that_both_sides_agree_on() {
        for (scope, _) in METRICS {
            let export = Run {
                scope,
                ..run(1, None)
            }
            .export();
            let hashed = tuple_leaves(export.source.as_deref().expect("rows")).expect("a set");
            assert_eq!(hashed.leaves.rows, 24, "{scope}");
            assert_eq!(export.publish, export.source);
        }
    }

    #[test]
    fn a_drift_always_differs_and_what_is_missing_has_no_rows() {
        for rows in 0..200 {
            let drifted = run(rows, Some(BlockReason::TupleDrift)).export();
            let hash = |side: &Option<String>| {
                let side = side.as_deref().expect("rows");
                tuple_leaves(side).expect("a set").digest
            };
            assert_ne!(hash(&drifted.publish), hash(&drifted.source), "{rows}");
            assert_eq!(
                run(rows, None).export().source,
                drifted.source,
                "published anew, the source says the same"
            );
        }
        let export = run(1, Some(BlockReason::MissingPublishHash)).export();
        assert!(export.publish.is_none() && export.source.is_some());
        let export = run(1, Some(BlockReason::MissingSourceHash)).export();
        assert!(export.publish.is_some() && export.source.is_none());
    }
}

//! What is written down for a migration: the rows of the dictionary, what dashboards showed of them, and the plan of the hour.

use std::fmt::Write as _;

use serde_json::json;

use super::super::dice::Dice;
use super::super::files::REPLAY;
use super::dictionary::{FIRST, SECOND, metric_ids};
use super::migration::ID;
use crate::bundles::expand::Files;
use crate::canon::Digest;
use crate::rules::migration::DICTIONARY;

/// Each column that goes, with its type.
pub const COLUMNS: [(&str, &str); 2] = [("breach_count", "INTEGER"), ("owner_route_id", "TEXT")];
/// The decision that approves a change of the dictionary.
pub const REFERENCE: &str = "migration mig-dict-241, agreed by governance and analytics";
/// Where a plan of the hour names its bundles, once they are made.
pub const NO_BUNDLES: &str = "\"bundles\":[]";

/// What leaders saw before.
pub const LEADERSHIP: &str = "migrations/mig-dict-241/goldens/leadership.csv";
/// What partners saw before.
pub const PARTNERS: &str = "migrations/mig-dict-241/goldens/partner_annex.csv";
/// Where exports land.
pub const LANDED: &str = "landed";
/// The partners' export, as it landed last.
pub const ANNEX: &str = "landed/annex.json";
/// The manifest that compares the series.
pub const WEEKLY: &str = "weekly.json";

/// How a metric is cut; nothing is the whole of it.
pub const FILTERS: [&str; 3] = ["", "platform=pcvr", "platform=quest"];
/// Whose rows they are.
const SQUADS: [&str; 3] = ["ETL-pcvr", "ETL-quest", "ETL-web"];

/// A row of the dictionary.
struct Row {
    metric: &'static str,
    filter: &'static str,
    squad: &'static str,
    breaches: i64,
    route: String,
}

fn rows(seed: u32) -> Vec<Row> {
    let mut dice = Dice::of(seed, "dictionary rows", 0);
    let cuts = metric_ids().flat_map(|metric| FILTERS.map(|filter| (metric, filter)));
    let row = |(metric, filter)| Row {
        metric,
        filter,
        squad: dice.pick(&SQUADS).copied().unwrap_or(SQUADS[0]),
        breaches: dice.between(0, 90),
        route: format!("route-{:02}", dice.between(1, 12)),
    };
    cuts.map(row).collect()
}

/// Writes the bundle that fills the expanded dictionary, both halves alike.
#[must_use]
pub fn filling(id: &str, seed: u32) -> Files {
    let rows = rows(seed);
    let mut forward = format!(
        "INSERT INTO {DICTIONARY} (dictionary_metric_id, dimension_filter_id, owning_squad, breach_count, \"breachCount\", \
         owner_route_id, \"route.ownerRouteId\") VALUES"
    );
    for (place, row) in rows.iter().enumerate() {
        let Row {
            metric,
            filter,
            squad,
            breaches,
            route,
        } = row;
        let comma = if place == 0 { "" } else { "," };
        // Writing into a text never fails.
        let _ = write!(
            forward,
            "{comma}\n('{metric}', '{filter}', '{squad}', {breaches}, {breaches}, '{route}', '{route}')"
        );
    }
    forward.push_str(";\n");
    let declaration = format!(
        "migration_id: {id}\ntype: postgis\nintent: \"Fill both halves of each pair of the metric dictionary\"\nscope:\n  \
         allowed_schemas:\n    - main\n  allowed_tables:\n    - \"main.{DICTIONARY}\"\n  forbidden_schemas: []\n  \
         forbidden_tables: []\n  protected_reference_tables: []\nlimits:\n  max_table_count_touched: 1\n  \
         max_index_count_delta: 0\n  max_row_backfill: {count}\nrequires_rollback: true\napprovals:\n  required_reviewers:\n    \
         - governance\n    - data-platform\n  change_class: governance-critical\n  reference: \"{REFERENCE}\"\nrunner:\n  \
         tool: govdeck\n  command: govdeck bundle apply\n  environment: []\nartifacts:\n  forward:\n    - forward.sql\n  \
         rollback:\n    - rollback.sql\n  baselines:\n    pre: baselines/pre.json\n    post: baselines/post.json\n  diffs:\n    \
         summary: diffs/summary.json\n",
        count = rows.len()
    );
    let notes = format!(
        "# {id}\n\n## Why\n\nWhatever fills the dictionary writes both halves from now on; these are its first rows.\n\n\
         ## Risks\n\nNone of them was there before.\n\n## Taking it back\n\nThe rows go.\n"
    );
    [
        ("migration.yml", declaration),
        ("forward.sql", forward),
        (
            "rollback.sql",
            // Row by row: without a condition nobody could count them.
            format!("DELETE FROM {DICTIONARY} WHERE breach_count IS NOT NULL;\n"),
        ),
        ("notes.md", notes),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .to_vec()
}

/// Writes what leaders saw before.
pub fn leadership(seed: u32) -> String {
    let lines = rows(seed).into_iter();
    let lines = lines.map(|row| format!("{},{},{}\n", row.metric, row.filter, row.breaches));
    std::iter::once("metric,filter,breaches\n".to_owned())
        .chain(lines)
        .collect()
}

/// Writes what partners saw before.
pub fn partners(seed: u32) -> String {
    let whole = rows(seed).into_iter().filter(|row| row.filter.is_empty());
    let lines = whole.map(|row| format!("{},{}\n", row.metric, row.route));
    std::iter::once("metric,route\n".to_owned())
        .chain(lines)
        .collect()
}

fn leaders_query(column: &str) -> String {
    format!(
        "SELECT dictionary_metric_id AS metric, dimension_filter_id AS filter, \"{column}\" AS breaches FROM {DICTIONARY} ORDER BY 1, 2"
    )
}

fn partners_query(column: &str) -> String {
    format!(
        "SELECT dictionary_metric_id AS metric, \"{column}\" AS route FROM {DICTIONARY} WHERE dimension_filter_id = '' ORDER BY 1"
    )
}

/// Writes the manifest of the replay.
pub fn replay(seed: u32) -> String {
    let golden = |dashboard: &str, file: &str, text: &str, from: String, to: String| {
        json!({
            "dashboard": dashboard, "file": file, "sha256": Digest::of(text.as_bytes()),
            "from": {"sql": from}, "to": {"sql": to},
        })
    };
    json!({
        "schema": "govdeck.replay-manifest.v1", "migration_id": ID, "from_semver": FIRST, "to_semver": SECOND,
        "goldens": [
            golden("leadership", LEADERSHIP, &leadership(seed), leaders_query("breach_count"), leaders_query("breachCount")),
            golden("partner_annex", PARTNERS, &partners(seed), partners_query("owner_route_id"), partners_query("route.ownerRouteId")),
        ],
    })
    .to_string()
}

/// What exporters write for partners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Both halves, and a key that nobody has allowed.
    Undeclared,
    /// Both halves.
    Both,
    /// The modern half alone.
    Modern,
}

/// Writes what partners get.
pub fn annex(seed: u32, profile: Profile) -> String {
    let whole = rows(seed).into_iter().filter(|row| row.filter.is_empty());
    let cells = whole.map(|row| {
        let mut cells = json!({
            "metric_id": row.metric, "breachCount": row.breaches, "route": {"ownerRouteId": row.route},
        });
        if profile != Profile::Modern {
            cells["breach_count"] = json!(row.breaches);
            cells["owner_route_id"] = json!(row.route);
        }
        if profile == Profile::Undeclared {
            cells["owner_email"] = json!(format!("{}@example.org", row.squad));
        }
        cells
    });
    json!(cells.collect::<Vec<_>>()).to_string()
}

/// Writes the plan of the hour, without its bundles.
pub fn plan() -> String {
    json!({
        "schema": "govdeck.cutover-plan.v1",
        "migration_id": ID,
        "announce": {"attest": "the authoring screen shows the banner of the lock"},
        "goldens": [
            {"pipeline": "leadership", "name": "leadership.csv", "sql": leaders_query("breachCount")},
            {"pipeline": "partner", "name": "annex.json", "file": ANNEX},
        ],
        "replay": REPLAY,
        "deploy": {"attest": "every exporter runs the profile of the modern half"},
        "purge": {"attest": "fragments of the annex are gone from every edge"},
        "reconcile": [WEEKLY],
        "bundles": [],
    })
    .to_string()
}

//! Migrations, and what mismatches, as long lists.

use sqlx::FromRow;

use super::{Event, Migration};
use crate::rules::words;
use crate::store::past::{Past, Stood};
use crate::store::view::{on, query_as};
use crate::store::window::{self, List, Look, Runs, Window};
use crate::store::{StoreError, View};

words! {
    /// By what migrations are sorted.
    #[derive(Default)]
    pub enum MigrationSort {
        /// By when they were opened, the newest first.
        #[default]
        Opened = "opened",
        /// By their id.
        Id = "id",
    }
}

/// The fields that a filter of migrations may name.
pub const MIGRATION_FIELDS: &[&str] = &["id", "phase", "from", "to"];

const FIELDS: &[(&str, &str)] = &[
    ("id", "m.migration_id"),
    ("phase", "m.phase"),
    ("from", "m.from_semver"),
    ("to", "m.to_semver"),
];

/// Reads a window of all migrations.
pub async fn window(
    view: &mut View,
    look: &Look<MigrationSort>,
) -> Result<Window<Migration>, StoreError> {
    window::read(view, &list(look.sort), look).await
}

/// Reads a window of the migrations that there were at a moment in the past, as they stood then.
pub async fn window_at(
    view: &mut View,
    look: &Look<MigrationSort>,
    past: Past,
) -> Result<Window<Migration>, StoreError> {
    let migrations = Stood {
        table: Migration::TABLE,
        columns: Migration::COLUMNS,
        set_with: None,
    };
    let tables = past.tables(view, &[migrations]);
    window::read_of(view, &list(look.sort), look, &tables).await
}

/// Lists the moves that a migration had made by a moment in the past, the first first.
pub async fn events_at(view: &mut View, id: &str, past: Past) -> Result<Vec<Event>, StoreError> {
    let moves = Stood {
        table: Event::TABLE,
        columns: Event::COLUMNS,
        set_with: None,
    };
    let sql = format!(
        "WITH {} SELECT {} FROM {} WHERE migration_id = $1 ORDER BY event_no",
        past.tables(view, &[moves]),
        Event::COLUMNS.join(", "),
        Event::TABLE
    );
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(id).fetch_all(c).await)?)
}

fn list(sort: MigrationSort) -> List {
    let (key, runs): (&[&str], Runs) = match sort {
        MigrationSort::Opened => (&["opened_at_dt_utc", "migration_id"], Runs::Down),
        MigrationSort::Id => (&["migration_id"], Runs::Up),
    };
    List {
        select: format!(
            "SELECT m.{} FROM dictionary_migration_state m WHERE TRUE",
            Migration::COLUMNS.join(", m.")
        ),
        prefix: "m.",
        key,
        runs,
        place: "dictionary_migration_state m WHERE m.migration_id = $1",
        fields: FIELDS,
        sought: None,
        now: None,
    }
}

words! {
    /// By what mismatches are sorted.
    #[derive(Default)]
    pub enum MismatchSort {
        /// By how many there are, the most first.
        #[default]
        Count = "count",
        /// By the metric.
        Metric = "metric",
    }
}

/// How often a metric of a squad did not match in the newest scan.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct Mismatch {
    /// The metric and the squad, in one.
    pub row_id: String,
    /// The metric.
    pub metric_id: String,
    /// Whose numbers they are.
    pub owning_squad: String,
    /// How many rows do not match.
    pub mismatches: i64,
}

/// The fields that a filter of mismatches may name.
pub const MISMATCH_FIELDS: &[&str] = &["metric", "squad"];

const MISMATCH: &[(&str, &str)] = &[("metric", "x.metric_id"), ("squad", "x.owning_squad")];

/// Reads a window of what did not match in the newest scan.
pub async fn mismatches(
    view: &mut View,
    look: &Look<MismatchSort>,
) -> Result<Window<Mismatch>, StoreError> {
    const OF_NEWEST: &str = "(SELECT m.metric_id || '/' || m.owning_squad AS row_id, m.metric_id, m.owning_squad, m.mismatches \
         FROM dual_write_scan_metric m WHERE m.scan_id = (SELECT s.scan_id FROM dual_write_scan s ORDER BY s.scanned_at_utc DESC, s.scan_id DESC LIMIT 1))";
    const PLACE: &str = "(SELECT m.metric_id || '/' || m.owning_squad AS row_id, m.metric_id, m.owning_squad, m.mismatches \
         FROM dual_write_scan_metric m WHERE m.scan_id = (SELECT s.scan_id FROM dual_write_scan s ORDER BY s.scanned_at_utc DESC, s.scan_id DESC LIMIT 1)) x WHERE x.row_id = $1";
    let (key, runs): (&[&str], Runs) = match look.sort {
        MismatchSort::Count => (&["mismatches", "row_id"], Runs::Down),
        MismatchSort::Metric => (&["row_id"], Runs::Up),
    };
    let list = List {
        select: format!(
            "SELECT x.row_id, x.metric_id, x.owning_squad, x.mismatches FROM {OF_NEWEST} x WHERE TRUE"
        ),
        prefix: "x.",
        key,
        runs,
        place: PLACE,
        fields: MISMATCH,
        sought: None,
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
        assert_eq!(known, MIGRATION_FIELDS);
        let known: Vec<_> = MISMATCH.iter().map(|(name, _)| *name).collect();
        assert_eq!(known, MISMATCH_FIELDS);
    }
}

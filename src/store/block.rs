//! Open publish blocks, as people triage them.

use sqlx::FromRow;

use super::past::{Past, Stood};
use super::publish::{Audit, Snapshot};
use super::view::{on, query_as, query_scalar};
use super::window::{self, List, Look, Runs, Window};
use super::{StoreError, View};
use crate::clock::Moment;
use crate::rules::block::BlockReason;
use crate::rules::words;

words! {
    /// By what open blocks are sorted.
    #[derive(Default)]
    pub enum BlockSort {
        /// Nobody has answered first, the shortest time left first.
        #[default]
        TimeLeft = "time left",
        /// The longest blocked first.
        BlockedAt = "blocked at",
        /// By the run's id.
        Run = "run",
    }
}

/// An open block with what is known of its run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct OpenBlock {
    /// What the gate decided.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub audit: Audit,
    /// Dashboard and audience.
    pub publish_scope: String,
    /// The footer schema that the artefact carries.
    pub footer_schema_semver: Option<String>,
    /// When the run was minted.
    pub minted_at_utc: Moment,
    /// When its source was read.
    pub source_observed_at_utc: Option<Moment>,
}

/// The fields that a filter of blocks may name.
pub const BLOCK_FIELDS: &[&str] = &[
    "run", "scope", "reason", "sla", "owner", "backup", "taken", "state",
];

/// Each field as the pane writes it; the two databases reckon with time in their own ways.
macro_rules! fields {
    (is_soon: $is_soon:literal, is_stale: $is_stale:literal) => {
        &[
            ("run", "a.publish_run_id"),
            ("scope", "s.publish_scope"),
            ("reason", "a.block_reason"),
            (
                "sla",
                concat!(
                    "CASE WHEN a.is_taken = TRUE THEN 'answered' WHEN a.respond_by_utc IS NULL THEN 'no limit' \
                     WHEN a.respond_by_utc < :now THEN 'breach' WHEN ",
                    $is_soon,
                    " THEN 'soon' ELSE 'ok' END"
                ),
            ),
            ("owner", "a.owner_user_id"),
            ("backup", "a.backup_owner_user_id"),
            ("taken", "a.taken_by"),
            (
                "state",
                concat!(
                    "CASE WHEN a.is_taken = TRUE AND ",
                    $is_stale,
                    " THEN 'stale' WHEN a.is_taken = TRUE THEN 'taken' \
                     WHEN a.escalated_by IS NULL THEN 'open' ELSE 'escalated' END"
                ),
            ),
        ]
    };
}

type Fields = &'static [(&'static str, &'static str)];

const SQLITE_FIELDS: Fields = fields!(
    is_soon: "2 * julianday(:now) >= julianday(a.created_at_utc) + julianday(a.respond_by_utc)",
    is_stale: "1440 * (julianday(:now) - julianday(COALESCE(a.progress_at_utc, a.taken_at_utc))) > a.sla_first_response_minutes"
);

const POSTGRES_FIELDS: Fields = fields!(
    is_soon: ":now - a.created_at_utc >= a.respond_by_utc - :now",
    is_stale: ":now - COALESCE(a.progress_at_utc, a.taken_at_utc) > a.sla_first_response_minutes * INTERVAL '1 minute'"
);

const OPEN: &str = "a.status = 'blocked' AND a.drill = FALSE";

impl BlockSort {
    const fn key(self) -> &'static [&'static str] {
        match self {
            Self::TimeLeft => &["is_taken", "respond_by_utc", "publish_run_id"],
            Self::BlockedAt => &["created_at_utc", "publish_run_id"],
            Self::Run => &["publish_run_id"],
        }
    }
}

/// Selects blocks with what is known of their runs.
///
/// An expression in place of the bare key keeps PostgreSQL from merging both tables from their first rows on.
fn select(condition: &str) -> String {
    format!(
        "SELECT a.{}, a.is_taken, s.publish_scope, s.footer_schema_semver, s.created_at_utc AS minted_at_utc, s.source_observed_at_utc \
         FROM publish_replay_audit a JOIN publish_snapshots s ON s.publish_run_id = a.publish_run_id || '' WHERE {condition}",
        Audit::COLUMNS.join(", a.")
    )
}

/// Reads a window of the open blocks, drills left out.
pub async fn window(
    view: &mut View,
    look: &Look<BlockSort>,
) -> Result<Window<OpenBlock>, StoreError> {
    let list = list(view.is_postgres(), look.sort, view.now());
    window::read(view, &list, look).await
}

/// Reads a window of the blocks that were open at a moment in the past, as they stood then.
pub async fn window_at(
    view: &mut View,
    look: &Look<BlockSort>,
    past: Past,
) -> Result<Window<OpenBlock>, StoreError> {
    let tables = past.tables(view, STOOD);
    let list = list(view.is_postgres(), look.sort, past.at);
    window::read_of(view, &list, look, &tables).await
}

/// Counts the blocks that were open at a moment in the past.
pub async fn open_at(view: &mut View, past: Past) -> Result<i64, StoreError> {
    let sql = format!(
        "WITH {} SELECT CAST(COUNT(*) AS BIGINT) FROM publish_replay_audit a WHERE {OPEN}",
        past.tables(view, &STOOD[..1])
    );
    Ok(on!(view, c => query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(c).await)?)
}

/// What blocks are read from, in the past.
const STOOD: &[Stood] = &[
    Stood {
        table: Audit::TABLE,
        columns: Audit::COLUMNS,
        set_with: Some(("is_taken", "taken_by")),
    },
    Stood {
        table: Snapshot::TABLE,
        columns: Snapshot::COLUMNS,
        set_with: None,
    },
];

fn list(is_postgres: bool, sort: BlockSort, now: Moment) -> List {
    List {
        select: select(OPEN),
        prefix: "a.",
        key: sort.key(),
        runs: Runs::Up,
        place: "publish_replay_audit a WHERE a.publish_run_id = $1 AND a.block_reason IS NOT NULL",
        fields: if is_postgres {
            POSTGRES_FIELDS
        } else {
            SQLITE_FIELDS
        },
        sought: None,
        now: Some(now),
    }
}

/// Finds a block, or any other decided run, whatever became of it.
pub async fn find(view: &mut View, run: &str) -> Result<Option<OpenBlock>, StoreError> {
    let sql = select("a.publish_run_id = $1");
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(run).fetch_optional(c).await)?)
}

/// Lists up to `most` open blocks on which a person must act, the shortest time left first.
///
/// Theirs are the blocks that they have taken; untaken ones that they own; and untaken ones that they back up, once
/// escalated or past their time.
pub async fn waiting_for(
    view: &mut View,
    person_id: &str,
    most: i64,
) -> Result<Vec<OpenBlock>, StoreError> {
    let theirs = "(a.taken_by = $1 OR (a.is_taken = FALSE AND (a.owner_user_id = $1 \
         OR (a.backup_owner_user_id = $1 AND (a.escalated_by IS NOT NULL OR a.respond_by_utc < $2)))))";
    let sql = format!(
        "{} ORDER BY a.is_taken, a.respond_by_utc, a.publish_run_id LIMIT $3",
        select(&format!("{OPEN} AND {theirs}"))
    );
    let now = view.now();
    Ok(on!(view, c => {
        query_as(sqlx::AssertSqlSafe(sql)).bind(person_id).bind(now).bind(most).fetch_all(c).await
    })?)
}

/// How many open blocks have one reason.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct ReasonCount {
    /// The reason.
    pub block_reason: BlockReason,
    /// How many are open.
    pub open: i64,
    /// How many of them nobody has taken.
    pub untaken: i64,
    /// How many of the untaken are past their time.
    pub late: i64,
    /// Until when the most urgent of the untaken is to be answered.
    pub respond_by_utc: Option<Moment>,
    /// When the next of the untaken runs past its time.
    pub next_late_utc: Option<Moment>,
}

/// Counts the open blocks of each reason that has any, drills left out, in the reasons' order.
pub async fn by_reason(view: &mut View) -> Result<Vec<ReasonCount>, StoreError> {
    const SQL: &str = "SELECT block_reason, CAST(COUNT(*) AS BIGINT) AS open, \
         CAST(SUM(CASE WHEN is_taken = FALSE THEN 1 ELSE 0 END) AS BIGINT) AS untaken, \
         CAST(SUM(CASE WHEN is_taken = FALSE AND respond_by_utc < $1 THEN 1 ELSE 0 END) AS BIGINT) AS late, \
         MIN(CASE WHEN is_taken = FALSE THEN respond_by_utc END) AS respond_by_utc, \
         MIN(CASE WHEN is_taken = FALSE AND respond_by_utc >= $1 THEN respond_by_utc END) AS next_late_utc \
         FROM publish_replay_audit WHERE status = 'blocked' AND drill = FALSE GROUP BY block_reason";
    let now = view.now();
    let mut counts: Vec<ReasonCount> = on!(view, c => query_as(SQL).bind(now).fetch_all(c).await)?;
    counts.sort_by_key(|count| count.block_reason);
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_a_filter_may_name_can_be_read() {
        for fields in [SQLITE_FIELDS, POSTGRES_FIELDS] {
            let known: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
            assert_eq!(known, BLOCK_FIELDS);
        }
    }
}

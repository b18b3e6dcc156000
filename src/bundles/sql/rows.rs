//! How many rows a script touched, as the database itself counted them, and what rows there are.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use sqlx::Row;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;

use super::catalog::{Held, Look, Rows, own};
use super::session::Open;
use crate::canon::Digest;
use crate::store::StoreError;

/// Counts the rows of a table, but no further than `cap`.
pub(super) async fn count(open: &mut Open, table: &str, cap: u64) -> Result<Rows, StoreError> {
    let cap = i64::try_from(cap).unwrap_or(i64::MAX);
    let sql = format!(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT 1 FROM {table} LIMIT {cap}) AS counted"
    );
    let found: i64 = match open {
        Open::Postgres(t) => {
            sqlx::query_scalar(own(sql))
                .persistent(false)
                .fetch_one(&mut **t)
                .await?
        }
        // The whole table has its own fast way, and SQLite's replaced rows show in nothing but an exact count.
        Open::Sqlite(t) => {
            sqlx::query_scalar(own(format!("SELECT COUNT(*) FROM {table}")))
                .persistent(false)
                .fetch_one(&mut **t)
                .await?
        }
    };
    let rows = u64::try_from(found).unwrap_or(0);
    let is_whole = found < cap || matches!(open, Open::Sqlite(_));
    Ok(if is_whole {
        Rows::Exactly(rows)
    } else {
        Rows::AtLeast(rows)
    })
}

/// Hashes all rows of a table, in whatever order they come.
pub(super) async fn fingerprint(open: &mut Open, table: &Held) -> Result<String, StoreError> {
    match open {
        Open::Postgres(t) => {
            let sql = format!(
                "SELECT encode(sha256(COALESCE(string_agg(h, ''::bytea ORDER BY h), ''::bytea)), 'hex') \
                 FROM (SELECT sha256(convert_to(CAST(ROW(t.*) AS text), 'UTF8')) AS h FROM {} t) AS hashed",
                table.sql
            );
            Ok(sqlx::query_scalar(own(sql))
                .persistent(false)
                .fetch_one(&mut **t)
                .await?)
        }
        Open::Sqlite(t) => of_file(t, table).await,
    }
}

async fn of_file(connection: &mut SqliteConnection, table: &Held) -> Result<String, StoreError> {
    const COLUMNS: &str = "SELECT name FROM pragma_table_xinfo($1, 'main') ORDER BY cid";
    let bare = table
        .name
        .split_once('.')
        .map_or(table.name.as_str(), |(_, bare)| bare);
    let columns: Vec<String> = sqlx::query_scalar(COLUMNS)
        .bind(bare)
        .fetch_all(&mut *connection)
        .await?;
    // Text may hold a zero byte, at which quote() ends; a number is written so that it reads back the same.
    let one = |name: &String| {
        let name = format!("\"{}\"", name.replace('"', "\"\""));
        format!(
            "typeof({name}) || ':' || CASE WHEN typeof({name}) IN ('text', 'blob') THEN hex({name}) ELSE quote({name}) END"
        )
    };
    let columns: Vec<String> = columns.iter().map(one).collect();
    let sql = own(format!(
        "SELECT {} FROM {}",
        columns.join(" || ',' || "),
        table.sql
    ));
    let mut digests = Vec::new();
    let mut rows = sqlx::query(sql).persistent(false).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let text: String = row.try_get(0)?;
        digests.push(*Digest::of(text.as_bytes()).as_bytes());
    }
    digests.sort_unstable();
    Ok(Digest::of(&digests.concat()).to_string())
}

/// Rows inserted, changed and deleted so far by table, as this session's transaction counts them.
pub(super) type Counters = BTreeMap<i64, u64>;

/// Reads PostgreSQL's counters: numbers of earlier transactions may still be among them, so only a difference says something.
pub(super) async fn counters(connection: &mut PgConnection) -> Result<Counters, StoreError> {
    const SQL: &str = "SELECT CAST(relid AS BIGINT), n_tup_ins + n_tup_upd + n_tup_del FROM pg_catalog.pg_stat_xact_all_tables \
         WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 \
           AND (schemaname !~ '^pg_' OR relid = 'pg_catalog.pg_largeobject'::regclass) AND schemaname <> 'information_schema'";
    let rows = sqlx::query(SQL)
        .persistent(false)
        .fetch_all(connection)
        .await?;
    let mut counters = Counters::new();
    for row in rows {
        let counted: i64 = row.try_get(1)?;
        counters.insert(row.try_get(0)?, u64::try_from(counted).unwrap_or(0));
    }
    Ok(counters)
}

/// What was observed of a table between two looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Touched {
    /// Rows inserted, changed or deleted one by one.
    pub counted: u64,
    /// Whether all rows were written anew, or the table emptied, without being counted.
    pub is_rewritten: bool,
}

/// Tells how many rows of each table were touched; what was observed is given by a table's lasting id.
///
/// A table that was dropped counts the rows that it had, and a new one those that it has. Where the new one has the name of
/// the dropped one, as in a table that is built anew, the larger number counts.
pub(super) async fn touched(
    open: &mut Open,
    (pre, post): (&Look, &Look),
    observed: &BTreeMap<i64, Touched>,
) -> Result<BTreeMap<String, u64>, StoreError> {
    let before: BTreeMap<i64, &Held> = pre.held.iter().map(|table| (table.id, table)).collect();
    let after: BTreeMap<i64, &Held> = post.held.iter().map(|table| (table.id, table)).collect();
    let rows_before = |table: &Held| pre.rows.get(&table.name).map_or(1, |rows| rows.known());
    let mut rows = BTreeMap::new();
    for table in &post.held {
        let seen = observed.get(&table.id).copied().unwrap_or_default();
        let touched = match before.get(&table.id) {
            Some(earlier) if seen.is_rewritten || earlier.file != table.file => {
                seen.counted.saturating_add(rows_before(earlier))
            }
            Some(_) => seen.counted,
            // What CREATE TABLE … AS puts in is not counted everywhere.
            None => match post.rows.get(&table.name) {
                Some(rows) => rows.known(),
                None => count(open, &table.sql, u64::MAX).await?.known(),
            }
            .max(seen.counted),
        };
        if touched > 0 {
            rows.insert(table.name.clone(), touched);
        }
    }
    for table in pre
        .held
        .iter()
        .filter(|table| !after.contains_key(&table.id))
    {
        let lost = rows_before(table);
        let sum = rows.entry(table.name.clone()).or_insert(0);
        *sum = lost.max(*sum);
    }
    rows.retain(|_, touched| *touched > 0);
    Ok(rows)
}

/// Names foreign tables that the transaction may have written to: the rows are elsewhere, and nobody counts them.
pub(super) async fn written_elsewhere(
    connection: &mut PgConnection,
) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT CAST(CAST(c.oid AS regclass) AS TEXT) FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation \
         WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND c.relkind = 'f' \
           AND l.mode NOT IN ('AccessShareLock', 'RowShareLock') ORDER BY 1";
    Ok(sqlx::query_scalar(SQL)
        .persistent(false)
        .fetch_all(connection)
        .await?)
}

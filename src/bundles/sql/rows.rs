//! How many rows a script touched, as the database itself counted them, and what rows there are.

use std::collections::{BTreeMap, BTreeSet};

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

/// What this session's transaction has counted so far, by table: rows touched, and rows more.
pub(super) type Counters = BTreeMap<i64, (i64, i64)>;

/// Where large objects lie: in no table of anybody's, and in no declaration.
const LARGE_OBJECTS: [(i64, &str); 2] = [
    (2613, "pg_catalog.pg_largeobject"),
    (2995, "pg_catalog.pg_largeobject_metadata"),
];

/// Reads PostgreSQL's counters: numbers of earlier transactions may still be among them, so only a difference says something.
pub(super) async fn counters(connection: &mut PgConnection) -> Result<Counters, StoreError> {
    const SQL: &str = "SELECT CAST(relid AS BIGINT), n_tup_ins + n_tup_upd + n_tup_del, n_tup_ins - n_tup_del \
         FROM pg_catalog.pg_stat_xact_all_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 \
           AND (schemaname !~ '^pg_' OR relid IN (2613, 2995)) AND schemaname <> 'information_schema'";
    let rows = sqlx::query(SQL)
        .persistent(false)
        .fetch_all(connection)
        .await?;
    let mut counters = Counters::new();
    for row in rows {
        counters.insert(row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?));
    }
    Ok(counters)
}

/// What was observed of a table between two looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Touched {
    /// Rows inserted, changed or deleted one by one.
    pub counted: u64,
    /// How many rows there are more, where the database says so itself.
    pub more: Option<i64>,
}

/// Takes the earlier counters from the later ones.
pub(super) fn since(before: &Counters, after: &Counters) -> BTreeMap<i64, Touched> {
    let one = |(id, (touched, more)): (&i64, &(i64, i64))| {
        let (earlier, earlier_more) = before.get(id).copied().unwrap_or_default();
        let touched = Touched {
            counted: u64::try_from(touched - earlier).unwrap_or(0),
            more: Some(more - earlier_more),
        };
        (*id, touched)
    };
    after.iter().map(one).collect()
}

/// Tells how many rows of each table were touched; what was observed is given by a table's lasting id.
///
/// A table whose rows were all written anew, or that was emptied at once, counts the rows that it had; so does one that was
/// dropped, and a new one counts those that it has. Where the new one has the name of the dropped one, as in a table that is
/// built anew, the larger number counts. Rows that others wrote meanwhile are taken out of the later look.
pub(super) async fn touched(
    open: &mut Open,
    pre: &Look,
    post: &mut Look,
    observed: &BTreeMap<i64, Touched>,
) -> Result<BTreeMap<String, u64>, StoreError> {
    let before: BTreeMap<i64, &Held> = pre.held.iter().map(|table| (table.id, table)).collect();
    let rows_before = |table: &Held| pre.rows.get(&table.name).map_or(1, |rows| rows.known());
    let mut rows = BTreeMap::new();
    for table in &post.held {
        let seen = observed.get(&table.id).copied().unwrap_or_default();
        let touched = match before.get(&table.id) {
            Some(earlier) if earlier.file != table.file => {
                seen.counted.saturating_add(rows_before(earlier))
            }
            Some(earlier) => {
                let had = pre.baseline.row_counts.get(&earlier.name);
                let has = post.baseline.row_counts.get_mut(&table.name);
                if let (Open::Postgres(_), Some(had), Some(has)) = (&*open, had, has) {
                    *has = had.saturating_add_signed(seen.more.unwrap_or(0));
                }
                seen.counted
            }
            // An extension that comes is declared as such, with all that it brings.
            None if table.is_brought => 0,
            // What CREATE TABLE … AS puts in is not counted everywhere.
            None => match post.rows.get(&table.name) {
                Some(rows) => rows.known(),
                None => count(open, &table.sql, u64::MAX).await?.known(),
            }
            .max(seen.counted),
        };
        rows.insert(table.name.clone(), touched);
    }
    let after: BTreeSet<i64> = post.held.iter().map(|table| table.id).collect();
    let stands = |table: &Held| post.held.iter().any(|now| now.name == table.name);
    for table in pre.held.iter().filter(|table| !after.contains(&table.id)) {
        // One that goes takes all of it along; one that goes and comes again has other rows.
        if table.is_brought && !stands(table) {
            continue;
        }
        let lost = rows_before(table);
        let sum = rows.entry(table.name.clone()).or_insert(0);
        *sum = lost.max(*sum);
    }
    for (id, name) in LARGE_OBJECTS {
        let seen = observed.get(&id).copied().unwrap_or_default();
        if matches!(open, Open::Postgres(_)) {
            rows.insert(name.to_owned(), seen.counted);
        }
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

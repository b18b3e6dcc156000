//! What a query gives anew of an export that was frozen, as text, cell by cell.

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Column, Row};

use crate::rules::migration::{Cells, quoted};
use crate::store::view::{on, query};
use crate::store::{StoreError, View};

/// Runs a query and writes its cells as text, NULL as an empty one, in the order in which it gives its rows: at most as
/// many as are named. The view is read-only, whatever the query tries.
pub async fn replayed_cells(view: &mut View, sql: &str, most: usize) -> Result<Cells, StoreError> {
    let names = names(view, sql).await?;
    let mut cells = Cells::begin(names.iter().map(String::as_str));
    // A column that is there twice cannot be asked for; no golden has such names.
    let once: BTreeSet<&String> = names.iter().collect();
    if names.is_empty() || once.len() < names.len() {
        return Ok(cells);
    }
    // With the query's name before it, since SQLite takes a quoted name that is not there for a text.
    let columns: Vec<String> = names
        .iter()
        .map(|name| format!("CAST(replayed.{} AS TEXT)", quoted(name)))
        .collect();
    let sql = format!(
        "SELECT {} FROM ({sql}\n) AS replayed LIMIT {most}",
        columns.join(", ")
    );
    on!(view, c => {
        let mut rows = query(AssertSqlSafe(sql)).fetch(c);
        while let Some(row) = rows.try_next().await? {
            for place in 0..names.len() {
                let cell: Option<&str> = row.try_get(place)?;
                cells.add([cell.unwrap_or_default()]);
            }
        }
    });
    Ok(cells)
}

/// Reads the names of a query's columns; none where it gives no row.
async fn names(view: &mut View, sql: &str) -> Result<Vec<String>, StoreError> {
    let sql = format!("SELECT * FROM ({sql}\n) AS replayed LIMIT 1");
    Ok(on!(view, c => {
        let row = query(AssertSqlSafe(sql)).fetch_optional(c).await?;
        row.map_or(Vec::new(), |row| row.columns().iter().map(|it| it.name().to_owned()).collect())
    }))
}

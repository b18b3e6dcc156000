//! The statements that write a governed row, and that read a page of them.

use super::{row_key_sql, table};

/// Writes the statement that inserts a row at its first version, or replaces the version before.
pub(in crate::store) fn write_sql(name: &str, columns: &[&str], version: i64) -> String {
    let numbered = |column: &str| {
        columns
            .iter()
            .position(|c| *c == column)
            .map_or(0, |at| at + 1)
    };
    let born_as_feed = table(name).is_some_and(|table| table.feed.is_some());
    // A feed row is born at version 0, by its pipeline; everything else by its first entry.
    if version == i64::from(!born_as_feed) {
        let places: Vec<_> = columns
            .iter()
            .map(|column| format!("${}", numbered(column)))
            .collect();
        return format!(
            "INSERT INTO {name} ({}) VALUES ({})",
            columns.join(", "),
            places.join(", ")
        );
    }
    let key = table(name).map_or(&[][..], |table| table.key);
    let sets: Vec<_> = columns
        .iter()
        .map(|column| format!("{column} = ${}", numbered(column)))
        .collect();
    let wheres: Vec<_> = key
        .iter()
        .map(|column| format!("{column} = ${}", numbered(column)))
        .collect();
    let version = numbered("version");
    format!(
        "UPDATE {name} SET {} WHERE {} AND version = ${version} - 1",
        sets.join(", "),
        wheres.join(" AND ")
    )
}

/// Writes the statement that reads one keyset page of a governed table.
pub(in crate::store) fn page_sql(name: &str, columns: &[&str]) -> String {
    let key = row_key_sql(table(name).map_or(&[][..], |table| table.key), "");
    format!(
        "SELECT {} FROM {name} WHERE {key} > $1 AND version > 0 ORDER BY {key} LIMIT $2",
        columns.join(", ")
    )
}

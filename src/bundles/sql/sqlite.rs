//! What an SQLite database holds, read from its own table of definitions.
//!
//! Definitions are the texts that people wrote, in a form that says the same in the same words: a change that is taken back
//! leaves other blanks and quotes than there were, and the same table.

use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::catalog::{Held, Seen, Thing};
use super::tokens::{Dialect, Kind, Token, tokens};
use crate::canon::Digest;
use crate::store::StoreError;

/// The schema that every file has.
pub(super) const MAIN: &str = "main";

const OBJECTS: &str = "SELECT type, name, tbl_name, COALESCE(sql, ''), rootpage FROM main.sqlite_schema \
     WHERE type = 'index' OR name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name";

/// Reads the whole catalogue.
pub(super) async fn look(connection: &mut SqliteConnection) -> Result<Seen, StoreError> {
    let mut seen = Seen::default();
    for row in sqlx::query(OBJECTS).fetch_all(&mut *connection).await? {
        let (kind, name, table): (String, String, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let (sql, root): (String, i64) = (row.try_get(3)?, row.try_get(4)?);
        let belongs = matches!(kind.as_str(), "index" | "trigger");
        if kind == "table" {
            seen.inner_constraints += constraints(&sql);
            seen.held.push(held(&name, root));
        }
        let definition = plain(&sql);
        seen.add(Thing {
            name: format!("{MAIN}.{name}"),
            table: belongs.then(|| format!("{MAIN}.{table}")),
            definition,
            kind,
        });
    }
    Ok(seen)
}

/// Describes a table by the page that its rows begin on, or by its name where it has none: a virtual one.
pub(super) fn held(name: &str, root: i64) -> Held {
    let digest = Digest::of(name.as_bytes());
    let first = digest.as_bytes().first_chunk().copied().unwrap_or_default();
    let by_name = i64::from_be_bytes(first) | i64::MIN;
    Held {
        name: format!("{MAIN}.{name}"),
        sql: quoted(name),
        id: if root == 0 { by_name } else { root },
        file: 0,
        is_brought: false,
    }
}

/// Quotes a table of the file, so that no temporary one is meant.
pub(super) fn quoted(name: &str) -> String {
    format!("{MAIN}.\"{}\"", name.replace('"', "\"\""))
}

/// Counts the constraints of a table's text: keys, unique ones, checks and references.
fn constraints(sql: &str) -> u64 {
    let found = tokens(sql, Dialect::Sqlite).unwrap_or_default();
    let is_one = |token: &&Token<'_>| {
        ["primary", "unique", "check", "references"]
            .iter()
            .any(|word| token.is(word))
    };
    found.iter().filter(is_one).count() as u64
}

/// Words that mean something else when they are quoted.
const RESERVED: &[&str] = &[
    "add",
    "all",
    "alter",
    "and",
    "as",
    "autoincrement",
    "between",
    "case",
    "check",
    "collate",
    "commit",
    "constraint",
    "create",
    "default",
    "deferrable",
    "delete",
    "distinct",
    "drop",
    "else",
    "escape",
    "except",
    "exists",
    "foreign",
    "from",
    "group",
    "having",
    "in",
    "index",
    "insert",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "limit",
    "not",
    "nothing",
    "notnull",
    "null",
    "on",
    "or",
    "order",
    "primary",
    "references",
    "returning",
    "select",
    "set",
    "table",
    "then",
    "to",
    "transaction",
    "union",
    "unique",
    "update",
    "using",
    "values",
    "when",
    "where",
    "generated",
    "always",
    "stored",
    "virtual",
    "without",
    "strict",
    "rowid",
    "key",
    "cascade",
    "restrict",
    "true",
    "false",
    "current_time",
    "current_date",
    "current_timestamp",
];

/// Writes a definition without what means nothing: blanks, comments, quotes that were not needed, the case of names.
fn plain(sql: &str) -> String {
    let Ok(found) = tokens(sql, Dialect::Sqlite) else {
        return sql.to_owned();
    };
    let words: Vec<String> = found
        .iter()
        .filter(|token| token.kind != Kind::Blank)
        .map(word)
        .collect();
    words.join(" ")
}

fn word(token: &Token<'_>) -> String {
    match token.kind {
        Kind::Word => token.text.to_ascii_lowercase(),
        Kind::Name => {
            let name = token.content().to_ascii_lowercase();
            let is_bare = name.chars().all(|c| c.is_alphanumeric() || c == '_')
                && !name.starts_with(|c: char| c.is_ascii_digit());
            if is_bare && !name.is_empty() && !RESERVED.contains(&name.as_str()) {
                name
            } else {
                format!("\"{}\"", name.replace('"', "\"\""))
            }
        }
        _ => token.text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_that_mean_the_same_read_the_same() {
        for (one, other) in [
            ("CREATE TABLE t(a, b)", "create table \"t\" ( a , b ) -- x"),
            (
                "CREATE TABLE [T](a DEFAULT 'X')",
                "CREATE TABLE t(A default 'X')",
            ),
        ] {
            assert_eq!(plain(one), plain(other));
        }
        for (one, other) in [
            (
                "CREATE TABLE t(a DEFAULT 'X')",
                "CREATE TABLE t(a DEFAULT 'x')",
            ),
            ("CREATE TABLE t(a, b)", "CREATE TABLE t(b, a)"),
            ("CREATE TABLE t(\"check\" int)", "CREATE TABLE t(check int)"),
        ] {
            assert_ne!(plain(one), plain(other));
        }
    }

    #[test]
    fn constraints_are_counted_where_they_are_and_not_where_they_are_named() {
        let sql = "CREATE TABLE t(a PRIMARY KEY, b UNIQUE CHECK (b <> 'unique'), \"check\" REFERENCES x(y), UNIQUE (a, b))";
        assert_eq!(constraints(sql), 5);
    }
}

//! The views that hold both halves of every pair side by side, and the index on what differs, as the text of either database.
//!
//! Names of columns are always quoted, and belong to a table's or a view's own name: SQLite would read a quoted name that it
//! does not know as a text.

use std::fmt::Write as _;

/// The table whose columns are kept in pairs.
pub const DICTIONARY: &str = "governance_metric_dictionary_current";
/// The view with a row for each row of the dictionary.
pub const WIDE_VIEW: &str = "dictionary_column_dual_write";
/// The view with a row for each row of the dictionary and pair.
pub const LONG_VIEW: &str = "dual_write_pair_health";
/// The index on the rows of which a pair does not match.
pub const MISMATCH_INDEX: &str = "dual_write_mismatch";

/// The columns that say which row it is, and whose.
const ROW: [&str; 3] = [
    "dictionary_metric_id",
    "dimension_filter_id",
    "owning_squad",
];

/// How a database writes what the two write differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// Quotes a name.
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Writes a text as a constant.
#[must_use]
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Where the dictionary and its views lie: the schema, written before every name of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site<'a> {
    /// The database.
    pub dialect: Dialect,
    /// The schema: `main` on SQLite.
    pub schema: &'a str,
}

impl Site<'_> {
    /// Writes a name with its schema before it.
    #[must_use]
    pub fn named(&self, name: &str) -> String {
        format!("{}.{}", quoted(self.schema), quoted(name))
    }

    /// Writes what a view selects from; a view of SQLite stays in its own file anyhow.
    fn source(&self) -> String {
        match self.dialect {
            Dialect::Sqlite => quoted(DICTIONARY),
            Dialect::Postgres => self.named(DICTIONARY),
        }
    }

    /// Writes a value as text; bytes, which need not be text, in hexadecimal digits.
    fn as_text(self, column: &str) -> String {
        match self.dialect {
            Dialect::Sqlite => format!(
                "CASE typeof({column}) WHEN 'blob' THEN hex({column}) ELSE CAST({column} AS TEXT) END"
            ),
            Dialect::Postgres => format!("CAST({column} AS TEXT)"),
        }
    }

    /// Writes the view with a row for each row of the dictionary: both halves of each pair, and whether all match.
    #[must_use]
    pub fn wide_view(&self, pairs: &[(&str, &str)]) -> String {
        let mut columns = row_columns();
        for (legacy, modern) in pairs {
            let (of_legacy, of_modern) = halves(legacy);
            let _ = write!(
                columns,
                ", d.{} AS {}, d.{} AS {}",
                quoted(legacy),
                quoted(&of_legacy),
                quoted(modern),
                quoted(&of_modern)
            );
        }
        format!(
            "CREATE VIEW {} AS SELECT {columns}, CASE WHEN {} THEN 'MISMATCH' ELSE 'OK' END AS dual_write_health FROM {} d",
            self.named(WIDE_VIEW),
            differing(pairs, "d."),
            self.source()
        )
    }

    /// Writes the view with a row for each row of the dictionary and pair: both values as text, and whether they match.
    #[must_use]
    pub fn long_view(&self, pairs: &[(&str, &str)]) -> String {
        let of_pair = |pair: &(&str, &str)| {
            let (legacy, modern) = pair;
            let column = |name: &str| format!("d.{}", quoted(name));
            format!(
                "SELECT {}, CAST({} AS TEXT) AS legacy_column, CAST({} AS TEXT) AS modern_column, {} AS legacy_value, {} AS modern_value, \
                 CASE WHEN {} THEN 'MISMATCH' ELSE 'OK' END AS health FROM {} d",
                row_columns(),
                literal(legacy),
                literal(modern),
                self.as_text(&column(legacy)),
                self.as_text(&column(modern)),
                differing(&[*pair], "d."),
                self.source()
            )
        };
        let all: Vec<String> = pairs.iter().map(of_pair).collect();
        format!(
            "CREATE VIEW {} AS {}",
            self.named(LONG_VIEW),
            all.join(" UNION ALL ")
        )
    }

    /// Writes the index on the rows of which a pair does not match; beside everybody else's work where that is possible.
    #[must_use]
    pub fn index(&self, pairs: &[(&str, &str)]) -> String {
        let rows = ROW.map(quoted).join(", ");
        let what = format!("({rows}) WHERE {}", differing(pairs, ""));
        match self.dialect {
            Dialect::Sqlite => format!(
                "CREATE INDEX {} ON {} {what}",
                self.named(MISMATCH_INDEX),
                quoted(DICTIONARY)
            ),
            Dialect::Postgres => format!(
                "CREATE INDEX CONCURRENTLY {} ON {} {what}",
                quoted(MISMATCH_INDEX),
                self.named(DICTIONARY)
            ),
        }
    }

    /// Writes what takes the index away.
    #[must_use]
    pub fn drop_index(&self) -> String {
        let concurrently = match self.dialect {
            Dialect::Sqlite => "",
            Dialect::Postgres => " CONCURRENTLY",
        };
        format!("DROP INDEX{concurrently} {}", self.named(MISMATCH_INDEX))
    }
}

fn row_columns() -> String {
    ROW.map(|name| format!("d.{name}")).join(", ")
}

/// Names both halves of a pair as the wide view does.
#[must_use]
pub fn halves(legacy: &str) -> (String, String) {
    (format!("{legacy}_legacy"), format!("{legacy}_modern"))
}

/// Writes the condition that a row of the table fulfils of which a pair does not match; nothing does without pairs.
fn differing(pairs: &[(&str, &str)], before: &str) -> String {
    let of_pair = |(legacy, modern): &(&str, &str)| {
        format!(
            "{before}{} IS DISTINCT FROM {before}{}",
            quoted(legacy),
            quoted(modern)
        )
    };
    any(pairs.iter().map(of_pair))
}

/// Writes the same condition over the wide view, whose alias is `v`.
///
/// Both databases look through the view, so that the index on what differs serves this too.
#[must_use]
pub fn differing_in_view(pairs: &[(&str, &str)]) -> String {
    let of_pair = |(legacy, _): &(&str, &str)| {
        let (of_legacy, of_modern) = halves(legacy);
        format!(
            "v.{} IS DISTINCT FROM v.{}",
            quoted(&of_legacy),
            quoted(&of_modern)
        )
    };
    any(pairs.iter().map(of_pair))
}

fn any(conditions: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = conditions.collect();
    match all.as_slice() {
        [] => "1 = 0".to_owned(),
        _ => all.join(" OR "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: [(&str, &str); 2] = [
        ("breach_count", "breachCount"),
        ("say \"when\"", "route.id"),
    ];

    #[test]
    fn names_are_quoted_and_texts_too() {
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("it's"), "'it''s'");
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let site = Site {
                dialect,
                schema: "main",
            };
            let wide = site.wide_view(&PAIRS);
            assert!(
                wide.contains("d.\"breach_count\" AS \"breach_count_legacy\""),
                "{wide}"
            );
            assert!(
                wide.contains("d.\"route.id\" AS \"say \"\"when\"\"_modern\""),
                "{wide}"
            );
            let long = site.long_view(&PAIRS);
            assert!(
                long.contains("CAST('say \"when\"' AS TEXT) AS legacy_column"),
                "{long}"
            );
            assert_eq!(long.matches(" UNION ALL ").count(), 1);
        }
    }

    #[test]
    fn the_index_is_on_what_the_view_asks() {
        let site = Site {
            dialect: Dialect::Postgres,
            schema: "public",
        };
        let index = site.index(&PAIRS);
        assert!(
            index.starts_with("CREATE INDEX CONCURRENTLY \"dual_write_mismatch\" ON \"public\"."),
            "{index}"
        );
        assert!(index.ends_with(&differing(&PAIRS, "")), "{index}");
        assert_eq!(
            site.drop_index(),
            "DROP INDEX CONCURRENTLY \"public\".\"dual_write_mismatch\""
        );
        let site = Site {
            dialect: Dialect::Sqlite,
            schema: "main",
        };
        assert!(!site.index(&PAIRS).contains("CONCURRENTLY"));
        assert_eq!(differing_in_view(&[]), "1 = 0");
    }
}

//! Habits of SQL that the databases do not enforce.

use std::fs;
use std::path::{Path, PathBuf};

fn store_files() -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).expect("text");
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 10, "the store was read");
    found
}

/// Tells whether a `*` stands where a column does; `COUNT(*)` and a product are none.
fn names_all_columns(text: &str) -> bool {
    let text = text.replace("\\n", " ").to_uppercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let of_a_table = |word: &str| word.trim_end_matches(['"', ',']).ends_with(".*");
    let alone = |pair: &[&str]| {
        let begins = ["SELECT", "DISTINCT", "ALL", ","];
        pair[1].trim_end_matches(['"', ',']) == "*" && begins.iter().any(|w| pair[0].ends_with(w))
    };
    words.iter().any(|word| of_a_table(word)) || words.windows(2).any(alone)
}

/// Tells whether sqlx's own makers of statements are named: by path, or in a list of imports.
fn makes_a_statement(text: &str) -> bool {
    let is_maker = |path: &str| {
        let rest = path.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
        let is_module = rest.starts_with("::") && !rest.starts_with("::<");
        path.starts_with("query") && !is_module
    };
    text.split("sqlx::").skip(1).any(|rest| {
        let list = rest
            .strip_prefix('{')
            .and_then(|rest| rest.split(';').next());
        list.map_or(is_maker(rest), |list| {
            list.split(',').any(|path| is_maker(path.trim()))
        })
    })
}

/// Where a query of somebody else is asked which columns it has.
const ASKS_WHICH: &str = "src/store/migration/replay.rs";

#[test]
fn no_statement_names_all_columns_at_once() {
    let files = store_files().into_iter();
    for (path, text) in files.filter(|(path, _)| !path.ends_with(ASKS_WHICH)) {
        assert!(!names_all_columns(&text), "{}", path.display());
    }
}

#[test]
fn statements_are_made_in_one_place_that_leaves_them_unnamed_on_postgres() {
    for (path, text) in store_files() {
        let makes_one = makes_a_statement(&text);
        assert_eq!(makes_one, path.ends_with("view.rs"), "{}", path.display());
    }
}

#[test]
fn this_guard_can_fail() {
    for bad in [
        "\"SELECT * FROM person\"",
        "\"SELECT p.* FROM person p\"",
        "\"select * from person\"",
        "\"SELECT person_id, * FROM person\"",
        "\"SELECT\\n  * FROM person\"",
        "\"SELECT DISTINCT * FROM person\"",
    ] {
        assert!(names_all_columns(bad), "{bad}");
    }
    for good in [
        "SELECT person_id FROM person",
        "SELECT CAST(COUNT(*) AS BIGINT) FROM person",
        "SELECT seq * 2 FROM ledger_head",
        "let both = &mut **transaction; // SELECT what one needs",
    ] {
        assert!(!names_all_columns(good), "{good}");
    }
    for bad in [
        "sqlx::query(SQL)",
        "sqlx::query_as::<_, Head>(SQL)",
        "sqlx::query_scalar(SQL)",
        "use sqlx::query_as;",
        "use sqlx::{AssertSqlSafe, query};",
        "sqlx::query_with(SQL, arguments)",
    ] {
        assert!(makes_a_statement(bad), "{bad}");
    }
    for good in [
        "query(SQL)",
        "use super::view::{on, query, query_as};",
        "use sqlx::query::{Query, QueryAs};",
        "sqlx::raw_sql(AssertSqlSafe(own))",
    ] {
        assert!(!makes_a_statement(good), "{good}");
    }
}

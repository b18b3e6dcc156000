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

#[test]
fn no_statement_names_all_columns_at_once() {
    for (path, text) in store_files() {
        assert!(!text.contains("SELECT *"), "{}", path.display());
    }
}

#[test]
fn statements_are_made_in_one_place_that_leaves_them_unnamed_on_postgres() {
    for (path, text) in store_files() {
        let makes_one = ["sqlx::query(", "sqlx::query_as(", "sqlx::query_scalar("]
            .iter()
            .any(|maker| text.contains(maker));
        assert_eq!(makes_one, path.ends_with("view.rs"), "{}", path.display());
    }
}

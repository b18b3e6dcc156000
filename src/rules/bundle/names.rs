//! Names of files and of migrations.

use std::str::FromStr;

use chrono::NaiveDate;

use super::shown::quoted;
use crate::rules::text;

/// The longest path.
const MOST_PATH_BYTES: usize = 400;

/// Says why a name leads out of the bundle's folder, or could; nothing when it stays inside.
#[must_use]
pub fn escape(name: &str) -> Option<String> {
    let shown = quoted(name);
    let drive = |name: &str| {
        let mut letters = name.bytes();
        letters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic())
            && letters.next() == Some(b':')
    };
    let what = if name.len() > MOST_PATH_BYTES {
        "is too long for a path"
    } else if name.starts_with('/') || name.starts_with('~') || drive(name) {
        "is no path from the bundle's folder"
    } else if name.contains('\\') {
        "has a backslash, which leads elsewhere on some systems"
    } else if name.contains(text::is_hostile) {
        "has a character that hides or reorders text"
    } else if name.split('/').any(|step| step == "..") {
        "leads out of the bundle's folder"
    } else if name.split('/').any(|step| step.is_empty() || step == ".") {
        "has an empty step or a point for one"
    } else {
        return None;
    };
    Some(format!("{shown} {what}"))
}

/// The id of a migration: a series, a date and a number of that day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MigrationId {
    /// The date.
    pub date: NaiveDate,
    /// The number of that day.
    pub number: u16,
    /// The series, such as `PG`.
    pub series: String,
}

impl FromStr for MigrationId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let shown = quoted(text);
            format!("{shown} is no id of the form SERIES-MIG-YYYY-MM-DD-NN with a date that exists")
        };
        let (series, rest) = text.split_once("-MIG-").ok_or_else(wrong)?;
        let mut letters = series.bytes();
        let is_series = letters
            .next()
            .is_some_and(|first| first.is_ascii_uppercase())
            && letters.all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            && series.len() <= 16;
        let (date, number) = rest.split_at_checked(10).ok_or_else(wrong)?;
        let is_date = date.bytes().enumerate().all(|(place, byte)| {
            if matches!(place, 4 | 7) {
                byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        });
        let number = number.strip_prefix('-').ok_or_else(wrong)?;
        let is_number =
            (2..=4).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        if !(is_series && is_date && is_number) {
            return Err(wrong());
        }
        let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").map_err(|_| wrong())?;
        Ok(Self {
            date,
            number: number.parse().map_err(|_| wrong())?,
            series: series.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_folder_are_seen() {
        for name in [
            "forward.sql",
            "baselines/pre.json",
            "a/b/c.d",
            "..a",
            "a..b/c..",
            "größe.sql",
            "a b",
        ] {
            assert_eq!(escape(name), None, "{name:?}");
        }
        for name in [
            "/etc/passwd",
            "../x",
            "a/../x",
            "a/..",
            "..",
            ".",
            "./a",
            "a/./b",
            "a//b",
            "a/",
            "",
            "a\\b",
            "..\\x",
            "C:x",
            "c:/x",
            "~/x",
            "~root/x",
            "a\0b",
            "a\nb",
            "\\\\host\\x",
        ] {
            assert!(escape(name).is_some(), "{name:?}");
        }
        assert!(escape(&"a".repeat(401)).is_some());
    }

    #[test]
    fn ids_have_a_date_that_exists() {
        let id: MigrationId = "PG-MIG-2026-02-28-01".parse().expect("an id");
        assert_eq!((id.series.as_str(), id.number), ("PG", 1));
        for text in [
            "",
            "PG",
            "PG-MIG-2026-02-30-01",
            "PG-MIG-2026-2-28-01",
            "PG-MIG-2026-02-28-1",
            "PG-MIG-2026-02-28-00001",
            "pg-MIG-2026-02-28-01",
            "-MIG-2026-02-28-01",
            "PG-MIG-2026-02-28-0x",
            "PG-MIG-2026-02-28-01 ",
            "PG-MIG-2026-02-28",
            "PG-MIG-é026-02-28-01",
            "1G-MIG-2026-02-28-01",
            "PG-MIG-+026-02-28-01",
        ] {
            assert!(text.parse::<MigrationId>().is_err(), "{text:?}");
        }
        let order = [
            "A-MIG-2026-02-28-02",
            "B-MIG-2026-02-28-10",
            "A-MIG-2026-03-01-01",
        ];
        let ids: Vec<MigrationId> = order.iter().map(|id| id.parse().expect("an id")).collect();
        assert!(ids.is_sorted());
    }
}

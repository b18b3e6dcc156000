//! What is said of a statement that failed: where it stands and why, without the values of rows.

use std::fmt;

use sqlx::error::DatabaseError;

use super::script::Statement;
use super::session::Patience;

/// A statement that the database refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The file that it stands in.
    pub file: String,
    /// The line that it begins on.
    pub line: usize,
    /// The database's own code: a SQLSTATE, or SQLite's number.
    pub code: String,
    /// What the database said, without the values of rows.
    pub sentence: String,
    /// What to do about it.
    pub hint: String,
    /// Whether somebody else held what it needs, so that trying again may help.
    pub is_busy: bool,
}

impl fmt::Display for Failed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.file, self.line, self.sentence)
    }
}

/// How much of a message is kept.
const LONGEST: usize = 300;

impl Failed {
    pub(super) fn of(statement: &Statement, said: &dyn DatabaseError, patience: Patience) -> Self {
        let code = said.code().unwrap_or_default().into_owned();
        let (sentence, hint, is_busy) = words(&code, said.message(), &statement.text, patience);
        Self {
            file: statement.file.clone(),
            line: statement.line,
            code,
            sentence,
            hint,
            is_busy,
        }
    }
}

fn words(code: &str, message: &str, script: &str, patience: Patience) -> (String, String, bool) {
    let said =
        |sentence: &str, hint: &str, is_busy| (sentence.to_owned(), hint.to_owned(), is_busy);
    match code {
        "55P03" => {
            let sentence = format!(
                "another session holds what it needs, and did not let go within {} ms",
                patience.lock.as_millis()
            );
            (
                sentence,
                "try again when fewer are at work; nobody was kept waiting longer".to_owned(),
                true,
            )
        }
        "57014" | "9" => {
            let sentence = format!(
                "it was stopped; a statement may take {} s",
                patience.statement.as_secs()
            );
            (sentence, "split it into smaller ones".to_owned(), false)
        }
        "40001" | "40P01" | "5" | "6" | "517" => said(
            "somebody else wrote at the same time",
            "try again in a moment",
            true,
        ),
        _ => {
            let shown = scrubbed(code, message, script);
            (
                shown,
                "correct the statement; nothing of the script was kept".to_owned(),
                false,
            )
        }
    }
}

/// Leaves out what may be a value: quoted words that are in no name's shape, and all that a script or a trigger says itself.
fn scrubbed(code: &str, message: &str, script: &str) -> String {
    // Raised by a script or a trigger, the words may hold anything, unless they stand in the script as they are.
    let is_raised = matches!(code, "P0001" | "1811" | "P0004");
    if is_raised && !script.contains(message) {
        return "it was refused by an exception that a function or a trigger raised".to_owned();
    }
    // Class 22: a value does not fit; PostgreSQL quotes it.
    let may_quote = is_raised || !code.starts_with("22");
    let mut shown = String::new();
    let mut pieces = message.lines().next().unwrap_or_default().split('"');
    shown.push_str(pieces.next().unwrap_or_default());
    while let Some(quoted) = pieces.next() {
        let is_name = !quoted.is_empty()
            && quoted.len() <= 63
            && quoted
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '-'));
        let quoted = if may_quote && is_name { quoted } else { "…" };
        shown.extend(["\"", quoted, "\""]);
        shown.push_str(pieces.next().unwrap_or_default());
    }
    shown
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_and_values_are_not() {
        let script = "RAISE EXCEPTION 'too many rows'";
        for (code, message, shown) in [
            (
                "42P01",
                "relation \"orders\" does not exist",
                "relation \"orders\" does not exist",
            ),
            (
                "22P02",
                "invalid input syntax for type integer: \"smith\"",
                "invalid input syntax for type integer: \"…\"",
            ),
            (
                "42601",
                "syntax error at or near \"it's secret\"",
                "syntax error at or near \"…\"",
            ),
            (
                "23505",
                "duplicate key value violates unique constraint \"a_key\"\nKey (a)=(x)",
                "duplicate key value violates unique constraint \"a_key\"",
            ),
            ("P0001", "too many rows", "too many rows"),
            (
                "P0001",
                "row of Ms Smith",
                "it was refused by an exception that a function or a trigger raised",
            ),
        ] {
            assert_eq!(scrubbed(code, message, script), shown);
        }
    }
}

//! `forward.json` and `rollback.json`: steps that say everything, and no SQL.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;

use super::super::protocol::{Code, Said};
use crate::canon;
use crate::rules::bundle_run::Script;

/// The shape of a script.
pub const SCHEMA: &str = "govdeck.search-change.v1";

/// The longest name of an index; what belongs to it gets a longer one, and PostgreSQL cuts at 63.
const LONGEST_NAME: usize = 48;

/// The longest time that an old index may be kept: a year.
const MOST_HOURS: u32 = 24 * 366;

/// How many columns an index may have.
const MOST_COLUMNS: usize = 32;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    steps: Vec<Step>,
}

/// One step of a change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    Build(Build),
    Alias(Alias),
    Drop(Drop),
}

/// Makes and fills a new index.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Build {
    /// The new index.
    pub index: Name,
    /// The table or view that it is filled from.
    pub source: Name,
    /// The source's column that names a document.
    pub key: Word,
    /// The source's columns that are searched.
    pub columns: Vec<Column>,
    /// The text-search configuration.
    pub configuration: Name,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    pub name: Word,
    pub weight: Weight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Weight {
    A,
    B,
    C,
    D,
}

/// Makes an alias, swaps it to another index, or removes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Alias {
    /// The alias.
    pub name: Name,
    /// The index that it has to lead to before; none when there must be no such alias.
    pub from: Option<Name>,
    /// The index that it leads to afterwards; none when it is removed.
    pub to: Option<Name>,
    /// For how long the index it led to may not be dropped.
    pub keep_old_hours: Option<u32>,
}

/// Removes an index that no alias leads to and that need not be kept any longer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Drop {
    pub index: Name,
}

/// A name without a schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Word(String);

impl TryFrom<String> for Word {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let first = |c: char| c.is_ascii_alphabetic() || c == '_';
        let rest = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if text.len() <= LONGEST_NAME && text.starts_with(first) && text.chars().all(rest) {
            return Ok(Self(text));
        }
        Err(format!(
            "a name has at most {LONGEST_NAME} letters, digits and `_`, and begins with no digit"
        ))
    }
}

impl Word {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Writes it as SQL wants it, in its own case.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

/// A name with its schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Name {
    pub schema: Word,
    pub table: Word,
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (schema, table) = text.split_once('.').ok_or("a name is `schema.name`")?;
        Ok(Self {
            schema: Word::try_from(schema.to_owned())?,
            table: Word::try_from(table.to_owned())?,
        })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.schema.0, self.table.0)
    }
}

impl Name {
    /// Writes it as SQL wants it.
    pub fn quoted(&self) -> String {
        format!("{}.{}", self.schema.quoted(), self.table.quoted())
    }

    fn is_of_the_system(&self) -> bool {
        self.schema.0.starts_with("pg_") || self.schema.0 == "information_schema"
    }
}

/// Which way a script leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Rollback,
}

/// Reads a script strictly.
pub(super) fn read(script: &Script) -> Result<Vec<Step>, Said> {
    let refuse = |what: String| {
        let path = &script.path;
        Said::new(Code::ScriptRefused, format!("{path}: {what}"))
    };
    let canonical = canon::canonical_exact(script.text.as_bytes())
        .map_err(|error| refuse(error.to_string()))?;
    let document: Document =
        serde_json::from_slice(&canonical).map_err(|error| refuse(error.to_string()))?;
    if document.schema != SCHEMA {
        return Err(refuse(format!("its schema is not {SCHEMA}")));
    }
    if document.steps.is_empty() {
        return Err(refuse("it has no steps".to_owned()));
    }
    Ok(document.steps)
}

/// Checks what needs no database.
pub(super) fn check(steps: &[Step], direction: Direction) -> Result<(), Said> {
    let mut swapped = false;
    for step in steps {
        let problem = match step {
            Step::Build(_) if swapped && direction == Direction::Forward => Some(
                "an index is built after an alias was swapped, which would stay locked".to_owned(),
            ),
            Step::Build(build) => build.problem(),
            Step::Alias(alias) => {
                swapped = true;
                alias.problem(direction)
            }
            Step::Drop(drop) => of_the_system(&drop.index),
        };
        if let Some(problem) = problem {
            return Err(Said::new(Code::ScriptRefused, problem));
        }
    }
    Ok(())
}

fn of_the_system(name: &Name) -> Option<String> {
    let refused = name.is_of_the_system();
    refused.then(|| format!("{name} lies in a schema of the system's"))
}

impl Build {
    fn problem(&self) -> Option<String> {
        let mut names = BTreeSet::from(["key", "document"]);
        if self.columns.is_empty() || self.columns.len() > MOST_COLUMNS {
            return Some(format!("{} needs 1 to {MOST_COLUMNS} columns", self.index));
        }
        for column in &self.columns {
            if !names.insert(column.name.as_str()) {
                let name = column.name.as_str();
                return Some(format!("{}: a second column {name:?}", self.index));
            }
        }
        of_the_system(&self.index)
    }
}

impl Alias {
    fn problem(&self, direction: Direction) -> Option<String> {
        let name = &self.name;
        if self.from == self.to {
            return Some(format!("{name} would lead to where it leads already"));
        }
        if self
            .keep_old_hours
            .is_some_and(|hours| hours == 0 || hours > MOST_HOURS)
        {
            return Some(format!("{name}: keep_old_hours is 1 to {MOST_HOURS}"));
        }
        match (&self.from, self.keep_old_hours, direction) {
            (Some(_), None, Direction::Forward) => Some(format!(
                "{name}: keep_old_hours says for how long the old index is kept for a way back"
            )),
            (None, Some(_), _) => Some(format!("{name}: there is no old index to keep")),
            _ => of_the_system(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str, direction: Direction) -> Result<Vec<Step>, String> {
        let script = Script {
            path: "forward.json".to_owned(),
            text: format!(r#"{{"schema":"{SCHEMA}","steps":[{text}]}}"#),
        };
        let steps = read(&script).map_err(|said| said.message)?;
        check(&steps, direction).map_err(|said| said.message)?;
        Ok(steps)
    }

    const BUILD: &str = r#"{"build":{"index":"s.v2","source":"s.t","key":"id",
        "columns":[{"name":"title","weight":"A"}],"configuration":"pg_catalog.english"}}"#;
    const SWAP: &str = r#"{"alias":{"name":"s.a","from":"s.v1","to":"s.v2","keep_old_hours":72}}"#;

    #[test]
    fn a_shadow_index_and_its_swap_are_understood() {
        let both = format!("{BUILD},{SWAP}");
        assert_eq!(steps(&both, Direction::Forward).expect("good").len(), 2);
        let back =
            r#"{"alias":{"name":"s.a","from":"s.v2","to":"s.v1"}},{"drop":{"index":"s.v2"}}"#;
        assert_eq!(steps(back, Direction::Rollback).expect("good").len(), 2);
        let refused = steps(back, Direction::Forward).unwrap_err();
        assert!(refused.contains("keep_old_hours"), "{refused}");
    }

    #[test]
    fn what_is_unclear_or_no_plain_name_is_refused() {
        let table = [
            r#"{"build":{}}"#.to_owned(),
            r#"{"sql":"DROP TABLE x"}"#.to_owned(),
            r#"{"drop":{"index":"s.v","cascade":true}}"#.to_owned(),
            r#"{"drop":{"index":"v"}}"#.to_owned(),
            r#"{"drop":{"index":"s.v\" CASCADE; --"}}"#.to_owned(),
            r#"{"drop":{"index":"s.v.w"}}"#.to_owned(),
            r#"{"drop":{"index":"pg_catalog.v"}}"#.to_owned(),
            r#"{"drop":{"index":"s.v","index":"s.w"}}"#.to_owned(),
            format!("{SWAP},{BUILD}"),
            SWAP.replace("s.v1", "s.v2"),
            SWAP.replace("72", "0"),
            SWAP.replace("72", "999999"),
            SWAP.replace("\"s.v1\"", "null"),
            BUILD.replace("title", "document"),
            BUILD.replace("title", "to'x"),
            BUILD.replace("\"A\"", "\"E\""),
            BUILD.replace("s.v2", "information_schema.v2"),
            BUILD.replace("english", "english'::regconfig"),
            BUILD.replace(r#"{"name":"title","weight":"A"}"#, ""),
            BUILD.replace("s.v2", &format!("s.{}", "v".repeat(49))),
        ];
        for text in table {
            assert!(steps(&text, Direction::Forward).is_err(), "{text}");
        }
        assert!(steps("", Direction::Forward).is_err());
    }
}

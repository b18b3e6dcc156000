//! What a database holds, in the same words for both databases, and the baseline made of it.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;

use super::rows;
use super::session::Open;
use super::{postgres, sqlite};
use crate::canon::{Digest, Hasher, canonical_of};
use crate::rules::bundle::{Baseline, Object, ObjectCounts, Scope, is_ledger};
use crate::store::{Failure, StoreError};

/// An object with its definition in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thing {
    pub kind: String,
    pub name: String,
    pub table: Option<String>,
    pub definition: String,
}

/// A table that holds rows of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    /// `schema.name`.
    pub name: String,
    /// The same, quoted for a statement.
    pub sql: String,
    /// What it keeps while its name changes.
    pub id: i64,
    /// What changes when all its rows are written anew.
    pub file: i64,
    /// Whether an extension brought it: its definition is the extension's, its rows are people's.
    pub is_brought: bool,
}

/// What a look at the catalogue found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub objects: Vec<Object>,
    pub held: Vec<Held>,
    /// Constraints that are no objects of their own.
    pub inner_constraints: u64,
}

impl Seen {
    /// Takes an object in, with its definition as a digest.
    pub fn add(&mut self, thing: Thing) {
        self.objects.push(Object {
            kind: thing.kind,
            name: thing.name,
            table: thing.table,
            definition: named(Digest::of(thing.definition.as_bytes())),
        });
    }

    fn counts(&self) -> ObjectCounts {
        let of = |kinds: &[&str]| {
            self.objects
                .iter()
                .filter(|object| kinds.contains(&object.kind.as_str()))
                .count() as u64
        };
        ObjectCounts {
            tables: of(&["table", "foreign table"]),
            indexes: of(&["index"]),
            constraints: of(&["constraint"]) + self.inner_constraints,
        }
    }
}

/// Writes a digest as contracts have it.
pub(super) fn named(digest: Digest) -> String {
    format!("sha256:{digest}")
}

/// A baseline with what only the runner needs of it.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub baseline: Baseline,
    pub held: Vec<Held>,
    /// Rows of the tables in scope: how many, or that there are at least so many.
    pub rows: BTreeMap<String, Rows>,
}

/// How many rows a table has, as far as they were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    Exactly(u64),
    /// Counting stopped here.
    AtLeast(u64),
}

impl Rows {
    pub fn known(self) -> u64 {
        match self {
            Self::Exactly(rows) | Self::AtLeast(rows) => rows,
        }
    }
}

/// How far rows are counted, unless a limit asks for more.
const COUNTED: u64 = 1_000_000;

/// Looks at everything and makes a baseline; settings are the runner's afterwards, not the script's.
pub(super) async fn look(
    open: &mut Open,
    scope: &Scope,
    most_rows: u64,
) -> Result<Look, StoreError> {
    open.run_own(postgres::PLAIN, "").await?;
    let mut seen = match open {
        Open::Postgres(t) => postgres::look(t).await?,
        Open::Sqlite(t) => sqlite::look(t).await?,
    };
    seen.objects.sort();
    let cap = COUNTED.max(most_rows.saturating_add(1));
    let mut counted = BTreeMap::new();
    for table in seen.held.iter().filter(|table| scope.allows(&table.name)) {
        counted.insert(
            table.name.clone(),
            rows::count(open, &table.sql, cap).await?,
        );
    }
    let exact = |(table, rows): (&String, &Rows)| match rows {
        Rows::Exactly(rows) => Some((table.clone(), *rows)),
        Rows::AtLeast(_) => None,
    };
    let schema = canonical_of(&seen.objects).map_err(|error| unwritable(&error.to_string()))?;
    let baseline = Baseline {
        object_counts: seen.counts(),
        schema_fingerprint: named(Digest::of(&schema)),
        protected_domain_fingerprint: protected(open, &seen, scope).await?,
        row_counts: counted.iter().filter_map(exact).collect(),
        objects: seen.objects,
        ..Baseline::default()
    };
    Ok(Look {
        baseline,
        held: seen.held,
        rows: counted,
    })
}

fn unwritable(what: &str) -> StoreError {
    StoreError::new(
        Failure::Other,
        format!("the catalogue cannot be written down: {what}"),
        "report it with this sentence",
    )
}

/// Tells whether one of the entries names this object: `table` or `schema.table`; SQLite and people fold the case.
fn names(entries: &[String], full: &str) -> bool {
    let bare = full.split_once('.').map_or(full, |(_, bare)| bare);
    entries
        .iter()
        .any(|entry| entry.eq_ignore_ascii_case(full) || entry.eq_ignore_ascii_case(bare))
}

/// Hashes the definitions of what is forbidden or protected, and the rows of what is protected.
async fn protected(open: &mut Open, seen: &Seen, scope: &Scope) -> Result<String, StoreError> {
    let in_forbidden_schema = |name: &str| {
        let schema = name.split_once('.').map_or(name, |(schema, _)| schema);
        scope
            .forbidden_schemas
            .iter()
            .any(|forbidden| forbidden.eq_ignore_ascii_case(schema))
    };
    let mut hash = Hasher::default();
    let mut line = |parts: &[&str]| {
        for part in parts {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
    };
    for object in &seen.objects {
        let subject = object.subject();
        let is_protected = in_forbidden_schema(subject)
            || names(&scope.forbidden_tables, subject)
            || names(&scope.protected_reference_tables, subject)
            || is_ledger(subject);
        if is_protected {
            line(&[
                "object",
                &object.kind,
                &object.name,
                subject,
                &object.definition,
            ]);
        }
    }
    for entry in &scope.protected_reference_tables {
        let is_named = |table: &&Held| names(std::slice::from_ref(entry), &table.name);
        let mut is_there = false;
        for table in seen.held.iter().filter(is_named) {
            is_there = true;
            line(&["rows", &table.name, &rows::fingerprint(open, table).await?]);
        }
        if !is_there {
            line(&["absent", entry]);
        }
    }
    Ok(named(hash.finish()))
}

/// Makes a statement of our own that is put together of quoted names.
pub(super) fn own(sql: String) -> AssertSqlSafe<String> {
    AssertSqlSafe(sql)
}

//! What a change may touch, and what it may not.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::shown::quoted;
use super::{Kind, Reason};

/// Tables that no bundle may ever have in its scope.
pub const LEDGER_TABLES: &[&str] = &[
    "governance_ledger",
    "ledger_change",
    "ledger_artifact",
    "artifact",
    "ledger_head",
];

/// Tables that a bundle may have in its scope only with an approval that it names.
pub const DICTIONARY_TABLES: &[&str] = &[
    "metric_dictionary",
    "dictionary_release",
    "governance_metric_dictionary_current",
];

/// Names what a change may touch and what it may not.
///
/// An entry for a table is `table` or `schema.table`. In a search store a table is an index or an alias, in a graph a
/// label or a type of relationship.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Schemas that allowed tables without a schema may lie in.
    pub allowed_schemas: Vec<String>,
    /// Everything that may be touched.
    pub allowed_tables: Vec<String>,
    /// Schemas of which nothing may be touched.
    pub forbidden_schemas: Vec<String>,
    /// What may not be touched, wherever it lies.
    pub forbidden_tables: Vec<String>,
    /// Tables whose rows belong to the protected domain.
    #[serde(default)]
    pub protected_reference_tables: Vec<String>,
}

/// Something that a scope says and should not: the reason, the list and the place in it, and what is wrong.
pub(super) type Complaint = (Reason, &'static str, Option<usize>, String);

/// Tells whether a name, with or without its schema, is that of one of these tables, ignoring ASCII case.
fn is_one_of(name: &str, tables: &[&str]) -> bool {
    let bare = name.rsplit('.').next().unwrap_or(name);
    tables.iter().any(|table| table.eq_ignore_ascii_case(bare))
}

/// Tells whether a name is of a table that the ledger stands in.
#[must_use]
pub fn is_ledger(name: &str) -> bool {
    is_one_of(name, LEDGER_TABLES)
}

/// Tells whether a name is of a table that the dictionary stands in.
#[must_use]
pub fn is_dictionary(name: &str) -> bool {
    is_one_of(name, DICTIONARY_TABLES)
}

/// Splits a name at the point behind its schema.
fn split(name: &str) -> (Option<&str>, &str) {
    match name.split_once('.') {
        Some((schema, table)) => (Some(schema), table),
        None => (None, name),
    }
}

/// Tells whether two names may mean the same table, one of them perhaps without its schema, ignoring ASCII case.
fn may_be_same(one: &str, other: &str) -> bool {
    if one.eq_ignore_ascii_case(other) {
        return true;
    }
    match (split(one), split(other)) {
        ((None, bare), (Some(_), table)) | ((Some(_), table), (None, bare)) => {
            bare.eq_ignore_ascii_case(table)
        }
        _ => false,
    }
}

/// Many names, to be asked whether one of them may mean the same table as another name.
pub(super) struct Names {
    whole: BTreeSet<String>,
    /// The tables of names that have a schema.
    tables: BTreeSet<String>,
}

impl Names {
    pub(super) fn of(names: &BTreeSet<&str>) -> Self {
        let whole: BTreeSet<_> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        let table = |name: &String| split(name).0.map(|_| split(name).1.to_owned());
        let tables = whole.iter().filter_map(table).collect();
        Self { whole, tables }
    }

    pub(super) fn may_hold(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.whole.contains(&name)
            || match split(&name) {
                (Some(_), table) => self.whole.contains(table),
                (None, bare) => self.tables.contains(bare),
            }
    }
}

impl Scope {
    fn lists(&self) -> [(&'static str, &[String]); 5] {
        [
            ("allowed_schemas", &self.allowed_schemas),
            ("allowed_tables", &self.allowed_tables),
            ("forbidden_schemas", &self.forbidden_schemas),
            ("forbidden_tables", &self.forbidden_tables),
            (
                "protected_reference_tables",
                &self.protected_reference_tables,
            ),
        ]
    }

    /// Tells whether a name is among what may be touched, letter by letter.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        let is_allowed_schema = |schema: &str| self.allowed_schemas.iter().any(|s| s == schema);
        self.allowed_tables.iter().any(|entry| {
            if entry == name {
                return true;
            }
            match (split(entry), split(name)) {
                ((None, bare), (Some(schema), table)) => bare == table && is_allowed_schema(schema),
                ((Some(schema), table), (None, bare)) => {
                    bare == table && matches!(&self.allowed_schemas[..], [only] if only == schema)
                }
                _ => false,
            }
        })
    }

    /// Says which entry forbids a name, ignoring ASCII case; a name without its schema may be of any.
    #[must_use]
    pub fn forbidden_by(&self, name: &str) -> Option<String> {
        let lies_in = |schema: &&String| {
            let begin = name.get(..schema.len());
            begin.is_some_and(|begin| begin.eq_ignore_ascii_case(schema))
                && name[schema.len()..].starts_with('.')
        };
        if let Some(schema) = self.forbidden_schemas.iter().find(lies_in) {
            return Some(format!("the forbidden schema {}", quoted(schema)));
        }
        let lists = [
            ("forbidden table", &self.forbidden_tables),
            ("protected table", &self.protected_reference_tables),
        ];
        lists.into_iter().find_map(|(what, list)| {
            let entry = list.iter().find(|entry| may_be_same(entry, name))?;
            Some(format!("the {what} {}", quoted(entry)))
        })
    }

    /// Finds what the scope says and must not.
    pub(super) fn complaints(&self, kind: Kind, has_approval: bool) -> Vec<Complaint> {
        let mut found = self.not_enforceable(kind);
        if !found.is_empty() {
            return found;
        }
        for (place, schema) in self.allowed_schemas.iter().enumerate() {
            let mut forbidden = self.forbidden_schemas.iter();
            if forbidden.any(|other| other.eq_ignore_ascii_case(schema)) {
                let what = format!("the schema {} is forbidden too", quoted(schema));
                found.push((
                    Reason::ScopeContradiction,
                    "allowed_schemas",
                    Some(place),
                    what,
                ));
            }
        }
        for (place, entry) in self.allowed_tables.iter().enumerate() {
            if let Some(what) = self.contradiction(kind, entry, has_approval) {
                found.push((
                    Reason::ScopeContradiction,
                    "allowed_tables",
                    Some(place),
                    what,
                ));
            }
        }
        found
    }

    fn contradiction(&self, kind: Kind, entry: &str, has_approval: bool) -> Option<String> {
        let shown = quoted(entry);
        if is_ledger(entry) {
            return Some(format!("{shown} is the ledger, which no bundle may touch"));
        }
        if is_dictionary(entry) && !has_approval {
            return Some(format!(
                "{shown} is the dictionary, which needs `approvals.reference`"
            ));
        }
        let names: Vec<String> = match split(entry) {
            (None, bare) if !self.allowed_schemas.is_empty() => {
                let within = |schema: &String| format!("{schema}.{bare}");
                self.allowed_schemas.iter().map(within).collect()
            }
            (Some(schema), _)
                if kind == Kind::Postgis
                    && !self.allowed_schemas.is_empty()
                    && !self.allowed_schemas.iter().any(|s| s == schema) =>
            {
                let schema = quoted(schema);
                return Some(format!(
                    "{shown} lies in {schema}, which is no allowed schema"
                ));
            }
            _ => vec![entry.to_owned()],
        };
        let by = names.iter().find_map(|name| self.forbidden_by(name))?;
        Some(format!("{shown} is allowed and stands in {by}"))
    }

    fn not_enforceable(&self, kind: Kind) -> Vec<Complaint> {
        let reason = Reason::ScopeNotEnforceable;
        let mut found = Vec::new();
        if self.allowed_tables.is_empty() {
            let what = "it names nothing, so nothing could be held against it".to_owned();
            found.push((reason, "allowed_tables", None, what));
        }
        for (list, entries) in self.lists() {
            let mut seen = BTreeSet::new();
            for (place, entry) in entries.iter().enumerate() {
                if let Some(why) = vague(entry) {
                    let what = format!("{} {why}; name each one", quoted(entry));
                    found.push((reason, list, Some(place), what));
                } else if !seen.insert(entry.to_ascii_lowercase()) {
                    let what = format!("{} stands twice but for its case", quoted(entry));
                    found.push((reason, list, Some(place), what));
                }
            }
        }
        if kind == Kind::Postgis && self.allowed_schemas.is_empty() {
            let mut entries = self.allowed_tables.iter();
            if let Some(place) = entries.position(|entry| !entry.contains('.')) {
                let what = format!(
                    "{} is in no schema: name it in allowed_schemas or before the table",
                    quoted(&self.allowed_tables[place])
                );
                found.push((reason, "allowed_tables", Some(place), what));
            }
        }
        found
    }
}

/// Says why an entry names more or less than one thing.
fn vague(entry: &str) -> Option<&'static str> {
    if entry.contains(['*', '%', '?', '[', ']', '{', '}', '|']) {
        return Some("is a pattern");
    }
    if entry.contains(['"', '`', '\'']) {
        return Some("has quotes, which are no part of a name");
    }
    if entry.contains(',') {
        return Some("looks like several names");
    }
    let parts_are_whole = entry
        .split('.')
        .all(|part| !part.is_empty() && part.trim() == part);
    (!parts_are_whole).then_some("is no whole name")
}

#[cfg(test)]
mod tests;

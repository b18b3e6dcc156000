//! The two bundles of a migration of the dictionary: what expands the table and puts views over it, and the index on what
//! differs, which is built once the new columns are filled.

use std::collections::BTreeMap;

use serde_json::json;

use crate::rules::Refusal;
use crate::rules::bundle::NOTES_FILE;
use crate::rules::migration::{
    DICTIONARY, Dialect, LONG_VIEW, Site, WIDE_VIEW, faults_of_pairs, quoted,
};
use crate::store::migration::Built;

/// The series that ids of these bundles begin with.
pub const SERIES: &str = "DICT";

/// What is to be expanded, and how.
#[derive(Debug, Clone)]
pub struct Expansion<'a> {
    /// The migration.
    pub migration: &'a str,
    /// The pairs that are kept.
    pub pairs: &'a [(&'a str, &'a str)],
    /// What there is.
    pub built: &'a Built,
    /// Types of columns, where they are not those of the column that goes.
    pub types: &'a BTreeMap<String, String>,
    /// The decision that approves a change of the dictionary.
    pub reference: &'a str,
}

/// A bundle, as files by their names.
pub type Files = Vec<(String, String)>;

/// What a script would do, both ways.
struct Scripts {
    forward: Vec<String>,
    rollback: Vec<String>,
}

/// What a bundle is to say of itself.
struct Told<'a> {
    id: &'a str,
    intent: String,
    /// What it may touch, but for the schema.
    tables: &'a [&'a str],
    indexes: i64,
    notes: String,
}

impl Expansion<'_> {
    /// Writes the bundle of the columns and views, and that of the index, each under its id.
    pub fn bundles(&self, columns_id: &str, index_id: &str) -> Result<[Files; 2], Refusal> {
        let columns = self.missing()?;
        let site = self.site();
        let count = columns.len();
        let expansion = Told {
            id: columns_id,
            intent: format!(
                "Expand the metric dictionary for {}: {count} columns that may be empty, and the views over {} pairs",
                self.migration,
                self.pairs.len()
            ),
            tables: &[DICTIONARY, WIDE_VIEW, LONG_VIEW],
            indexes: 0,
            notes: format!(
                "# {columns_id}\n\n## Why\n\n{} keeps pairs of columns, and scans compare them through these views.\n\n## Risks\n\n\
                 The columns may be empty and have no rule, so that nothing that is written today is refused.\n\n\
                 ## Taking it back\n\nTake {index_id} back first. What was written into the new columns goes with them; the views are \
                 as they were before.\n",
                self.migration
            ),
        };
        let index = Told {
            id: index_id,
            intent: format!(
                "Index the rows of the metric dictionary of which a pair of {} does not match",
                self.migration
            ),
            tables: &[DICTIONARY],
            indexes: i64::from(self.built.index.is_none()),
            notes: format!(
                "# {index_id}\n\n## Why\n\nScans count what does not match without a look at every row. Build it after the new columns \
                 are filled: before that it would hold every row.\n\n## Risks\n\nRows that match are not in it, and cost nothing but the \
                 comparison.\n\n## Taking it back\n\nScans look at every row again.\n"
            ),
        };
        Ok([
            self.files(&expansion, &self.expanding(&site, &columns)),
            self.files(&index, &self.indexing(&site)),
        ])
    }

    fn site(&self) -> Site<'_> {
        Site {
            dialect: self.built.dialect,
            schema: &self.built.schema,
        }
    }

    /// Lists the columns that are not there yet, with their types.
    fn missing(&self) -> Result<Vec<(String, String)>, Refusal> {
        let refused = |sentence: String, hint: &str| Err(Refusal::new(sentence, hint));
        if self.pairs.is_empty() {
            let sentence = format!("no pair of {} is registered", self.migration);
            return refused(sentence, "register each pair of columns first");
        }
        let there = |name: &str| self.built.columns.iter().find(|it| it.0 == name);
        let in_pairs = |name: &str| {
            self.pairs
                .iter()
                .any(|(legacy, modern)| *legacy == name || *modern == name)
        };
        let others: Vec<&str> = self
            .built
            .columns
            .iter()
            .map(|column| column.0.as_str())
            .filter(|name| !in_pairs(name))
            .collect();
        if let Some(fault) = faults_of_pairs(self.pairs, &others).first() {
            let sentence = format!("the pairs of {} cannot be kept: {fault}", self.migration);
            return refused(
                sentence,
                "withdraw that pair, and register it with another name",
            );
        }
        if let Some(name) = self.types.keys().find(|name| !in_pairs(name)) {
            let sentence = format!("{} is in no pair of {}", shown(name), self.migration);
            return refused(sentence, "give types of columns that are in a pair");
        }
        let mut missing = Vec::new();
        for (legacy, modern) in self.pairs {
            let of_legacy = there(legacy).map(|it| it.1.clone());
            let of_legacy = of_legacy.or_else(|| self.types.get(*legacy).cloned());
            let Some(of_legacy) = of_legacy else {
                let sentence = format!("the dictionary has no column {}", shown(legacy));
                return refused(
                    sentence,
                    "give its type with --type COLUMN=TYPE, and it is added too",
                );
            };
            for (name, default) in [(legacy, &of_legacy), (modern, &of_legacy)] {
                if there(name).is_none() {
                    let given = self.types.get(*name).unwrap_or(default);
                    check_type(self.built.dialect, given)?;
                    missing.push(((*name).to_owned(), given.clone()));
                }
            }
        }
        Ok(missing)
    }

    fn expanding(&self, site: &Site<'_>, columns: &[(String, String)]) -> Scripts {
        let table = site.named(DICTIONARY);
        let views = [(WIDE_VIEW, &self.built.wide), (LONG_VIEW, &self.built.long)];
        let mut forward: Vec<String> = columns
            .iter()
            .map(|(name, kind)| format!("ALTER TABLE {table} ADD COLUMN {} {kind}", quoted(name)))
            .collect();
        let dropped = |view: &str| format!("DROP VIEW {}", site.named(view));
        let stood = views.iter().rev().filter(|(_, before)| before.is_some());
        forward.extend(stood.map(|(view, _)| dropped(view)));
        forward.push(site.wide_view(self.pairs));
        forward.push(site.long_view(self.pairs));
        forward.extend(
            views
                .iter()
                .filter_map(|(view, _)| self.readable(site, view)),
        );
        let mut rollback: Vec<String> = views.iter().rev().map(|(view, _)| dropped(view)).collect();
        for (view, before) in views {
            if let Some(before) = before {
                rollback.push(before.clone());
                rollback.extend(self.readable(site, view));
            }
        }
        let gone = |(name, _): &(String, String)| {
            format!("ALTER TABLE {table} DROP COLUMN {}", quoted(name))
        };
        rollback.extend(columns.iter().rev().map(gone));
        Scripts { forward, rollback }
    }

    /// Lets whoever reads the dictionary read a view over it.
    fn readable(&self, site: &Site<'_>, view: &str) -> Option<String> {
        let readers = self.built.readers.join(", ");
        (!readers.is_empty())
            .then(|| format!("GRANT SELECT ON TABLE {} TO {readers}", site.named(view)))
    }

    fn indexing(&self, site: &Site<'_>) -> Scripts {
        let mut forward = vec![site.index(self.pairs)];
        let mut rollback = vec![site.drop_index()];
        if let Some(before) = &self.built.index {
            forward.insert(0, site.drop_index());
            let beside = match site.dialect {
                Dialect::Sqlite => before.clone(),
                Dialect::Postgres => {
                    before.replacen("CREATE INDEX ", "CREATE INDEX CONCURRENTLY ", 1)
                }
            };
            rollback.push(beside);
        }
        Scripts { forward, rollback }
    }

    fn files(&self, told: &Told<'_>, scripts: &Scripts) -> Files {
        let script = |what: &str, statements: &[String]| {
            let body: Vec<String> = statements.iter().map(|it| format!("{it};\n")).collect();
            format!("-- {what}\n{}", body.concat())
        };
        vec![
            ("migration.yml".to_owned(), self.declaration(told)),
            (
                "forward.sql".to_owned(),
                script(&told.intent, &scripts.forward),
            ),
            (
                "rollback.sql".to_owned(),
                script("Takes all of it back.", &scripts.rollback),
            ),
            (NOTES_FILE.to_owned(), told.notes.clone()),
        ]
    }

    fn declaration(&self, told: &Told<'_>) -> String {
        let text = |text: &str| json!(text).to_string();
        let schema = &self.built.schema;
        let tables: Vec<String> = told
            .tables
            .iter()
            .map(|table| format!("    - {}\n", text(&format!("{schema}.{table}"))))
            .collect();
        format!(
            "migration_id: {id}\ntype: postgis\nintent: {intent}\nscope:\n  allowed_schemas:\n    - {schema}\n  allowed_tables:\n{tables}  \
             forbidden_schemas: []\n  forbidden_tables: []\n  protected_reference_tables: []\nlimits:\n  max_table_count_touched: {touched}\n  \
             max_index_count_delta: {indexes}\n  max_row_backfill: 0\nrequires_rollback: true\napprovals:\n  required_reviewers:\n    - governance\n    \
             - data-platform\n  change_class: governance-critical\n  reference: {reference}\nrunner:\n  tool: govdeck\n  command: govdeck bundle apply\n  \
             environment: []\nartifacts:\n  forward:\n    - forward.sql\n  rollback:\n    - rollback.sql\n  baselines:\n    pre: baselines/pre.json\n    \
             post: baselines/post.json\n  diffs:\n    summary: diffs/summary.json\n",
            id = told.id,
            tables = tables.concat(),
            intent = text(&told.intent),
            schema = text(schema),
            touched = told.tables.len(),
            indexes = told.indexes,
            reference = text(self.reference),
        )
    }
}

/// Shows a name in a sentence.
fn shown(name: &str) -> String {
    format!("{:?}", crate::rules::text::shorten(name, 60))
}

/// Refuses what is no plain type: a rule of its own would stand in the way of whoever writes the dictionary today.
fn check_type(dialect: Dialect, given: &str) -> Result<(), Refusal> {
    const STRICT: [&str; 6] = ["int", "integer", "real", "text", "blob", "any"];
    const RULES: [&str; 10] = [
        "not",
        "null",
        "default",
        "check",
        "references",
        "generated",
        "primary",
        "unique",
        "collate",
        "constraint",
    ];
    let lower = given.to_ascii_lowercase();
    let is_plain = lower.len() <= 60
        && lower.starts_with(|c: char| c.is_ascii_lowercase())
        && lower
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " _(),[]".contains(c));
    let has_rule = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| RULES.contains(&word));
    let fits = match dialect {
        Dialect::Sqlite => STRICT.contains(&lower.as_str()),
        Dialect::Postgres => is_plain && !has_rule,
    };
    if fits {
        return Ok(());
    }
    let hint = match dialect {
        Dialect::Sqlite => "one of INTEGER, REAL, TEXT, BLOB, ANY",
        Dialect::Postgres => "a type alone, such as integer or numeric(12, 2)",
    };
    Err(Refusal::new(
        format!("{} is no type for a new column", shown(given)),
        hint,
    ))
}

#[cfg(test)]
mod tests;

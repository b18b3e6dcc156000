//! What somebody registers: a declaration, the scripts that it names, and what a plan of them was seen to do.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Tier, is_migration_id, plan_hash};
use crate::canon::{self, Digest, canonical_of};
use crate::rules::Refusal;
use crate::rules::bundle::{Baseline, Declaration, DiffSummary, FileDigest};

/// The form of the document.
pub const SCHEMA: &str = "govdeck.bundle-plan.v1";

/// A declaration with its scripts, and what a plan of them did at one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// The form of the document.
    pub schema: String,
    /// Where the target stands.
    pub environment: Tier,
    /// The text of `migration.yml`.
    pub declaration: String,
    /// What that says.
    pub declared: Declaration,
    /// The scripts, each once.
    pub scripts: Vec<Script>,
    /// What the target looked like before.
    pub pre: Baseline,
    /// What it looked like after.
    pub post: Baseline,
    /// How many rows were inserted, changed and deleted, by table.
    #[serde(default)]
    pub rows: BTreeMap<String, u64>,
    /// How long it took.
    #[serde(default)]
    pub milliseconds: Option<u64>,
}

/// A script of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Its path from the bundle's folder.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl Script {
    /// Names the script by what it holds.
    #[must_use]
    pub fn named(&self) -> FileDigest {
        FileDigest {
            path: self.path.clone(),
            digest: format!("sha256:{}", Digest::of(self.text.as_bytes())),
        }
    }
}

impl Registration {
    /// Makes one of what a plan has seen before and after; what is known besides is added to it.
    #[must_use]
    pub fn of(
        environment: Tier,
        declared: Declaration,
        scripts: Vec<Script>,
        (pre, post): (Baseline, Baseline),
    ) -> Self {
        let text = canonical_of(&declared).unwrap_or_default();
        Self {
            schema: SCHEMA.to_owned(),
            environment,
            declaration: String::from_utf8_lossy(&text).into_owned(),
            declared,
            scripts,
            pre,
            post,
            rows: BTreeMap::new(),
            milliseconds: None,
        }
    }

    /// Reads a registration, strictly.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let refused = |what: String| {
            Refusal::new(
                format!("the plan cannot be registered: {what}"),
                "`govdeck bundle plan` writes what can be",
            )
        };
        canon::canonical_exact(bytes).map_err(|error| refused(error.to_string()))?;
        let read: Self =
            serde_json::from_slice(bytes).map_err(|error| refused(error.to_string()))?;
        if read.schema != SCHEMA {
            return Err(refused(format!("it is no {SCHEMA}")));
        }
        if !is_migration_id(&read.declared.migration_id) {
            return Err(refused("its migration_id is no plain name".to_owned()));
        }
        let declared = &read.declared.artifacts;
        let named: BTreeSet<_> = declared.forward.iter().chain(&declared.rollback).collect();
        let given: BTreeSet<_> = read.scripts.iter().map(|script| &script.path).collect();
        if named != given || given.len() != read.scripts.len() {
            return Err(refused(
                "its scripts are not those that the declaration names".to_owned(),
            ));
        }
        Ok(read)
    }

    /// Writes it as canonical JSON.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        canonical_of(self).unwrap_or_default()
    }

    /// Returns what the declaration's text hashes to.
    #[must_use]
    pub fn declaration_digest(&self) -> Digest {
        Digest::of(self.declaration.as_bytes())
    }

    /// Names the scripts by what they hold, in the order of their paths.
    #[must_use]
    pub fn named_scripts(&self) -> Vec<FileDigest> {
        let mut named: Vec<_> = self.scripts.iter().map(Script::named).collect();
        named.sort_by(|one, other| one.path.cmp(&other.path));
        named
    }

    /// Sums up what the plan did.
    #[must_use]
    pub fn diff(&self) -> DiffSummary {
        DiffSummary::between(
            &self.declared.migration_id,
            &self.pre,
            &self.post,
            &self.rows,
        )
    }

    /// Hashes what an approval of the plan is bound to.
    #[must_use]
    pub fn plan_hash(&self) -> Digest {
        plan_hash(
            self.declaration_digest(),
            &self.named_scripts(),
            &self.pre.schema_fingerprint,
        )
    }
}

/// Names the tables of a list that a declaration has in its scope, whatever schema it names them in.
#[must_use]
pub fn in_scope<'a>(declared: &Declaration, tables: &[&'a str]) -> Vec<&'a str> {
    let allowed = &declared.scope.allowed_tables;
    let is_allowed = |table: &&&str| {
        allowed.iter().any(|entry| {
            let bare = entry.rsplit('.').next().unwrap_or(entry);
            bare.trim_matches('"').eq_ignore_ascii_case(table)
        })
    };
    tables.iter().filter(is_allowed).copied().collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::rules::bundle::{
        Approvals, Artifacts, DICTIONARY_TABLES, Kind, LEDGER_TABLES, Limits, Runner, Scope,
    };

    pub fn registration() -> Registration {
        let declared = Declaration {
            migration_id: "PG-MIG-2026-03-01-01".to_owned(),
            kind: Kind::Postgis,
            intent: "Index".to_owned(),
            scope: Scope {
                allowed_tables: vec!["public.roads".to_owned()],
                ..Scope::default()
            },
            limits: Limits {
                max_table_count_touched: 1,
                max_index_count_delta: 1,
                max_row_backfill: 0,
            },
            requires_rollback: true,
            approvals: Approvals {
                required_reviewers: vec!["lee".to_owned()],
                change_class: "standard".to_owned(),
                reference: None,
            },
            runner: Runner {
                tool: "govdeck".to_owned(),
                command: "govdeck bundle apply".to_owned(),
                environment: Vec::new(),
            },
            artifacts: Artifacts {
                forward: vec!["forward.sql".to_owned()],
                rollback: vec!["rollback.sql".to_owned()],
                pre: "baselines/pre.json".to_owned(),
                post: "baselines/post.json".to_owned(),
                summary: "diffs/summary.json".to_owned(),
            },
        };
        let script = |path: &str, text: &str| Script {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        Registration {
            schema: SCHEMA.to_owned(),
            environment: Tier::Dev,
            declaration: "migration_id: PG-MIG-2026-03-01-01\n".to_owned(),
            declared,
            scripts: vec![
                script("rollback.sql", "DROP INDEX i"),
                script("forward.sql", "CREATE INDEX i"),
            ],
            pre: Baseline::default(),
            post: Baseline::default(),
            rows: BTreeMap::new(),
            milliseconds: Some(12),
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let whole = registration();
        assert_eq!(Registration::read(&whole.bytes()).as_ref(), Ok(&whole));
        assert_eq!(whole.named_scripts()[0].path, "forward.sql");
    }

    #[test]
    fn the_scripts_are_those_of_the_declaration_and_each_is_there_once() {
        let refused = |change: fn(&mut Registration)| {
            let mut changed = registration();
            change(&mut changed);
            Registration::read(&changed.bytes())
                .expect_err("refused")
                .sentence
        };
        for change in [
            (|it: &mut Registration| drop(it.scripts.pop())) as fn(&mut Registration),
            |it| it.scripts.push(it.scripts[0].clone()),
            |it| it.scripts[0].path = "other.sql".to_owned(),
        ] {
            assert!(refused(change).contains("its scripts"));
        }
        assert!(refused(|it| it.schema = "x".to_owned()).contains("it is no"));
        assert!(refused(|it| it.declared.migration_id = "a/b".to_owned()).contains("plain name"));
    }

    #[test]
    fn a_table_is_in_scope_in_whatever_schema() {
        let mut declared = registration().declared;
        let mut allow = |table: &str| {
            declared.scope.allowed_tables = vec![table.to_owned()];
            let dictionary = in_scope(&declared, DICTIONARY_TABLES).len();
            (dictionary, in_scope(&declared, LEDGER_TABLES).len())
        };
        assert_eq!(allow("public.roads"), (0, 0));
        assert_eq!(allow("metric_dictionary"), (1, 0));
        assert_eq!(allow("govdeck.Metric_Dictionary"), (1, 0));
        assert_eq!(allow("public.\"governance_ledger\""), (0, 1));
    }
}

//! What somebody registers: a declaration, the scripts that it names, and what a plan of them was seen to do.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Tier, plan_hash};
use crate::canon::{self, Digest, canonical_of};
use crate::rules::Refusal;
use crate::rules::bundle::{
    Baseline, Bundle, DECLARATION_FILE, Declaration, Declared, DiffSummary, Due, Entry, FileDigest,
    Finding, NOTES_FILE, check, judge,
};

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
    /// The scripts, each once; the notes may be among them.
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
    /// Whether the way back was run afterwards, and everything was as before.
    #[serde(default)]
    pub led_back: bool,
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

/// A registration that was read, with what its declaration says and what is wrong with it.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The registration.
    pub plan: Registration,
    /// What its declaration says.
    pub declared: Declaration,
    /// What is wrong with the files, or was done beyond the declaration.
    pub findings: Vec<Finding>,
}

impl Registration {
    /// Makes one of what a plan has seen before and after; what is known besides is added to it.
    #[must_use]
    pub fn of(
        environment: Tier,
        declaration: String,
        scripts: Vec<Script>,
        (pre, post): (Baseline, Baseline),
    ) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            environment,
            declaration,
            scripts,
            pre,
            post,
            rows: BTreeMap::new(),
            milliseconds: None,
            led_back: false,
        }
    }

    /// Reads a registration, strictly, and judges what it holds.
    pub fn read(bytes: &[u8]) -> Result<Reading, Refusal> {
        let refused = |what: String| {
            Refusal::new(
                format!("the plan cannot be registered: {what}"),
                "`govdeck bundle check` says what is wrong with the files",
            )
        };
        canon::canonical_exact(bytes).map_err(|error| refused(error.to_string()))?;
        let plan: Self =
            serde_json::from_slice(bytes).map_err(|error| refused(error.to_string()))?;
        if plan.schema != SCHEMA {
            return Err(refused(format!("it is no {SCHEMA}")));
        }
        let declared = Declared::read(plan.declaration.as_bytes());
        let declared = declared.map_err(|found| refused(said(&found)))?.declaration;
        let named = &declared.artifacts;
        let named: BTreeSet<_> = named.forward.iter().chain(&named.rollback).collect();
        let given: BTreeSet<_> = plan.scripts.iter().map(|script| &script.path).collect();
        let further = given.difference(&named);
        let are_notes = further.into_iter().all(|path| *path == NOTES_FILE);
        if !named.is_subset(&given) || !are_notes || given.len() != plan.scripts.len() {
            return Err(refused(
                "its scripts are not those that the declaration names".to_owned(),
            ));
        }
        let mut findings = check(&plan.folder(&declared), Due::Scripts).findings;
        let diff = plan.diff(&declared.migration_id);
        findings.extend(judge(&declared, &plan.pre, &plan.post, &diff));
        Ok(Reading {
            plan,
            declared,
            findings,
        })
    }

    fn folder(&self, declared: &Declaration) -> Bundle {
        let file = |text: &str| Entry::File(text.as_bytes().to_vec());
        let mut entries = BTreeMap::from([(DECLARATION_FILE.to_owned(), file(&self.declaration))]);
        let scripts = self.scripts.iter();
        entries.extend(scripts.map(|script| (script.path.clone(), file(&script.text))));
        Bundle {
            name: declared.migration_id.clone(),
            within: Some(declared.kind),
            entries,
        }
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
    pub fn diff(&self, migration_id: &str) -> DiffSummary {
        DiffSummary::between(migration_id, &self.pre, &self.post, &self.rows)
    }

    /// Writes down that the way back was run and led back; nothing where it was not.
    #[must_use]
    pub fn way_back(&self, migration_id: &str) -> Option<Vec<u8>> {
        let said = serde_json::json!({
            "schema": "govdeck.bundle-way-back.v1",
            "migration_id": migration_id,
            "environment": self.environment,
            "plan_hash": self.plan_hash(),
            "back_at": self.pre.schema_fingerprint,
        });
        self.led_back
            .then(|| canonical_of(&said).unwrap_or_default())
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

/// Says what the first finding is.
fn said(findings: &[Finding]) -> String {
    findings.first().map_or(String::new(), |found| {
        format!("{} in {}: {}", found.reason, found.path, found.detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARATION: &str = r#"migration_id: "PG-MIG-2026-03-01-01"
type: postgis
intent: "Find roads by their name"
scope:
  allowed_schemas: ["public"]
  allowed_tables: ["public.roads"]
  forbidden_schemas: []
  forbidden_tables: []
limits:
  max_table_count_touched: 1
  max_index_count_delta: 1
  max_row_backfill: 0
requires_rollback: true
approvals:
  required_reviewers: ["data-platform"]
  change_class: "standard"
runner:
  tool: "govdeck"
  command: "govdeck bundle apply"
  environment: ["ROADS_DSN_REF"]
artifacts:
  forward: ["forward.sql"]
  rollback: ["rollback.sql"]
  baselines:
    pre: "baselines/pre.json"
    post: "baselines/post.json"
  diffs:
    summary: "diffs/summary.json"
"#;

    fn registration() -> Registration {
        let script = |path: &str, text: &str| Script {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let baseline = || Baseline {
            schema_fingerprint: format!("sha256:{}", Digest::of(b"schema")),
            protected_domain_fingerprint: format!("sha256:{}", Digest::of(b"protected")),
            ..Baseline::default()
        };
        Registration::of(
            Tier::Dev,
            DECLARATION.to_owned(),
            vec![
                script("rollback.sql", "DROP INDEX public.i"),
                script("forward.sql", "CREATE INDEX i ON public.roads (name)"),
            ],
            (baseline(), baseline()),
        )
    }

    fn refused(change: fn(&mut Registration)) -> String {
        let mut changed = registration();
        change(&mut changed);
        Registration::read(&changed.bytes())
            .expect_err("refused")
            .sentence
    }

    fn found(change: fn(&mut Registration)) -> Vec<&'static str> {
        let mut changed = registration();
        change(&mut changed);
        let read = Registration::read(&changed.bytes()).expect("read");
        let reasons = read.findings.iter().map(|finding| finding.reason.word());
        reasons.collect()
    }

    #[test]
    fn what_is_written_reads_back() {
        let whole = registration();
        let read = Registration::read(&whole.bytes()).expect("read");
        assert_eq!((&read.plan, read.findings.as_slice()), (&whole, &[][..]));
        assert_eq!(read.declared.migration_id, "PG-MIG-2026-03-01-01");
        assert_eq!(whole.named_scripts()[0].path, "forward.sql");
    }

    #[test]
    fn the_scripts_are_those_of_the_declaration_and_each_is_there_once() {
        for change in [
            (|it: &mut Registration| drop(it.scripts.pop())) as fn(&mut Registration),
            |it| it.scripts.push(it.scripts[0].clone()),
            |it| it.scripts[0].path = "other.sql".to_owned(),
        ] {
            assert!(refused(change).contains("its scripts"));
        }
        assert!(refused(|it| it.schema = "x".to_owned()).contains("it is no"));
        assert!(refused(|it| it.declaration = "a: &x 1".to_owned()).contains("yaml_rejected"));
    }

    #[test]
    fn what_is_wrong_with_the_files_or_went_too_far_is_told() {
        assert_eq!(found(|_| {}), [""; 0]);
        let secret = |it: &mut Registration| {
            let leak = "\n-- postgres://roads:hunter2secret@db.example/roads";
            it.scripts[0].text.push_str(leak);
        };
        assert_eq!(found(secret), ["secret_found"]);
        let rows = |it: &mut Registration| {
            it.rows.insert("public.roads".to_owned(), 7);
        };
        assert_eq!(found(rows), ["limit_exceeded"]);
    }
}

//! Bundles that pass, made from values, so that a test breaks one thing and sees one reason.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use govdeck::canon::Digest;
use govdeck::rules::bundle::{self, Checked, Due, Entry, Kind};
use serde_json::{Value, json};

/// The id of the bundle that the stories break.
pub const ID: &str = "PG-MIG-2026-02-28-01";

/// A bundle as files by their path.
#[derive(Debug, Clone)]
pub struct Draft {
    pub id: String,
    pub kind: Kind,
    pub files: BTreeMap<String, Vec<u8>>,
}

/// A digest in the form of artefacts, of any text.
pub fn digest(of: impl AsRef<[u8]>) -> String {
    format!("sha256:{}", Digest::of(of.as_ref()))
}

fn declaration(id: &str, kind: Kind, ending: &str) -> String {
    format!(
        "migration_id: {id}
type: {kind}
intent: \"Add an index to parcels, so that the map answers faster\"
scope:
  allowed_schemas:
    - public
  allowed_tables:
    - parcels
  forbidden_schemas:
    - governance
    - audit
  forbidden_tables:
    - authority_sites
limits:
  max_table_count_touched: 1
  max_index_count_delta: 2
  max_row_backfill: 10
requires_rollback: true
approvals:
  required_reviewers:
    - platform
    - governance
  change_class: governance-critical
runner:
  tool: \"psql\"                   # or another one
  command: \"scripts/migrate.sh\"
  environment:
    - KFM_DB_DSN_REF
artifacts:
  forward:
    - forward.{ending}
  rollback:
    - rollback.{ending}
  baselines:
    pre: baselines/pre.json
    post: baselines/post.json
  diffs:
    summary: diffs/summary.json
"
    )
}

impl Draft {
    /// Makes a bundle of PostgreSQL that passes.
    pub fn valid() -> Self {
        Self::of(ID, Kind::Postgis)
    }

    /// Makes a bundle that passes.
    pub fn of(id: &str, kind: Kind) -> Self {
        let (ending, forward, rollback) = match kind {
            Kind::Postgis => (
                "sql",
                "CREATE INDEX parcels_geom ON parcels USING gist (geom);\n",
                "DROP INDEX parcels_geom;\n",
            ),
            Kind::Graph => (
                "cypher",
                "CREATE INDEX FOR (p:parcels) ON (p.ref);\n",
                "DROP INDEX parcels_ref;\n",
            ),
            Kind::Search | Kind::Other => (
                "json",
                "{\"reindex\": \"parcels\"}\n",
                "{\"alias\": \"parcels\"}\n",
            ),
        };
        let mut draft = Self {
            id: id.to_owned(),
            kind,
            files: BTreeMap::new(),
        };
        draft.put("migration.yml", declaration(id, kind, ending));
        draft.put(&format!("forward.{ending}"), forward);
        draft.put(&format!("rollback.{ending}"), rollback);
        draft.put(
            "notes.md",
            "# Why\n\nThe map is slow. The password column is not touched.\n",
        );
        for (path, indexes) in [("baselines/pre.json", 3), ("baselines/post.json", 4)] {
            let baseline = json!({
                "object_counts": {"tables": 7, "indexes": indexes, "constraints": 5},
                "schema_fingerprint": digest(path),
                "protected_domain_fingerprint": digest("protected"),
            });
            draft.put(path, baseline.to_string());
        }
        let summary = json!({
            "migration_id": id, "touched": {"tables": ["public.parcels"]}, "table_count_touched": 1,
            "index_count_delta": 1, "row_backfill": 0,
        });
        draft.put("diffs/summary.json", summary.to_string());
        draft.with_receipt()
    }

    /// Writes a file.
    pub fn put(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.files.insert(path.to_owned(), bytes.into());
    }

    /// Reads a file as text.
    pub fn text(&self, path: &str) -> String {
        String::from_utf8(self.files[path].clone()).expect("text")
    }

    /// Puts another text in the place of one that is there.
    pub fn replacing(mut self, path: &str, old: &str, new: &str) -> Self {
        let text = self.text(path);
        assert!(text.contains(old), "{old:?} is not in {path}");
        self.put(path, text.replacen(old, new, 1));
        self
    }

    /// Changes a JSON file.
    pub fn with_json(mut self, path: &str, change: impl FnOnce(&mut Value)) -> Self {
        let mut value = serde_json::from_slice(&self.files[path]).expect("JSON");
        change(&mut value);
        self.put(path, value.to_string());
        self
    }

    /// Takes a file away.
    pub fn without(mut self, path: &str) -> Self {
        self.files.remove(path).expect("it was there");
        self
    }

    /// Makes the receipt anew, of the files as they are now.
    pub fn with_receipt(mut self) -> Self {
        self.files.remove("receipts/run_receipt.json");
        let listed = |names: &[&str]| -> Vec<Value> {
            let named = self
                .files
                .iter()
                .filter(|(path, _)| names.iter().any(|name| path.starts_with(name)));
            named
                .map(|(path, bytes)| json!({"path": path, "digest": digest(bytes)}))
                .collect()
        };
        let receipt = json!({
            "kfm_run_receipt_version": "v1",
            "run_id": format!("kfm://run/2026-03-01T18:30:00Z.migration.{}.abcd1234", self.id),
            "run_type": "migration",
            "migration_id": self.id,
            "actor": {"principal": "svc:migrations-runner", "role": "pipeline"},
            "environment": {
                "name": "stage", "git_commit": "3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
                "container_digest": digest("image"), "params_digest": digest("params"),
            },
            "inputs": listed(&["forward", "rollback", "migration.yml"]),
            "outputs": listed(&["baselines", "diffs"]),
            "validation": {"status": "pass", "checks": [
                {"name": "scope_enforcement", "status": "pass"},
                {"name": "protected_domain_fingerprint", "status": "pass"},
            ]},
            "policy": {"decision_id": "kfm://policy_decision/17", "policy_label": "public"},
            "started_at": "2026-03-01T18:30:00Z",
            "finished_at": "2026-03-01T18:31:12Z",
        });
        self.put("receipts/run_receipt.json", receipt.to_string());
        self
    }

    /// Judges it without a folder.
    pub fn check(&self, due: Due) -> Checked {
        let entries = self.files.iter();
        bundle::check(
            &bundle::Bundle {
                name: self.id.clone(),
                within: Some(self.kind),
                entries: entries
                    .map(|(path, bytes)| (path.clone(), Entry::File(bytes.clone())))
                    .collect(),
            },
            due,
        )
    }

    /// Lists what is found, as `reason path`.
    pub fn found(&self) -> Vec<String> {
        let findings = self.check(Due::Everything).findings;
        findings
            .iter()
            .map(|finding| format!("{} {}", finding.reason, finding.path))
            .collect()
    }

    /// Writes it below a governance root, and returns its folder from there.
    pub fn write(&self, root: &Path) -> String {
        let folder = format!("{}/{}", self.kind, self.id);
        for (path, bytes) in &self.files {
            let path = root.join(&folder).join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("the root is ours");
            fs::write(path, bytes).expect("the root is ours");
        }
        folder
    }

    /// Its entry in a registry.
    pub fn entry(&self) -> Value {
        json!({
            "migration_id": self.id, "type": self.kind, "path": format!("{}/{}", self.kind, self.id),
            "owners": ["platform"], "status": "draft", "receipts": [],
        })
    }
}

/// Writes a registry of some bundles.
pub fn register(root: &Path, entries: &[Value]) {
    let registry = json!({"registry_version": "v1", "migrations": entries});
    fs::create_dir_all(root.join("registry")).expect("the root is ours");
    fs::write(
        root.join("registry/migrations.v1.json"),
        registry.to_string(),
    )
    .expect("the root is ours");
}

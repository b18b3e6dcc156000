//! The registry: every bundle with how far it has come, as the document `registry/migrations.v1.json`.

use serde::Serialize;

use super::{BundleStatus, RunOutcome, Tier};
use crate::canon::canonical_of;
use crate::rules::bundle::{Kind, RunType};

/// The version of the document.
const VERSION: &str = "v1";

/// A bundle as the registry lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Registered {
    /// The migration.
    pub migration_id: String,
    /// The kind of store.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Where it lies, from the governance root.
    pub path: String,
    /// How far it has come.
    pub status: BundleStatus,
    /// Who registered it.
    pub owner: String,
    /// What its declaration hashes to.
    pub declaration: String,
    /// What took its place.
    pub superseded_by: Option<String>,
    /// The receipts of its runs, in the order in which they ended.
    pub receipts: Vec<Receipted>,
}

/// A receipt as the registry points to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipted {
    /// The run.
    pub run_id: String,
    /// What it was of.
    pub run_type: RunType,
    /// Where it ran.
    pub environment: Option<Tier>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// What the receipt hashes to.
    pub digest: String,
}

#[derive(Serialize)]
struct Document<'a> {
    registry_version: &'static str,
    migrations: &'a [Registered],
}

/// Writes the registry as canonical JSON, in the order of the ids; a file of it ends with a line feed.
#[must_use]
pub fn document(bundles: &[Registered]) -> Vec<u8> {
    let mut sorted = bundles.to_vec();
    sorted.sort_by(|one, other| one.migration_id.cmp(&other.migration_id));
    let written = Document {
        registry_version: VERSION,
        migrations: &sorted,
    };
    let mut bytes = canonical_of(&written).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bundles_are_the_same_bytes_in_any_order() {
        let one = |id: &str| Registered {
            migration_id: id.to_owned(),
            kind: Kind::Postgis,
            path: format!("postgis/{id}"),
            status: BundleStatus::Draft,
            owner: "lee".to_owned(),
            declaration: "sha256:x".to_owned(),
            superseded_by: None,
            receipts: vec![Receipted {
                run_id: format!("{id}.merge.1"),
                run_type: RunType::Merge,
                environment: None,
                outcome: RunOutcome::Applied,
                digest: "sha256:y".to_owned(),
            }],
        };
        let bytes = document(&[one("b"), one("a")]);
        assert_eq!(bytes, document(&[one("a"), one("b")]));
        let text = String::from_utf8(bytes).expect("text");
        assert!(
            text.starts_with(
                "{\"migrations\":[{\"declaration\":\"sha256:x\",\"migration_id\":\"a\""
            )
        );
        assert!(text.ends_with("\"registry_version\":\"v1\"}\n"), "{text}");
    }
}

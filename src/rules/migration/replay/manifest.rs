//! What a manifest says is replayed: frozen exports, and what gives each anew under either release.

use serde::{Deserialize, Serialize};

use crate::canon::{self, Digest};
use crate::rules::Refusal;
use crate::rules::migration::SURFACES;
use crate::rules::reconcile::quoted;
use crate::rules::release::stays_below;

/// The form of manifests that this program reads.
const SCHEMA: &str = "govdeck.replay-manifest.v1";

/// What is replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The migration.
    pub migration_id: String,
    /// The release before.
    pub from_semver: String,
    /// The release after.
    pub to_semver: String,
    /// The frozen exports.
    pub goldens: Vec<Golden>,
}

/// A frozen export, and what gives it anew.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// Whose export it is: a dashboard of the impact matrix.
    pub dashboard: String,
    /// Its path below the governance root.
    pub file: String,
    /// What it hashes to.
    pub sha256: Digest,
    /// What gives it under the release before.
    pub from: ReplaySource,
    /// What gives it under the release after.
    pub to: ReplaySource,
}

/// What gives an export anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplaySource {
    /// A query on the governance database.
    Sql(String),
    /// A CSV below the governance root that a replay elsewhere has written.
    File(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    schema: String,
    migration_id: String,
    from_semver: String,
    to_semver: String,
    goldens: Vec<Golden>,
}

/// Reads a manifest strictly: every field is known, and each has the form that it must have.
pub fn read_replay(bytes: &[u8]) -> Result<Replay, Refusal> {
    let refused = |why: String| {
        Refusal::new(
            format!("the manifest is malformed: {why}"),
            "its fields are listed in docs/migration.md",
        )
    };
    // What two readers could understand differently is refused before it is read.
    canon::canonical_exact(bytes).map_err(|error| refused(error.to_string()))?;
    let written: Written =
        serde_json::from_slice(bytes).map_err(|error| refused(error.to_string()))?;
    if written.schema != SCHEMA {
        let found = quoted(&written.schema);
        return Err(refused(format!("schema is {found}, not {SCHEMA:?}")));
    }
    for (at, golden) in written.goldens.iter().enumerate() {
        let before = &written.goldens[..at];
        golden
            .check(before)
            .map_err(|why| refused(format!("goldens[{at}]: {why}")))?;
    }
    Ok(Replay {
        migration_id: written.migration_id,
        from_semver: written.from_semver,
        to_semver: written.to_semver,
        goldens: written.goldens,
    })
}

impl Golden {
    fn check(&self, before: &[Self]) -> Result<(), String> {
        let Self {
            dashboard, file, ..
        } = self;
        if !SURFACES.contains(&&**dashboard) {
            let (found, all) = (quoted(dashboard), SURFACES.join(", "));
            return Err(format!("{found} is none of {all}"));
        }
        if !stays_below(file) {
            return Err(format!("file {} leaves its folder", quoted(file)));
        }
        if before.iter().any(|other| other.file == *file) {
            return Err(format!("{} is there twice", quoted(file)));
        }
        for (field, source) in [("from", &self.from), ("to", &self.to)] {
            source
                .check(file)
                .map_err(|why| format!("{field}: {why}"))?;
        }
        match (&self.from, &self.to) {
            (ReplaySource::File(from), ReplaySource::File(to)) if from == to => {
                Err("both releases name one file: only one of them was replayed".to_owned())
            }
            _ => Ok(()),
        }
    }
}

impl ReplaySource {
    fn check(&self, golden: &str) -> Result<(), String> {
        match self {
            Self::Sql(sql) if sql.trim().is_empty() => Err("sql is empty".to_owned()),
            Self::Sql(sql) if sql.contains(';') => {
                Err("sql holds a semicolon: it is one query".to_owned())
            }
            Self::File(file) if !stays_below(file) => {
                Err(format!("file {} leaves its folder", quoted(file)))
            }
            Self::File(file) if file == golden => {
                Err("it is the golden itself, which proves nothing".to_owned())
            }
            Self::Sql(_) | Self::File(_) => Ok(()),
        }
    }
}

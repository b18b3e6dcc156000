//! Holds the keys of every export that landed in a folder against the allow-list of the migration's phase, and records it;
//! drift pages somebody.
//!
//! Files are read outside of any write. A folder that cannot be listed, an export that cannot be read and an allow-list
//! that two have not agreed on leave it open.

use std::path::Path;

use serde::Serialize;

use super::below_root;
use super::probe::{MOST_DETAIL, newest};
use crate::actions::{ByRule, FingerprintFinding, Prepared, Request, Stop};
use crate::canon::ExportKeys;
use crate::rules::allowlist::{Pair, Policy};
use crate::rules::migration::{Landed, Phase, Probed, fingerprinted, keysets_sha256};
use crate::rules::text::shorten;
use crate::store::artifact::{self, EXPORTER_FINGERPRINT};
use crate::store::migration::{self, Known};
use crate::store::tables::image_of;
use crate::store::{Store, StoreError};

/// The largest export that is read.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// What was found and recorded.
#[derive(Debug, Clone, Serialize)]
pub struct Fingerprinted {
    /// The migration.
    pub migration_id: String,
    /// Its phase.
    pub phase: Phase,
    /// The folder below the governance root.
    pub folder: String,
    /// The allow-list that the exports were held against.
    pub allowlist_sha256: Option<String>,
    /// All key sets, hashed.
    pub keysets_sha256: Option<String>,
    /// What was found.
    #[serde(flatten)]
    pub probed: Probed,
    /// Each export.
    pub exports: Vec<Landed>,
}

/// An allow-list that two agreed on, as it is read.
struct Agreed {
    sha256: String,
    policy: Policy,
}

/// Looks at a folder, and records what was found; returns it with the hash of its document.
pub async fn run(
    store: &Store,
    root: &Path,
    folder: &str,
) -> Result<(Fingerprinted, String), Stop> {
    let known = newest(store).await?;
    let agreed = agreed(store, &known).await?;
    let found = look(root, folder, &known, agreed);
    let document = Prepared::of(EXPORTER_FINGERPRINT, image_of(&found)?);
    let sha256 = document.artifact.sha256.to_string();
    let drifted = found.exports.iter().filter(|it| it.drifts()).count();
    let request = Request::by_rule(ByRule::RecordFingerprint {
        migration: found.migration_id.clone(),
        finding: FingerprintFinding {
            phase: found.phase,
            folder: found.folder.clone(),
            allowlist_sha256: found.allowlist_sha256.clone(),
            verdict: found.probed.verdict,
            exports: found.exports.len(),
            drifted,
            keysets_sha256: found.keysets_sha256.clone(),
            detail: shorten(&found.probed.detail, MOST_DETAIL).into_owned(),
        },
    })?;
    super::done(store, request.with_prepared(vec![document])).await?;
    Ok((found, sha256))
}

/// Reads the allow-list of the phase, if two agreed on it as it is registered now; else says what is missing.
async fn agreed(store: &Store, known: &Known) -> Result<Result<Agreed, String>, StoreError> {
    let mut view = store.view().await?;
    let row = &known.migration;
    let list = match migration::agreed_allowlist(&mut view, &row.migration_id, row.phase).await? {
        Ok(list) => list,
        Err(why) => return Ok(Err(why)),
    };
    let gone = |why: &str| {
        let what = format!("the allow-list of {} cannot be read: {why}", row.phase);
        StoreError::unusable(what, "run `govdeck ledger verify`")
    };
    let sha256 = list.document_sha256.parse();
    let sha256 = sha256.map_err(|_| gone("it has no hash"))?;
    let bytes = artifact::bytes(&mut view, sha256).await?;
    let bytes = bytes.ok_or_else(|| gone("its document is gone"))?;
    let policy = Policy::read(&bytes).map_err(|error| gone(&error.to_string()))?;
    Ok(Ok(Agreed {
        sha256: list.allowlist_sha256,
        policy,
    }))
}

fn look(root: &Path, folder: &str, known: &Known, agreed: Result<Agreed, String>) -> Fingerprinted {
    let pairs: Vec<Pair> = known
        .active_pairs()
        .into_iter()
        .map(|(legacy, modern)| Pair {
            legacy: legacy.to_owned(),
            modern: modern.to_owned(),
        })
        .collect();
    let by = agreed.as_ref().ok().map(|it| (&it.policy, &*pairs));
    let listed = below_root::names(root, folder);
    let exports: Vec<Landed> = listed
        .iter()
        .flatten()
        .filter(|name| is_export(name))
        .map(
            |name| match below_root::read(root, &format!("{folder}/{name}"), MOST_BYTES) {
                Ok(bytes) => Landed::judged(name, ExportKeys::of(&bytes), by),
                Err(why) => Landed::unread(name, why),
            },
        )
        .collect();
    let probed = match &listed {
        Err(why) => Probed::cannot_tell(why),
        Ok(_) => fingerprinted(
            agreed.as_ref().map(|_| ()).map_err(String::as_str),
            &exports,
        ),
    };
    Fingerprinted {
        migration_id: known.migration.migration_id.clone(),
        phase: known.migration.phase,
        folder: folder.to_owned(),
        allowlist_sha256: agreed.ok().map(|it| it.sha256),
        keysets_sha256: keysets_sha256(&exports),
        probed,
        exports,
    }
}

/// Tells whether a file is an export by its name; what lies beside one and says something of it is none.
fn is_export(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let stem = name.strip_suffix(".json");
    stem.is_some_and(|stem| !stem.ends_with(".sidecar"))
}

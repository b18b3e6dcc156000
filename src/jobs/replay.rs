//! Replays frozen exports under both releases of a migration and records what came out, for gate G4.
//!
//! Files are read and queries run outside of any write. A golden that is gone or not what was frozen, and a query that does
//! not run, leave it open.

use std::path::Path;

use serde::Serialize;

use super::below_root;
use super::probe::{Recorded, record};
use crate::actions::Stop;
use crate::canon::Digest;
use crate::rules::migration::{
    Cells, EvidenceKind, Golden, Played, Probed, ReplaySource, first_difference, no_such_migration,
    read_replay, replayed,
};
use crate::rules::reconcile::RejectReason;
use crate::rules::{Refusal, Verdict};
use crate::store::migration;
use crate::store::{Failure, Store, StoreError};

/// The largest export that is read.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// What a replay found.
#[derive(Debug, Clone, Serialize)]
pub struct Replayed {
    /// Whether it is green.
    #[serde(flatten)]
    pub probed: Probed,
    /// What it followed, hashed.
    pub manifest_sha256: Digest,
    /// Each golden under each release.
    pub replays: Vec<Played>,
}

impl AsRef<Probed> for Replayed {
    fn as_ref(&self) -> &Probed {
        &self.probed
    }
}

/// Replays what a manifest names.
pub async fn run(store: &Store, root: &Path, manifest: &[u8]) -> Result<Recorded<Replayed>, Stop> {
    let replay = read_replay(manifest).map_err(Stop::BadInput)?;
    let known = migration::known(&mut store.view().await?, &replay.migration_id).await?;
    let known = known.ok_or_else(|| no_such_migration(&replay.migration_id))?;
    let semvers = [&*replay.from_semver, &*replay.to_semver];
    let row = &known.migration;
    if semvers != [&*row.from_semver, &*row.to_semver] {
        let (id, from, to) = (&row.migration_id, &row.from_semver, &row.to_semver);
        let refusal = Refusal::new(
            format!("{id} goes from {from} to {to}, and the manifest says otherwise"),
            "name both releases as they are registered",
        );
        return Err(Stop::BadInput(refusal));
    }
    let mut replays = Vec::new();
    for golden in &replay.goldens {
        let frozen = frozen(root, golden);
        for (semver, source) in semvers.into_iter().zip([&golden.from, &golden.to]) {
            replays.push(play(store, root, golden, &frozen, (semver, source)).await?);
        }
    }
    let found = Replayed {
        probed: replayed(semvers, &replays),
        manifest_sha256: Digest::of(manifest),
        replays,
    };
    record(store, &known, EvidenceKind::Replay, found).await
}

/// Reads what was frozen, if it is still that.
fn frozen(root: &Path, golden: &Golden) -> Result<Cells, String> {
    let (cells, sha256) = read(root, &golden.file)?;
    if sha256 != golden.sha256 {
        return Err(format!(
            "it hashes to {sha256}, which is not what was frozen"
        ));
    }
    if cells.rows() == 0 {
        return Err("it has no row: nothing was compared".to_owned());
    }
    Ok(cells)
}

fn read(root: &Path, path: &str) -> Result<(Cells, Digest), String> {
    let bytes = below_root::read(root, path, MOST_BYTES)?;
    let sha256 = Digest::of(&bytes);
    let text = String::from_utf8(bytes).map_err(|_| format!("{path} is not UTF-8"))?;
    let cells = Cells::read(&text)
        .map_err(|fault| fault.rejects(RejectReason::CsvInvalid, path).to_string())?;
    Ok((cells, sha256))
}

/// Replays one golden under one release; a database that does not answer ends it all.
async fn play(
    store: &Store,
    root: &Path,
    golden: &Golden,
    frozen: &Result<Cells, String>,
    (semver, source): (&str, &ReplaySource),
) -> Result<Played, StoreError> {
    let mut played = Played {
        dashboard: golden.dashboard.clone(),
        file: golden.file.clone(),
        sha256: golden.sha256.to_string(),
        semver: semver.to_owned(),
        source: source.clone(),
        source_sha256: None,
        verdict: Verdict::CannotTell,
        rows: 0,
        detail: String::new(),
    };
    let frozen = match frozen {
        Ok(frozen) => frozen,
        Err(why) => {
            played.detail.clone_from(why);
            return Ok(played);
        }
    };
    let cells = match source {
        ReplaySource::File(path) => read(root, path).map(|(cells, sha256)| {
            played.source_sha256 = Some(sha256.to_string());
            cells
        }),
        ReplaySource::Sql(sql) => {
            let most = frozen.rows() + 1;
            // In a look of its own: a query that fails ends it.
            match migration::replayed_cells(&mut store.view().await?, sql, most).await {
                Ok(cells) => Ok(cells),
                Err(error) if error.kind == Failure::Unreachable => return Err(error),
                Err(error) => Err(error.sentence),
            }
        }
    };
    match cells {
        Err(why) => played.detail = why,
        Ok(cells) => {
            let difference = first_difference(frozen, &cells);
            played.verdict = Verdict::of(difference.is_none());
            played.rows = frozen.rows();
            played.detail = difference.unwrap_or_else(|| format!("{} rows alike", frozen.rows()));
        }
    }
    Ok(played)
}

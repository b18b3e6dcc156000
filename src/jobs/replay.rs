//! Replays frozen exports under both releases of a migration and records what came out, for gate G4.
//!
//! Files are read and queries run outside of any write. A golden that is gone or not what was frozen, and a query that does
//! not run, leave it open. What was compared is filed with what was found.

use std::path::Path;

use serde::Serialize;

use super::below_root;
use super::probe::{Recorded, record};
use crate::actions::{Prepared, Stop};
use crate::canon::Digest;
use crate::rules::migration::{
    Cells, EvidenceKind, Golden, Played, Probed, ReplaySource, first_difference, no_such_migration,
    read_replay, replayed,
};
use crate::rules::reconcile::RejectReason;
use crate::rules::{Refusal, Verdict};
use crate::store::artifact::{self, REPLAY_GOLDEN, REPLAY_MANIFEST, REPLAY_RESULT};
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
    let mut compared = Vec::new();
    file(&mut compared, REPLAY_MANIFEST, manifest.to_vec());
    for golden in &replay.goldens {
        let frozen = frozen(root, golden);
        for (semver, source) in semvers.into_iter().zip([&golden.from, &golden.to]) {
            let (played, result) = play(store, root, golden, &frozen, (semver, source)).await?;
            replays.push(played);
            if let Some(result) = result {
                file(&mut compared, REPLAY_RESULT, result);
            }
        }
        if let Ok(frozen) = frozen {
            file(&mut compared, REPLAY_GOLDEN, frozen.bytes);
        }
    }
    let found = Replayed {
        probed: replayed(semvers, &replays),
        manifest_sha256: Digest::of(manifest),
        replays,
    };
    record(store, &known, EvidenceKind::Replay, found, compared).await
}

/// Files a piece once; what is larger than an artefact may be is named by its hash alone.
fn file(pieces: &mut Vec<Prepared>, kind: (&'static str, &'static str), bytes: Vec<u8>) {
    if bytes.len() > artifact::MOST_BYTES {
        return;
    }
    let piece = Prepared::of(kind, bytes);
    if !pieces.contains(&piece) {
        pieces.push(piece);
    }
}

/// An export as it was read, and its cells.
struct Export {
    bytes: Vec<u8>,
    cells: Cells,
}

/// Reads what was frozen, if it is still that.
fn frozen(root: &Path, golden: &Golden) -> Result<Export, String> {
    let export = read(root, &golden.file)?;
    let sha256 = Digest::of(&export.bytes);
    if sha256 != golden.sha256 {
        return Err(format!(
            "it hashes to {sha256}, which is not what was frozen"
        ));
    }
    if export.cells.rows() == 0 {
        return Err("it has no row: nothing was compared".to_owned());
    }
    Ok(export)
}

fn read(root: &Path, path: &str) -> Result<Export, String> {
    let bytes = below_root::read(root, path, MOST_BYTES)?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{path} is not UTF-8"))?;
    let cells = Cells::read(&text)
        .map_err(|fault| fault.rejects(RejectReason::CsvInvalid, path).to_string())?;
    let bytes = text.into_bytes();
    Ok(Export { bytes, cells })
}

/// Replays one golden under one release, and returns what came out as a CSV; a database that does not answer ends it all.
async fn play(
    store: &Store,
    root: &Path,
    golden: &Golden,
    frozen: &Result<Export, String>,
    (semver, source): (&str, &ReplaySource),
) -> Result<(Played, Option<Vec<u8>>), StoreError> {
    let mut played = Played {
        dashboard: golden.dashboard.clone(),
        file: golden.file.clone(),
        sha256: golden.sha256.to_string(),
        semver: semver.to_owned(),
        source: source.clone(),
        source_sha256: None,
        result_sha256: None,
        verdict: Verdict::CannotTell,
        rows: 0,
        detail: String::new(),
    };
    let frozen = match frozen {
        Ok(frozen) => &frozen.cells,
        Err(why) => {
            played.detail.clone_from(why);
            return Ok((played, None));
        }
    };
    let export = match source {
        ReplaySource::File(path) => read(root, path),
        ReplaySource::Sql(sql) => {
            let most = frozen.rows() + 1;
            // In a look of its own: a query that fails ends it.
            match migration::replayed_cells(&mut store.view().await?, sql, most).await {
                Ok(cells) => Ok(Export {
                    bytes: cells.csv().into_bytes(),
                    cells,
                }),
                Err(error) if error.kind == Failure::Unreachable => return Err(error),
                Err(error) => Err(error.sentence),
            }
        }
    };
    let export = match export {
        Ok(export) => export,
        Err(why) => {
            played.detail = why;
            return Ok((played, None));
        }
    };
    let sha256 = Digest::of(&export.bytes).to_string();
    if matches!(source, ReplaySource::File(_)) {
        played.source_sha256 = Some(sha256.clone());
    }
    let difference = first_difference(frozen, &export.cells);
    played.verdict = Verdict::of(difference.is_none());
    played.rows = frozen.rows();
    played.detail = difference.unwrap_or_else(|| format!("{} rows alike", frozen.rows()));
    if export.cells == Cells::default() {
        return Ok((played, None));
    }
    played.result_sha256 = Some(sha256);
    Ok((played, Some(export.bytes)))
}

//! The explanation of a drift, made before the gate decides and filed with the decision if it still holds.

use super::entry::{Asked, Prepared, Stop};
use crate::canon::Digest;
use crate::rules::drift::{self, Drift, FiledLeaves, Known, Side};
use crate::store::artifact::{self, Artifact};
use crate::store::publish::{self, Snapshot};
use crate::store::tables::image_of;
use crate::store::{Store, StoreError, leaf};

/// How many cells a message names.
const NAMED: usize = 3;

/// Compares the two sides of a run that drifted; none where its hashes do not differ, or where there is no such run.
pub async fn explained(store: &Store, run: &str) -> Result<Option<Prepared>, StoreError> {
    let mut view = store.view().await?;
    let Some(snapshot) = publish::snapshot(&mut view, run).await? else {
        return Ok(None);
    };
    let Some(hashes) = drifted(&snapshot) else {
        return Ok(None);
    };
    let publish = leaf::filed(&mut view, run, Side::Publish).await?;
    let source = leaf::filed(&mut view, run, Side::Source).await?;
    // Nothing is held open while the leaves are compared.
    drop(view);
    let leaves = [publish, source];
    let (publish, source) = known(hashes, &leaves);
    file(
        &drift::explain(run, publish, source),
        made_of(publish, source),
    )
    .map(Some)
}

/// Finds the explanation among what was made before.
pub(super) fn prepared(asked: &Asked) -> Option<Prepared> {
    let is_drift = |prepared: &&Prepared| prepared.role == artifact::DRIFT;
    asked.prepared.iter().find(is_drift).cloned()
}

/// Chooses what is filed with the decision: the explanation, if it was made of what is there now, or that there is none.
pub(super) fn to_file(
    snapshot: &Snapshot,
    leaves: &[Option<FiledLeaves>; 2],
    prepared: Option<&Prepared>,
) -> Result<Option<Prepared>, Stop> {
    let Some(hashes) = drifted(snapshot) else {
        return Ok(None);
    };
    let (publish, source) = known(hashes, leaves);
    let why = match prepared {
        Some(prepared) if prepared.made_of == made_of(publish, source) => {
            return Ok(Some(prepared.clone()));
        }
        Some(_) => "the run or its leaves changed while both sides were compared",
        None => "nobody compared both sides before the decision",
    };
    let run = &snapshot.publish_run_id;
    let drift = drift::unexplained(run, publish, source, Some(why.to_owned()));
    Ok(Some(file(&drift, made_of(publish, source))?))
}

/// Returns the two hashes of a run, if both are there and differ.
fn drifted(snapshot: &Snapshot) -> Option<[Digest; 2]> {
    let digest = |hash: &Option<String>| hash.as_deref()?.parse::<Digest>().ok();
    let publish = digest(&snapshot.publish_tuple_hash)?;
    let source = digest(&snapshot.source_tuple_hash)?;
    (publish != source).then_some([publish, source])
}

fn known(hashes: [Digest; 2], leaves: &[Option<FiledLeaves>; 2]) -> (Known<'_>, Known<'_>) {
    let ([publish, source], [ours, theirs]) = (hashes, leaves);
    (
        Known {
            tuple_hash: publish,
            leaves: ours.as_ref(),
        },
        Known {
            tuple_hash: source,
            leaves: theirs.as_ref(),
        },
    )
}

/// Lists what an explanation rests on: both hashes of the run, and those of the leaves that there are.
fn made_of(publish: Known<'_>, source: Known<'_>) -> Vec<Digest> {
    [publish, source]
        .iter()
        .flat_map(|known| {
            // A side without leaves is told apart from one with, whatever these hash to.
            let leaves = known.leaves.and_then(|leaves| leaves.sha256);
            [known.tuple_hash, leaves.unwrap_or(Digest::of(b""))]
        })
        .collect()
}

fn file(drift: &Drift, made_of: Vec<Digest>) -> Result<Prepared, StoreError> {
    Ok(Prepared {
        role: artifact::DRIFT,
        artifact: Artifact::new(artifact::DRIFT_JSON, image_of(drift)?),
        made_of,
        says: drift.in_a_line(NAMED),
    })
}

//! Probes for the gates of the migration that people look at first: what is found is recorded as evidence, by rule.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::actions::{ByRule, GateFinding, Prepared, Request, Stop};
use crate::rules::Refusal;
use crate::rules::bind::Surface;
use crate::rules::migration::{EvidenceKind, Probed, protected_are_joined, questions_bind};
use crate::rules::text::shorten;
use crate::store::artifact::GATE_EVIDENCE;
use crate::store::migration::{self, Known};
use crate::store::tables::image_of;
use crate::store::{Store, dictionary};

/// How long the line about what was found may be; the document has all of it.
pub(super) const MOST_DETAIL: usize = 500;

/// What was recorded.
#[derive(Debug, Clone, Serialize)]
pub struct Recorded<T = Probed> {
    /// The migration.
    pub migration_id: String,
    /// The gate that it is evidence for.
    pub gate: EvidenceKind,
    /// What was found.
    #[serde(flatten)]
    pub probed: T,
    /// The document, hashed.
    pub evidence_sha256: String,
}

/// Looks whether every active question binds to a row of the view over the pairs.
pub async fn questions(store: &Store) -> Result<Recorded, Stop> {
    let known = newest(store).await?;
    let found = migration::questions(&mut store.view().await?).await?;
    let probed = match found {
        None => Probed::cannot_tell("the views over the pairs are not there"),
        Some((active, misses)) => questions_bind(usize::try_from(active).unwrap_or(0), misses),
    };
    record(store, &known, EvidenceKind::Faq, probed, Vec::new()).await
}

/// Looks whether every protected metric is in the joins of both surfaces, in both releases.
pub async fn protected(store: &Store) -> Result<Recorded, Stop> {
    let known = newest(store).await?;
    let protected: Vec<&str> = known.protected.iter().map(|it| &*it.metric_id).collect();
    let row = &known.migration;
    let mut probed = None;
    for semver in [&row.from_semver, &row.to_semver] {
        let release = dictionary::release(&mut store.view().await?, semver).await?;
        let Some(release) = release else { continue };
        let ran = super::bind::ran(store, &release).await?;
        let surfaces: Vec<_> = Surface::ALL
            .iter()
            .map(|surface| {
                let of = ran.iter().filter(|(of, _)| of == surface);
                let mut joined = Ok(BTreeSet::new());
                for (_, ran) in of {
                    joined = match (joined, &ran.rows) {
                        (Ok(mut all), Ok(rows)) => {
                            all.extend(rows.keys().map(String::as_str));
                            Ok(all)
                        }
                        (Err(why), _) => Err(why),
                        (_, Err(why)) => Err(&**why),
                    };
                }
                (surface.word(), joined)
            })
            .collect();
        let found = protected_are_joined(&protected, &surfaces);
        let is_worse = found.verdict != crate::rules::Verdict::Pass;
        if probed.is_none() || is_worse {
            probed = Some(found);
        }
        if is_worse {
            break;
        }
    }
    let probed = probed.unwrap_or_else(|| Probed::cannot_tell("neither release is registered"));
    record(store, &known, EvidenceKind::Protected, probed, Vec::new()).await
}

pub(super) async fn newest(store: &Store) -> Result<Known, Stop> {
    let mut view = store.view().await?;
    let nothing = || Refusal::new("no migration was opened", "open one: govdeck migration new");
    let newest = migration::newest_open(&mut view)
        .await?
        .ok_or_else(nothing)?;
    let known = migration::known(&mut view, &newest.migration_id).await?;
    Ok(known.ok_or_else(nothing)?)
}

/// Records what was found, with the verdict that it comes to, and files what was compared with it.
pub(super) async fn record<T: Serialize + AsRef<Probed>>(
    store: &Store,
    known: &Known,
    kind: EvidenceKind,
    found: T,
    compared: Vec<Prepared>,
) -> Result<Recorded<T>, Stop> {
    let inputs = known.inputs_of(kind).to_owned();
    let migration_id = known.migration.migration_id.clone();
    let document = Prepared::of(
        GATE_EVIDENCE,
        image_of(&(kind, &migration_id, &inputs, &found))?,
    );
    let probed = found.as_ref();
    let request = Request::by_rule(ByRule::RecordGateEvidence {
        migration: migration_id.clone(),
        finding: GateFinding {
            kind,
            verdict: probed.verdict,
            inputs_sha256: inputs,
            detail: shorten(&probed.detail, MOST_DETAIL).into_owned(),
        },
    })?;
    let evidence_sha256 = document.artifact.sha256.to_string();
    let filed = std::iter::once(document).chain(compared);
    super::done(store, request.with_prepared(filed)).await?;
    Ok(Recorded {
        migration_id,
        gate: kind,
        probed: found,
        evidence_sha256,
    })
}

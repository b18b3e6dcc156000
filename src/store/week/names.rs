//! Names under weekly runs: who signed, what exactly, and whether that is still what it was.

use serde::Serialize;
use sqlx::FromRow;

use super::looks::{Ended, evidence_of, find};
use super::rows::Window;
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::people::Attestation;
use crate::rules::release::{ArtifactRef, Found};
use crate::rules::week;
use crate::store::tables::image_of;
use crate::store::view::{on, query_as};
use crate::store::{Failure, StoreError, View, artifact};

/// A name under a run, and how well its signer was known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Name {
    /// Who signed.
    pub signer_id: String,
    /// What it rests on.
    pub ack_basis: week::AckBasis,
    /// The hash of everything that was signed.
    pub inputs_sha256: String,
    /// When.
    pub acked_at_utc: Moment,
    /// How the signer was known.
    pub attestation: Attestation,
    /// When it was taken back.
    pub revoked_at_utc: Option<Moment>,
}

impl Name {
    /// Returns it for counting.
    #[must_use]
    pub fn signed(&self, is_current: bool) -> week::Signed {
        week::Signed {
            basis: self.ack_basis,
            is_current,
            is_revoked: self.revoked_at_utc.is_some(),
        }
    }
}

/// Lists the names under a run, the first first.
pub async fn acks(view: &mut View, run: &str) -> Result<Vec<Name>, StoreError> {
    const SQL: &str = "SELECT a.signer_id, a.ack_basis, a.inputs_sha256, a.acked_at_utc, l.attestation, r.revoked_at_utc \
         FROM signer_ack a JOIN ledger_change c ON c.table_name = 'signer_ack' AND c.row_key = a.job_run_id || '/' || a.signer_id AND c.version = 1 \
         JOIN governance_ledger l ON l.seq = c.seq \
         LEFT JOIN signer_ack_revocation r ON r.job_run_id = a.job_run_id AND r.signer_id = a.signer_id \
         WHERE a.job_run_id = $1 ORDER BY a.acked_at_utc, a.signer_id";
    Ok(on!(view, c => query_as(SQL).bind(run).fetch_all(c).await)?)
}

/// Hashes the diff of a run anew; a large one lies outside, where the store does not look.
pub async fn found_diff(view: &mut View, window: &Window) -> Result<Found, StoreError> {
    let Some(named) = window.artifact_uri.as_deref() else {
        return Ok(Found::NotNamed);
    };
    let sha256 = match named.parse() {
        Ok(ArtifactRef::Filed(sha256)) => sha256,
        Ok(ArtifactRef::File { path, .. }) => {
            return Ok(Found::Unreachable(format!(
                "it is too large for the database and lies in {path}; govdeck week show hashes it"
            )));
        }
        Err(error) => return Ok(Found::Unreachable(format!("{named:?}: {error}"))),
    };
    match artifact::bytes(view, sha256).await {
        Ok(Some(_)) => Ok(Found::Same(sha256)),
        Ok(None) => Ok(Found::Unreachable(format!("there is no artefact {sha256}"))),
        Err(error) if error.kind == Failure::Unusable => Ok(Found::Changed(error.sentence)),
        Err(error) => Err(error),
    }
}

/// Reads the names under a run, each with whether everything that was signed is still what it was; its diff was looked for.
pub async fn names(
    view: &mut View,
    window: &Window,
    diff: &Found,
) -> Result<Vec<(Name, bool)>, StoreError> {
    let names = acks(view, &window.job_run_id).await?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let inputs = inputs(view, window).await?.to_string();
    let is_same = matches!(diff, Found::Same(_));
    let with_standing = |name: Name| {
        let is_current = is_same && name.inputs_sha256 == inputs;
        (name, is_current)
    };
    Ok(names.into_iter().map(with_standing).collect())
}

/// What a signer puts their name under.
#[derive(Serialize)]
struct Inputs<'a> {
    run: &'a Window,
    previous: Option<&'a Ended>,
    remediations: Vec<&'a str>,
}

/// Hashes everything that a name stands for: the run as it ended, the run before it, and that one's remediations.
pub async fn inputs(view: &mut View, window: &Window) -> Result<Digest, StoreError> {
    let previous = match window.previous_run_id.as_deref() {
        Some(id) => find(view, id).await?.map(|run| Ended {
            job_run_id: run.job_run_id,
            status: run.status,
        }),
        None => None,
    };
    let evidence = match &previous {
        Some(before) => evidence_of(view, &before.job_run_id).await?,
        None => Vec::new(),
    };
    let remediations = evidence.iter().map(|it| &*it.remediation_id).collect();
    Ok(Digest::of(&image_of(&Inputs {
        run: window,
        previous: previous.as_ref(),
        remediations,
    })?))
}

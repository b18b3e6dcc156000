//! Runs the joins of two releases, records whether any metric was lost, and draws that.
//!
//! Every join only looks. One that does not run shows nothing, and the proof says so.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::actions::{BindFinding, ByRule, Prepared, Request, Stop, random_id};
use crate::canon::{self, Digest};
use crate::rules::Refusal;
use crate::rules::bind::{Bound, Proof, Ran, Surface, picture, prove};
use crate::rules::dictionary::{self as rule, Document};
use crate::store::artifact::{self, BIND_PICTURE, BIND_PROOF};
use crate::store::dictionary::{self, BindQuery, Release};
use crate::store::{Failure, Store, StoreError};

/// What was recorded.
#[derive(Debug, Clone, Serialize)]
pub struct Proved {
    /// The proof's id.
    pub proof_id: String,
    /// What was found.
    pub proof: Proof,
    /// The proof, hashed.
    pub proof_sha256: Digest,
    /// Its picture, hashed.
    pub picture_sha256: Digest,
}

/// Runs the joins of a release and of the one before it, or of two that are named.
pub async fn run(store: &Store, from: Option<&str>, to: Option<&str>) -> Result<Proved, Stop> {
    let (from, to) = choose(store, from, to).await?;
    let mut surfaces = Vec::new();
    let (before, after) = (ran(store, &from).await?, ran(store, &to).await?);
    for surface in Surface::ALL {
        let of = |all: &[(Surface, Ran)]| {
            let mine = all.iter().filter(|(of, _)| of == surface);
            mine.map(|(_, ran)| ran.clone()).collect()
        };
        surfaces.push(Bound {
            surface: *surface,
            before: of(&before),
            after: of(&after),
        });
    }
    let known = ids(store, &to).await?;
    let proof = prove(
        &from.dictionary_semver,
        &to.dictionary_semver,
        surfaces,
        &known,
    );
    record(store, proof).await
}

/// Reads the ids of a release.
async fn ids(store: &Store, release: &Release) -> Result<BTreeSet<String>, Stop> {
    let document = dictionary::document(&mut store.view().await?, release).await?;
    let document = document.ok_or_else(|| {
        let sentence = format!("the document of {} is gone", release.dictionary_semver);
        StoreError::unusable(sentence, "run `govdeck ledger verify`")
    })?;
    let metrics = Document::read(&document)?.metrics.into_iter();
    Ok(metrics.map(|metric| metric.metric_id).collect())
}

async fn choose(
    store: &Store,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(Release, Release), Stop> {
    let mut view = store.view().await?;
    let missing = |what: String| {
        let hint = "`govdeck dictionary show` lists the releases";
        Stop::Store(StoreError::unusable(what, hint))
    };
    let stored = |text: &str| match rule::version(text) {
        Ok(version) => Ok(version.text()),
        Err(refusal) => Err(Stop::BadInput(refusal)),
    };
    let to = match to {
        None => dictionary::newest(&mut view).await?,
        Some(to) => dictionary::release(&mut view, &stored(to)?).await?,
    };
    let to = to.ok_or_else(|| missing("the dictionary was not released so".to_owned()))?;
    let from = match (from, &to.previous_semver) {
        (Some(from), _) => dictionary::release(&mut view, &stored(from)?).await?,
        (None, Some(previous)) => dictionary::release(&mut view, previous).await?,
        (None, None) => Some(to.clone()),
    };
    let from = from.ok_or_else(|| missing("the release before is not there".to_owned()))?;
    // Before the first release there is none: then both surfaces are held against each other alone.
    let is_first = from == to && to.previous_semver.is_none();
    let read = |release: &Release| rule::version(&release.dictionary_semver);
    if !is_first && !read(&to)?.is_after(&read(&from)?) {
        let sentence = format!(
            "{} does not come after {}",
            to.dictionary_semver, from.dictionary_semver
        );
        let hint = "name an earlier release with --from, and the later one with --to";
        return Err(Stop::BadInput(Refusal::new(sentence, hint)));
    }
    Ok((from, to))
}

/// Runs every join of a release; each looks by itself, since one that fails ends its look.
pub(super) async fn ran(
    store: &Store,
    release: &Release,
) -> Result<Vec<(Surface, Ran)>, StoreError> {
    let semver = &release.dictionary_semver;
    let queries = dictionary::bind_queries(&mut store.view().await?, semver).await?;
    let mut all = Vec::with_capacity(queries.len());
    for query in queries {
        let rows = match rows(store, &query).await {
            Ok(rows) => Ok(rows),
            Err(error) if error.kind == Failure::Unreachable => return Err(error),
            Err(error) => Err(error.sentence),
        };
        let ran = Ran {
            bind_query_id: query.bind_query_id,
            sql_sha256: query.sql_sha256,
            rows,
        };
        all.push((query.surface, ran));
    }
    Ok(all)
}

async fn rows(store: &Store, query: &BindQuery) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut view = store.view().await?;
    let gone = || StoreError::unusable("its text is gone", "register it again");
    let sha256 = query.sql_sha256.parse().map_err(|_| gone())?;
    let sql = artifact::bytes(&mut view, sha256).await?.ok_or_else(gone)?;
    dictionary::bound_rows(&mut view, &String::from_utf8_lossy(&sql)).await
}

async fn record(store: &Store, proof: Proof) -> Result<Proved, Stop> {
    let canonical = canon::canonical_of(&proof).map_err(|error| {
        Refusal::new(
            format!("the proof has no canonical form: {error}"),
            "report this as a bug",
        )
    })?;
    let filed = Prepared::of(BIND_PROOF, canonical);
    let drawn = Prepared::of(BIND_PICTURE, picture(&proof).into_bytes());
    let proved = Proved {
        proof_id: random_id()?,
        proof_sha256: filed.artifact.sha256,
        picture_sha256: drawn.artifact.sha256,
        proof,
    };
    let finding = BindFinding {
        from_semver: proved.proof.from_semver.clone(),
        to_semver: proved.proof.to_semver.clone(),
        verdict: proved.proof.verdict,
        metrics: i64::try_from(proved.proof.metrics.len()).unwrap_or(i64::MAX),
        proof_sha256: proved.proof_sha256.to_string(),
        picture_sha256: proved.picture_sha256.to_string(),
    };
    let request = Request::by_rule(ByRule::RecordBindProof {
        proof: proved.proof_id.clone(),
        finding,
    })?;
    super::done(store, request.with_prepared(vec![filed, drawn])).await?;
    Ok(proved)
}

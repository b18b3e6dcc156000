//! Actions of the metric dictionary: releases, joins, views of the annex, questions, and what was proved.

mod put_faq;
mod record_bind_proof;
mod record_variance;
mod register_annex_view;
mod register_bind_query;
mod release_dictionary;
mod retire_faq;

pub(super) use put_faq::PutFaq;
pub use record_bind_proof::BindFinding;
pub(super) use record_bind_proof::RecordBindProof;
pub(super) use record_variance::RecordVariance;
pub use record_variance::VarianceFinding;
pub(super) use register_annex_view::RegisterAnnexView;
pub(super) use register_bind_query::RegisterBindQuery;
pub(super) use release_dictionary::ReleaseDictionary;
pub(super) use retire_faq::RetireFaq;

use super::entry::Stop;
use crate::rules::dictionary;
use crate::rules::{Condition, Refusal};
use crate::store::artifact::Artifact;
use crate::store::dictionary::Release;

/// Reads the version of a release as it is stored.
fn semver(text: &str) -> Result<String, Refusal> {
    Ok(dictionary::version(text)?.text())
}

/// Checks an id that people choose: of a join, or of a question.
fn plain_id(what: &str, id: &str) -> Result<String, Refusal> {
    if dictionary::is_plain_id(id) {
        return Ok(id.to_owned());
    }
    Err(Refusal::new(
        format!("this cannot be the id of a {what}"),
        "use 1 to 100 of A-Z a-z 0-9 . _ - and begin with a letter or digit",
    ))
}

/// States that a release is there.
fn release_is_there(semver: &str, release: Option<&Release>) -> Condition {
    let evidence = match release {
        Some(release) => format!("released at {}", release.released_at_utc),
        None => format!("the dictionary was never released as {semver}"),
    };
    Condition::holds(
        "release",
        release.is_some(),
        "analytics_owner",
        evidence,
        "`govdeck dictionary show` lists the releases",
    )
}

/// States that every file which a finding names by its hash comes with it.
fn comes_with(evidence: &[(&'static str, Artifact)], named: &[&str]) -> Condition {
    let is_there = |hash: &&str| {
        let mut hashes = evidence.iter().map(|(_, piece)| piece.sha256.to_string());
        hashes.any(|filed| filed == **hash)
    };
    Condition::holds(
        "its_evidence",
        named.iter().all(is_there),
        "data_engineer",
        format!("{} pieces of evidence", evidence.len()),
        "a finding comes with the files it names",
    )
}

/// Stops where something that must be there is not.
fn there<'a, T>(found: Option<&'a T>, what: &str, id: &str) -> Result<&'a T, Stop> {
    found.ok_or_else(|| {
        Refusal::new(
            format!("there is no {what} {id:?}"),
            "`govdeck dictionary show` lists what there is",
        )
        .into()
    })
}

//! One side of a weekly run: a file below the governance root with its sidecar, or a query on the database.

use std::path::Path;

use serde_json::json;

use super::below_root;
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::reconcile::{Fault, Field, Given, NO_BYPASS, Party, Rows, Sidecar, sha256_text};
use crate::rules::semver;
use crate::rules::week::{Manifest, Source};
use crate::store::dictionary::RunManifest;
use crate::store::week;
use crate::store::{StoreError, View};

/// The largest sidecar that is read.
const MOST_SIDECAR_BYTES: u64 = 1024 * 1024;

const fn source(side: Party, manifest: &Manifest) -> &Source {
    match side {
        Party::Leadership => &manifest.leadership,
        Party::Partner => &manifest.partner,
    }
}

/// Reads a side; a file that cannot be read is a reason in words.
pub(super) async fn read(
    view: &mut View,
    root: &Path,
    manifest: &Manifest,
    side: Party,
) -> Result<Result<Given, String>, StoreError> {
    Ok(match source(side, manifest) {
        Source::File { path, .. } => from_file(root, path),
        Source::Sql { id, sql } => match week::rows_as_csv(view, sql).await {
            Ok((csv, digest)) => Ok(from_rows(manifest, side, id, csv, digest)),
            Err(error) if error.kind == crate::store::Failure::Unreachable => return Err(error),
            Err(error) => Err(format!("the query {id}: {}", error.sentence)),
        },
    })
}

fn from_file(root: &Path, path: &str) -> Result<Given, String> {
    let bytes = below_root::read(root, path, u64::MAX)?;
    if bytes.starts_with(b"%PDF") {
        return Err(format!(
            "{path} is a PDF: what only people can read is no evidence; ask for a CSV or JSON export with its sidecar"
        ));
    }
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let beside = format!("{stem}.sidecar.json");
    let sidecar = match below_root::read(root, &beside, MOST_SIDECAR_BYTES) {
        Ok(bytes) => Sidecar::read(&bytes),
        Err(why) => Err(Fault::whole(why)),
    };
    let is_json = path
        .rsplit_once('.')
        .is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("json"));
    Ok(Given {
        file: path.to_owned(),
        hashed: Some(Digest::of(&bytes)),
        bytes,
        rows: if is_json {
            Rows::Json
        } else {
            Rows::Csv {
                further: Vec::new(),
            }
        },
        sidecar_file: beside,
        sidecar,
    })
}

/// Makes a side of a query's rows; what a sidecar would say, the manifest says.
fn from_rows(manifest: &Manifest, side: Party, id: &str, csv: Vec<u8>, digest: Digest) -> Given {
    let (bypass, freeze) = manifest
        .bypass
        .clone()
        .unwrap_or_else(|| (NO_BYPASS.to_owned(), NO_BYPASS.to_owned()));
    let [start, end] = &manifest.window_text;
    let said = json!({
        "side": side, "window_tz_policy": "UTC", "start_inclusive": start,
        "end_exclusive": end, "tuple_revision_hash": manifest.tuple_revision_hash,
        "dictionary_semver": manifest.dictionary_semver, "footer_schema_semver": manifest.footer_schema_semver,
        "epsilon_policy_version": manifest.epsilon_policy_version, "ingest_hash": sha256_text(digest),
        "bypass_audit_id": bypass, "parent_freeze_id": freeze,
    });
    Given {
        file: format!("query {id}"),
        bytes: csv,
        hashed: Some(digest),
        rows: Rows::Csv {
            further: Vec::new(),
        },
        sidecar_file: format!("what the manifest says of {id}"),
        sidecar: Sidecar::read(said.to_string().as_bytes()),
    }
}

/// Returns the footer schema that a side shows.
pub(super) fn footer(given: &Given) -> Option<String> {
    let sidecar = given.sidecar.as_ref().ok()?;
    sidecar.get(Field::FooterSchemaSemver).map(str::to_owned)
}

/// Writes down what a side says of itself, as the run's evidence; nothing where it does not say enough to be compared.
pub(super) fn manifest(run: &str, side: Party, given: &Given) -> Option<(RunManifest, Vec<u8>)> {
    let sidecar = given.sidecar.as_ref().ok()?;
    let bytes = sidecar.canonical().ok()?;
    let said = |field| sidecar.get(field).map(str::to_owned);
    let moment = |field| sidecar.get(field)?.parse::<Moment>().ok();
    let row = RunManifest {
        job_run_id: run.to_owned(),
        side,
        manifest_sha256: Digest::of(&bytes).to_string(),
        window_tz_policy: said(Field::WindowTzPolicy)?,
        start_inclusive: moment(Field::StartInclusive)?,
        end_exclusive: moment(Field::EndExclusive)?,
        tuple_revision_hash: said(Field::TupleRevisionHash)?,
        dictionary_semver: said(Field::DictionarySemver)?,
        bypass_audit_id: said(Field::BypassAuditId),
        parent_freeze_id: said(Field::ParentFreezeId),
        version: 1,
    };
    Some((row, bytes))
}

/// Finds the first thing in which a side is of another week than the manifest.
pub(super) fn against_manifest(
    manifest: &Manifest,
    sides: [&Given; 2],
) -> Option<(&'static str, String)> {
    let moment = |text: &str, wanted| text.parse() == Ok(wanted);
    let tuple = manifest.tuple_revision_hash.to_string();
    let newest = semver::parse(&manifest.contract_max_semver).ok();
    for given in sides {
        // A sidecar that cannot be read is told by the comparison, with its place.
        let Ok(sidecar) = &given.sidecar else {
            continue;
        };
        let differs = |field, is_same: &dyn Fn(&str) -> bool| {
            sidecar.get(field).is_some_and(|said| !is_same(said))
        };
        let start = |said: &str| moment(said, manifest.start_inclusive);
        let end = |said: &str| moment(said, manifest.end_exclusive);
        let is_known = |said: &str| {
            let footer = semver::parse(said).ok();
            footer
                .zip(newest.as_ref())
                .is_none_or(|(footer, newest)| footer.cmp_precedence(newest).is_le())
        };
        let checks: [(&'static str, Field, bool); 5] = [
            (
                "window_mismatch",
                Field::StartInclusive,
                differs(Field::StartInclusive, &start),
            ),
            (
                "window_mismatch",
                Field::EndExclusive,
                differs(Field::EndExclusive, &end),
            ),
            (
                "tuple_revision_mismatch",
                Field::TupleRevisionHash,
                differs(Field::TupleRevisionHash, &|said| said == tuple),
            ),
            (
                "epsilon_policy_mismatch",
                Field::EpsilonPolicyVersion,
                differs(Field::EpsilonPolicyVersion, &|said| {
                    said == manifest.epsilon_policy_version
                }),
            ),
            (
                "footer_schema_too_new",
                Field::FooterSchemaSemver,
                differs(Field::FooterSchemaSemver, &is_known),
            ),
        ];
        if let Some((reason, field, _)) = checks.into_iter().find(|(_, _, differs)| *differs) {
            let detail = format!(
                "{}: {field} is not what the manifest says",
                given.sidecar_file
            );
            return Some((reason, detail));
        }
    }
    None
}

//! A diff that is too large for the database: hashed where it lies before the write, and judged by that inside it.

use serde::Serialize;

use super::super::entry::{Asked, Prepared};
use crate::canon::Digest;
use crate::rules::release::{ArtifactRef, Found};
use crate::store::StoreError;
use crate::store::artifact::{Artifact, DIFF_SEEN};
use crate::store::tables::image_of;

/// The form of what is filed about a diff outside the database.
const SCHEMA: &str = "govdeck.diff-seen.v1";

#[derive(Serialize)]
struct Seen<'a> {
    schema: &'static str,
    artifact_uri: &'a str,
    sha256: Option<Digest>,
    why_not: Option<&'a str>,
}

/// Writes down what the bytes hash to that a run names, or why they cannot be read; for a name that is to go under it.
pub fn diff_seen(uri: &str, found: &Result<Digest, String>) -> Result<Prepared, StoreError> {
    let (role, media_type) = DIFF_SEEN;
    let seen = image_of(&Seen {
        schema: SCHEMA,
        artifact_uri: uri,
        sha256: found.as_ref().ok().copied(),
        why_not: found.as_ref().err().map(String::as_str),
    })?;
    let mut made_of = vec![Digest::of(uri.as_bytes())];
    made_of.extend(found.as_ref().ok());
    Ok(Prepared {
        role,
        artifact: Artifact::new(media_type, seen),
        made_of,
        says: found.as_ref().err().cloned().unwrap_or_default(),
    })
}

/// Finds what was written down last.
pub(super) fn prepared(asked: &Asked) -> Option<Prepared> {
    let is_seen = |piece: &&Prepared| piece.role == DIFF_SEEN.0;
    asked.prepared.iter().rfind(is_seen).cloned()
}

/// Tells what was found where a run's diff should be; none where it lies in the database.
pub(super) fn judged(uri: &str, seen: Option<&Prepared>) -> Option<Found> {
    let Ok(ArtifactRef::File { path, sha256 }) = uri.parse() else {
        return None;
    };
    let of = Digest::of(uri.as_bytes());
    Some(match seen.map(|seen| (seen.made_of.as_slice(), seen)) {
        Some(([named, found], _)) if *named == of && *found == sha256 => Found::Same(sha256),
        Some(([named, found], _)) if *named == of => {
            Found::Changed(format!("{path} hashes to {found}, not to {sha256}"))
        }
        Some(([named], seen)) if *named == of => Found::Unreachable(seen.says.clone()),
        _ => Found::Unreachable(format!("{path} was not hashed before")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_bytes_pass() {
        let sha256 = Digest::of(b"diff");
        let uri = format!("file:reconciliation/diffs/{sha256}.json#sha256:{sha256}");
        let elsewhere = format!("file:elsewhere.json#sha256:{sha256}");
        let seen = |uri: &str, found| diff_seen(uri, &found).expect("written");
        let judge = |seen: Option<Prepared>| judged(&uri, seen.as_ref());
        assert_eq!(
            judge(Some(seen(&uri, Ok(sha256)))),
            Some(Found::Same(sha256))
        );
        let other = judge(Some(seen(&uri, Ok(Digest::of(b"other")))));
        assert!(matches!(other, Some(Found::Changed(_))), "{other:?}");
        let gone = judge(Some(seen(&uri, Err("it is gone".to_owned()))));
        assert_eq!(gone, Some(Found::Unreachable("it is gone".to_owned())));
        for unseen in [None, Some(seen(&elsewhere, Ok(sha256)))] {
            let found = judge(unseen);
            assert!(matches!(found, Some(Found::Unreachable(_))), "{found:?}");
        }
        assert_eq!(judged(&format!("sha256:{sha256}"), None), None);
        assert_eq!(judged("nonsense", None), None);
    }

    #[test]
    fn of_several_the_last_counts() {
        let mut asked = Asked::of("run");
        for bytes in [b"a", b"b"] {
            let found = Ok(Digest::of(bytes));
            asked
                .prepared
                .push(diff_seen("file:x", &found).expect("written"));
        }
        let last = prepared(&asked).expect("there are two");
        assert_eq!(last.made_of[1], Digest::of(b"b"));
    }
}

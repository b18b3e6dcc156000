//! The keys that people sign with.

use std::collections::BTreeMap;

use super::tables::governed;
use super::view::{on, query_as, query_scalar};
use super::{StoreError, View};
use crate::clock::Moment;

governed! {
    /// A public key and whose it is; a key belongs to one person for ever.
    pub struct PersonKey in "person_key" keyed by (fingerprint) {
        /// The key's fingerprint, as `ssh-keygen -l` prints it.
        pub fingerprint: String,
        /// Whose it is.
        pub person_id: String,
        /// The key as one line, without a comment.
        pub public_key: String,
        /// When it was added.
        pub added_at_utc: Moment,
        /// When it was revoked; what it signed before stays signed.
        pub revoked_at_utc: Option<Moment>,
        /// Who revoked it.
        pub revoked_by: Option<String>,
        /// The row's version.
        pub version: i64,
    }
}

/// Finds a key by its fingerprint, revoked or not.
pub async fn find(view: &mut View, fingerprint: &str) -> Result<Option<PersonKey>, StoreError> {
    const SQL: &str = "SELECT fingerprint, person_id, public_key, added_at_utc, revoked_at_utc, revoked_by, version \
         FROM person_key WHERE fingerprint = $1";
    Ok(on!(view, c => query_as(SQL).bind(fingerprint).fetch_optional(c).await)?)
}

/// Tells whether a person has a key that they could sign with now.
pub async fn has_valid(view: &mut View, person_id: &str) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT fingerprint FROM person_key WHERE person_id = $1 AND revoked_at_utc IS NULL ORDER BY fingerprint LIMIT 1";
    let found: Option<String> =
        on!(view, c => query_scalar(SQL).bind(person_id).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// Where in the ledger a key was added and revoked: times can be turned back, positions cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Span {
    /// The entry that added it.
    pub added: i64,
    /// The entry that revoked it, itself the last one that it may have signed.
    pub revoked: Option<i64>,
}

/// Reads where every key was added and revoked, by fingerprint.
pub(in crate::store) async fn spans(view: &mut View) -> Result<BTreeMap<String, Span>, StoreError> {
    const SQL: &str = "SELECT row_key, version, seq FROM ledger_change WHERE table_name = 'person_key' ORDER BY row_key, version";
    let changes: Vec<(String, i64, i64)> = on!(view, c => query_as(SQL).fetch_all(c).await)?;
    let mut spans = BTreeMap::new();
    for (fingerprint, version, seq) in changes {
        let span = spans.entry(fingerprint).or_insert(Span {
            added: seq,
            revoked: None,
        });
        if version > 1 {
            span.revoked = Some(seq);
        }
    }
    Ok(spans)
}

/// Lists a person's keys, revoked or not, the newest first.
pub async fn of_person(view: &mut View, person_id: &str) -> Result<Vec<PersonKey>, StoreError> {
    const SQL: &str = "SELECT fingerprint, person_id, public_key, added_at_utc, revoked_at_utc, revoked_by, version \
         FROM person_key WHERE person_id = $1 ORDER BY added_at_utc DESC, fingerprint";
    Ok(on!(view, c => query_as(SQL).bind(person_id).fetch_all(c).await)?)
}

/// Lists all keys, revoked or not, by person.
pub async fn all(view: &mut View) -> Result<Vec<PersonKey>, StoreError> {
    const SQL: &str = "SELECT fingerprint, person_id, public_key, added_at_utc, revoked_at_utc, revoked_by, version \
         FROM person_key ORDER BY person_id, added_at_utc, fingerprint";
    Ok(on!(view, c => query_as(SQL).fetch_all(c).await)?)
}

//! The keys that people sign with.

use super::tables::governed;
use super::view::{on, query_as};
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

impl PersonKey {
    /// Tells whether the key could sign at a moment.
    #[must_use]
    pub fn is_valid_at(&self, moment: Moment) -> bool {
        self.added_at_utc <= moment && self.revoked_at_utc.is_none_or(|revoked| moment < revoked)
    }
}

/// Finds a key by its fingerprint, revoked or not.
pub async fn find(view: &mut View, fingerprint: &str) -> Result<Option<PersonKey>, StoreError> {
    const SQL: &str = "SELECT fingerprint, person_id, public_key, added_at_utc, revoked_at_utc, revoked_by, version \
         FROM person_key WHERE fingerprint = $1";
    Ok(on!(view, c => query_as(SQL).bind(fingerprint).fetch_optional(c).await)?)
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

//! What the deployment has decided to ask for beyond what is built in.

use super::tables::governed;
use super::view::{on, query_as};
use super::{StoreError, View};
use crate::clock::Moment;
use crate::rules::attestation::ActionClass;
use crate::rules::people::Attestation;

governed! {
    /// How well a person must be known for one class of actions.
    pub struct AttestationPolicy in "attestation_policy" keyed by (action_class) {
        /// The class.
        pub action_class: ActionClass,
        /// The least that is enough.
        pub minimum: Attestation,
        /// Who proposed it.
        pub set_by: String,
        /// Who else agreed.
        pub approved_by: String,
        /// When.
        pub set_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

/// Lists what was decided, class by class.
pub async fn all(view: &mut View) -> Result<Vec<AttestationPolicy>, StoreError> {
    const SQL: &str = "SELECT action_class, minimum, set_by, approved_by, set_at_utc, version FROM attestation_policy \
         ORDER BY action_class";
    Ok(on!(view, c => query_as(SQL).fetch_all(c).await)?)
}

/// Reads what was decided for a class of actions, if anything was.
pub async fn attestation(
    view: &mut View,
    class: ActionClass,
) -> Result<Option<AttestationPolicy>, StoreError> {
    const SQL: &str = "SELECT action_class, minimum, set_by, approved_by, set_at_utc, version FROM attestation_policy \
         WHERE action_class = $1";
    Ok(on!(view, c => query_as(SQL).bind(class).fetch_optional(c).await)?)
}

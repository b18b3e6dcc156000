//! The deployment itself: what it is called and where it stands.

use super::tables::governed;
use super::view::{on, query_as};
use super::{Failure, StoreError, View};
use crate::clock::Moment;
use crate::rules::people::Environment;

governed! {
    /// The one deployment that a database holds.
    pub struct Deployment in "deployment" keyed by (deployment_id) {
        /// A random id, which tells two deployments of one name apart.
        pub deployment_id: String,
        /// The name people call it by.
        pub name: String,
        /// Where it stands.
        pub environment: Environment,
        /// When it was established.
        pub created_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

/// Reads the deployment; none before it was established.
pub async fn find(view: &mut View) -> Result<Option<Deployment>, StoreError> {
    const SQL: &str =
        "SELECT deployment_id, name, environment, created_at_utc, version FROM deployment";
    Ok(on!(view, c => query_as(SQL).fetch_optional(c).await)?)
}

/// Reads the deployment.
pub async fn read(view: &mut View) -> Result<Deployment, StoreError> {
    find(view).await?.ok_or_else(|| {
        StoreError::new(
            Failure::Unusable,
            "the database holds no deployment",
            "run `govdeck init`",
        )
    })
}

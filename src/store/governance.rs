//! How governance stands, from what weekly reconciliation has found.

use super::{StoreError, View};
use crate::rules::governance::Governance;

/// Reads how governance stands: not established, as nothing here reconciles weekly yet.
#[expect(
    clippy::unused_async,
    reason = "the gates wait for it already; what it will read comes with weekly reconciliation"
)]
pub async fn hold(_view: &mut View) -> Result<Governance, StoreError> {
    Ok(Governance::NotEstablished)
}

//! How governance stands, from what weekly reconciliation has found.

use super::{StoreError, View, week};
use crate::rules::governance::Governance;

/// Reads how governance stands: as the worst of the active series.
pub async fn hold(view: &mut View) -> Result<Governance, StoreError> {
    let mut looks = Vec::new();
    for series in week::active_series(view).await? {
        looks.push(week::look(view, series).await?.standing);
    }
    Ok(Governance::worst_of(
        looks
            .iter()
            .map(|standing| (standing.state, &*standing.runs)),
    ))
}

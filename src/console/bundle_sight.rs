//! What is read of the selected bundle alone: its plans object by object, its approvals, and its runs with their receipts.

use crate::rules::bundle::Baseline;
use crate::rules::bundle_run::{Tier, Touched, radius};
use crate::store::bundle::{self, Count, Known, Listed, Plan};
use crate::store::window::Window;
use crate::store::{Failure, StoreError, View};

use super::panes::PaneId;
use super::picture::Wanted;

/// A bundle with what the list does not say of it.
#[derive(Debug)]
pub struct BundleDetail {
    /// The bundle, its plans and its runs.
    pub known: Known,
    /// Which plan is told object by object: that of the next environment, else the last.
    pub told: Option<Tier>,
    /// What it touches, or why that cannot be told.
    pub touched: Result<Vec<Touched>, String>,
}

/// Reads the window of bundles, and how far all of them have come; for the pane Bundles alone.
pub(super) async fn list(
    view: &mut View,
    wanted: &Wanted,
) -> Result<(Window<Listed>, Vec<Count>), StoreError> {
    Ok(match wanted.pane {
        PaneId::Bundles => (
            bundle::listed(view, &wanted.bundles).await?,
            bundle::counts(view).await?,
        ),
        _ => Default::default(),
    })
}

/// Reads the selected bundle.
pub(super) async fn read(
    view: &mut View,
    wanted: &Wanted,
) -> Result<Option<BundleDetail>, StoreError> {
    let Some(("bundle", id)) = &wanted.selected.as_ref().map(|(kind, id)| (*kind, id)) else {
        return Ok(None);
    };
    let Some(known) = bundle::known(view, id).await? else {
        return Ok(None);
    };
    let next = known.bundle.status.next_tier();
    let plan = next.and_then(|tier| known.plan(tier));
    let plan = plan.or(known.plans.last());
    let told = plan.map(|plan| plan.environment);
    let touched = match plan {
        Some(plan) => touched(view, plan).await?,
        None => Ok(Vec::new()),
    };
    Ok(Some(BundleDetail {
        known,
        told,
        touched,
    }))
}

/// Compares the baselines of a plan; what was tampered with is said, and takes no picture away.
async fn touched(view: &mut View, plan: &Plan) -> Result<Result<Vec<Touched>, String>, StoreError> {
    let mut sides = Vec::new();
    for sha256 in [&plan.pre_sha256, &plan.post_sha256] {
        let bytes = match bundle::named(view, sha256).await {
            Ok(bytes) => bytes,
            Err(error) if error.kind == Failure::Unusable => return Ok(Err(error.sentence)),
            Err(error) => return Err(error),
        };
        let side = bytes.and_then(|bytes| serde_json::from_slice::<Baseline>(&bytes).ok());
        match side {
            Some(side) => sides.push(side),
            None => return Ok(Err("a baseline is gone; verify the ledger".to_owned())),
        }
    }
    Ok(match sides.as_slice() {
        [pre, post] => Ok(radius(pre, post)),
        _ => Ok(Vec::new()),
    })
}

//! Plans a bundle: both ways are tried at its target or at a copy, and nothing of it stays.

use serde::Serialize;

use crate::actions::Stop;
use crate::bundles::sql::{Change, Place, Planned as Tried, Target, WayBack};
use crate::bundles::{Observed, driver};
use crate::rules::Refusal;
use crate::rules::bundle::{Declaration, Finding, Reason};
use crate::rules::bundle_run::{Registration, Script, Tier};
use crate::store::StoreError;

use super::worker::{self, AtStore, cut, not_back};

/// A bundle as it was read: the text of its declaration, and its scripts.
#[derive(Debug, Clone)]
pub struct Files {
    /// The text of `migration.yml`.
    pub declaration: String,
    /// The scripts that it names.
    pub scripts: Vec<Script>,
}

/// How the way back turned out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Back {
    /// There are no scripts for it.
    None,
    /// The target was as before.
    Proven,
    /// It failed, or left something else.
    RollbackFailed(String),
}

/// What a plan did.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What its declaration says.
    pub declared: Declaration,
    /// What can be registered of it.
    pub registration: Registration,
    /// What goes beyond the declaration.
    pub findings: Vec<Finding>,
    /// How the way back turned out.
    pub back: Back,
    /// What reviewers should know.
    pub notes: Vec<String>,
}

impl Planned {
    /// Tells whether it may be registered: it kept to its declaration, and leads back where it has to.
    #[must_use]
    pub fn passes(&self) -> bool {
        let requires = self.declared.requires_rollback;
        self.findings.is_empty()
            && match self.back {
                Back::Proven => true,
                Back::None => !requires,
                Back::RollbackFailed(_) => false,
            }
    }
}

/// Tries a bundle and its way back.
pub async fn plan(
    worker: &AtStore,
    files: Files,
    tier: Tier,
    place: Place,
) -> Result<Planned, Stop> {
    let declared = worker.declaration.clone();
    let (observed, back, notes) = match &worker.place {
        worker::Place::Sql(target) => {
            let (observed, way_back) = try_out(target, &declared, &files.scripts, place).await?;
            (observed, back_of(way_back), Vec::new())
        }
        worker::Place::Driven(driver) => {
            let change = driver::Change::of(&declared, &files.scripts);
            let planned = driver.plan(&declared, &change).await;
            let planned = planned.map_err(StoreError::from)?;
            let back = match planned.way_back {
                driver::RolledBack::Not => Back::None,
                driver::RolledBack::Failed(why) => Back::RollbackFailed(why),
                driver::RolledBack::Proven | driver::RolledBack::Untouched => Back::Proven,
            };
            (planned.observed, back, planned.notes)
        }
    };
    let seen = (observed.pre, observed.post);
    Ok(Planned {
        declared,
        registration: Registration {
            rows: observed.rows,
            milliseconds: u64::try_from(observed.took.as_millis()).ok(),
            led_back: back == Back::Proven,
            ..Registration::of(tier, files.declaration, files.scripts, seen)
        },
        findings: observed.findings,
        back,
        notes,
    })
}

async fn try_out(
    target: &Target,
    declared: &Declaration,
    scripts: &[Script],
    place: Place,
) -> Result<(Observed, WayBack), Stop> {
    let artifacts = &declared.artifacts;
    let cut = |paths| cut(target, scripts, paths).map_err(|found| refused(&found));
    let forward = cut(&artifacts.forward)?;
    let rollback = match artifacts.rollback.as_slice() {
        [] => None,
        _ => Some(cut(&artifacts.rollback)?),
    };
    let change = Change {
        declaration: declared,
        forward: &forward,
        rollback: rollback.as_ref(),
    };
    match target.plan(change, place).await? {
        Tried::Refused(findings) => Err(refused(&findings).into()),
        Tried::Failed(failed) => Err(Refusal::new(failed.to_string(), failed.hint).into()),
        Tried::Tried { observed, way_back } => Ok((*observed, way_back)),
    }
}

fn back_of(way_back: WayBack) -> Back {
    if way_back == WayBack::None {
        return Back::None;
    }
    not_back(way_back).map_or(Back::Proven, Back::RollbackFailed)
}

fn refused(findings: &[Finding]) -> Refusal {
    let all: Vec<String> = findings.iter().map(worker::said).collect();
    let first = findings.first().map(|finding| finding.reason);
    Refusal::new(
        all.join("; "),
        first.map_or("mend the scripts", Reason::remedy),
    )
}

//! Plans a bundle: both ways are tried at its target or at a copy, and nothing of it stays.

use serde::Serialize;

use crate::bundles::driver;
use crate::bundles::sql::{Change, Difference, Place, Planned as Tried, WayBack};
use crate::rules::Refusal;
use crate::rules::bundle::{Declaration, Finding, Reason};
use crate::rules::bundle_run::{REGISTRATION_SCHEMA, Registration, Script, Tier};

use super::worker::{AtStore, change_of, cut};

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
) -> Result<Planned, Refusal> {
    let declared = worker.declaration().clone();
    let registration = |pre, post, rows, took: std::time::Duration| Registration {
        schema: REGISTRATION_SCHEMA.to_owned(),
        environment: tier,
        declaration: files.declaration.clone(),
        scripts: files.scripts.clone(),
        pre,
        post,
        rows,
        milliseconds: u64::try_from(took.as_millis()).ok(),
    };
    match worker {
        AtStore::Sql(target, _) => {
            let artifacts = &declared.artifacts;
            let forward =
                cut(target, &files.scripts, &artifacts.forward).map_err(|found| refused(&found))?;
            let rollback = if artifacts.rollback.is_empty() {
                None
            } else {
                Some(
                    cut(target, &files.scripts, &artifacts.rollback)
                        .map_err(|found| refused(&found))?,
                )
            };
            let change = Change {
                declaration: &declared,
                forward: &forward,
                rollback: rollback.as_ref(),
            };
            let tried = target.plan(change, place).await;
            match tried.map_err(|error| Refusal::new(error.sentence, error.hint))? {
                Tried::Refused(findings) => Err(refused(&findings)),
                Tried::Failed(failed) => Err(Refusal::new(
                    format!("{}:{}: {}", failed.file, failed.line, failed.sentence),
                    failed.hint,
                )),
                Tried::Tried { observed, way_back } => Ok(Planned {
                    declared: declared.clone(),
                    registration: registration(
                        observed.pre,
                        observed.post,
                        observed.rows,
                        observed.took,
                    ),
                    findings: observed.findings,
                    back: back_of(way_back),
                    notes: Vec::new(),
                }),
            }
        }
        AtStore::Driven(driver, _) => {
            let change = change_of(&declared, &files.scripts);
            let planned = driver.plan(&declared, &change).await;
            let planned = planned.map_err(|error| Refusal::new(error.sentence, error.hint))?;
            let observed = planned.observed;
            Ok(Planned {
                declared: declared.clone(),
                registration: registration(
                    observed.pre,
                    observed.post,
                    observed.rows,
                    observed.took,
                ),
                findings: observed.findings,
                back: match planned.way_back {
                    driver::RolledBack::Not => Back::None,
                    driver::RolledBack::Failed(why) => Back::RollbackFailed(why),
                    driver::RolledBack::Proven | driver::RolledBack::Untouched => Back::Proven,
                },
                notes: planned.notes,
            })
        }
    }
}

fn back_of(way_back: WayBack) -> Back {
    match way_back {
        WayBack::None => Back::None,
        WayBack::Same { .. } => Back::Proven,
        WayBack::Differs(differences) => {
            let all: Vec<_> = differences.iter().map(Difference::to_string).collect();
            Back::RollbackFailed(all.join("; "))
        }
        WayBack::Failed(failed) => Back::RollbackFailed(format!(
            "{}:{}: {}",
            failed.file, failed.line, failed.sentence
        )),
    }
}

fn refused(findings: &[Finding]) -> Refusal {
    let all: Vec<String> = findings.iter().map(super::worker::said).collect();
    let first = findings.first().map(|finding| finding.reason);
    Refusal::new(
        all.join("; "),
        first.map_or("mend the scripts", Reason::remedy),
    )
}

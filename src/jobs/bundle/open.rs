//! What leads to the store of a bundle: a database for SQL, a driver for every other kind.

use crate::actions::{Request, Stop};
use crate::bundles::driver::{Driver, DriverCommand, DriverError, Secrets};
use crate::bundles::sql::Target;
use crate::bundles::{Progress, Step};
use crate::rules::bundle::{Declaration, Declared, Kind, RunType};
use crate::rules::{Refusal, permission};
use crate::settings::Dsn;
use crate::store::bundle::{self, Known};
use crate::store::{Failure, Store, StoreError};

use super::worker::{AtStore, Place};

/// What the settings say of the stores that bundles change.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The database of SQL bundles.
    pub target: Dsn,
    /// The commands that may be run as drivers, besides govdeck's own.
    pub drivers: Vec<String>,
}

impl AtStore {
    /// Opens what a declaration is for.
    pub async fn open(
        declaration: Declaration,
        reach: &Reach,
        progress: Progress,
    ) -> Result<Self, StoreError> {
        progress.tell(Step::Reach);
        let place = if declaration.kind == Kind::Postgis {
            let target = Target::open(&reach.target).await?;
            Place::Sql(target.watched_by(progress.clone()))
        } else {
            Place::Driven(driver(&declaration, &reach.drivers).await?)
        };
        Ok(Self {
            place,
            declaration,
            progress,
        })
    }

    /// Opens what a registered bundle changes; its declaration is the one that was registered.
    pub async fn of_known(
        store: &Store,
        known: &Known,
        reach: &Reach,
        progress: Progress,
    ) -> Result<Self, StoreError> {
        let files = bundle::pieces(&mut store.view().await?, &known.bundle).await?;
        let declared = files.first().map(|file| Declared::read(&file.bytes));
        let declared = declared.and_then(Result::ok).ok_or_else(|| {
            StoreError::new(
                Failure::Unusable,
                "the declaration is not there, or is not what was recorded",
                "`govdeck ledger verify` tells more",
            )
        })?;
        Self::open(declared.declaration, reach, progress).await
    }
}

async fn driver(declaration: &Declaration, allowed: &[String]) -> Result<Driver, DriverError> {
    let command = DriverCommand::of_bundle(&declaration.runner.command, allowed)?;
    let secrets = Secrets::from_environment(&declaration.runner.environment)?;
    let driver = Driver::new(command, declaration.kind, secrets);
    driver.hello().await?;
    Ok(driver)
}

/// Tells which run an action claims, which whoever claimed it then makes; most claim none.
#[must_use]
pub fn claims(verb: &str) -> Option<RunType> {
    let runs = [
        (permission::CLAIM_BUNDLE_RUN, RunType::Migration),
        (permission::ROLL_BACK_BUNDLE, RunType::Rollback),
    ];
    let mut runs = runs.into_iter();
    runs.find_map(|(may, run)| (may.verb == verb).then_some(run))
}

/// Looks at the store before a run of its bundle is claimed: what cannot be reached, or is not what the claim says it is,
/// uses up no approval.
pub async fn look_ahead(store: &Store, reach: &Reach, claim: &Request) -> Result<(), Stop> {
    let known = bundle::known(&mut store.view().await?, claim.subject()).await?;
    // Of what is not there the action itself says so.
    let Some(known) = known else { return Ok(()) };
    let worker = AtStore::of_known(store, &known, reach, Progress::default()).await?;
    let Some(said) = claim.word("fingerprint") else {
        return Ok(());
    };
    if worker.baseline().await?.schema_fingerprint == said {
        return Ok(());
    }
    Err(Refusal::new(
        "the target does not look as the claim says: nothing was claimed",
        "plan it again there, register that, and have it approved",
    )
    .into())
}

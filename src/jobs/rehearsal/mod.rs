//! Rehearses the hour of a cutover on a fork, with its real way back, and records the receipt as what gate D7 rests on.
//!
//! The deeds of each step are done by the code of the hour itself. What people do in it, and what is outside without a
//! command that stands for it, is recorded as not rehearsed. The deployment itself gets one entry at the end, and no other
//! write; whatever becomes of this process, the fork is nothing that anybody works on.

mod deeds;
mod folder;
mod transfer;

use std::future::Future;
use std::path::PathBuf;

use serde::Serialize;

use self::deeds::Bench;
use self::folder::Folder;
use crate::actions::{ByRule, Prepared, Request, Stop};
use crate::rules::migration::{ForkKind, Receipt, can_be_rehearsed, no_such_migration};
use crate::settings::Dsn;
use crate::store::artifact::REHEARSAL_RECEIPT;
use crate::store::fork::{Claimed, Fork, is_same_database};
use crate::store::migration::{self, Known};
use crate::store::tables::image_of;
use crate::store::{Failure, Store, StoreError};

use super::hour::Commands;

/// Whether each deed is broken first, to see that it can be begun again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Faults {
    /// It is.
    Injected,
    /// It is done once.
    LeftOut,
}

/// What the settings say of the world that a rehearsal reaches into.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The governance root.
    pub root: PathBuf,
    /// What stands for the commands of the hour.
    pub commands: Commands,
    /// The ledger's database, past any pooler.
    pub ledger: Dsn,
    /// Where a fork of a server's database goes.
    pub rehearsal: Option<Dsn>,
    /// The database that SQL bundles change.
    pub bundles: Dsn,
}

/// A rehearsal, as it was recorded.
#[derive(Debug, Clone, Serialize)]
pub struct Done {
    /// What was done.
    pub receipt: Receipt,
    /// What it comes to, in one line.
    pub said: String,
    /// The receipt, hashed.
    pub evidence_sha256: String,
}

/// Rehearses the hour of a migration; when it is told to stop, the fork is taken away and nothing is recorded.
pub async fn run(
    store: &Store,
    reach: &Reach,
    id: &str,
    faults: Faults,
    stopped: impl Future<Output = ()>,
) -> Result<Done, Stop> {
    let known = known(store, id).await?;
    let row = &known.migration;
    can_be_rehearsed(
        id,
        row.phase,
        row.closed_at_dt_utc.is_none(),
        known.plan.is_some(),
    )?;
    let has_bundles = is_same_database(&reach.ledger, &reach.bundles).await?;
    let folder = Folder::make()?;
    tokio::pin!(stopped);
    let fork = tokio::select! {
        biased;
        () = &mut stopped => return Err(interrupted().into()),
        claimed = claim(store, reach, &folder) => match claimed? {
            Forking::Made(fork) => fork,
            Forking::Claimed(claimed) => {
                let filled = tokio::select! {
                    biased;
                    () = &mut stopped => Err(interrupted()),
                    filled = transfer::fill(&folder, &reach.ledger, claimed.dsn()) => filled,
                };
                filled_or_gone(store, claimed, filled).await?
            }
        },
    };
    let bench = Bench {
        fork: &fork,
        reach,
        folder: folder.path(),
        has_bundles,
        id,
        faults,
        kind: if store.is_postgres() {
            ForkKind::Postgres
        } else {
            ForkKind::Sqlite
        },
    };
    let rehearsed = tokio::select! {
        biased;
        () = &mut stopped => Err(interrupted().into()),
        rehearsed = bench.rehearse() => rehearsed,
    };
    let gone = fork.throw_away().await;
    drop(folder);
    let receipt = rehearsed?;
    gone?;
    record(store, receipt).await
}

/// A fork, or the database that one goes into.
enum Forking {
    Made(Fork),
    Claimed(Claimed),
}

async fn claim(store: &Store, reach: &Reach, folder: &Folder) -> Result<Forking, StoreError> {
    if !store.is_postgres() {
        return Ok(Forking::Made(store.fork_into(folder.path()).await?));
    }
    let rehearsal = reach.rehearsal.as_ref().ok_or_else(|| {
        StoreError::unusable(
            "there is nowhere to rehearse: `rehearsal_dsn` is not set",
            "let `rehearsal_dsn` name an empty database, on this server or another, that your login may fill",
        )
    })?;
    Ok(Forking::Claimed(
        Claimed::take(&reach.ledger, rehearsal).await?,
    ))
}

async fn filled_or_gone(
    store: &Store,
    claimed: Claimed,
    filled: Result<(), StoreError>,
) -> Result<Fork, StoreError> {
    let (claimed, why) = match filled {
        Err(why) => (claimed, why),
        Ok(()) => match claimed.filled(store).await {
            Ok(fork) => return Ok(fork),
            Err(unmarked) => *unmarked,
        },
    };
    claimed.throw_away().await?;
    Err(why)
}

fn interrupted() -> StoreError {
    StoreError::new(
        Failure::Other,
        "the rehearsal was interrupted, and nothing was recorded",
        "rehearse again: govdeck rehearse",
    )
}

async fn known(store: &Store, id: &str) -> Result<Known, Stop> {
    let known = migration::known(&mut store.view().await?, id).await?;
    Ok(known.ok_or_else(|| no_such_migration(id))?)
}

async fn record(store: &Store, receipt: Receipt) -> Result<Done, Stop> {
    let document = Prepared::of(REHEARSAL_RECEIPT, image_of(&receipt)?);
    let evidence_sha256 = document.artifact.sha256.to_string();
    let request = Request::by_rule(ByRule::RecordRehearsal {
        migration: receipt.migration_id.clone(),
    })?;
    super::done(store, request.with_prepared(vec![document])).await?;
    Ok(Done {
        said: receipt.said(),
        receipt,
        evidence_sha256,
    })
}

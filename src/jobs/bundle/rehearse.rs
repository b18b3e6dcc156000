//! Takes a bundle back on the fork of a rehearsal, by the runner and the scripts that would take it back in earnest.

use crate::actions::Stop;
use crate::bundles::Progress;
use crate::rules::bundle::{Declared, Kind, RunType};
use crate::rules::bundle_run::RunOutcome;
use crate::settings::Dsn;
use crate::store::Store;
use crate::store::bundle::{self, Known, Run};

use super::worker::{AtStore, Place};
use super::{Order, Ran, Reach, Worker, baseline};

/// How a bundle was taken back on a fork.
#[derive(Debug, Clone)]
pub struct Unmade {
    /// Whether it was tried; nothing is there to take back of what was not.
    pub outcome: Option<RunOutcome>,
    /// What there is to say.
    pub detail: String,
    /// The fingerprint of the definitions before it was made, as it was recorded.
    pub before: Option<String>,
    /// The fingerprint of the definitions after it was taken back.
    pub after: Option<String>,
    /// Whether it was given up before its commit first, and begun again.
    pub was_given_up: bool,
}

impl Unmade {
    fn not(why: impl Into<String>) -> Self {
        Self {
            outcome: None,
            detail: why.into(),
            before: None,
            after: None,
            was_given_up: false,
        }
    }
}

/// Takes a bundle back at the target that the fork is; with `gives_up`, once up to its commit first, which is given up.
pub async fn unmake(store: &Store, id: &str, target: &Dsn, gives_up: bool) -> Result<Unmade, Stop> {
    let mut view = store.view().await?;
    let Some(known) = bundle::known(&mut view, id).await? else {
        return Ok(Unmade::not("no such bundle is registered"));
    };
    let files = bundle::pieces(&mut view, &known.bundle).await?;
    drop(view);
    let declared = files.first().map(|file| Declared::read(&file.bytes));
    let Some(Ok(Declared { declaration, .. })) = declared else {
        return Ok(Unmade::not(
            "its declaration is not there, or is not what was recorded",
        ));
    };
    if declaration.kind != Kind::Postgis {
        return Ok(Unmade::not(
            "a driver reaches its store, and a fork has no copy of that",
        ));
    }
    let reach = Reach {
        target: target.clone(),
        drivers: Vec::new(),
    };
    let worker = AtStore::open(declaration, &reach, Progress::default()).await?;
    let unmade = at_target(store, &known, &worker, gives_up).await;
    if let Place::Sql(target) = &worker.place {
        target.close().await;
    }
    unmade
}

async fn at_target(
    store: &Store,
    known: &Known,
    worker: &AtStore,
    gives_up: bool,
) -> Result<Unmade, Stop> {
    let now = worker.baseline().await?.schema_fingerprint;
    let Some(order) = order(store, known, &now).await? else {
        return Ok(Unmade::not("it was never made, or was taken back already"));
    };
    let shape = |seen: &Option<crate::rules::bundle::Baseline>| {
        seen.as_ref().map(|seen| seen.schema_fingerprint.clone())
    };
    let before = shape(&order.before);
    if order.reshapes && before.as_ref() == Some(&now) {
        return Ok(Unmade::not(
            "the fork looks as before it was made: nothing was there to take back",
        ));
    }
    let mut ran = worker.run(&order).await?;
    let mut was_given_up = false;
    if gives_up && let Some(held) = ran.held.take() {
        held.give_up().await?;
        was_given_up = true;
        ran = worker.run(&order).await?;
    }
    let Ran {
        outcome,
        detail,
        held,
        ..
    } = ran;
    if let Some(held) = held {
        held.commit().await?;
    }
    Ok(Unmade {
        outcome: Some(outcome),
        detail: detail.unwrap_or_else(|| "taken back by its scripts".to_owned()),
        before,
        after: Some(worker.baseline().await?.schema_fingerprint),
        was_given_up,
    })
}

/// Orders the way back of the run that made what the fork holds, else of the last that made anything.
async fn order(store: &Store, known: &Known, now: &str) -> Result<Option<Order>, Stop> {
    let is_undone = |run: &Run| {
        known.runs.iter().any(|it| {
            it.undoes_run_id.as_ref() == Some(&run.run_id) && it.outcome == RunOutcome::RolledBack
        })
    };
    let made = known.runs.iter().filter(|run| {
        run.run_type == RunType::Migration && run.outcome == RunOutcome::Applied && !is_undone(run)
    });
    let mut view = store.view().await?;
    let mut chosen = None;
    for run in made {
        let after = baseline(&mut view, run.post_sha256.clone()).await?;
        let is_there = after
            .as_ref()
            .is_some_and(|it| it.schema_fingerprint == now);
        chosen = Some((run, after));
        if is_there {
            break;
        }
    }
    let Some((run, after)) = chosen else {
        return Ok(None);
    };
    let Some(tier) = run.environment else {
        return Ok(None);
    };
    let before = baseline(&mut view, run.pre_sha256.clone()).await?;
    let shape = |seen: Option<&crate::rules::bundle::Baseline>| {
        seen.map(|seen| seen.schema_fingerprint.clone())
    };
    Ok(Some(Order {
        run_id: run.run_id.clone(),
        migration_id: run.migration_id.clone(),
        run_type: RunType::Rollback,
        tier,
        files: bundle::pieces(&mut view, &known.bundle).await?,
        reshapes: shape(before.as_ref()) != shape(after.as_ref()),
        before,
        after,
    }))
}

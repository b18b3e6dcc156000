//! The runs of bundles that were claimed here: each is made in a task of its own, by the job that the command line uses.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use crate::actions::{Request, Stop};
use crate::bundles::{Progress, Step};
use crate::clock::Moment;
use crate::jobs::bundle::{self as job, AtStore, Ended, Reach};
use crate::rules::Refusal;
use crate::rules::bundle::RunType;
use crate::settings::Dsn;
use crate::store::{Access, Store, bundle};

use super::super::running::Running;
use super::Address;

/// Where runs of bundles are made.
#[derive(Debug, Clone)]
pub struct Workshop {
    /// The way to the database of the ledger, past a pooler.
    pub ledger: Dsn,
    /// What the settings say of the stores that bundles change.
    pub reach: Reach,
}

/// Makes what was claimed, one run at a time, and tells how far it has come.
#[derive(Clone)]
pub(super) struct Runs {
    pub(super) address: Address,
    pub(super) sight: Arc<watch::Sender<Option<Running>>>,
}

impl Runs {
    /// Makes sure, before a run is claimed, that it can be made here.
    pub(super) async fn look_ahead(&self, store: &Store, request: &Request) -> Result<(), Stop> {
        if job::claims(request.verb()).is_none() {
            return Ok(());
        }
        let under_way = self
            .sight
            .borrow()
            .as_ref()
            .is_some_and(Running::is_under_way);
        if under_way {
            let said = "this console makes another run now";
            return Err(Refusal::new(said, "wait for its end").into());
        }
        job::look_ahead(store, &self.workshop()?.reach, request).await
    }

    fn workshop(&self) -> Result<&Workshop, Refusal> {
        self.address.workshop.as_ref().map_err(Clone::clone)
    }

    /// Makes the run of a bundle that was claimed at a moment, in a task of its own.
    pub(super) fn begin(&self, migration_id: String, run_type: RunType, claimed: Moment) {
        let running = Running::new(&migration_id, run_type, Instant::now());
        self.sight.send_replace(Some(running));
        let runs = self.clone();
        tokio::spawn(async move {
            let making = {
                let runs = runs.clone();
                tokio::spawn(async move { runs.make(&migration_id, claimed).await })
            };
            let ended = match making.await {
                Ok(ended) => ended.map_err(why),
                Err(_) => Err(Refusal::new(
                    "the task that made it ended early",
                    "`govdeck bundle show` tells how the run stands; `govdeck bundle run` takes it up",
                )),
            };
            runs.change(|running| running.end = Some((Instant::now(), ended)));
        });
    }

    async fn make(&self, migration_id: &str, claimed: Moment) -> Result<Ended, Stop> {
        let workshop = self.workshop()?;
        // Not the writer's connection: that is closed when the armed time is over, and the run goes on.
        let store = Store::open(
            &workshop.ledger,
            self.address.account.clone(),
            Access::Write,
        );
        let store = store.await?;
        let ended = self
            .make_with(&store, &workshop.reach, migration_id, claimed)
            .await;
        store.close().await;
        ended
    }

    async fn make_with(
        &self,
        store: &Store,
        reach: &Reach,
        migration_id: &str,
        claimed: Moment,
    ) -> Result<Ended, Stop> {
        let run = job::claimed(store, migration_id, claimed).await?;
        self.change(|running| running.run_id = Some(run.run_id.clone()));
        let known = bundle::known(&mut store.view().await?, migration_id).await?;
        let known = known.ok_or_else(|| {
            Refusal::new("the bundle is gone", "`govdeck bundle list` shows them")
        })?;
        let runs = self.clone();
        let progress = Progress::to(move |step: Step| {
            runs.change(|running| running.take(step, Instant::now()));
        });
        let worker = AtStore::of_known(store, &known, reach, progress).await?;
        job::take_up(store, &worker, &run.run_id).await
    }

    fn change(&self, change: impl FnOnce(&mut Running)) {
        self.sight.send_modify(|running| {
            if let Some(running) = running {
                change(running);
            }
        });
    }
}

fn why(stop: Stop) -> Refusal {
    match stop {
        Stop::Refused(refusal) | Stop::BadInput(refusal) => refusal,
        Stop::Store(error) => Refusal::new(error.sentence, error.hint),
    }
}

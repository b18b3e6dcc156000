//! What was claimed or begun here, runs of bundles and steps of an hour: each is made in a task of its own, by the job that
//! the command line uses.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use crate::actions::{Request, Stop};
use crate::bundles::{Progress, Step};
use crate::clock::Moment;
use crate::jobs::bundle::{self as job, AtStore, Ended, Reach};
use crate::jobs::hour;
use crate::rules::Refusal;
use crate::settings::Dsn;
use crate::store::{Access, Store, bundle};

use super::super::running::{Came, Running, Work};
use super::Address;

/// Where runs of bundles and steps of an hour are made.
#[derive(Debug, Clone)]
pub struct Workshop {
    /// The way to the database of the ledger, past a pooler.
    pub ledger: Dsn,
    /// What the settings say of the stores that bundles change, or why none is changed here.
    pub bundles: Result<Reach, Refusal>,
    /// The database whose dictionary bundles change, or why nobody can tell.
    pub dictionary: Result<Dsn, Refusal>,
    /// What the settings say of the world that steps of an hour reach into.
    pub hour: hour::Reach,
}

impl Workshop {
    fn bundles(&self) -> Result<&Reach, Refusal> {
        self.bundles.as_ref().map_err(Clone::clone)
    }
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
        let Some(work) = Work::of(request.verb()) else {
            return Ok(());
        };
        let under_way = self
            .sight
            .borrow()
            .as_ref()
            .is_some_and(Running::is_under_way);
        if under_way {
            let said = "this console does something else that takes its time";
            return Err(Refusal::new(said, "wait for its end").into());
        }
        let workshop = self.workshop()?;
        match work {
            Work::Step => Ok(()),
            Work::Bundle(_) => job::look_ahead(store, workshop.bundles()?, request).await,
        }
    }

    fn workshop(&self) -> Result<&Workshop, Refusal> {
        self.address.workshop.as_ref().map_err(Clone::clone)
    }

    /// Makes what was claimed or begun at a moment, in a task of its own.
    pub(super) fn begin(&self, migration_id: String, work: Work, claimed: Moment) {
        let running = Running::new(&migration_id, work, Instant::now());
        self.sight.send_replace(Some(running));
        let runs = self.clone();
        tokio::spawn(async move {
            let making = {
                let runs = runs.clone();
                tokio::spawn(async move { runs.make(&migration_id, work, claimed).await })
            };
            let ended = match making.await {
                Ok(ended) => ended.map_err(why),
                Err(_) => Err(Refusal::new(
                    "the task that made it ended early",
                    match work {
                        Work::Bundle(_) => {
                            "`govdeck bundle show` tells how the run stands; `govdeck bundle run` takes it up"
                        }
                        Work::Step => {
                            "`govdeck hour show` tells how the step stands; begin it again"
                        }
                    },
                )),
            };
            runs.change(|running| running.end = Some((Instant::now(), ended)));
        });
    }

    async fn make(&self, migration_id: &str, work: Work, claimed: Moment) -> Result<Came, Stop> {
        let workshop = self.workshop()?;
        // Not the writer's connection: that is closed when the armed time is over, and the run goes on.
        let store = Store::open(
            &workshop.ledger,
            self.address.account.clone(),
            Access::Write,
        );
        let store = store.await?;
        let came = match (work, workshop.bundles()) {
            (Work::Step, _) => hour::perform(&store, &workshop.hour, migration_id)
                .await
                .map(Came::Step),
            (Work::Bundle(_), Ok(reach)) => self
                .make_with(&store, reach, migration_id, claimed)
                .await
                .map(Came::Bundle),
            (Work::Bundle(_), Err(refusal)) => Err(refusal.into()),
        };
        store.close().await;
        came
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

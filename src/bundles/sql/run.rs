//! Carries scripts out under their declaration: tries them, makes the change, takes it back.

use std::time::Duration;

use super::carry::{Outcome, carry_out, try_back};
use super::catalog::{Look, look};
use super::compare::{Difference, differences};
use super::copy::Copied;
use super::failure::Failed;
use super::postgres;
use super::script::{Mode, Script};
use super::session::{Open, Pool, Target, Work};
use crate::bundles::Observed;
use crate::rules::bundle::{Baseline, Declaration, Finding, Reason, Scope};
use crate::store::view::Session;
use crate::store::{Failure, Store, StoreError, Tx};

/// What is to be done: the declaration and its scripts.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// What the change may do.
    pub declaration: &'a Declaration,
    /// The script that makes it.
    pub forward: &'a Script,
    /// The script that takes it back, where there is one.
    pub rollback: Option<&'a Script>,
}

/// How the way back turned out when it was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WayBack {
    /// There is no rollback script.
    None,
    /// Every definition is what it was.
    Same {
        /// How long it took.
        took: Duration,
    },
    /// It ran, and left something else than there was.
    Differs(Vec<Difference>),
    /// A statement failed.
    Failed(Failed),
}

/// What came of a plan; nothing of it is left on the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Planned {
    /// Both scripts were tried.
    Tried {
        /// What the forward script did.
        observed: Box<Observed>,
        /// How the way back turned out.
        way_back: WayBack,
    },
    /// A statement of the forward script failed.
    Failed(Failed),
    /// It was not tried, because it cannot be.
    Refused(Vec<Finding>),
}

/// What came of making or taking back a change.
#[derive(Debug)]
pub enum Applied {
    /// It kept to its declaration and waits for its commit.
    Ready(Box<Ready>),
    /// It went beyond its declaration and was taken back, or was not begun at all.
    Refused {
        /// Why.
        findings: Vec<Finding>,
        /// What was seen of it, where it was begun.
        observed: Option<Box<Observed>>,
    },
    /// A statement failed; everything was taken back.
    Failed(Failed),
}

/// What came of running the rollback script.
#[derive(Debug)]
pub enum RolledBack {
    /// Every definition is what it was, and it waits for its commit.
    Ready(Box<Ready>),
    /// It left something else than there was, or touched what it may not; that was taken back: the rollback has failed.
    Differs {
        /// What was seen of the script.
        observed: Box<Observed>,
        /// What is not as it was.
        differences: Vec<Difference>,
    },
    /// A statement failed, and everything was taken back: the rollback has failed.
    Failed(Failed),
}

/// A change that is made and not yet committed; dropping it takes it back.
#[derive(Debug)]
#[must_use = "it is taken back unless it is committed"]
pub struct Ready {
    /// What was seen of it.
    pub observed: Observed,
    open: Open,
}

impl Ready {
    /// Commits the change alone.
    pub async fn commit(self) -> Result<Observed, StoreError> {
        self.open.commit().await?;
        Ok(self.observed)
    }

    /// Goes on in the transaction of the change, as the guarded write that ends its run, so that both are committed together.
    /// Where the target is not the ledger's own database, or its login may not end runs, the change comes back as it was.
    pub async fn into_tx(self, store: &Store) -> Result<Result<Tx, Box<Self>>, StoreError> {
        let mut session = match self.open {
            Open::Sqlite(transaction) => Session::Sqlite(transaction),
            Open::Postgres(transaction) => Session::Postgres(transaction),
        };
        if let Some(seat) = store.seat_for(&mut session).await? {
            return store.take_over(session, &seat).await.map(Ok);
        }
        let open = match session {
            Session::Sqlite(transaction) => Open::Sqlite(transaction),
            Session::Postgres(transaction) => Open::Postgres(transaction),
        };
        let observed = self.observed;
        Ok(Err(Box::new(Self { observed, open })))
    }

    /// Takes the change back, and waits until it is.
    pub async fn give_up(self) -> Result<Observed, StoreError> {
        self.open.roll_back().await?;
        Ok(self.observed)
    }
}

/// Where a plan is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the target itself, in a transaction that is taken back.
    InPlace,
    /// On a copy that is thrown away: a private file, or a database made like the target, to which nobody else is connected.
    Copy,
}

impl Target {
    /// Looks at everything and makes a baseline, at one moment.
    pub async fn baseline(&self, scope: &Scope) -> Result<Baseline, StoreError> {
        let mut open = self.read().await?;
        let seen = look(&mut open, scope, 0)
            .await
            .map_err(|error| error.about(&self.dsn))?;
        open.roll_back().await?;
        Ok(seen.baseline)
    }

    /// Compares what there is with a baseline that was recorded; nothing is named when it is the same.
    pub async fn verify(
        &self,
        scope: &Scope,
        recorded: &Baseline,
    ) -> Result<Vec<Difference>, StoreError> {
        Ok(differences(recorded, &self.baseline(scope).await?))
    }

    /// Tells whether nobody runs a bundle here now.
    pub async fn is_free(&self) -> Result<bool, StoreError> {
        match Work::begin(self).await {
            Ok(work) => {
                work.into_open().await?.roll_back().await?;
                Ok(true)
            }
            Err(error) if error.kind == Failure::Busy => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Tries a change and its way back, and leaves nothing behind.
    pub async fn plan(&self, change: Change<'_>, place: Place) -> Result<Planned, StoreError> {
        if let Some(refused) = unfit(change, self) {
            return Ok(Planned::Refused(vec![refused]));
        }
        let outside = change.forward.mode() == Mode::Outside;
        match place {
            Place::InPlace if outside => Ok(Planned::Refused(vec![not_in_a_transaction(change)])),
            Place::InPlace => self.try_out(change).await,
            Place::Copy => {
                let copied = Copied::of(self).await?;
                let tried = if outside {
                    copied.target().try_outside(change).await
                } else {
                    copied.target().try_out(change).await
                };
                copied.throw_away().await?;
                tried
            }
        }
    }

    async fn try_out(&self, change: Change<'_>) -> Result<Planned, StoreError> {
        let mut work = Work::begin(self).await?;
        let pre = look_for(&mut work.open, change.declaration).await?;
        let observed = match carry_out(&mut work, change.forward, change.declaration, &pre).await? {
            Outcome::Done(observed, _) => observed,
            Outcome::Failed(failed) => {
                work.take_back().await;
                return Ok(Planned::Failed(failed));
            }
        };
        let way_back = match change.rollback {
            None => WayBack::None,
            Some(script) => try_back(&mut work, script, &pre, &change.declaration.scope).await?,
        };
        work.take_back().await;
        Ok(Planned::Tried { observed, way_back })
    }

    /// Makes a change, up to its commit.
    pub async fn apply(&self, change: Change<'_>) -> Result<Applied, StoreError> {
        let outside =
            || (change.forward.mode() == Mode::Outside).then(|| not_in_a_transaction(change));
        if let Some(refused) = unfit(change, self).or_else(outside) {
            return Ok(Applied::Refused {
                findings: vec![refused],
                observed: None,
            });
        }
        let mut work = Work::begin(self).await?;
        let pre = look_for(&mut work.open, change.declaration).await?;
        match carry_out(&mut work, change.forward, change.declaration, &pre).await? {
            Outcome::Failed(failed) => {
                work.take_back().await;
                Ok(Applied::Failed(failed))
            }
            Outcome::Done(observed, _) if observed.findings.is_empty() => {
                let open = self.handed_over(work).await?;
                Ok(Applied::Ready(Box::new(Ready {
                    observed: *observed,
                    open,
                })))
            }
            Outcome::Done(observed, _) => {
                work.take_back().await;
                Ok(Applied::Refused {
                    findings: observed.findings.clone(),
                    observed: Some(observed),
                })
            }
        }
    }

    /// Takes a change back by its script, up to the commit, and compares with the baseline that was recorded before it.
    ///
    /// Limits are for the way forward; the scope and what is protected hold on the way back too.
    pub async fn roll_back(
        &self,
        declaration: &Declaration,
        script: &Script,
        recorded: &Baseline,
    ) -> Result<RolledBack, StoreError> {
        let mut work = Work::begin(self).await?;
        let before = look_for(&mut work.open, declaration).await?;
        let (mut observed, after) = match carry_out(&mut work, script, declaration, &before).await?
        {
            Outcome::Failed(failed) => {
                work.take_back().await;
                return Ok(RolledBack::Failed(failed));
            }
            Outcome::Done(observed, after) => (observed, after),
        };
        observed.findings.retain(|finding| {
            finding.reason != Reason::LimitExceeded || finding.path != declaration.artifacts.summary
        });
        let mut differences = differences(recorded, &after.baseline);
        differences.retain(|difference| *difference != Difference::Protected);
        if differences.is_empty() && observed.findings.is_empty() {
            let open = self.handed_over(work).await?;
            return Ok(RolledBack::Ready(Box::new(Ready {
                observed: *observed,
                open,
            })));
        }
        work.take_back().await;
        Ok(RolledBack::Differs {
            observed,
            differences,
        })
    }

    /// Gives the transaction the settings that its last statements expect.
    async fn handed_over(&self, work: Work) -> Result<Open, StoreError> {
        let mut open = work.into_open().await?;
        open.run_own(postgres::OWN, "").await?;
        open.limit(self.patience).await?;
        Ok(open)
    }

    pub(super) async fn read(&self) -> Result<Open, StoreError> {
        let (pool, patience) = (self.pool.clone(), self.patience);
        let begun = tokio::spawn(async move {
            let mut open = match pool {
                Pool::Sqlite(pool) => Open::Sqlite(pool.begin_with("BEGIN").await?),
                Pool::Postgres(pool) => Open::Postgres(
                    pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                        .await?,
                ),
            };
            open.limit(patience).await?;
            Ok::<_, StoreError>(open)
        });
        begun
            .await
            .map_err(|_| StoreError::from(sqlx::Error::WorkerCrashed))?
            .map_err(|error| error.about(&self.dsn))
    }
}

pub(super) async fn look_for(
    open: &mut Open,
    declaration: &Declaration,
) -> Result<Look, StoreError> {
    look(
        open,
        &declaration.scope,
        declaration.limits.max_row_backfill,
    )
    .await
}

/// Says why a change cannot be tried here at all.
pub(super) fn unfit(change: Change<'_>, target: &Target) -> Option<Finding> {
    let scripts = [Some(change.forward), change.rollback];
    let other = scripts
        .into_iter()
        .flatten()
        .any(|script| script.dialect != target.dialect());
    other.then(|| {
        let file = change
            .forward
            .statements()
            .first()
            .map_or("", |statement| statement.file.as_str());
        Finding::new(
            Reason::ArtifactInvalid,
            file,
            "the script was read for the other database; read it for this target",
        )
    })
}

fn not_in_a_transaction(change: Change<'_>) -> Finding {
    let file = change
        .forward
        .statements()
        .first()
        .map_or("", |statement| statement.file.as_str());
    let what = "CONCURRENTLY does not run in a transaction; plan it on a copy, and run its statements one by one";
    Finding::new(Reason::ArtifactInvalid, file, what)
}

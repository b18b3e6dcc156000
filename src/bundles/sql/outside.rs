//! Statements that PostgreSQL takes only outside a transaction: indexes built CONCURRENTLY.
//!
//! Each commits by itself, so nothing here can be taken back by dropping it. What failed leaves an invalid index, which is
//! dropped and named; what went beyond its declaration is taken back by the rollback script.

use std::collections::BTreeMap;
use std::time::Instant;

use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Postgres};

use super::catalog::{Look, own};
use super::compare::differences;
use super::failure::Failed;
use super::run::{Change, Planned, WayBack, look_for, unfit};
use super::script::{Mode, Script};
use super::session::{Patience, Pool, Target, limits, take_lock};
use crate::bundles::{Observed, Progress, Step};
use crate::rules::bundle::{Baseline, Declaration, DiffSummary, Finding, Reason, judge};
use crate::store::StoreError;

/// What came of statements that each committed by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// What was seen, as it is now committed, unless the way back was taken.
    pub observed: Observed,
    /// The statement that failed, if one did; those before it are done.
    pub failed: Option<Failed>,
    /// Indexes that a failed statement left half-made, and that were dropped.
    pub dropped: Vec<String>,
    /// How the way back turned out, where it was taken.
    pub way_back: Option<WayBack>,
}

/// Invalid indexes, by name and quoted name.
const INVALID: &str = "SELECT n.nspname || '.' || c.relname, format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_index i \
     JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid ORDER BY 1";

impl Target {
    /// Runs a script whose statements commit one by one, and takes it back when it fails or goes beyond its declaration.
    pub async fn apply_outside(
        &self,
        change: Change<'_>,
    ) -> Result<Result<Stepped, Vec<Finding>>, StoreError> {
        let refused = unfit(change, self).or_else(|| {
            let one_by_one = |script: &Script| script.mode() == Mode::Outside;
            let fits = one_by_one(change.forward) && change.rollback.is_none_or(one_by_one);
            let what =
                "only statements with CONCURRENTLY run one by one; the others run in a transaction";
            (!fits).then(|| Finding::new(Reason::ArtifactInvalid, "forward", what))
        });
        if let Some(refused) = refused {
            return Ok(Err(vec![refused]));
        }
        let mut steps = Steps::begin(self).await?;
        let pre = self.look_apart(change.declaration).await?;
        let stepped = self.step_through(&mut steps, change, &pre).await;
        steps.end().await?;
        stepped.map(Ok)
    }

    /// Tries such a script and its way back, on a copy.
    pub(super) async fn try_outside(&self, change: Change<'_>) -> Result<Planned, StoreError> {
        let mut steps = Steps::begin(self).await?;
        let pre = self.look_apart(change.declaration).await?;
        let begun = Instant::now();
        let failed = steps.run(change.forward).await?;
        if let Some(failed) = failed {
            return Ok(Planned::Failed(failed));
        }
        let took = begun.elapsed();
        let post = self.look_apart(change.declaration).await?;
        let way_back = match change.rollback {
            None => WayBack::None,
            Some(script) => {
                self.step_back(&mut steps, script, change.declaration, &pre.baseline)
                    .await?
            }
        };
        steps.end().await?;
        Ok(Planned::Tried {
            observed: Box::new(observed(change.declaration, &pre, &post, took)),
            way_back,
        })
    }

    /// Takes back, statement by statement, what commits one by one, and compares with the baseline that was recorded before it.
    pub async fn roll_back_outside(
        &self,
        declaration: &Declaration,
        script: &Script,
        recorded: &Baseline,
    ) -> Result<WayBack, StoreError> {
        let mut steps = Steps::begin(self).await?;
        let back = self
            .step_back(&mut steps, script, declaration, recorded)
            .await;
        steps.end().await?;
        back
    }

    async fn step_through(
        &self,
        steps: &mut Steps,
        change: Change<'_>,
        pre: &Look,
    ) -> Result<Stepped, StoreError> {
        let invalid_before = steps.invalid().await?;
        let begun = Instant::now();
        let failed = steps.run(change.forward).await?;
        let took = begun.elapsed();
        let mut dropped = Vec::new();
        for (name, sql) in steps.invalid().await? {
            if !invalid_before.contains_key(&name) {
                steps
                    .execute(format!("DROP INDEX CONCURRENTLY IF EXISTS {sql}"))
                    .await?;
                dropped.push(name);
            }
        }
        self.progress.tell(Step::Judge);
        let post = self.look_apart(change.declaration).await?;
        let observed = observed(change.declaration, pre, &post, took);
        let goes_back = failed.is_some() || !observed.findings.is_empty();
        let way_back = match change.rollback {
            Some(script) if goes_back => Some(
                self.step_back(steps, script, change.declaration, &pre.baseline)
                    .await?,
            ),
            None if goes_back => Some(WayBack::None),
            _ => None,
        };
        Ok(Stepped {
            observed,
            failed,
            dropped,
            way_back,
        })
    }

    async fn step_back(
        &self,
        steps: &mut Steps,
        script: &Script,
        declaration: &Declaration,
        recorded: &Baseline,
    ) -> Result<WayBack, StoreError> {
        let begun = Instant::now();
        if let Some(failed) = steps.run(script).await? {
            return Ok(WayBack::Failed(failed));
        }
        let took = begun.elapsed();
        let after = self.look_apart(declaration).await?;
        let found = differences(recorded, &after.baseline);
        Ok(if found.is_empty() {
            WayBack::Same { took }
        } else {
            WayBack::Differs(found)
        })
    }

    async fn look_apart(&self, declaration: &Declaration) -> Result<Look, StoreError> {
        let mut open = self.read().await?;
        let seen = look_for(&mut open, declaration).await?;
        open.roll_back().await?;
        Ok(seen)
    }
}

fn observed(
    declaration: &Declaration,
    pre: &Look,
    post: &Look,
    took: std::time::Duration,
) -> Observed {
    let rows = BTreeMap::new();
    let diff = DiffSummary::between(
        &declaration.migration_id,
        &pre.baseline,
        &post.baseline,
        &rows,
    );
    let findings = judge(declaration, &pre.baseline, &post.baseline, &diff);
    Observed {
        pre: pre.baseline.clone(),
        post: post.baseline.clone(),
        diff,
        rows,
        findings,
        took,
    }
}

/// A session that holds the bundle lock and runs one statement after the other.
struct Steps {
    connection: PoolConnection<Postgres>,
    patience: Patience,
    progress: Progress,
}

impl Steps {
    async fn begin(target: &Target) -> Result<Self, StoreError> {
        let Pool::Postgres(pool) = &target.pool else {
            return Err(sqlx::Error::WorkerCrashed.into());
        };
        let mut connection = pool.acquire().await?;
        // An index that is built waits for older transactions to end, and keeps nobody waiting meanwhile.
        let patience = Patience {
            lock: target.patience.statement,
            ..target.patience
        };
        sqlx::raw_sql(AssertSqlSafe(limits("SESSION", patience)))
            .execute(&mut *connection)
            .await?;
        take_lock(&mut connection, "SELECT pg_try_advisory_lock($1)").await?;
        Ok(Self {
            connection,
            patience,
            progress: target.progress.clone(),
        })
    }

    /// Runs a script up to the first statement that fails.
    async fn run(&mut self, script: &Script) -> Result<Option<Failed>, StoreError> {
        for (step, statement) in script.steps() {
            self.progress.tell(step);
            match self.execute(statement.text.clone()).await {
                Ok(()) => {}
                Err(sqlx::Error::Database(said)) => {
                    return Ok(Some(Failed::of(statement, &*said, self.patience)));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    async fn execute(&mut self, sql: String) -> Result<(), sqlx::Error> {
        sqlx::query(own(sql))
            .persistent(false)
            .execute(&mut *self.connection)
            .await
            .map(drop)
    }

    async fn invalid(&mut self) -> Result<BTreeMap<String, String>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(INVALID)
            .persistent(false)
            .fetch_all(&mut *self.connection)
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// Lets go of the lock by ending the session.
    async fn end(self) -> Result<(), StoreError> {
        self.connection.close().await?;
        Ok(())
    }
}

//! Runs a script in an open transaction, counts what it touches, looks again, and judges.

use std::collections::BTreeMap;
use std::time::Instant;

use sqlx::sqlite::SqliteConnection;

use super::catalog::{Look, look, own};
use super::compare::differences;
use super::failure::Failed;
use super::postgres;
use super::rows::{self, Counters, Touched};
use super::run::{WayBack, look_for};
use super::script::{Script, Statement};
use super::session::{Open, Stopped, Work};
use super::tally::{CannotTell, Tally};
use crate::bundles::{Observed, Step};
use crate::rules::bundle::{Declaration, DiffSummary, Finding, Reason, Scope, judge};
use crate::store::StoreError;

/// What a run without its transaction's end comes to.
pub(super) enum Outcome {
    Done(Box<Observed>, Look),
    Failed(Failed),
}

/// Runs a script, looks again, and judges what it did.
pub(super) async fn carry_out(
    work: &mut Work,
    script: &Script,
    declaration: &Declaration,
    pre: &Look,
) -> Result<Outcome, StoreError> {
    let mut count = Count::begin(work, pre).await?;
    work.open.run_own(postgres::OWN, "").await?;
    let begun = Instant::now();
    let mut untold = Vec::new();
    for (step, statement) in script.steps() {
        work.progress.tell(step);
        match work.run(statement).await {
            Ok(()) => {}
            Err(Stopped::Failed(failed)) => return Ok(Outcome::Failed(failed)),
            Err(Stopped::Lost(error)) => return Err(error),
        }
        if let Err(CannotTell(why)) = count.after(work, statement).await? {
            let path = format!("{}:{}", statement.file, statement.line);
            untold.push(Finding::new(
                Reason::LimitExceeded,
                path,
                format!("how many rows changed cannot be told: {why}"),
            ));
            break;
        }
    }
    let took = begun.elapsed();
    if let Some(failed) = settle(work, script).await? {
        return Ok(Outcome::Failed(failed));
    }
    work.progress.tell(Step::Judge);
    let mut post = look_for(&mut work.open, declaration).await?;
    let rows = count.finish(work, pre, &mut post).await?;
    let diff = DiffSummary::between(
        &declaration.migration_id,
        &pre.baseline,
        &post.baseline,
        &rows,
    );
    let mut findings = untold;
    // What was counted in part cannot be judged.
    if findings.is_empty() {
        findings = judge(declaration, &pre.baseline, &post.baseline, &diff);
        findings.extend(unseen(&mut work.open, declaration, &diff).await?);
    }
    let observed = Observed {
        pre: pre.baseline.clone(),
        post: post.baseline.clone(),
        diff,
        rows,
        findings,
        took,
    };
    Ok(Outcome::Done(Box::new(observed), post))
}

/// Lets what was put off be checked now, and makes sure that the transaction is still the runner's.
async fn settle(work: &mut Work, script: &Script) -> Result<Option<Failed>, StoreError> {
    let Some(last) = script.statements().last() else {
        return Ok(None);
    };
    if matches!(work.open, Open::Postgres(_)) {
        let all = Statement {
            text: "SET CONSTRAINTS ALL IMMEDIATE".to_owned(),
            ..last.clone()
        };
        match work.run(&all).await {
            Ok(()) => {}
            Err(Stopped::Failed(failed)) => return Ok(Some(failed)),
            Err(Stopped::Lost(error)) => return Err(error),
        }
    }
    if work.is_still_ours().await? {
        return Ok(None);
    }
    Ok(Some(Failed {
        file: last.file.clone(),
        line: last.line,
        code: String::new(),
        sentence: "the script left the transaction, the role or the settings in which it was begun"
            .to_owned(),
        hint:
            "what it committed is not taken back; look at the database, and take that statement out"
                .to_owned(),
        is_busy: false,
    }))
}

/// Finds what no comparison shows: foreign tables that were written to, and references that lead nowhere.
async fn unseen(
    open: &mut Open,
    declaration: &Declaration,
    diff: &DiffSummary,
) -> Result<Vec<Finding>, StoreError> {
    let path = &declaration.artifacts.summary;
    let elsewhere = |table| {
        let what = format!("{table} lies on another server, where rows cannot be counted");
        Finding::new(Reason::ScopeViolation, path, what)
    };
    let nowhere = |table| {
        let what = format!("rows of {table} refer to rows that are not there (foreign_key_check)");
        Finding::new(Reason::ArtifactInvalid, path, what)
    };
    Ok(match open {
        Open::Postgres(t) => rows::written_elsewhere(t)
            .await?
            .into_iter()
            .map(elsewhere)
            .collect(),
        Open::Sqlite(t) => dangling(t, &diff.touched_tables)
            .await?
            .into_iter()
            .map(nowhere)
            .collect(),
    })
}

/// Names tables whose rows refer to rows that are not there, among those touched and those that refer to them.
async fn dangling(
    connection: &mut SqliteConnection,
    touched: &[String],
) -> Result<Vec<String>, StoreError> {
    const REFERRING: &str = "SELECT DISTINCT m.name FROM main.sqlite_schema m, pragma_foreign_key_list(m.name, 'main') f \
         WHERE m.type = 'table' AND f.\"table\" = $1 COLLATE NOCASE";
    let mut tables = Vec::new();
    for table in touched {
        let bare = table
            .split_once('.')
            .map_or(table.as_str(), |(_, bare)| bare);
        tables.push(bare.to_owned());
        tables.extend(
            sqlx::query_scalar::<_, String>(REFERRING)
                .bind(bare)
                .fetch_all(&mut *connection)
                .await?,
        );
    }
    tables.sort();
    tables.dedup();
    let mut found = Vec::new();
    for table in tables {
        const IS_TABLE: &str =
            "SELECT COUNT(*) FROM main.sqlite_schema WHERE type = 'table' AND name = $1";
        let is_there: i64 = sqlx::query_scalar(IS_TABLE)
            .bind(&table)
            .fetch_one(&mut *connection)
            .await?;
        if is_there == 0 {
            continue;
        }
        let sql = format!(
            "PRAGMA main.foreign_key_check(\"{}\")",
            table.replace('"', "\"\"")
        );
        if sqlx::query(own(sql))
            .persistent(false)
            .fetch_optional(&mut *connection)
            .await?
            .is_some()
        {
            found.push(table);
        }
    }
    Ok(found)
}

/// Runs the rollback script in the transaction of the forward one, and compares definitions with those before both.
pub(super) async fn try_back(
    work: &mut Work,
    script: &Script,
    pre: &Look,
    scope: &Scope,
) -> Result<WayBack, StoreError> {
    work.open.run_own(postgres::OWN, "").await?;
    let begun = Instant::now();
    for statement in script.statements() {
        match work.run(statement).await {
            Ok(()) => {}
            Err(Stopped::Failed(failed)) => return Ok(WayBack::Failed(failed)),
            Err(Stopped::Lost(error)) => return Err(error),
        }
    }
    let took = begun.elapsed();
    if let Some(failed) = settle(work, script).await? {
        return Ok(WayBack::Failed(failed));
    }
    let after = look(&mut work.open, scope, 0).await?;
    let found = differences(&pre.baseline, &after.baseline);
    Ok(if found.is_empty() {
        WayBack::Same { took }
    } else {
        WayBack::Differs(found)
    })
}

/// Counts rows while a script runs, each database in its way.
enum Count {
    Postgres(Counters),
    Sqlite(Tally),
}

impl Count {
    async fn begin(work: &mut Work, pre: &Look) -> Result<Self, StoreError> {
        match (&mut work.open, &work.watch) {
            (Open::Postgres(t), _) => Ok(Self::Postgres(rows::counters(t).await?)),
            (Open::Sqlite(t), Some(watched)) => Ok(Self::Sqlite(
                Tally::begin(watched.0.clone(), t, &pre.held).await?,
            )),
            (Open::Sqlite(_), None) => Err(sqlx::Error::WorkerCrashed.into()),
        }
    }

    async fn after(
        &mut self,
        work: &mut Work,
        statement: &Statement,
    ) -> Result<Result<(), CannotTell>, StoreError> {
        match (self, &mut work.open) {
            (Self::Sqlite(tally), Open::Sqlite(t)) => tally.after(t, statement).await,
            _ => Ok(Ok(())),
        }
    }

    async fn finish(
        self,
        work: &mut Work,
        pre: &Look,
        post: &mut Look,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let observed: BTreeMap<i64, Touched> = match (self, &mut work.open) {
            (Self::Postgres(before), Open::Postgres(t)) => {
                rows::since(&before, &rows::counters(t).await?)
            }
            (Self::Sqlite(tally), _) => {
                let Look { held, rows, .. } = post;
                tally.finish(held, |earlier, now| {
                    Some((pre.rows.get(earlier)?.known(), rows.get(now)?.known()))
                })
            }
            (Self::Postgres(_), Open::Sqlite(_)) => return Err(sqlx::Error::WorkerCrashed.into()),
        };
        rows::touched(&mut work.open, pre, post, &observed).await
    }
}

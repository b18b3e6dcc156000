//! The driver for search on PostgreSQL full text, as `govdeck bundle driver search` speaks it.
//!
//! An index is a table of texts with their `tsvector`, a primary key and a GIN index; an alias is a view on one of them.
//! A change builds a new index beside the old one, fills it, and swaps the view, all in one transaction. The old index is
//! kept for a stated number of hours, in which swapping back is all that a way back takes.

mod baseline;
mod build;
mod connect;
mod script;

use std::collections::BTreeMap;
use std::future::Future;

use super::protocol::{Changed, Code, Plan, Said, Work};
use super::speak::Engine;
use crate::rules::bundle::{Baseline, Kind};
use crate::rules::bundle_run::Script;

use connect::Session;
use script::{Direction, Step};

/// The search driver.
#[derive(Debug, Clone, Copy, Default)]
pub struct Search;

impl Engine for Search {
    fn name(&self) -> &'static str {
        "govdeck-search-postgresql"
    }

    fn kind(&self) -> Kind {
        Kind::Search
    }

    fn baseline(&self, work: &Work) -> Result<Baseline, Said> {
        wait(async {
            let mut session = Session::open(work).await?;
            session.begin_looking().await?;
            let baseline = baseline::take(&mut session, work).await?;
            session.undo().await?;
            Ok(baseline)
        })
    }

    fn plan(&self, work: &Work) -> Result<Plan, Said> {
        let forward = read(&work.forward, Direction::Forward)?;
        let rollback = read(&work.rollback, Direction::Rollback)?;
        wait(async {
            let mut session = Session::open(work).await?;
            session.begin_rehearsal().await?;
            let pre = baseline::take(&mut session, work).await?;
            let mut done = Done::default();
            carry_out(&mut session, &forward, &mut done).await?;
            let post = baseline::take(&mut session, work).await?;
            let mut back = None;
            if !rollback.is_empty() {
                carry_out(&mut session, &rollback, &mut Done::default()).await?;
                back = Some(baseline::take(&mut session, work).await?);
            }
            session.undo().await?;
            let notes = windows(&forward);
            let rows = done.rows;
            Ok(Plan {
                pre,
                post,
                back,
                rows,
                notes,
            })
        })
    }

    fn apply(&self, work: &Work) -> Result<Changed, Said> {
        make(work, &read(&work.forward, Direction::Forward)?)
    }

    fn rollback(&self, work: &Work) -> Result<Changed, Said> {
        make(work, &read(&work.rollback, Direction::Rollback)?)
    }
}

/// What steps have done so far.
#[derive(Debug, Default)]
struct Done {
    rows: BTreeMap<String, u64>,
    notes: Vec<String>,
}

fn make(work: &Work, steps: &[Step]) -> Result<Changed, Said> {
    if steps.is_empty() {
        return Err(Said::new(Code::ScriptRefused, "there are no steps to take"));
    }
    wait(async {
        let mut session = Session::open(work).await?;
        session.begin().await?;
        let mut done = Done::default();
        carry_out(&mut session, steps, &mut done).await?;
        session.commit().await?;
        Ok(Changed {
            rows: done.rows,
            notes: done.notes,
        })
    })
}

async fn carry_out(session: &mut Session, steps: &[Step], done: &mut Done) -> Result<(), Said> {
    for step in steps {
        match step {
            Step::Build(build) => build::build(session, build, done).await?,
            Step::Alias(alias) => build::alias(session, alias, done).await?,
            Step::Drop(drop) => build::drop(session, drop, done).await?,
        }
    }
    Ok(())
}

fn read(scripts: &[Script], direction: Direction) -> Result<Vec<Step>, Said> {
    let mut steps = Vec::new();
    for script in scripts {
        steps.extend(script::read(script)?);
    }
    script::check(&steps, direction)?;
    Ok(steps)
}

/// Says for how long old indexes stay.
fn windows(steps: &[Step]) -> Vec<String> {
    let window = |step: &Step| match step {
        Step::Alias(alias) => {
            let (old, hours) = (alias.from.as_ref()?, alias.keep_old_hours?);
            Some(format!(
                "{old} is kept for {hours} hours after the swap of {}; until then the way back is a swap",
                alias.name
            ))
        }
        _ => None,
    };
    steps.iter().filter_map(window).collect()
}

/// A driver does one thing and ends, so it waits here.
fn wait<T>(work: impl Future<Output = Result<T, Said>>) -> Result<T, Said> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Said::new(Code::Internal, format!("the driver cannot start: {error}")))?
        .block_on(work)
}

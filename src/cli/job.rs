//! `govdeck job`: unattended work, one subcommand for each file of `src/jobs/`.

use clap::Subcommand;
use serde_json::json;

use super::page::{Exit, Failure, Page};
use crate::jobs::drop_leaves;
use crate::store::Store;

/// Which work to do; doing it again does no harm.
#[derive(Debug, Subcommand)]
pub(super) enum Job {
    /// Drop the leaves of runs that passed more than seven days ago; once a day is enough.
    DropLeaves,
}

impl Job {
    pub(super) async fn run(self, store: &Store) -> Result<Page, Failure> {
        match self {
            Self::DropLeaves => drop_leaves(store).await,
        }
    }
}

async fn drop_leaves(store: &Store) -> Result<Page, Failure> {
    let done = drop_leaves::run(store).await?;
    let line = format!("dropped the leaves of {} sides", done.dropped);
    Ok(Page::new(
        Exit::Done,
        vec![line],
        "job-drop-leaves",
        json!(done),
    ))
}

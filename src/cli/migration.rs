//! `govdeck migration`: the migration of the metric dictionary.

use clap::Subcommand;

use super::migration_expand::Expand;
use super::page::{Failure, Page};
use crate::settings::Settings;
use crate::store::Store;

/// What to do with a migration of the dictionary.
#[derive(Debug, Subcommand)]
pub(super) enum Migration {
    /// Write the bundles that add the new columns, the views over the pairs, and the index on what differs.
    Expand(Expand),
}

impl Migration {
    pub(super) async fn run(self, store: &Store, settings: &Settings) -> Result<Page, Failure> {
        match self {
            Self::Expand(verb) => verb.run(store, &settings.governance_root).await,
        }
    }
}

//! `govdeck cite`: the way back from a number to its meaning, its rows and its hashes.

use clap::Args;
use serde_json::json;

use super::page::{Exit, Failure, Page};
use crate::readback::chain;
use crate::rules::readback::Citation;
use crate::settings::Settings;
use crate::store::Store;

/// Follow a number to its source.
#[derive(Debug, Args)]
pub(super) struct Cite {
    /// The tuple revision, as the number cites it.
    hash: String,
    /// The metric.
    metric: String,
}

impl Cite {
    pub(super) async fn run(self, store: &Store, settings: &Settings) -> Result<Page, Failure> {
        let cites = Citation::new(&self.metric, &self.hash)
            .map_err(|refusal| Failure::new(Exit::BadInput, refusal.sentence, refusal.hint))?;
        let mut view = store.view().await?;
        let chain = chain(&mut view, &settings.governance_root, cites).await?;
        let exit = if chain.is_whole() {
            Exit::Done
        } else {
            Exit::CannotTell
        };
        Ok(Page::new(
            exit,
            chain.lines(),
            "cite",
            json!({"chain": chain}),
        ))
    }
}

//! `govdeck why ACTION ID`: every condition of an action, met or not.

use std::path::Path;

use clap::{ArgMatches, Command, FromArgMatches, Subcommand};
use serde_json::json;

use super::act::{Flavour, asked, augment, condition_line};
use super::page::{Exit, Failure, Page};
use crate::actions::{self, Asked, Signing};
use crate::jobs::outside;
use crate::rules::Verdict;
use crate::signing::Signer;
use crate::store::{Store, migration};

/// An action to explain.
#[derive(Debug)]
pub(super) struct Why {
    verb: &'static str,
    asked: Asked,
}

impl FromArgMatches for Why {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (entry, asked, _) = asked(matches)?;
        Ok(Self {
            verb: entry.verb,
            asked,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for Why {
    fn augment_subcommands(command: Command) -> Command {
        augment(command, Flavour::Why)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        augment(command, Flavour::Why)
    }

    fn has_subcommand(name: &str) -> bool {
        actions::find(name).is_ok()
    }
}

impl Why {
    pub(super) async fn run(
        self,
        store: &Store,
        root: &Path,
        signer: Option<&Signer>,
    ) -> Result<Page, Failure> {
        let mut asked = self.asked.with_signing(Signing::with(signer));
        if asked.target.is_empty() {
            let newest = migration::newest_open(&mut store.view().await?).await?;
            asked.target = newest.map(|it| it.migration_id).unwrap_or_default();
        }
        let seen = outside::seen(store, root, self.verb, &asked.target).await?;
        asked.prepared.extend(seen);
        let proposal = actions::propose(&mut store.view().await?, self.verb, asked).await?;
        let verdict = Verdict::all(
            proposal
                .conditions()
                .iter()
                .map(|condition| condition.verdict),
        );
        let lines = proposal.conditions().iter().map(condition_line).collect();
        let json = json!({
            "action": proposal.entry().name(), "target": proposal.target().id, "verdict": verdict,
            "conditions": proposal.conditions(),
        });
        Ok(Page::new(Exit::from(verdict), lines, "why", json))
    }
}

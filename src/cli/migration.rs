//! `govdeck migration`: migrations of the dictionary, how they stand, and what their gates rest on.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::act::Act;
use super::hash;
use super::key::Answered;
use super::migration_expand::Expand;
use super::migration_report as report;
use super::migration_watch::reversible_page;
use super::page::{Exit, Failure, Page};
use super::sign::Pen;
use crate::actions::Asked;
use crate::jobs::reversible::{self, WayBack};
use crate::rules::permission;
use crate::settings::Settings;
use crate::store::migration::{self, Known};
use crate::store::{Access, Store, View};

/// The largest impact matrix or allow-list that is read.
const MOST_BYTES: u64 = 1024 * 1024;

/// What to do with migrations.
#[derive(Debug, Subcommand)]
pub(super) enum Migrations {
    /// Open a migration between two releases of the dictionary, with its impact matrix.
    New {
        /// Its id, as mig-2026-05-14.
        id: String,
        /// The release before.
        #[arg(long, value_name = "SEMVER")]
        from: String,
        /// The release after.
        #[arg(long, value_name = "SEMVER")]
        to: String,
        /// The file with the impact matrix.
        #[arg(long, value_name = "FILE")]
        matrix: PathBuf,
        /// The metrics that must not get lost, with commas between them.
        #[arg(long, value_name = "IDS", default_value = "")]
        protected: String,
        #[command(flatten)]
        answer: Answered,
    },
    /// Attach the impact matrix anew.
    Matrix {
        /// The migration.
        id: String,
        /// The file with the impact matrix.
        file: PathBuf,
        #[command(flatten)]
        answer: Answered,
    },
    /// Register the allow-list of a phase.
    Allowlist {
        /// The migration.
        id: String,
        /// The file with the allow-list.
        file: PathBuf,
        #[command(flatten)]
        answer: Answered,
    },
    /// Write the bundles that add the new columns, the views over the pairs, and the index on what differs.
    Expand(Expand),
    /// List the migrations.
    List,
    /// Show how a migration stands: phase, gates, clean hours, pairs, allow-lists and moves.
    Show {
        /// The migration; the one under way when left out.
        id: Option<String>,
    },
    /// Tell whether a migration can be taken back, until when, and what would break the way back first.
    Reversible {
        /// The migration; the one under way when left out.
        id: Option<String>,
    },
    /// List what was found for the gates of a migration; `artifact get` writes the documents.
    Evidence {
        /// The migration; the one under way when left out.
        id: Option<String>,
    },
}

impl Migrations {
    pub(super) fn access(&self) -> Access {
        match self {
            Self::New { answer, .. }
            | Self::Matrix { answer, .. }
            | Self::Allowlist { answer, .. } => answer.access(),
            Self::Expand(_)
            | Self::List
            | Self::Show { .. }
            | Self::Reversible { .. }
            | Self::Evidence { .. } => Access::Read,
        }
    }

    pub(super) async fn run(
        self,
        store: &Store,
        settings: &Settings,
        pen: &Pen,
    ) -> Result<Page, Failure> {
        match self {
            Self::New {
                id,
                from,
                to,
                matrix,
                protected,
                answer,
            } => {
                let act = Act {
                    verb: permission::OPEN_MIGRATION.verb,
                    asked: Asked::of(id)
                        .with("from", from)
                        .with("to", to)
                        .with("matrix", read(&matrix)?)
                        .with("protected", protected),
                    go: answer.go(),
                };
                act.run(store, pen).await
            }
            Self::Matrix { id, file, answer } => {
                let act = Act {
                    verb: permission::ATTACH_MATRIX.verb,
                    asked: Asked::of(id).with("matrix", read(&file)?),
                    go: answer.go(),
                };
                act.run(store, pen).await
            }
            Self::Allowlist { id, file, answer } => {
                let act = Act {
                    verb: permission::REGISTER_ALLOWLIST.verb,
                    asked: Asked::of(id).with("document", read(&file)?),
                    go: answer.go(),
                };
                act.run(store, pen).await
            }
            Self::Expand(verb) => verb.run(store, &settings.governance_root).await,
            Self::List => report::list(&mut store.view().await?).await,
            Self::Show { id } => {
                let known = one(&mut store.view().await?, id).await?;
                report::show(store, settings, &known).await
            }
            Self::Reversible { id } => {
                let known = one(&mut store.view().await?, id).await?;
                Ok(reversible_page(
                    &known.migration.migration_id,
                    &reversible::look(store, &WayBack::of(settings), &known).await?,
                ))
            }
            Self::Evidence { id } => {
                let mut view = store.view().await?;
                let known = one(&mut view, id).await?;
                report::evidence(&mut view, &known).await
            }
        }
    }
}

pub(super) fn read(path: &Path) -> Result<String, Failure> {
    let bytes = hash::read_at_most(MOST_BYTES, Some(path))?;
    String::from_utf8(bytes).map_err(|_| {
        Failure::new(
            Exit::BadInput,
            format!("{} is not UTF-8", path.display()),
            "save it as UTF-8",
        )
    })
}

/// Reads a migration: the named one, or the one that people look at first.
pub(super) async fn one(view: &mut View, id: Option<String>) -> Result<Known, Failure> {
    let id = match id {
        Some(id) => id,
        None => migration::newest_open(view)
            .await?
            .map(|newest| newest.migration_id)
            .unwrap_or_default(),
    };
    let known = migration::known(view, &id).await?;
    known.ok_or_else(|| {
        let said = if id.is_empty() {
            "there is no migration yet".to_owned()
        } else {
            format!("there is no migration {id:?}")
        };
        Failure::new(Exit::CannotTell, said, "open one: govdeck migration new")
    })
}

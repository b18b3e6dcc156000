//! `govdeck key`: the keys that people sign decision cards with.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::act::{Act, Go};
use super::page::{Exit, Failure, Page};
use super::sign::Pen;
use crate::actions::Asked;
use crate::rules::guard::Answer;
use crate::rules::permission;
use crate::signing::Source;
use crate::store::key::{self, PersonKey};
use crate::store::{Access, Store};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Add a key of yours: an ed25519 key, or one on a security key.
    Add {
        /// The key's file, public or private; only its public half is read.
        file: PathBuf,
        #[command(flatten)]
        answer: Answered,
    },
    /// List everybody's keys, the revoked ones too.
    List,
    /// Revoke a key; what it signed before stays signed.
    Revoke {
        /// Its fingerprint, as `key list` prints it.
        fingerprint: String,
        #[command(flatten)]
        answer: Answered,
    },
}

/// The answer that a guarded action asks for.
#[derive(Debug, Args)]
pub(super) struct Answered {
    /// The exact phrase that is shown when it is left out.
    #[arg(long, value_name = "PHRASE", requires = "reason")]
    confirm: Option<String>,
    /// Why; it goes into the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Write nothing yet: wait for a signature over the decision card.
    #[arg(long, requires = "confirm")]
    sign_elsewhere: bool,
}

impl Answered {
    /// Looks where nothing is confirmed, else does.
    pub(super) fn go(self) -> Go {
        let Some(typed) = self.confirm else {
            return Go::DryRun;
        };
        let reason = self.reason;
        let answer = Answer { typed, reason };
        if self.sign_elsewhere {
            Go::SignElsewhere(answer)
        } else {
            Go::Confirm(answer)
        }
    }

    pub(super) fn access(&self) -> Access {
        if self.confirm.is_some() && !self.sign_elsewhere {
            Access::Write
        } else {
            Access::Read
        }
    }
}

impl Key {
    pub(super) fn access(&self) -> Access {
        match self {
            Self::List => Access::Read,
            Self::Add { answer, .. } | Self::Revoke { answer, .. } => answer.access(),
        }
    }

    pub(super) async fn run(self, store: &Store, pen: &Pen) -> Result<Page, Failure> {
        let act = match self {
            Self::List => return list(store).await,
            Self::Add { file, answer } => {
                let source = Source::at(&file)?;
                let key = source.key();
                Act {
                    verb: permission::ADD_KEY.verb,
                    asked: Asked::of(key.fingerprint()).with("key", key.to_line()),
                    go: answer.go(),
                }
            }
            Self::Revoke {
                fingerprint,
                answer,
            } => Act {
                verb: permission::REVOKE_KEY.verb,
                asked: Asked::of(fingerprint),
                go: answer.go(),
            },
        };
        act.run(store, pen).await
    }
}

async fn list(store: &Store) -> Result<Page, Failure> {
    let keys = key::all(&mut store.view().await?).await?;
    let line = |key: &PersonKey| {
        let stands = match (&key.revoked_by, key.revoked_at_utc) {
            (Some(by), Some(at)) => format!("REVOKED by {by} at {at}"),
            _ => format!("valid since {}", key.added_at_utc),
        };
        format!("{} {} {stands}", key.person_id, key.fingerprint)
    };
    let mut lines: Vec<_> = keys.iter().map(line).collect();
    if lines.is_empty() {
        lines.push("nobody has a key yet; add yours with: govdeck key add FILE".to_owned());
    }
    Ok(Page::new(
        Exit::Done,
        lines,
        "key-list",
        json!({"keys": keys}),
    ))
}

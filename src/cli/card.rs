//! `govdeck card`: decision cards that are signed elsewhere, from the first yes to the ledger.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use nix::libc;
use serde_json::{Value, json};

use super::act::{finished, settle};
use super::artifact::write_read_only;
use super::page::{Exit, Failure, Page};
use super::waiting::{Waiting, limited};
use crate::actions::{self, Outcome, PutAside};
use crate::jobs::outside;
use crate::signing::Signature;
use crate::store::{Store, deployment, ledger};

const LARGEST_SIGNATURE: u64 = 64 * 1024;

/// What to do with cards that wait for a signature.
#[derive(Debug, Subcommand)]
pub(super) enum Card {
    /// List what was confirmed with --sign-elsewhere and waits for its signature.
    List,
    /// Write the card that is to be signed into a read-only file.
    Export {
        /// The ticket.
        ticket: String,
        /// The new file.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Do what was confirmed, with the signature over its card.
    Attach {
        /// The ticket.
        ticket: String,
        /// The file that `ssh-keygen -Y sign` wrote.
        signature: PathBuf,
    },
    /// Forget what was confirmed; nothing of it was ever written.
    Drop {
        /// The ticket.
        ticket: String,
    },
}

impl Card {
    /// Tells whether it needs no database.
    pub(super) fn is_local(&self) -> bool {
        !matches!(self, Self::Attach { .. })
    }

    pub(super) fn run_without_store(self, waiting: &Waiting) -> Result<Page, Failure> {
        match self {
            Self::Export { ticket, to } => export(waiting, &ticket, &to),
            Self::Drop { ticket } => {
                waiting.remove(&ticket)?;
                let line = format!("dropped: {ticket}; nothing of it was ever written");
                let json = json!({"ticket": ticket});
                Ok(Page::new(Exit::Done, vec![line], "card-drop", json))
            }
            Self::List | Self::Attach { .. } => list(waiting),
        }
    }

    pub(super) async fn run(
        self,
        store: &Store,
        root: &Path,
        waiting: &Waiting,
    ) -> Result<Page, Failure> {
        match self {
            Self::Attach { ticket, signature } => {
                attach(store, root, waiting, &ticket, &signature).await
            }
            local => local.run_without_store(waiting),
        }
    }
}

fn list(waiting: &Waiting) -> Result<Page, Failure> {
    let (mut lines, mut cards) = (Vec::new(), Vec::new());
    for ticket in waiting.tickets()? {
        let (line, card) = match waiting.read(&ticket) {
            Ok(request) => described(&request),
            Err(failure) => {
                let why = failure.sentence();
                let json = json!({"ticket": ticket, "unreadable": why});
                (format!("{ticket} cannot be read: {why}"), json)
            }
        };
        lines.push(line);
        cards.push(card);
    }
    if lines.is_empty() {
        lines.push("nothing waits for a signature".to_owned());
    }
    let json = json!({"cards": cards});
    Ok(Page::new(Exit::Done, lines, "card-list", json))
}

fn described(request: &PutAside) -> (String, Value) {
    let (ticket, verb, target) = (request.ticket(), request.verb(), request.target());
    let (actor, deployment) = (request.actor(), request.deployment());
    let reason = request.reason().unwrap_or("no reason");
    let line = format!("{ticket} {verb} {target} by {actor}, for {deployment}: {reason}");
    let json = json!({
        "ticket": ticket, "action": verb, "target": target, "actor": actor, "reason": request.reason(),
        "deployment": deployment, "deployment_id": request.deployment_id(),
    });
    (line, json)
}

fn export(waiting: &Waiting, ticket: &str, to: &Path) -> Result<Page, Failure> {
    let request = waiting.read(ticket)?;
    let card = request.card();
    write_read_only(to, card).map_err(|error| Failure::of_file(to, &error))?;
    let path = to.display().to_string();
    let line = format!("{} bytes written to {path}", card.len());
    let json = json!({"ticket": ticket, "path": path, "size": card.len()});
    Ok(Page::new(Exit::Done, vec![line], "card-export", json))
}

fn read_signature(path: &Path) -> Result<Signature, Failure> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path);
    let bytes = file.and_then(|file| limited(file, LARGEST_SIGNATURE));
    let bytes = bytes.map_err(|error| Failure::of_file(path, &error))?;
    Ok(Signature::parse(&String::from_utf8_lossy(&bytes))?)
}

async fn attach(
    store: &Store,
    root: &Path,
    waiting: &Waiting,
    ticket: &str,
    signature: &Path,
) -> Result<Page, Failure> {
    let put_aside = waiting.read(ticket)?;
    let signature = read_signature(signature)?;
    let mut view = store.view().await?;
    put_aside.check_place(&deployment::read(&mut view).await?)?;
    let request = put_aside.signed(&signature)?;
    // Another key, or the right person, may still come: that refusal is not the end of it.
    if ledger::by_ticket(&mut view, ticket).await?.is_none() {
        actions::check_sender(&mut view, &request).await?;
    }
    drop(view);
    let request = outside::seen_again(store, root, request).await?;
    let name = request.verb().replace('_', "-");
    let proposal = request.proposes().map(str::to_owned);
    let outcome = actions::carry_out(store, request).await;
    let is_refused = matches!(outcome, Outcome::Refused(_));
    let ended = settle(store, outcome).await;
    if (is_refused || ended.is_ok())
        && let Err(failure) = waiting.remove(ticket)
    {
        tracing::warn!(
            why = failure.sentence(),
            "a request that is over still waits"
        );
    }
    Ok(finished(&name, ticket, proposal.as_deref(), &ended?))
}

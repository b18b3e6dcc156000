//! Unattended work, one file a job: what a timer runs again and again, without anybody at the keys.
//!
//! May import every floor before it. A job looks, computes and reads files outside of any transaction, and writes in short
//! ones: what is governed by an action of a rule, a feed through the store. Run twice, at once or too late it does no
//! harm. It returns what it has done; it never prints, asks a person, or waits for its next turn: `cli/job.rs` has one
//! subcommand for each, and whoever runs that says when.

pub mod below_root;
pub mod bind;
pub mod bundle;
pub mod drop_leaves;
pub mod due;
pub mod fingerprint;
pub mod hour;
pub mod outside;
pub mod probe;
pub mod reconcile;
pub mod rehearsal;
pub mod replay;
pub mod reversible;
pub mod scan;
mod side;
pub mod trigger;
pub mod variance;

use crate::actions::{self, Outcome, Request, Stop};
use crate::store::{Sealed, Store};

/// Carries out what a rule asked for.
pub async fn done(store: &Store, request: Request) -> Result<Sealed, Stop> {
    written(store, actions::carry_out(store, request).await).await
}

/// Takes what became of a request; an outcome that is unknown is looked up by its ticket.
async fn written(store: &Store, outcome: Outcome) -> Result<Sealed, Stop> {
    match outcome {
        Outcome::Done(sealed) => Ok(sealed),
        Outcome::Refused(refusal) => Err(Stop::Refused(refusal)),
        Outcome::Failed(error) => Err(Stop::Store(error)),
        Outcome::Unknown { ticket, cause } => match store.resolve(&ticket).await? {
            Some(entry) => Ok(entry.into()),
            None => Err(Stop::Store(cause)),
        },
    }
}

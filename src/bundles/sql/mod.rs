//! Plans, carries out and takes back SQL changes on PostgreSQL and SQLite, and says what was observed of them.
//!
//! It knows nothing of claims, ledger, receipts or approvals: it is given a declaration, the texts of scripts and a target,
//! and hands back baselines, diffs, findings and a transaction that waits for its commit. Besides the store this is the only
//! place that knows sqlx, because the statements of a bundle are nobody's here.

mod carry;
mod catalog;
mod compare;
mod copy;
mod failure;
mod forbidden;
mod outside;
mod postgres;
mod rows;
mod run;
mod script;
mod session;
mod sqlite;
mod tally;
mod tokens;
mod watch;

pub use compare::{Difference, differences};
pub use failure::Failed;
pub use outside::Stepped;
pub use run::{Applied, Change, Place, Planned, Ready, RolledBack, WayBack};
pub use script::{Mode, Script, Statement};
pub use session::{Open, Patience, Target};
pub use tokens::Dialect;

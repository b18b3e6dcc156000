//! Governed bundles outside the ledger: what reads their folders and talks to their targets.
//!
//! It may import `canon`, `rules`, `clock`, `settings` and `store`. A folder is walked by its open handles, and nothing in it
//! is followed elsewhere. It decides nothing: what it observes is judged in `rules::bundle`, and what follows from that is
//! written by `actions`.

pub mod driver;
pub mod expand;
pub mod folder;
pub mod gather;
mod observed;
mod progress;
pub mod scaffold;
pub mod sql;

pub use observed::Observed;
pub use progress::{Progress, Step};

//! Governed bundles outside the ledger: what reads their folders and talks to their targets.
//!
//! It may import `canon`, `rules`, `clock`, `settings` and `store`. It decides nothing: what it observes is judged in
//! `rules::bundle`, and what follows from that is written by `actions`.

pub mod sql;

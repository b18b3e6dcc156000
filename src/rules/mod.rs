//! Every decision, as pure functions over plain values.
//!
//! A rule takes values and returns a verdict; it never asks a database, a file, an environment or a clock.
//! It may import `canon` and `clock`. Whatever a rule cannot establish is *cannot tell*, never a pass.

mod words;

pub mod allowlist;
pub mod approval;
pub mod attestation;
pub mod bind;
pub mod block;
pub mod bundle;
pub mod bundle_run;
pub mod cadence;
pub mod condition;
pub mod delivery;
pub mod dictionary;
pub mod drift;
pub mod drill;
pub mod faq;
pub mod filter;
pub mod governance;
pub mod guard;
pub mod lease;
pub mod migration;
pub mod mint;
pub mod people;
pub mod permission;
pub mod readback;
pub mod reconcile;
pub mod refusal;
pub mod release;
pub mod route;
pub mod semver;
pub mod text;
pub mod time;
pub mod week;

pub use condition::{Condition, Verdict};
pub use refusal::Refusal;
pub(crate) use words::words;

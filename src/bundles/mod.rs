//! Governed migrations: reads bundles, and talks to the stores that they change.
//!
//! May import `canon`, `rules`, `clock`, `settings` and `store`. It decides nothing: what was observed is judged by
//! `rules::bundle`.

pub mod driver;

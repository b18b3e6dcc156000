//! Governed bundles: how far each has come, what was planned where, and every run with its receipt.

mod list;
mod looks;
mod rows;

pub use list::{BUNDLE_FIELDS, BundleSort, Listed, listed};
pub use looks::{
    Count, Known, Piece, all_running, counts, files, find, known, led_back, named, pieces, plans,
    registered, run, running, runs,
};
pub use rows::{Bundle, Plan, Run};

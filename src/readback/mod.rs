//! Numbers for people who did not see how they came about: a week's readback, and the way back from each number.
//!
//! May import every floor before it. It reads, and reads files below the governance root; it never writes. What it shows
//! it takes from runs that have ended, and from nowhere else.

mod chain;
mod gather;
mod source;

pub use chain::{Chain, Link, Published, chain};
pub use gather::gather;
pub use source::{Row, Source};

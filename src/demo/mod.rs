//! The demo: a deployment with a story in it that goes on by itself, for whoever wants to see before they install.
//!
//! May import `canon`, `rules`, `clock`, `settings`, `store`, `bundles`, `actions` and `jobs`. What is governed is written through the same
//! door as everywhere: proposed, confirmed and carried out as the person who does it. The story is told by a number:
//! the same seed tells the same story. Nobody ever acts for whoever has the seat.

mod beat;
pub mod chapters;
mod deeds;
mod dice;
mod expansion;
mod export;
mod files;
mod happen;
mod story;
mod world;

pub use beat::{Beat, Deed, Run, When};
pub use dice::Dice;
pub use expansion::Making;
pub use export::Export;
pub use files::root_of;
pub use story::Story;
pub use world::World;

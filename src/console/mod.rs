//! The terminal console: event → model → effect → link → store → picture → event.
//!
//! Whoever reads `shell`, `model`, one action and one pane has seen it all. `update` is synchronous and pure, `draw`
//! takes the model by reference, and nothing in the loop waits for the database. May import every floor above but the
//! command line. It writes nothing governed past the one door, and shows no text that was not scrubbed.

pub mod agent_sight;
pub mod arming;
mod boxes;
pub mod bundle_sight;
pub mod chart;
pub mod detail;
pub mod dialog;
pub mod drawn;
mod editor;
pub mod event;
pub mod form;
mod guard_box;
mod guard_text;
mod intend;
mod kept;
pub mod keymap;
mod keys;
pub mod link;
pub mod list;
pub mod live;
pub mod migration_sight;
pub mod model;
pub mod newcomer;
pub mod overlay;
pub mod panes;
pub mod past_sight;
pub mod picture;
mod plain;
mod possible;
mod press;
mod problem;
mod proof;
pub mod prose;
mod reading;
pub mod running;
pub mod screen;
mod shell;
mod sign;
mod signals;
pub mod spread_sight;
pub mod stroke;
pub mod table;
mod tabs;
mod terminal;
pub mod theme;
mod times;
pub mod topics;
pub mod tour;
pub mod ui;
mod user_file;
pub mod way_back;

/// The action that lets this console write.
pub(crate) const ARM: &str = "arm_console";

pub use plain::{PlainEnd, run as plain};
pub use shell::{Ended, Ending, Opening, run};
pub use terminal::is_there as has_terminal;
pub use terminal::size as terminal_size;
pub use user_file::FileError;

//! The terminal console. So far there is its theme room.
//!
//! May import every floor above but the command line. It never prints, and never writes anything governed past the one
//! door.

pub mod theme;

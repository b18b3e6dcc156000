//! Governed migration bundles where they lie: folders are read and begun here.
//!
//! May import everything before it. A folder is walked by its open handles, and nothing in it is followed elsewhere; what
//! was read is judged by `rules::bundle`. It writes only what it makes anew.

pub mod folder;
pub mod gather;
pub mod scaffold;

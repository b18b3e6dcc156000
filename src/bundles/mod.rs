//! Governed migration bundles where they lie and where they run: folders are read and begun here, and targets talked to.
//!
//! May import everything before it. A folder is walked by its open handles, and nothing in it is followed elsewhere; what
//! was read and what was observed is judged by `rules::bundle`. It writes only what it makes anew, and what a script does.

pub mod folder;
pub mod gather;
pub mod scaffold;
pub mod sql;

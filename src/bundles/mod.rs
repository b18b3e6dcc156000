//! Governed migration bundles where they lie, and the stores that they change: folders are read and begun here, drivers asked.
//!
//! May import everything before it. A folder is walked by its open handles, and nothing in it is followed elsewhere; what
//! was read or observed is judged by `rules::bundle`. In a folder it writes only what it makes anew.

pub mod driver;
pub mod folder;
pub mod gather;
pub mod scaffold;

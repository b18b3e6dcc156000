//! Actions of the migration of the dictionary.

mod close_deficiency;
mod open_deficiency;

pub(super) use close_deficiency::CloseDeficiency;
pub(super) use open_deficiency::OpenDeficiency;

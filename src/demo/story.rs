//! Which stories can be told: who sits in them, how long they have gone on when they open, and how fast they go.

use super::chapters::people::{LEAD, SEATS};
use super::chapters::{self, Chapter};
use crate::rules::words;

words! {
    /// A story.
    pub enum Story {
        /// Days of a team that publishes: runs are stopped, weeks are compared, releases follow each other.
        Everyday = "everyday",
        /// A migration whose two halves are compared: pipelines forget one, and fixes land.
        DualWrite = "dual-write",
        /// A migration that is ready for the hour of its cutover.
        Cutover = "cutover",
    }
}

impl Story {
    /// Returns what a deployment is called that it is told in; a demo is known again by it.
    #[must_use]
    pub const fn deployment(self) -> &'static str {
        match self {
            Self::Everyday => "gov-demo",
            Self::DualWrite => "gov-demo-dual-write",
            Self::Cutover => "gov-demo-cutover",
        }
    }

    /// Returns how many seconds have passed in it when it opens.
    #[must_use]
    pub const fn history(self) -> i64 {
        match self {
            Self::Everyday => 3 * 3_600,
            Self::DualWrite | Self::Cutover => chapters::dual_write::OPENS,
        }
    }

    /// Returns how many times as fast as real time it goes, where nobody says otherwise.
    #[must_use]
    pub const fn speed(self) -> u32 {
        match self {
            Self::Everyday => 10,
            // At the keys there is a scan every two minutes, and fifteen minutes to hear of a lock take half a one.
            Self::DualWrite | Self::Cutover => 30,
        }
    }

    /// Tells whether it has files, which lie beside its database.
    #[must_use]
    pub const fn has_files(self) -> bool {
        !matches!(self, Self::Everyday)
    }

    /// Lists whose seat can be taken: days of it are told before anybody sits down, and never in their name.
    #[must_use]
    pub const fn seats(self) -> &'static [&'static str] {
        match self {
            Self::Everyday => SEATS,
            Self::DualWrite | Self::Cutover => &[LEAD],
        }
    }

    /// Lists its chapters; of what happens in the same second, the earlier chapter's comes first.
    #[must_use]
    pub const fn chapters(self) -> &'static [Chapter] {
        match self {
            Self::Everyday => chapters::EVERYDAY,
            Self::DualWrite => chapters::DUAL_WRITE,
            Self::Cutover => chapters::CUTOVER,
        }
    }
}

//! Which stories can be told: who sits in them, how long they have gone on when they open, and how fast they go.

use super::chapters::people::{LEAD, SEATS};
use super::chapters::{self, Chapter};
use crate::rules::words;

words! {
    /// A story.
    pub enum Story {
        /// Days of a team that publishes: runs are stopped, weeks are compared, releases follow each other.
        Everyday = "everyday",
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
            Self::Cutover => "gov-demo-cutover",
        }
    }

    /// Returns how many seconds have passed in it when it opens.
    #[must_use]
    pub const fn history(self) -> i64 {
        match self {
            Self::Everyday => 3 * 3_600,
            Self::Cutover => chapters::cutover::OPENS,
        }
    }

    /// Returns how many times as fast as real time it goes, where nobody says otherwise.
    #[must_use]
    pub const fn speed(self) -> u32 {
        match self {
            Self::Everyday => 10,
            // Everybody has fifteen minutes to hear of a lock: half a minute at the keys.
            Self::Cutover => 30,
        }
    }

    /// Lists whose seat can be taken: days of it are told before anybody sits down, and never in their name.
    #[must_use]
    pub const fn seats(self) -> &'static [&'static str] {
        match self {
            Self::Everyday => SEATS,
            Self::Cutover => &[LEAD],
        }
    }

    /// Lists its chapters; of what happens in the same second, the earlier chapter's comes first.
    #[must_use]
    pub const fn chapters(self) -> &'static [Chapter] {
        match self {
            Self::Everyday => chapters::EVERYDAY,
            Self::Cutover => chapters::CUTOVER,
        }
    }
}

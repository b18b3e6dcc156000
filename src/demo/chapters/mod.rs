//! The chapters of the story, one file each; they only tell what happens when, and the world lets it happen.
//!
//! A new chapter is a file with a function like the others, and a row in the list of a story.

pub mod approvals;
pub mod bundles;
pub mod cutover;
pub mod dictionary;
pub mod dual_write;
pub mod etl;
pub mod migration;
pub(super) mod papers;
pub mod people;
pub mod publish;
pub mod weeks;

use std::ops::Range;

use super::beat::{Beat, Deed, When};
use super::story::Story;
use crate::actions::Asked;

/// Tells what happens in some seconds of the story; always the same for the same seed.
pub type Chapter = fn(seed: u32, seconds: &Range<i64>) -> Vec<Beat>;

/// Chapters of everyday.
pub const EVERYDAY: &[Chapter] = &[
    people::beats,
    publish::beats,
    approvals::beats,
    dictionary::beats,
    weeks::beats,
    bundles::beats,
    migration::beats,
];

/// Chapters of a migration whose two halves do not always agree.
pub const DUAL_WRITE: &[Chapter] = &[
    people::beats,
    dictionary::beats,
    migration::beats,
    dual_write::beats,
    etl::beats,
];

/// Chapters that lead to the hour of a cutover; nothing is published in them, so that nothing is stopped.
pub const CUTOVER: &[Chapter] = &[
    people::beats,
    dictionary::beats,
    migration::beats,
    dual_write::beats,
    cutover::beats,
];

/// Tells what happens in some seconds of the story, in order.
#[must_use]
pub fn beats(story: Story, seed: u32, seconds: &Range<i64>) -> Vec<Beat> {
    let mut all: Vec<Beat> = story
        .chapters()
        .iter()
        .flat_map(|chapter| chapter(seed, seconds))
        .filter(|beat| seconds.contains(&beat.at))
        .collect();
    all.sort_by_key(|beat| beat.at);
    all
}

/// Somebody acts, whatever happened.
fn act(at: i64, who: &'static str, verb: &'static str, asked: Asked, reason: &'static str) -> Beat {
    when(at, who, (verb, asked), When::Always, reason)
}

/// Somebody acts where it is called for.
fn when(
    at: i64,
    who: &'static str,
    (verb, asked): (&'static str, Asked),
    when: When,
    reason: &'static str,
) -> Beat {
    Beat {
        at,
        deed: Deed::Act {
            who,
            verb,
            asked,
            reason,
            when,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_told_in_pieces_is_the_story_told_at_once() {
        for story in Story::ALL {
            let from = (story.history() - 10_000).max(0);
            let seconds = from..from + 20_000;
            let whole = beats(*story, 7, &seconds);
            let pieces: Vec<Beat> = seconds
                .step_by(100)
                .flat_map(|from| beats(*story, 7, &(from..from + 100)))
                .collect();
            assert!(whole.len() > 100, "{story}");
            assert_eq!(whole, pieces, "{story}");
        }
        let all = 0..20_000;
        let told = |seed| beats(Story::Everyday, seed, &all);
        assert_ne!(told(7), told(8));
    }
}

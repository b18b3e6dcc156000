//! The chapters of the story, one file each; they only tell what happens when, and the world lets it happen.
//!
//! A new chapter is a file with a function like the others, and a row in [`CHAPTERS`].

pub mod approvals;
pub mod bundles;
pub mod dictionary;
pub mod migration;
pub mod people;
pub mod publish;
pub mod weeks;

use std::ops::Range;

use super::beat::Beat;

/// Tells what happens in some seconds of the story; always the same for the same seed.
pub type Chapter = fn(seed: u32, seconds: &Range<i64>) -> Vec<Beat>;

/// Every chapter; of what happens in the same second, the earlier chapter's comes first.
pub const CHAPTERS: &[Chapter] = &[
    people::beats,
    publish::beats,
    approvals::beats,
    dictionary::beats,
    weeks::beats,
    bundles::beats,
    migration::beats,
];

/// Tells what happens in some seconds of the story, in order.
#[must_use]
pub fn beats(seed: u32, seconds: &Range<i64>) -> Vec<Beat> {
    let mut all: Vec<Beat> = CHAPTERS
        .iter()
        .flat_map(|chapter| chapter(seed, seconds))
        .filter(|beat| seconds.contains(&beat.at))
        .collect();
    all.sort_by_key(|beat| beat.at);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_told_in_pieces_is_the_story_told_at_once() {
        let whole = beats(7, &(0..20_000));
        let pieces: Vec<Beat> = (0..20_000)
            .step_by(100)
            .flat_map(|from| beats(7, &(from..from + 100)))
            .collect();
        assert!(whole.len() > 100);
        assert_eq!(whole, pieces);
        assert_ne!(whole, beats(8, &(0..20_000)));
    }
}

//! Pipelines that fill the dictionary and now and then forget the modern half of a pair, until somebody mends them.

use std::ops::Range;

use super::super::beat::{Beat, Deed};
use super::super::dice::Dice;
use super::dictionary::metric_ids;
use super::dual_write::{BEGINS, HOUR, MINUTE, OPENS, since};
use super::migration::PAIRS;
use super::papers::FILTERS;
use crate::store::migration::Half;

/// When one forgets first, how often one forgets, and how long it takes at most until that is mended.
const FIRST: i64 = BEGINS + 20 * MINUTE;
const EVERY: i64 = 3 * HOUR;
const LONGEST: i64 = 6 * HOUR;
/// When the fix lands for which somebody waits since the first hour.
const AT_LAST: i64 = OPENS + 50 * MINUTE;

/// Tells what pipelines forget, and when the fixes land.
#[must_use]
pub fn beats(seed: u32, seconds: &Range<i64>) -> Vec<Beat> {
    let numbers = since(FIRST, EVERY, &(seconds.start - LONGEST..seconds.end));
    let mut beats: Vec<Beat> = numbers.flat_map(|number| slip(seed, number)).collect();
    if let Some(metric) = metric_ids().next() {
        let filters = &FILTERS[..2];
        beats.extend(half_written(metric, filters, 0, FIRST, AT_LAST));
    }
    beats
}

/// Something is forgotten for some hours: never the metric that nobody mends for days.
fn slip(seed: u32, number: i64) -> Vec<Beat> {
    let mut dice = Dice::of(seed, "etl", number.unsigned_abs());
    let metrics: Vec<&str> = metric_ids().skip(1).collect();
    let Some(metric) = dice.pick(&metrics) else {
        return Vec::new();
    };
    let begins = FIRST + number * EVERY + dice.between(0, 30 * MINUTE);
    let ends = begins + dice.between(HOUR, LONGEST - HOUR);
    let filters = usize::try_from(dice.between(1, 3)).unwrap_or(1);
    let pair = usize::try_from(dice.between(0, 1)).unwrap_or(0);
    half_written(metric, &FILTERS[..filters], pair, begins, ends).collect()
}

/// The modern half of a pair is left out of some rows of a metric, and filled in later.
fn half_written<'a>(
    metric: &'static str,
    filters: &'a [&'static str],
    pair: usize,
    begins: i64,
    ends: i64,
) -> impl Iterator<Item = Beat> + 'a {
    let (legacy, modern) = PAIRS[pair];
    let write = move |at, filter, is_left_out| Beat {
        at,
        deed: Deed::Fill(Half {
            metric,
            filter,
            legacy,
            modern,
            is_left_out,
        }),
    };
    let both =
        move |filter: &&'static str| [write(begins, *filter, true), write(ends, *filter, false)];
    filters.iter().flat_map(both)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_left_out_is_filled_in_again() {
        let told = beats(1, &(0..OPENS + 24 * HOUR));
        let (mut left_out, mut filled) = (0, 0);
        for beat in &told {
            let Deed::Fill(half) = &beat.deed else {
                panic!("{beat:?}");
            };
            if half.is_left_out {
                left_out += 1;
            } else {
                filled += 1;
            }
        }
        assert!(left_out > 20, "{left_out}");
        assert_eq!(left_out, filled);
    }
}

//! Chance that can be told again: `SplitMix64`, as published by Steele, Lea and Flood (OOPSLA 2014).

/// A row of numbers that follows from its beginning.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Begins the row of one thing in one chapter of a story: what happens to it depends on nothing else.
    #[must_use]
    pub fn of(seed: u32, chapter: &str, number: u64) -> Self {
        let mut dice = Self(u64::from(seed));
        for part in chapter.bytes().map(u64::from).chain([number]) {
            dice.0 = dice.roll() ^ part;
        }
        dice
    }

    /// Returns the next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number from `least` to `most`. The lowest are a little likelier than the highest, which no story minds.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        let span = u64::try_from(most - least).unwrap_or(0) + 1;
        least + i64::try_from(self.roll() % span).unwrap_or(0)
    }

    /// Tells whether something happens that happens `percent` times in a hundred.
    pub fn happens(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }

    /// Picks one of some.
    pub fn pick<'a, T>(&mut self, some: &'a [T]) -> Option<&'a T> {
        let last = i64::try_from(some.len()).ok()? - 1;
        some.get(usize::try_from(self.between(0, last.max(0))).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rolls_the_published_numbers() {
        let mut dice = Dice(1_234_567);
        for wanted in [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ] {
            assert_eq!(dice.roll(), wanted);
        }
    }

    #[test]
    fn seed_chapter_and_number_each_make_another_row() {
        let first = |seed, chapter, number| Dice::of(seed, chapter, number).roll();
        assert_eq!(first(1, "publish", 7), first(1, "publish", 7));
        for other in [
            first(2, "publish", 7),
            first(1, "people", 7),
            first(1, "publish", 8),
        ] {
            assert_ne!(first(1, "publish", 7), other);
        }
    }

    #[test]
    fn a_number_between_two_is_neither_less_nor_more() {
        let mut dice = Dice(1);
        let rolled: Vec<_> = (0..1_000).map(|_| dice.between(-2, 3)).collect();
        assert_eq!(rolled.iter().min(), Some(&-2));
        assert_eq!(rolled.iter().max(), Some(&3));
        assert!(!Dice(1).happens(0) && Dice(1).happens(100));
        assert_eq!(Dice(1).pick::<u8>(&[]), None);
        assert_eq!(Dice(1).pick(&[4]), Some(&4));
    }
}

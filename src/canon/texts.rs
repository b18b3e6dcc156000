//! Many texts in order, in little more room than their bytes take.

use super::scan::Scanner;
use super::sort::sort_by_name;

/// Holds different texts, sorted by their UTF-8 bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    spelt: String,
    /// Where each ends in the text of all; it begins where the one before ends.
    ends: Vec<u32>,
}

impl Texts {
    /// Reads the strings that stand at these places of a JSON text, in its order, and that a walk came by; or gives the first
    /// place whose string another one has before it.
    pub fn read(scanner: &Scanner<'_>, places: impl IntoIterator<Item = u32>) -> Result<Self, u32> {
        let text = |place: u32| {
            let read = scanner.back_at(place as usize).string();
            read.map(|string| string.text).unwrap_or_default()
        };
        let mut order: Vec<u32> = places.into_iter().collect();
        sort_by_name(&mut order, text);
        let mut texts = Self::default();
        let mut repeated: Option<u32> = None;
        for place in order {
            let text = text(place);
            if !texts.is_empty() && texts.get(texts.len() - 1) == text {
                repeated = Some(repeated.map_or(place, |first| first.min(place)));
            } else {
                texts.push(&text);
            }
        }
        repeated.map_or(Ok(texts), Err)
    }

    /// Appends a text that sorts after all others.
    pub(super) fn push(&mut self, text: &str) {
        self.spelt.push_str(text);
        // No text that is read is as long as what does not fit.
        self.ends
            .push(u32::try_from(self.spelt.len()).unwrap_or(u32::MAX));
    }

    /// Counts them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Tells whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Gives the text of a place in the order, which is empty beyond the last.
    #[must_use]
    pub fn get(&self, place: usize) -> &str {
        let end = |place: usize| self.ends.get(place).map_or(0, |end| *end as usize);
        let start = place.checked_sub(1).map_or(0, end);
        self.spelt.get(start..end(place)).unwrap_or_default()
    }

    /// Lists them in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|place| self.get(place))
    }

    /// Finds the place of a text.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.get(middle).cmp(text) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Tells whether a text is one of them.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        self.find(text).is_some()
    }
}

impl<const N: usize> From<[String; N]> for Texts {
    fn from(mut listed: [String; N]) -> Self {
        listed.sort_unstable();
        let mut texts = Self::default();
        for (place, text) in listed.iter().enumerate() {
            if place == 0 || listed[place - 1] != *text {
                texts.push(text);
            }
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::Integers;

    #[test]
    fn texts_are_read_in_order_and_found() {
        let json = br#"["c", "a\u0062", "", "a"]"#;
        let scanner = Scanner::new(json, Integers::Exact).unwrap();
        let texts = Texts::read(&scanner, [1, 6, 17, 21]).unwrap();
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["", "a", "ab", "c"]);
        assert_eq!((texts.find("ab"), texts.find("b")), (Some(2), None));
        assert!(texts.contains("") && !texts.contains("d"));
        assert_eq!(texts.get(4), "");
        let listed = ["c", "ab", "a", "", "a"].map(str::to_owned);
        assert_eq!(texts, listed.into());
    }

    #[test]
    fn the_first_repetition_is_told_by_its_place() {
        let json = br#"["b", "a", "\u0061", "b"]"#;
        let scanner = Scanner::new(json, Integers::Exact).unwrap();
        assert_eq!(Texts::read(&scanner, [1, 6, 11, 21]), Err(11));
    }
}

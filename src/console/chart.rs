//! Small charts that stand in a line of text, each with a twin of plain characters.

use super::theme::Token;
use super::ui::{Glyphs, Parts};

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const PLAIN: [char; 8] = ['_', '.', ',', '-', '=', '+', '*', '#'];

/// Draws values as a row of little bars, the newest last; the largest is a whole bar, and nothing is the lowest.
#[must_use]
pub fn spark(values: &[i64], width: usize, glyphs: Glyphs) -> Parts {
    let shown = &values[values.len().saturating_sub(width)..];
    let most = shown.iter().copied().max().unwrap_or(0).max(1);
    let bars = match glyphs {
        Glyphs::Lines => BARS,
        Glyphs::Ascii => PLAIN,
    };
    let bar = |value: &i64| {
        let (value, most) = (i128::from(*value).max(0), i128::from(most));
        let level = usize::try_from((value * 7 + most - 1) / most);
        let level = level.unwrap_or(0).min(7);
        let token = match level {
            0 => Token::Spark1,
            1..=4 => Token::Spark2,
            _ => Token::Spark3,
        };
        (token, bars[level].to_string())
    };
    let mut parts: Parts = Vec::new();
    for (token, text) in shown.iter().map(bar) {
        match parts.last_mut() {
            Some((last, run)) if *last == token => run.push_str(&text),
            _ => parts.push((token, text)),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(values: &[i64], width: usize, glyphs: Glyphs) -> String {
        spark(values, width, glyphs)
            .into_iter()
            .map(|(_, text)| text)
            .collect()
    }

    #[test]
    fn the_largest_is_whole_and_nothing_is_the_lowest() {
        assert_eq!(text(&[0, 1, 4, 8], 10, Glyphs::Lines), "▁▂▅█");
        assert_eq!(text(&[0, 1, 4, 8], 10, Glyphs::Ascii), "_.=#");
        assert_eq!(text(&[0, 0], 10, Glyphs::Lines), "▁▁");
        assert_eq!(text(&[9, 0, 1, 2], 2, Glyphs::Lines), "▅█");
        assert_eq!(text(&[], 5, Glyphs::Lines), "");
        assert_eq!(text(&[i64::MAX, -3], 5, Glyphs::Ascii), "#_");
    }
}

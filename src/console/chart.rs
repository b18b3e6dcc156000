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
    in_runs(shown.iter().map(bar))
}

/// Tells how many of so many cells a part of a whole takes; anything more than the whole takes all of them.
#[must_use]
pub fn cells(part: u64, whole: u64, width: usize) -> usize {
    let of_all = u128::from(part) * width as u128 / u128::from(whole.max(1));
    usize::try_from(of_all).unwrap_or(width).min(width)
}

/// Draws what lies on a scale: filled from one cell to another, and a letter where a limit lies.
#[must_use]
pub fn stretch(
    filled: (Token, std::ops::Range<usize>),
    width: usize,
    limits: &[(usize, char)],
    glyphs: Glyphs,
) -> Parts {
    let (token, filled) = filled;
    let cell = |at: usize| match limits.iter().find(|(limit, _)| *limit == at) {
        Some((_, letter)) => (Token::Fg, *letter),
        None if filled.contains(&at) => (token, glyphs.block()),
        None => (Token::Muted, '.'),
    };
    in_runs((0..width).map(|at| {
        let (token, cell) = cell(at);
        (token, cell.to_string())
    }))
}

/// Joins neighbours that look alike.
fn in_runs(cells: impl Iterator<Item = (Token, String)>) -> Parts {
    let mut parts: Parts = Vec::new();
    for (token, text) in cells {
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

    #[test]
    fn a_part_takes_its_cells_and_never_more_than_there_are() {
        assert_eq!(cells(0, 72, 36), 0);
        assert_eq!(cells(41, 72, 36), 20);
        assert_eq!(cells(72, 72, 36), 36);
        assert_eq!(cells(u64::MAX, 1, 36), 36);
        assert_eq!(cells(1, 0, 36), 36, "nothing is whole at once");
    }

    #[test]
    fn a_scale_has_what_is_filled_and_its_limits_in_both_spellings() {
        let drawn = |glyphs| {
            let parts = stretch((Token::StatusOk, 2..5), 9, &[(4, 's'), (7, 'h')], glyphs);
            let text: String = parts.iter().map(|(_, text)| text.as_str()).collect();
            (text, parts.len())
        };
        assert_eq!(drawn(Glyphs::Lines), ("..██s..h.".to_owned(), 6));
        assert_eq!(drawn(Glyphs::Ascii), ("..##s..h.".to_owned(), 6));
    }

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

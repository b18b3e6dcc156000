//! First responses as bars: how long answers to blocks took, reason by reason, and how many came too late.

use crate::rules::block::Responses;
use crate::rules::text::counted;

use super::super::model::Model;
use super::super::theme::Token;
use super::super::ui::{Glyphs, Parts};
use super::blocks::clock;

/// How wide the longest bar is at most.
const WIDEST: u16 = 40;
/// What stands on a line beside its bar: both edges, its name before it, the time behind it.
const BESIDE: u16 = 20;

/// Writes the chart for a frame of a width; nothing while nothing of it is read.
pub(super) fn lines(model: &Model, glyphs: Glyphs, width: u16) -> Vec<Parts> {
    let picture = model.picture.as_ref();
    let Some(lately) = picture.and_then(|picture| picture.lately.as_ref()) else {
        return Vec::new();
    };
    let shown = || lately.responses.iter().filter(|of| of.blocks > 0);
    let blocks: usize = shown().map(|of| of.blocks).sum();
    let since = model.date_and_clock(lately.since);
    let to = counted(blocks, "block", "blocks");
    let mut lines = vec![vec![
        (Token::Fg, "first responses ".to_owned()),
        (Token::Muted, format!("to {to} since {since}")),
    ]];
    let longest = shown().filter_map(|of| of.p95_seconds).max().unwrap_or(0);
    let room = width.saturating_sub(BESIDE).clamp(4, WIDEST);
    for of in shown() {
        lines.push(told(of));
        lines.extend(bars(of, longest, room, glyphs));
    }
    lines
}

fn told(of: &Responses) -> Parts {
    let late = if of.breaches > 0 {
        Token::SlaBreach
    } else {
        Token::SlaOk
    };
    vec![
        (Token::Fg, format!("{} ", of.reason)),
        (
            Token::Muted,
            format!(
                "{}, {} answered, ",
                counted(of.blocks, "block", "blocks"),
                of.answered
            ),
        ),
        (late, format!("{} late", of.breaches)),
    ]
}

fn bars(of: &Responses, longest: i64, room: u16, glyphs: Glyphs) -> Vec<Parts> {
    let one = |(name, seconds, token): (&str, Option<i64>, Token)| {
        let seconds = seconds?;
        let bar = glyphs.block().to_string();
        Some(vec![
            (Token::Muted, format!("  {name} ")),
            (token, bar.repeat(cells(seconds, longest, room))),
            (Token::Fg, format!(" {}", clock(seconds))),
        ])
    };
    let both = [
        ("p50", of.p50_seconds, Token::Spark1),
        ("p95", of.p95_seconds, Token::Spark3),
    ];
    both.into_iter().filter_map(one).collect()
}

/// Tells how many cells a bar takes: the longest all of them, any other its part, and at least one.
fn cells(seconds: i64, longest: i64, room: u16) -> usize {
    let part = seconds.saturating_mul(i64::from(room)) / longest.max(1);
    usize::try_from(part).unwrap_or(0).clamp(1, room.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_its_room_and_none_is_empty_or_longer() {
        assert_eq!(cells(600, 600, 40), 40);
        assert_eq!(cells(300, 600, 40), 20);
        assert_eq!(cells(0, 600, 40), 1);
        assert_eq!(cells(0, 0, 40), 1);
        assert_eq!(cells(i64::MAX, 1, 40), 40);
        assert_eq!(cells(1, i64::MAX, 4), 1);
    }
}

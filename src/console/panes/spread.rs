//! How far apart a week's protected metrics lie, drawn against both limits of the policy: `s` is soft, `h` is hard.

use crate::rules::text::counted;
use crate::rules::week::Judged;

use super::super::chart::{spark, stretch};
use super::super::spread_sight::SpreadSight;
use super::super::theme::Token;
use super::super::ui::{Glyphs, Parts, muted};

/// How many cells the scale has; hard lies five sixths along.
const SCALE: usize = 30;
const HARD: usize = 25;

/// Draws the selected run on the scale, and the weeks before it.
pub(super) fn lines(sight: &SpreadSight, glyphs: Glyphs) -> Vec<Parts> {
    let (soft, hard) = (number(&sight.pair.soft), number(&sight.pair.hard));
    let mut lines = Vec::new();
    if let (Some(run), Some(limits)) = (&sight.run, soft.zip(hard)) {
        lines.push(on_the_scale(run, limits, glyphs));
    } else {
        // A limit that is no number judges nothing.
        let is_untold = sight.cannot_tell || sight.run.is_some();
        lines.extend(is_untold.then(unknown));
    }
    lines.push(vec![muted(format!(
        "s soft {}, h hard {}, by policy {}; the worst decides",
        sight.pair.soft, sight.pair.hard, sight.policy
    ))]);
    lines.extend(weeks(&sight.weeks, glyphs));
    lines
}

fn unknown() -> Parts {
    let said = "protected: cannot tell, not every protected metric is known on both sides";
    vec![(Token::StatusUnknown, said.to_owned())]
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|it: &f64| it.is_finite())
}

fn on_the_scale(run: &Judged, (soft, hard): (f64, f64), glyphs: Glyphs) -> Parts {
    let ratio = run.worst_ratio.as_deref().and_then(number);
    let (Some(ratio), Some(metric)) = (ratio, &run.worst_metric) else {
        return unknown();
    };
    // Alone, a week rolls back above hard only.
    let (token, stands) = match (run.amber, run.rollback) {
        (_, true) => (Token::StatusDanger, "ABOVE HARD"),
        (true, false) => (Token::StatusWarn, "ABOVE SOFT"),
        (false, false) => (Token::StatusOk, "below soft"),
    };
    let limits = [(place(soft, hard), 's'), (place(hard, hard), 'h')];
    let mut line = vec![muted("protected ")];
    line.extend(stretch(
        (token, 0..place(ratio, hard)),
        SCALE,
        &limits,
        glyphs,
    ));
    line.push((token, format!(" {stands}")));
    line.push((Token::Fg, format!(": {ratio:.6}, {metric}")));
    line
}

/// Finds the cell of a ratio; only to draw by, since whether one lies above a limit is judged exactly elsewhere.
fn place(ratio: f64, hard: f64) -> usize {
    #[expect(clippy::cast_precision_loss, reason = "it is twenty-five")]
    let at = ratio / hard * HARD as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 0 and the scale's length"
    )]
    let at = at.clamp(0.0, 30.0) as usize;
    at
}

/// Draws the worst ratio of each week; a week of which nothing is known is told, and drawn as nothing.
fn weeks(weeks: &[Judged], glyphs: Glyphs) -> Option<Parts> {
    if weeks.is_empty() {
        return None;
    }
    let drawn = |week: &Judged| {
        let millionths = week
            .worst_ratio
            .as_deref()
            .map(|it| it.replacen('.', "", 1));
        millionths.and_then(|it| it.parse().ok()).unwrap_or(0)
    };
    let ratios: Vec<i64> = weeks.iter().map(drawn).collect();
    let count = |which: fn(&Judged) -> bool| weeks.iter().filter(|week| which(week)).count();
    let mut line = vec![muted("by week ")];
    line.extend(spark(&ratios, weeks.len(), glyphs));
    line.push(muted(format!(
        " {}: {} above soft, {} would roll back, {} cannot tell",
        counted(weeks.len(), "week", "weeks"),
        count(|week| week.amber),
        count(|week| week.rollback),
        count(|week| week.worst_ratio.is_none()),
    )));
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_ratios_have_their_places_on_one_scale() {
        assert_eq!(place(0.0, 0.05), 0);
        assert_eq!(place(0.01, 0.05), 5);
        assert_eq!(place(0.05, 0.05), HARD);
        assert_eq!(place(9.0, 0.05), SCALE, "what lies beyond fills the scale");
        assert_eq!(place(f64::NAN, 0.05), 0);
        assert_eq!(place(1.0, 0.0), SCALE);
    }
}

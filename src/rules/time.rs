//! What a clock that jumps back means for decisions, and what the clock of a demo shows.

use std::time::Duration;

use chrono::{Datelike, TimeDelta};

use super::{Condition, Verdict};
use crate::clock::Moment;

/// How far the database's clock may lie before the latest entry.
const SLACK: TimeDelta = TimeDelta::seconds(2);

/// Tells whether the clock lies so far before the latest entry that it must have been turned back.
#[must_use]
pub fn is_turned_back(latest: Option<Moment>, now: Moment) -> bool {
    latest.is_some_and(|latest| latest.since(now) > SLACK)
}

/// States that time can be counted; a clock that was turned back cannot tell until it has caught up.
#[must_use]
pub fn can_be_counted(latest: Option<Moment>, now: Moment) -> Condition {
    let is_turned_back = is_turned_back(latest, now);
    Condition {
        id: "clock",
        verdict: if is_turned_back {
            Verdict::CannotTell
        } else {
            Verdict::Pass
        },
        owner: "whoever runs the database".to_owned(),
        evidence: match latest {
            Some(latest) if is_turned_back => {
                format!("the database's clock lies before the latest entry of {latest}")
            }
            _ => "the database's clock runs on".to_owned(),
        },
        fix: "set the database's clock right, or wait until it has caught up".to_owned(),
    }
}

/// Tells what a demo's clock shows: `anchor_demo` at `anchor_real`, and since then `rate` times what passed; none where
/// that is no time that can be written.
#[must_use]
pub fn bent(anchor_real: Moment, anchor_demo: Moment, rate: i64, real: Moment) -> Option<Moment> {
    let rate = i32::try_from(rate).ok()?;
    let passed = real.since(anchor_real).checked_mul(rate)?;
    let shown = anchor_demo.as_datetime().checked_add_signed(passed)?;
    (1..=9999).contains(&shown.year()).then(|| shown.into())
}

/// Writes a moment to the minute, as people say it.
#[must_use]
pub fn to_the_minute(moment: Moment) -> String {
    moment.as_datetime().format("%Y-%m-%d %H:%MZ").to_string()
}

/// Writes a span of a few hours at most as a clock shows it, in minutes and seconds.
#[must_use]
pub fn minutes(span: Duration) -> String {
    let seconds = span.as_secs();
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

/// Writes a span in its two largest units.
#[must_use]
pub fn span(passed: TimeDelta) -> String {
    let minutes = passed.num_minutes().max(0);
    let (days, hours) = (minutes / 1_440, minutes / 60 % 24);
    if days > 0 {
        format!("{days} d {hours:02} h")
    } else if hours > 0 {
        format!("{hours} h {:02} min", minutes % 60)
    } else {
        format!("{minutes} min")
    }
}

/// Writes how long something has counted, in hours, minutes and seconds.
#[must_use]
pub fn clock(counted: std::time::Duration) -> String {
    let seconds = counted.as_secs();
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demos_clock_counts_on_from_its_anchor_at_its_rate() {
        let moment = |text: &str| text.parse::<Moment>().expect("a moment");
        let (real, demo) = (
            moment("2026-05-14T02:00:00Z"),
            moment("2026-05-20T10:00:00Z"),
        );
        for (rate, at, shown) in [
            (1, "2026-05-14T02:00:00Z", Some("2026-05-20T10:00:00Z")),
            (10, "2026-05-14T02:03:00Z", Some("2026-05-20T10:30:00Z")),
            (
                10,
                "2026-05-14T02:00:00.000001Z",
                Some("2026-05-20T10:00:00.00001Z"),
            ),
            (0, "2027-05-14T02:00:00Z", Some("2026-05-20T10:00:00Z")),
            (10, "2026-05-14T01:59:00Z", Some("2026-05-20T09:50:00Z")),
            (1000, "2926-05-14T02:00:00Z", None),
            (1000, "0001-01-01T00:00:00Z", None),
            (i64::MAX, "2026-05-14T02:00:00Z", None),
        ] {
            let found = bent(real, demo, rate, moment(at));
            assert_eq!(found, shown.map(moment), "{rate} {at}");
        }
    }

    #[test]
    fn two_seconds_are_forgiven_and_no_more() {
        let moment = |text: &str| text.parse::<Moment>().expect("a moment");
        let latest = moment("2026-05-14T02:00:02Z");
        for (now, verdict) in [
            ("2026-05-14T03:00:00Z", Verdict::Pass),
            ("2026-05-14T02:00:00Z", Verdict::Pass),
            ("2026-05-14T01:59:59.999999Z", Verdict::CannotTell),
        ] {
            assert_eq!(
                can_be_counted(Some(latest), moment(now)).verdict,
                verdict,
                "{now}"
            );
        }
        assert_eq!(can_be_counted(None, latest).verdict, Verdict::Pass);
    }
}

//! What a clock that jumps back means for decisions.

use chrono::TimeDelta;

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

#[cfg(test)]
mod tests {
    use super::*;

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

//! How a block's first response stands against its time.

use crate::clock::Moment;
use crate::rules::words;

words! {
    /// How the first response to a block stands.
    pub enum Sla {
        /// Nobody has answered, and less than half of the time is gone.
        InTime = "ok",
        /// Nobody has answered, and half of the time is gone.
        Soon = "SOON",
        /// Nobody has answered, and the time is over.
        Breach = "BREACH",
        /// Somebody has taken it, in time or not.
        Answered = "answered",
    }
}

/// Judges the first response to a block; at `respond_by` itself it is still in time.
#[must_use]
pub fn sla(blocked_at: Moment, respond_by: Moment, taken_at: Option<Moment>, now: Moment) -> Sla {
    if taken_at.is_some() {
        Sla::Answered
    } else if was_late(respond_by, now) {
        Sla::Breach
    } else if now.since(blocked_at) >= respond_by.since(now) {
        Sla::Soon
    } else {
        Sla::InTime
    }
}

/// Tells whether an answer at a moment comes, or would come, too late.
#[must_use]
pub fn was_late(respond_by: Moment, answered_at: Moment) -> bool {
    answered_at > respond_by
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_read_to_the_microsecond_at_every_boundary() {
        let at = |text: &str| {
            format!("2026-05-14T{text}Z")
                .parse::<Moment>()
                .expect("a moment")
        };
        let (blocked, due) = (at("02:00:00"), at("02:30:00"));
        for (now, untaken, late) in [
            // A clock that was turned back leaves more time, never less.
            ("01:59:59", Sla::InTime, false),
            ("02:00:00", Sla::InTime, false),
            ("02:14:59.999999", Sla::InTime, false),
            ("02:15:00", Sla::Soon, false),
            ("02:15:00.000001", Sla::Soon, false),
            ("02:29:59.999999", Sla::Soon, false),
            ("02:30:00", Sla::Soon, false),
            ("02:30:00.000001", Sla::Breach, true),
            ("23:59:59", Sla::Breach, true),
        ] {
            assert_eq!(sla(blocked, due, None, at(now)), untaken, "{now}");
            assert_eq!(was_late(due, at(now)), late, "{now}");
            for taken in ["02:00:00", "02:30:00", "02:30:00.000001"] {
                assert_eq!(sla(blocked, due, Some(at(taken)), at(now)), Sla::Answered);
            }
        }
    }
}

//! Who works unattended: one at a time, for as long as its heart beats, by the database's clock alone.

use std::time::Duration;

use crate::clock::Moment;

/// For how long a lease is taken, counted from each beat.
pub const TERM: Duration = Duration::from_secs(45);

/// How often its holder's heart beats.
pub const BEAT: Duration = Duration::from_secs(15);

/// Tells whether a lease may be taken by anybody: its time is over, or ends later than any that was taken by this clock.
#[must_use]
pub fn is_free(until: Moment, now: Moment) -> bool {
    until <= now || until > now.plus(TERM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_free_after_its_term_or_when_the_clock_was_turned_back() {
        let at = |text: &str| -> Moment { text.parse().expect("a moment") };
        let until = at("2026-05-14T02:00:45Z");
        for (now, free) in [
            ("2026-05-14T01:59:59.999999Z", true),
            ("2026-05-14T02:00:00Z", false),
            ("2026-05-14T02:00:44.999999Z", false),
            ("2026-05-14T02:00:45Z", true),
        ] {
            assert_eq!(is_free(until, at(now)), free, "{now}");
        }
        assert!(BEAT * 2 < TERM, "one beat may be lost");
    }
}

//! The armed time: for how long this console may write, and what ends it.

use std::time::{Duration, Instant};

use crate::rules::guard::ARMED_MINUTES;

/// After how long without a key the armed time ends.
const IDLE: Duration = Duration::from_mins(5);

/// From when on the end by idling is what is shown.
const LAST_MINUTE: Duration = Duration::from_mins(1);

/// Whether this console may write, and until when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arming {
    armed: Option<Times>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    until: Instant,
    last_key: Instant,
}

impl Arming {
    /// Begins the armed time.
    pub fn arm(&mut self, at: Instant) {
        let minutes = u64::try_from(ARMED_MINUTES).unwrap_or(0);
        self.armed = Some(Times {
            until: at + Duration::from_secs(60 * minutes),
            last_key: at,
        });
    }

    /// Ends the armed time; tells whether there was one.
    pub fn disarm(&mut self) -> bool {
        self.armed.take().is_some()
    }

    /// Notes that a key was pressed.
    pub fn touch(&mut self, at: Instant) {
        if let Some(times) = &mut self.armed {
            times.last_key = at;
        }
    }

    /// Returns how much of the armed time is left, idling left aside until its last minute; none when not armed.
    #[must_use]
    pub fn left(&self, at: Instant) -> Option<Duration> {
        let end = self.ends_at().filter(|end| *end > at)?;
        let idle = end - at;
        let whole = self.armed?.until - at;
        Some(if idle < LAST_MINUTE { idle } else { whole })
    }

    /// Returns when the armed time ends if no key comes.
    #[must_use]
    pub fn ends_at(&self) -> Option<Instant> {
        self.armed
            .map(|times| times.until.min(times.last_key + IDLE))
    }

    /// Tells whether the armed time has run out and was not ended yet.
    #[must_use]
    pub fn is_over(&self, at: Instant) -> bool {
        self.ends_at().is_some_and(|end| at >= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn fifteen_minutes_and_five_without_a_key() {
        let start = Instant::now();
        let mut arming = Arming::default();
        assert_eq!(arming.left(start), None);
        arming.arm(start);
        assert_eq!(arming.left(start), Some(15 * MINUTE));
        assert_eq!(
            arming.left(start + 4 * MINUTE + MINUTE / 2),
            Some(MINUTE / 2)
        );
        assert!(arming.is_over(start + 5 * MINUTE));
        for minute in 1..=14 {
            arming.touch(start + minute * MINUTE);
        }
        assert!(!arming.is_over(start + 14 * MINUTE + MINUTE / 2));
        arming.touch(start + 14 * MINUTE + MINUTE / 2);
        assert!(
            arming.is_over(start + 15 * MINUTE),
            "keys do not make it longer"
        );
        assert!(arming.disarm());
        assert!(!arming.disarm());
        assert!(!arming.is_over(start + 60 * MINUTE));
    }
}

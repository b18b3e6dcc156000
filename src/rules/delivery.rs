//! How a message fares on its way: when it is tried again, and when nobody tries any more.

use std::time::Duration;

use super::words;

words! {
    /// Where a message stands on one of its ways.
    pub enum DeliveryState {
        /// It will be tried, or tried again.
        Waiting = "waiting",
        /// The other side has taken it.
        Delivered = "delivered",
        /// Nobody tries any more, until somebody says so.
        Dead = "dead",
        /// It is not to be sent: a drill that nobody wants paged, or older than the first agent.
        Quiet = "quiet",
    }
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotTaken {
    /// Trying again may help.
    Later(String),
    /// It will never be taken as it is.
    Never(String),
}

impl NotTaken {
    /// Says why.
    #[must_use]
    pub fn why(&self) -> &str {
        match self {
            Self::Later(why) | Self::Never(why) => why,
        }
    }
}

/// How often a message is tried before it is dead.
pub const TRIES: i64 = 60;
/// How long the first pause is; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// How long no pause is exceeded by.
const LONGEST_PAUSE: Duration = Duration::from_mins(30);

/// Says how long to wait after a try that failed; none where it was the last.
#[must_use]
pub fn pause(failed: &NotTaken, tries_left: i64) -> Option<Duration> {
    if tries_left <= 0 || matches!(failed, NotTaken::Never(_)) {
        return None;
    }
    let made = TRIES.saturating_sub(tries_left).clamp(1, 31);
    let doubled = FIRST_PAUSE.saturating_mul(1_u32 << (made - 1));
    Some(doubled.min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_an_hour_and_end() {
        let later = NotTaken::Later("busy".to_owned());
        let pauses: Vec<Option<u64>> = (0..TRIES)
            .rev()
            .map(|left| pause(&later, left).map(|it| it.as_secs()))
            .collect();
        assert_eq!(pauses[..4], [Some(5), Some(10), Some(20), Some(40)]);
        assert_eq!(pauses[8..10], [Some(1_280), Some(1_800)]);
        assert_eq!(pauses.last(), Some(&None));
        let hours = pauses.iter().flatten().sum::<u64>() / 3_600;
        assert_eq!(
            hours, 25,
            "whoever takes nothing for a day gets it all the same"
        );
    }

    #[test]
    fn what_is_refused_for_good_is_not_tried_again() {
        let never = NotTaken::Never("no such mailbox".to_owned());
        assert_eq!(pause(&never, TRIES - 1), None);
        assert_eq!(never.why(), "no such mailbox");
    }
}

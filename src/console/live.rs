//! How fresh the picture is: live, late, or lost; a stale screen says so.

use std::time::{Duration, Instant};

/// After how long without news from the database the picture counts as late.
const LATE: Duration = Duration::from_secs(4);
/// After how long it counts as lost.
const LOST: Duration = Duration::from_secs(12);

/// What is known of the link to the database.
#[derive(Debug, Clone, Default)]
pub struct Link {
    /// When the database was last heard.
    pub heard: Option<Instant>,
    /// Why it cannot be read, and what to do; none while it can.
    pub trouble: Option<(String, String)>,
    /// What brings the news.
    pub source: &'static str,
}

/// How fresh the picture is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Liveness {
    /// The first picture is on its way.
    Loading,
    /// The database was heard a moment ago.
    Live,
    /// Nothing was heard for a while.
    Late(Duration),
    /// The picture is old, for this reason.
    Lost(Duration),
}

impl Link {
    /// Notes that the database answers, and what brings the news now.
    pub fn hear(&mut self, source: &'static str) {
        self.heard = Some(Instant::now());
        self.source = source;
    }

    /// Tells how fresh the picture is.
    #[must_use]
    pub fn liveness(&self, at: Instant) -> Liveness {
        let Some(heard) = self.heard else {
            return if self.trouble.is_some() {
                Liveness::Lost(Duration::ZERO)
            } else {
                Liveness::Loading
            };
        };
        let age = at.saturating_duration_since(heard);
        if self.trouble.is_some() || age >= LOST {
            Liveness::Lost(age)
        } else if age >= LATE {
            Liveness::Late(age)
        } else {
            Liveness::Live
        }
    }

    /// Returns when the answer would change without any news.
    #[must_use]
    pub fn changes_at(&self, at: Instant) -> Option<Instant> {
        let heard = self.heard?;
        match self.liveness(at) {
            Liveness::Live => Some(heard + LATE),
            // The age is shown, so it counts.
            Liveness::Late(_) | Liveness::Lost(_) => Some(at + Duration::from_secs(1)),
            Liveness::Loading => None,
        }
    }
}

impl Liveness {
    /// Tells whether somebody may decide by what is on the screen.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Live)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_makes_late_and_then_lost() {
        let start = Instant::now();
        let link = Link {
            heard: Some(start),
            ..Link::default()
        };
        let after = |seconds| link.liveness(start + Duration::from_secs(seconds));
        assert_eq!(after(0), Liveness::Live);
        assert_eq!(after(3), Liveness::Live);
        assert_eq!(after(4), Liveness::Late(Duration::from_secs(4)));
        assert_eq!(after(12), Liveness::Lost(Duration::from_secs(12)));
        assert_eq!(Link::default().liveness(start), Liveness::Loading);
    }

    #[test]
    fn trouble_is_lost_at_once() {
        let start = Instant::now();
        let link = Link {
            heard: Some(start),
            trouble: Some(("gone".into(), "wait".into())),
            source: "polling",
        };
        assert_eq!(link.liveness(start), Liveness::Lost(Duration::ZERO));
    }
}

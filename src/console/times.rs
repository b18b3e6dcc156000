//! How times are written: of the day, in UTC or as the viewer's own clock shows them.

use crate::clock::Moment;

use super::model::Model;

impl Model {
    /// Writes a time of day, in UTC or in local time.
    #[must_use]
    pub fn clock(&self, moment: Moment) -> String {
        if self.local_time {
            moment.local("%H:%M:%S")
        } else {
            moment.as_datetime().format("%H:%M:%SZ").to_string()
        }
    }

    /// Writes a time of day, with its day unless that is today.
    #[must_use]
    pub fn when(&self, moment: Moment) -> String {
        let is_today = self
            .now()
            .is_some_and(|now| self.day(now) == self.day(moment));
        if is_today {
            self.clock(moment)
        } else {
            self.date_and_clock(moment)
        }
    }

    fn day(&self, moment: Moment) -> String {
        if self.local_time {
            moment.local("%Y-%m-%d")
        } else {
            moment.as_datetime().format("%Y-%m-%d").to_string()
        }
    }

    /// Writes a time with its day.
    #[must_use]
    pub fn date_and_clock(&self, moment: Moment) -> String {
        let day = self.day(moment);
        let day = day.split_once('-').map_or("", |(_, day)| day);
        format!("{day} {}", self.clock(moment))
    }
}

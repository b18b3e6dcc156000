//! Moments in time, and the only place that asks the workstation what time it is.
//!
//! Decisions never use the workstation's clock: they take the database's, which the store reads once per
//! transaction. This floor imports nothing of the project.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment in UTC, truncated to microseconds, so that both databases keep it exactly.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(DateTime<Utc>);

/// The one text form: fixed width, so that text order is time order.
const TEXT_FORM: &str = "%Y-%m-%dT%H:%M:%S%.6fZ";

impl Moment {
    /// Tells the workstation's time; only for measuring how far it is from the database's clock.
    #[must_use]
    pub fn on_this_workstation() -> Self {
        Self::from(Utc::now())
    }

    /// Returns how much later this moment is than `earlier`; negative when it is before.
    #[must_use]
    pub fn since(self, earlier: Moment) -> TimeDelta {
        self.0 - earlier.0
    }

    /// Returns the moment `minutes` later, or the last representable one.
    #[must_use]
    pub fn plus_minutes(self, minutes: i64) -> Self {
        TimeDelta::try_minutes(minutes)
            .and_then(|delta| self.0.checked_add_signed(delta))
            .map_or(Self(DateTime::<Utc>::MAX_UTC), Self)
    }

    /// Returns the Monday, 00:00 UTC, that the moment's week began with.
    #[must_use]
    pub fn start_of_week(self) -> Self {
        let days = i64::from(self.0.weekday().num_days_from_monday());
        let monday = self.0.date_naive() - TimeDelta::days(days);
        Self(monday.and_time(chrono::NaiveTime::MIN).and_utc())
    }

    /// Names the week of the calendar that it lies in, like `2026-W21`.
    #[must_use]
    pub fn iso_week(self) -> String {
        self.0.format("%G-W%V").to_string()
    }

    /// Returns the Monday, 00:00 UTC, that a week of the calendar begins with.
    #[must_use]
    pub fn of_iso_week(week: &str) -> Option<Self> {
        let monday = chrono::NaiveDate::parse_from_str(&format!("{week}-1"), "%G-W%V-%u").ok()?;
        let moment = Self(monday.and_time(chrono::NaiveTime::MIN).and_utc());
        // Only the one way of writing it that we write ourselves.
        (moment.iso_week() == week).then_some(moment)
    }

    /// Returns the moment so much later.
    #[must_use]
    pub fn plus(self, duration: std::time::Duration) -> Self {
        TimeDelta::from_std(duration)
            .ok()
            .and_then(|delta| self.0.checked_add_signed(delta))
            .map_or(Self(DateTime::<Utc>::MAX_UTC), Self::from)
    }

    /// Writes the moment in the viewer's own time zone.
    #[must_use]
    pub fn local(self, form: &str) -> String {
        self.0
            .with_timezone(&chrono::Local)
            .format(form)
            .to_string()
    }

    /// Returns the moment as chrono's type.
    #[must_use]
    pub fn as_datetime(self) -> DateTime<Utc> {
        self.0
    }
}

impl From<DateTime<Utc>> for Moment {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.trunc_subsecs(6))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0.format(TEXT_FORM))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The error of reading a moment from text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time in UTC (like 2026-05-14T02:14:07Z): {0:?}")]
pub struct NotAMoment(String);

impl FromStr for Moment {
    type Err = NotAMoment;

    /// Reads RFC 3339 with a `Z`; other offsets are refused, so that nobody plans by the wrong clock.
    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        let refused = || NotAMoment(text.chars().take(40).collect());
        let body = text.strip_suffix('Z').ok_or_else(refused)?;
        // chrono takes spaces and signs for digits, and fewer of these.
        let in_form = |(byte, form): (u8, u8)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == form,
        };
        if !body.bytes().zip(*b"0000-00-00T00:00:00").all(in_form) {
            return Err(refused());
        }
        let fraction_ok = match body.split_once('.') {
            Some((whole, fraction)) => whole.len() == 19 && (1..=9).contains(&fraction.len()),
            None => body.len() == 19,
        };
        let time = NaiveDateTime::parse_from_str(body, "%Y-%m-%dT%H:%M:%S%.f").ok();
        match time {
            Some(time) if fraction_ok => Ok(Self::from(time.and_utc())),
            _ => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_has_a_fixed_width_and_reads_back() {
        for text in [
            "2026-05-14T02:14:07Z",
            "2026-05-14T02:14:07.5Z",
            "1999-12-31T23:59:59.999999Z",
        ] {
            let moment: Moment = text.parse().expect("a moment");
            assert_eq!(moment.to_string().len(), 27);
            assert_eq!(
                moment.to_string().parse::<Moment>().expect("reads back"),
                moment
            );
        }
    }

    #[test]
    fn weeks_begin_on_mondays() {
        for (moment, monday) in [
            ("2026-05-14T02:14:07Z", "2026-05-11T00:00:00Z"),
            ("2026-05-11T00:00:00Z", "2026-05-11T00:00:00Z"),
            ("2026-05-10T23:59:59.999999Z", "2026-05-04T00:00:00Z"),
            ("2026-01-01T12:00:00Z", "2025-12-29T00:00:00Z"),
        ] {
            let (moment, monday): (Moment, Moment) = (
                moment.parse().expect("a moment"),
                monday.parse().expect("a moment"),
            );
            assert_eq!(moment.start_of_week(), monday);
        }
    }

    #[test]
    fn nanoseconds_are_cut_not_rounded() {
        let moment: Moment = "2026-05-14T02:14:07.123456999Z".parse().expect("a moment");
        assert_eq!(moment.to_string(), "2026-05-14T02:14:07.123456Z");
    }

    #[test]
    fn weeks_of_the_calendar_begin_on_mondays() {
        for (week, monday) in [
            ("2026-W21", "2026-05-18T00:00:00.000000Z"),
            ("2026-W01", "2025-12-29T00:00:00.000000Z"),
            ("2026-W53", "2026-12-28T00:00:00.000000Z"),
        ] {
            let begins = Moment::of_iso_week(week).expect(week);
            assert_eq!(begins.to_string(), monday);
            assert_eq!(begins.iso_week(), week);
            assert_eq!(begins.plus_minutes(7 * 24 * 60 - 1).iso_week(), week);
        }
        for none in [
            "",
            "2025-W53",
            "2026-W00",
            "2026-W1",
            "2026-21",
            "2026-W21 ",
        ] {
            assert_eq!(Moment::of_iso_week(none), None, "{none:?}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "2026-05-14",
            "2026-05-14T02:14:07",
            "2026-05-14T02:14:07+00:00",
            "2026-05-14 02:14:07Z",
            "2026-02-30T02:14:07Z",
            "2026-05-14T02:14:07.Z",
            "2026-05-14T2:14:07Z",
            "2026-05-14T02:14:07z",
            "2026-05-14T 2:14:07Z",
            "+226-05-14T02:14:07Z",
            "2026- 5-14T02:14:07Z",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text:?} was taken");
        }
    }
}

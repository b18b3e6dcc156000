//! Maintenance windows and cert weeks: where a moment stands, and when the next chance comes.

use crate::clock::Moment;
use crate::rules::words;

words! {
    /// What a span of the calendar is.
    pub enum CalendarKind {
        /// Maintenance is done in it.
        Maintenance = "maintenance",
        /// Partners are certified in it: nothing is cut over.
        Cert = "cert",
    }
}

/// A span of the calendar that stands; its end is no longer part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned<'a> {
    /// What people call it.
    pub title: &'a str,
    /// What it is.
    pub kind: CalendarKind,
    /// When it begins.
    pub starts: Moment,
    /// When it is over.
    pub ends: Moment,
}

impl Planned<'_> {
    fn holds(&self, at: Moment) -> bool {
        self.starts <= at && at < self.ends
    }
}

/// Finds the span of a kind in which a moment stands.
#[must_use]
pub fn stands_in<'a>(
    calendar: &'a [Planned<'a>],
    kind: CalendarKind,
    at: Moment,
) -> Option<&'a Planned<'a>> {
    let mut spans = calendar.iter();
    spans.find(|span| span.kind == kind && span.holds(at))
}

/// Tells until when the calendar is known: to the end of the last cert week that anybody set.
///
/// Beyond it nobody has said which weeks are cert weeks, so nobody can tell that a moment is outside of them.
#[must_use]
pub fn known_until(calendar: &[Planned<'_>]) -> Option<Moment> {
    let cert = calendar
        .iter()
        .filter(|span| span.kind == CalendarKind::Cert);
    cert.map(|span| span.ends).max()
}

/// Finds the first moment from `from` on that stands in a maintenance window and in no cert week, as far as the calendar is
/// known.
#[must_use]
pub fn next_window(calendar: &[Planned<'_>], from: Moment) -> Option<Moment> {
    let until = known_until(calendar)?;
    let starts = calendar.iter().flat_map(|span| match span.kind {
        CalendarKind::Maintenance => [Some(span.starts.max(from)), None],
        // A cert week may end inside a maintenance window.
        CalendarKind::Cert => [None, Some(span.ends.max(from))],
    });
    let fits = |at: &Moment| {
        *at < until
            && stands_in(calendar, CalendarKind::Maintenance, *at).is_some()
            && stands_in(calendar, CalendarKind::Cert, *at).is_none()
    };
    starts.flatten().filter(fits).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(hours: u64) -> Moment {
        let start: Moment = "2026-05-01T00:00:00Z".parse().expect("a moment");
        start.plus(Duration::from_hours(hours))
    }

    fn span(kind: CalendarKind, starts: u64, ends: u64) -> Planned<'static> {
        Planned {
            title: "x",
            kind,
            starts: at(starts),
            ends: at(ends),
        }
    }

    #[test]
    fn a_span_ends_before_its_end() {
        let calendar = [span(CalendarKind::Maintenance, 10, 12)];
        let stands = |hours| stands_in(&calendar, CalendarKind::Maintenance, at(hours)).is_some();
        assert_eq!([9, 10, 11, 12].map(stands), [false, true, true, false]);
        assert!(stands_in(&calendar, CalendarKind::Cert, at(11)).is_none());
    }

    #[test]
    fn without_cert_weeks_nothing_is_known() {
        let calendar = [span(CalendarKind::Maintenance, 10, 12)];
        assert_eq!(known_until(&calendar), None);
        assert_eq!(next_window(&calendar, at(0)), None);
    }

    #[test]
    fn the_next_chance_is_in_a_window_outside_of_cert_weeks() {
        use CalendarKind::{Cert, Maintenance};
        let calendar = [
            span(Maintenance, 10, 12),
            span(Cert, 11, 40),
            span(Maintenance, 30, 34),
            span(Maintenance, 38, 44),
            span(Cert, 100, 200),
            span(Maintenance, 201, 203),
        ];
        for (from, expected) in [
            (0, Some(10)),
            (10, Some(10)),
            (11, Some(40)),
            (39, Some(40)),
            (43, Some(43)),
            (44, None),
            (201, None),
        ] {
            assert_eq!(next_window(&calendar, at(from)), expected.map(at), "{from}");
        }
    }
}

//! The walk along both sides and the policy together, in the order of metric ids.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::Serialize;

use super::csv::Row;
use super::decimal::Decimal;
use super::epsilons::{Cursor, Epsilons};
use super::fault::Fault;
use super::order::{Ids, MANY};
use super::side::{Side, SideWalk};
use super::{MetricReason, RunVerdict};

/// How one metric was found; values and epsilon as they were written.
#[derive(Debug, Clone)]
pub struct Outcome<'a> {
    /// The metric.
    pub metric_id: Cow<'a, str>,
    /// What leadership sees.
    pub leadership: Option<Cow<'a, str>>,
    /// What the partner gets.
    pub partner: Option<Cow<'a, str>>,
    /// How far they may lie apart.
    pub epsilon: Option<&'a str>,
    /// Leadership's value less the partner's, where both have one.
    pub delta: Option<Decimal>,
    /// Why the metric fails; nothing when it passes.
    pub reason: Option<MetricReason>,
    /// The delta in epsilons, nearly and without its sign, where there are both; only for ranking.
    pub ratio: Option<f64>,
}

impl Outcome<'_> {
    /// Returns whether the metric passes.
    #[must_use]
    pub fn verdict(&self) -> RunVerdict {
        MetricReason::verdict(self.reason)
    }
}

/// How many metrics there are, and how they were found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// The metrics of both sides together.
    pub metrics: u64,
    /// Those on both sides and within their epsilon.
    pub passed: u64,
    /// Those that fail.
    pub failed: u64,
    /// Of these, those that differ by more than their epsilon.
    pub epsilon_exceeded: u64,
    /// Of these, those that only leadership has.
    pub missing_in_partner: u64,
    /// Of these, those that only the partner has.
    pub missing_in_leadership: u64,
    /// Of these, those that the policy does not know.
    pub epsilon_missing: u64,
    /// The metrics that the policy knows and neither side has.
    pub on_neither_side: u64,
}

impl Totals {
    /// Adds what was found of other metrics.
    pub(super) fn add(&mut self, other: &Self) {
        self.metrics += other.metrics;
        self.passed += other.passed;
        self.failed += other.failed;
        self.epsilon_exceeded += other.epsilon_exceeded;
        self.missing_in_partner += other.missing_in_partner;
        self.missing_in_leadership += other.missing_in_leadership;
        self.epsilon_missing += other.epsilon_missing;
        self.on_neither_side += other.on_neither_side;
    }

    pub(super) fn count(&mut self, reason: Option<MetricReason>) {
        self.metrics += 1;
        let Some(reason) = reason else {
            self.passed += 1;
            return;
        };
        self.failed += 1;
        *match reason {
            MetricReason::EpsilonExceeded => &mut self.epsilon_exceeded,
            MetricReason::MissingInPartner => &mut self.missing_in_partner,
            MetricReason::MissingInLeadership => &mut self.missing_in_leadership,
            MetricReason::EpsilonMissing => &mut self.epsilon_missing,
        } += 1;
    }
}

/// Walks along the metrics of both sides.
#[derive(Debug, Clone)]
pub struct Walk<'a> {
    leadership: Lane<'a>,
    partner: Lane<'a>,
    epsilons: Cursor<'a>,
}

/// One side of the walk, with the row that is next.
#[derive(Debug, Clone)]
struct Lane<'a> {
    rows: SideWalk<'a>,
    next: Option<Row<'a>>,
}

impl<'a> Lane<'a> {
    fn begin(mut rows: SideWalk<'a>) -> Result<Self, Fault> {
        let next = rows.next_row()?;
        Ok(Self { rows, next })
    }

    /// Takes the next row; the one behind it must lie behind it.
    #[inline]
    fn take(&mut self) -> Result<Option<Row<'a>>, Fault> {
        let following = self.rows.next_row()?;
        if let (Some(row), Some(following)) = (&self.next, &following)
            && following.metric_id <= row.metric_id
        {
            return Err(Fault::whole("the rows are not in the order of their ids"));
        }
        Ok(std::mem::replace(&mut self.next, following))
    }
}

impl<'a> Walk<'a> {
    pub(super) fn begin(
        leadership: &'a Side,
        partner: &'a Side,
        epsilons: &'a Epsilons,
    ) -> Result<Self, Fault> {
        Ok(Self {
            leadership: Lane::begin(leadership.walk()?)?,
            partner: Lane::begin(partner.walk()?)?,
            epsilons: epsilons.walk(),
        })
    }

    /// Begins two walks, of which the second goes on where the first ends, at an id; none where they cannot be told apart,
    /// or are not worth it.
    pub(super) fn begin_both(
        leadership: &'a Side,
        partner: &'a Side,
        epsilons: &'a Epsilons,
    ) -> Result<Option<(Self, String, Self)>, Fault> {
        let (Some(ours), Some(theirs)) = (leadership.at_places(), partner.at_places()) else {
            return Ok(None);
        };
        if ours.len() < MANY {
            return Ok(None);
        }
        let (our_rows, their_rows) = (leadership.rows_at()?, partner.rows_at()?);
        let (before, behind) = ours.split_at(ours.len() / 2);
        let (Some(last), Some(first)) = (before.last(), behind.first()) else {
            return Ok(None);
        };
        let middle = our_rows.id(*first).into_owned();
        // What stands twice there is found by one walk alone.
        if *our_rows.id(*last) >= *middle {
            return Ok(None);
        }
        let theirs_before = theirs.partition_point(|at| *their_rows.id(*at) < *middle);
        let (their_first, their_second) = theirs.split_at(theirs_before);
        let first = Self {
            leadership: Lane::begin(leadership.walk_along(before)?)?,
            partner: Lane::begin(partner.walk_along(their_first)?)?,
            epsilons: epsilons.walk(),
        };
        let second = Self {
            leadership: Lane::begin(leadership.walk_along(behind)?)?,
            partner: Lane::begin(partner.walk_along(their_second)?)?,
            epsilons: epsilons.walk_from(&middle),
        };
        Ok(Some((first, middle, second)))
    }

    /// Finds out about the next metric; nothing after the last.
    pub fn next_outcome(&mut self) -> Result<Option<Outcome<'a>>, Fault> {
        let order = match (&self.leadership.next, &self.partner.next) {
            (None, None) => return Ok(None),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(leadership), Some(partner)) => leadership.metric_id.cmp(&partner.metric_id),
        };
        let leadership = if order.is_le() {
            self.leadership.take()?
        } else {
            None
        };
        let partner = if order.is_ge() {
            self.partner.take()?
        } else {
            None
        };
        let value = |row: &Option<Row<'a>>| row.as_ref().map(|row| decimal(&row.value)).transpose();
        let values = (value(&leadership)?, value(&partner)?);
        let (leadership, id) = parted(leadership);
        let (partner, other_id) = parted(partner);
        let metric_id = id.or(other_id).unwrap_or_default();
        let epsilon = self.epsilons.seek(&metric_id);
        let (delta, reason, ratio) = judged(values, epsilon.as_ref().map(|epsilon| &epsilon.1));
        Ok(Some(Outcome {
            metric_id,
            leadership,
            partner,
            epsilon: epsilon.map(|epsilon| epsilon.0),
            delta,
            reason,
            ratio,
        }))
    }

    /// Ends the walk and returns how many metrics of the policy neither side has, up to an id where it went only that far.
    pub(super) fn finish(self, before: Option<&str>) -> u64 {
        match before {
            Some(id) => self.epsilons.finish_before(id),
            None => self.epsilons.finish(),
        }
    }
}

fn parted(row: Option<Row<'_>>) -> (Option<Cow<'_, str>>, Option<Cow<'_, str>>) {
    row.map_or((None, None), |row| (Some(row.value), Some(row.metric_id)))
}

fn decimal(value: &str) -> Result<Decimal, Fault> {
    Decimal::parse(value).map_err(|error| Fault::whole(error.to_string()))
}

/// Judges one metric: it fails on one side only, without an epsilon, or further apart than that; exactly as far passes.
fn judged(
    values: (Option<Decimal>, Option<Decimal>),
    epsilon: Option<&Decimal>,
) -> (Option<Decimal>, Option<MetricReason>, Option<f64>) {
    let (leadership, partner) = match values {
        (Some(leadership), Some(partner)) => (leadership, partner),
        (Some(_), None) => return (None, Some(MetricReason::MissingInPartner), None),
        (None, _) => return (None, Some(MetricReason::MissingInLeadership), None),
    };
    let delta = &leadership - &partner;
    let Some(epsilon) = epsilon else {
        return (Some(delta), Some(MetricReason::EpsilonMissing), None);
    };
    let exceeded = delta.cmp_abs(epsilon).is_gt();
    let ratio = delta.ratio(epsilon);
    let reason = exceeded.then_some(MetricReason::EpsilonExceeded);
    (Some(delta), reason, Some(ratio))
}

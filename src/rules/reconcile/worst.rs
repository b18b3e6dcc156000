//! The worst metrics of a comparison: a short list, kept while all others pass by.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use serde::Serialize;

use super::{MetricReason, Outcome, RunVerdict};

/// One metric that is kept; values as they were written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metric {
    /// The metric.
    pub metric_id: String,
    /// What leadership sees.
    pub leadership: Option<String>,
    /// What the partner gets.
    pub partner: Option<String>,
    /// How far they may lie apart.
    pub epsilon: Option<String>,
    /// Leadership's value less the partner's.
    pub delta: Option<String>,
    /// Whether it passes.
    pub verdict: RunVerdict,
    /// Why it fails.
    pub reason: Option<MetricReason>,
    /// The delta in epsilons, nearly.
    #[serde(skip)]
    pub ratio: Option<f64>,
}

impl From<&Outcome<'_>> for Metric {
    fn from(outcome: &Outcome<'_>) -> Self {
        Self {
            metric_id: outcome.metric_id.to_string(),
            leadership: outcome.leadership.as_deref().map(str::to_owned),
            partner: outcome.partner.as_deref().map(str::to_owned),
            epsilon: outcome.epsilon.map(str::to_owned),
            delta: outcome.delta.as_ref().map(ToString::to_string),
            verdict: outcome.verdict(),
            reason: outcome.reason,
            ratio: outcome.ratio,
        }
    }
}

/// How bad a metric is: those too far apart come first, then those that fail without a number, then those that pass.
#[derive(Debug, Clone, Copy)]
struct Badness {
    tier: u8,
    ratio: f64,
}

impl Badness {
    fn of(outcome: &Outcome<'_>) -> Self {
        let (tier, ratio) = match (outcome.reason, outcome.ratio) {
            (Some(_), Some(ratio)) => (2, ratio),
            (Some(_), None) => (1, 0.0),
            (None, ratio) => (0, ratio.unwrap_or(0.0)),
        };
        Self { tier, ratio }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let tier = self.tier.cmp(&other.tier);
        tier.then_with(|| self.ratio.total_cmp(&other.ratio))
    }
}

#[derive(Debug)]
struct Kept {
    badness: Badness,
    metric: Metric,
}

impl Ord for Kept {
    /// Of two that are equally bad the one with the smaller id counts as worse.
    fn cmp(&self, other: &Self) -> Ordering {
        let badness = self.badness.cmp(&other.badness);
        badness.then_with(|| other.metric.metric_id.cmp(&self.metric.metric_id))
    }
}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Kept {}

/// Keeps the worst of the metrics that it is shown.
#[derive(Debug)]
pub(super) struct Worst {
    most: usize,
    kept: BinaryHeap<Reverse<Kept>>,
}

impl Worst {
    pub(super) fn of(most: usize) -> Self {
        Self {
            most,
            kept: BinaryHeap::new(),
        }
    }

    /// Looks at a metric; they come by ascending id.
    #[inline]
    pub(super) fn look_at(&mut self, outcome: &Outcome<'_>) {
        let badness = Badness::of(outcome);
        if self.kept.len() >= self.most {
            // One that is as bad as the least of the kept has the larger id.
            let is_worse = |kept: &Reverse<Kept>| badness.cmp(&kept.0.badness).is_gt();
            if !self.kept.peek().is_some_and(is_worse) {
                return;
            }
            self.kept.pop();
        }
        let metric = Metric::from(outcome);
        self.kept.push(Reverse(Kept { badness, metric }));
    }

    /// Keeps the worst of both.
    pub(super) fn joined(mut self, other: Self) -> Self {
        self.kept.extend(other.kept);
        while self.kept.len() > self.most {
            self.kept.pop();
        }
        self
    }

    /// Returns what was kept, the worst first.
    pub(super) fn into_list(self) -> Vec<Metric> {
        let kept = self.kept.into_sorted_vec();
        kept.into_iter().map(|Reverse(kept)| kept.metric).collect()
    }
}

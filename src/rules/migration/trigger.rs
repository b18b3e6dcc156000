//! The trigger: from the flip on, every series' protected metrics against the two limits of its policy, week by week.
//!
//! What is decided here where the rules leave it open, each time so that nothing is excused:
//! - A run is judged by the adopted policy that it was made under, so that no later policy changes what a week meant.
//! - A metric is protected that the migration protects, or the run's own manifest.
//! - A week that was skipped or missed, whose inputs could not be compared, or with a protected metric that is missing on a
//!   side tells nothing. It does not count as one of two weeks, and it does not part two weeks that do: leaving a week out
//!   never stops a rollback.
//! - Only a run that was begun after the flip counts, whatever it was planned for.
//! - Neither a manual run nor a drill counts, and an immediate one is never one of the two weeks.
//! - How a week lies to the week before is shown with the weeks, and decides nothing.

mod told;

pub use told::may_trigger;

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Phase, RollbackReason, Stand};
use crate::clock::Moment;
use crate::rules::people::Role;
use crate::rules::reconcile::Decimal;
use crate::rules::week::{Limits, Pair, RunKind, RunStatus, Seen, is_sound, worst};
use crate::rules::{Verdict, words};

words! {
    /// What the trigger says.
    pub enum TriggerState {
        /// It was not cut over, or its watch is over: nothing is decided.
        NotWatched = "not_watched",
        /// Every series lies within its limits.
        Stays = "stays",
        /// A series lay above the soft limit once.
        Amber = "amber",
        /// It is to be taken back.
        RollBack = "roll_back",
        /// Nobody can tell.
        Inconclusive = "inconclusive",
    }
}

words! {
    /// How a run lies to the limits.
    pub enum Against {
        /// No protected metric lies above either.
        Within = "within",
        /// One lies above the soft one.
        AboveSoft = "above_soft",
        /// One lies above both.
        AboveHard = "above_hard",
        /// Nobody can tell.
        Untold = "untold",
    }
}

words! {
    /// Why nobody can tell.
    pub enum Untold {
        /// The database's clock is behind its newest entry.
        ClockBehind = "clock_behind",
        /// A series was not compared since the flip.
        NoRun = "no_run",
        /// The run was made under no policy that two people adopted.
        NoPolicy = "no_policy",
        /// No metric is protected.
        NoProtected = "no_protected_metrics",
        /// A protected metric is missing on a side.
        MetricMissing = "metric_missing",
        /// Nothing was compared: the window was skipped or missed, or its inputs were rejected.
        NotCompared = "not_compared",
    }
}

impl Untold {
    /// Says it in a sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::ClockBehind => "the database's clock is behind its newest entry",
            Self::NoRun => "a series has not been compared since the flip",
            Self::NoPolicy => "it was made under no policy that two people adopted",
            Self::NoProtected => "no metric is protected",
            Self::MetricMissing => "a protected metric is missing on a side",
            Self::NotCompared => "nothing was compared",
        }
    }
}

/// Who is told that a rule took a migration back, besides whoever deploys exporters anew.
pub const TOLD_OF_ROLLBACK: &[Role] = &[Role::GovernanceLead, Role::OnCall];

/// A metric that a run kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptMetric<'a> {
    /// The metric.
    pub metric_id: &'a str,
    /// Whether the run's manifest protects it.
    pub protected: bool,
    /// The leadership's value.
    pub leadership: Option<&'a str>,
    /// The partners' value.
    pub partner: Option<&'a str>,
}

/// A run that has ended.
#[derive(Debug, Clone)]
pub struct EndedRun<'a> {
    /// The run.
    pub job_run_id: &'a str,
    /// Its series.
    pub series: &'a str,
    /// Why it was made.
    pub kind: RunKind,
    /// How it ended.
    pub status: RunStatus,
    /// The time of its window.
    pub scheduled_at: Moment,
    /// When it was begun; the time of its window where nobody began.
    pub began: Moment,
    /// The policy it was judged by, where two people adopted one of that name.
    pub policy: Option<(&'a str, Pair)>,
    /// The metrics that it kept.
    pub kept: Vec<KeptMetric<'a>>,
}

/// Everything that the trigger rests on.
#[derive(Debug, Clone)]
pub struct Watch<'a> {
    /// The time.
    pub now: Moment,
    /// Whether the database's clock was turned back behind its newest entry.
    pub clock_is_behind: bool,
    /// Where the migration stands.
    pub stand: Stand<'a>,
    /// When it was cut over.
    pub flipped: Option<Moment>,
    /// The metrics that it protects.
    pub protected: Vec<&'a str>,
    /// The series that are compared.
    pub series: Vec<&'a str>,
    /// What has ended since the flip.
    pub runs: Vec<EndedRun<'a>>,
}

/// How one run since the flip stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WatchedRun {
    /// The run.
    pub job_run_id: String,
    /// Its series.
    pub series: String,
    /// Why it was made.
    pub kind: RunKind,
    /// How it ended.
    pub status: RunStatus,
    /// The time of its window.
    pub scheduled_at: Moment,
    /// When it was begun.
    pub began: Moment,
    /// How it lies to the limits.
    pub against: Against,
    /// Why nobody can tell.
    pub untold: Option<Untold>,
    /// The protected metric that lay farthest apart, or that is missing.
    pub metric_id: Option<String>,
    /// How far apart it lay, nearly; whether that is above a limit was asked exactly.
    pub ratio: Option<String>,
    /// The ratio of the same metric in the week before, nearly; only to be looked at.
    pub ratio_before: Option<String>,
    /// The policy.
    pub epsilon_policy_version: Option<String>,
    /// Its soft limit.
    pub soft: Option<String>,
    /// Its hard limit.
    pub hard: Option<String>,
}

/// What the trigger says, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trigger {
    /// What it says.
    pub state: TriggerState,
    /// Why it is to be taken back.
    pub reason: Option<RollbackReason>,
    /// Why nobody can tell.
    pub untold: Option<Untold>,
    /// The runs that decided.
    pub rests_on: Vec<WatchedRun>,
    /// Every run since the flip that counts, in the order of their windows.
    pub runs: Vec<WatchedRun>,
}

/// Says what becomes of a migration that was cut over.
#[must_use]
pub fn trigger(watch: &Watch<'_>) -> Trigger {
    let runs = judged(watch);
    let said = |state, rests_on: Vec<WatchedRun>| Trigger {
        state,
        reason: None,
        untold: None,
        rests_on,
        runs: runs.clone(),
    };
    let cannot_tell = |why, rests_on| Trigger {
        untold: Some(why),
        ..said(TriggerState::Inconclusive, rests_on)
    };
    let roll_back = |reason, rests_on| Trigger {
        reason: Some(reason),
        ..said(TriggerState::RollBack, rests_on)
    };
    let stand = &watch.stand;
    let is_over = stand.closed.is_some() && stand.watch_until.is_none_or(|it| it < watch.now);
    if stand.phase != Phase::Cutover || is_over || watch.flipped.is_none() {
        return said(TriggerState::NotWatched, Vec::new());
    }
    if watch.clock_is_behind {
        return cannot_tell(Untold::ClockBehind, Vec::new());
    }
    if let Some(run) = runs.iter().find(|it| it.against == Against::AboveHard) {
        return roll_back(RollbackReason::EpsilonHard, vec![run.clone()]);
    }
    let names: BTreeSet<&str> = watch.series.iter().copied().collect();
    let series: BTreeSet<&str> = names
        .into_iter()
        .chain(runs.iter().map(|run| &*run.series))
        .collect();
    let twice = series.iter().find_map(|series| {
        let told: Vec<&WatchedRun> = of(&runs, series).filter(|it| is_told_week(it)).collect();
        let soft = |it: &&WatchedRun| it.against == Against::AboveSoft;
        let pair = told.windows(2).find(|pair| pair.iter().all(soft))?;
        Some(pair.iter().map(|run| (*run).clone()).collect())
    });
    if let Some(pair) = twice {
        return roll_back(RollbackReason::EpsilonSoftTwice, pair);
    }
    let amber: Vec<WatchedRun> = series
        .iter()
        .flat_map(|series| ambers(&of(&runs, series).collect::<Vec<_>>()))
        .collect();
    if !amber.is_empty() {
        return said(TriggerState::Amber, amber);
    }
    for series in &series {
        match of(&runs, series).max_by_key(|it| it.began) {
            None => return cannot_tell(Untold::NoRun, Vec::new()),
            Some(newest) => {
                if let Some(why) = newest.untold {
                    return cannot_tell(why, vec![newest.clone()]);
                }
            }
        }
    }
    if series.is_empty() {
        return cannot_tell(Untold::NoRun, Vec::new());
    }
    said(TriggerState::Stays, Vec::new())
}

fn of<'a>(runs: &'a [WatchedRun], series: &'a str) -> impl Iterator<Item = &'a WatchedRun> {
    runs.iter().filter(move |it| it.series == series)
}

fn is_told_week(run: &WatchedRun) -> bool {
    run.kind == RunKind::Scheduled && run.against != Against::Untold
}

/// Finds what makes a series amber: the newest week that tells something, and an immediate run after which nothing lay within.
fn ambers(runs: &[&WatchedRun]) -> Vec<WatchedRun> {
    let week = runs.iter().rfind(|it| is_told_week(it));
    let week = week.filter(|it| it.against == Against::AboveSoft);
    let at_once = runs.iter().filter(|it| {
        let is_after = |other: &&&WatchedRun| other.began > it.began;
        let mut after = runs.iter().filter(is_after);
        it.kind == RunKind::Immediate
            && it.against == Against::AboveSoft
            && !after.any(|other| other.against == Against::Within)
    });
    at_once.chain(week).map(|run| (*run).clone()).collect()
}

/// Judges every run that counts, in the order of their windows.
fn judged(watch: &Watch<'_>) -> Vec<WatchedRun> {
    let counts = |run: &&EndedRun<'_>| {
        let of_kind = matches!(run.kind, RunKind::Scheduled | RunKind::Immediate);
        let is_since = watch.flipped.is_some_and(|flipped| run.began >= flipped);
        of_kind && is_since && run.status.is_final()
    };
    let mut runs: Vec<&EndedRun<'_>> = watch.runs.iter().filter(counts).collect();
    runs.sort_by_key(|run| (run.scheduled_at, run.job_run_id));
    let mut judged: Vec<WatchedRun> = Vec::with_capacity(runs.len());
    for run in &runs {
        let mut found = judge(run, &expected(watch, &runs, run.series));
        let before = judged
            .iter()
            .rfind(|it| it.series == run.series && is_told_week(it));
        found.ratio_before = before
            .filter(|it| it.metric_id == found.metric_id)
            .and_then(|it| it.ratio.clone());
        judged.push(found);
    }
    judged
}

/// Names the protected metrics that a series' runs must have: those that one of them has, and those that no series has.
fn expected<'a>(watch: &Watch<'a>, runs: &[&EndedRun<'_>], series: &str) -> BTreeSet<&'a str> {
    let has = |run: &&&EndedRun<'_>, metric: &str| run.kept.iter().any(|it| it.metric_id == metric);
    let all = watch.protected.iter().copied();
    all.filter(|metric| {
        let mut having = runs.iter().filter(|run| has(run, metric)).peekable();
        having.peek().is_none() || having.any(|run| run.series == series)
    })
    .collect()
}

fn judge(run: &EndedRun<'_>, expected: &BTreeSet<&str>) -> WatchedRun {
    let limits = run.policy.as_ref().map(|(_, pair)| pair);
    let (against, untold, metric_id, ratio) = match measured(run, expected) {
        Ok((against, metric, ratio)) => (against, None, Some(metric), Some(ratio)),
        Err((why, metric)) => (Against::Untold, Some(why), metric, None),
    };
    WatchedRun {
        job_run_id: run.job_run_id.to_owned(),
        series: run.series.to_owned(),
        kind: run.kind,
        status: run.status,
        scheduled_at: run.scheduled_at,
        began: run.began,
        against,
        untold,
        metric_id,
        ratio,
        ratio_before: None,
        epsilon_policy_version: run.policy.as_ref().map(|(name, _)| (*name).to_owned()),
        soft: limits.map(|pair| pair.soft.clone()),
        hard: limits.map(|pair| pair.hard.clone()),
    }
}

type Measured = Result<(Against, String, String), (Untold, Option<String>)>;

fn measured(run: &EndedRun<'_>, expected: &BTreeSet<&str>) -> Measured {
    if !run.status.has_compared() {
        return Err((Untold::NotCompared, None));
    }
    let pair = run.policy.as_ref().map(|(_, pair)| pair);
    let sound = pair.filter(|pair| is_sound(pair).verdict == Verdict::Pass);
    let limits = sound.and_then(Limits::of).ok_or((Untold::NoPolicy, None))?;
    let is_protected = |it: &&KeptMetric<'_>| it.protected || expected.contains(it.metric_id);
    let protected: Vec<&KeptMetric<'_>> = run.kept.iter().filter(is_protected).collect();
    let missing = |metric: &str| (Untold::MetricMissing, Some(metric.to_owned()));
    let mut absent = expected.iter();
    if let Some(metric) = absent.find(|id| !protected.iter().any(|it| it.metric_id == **id)) {
        return Err(missing(metric));
    }
    let mut seen = Vec::with_capacity(protected.len());
    for it in protected {
        let number = |value: Option<&str>| Decimal::parse(value?).ok();
        let sides = number(it.leadership).zip(number(it.partner));
        let (leadership, partner) = sides.ok_or_else(|| missing(it.metric_id))?;
        seen.push(Seen {
            metric_id: it.metric_id.to_owned(),
            delta: Some((&leadership - &partner).to_string()),
            partner: Some(partner.to_string()),
        });
    }
    let worst = worst(&limits, &seen).ok_or((Untold::NoProtected, None))?;
    let against = match (worst.above_hard, worst.above_soft) {
        (true, _) => Against::AboveHard,
        (false, true) => Against::AboveSoft,
        (false, false) => Against::Within,
    };
    Ok((against, worst.metric_id, format!("{:.6}", worst.ratio)))
}

#[cfg(test)]
mod tests;

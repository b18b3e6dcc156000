//! The 72 hours without a mismatch: one reducer over the scans, with a log of what held the clock or set it back.

use std::time::Duration;

use serde::Serialize;

use crate::clock::Moment;
use crate::rules::words;

/// How long nothing may mismatch.
pub const CLEAN_HOURS: Duration = Duration::from_hours(72);
/// How far scans may lie apart to count what is between them.
pub const APART: Duration = Duration::from_hours(1);
/// After how long without a scan everything before it counts no longer.
pub const LOST: Duration = Duration::from_hours(12);
/// For how long a scan that was ended in between may be taken up by another run: together with the time between two scans less
/// than an hour.
const TAKEN_UP: Duration = Duration::from_mins(10);

words! {
    /// How a scan went.
    pub enum ScanStatus {
        /// It looked at every row.
        Whole = "whole",
        /// It ended before it had.
        Short = "short",
        /// It failed.
        Failed = "failed",
    }
}

words! {
    /// What held the clock, or set it back.
    pub enum Why {
        /// No scan came for over an hour; the time between does not count.
        Gap = "gap",
        /// No scan came for over twelve hours.
        Lost = "lost",
        /// A pair did not match.
        Mismatch = "mismatch",
        /// A scan was not whole.
        NotWhole = "not_whole",
        /// There was nothing to look at.
        Empty = "empty",
        /// The pairs, the allow-list, the shape of the dictionary or the keys of exporters are others.
        Changed = "changed",
    }
}

impl Why {
    /// Tells whether the clock begins anew.
    #[must_use]
    pub const fn resets(self) -> bool {
        !matches!(self, Self::Gap)
    }
}

/// A scan of both halves of every pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample<'a> {
    /// When it was made: when its first rows were looked at.
    pub at: Moment,
    /// When its last rows were.
    pub until: Moment,
    /// How it went.
    pub status: ScanStatus,
    /// How many rows it looked at.
    pub rows: i64,
    /// How many of them mismatch.
    pub mismatches: i64,
    /// What it was made of: pairs, allow-list, fingerprint, hashed.
    pub inputs: &'a str,
}

/// Something that held the clock, or set it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Interruption {
    /// When it was noticed.
    pub at: Moment,
    /// What it was.
    pub why: Why,
    /// How much had counted when it was noticed.
    pub counted_micros: i64,
}

/// How the clock stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clean {
    /// How long nothing has mismatched, as far as scans show it.
    pub counted: Duration,
    /// The newest scan.
    pub newest: Option<Moment>,
    /// Whether the time since the newest scan still counts once another comes.
    pub runs: bool,
    /// What held it or set it back, the oldest first.
    pub log: Vec<Interruption>,
    /// Whether the newest scan had anything to look at.
    pub is_empty: bool,
}

/// Counts the clean hours from scans, the oldest first; `changes` are when exporters began to write other keys, in their
/// order, and `inputs` is what a scan would be made of now.
///
/// Only the time between two clean scans counts: what nobody looked at proves nothing. It begins when the first of them had
/// looked at every row, and ends when the last of them began to.
#[must_use]
pub fn clean(samples: &[Sample<'_>], changes: &[Moment], inputs: &str, now: Moment) -> Clean {
    let mut clock = Clean {
        counted: Duration::ZERO,
        newest: samples.last().map(|sample| sample.at),
        runs: false,
        log: Vec::new(),
        is_empty: samples.last().is_some_and(|sample| sample.rows == 0),
    };
    let mut before: Option<&Sample<'_>> = None;
    let mut from = None;
    for sample in samples {
        let counts = clock.take(before.zip(from), sample, changes);
        from = Some(if counts { sample.at } else { sample.until });
        before = Some(sample);
    }
    if let Some(last) = before {
        let is_same = last.inputs == inputs && !changed(changes, last.at, now);
        if !is_same {
            clock.interrupt(now, Why::Changed);
        }
        let since = passed(last.at, now);
        // From when on it is missed, and not when somebody looked.
        if since > LOST {
            clock.interrupt(last.at.plus(LOST), Why::Lost);
        } else if since > APART {
            clock.interrupt(last.at.plus(APART), Why::Gap);
        }
        clock.runs = last.fault().is_none() && is_same && since <= APART;
    }
    clock
}

/// Tells whether a scan that was begun at one time, and ended in between, may be taken up at another.
#[must_use]
pub fn may_take_up(begun: Moment, now: Moment) -> bool {
    now.since(begun).to_std().is_ok_and(|it| it <= TAKEN_UP)
}

/// Tells how much time passed; none where a clock was turned back.
fn passed(from: Moment, to: Moment) -> Duration {
    to.since(from).to_std().unwrap_or_default()
}

/// Tells whether exporters began to write other keys after one moment, and not after another.
fn changed(changes: &[Moment], from: Moment, to: Moment) -> bool {
    let until = |moment: Moment| changes.partition_point(|at| *at <= moment);
    until(from) < until(to)
}

impl Sample<'_> {
    fn fault(&self) -> Option<Why> {
        match self.status {
            ScanStatus::Short | ScanStatus::Failed => Some(Why::NotWhole),
            ScanStatus::Whole if self.rows <= 0 => Some(Why::Empty),
            ScanStatus::Whole if self.mismatches != 0 => Some(Why::Mismatch),
            ScanStatus::Whole => None,
        }
    }
}

impl Clean {
    /// Takes a sample after the one before and the time from which on that one proves something; tells whether the time
    /// between counts.
    fn take(
        &mut self,
        before: Option<(&Sample<'_>, Moment)>,
        sample: &Sample<'_>,
        moments: &[Moment],
    ) -> bool {
        let Some((before, from)) = before else {
            if let Some(why) = sample.fault() {
                self.interrupt(sample.at, why);
            }
            return false;
        };
        // From the first look at a row to the next one at the same row, as late as both may be.
        let apart = passed(before.at, sample.until);
        let is_other = before.inputs != sample.inputs || changed(moments, before.at, sample.at);
        let changed = is_other.then_some(Why::Changed);
        let lost = (apart > LOST).then_some(Why::Lost);
        if let Some(why) = sample.fault().or(changed).or(lost) {
            self.interrupt(sample.at, why);
            return false;
        }
        if before.fault().is_some() {
            // Clean again: it counts from here.
            return false;
        }
        if apart > APART {
            self.interrupt(sample.at, Why::Gap);
            return false;
        }
        self.counted += passed(from, sample.at);
        true
    }

    /// Notes it, unless the same is noted already and nothing has counted since.
    fn interrupt(&mut self, at: Moment, why: Why) {
        let told = self.log.last().is_some_and(|last| last.why == why);
        if told && self.counted.is_zero() {
            return;
        }
        self.log.push(Interruption {
            at,
            why,
            counted_micros: i64::try_from(self.counted.as_micros()).unwrap_or(i64::MAX),
        });
        if why.resets() {
            self.counted = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests;

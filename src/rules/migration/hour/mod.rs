//! The hour of a cutover: its seven steps, what each waits for, and the clock that they are done under.

mod may;
mod plan;
mod start;

pub use may::{
    Attesting, Beginning, Ending, may_abort, may_attest, may_begin_step, may_end_step, may_flip,
    may_hand_over, may_note,
};
pub use plan::{CutoverPlan, GoldenSource, Outside, Pipeline, PlannedGolden, read_plan};
pub use start::{Starting, frozen, is_frozen, may_start_hour};

use std::time::Duration;

use crate::clock::Moment;
use crate::rules::time::minutes;
use crate::rules::words;

/// How long everybody has to hear of it before the first step that changes something.
pub const NOTICE: Duration = Duration::from_mins(15);
/// How long the hour is.
pub const HOUR: Duration = Duration::from_hours(1);

words! {
    /// A step of the hour.
    pub enum Step {
        /// Edits are frozen, and everybody hears of it.
        Announce = "announce",
        /// What both pipelines export now is frozen.
        Golden = "golden",
        /// The replay again, the phase, and the exporters' profile.
        Flip = "flip",
        /// Caches of what partners read are emptied.
        Purge = "purge",
        /// Every series is compared at once.
        Reconcile = "reconcile",
        /// Another signs, and the migration is closed.
        Complete = "complete",
        /// What partners read about it.
        Note = "note",
    }
}

words! {
    /// How far a step is.
    pub enum StepState {
        /// Nobody has begun it.
        NotStarted = "not_started",
        /// Somebody is at it.
        Running = "running",
        /// It is done.
        Done = "done",
        /// It is done, and something is to be known of it.
        DoneWithWarning = "done_with_warning",
        /// It was left out.
        Skipped = "skipped",
        /// It failed; it may be tried again.
        Failed = "failed",
        /// The hour ended while it ran.
        Aborted = "aborted",
    }
}

words! {
    /// How far an hour is.
    pub enum HourStatus {
        /// It runs.
        Running = "running",
        /// It came to its end.
        Done = "done",
        /// It was given up.
        Aborted = "aborted",
    }
}

/// What ends a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// A command that the plan names, or a person's word.
    Outside,
    /// What govdeck does itself.
    Work,
    /// What govdeck does itself, a person's action, and a command or a person's word.
    Flip,
    /// A person's action alone.
    Deed(&'static str),
}

impl Step {
    /// Counts from one, as people do.
    #[must_use]
    pub fn number(self) -> usize {
        1 + Self::ALL.iter().position(|it| *it == self).unwrap_or(0)
    }

    /// Says in a few words what it is.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Announce => "announce the lock",
            Self::Golden => "freeze what both pipelines export",
            Self::Flip => "replay again, flip, deploy the exporters' profile",
            Self::Purge => "purge caches",
            Self::Reconcile => "reconcile now",
            Self::Complete => "another signs off and closes",
            Self::Note => "post-mortem note",
        }
    }

    /// Says what ends it.
    #[must_use]
    pub const fn ended_by(self) -> EndedBy {
        match self {
            Self::Announce | Self::Purge => EndedBy::Outside,
            Self::Golden | Self::Reconcile => EndedBy::Work,
            Self::Flip => EndedBy::Flip,
            Self::Complete => EndedBy::Deed("close_migration"),
            Self::Note => EndedBy::Deed("note_post_mortem"),
        }
    }

    /// Returns the actions that bring it on.
    #[must_use]
    pub const fn deeds(self) -> &'static [&'static str] {
        match self {
            Self::Announce | Self::Purge => &["begin_step", "attest_step"],
            Self::Golden | Self::Reconcile => &["begin_step"],
            Self::Flip => &["begin_step", "cutover", "attest_step"],
            Self::Complete => &["close_migration"],
            Self::Note => &["note_post_mortem"],
        }
    }

    /// Names the action that comes next in it: `by` is what ends it, where that lies outside.
    #[must_use]
    pub fn next_deed(
        self,
        state: StepState,
        is_flipped: bool,
        by: Option<&Outside>,
    ) -> &'static str {
        match self.ended_by() {
            EndedBy::Deed(verb) => verb,
            _ if state != StepState::Running => "begin_step",
            _ if self == Self::Flip && !is_flipped => "cutover",
            _ if matches!(by, Some(Outside::Attest { .. })) => "attest_step",
            _ => "begin_step",
        }
    }

    /// Returns the command line that goes on with it, by the action that comes next.
    #[must_use]
    pub fn command(self, deed: &str, migration: &str) -> String {
        match deed {
            "begin_step" => format!("govdeck hour begin {self} {migration}"),
            "attest_step" => format!("govdeck act attest-step {migration} --step {self} --as done"),
            verb => format!("govdeck act {} {migration}", verb.replace('_', "-")),
        }
    }

    /// Tells whether the hour may go on without it.
    #[must_use]
    pub const fn may_be_skipped(self) -> bool {
        matches!(self, Self::Purge)
    }
}

impl StepState {
    /// Tells whether the next step may begin.
    #[must_use]
    pub const fn lets_go_on(self) -> bool {
        matches!(self, Self::Done | Self::DoneWithWarning | Self::Skipped)
    }
}

/// How far one step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepStand<'a> {
    /// The step.
    pub step: Step,
    /// How far it is.
    pub state: StepState,
    /// How often it was begun.
    pub attempt: i64,
    /// Who began it last.
    pub owner: Option<&'a str>,
    /// When.
    pub began: Option<Moment>,
    /// When it ended.
    pub ended: Option<Moment>,
}

/// How far an hour is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourStand<'a> {
    /// Which one of the migration it is.
    pub number: i64,
    /// How far it is.
    pub status: HourStatus,
    /// Who leads it.
    pub lead: &'a str,
    /// Its steps, in their order.
    pub steps: Vec<StepStand<'a>>,
}

/// The clock of the hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HourClock {
    /// The lock is being announced.
    Announcing,
    /// The lock is announced, and the sixty minutes begin so much later.
    Notice(Duration),
    /// It runs, and has that long left.
    Left(Duration),
    /// It ran out that long ago.
    Over(Duration),
}

impl HourClock {
    /// Says in words how it stands.
    #[must_use]
    pub fn said(self) -> String {
        match self {
            Self::Announcing => "the lock is being announced".to_owned(),
            Self::Notice(left) => {
                format!("lock announced, the hour begins in {}", minutes(left))
            }
            Self::Left(left) => format!("{} of the hour left", minutes(left)),
            Self::Over(over) => format!("OVERRUN by {}", minutes(over)),
        }
    }
}

impl HourStand<'_> {
    /// Finds a step.
    #[must_use]
    pub fn step(&self, step: Step) -> Option<&StepStand<'_>> {
        self.steps.iter().find(|it| it.step == step)
    }

    /// Finds the step that comes now: the first that does not let go on.
    #[must_use]
    pub fn at(&self) -> Option<&StepStand<'_>> {
        self.steps.iter().find(|it| !it.state.lets_go_on())
    }

    /// Returns when the sixty minutes begin: once everybody has had the time to hear of the lock.
    #[must_use]
    pub fn opens(&self) -> Option<Moment> {
        let announce = self.step(Step::Announce);
        let announced = announce.filter(|it| it.state.lets_go_on());
        announced.and_then(|it| Some(it.ended?.plus(NOTICE)))
    }

    /// Reads the clock of an hour that runs.
    #[must_use]
    pub fn clock(&self, now: Moment) -> HourClock {
        let Some(opened) = self.opens() else {
            return HourClock::Announcing;
        };
        if now < opened {
            return HourClock::Notice(opened.since(now).to_std().unwrap_or_default());
        }
        let gone = now.since(opened).to_std().unwrap_or_default();
        match HOUR.checked_sub(gone) {
            Some(left) => HourClock::Left(left),
            None => HourClock::Over(gone.saturating_sub(HOUR)),
        }
    }
}

#[cfg(test)]
mod tests;

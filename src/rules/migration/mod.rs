//! The migration of the dictionary: its phases and moves, the gates before each, and the clock that counts clean hours.

mod calendar;
mod clean;
mod countersign;
mod earliest;
mod facts;
mod fingerprint;
mod gates;
pub mod hour;
mod inputs;
mod kept_views;
mod matrix;
mod moves;
mod pair;
mod probe;
mod rehearsal;
mod replay;
mod reversible;
mod stuck;
mod trigger;
mod views;

pub use calendar::{CalendarKind, Planned, known_until, next_window, stands_in};
pub use clean::{CLEAN_HOURS, Clean, Interruption, Sample, ScanStatus, Why, clean, may_take_up};
pub use countersign::{COUNTERSIGN_WITHIN, MadeAlone, may_open_countersign};
pub use earliest::{Earliest, earliest};
pub use facts::{
    Allowlist, Approval, Evidence, Facts, Known, Override, Owner, Proof, Series, Stand,
};
pub use fingerprint::{Drift, Fingerprint, Landed, changes, fingerprinted, keysets_sha256};
pub use gates::{Report, agreed, conditions, judge, reports};
pub use inputs::{faq_inputs, plan_hash, protected_inputs, replay_inputs, scan_inputs};
pub use kept_views::{Needing, WouldDo, leaves_the_way_back};
pub use matrix::{Cell, MatrixFault, RISKS, SURFACES, matrix_verdict, read_matrix};
pub use moves::{
    Closing, LONGEST_OVERRIDE, Opening, RollBack, may_close, may_countersign, may_move, may_open,
    may_override, may_roll_back,
};
pub use pair::{PairFault, faults_of_pairs, identifier_fault};
pub use probe::{Joined, Probed, protected_are_joined, questions_bind};
pub use rehearsal::{
    Deed, DeedState, Fault, ForkKind, FoundGate, Receipt, Rehearsed, Struck, TakenBack,
    can_be_rehearsed, may_rehearse_move,
};
pub use replay::{
    Cells, Golden, Played, Replay, ReplaySource, first_difference, read_replay, replayed,
};
pub use reversible::{DICTIONARY_KEY, Looked, Reversible, WayBackFacts, reversible};
pub use stuck::{DAYS, Mismatching, days, is_stuck, may_open_deficiency};
pub use trigger::{
    Against, EndedRun, KeptMetric, TOLD_OF_ROLLBACK, Trigger, TriggerState, Untold, Watch,
    WatchedRun, may_trigger, trigger,
};
pub use views::{
    DICTIONARY, Dialect, LONG_VIEW, MISMATCH_INDEX, Site, WIDE_VIEW, differing_in_view, halves,
    literal, quoted,
};

use super::people::Role;
use super::{Refusal, words};

/// Says that nobody has opened such a migration.
#[must_use]
pub fn no_such_migration(id: &str) -> Refusal {
    Refusal::new(
        format!("there is no migration {id:?}"),
        "`govdeck migration list` shows them",
    )
}

words! {
    /// Where a migration stands.
    pub enum Phase {
        /// Proofs are made, and nothing is written twice yet.
        Prepare = "prepare",
        /// Both halves of each pair are written.
        DualWrite = "dual_write",
        /// Exporters write the modern half alone.
        Cutover = "cutover",
        /// It was taken back, for good.
        Rollback = "rollback",
    }
}

words! {
    /// What moves a migration.
    pub enum Move {
        /// It begins.
        Open = "open",
        /// Both halves are written from now on.
        DualWrite = "dual_write",
        /// The modern half alone.
        Cutover = "cutover",
        /// It is done, and watched from now on.
        Close = "close",
        /// It is taken back.
        Rollback = "rollback",
    }
}

words! {
    /// Why a migration was taken back.
    pub enum RollbackReason {
        /// The sides were further apart than is borne even once.
        EpsilonHard = "epsilon_hard",
        /// They were further apart than is borne twice in a row.
        EpsilonSoftTwice = "epsilon_soft_x2",
        /// A step of the cutover hour failed.
        CutoverStepFailed = "cutover_step_failed",
        /// Somebody decided so.
        OperatorAbort = "operator_abort",
    }
}

impl RollbackReason {
    /// Tells whether a rule finds it in what was measured; people name no such reason.
    #[must_use]
    pub const fn is_measured(self) -> bool {
        matches!(self, Self::EpsilonHard | Self::EpsilonSoftTwice)
    }
}

words! {
    /// What partners are told of a migration.
    pub enum NoticeKind {
        /// That it was taken back, and why.
        RolledBack = "rolled_back",
        /// What is known once it is over.
        PostMortem = "post_mortem",
    }
}

words! {
    /// What must hold before a migration moves.
    pub enum Gate {
        /// The impact matrix is there.
        MatrixPresent = "G0a",
        /// It has no red cell.
        MatrixClear = "G0b",
        /// The joins before and after have the same metrics.
        Bind = "G1",
        /// The allow-list of the next phase is agreed on.
        Allowlist = "G2",
        /// Every question that partners read still binds.
        Faq = "G3",
        /// Frozen weeks replay alike under both releases.
        Replay = "G4",
        /// Three green weeks in a row.
        Baseline = "G5",
        /// No mismatch for 72 hours.
        Clean = "D1",
        /// Inside a maintenance window, outside a cert week.
        Calendar = "D2",
        /// No publish block is open.
        Blocks = "D3",
        /// Governance is not red.
        NotRed = "D4",
        /// Protected metrics are in both joins.
        Protected = "D5",
        /// Seven days were spent preparing.
        Prepared = "D6",
        /// The way back was rehearsed.
        Rehearsed = "D7",
        /// No other migration is under watch.
        Unwatched = "D8",
    }
}

words! {
    /// What evidence rows are about; the matrix answers two gates.
    pub enum EvidenceKind {
        /// The impact matrix.
        Matrix = "G0",
        /// The probe of questions and answers.
        Faq = "G3",
        /// The replay.
        Replay = "G4",
        /// The protected metrics.
        Protected = "D5",
        /// The rehearsal.
        Rehearsal = "D7",
    }
}

words! {
    /// What is amiss, until somebody sees to it.
    pub enum DeficiencyKind {
        /// The same metric did not match three days running.
        Mismatch = "mismatch",
        /// Nobody countersigned what one lead did alone.
        Countersign = "countersign",
    }
}

words! {
    /// Whether something that was set still stands.
    pub enum Standing {
        /// It does.
        Set = "set",
        /// It was called off.
        Cancelled = "cancelled",
    }
}

words! {
    /// Whether a pair of columns is kept alike.
    pub enum PairStatus {
        /// It is.
        Active = "active",
        /// No longer.
        Withdrawn = "withdrawn",
    }
}

impl Gate {
    /// Says in a few words what holds.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::MatrixPresent => "impact matrix present",
            Self::MatrixClear => "no red cell in the impact matrix",
            Self::Bind => "both joins run and have the same metrics",
            Self::Allowlist => "allow-list of the next phase approved by two",
            Self::Faq => "every active FAQ row binds",
            Self::Replay => "replay green under both releases",
            Self::Baseline => "three green scheduled weeks in a row",
            Self::Clean => "no mismatch for 72 h",
            Self::Calendar => "inside a maintenance window, outside a cert week",
            Self::Blocks => "no open publish block",
            Self::NotRed => "governance is not red",
            Self::Protected => "protected metrics in both joins",
            Self::Prepared => "at least seven days in prepare",
            Self::Rehearsed => "a rehearsal that really rolled back",
            Self::Unwatched => "no other migration under watch",
        }
    }

    /// Returns the role that answers for it.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::MatrixPresent | Self::MatrixClear | Self::Protected => Role::AnalyticsOwner,
            Self::Bind | Self::Replay | Self::Clean => Role::DataEngineer,
            Self::Allowlist => Role::ExporterMaintainer,
            Self::Faq => Role::FaqEditor,
            Self::Baseline => Role::OnCall,
            Self::Calendar
            | Self::Blocks
            | Self::NotRed
            | Self::Prepared
            | Self::Rehearsed
            | Self::Unwatched => Role::GovernanceLead,
        }
    }

    /// Tells whether two people may let a migration pass it all the same, for a while.
    #[must_use]
    pub const fn can_be_overridden(self) -> bool {
        !matches!(
            self,
            Self::Bind | Self::Allowlist | Self::Clean | Self::Blocks | Self::NotRed
        )
    }

    /// Lists the gates before a phase, in the order in which people read about them.
    #[must_use]
    pub fn before(phase: Phase) -> Vec<Self> {
        let stands = |gate: &Self| match gate {
            // What was there to prepare with is there later too.
            Self::MatrixPresent => true,
            Self::MatrixClear | Self::Prepared | Self::Unwatched => phase == Phase::DualWrite,
            Self::Faq | Self::Replay | Self::Clean | Self::Calendar | Self::Rehearsed => {
                phase == Phase::Cutover
            }
            _ => matches!(phase, Phase::DualWrite | Phase::Cutover),
        };
        let gates = Self::ALL.iter().copied();
        match phase {
            Phase::DualWrite | Phase::Cutover => gates.filter(stands).collect(),
            Phase::Prepare | Phase::Rollback => Vec::new(),
        }
    }
}

impl Phase {
    /// Returns the phase that comes next; none where a migration goes no further by itself.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Prepare => Some(Self::DualWrite),
            Self::DualWrite => Some(Self::Cutover),
            Self::Cutover | Self::Rollback => None,
        }
    }
}

#[cfg(test)]
mod tests;

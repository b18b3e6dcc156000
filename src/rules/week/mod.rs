//! Weekly reconciliation: how a run stands, what its series makes of governance, and who may put a name under it.

mod ack;
mod ending;
mod manifest;
mod policy;
mod spread;
mod state;
mod window;

pub use ack::{
    AckFacts, Basis, DIFF_SAME, Grounds, Packet, Signed, basis, counts, may_ack, may_revoke,
    why_not_current,
};
pub use ending::{
    Annexed, Incident, may_acknowledge, may_annex, may_attach, may_declare, may_leave_red,
    may_override,
};
pub use manifest::{Manifest, Owner, Owners, Source, read as read_manifest};
pub use policy::{
    BACKTEST_SCHEMA, Backtest, Judged, Pair, PastWeek, Seen, WEEKS, backtest, is_sound, may_adopt,
};
pub(super) use spread::{Limits, worst};
pub use state::{Because, FinalRun, History, Standing, opens_incident, stand};
pub use window::{
    Schedule, Window, is_missed, may_finish, may_miss, may_plan, may_skip, may_start,
};

use super::people::Role;
use super::words;

/// Who is told that governance is red.
pub const TOLD_OF_RED: &[Role] = &[Role::GovernanceLead, Role::Signer];

words! {
    /// Why a run was made; only scheduled ones feed states, gates and acks.
    pub enum RunKind {
        /// Its window was planned.
        Scheduled = "scheduled",
        /// At once, for a cutover.
        Immediate = "immediate",
        /// By hand, to see how it would come out.
        Manual = "manual",
        /// To practise.
        Drill = "drill",
    }
}

words! {
    /// Where a window stands.
    pub enum RunStatus {
        /// Its time is to come, or has come and nobody has begun.
        Scheduled = "SCHEDULED",
        /// Somebody compares.
        Running = "RUNNING",
        /// Every metric lies within its epsilon.
        Pass = "PASS",
        /// Some metric does not, or is missing on one side.
        Fail = "FAIL",
        /// Somebody said that it would not run, and why.
        Skip = "SKIP",
        /// Its time went by.
        Missed = "MISSED",
        /// The inputs could not be compared.
        Inconclusive = "INCONCLUSIVE",
    }
}

impl RunStatus {
    /// Tells whether nothing comes after it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Scheduled | Self::Running)
    }

    /// Tells whether both sides were compared.
    #[must_use]
    pub const fn has_compared(self) -> bool {
        matches!(self, Self::Pass | Self::Fail)
    }
}

words! {
    /// Why a window is skipped; it explains, and excuses nothing.
    pub enum SkipReason {
        /// A system is being maintained.
        Maintenance = "maintenance",
        /// Credentials are being changed.
        CredentialRotation = "credential_rotation",
        /// Somebody stopped the schedule.
        ManualPause = "manual_pause",
    }
}

words! {
    /// What an ack rests on.
    pub enum AckBasis {
        /// Two passes in a row.
        DoubleGreen = "double_green",
        /// A first pass that two people declared to be one.
        Bootstrap = "bootstrap",
        /// A pass after a failure whose remediation is attached.
        Remediated = "remediated",
        /// A packet of two people; it makes nothing green.
        Override = "override",
    }
}

words! {
    /// How a series stands.
    pub enum State {
        /// Its numbers may be signed.
        Green = "green",
        /// Something is still to be shown.
        Amber = "amber",
        /// Two windows in a row did not pass: everything is held.
        Red = "red",
    }
}

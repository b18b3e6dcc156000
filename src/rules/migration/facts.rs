//! What is known of a migration when something is decided about it.

use super::{CalendarKind, Clean, EvidenceKind, Gate, Phase, Planned};
use crate::clock::Moment;
use crate::rules::Verdict;
use crate::rules::people::Role;

/// Where a migration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand<'a> {
    /// Its id.
    pub migration_id: &'a str,
    /// The release before.
    pub from_semver: &'a str,
    /// The release after.
    pub to_semver: &'a str,
    /// Where it is.
    pub phase: Phase,
    /// Since when.
    pub since: Moment,
    /// When it was closed.
    pub closed: Option<Moment>,
    /// Until when it is watched.
    pub watch_until: Option<Moment>,
}

impl Stand<'_> {
    /// Tells whether a phase lies behind: it went on, was closed or was taken back.
    #[must_use]
    pub fn is_past(&self, phase: Phase) -> bool {
        let place = |of: Phase| Phase::ALL.iter().position(|it| *it == of);
        self.closed.is_some() || place(self.phase) > place(phase)
    }
}

/// Who answers for a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The gate.
    pub gate: Gate,
    /// Who.
    pub person: &'a str,
}

/// The newest evidence of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence<'a> {
    /// What it is about.
    pub kind: EvidenceKind,
    /// What was found.
    pub verdict: Verdict,
    /// When.
    pub observed: Moment,
    /// The document, hashed.
    pub sha256: &'a str,
    /// Whether it was found of what there is now.
    pub is_of_now: bool,
    /// What was found, in one line.
    pub detail: &'a str,
}

/// The newest proof of the joins of both releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof<'a> {
    /// What was found.
    pub verdict: Verdict,
    /// When.
    pub made: Moment,
    /// The proof, hashed.
    pub sha256: &'a str,
    /// Whether no join was registered since.
    pub is_of_now: bool,
    /// How many metrics the joins have.
    pub metrics: i64,
}

/// A yes to the allow-list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval<'a> {
    /// Who said it.
    pub person: &'a str,
    /// What they hold now.
    pub roles: Vec<Role>,
    /// Whether they are a human who is active.
    pub counts: bool,
}

/// The allow-list of the next phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowlist<'a> {
    /// What its canonical form hashes to.
    pub sha256: &'a str,
    /// Who wrote it.
    pub author: &'a str,
    /// Whether it forbids a key that the phase before did not.
    pub forbidden_grew: bool,
    /// Who approved this very hash.
    pub approvals: Vec<Approval<'a>>,
}

/// A gate that two people let a migration pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Override<'a> {
    /// The gate.
    pub gate: Gate,
    /// Until when it counts.
    pub expires: Moment,
    /// Who asked, and who agreed.
    pub by: (&'a str, &'a str),
}

/// The newest scheduled weeks of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series<'a> {
    /// The series.
    pub id: &'a str,
    /// How the last ones ended, the newest last; whether each passed.
    pub passed: Vec<bool>,
}

/// A fact that could be looked up, or could not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known<T> {
    /// It is so.
    So(T),
    /// Nobody can tell, and why.
    CannotTell(&'static str),
}

/// Everything that is known.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The time.
    pub now: Moment,
    /// Whether the database's clock was turned back behind its newest entry.
    pub clock_is_behind: bool,
    /// Where it stands.
    pub stand: Stand<'a>,
    /// Who answers for gates.
    pub owners: Vec<Owner<'a>>,
    /// The newest evidence of each kind.
    pub evidence: Vec<Evidence<'a>>,
    /// The newest proof.
    pub proof: Option<Proof<'a>>,
    /// The allow-list of the next phase.
    pub allowlist: Option<Allowlist<'a>>,
    /// What two people let it pass.
    pub overrides: Vec<Override<'a>>,
    /// The active series.
    pub series: Vec<Series<'a>>,
    /// Whether governance is red, where that is established.
    pub red: Known<bool>,
    /// How many publish blocks are open.
    pub open_blocks: i64,
    /// The clock of clean hours.
    pub clean: Clean,
    /// How many pairs are kept.
    pub pairs: usize,
    /// Whether the views over the pairs stand.
    pub views_stand: bool,
    /// The calendar, as it stands.
    pub calendar: Vec<Planned<'a>>,
    /// Other migrations under watch, or between dual write and their close.
    pub others: Vec<Stand<'a>>,
}

impl Facts<'_> {
    pub(super) fn newest(&self, kind: EvidenceKind) -> Option<&Evidence<'_>> {
        self.evidence.iter().find(|it| it.kind == kind)
    }

    pub(super) fn span(&self, kind: CalendarKind) -> Option<&Planned<'_>> {
        super::stands_in(&self.calendar, kind, self.now)
    }
}

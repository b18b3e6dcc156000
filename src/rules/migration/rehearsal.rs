//! What a rehearsal of the hour did, what it comes to, and what it may do on its fork.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

use super::hour::Step;
use super::{Facts, Gate, Move, Phase};
use crate::rules::people::{Environment, Role};
use crate::rules::{Condition, Refusal, Verdict, words};

/// The schema of the receipt.
const SCHEMA: &str = "govdeck.rehearsal-receipt.v1";

words! {
    /// Where the hour was rehearsed.
    pub enum ForkKind {
        /// On a file, made like the database.
        Sqlite = "sqlite",
        /// On another database, filled with a dump.
        Postgres = "postgres",
    }
}

words! {
    /// How a deed of the rehearsal ended.
    pub enum DeedState {
        /// It did what it does in the hour.
        Done = "done",
        /// It did, and something is to be known of it.
        DoneWithWarning = "done_with_warning",
        /// It failed.
        Failed = "failed",
        /// It was not done: nobody said what stands for it, or what comes before it failed.
        NotRehearsed = "not_rehearsed",
    }
}

words! {
    /// What a deed does.
    pub enum Deed {
        /// A command, or a person's word.
        Outside = "outside",
        /// Exports are frozen.
        Freeze = "freeze",
        /// Frozen exports are replayed.
        Replay = "replay",
        /// The phase moves.
        Phase = "phase",
        /// Every series is compared.
        Compare = "compare",
        /// Another person signs.
        SignOff = "sign_off",
        /// A person writes.
        Write = "write",
    }
}

words! {
    /// What became of a deed that something was broken under.
    pub enum Struck {
        /// It failed, as it should, and was begun again.
        Failed = "failed",
        /// It came to its end before the fault reached it.
        EndedBefore = "ended_before",
    }
}

/// A fault that was made on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What was broken.
    pub injected: String,
    /// What became of the deed.
    pub then: Struck,
    /// What it said.
    pub said: String,
}

/// A deed of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rehearsed {
    /// The step; none on the way back.
    pub step: Option<Step>,
    /// What was done.
    pub deed: Deed,
    /// How it ended.
    pub state: DeedState,
    /// In one line.
    pub detail: String,
    /// How long it took.
    pub milliseconds: u64,
    /// What was broken under it first.
    pub fault: Option<Fault>,
}

/// How a bundle was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakenBack {
    /// The bundle.
    pub bundle: String,
    /// How it ended.
    pub state: DeedState,
    /// In one line.
    pub detail: String,
    /// The fingerprint of the definitions before it was made, as it was recorded.
    pub before: Option<String>,
    /// The fingerprint of the definitions after it was taken back.
    pub after: Option<String>,
    /// How long it took.
    pub milliseconds: u64,
    /// What was broken under it first.
    pub fault: Option<Fault>,
}

/// A gate as it was found on the fork; nobody was held back by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundGate {
    /// The gate.
    pub gate: Gate,
    /// What was found.
    pub verdict: Verdict,
    /// In one line.
    pub said: String,
}

/// The receipt of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Which form this is.
    pub schema: String,
    /// The migration.
    pub migration_id: String,
    /// The plan of its cutover, hashed.
    pub plan_hash: String,
    /// Where it was rehearsed.
    pub fork: ForkKind,
    /// Whether each deed was broken first.
    pub with_faults: bool,
    /// What was done, in order.
    pub deeds: Vec<Rehearsed>,
    /// What every gate before the cutover said.
    pub gates: Vec<FoundGate>,
    /// How the migration moved back.
    pub moved_back: Rehearsed,
    /// The bundle whose run made both halves of the dictionary.
    pub expansion: Option<String>,
    /// How its bundles were taken back, the newest first.
    pub taken_back: Vec<TakenBack>,
    /// What it comes to.
    pub verdict: Verdict,
}

impl Rehearsed {
    /// Tells of a deed that was not done, and why.
    #[must_use]
    pub fn not(step: Step, deed: Deed, why: impl Into<String>) -> Self {
        Self {
            step: Some(step),
            deed,
            state: DeedState::NotRehearsed,
            detail: why.into(),
            milliseconds: 0,
            fault: None,
        }
    }
}

impl TakenBack {
    /// Judges it alone: only the very same definitions are the way back.
    fn verdict(&self) -> Verdict {
        match (self.state, &self.before, &self.after) {
            (DeedState::NotRehearsed, ..) => Verdict::CannotTell,
            (DeedState::Failed, ..) => Verdict::Fail,
            (_, Some(before), Some(after)) => Verdict::of(before == after),
            _ => Verdict::CannotTell,
        }
    }
}

impl Receipt {
    /// Makes the receipt of what was done, with the verdict that it comes to.
    #[must_use]
    pub fn judged(self) -> Self {
        let verdict = self.comes_to();
        Self {
            schema: SCHEMA.to_owned(),
            verdict,
            ..self
        }
    }

    /// Reads a receipt, whose verdict is the one that its deeds come to.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let no = |what: String| Refusal::new(what, "rehearse the hour again");
        let receipt: Self = serde_json::from_slice(bytes)
            .map_err(|error| no(format!("the receipt cannot be read: {error}")))?;
        if receipt.schema != SCHEMA || receipt.verdict != receipt.comes_to() {
            return Err(no(
                "the receipt does not say what its deeds come to".to_owned()
            ));
        }
        Ok(receipt)
    }

    /// Judges it: each step was come to, every bundle led back to the very same definitions, what made both halves among
    /// them, and nothing failed that was not broken on purpose.
    fn comes_to(&self) -> Verdict {
        let deeds = self.deeds.iter().chain([&self.moved_back]);
        let failed = deeds
            .filter(|deed| deed.state == DeedState::Failed)
            .map(|_| Verdict::Fail);
        let back = Verdict::all(self.taken_back.iter().map(TakenBack::verdict));
        let is_whole = self.leaves_out().is_none() && self.expansion_goes_back();
        let whole = if is_whole {
            Verdict::Pass
        } else {
            Verdict::CannotTell
        };
        Verdict::all(failed.chain([back, whole]))
    }

    /// Finds a step that was not come to at all.
    fn leaves_out(&self) -> Option<Step> {
        let is_there = |step| self.deeds.iter().any(|deed| deed.step == Some(step));
        Step::ALL.iter().copied().find(|step| !is_there(*step))
    }

    fn expansion_goes_back(&self) -> bool {
        let expansion = self.expansion.as_ref();
        expansion.is_some_and(|id| self.taken_back.iter().any(|it| it.bundle == *id))
    }

    /// Says in one line what it comes to.
    #[must_use]
    pub fn said(&self) -> String {
        let all = self.deeds.iter().chain([&self.moved_back]);
        let failed = all.clone().find(|it| it.state == DeedState::Failed);
        let back = self.taken_back.iter();
        let worst = back.max_by_key(|it| match it.verdict() {
            Verdict::Pass => 0,
            Verdict::CannotTell => 1,
            Verdict::Fail => 2,
        });
        let mut said = match (failed, worst) {
            (Some(deed), _) => {
                let step = deed.step.map_or("the way back", Step::word);
                format!("{step} failed: {}", deed.detail)
            }
            (None, None) => "the plan names no bundle: nothing was taken back".to_owned(),
            (None, Some(_)) if !self.expansion_goes_back() => match &self.expansion {
                None => "no bundle is known that made both halves".to_owned(),
                Some(id) => format!("the plan does not name {id}, which made both halves"),
            },
            (None, Some(worst)) => match worst.verdict() {
                Verdict::Pass => format!(
                    "{} bundles taken back, to the very same definitions",
                    self.taken_back.len()
                ),
                Verdict::Fail => format!("{} did not lead back: {}", worst.bundle, worst.detail),
                Verdict::CannotTell => {
                    format!("{} was not taken back: {}", worst.bundle, worst.detail)
                }
            },
        };
        let left_out = all.filter(|it| it.state == DeedState::NotRehearsed).count();
        if let Some(step) = self.leaves_out() {
            let _ = write!(said, "; {step} was not come to");
        }
        if left_out > 0 {
            let _ = write!(said, "; {left_out} deeds not rehearsed");
        }
        said
    }
}

/// Lists what must hold before a migration moves as only a rehearsal moves it: it is a fork, and the phases follow each other.
#[must_use]
pub fn may_rehearse_move(facts: &Facts<'_>, environment: Environment, to: Move) -> Vec<Condition> {
    let stand = &facts.stand;
    let is_open = stand.closed.is_none();
    let follows = match to {
        Move::Cutover => stand.phase == Phase::DualWrite && is_open,
        Move::Close => stand.phase == Phase::Cutover && is_open,
        Move::Rollback => matches!(stand.phase, Phase::DualWrite | Phase::Cutover),
        Move::Open | Move::DualWrite => false,
    };
    let owner = Role::GovernanceLead.word();
    vec![
        Condition::holds(
            "on_a_fork",
            environment == Environment::Rehearsal,
            owner,
            format!("the deployment is {environment}"),
            "only `govdeck rehearse` moves a migration so, and only on its fork",
        ),
        Condition::holds(
            "phase",
            follows,
            owner,
            format!("it is in {}", stand.phase),
            "phases follow each other on a fork too",
        ),
    ]
}

/// States that a migration can be rehearsed: it is written twice, and its hour is planned.
pub fn can_be_rehearsed(
    id: &str,
    phase: Phase,
    is_open: bool,
    is_planned: bool,
) -> Result<(), Refusal> {
    if phase != Phase::DualWrite || !is_open {
        return Err(Refusal::new(
            format!("{id} is in {phase}, and its hour is rehearsed in dual_write"),
            "rehearse once both halves are written, and before the cutover",
        ));
    }
    if !is_planned {
        return Err(Refusal::new(
            format!("{id} has no plan of its hour"),
            "register it first: govdeck hour plan",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

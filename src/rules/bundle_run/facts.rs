//! What is known of a bundle when something is decided about it, and the conditions that several decisions share.

use super::{BundleStatus, RunOutcome, Tier};
use crate::rules::Condition;
use crate::rules::bundle::RunType;

/// Who can mend what is wrong with a bundle.
pub(super) const BUILDER: &str = "data_engineer";
/// Who decides about one.
pub(super) const LEAD: &str = "governance_lead";

/// A plan that was registered for a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned<'a> {
    /// Where its target stands.
    pub tier: Tier,
    /// What it hashes to.
    pub plan_hash: &'a str,
    /// Whether its way back was run, and led back.
    pub led_back: bool,
}

/// A run, as far as rules look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ran<'a> {
    /// The run.
    pub run_id: &'a str,
    /// What it is of.
    pub run_type: RunType,
    /// Where it ran; nowhere where it only decided.
    pub tier: Option<Tier>,
    /// How it stands.
    pub outcome: RunOutcome,
    /// The plan that it follows.
    pub plan_hash: Option<&'a str>,
    /// The approval that it consumed.
    pub approval_id: Option<&'a str>,
    /// The run that it takes back.
    pub undoes: Option<&'a str>,
}

/// Everything that is known of a bundle when something is decided about it.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// How far it has come.
    pub status: BundleStatus,
    /// The plans, one a tier at most.
    pub plans: &'a [Planned<'a>],
    /// Its runs, in the order in which they began.
    pub runs: &'a [Ran<'a>],
    /// Whether there must be a way back.
    pub requires_rollback: bool,
    /// Whether there are scripts that take it back.
    pub has_rollback: bool,
    /// The governance approval that its declaration names.
    pub reference: Option<&'a str>,
    /// Whether tables of the metric dictionary are in its scope.
    pub touches_dictionary: bool,
}

impl<'a> Facts<'a> {
    /// Finds the plan of a tier.
    #[must_use]
    pub fn plan(&self, tier: Tier) -> Option<&'a str> {
        let mut plans = self.plans.iter();
        plans
            .find(|plan| plan.tier == tier)
            .map(|plan| plan.plan_hash)
    }

    pub(super) fn in_tier(&self, tier: Tier) -> impl DoubleEndedIterator<Item = &'a Ran<'a>> {
        self.runs.iter().filter(move |run| run.tier == Some(tier))
    }

    /// Finds the newest approval of runs in a tier that no claim has consumed.
    #[must_use]
    pub fn approval(&self, tier: Tier) -> Option<&'a Ran<'a>> {
        let consumed = |id: &str| self.runs.iter().any(|run| run.approval_id == Some(id));
        self.in_tier(tier)
            .rfind(|run| run.run_type == RunType::Approval && !consumed(run.run_id))
    }

    pub(super) fn is_undone(&self, run_id: &str) -> bool {
        self.runs
            .iter()
            .any(|run| run.undoes == Some(run_id) && run.outcome == RunOutcome::RolledBack)
    }

    /// Finds the run by which the bundle stands in a tier; none where it is not made there.
    #[must_use]
    pub fn made_in(&self, tier: Tier) -> Option<&'a Ran<'a>> {
        self.in_tier(tier).rfind(|run| {
            run.run_type == RunType::Migration
                && run.outcome == RunOutcome::Applied
                && !self.is_undone(run.run_id)
        })
    }

    pub(super) fn open(&self) -> Condition {
        Condition::holds(
            "open",
            self.status.is_open(),
            BUILDER,
            format!("the bundle is {}", self.status),
            "what has ended stays; a further change is a further bundle",
        )
    }

    pub(super) fn not_made(&self, tier: Tier) -> Condition {
        let made = self.made_in(tier);
        Condition::holds(
            "not_made_there",
            made.is_none(),
            BUILDER,
            made.map_or(format!("not made in {tier}"), |run| {
                format!("{} made it in {tier}", run.run_id)
            }),
            "a bundle is made once in each environment",
        )
    }

    pub(super) fn nothing_runs(&self) -> Condition {
        let mut runs = self.runs.iter();
        let running = runs.find(|run| run.outcome == RunOutcome::Running);
        Condition::holds(
            "nothing_runs",
            running.is_none(),
            "whoever runs it",
            running.map_or("nothing runs".to_owned(), |run| {
                format!("{} runs", run.run_id)
            }),
            "wait for its end; if whoever ran it is gone, the next `govdeck bundle apply` there marks it interrupted",
        )
    }

    pub(super) fn no_dead_end(&self, tier: Tier) -> Condition {
        let failed = self
            .in_tier(tier)
            .find(|run| run.outcome == RunOutcome::RollbackFailed);
        Condition::holds(
            "no_rollback_failed",
            failed.is_none(),
            LEAD,
            failed.map_or(format!("no rollback has failed in {tier}"), |run| {
                format!("{} could not be taken back", run.run_id)
            }),
            "nothing more runs there: mend the store by hand, and go on with a further bundle",
        )
    }

    pub(super) fn way_back(&self) -> Condition {
        Condition::holds(
            "way_back",
            self.requires_rollback || self.reference.is_some(),
            LEAD,
            match (self.requires_rollback, self.reference) {
                (true, _) => "it can be taken back".to_owned(),
                (false, Some(reference)) => format!("it cannot be taken back: {reference}"),
                (false, None) => "it cannot be taken back, and nobody approved that".to_owned(),
            },
            "name the governance approval in approvals.reference",
        )
    }

    pub(super) fn way_back_ran(&self, tier: Tier) -> Condition {
        let led_back = |plan: &Planned<'_>| plan.tier == tier && plan.led_back;
        let has_run = self.plans.iter().any(led_back);
        Condition::holds(
            "way_back_ran",
            has_run || !self.requires_rollback,
            BUILDER,
            match (self.requires_rollback, has_run) {
                (_, true) => "its way back was run, and led back",
                (true, false) => "its way back was never run",
                (false, false) => "it needs no way back",
            },
            "`govdeck bundle plan FOLDER --register` runs it, and registers that",
        )
    }

    pub(super) fn dictionary(&self, tier: Tier) -> Condition {
        let is_due = tier == Tier::Prod && self.touches_dictionary;
        Condition::holds(
            "dictionary_reference",
            !is_due || self.reference.is_some(),
            LEAD,
            match (self.touches_dictionary, self.reference) {
                (false, _) => "the metric dictionary is not in scope".to_owned(),
                (true, Some(reference)) => {
                    format!("the metric dictionary is in scope: {reference}")
                }
                (true, None) => {
                    "the metric dictionary is in scope, and no approval is named".to_owned()
                }
            },
            "name the governance approval in approvals.reference",
        )
    }

    /// Finds the run that a rollback in a tier would take back: what was made there, or may have been.
    #[must_use]
    pub fn undone_by(&self, tier: Tier) -> Option<&'a Ran<'a>> {
        let newest = self.in_tier(tier).rfind(|run| {
            run.run_type == RunType::Migration
                && matches!(run.outcome, RunOutcome::Applied | RunOutcome::Interrupted)
        })?;
        (!self.is_undone(newest.run_id)).then_some(newest)
    }
}

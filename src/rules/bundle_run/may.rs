//! What must hold before a bundle is registered, approved, merged, claimed, ended, taken back or superseded.

use super::facts::{BUILDER, Facts, LEAD, Ran};
use super::{BundleStatus, RunOutcome, Tier};
use crate::rules::Condition;
use crate::rules::people::{Actor, PersonKind};

/// Lists what must hold before a bundle, or a plan of it for a tier, is registered; `ledger` names tables of the ledger in
/// scope, and `beyond` what the plan did beyond its declaration.
#[must_use]
pub fn may_register(
    facts: &Facts<'_>,
    is_new: bool,
    tier: Tier,
    is_same: bool,
    ledger: &[&str],
    beyond: &[String],
) -> Vec<Condition> {
    let is_draft = is_new || facts.status == BundleStatus::Draft;
    vec![
        facts.open(),
        Condition::holds(
            "same_files",
            is_draft || is_same,
            BUILDER,
            match (is_new, is_same) {
                (true, _) => "a new id",
                (false, true) => "the files are those that were registered",
                (false, false) => "the files are not those that were registered",
            },
            "what was approved stays; other files are a further bundle with an id of its own",
        ),
        facts.not_made(tier),
        facts.nothing_runs(),
        facts.no_dead_end(tier),
        Condition::holds(
            "ledger_out_of_scope",
            ledger.is_empty(),
            BUILDER,
            if ledger.is_empty() {
                "no table of the ledger is in scope".to_owned()
            } else {
                format!("{} in scope", ledger.join(", "))
            },
            "no bundle ever changes the ledger",
        ),
        Condition::holds(
            "within_declaration",
            beyond.is_empty(),
            BUILDER,
            beyond
                .first()
                .map_or("the plan did what was declared".to_owned(), Clone::clone),
            "change the scripts, or declare what they do",
        ),
        facts.way_back(),
    ]
}

/// Lists what must hold before runs of a plan are approved for a tier; `current` is what the plan hashes to with the files
/// that are registered now.
#[must_use]
pub fn may_approve(
    facts: &Facts<'_>,
    tier: Tier,
    plan_hash: &str,
    current: &str,
) -> Vec<Condition> {
    let planned = facts.plan(tier);
    let waits = facts
        .approval(tier)
        .filter(|run| run.plan_hash == Some(plan_hash));
    vec![
        facts.open(),
        Condition::holds(
            "plan",
            planned == Some(plan_hash) && current == plan_hash,
            BUILDER,
            match planned {
                None => format!("no plan for {tier} is registered"),
                Some(now) if now != current => {
                    format!("the plan for {tier} is of other files than are registered now")
                }
                Some(now) if now == plan_hash => format!("the plan for {tier} is {now}"),
                Some(now) => format!("the plan changed since: for {tier} it is {now} now"),
            },
            "look at the plan that is registered now, and approve that; of other files, plan it again",
        ),
        Condition::holds(
            "not_approved",
            waits.is_none(),
            LEAD,
            waits.map_or("nobody has approved it".to_owned(), |run| {
                format!("{} waits to be used", run.run_id)
            }),
            "one approval is enough for one run",
        ),
        facts.not_made(tier),
        facts.no_dead_end(tier),
        facts.way_back(),
        facts.way_back_ran(tier),
        facts.dictionary(tier),
    ]
}

/// Lists what must hold before a bundle counts as merged.
#[must_use]
pub fn may_merge(facts: &Facts<'_>) -> Vec<Condition> {
    vec![Condition::holds(
        "approved",
        facts.status == BundleStatus::Approved,
        LEAD,
        format!("the bundle is {}", facts.status),
        "a bundle is merged once, after two people agreed on it",
    )]
}

/// Lists what must hold before somebody runs a bundle in a tier whose plan would hash to `found` now.
#[must_use]
pub fn may_claim(facts: &Facts<'_>, tier: Tier, found: &str) -> Vec<Condition> {
    let approval = facts.approval(tier);
    let approved = approval.and_then(|run| run.plan_hash);
    let is_it = |hash: &str| facts.plan(tier) == Some(hash) && hash == found;
    vec![
        Condition::holds(
            "its_turn",
            facts.status.next_tier() == Some(tier),
            BUILDER,
            format!("the bundle is {}", facts.status),
            "once merged it goes to dev, then to stage, then to prod",
        ),
        Condition::holds(
            "approval",
            approval.is_some(),
            LEAD,
            approval.map_or(format!("no approval for {tier} waits to be used"), |run| {
                run.run_id.to_owned()
            }),
            "two people approve each run: govdeck act approve-bundle",
        ),
        Condition::holds(
            "plan_unchanged",
            approved.is_some_and(is_it),
            BUILDER,
            match approved {
                None => "no plan was approved".to_owned(),
                Some(hash) if is_it(hash) => format!("the plan is {hash}"),
                Some(_) => "the plan changed since it was approved".to_owned(),
            },
            "plan it again there, register that, and have it approved",
        ),
        facts.way_back_ran(tier),
        facts.nothing_runs(),
        facts.no_dead_end(tier),
        facts.dictionary(tier),
    ]
}

/// Lists what must hold before a run ends so; `ends` is whoever asks for that, and `fault` says what is wrong with its receipt.
#[must_use]
pub fn may_finish(
    run: &Ran<'_>,
    outcome: RunOutcome,
    claimed_by: &str,
    ends: Option<&Actor>,
    fault: Option<&str>,
) -> Vec<Condition> {
    let may_end =
        |actor: &Actor| actor.kind == PersonKind::Service || actor.person_id == claimed_by;
    vec![
        running(run),
        Condition::holds(
            "its_claim",
            ends.is_some_and(may_end),
            claimed_by,
            format!("{claimed_by} claimed it"),
            "whoever claimed a run ends it, or a service that runs bundles",
        ),
        Condition::holds(
            "outcome",
            outcome.ends(run.run_type) && outcome != RunOutcome::Interrupted,
            BUILDER,
            format!("{} as {outcome}", run.run_type),
            "report this as a bug",
        ),
        Condition::holds(
            "receipt",
            fault.is_none(),
            BUILDER,
            format!("the receipt {}", fault.unwrap_or("tells of this run")),
            "a run ends with its own receipt",
        ),
    ]
}

/// Lists what must hold before a run that nobody ends is marked as interrupted.
#[must_use]
pub fn may_interrupt(run: &Ran<'_>) -> Vec<Condition> {
    vec![running(run)]
}

fn running(run: &Ran<'_>) -> Condition {
    Condition::holds(
        "running",
        run.outcome == RunOutcome::Running,
        BUILDER,
        format!("{} is {}", run.run_id, run.outcome),
        "a run ends once",
    )
}

/// Lists what must hold before a bundle is taken back in a tier.
#[must_use]
pub fn may_roll_back(facts: &Facts<'_>, tier: Tier) -> Vec<Condition> {
    let undone = facts.undone_by(tier);
    let mut later = Tier::ALL.iter().filter(|other| **other > tier);
    let later = later.find(|other| facts.undone_by(**other).is_some());
    vec![
        Condition::holds(
            "made_there",
            undone.is_some(),
            BUILDER,
            undone.map_or(
                format!("nothing stands in {tier} to be taken back"),
                |run| format!("{} is {}", run.run_id, run.outcome),
            ),
            "only what was made there, or was interrupted, is taken back",
        ),
        Condition::holds(
            "last_first",
            later.is_none(),
            BUILDER,
            later.map_or("it stands in no later environment".to_owned(), |other| {
                format!("it stands in {other}, or may")
            }),
            "take it back there first",
        ),
        Condition::holds(
            "has_way_back",
            facts.has_rollback,
            BUILDER,
            if facts.has_rollback {
                "it has scripts for that"
            } else {
                "it has no scripts for that"
            },
            "what cannot be taken back is mended by a further bundle",
        ),
        Condition::holds(
            "not_superseded",
            facts.status != BundleStatus::Superseded,
            LEAD,
            format!("the bundle is {}", facts.status),
            "nothing of a superseded bundle runs",
        ),
        facts.nothing_runs(),
        facts.no_dead_end(tier),
    ]
}

/// The bundle that would take another's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Successor<'a> {
    /// Its id.
    pub migration_id: &'a str,
    /// How far it has come; nothing where there is none.
    pub status: Option<BundleStatus>,
    /// Whether its id is a later one.
    pub is_later: bool,
}

/// Lists what must hold before the merge of a later bundle takes a bundle's place.
#[must_use]
pub fn may_supersede(facts: &Facts<'_>, successor: &Successor<'_>) -> Vec<Condition> {
    let is_merged = |status: BundleStatus| {
        status >= BundleStatus::Merged && status.may_become(BundleStatus::Superseded)
    };
    let is_fit = successor.is_later && successor.status.is_some_and(is_merged);
    vec![
        Condition::holds(
            "not_superseded",
            facts.status.may_become(BundleStatus::Superseded),
            LEAD,
            format!("the bundle is {}", facts.status),
            "a bundle is superseded once",
        ),
        Condition::holds(
            "successor",
            is_fit,
            BUILDER,
            match successor.status {
                None => format!("there is no bundle {:?}", successor.migration_id),
                Some(status) if successor.is_later => {
                    format!("{} is {status}", successor.migration_id)
                }
                Some(_) => format!("{} is no later bundle", successor.migration_id),
            },
            "name a later bundle that was merged, and is not superseded itself",
        ),
        facts.nothing_runs(),
    ]
}

#[cfg(test)]
mod tests;

//! How a block ends: a later run replaces it, or the edit that caused it was rolled back.

use chrono::TimeDelta;

use super::{BlockReason, SnapshotStatus, Standing, decide};
use super::{GateFacts, SOURCE_MAX_AGE_SECONDS};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::Condition;
use crate::rules::people::{Actor, Role};

/// A run that would replace a blocked one.
#[derive(Debug, Clone, Copy)]
pub struct Replacement<'a> {
    /// Its id.
    pub run: &'a str,
    /// Where it stands; none when there is no such run.
    pub status: Option<SnapshotStatus>,
    /// Dashboard and audience.
    pub scope: &'a str,
    /// Whether it is a drill.
    pub drill: bool,
    /// What the gate would look at now; none when there is no such run.
    pub facts: Option<GateFacts<'a>>,
}

/// A blocked run, as far as its end goes.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// Its id.
    pub run: &'a str,
    /// How the block stands.
    pub standing: Standing<'a>,
    /// Why it was stopped.
    pub reason: Option<BlockReason>,
    /// Dashboard and audience.
    pub scope: &'a str,
    /// Whether it is a drill.
    pub drill: bool,
    /// When it was minted.
    pub minted_at: Moment,
    /// The hash of what would have been published.
    pub publish_tuple_hash: Option<&'a str>,
}

impl Ending<'_> {
    fn may_end(&self, actor: &Actor) -> Condition {
        let standing = &self.standing;
        let owner = standing.owner.unwrap_or("nobody");
        let backup = standing.backup.unwrap_or("nobody");
        let is_routed = [standing.owner, standing.backup].contains(&Some(actor.person_id.as_str()));
        Condition::holds(
            "may_end",
            is_routed || actor.holds_one_of(&[Role::GovernanceLead]),
            owner,
            format!(
                "owner {owner}, backup {backup}; you are {}",
                actor.person_id
            ),
            "its owner, its backup or a governance_lead ends a block",
        )
    }
}

/// Lists what must hold before a block is resolved by a later run.
#[must_use]
pub fn may_resolve(block: &Ending<'_>, by: &Replacement<'_>, actor: &Actor) -> Vec<Condition> {
    let later = by
        .facts
        .is_some_and(|facts| facts.minted_at > block.minted_at);
    let status = by.status.map_or("unknown", SnapshotStatus::word);
    vec![
        block.standing.open(),
        block.may_end(actor),
        Condition::holds(
            "another_run",
            by.run != block.run,
            "the pipeline",
            format!("{} for {}", by.run, block.run),
            "no run replaces itself: publish anew",
        ),
        Condition::holds(
            "passed",
            by.status == Some(SnapshotStatus::GatePassed),
            "the pipeline",
            format!("{} is {status}", by.run),
            "it takes a run that passed the gate",
        ),
        Condition::holds(
            "later",
            later,
            "the pipeline",
            by.facts.map_or("no such run".to_owned(), |facts| {
                format!(
                    "minted {}, the blocked one {}",
                    facts.minted_at, block.minted_at
                )
            }),
            "it takes a run that was minted after the blocked one",
        ),
        Condition::holds(
            "same_scope",
            by.scope == block.scope && by.drill == block.drill,
            "the pipeline",
            format!("{} for {}", by.scope, block.scope),
            "it takes a run of the same dashboard and audience",
        ),
        would_pass(by),
    ]
}

/// Says whether the replacement would pass again now; how old its source is by now does not count.
fn would_pass(by: &Replacement<'_>) -> Condition {
    let causes = by.facts.map(|facts| {
        let still_fresh = facts.source_observed_at.map_or(facts.now, |observed| {
            facts
                .now
                .min(observed.plus_minutes(SOURCE_MAX_AGE_SECONDS / 60))
        });
        decide(&GateFacts {
            now: still_fresh,
            ..facts
        })
        .causes
    });
    let words = causes.as_ref().map(|causes| {
        let words: Vec<_> = causes.iter().map(|cause| cause.word()).collect();
        words.join(", ")
    });
    Condition::holds(
        "would_pass_now",
        causes.is_some_and(|causes| causes.is_empty()),
        "the pipeline",
        match words.as_deref() {
            None => "no such run".to_owned(),
            Some("") => "the gate would let it pass again".to_owned(),
            Some(causes) => format!("the gate would stop it now: {causes}"),
        },
        "publish anew, and resolve by that run",
    )
}

/// Lists what must hold before a block is withdrawn, because its source is again what was to be published.
#[must_use]
pub fn may_withdraw(block: &Ending<'_>, rehash: Digest, actor: &Actor) -> Vec<Condition> {
    let can_be = matches!(
        block.reason,
        Some(BlockReason::TupleDrift | BlockReason::MissingSourceHash)
    );
    let published = block.publish_tuple_hash.unwrap_or("none");
    vec![
        block.standing.open(),
        block.may_end(actor),
        Condition::holds(
            "can_be_withdrawn",
            can_be,
            "nobody",
            block.reason.map_or("no reason", BlockReason::word),
            "only tuple_drift and missing_source_hash can be; publish anew, and resolve by that run",
        ),
        Condition::holds(
            "source_restored",
            published == rehash.to_string(),
            "whoever edits the source",
            format!("the source hashes to {rehash}, to be published was {published}"),
            "roll the edit back and hash the source again: govdeck hash tuple FILE",
        ),
    ]
}

/// Lists what must hold before somebody writes down how their work on a block goes.
#[must_use]
pub fn may_note(block: &Standing<'_>, actor: &Actor) -> Vec<Condition> {
    let taken_by = block.taken_by.unwrap_or("nobody");
    let is_on_it =
        [block.taken_by, block.owner, block.backup].contains(&Some(actor.person_id.as_str()));
    vec![
        block.open(),
        Condition::holds(
            "taken",
            block.taken_by.is_some(),
            block.owner.unwrap_or("nobody"),
            format!("taken by {taken_by}"),
            "take it first: that is the first response",
        ),
        Condition::holds(
            "on_it",
            is_on_it,
            taken_by,
            format!("taken by {taken_by}; you are {}", actor.person_id),
            "whoever took it, its owner or its backup says how it goes",
        ),
    ]
}

/// Lists what must hold before an open block gets another owner; its clock goes on.
#[must_use]
pub fn may_reassign(
    block: &Standing<'_>,
    to: &str,
    to_is_active_human: bool,
    actor: &Actor,
) -> Vec<Condition> {
    let owner = block.owner.unwrap_or("nobody");
    vec![
        block.open(),
        Condition::holds(
            "may_reassign",
            block.owner == Some(actor.person_id.as_str())
                || actor.holds_one_of(&[Role::GovernanceLead]),
            owner,
            format!("owner {owner}; you are {}", actor.person_id),
            "the owner or a governance_lead gives a block to somebody else",
        ),
        Condition::holds(
            "not_taken",
            block.taken_by.is_none(),
            block.taken_by.unwrap_or(owner),
            format!("taken by {}", block.taken_by.unwrap_or("nobody")),
            "whoever took it keeps it",
        ),
        Condition::holds(
            "can_own",
            to_is_active_human && block.owner != Some(to) && block.backup != Some(to),
            to,
            format!(
                "{to}; owner {owner}, backup {}",
                block.backup.unwrap_or("nobody")
            ),
            "it takes an active human who is neither owner nor backup yet",
        ),
    ]
}

/// Tells whether a taken block has shown no sign of work for as long as its first response may take.
#[must_use]
pub fn is_stale(last_sign_of_work: Moment, minutes: i64, now: Moment) -> bool {
    now.since(last_sign_of_work) > TimeDelta::try_minutes(minutes).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests;

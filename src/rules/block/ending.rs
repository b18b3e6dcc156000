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
mod tests {
    use super::*;
    use crate::rules::Verdict;
    use crate::rules::block::AuditStatus;
    use crate::rules::people::{Attestation, PersonKind};

    fn at(text: &str) -> Moment {
        format!("2026-05-14T{text}Z").parse().expect("a moment")
    }

    fn actor(id: &str, roles: &[Role]) -> Actor {
        Actor {
            person_id: id.into(),
            kind: PersonKind::Human,
            roles: roles.iter().copied().collect(),
            attestation: Attestation::Login,
        }
    }

    fn standing(status: AuditStatus, taken_by: Option<&'static str>) -> Standing<'static> {
        Standing {
            status,
            owner: Some("lee"),
            backup: Some("maya"),
            taken_by,
            escalated_by: None,
        }
    }

    fn block(status: AuditStatus, reason: BlockReason) -> Ending<'static> {
        Ending {
            run: "pub-1",
            standing: standing(status, None),
            reason: Some(reason),
            scope: "sla/partners",
            drill: false,
            minted_at: at("02:00:00"),
            publish_tuple_hash: Some(HASH),
        }
    }

    const HASH: &str = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945";

    fn replacement(registered: &[String]) -> Replacement<'_> {
        Replacement {
            run: "pub-2",
            status: Some(SnapshotStatus::GatePassed),
            scope: "sla/partners",
            drill: false,
            facts: Some(GateFacts {
                publish_tuple_hash: Some(HASH),
                source_tuple_hash: Some(HASH),
                footer_schema_semver: Some("v2.4.0"),
                registered_semvers: registered,
                minted_at: at("03:00:00"),
                source_observed_at: Some(at("03:00:05")),
                // Long after: how old the source is by now does not count.
                now: at("09:00:00"),
            }),
        }
    }

    fn unmet(conditions: &[Condition]) -> Vec<&'static str> {
        let open = |condition: &&Condition| condition.verdict != Verdict::Pass;
        conditions
            .iter()
            .filter(open)
            .map(|condition| condition.id)
            .collect()
    }

    #[test]
    fn a_later_passing_run_of_the_same_scope_resolves() {
        let current = ["v2.4.0".to_owned()];
        let newer = ["v2.5.0".to_owned()];
        let open = block(AuditStatus::Blocked, BlockReason::TupleDrift);
        let good = replacement(&current);
        let lee = actor("lee", &[]);
        assert_eq!(unmet(&may_resolve(&open, &good, &lee)), [""; 0]);
        let facts = good.facts.expect("facts");
        for (by, missing) in [
            (
                Replacement {
                    run: "pub-1",
                    ..good
                },
                &["another_run"][..],
            ),
            (
                Replacement {
                    status: Some(SnapshotStatus::Blocked),
                    ..good
                },
                &["passed"],
            ),
            (
                Replacement {
                    status: Some(SnapshotStatus::PendingGate),
                    ..good
                },
                &["passed"],
            ),
            (
                Replacement {
                    scope: "sla/board",
                    ..good
                },
                &["same_scope"],
            ),
            (
                Replacement {
                    drill: true,
                    ..good
                },
                &["same_scope"],
            ),
            (
                Replacement {
                    status: None,
                    facts: None,
                    ..good
                },
                &["passed", "later", "would_pass_now"],
            ),
            (
                Replacement {
                    facts: Some(GateFacts {
                        minted_at: at("02:00:00"),
                        ..facts
                    }),
                    ..good
                },
                &["later"],
            ),
            (
                Replacement {
                    facts: Some(GateFacts {
                        registered_semvers: &newer,
                        ..facts
                    }),
                    ..good
                },
                &["would_pass_now"],
            ),
            (
                Replacement {
                    facts: Some(GateFacts {
                        registered_semvers: &[],
                        ..facts
                    }),
                    ..good
                },
                &["would_pass_now"],
            ),
        ] {
            assert_eq!(unmet(&may_resolve(&open, &by, &lee)), missing, "{by:?}");
        }
    }

    #[test]
    fn only_two_reasons_are_withdrawn_and_only_by_the_same_hash() {
        let right: Digest = HASH.parse().expect("a hash");
        let wrong = Digest::of(b"edited");
        let lee = actor("lee", &[]);
        for reason in BlockReason::ALL {
            let can_be = matches!(
                reason,
                BlockReason::TupleDrift | BlockReason::MissingSourceHash
            );
            let open = block(AuditStatus::Blocked, *reason);
            let mut missing = Vec::new();
            if !can_be {
                missing.push("can_be_withdrawn");
            }
            assert_eq!(unmet(&may_withdraw(&open, right, &lee)), missing);
            missing.push("source_restored");
            assert_eq!(unmet(&may_withdraw(&open, wrong, &lee)), missing);
        }
        let without = Ending {
            publish_tuple_hash: None,
            ..block(AuditStatus::Blocked, BlockReason::TupleDrift)
        };
        assert_eq!(
            unmet(&may_withdraw(&without, right, &lee)),
            ["source_restored"]
        );
    }

    #[test]
    fn an_ended_block_stays_ended_and_a_stranger_ends_none() {
        let current = ["v2.4.0".to_owned()];
        for status in AuditStatus::ALL {
            let open = *status == AuditStatus::Blocked;
            let ending = block(*status, BlockReason::TupleDrift);
            for (who, roles, may) in [
                ("lee", &[][..], true),
                ("maya", &[], true),
                ("ann", &[Role::GovernanceLead], true),
                ("ann", &[Role::OnCall, Role::Signer], false),
                ("ann", &[], false),
            ] {
                let actor = actor(who, roles);
                let right: Digest = HASH.parse().expect("a hash");
                let resolved = unmet(&may_resolve(&ending, &replacement(&current), &actor));
                let withdrawn = unmet(&may_withdraw(&ending, right, &actor));
                assert_eq!(resolved.is_empty(), open && may, "{status} {who}");
                assert_eq!(withdrawn.is_empty(), open && may, "{status} {who}");
            }
        }
    }

    #[test]
    fn notes_are_for_taken_blocks_and_reassigning_for_others() {
        for (taken_by, who, roles, may_note_it, may_give) in [
            (None, "lee", &[][..], false, true),
            (None, "maya", &[], false, false),
            (None, "ann", &[Role::GovernanceLead], false, true),
            (Some("maya"), "maya", &[], true, false),
            (Some("maya"), "lee", &[], true, false),
            (Some("maya"), "ann", &[Role::GovernanceLead], false, false),
        ] {
            let standing = standing(AuditStatus::Blocked, taken_by);
            let actor = actor(who, roles);
            assert_eq!(
                unmet(&may_note(&standing, &actor)).is_empty(),
                may_note_it,
                "{taken_by:?} {who}"
            );
            let given = unmet(&may_reassign(&standing, "kim", true, &actor));
            assert_eq!(given.is_empty(), may_give, "{taken_by:?} {who}");
        }
        let open = standing(AuditStatus::Blocked, None);
        let lee = actor("lee", &[]);
        for (to, active, may) in [
            ("kim", true, true),
            ("kim", false, false),
            ("lee", true, false),
            ("maya", true, false),
        ] {
            assert_eq!(
                unmet(&may_reassign(&open, to, active, &lee)).is_empty(),
                may,
                "{to}"
            );
        }
    }

    #[test]
    fn a_taken_block_is_stale_after_as_long_as_its_first_response_may_take() {
        let taken = at("02:00:00");
        assert!(!is_stale(taken, 30, at("02:30:00")));
        assert!(is_stale(taken, 30, at("02:30:00.000001")));
        assert!(!is_stale(taken, 30, at("01:00:00")));
    }
}

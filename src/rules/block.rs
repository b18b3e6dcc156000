//! The publish gate's decision, and who may do what with a block.

mod ending;
mod mark;
mod report;
mod sla;

use chrono::TimeDelta;

pub use ending::{
    Ending, Replacement, is_stale, may_note, may_reassign, may_resolve, may_withdraw,
};
pub use mark::{DueMark, Promptness, SlaMark, Watched, half_time, may_mark, promptness};
pub use report::{Answered, Responses, responses};
pub use sla::{Sla, sla, was_late};

use super::people::{Actor, Role};
use super::{Condition, words};
use crate::canon::Digest;
use crate::clock::Moment;

words! {
    /// Why a run was stopped; closed, in order of precedence.
    pub enum BlockReason {
        /// The pipeline computed no usable hash of what it would publish.
        MissingPublishHash = "missing_publish_hash",
        /// The source was unreachable, unhashed, or read at the wrong time.
        MissingSourceHash = "missing_source_hash",
        /// What would be published is not what the source says.
        TupleDrift = "tuple_drift",
        /// The footer schema is not the registered current one.
        FooterSchemaDrift = "footer_schema_drift",
    }
}

words! {
    /// Where a snapshot stands; final after the decision.
    pub enum SnapshotStatus {
        /// Minted, not yet decided.
        PendingGate = "pending_gate",
        /// May be distributed.
        GatePassed = "gate_passed",
        /// Never distributed.
        Blocked = "blocked",
    }
}

words! {
    /// Where an audit row stands.
    pub enum AuditStatus {
        /// The gate let it pass.
        GatePassed = "gate_passed",
        /// The gate stopped it, and nothing has replaced it yet.
        Blocked = "blocked",
        /// A later run of the same scope passed.
        Resolved = "resolved",
        /// The edit that caused it was rolled back.
        Withdrawn = "withdrawn",
    }
}

/// How old the reading of the source may be when the gate decides.
pub const SOURCE_MAX_AGE_SECONDS: i64 = 120;

/// Everything the gate looks at, as it was found.
#[derive(Debug, Clone, Copy)]
pub struct GateFacts<'a> {
    /// The hash of what would be published.
    pub publish_tuple_hash: Option<&'a str>,
    /// The hash of the source as it was read.
    pub source_tuple_hash: Option<&'a str>,
    /// The footer schema that the artefact carries.
    pub footer_schema_semver: Option<&'a str>,
    /// The footer schemas registered as current; exactly one is right.
    pub registered_semvers: &'a [String],
    /// When the snapshot was minted.
    pub minted_at: Moment,
    /// When the source was read.
    pub source_observed_at: Option<Moment>,
    /// The time of the decision.
    pub now: Moment,
}

/// What the gate decided; no cause means that the run passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateDecision {
    /// Every cause, in order of precedence.
    pub causes: Vec<BlockReason>,
}

impl GateDecision {
    /// Returns the primary cause.
    #[must_use]
    pub fn block_reason(&self) -> Option<BlockReason> {
        self.causes.first().copied()
    }

    /// Returns the further causes.
    #[must_use]
    pub fn also(&self) -> &[BlockReason] {
        self.causes.get(1..).unwrap_or_default()
    }
}

/// Decides a run, for every combination of what may be missing, malformed, different or late.
#[must_use]
pub fn decide(facts: &GateFacts<'_>) -> GateDecision {
    let digest = |hash: Option<&str>| hash.and_then(|text| text.parse::<Digest>().ok());
    let publish = digest(facts.publish_tuple_hash);
    let source = digest(facts.source_tuple_hash);
    let fresh = facts.source_observed_at.is_some_and(|observed| {
        observed > facts.minted_at
            && observed <= facts.now
            && facts.now.since(observed) <= TimeDelta::seconds(SOURCE_MAX_AGE_SECONDS)
    });
    let drifted = matches!((publish, source), (Some(publish), Some(source)) if publish != source);
    let footer_current = match (facts.footer_schema_semver, facts.registered_semvers) {
        (Some(footer), [current]) => !footer.is_empty() && footer == current,
        _ => false,
    };
    let found = [
        (BlockReason::MissingPublishHash, publish.is_none()),
        (BlockReason::MissingSourceHash, source.is_none() || !fresh),
        (BlockReason::TupleDrift, drifted),
        (BlockReason::FooterSchemaDrift, !footer_current),
    ];
    GateDecision {
        causes: found
            .into_iter()
            .filter_map(|(reason, found)| found.then_some(reason))
            .collect(),
    }
}

/// How a block stands, as far as taking and escalating it goes.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The audit row's status.
    pub status: AuditStatus,
    /// The owner that the block was born with.
    pub owner: Option<&'a str>,
    /// The backup that the block was born with.
    pub backup: Option<&'a str>,
    /// Who took it, if anybody did.
    pub taken_by: Option<&'a str>,
    /// Who escalated it, if anybody did.
    pub escalated_by: Option<&'a str>,
}

impl Standing<'_> {
    fn open(&self) -> Condition {
        Condition::holds(
            "block_open",
            self.status == AuditStatus::Blocked,
            self.owner.unwrap_or("nobody"),
            format!("the run is {}", self.status),
            "only a blocked run can be worked on; `govdeck status` lists those",
        )
    }
}

/// Lists what must hold before `actor` takes a block: takes count as the first response, once.
#[must_use]
pub fn may_take(block: &Standing<'_>, actor: &Actor) -> Vec<Condition> {
    let is_routed = [block.owner, block.backup].contains(&Some(actor.person_id.as_str()));
    let (owner, backup) = (
        block.owner.unwrap_or("nobody"),
        block.backup.unwrap_or("nobody"),
    );
    vec![
        block.open(),
        Condition::holds(
            "not_taken",
            block.taken_by.is_none(),
            block.taken_by.unwrap_or(owner),
            block
                .taken_by
                .map_or("nobody has taken it".to_owned(), |by| {
                    format!("taken by {by}")
                }),
            "a block is taken once; speak to whoever took it",
        ),
        Condition::holds(
            "owner_or_backup",
            is_routed,
            owner,
            format!("owner {owner}, backup {backup}"),
            format!("ask {owner} or {backup} to take it, or escalate it"),
        ),
    ]
}

/// Lists what must hold before `actor` escalates a block to its backup.
#[must_use]
pub fn may_escalate(block: &Standing<'_>, actor: &Actor) -> Vec<Condition> {
    let (owner, backup) = (
        block.owner.unwrap_or("nobody"),
        block.backup.unwrap_or("nobody"),
    );
    let may = actor.holds_one_of(&[Role::OnCall, Role::GovernanceLead])
        || block.owner == Some(actor.person_id.as_str());
    vec![
        block.open(),
        Condition::holds(
            "not_escalated",
            block.escalated_by.is_none(),
            backup,
            block
                .escalated_by
                .map_or("not escalated yet".to_owned(), |by| {
                    format!("escalated by {by}")
                }),
            "a page is queued already; call them",
        ),
        Condition::holds(
            "not_with_backup",
            block.taken_by.is_none() || block.taken_by != block.backup,
            backup,
            format!("taken by {}", block.taken_by.unwrap_or("nobody")),
            "the backup has it already",
        ),
        Condition::holds(
            "may_escalate",
            may,
            owner,
            format!("owner {owner}; you are {}", actor.person_id),
            "the owner, on_call or a governance_lead may escalate",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Verdict;
    use crate::rules::people::{Attestation, PersonKind};

    const MINTED: &str = "2026-05-14T02:00:00Z";

    fn moment(text: &str) -> Moment {
        text.parse().expect("a moment")
    }

    #[test]
    fn the_whole_truth_table() {
        let good = "a".repeat(64);
        let other = "b".repeat(64);
        let upper = "A".repeat(64);
        let short = "a".repeat(63);
        let hashes = [
            None,
            Some(""),
            Some(upper.as_str()),
            Some(short.as_str()),
            Some(good.as_str()),
            Some(other.as_str()),
        ];
        let one = vec!["v2.4.0".to_owned()];
        let two = vec!["v2.4.0".to_owned(), "v2.4.0".to_owned()];
        let registries: [&[String]; 3] = [&[], &one, &two];
        let valid = |hash: Option<&str>| hash.is_some_and(|h| h == good || h == other);
        let mut passed = 0;
        for publish in hashes {
            for source in hashes {
                for footer in [None, Some(""), Some("v2.4.0"), Some("v2.4.1")] {
                    for registry in registries {
                        let decision = decide(&GateFacts {
                            publish_tuple_hash: publish,
                            source_tuple_hash: source,
                            footer_schema_semver: footer,
                            registered_semvers: registry,
                            minted_at: moment(MINTED),
                            source_observed_at: Some(moment("2026-05-14T02:00:01Z")),
                            now: moment("2026-05-14T02:01:00Z"),
                        });
                        let mut expected = Vec::new();
                        if !valid(publish) {
                            expected.push(BlockReason::MissingPublishHash);
                        }
                        if !valid(source) {
                            expected.push(BlockReason::MissingSourceHash);
                        }
                        if valid(publish) && valid(source) && publish != source {
                            expected.push(BlockReason::TupleDrift);
                        }
                        if footer != Some("v2.4.0") || registry.len() != 1 {
                            expected.push(BlockReason::FooterSchemaDrift);
                        }
                        passed += usize::from(expected.is_empty());
                        assert_eq!(
                            decision.causes, expected,
                            "{publish:?} {source:?} {footer:?} {registry:?}"
                        );
                    }
                }
            }
        }
        assert_eq!(
            passed, 2,
            "only two equal good hashes under the one current footer pass"
        );
    }

    #[test]
    fn the_source_must_be_read_after_the_snapshot_and_lately() {
        let hash = "a".repeat(64);
        let registry = vec!["1.0.0".to_owned()];
        for (observed, now, passes) in [
            (None, "2026-05-14T02:01:00Z", false),
            (Some("2026-05-14T01:59:59Z"), "2026-05-14T02:01:00Z", false),
            (Some(MINTED), "2026-05-14T02:01:00Z", false),
            (
                Some("2026-05-14T02:00:00.000001Z"),
                "2026-05-14T02:01:00Z",
                true,
            ),
            (Some("2026-05-14T02:00:10Z"), "2026-05-14T02:02:10Z", true),
            (
                Some("2026-05-14T02:00:10Z"),
                "2026-05-14T02:02:10.000001Z",
                false,
            ),
            (Some("2026-05-14T02:02:11Z"), "2026-05-14T02:02:10Z", false),
        ] {
            let decision = decide(&GateFacts {
                publish_tuple_hash: Some(&hash),
                source_tuple_hash: Some(&hash),
                footer_schema_semver: Some("1.0.0"),
                registered_semvers: &registry,
                minted_at: moment(MINTED),
                source_observed_at: observed.map(moment),
                now: moment(now),
            });
            let expected = if passes {
                vec![]
            } else {
                vec![BlockReason::MissingSourceHash]
            };
            assert_eq!(decision.causes, expected, "{observed:?} at {now}");
        }
    }

    fn actor(id: &str, roles: &[Role]) -> Actor {
        Actor {
            person_id: id.into(),
            kind: PersonKind::Human,
            roles: roles.iter().copied().collect(),
            attestation: Attestation::Login,
        }
    }

    #[test]
    fn taking_is_for_owner_or_backup_of_an_open_untaken_block() {
        for status in AuditStatus::ALL {
            for taken_by in [None, Some("lee"), Some("maya")] {
                for who in ["lee", "maya", "kim"] {
                    let block = Standing {
                        status: *status,
                        owner: Some("lee"),
                        backup: Some("maya"),
                        taken_by,
                        escalated_by: None,
                    };
                    let verdict = Verdict::all(
                        may_take(&block, &actor(who, Role::ALL))
                            .iter()
                            .map(|c| c.verdict),
                    );
                    let allowed =
                        *status == AuditStatus::Blocked && taken_by.is_none() && who != "kim";
                    assert_eq!(verdict, Verdict::of(allowed), "{status} {taken_by:?} {who}");
                }
            }
        }
    }

    #[test]
    fn escalating_is_for_owner_on_call_and_lead_once() {
        for status in AuditStatus::ALL {
            for taken_by in [None, Some("lee"), Some("maya")] {
                for escalated_by in [None, Some("kim")] {
                    for (who, roles) in [
                        ("lee", &[][..]),
                        ("maya", &[]),
                        ("kim", &[Role::OnCall]),
                        ("ann", &[Role::GovernanceLead]),
                        ("bob", &[Role::Signer]),
                    ] {
                        let block = Standing {
                            status: *status,
                            owner: Some("lee"),
                            backup: Some("maya"),
                            taken_by,
                            escalated_by,
                        };
                        let verdict = Verdict::all(
                            may_escalate(&block, &actor(who, roles))
                                .iter()
                                .map(|c| c.verdict),
                        );
                        let allowed = *status == AuditStatus::Blocked
                            && taken_by != Some("maya")
                            && escalated_by.is_none()
                            && ["lee", "kim", "ann"].contains(&who);
                        assert_eq!(
                            verdict,
                            Verdict::of(allowed),
                            "{status} {taken_by:?} {escalated_by:?} {who}"
                        );
                    }
                }
            }
        }
    }
}

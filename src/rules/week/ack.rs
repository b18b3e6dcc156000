//! Who may put a name under a run, on which grounds, and whether that name still counts.

use super::state::{Because, FinalRun, Standing};
use super::{AckBasis, RunKind, RunStatus, State};
use crate::rules::people::{Actor, Role};
use crate::rules::release::Found;
use crate::rules::{Condition, Verdict};

/// What an ack rests on, with the one row that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grounds {
    /// The kind of grounds.
    pub basis: AckBasis,
    /// The run before.
    pub previous_run_id: Option<String>,
    /// The remediation of that run.
    pub remediation_id: Option<String>,
    /// The packet of two people.
    pub override_audit_id: Option<String>,
}

/// Which grounds a run gives; none where it may not be signed.
pub type Basis = Option<Grounds>;

/// A packet by which two people let a run be signed that is not green.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// The packet's audit id.
    pub audit_id: &'a str,
    /// Who asked for it.
    pub requested_by: &'a str,
    /// Who else agreed.
    pub approved_by: &'a str,
}

/// Everything that decides about an ack.
#[derive(Debug, Clone, Copy)]
pub struct AckFacts<'a> {
    /// The run's id.
    pub job_run_id: &'a str,
    /// Why it was made.
    pub kind: RunKind,
    /// How it ended.
    pub status: RunStatus,
    /// Who ran it.
    pub triggered_by: Option<&'a str>,
    /// The newest scheduled run of its series that has ended.
    pub newest: Option<&'a str>,
    /// How its series stands.
    pub standing: &'a Standing,
    /// The run before it.
    pub previous: Option<FinalRun<'a>>,
    /// The remediation attached to the run before it.
    pub remediation: Option<&'a str>,
    /// The packet for this run.
    pub packet: Option<Packet<'a>>,
    /// Whether this person has signed it before.
    pub has_signed: bool,
    /// What was found where its diff should be.
    pub artifact: &'a Found,
}

/// Tells on which grounds a run may be signed.
#[must_use]
pub fn basis(facts: &AckFacts<'_>) -> Basis {
    let grounds = |basis| Grounds {
        basis,
        previous_run_id: None,
        remediation_id: None,
        override_audit_id: None,
    };
    let previous = facts.previous.map(|run| run.job_run_id.to_owned());
    let is_newest = facts.newest == Some(facts.job_run_id);
    let green = match (facts.standing.state, facts.standing.because) {
        (State::Green, Because::DoubleGreen) => previous.map(|previous| Grounds {
            previous_run_id: Some(previous),
            ..grounds(AckBasis::DoubleGreen)
        }),
        (State::Green, Because::Bootstrap) => Some(grounds(AckBasis::Bootstrap)),
        (State::Green, Because::Remediated) => {
            previous
                .zip(facts.remediation)
                .map(|(previous, evidence)| Grounds {
                    previous_run_id: Some(previous),
                    remediation_id: Some(evidence.to_owned()),
                    ..grounds(AckBasis::Remediated)
                })
        }
        _ => None,
    };
    green.filter(|_| is_newest).or_else(|| {
        facts.packet.map(|packet| Grounds {
            override_audit_id: Some(packet.audit_id.to_owned()),
            ..grounds(AckBasis::Override)
        })
    })
}

/// Lists what must hold before a person signs a run.
#[must_use]
pub fn may_ack(facts: &AckFacts<'_>, actor: &Actor) -> Vec<Condition> {
    let is_real = facts.kind == RunKind::Scheduled && facts.status.has_compared();
    let grounds = basis(facts);
    let of_packet = facts.packet.is_some_and(|packet| {
        [packet.requested_by, packet.approved_by].contains(&&*actor.person_id)
    });
    let is_another = facts.triggered_by != Some(&*actor.person_id) && !of_packet;
    vec![
        Condition::holds(
            "compared",
            is_real,
            "data_engineer",
            format!("a {} run, {}", facts.kind, facts.status),
            "only a scheduled run that compared both sides is signed",
        ),
        Condition::holds(
            "newest_run",
            facts.newest == Some(facts.job_run_id),
            "signer",
            facts
                .newest
                .map_or("no run has ended".to_owned(), |newest| {
                    format!("the newest run is {newest}")
                }),
            "sign the newest run",
        ),
        Condition::holds(
            "grounds",
            grounds.is_some(),
            "governance_lead",
            grounds.map_or_else(
                || {
                    let standing = facts.standing;
                    if facts.newest != Some(facts.job_run_id) {
                        return "only the newest run has grounds".to_owned();
                    }
                    format!(
                        "the series is {}: {}",
                        standing.state,
                        standing.because.meaning()
                    )
                },
                |grounds| format!("{}", grounds.basis),
            ),
            "only green is signed, or what two people let pass with an override packet",
        ),
        artifact_same(facts.artifact),
        Condition::holds(
            "not_signed",
            !facts.has_signed,
            &actor.person_id,
            if facts.has_signed {
                "you have signed it"
            } else {
                "you have not signed it"
            },
            "a run is signed once by each signer",
        ),
        Condition::holds(
            "another_person",
            is_another,
            "another signer",
            match facts.triggered_by {
                Some(ran) if !of_packet => format!("{ran} ran it; you are {}", actor.person_id),
                _ if of_packet => format!("{} agreed to its override", actor.person_id),
                _ => format!("you are {}", actor.person_id),
            },
            "whoever ran or overrode a run does not sign it",
        ),
    ]
}

/// The condition that a run's diff is what the run filed.
pub const DIFF_SAME: &str = "diff_same";

/// Says why a name does not count that was not taken back.
#[must_use]
pub const fn why_not_current(diff: &Found) -> &'static str {
    match diff {
        Found::Unreachable(_) => "CANNOT TELL, its diff was not read; does not count",
        _ => "SIGNED ON OLDER EVIDENCE, does not count",
    }
}

fn artifact_same(found: &Found) -> Condition {
    let (verdict, evidence) = match found {
        Found::Same(digest) => (Verdict::Pass, format!("the diff hashes to {digest}")),
        Found::Changed(why) => (Verdict::Fail, why.clone()),
        Found::Unreachable(why) => (Verdict::CannotTell, why.clone()),
        Found::NotNamed => (Verdict::CannotTell, "the run has no diff".to_owned()),
    };
    Condition {
        id: DIFF_SAME,
        verdict,
        owner: "data_engineer".to_owned(),
        evidence,
        fix: "nobody signs a diff that is not what the run filed; verify the ledger".to_owned(),
    }
}

/// Lists what must hold before an ack is taken back.
#[must_use]
pub fn may_revoke(signer: Option<&str>, is_revoked: bool, actor: &Actor) -> Vec<Condition> {
    let may = signer == Some(&*actor.person_id) || actor.holds_one_of(&[Role::GovernanceLead]);
    vec![
        Condition::holds(
            "signed",
            signer.is_some() && !is_revoked,
            "signer",
            match signer {
                None => "there is no such ack".to_owned(),
                Some(signer) if is_revoked => format!("the ack of {signer} was revoked"),
                Some(signer) => format!("{signer} has signed"),
            },
            "an ack is revoked once",
        ),
        Condition::holds(
            "may_revoke",
            may,
            "the signer, or a governance_lead",
            format!("you are {}", actor.person_id),
            "ask one of them",
        ),
    ]
}

/// A name under a run, as far as counting goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// What it rests on.
    pub basis: AckBasis,
    /// Whether everything that was signed is still what it was.
    pub is_current: bool,
    /// Whether it was taken back.
    pub is_revoked: bool,
}

/// Tells how many names count, and how many are asked for.
#[must_use]
pub fn counts(acks: &[Signed], quorum: i64, override_quorum: i64) -> (i64, i64) {
    let valid = |is_override: bool| {
        let counted = acks.iter().filter(|ack| {
            ack.is_current && !ack.is_revoked && (ack.basis == AckBasis::Override) == is_override
        });
        i64::try_from(counted.count()).unwrap_or(i64::MAX)
    };
    let by_override = valid(true);
    if by_override > 0 && valid(false) == 0 {
        (by_override, override_quorum)
    } else {
        (valid(false), quorum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::Digest;
    use crate::rules::condition::unmet;
    use crate::rules::people::{Attestation, PersonKind};

    fn actor(id: &str) -> Actor {
        Actor {
            person_id: id.into(),
            kind: PersonKind::Human,
            roles: [Role::Signer].into(),
            attestation: Attestation::Login,
        }
    }

    const PACKET: Packet<'static> = Packet {
        audit_id: "aud-7",
        requested_by: "kim",
        approved_by: "lee",
    };

    /// Every state and cause, with and without packet, and each other fact in turn.
    #[test]
    fn the_truth_table_of_acks() {
        let same = Found::Same(Digest::of(b"diff"));
        for state in State::ALL {
            for because in Because::ALL {
                let standing = Standing {
                    state: *state,
                    because: *because,
                    runs: Vec::new(),
                };
                for bits in 0..64_u8 {
                    let bit = |at: u8| bits >> at & 1 == 1;
                    let facts = AckFacts {
                        job_run_id: "jr-2",
                        kind: RunKind::Scheduled,
                        status: RunStatus::Pass,
                        triggered_by: Some("etl"),
                        newest: if bit(0) { Some("jr-3") } else { Some("jr-2") },
                        standing: &standing,
                        previous: bit(1).then_some(FinalRun {
                            job_run_id: "jr-1",
                            status: RunStatus::Pass,
                        }),
                        remediation: bit(2).then_some("rem-1"),
                        packet: bit(3).then_some(PACKET),
                        has_signed: bit(4),
                        artifact: if bit(5) { &Found::NotNamed } else { &same },
                    };
                    let green = *state == State::Green
                        && match because {
                            Because::Bootstrap => true,
                            Because::DoubleGreen => bit(1),
                            Because::Remediated => bit(1) && bit(2),
                            _ => false,
                        };
                    let found = unmet(&may_ack(&facts, &actor("maya"))).is_none();
                    let wanted = !bit(0) && (green || bit(3)) && !bit(4) && !bit(5);
                    assert_eq!(found, wanted, "{state} {because} {bits:06b}");
                    if let Some(grounds) = basis(&facts) {
                        let is_override = grounds.basis == AckBasis::Override;
                        assert_eq!(is_override, !green || bit(0), "{state} {because} {bits:b}");
                        assert_eq!(grounds.override_audit_id.is_some(), is_override);
                        let rests_on_evidence = grounds.basis == AckBasis::Remediated;
                        assert_eq!(grounds.remediation_id.is_some(), rests_on_evidence);
                    }
                }
            }
        }
    }

    #[test]
    fn only_scheduled_runs_that_compared_are_signed() {
        let standing = Standing {
            state: State::Green,
            because: Because::Bootstrap,
            runs: Vec::new(),
        };
        let same = Found::Same(Digest::of(b"diff"));
        for kind in RunKind::ALL {
            for status in RunStatus::ALL {
                let facts = AckFacts {
                    job_run_id: "jr-1",
                    kind: *kind,
                    status: *status,
                    triggered_by: None,
                    newest: Some("jr-1"),
                    standing: &standing,
                    previous: None,
                    remediation: None,
                    packet: None,
                    has_signed: false,
                    artifact: &same,
                };
                let found = unmet(&may_ack(&facts, &actor("maya"))).is_none();
                let wanted = *kind == RunKind::Scheduled
                    && [RunStatus::Pass, RunStatus::Fail].contains(status);
                assert_eq!(found, wanted, "{kind} {status}");
            }
        }
    }

    #[test]
    fn whoever_ran_or_overrode_it_does_not_sign_it() {
        let standing = Standing {
            state: State::Amber,
            because: Because::NotPassed,
            runs: Vec::new(),
        };
        let same = Found::Same(Digest::of(b"diff"));
        for (who, may) in [
            ("maya", true),
            ("etl", false),
            ("kim", false),
            ("lee", false),
        ] {
            let facts = AckFacts {
                job_run_id: "jr-1",
                kind: RunKind::Scheduled,
                status: RunStatus::Fail,
                triggered_by: Some("etl"),
                newest: Some("jr-1"),
                standing: &standing,
                previous: None,
                remediation: None,
                packet: Some(PACKET),
                has_signed: false,
                artifact: &same,
            };
            assert_eq!(unmet(&may_ack(&facts, &actor(who))).is_none(), may, "{who}");
        }
    }

    #[test]
    fn names_on_older_evidence_and_revoked_ones_do_not_count() {
        use AckBasis::{DoubleGreen, Override};
        let name = |basis, is_current, is_revoked| Signed {
            basis,
            is_current,
            is_revoked,
        };
        for (acks, wanted) in [
            (vec![], (0, 1)),
            (vec![name(DoubleGreen, true, false)], (1, 1)),
            (vec![name(DoubleGreen, false, false)], (0, 1)),
            (vec![name(DoubleGreen, true, true)], (0, 1)),
            (vec![name(Override, true, false)], (1, 2)),
            (vec![name(Override, true, false); 2], (2, 2)),
            (
                vec![name(Override, true, false), name(DoubleGreen, true, false)],
                (1, 1),
            ),
        ] {
            assert_eq!(counts(&acks, 1, 2), wanted, "{acks:?}");
        }
    }
}

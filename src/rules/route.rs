//! Who owns the blocks of a reason, and how that changes: proposed by one, acknowledged by a signer.

use super::people::{Actor, Role};
use super::{Condition, words};

words! {
    /// Where a change of route stands.
    pub enum RouteChangeStatus {
        /// It waits for a signer; the old route holds.
        Pending = "pending",
        /// A signer acknowledged it; it holds.
        Acked = "acked",
        /// A signer said no.
        Declined = "declined",
    }
}

/// What a change of route would make of it, as far as rules look at it.
#[derive(Debug, Clone, Copy)]
pub struct Proposed<'a> {
    /// The new owner, and whether they are an active human.
    pub owner: (&'a str, bool),
    /// The new backup, and whether they are an active human.
    pub backup: (&'a str, bool),
    /// The minutes for the first response.
    pub minutes: i64,
    /// The change that waits already, if one does.
    pub waiting: Option<&'a str>,
    /// Whether it differs from what holds now.
    pub differs: bool,
}

/// Lists what must hold before a change of route is proposed.
#[must_use]
pub fn may_propose(change: &Proposed<'_>) -> Vec<Condition> {
    let (owner, backup) = (change.owner.0, change.backup.0);
    vec![
        Condition::holds(
            "two_humans",
            change.owner.1 && change.backup.1,
            "governance_lead",
            format!("owner {owner}, backup {backup}"),
            "owner and backup are active humans",
        ),
        Condition::holds(
            "another_backup",
            owner != backup,
            "governance_lead",
            format!("owner {owner}, backup {backup}"),
            "the backup is somebody else than the owner",
        ),
        Condition::holds(
            "sla_minutes",
            (1..=1440).contains(&change.minutes),
            "governance_lead",
            format!("{} minutes", change.minutes),
            "1 to 1440 minutes",
        ),
        Condition::holds(
            "none_waits",
            change.waiting.is_none(),
            "signer",
            change.waiting.map_or("nothing waits".to_owned(), |id| {
                format!("{id} waits for a signer")
            }),
            "a signer acknowledges or declines that one first",
        ),
        Condition::holds(
            "differs",
            change.differs,
            "governance_lead",
            if change.differs {
                "it changes something"
            } else {
                "it is what holds now"
            },
            "nothing is left to do",
        ),
    ]
}

/// Lists what must still hold of a change when a signer acknowledges it.
#[must_use]
pub fn may_ack(change: &Proposed<'_>) -> Vec<Condition> {
    may_propose(change)
        .into_iter()
        .filter(|condition| ["two_humans", "another_backup"].contains(&condition.id))
        .collect()
}

/// Lists what must hold before a change of route is answered by a signer.
#[must_use]
pub fn may_answer(status: RouteChangeStatus, proposer: &str, actor: &Actor) -> Vec<Condition> {
    vec![
        Condition::holds(
            "pending",
            status == RouteChangeStatus::Pending,
            "signer",
            format!("the change is {status}"),
            "a change is answered once; propose another",
        ),
        Condition::holds(
            "another_signer",
            actor.person_id != proposer && actor.holds_one_of(&[Role::Signer]),
            "another signer",
            format!("{proposer} proposed it; you are {}", actor.person_id),
            "a signer who did not propose it answers it",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Verdict;
    use crate::rules::people::{Attestation, PersonKind};

    fn unmet(conditions: &[Condition]) -> Vec<&'static str> {
        let open = |condition: &&Condition| condition.verdict != Verdict::Pass;
        conditions
            .iter()
            .filter(open)
            .map(|condition| condition.id)
            .collect()
    }

    #[test]
    fn a_route_has_two_different_humans_and_a_time() {
        let good = Proposed {
            owner: ("lee", true),
            backup: ("kim", true),
            minutes: 30,
            waiting: None,
            differs: true,
        };
        assert_eq!(unmet(&may_propose(&good)), [""; 0]);
        for (change, missing) in [
            (
                Proposed {
                    owner: ("lee", false),
                    ..good
                },
                "two_humans",
            ),
            (
                Proposed {
                    backup: ("kim", false),
                    ..good
                },
                "two_humans",
            ),
            (
                Proposed {
                    backup: ("lee", true),
                    ..good
                },
                "another_backup",
            ),
            (Proposed { minutes: 0, ..good }, "sla_minutes"),
            (
                Proposed {
                    minutes: -5,
                    ..good
                },
                "sla_minutes",
            ),
            (
                Proposed {
                    minutes: 1441,
                    ..good
                },
                "sla_minutes",
            ),
            (
                Proposed {
                    waiting: Some("rc-1"),
                    ..good
                },
                "none_waits",
            ),
            (
                Proposed {
                    differs: false,
                    ..good
                },
                "differs",
            ),
        ] {
            assert_eq!(unmet(&may_propose(&change)), [missing], "{change:?}");
        }
        for minutes in [1, 1440] {
            assert_eq!(unmet(&may_propose(&Proposed { minutes, ..good })), [""; 0]);
        }
    }

    #[test]
    fn another_signer_answers_once() {
        let actor = |id: &str, roles: &[Role]| Actor {
            person_id: id.into(),
            kind: PersonKind::Human,
            roles: roles.iter().copied().collect(),
            attestation: Attestation::Login,
        };
        for status in RouteChangeStatus::ALL {
            for (who, roles, may) in [
                ("ann", &[Role::Signer][..], true),
                ("maya", &[Role::Signer], false),
                ("ann", &[Role::GovernanceLead], false),
                ("ann", &[], false),
            ] {
                let found = may_answer(*status, "maya", &actor(who, roles));
                let pending = *status == RouteChangeStatus::Pending;
                assert_eq!(unmet(&found).is_empty(), pending && may, "{status} {who}");
            }
        }
    }
}

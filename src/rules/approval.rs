//! The second person: who may say yes to a proposal of somebody else, and until when it can be said.

use super::people::{Actor, PersonKind, Role};
use super::permission::{cover, list_of};
use super::{Condition, Verdict, words};
use crate::clock::Moment;

/// How long a proposal waits for its second person.
pub const WAITS_MINUTES: i64 = 24 * 60;

/// The condition that a proposal has not ended and its time is not up.
const WAITS: &str = "waits";
/// The condition that what a proposal rests on is as it was.
pub const UNCHANGED: &str = "unchanged";

/// Tells by the conditions of an answer that nobody can give it any more: the proposal has ended or expired, or what it
/// rests on has changed.
#[must_use]
pub fn is_over(conditions: &[Condition]) -> bool {
    let mut open = conditions.iter().filter(|it| it.verdict != Verdict::Pass);
    open.any(|condition| [WAITS, UNCHANGED].contains(&condition.id))
}

words! {
    /// Where a proposal that needs two stands.
    pub enum ApprovalStatus {
        /// It waits for the second person.
        Waiting = "waiting",
        /// The second person said yes, and it was done.
        Approved = "approved",
        /// Somebody who could have approved it said no.
        Declined = "declined",
        /// Its proposer took it back.
        Withdrawn = "withdrawn",
        /// What it rests on has changed.
        Lapsed = "lapsed",
        /// Nobody answered in time.
        Expired = "expired",
    }
}

/// A proposal that needs two, as far as rules look at it.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Where it stands.
    pub status: ApprovalStatus,
    /// Who proposed it.
    pub proposer: &'a str,
    /// The roles that the proposer holds now.
    pub proposer_roles: &'a [Role],
    /// The roles that the two must hold between them, as they were asked for when it was proposed.
    pub needed: &'a [Role],
    /// Until when it waits.
    pub expires: Moment,
}

impl Standing<'_> {
    fn waits(&self, now: Moment) -> Condition {
        let evidence = match self.status {
            ApprovalStatus::Waiting => format!("waits until {}", self.expires),
            ended => ended.to_string(),
        };
        Condition::holds(
            WAITS,
            self.status == ApprovalStatus::Waiting && now < self.expires,
            self.proposer,
            evidence,
            "it can be proposed anew",
        )
    }

    fn another_human(&self, actor: &Actor) -> Condition {
        Condition::holds(
            "another_human",
            actor.kind == PersonKind::Human && actor.person_id != self.proposer,
            "another person",
            format!("{} proposed it; you are {}", self.proposer, actor.person_id),
            "two persons are two humans: ask another one",
        )
    }
}

/// Lists what must hold before `actor` says yes.
#[must_use]
pub fn may_approve(proposal: &Standing<'_>, actor: &Actor, now: Moment) -> Vec<Condition> {
    let own: Vec<Role> = actor.roles.iter().copied().collect();
    vec![
        proposal.waits(now),
        proposal.another_human(actor),
        Condition::holds(
            "roles_of_two",
            actor.kind == PersonKind::Human
                && cover(proposal.needed, proposal.proposer_roles, &own),
            and(proposal.needed),
            format!(
                "{} needed; {} holds {}, you hold {}",
                and(proposal.needed),
                proposal.proposer,
                or_none(&and(proposal.proposer_roles)),
                or_none(&and(&own)),
            ),
            "the two hold all of them, and the second at least one",
        ),
    ]
}

/// Names roles that are needed together.
#[must_use]
pub fn and(roles: &[Role]) -> String {
    let words: Vec<_> = roles.iter().map(|role| role.word()).collect();
    words.join(" and ")
}

/// Names the roles that were kept with a proposal, or says that none were.
#[must_use]
pub fn kept(roles: Option<&[Role]>) -> String {
    roles.map_or("roles that were not kept".to_owned(), and)
}

/// Says what a proposal was asked with and what is asked today, where the two are not the same; none where they are.
///
/// A proposal from before the roles were kept with it was asked with nothing that could be compared.
#[must_use]
pub fn asked_otherwise(kept: Option<&[Role]>, today: &[Role]) -> Option<String> {
    let now = match today {
        [] => "one person is enough now".to_owned(),
        roles => format!("{} needed now", and(roles)),
    };
    match kept {
        None => Some(format!(
            "the roles that it needs were not kept with it; {now}"
        )),
        Some(kept) if list_of(kept) == list_of(today) => None,
        Some(kept) => Some(format!("it was proposed to need {}; {now}", and(kept))),
    }
}

fn or_none(words: &str) -> &str {
    if words.is_empty() { "no role" } else { words }
}

/// What somebody has to do with a proposal that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// They proposed it, and wait.
    Proposer,
    /// It waits for them, or for another one like them.
    Second,
}

/// Tells what `actor` has to do with a proposal; nothing where they can neither answer it nor take it back.
#[must_use]
pub fn part_of(proposer: &str, needed: &[Role], actor: &Actor) -> Option<Part> {
    if actor.kind != PersonKind::Human {
        None
    } else if actor.person_id == proposer {
        Some(Part::Proposer)
    } else {
        actor.holds_one_of(needed).then_some(Part::Second)
    }
}

/// Lists what must hold before `actor` says no, or takes their own proposal back.
#[must_use]
pub fn may_decline(proposal: &Standing<'_>, actor: &Actor, now: Moment) -> Vec<Condition> {
    vec![
        proposal.waits(now),
        Condition::holds(
            "may_decline",
            part_of(proposal.proposer, proposal.needed, actor).is_some(),
            "whoever could approve it",
            format!(
                "{} proposed it; you are {}",
                proposal.proposer, actor.person_id
            ),
            "a human who holds one of the roles asked for declines it, its proposer takes it back",
        ),
    ]
}

/// How a waiting proposal ends without anybody's yes or no; none while it can still be approved.
#[must_use]
pub fn ends_by_rule(
    proposal: &Standing<'_>,
    is_unchanged: bool,
    now: Moment,
) -> Option<ApprovalStatus> {
    match proposal.status {
        ApprovalStatus::Waiting if now >= proposal.expires => Some(ApprovalStatus::Expired),
        ApprovalStatus::Waiting if !is_unchanged => Some(ApprovalStatus::Lapsed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::people::Attestation;

    const NEEDED: &[Role] = &[Role::GovernanceLead, Role::EngineeringLead];

    fn moment(text: &str) -> Moment {
        text.parse().expect("a moment")
    }

    fn actor(id: &str, kind: PersonKind, roles: &[Role]) -> Actor {
        Actor {
            person_id: id.into(),
            kind,
            roles: roles.iter().copied().collect(),
            attestation: Attestation::Login,
        }
    }

    fn standing(status: ApprovalStatus, proposer_roles: &[Role]) -> Standing<'_> {
        Standing {
            status,
            proposer: "maya",
            proposer_roles,
            needed: NEEDED,
            expires: moment("2026-05-15T02:00:00Z"),
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
    fn every_status_but_waiting_is_final_and_the_last_instant_is_too_late() {
        let kim = actor("kim", PersonKind::Human, NEEDED);
        for status in ApprovalStatus::ALL {
            for (now, in_time) in [
                ("2026-05-15T01:59:59.999999Z", true),
                ("2026-05-15T02:00:00Z", false),
                ("2026-05-16T02:00:00Z", false),
            ] {
                let (proposal, now) = (standing(*status, &[]), moment(now));
                let open = *status == ApprovalStatus::Waiting && in_time;
                assert_eq!(unmet(&may_approve(&proposal, &kim, now)).is_empty(), open);
                assert_eq!(unmet(&may_decline(&proposal, &kim, now)).is_empty(), open);
                for is_unchanged in [true, false] {
                    let expected = match (*status, in_time, is_unchanged) {
                        (ApprovalStatus::Waiting, false, _) => Some(ApprovalStatus::Expired),
                        (ApprovalStatus::Waiting, true, false) => Some(ApprovalStatus::Lapsed),
                        _ => None,
                    };
                    assert_eq!(ends_by_rule(&proposal, is_unchanged, now), expected);
                }
            }
        }
    }

    #[test]
    fn what_was_asked_for_is_compared_as_a_set() {
        use Role::{EngineeringLead, GovernanceLead, OpsLead};
        let other_order = &[EngineeringLead, GovernanceLead][..];
        for (kept, today, says) in [
            (Some(other_order), NEEDED, None),
            (
                None,
                NEEDED,
                Some(
                    "the roles that it needs were not kept with it; governance_lead and engineering_lead needed now",
                ),
            ),
            (
                Some(&[OpsLead]),
                &[GovernanceLead],
                Some("it was proposed to need ops_lead; governance_lead needed now"),
            ),
            (
                Some(&[GovernanceLead]),
                NEEDED,
                Some(
                    "it was proposed to need governance_lead; governance_lead and engineering_lead needed now",
                ),
            ),
            (
                Some(NEEDED),
                &[],
                Some(
                    "it was proposed to need governance_lead and engineering_lead; one person is enough now",
                ),
            ),
        ] {
            assert_eq!(asked_otherwise(kept, today).as_deref(), says);
        }
    }

    #[test]
    fn two_are_two_humans_who_hold_the_roles_between_them() {
        use PersonKind::{Human, Service};
        use Role::{EngineeringLead, GovernanceLead, OpsLead};
        let now = moment("2026-05-14T02:00:00Z");
        let both = &[GovernanceLead, EngineeringLead][..];
        for (proposer_roles, who, kind, roles, missing) in [
            (
                &[GovernanceLead][..],
                "kim",
                Human,
                &[EngineeringLead][..],
                &[][..],
            ),
            (&[GovernanceLead], "kim", Human, both, &[]),
            (&[], "kim", Human, both, &[]),
            (both, "kim", Human, &[OpsLead], &["roles_of_two"]),
            (both, "kim", Human, &[], &["roles_of_two"]),
            (
                &[GovernanceLead],
                "kim",
                Human,
                &[GovernanceLead],
                &["roles_of_two"],
            ),
            (&[], "kim", Human, &[EngineeringLead], &["roles_of_two"]),
            (both, "maya", Human, both, &["another_human"]),
            (
                both,
                "etl",
                Service,
                both,
                &["another_human", "roles_of_two"],
            ),
        ] {
            let proposal = standing(ApprovalStatus::Waiting, proposer_roles);
            let found = may_approve(&proposal, &actor(who, kind, roles), now);
            assert_eq!(unmet(&found), missing, "{proposer_roles:?} {who} {roles:?}");
        }
    }

    #[test]
    fn a_proposal_waits_for_whoever_holds_one_of_its_roles() {
        use PersonKind::{Human, Service};
        for (who, kind, roles, part) in [
            ("maya", Human, NEEDED, Some(Part::Proposer)),
            (
                "kim",
                Human,
                &[Role::EngineeringLead][..],
                Some(Part::Second),
            ),
            ("kim", Human, &[Role::OpsLead], None),
            ("kim", Human, &[], None),
            ("etl", Service, NEEDED, None),
            ("maya", Service, NEEDED, None),
        ] {
            assert_eq!(part_of("maya", NEEDED, &actor(who, kind, roles)), part);
        }
    }

    #[test]
    fn whoever_could_approve_declines_and_the_proposer_takes_back() {
        let now = moment("2026-05-14T02:00:00Z");
        for (who, kind, roles, may) in [
            ("maya", PersonKind::Human, &[][..], true),
            ("kim", PersonKind::Human, &[Role::EngineeringLead], true),
            ("kim", PersonKind::Human, &[Role::OpsLead], false),
            ("kim", PersonKind::Human, &[], false),
            ("etl", PersonKind::Service, NEEDED, false),
        ] {
            let proposal = standing(ApprovalStatus::Waiting, NEEDED);
            let found = may_decline(&proposal, &actor(who, kind, roles), now);
            assert_eq!(unmet(&found).is_empty(), may, "{who} {roles:?}");
        }
    }
}

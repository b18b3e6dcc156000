use super::*;

#[test]
fn no_verb_is_listed_twice() {
    let mut verbs: Vec<_> = MATRIX.iter().map(|permission| permission.verb).collect();
    verbs.sort_unstable();
    let count = verbs.len();
    verbs.dedup();
    assert_eq!(verbs.len(), count);
    assert!(
        MATRIX
            .iter()
            .all(|permission| of(permission.verb) == Some(permission))
    );
    assert_eq!(of("no_such_verb"), None);
}

#[test]
fn one_of_two_proposes_or_agrees() {
    use Role::{GovernanceLead, OnCall, Viewer};
    for (permission, held, share) in [
        (TAKE_BLOCK, &[][..], Some(Share::Alone)),
        (GRANT_ROLE, &[GovernanceLead], Some(Share::Alone)),
        (GRANT_ROLE, &[OnCall, Viewer], None),
        (BYPASS_FREEZE, &[OnCall], Some(Share::Proposes)),
        (
            BYPASS_FREEZE,
            &[OnCall, GovernanceLead],
            Some(Share::ProposesOrAgrees),
        ),
        (BYPASS_FREEZE, &[Viewer], None),
        (DECIDE_RUN, &[GovernanceLead], None),
    ] {
        assert_eq!(share_of(&permission, held), share, "{}", permission.verb);
    }
}

#[test]
fn a_list_of_roles_is_canonical_and_reads_back() {
    let two = &[
        Role::GovernanceLead,
        Role::EngineeringLead,
        Role::GovernanceLead,
    ];
    let list = list_of(two);
    assert_eq!(list, "[\"engineering_lead\",\"governance_lead\"]");
    assert_eq!(
        crate::canon::canonical(&list).ok(),
        Some(list.clone().into_bytes())
    );
    let read = roles_in(&list);
    assert_eq!(
        read,
        Some(vec![Role::GovernanceLead, Role::EngineeringLead])
    );
    assert_eq!(roles_in("[]"), Some(Vec::new()));
    for other in [
        "",
        "null",
        "governance_lead",
        "\"governance_lead\"",
        "[\"admin\"]",
        "[\"governance_lead\",\"engineering_lead\"]",
        "[\"engineering_lead\", \"governance_lead\"]",
        "[\"governance_lead\",\"governance_lead\"]",
    ] {
        assert_eq!(roles_in(other), None, "{other}");
    }
}

#[test]
fn acting_is_every_role_but_viewer() {
    let all_but_viewer: Vec<_> = Role::ALL
        .iter()
        .copied()
        .filter(|role| *role != Role::Viewer)
        .collect();
    assert_eq!(ACTING, all_but_viewer);
}

#[test]
fn whatever_a_person_may_do_says_who() {
    for permission in MATRIX {
        let by_person = permission.basis == Basis::Person;
        let says_who = !permission.roles.is_empty() || !permission.besides.is_empty();
        assert_eq!(says_who, by_person, "{}", permission.verb);
        assert_eq!(
            permission.level > Level::Look,
            by_person,
            "{}",
            permission.verb
        );
        assert!(
            !permission.roles.contains(&Role::Viewer),
            "{}",
            permission.verb
        );
        assert!(
            !permission.two.contains(&Role::Viewer),
            "{}",
            permission.verb
        );
        assert!(!permission.needs_two() || by_person, "{}", permission.verb);
    }
}

/// Every pair of persons who each hold any of four roles, against every set of needed roles.
#[test]
fn two_persons_cover_what_one_of_them_holds_and_the_second_adds_something() {
    let four = [
        Role::GovernanceLead,
        Role::EngineeringLead,
        Role::OpsLead,
        Role::Viewer,
    ];
    let set = |bits: usize| -> Vec<Role> {
        let chosen = four
            .iter()
            .enumerate()
            .filter(|(at, _)| bits >> at & 1 == 1);
        chosen.map(|(_, role)| *role).collect()
    };
    for needed in 0..16_usize {
        for first in 0..16_usize {
            for second in 0..16_usize {
                let covered = needed & (first | second) == needed && needed & second != 0;
                assert_eq!(
                    cover(&set(needed), &set(first), &set(second)),
                    covered,
                    "{needed} {first} {second}"
                );
            }
        }
    }
}

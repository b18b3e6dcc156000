//! People: who may act, who may not, and what is asked of them.

use govdeck::actions::{self, Asked, ByRule, Outcome, Request, Stop};
use govdeck::rules::guard::Answer;
use govdeck::rules::people::Role;
use govdeck::store::{Access, OsAccount, Store, person};

use crate::support::{REASON, on_both};

on_both!(
    only_a_governance_lead_adds_people_and_grants_roles,
    |world| {
        for person in ["lee", "kim"] {
            let no = world
                .act(person, "add_person", Asked::of("ann").with("name", "Ann"))
                .await
                .expect_err("refused");
            assert!(no.starts_with(&format!("role: {person} holds")), "{no}");
            let no = world
                .act(
                    person,
                    "grant_role",
                    Asked::of("lee").with("role", "signer"),
                )
                .await
                .expect_err("refused");
            assert!(no.starts_with("role:"), "{no}");
        }
        world
            .act(
                "maya",
                "grant_role",
                Asked::of("kim").with("role", "governance_lead"),
            )
            .await
            .expect("granted");
        world
            .act("kim", "add_person", Asked::of("ann").with("name", "Ann"))
            .await
            .expect("kim may now");
        world.assert_sound().await;
    }
);

on_both!(nobody_grants_to_themselves_and_no_service_signs, |world| {
    let no = world
        .act(
            "maya",
            "grant_role",
            Asked::of("maya").with("role", "signer"),
        )
        .await;
    assert_eq!(no, Err("not_yourself: you are maya".to_owned()));
    let no = world
        .act(
            "maya",
            "grant_role",
            Asked::of("govdeck").with("role", "signer"),
        )
        .await;
    assert_eq!(
        no,
        Err("role_suits: a service never holds the role signer".to_owned())
    );
    let no = world
        .act(
            "maya",
            "grant_role",
            Asked::of("lee").with("role", "on_call"),
        )
        .await;
    assert_eq!(no, Err("not_held: held already".to_owned()));
    let no = world
        .act(
            "maya",
            "grant_role",
            Asked::of("nobody").with("role", "signer"),
        )
        .await;
    assert_eq!(no, Err("there is no person \"nobody\"".to_owned()));
    for role in Role::ALL.iter().filter(|role| **role != Role::Signer) {
        world
            .act(
                "maya",
                "grant_role",
                Asked::of("govdeck").with("role", role.word()),
            )
            .await
            .expect("other roles suit a service");
    }
    world.assert_sound().await;
});

on_both!(ids_and_logins_are_used_once, |world| {
    let no = world
        .act(
            "maya",
            "add_person",
            Asked::of("kim").with("name", "Kim").with("login", "other"),
        )
        .await;
    assert_eq!(no, Err("new_id: belongs to kim".to_owned()));
    let no = world
        .act(
            "maya",
            "add_person",
            Asked::of("kim2").with("name", "Kim").with("login", "kim"),
        )
        .await;
    assert_eq!(no, Err("new_login: belongs to kim".to_owned()));
    for bad in ["", "Kim", "k/m", "k m", "k\u{202e}m"] {
        assert!(
            world
                .act("maya", "add_person", Asked::of(bad).with("name", "Kim"))
                .await
                .is_err(),
            "{bad:?}"
        );
    }
    for bad in ["", " ", "a\nb", "a\u{1b}[2J", "a\0b", &"x".repeat(201)] {
        assert!(
            world
                .act("maya", "add_person", Asked::of("ann").with("name", bad))
                .await
                .is_err(),
            "{bad:?}"
        );
    }
    world.assert_sound().await;
});

on_both!(a_login_that_maps_to_nobody_may_only_look, |world| {
    let store = if world.is_postgres() {
        crate::support::cluster::cluster().create_login("mallory");
        world.owner_sql("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO mallory");
        Store::open(
            &world.dsn("mallory"),
            OsAccount::named("mallory"),
            Access::Write,
        )
        .await
        .expect("it opens")
    } else {
        Store::open(
            &world.dsn("maya"),
            OsAccount::named("mallory"),
            Access::Write,
        )
        .await
        .expect("it opens")
    };
    let mut view = store.view().await.expect("a view");
    assert_eq!(person::actor(&mut view).await.expect("read"), None);
    let asked = Asked::of("ann").with("name", "Ann");
    let Err(Stop::Refused(refusal)) = actions::propose(&mut view, "add_person", asked).await else {
        panic!("it was let in")
    };
    assert_eq!(
        refusal.sentence,
        "the login \"mallory\" belongs to no active person, so it may only look"
    );
    drop(view);
    // Nor may it have a rule write.
    let rule = ByRule::DecideRun {
        run: "pub-1".to_owned(),
    };
    let outcome = actions::carry_out(&store, Request::by_rule(rule).expect("a request")).await;
    assert!(
        matches!(outcome, Outcome::Refused(refusal) if refusal.sentence.contains("may only look"))
    );
});

on_both!(somebody_else_cannot_send_a_confirmed_request, |world| {
    let maya = world.store("maya").await;
    let asked = Asked::of("ann").with("name", "Ann");
    let proposal = actions::propose(&mut maya.view().await.expect("a view"), "add_person", asked)
        .await
        .expect("a proposal");
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some(REASON.to_owned()),
    };
    let request = proposal.confirm(&answer).expect("confirmed");
    let kim = world.store("kim").await;
    assert!(matches!(
        actions::carry_out(&kim, request).await,
        Outcome::Refused(_)
    ));
    world.assert_sound().await;
});

on_both!(a_role_lost_between_looking_and_writing_counts, |world| {
    world
        .act(
            "maya",
            "grant_role",
            Asked::of("kim").with("role", "governance_lead"),
        )
        .await
        .expect("granted");
    let kim = world.store("kim").await;
    let asked = Asked::of("ann").with("name", "Ann");
    let proposal = actions::propose(&mut kim.view().await.expect("a view"), "add_person", asked)
        .await
        .expect("a proposal");
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some(REASON.to_owned()),
    };
    let request = proposal.confirm(&answer).expect("confirmed");
    world.tamper(
        "person_role",
        "UPDATE person_role SET active = FALSE WHERE person_id = 'kim'",
    );
    let Outcome::Refused(refusal) = actions::carry_out(&kim, request).await else {
        panic!("it went through")
    };
    assert_eq!(refusal.sentence, "role: kim holds no role");
});

on_both!(rules_are_not_confirmed_by_anybody, |world| {
    let store = world.store("maya").await;
    for verb in ["decide_run", "establish"] {
        let refused = actions::propose(
            &mut store.view().await.expect("a view"),
            verb,
            Asked::of("x"),
        )
        .await;
        assert!(matches!(refused, Err(Stop::Refused(_))), "{verb}");
    }
    assert!(matches!(
        actions::propose(
            &mut store.view().await.expect("a view"),
            "drop_table",
            Asked::of("x")
        )
        .await,
        Err(Stop::Refused(_))
    ));
});

on_both!(a_store_for_reading_cannot_write, |world| {
    let store = Store::open(
        &world.dsn("maya"),
        OsAccount::of_this_process().expect("an account"),
        Access::Read,
    )
    .await
    .expect("it opens");
    let asked = Asked::of("ann").with("name", "Ann");
    let proposal = actions::propose(
        &mut store.view().await.expect("a view"),
        "add_person",
        asked,
    )
    .await
    .expect("looking is fine");
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some(REASON.to_owned()),
    };
    let request = proposal.confirm(&answer).expect("confirmed");
    assert!(matches!(
        actions::carry_out(&store, request).await,
        Outcome::Failed(_)
    ));
    world.assert_sound().await;
});

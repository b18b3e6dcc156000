//! The second person: what waits for them, what they see, and everything that does not count as their yes.

use govdeck::actions::{self, Asked, Outcome, Stop};
use govdeck::rules::guard::Answer;
use govdeck::store::{Store, approval, ledger};

use crate::support::{REASON, World, act_on, on_both, sealed};

fn bypass(id: &str) -> Asked {
    Asked::of(id)
        .with("freeze", "fz-31")
        .with("expires", in_days(2))
}

pub fn in_days(days: i64) -> String {
    let now = govdeck::clock::Moment::on_this_workstation();
    now.plus_minutes(days * 24 * 60).to_string()
}

/// Gives the second role to lee, who approves, and one that does not count to kim.
pub async fn with_two(world: &World) {
    for (person, role) in [("lee", "engineering_lead"), ("kim", "ops_lead")] {
        let asked = Asked::of(person).with("role", role);
        world
            .act("maya", "grant_role", asked)
            .await
            .expect("granted");
    }
}

/// Lets maya propose a bypass, and returns the ticket that waits.
pub async fn propose(world: &World, id: &str) -> String {
    world
        .act("maya", "bypass_freeze", bypass(id))
        .await
        .expect("proposed");
    let mut view = world.store("maya").await.view().await.expect("a view");
    let waiting = approval::waiting(&mut view, 1_000).await.expect("read");
    waiting
        .iter()
        .find(|request| request.target_id == id)
        .map(|request| request.ticket.clone())
        .expect("it waits")
}

on_both!(two_persons_do_what_one_may_not, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    let ticket = propose(&world, "chg-1").await;
    assert_eq!(
        world.rows("SELECT COUNT(*) FROM freeze_bypass"),
        ["0"],
        "nothing is done before the second yes"
    );
    assert_eq!(
        world.rows(
            "SELECT recipient_id FROM notification_outbox WHERE event_class = 'approval_asked'"
        ),
        ["lee"],
    );
    world
        .act("lee", "approve", Asked::of(&*ticket))
        .await
        .expect("approved");
    assert_eq!(
        world.rows("SELECT freeze_bypass_id || ' ' || requested_by || ' ' || approved_by FROM freeze_bypass"),
        ["chg-1 maya lee"],
    );
    assert_eq!(
        world.rows("SELECT action || ' ' || actor_id || ' ' || approved_by || ' ' || login FROM governance_ledger WHERE approved_by IS NOT NULL"),
        [format!("bypass_freeze maya lee {}", world.login_of("lee"))],
    );
    assert_eq!(world.rows("SELECT reason FROM freeze_bypass"), [REASON]);
    let again = world.act("lee", "approve", Asked::of(&*ticket)).await;
    assert_eq!(
        again,
        Err(
            "waits: approved; unchanged: new_id: bypasses fz-31 until ".to_owned() + &until(&world)
        )
    );
    world.assert_sound().await;
});

fn until(world: &World) -> String {
    let expires = world.rows("SELECT expires_at_utc FROM approval_request");
    assert_eq!(expires.len(), 1);
    let image =
        world.rows("SELECT after_image FROM ledger_change WHERE table_name = 'freeze_bypass'");
    let image: serde_json::Value = serde_json::from_str(&image[0]).expect("JSON");
    image["expires_at_utc"].as_str().expect("a time").to_owned()
}

on_both!(
    nobody_but_another_human_with_the_role_is_the_second,
    |world| {
        let world = world.where_two_can_agree().await;
        with_two(&world).await;
        let ticket = propose(&world, "chg-1").await;
        let own = world
            .act("maya", "approve", Asked::of(&*ticket))
            .await
            .expect_err("refused");
        assert!(
            own.contains("another_human: maya proposed it; you are maya"),
            "{own}"
        );
        let other_role = world
            .act("kim", "approve", Asked::of(&*ticket))
            .await
            .expect_err("refused");
        assert!(
            other_role.starts_with("roles_of_two: governance_lead and engineering_lead needed"),
            "{other_role}"
        );
        let no = world
            .act("kim", "decline", Asked::of(&*ticket))
            .await
            .expect_err("refused");
        assert!(no.starts_with("may_decline:"), "{no}");
        let missing = world
            .act("lee", "approve", Asked::of("0".repeat(32)))
            .await
            .expect_err("refused");
        assert!(missing.starts_with("there is no proposal"), "{missing}");
        assert_eq!(world.rows("SELECT COUNT(*) FROM freeze_bypass"), ["0"]);
        world.assert_sound().await;
    }
);

on_both!(
    a_proposal_is_declined_with_a_reason_or_taken_back,
    |world| {
        let world = world.where_two_can_agree().await;
        with_two(&world).await;
        let declined = propose(&world, "chg-1").await;
        world
            .act("lee", "decline", Asked::of(&*declined))
            .await
            .expect("declined");
        let withdrawn = propose(&world, "chg-2").await;
        world
            .act("maya", "decline", Asked::of(&*withdrawn))
            .await
            .expect("taken back");
        assert_eq!(
        world.rows("SELECT target_id || ' ' || status || ' ' || ended_by || ' ' || ended_because FROM approval_request ORDER BY target_id"),
        [format!("chg-1 declined lee {REASON}"), format!("chg-2 withdrawn maya {REASON}")],
    );
        let late = world
            .act("lee", "approve", Asked::of(&*declined))
            .await
            .expect_err("refused");
        assert!(late.starts_with("waits: declined"), "{late}");
        propose(&world, "chg-1b").await;
        world.assert_sound().await;
    }
);

on_both!(the_same_thing_waits_once, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    propose(&world, "chg-1").await;
    let twice = world
        .act("maya", "bypass_freeze", bypass("chg-1"))
        .await
        .expect_err("refused");
    assert!(
        twice.starts_with("bypass-freeze of chg-1 waits for a second person already"),
        "{twice}"
    );
    world.assert_sound().await;
});

on_both!(
    a_proposal_lapses_when_what_it_rests_on_has_changed,
    |world| {
        let world = world.where_two_can_agree().await;
        with_two(&world).await;
        let proposals = [
            propose(&world, "chg-1").await,
            propose(&world, "chg-2").await,
        ];
        let asked = Asked::of("maya").with("role", "governance_lead");
        world
            .act(
                "maya",
                "grant_role",
                Asked::of("lee").with("role", "governance_lead"),
            )
            .await
            .expect("granted");
        world
            .act("lee", "revoke_role", asked)
            .await
            .expect("revoked");
        // maya led when she proposed; on_call lets her still act, but two no longer hold both roles unless lee does.
        world
            .act(
                "lee",
                "revoke_role",
                Asked::of("maya").with("role", "on_call"),
            )
            .await
            .expect("revoked");
        for ticket in proposals {
            let no = approve_in_spite(&world, &ticket).await;
            assert!(no.contains("unchanged: role: maya holds no role"), "{no}");
        }
        assert_eq!(
            world.rows("SELECT status FROM approval_request"),
            ["lapsed", "lapsed"],
        );
        assert_eq!(world.rows("SELECT COUNT(*) FROM freeze_bypass"), ["0"]);
        world.assert_sound().await;
    }
);

/// Approves on a look from before a change, so that the writing transaction is what refuses.
async fn approve_in_spite(world: &World, ticket: &str) -> String {
    let store = world.store("lee").await;
    match act_on(&store, "approve", Asked::of(ticket)).await {
        Err(Stop::Refused(refusal)) => {
            actions::end_if_over(&store, ticket.to_owned()).await;
            refusal.sentence
        }
        other => panic!("not refused: {other:?}"),
    }
}

on_both!(of_two_who_approve_at_once_one_does, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    world
        .act(
            "maya",
            "grant_role",
            Asked::of("kim").with("role", "engineering_lead"),
        )
        .await
        .expect("granted");
    let (lee, kim) = (world.store("lee").await, world.store("kim").await);
    for round in 0..crate::support::rounds() {
        let ticket = propose(&world, &format!("chg-{round}")).await;
        let (one, other) = (request(&lee, &ticket).await, request(&kim, &ticket).await);
        let (one, other) = tokio::join!(
            actions::carry_out(&lee, one),
            actions::carry_out(&kim, other)
        );
        let (done, refused) = match (one, other) {
            (Outcome::Done(sealed), Outcome::Refused(no)) => ((sealed, "lee"), no),
            (Outcome::Refused(no), Outcome::Done(sealed)) => ((sealed, "kim"), no),
            both => panic!("not exactly one: {both:?}"),
        };
        let entries = ledger::entries(&mut lee.view().await.expect("a view"), done.0.seq, 1)
            .await
            .expect("read");
        assert_eq!(entries[0].approved_by.as_deref(), Some(done.1));
        assert!(refused.sentence.starts_with(done.1), "{}", refused.sentence);
    }
    world.assert_sound().await;
});

async fn request(store: &Store, ticket: &str) -> actions::Request {
    let proposal = actions::propose(
        &mut store.view().await.expect("a view"),
        "approve",
        Asked::of(ticket),
    )
    .await
    .expect("proposed");
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some(REASON.to_owned()),
    };
    proposal.confirm(&answer).expect("confirmed")
}

on_both!(the_second_types_the_same_four_digits_and_the_id, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    let ticket = propose(&world, "chg-1").await;
    let store = world.store("lee").await;
    let proposal = actions::propose(
        &mut store.view().await.expect("a view"),
        "approve",
        Asked::of(&*ticket),
    )
    .await
    .expect("proposed");
    let hash = world.rows("SELECT state_hash FROM approval_request");
    assert_eq!(proposal.phrase(), format!("{} chg-1", &hash[0][..4]));
    world.assert_sound().await;
});

on_both!(a_role_revoked_between_look_and_yes_stops_it, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    for round in 0..crate::support::rounds() {
        let ticket = propose(&world, &format!("chg-{round}")).await;
        let lee = world.store("lee").await;
        let yes = request(&lee, &ticket).await;
        let role = || Asked::of("lee").with("role", "engineering_lead");
        let maya = world.store("maya").await;
        let (approved, revoked) = tokio::join!(
            actions::carry_out(&lee, yes),
            act_on(&maya, "revoke_role", role()),
        );
        let revoked = sealed(revoked.expect("proposed")).seq;
        match approved {
            Outcome::Done(sealed) => {
                assert!(sealed.seq < revoked, "approved after the role was gone");
            }
            Outcome::Refused(no) => assert!(
                no.sentence.contains("roles_of_two") || no.sentence.contains("role:"),
                "{}",
                no.sentence
            ),
            other => panic!("neither: {other:?}"),
        }
        world
            .act("maya", "grant_role", role())
            .await
            .expect("granted again");
    }
    world.assert_sound().await;
});

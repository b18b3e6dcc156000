//! What is taken from somebody counts in the very next transaction, whatever their dialog still shows; and of fifty signers
//! who answer at once one does.

use govdeck::actions::{self, Asked, Outcome, Request};
use govdeck::console::dialog::Stage;
use govdeck::rules::guard::Answer;
use govdeck::store::Store;

use crate::console_dialog::{entries, is_asking, stage};
use crate::support::cluster::cluster;
use crate::support::desk::Desk;
use crate::support::keys::signed;
use crate::support::{REASON, World, act_on, on_both, rounds, sealed};

fn role(person: &str, role: &str) -> Asked {
    Asked::of(person).with("role", role)
}

/// Lets maya propose a change of route.
async fn propose_route(world: &World, id: &str, minutes: u32) {
    let asked = Asked::of(id)
        .with("for", "tuple_drift")
        .with("owner", "lee")
        .with("backup", "kim")
        .with("minutes", minutes.to_string());
    let proposed = world.act("maya", "propose_route", asked).await;
    proposed.expect("proposed");
}

/// Opens a dialog and confirms it; nothing is sent yet.
async fn confirmed(store: &Store, verb: &str, asked: Asked) -> Request {
    let mut view = store.view().await.expect("a view");
    let proposal = actions::propose(&mut view, verb, asked).await;
    let proposal = proposal.expect("proposed");
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some(REASON.to_owned()),
    };
    proposal.confirm(&answer).expect("confirmed")
}

/// Says whether what raced with a revocation was written, and that it was written before, or refused for this reason.
fn was_written(raced: Outcome, revoked: i64, because: &str) -> bool {
    match raced {
        Outcome::Done(sealed) => {
            assert!(sealed.seq < revoked, "written after it was revoked");
            true
        }
        Outcome::Refused(no) => {
            assert!(no.sentence.contains(because), "{}", no.sentence);
            false
        }
        other => panic!("neither: {other:?}"),
    }
}

on_both!(
    a_role_that_is_revoked_while_a_dialog_is_open_acts_no_more,
    |world| {
        for person in ["kim", "lee"] {
            let granted = world.act("maya", "grant_role", role(person, "signer"));
            granted.await.expect("granted");
        }
        let (maya, kim) = (world.store("maya").await, world.store("kim").await);
        for round in 0..rounds() {
            let id = format!("rc-{round}");
            propose_route(&world, &id, 1 + round % 1_440).await;
            let ack = confirmed(&kim, "ack_route", Asked::of(&*id)).await;
            let revoke = confirmed(&maya, "revoke_role", role("kim", "signer")).await;
            let (acked, revoked) = tokio::join!(
                actions::carry_out(&kim, ack),
                actions::carry_out(&maya, revoke)
            );
            let revoked = sealed(revoked).seq;
            if !was_written(acked, revoked, "role: kim holds") {
                let declined = world.act("lee", "decline_route", Asked::of(&*id)).await;
                declined.expect("declined");
            }
            let again = act_on(&maya, "grant_role", role("kim", "signer")).await;
            sealed(again.expect("proposed"));
        }
        world.assert_sound().await;
    }
);

on_both!(
    a_key_that_is_revoked_while_a_dialog_is_open_signs_no_more,
    |world| {
        let granted = world.act("maya", "grant_role", role("kim", "on_call"));
        granted.await.expect("granted");
        let (maya, kim) = (world.store("maya").await, world.store("kim").await);
        for round in 0..rounds() {
            let name = format!("kims-{round}");
            let key = world.with_key("kim", &name).await;
            let console = Asked::of(format!("c-{round}"));
            let arm = world.confirm_signed("kim", "arm_console", console).await;
            let arm = signed(arm.expect("confirmed"), &key);
            let fingerprint = Asked::of(world.public(&name).fingerprint());
            let revoke = confirmed(&maya, "revoke_key", fingerprint).await;
            let (armed, revoked) = tokio::join!(
                actions::carry_out(&kim, arm),
                actions::carry_out(&maya, revoke)
            );
            was_written(armed, sealed(revoked).seq, "was revoked");
        }
        world.assert_sound().await;
    }
);

on_both!(
    a_role_that_is_gone_ends_the_open_dialog_of_a_console,
    |world| {
        let grant = || world.act("maya", "grant_role", role("kim", "on_call"));
        let revoke = || world.act("maya", "revoke_role", role("kim", "on_call"));
        grant().await.expect("granted");
        let mut kim = Desk::open(&world, "kim").await;
        kim.press("a a").await;
        assert!(is_asking(&kim), "{}", kim.screen(80, 24));
        revoke().await.expect("revoked");
        let before = entries(&world);
        // No news has come yet: the transaction finds out.
        kim.say_yes().await;
        assert!(matches!(stage(&kim), Stage::Refused(_)));
        kim.shows(&["REFUSED", "role: kim holds no role"]);
        assert_eq!(entries(&world), before);

        grant().await.expect("granted again");
        let mut kim = Desk::open(&world, "kim").await;
        kim.press("a a").await;
        assert!(is_asking(&kim), "{}", kim.screen(80, 24));
        revoke().await.expect("revoked");
        let before = entries(&world);
        // With the news the dialog locks, and no key counts any more.
        kim.see().await;
        kim.shows(&["LOCKED", "kim holds no role"]);
        kim.say_yes().await;
        assert!(is_asking(&kim), "{}", kim.screen(80, 24));
        assert_eq!(entries(&world), before);
        world.assert_sound().await;
    }
);

on_both!(of_fifty_signers_who_ack_at_once_one_does, |world| {
    let people: Vec<String> = (0..50).map(|number| format!("acker{number:02}")).collect();
    for person in &people {
        if world.is_postgres() {
            cluster().create_login(person);
            world.owner_sql(&format!(
                "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {person}"
            ));
        }
        let asked = Asked::of(person).with("name", "Somebody");
        world.act("maya", "add_person", asked).await.expect("added");
        let granted = world.act("maya", "grant_role", role(person, "signer"));
        granted.await.expect("granted");
    }
    propose_route(&world, "rc-1", 45).await;
    let mut acks = Vec::new();
    for person in &people {
        let store = world.store(person).await;
        let ack = confirmed(&store, "ack_route", Asked::of("rc-1")).await;
        acks.push((store, ack));
    }
    let mut waiting = Vec::new();
    for (store, ack) in acks {
        waiting.push(tokio::spawn(async move {
            let outcome = actions::carry_out(&store, ack).await;
            store.close().await;
            outcome
        }));
    }
    let (mut done, mut refused) = (0, Vec::new());
    for written in waiting {
        match written.await.expect("it ends") {
            Outcome::Done(_) => done += 1,
            Outcome::Refused(no) => refused.push(no.sentence),
            other => panic!("{other:?}"),
        }
    }
    let acked_by = world.rows("SELECT acked_by FROM route_change").remove(0);
    let named = format!("rc-1 was changed meanwhile: {acked_by} did ack_route at ");
    assert_eq!((done, refused.len()), (1, 49));
    for no in refused {
        assert!(no.starts_with(&named), "{no}");
    }
    world.assert_sound().await;
});

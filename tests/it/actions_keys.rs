//! Keys and signatures: whose signature counts, over what, from when until when, and what the policy asks.

use std::path::Path;

use govdeck::actions::{self, Asked, Outcome};
use govdeck::signing::{Agent, Attempt, Signer};

use crate::support::cluster::cluster;
use crate::support::desk::Desk;
use crate::support::keys::signed;
use crate::support::{World, on_both};

fn role(person: &str, role: &str) -> Asked {
    Asked::of(person).with("role", role)
}

fn attested(world: &World) -> Vec<String> {
    world.rows("SELECT action || ' ' || attestation FROM governance_ledger WHERE action IN ('grant_role', 'bypass_freeze', 'ask_approval') ORDER BY seq")
}

on_both!(a_signed_decision_is_signed_for_ever, |world| {
    let key = world.with_key("maya", "first").await;
    world
        .act_signed("maya", "grant_role", role("kim", "signer"), &key)
        .await
        .expect("done");
    assert_eq!(attested(&world), ["grant_role signed"]);
    world
        .act(
            "maya",
            "revoke_key",
            Asked::of(world.public("first").fingerprint()),
        )
        .await
        .expect("revoked");
    let late = world
        .act_signed("maya", "grant_role", role("kim", "on_call"), &key)
        .await;
    let fingerprint = world.public("first").fingerprint();
    assert_eq!(late, Err(format!("the key {fingerprint} was revoked")));
    // What was signed while the key was valid stays signed.
    world.assert_sound().await;
});

on_both!(only_an_own_registered_key_signs, |world| {
    world.with_key("maya", "mayas").await;
    let kims = world.with_key("kim", "kims").await;
    let nobodys = world.make_key("nobodys");
    for (key, name, says) in [
        (&kims, "kims", "belongs to kim, not to maya"),
        (&nobodys, "nobodys", "is not registered"),
    ] {
        let no = world
            .act_signed("maya", "grant_role", role("kim", "signer"), key)
            .await;
        let fingerprint = world.public(name).fingerprint();
        assert_eq!(no, Err(format!("the key {fingerprint} {says}")));
    }
    let promised = world
        .confirm_signed("maya", "grant_role", role("kim", "signer"))
        .await
        .expect("confirmed");
    let store = world.store("maya").await;
    match actions::carry_out(&store, promised).await {
        Outcome::Refused(no) => {
            assert_eq!(no.sentence, "the decision card was to be signed and is not");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(attested(&world), Vec::<String>::new());
    world.assert_sound().await;
});

on_both!(a_key_is_one_person_s_for_ever, |world| {
    world.with_key("maya", "first").await;
    let key = world.public("first");
    let asked = || Asked::of(key.fingerprint()).with("key", key.to_line());
    assert_eq!(
        world.act("kim", "add_key", asked()).await,
        Err("new_key: belongs to maya".to_owned())
    );
    assert_eq!(
        world
            .act("kim", "revoke_key", Asked::of(key.fingerprint()))
            .await,
        Err("own_or_lead: it is maya's; you are kim".to_owned())
    );
    world
        .act("maya", "revoke_key", Asked::of(key.fingerprint()))
        .await
        .expect("revoked");
    assert_eq!(
        world.act("maya", "add_key", asked()).await,
        Err("new_key: belongs to maya, and revoked".to_owned())
    );
    let other = world.act(
        "kim",
        "add_key",
        Asked::of("SHA256:x").with("key", key.to_line()),
    );
    let other = other.await.expect_err("refused");
    assert!(
        other.starts_with("the key's fingerprint is SHA256:"),
        "{other}"
    );
    for (bad, says) in [
        ("", "the field key is missing"),
        ("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7", "rsa"),
        ("no key at all", "key"),
    ] {
        let no = world
            .act("kim", "add_key", Asked::of("x").with("key", bad))
            .await;
        assert!(
            no.clone().is_err_and(|no| no.contains(says)),
            "{bad}: {no:?}"
        );
    }
    world.assert_sound().await;
});

on_both!(a_lead_revokes_the_key_of_another, |world| {
    let key = world.with_key("kim", "kims").await;
    world
        .act(
            "maya",
            "revoke_key",
            Asked::of(world.public("kims").fingerprint()),
        )
        .await
        .expect("revoked");
    let no = world
        .act_signed(
            "kim",
            "revoke_key",
            Asked::of(world.public("kims").fingerprint()),
            &key,
        )
        .await;
    assert!(no.is_err(), "{no:?}");
    world.assert_sound().await;
});

on_both!(a_signature_over_another_card_is_none, |world| {
    let key = world.with_key("maya", "first").await;
    let one = world
        .confirm_signed("maya", "grant_role", role("kim", "signer"))
        .await
        .expect("confirmed");
    let other = world
        .confirm_signed("maya", "grant_role", role("kim", "on_call"))
        .await
        .expect("confirmed");
    let signer = Signer::with(key.clone(), Agent::at(None));
    let signature = signer
        .sign(None, one.card().expect("a card"))
        .and_then(Attempt::done)
        .expect("signed");
    assert!(other.signed(&signature).is_err());
    let store = world.store("maya").await;
    assert!(matches!(
        actions::carry_out(&store, signed(one, &key)).await,
        Outcome::Done(_)
    ));
    world.assert_sound().await;
});

on_both!(
    verify_finds_a_signature_that_is_gone_or_of_a_key_that_never_was,
    |world| {
        let key = world.with_key("maya", "first").await;
        let seq = world
            .act_signed("maya", "grant_role", role("kim", "signer"), &key)
            .await
            .expect("done")
            .seq;
        world.tamper_as_superuser(
            "ledger_artifact",
            &format!("DELETE FROM ledger_artifact WHERE role = 'signature' AND seq = {seq}"),
        );
        let found = world.findings(None).await;
        let expected = format!("entry {seq}: has 0 signatures, not 1");
        assert!(found.contains(&expected), "{found:?}");
        world.tamper_as_superuser("person_key", "DELETE FROM person_key");
        let found = world.findings(None).await;
        assert!(
            found
                .iter()
                .any(|found| found.starts_with("person_key SHA256:") && found.contains("is gone")),
            "{found:?}"
        );
    }
);

on_both!(
    where_the_policy_asks_for_a_signature_nothing_less_is_enough,
    |world| {
        let mayas = world.with_key("maya", "mayas").await;
        let lees = world.with_key("lee", "lees").await;
        world
            .act("maya", "grant_role", role("lee", "governance_lead"))
            .await
            .expect("granted");
        let asked = Asked::of("review").with("minimum", "signed");
        world
            .act_signed("maya", "set_attestation", asked, &mayas)
            .await
            .expect("proposed");
        let ticket = world.rows("SELECT ticket FROM approval_request").remove(0);
        if !world.is_postgres() {
            let unsigned = world.act("lee", "approve", Asked::of(&*ticket)).await;
            assert_eq!(
                unsigned,
                Err("attested: lee is known by unattested; login is asked".to_owned())
            );
        }
        world
            .act_signed("lee", "approve", Asked::of(&*ticket), &lees)
            .await
            .expect("approved");
        let unsigned = world.act("maya", "grant_role", role("kim", "signer")).await;
        let by = if world.is_postgres() {
            "login"
        } else {
            "unattested"
        };
        assert_eq!(
            unsigned,
            Err(format!("attested: maya is known by {by}; signed is asked"))
        );
        world
            .act_signed("maya", "grant_role", role("kim", "signer"), &mayas)
            .await
            .expect("signed is enough");
        // Who has no key yet must be able to add one.
        world.with_key("kim", "kims").await;
        world.assert_sound().await;
    }
);

/// Lets two leads ask for a signature in a class of actions.
async fn asks_for_signatures(world: &World, class: &str, mayas: &Path, lees: &Path) {
    let asked = Asked::of(class).with("minimum", "signed");
    world
        .act_signed("maya", "set_attestation", asked, mayas)
        .await
        .expect("proposed");
    let waiting = "SELECT ticket FROM approval_request WHERE status = 'waiting'";
    let ticket = world.rows(waiting).remove(0);
    world
        .act_signed("lee", "approve", Asked::of(ticket), lees)
        .await
        .expect("approved");
}

// Arming only opens the way: what is then done is asked for by its own class, and arming itself by that of level 1.
on_both!(arming_is_asked_for_like_any_small_action, |world| {
    let mayas = world.with_key("maya", "mayas").await;
    let lees = world.with_key("lee", "lees").await;
    world
        .act("maya", "grant_role", role("lee", "governance_lead"))
        .await
        .expect("granted");
    asks_for_signatures(&world, "review", &mayas, &lees).await;
    let console = |id: &str| Asked::of(id);
    world
        .act("maya", "arm_console", console("c-1"))
        .await
        .expect("armed without a signature");
    let unsigned = world.act("maya", "grant_role", role("kim", "signer")).await;
    assert!(unsigned.is_err_and(|said| said.contains("signed is asked")));
    asks_for_signatures(&world, "confirm", &mayas, &lees).await;
    let refused = world
        .act("maya", "arm_console", console("c-2"))
        .await
        .expect_err("refused");
    assert!(
        refused.starts_with("attested: maya is known by"),
        "{refused}"
    );
    // At a console without a key it is said before anything is asked.
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("a a").await;
    assert!(desk.model.dialog.is_none(), "{}", desk.screen(80, 24));
    assert!(desk.says().contains("signed is asked"), "{}", desk.says());
    // Past the program the database asks for the same.
    let (card, by) = (
        world.add_evidence(),
        if world.is_postgres() {
            "login"
        } else {
            "unattested"
        },
    );
    let past = world.sql_as("maya", &format!(
        "INSERT INTO governance_ledger (seq, ticket, action, basis, actor_id, login, attestation, target_kind, target_id, \
         target_version, state_hash, card_sha256, reason, change_count, evidence_count, at_utc, clock_anomaly, prev_hash, hash) \
         SELECT seq + 1, '{}', 'arm_console', 'person', 'maya', (SELECT login FROM person WHERE person_id = 'maya'), '{by}', \
         'console', 'c-2', 0, hash, '{card}', NULL, 0, 0, at_utc, FALSE, hash, '{}' FROM ledger_head",
        "a".repeat(32),
        "b".repeat(64),
    ));
    let past = past.expect_err("refused");
    assert!(
        past.contains("where the policy asks for a signature nothing less is enough"),
        "{past}"
    );
    world
        .act_signed("maya", "arm_console", console("c-2"), &mayas)
        .await
        .expect("armed with a signature");
    world.assert_sound().await;
});

on_both!(
    the_database_takes_no_attestation_that_no_key_stands_behind,
    |world| {
        let evidence = world.add_evidence();
        let entry = |attestation: &str| {
            world.sql(&format!(
            "INSERT INTO governance_ledger (seq, ticket, action, basis, actor_id, login, attestation, target_kind, target_id, \
             target_version, state_hash, card_sha256, reason, change_count, evidence_count, at_utc, clock_anomaly, prev_hash, hash) \
             SELECT seq + 1, '{}', 'add_key', 'person', 'kim', (SELECT login FROM person WHERE person_id = 'kim'), '{attestation}', 'key', 'k', 0, hash, '{}', NULL, 0, 0, at_utc, FALSE, hash, '{}' FROM ledger_head",
            "a".repeat(32), evidence, "b".repeat(64),
        ))
        };
        let no = entry("signed").expect_err("refused");
        assert!(no.contains("attests a person"), "{no}");
        let other = if world.is_postgres() {
            "unattested"
        } else {
            "login"
        };
        let no = entry(other).expect_err("refused");
        assert!(no.contains("attests a person"), "{no}");
    }
);

on_both!(fifty_sign_at_once_and_every_signature_stands, |world| {
    let people: Vec<String> = (0..50).map(|number| format!("signer{number:02}")).collect();
    for person in &people {
        if world.is_postgres() {
            cluster().create_login(person);
            world.owner_sql(&format!(
                "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {person}"
            ));
        }
        let asked = Asked::of(person).with("name", "Somebody");
        world.act("maya", "add_person", asked).await.expect("added");
        world.with_key(person, person).await;
    }
    // Each of them revokes their own key, signed by that very key, all in the same moment.
    let mut waiting = Vec::new();
    for person in &people {
        let asked = Asked::of(world.public(person).fingerprint());
        let request = world
            .confirm_signed(person, "revoke_key", asked)
            .await
            .expect("confirmed");
        let request = signed(request, &world.home.folder().join(person));
        let store = world.store(person).await;
        waiting.push(tokio::spawn(async move {
            let outcome = actions::carry_out(&store, request).await;
            store.close().await;
            outcome
        }));
    }
    for written in waiting {
        match written.await.expect("it ends") {
            Outcome::Done(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        world.rows("SELECT COUNT(*) FROM governance_ledger WHERE action = 'revoke_key' AND attestation = 'signed'"),
        ["50"]
    );
    world.assert_sound().await;
});

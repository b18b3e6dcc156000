//! Cards against rows: whatever an entry changes stands on its card with what it was before, also where a forger has made
//! every hash right again.

use govdeck::actions::{Asked, Outcome};
use serde_json::{Value, json};

use crate::actions_approvals::{propose, with_two};
use crate::cli_kit::{govdeck, refused};
use crate::support::{World, act_on, on_both};

/// Deactivates kim and returns the entry's position.
async fn deactivated(world: &World) -> i64 {
    let sealed = world.act("maya", "deactivate_person", Asked::of("kim"));
    sealed.await.expect("deactivated").seq
}

/// The position of the newest entry.
fn newest(world: &World) -> i64 {
    let seq = world.rows("SELECT seq FROM ledger_head").remove(0);
    seq.parse().expect("a number")
}

on_both!(a_rebuilt_entry_that_says_the_same_verifies, |world| {
    // Or else the stories below would find the forger's own mistakes.
    let seq = deactivated(&world).await;
    world.forge(seq - 1, |_| ()).await;
    world.forge(seq, |_| ()).await;
    world.assert_sound().await;
});

on_both!(
    a_changed_column_that_its_card_leaves_out_is_found,
    |world| {
        let seq = deactivated(&world).await;
        world
            .forge(seq, |forged| {
                forged.image("person")["display_name"] = json!("Eve");
            })
            .await;
        let wrong =
            format!("entry {seq}: changes display_name of person kim, which its card leaves out");
        assert_eq!(world.findings(None).await, [wrong.as_str()]);
        // Nor is it handed out.
        let words = ["evidence", "export", "--to", "none.tar"];
        let (sentence, _) = refused(&govdeck(&world, "maya", &words), 1);
        assert_eq!(sentence, wrong);
    }
);

on_both!(a_column_that_is_taken_off_the_card_is_found, |world| {
    let seq = deactivated(&world).await;
    world.forge(seq, |forged| forged.hide("active")).await;
    assert_eq!(
        world.findings(None).await,
        [format!(
            "entry {seq}: changes active of person kim, which its card leaves out"
        )]
    );
});

on_both!(a_column_of_a_new_row_that_is_taken_off_is_found, |world| {
    world.forge(2, |forged| forged.hide("login")).await;
    assert_eq!(
        world.findings(None).await,
        ["entry 2: changes login of person kim, which its card leaves out"]
    );
});

on_both!(a_card_with_another_value_is_found, |world| {
    let seq = deactivated(&world).await;
    let say = |place: &'static str, value: Value| {
        move |forged: &mut crate::support::forge::Forged| forged.said("active")[place] = value
    };
    world.forge(seq, say("after", Value::Null)).await;
    let becomes = format!("entry {seq}: its card says that active of person kim becomes another");
    assert_eq!(world.findings(None).await, [becomes]);
    world.forge(seq, say("after", json!(false))).await;
    assert_eq!(world.findings(None).await, Vec::<String>::new());
    world.forge(seq, say("before", Value::Null)).await;
    let was = format!("entry {seq}: its card says that active of person kim was another");
    assert_eq!(world.findings(None).await, [was]);
});

on_both!(a_card_that_names_what_did_not_change_is_found, |world| {
    let seq = deactivated(&world).await;
    world
        .forge(seq, |forged| {
            let named = json!({"field": "display_name", "before": "Kim", "after": "Kim"});
            forged.fields().push(named);
        })
        .await;
    assert_eq!(
        world.findings(None).await,
        [format!(
            "entry {seq}: its card names display_name of person kim, which did not change"
        )]
    );
});

on_both!(a_version_that_follows_none_is_found, |world| {
    let seq = deactivated(&world).await;
    world
        .forge(seq, |forged| {
            forged.image("person")["version"] = json!(3);
            forged.card["changes"][0]["version"] = json!(3);
        })
        .await;
    assert_eq!(
        world.findings(None).await,
        [format!(
            "entry {seq}: writes version 3 of person kim, and no entry before it the one before"
        )]
    );
});

on_both!(an_image_under_another_version_is_found, |world| {
    let seq = deactivated(&world).await;
    // The row is put under its old version too, so that only the image tells.
    world
        .forge(seq, |forged| forged.image("person")["version"] = json!(7))
        .await;
    for (table, sql) in [
        (
            "ledger_change",
            "UPDATE ledger_change SET version = 2 WHERE row_key = 'kim' AND version = 7",
        ),
        (
            "person",
            "UPDATE person SET version = 2 WHERE person_id = 'kim'",
        ),
    ] {
        world.tamper_as_superuser(table, sql);
    }
    world.chain_anew(seq).await;
    let findings = world.findings(None).await;
    let wrong = format!("entry {seq}: the recorded image of person kim has another version");
    assert!(findings.contains(&wrong), "{findings:?}");
});

on_both!(a_decision_without_its_audit_is_found, |world| {
    world.block("pub-1").await;
    let seq = newest(&world);
    world
        .forge(seq, |forged| {
            let changes = forged.card["changes"].as_array_mut().expect("changes");
            changes.retain(|said| said["table"] == "publish_snapshots");
        })
        .await;
    for (table, sql) in [
        (
            "ledger_change",
            "DELETE FROM ledger_change WHERE table_name = 'publish_replay_audit'",
        ),
        ("publish_replay_audit", "DELETE FROM publish_replay_audit"),
        (
            "governance_ledger",
            "UPDATE governance_ledger SET change_count = 1 WHERE action = 'decide_run'",
        ),
    ] {
        world.tamper_as_superuser(table, sql);
    }
    world.chain_anew(seq).await;
    assert_eq!(
        world.findings(None).await,
        [format!(
            "entry {seq}: decides publish_snapshots pub-1, and publish_replay_audit tells nothing of it"
        )]
    );
});

on_both!(a_column_that_older_images_do_not_know_is_found, |world| {
    world.block("pub-1").await;
    let take = world.act("maya", "take_block", Asked::of("pub-1"));
    let seq = take.await.expect("taken").seq;
    world
        .forge(seq, |forged| {
            let image = forged.image("publish_replay_audit");
            image["progress_at_utc"] = image["taken_at_utc"].clone();
            image["last_note"] = json!("looked at it");
        })
        .await;
    let hidden = |name: &str| {
        format!(
            "entry {seq}: changes {name} of publish_replay_audit pub-1, which its card leaves out"
        )
    };
    assert_eq!(
        world.findings(None).await,
        [hidden("last_note"), hidden("progress_at_utc")]
    );
});

on_both!(a_second_yes_that_does_more_than_answer_is_found, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    let ticket = propose(&world, "chg-1").await;
    let approved = world.act("lee", "approve", Asked::of(&*ticket));
    let seq = approved.await.expect("approved").seq;
    world.assert_sound().await;
    world
        .forge(seq, |forged| {
            forged.image("approval_request")["reason"] =
                json!("because somebody else wanted it so");
        })
        .await;
    assert_eq!(
        world.findings(None).await,
        [format!(
            "entry {seq}: changes reason of approval_request {ticket}, which its card leaves out"
        )]
    );
    world
        .forge(seq, |forged| {
            let image = forged.image("approval_request");
            image["reason"] = json!(crate::support::REASON);
            image["ended_by"] = json!("kim");
        })
        .await;
    assert_eq!(
        world.findings(None).await,
        [format!(
            "entry {seq}: its card says that ended_by of approval_request {ticket} becomes another"
        )]
    );
});

on_both!(a_decision_that_its_card_hides_is_found, |world| {
    world.block("pub-1").await;
    let seq = newest(&world);
    world.forge(seq, |forged| forged.hide("block_reason")).await;
    let wrong = |what: &str| format!("entry {seq}: {what}");
    assert_eq!(
        world.findings(None).await,
        [wrong(
            "changes block_reason of publish_snapshots pub-1, which its card leaves out"
        )]
    );
});

on_both!(a_run_that_is_decided_on_other_hashes_is_found, |world| {
    world.block("pub-1").await;
    let seq = newest(&world);
    let other = "c".repeat(64);
    world
        .forge(seq, |forged| {
            forged.image("publish_snapshots")["source_tuple_hash"] = json!(other);
        })
        .await;
    assert_eq!(
        world.findings(None).await,
        [format!(
            "entry {seq}: source_tuple_hash of publish_snapshots pub-1 is not as publish_replay_audit tells it"
        )]
    );
    world
        .forge(seq, |forged| {
            forged.image("publish_snapshots")["source_tuple_hash"] = json!("b".repeat(64));
            forged.fields().push(
                json!({"field": "publish_scope", "before": "sla/others", "after": "sla/partners"}),
            );
        })
        .await;
    assert_eq!(
        world.findings(None).await,
        [format!(
            "entry {seq}: its card names publish_scope of publish_snapshots pub-1, which is decided before its first entry"
        )]
    );
});

on_both!(what_turns_out_as_it_was_is_no_silent_change, |world| {
    // The same note and the same second person once more: the card leaves open what they will be.
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    world
        .act(
            "maya",
            "grant_role",
            Asked::of("lee").with("role", "governance_lead"),
        )
        .await
        .expect("granted");
    for minimum in ["signed", "login", "unattested"] {
        let asked = Asked::of("confirm").with("minimum", minimum);
        let proposed = world.act("maya", "set_attestation", asked).await;
        proposed.expect("proposed");
        let waiting = "SELECT ticket FROM approval_request WHERE status = 'waiting'";
        let ticket = world.rows(waiting).remove(0);
        let approved = world.act("lee", "approve", Asked::of(&*ticket)).await;
        approved.expect("approved");
    }
    world.assert_sound().await;
});

on_both!(
    nothing_is_written_over_a_row_that_was_tampered_with,
    |world| {
        let tampered = "UPDATE person SET display_name = 'Eve' WHERE person_id = 'kim'";
        world.tamper("person", tampered);
        let head = newest(&world);
        let store = world.store("maya").await;
        let outcome = act_on(&store, "deactivate_person", Asked::of("kim")).await;
        store.close().await;
        let Ok(Outcome::Failed(error)) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(
            error.sentence,
            "the decision card of deactivate_person kim tells of another decision: changes display_name of person kim, which its card leaves out"
        );
        assert_eq!(newest(&world), head);
        // With the row as the ledger left it, it can be done.
        world.tamper(
            "person",
            "UPDATE person SET display_name = 'Kim' WHERE person_id = 'kim'",
        );
        deactivated(&world).await;
        world.assert_sound().await;
    }
);

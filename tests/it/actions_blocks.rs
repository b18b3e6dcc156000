//! Blocks: decided by rule, taken and escalated by people, once.

use govdeck::actions::{self, Asked, ByRule, Outcome, Request};
use govdeck::rules::guard::Answer;
use govdeck::store::{ledger, publish};

use crate::support::{REASON, World, act_on, on_both, rounds};

async fn audit(world: &World, run: &str) -> publish::Audit {
    let store = world.store("maya").await;
    let audit = publish::audit(&mut store.view().await.expect("a view"), run)
        .await
        .expect("read")
        .expect("decided");
    store.close().await;
    audit
}

on_both!(the_gate_decides_a_run_once, |world| {
    world.register_footer().await;
    let (good, other) = ("a".repeat(64), "b".repeat(64));
    for (run, publish, source, reason) in [
        ("pub-1", Some(good.as_str()), Some(good.as_str()), None),
        (
            "pub-2",
            Some(good.as_str()),
            Some(other.as_str()),
            Some("tuple_drift"),
        ),
        (
            "pub-3",
            None,
            Some(good.as_str()),
            Some("missing_publish_hash"),
        ),
        (
            "pub-4",
            Some(good.as_str()),
            Some(""),
            Some("missing_source_hash"),
        ),
    ] {
        world.mint(run, publish, source).expect("minted");
        world.decide(run).await.expect("decided");
        assert_eq!(
            audit(&world, run)
                .await
                .block_reason
                .map(govdeck::rules::block::BlockReason::word),
            reason,
            "{run}"
        );
        let again = world.decide(run).await.expect_err("decided once");
        assert!(again.starts_with("pending: the run is"), "{again}");
    }
    assert_eq!(
        world.decide("pub-9").await,
        Err("there is no run \"pub-9\"".to_owned())
    );
    let owners = world.owner_sql(
        "SELECT recipient_id, subject FROM notification_outbox ORDER BY idempotency_key",
    );
    assert_eq!(
        owners.lines().count(),
        3,
        "each block tells its owner, in the same transaction: {owners}"
    );
    assert!(
        owners
            .lines()
            .all(|line| line.starts_with("maya|publish block pub-")),
        "{owners}"
    );
    world.assert_sound().await;
});

on_both!(without_a_registered_footer_nothing_passes, |world| {
    let hash = "a".repeat(64);
    world
        .mint("pub-1", Some(&hash), Some(&hash))
        .expect("minted");
    world.decide("pub-1").await.expect("decided");
    assert_eq!(
        audit(&world, "pub-1")
            .await
            .block_reason
            .map(govdeck::rules::block::BlockReason::word),
        Some("footer_schema_drift")
    );
});

on_both!(a_block_is_taken_once_by_owner_or_backup, |world| {
    world.register_footer().await;
    world.block("pub-1").await;
    let stranger = world.act("kim", "take_block", Asked::of("pub-1")).await;
    assert_eq!(
        stranger,
        Err("owner_or_backup: owner maya, backup lee".to_owned())
    );
    let sealed = world
        .act("lee", "take_block", Asked::of("pub-1"))
        .await
        .expect("taken");
    let taken = audit(&world, "pub-1").await;
    assert_eq!(
        (taken.taken_by.as_deref(), taken.taken_at_utc),
        (Some("lee"), Some(sealed.at))
    );
    assert_eq!(taken.version, 2);
    let again = world.act("maya", "take_block", Asked::of("pub-1")).await;
    assert_eq!(again, Err("not_taken: taken by lee".to_owned()));
    assert_eq!(
        world.act("lee", "take_block", Asked::of("pub-9")).await,
        Err("the gate has decided no run \"pub-9\"".to_owned())
    );
    world.assert_sound().await;
});

on_both!(
    escalating_pages_the_backup_in_the_same_transaction,
    |world| {
        world.register_footer().await;
        world.block("pub-1").await;
        let stranger = world.act("kim", "escalate_block", Asked::of("pub-1")).await;
        assert!(stranger.is_err_and(|no| no.starts_with("may_escalate:")));
        world
            .act("maya", "escalate_block", Asked::of("pub-1"))
            .await
            .expect("escalated");
        let paged = world.owner_sql("SELECT recipient_id, ledger_seq FROM notification_outbox WHERE event_class = 'block_escalated'");
        let head = world.owner_sql("SELECT seq FROM ledger_head");
        assert_eq!(paged, format!("lee|{head}"));
        let again = world
            .act("maya", "escalate_block", Asked::of("pub-1"))
            .await;
        assert_eq!(again, Err("not_escalated: escalated by maya".to_owned()));
        world.assert_sound().await;
    }
);

on_both!(looking_writes_nothing, |world| {
    world.register_footer().await;
    world.block("pub-1").await;
    let before = world.owner_sql("SELECT * FROM ledger_head; SELECT COUNT(*) FROM ledger_change; SELECT COUNT(*) FROM artifact");
    let store = world.store("lee").await;
    let proposal = actions::propose(
        &mut store.view().await.expect("a view"),
        "take_block",
        Asked::of("pub-1"),
    )
    .await
    .expect("a proposal");
    assert_eq!(proposal.refusal(), None);
    let wrong = Answer {
        typed: "yes".to_owned(),
        reason: None,
    };
    assert!(proposal.confirm(&wrong).is_err(), "not what was asked");
    store.close().await;
    assert_eq!(world.owner_sql("SELECT * FROM ledger_head; SELECT COUNT(*) FROM ledger_change; SELECT COUNT(*) FROM artifact"), before);
});

on_both!(a_request_meets_what_happened_in_between, |world| {
    world.register_footer().await;
    world.block("pub-1").await;
    let store = world.store("lee").await;
    let proposal = actions::propose(
        &mut store.view().await.expect("a view"),
        "take_block",
        Asked::of("pub-1"),
    )
    .await
    .expect("a proposal");
    let request = proposal
        .confirm(&Answer {
            typed: "y".to_owned(),
            reason: None,
        })
        .expect("confirmed");
    world
        .act("maya", "escalate_block", Asked::of("pub-1"))
        .await
        .expect("escalated meanwhile");
    let Outcome::Refused(refusal) = actions::carry_out(&store, request).await else {
        panic!("it went through")
    };
    let head = world.owner_sql("SELECT seq FROM ledger_head");
    assert!(
        refusal
            .sentence
            .starts_with("pub-1 was changed meanwhile: maya did escalate_block at "),
        "{refusal}"
    );
    assert!(
        refusal.sentence.ends_with(&format!("(entry {head})")),
        "{refusal}"
    );
    world.assert_sound().await;
});

on_both!(a_ticket_is_written_once_however_often_it_is_sent, |world| {
    world.register_footer().await;
    world.block("pub-1").await;
    let store = world.store("lee").await;
    let proposal = actions::propose(
        &mut store.view().await.expect("a view"),
        "take_block",
        Asked::of("pub-1"),
    )
    .await
    .expect("a proposal");
    let request = proposal
        .confirm(&Answer {
            typed: "y".to_owned(),
            reason: Some(REASON.to_owned()),
        })
        .expect("confirmed");
    let (Outcome::Done(first), Outcome::Done(second)) = (
        actions::carry_out(&store, request.clone()).await,
        actions::carry_out(&store, request).await,
    ) else {
        panic!("not done")
    };
    assert_eq!(first, second);
    world.assert_sound().await;
});

on_both!(of_two_who_take_at_once_exactly_one_wins, |world| {
    world.register_footer().await;
    let (lee, maya) = (world.store("lee").await, world.store("maya").await);
    let mut by_lee = 0;
    for round in 0..rounds() {
        let run = format!("pub-{round}");
        world.block(&run).await;
        let (one, two) = tokio::join!(
            act_on(&lee, "take_block", Asked::of(&run)),
            act_on(&maya, "take_block", Asked::of(&run))
        );
        let mut winners = 0;
        for outcome in [one, two] {
            match outcome {
                Ok(Outcome::Done(_)) => winners += 1,
                Ok(Outcome::Refused(refusal)) => {
                    let named = refusal.sentence.contains("take_block at")
                        && (refusal.sentence.contains("lee did")
                            || refusal.sentence.contains("maya did"));
                    assert!(named, "{refusal}");
                }
                // The slower one may have looked only after the faster one had written.
                Err(actions::Stop::Refused(refusal)) => assert!(
                    refusal.sentence.starts_with("not_taken: taken by"),
                    "{refusal}"
                ),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(winners, 1, "{run}");
        by_lee += u32::from(audit(&world, &run).await.taken_by.as_deref() == Some("lee"));
    }
    println!("{} rounds, lee won {by_lee}", rounds());
    world.assert_sound().await;
});

on_both!(fifty_writers_queue_up_without_a_gap, |world| {
    world.register_footer().await;
    for n in 0..50 {
        world.mint(&format!("pub-{n}"), None, None).expect("minted");
    }
    let stores = [
        world.store("maya").await,
        world.store("maya").await,
        world.store("maya").await,
    ];
    let before: i64 = world
        .owner_sql("SELECT seq FROM ledger_head")
        .parse()
        .expect("a number");
    let mut tasks = Vec::new();
    for n in 0..50 {
        let store = stores[n % stores.len()].clone();
        let request = Request::by_rule(ByRule::DecideRun {
            run: format!("pub-{n}"),
        })
        .expect("a request");
        tasks.push(tokio::spawn(async move {
            actions::carry_out(&store, request).await
        }));
    }
    for task in tasks {
        assert!(matches!(task.await.expect("no panic"), Outcome::Done(_)));
    }
    let after: i64 = world
        .owner_sql("SELECT seq FROM ledger_head")
        .parse()
        .expect("a number");
    assert_eq!(after - before, 50);
    world.assert_sound().await;
});

on_both!(a_card_binds_what_was_seen_and_no_clock, |world| {
    world.register_footer().await;
    world.block("pub-1").await;
    let sealed = world
        .act("lee", "take_block", Asked::of("pub-1"))
        .await
        .expect("taken");
    let store = world.store("maya").await;
    let mut view = store.view().await.expect("a view");
    let entry = ledger::entries(&mut view, sealed.seq, 1)
        .await
        .expect("read")
        .remove(0);
    let card = govdeck::store::artifact::bytes(&mut view, entry.card_sha256)
        .await
        .expect("read")
        .expect("there");
    let card: serde_json::Value = serde_json::from_slice(&card).expect("JSON");
    assert_eq!(card["action"], "take_block");
    assert_eq!(
        (&card["target_id"], &card["target_version"]),
        (&"pub-1".into(), &1.into())
    );
    let changes = &card["changes"][0]["fields"];
    assert_eq!(
        changes[0],
        serde_json::json!({"field": "taken_at_utc", "before": null, "after": "(when written)"})
    );
    assert_eq!(
        changes[1],
        serde_json::json!({"field": "taken_by", "before": null, "after": "lee"})
    );
    let gates: Vec<_> = card["gates"]
        .as_array()
        .expect("gates")
        .iter()
        .map(|gate| (gate["id"].as_str(), gate["verdict"].as_str()))
        .collect();
    assert_eq!(
        gates,
        [
            (Some("block_open"), Some("pass")),
            (Some("not_taken"), Some("pass")),
            (Some("owner_or_backup"), Some("pass"))
        ]
    );
});

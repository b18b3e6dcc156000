//! The agent: one leads, whatever is due is done once, and whoever has lost the lease writes nothing any more.

use std::fs;
use std::path::{Path, PathBuf};

use govdeck::actions::{Asked, ByRule};
use govdeck::rules::block::SlaMark;
use govdeck::store::lease::{self, Wish};
use govdeck::store::{Failure, Store, delivery};

use crate::cli_kit::{contents, document, govdeck, refused, said};
use crate::support::weeks::{self, MONDAYS, SERIES, by_rule};
use crate::support::{World, on_both};

/// What is told of the agent's file by every story here, and the file.
pub fn told(world: &World, text: &str) -> PathBuf {
    let path = world.home.folder().join("agent.toml");
    fs::write(&path, text).expect("the home is ours");
    path
}

/// Lets an agent do what is due, once; returns what it did.
pub fn once(world: &World, file: Option<&Path>) -> serde_json::Value {
    let file = file.map(|path| path.display().to_string());
    let mut words = vec!["agent", "--once", "--json"];
    if let Some(file) = &file {
        words.extend(["--file", file]);
    }
    document(&govdeck(world, "maya", &words), 0, "agent-once")
}

/// A demo in which a block was stopped at a time, with half an hour to answer.
pub async fn blocked_at(world: World, run: &str, at: &str) -> World {
    let world = world.where_time_is_set().await;
    block_at(&world, run, at).await;
    world
}

/// Lets the gate stop a run at a time.
pub async fn block_at(world: &World, run: &str, at: &str) {
    stand(world, at).await;
    world
        .sql(&format!(
            "INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, publish_tuple_hash, created_at_utc) \
             VALUES ('{run}', 'sla/partners', 'fz-31', 'lf-31', 'dr-31', '{}', '2098-05-01T00:00:00.000000Z')",
            "a".repeat(64)
        ))
        .expect("minted");
    world.decide(run).await.expect("decided");
}

const PAGES: &str = "SELECT event_class || ' ' || recipient_id FROM notification_outbox WHERE event_class LIKE 'block_%' \
     ORDER BY ledger_seq, event_class";

on_both!(a_breach_is_paged_once_and_not_before_its_time, |world| {
    let world = blocked_at(world, "pub-1", "2098-05-01T02:00:00Z").await;
    assert_eq!(world.rows(PAGES), ["block_opened maya"]);
    // The clock stands, so that each look is at one moment.
    let at = |text: &'static str| stand(&world, text);
    at("2098-05-01T02:14:59.999999Z").await;
    assert_eq!(
        once(&world, None)["done"]["marked"],
        serde_json::Value::Null
    );
    at("2098-05-01T02:15:00Z").await;
    assert_eq!(once(&world, None)["done"]["marked"], 1);
    at("2098-05-01T02:29:59Z").await;
    assert_eq!(
        once(&world, None)["done"]["marked"],
        serde_json::Value::Null
    );
    assert_eq!(world.rows(PAGES), ["block_opened maya", "block_soon maya"]);
    at("2098-05-01T02:30:00.000001Z").await;
    assert_eq!(once(&world, None)["done"]["marked"], 1);
    for _ in 0..3 {
        assert_eq!(
            once(&world, None)["done"]["marked"],
            serde_json::Value::Null
        );
    }
    assert_eq!(
        world.rows(PAGES),
        ["block_opened maya", "block_soon maya", "block_breached lee"]
    );
    let body =
        "SELECT COUNT(*) FROM notification_outbox WHERE body LIKE '%late: nobody was at work%'";
    assert_eq!(world.owner_sql(body), "0");
    world.assert_sound().await;
    assert_eq!(world.findings(None).await, Vec::<String>::new());
});

/// Lets the clock of a demo stand at a time.
pub async fn stand(world: &World, at: &str) {
    let store = world.store("maya").await;
    let at = at.parse().expect("a moment");
    govdeck::store::demo_clock::set(&store, at, 0, 1)
        .await
        .expect("set");
    store.close().await;
}

on_both!(work_that_comes_late_says_so, |world| {
    let world = blocked_at(world, "pub-1", "2098-05-01T02:00:00Z").await;
    stand(&world, "2098-05-01T04:00:00Z").await;
    assert_eq!(once(&world, None)["done"]["marked"], 1);
    // Nobody warns of what is over.
    assert_eq!(
        world.rows(PAGES),
        ["block_opened maya", "block_breached lee"]
    );
    let body = world
        .owner_sql("SELECT body FROM notification_outbox WHERE event_class = 'block_breached'");
    assert!(
        body.contains("This comes 1 h 29 min late: nobody was at work when it was due.")
            || body.contains("This comes 1 h 30 min late"),
        "{body}"
    );
    assert!(
        body.ends_with("Take it with: govdeck act take-block pub-1"),
        "{body}"
    );
});

on_both!(
    a_taken_block_without_a_sign_of_work_is_paged_again_after_each,
    |world| {
        let world = blocked_at(world, "pub-1", "2098-05-01T02:00:00Z").await;
        stand(&world, "2098-05-01T02:05:00Z").await;
        world
            .act("maya", "take_block", Asked::of("pub-1"))
            .await
            .expect("taken");
        stand(&world, "2098-05-01T02:35:00Z").await;
        assert_eq!(
            once(&world, None)["done"]["marked"],
            serde_json::Value::Null
        );
        stand(&world, "2098-05-01T02:35:01Z").await;
        assert_eq!(once(&world, None)["done"]["marked"], 1);
        assert_eq!(
            once(&world, None)["done"]["marked"],
            serde_json::Value::Null
        );
        stand(&world, "2098-05-01T02:40:00Z").await;
        let note = Asked::of("pub-1").with("note", "the sheet was edited");
        world.act("maya", "note_block", note).await.expect("noted");
        stand(&world, "2098-05-01T03:10:01Z").await;
        assert_eq!(once(&world, None)["done"]["marked"], 1);
        assert_eq!(
            world.rows(PAGES),
            ["block_opened maya", "block_stale lee", "block_stale lee"]
        );
        world.assert_sound().await;
    }
);

on_both!(no_mark_is_made_but_by_rule_at_its_time, |world| {
    let world = blocked_at(world, "pub-1", "2098-05-01T02:00:00Z").await;
    stand(&world, "2098-05-01T02:10:00Z").await;
    for mark in SlaMark::ALL {
        let rule = ByRule::MarkSla {
            run: "pub-1".to_owned(),
            mark: *mark,
        };
        let refused = by_rule(&world, "maya", rule).await.expect_err("too early");
        assert!(refused.contains("due"), "{mark}: {refused}");
    }
    let (sentence, _) = refused(&govdeck(&world, "maya", &["act", "mark-sla", "pub-1"]), 2);
    assert!(!sentence.is_empty());
    let row = "INSERT INTO block_sla_mark VALUES ('pub-1', 'breach', 1, '2098-05-01T02:00:00.000000Z', '2098-05-01T02:30:00.000001Z', \
         '2098-05-01T02:31:00.000000Z', 'lee', FALSE, 1)";
    assert!(world.sql(row).expect_err("a wall").contains("wall"));
});

on_both!(whoever_lost_the_lease_writes_nothing_any_more, |world| {
    let store = world.store("maya").await;
    let take = |who: &'static str| {
        let store = store.clone();
        async move { lease::take(&store, who, "a machine").await.expect("asked") }
    };
    assert_eq!(take("one").await, Wish::Granted(1));
    assert!(matches!(take("two").await, Wish::Held(held) if held.holder == "one"));
    assert!(lease::beat(&store, 1).await.expect("asked"));
    let old = store.fenced(1);
    // Its time goes by, as if it had been asleep.
    expire(&world);
    assert_eq!(take("two").await, Wish::Granted(2));
    assert!(!lease::beat(&store, 1).await.expect("asked"));
    let kind = |store: Store| async move { store.begin().await.map(drop).expect_err("lost").kind };
    assert_eq!(kind(old.clone()).await, Failure::Fenced);
    let routed = delivery::route(&old, &[], 7).await.expect_err("lost");
    assert_eq!(routed.kind, Failure::Fenced);
    store.fenced(2).begin().await.map(drop).expect("it leads");
    // A lease that was given up is anybody's at once.
    lease::give_up(&store, 2).await.expect("given up");
    assert_eq!(take("one").await, Wish::Granted(3));
    store.close().await;
    world.assert_sound().await;
});

/// Lets the time of the lease be over.
pub fn expire(world: &World) {
    let past = if world.is_postgres() {
        "CAST('2020-01-01T00:00:00Z' AS TIMESTAMPTZ)"
    } else {
        "'2020-01-01T00:00:00.000000Z'"
    };
    world.tamper(
        "agent_lease",
        &format!("UPDATE agent_lease SET beat_at_utc = {past}, until_utc = {past}"),
    );
}

on_both!(another_agent_waits_for_its_turn, |world| {
    let store = world.store("maya").await;
    lease::take(&store, "one", "elsewhere")
        .await
        .expect("asked");
    store.close().await;
    let before = contents(&world);
    let run = govdeck(&world, "maya", &["agent", "--once"]);
    assert!(said(&run, 0).starts_with("another agent leads: elsewhere, since 20"));
    assert_eq!(contents(&world), before);
});

on_both!(
    windows_are_planned_before_their_time_and_missed_after_it,
    |world| {
        let world = weeks::world(world).await;
        stand(&world, "2098-05-01T12:30:00Z").await;
        assert_eq!(once(&world, None)["done"]["planned"], 4);
        assert_eq!(
            once(&world, None)["done"]["planned"],
            serde_json::Value::Null
        );
        let planned =
            world.rows("SELECT job_run_id FROM reconciliation_window ORDER BY scheduled_at");
        let expected: Vec<String> = (0..4).map(weeks::run).collect();
        assert_eq!(planned, expected);
        // Two go by while nobody is at work: both are missed, in their order, and red follows once.
        stand(&world, "2098-05-12T12:00:01Z").await;
        let did = once(&world, None);
        assert_eq!(
            (&did["done"]["missed"], &did["done"]["planned"]),
            (&2.into(), &2.into())
        );
        assert_eq!(
            once(&world, None)["done"]["missed"],
            serde_json::Value::Null
        );
        let red = "SELECT COUNT(*) FROM reconciliation_incident";
        assert_eq!(world.owner_sql(red), "1");
        assert_eq!(MONDAYS[1], "2098-05-12T06:00:00Z");
        assert_eq!(
            world.owner_sql("SELECT COUNT(DISTINCT series_id) FROM reconciliation_window"),
            "1"
        );
        assert_eq!(SERIES, "sla");
        world.assert_sound().await;
    }
);

on_both!(
    a_drill_is_paged_as_one_and_says_who_answered_in_how_long,
    |world| {
        let world = world.where_time_is_set().await;
        world.set_time("2098-05-01T02:00:00Z").await;
        world.register_footer().await;
        said(&govdeck(&world, "maya", &["drill", "premint"]), 0);
        let drifted = world.owner_sql(
            "SELECT publish_run_id FROM publish_replay_audit WHERE block_reason = 'tuple_drift'",
        );
        stand(&world, "2098-05-01T02:20:00Z").await;
        world
            .act("maya", "take_block", Asked::of(&*drifted))
            .await
            .expect("taken");
        assert_eq!(once(&world, None)["done"]["marked"], 1);
        stand(&world, "2098-05-01T02:45:00Z").await;
        assert_eq!(once(&world, None)["done"]["marked"], 1);
        let marked = world.rows(
            "SELECT mark || ' ' || paged_id FROM block_sla_mark WHERE drill = TRUE ORDER BY mark",
        );
        assert_eq!(marked, ["breach lee", "soon maya"]);
        let real = "SELECT COUNT(*) FROM notification_outbox WHERE event_class LIKE 'block_%' AND drill = FALSE";
        assert_eq!(world.owner_sql(real), "0");
        let report = govdeck(&world, "maya", &["drill", "report"]);
        let report = said(&report, 0);
        assert!(
            report.contains("(tuple_drift): owner maya: maya answered in 19 min, in time")
                || report.contains("(tuple_drift): owner maya: maya answered in 20 min, in time"),
            "{report}"
        );
        assert!(
            report.contains(
                "(missing_publish_hash): owner maya: nobody answered in 30 min, warned after"
            ),
            "{report}"
        );
        assert!(report.contains("backup paged after"), "{report}");
        world.assert_sound().await;
    }
);

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_s_login_is_enough_and_a_viewer_s_is_not() {
    let world = crate::grants::world().await;
    let words = ["agent", "--once", "--json"];
    let did = document(&govdeck(&world, "in_agent", &words), 0, "agent-once");
    assert_eq!(did["jobs"]["sweep-bundles"], "done");
    assert_eq!(world.owner_sql("SELECT fence FROM agent_lease"), "1");
    let (sentence, hint) = refused(&govdeck(&world, "in_viewer", &words), 3);
    assert!(
        format!("{sentence} {hint}").contains("govdeck_agent"),
        "{sentence} {hint}"
    );
}

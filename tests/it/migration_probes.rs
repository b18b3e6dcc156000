//! The probes for gates: whether every question binds, and whether protected metrics are in both joins.

use crate::cli_kit::{document, govdeck};
use crate::support::dictionary::ask;
use crate::support::migration_story::{ID, opened, opening, world};
use crate::support::on_both;
use crate::support::pairs::{PAIRS, row, with_columns, with_views};

on_both!(a_probe_that_finds_nothing_to_ask_cannot_tell, |w| {
    let world = world(w).await;
    let none = govdeck(&world, "maya", &["job", "faq-probe"]);
    assert_eq!(none.code, Some(1), "{none:?}");
    let asked = world.act("maya", "open_migration", opening()).await;
    asked.expect("opened");
    let probe = |code| {
        let probed = govdeck(&world, "maya", &["job", "faq-probe", "--json"]);
        document(&probed, code, "job-faq-probe")
    };
    assert_eq!(probe(3)["detail"], "the views over the pairs are not there");
    with_columns(
        &world,
        &[
            ("breach_count", "INTEGER"),
            ("breachCount", "INTEGER"),
            ("owner_route_id", "TEXT"),
            ("route.ownerRouteId", "TEXT"),
        ],
    );
    with_views(&world, &PAIRS);
    assert_eq!(
        probe(3)["detail"],
        "no question is active: nothing was probed"
    );
    ask(&world, "faq-1", "MET-0144").await.expect("put");
    let missed = probe(1);
    assert_eq!(missed["missing"], serde_json::json!(["faq-1"]));
    row(&world, "MET-0144", "", "bo", [Some(1), Some(1)]);
    assert_eq!(probe(0)["verdict"], "pass");
    assert_eq!(
        world.rows(
            "SELECT verdict FROM migration_evidence WHERE gate = 'G3' ORDER BY observed_at_utc"
        ),
        ["cannot_tell", "cannot_tell", "fail", "pass"]
    );
    // One question more, and what was found says nothing of now.
    ask(&world, "faq-2", "MET-0171").await.expect("put");
    let why = govdeck(&world, "maya", &["why", "cutover"]);
    assert!(
        why.stdout
            .contains("what it was found of has changed since"),
        "{why:?}"
    );
    world.assert_sound().await;
});

on_both!(a_protected_metric_that_a_join_lost_is_named, |w| {
    let world = world(w).await;
    opened(&world).await;
    let search = |code| {
        let found = govdeck(&world, "maya", &["job", "protected", "--json"]);
        document(&found, code, "job-protected")
    };
    let found = search(0);
    assert_eq!(
        (&found["gate"], &found["migration_id"], &found["looked_for"]),
        (&"D5".into(), &ID.into(), &1.into())
    );
    let narrow = "SELECT metric_id FROM metric_dictionary WHERE metric_id <> 'MET-0144'";
    let asked = govdeck::actions::Asked::of("partner_annex/2.4.1")
        .with("surface", "partner_annex")
        .with("sql", narrow);
    world
        .act("lee", "register_bind_query", asked)
        .await
        .expect("registered");
    assert_eq!(search(1)["missing"], serde_json::json!(["MET-0144"]));
    world.assert_sound().await;
});

//! The metric dictionary: ids that never mean anything else, joins that lose nothing, questions, and policies made of it.

use govdeck::actions::Asked;
use govdeck::jobs::bind;
use govdeck::rules::Verdict;
use serde_json::{Value, json};

use crate::actions_endings::in_the_newest_entry;
use crate::support::dictionary::{
    ask, asked, bind as register, document, maya_too, people, release, released, with_metric,
};
use crate::support::{World, on_both};

on_both!(
    a_release_is_whole_in_the_ledger_and_another_follows,
    |world| {
        people(&world).await;
        // What stands before and behind the three numbers says nothing.
        release(&world, &document("v2.4.0+build.7"))
            .await
            .expect("released");
        let mut next = document("2.4.1");
        next["metrics"][0]["display_label"] = json!("Late responses");
        next["metrics"][1]["epsilon_abs"] = json!("0.25");
        with_metric(&mut next, "MET-0200");
        release(&world, &next).await.expect("released");
        assert_eq!(
        world.rows("SELECT metric_id || ' ' || display_label || ' ' || epsilon_abs || ' ' || dictionary_semver FROM metric_dictionary ORDER BY metric_id"),
        ["MET-0144 Late responses 1 2.4.1", "MET-0171 Stalls 0.25 2.4.1", "MET-0200 Number MET-0200 1 2.4.1"]
    );
        assert_eq!(
        world.rows("SELECT dictionary_semver || ' ' || COALESCE(previous_semver, '-') || ' ' || metrics || ' ' || changed FROM dictionary_release ORDER BY patch"),
        ["2.4.0 - 2 2", "2.4.1 2.4.0 3 3"]
    );
        world.assert_sound().await;
    }
);

/// A change of a document.
type Edit = fn(&mut Value);

on_both!(no_id_comes_to_mean_something_else, |world| {
    released(&world).await;
    let cases: [(Edit, &str); 9] = [
        (
            |it| it["metrics"][0]["definition"] = json!("Something else entirely"),
            "same_meaning",
        ),
        (
            |it| it["metrics"][0]["formula"] = json!("sum(x)"),
            "same_meaning",
        ),
        (
            |it| it["metrics"][0]["unit"] = json!("minutes"),
            "same_meaning",
        ),
        (
            |it| it["metrics"][0]["aggregation_rule"] = json!("max"),
            "same_meaning",
        ),
        (
            |it| it["metrics"][0]["epsilon_class"] = json!("custom"),
            "same_meaning",
        ),
        (
            |it| drop(it["metrics"].as_array_mut().expect("metrics").remove(0)),
            "ids_kept",
        ),
        (|it| it["dictionary_semver"] = json!("2.3.9"), "newer"),
        (|it| it["dictionary_semver"] = json!("2.4.0"), "newer"),
        (|_| {}, "says_something"),
    ];
    for (edit, condition) in cases {
        let mut next = document("2.4.1");
        edit(&mut next);
        let said = release(&world, &next).await.expect_err(condition);
        assert!(said.contains(condition), "{said}");
    }
    let mut old = document("2.4.1");
    old["metrics"][0]["deprecated_after"] = json!("2099-01-01T00:00:00Z");
    release(&world, &old).await.expect("deprecated");
    let said = release(&world, &document("2.4.2"))
        .await
        .expect_err("revived");
    assert!(said.contains("not_revived"), "{said}");
    world.assert_sound().await;
});

/// Writes a change of a metric that the ledger knows nothing of, and one that it does.
fn past_the_program(world: &World, sql: &str) -> String {
    match world.sql(&format!("BEGIN; {sql}; ROLLBACK;")) {
        Ok(said) => panic!("it was taken: {sql} {said}"),
        Err(said) => said,
    }
}

on_both!(plain_sql_neither_redefines_nor_deletes_an_id, |world| {
    released(&world).await;
    for sql in [
        "DELETE FROM metric_dictionary",
        "DELETE FROM dictionary_release",
        "UPDATE metric_dictionary SET definition = 'x'",
        "UPDATE metric_dictionary SET metric_id = 'MET-0999'",
        "UPDATE metric_dictionary SET display_label = 'x', version = version + 1",
        "UPDATE dictionary_release SET epsilons_sha256 = document_sha256",
    ] {
        past_the_program(&world, sql);
    }
    // Behind an entry that releases, the wall against another meaning stands by itself.
    maya_too(&world).await;
    for (set, says) in [
        ("definition = 'x'", "comes to mean something else"),
        ("formula = 'x'", "comes to mean something else"),
        ("unit = 'x'", "comes to mean something else"),
        ("aggregation_rule = 'max'", "comes to mean something else"),
        ("epsilon_class = 'custom'", "comes to mean something else"),
        ("dictionary_semver = '9.9.9'", "changes with a release"),
    ] {
        let statement = format!(
            "UPDATE metric_dictionary SET {set}, version = version + 1 WHERE metric_id = 'MET-0144'"
        );
        let row = ("metric_dictionary", "'MET-0144'");
        let said = in_the_newest_entry(&world, "release_dictionary", "2.4.0", row, &statement);
        assert!(said.contains(says), "{set}: {said}");
    }
    world.assert_sound().await;
});

on_both!(a_policy_repeats_the_epsilons_of_a_release, |world| {
    let world = crate::support::weeks::world(world).await;
    released(&world).await;
    let backtest = json!({"schema": "govdeck.policy-backtest.v1", "pair": {"soft": "0.05", "hard": "0.1", "floor": "1"},
        "weeks": [], "ambers": [], "false_rollbacks": [], "missed": [], "cannot_tell": []});
    let policy = |release: &str, epsilon: Value| {
        let document = json!({"epsilon_policy_version": "eps-1", "contract_max_semver": "1.4.0", "epsilon": epsilon});
        Asked::of("eps-1")
            .with("document", document.to_string())
            .with("release", release)
            .with("soft", "0.05")
            .with("hard", "0.1")
            .with("floor", "1")
            .with("backtest", backtest.to_string())
    };
    let epsilons = json!({"MET-0144": "1", "MET-0171": "0.5"});
    for (release, epsilon, says) in [
        ("2.3.0", epsilons.clone(), "never released as 2.3.0"),
        ("2.4.0", json!({"MET-0144": "1"}), "are not those of 2.4.0"),
        (
            "2.4.0",
            json!({"MET-0144": "2", "MET-0171": "0.5"}),
            "are not those of 2.4.0",
        ),
        (
            "2.4.0",
            json!({"MET-0144": "1.0", "MET-0171": "0.5"}),
            "are not those of 2.4.0",
        ),
    ] {
        let said = world
            .act("maya", "adopt_policy", policy(release, epsilon))
            .await
            .expect_err("refused");
        assert!(said.contains(says), "{said}");
    }
    crate::support::weeks::both(&world, "adopt_policy", policy("2.4.0", epsilons))
        .await
        .expect("adopted");
    assert_eq!(
        world.rows("SELECT dictionary_semver FROM epsilon_policy"),
        ["2.4.0"]
    );
    world.assert_sound().await;
});

on_both!(joins_are_proved_release_by_release, |world| {
    released(&world).await;
    let store = world.store("lee").await;
    let proved = bind::run(&store, None, None).await.expect("recorded");
    assert_eq!(
        proved.proof.verdict,
        Verdict::CannotTell,
        "no join is registered"
    );
    let all = "SELECT metric_id FROM metric_dictionary";
    for (id, surface) in [("rollup", "leadership"), ("annex", "partner_annex")] {
        register(&world, &format!("{id}/2.4.0"), surface, all)
            .await
            .expect("registered");
    }
    let proved = bind::run(&store, None, None).await.expect("recorded");
    assert_eq!(
        proved.proof.verdict,
        Verdict::Pass,
        "{:?}",
        proved.proof.findings
    );
    let mut next = document("2.5.0");
    with_metric(&mut next, "MET-0200");
    release(&world, &next).await.expect("released");
    let lost = "SELECT metric_id FROM metric_dictionary WHERE metric_id <> 'MET-0144'";
    register(&world, "rollup/2.5.0", "leadership", lost)
        .await
        .expect("registered");
    register(&world, "annex/2.5.0", "partner_annex", all)
        .await
        .expect("registered");
    let proved = bind::run(&store, None, None).await.expect("recorded");
    let reasons: Vec<_> = proved
        .proof
        .findings
        .iter()
        .map(|it| it.reason.word())
        .collect();
    assert_eq!(reasons, ["metric_vanished", "only_partner_annex"]);
    register(
        &world,
        "rollup/2.5.0",
        "leadership",
        "SELECT metric_id FROM no_such_table",
    )
    .await
    .expect("registered");
    let proved = bind::run(&store, None, None).await.expect("recorded");
    assert_eq!(proved.proof.verdict, Verdict::CannotTell, "it does not run");
    register(&world, "rollup/2.5.0", "leadership", all)
        .await
        .expect("registered");
    let proved = bind::run(&store, Some("v2.4.0"), Some("2.5.0"))
        .await
        .expect("recorded");
    assert_eq!(proved.proof.verdict, Verdict::Pass);
    assert_eq!(
        world.rows("SELECT verdict FROM bind_proof ORDER BY made_at_utc, proof_id"),
        ["cannot_tell", "pass", "fail", "cannot_tell", "pass"]
    );
    store.close().await;
    world.assert_sound().await;
});

on_both!(a_join_only_looks_whatever_it_tries, |world| {
    released(&world).await;
    let before = world.rows("SELECT COUNT(*) FROM notification_outbox");
    let tries = if world.is_postgres() {
        "WITH gone AS (DELETE FROM notification_outbox RETURNING '1' AS metric_id) SELECT metric_id FROM gone"
    } else {
        "DELETE FROM notification_outbox"
    };
    register(&world, "evil/2.4.0", "leadership", tries)
        .await
        .expect("a text is a text");
    let store = world.store("lee").await;
    let proved = bind::run(&store, None, None).await.expect("recorded");
    assert_ne!(proved.proof.verdict, Verdict::Pass);
    store.close().await;
    assert_eq!(
        world.rows("SELECT COUNT(*) FROM notification_outbox"),
        before
    );
    for (target, surface, sql, says) in [
        (
            "evil/2.4.0",
            "partner_annex",
            "SELECT 1",
            "surface: leadership",
        ),
        (
            "evil/2.9.0",
            "leadership",
            "SELECT 1",
            "never released as 2.9.0",
        ),
        ("evil", "leadership", "SELECT 1", "without a release"),
        ("e vil/2.4.0", "leadership", "SELECT 1", "cannot be the id"),
        (
            "evil/2.4.0",
            "leadership",
            "SELECT 1; SELECT 2",
            "semicolon",
        ),
        ("evil/2.4.0", "board", "SELECT 1", "is no surface"),
        (
            "evil/2.4.0",
            "leadership",
            tries,
            "changes: it is registered so",
        ),
    ] {
        let said = register(&world, target, surface, sql)
            .await
            .expect_err(says);
        assert!(said.contains(says), "{target}: {said}");
    }
    world.assert_sound().await;
});

on_both!(questions_stay_about_their_metric, |world| {
    released(&world).await;
    let said = ask(&world, "faq-1", "MET-9999").await.expect_err("unknown");
    assert!(said.contains("not in the dictionary"), "{said}");
    ask(&world, "faq-1", "MET-0144").await.expect("put");
    let said = ask(&world, "faq-1", "MET-0171")
        .await
        .expect_err("another metric");
    assert!(said.contains("same_metric"), "{said}");
    let retired = world.act("lee", "retire_faq", Asked::of("faq-1")).await;
    retired.expect("retired");
    let said = world
        .act("lee", "retire_faq", Asked::of("faq-1"))
        .await
        .expect_err("twice");
    assert!(said.contains("shown"), "{said}");
    assert_eq!(world.rows("SELECT status FROM faq_rows"), ["retired"]);
    past_the_program(
        &world,
        "UPDATE faq_rows SET dictionary_metric_id = 'MET-0171', version = version + 1",
    );
    world.assert_sound().await;
});

on_both!(
    a_view_of_the_annex_is_registered_once_for_a_release,
    |world| {
        released(&world).await;
        let view = |id: &str, release: &str| {
            Asked::of(id)
                .with("release", release)
                .with("footer", "1.3.0")
                .with("sql", "SELECT metric_id FROM metric_dictionary")
        };
        world
            .act("lee", "register_annex_view", view("annex-1", "2.4.0"))
            .await
            .expect("registered");
        for (id, release, says) in [
            ("annex-1", "2.4.0", "new_version"),
            ("annex-2", "2.5.0", "never released as 2.5.0"),
        ] {
            let said = world
                .act("lee", "register_annex_view", view(id, release))
                .await
                .expect_err(says);
            assert!(said.contains(says), "{said}");
        }
        world.assert_sound().await;
    }
);

on_both!(of_two_who_release_at_once_one_does, |world| {
    released(&world).await;
    let grant = Asked::of("kim").with("role", "analytics_owner");
    world
        .act("maya", "grant_role", grant)
        .await
        .expect("granted");
    let mut next = document("2.4.1");
    with_metric(&mut next, "MET-0200");
    let (lee, kim) = tokio::join!(
        world.act("lee", "release_dictionary", asked(&next)),
        world.act("kim", "release_dictionary", asked(&next)),
    );
    let lost = match (lee, kim) {
        (Ok(_), Err(said)) | (Err(said), Ok(_)) => said,
        both => panic!("exactly one: {both:?}"),
    };
    assert!(lost.contains("2.4.1"), "{lost}");
    world.assert_sound().await;
});

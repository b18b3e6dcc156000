//! Weekly reconciliation: how windows end, what that makes of governance, and how red is left.

use govdeck::actions::{Asked, ByRule};
use govdeck::rules::week::RunStatus::{Fail, Inconclusive, Missed, Pass, Skip};
use govdeck::store::governance;

use crate::cli_kit::{govdeck, said};
use crate::support::weeks::{
    MONDAYS, SERIES, both, by_rule, claim, finish, found, plan, run, stands, start, week,
    world as weekly,
};
use crate::support::{World, on_both};

async fn hold(world: &World) -> String {
    let store = world.store("maya").await;
    let mut view = store.view().await.expect("a view");
    let found = governance::hold(&mut view).await.expect("read");
    drop(view);
    store.close().await;
    found.word().to_owned()
}

on_both!(
    windows_are_planned_in_order_and_run_in_their_time,
    |world| {
        let world = weekly(world).await;
        assert_eq!(stands(&world).await, "amber no_runs");
        let later = ByRule::PlanWindow {
            series: SERIES.to_owned(),
            at: MONDAYS[1].parse().expect("a moment"),
        };
        let refused = by_rule(&world, "lee", later).await.expect_err("refused");
        assert!(refused.starts_with("next_in_line"), "{refused}");
        plan(&world, 0).await;
        let early = start(&world, 0).await.expect_err("refused");
        assert!(early.starts_with("open: it may be run from"), "{early}");
        world.set_time(MONDAYS[0]).await;
        start(&world, 0).await.expect("begun");
        let twice = start(&world, 0).await.expect_err("refused");
        assert!(twice.starts_with("free: somebody runs it"), "{twice}");
        finish(&world, 0, Pass).await.expect("ended");
        let again = finish(&world, 0, Fail).await.expect_err("refused");
        assert!(again.contains("running: the window is PASS"), "{again}");
        assert_eq!(
        world.rows("SELECT status || ' ' || triggered_by || ' ' || metrics_total FROM reconciliation_window"),
        ["PASS lee 2"]
    );
        assert_eq!(
            world.rows("SELECT metric_id FROM reconciliation_metric"),
            ["MET-0144"]
        );
        world.assert_sound().await;
    }
);

on_both!(
    a_claim_that_is_over_is_taken_up_and_its_first_holder_ends_nothing,
    |world| {
        let world = weekly(world).await;
        plan(&world, 0).await;
        world.set_time(MONDAYS[0]).await;
        start(&world, 0).await.expect("begun");
        world.set_time("2098-05-05T06:15:01Z").await;
        let second = ByRule::StartRun {
            run: run(0),
            claim: "d".repeat(32),
            minutes: 15,
            unplanned: None,
        };
        by_rule(&world, "maya", second).await.expect("taken up");
        let late = finish(&world, 0, Pass).await.expect_err("refused");
        assert!(
            late.contains("its_claim: another process runs it"),
            "{late}"
        );
        assert_eq!(
            world.rows("SELECT status FROM reconciliation_window"),
            ["RUNNING"]
        );
        // Killed in the middle it stays RUNNING, and is missed when its grace is over.
        world.set_time("2098-05-05T12:00:01Z").await;
        let rule = ByRule::MissWindow { run: run(0) };
        by_rule(&world, "lee", rule).await.expect("missed");
        assert_eq!(
            world.rows("SELECT status FROM reconciliation_window"),
            ["MISSED"]
        );
        world.assert_sound().await;
    }
);

on_both!(
    two_in_a_row_that_did_not_pass_are_red_and_open_one_incident,
    |world| {
        let world = weekly(world).await;
        week(&world, 0, Skip).await;
        assert_eq!(stands(&world).await, "amber not_passed");
        week(&world, 1, Missed).await;
        assert_eq!(stands(&world).await, "red incident_open");
        assert_eq!(hold(&world).await, "red");
        week(&world, 2, Inconclusive).await;
        assert_eq!(
            world.rows("SELECT first_run_id || ' ' || second_run_id FROM reconciliation_incident"),
            [format!("{} {}", run(0), run(1))],
            "one incident, however many follow"
        );
        let told = "SELECT DISTINCT recipient_id FROM notification_outbox WHERE event_class = 'governance_red' ORDER BY recipient_id";
        assert_eq!(world.rows(told), ["kim", "maya"]);
        week(&world, 3, Pass).await;
        assert_eq!(
            stands(&world).await,
            "red incident_open",
            "a pass alone leaves nothing"
        );
        world.assert_sound().await;
    }
);

on_both!(
    red_is_left_by_two_with_evidence_and_the_next_pass_is_green,
    |world| {
        let world = weekly(world).await;
        week(&world, 0, Fail).await;
        week(&world, 1, Fail).await;
        let incident = format!("inc.{}", run(1));
        let leave = |evidence: &str| Asked::of(&*incident).with("evidence", evidence);
        let early = both(&world, "leave_red", leave("rem-1"))
            .await
            .expect_err("refused");
        for missing in ["acknowledged", "newest_passed", "evidence"] {
            assert!(early.contains(missing), "{early}");
        }
        let asked = Asked::of(&*incident);
        world
            .act("lee", "acknowledge_incident", asked)
            .await
            .expect("acknowledged");
        week(&world, 2, Pass).await;
        let evidence = Asked::of(run(1))
            .with("id", "rem-1")
            .with("evidence", "ETL-77 fixed");
        world
            .act("lee", "attach_remediation", evidence)
            .await
            .expect("attached");
        both(&world, "leave_red", leave("rem-1"))
            .await
            .expect("left");
        assert_eq!(stands(&world).await, "amber left_red");
        assert_eq!(hold(&world).await, "amber");
        week(&world, 3, Pass).await;
        assert_eq!(stands(&world).await, "green double_green");
        assert_eq!(
        world.rows("SELECT left_by || ' ' || left_approved_by || ' ' || evidence FROM reconciliation_incident"),
        ["lee maya [\"rem-1\"]"]
    );
        world.assert_sound().await;
    }
);

on_both!(
    numbers_that_had_reached_partners_are_owed_an_addendum,
    |world| {
        let world = weekly(world).await;
        world.register_footer().await;
        week(&world, 0, Fail).await;
        let hash = "a".repeat(64);
        // The time of a demo is its own: a run is minted by it.
        let at = |time: &str| format!("2098-05-05T{time}Z");
        world.set_time(&at("07:00:10")).await;
        world
        .sql(&format!(
            "INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, publish_tuple_hash, \
             source_tuple_hash, footer_schema_semver, source_observed_at_utc, created_at_utc) VALUES ('pub-1', 's/p', 'f', 'l', 'd', \
             '{hash}', '{hash}', 'v2.4.0', '{}', '{}')",
            at("07:00:05.000000"),
            at("07:00:00.000000")
        ))
        .expect("minted");
        world.decide("pub-1").await.expect("decided");
        week(&world, 1, Fail).await;
        assert_eq!(
            world.rows(
                "SELECT second_run_id FROM reconciliation_incident WHERE addendum_demanded = TRUE"
            ),
            [run(1)]
        );
        // While red nothing is decided, and what had passed is held until two name it in an annex.
        let held = world.decide("pub-1").await.expect_err("refused");
        assert!(held.contains("governance is red"), "{held}");
        let expires = "2098-05-18T06:00:00Z";
        let annex = |run: &str, id: &str| Asked::of(run).with("audit", id).with("expires", expires);
        let unknown = both(&world, "annex_run", annex("pub-9", "aud-1"))
            .await
            .expect_err("refused");
        assert!(unknown.contains("passed_before_red"), "{unknown}");
        both(&world, "annex_run", annex("pub-1", "aud-2"))
            .await
            .expect("named");
        assert_eq!(
            world.rows("SELECT annex_id || ' ' || publish_run_id FROM override_annex"),
            ["aud-2 pub-1"]
        );
        let readback = govdeck(&world, "kim", &["readback", "--week", "2098-W18"]);
        for part in [
            "NOT RECONCILED",
            "aud-2 lets pub-1 out until",
            "after numbers had reached partners; still open, AN ADDENDUM IS OWED",
        ] {
            let text = said(&readback, 1).replace('\\', "");
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        let asked = Asked::of(format!("inc.{}", run(1)));
        world
            .act("lee", "acknowledge_incident", asked)
            .await
            .expect("acknowledged");
        week(&world, 2, Pass).await;
        let evidence = Asked::of(run(1))
            .with("id", "rem-1")
            .with("evidence", "ETL-77 fixed");
        world
            .act("lee", "attach_remediation", evidence)
            .await
            .expect("attached");
        let leave = Asked::of(format!("inc.{}", run(1))).with("evidence", "rem-1");
        let owed = both(&world, "leave_red", leave.clone())
            .await
            .expect_err("refused");
        assert!(
            owed.contains("addendum: numbers had reached partners"),
            "{owed}"
        );
        let addendum = world.add_evidence().to_string();
        both(&world, "leave_red", leave.with("addendum", addendum))
            .await
            .expect("left");
        world.assert_sound().await;
    }
);

on_both!(a_first_pass_is_green_once_two_declare_it, |world| {
    let world = weekly(world).await;
    week(&world, 0, Pass).await;
    assert_eq!(stands(&world).await, "amber first_pass");
    both(&world, "declare_bootstrap", Asked::of(run(0)))
        .await
        .expect("declared");
    assert_eq!(stands(&world).await, "green bootstrap");
    let twice = both(&world, "declare_bootstrap", Asked::of(run(0)))
        .await
        .expect_err("refused");
    assert!(twice.contains("not_declared"), "{twice}");
    world.assert_sound().await;
});

on_both!(a_series_is_retired_by_two_and_never_while_red, |world| {
    let world = weekly(world).await;
    week(&world, 0, Fail).await;
    week(&world, 1, Fail).await;
    let red = both(&world, "retire_series", Asked::of(SERIES))
        .await
        .expect_err("refused");
    assert!(red.contains("not_red"), "{red}");
    world.assert_sound().await;
});

on_both!(
    nobody_ends_windows_or_opens_incidents_past_the_program,
    |world| {
        let world = weekly(world).await;
        week(&world, 0, Fail).await;
        plan(&world, 1).await;
        let one = run(0);
        let two = run(1);
        for attempt in [
            format!(
                "UPDATE reconciliation_window SET status = 'PASS', version = version + 1 WHERE job_run_id = '{one}'"
            ),
            format!(
                "UPDATE reconciliation_window SET status = 'MISSED', completed_at = scheduled_at, version = version + 1 WHERE job_run_id = '{two}'"
            ),
            format!("DELETE FROM reconciliation_window WHERE job_run_id = '{two}'"),
            "DELETE FROM reconciliation_metric".to_owned(),
            "UPDATE reconciliation_metric SET verdict = 'PASS', reason = NULL".to_owned(),
            format!(
                "INSERT INTO remediation_evidence VALUES ('rem-9', '{one}', 'it is fine', 'lee', '2098-05-05T06:00:00.000000Z', 1)"
            ),
            format!(
                "INSERT INTO signer_ack (job_run_id, signer_id, ack_basis, previous_run_id, inputs_sha256, acked_at_utc, version) \
             VALUES ('{one}', 'kim', 'double_green', '{one}', '{}', '2098-05-05T06:00:00.000000Z', 1)",
                "a".repeat(64)
            ),
            format!(
                "INSERT INTO signer_ack (job_run_id, signer_id, ack_basis, inputs_sha256, acked_at_utc, version) \
             VALUES (NULL, 'kim', 'bootstrap', '{}', '2098-05-05T06:00:00.000000Z', 1)",
                "a".repeat(64)
            ),
        ] {
            world.sql(&attempt).expect_err(&attempt);
        }
        let (finding, _) = found(0, Pass);
        assert_eq!(finding.metrics_failed, Some(0));
        let bare = ByRule::FinishRun {
            run: two,
            claim: claim(),
            finding: Box::new(finding),
        };
        let refused = by_rule(&world, "lee", bare).await.expect_err("refused");
        assert!(
            refused.contains("its_evidence"),
            "a pass without its files: {refused}"
        );
        world.assert_sound().await;
    }
);

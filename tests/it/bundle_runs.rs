//! Governed bundles from their registration to production and back: each step with its receipt, each approval for one run.

use std::time::Duration;

use govdeck::actions::{self, Asked, ByRule, Outcome, Request};
use govdeck::canon::Digest;
use govdeck::jobs::bundle as job;
use govdeck::rules::bundle::{Receipt, RunType};
use govdeck::rules::bundle_run::{RunOutcome, Tier};

use crate::support::bundle_story::{
    ID, LATER, Told, apply, approval, approve, baseline, claim, confirmed, declared, made_up_to,
    merged, people, plan, plan_of, register, status, take_back,
};
use crate::support::weeks::{both, by_rule};
use crate::support::{World, on_both};

/// The runs of a bundle: what, where and how each ended.
fn runs(world: &World, id: &str) -> Vec<String> {
    world.rows(&format!(
        "SELECT run_id || ' ' || COALESCE(environment, '-') || ' ' || outcome FROM bundle_run WHERE migration_id = '{id}' \
         ORDER BY claimed_at_utc, run_id"
    ))
}

/// Reads the receipt of a run, as the entry that ended it files it.
pub async fn receipt(world: &World, run: &str) -> Receipt {
    let sha256 = world.rows(&format!(
        "SELECT r.receipt_sha256 FROM bundle_run r WHERE r.run_id = '{run}' AND EXISTS (SELECT 1 FROM ledger_artifact e, ledger_change c \
         WHERE c.table_name = 'bundle_run' AND c.row_key = r.run_id AND c.version = r.version AND e.seq = c.seq \
         AND e.role = 'bundle_receipt' AND e.sha256 = r.receipt_sha256)"
    ));
    let store = world.store("maya").await;
    let mut view = store.view().await.expect("a view");
    let digest = sha256[0].parse().expect("a hash");
    let bytes = govdeck::store::artifact::bytes(&mut view, digest).await;
    drop(view);
    store.close().await;
    let bytes = bytes.expect("read").expect("there");
    assert_eq!(Digest::of(&bytes), digest);
    let receipt: Receipt = serde_json::from_slice(&bytes).expect("a receipt");
    assert_eq!(receipt.bytes(), bytes, "it is canonical");
    receipt
}

on_both!(
    a_bundle_goes_from_draft_to_production_by_receipts,
    |world| {
        let world = world.where_two_can_agree().await;
        people(&world).await;
        register(&world, &plan(ID, Tier::Dev))
            .await
            .expect("registered");
        assert_eq!(status(&world, ID), "draft");
        approve(&world, ID, Tier::Dev).await.expect("approved");
        assert_eq!(status(&world, ID), "approved");
        let merging = world.act("lee", "merge_bundle", Asked::of(ID)).await;
        merging.expect("merged");
        for (tier, after) in [
            (Tier::Dev, "executed_dev"),
            (Tier::Stage, "executed_stage"),
            (Tier::Prod, "executed_prod"),
        ] {
            if tier != Tier::Dev {
                register(&world, &plan(ID, tier)).await.expect("registered");
                let early = apply(&world, ID, tier, RunOutcome::Applied).await;
                assert!(early.expect_err("refused").contains("approval"));
                approve(&world, ID, tier).await.expect("approved");
            }
            let ended = apply(&world, ID, tier, RunOutcome::Applied)
                .await
                .expect("made");
            assert_eq!(ended.outcome, RunOutcome::Applied);
            assert_eq!(status(&world, ID), after);
        }
        assert_eq!(
            runs(&world, ID),
            [
                "PG-MIG-2026-03-01-01.approval.1 dev applied",
                "PG-MIG-2026-03-01-01.merge.1 - applied",
                "PG-MIG-2026-03-01-01.migration.1 dev applied",
                "PG-MIG-2026-03-01-01.approval.2 stage applied",
                "PG-MIG-2026-03-01-01.migration.2 stage applied",
                "PG-MIG-2026-03-01-01.approval.3 prod applied",
                "PG-MIG-2026-03-01-01.migration.3 prod applied",
            ]
        );
        let approved = receipt(&world, &format!("{ID}.approval.1")).await;
        assert_eq!(approved.run_type, RunType::Approval);
        assert_eq!(
            (&*approved.actor.principal, &*approved.actor.role),
            ("lee", "data_engineer")
        );
        let merged = receipt(&world, &format!("{ID}.merge.1")).await;
        assert_eq!(merged.run_type, RunType::Merge);
        let made = receipt(&world, &format!("{ID}.migration.1")).await;
        assert_eq!(made.actor.principal, "kim");
        assert_eq!(
            made.policy.decision_id,
            format!("govdeck://decision/{ID}.approval.1")
        );
        let outputs: Vec<_> = made.outputs.iter().map(|file| &*file.path).collect();
        assert_eq!(
            outputs,
            [
                "baselines/pre.json",
                "baselines/post.json",
                "diffs/summary.json"
            ]
        );
        let inputs: Vec<_> = made.inputs.iter().map(|file| &*file.path).collect();
        assert_eq!(inputs, ["migration.yml", "forward.sql", "rollback.sql"]);
        let forward = format!(
            "sha256:{}",
            Digest::of(b"CREATE INDEX roads_by_name ON public.roads (name);")
        );
        assert_eq!(made.inputs[1].digest, forward);
        // A bundle that was approved is registered no other way, and made nowhere twice.
        let again = register(&world, &plan(ID, Tier::Prod)).await;
        assert!(again.expect_err("refused").contains("open"));
        world.assert_sound().await;
    }
);

on_both!(
    a_run_that_is_refused_or_breaks_leaves_a_receipt_and_no_more,
    |world| {
        let world = world.where_two_can_agree().await;
        merged(&world, ID).await;
        let ended = apply(&world, ID, Tier::Dev, RunOutcome::Refused)
            .await
            .expect("ended");
        assert_eq!(
            ended.detail.as_deref(),
            Some("scope_violation: public.rivers")
        );
        assert_eq!(status(&world, ID), "merged");
        let told = receipt(&world, &ended.run_id).await;
        assert_eq!(told.validation.status.word(), "fail");
        // Its approval is used, whatever came of it.
        let again = apply(&world, ID, Tier::Dev, RunOutcome::Applied).await;
        assert!(
            again
                .expect_err("refused")
                .contains("no approval for dev waits")
        );
        approve(&world, ID, Tier::Dev).await.expect("approved");
        let ended = apply(&world, ID, Tier::Dev, RunOutcome::Failed)
            .await
            .expect("ended");
        assert_eq!(
            ended.detail.as_deref(),
            Some("line 1: relation \"roads\" does not exist"),
            "one line of what was said"
        );
        assert_eq!(receipt(&world, &ended.run_id).await.outputs, []);
        assert_eq!(status(&world, ID), "merged");
        let told = world.rows(
            "SELECT COUNT(*) FROM notification_outbox WHERE event_class = 'bundle_run_ended'",
        );
        assert_eq!(told, ["4"], "kim and maya, twice");
        approve(&world, ID, Tier::Dev).await.expect("approved");
        apply(&world, ID, Tier::Dev, RunOutcome::Applied)
            .await
            .expect("made");
        assert_eq!(status(&world, ID), "executed_dev");
        world.assert_sound().await;
    }
);

on_both!(an_approval_is_bound_to_its_plan, |world| {
    let world = world.where_two_can_agree().await;
    people(&world).await;
    register(&world, &plan(ID, Tier::Dev))
        .await
        .expect("registered");
    let before = approval(&world, ID, Tier::Dev);
    // What waits for the second person lapses when the plan is registered anew.
    world
        .act("lee", "approve_bundle", before.clone())
        .await
        .expect("proposed");
    let mut other = plan(ID, Tier::Dev);
    other.pre.schema_fingerprint = baseline(2).schema_fingerprint;
    register(&world, &other).await.expect("registered");
    let ticket = world.rows("SELECT ticket FROM approval_request WHERE status = 'waiting'");
    let yes = world.act("maya", "approve", Asked::of(&*ticket[0])).await;
    assert!(yes.expect_err("lapsed").contains("plan changed since"));
    let store = world.store("maya").await;
    actions::end_if_over(&store, ticket[0].clone()).await;
    store.close().await;
    assert_eq!(
        world.rows("SELECT status FROM approval_request"),
        ["lapsed"]
    );
    let old = both(&world, "approve_bundle", before).await;
    assert!(old.expect_err("refused").contains("the plan changed since"));
    approve(&world, ID, Tier::Dev).await.expect("approved");
    world
        .act("lee", "merge_bundle", Asked::of(ID))
        .await
        .expect("merged");
    // The target is not what was planned for.
    let drifted = apply(&world, ID, Tier::Dev, RunOutcome::Applied).await;
    assert!(
        drifted
            .expect_err("refused")
            .contains("the plan changed since it was approved")
    );
    register(&world, &plan(ID, Tier::Dev))
        .await
        .expect("registered");
    let lapsed = apply(&world, ID, Tier::Dev, RunOutcome::Applied).await;
    assert!(
        lapsed
            .expect_err("refused")
            .contains("the plan changed since it was approved")
    );
    approve(&world, ID, Tier::Dev).await.expect("approved");
    let twice = approve(&world, ID, Tier::Dev).await;
    assert!(twice.expect_err("refused").contains("waits to be used"));
    apply(&world, ID, Tier::Dev, RunOutcome::Applied)
        .await
        .expect("made");
    world.assert_sound().await;
});

on_both!(of_two_claims_at_once_one_wins, |world| {
    let world = world.where_two_can_agree().await;
    merged(&world, ID).await;
    let mut requests = Vec::new();
    for who in ["lee", "kim"] {
        let request = confirmed(&world, who, "claim_bundle_run", claim(ID, Tier::Dev)).await;
        requests.push((world.store(who).await, request.expect("confirmed")));
    }
    let race = requests.into_iter().map(|(store, request)| {
        tokio::spawn(async move {
            let outcome = actions::carry_out(&store, request).await;
            store.close().await;
            outcome
        })
    });
    let (mut won, mut lost) = (0, 0);
    for one in race.collect::<Vec<_>>() {
        match one.await.expect("it ran") {
            Outcome::Done(_) => won += 1,
            Outcome::Refused(_) => lost += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((won, lost), (1, 1));
    assert_eq!(
        world.rows("SELECT COUNT(*) FROM bundle_run WHERE outcome = 'running'"),
        ["1"]
    );
    world.assert_sound().await;
});

on_both!(a_run_that_nobody_ends_is_interrupted, |world| {
    let world = world.where_two_can_agree().await;
    merged(&world, ID).await;
    world
        .act("kim", "claim_bundle_run", claim(ID, Tier::Dev))
        .await
        .expect("claimed");
    let run = format!("{ID}.migration.1");
    let store = world.store("lee").await;
    let swept = job::sweep(&store, ID, Tier::Dev, Duration::ZERO)
        .await
        .expect("swept");
    assert_eq!(swept, std::slice::from_ref(&run));
    assert_eq!(
        job::sweep(&store, ID, Tier::Dev, Duration::ZERO)
            .await
            .expect("swept"),
        [""; 0]
    );
    // Whoever comes back finds it ended.
    let late = job::take_up(&store, &Told(RunOutcome::Applied), &run).await;
    assert!(
        late.expect_err("refused")
            .to_string()
            .contains("waits to be taken up")
    );
    store.close().await;
    let told = receipt(&world, &run).await;
    assert_eq!(told.validation.checks[0].name, "ended");
    assert_eq!(status(&world, ID), "merged");
    // Nobody knows how far it came: it can be taken back, which leaves the bundle where it was.
    take_back(&world, ID, Tier::Dev, RunOutcome::RolledBack)
        .await
        .expect("taken back");
    assert_eq!(status(&world, ID), "merged");
    approve(&world, ID, Tier::Dev).await.expect("approved");
    apply(&world, ID, Tier::Dev, RunOutcome::Applied)
        .await
        .expect("made");
    assert_eq!(status(&world, ID), "executed_dev");
    world.assert_sound().await;
});

on_both!(whoever_claimed_a_run_ends_it_once, |world| {
    let world = world.where_two_can_agree().await;
    merged(&world, ID).await;
    world
        .act("kim", "claim_bundle_run", claim(ID, Tier::Dev))
        .await
        .expect("claimed");
    let run = format!("{ID}.migration.1");
    let store = world.store("lee").await;
    let other = job::take_up(&store, &Told(RunOutcome::Applied), &run).await;
    assert!(
        other
            .expect_err("refused")
            .to_string()
            .contains("kim claimed")
    );
    store.close().await;
    let store = world.store("kim").await;
    job::take_up(&store, &Told(RunOutcome::Applied), &run)
        .await
        .expect("ended");
    store.close().await;
    let rule = ByRule::InterruptBundleRun { run };
    let again = by_rule(&world, "kim", rule).await;
    assert!(again.expect_err("refused").contains("running"));
    world.assert_sound().await;
});

on_both!(what_was_made_is_taken_back_the_last_first, |world| {
    let world = world.where_two_can_agree().await;
    made_up_to(&world, ID, Tier::Stage).await;
    let first = take_back(&world, ID, Tier::Dev, RunOutcome::RolledBack).await;
    assert!(first.expect_err("refused").contains("last_first"));
    // A rollback that did not begin leaves everything as it is.
    take_back(&world, ID, Tier::Stage, RunOutcome::Failed)
        .await
        .expect("ended");
    assert_eq!(status(&world, ID), "executed_stage");
    let ended = take_back(&world, ID, Tier::Stage, RunOutcome::RolledBack).await;
    let ended = ended.expect("taken back");
    assert_eq!(status(&world, ID), "rolled_back");
    let told = receipt(&world, &ended.run_id).await;
    assert_eq!(
        (told.run_type, told.validation.status.word()),
        (RunType::Rollback, "pass")
    );
    take_back(&world, ID, Tier::Dev, RunOutcome::RolledBack)
        .await
        .expect("taken back");
    let twice = take_back(&world, ID, Tier::Dev, RunOutcome::RolledBack).await;
    assert!(twice.expect_err("refused").contains("made_there"));
    let open = approve(&world, ID, Tier::Prod).await;
    assert!(open.expect_err("refused").contains("open"));
    world.assert_sound().await;
});

on_both!(a_rollback_that_failed_is_the_end, |world| {
    let world = world.where_two_can_agree().await;
    made_up_to(&world, ID, Tier::Dev).await;
    let ended = take_back(&world, ID, Tier::Dev, RunOutcome::RollbackFailed).await;
    assert_eq!(ended.expect("ended").outcome, RunOutcome::RollbackFailed);
    assert_eq!(status(&world, ID), "executed_dev");
    let again = take_back(&world, ID, Tier::Dev, RunOutcome::RolledBack).await;
    assert!(again.expect_err("refused").contains("no_rollback_failed"));
    world.assert_sound().await;
});

on_both!(a_later_bundle_takes_the_place_with_its_merge, |world| {
    let world = world.where_two_can_agree().await;
    made_up_to(&world, ID, Tier::Dev).await;
    let asked = |id: &str, by: &str| Asked::of(id).with("by", by);
    let nobody = world
        .act("maya", "supersede_bundle", asked(ID, LATER))
        .await;
    assert!(nobody.expect_err("refused").contains("there is no bundle"));
    register(&world, &plan(LATER, Tier::Dev))
        .await
        .expect("registered");
    let early = world
        .act("maya", "supersede_bundle", asked(ID, LATER))
        .await;
    assert!(early.expect_err("refused").contains("is draft"));
    approve(&world, LATER, Tier::Dev).await.expect("approved");
    world
        .act("lee", "merge_bundle", Asked::of(LATER))
        .await
        .expect("merged");
    let back = world
        .act("maya", "supersede_bundle", asked(LATER, ID))
        .await;
    assert!(back.expect_err("refused").contains("no later bundle"));
    world
        .act("maya", "supersede_bundle", asked(ID, LATER))
        .await
        .expect("superseded");
    assert_eq!(status(&world, ID), "superseded");
    let gone = take_back(&world, ID, Tier::Dev, RunOutcome::RolledBack).await;
    assert!(gone.expect_err("refused").contains("not_superseded"));
    world.assert_sound().await;
});

on_both!(
    what_touches_the_dictionary_in_production_names_its_approval,
    |world| {
        let world = world.where_two_can_agree().await;
        people(&world).await;
        let touching = |reference: Option<&str>| {
            let mut declared = declared(ID);
            declared
                .scope
                .allowed_tables
                .push("public.metric_dictionary".to_owned());
            declared.approvals.reference = reference.map(str::to_owned);
            plan_of(&declared, Tier::Prod)
        };
        let refused = register(&world, &touching(None)).await;
        assert!(refused.expect_err("refused").contains("is the dictionary"));
        register(&world, &touching(Some("ADR-7")))
            .await
            .expect("registered");
        approve(&world, ID, Tier::Prod).await.expect("approved");
        let mut ledger = declared(LATER);
        ledger
            .scope
            .allowed_tables
            .push("governance_ledger".to_owned());
        let refused = register(&world, &plan_of(&ledger, Tier::Dev)).await;
        assert!(
            refused
                .expect_err("refused")
                .contains("ledger_out_of_scope")
        );
        let mut gone = declared(LATER);
        gone.requires_rollback = false;
        let refused = register(&world, &plan_of(&gone, Tier::Dev)).await;
        assert!(refused.expect_err("refused").contains("way_back"));
        world.assert_sound().await;
    }
);

on_both!(rows_of_bundles_that_were_edited_are_found, |world| {
    let world = world.where_two_can_agree().await;
    made_up_to(&world, ID, Tier::Dev).await;
    for (table, set, place) in [
        ("bundle", "status = 'executed_prod'", ID.to_owned()),
        ("bundle_plan", "rows_touched = 99", format!("{ID}/dev")),
        (
            "bundle_run",
            "reason = 'another'",
            format!("{ID}.migration.1"),
        ),
    ] {
        let key = if table == "bundle_run" {
            "run_id"
        } else {
            "migration_id"
        };
        let id = place.trim_end_matches("/dev");
        world.tamper(
            table,
            &format!("UPDATE {table} SET {set} WHERE {key} = '{id}'"),
        );
        let found = world.findings(None).await;
        let named = format!("{table} {place}: is not as entry");
        assert!(found.iter().any(|it| it.starts_with(&named)), "{found:?}");
    }
    let receipt =
        format!("SELECT receipt_sha256 FROM bundle_run WHERE run_id = '{ID}.migration.1'");
    let receipt = world.rows(&receipt).remove(0);
    world.tamper_as_superuser(
        "artifact",
        &format!("DELETE FROM artifact WHERE sha256 = '{receipt}'"),
    );
    let found = world.findings(None).await;
    let missing = format!("its evidence bundle_receipt {receipt} is missing");
    assert!(found.iter().any(|it| it.contains(&missing)), "{found:?}");
});

/// A finding by rule that brings no receipt, or another run's, ends nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_ends_with_nobody_elses_receipt() {
    let world = World::sqlite().await.where_two_can_agree().await;
    made_up_to(&world, ID, Tier::Dev).await;
    register(&world, &plan(ID, Tier::Stage))
        .await
        .expect("registered");
    approve(&world, ID, Tier::Stage).await.expect("approved");
    world
        .act("kim", "claim_bundle_run", claim(ID, Tier::Stage))
        .await
        .expect("claimed");
    let run = format!("{ID}.migration.2");
    let finding = actions::BundleFinding {
        outcome: RunOutcome::Failed,
        detail: None,
        receipt: receipt(&world, &format!("{ID}.migration.1")).await,
        pre_sha256: None,
        post_sha256: None,
        diff_sha256: None,
    };
    let request = |finding: &actions::BundleFinding| {
        Request::by_rule(ByRule::FinishBundleRun {
            run: run.clone(),
            finding: Box::new(finding.clone()),
        })
    };
    let store = world.store("kim").await;
    for says in ["does not come along", "tells of another run"] {
        let mut request = request(&finding).expect("a request");
        if says == "tells of another run" {
            let (role, media_type) = govdeck::store::artifact::BUNDLE_RECEIPT;
            request = request.with_prepared([actions::Prepared {
                role,
                artifact: govdeck::store::artifact::Artifact::new(
                    media_type,
                    finding.receipt.bytes(),
                ),
                made_of: Vec::new(),
                says: String::new(),
            }]);
        }
        match actions::carry_out(&store, request).await {
            Outcome::Refused(refusal) => assert!(refusal.sentence.contains(says), "{refusal}"),
            other => panic!("{other:?}"),
        }
    }
    store.close().await;
    world.assert_sound().await;
}

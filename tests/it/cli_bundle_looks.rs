//! `govdeck bundle list`, `show` and `registry`: what they say, and that a registry of the repository can be held against it.

use govdeck::rules::bundle::Registry;
use govdeck::rules::bundle_run::{Registration, RunOutcome, Tier};

use crate::cli_kit::{document, govdeck, refused, said};
use crate::support::bundle_story::{
    ID, LATER, apply, approval, claim, made_up_to, merged, plan, register, take_back,
};
use crate::support::on_both;

on_both!(bundles_are_listed_and_shown, |world| {
    let world = world.where_two_can_agree().await;
    let none = govdeck(&world, "maya", &["bundle", "list"]);
    assert!(
        said(&none, 0).contains("no bundle is registered"),
        "{none:?}"
    );
    made_up_to(&world, ID, Tier::Dev).await;
    register(&world, &plan(LATER, Tier::Dev))
        .await
        .expect("registered");
    let list = govdeck(&world, "maya", &["bundle", "list"]);
    let line = format!("executed_dev   {ID} postgis applied dev: Find roads by their name");
    assert!(said(&list, 0).contains(&line), "{list:?}");
    let drafts = govdeck(
        &world,
        "maya",
        &["bundle", "list", "--status", "draft", "--json"],
    );
    let drafts = document(&drafts, 0, "bundle-list");
    assert_eq!(drafts["bundles"][0]["migration_id"], LATER);
    assert_eq!(drafts["bundles"].as_array().map(Vec::len), Some(1));
    assert_eq!(drafts["counts"][1]["status"], "executed_dev");
    let show = govdeck(&world, "maya", &["bundle", "show", ID]);
    let shown = said(&show, 0);
    for line in [
        "postgis, standard, can be taken back, registered by lee",
        ": 1 tables, +1 indexes, 0 rows",
        "index public.roads_by_name: none -> sha256:",
        "approval.1 APPLIED in dev by lee and maya at",
        "migration.1 APPLIED in dev by kim at",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let (sentence, _) = refused(&govdeck(&world, "maya", &["bundle", "show", "x"]), 3);
    assert!(sentence.contains("there is no bundle"), "{sentence}");
    take_back(&world, ID, Tier::Dev, RunOutcome::RollbackFailed)
        .await
        .expect("ended");
    let red = govdeck(&world, "maya", &["bundle", "show", ID]);
    assert!(said(&red, 1).contains("ROLLBACK_FAILED in dev"), "{red:?}");
    let pane = govdeck(&world, "maya", &["snapshot", "bundles"]);
    assert!(said(&pane, 0).contains("ROLLBACK FAILED"), "{pane:?}");
});

on_both!(the_registry_is_written_and_compared, |world| {
    let world = world.where_two_can_agree().await;
    made_up_to(&world, ID, Tier::Dev).await;
    let written = govdeck(&world, "maya", &["bundle", "registry"]);
    let text = said(&written, 0);
    let registry = Registry::read(text.as_bytes()).expect("a registry");
    let entry = &registry.migrations[0];
    assert_eq!(
        (&*entry.migration_id, entry.status.word()),
        (ID, "executed_dev")
    );
    let kinds: Vec<_> = entry.receipts.iter().map(|it| it.run_type.word()).collect();
    assert_eq!(kinds, ["approval", "merge", "migration"]);
    let file = world.home.folder().join("migrations.v1.json");
    std::fs::write(&file, text.as_bytes()).expect("written");
    let file = file.to_str().expect("text");
    let same = govdeck(&world, "maya", &["bundle", "registry", "--compare", file]);
    assert!(said(&same, 0).contains("PASS"), "{same:?}");
    register(&world, &plan(LATER, Tier::Dev))
        .await
        .expect("registered");
    register(&world, &plan(ID, Tier::Stage))
        .await
        .expect("registered");
    let differs = govdeck(&world, "maya", &["bundle", "registry", "--compare", file]);
    assert!(
        said(&differs, 1).contains(&format!("{LATER} is missing in the file")),
        "{differs:?}"
    );
    std::fs::write(file, "{}").expect("written");
    let malformed = govdeck(&world, "maya", &["bundle", "registry", "--compare", file]);
    refused(&malformed, 2);
    let early = apply(&world, ID, Tier::Stage, RunOutcome::Applied).await;
    early.expect_err("not approved");
});

on_both!(
    a_run_that_nobody_ended_in_time_is_said_to_be_given_up,
    |world| {
        let world = world.where_two_can_agree().await;
        merged(&world, ID).await;
        let claimed = world.act("kim", "claim_bundle_run", claim(ID, Tier::Dev));
        claimed.await.expect("claimed");
        let looks = || {
            [
                &["bundle", "list"][..],
                &["bundle", "show", ID],
                &["snapshot", "bundles", "--size", "200x60"],
            ]
            .map(|words| said(&govdeck(&world, "maya", words), 0).to_owned())
        };
        let [list, show, pane] = looks();
        assert!(list.contains("running dev: "), "{list}");
        assert!(pane.contains("running dev"), "{pane}");
        for text in [list, show, pane] {
            assert!(
                !text.contains("GIVEN UP") && !text.contains("OVER AN HOUR"),
                "{text}"
            );
        }
        let long_ago = if world.is_postgres() {
            "claimed_at_utc - INTERVAL '2 hours'"
        } else {
            "strftime('%Y-%m-%dT%H:%M:%S', claimed_at_utc, '-2 hours') || '.000000Z'"
        };
        let sql =
            format!("UPDATE bundle_run SET claimed_at_utc = {long_ago} WHERE outcome = 'running'");
        world.tamper("bundle_run", &sql);
        let [list, show, pane] = looks();
        assert!(list.contains("GIVEN UP? running dev: "), "{list}");
        assert!(show.contains("CLAIMED OVER AN HOUR AGO"), "{show}");
        assert!(
            show.contains(&format!("`govdeck bundle run {ID}.migration.1`")),
            "{show}"
        );
        assert!(pane.contains("GIVEN UP?"), "{pane}");
    }
);

on_both!(a_plan_whose_way_back_never_ran_comes_to_no_run, |world| {
    let world = world.where_two_can_agree().await;
    merged(&world, ID).await;
    // As somebody registers it who wrote down what a plan would do, and never let one run.
    let untried = Registration {
        led_back: false,
        ..plan(ID, Tier::Dev)
    };
    register(&world, &untried).await.expect("registered");
    let show = || said(&govdeck(&world, "maya", &["bundle", "show", ID]), 0).to_owned();
    let text = show();
    assert!(text.contains("ITS WAY BACK WAS NEVER RUN"), "{text}");
    let run = apply(&world, ID, Tier::Dev, RunOutcome::Applied).await;
    let refused = run.expect_err("refused");
    assert!(refused.contains("its way back was never run"), "{refused}");
    let stage = Registration {
        led_back: false,
        ..plan(ID, Tier::Stage)
    };
    register(&world, &stage).await.expect("registered");
    let approved = world.act("lee", "approve_bundle", approval(&world, ID, Tier::Stage));
    let refused = approved.await.expect_err("refused");
    assert!(refused.contains("its way back was never run"), "{refused}");
    // Once a plan of it led back, the approval that waits is worth what it was.
    register(&world, &plan(ID, Tier::Dev))
        .await
        .expect("registered");
    let ended = apply(&world, ID, Tier::Dev, RunOutcome::Applied).await;
    assert_eq!(ended.expect("made").outcome, RunOutcome::Applied);
    let text = show();
    assert!(
        text.contains("its way back was run, and led back"),
        "{text}"
    );
    world.assert_sound().await;
});

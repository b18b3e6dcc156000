//! `govdeck bundle list`, `show` and `registry`: what they say, and that a registry of the repository can be held against it.

use govdeck::rules::bundle::Registry;
use govdeck::rules::bundle_run::{RunOutcome, Tier};

use crate::cli_kit::{document, govdeck, refused, said};
use crate::support::bundle_story::{ID, LATER, apply, made_up_to, plan, register, take_back};
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

//! Bundles whose target is the ledger's own database: the change and the entry that ends its run are one transaction.

use std::fs;

use govdeck::actions::Asked;
use govdeck::rules::bundle_run::Tier;

use crate::cli_kit::{document, said};
use crate::support::bundle_story::{ID, approve, people};
use crate::support::command::{Run, kill_at_every, run, wait_for};
use crate::support::ground::allowing;
use crate::support::{REASON, World, on_both};

const TABLE: &str = "governance_metric_dictionary_current";
const FORWARD: &str = "ALTER TABLE governance_metric_dictionary_current ADD COLUMN breach TEXT;\n";
const ROLLBACK: &str = "ALTER TABLE governance_metric_dictionary_current DROP COLUMN breach;\n";

/// The calls by which a killed process could leave something half done.
const SQLITE_CALLS: &str = "pwrite64,fdatasync";
const POSTGRES_CALLS: &str = "sendto";

fn confirmed(world: &World, words: &[&str]) -> Run {
    let shown = run(world.govdeck("maya", &[words, &["--json"]].concat()));
    let phrase = document(&shown, 0, "act")["phrase"].clone();
    let phrase = phrase.as_str().expect("a phrase").to_owned();
    let answer = ["--confirm", &*phrase, "--reason", REASON];
    run(world.govdeck("maya", &[words, &answer].concat()))
}

/// A deployment that is its own target, where a bundle was merged; whoever owns the tables runs it.
async fn merged(world: World) -> World {
    merged_after(world, "SELECT 1").await
}

/// The same, where something was done to the database before.
async fn merged_after(world: World, sql: &str) -> World {
    let world = world.where_two_can_agree().await;
    world.owner_sql(sql);
    people(&world).await;
    for (by, to, role) in [
        ("maya", "lee", "governance_lead"),
        ("lee", "maya", "data_engineer"),
        ("lee", "maya", "ops_lead"),
    ] {
        let asked = Asked::of(to).with("role", role);
        world.act(by, "grant_role", asked).await.expect("granted");
    }
    let mut declaration = allowing(&[TABLE], 0);
    declaration.scope.protected_reference_tables.clear();
    declaration.approvals.reference = Some("ADR-7".to_owned());
    let folder = world.home.folder().join("postgis").join(ID);
    fs::create_dir_all(&folder).expect("the home is ours");
    for (name, text) in [
        (
            "migration.yml",
            &*serde_json::to_string(&declaration).expect("JSON"),
        ),
        ("forward.sql", FORWARD),
        ("rollback.sql", ROLLBACK),
        ("notes.md", "After the rollback the column is gone.\n"),
    ] {
        fs::write(folder.join(name), text).expect("the home is ours");
    }
    let folder = folder.to_str().expect("text");
    let words = [
        "bundle",
        "plan",
        folder,
        "--environment",
        "dev",
        "--in-place",
        "--register",
    ];
    let registered = confirmed(&world, &words);
    assert!(
        said(&registered, 0).contains("register-bundle"),
        "{registered:?}"
    );
    approve(&world, ID, Tier::Dev).await.expect("approved");
    let merged = world.act("lee", "merge_bundle", Asked::of(ID)).await;
    merged.expect("merged");
    world
}

/// Lets maya claim the run, as a console does that dies then.
async fn claimed(world: &World) -> String {
    let planned = world.rows("SELECT schema_fingerprint FROM bundle_plan");
    let asked = Asked::of(ID)
        .with("environment", "dev")
        .with("fingerprint", &*planned[0]);
    let claim = world.act("maya", "claim_bundle_run", asked).await;
    claim.expect("claimed");
    format!("{ID}.migration.1")
}

/// Tells whether the column is there, how the run stands, and how far the bundle has come.
fn stands(world: &World) -> String {
    let column = if world.is_postgres() {
        format!(
            "SELECT COUNT(*) FROM information_schema.columns WHERE table_name = '{TABLE}' AND column_name = 'breach'"
        )
    } else {
        format!("SELECT COUNT(*) FROM pragma_table_info('{TABLE}') WHERE name = 'breach'")
    };
    let run = "SELECT outcome FROM bundle_run WHERE run_type = 'migration'";
    world.owner_sql(&format!(
        "SELECT ({column}) || ' ' || ({run}) || ' ' || (SELECT status FROM bundle)"
    ))
}

on_both!(
    a_change_of_the_ledgers_own_database_is_made_and_taken_back,
    |world| {
        let world = merged(world).await;
        let made = confirmed(&world, &["bundle", "apply", ID, "--environment", "dev"]);
        assert!(said(&made, 0).contains(": applied"), "{made:?}");
        assert_eq!(stands(&world), "1 applied executed_dev");
        world.assert_sound().await;
        let back = confirmed(&world, &["bundle", "rollback", ID, "--environment", "dev"]);
        assert!(said(&back, 0).contains(": rolled_back"), "{back:?}");
        assert_eq!(stands(&world), "0 applied rolled_back");
        world.assert_sound().await;
    }
);

on_both!(
    a_run_killed_at_any_call_has_its_change_and_its_end_or_neither,
    |world| {
        let first = merged(world).await;
        let run_id = claimed(&first).await;
        let calls = if first.is_postgres() {
            POSTGRES_CALLS
        } else {
            SQLITE_CALLS
        };
        let (mut absent, mut whole) = (0, 0);
        let prepare = || {
            let world = wait_for(first.again());
            let command = world.govdeck("maya", &["bundle", "run", &run_id]);
            // Somebody else is connected, so that whoever leaves last in the killed process has nothing to tidy up.
            let other = wait_for(world.store("maya"));
            ((world, other), command)
        };
        let points = kill_at_every(calls, prepare, |point, (world, other), killed| {
            wait_for(async {
                other.close().await;
                world.assert_sound().await;
                match stands(&world).as_str() {
                    "0 running merged" => absent += 1,
                    "1 applied executed_dev" => whole += 1,
                    other => panic!("{point:?} left {other}"),
                }
                assert!(whole > 0 || killed.code != Some(0), "{point:?} said done");
            });
        });
        println!("{points} points of {calls}: {absent} absent, {whole} whole");
        assert!(absent > 0 && whole > 0, "the commit was hit on both sides");
    }
);

/// What cannot be sealed takes the change back with it, and its receipt says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_sealed_leaves_nothing_but_a_receipt() {
    const STRAY: &str = "CREATE TRIGGER stray BEFORE UPDATE ON bundle_run WHEN NEW.outcome = 'applied' \
         BEGIN SELECT RAISE(ABORT, 'not today'); END";
    let world = merged_after(World::sqlite().await, STRAY).await;
    let run_id = claimed(&world).await;
    let ended = run(world.govdeck("maya", &["bundle", "run", &run_id]));
    assert!(said(&ended, 1).contains(": failed"), "{ended:?}");
    assert_eq!(stands(&world), "0 failed merged");
    let receipts =
        "SELECT COUNT(*) FROM bundle_run WHERE outcome = 'failed' AND receipt_sha256 IS NOT NULL";
    assert_eq!(world.rows(receipts), ["1"]);
}

/// A copy says of itself what the original says, and is another database all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_the_ledgers_database_is_another_target() {
    let world = merged(World::sqlite().await).await;
    let run_id = claimed(&world).await;
    let copy = world.again().await;
    let mut command = world.govdeck("maya", &["bundle", "run", &run_id]);
    command.env("GOVDECK_BUNDLE_DSN", copy.dsn_text("maya"));
    let ended = run(command);
    assert!(said(&ended, 0).contains(": applied"), "{ended:?}");
    assert_eq!(stands(&world), "0 applied executed_dev");
    assert_eq!(stands(&copy), "1 running merged");
    world.assert_sound().await;
}

//! Decisions about bundles that are killed at any moment: the run, its receipt and the status are there together, or not at
//! all.

use govdeck::rules::bundle_run::Tier;

use crate::support::bundle_story::{ID, approve, people, plan, register};
use crate::support::command::{kill_at_every, wait_for};
use crate::support::{REASON, World, on_both};

/// The calls by which a killed process could leave something half done.
const SQLITE_CALLS: &str = "pwrite64,fsync,fdatasync,ftruncate,unlink,?rename,renameat2";
const POSTGRES_CALLS: &str = "sendto";

/// How far the bundle has come, and how much of its merge is stored: runs, receipts, evidence of an entry.
fn stored(world: &World) -> String {
    let count = |what: &str| format!("(SELECT COUNT(*) FROM {what})");
    world.owner_sql(&format!(
        "SELECT status, {}, {}, {} FROM bundle",
        count("bundle_run WHERE run_type = 'merge' AND receipt_sha256 IS NOT NULL"),
        count("artifact WHERE media_type LIKE '%bundle-receipt%'"),
        count("ledger_artifact WHERE role = 'bundle_receipt'"),
    ))
}

on_both!(a_decision_killed_at_any_call_is_whole_or_absent, |world| {
    let first = world.where_two_can_agree().await;
    people(&first).await;
    register(&first, &plan(ID, Tier::Dev))
        .await
        .expect("registered");
    approve(&first, ID, Tier::Dev).await.expect("approved");
    let calls = if first.is_postgres() {
        POSTGRES_CALLS
    } else {
        SQLITE_CALLS
    };
    let (mut absent, mut whole) = (0, 0);
    let prepare = || {
        let world = wait_for(first.again());
        let words = [
            "act",
            "merge-bundle",
            ID,
            "--confirm",
            ID,
            "--reason",
            REASON,
        ];
        let command = world.govdeck("maya", &words);
        (world, command)
    };
    let points = kill_at_every(calls, prepare, |point, world, killed| {
        wait_for(async {
            world.assert_sound().await;
            match stored(&world).as_str() {
                "approved|0|1|1" => absent += 1,
                "merged|1|2|2" => whole += 1,
                other => panic!("{point:?} left {other}"),
            }
            assert!(whole > 0 || killed.code != Some(0), "{point:?} said done");
        });
    });
    println!("{points} points of {calls}: {absent} absent, {whole} whole");
    assert!(absent > 0 && whole > 0, "the commit was hit on both sides");
});

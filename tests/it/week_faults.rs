//! Weekly runs that are killed at any moment: taken up again or missed, never half stored.

use std::fs;

use govdeck::canon::Digest;
use serde_json::json;

use crate::support::command::{
    KillPoint, Run, kill_at, kill_at_every, run as run_command, wait_for,
};
use crate::support::week_files::{Files, world_with_policy};
use crate::support::weeks::{MONDAYS, plan};
use crate::support::{World, on_both};

/// The calls by which a killed process could leave something half done.
const SQLITE_CALLS: &str = "pwrite64,fsync,fdatasync,ftruncate,unlink,?rename,renameat2";
const POSTGRES_CALLS: &str = "sendto";

/// When the claim of a run is over that began in its time, and when its grace is.
const CLAIM_OVER: &str = "2098-05-05T06:40:00Z";
const GRACE_OVER: &str = "2098-05-05T12:00:01Z";

/// How the window stands, and how much of its run is stored: kept metrics, pieces of evidence, the named diff.
fn stored(world: &World) -> String {
    world.owner_sql(
        "SELECT status, (SELECT COUNT(*) FROM reconciliation_metric m WHERE m.job_run_id = w.job_run_id) AS kept, \
         (SELECT COUNT(*) FROM artifact WHERE media_type LIKE '%reconcile%') AS filed, artifact_uri IS NOT NULL AS named \
         FROM reconciliation_window w",
    )
}

on_both!(a_run_killed_at_any_call_is_taken_up_or_missed, |world| {
    let first = world_with_policy(world).await;
    plan(&first, 0).await;
    first.set_time(MONDAYS[0]).await;
    let calls = if first.is_postgres() {
        POSTGRES_CALLS
    } else {
        SQLITE_CALLS
    };
    let (mut untouched, mut begun, mut ended, mut number) = (0, 0, 0, 0);
    let prepare = || {
        let world = wait_for(first.again());
        let files = Files::of(&world);
        let command = files.reconciling(&files.manifest(|_| {}), "scheduled");
        (world, command)
    };
    let points = kill_at_every(calls, prepare, |point, world, killed| {
        number += 1;
        wait_for(async {
            world.assert_sound().await;
            let before = stored(&world);
            match before.as_str() {
                "SCHEDULED|0|0|f" | "SCHEDULED|0|0|0" => untouched += 1,
                "RUNNING|0|0|f" | "RUNNING|0|0|0" => begun += 1,
                "PASS|2|2|t" | "PASS|2|2|1" => ended += 1,
                other => panic!("{point:?} left {other}"),
            }
            let is_over = before.starts_with("PASS");
            assert!(is_over || killed.code != Some(0), "{point:?} said done");
            if number % 2 == 0 {
                taken_up(point, &world, is_over).await;
            } else {
                missed(point, &world, is_over).await;
            }
            world.assert_sound().await;
        });
    });
    println!("{points} points of {calls}: {untouched} untouched, {begun} begun, {ended} ended");
    assert!(
        untouched > 0 && begun > 0 && ended > 0,
        "both commits were hit on both sides"
    );
});

/// Another process ends the run once the claim of the killed one is over.
async fn taken_up(point: &KillPoint, world: &World, is_over: bool) {
    world.set_time(CLAIM_OVER).await;
    let files = Files::of(world);
    let again = files.reconcile(&files.manifest(|_| {}), "scheduled");
    let wanted = i32::from(is_over);
    assert_eq!(again.code, Some(wanted), "{point:?}: {again:?}");
    assert!(
        !is_over || again.stderr.contains("no window of sla is open"),
        "{point:?}: {again:?}"
    );
    assert!(stored(world).starts_with("PASS|2|2|"), "{point:?}");
}

/// Nobody does, and the window is missed.
async fn missed(point: &KillPoint, world: &World, is_over: bool) {
    world.set_time(GRACE_OVER).await;
    let swept = run_command(world.govdeck("maya", &["window", "sweep"]));
    assert_eq!(swept.code, Some(0), "{point:?}: {swept:?}");
    let wanted = if is_over { "PASS|2|2|" } else { "MISSED|0|0|" };
    let found = stored(world);
    assert!(found.starts_with(wanted), "{point:?}: {found}");
}

/// The diff of this lies outside the database: nothing half written ever has its name, and nothing is left lying about.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_diff_outside_the_database_is_whole_or_absent() {
    let world = world_with_policy(World::sqlite().await).await;
    plan(&world, 0).await;
    world.set_time(MONDAYS[0]).await;
    let files = Files::of(&world);
    let side = |value: u32| {
        let rows = (0..132_000).map(|number| format!("MET-{number:06},{value}\n"));
        "metric_id,value\n".to_owned() + &rows.collect::<String>()
    };
    files.side("lead", &side(3));
    files.side("annex/partner", &side(2));
    // Each metric of the diff names whom it is routed to.
    let (owner, backup) = ("o".repeat(200), "b".repeat(200));
    let manifest = files.manifest(|manifest| {
        manifest["owners"]["default"] = json!({"owner": owner, "backup": backup});
    });
    let folder = files.root.join("reconciliation/diffs");
    let listed = || {
        let entries = fs::read_dir(&folder).expect("the folder is there");
        let names = entries.map(|entry| entry.expect("read").file_name());
        let mut names: Vec<_> = names.map(|it| it.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let command = files.reconciling(&manifest, "scheduled");
    assert!(kill_at(1, "?rename,renameat2", &command).was_killed());
    assert!(stored(&world).starts_with("RUNNING|0|0|"));
    let half = listed();
    assert!(half.len() == 1 && half[0].contains(".part"), "{half:?}");
    world.assert_sound().await;
    world.set_time(CLAIM_OVER).await;
    let again: Run = files.reconcile(&manifest, "scheduled");
    assert_eq!(again.code, Some(1), "{again:?}");
    let uri = world.rows("SELECT artifact_uri FROM reconciliation_window");
    let (path, sha256) = uri[0]
        .strip_prefix("file:")
        .and_then(|uri| uri.split_once("#sha256:"))
        .expect("it lies outside");
    let bytes = fs::read(files.root.join(path)).expect("it is there");
    assert!(bytes.len() > 64 << 20, "{}", bytes.len());
    assert_eq!(Digest::of(&bytes).to_string(), sha256);
    assert_eq!(listed(), [format!("{sha256}.json")]);
    world.assert_sound().await;
}

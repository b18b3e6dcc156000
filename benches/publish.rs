//! Measures minting a large run and the gate's decision about it against raw SHA-256 of the same bytes.
//!
//! Every number is a ratio of two sides measured in one run, the median of several turns. SQLite works in a file of the
//! temp folder; PostgreSQL is measured where `GOVDECK_BENCH_DSN` names a database, as `scripts/bench` does.
//! `GOVDECK_BENCH_ROWS` sets the number of rows (500 000 unless told).

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use govdeck::actions::{self, Asked, ByRule, Outcome, Request};
use govdeck::canon::{Digest, tuple_leaves};
use govdeck::rules::block::SnapshotStatus;
use govdeck::rules::drift::Side;
use govdeck::rules::guard::Answer;
use govdeck::store::Store;
use govdeck::store::leaf::{self, NewLeaves};
use govdeck::store::publish::{self, Snapshot};

mod deployment;

use deployment::established;

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> Done<()> {
    let is_trial = !std::env::args().any(|word| word == "--bench");
    let rows = std::env::var("GOVDECK_BENCH_ROWS").ok();
    let rows = rows.and_then(|rows| rows.parse().ok()).unwrap_or(500_000);
    let (rows, turns) = if is_trial { (1_000, 1) } else { (rows, 5) };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("rows.json"), json(rows, 0))?;
    // Every hundredth cell has another value, the first is gone and one is new.
    fs::write(folder.path().join("source.json"), json(rows, 100))?;
    runtime.block_on(async {
        let file = format!("sqlite:{}", folder.path().join("bench.db").display());
        measure("SQLite", &file, folder.path(), turns).await?;
        let Ok(dsn) = std::env::var("GOVDECK_BENCH_DSN") else {
            println!("PostgreSQL: not measured, GOVDECK_BENCH_DSN is not set");
            return Ok(());
        };
        measure("PostgreSQL", &dsn, folder.path(), turns).await
    })
}

/// Rows as exporters write them, in no order; with `every` above 0, every so many have another value.
fn json(rows: u32, every: u32) -> String {
    let mut text = String::from("[");
    for n in 0..rows {
        let place = u64::from(n) * 7_919 % u64::from(rows);
        let place = u32::try_from(place).unwrap_or(n) + u32::from(every > 0);
        let edited = every > 0 && n % every == 0;
        let comma = if n == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}\n{{\"metric_id\":\"MET-{:04}\",\"dimension_filter_id\":\"platform=quest;region=eu;cell={place}\",\
             \"value\":{}.{:02},\"unit\":\"percent\",\"window_start\":\"2026-05-11T00:00:00Z\",\"window_end\":\"2026-05-18T00:00:00Z\",\
             \"squad\":\"squad-{}\",\"owner\":\"analytics-{}\",\"dictionary_semver\":\"v2.4.0\",\"is_certified\":true}}",
            place % 400,
            place % 977,
            u32::from(edited) + place % 90,
            place % 12,
            place % 7
        );
    }
    text.push_str("\n]\n");
    text
}

/// How long each part took in one turn.
#[derive(Default)]
struct Times {
    raw: Vec<Duration>,
    mint: Vec<Duration>,
    pass: Vec<Duration>,
    drift: Vec<Duration>,
}

async fn measure(name: &str, dsn: &str, folder: &Path, turns: u32) -> Done<()> {
    let store = established(dsn).await?;
    register_footer(&store).await?;
    let mut times = Times::default();
    let mut bytes = 0;
    for turn in 0..turns {
        let begun = Instant::now();
        for side in ["rows.json", "source.json"] {
            let text = fs::read(folder.join(side))?;
            bytes += text.len() / 2;
            std::hint::black_box(Digest::of(&text));
        }
        times.raw.push(begun.elapsed());
        let drifts = format!("drift-{name}-{turn}-{}", std::process::id());
        let begun = Instant::now();
        mint(&store, &drifts, folder, "source.json").await?;
        times.mint.push(begun.elapsed());
        let begun = Instant::now();
        decide(&store, &drifts, "blocked").await?;
        times.drift.push(begun.elapsed());
        let passes = format!("pass-{name}-{turn}-{}", std::process::id());
        mint(&store, &passes, folder, "rows.json").await?;
        let begun = Instant::now();
        decide(&store, &passes, "gate_passed").await?;
        times.pass.push(begun.elapsed());
    }
    let raw = median(times.raw);
    println!(
        "{name}: two sides of {} MB, median of {turns} turns; reading and raw SHA-256 of both {:.0} ms",
        bytes / (turns as usize) / 1_000_000,
        raw * 1e3
    );
    for (what, all) in [
        ("mint: read, hash, leaves, insert", times.mint),
        ("gate, the sides equal", times.pass),
        ("gate, the sides compared leaf by leaf", times.drift),
    ] {
        let one = median(all);
        println!(
            "  {what:<38} {:>8.0} ms {:>8.2} x raw",
            one * 1e3,
            one / raw
        );
    }
    store.close().await;
    Ok(())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

async fn mint(store: &Store, run: &str, folder: &Path, source: &str) -> Done<()> {
    let minted_at = store.view().await?.now();
    let publish = tuple_leaves(fs::read(folder.join("rows.json"))?)?;
    let source = tuple_leaves(fs::read(folder.join(source))?)?;
    let snapshot = Snapshot {
        publish_run_id: run.to_owned(),
        publish_scope: "sla/partners".to_owned(),
        freeze_id: "fz-1".to_owned(),
        lift_id: "lf-1".to_owned(),
        dry_run_id: "dr-1".to_owned(),
        publish_tuple_hash: Some(publish.digest.to_string()),
        source_tuple_hash: Some(source.digest.to_string()),
        footer_schema_semver: Some("v2.4.0".to_owned()),
        replay_parser_contract: None,
        epsilon_policy_version: None,
        source_ref: None,
        artifact_ref: None,
        source_observed_at_utc: Some(store.view().await?.now()),
        freeze_bypass_id: None,
        // No other bench may find its blocks open.
        drill: true,
        status: SnapshotStatus::PendingGate,
        block_reason: None,
        created_at_utc: minted_at,
        decided_at_utc: None,
        version: 0,
    };
    let leaves = [
        NewLeaves::new(Side::Publish, publish.leaves),
        NewLeaves::new(Side::Source, source.leaves),
    ];
    leaf::mint(store, &snapshot, &leaves).await?;
    Ok(())
}

async fn decide(store: &Store, run: &str, becomes: &str) -> Done<()> {
    let drift = actions::explained(store, run).await?;
    let request = Request::by_rule(ByRule::DecideRun {
        run: run.to_owned(),
    })?;
    match actions::carry_out(store, request.with_prepared(drift)).await {
        Outcome::Done(_) => {
            let found = publish::snapshot(&mut store.view().await?, run).await?;
            let status = found.map(|run| run.status.word());
            assert_eq!(status, Some(becomes));
            Ok(())
        }
        other => Err(format!("not done: {other:?}").into()),
    }
}

async fn register_footer(store: &Store) -> Done<()> {
    let mut view = store.view().await?;
    if publish::footer_schema(&mut view).await?.is_some() {
        return Ok(());
    }
    let proposal = actions::propose(&mut view, "register_footer", Asked::of("v2.4.0")).await?;
    drop(view);
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some("because the bench measures it".into()),
    };
    match actions::carry_out(store, proposal.confirm(&answer)?).await {
        Outcome::Done(_) => Ok(()),
        other => Err(format!("not registered: {other:?}").into()),
    }
}

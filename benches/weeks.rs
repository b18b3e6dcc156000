//! Measures pages of ten years of weekly runs against the first page: around a run in the middle, and the last; and the
//! same where twenty series ran as long.
//!
//! Every number is a ratio of two sides measured in one run, the median of several turns. SQLite works in a file of the
//! temp folder; PostgreSQL is measured where `GOVDECK_BENCH_DSN` names a database without weekly runs, as `scripts/bench`
//! does.

use std::error::Error;
use std::time::{Duration, Instant};

use govdeck::store::Store;
use govdeck::store::week::{WeekSort, listed};
use govdeck::store::window::{Anchor, Look};

mod deployment;
mod plain;

use deployment::established;
use plain::Plain;

type Done<T> = Result<T, Box<dyn Error>>;

/// How many rows a page has on either side of its anchor.
const REACH: u16 = 25;

/// The Mondays of ten years.
const WEEKS: u32 = 522;

/// How many times the first page any other may take.
const GOAL: f64 = 1.5;

fn main() -> Done<()> {
    let is_trial = !std::env::args().any(|word| word == "--bench");
    let turns = if is_trial { 3 } else { 101 };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        println!(
            "pages of {} weekly runs against the first page; goal {GOAL} x",
            2 * REACH
        );
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("weeks.db");
        let dsn = format!("sqlite:{}", path.display());
        let store = established(&dsn).await?;
        let plain = Plain::connect(&dsn).await?;
        measure("SQLite", &store, plain, turns).await?;
        let Ok(dsn) = std::env::var("GOVDECK_BENCH_DSN") else {
            println!("PostgreSQL: not measured, GOVDECK_BENCH_DSN is not set");
            return Ok(());
        };
        let store = established(&dsn).await?;
        let plain = Plain::connect(&dsn).await?;
        measure("PostgreSQL", &store, plain, turns).await
    })
}

/// Puts a series and its weeks there past every wall.
async fn fill(plain: &mut Plain, series: u32) -> Done<()> {
    let at = |days: &str| match plain {
        Plain::Sqlite(_) => format!(
            "strftime('%Y-%m-%dT%H:%M:%S', '2016-01-04T06:00:00', ({days}) || ' days') || '.000000Z'"
        ),
        Plain::Postgres(_) => {
            format!("TIMESTAMPTZ '2016-01-04T06:00:00Z' + ({days}) * INTERVAL '1 day'")
        }
    };
    let (first, week) = (at("0"), at("i * 7"));
    let sql = format!(
        "INSERT INTO reconciliation_series (series_id, active, first_at_utc, every_minutes, early_minutes, grace_minutes, quorum, \
         override_quorum, registered_by, registered_at_utc, version) VALUES ('series{series}', TRUE, {first}, 10080, 60, 360, 1, 2, \
         'founder', {first}, 1); \
         WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {WEEKS}) \
         INSERT INTO reconciliation_window (job_run_id, series_id, run_kind, status, scheduled_at, completed_at, skip_reason, version) \
         SELECT 'series{series}.' || i, 'series{series}', 'scheduled', 'SKIP', {week}, {week}, 'maintenance', 1 FROM n;"
    );
    plain.past_every_wall(&sql).await
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

async fn measure(name: &str, store: &Store, mut plain: Plain, turns: usize) -> Done<()> {
    fill(&mut plain, 0).await?;
    pages(name, store, &mut plain, 1, turns).await?;
    for series in 1..20 {
        fill(&mut plain, series).await?;
    }
    pages(name, store, &mut plain, 20, turns).await
}

async fn pages(
    name: &str,
    store: &Store,
    plain: &mut Plain,
    series: u32,
    turns: usize,
) -> Done<()> {
    let rows = series * WEEKS;
    for (sort, key) in [
        (WeekSort::Time, "scheduled_at DESC, job_run_id DESC"),
        (WeekSort::Run, "job_run_id"),
    ] {
        let middle = format!(
            "SELECT job_run_id FROM reconciliation_window ORDER BY {key} LIMIT 1 OFFSET {}",
            rows / 2
        );
        let middle = plain.texts(&middle).await?.remove(0);
        let anchors = [Anchor::First, Anchor::Around(middle), Anchor::Last];
        let mut times = [vec![], vec![], vec![]];
        // All sides in turn, so that a machine that slows down slows all of them.
        for _ in 0..turns {
            for (at, anchor) in anchors.iter().enumerate() {
                let look = Look {
                    sort,
                    anchor: anchor.clone(),
                    reach: REACH,
                    ..Look::default()
                };
                let begun = Instant::now();
                let window = listed(&mut store.view().await?, &look).await?;
                times[at].push(begun.elapsed());
                assert_eq!(window.rows.len(), usize::from(2 * REACH));
            }
        }
        let [first, middle, last] = times.map(median);
        let verdict = if middle.max(last) <= GOAL * first {
            "holds"
        } else {
            "MISSED"
        };
        println!(
            "{name}, {rows} runs by {sort}: middle {:.2} x, last {:.2} x the first page ({:.2} ms) {verdict}",
            middle / first,
            last / first,
            first * 1_000.0
        );
    }
    Ok(())
}

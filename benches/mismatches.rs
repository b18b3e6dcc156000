//! Measures what scans of a dictionary count: rows of which a pair does not match, with the index on just these against a look
//! at every row; what the index costs whoever writes very many rows; and what a pane reads of the newest scan.
//!
//! Every number is a ratio of two sides measured in one run. `GOVDECK_BENCH_ROWS` says how many rows the dictionary has. SQLite
//! works in a file of the temp folder; PostgreSQL is measured where `GOVDECK_BENCH_DSN` names a database with an empty
//! dictionary, as `scripts/bench` does.

use std::error::Error;
use std::time::{Duration, Instant};

use govdeck::jobs::scan::ROWS_AT_ONCE;
use govdeck::rules::migration::{DICTIONARY, Dialect, Site};
use govdeck::store::migration::{Compared, Stretch};
use govdeck::store::window::Look;
use govdeck::store::{Store, migration};

mod deployment;
mod plain;

use deployment::established;
use plain::Plain;

type Done<T> = Result<T, Box<dyn Error>>;

const PAIRS: [(&str, &str); 2] = [
    ("breach_count", "breachCount"),
    ("owner_route_id", "route.ownerRouteId"),
];
/// One row in so many does not match.
const ONE_IN: u32 = 200;
/// In how many pieces the rows are written, each on both sides in turn.
const PIECES: u32 = 20;
/// The same table without the index.
const TWIN: &str = "dictionary_without_the_index";

struct Scale {
    rows: u32,
    turns: usize,
}

fn main() -> Done<()> {
    let is_trial = !std::env::args().any(|word| word == "--bench");
    let rows = match std::env::var("GOVDECK_BENCH_ROWS") {
        Ok(rows) => rows.parse()?,
        Err(_) if is_trial => 20_000,
        Err(_) => 1_000_000,
    };
    let turns = if is_trial { 3 } else { 11 };
    let scale = Scale { rows, turns };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        println!("{rows} rows, one in {ONE_IN} does not match; goals 1/50 of the full look, writes 1.10 x, counters 1 ms");
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("mismatches.db");
        let dsn = format!("sqlite:{}", path.display());
        let store = established(&dsn).await?;
        let plain = Plain::connect(&dsn).await?;
        measure("SQLite", &store, plain, &scale).await?;
        let Ok(dsn) = std::env::var("GOVDECK_BENCH_DSN") else {
            println!("PostgreSQL: not measured, GOVDECK_BENCH_DSN is not set");
            return Ok(());
        };
        let store = established(&dsn).await?;
        let plain = Plain::connect(&dsn).await?;
        measure("PostgreSQL", &store, plain, &scale).await
    })
}

async fn measure(name: &str, store: &Store, mut plain: Plain, scale: &Scale) -> Done<()> {
    let index = prepare(&mut plain).await?;
    let written = write(&mut plain, scale).await?;
    println!(
        "{name}: writes {:.3} x the same without the index ({:.0} and {:.0} rows a second)",
        written.with.as_secs_f64() / written.without.as_secs_f64(),
        f64::from(scale.rows) / written.with.as_secs_f64(),
        f64::from(scale.rows) / written.without.as_secs_f64(),
    );
    if matches!(plain, Plain::Postgres(_)) {
        plain.run(&format!("DROP TABLE {TWIN}")).await?;
        plain.run(&format!("VACUUM ANALYZE {DICTIONARY}")).await?;
    } else {
        plain
            .run(&format!(
                "DROP TABLE {TWIN}; PRAGMA wal_checkpoint(TRUNCATE)"
            ))
            .await?;
    }
    let expected = i64::from(scale.rows / ONE_IN);
    walk(name, store, scale.rows, expected).await?;
    let indexed = look(store, scale.turns, expected).await?;
    plain.run(&index).await?;
    let full = look(store, scale.turns.min(5), expected).await?;
    println!(
        "{name}: totals by metric and squad {:.1} ms with the index, {:.1} ms with a look at every row: 1/{:.0}",
        indexed * 1_000.0,
        full * 1_000.0,
        full / indexed
    );
    counters(name, store, &mut plain, scale.turns).await
}

/// Makes the columns, the views and the index, and the same table without it; returns what drops the index.
async fn prepare(plain: &mut Plain) -> Done<String> {
    let site = match plain {
        Plain::Sqlite(_) => Site {
            dialect: Dialect::Sqlite,
            schema: "main",
        },
        Plain::Postgres(_) => Site {
            dialect: Dialect::Postgres,
            schema: "public",
        },
    };
    let columns: Vec<String> = PAIRS
        .iter()
        .zip(["INTEGER", "TEXT"])
        .flat_map(|((legacy, modern), kind)| [(legacy, kind), (modern, kind)])
        .map(|(column, kind)| format!("ALTER TABLE {DICTIONARY} ADD COLUMN \"{column}\" {kind};"))
        .collect();
    plain.run(&columns.concat()).await?;
    // Without triggers on either side: what is compared is the index alone.
    let twin = match plain {
        Plain::Sqlite(_) => {
            let walls = format!(
                "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{DICTIONARY}'"
            );
            let walls = plain.texts(&walls).await?.concat();
            plain.run(&walls).await?;
            let made = format!(
                "SELECT replace(sql, '{DICTIONARY}', '{TWIN}') FROM sqlite_master WHERE name = '{DICTIONARY}'"
            );
            plain.texts(&made).await?.concat()
                // Rows come in no order of their key: with a small cache, ten million of them would measure the disk.
                + "; PRAGMA foreign_keys = OFF; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -4000000"
        }
        Plain::Postgres(_) => format!(
            "CREATE TABLE {TWIN} (LIKE {DICTIONARY} INCLUDING ALL); SET session_replication_role = replica"
        ),
    };
    plain.run(&twin).await?;
    plain.run(&site.wide_view(&PAIRS)).await?;
    plain.run(&site.long_view(&PAIRS)).await?;
    // One by one: PostgreSQL builds such an index in no transaction.
    plain.run(&site.index(&PAIRS)).await?;
    Ok(site.drop_index())
}

struct Written {
    with: Duration,
    without: Duration,
}

/// Writes the same rows into both tables, piece by piece, now the one first and now the other.
async fn write(plain: &mut Plain, scale: &Scale) -> Done<Written> {
    let mut written = Written {
        with: Duration::ZERO,
        without: Duration::ZERO,
    };
    let numbers = |plain: &Plain, from: u32, to: u32| match plain {
        Plain::Sqlite(_) => format!(
            "WITH RECURSIVE n (i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {to})"
        ),
        Plain::Postgres(_) => {
            format!("WITH n (i) AS (SELECT generate_series({from}, {to} - 1))")
        }
    };
    let piece = scale.rows / PIECES;
    for turn in 0..PIECES {
        let (from, to) = (turn * piece + 1, (turn + 1) * piece + 1);
        let numbers = numbers(plain, from, to);
        let tables = if turn % 2 == 0 {
            [DICTIONARY, TWIN]
        } else {
            [TWIN, DICTIONARY]
        };
        for table in tables {
            let sql = format!(
                "{numbers} INSERT INTO {table} (dictionary_metric_id, dimension_filter_id, owning_squad, breach_count, \"breachCount\", \
                 owner_route_id, \"route.ownerRouteId\") SELECT 'MET-' || (10000 + i % 5000), 'filter-' || i, 'squad-' || (i % 40), i, \
                 CASE i % {ONE_IN} WHEN 0 THEN i + 1 ELSE i END, 'route-' || (i % 900), 'route-' || (i % 900) FROM n"
            );
            let begun = Instant::now();
            plain.run(&sql).await?;
            let took = begun.elapsed();
            if table == TWIN {
                written.without += took;
            } else {
                written.with += took;
            }
        }
    }
    Ok(written)
}

/// Times the totals as a scan counts them.
async fn look(store: &Store, turns: usize, expected: i64) -> Done<f64> {
    let mut times = Vec::new();
    for _ in 0..turns {
        let mut view = store.view().await?;
        let begun = Instant::now();
        let (found, worst) = migration::differing(&mut view, &PAIRS, &Stretch::default()).await?;
        times.push(begun.elapsed());
        assert_eq!(found, expected);
        assert!(!worst.is_empty());
    }
    Ok(median(times))
}

/// Times the looks that a scan makes of it, beside one look at every row.
async fn walk(name: &str, store: &Store, rows: u32, expected: i64) -> Done<()> {
    let mut view = store.view().await?;
    let begun = Instant::now();
    let whole = migration::compare(&mut view, &PAIRS, &Stretch::default()).await?;
    let at_once = begun.elapsed().as_secs_f64();
    drop(view);
    let (mut found, mut longest, mut all, mut looks) = (Compared::default(), 0.0_f64, 0.0, 0);
    let mut after: Option<String> = None;
    loop {
        let mut view = store.view().await?;
        let begun = Instant::now();
        let stretch =
            migration::next_stretch(&mut view, after.as_deref(), ROWS_AT_ONCE.min(rows / 10))
                .await?;
        found = found.and(migration::compare(&mut view, &PAIRS, &stretch).await?);
        let took = begun.elapsed().as_secs_f64();
        (longest, all, looks) = (longest.max(took), all + took, looks + 1);
        after = stretch.until;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((found.rows, found.mismatches), (whole.rows, expected));
    assert_eq!(found.worst, whole.worst);
    println!(
        "{name}: a scan in {looks} looks {:.2} s, {:.2} x one look at all; the longest {:.0} ms",
        all,
        all / at_once,
        longest * 1_000.0
    );
    Ok(())
}

/// Times what a pane reads of the newest scan, of which a thousand metrics are kept.
async fn counters(name: &str, store: &Store, plain: &mut Plain, turns: usize) -> Done<()> {
    let at = match plain {
        Plain::Sqlite(_) => "strftime('%Y-%m-%dT%H:%M:%S', 'now') || '.000000Z'",
        Plain::Postgres(_) => "now()",
    };
    let hash = "a".repeat(64);
    let scan = "a".repeat(32);
    plain
        .past_every_wall(&format!(
            "INSERT INTO dual_write_scan (scan_id, migration_id, scanned_at_utc, status, rows_total, mismatches, inputs_sha256, detail) \
             VALUES ('{scan}', 'bench', {at}, 'whole', 1000, 1000, '{hash}', 'x'); \
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) \
             INSERT INTO dual_write_scan_metric (scan_id, metric_id, owning_squad, mismatches) SELECT '{scan}', 'MET-' || i, 'squad', i FROM n;"
        ))
        .await?;
    let look = Look {
        reach: 49,
        ..Look::default()
    };
    let mut times = Vec::new();
    for _ in 0..turns {
        let mut view = store.view().await?;
        let begun = Instant::now();
        let totals = migration::mismatches(&mut view, &look).await?.rows;
        times.push(begun.elapsed());
        assert!(totals.len() > usize::from(look.reach));
    }
    println!(
        "{name}: the totals of the newest scan {:.2} ms",
        median(times) * 1_000.0
    );
    Ok(())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

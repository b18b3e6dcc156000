//! Measures windows of a long list of open blocks: a page in the middle and the last one against the first, among the open
//! blocks of a deployment with a long history, and where they are very many; and a whole picture of the pane with and
//! without that history. Then the same pages of a metric dictionary of very many ids, and what a filter of it takes.
//!
//! Every number is a ratio of two sides measured in one run, the median of several turns; beside the pages stands the same
//! ratio for pages by OFFSET. SQLite works in a file of the temp folder; PostgreSQL is measured where
//! `GOVDECK_BENCH_DSN` names a database without open blocks, as `scripts/bench` does.

use std::error::Error;
use std::ops::Range;
use std::time::{Duration, Instant};

use govdeck::console::panes::PaneId;
use govdeck::console::picture::{self, Wanted};
use govdeck::rules::filter::Filter;
use govdeck::store::Store;
use govdeck::store::block::{self, BlockSort};
use govdeck::store::dictionary::{self, MetricSort};
use govdeck::store::window::{Anchor, Look, Order};

mod deployment;
mod plain;

use deployment::established;
use plain::Plain;

type Done<T> = Result<T, Box<dyn Error>>;

/// How many rows a page has on either side of its anchor.
const REACH: u16 = 50;

/// How many blocks there are: little when the benches are only tried.
struct Scale {
    /// Open ones, as many as a bad week brings.
    open: u32,
    /// Blocks that ended.
    ended: u32,
    /// Open ones, as many as no week brings.
    many: u32,
    turns: usize,
    /// Metrics of a dictionary, as many as no team has.
    metrics: u32,
    /// Publish runs whose whole life the ledger keeps: one an hour for six years.
    kept: u32,
}

/// Whether blocks that are put there still wait for somebody.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Open,
    Ended,
}

fn main() -> Done<()> {
    let is_trial = !std::env::args().any(|word| word == "--bench");
    let scale = if is_trial {
        Scale {
            open: 500,
            ended: 2_000,
            many: 2_000,
            turns: 3,
            metrics: 2_000,
            kept: 500,
        }
    } else {
        Scale {
            open: 10_000,
            ended: 1_000_000,
            many: 1_000_000,
            turns: 41,
            metrics: 1_000_000,
            kept: 50_000,
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        println!(
            "pages of {} rows against the first page; goal 1.5 x",
            2 * REACH
        );
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("windows.db");
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

/// Puts blocks there past every wall, one each half minute until now, a third of them taken in time.
async fn fill(plain: &mut Plain, numbers: Range<u32>, standing: Standing) -> Done<()> {
    let at = |seconds: &str| match plain {
        Plain::Sqlite(_) => {
            format!("strftime('%Y-%m-%dT%H:%M:%S', 'now', ({seconds}) || ' seconds') || '.000000Z'")
        }
        Plain::Postgres(_) => {
            format!("date_trunc('second', now()) + ({seconds}) * INTERVAL '1 second'")
        }
    };
    let (blocked, due) = (at("i * -30"), at("i * -30 + 1800"));
    let (from, to) = (numbers.start, numbers.end);
    let rows = format!(
        "WITH RECURSIVE n (i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {to})"
    );
    let hash = "a".repeat(64);
    let ended = match standing {
        Standing::Open => "'blocked', NULL, NULL, NULL".to_owned(),
        Standing::Ended => format!("'withdrawn', '{hash}', {due}, {due}"),
    };
    let sql = format!(
        "{rows} INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, status, block_reason, \
         created_at_utc, decided_at_utc, version) SELECT 'pub-' || i, 'sla/partners', 'fz-31', 'lf-31', 'dr-31', 'blocked', \
         'tuple_drift', {blocked}, {blocked}, 1 FROM n; \
             {rows} INSERT INTO publish_replay_audit (publish_run_id, freeze_id, lift_id, dry_run_id, publish_tuple_hash, block_reason, also, \
         owner_user_id, backup_owner_user_id, sla_first_response_minutes, respond_by_utc, taken_by, taken_at_utc, drill, created_at_utc, \
         version, status, rehash_sha256, rehash_at_utc, resolved_at_utc) SELECT 'pub-' || i, 'fz-31', 'lf-31', 'dr-31', '{hash}', \
         'tuple_drift', '[]', 'founder', 'govdeck', 30, {due}, CASE WHEN i % 3 = 0 THEN 'founder' END, CASE WHEN i % 3 = 0 THEN {due} END, \
         FALSE, {blocked}, 1, {ended} FROM n;"
    );
    plain.past_every_wall(&sql).await
}

/// Releases a dictionary of very many metrics.
async fn fill_dictionary(plain: &mut Plain, metrics: u32) -> Done<()> {
    let number = match plain {
        Plain::Sqlite(_) => "printf('%07d', i)",
        Plain::Postgres(_) => "lpad(CAST(i AS TEXT), 7, '0')",
    };
    let hash = "SELECT sha256 FROM artifact ORDER BY sha256 LIMIT 1";
    let sql = format!(
        "INSERT INTO dictionary_release (dictionary_semver, major, minor, patch, pre, document_sha256, epsilons_sha256, metrics, changed, \
         released_by, released_at_utc, version) SELECT '1.0.0', 1, 0, 0, '', ({hash}), ({hash}), {metrics}, {metrics}, 'founder', at_utc, 1 \
         FROM ledger_head; \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {metrics}) \
         INSERT INTO metric_dictionary (metric_id, definition, formula, unit, aggregation_rule, epsilon_class, epsilon_abs, display_label, \
         dictionary_semver, version) SELECT 'MET-' || {number}, 'Breaches of the agreed response time', 'count(breach)', 'breaches', 'sum', \
         CASE i % 3 WHEN 0 THEN 'count' WHEN 1 THEN 'rate_bp' ELSE 'custom' END, '0', 'Breaches of team ' || i, '1.0.0', 1 FROM n;"
    );
    plain.past_every_wall(&sql).await
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

async fn measure(name: &str, store: &Store, mut plain: Plain, scale: &Scale) -> Done<()> {
    let Scale {
        open, ended, many, ..
    } = *scale;
    fill(&mut plain, 1..open + 1, Standing::Open).await?;
    let without = picture(store, scale.turns).await?;
    let ended = open + 1..open + 1 + ended;
    fill(&mut plain, ended.clone(), Standing::Ended).await?;
    let with = picture(store, scale.turns).await?;
    println!(
        "{name}: a picture of {open} open blocks, with {} that ended: {:.1} ms, {:.2} x the same without them",
        ended.len(),
        with * 1_000.0,
        with / without
    );
    past(name, store, &mut plain, scale).await?;
    pages(name, store, &mut plain, open, scale.turns).await?;
    if many > open {
        let more = ended.end..ended.end + (many - open);
        fill(&mut plain, more, Standing::Open).await?;
    }
    pages(name, store, &mut plain, many.max(open), scale.turns).await?;
    fill_dictionary(&mut plain, scale.metrics).await?;
    metrics(name, store, &mut plain, scale).await
}

/// Times pages of the dictionary against its first page, and filters against a look at every id.
async fn metrics(name: &str, store: &Store, plain: &mut Plain, scale: &Scale) -> Done<()> {
    let count = scale.metrics;
    let middle = format!("MET-{:07}", count / 2);
    let look = |sort, anchor, typed: &str| -> Done<Look<MetricSort>> {
        let filter = Filter::parse(typed, dictionary::METRIC_FIELDS);
        Ok(Look {
            filter: filter.map_err(|refusal| refusal.sentence)?,
            sort,
            order: Order::Natural,
            anchor,
            reach: REACH,
        })
    };
    let listed = async |look: &Look<MetricSort>| -> Done<(Duration, usize)> {
        let begun = Instant::now();
        let window = dictionary::listed(&mut store.view().await?, look).await?;
        Ok((begun.elapsed(), window.rows.len()))
    };
    for sort in MetricSort::ALL {
        let anchors = [Anchor::First, Anchor::Around(middle.clone()), Anchor::Last];
        let mut times = [vec![], vec![], vec![]];
        for _ in 0..scale.turns {
            for (at, anchor) in anchors.iter().enumerate() {
                times[at].push(listed(&look(*sort, anchor.clone(), "")?).await?.0);
            }
        }
        let [first, middle, last] = times.map(median);
        println!(
            "{name}, {count} metrics by {sort}: middle {:.2} x, last {:.2} x the first page ({:.1} ms)",
            middle / first,
            last / first,
            first * 1_000.0
        );
    }
    let every = "SELECT CAST(COUNT(*) AS TEXT) FROM metric_dictionary WHERE LOWER(metric_id) LIKE '%nothing%'";
    for (what, typed) in [
        ("one id", format!("id:{middle}")),
        ("what many have", "breaches".to_owned()),
        ("what nothing has", "nothing".to_owned()),
    ] {
        let look = look(MetricSort::Id, Anchor::First, &typed)?;
        let (mut filtered, mut scanned) = (vec![], vec![]);
        for _ in 0..scale.turns.min(9) {
            filtered.push(listed(&look).await?.0);
            let begun = Instant::now();
            plain.texts(every).await?;
            scanned.push(begun.elapsed());
        }
        let (filtered, scanned) = (median(filtered), median(scanned));
        println!(
            "{name}, {count} metrics, a filter for {what}: {:.1} ms, {:.2} x a look at every id",
            filtered * 1_000.0,
            filtered / scanned
        );
    }
    Ok(())
}

/// Writes what the ledger keeps of runs that were blocked, taken and withdrawn, one of a hundred not yet, and times a picture
/// of the moment after it.
async fn past(name: &str, store: &Store, plain: &mut Plain, scale: &Scale) -> Done<()> {
    let kept = scale.kept;
    let json = match plain {
        Plain::Sqlite(_) => "json_object",
        Plain::Postgres(_) => "json_build_object",
    };
    let at = "'2026-01-01T00:00:00.000000Z'";
    let hash = "a".repeat(64);
    let rows = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {kept}), \
         v (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM v WHERE v < 3), seq (seq) AS (SELECT seq FROM ledger_head) \
         INSERT INTO ledger_change (table_name, row_key, version, seq, row_sha256, after_image)"
    );
    let sql = format!(
        "{rows} SELECT 'publish_snapshots', 'kept-' || i, v, seq, '{hash}', CAST({json}('publish_run_id', 'kept-' || i, 'publish_scope', \
         'sla/partners', 'freeze_id', 'fz-31', 'lift_id', 'lf-31', 'dry_run_id', 'dr-31', 'status', 'blocked', 'block_reason', 'tuple_drift', \
         'created_at_utc', {at}, 'decided_at_utc', {at}, 'version', v) AS TEXT) FROM n, v, seq; \
         {rows} SELECT 'publish_replay_audit', 'kept-' || i, v, seq, '{hash}', CAST({json}('publish_run_id', 'kept-' || i, 'freeze_id', 'fz-31', \
         'lift_id', 'lf-31', 'dry_run_id', 'dr-31', 'publish_tuple_hash', '{hash}', 'block_reason', 'tuple_drift', 'also', '[]', \
         'owner_user_id', 'founder', 'backup_owner_user_id', 'govdeck', 'sla_first_response_minutes', 30, 'respond_by_utc', {at}, \
         'taken_by', CASE WHEN v > 1 THEN 'founder' END, 'taken_at_utc', CASE WHEN v > 1 THEN {at} END, 'drill', 1 = 0, \
         'created_at_utc', {at}, 'version', v, 'status', CASE WHEN v < 3 OR i % 100 = 0 THEN 'blocked' ELSE 'withdrawn' END) AS TEXT) FROM n, v, seq;"
    );
    plain.past_every_wall(&sql).await?;
    let mut now = wanted("kept-100");
    now.blocks.anchor = Anchor::First;
    for (pane, what) in [
        (PaneId::Blocks, "blocks"),
        (PaneId::Weeks, "weeks"),
        (PaneId::Ledger, "entries"),
    ] {
        now.pane = pane;
        let then = Wanted {
            as_of: Some(store.view().await?.now()),
            ..now.clone()
        };
        let (mut present, mut past) = (vec![], vec![]);
        for _ in 0..scale.turns.min(9) {
            for (wanted, times) in [(&now, &mut present), (&then, &mut past)] {
                let begun = Instant::now();
                let picture = picture::take(store, wanted).await?;
                times.push(begun.elapsed());
                assert_eq!(
                    picture.past.is_some_and(|past| past.is_ok()),
                    wanted.as_of.is_some()
                );
            }
        }
        let (present, past) = (median(present), median(past));
        println!(
            "{name}: a picture of {what} as of a moment, of a ledger of {kept} runs: {:.0} ms, {:.1} x one of now",
            past * 1_000.0,
            past / present
        );
    }
    Ok(())
}

fn wanted(id: &str) -> Wanted {
    Wanted {
        pane: PaneId::Blocks,
        blocks: Look {
            anchor: Anchor::Around(id.to_owned()),
            reach: REACH,
            ..Look::default()
        },
        selected: Some(("block", id.to_owned())),
        about: Some(("block", id.to_owned())),
        ..Wanted::default()
    }
}

/// Times a picture of the pane Blocks with a block in the middle selected, as the console takes one at each step.
async fn picture(store: &Store, turns: usize) -> Done<f64> {
    let first = Look {
        reach: REACH,
        ..Look::default()
    };
    let window = block::window(&mut store.view().await?, &first).await?;
    let selected = window.rows.last().ok_or("no block is open")?;
    let wanted = wanted(&selected.audit.publish_run_id);
    let mut times = Vec::new();
    for _ in 0..turns {
        let begun = Instant::now();
        let picture = picture::take(store, &wanted).await?;
        times.push(begun.elapsed());
        assert!(picture.lately.is_some() && !picture.possible.is_empty());
    }
    Ok(median(times))
}

async fn pages(
    name: &str,
    store: &Store,
    plain: &mut Plain,
    blocks: u32,
    turns: usize,
) -> Done<()> {
    for (sort, key) in [
        (
            BlockSort::TimeLeft,
            "is_taken, respond_by_utc, publish_run_id",
        ),
        (BlockSort::BlockedAt, "created_at_utc, publish_run_id"),
        (BlockSort::Run, "publish_run_id"),
    ] {
        let page = |offset: u32, most: u32| {
            format!(
                "SELECT publish_run_id FROM publish_replay_audit WHERE status = 'blocked' AND drill = FALSE \
                 ORDER BY {key} LIMIT {most} OFFSET {offset}"
            )
        };
        let most = u32::from(2 * REACH);
        let places = [0, blocks / 2, blocks - most];
        let middle = plain.texts(&page(places[1], 1)).await?.remove(0);
        let anchors = [Anchor::First, Anchor::Around(middle), Anchor::Last];
        let (mut windows, mut offsets) = ([vec![], vec![], vec![]], [vec![], vec![], vec![]]);
        // All sides in turn, so that a machine that slows down slows all of them.
        for turn in 0..turns {
            for (at, anchor) in anchors.iter().enumerate() {
                let look = Look {
                    filter: Filter::default(),
                    sort,
                    order: Order::Natural,
                    anchor: anchor.clone(),
                    reach: REACH,
                };
                let begun = Instant::now();
                let window = block::window(&mut store.view().await?, &look).await?;
                windows[at].push(begun.elapsed());
                assert_eq!(window.rows.len(), usize::from(2 * REACH));
                // Pages by OFFSET are too slow for as many turns.
                if turn < 3 {
                    let begun = Instant::now();
                    plain.texts(&page(places[at], most)).await?;
                    offsets[at].push(begun.elapsed());
                }
            }
        }
        let [first, middle, last] = windows.map(median);
        let [first_by, middle_by, last_by] = offsets.map(median);
        println!(
            "{name}, {blocks} open by {sort}: middle {:.2} x, last {:.2} x the first page ({:.1} ms); by OFFSET {:.0} x and {:.0} x",
            middle / first,
            last / first,
            first * 1_000.0,
            middle_by / first_by,
            last_by / first_by
        );
    }
    Ok(())
}

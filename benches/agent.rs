//! Measures an agent that watches many open blocks and windows: how much of a core it takes while nothing happens and while
//! something is written every second, and how soon after a block its page is delivered.
//!
//! Each number is a ratio of two sides measured in one run: processor time of this process over the time that passed, and
//! a page's way over the second that it may take. SQLite works in a file of the temp folder; PostgreSQL is measured where
//! `GOVDECK_BENCH_DSN` names a database without blocks, as `scripts/bench` does.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use govdeck::actions::{self, ByRule, Outcome, Request};
use govdeck::agent::{Agent, Halt, Place};
use govdeck::clock::Moment;
use govdeck::settings::{AgentSettings, Dsn};
use govdeck::store::{OsAccount, Store};
use nix::sys::resource::{UsageWho, getrusage};

mod deployment;
mod plain;

use deployment::established;
use plain::Plain;

type Done<T> = Result<T, Box<dyn Error>>;

/// What the agent is told: every page goes to a command that takes it at once.
const TOLD: &str = "[channel.page]\nkind = \"command\"\ncommand = [\"/bin/true\"]\n[[route]]\nevents = [\"*\"]\nchannels = [\"page\"]\n";

/// How much there is, and for how long it is watched: little when the benches are only tried.
struct Scale {
    blocks: u32,
    windows: u32,
    watched: Duration,
    pages: u32,
}

fn main() -> Done<()> {
    let is_trial = !std::env::args().any(|word| word == "--bench");
    let scale = if is_trial {
        Scale {
            blocks: 200,
            windows: 20,
            watched: Duration::from_millis(500),
            pages: 2,
        }
    } else {
        Scale {
            blocks: 10_000,
            windows: 1_000,
            watched: Duration::from_mins(2),
            pages: 21,
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("agent.db");
        measure("SQLite", &format!("sqlite:{}", path.display()), &scale).await?;
        let Ok(dsn) = std::env::var("GOVDECK_BENCH_DSN") else {
            println!("PostgreSQL: not measured, GOVDECK_BENCH_DSN is not set");
            return Ok(());
        };
        measure("PostgreSQL", &dsn, &scale).await
    })
}

/// Puts open blocks and planned windows there past every wall; nothing is due for hours.
async fn fill(plain: &mut Plain, scale: &Scale) -> Done<()> {
    let at = |seconds: &str| match plain {
        Plain::Sqlite(_) => {
            format!("strftime('%Y-%m-%dT%H:%M:%S', 'now', ({seconds}) || ' seconds') || '.000000Z'")
        }
        Plain::Postgres(_) => {
            format!("date_trunc('second', now()) + ({seconds}) * INTERVAL '1 second'")
        }
    };
    let (blocked, due) = (at("i * -1"), at("86400 - i"));
    let now = at("0");
    let (first, window) = (at("40 * 86400"), at("41 * 86400 + i * 86400"));
    let numbers = |count: u32| {
        format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        )
    };
    let (blocks, windows) = (numbers(scale.blocks), numbers(scale.windows));
    let hash = "a".repeat(64);
    plain
        .past_every_wall(&format!(
            "{blocks} INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, status, block_reason, \
             created_at_utc, decided_at_utc, version) SELECT 'pub-' || i, 'sla/partners', 'fz', 'lf', 'dr', 'blocked', 'tuple_drift', \
             {blocked}, {blocked}, 1 FROM n; \
             {blocks} INSERT INTO publish_replay_audit (publish_run_id, freeze_id, lift_id, dry_run_id, publish_tuple_hash, block_reason, also, \
             owner_user_id, backup_owner_user_id, sla_first_response_minutes, respond_by_utc, drill, created_at_utc, version, status) \
             SELECT 'pub-' || i, 'fz', 'lf', 'dr', '{hash}', 'tuple_drift', '[]', 'founder', 'govdeck', 1440, {due}, FALSE, {blocked}, 1, \
             'blocked' FROM n; \
             INSERT INTO reconciliation_series (series_id, first_at_utc, every_minutes, early_minutes, grace_minutes, active, quorum, override_quorum, \
             registered_by, registered_at_utc, version) \
             VALUES ('bench', {first}, 1440, 60, 360, TRUE, 1, 2, 'founder', {now}, 1); \
             {windows} INSERT INTO reconciliation_window (job_run_id, series_id, run_kind, status, scheduled_at, version) \
             SELECT 'bench.' || i, 'bench', 'scheduled', 'SCHEDULED', {window}, 1 FROM n;"
        ))
        .await
}

/// How much processor time this process has taken.
fn taken() -> Done<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let of = |time: nix::sys::time::TimeVal| -> Done<Duration> {
        let microseconds = u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec())?;
        Ok(Duration::from_micros(microseconds))
    };
    Ok(of(usage.user_time())? + of(usage.system_time())?)
}

/// Watches for a while, doing something each second, and returns which part of a core that took.
async fn part_of_a_core(
    watched: Duration,
    mut each_second: impl AsyncFnMut() -> Done<()>,
) -> Done<f64> {
    let (began, before) = (Instant::now(), taken()?);
    while began.elapsed() < watched {
        each_second().await?;
        tokio::time::sleep(Duration::from_secs(1).min(watched)).await;
    }
    let spent = taken()?.saturating_sub(before);
    Ok(spent.as_secs_f64() / began.elapsed().as_secs_f64())
}

async fn measure(name: &str, dsn: &str, scale: &Scale) -> Done<()> {
    let store = established(dsn).await?;
    let mut plain = Plain::connect(dsn).await?;
    fill(&mut plain, scale).await?;
    // Something that everybody who looks is woken by, and that changes nothing.
    let touch = match plain {
        Plain::Sqlite(_) => "PRAGMA user_version = 0",
        Plain::Postgres(_) => {
            "INSERT INTO change_counter AS c (slot, changes) VALUES (0, 1) ON CONFLICT (slot) DO UPDATE SET changes = c.changes + 1; NOTIFY govdeck"
        }
    };
    let place = Place {
        dsn: Dsn::parse(dsn).map_err(|fault| fault.to_string())?,
        account: OsAccount::of_this_process()?,
        governance_root: std::env::temp_dir(),
    };
    let told =
        AgentSettings::parse(TOLD, Path::new("agent.toml")).map_err(|error| error.sentence)?;
    let alone = part_of_a_core(scale.watched / 4, async || plain.run(touch).await).await?;
    let agent = Agent::new(place, told, "a bench".to_owned()).map_err(|it| it.sentence)?;
    let (stop, halt) = Halt::new();
    let working = tokio::spawn(async move { agent.run(halt).await });
    wait_until(&mut plain, "SELECT holder FROM agent_lease", 1).await?;
    // Its first look is taken, and the jobs that keep the house in order are done.
    tokio::time::sleep((scale.watched / 4).min(Duration::from_secs(3))).await;
    let still = part_of_a_core(scale.watched, async || Ok(())).await?;
    let busy = part_of_a_core(scale.watched, async || plain.run(touch).await).await?;
    println!(
        "{name}: watching {} open blocks and {} windows takes {:.2} % of a core while nothing happens, {:.2} % while something is \
         written every second (of which the writing is {:.2} %); goal 1 %",
        scale.blocks,
        scale.windows,
        still * 100.0,
        busy * 100.0,
        alone * 100.0
    );
    let mut ways = Vec::new();
    for page in 1..=scale.pages {
        ways.push(page_delivered(&store, &mut plain, page).await?);
    }
    ways.sort_unstable();
    let (median, worst) = (ways[ways.len() / 2], ways[ways.len() - 1]);
    println!(
        "{name}: a page is queued with its block, and delivered {:.3} x a second after it, at worst {:.3} x; goal 1 x",
        median.as_secs_f64(),
        worst.as_secs_f64()
    );
    stop.send_replace(true);
    working.await?.map_err(|refusal| refusal.sentence)?;
    store.close().await;
    Ok(())
}

/// Lets the gate block a run, and returns how long after that its page is delivered.
async fn page_delivered(store: &Store, plain: &mut Plain, page: u32) -> Done<Duration> {
    let now = Moment::on_this_workstation();
    let run = format!("page-{page}");
    plain
        .run(&format!(
            "INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, publish_tuple_hash, created_at_utc) \
             VALUES ('{run}', 'sla/partners', 'fz', 'lf', 'dr', '{}', '{}')",
            "a".repeat(64),
            now.plus_minutes(-1)
        ))
        .await?;
    let request = Request::by_rule(ByRule::DecideRun { run })?;
    match actions::carry_out(store, request).await {
        Outcome::Done(_) => {}
        other => return Err(format!("not decided: {other:?}").into()),
    }
    let began = Instant::now();
    let delivered = "SELECT notification_id FROM notification_delivery WHERE state = 'delivered'";
    wait_until(plain, delivered, page).await?;
    Ok(began.elapsed())
}

async fn wait_until(plain: &mut Plain, sql: &str, rows: u32) -> Done<()> {
    let began = Instant::now();
    while plain.texts(sql).await?.len() < usize::try_from(rows)? {
        if began.elapsed() > Duration::from_secs(30) {
            return Err(format!("waited in vain for {rows} rows of {sql}").into());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

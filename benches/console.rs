//! Measures the built console in a pseudo-terminal: start, keys, frames, idling, and the way from a commit to the screen.
//!
//! Every number is a ratio of two sides measured in one run, or stands beside its goal. SQLite works in files of the
//! temp folder; PostgreSQL is measured where `GOVDECK_BENCH_DSN` names a database, as `scripts/bench` does.

#[path = "../tests/it/support/terminal.rs"]
#[expect(dead_code, reason = "the stories need more of it than the benches")]
mod terminal;

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use govdeck::actions::{self, Asked, Outcome};
use govdeck::console::event::{Event, Sight};
use govdeck::console::keymap::Keymap;
use govdeck::console::live::Link;
use govdeck::console::model::{Model, Start};
use govdeck::console::panes::PaneId;
use govdeck::console::theme::{Depth, Theme};
use govdeck::console::ui::Glyphs;
use govdeck::console::{picture, screen};
use govdeck::rules::guard::Answer;
use govdeck::settings::Dsn;
use govdeck::store::{Access, OsAccount, Store};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

#[path = "console/bare.rs"]
mod bare;
mod deployment;
#[path = "console/keys.rs"]
mod keys;
#[path = "console/peers.rs"]
mod peers;
#[path = "console/ssh.rs"]
mod ssh;

use deployment::established;
use keys::{Through, quiet};
use ssh::Ssh;
use terminal::Terminal;

type Done<T> = Result<T, Box<dyn Error>>;

const SIZE: (u16, u16) = (120, 40);
/// The frame whose cost is measured.
const FRAME: Rect = Rect::new(0, 0, 200, 60);

/// How much is measured: little when the benches are only tried.
struct Scale {
    starts: usize,
    keys: usize,
    frames: usize,
    commits: usize,
    idle: Duration,
    /// Open blocks, as many as no week brings.
    many: u32,
    /// Open blocks, as many as a bad week brings, and those that ended before them.
    week: u32,
    ended: u32,
}

fn main() -> Done<()> {
    if bare::is_meant() {
        return Ok(bare::run()?);
    }
    let is_trial = !std::env::args().any(|word| word == "--bench");
    let scale = if is_trial {
        Scale {
            starts: 2,
            keys: 10,
            frames: 10,
            commits: 3,
            idle: Duration::from_secs(2),
            many: 2_000,
            week: 500,
            ended: 2_000,
        }
    } else {
        Scale {
            starts: 15,
            keys: 200,
            frames: 400,
            commits: 100,
            idle: Duration::from_secs(20),
            many: 1_000_000,
            week: 10_000,
            ended: 1_000_000,
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let folder = tempfile::tempdir()?;
    let home = folder.path();
    let file = |name: &str| format!("sqlite:{}", home.join(name).display());
    let [few, many, old, live] = ["few.db", "many.db", "old.db", "live.db"].map(file);
    runtime.block_on(async {
        for (dsn, open, ended) in [
            (&few, 100, 0),
            (&many, scale.many, 0),
            (&old, scale.week, scale.ended),
            (&live, 1, 0),
        ] {
            established(dsn).await?.close().await;
            fill(dsn, open, ended).await?;
        }
        Done::Ok(())
    })?;
    let long = format!("{} open and {} ended", scale.week, scale.ended);
    let sides = [
        ("100 open blocks", few.as_str()),
        ("many open blocks", &many),
        (long.as_str(), &old),
    ];
    starts(home, &few, &scale)?;
    for through in [Through::Nothing, Through::Tmux] {
        keys::measure(home, &sides, &scale, through)?;
    }
    match Ssh::start(home)? {
        Some(ssh) => keys::measure(home, &sides, &scale, Through::Ssh(&ssh))?,
        None => println!("    sshd is not installed, and keys over SSH are not measured"),
    }
    runtime.block_on(frames(&sides, &scale))?;
    idling(home, &live, &scale)?;
    runtime.block_on(commits("SQLite", home, &live, &scale))?;
    if let Ok(dsn) = std::env::var("GOVDECK_BENCH_DSN") {
        runtime.block_on(commits("PostgreSQL", home, &dsn, &scale))
    } else {
        println!("PostgreSQL: not measured, GOVDECK_BENCH_DSN is not set");
        Ok(())
    }
}

/// Prepares a program with an environment of its own.
fn program(home: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("HOME", home)
        .env("XDG_STATE_HOME", home.join("state"))
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("TERM", "xterm-256color")
        .env("LANG", "C.UTF-8")
        .current_dir(home);
    command
}

fn console(home: &Path, dsn: &str) -> Command {
    let mut command = program(home, env!("CARGO_BIN_EXE_govdeck"));
    command.env("GOVDECK_DSN", dsn);
    command
}

fn shell(home: &Path, script: &str) -> Command {
    let mut command = program(home, "sh");
    command.args(["-c", script]);
    command
}

fn quantile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100]
}

fn median(times: &[Duration]) -> Duration {
    quantile(times, 50)
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn starts(home: &Path, dsn: &str, scale: &Scale) -> Done<()> {
    let time = |command: &Command, shown: &str| {
        let begun = Instant::now();
        let terminal = Terminal::start(command, SIZE);
        terminal.wait_for(shown);
        begun.elapsed()
    };
    let peers = peers::installed(home)?;
    let (mut own, mut shells) = (vec![], vec![]);
    let mut theirs = vec![vec![]; peers.len()];
    for _ in 0..scale.starts {
        own.push(time(&console(home, dsn), " live "));
        shells.push(time(&shell(home, "echo ready; exec cat"), "ready"));
        for (times, peer) in theirs.iter_mut().zip(&peers) {
            times.push(time(&peer.command, peer.shown));
        }
    }
    let (own, shell) = (median(&own), median(&shells));
    println!(
        "start to the first useful frame: {:.0} ms, {:.1} x a shell's ({:.1} ms)",
        milliseconds(own),
        ratio(own, shell),
        milliseconds(shell)
    );
    for (times, peer) in theirs.iter().zip(&peers) {
        let took = median(times);
        println!(
            "    and {:.2} x that of {} ({:.0} ms); goal {:.2} x",
            ratio(own, took),
            peer.name,
            milliseconds(took),
            peer.goal
        );
    }
    Ok(())
}

async fn frames(sides: &[(&str, &str); 3], scale: &Scale) -> Done<()> {
    let mut models = Vec::new();
    for (_, dsn) in sides {
        models.push(at_blocks(dsn).await?);
    }
    let (mut alone, mut times) = (vec![], sides.map(|_| vec![]));
    let (mut front, mut back) = (Buffer::empty(FRAME), Buffer::empty(FRAME));
    // A screen full of letters that changes in one line, as a step in a list does.
    screen::draw(&models[0], &mut front);
    for _ in 0..scale.frames {
        let begun = Instant::now();
        back.reset();
        black_box(front.diff(&back));
        alone.push(begun.elapsed());
        for (times, model) in times.iter_mut().zip(&models) {
            let begun = Instant::now();
            back.reset();
            screen::draw(model, &mut back);
            black_box(front.diff(&back));
            times.push(begun.elapsed());
        }
    }
    let alone = median(&alone);
    let [few, rest @ ..] = times.map(|times| median(&times));
    println!(
        "a frame of {}x{}: {:.2} ms with {}, {:.2} x clear and diff alone ({:.2} ms); goal 3 x",
        FRAME.width,
        FRAME.height,
        milliseconds(few),
        sides[0].0,
        ratio(few, alone),
        milliseconds(alone)
    );
    for ((name, _), time) in sides.iter().skip(1).zip(rest) {
        println!(
            "    with {name}: {:.2} x that; goal 1.2 x",
            ratio(time, few)
        );
    }
    Ok(())
}

/// A model that looks at the open blocks of a database.
async fn at_blocks(dsn: &str) -> Done<Model> {
    let store = Store::open(&parsed(dsn)?, OsAccount::of_this_process()?, Access::Read).await?;
    let start = Start {
        keymap: Keymap::standard()?,
        theme: Theme::load("dark", None, Depth::Indexed256)?,
        depth: Depth::Indexed256,
        themes_folder: None,
        console_id: "bench".to_owned(),
        glyphs: Glyphs::Lines,
        place: dsn.to_owned(),
        signing: govdeck::actions::Signing::Without,
        way: picture::Way::Direct,
        elsewhere: None,
    };
    let mut model = Model::new(start, (FRAME.width, FRAME.height), None, Instant::now());
    model.pane = PaneId::Blocks;
    // The first look finds the row that the second one tells about.
    for _ in 0..2 {
        let picture = picture::take(&store, &model.wanted()).await?;
        let link = Link {
            heard: Some(Instant::now()),
            ..Link::default()
        };
        let sight = Sight {
            picture: Some(picture.into()),
            link,
        };
        model.update(Event::Sight(sight), Instant::now());
    }
    store.close().await;
    Ok(model)
}

fn idling(home: &Path, dsn: &str, scale: &Scale) -> Done<()> {
    let terminal = Terminal::start(&console(home, dsn), SIZE);
    terminal.wait_for(" live ");
    for (name, key, goal) in [
        ("nothing counts", "8", "0.10 % and no bytes"),
        (
            "one timer ticks",
            "4",
            "0.10 %, 64 bytes and one write a tick",
        ),
    ] {
        terminal.send_raw(key.as_bytes());
        quiet(&terminal);
        std::thread::sleep(Duration::from_millis(500));
        let tasks = format!("/proc/{}/task", terminal.pid());
        let (cpu, before) = (used(&tasks)?, terminal.written());
        let begun = Instant::now();
        let bare = bare_wakes(scale.idle)?;
        let seconds = begun.elapsed().as_secs_f64();
        let spent = used(&tasks)?.saturating_sub(cpu);
        let after = terminal.written();
        let per_second =
            |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds;
        println!(
            "{name}: {:.3} % CPU, {:.1} x a thread that wakes once a second and does nothing; {:.0} bytes in {:.1} pieces a second; goal {goal}",
            100.0 * spent.as_secs_f64() / seconds,
            ratio(spent, bare),
            per_second(after.0 - before.0),
            per_second(after.1 - before.1)
        );
    }
    let status = fs::read_to_string(format!("/proc/{}/status", terminal.pid()))?;
    for line in status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("RssAnon"))
    {
        println!(
            "    {}; goal 25 MB",
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        );
    }
    Ok(())
}

/// The processor time of a thread that does nothing but wake each second: what waking costs on this machine.
fn bare_wakes(idle: Duration) -> Done<Duration> {
    std::thread::spawn(move || {
        let own = Path::new("/proc/thread-self/schedstat");
        let before = time_in(own)?;
        for _ in 0..idle.as_secs() {
            std::thread::sleep(Duration::from_secs(1));
        }
        Some(time_in(own)?.saturating_sub(before))
    })
    .join()
    .ok()
    .flatten()
    .ok_or_else(|| "this system counts no time of threads".into())
}

/// The processor time of all threads of a process, exact where the usual counters go by hundredths of a second.
fn used(tasks: &str) -> Done<Duration> {
    let threads = fs::read_dir(tasks)?.filter_map(Result::ok);
    Ok(threads
        .filter_map(|thread| time_in(&thread.path().join("schedstat")))
        .sum())
}

fn time_in(schedstat: &Path) -> Option<Duration> {
    let said = fs::read_to_string(schedstat).ok()?;
    let nanoseconds = said.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

async fn commits(name: &str, home: &Path, dsn: &str, scale: &Scale) -> Done<()> {
    let store = established(dsn).await?;
    let terminal = Terminal::start(&console(home, dsn), SIZE);
    terminal.wait_for(" live ");
    let (mut times, mut plain) = (Vec::new(), Vec::new());
    for n in 0..scale.commits {
        // The commits come at odd moments of the second in which the console polls.
        tokio::time::sleep(Duration::from_millis(130)).await;
        let person = format!("seen-{n:04}-{}", std::process::id());
        let asked = Asked::of(&*person).with("name", format!("Person {n}"));
        let begun = Instant::now();
        let proposal = actions::propose(&mut store.view().await?, "add_person", asked).await?;
        let answer = Answer {
            typed: proposal.phrase(),
            reason: Some("because the bench measures it".into()),
        };
        done(actions::carry_out(&store, proposal.confirm(&answer)?).await)?;
        plain.push(begun.elapsed());
        let begun = Instant::now();
        terminal.wait_for(&person);
        times.push(begun.elapsed());
    }
    store.close().await;
    println!(
        "{name}: commit to changed screen p50 {:.1} ms, p95 {:.1} ms (goal 30 ms), {:.2} x the guarded write itself",
        milliseconds(median(&times)),
        milliseconds(quantile(&times, 95)),
        ratio(median(&times), median(&plain))
    );
    Ok(())
}

fn parsed(dsn: &str) -> Done<Dsn> {
    Ok(Dsn::parse(dsn).map_err(|fault| fault.to_string())?)
}

fn done(outcome: Outcome) -> Done<()> {
    match outcome {
        Outcome::Done(_) => Ok(()),
        other => Err(format!("not done: {other:?}").into()),
    }
}

/// Puts blocks into an SQLite file past its walls, which are put back: open ones, and before them those that ended.
async fn fill(dsn: &str, open: u32, ended: u32) -> Done<()> {
    let mut connection = SqliteConnection::connect(dsn).await?;
    let triggers = "FROM sqlite_master WHERE type = 'trigger'";
    let mut texts = Vec::new();
    for what in ["'DROP TRIGGER ' || name || ';'", "sql || ';'"] {
        let sql = AssertSqlSafe(format!("SELECT {what} {triggers}"));
        let found: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await?;
        texts.push(found.concat());
    }
    let sql = format!(
        "{} BEGIN; {} {} COMMIT; {} ANALYZE;",
        texts[0],
        rows(1, open, Standing::Open),
        rows(open + 1, open + ended, Standing::Ended),
        texts[1]
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

/// Whether blocks that are put there still wait for somebody.
#[derive(Clone, Copy)]
enum Standing {
    Open,
    Ended,
}

/// Writes the statements that put blocks there: open ones now, those that ended one each half minute before.
fn rows(from: u32, to: u32, standing: Standing) -> String {
    if to < from {
        return String::new();
    }
    let back = match standing {
        Standing::Open => "",
        Standing::Ended => ", ((i + 1) * -30) || ' seconds'",
    };
    let at =
        |later: &str| format!("strftime('%Y-%m-%dT%H:%M:%S', 'now'{back}{later}) || '.000000Z'");
    let (blocked, ended, due) = (at(""), at(", '+1 hour'"), at(", '+1 day'"));
    let hash = "a".repeat(64);
    let ended = match standing {
        Standing::Open => "'blocked', NULL, NULL, NULL".to_owned(),
        Standing::Ended => format!("'withdrawn', '{hash}', {ended}, {ended}"),
    };
    let numbers = format!(
        "WITH RECURSIVE n (i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i < {to})"
    );
    format!(
        "{numbers} INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, status, block_reason, \
         created_at_utc, decided_at_utc, version) SELECT printf('pub-%07d', i), 'sla/partners', 'fz-31', 'lf-31', 'dr-31', 'blocked', \
         'tuple_drift', {blocked}, {blocked}, 1 FROM n; \
         {numbers} INSERT INTO publish_replay_audit (publish_run_id, freeze_id, lift_id, dry_run_id, publish_tuple_hash, block_reason, also, \
         owner_user_id, backup_owner_user_id, sla_first_response_minutes, respond_by_utc, drill, created_at_utc, version, status, \
         rehash_sha256, rehash_at_utc, resolved_at_utc) SELECT printf('pub-%07d', i), 'fz-31', 'lf-31', 'dr-31', '{hash}', 'tuple_drift', '[]', \
         'founder', 'govdeck', 1440, {due}, FALSE, {blocked}, 1, {ended} FROM n;"
    )
}

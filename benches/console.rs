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

use govdeck::actions::{self, Asked, ByRule, Founding, Outcome, Request};
use govdeck::console::event::{Event, Sight};
use govdeck::console::keymap::Keymap;
use govdeck::console::live::Link;
use govdeck::console::model::{Model, Start};
use govdeck::console::panes::PaneId;
use govdeck::console::theme::{Depth, Theme};
use govdeck::console::ui::Glyphs;
use govdeck::console::{picture, screen};
use govdeck::rules::guard::Answer;
use govdeck::rules::people::Environment;
use govdeck::settings::Dsn;
use govdeck::store::{Access, OsAccount, Store, deployment, schema};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

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
    many: u32,
}

fn main() -> Done<()> {
    let is_trial = !std::env::args().any(|word| word == "--bench");
    let scale = if is_trial {
        Scale {
            starts: 2,
            keys: 10,
            frames: 10,
            commits: 3,
            idle: Duration::from_secs(2),
            many: 2_000,
        }
    } else {
        Scale {
            starts: 15,
            keys: 200,
            frames: 400,
            commits: 100,
            idle: Duration::from_secs(20),
            many: 1_000_000,
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let folder = tempfile::tempdir()?;
    let home = folder.path();
    let file = |name: &str| format!("sqlite:{}", home.join(name).display());
    let (few, many, live) = (file("few.db"), file("many.db"), file("live.db"));
    runtime.block_on(async {
        for (dsn, blocks) in [(&few, 100), (&many, scale.many), (&live, 1)] {
            established(dsn).await?.close().await;
            fill(dsn, blocks).await?;
        }
        Done::Ok(())
    })?;
    starts(home, &few, &scale)?;
    keys(home, &few, &many, &scale);
    runtime.block_on(frames(&few, &many, &scale))?;
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
    let gitui = program(home, "gitui").arg("--version").output().is_ok();
    if gitui {
        let made = program(home, "git").args(["init", "-q", "repo"]).status()?;
        assert!(made.success(), "a repository for gitui");
    }
    let mut sides = [vec![], vec![], vec![]];
    for _ in 0..scale.starts {
        sides[0].push(time(&console(home, dsn), " live "));
        sides[1].push(time(&shell(home, "echo ready; exec cat"), "ready"));
        if gitui {
            let mut command = program(home, "gitui");
            command.current_dir(home.join("repo"));
            sides[2].push(time(&command, "Status"));
        }
    }
    let own = median(&sides[0]);
    println!(
        "start to the first useful frame: {:.0} ms, {:.1} x a shell's ({:.1} ms)",
        milliseconds(own),
        ratio(own, median(&sides[1])),
        milliseconds(median(&sides[1]))
    );
    if gitui {
        println!("    and {:.2} x gitui's", ratio(own, median(&sides[2])));
    } else {
        println!("    gitui is not installed, and not measured");
    }
    Ok(())
}

/// Waits until nothing was written for a moment, and returns how much was.
fn quiet(terminal: &Terminal) -> usize {
    loop {
        let before = terminal.written();
        std::thread::sleep(Duration::from_millis(60));
        if terminal.written() == before {
            return before.0;
        }
    }
}

/// Sends a key and waits for what it brings: itself, or the first change of a screen.
fn press(terminal: &Terminal, key: &[u8], brings: &[u8]) -> Duration {
    let before = quiet(terminal);
    let begun = Instant::now();
    terminal.send_raw(key);
    terminal.wait_written(before, brings);
    begun.elapsed()
}

fn keys(home: &Path, few: &str, many: &str, scale: &Scale) {
    // A shell that edits its line, as people type into it.
    let interactive = "echo ready; exec bash --norc --noprofile -i";
    let echo = Terminal::start(&shell(home, interactive), SIZE);
    echo.wait_for("bash");
    let at_blocks = |dsn| {
        let terminal = Terminal::start(&console(home, dsn), SIZE);
        terminal.wait_for(" live ");
        terminal.send_raw(b"4");
        terminal.wait_for("> pub-");
        terminal
    };
    let (few, many) = (at_blocks(few), at_blocks(many));
    let mut sides = [vec![], vec![], vec![]];
    for turn in 0..scale.keys {
        let key = if turn % 20 < 10 { b"j" } else { b"k" };
        sides[0].push(press(&echo, key, key));
        sides[1].push(press(&few, key, b"\x1b["));
        sides[2].push(press(&many, key, b"\x1b["));
    }
    let [echo, few, many] = sides.map(|side| (median(&side), quantile(&side, 95)));
    println!(
        "key to changed screen: a shell's echo {:.2} ms (p95 {:.2})",
        milliseconds(echo.0),
        milliseconds(echo.1)
    );
    for (name, (p50, p95)) in [("100", few), ("many", many)] {
        println!(
            "    {name} open blocks: {:.2} ms (p95 {:.2}), {:.2} x that echo; goal 2 x",
            milliseconds(p50),
            milliseconds(p95),
            ratio(p50, echo.0)
        );
    }
}

async fn frames(few: &str, many: &str, scale: &Scale) -> Done<()> {
    let models = [at_blocks(few).await?, at_blocks(many).await?];
    let (mut alone, mut sides) = (vec![], [vec![], vec![]]);
    let (mut front, mut back) = (Buffer::empty(FRAME), Buffer::empty(FRAME));
    // A screen full of letters that changes in one line, as a step in a list does.
    screen::draw(&models[0], &mut front);
    for _ in 0..scale.frames {
        let begun = Instant::now();
        back.reset();
        black_box(front.diff(&back));
        alone.push(begun.elapsed());
        for (side, model) in sides.iter_mut().zip(&models) {
            let begun = Instant::now();
            back.reset();
            screen::draw(model, &mut back);
            black_box(front.diff(&back));
            side.push(begun.elapsed());
        }
    }
    let alone = median(&alone);
    let [few, many] = sides.map(|side| median(&side));
    println!(
        "a frame of {}x{}: {:.2} ms with 100 open blocks, {:.2} x clear and diff alone ({:.2} ms); goal 3 x",
        FRAME.width,
        FRAME.height,
        milliseconds(few),
        ratio(few, alone),
        milliseconds(alone)
    );
    println!(
        "    with many: {:.2} x that with 100; goal 1.2 x",
        ratio(many, few)
    );
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
        let (cpu, before) = (terminal.cpu(), terminal.written());
        let begun = Instant::now();
        std::thread::sleep(scale.idle);
        let seconds = begun.elapsed().as_secs_f64();
        let spent = terminal.cpu().saturating_sub(cpu).as_secs_f64();
        let after = terminal.written();
        let per_second =
            |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds;
        println!(
            "{name}: {:.2} % CPU, {:.0} bytes in {:.1} pieces a second; goal {goal}",
            100.0 * spent / seconds,
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

async fn established(dsn: &str) -> Done<Store> {
    let (store, _) = schema::prepare(&parsed(dsn)?, OsAccount::of_this_process()?).await?;
    let mut view = store.view().await?;
    let (there, login) = (deployment::find(&mut view).await?, view.login().to_owned());
    drop(view);
    if there.is_none() {
        let founding = Founding {
            name: "bench".into(),
            environment: Environment::Dev,
            founder: "founder".into(),
            login,
            backup: None,
        };
        done(actions::carry_out(&store, Request::by_rule(ByRule::Establish(founding))?).await)?;
    }
    Ok(store)
}

fn done(outcome: Outcome) -> Done<()> {
    match outcome {
        Outcome::Done(_) => Ok(()),
        other => Err(format!("not done: {other:?}").into()),
    }
}

/// Puts open blocks into an SQLite file past its walls, which are put back.
async fn fill(dsn: &str, blocks: u32) -> Done<()> {
    let mut connection = SqliteConnection::connect(dsn).await?;
    let triggers = "FROM sqlite_master WHERE type = 'trigger'";
    let mut texts = Vec::new();
    for what in ["'DROP TRIGGER ' || name || ';'", "sql || ';'"] {
        let sql = AssertSqlSafe(format!("SELECT {what} {triggers}"));
        let found: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await?;
        texts.push(found.concat());
    }
    let now = "strftime('%Y-%m-%dT%H:%M:%S', 'now') || '.000000Z'";
    let due = "strftime('%Y-%m-%dT%H:%M:%S', 'now', '+1 day') || '.000000Z'";
    let numbers = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {blocks})"
    );
    let sql = format!(
        "{} BEGIN; \
         {numbers} INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, status, block_reason, \
         created_at_utc, decided_at_utc, version) SELECT printf('pub-%07d', i), 'sla/partners', 'fz-31', 'lf-31', 'dr-31', 'blocked', \
         'tuple_drift', {now}, {now}, 1 FROM n; \
         {numbers} INSERT INTO publish_replay_audit (publish_run_id, freeze_id, lift_id, dry_run_id, status, block_reason, also, \
         owner_user_id, backup_owner_user_id, sla_first_response_minutes, respond_by_utc, drill, created_at_utc, version) \
         SELECT printf('pub-%07d', i), 'fz-31', 'lf-31', 'dr-31', 'blocked', 'tuple_drift', '[]', 'founder', 'govdeck', 1440, {due}, \
         FALSE, {now}, 1 FROM n; COMMIT; {} ANALYZE;",
        texts[0], texts[1]
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

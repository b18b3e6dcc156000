//! The story that goes on by itself: told by its seed, lived through step by step, and never in the seat's name.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use govdeck::clock::Moment;
use govdeck::demo::chapters::people::{BACKUP, LEAD, OPERATIONS, READY, SEATS};
use govdeck::demo::{Story, World};
use govdeck::rules::block::{BlockReason, Sla, sla};
use govdeck::settings::Dsn;
use govdeck::store::block::OpenBlock;
use govdeck::store::ledger::{self, Entry};
use govdeck::store::window::Look;
use govdeck::store::{Access, OsAccount, Store, block, demo_clock, leaf, verify};
use nix::sys::signal::Signal;

use crate::cli_kit::refused;
use crate::console_kit::SIZE;
use crate::support::command::{Home, run};
use crate::support::sqlite_shell;
use crate::support::terminal::Terminal;

const HOUR: i64 = 3_600;

fn dsn(path: &Path) -> Dsn {
    Dsn::of_file(path).expect("a path")
}

async fn made(path: &Path, seat: &str, seed: u32) -> World {
    let made = World::make(dsn(path), Story::Everyday, seat, seed).await;
    made.unwrap_or_else(|stop| panic!("{seat} {seed}: {stop}"))
}

/// Makes a demo, lets some hours pass, and leaves it.
async fn lived(path: &Path, seat: &str, seed: u32, hours: i64) {
    let mut world = made(path, seat, seed).await;
    world.live_through(hours * HOUR).await.expect("it goes on");
    world.end().await;
}

async fn reading(path: &Path) -> Store {
    Store::open(&dsn(path), OsAccount::named("nobody"), Access::Read)
        .await
        .expect("it opens")
}

async fn entries(path: &Path) -> Vec<Entry> {
    let store = reading(path).await;
    let entries = ledger::entries(&mut store.view().await.expect("a view"), 1, 100_000).await;
    store.close().await;
    entries.expect("they are read")
}

/// What a story tells, without what differs each time: random ids, and when it was begun.
fn told(entries: &[Entry]) -> Vec<(String, String, String, i64)> {
    let start = entries[0].at_utc;
    let one = |entry: &Entry| {
        let second = entry.at_utc.since(start).num_seconds();
        let who = format!("{} {}", entry.actor_id, entry.login);
        let target = match entry.target_kind.as_str() {
            "approval" | "bind_proof" => String::new(),
            // The id of a weekly run says on which minute it is due.
            _ => entry.target_id.split(".20").take(1).collect(),
        };
        (entry.action.clone(), target, who, second)
    };
    entries.iter().map(one).collect()
}

async fn open_blocks(path: &Path) -> (Moment, Vec<OpenBlock>) {
    let store = reading(path).await;
    let mut view = store.view().await.expect("a view");
    let look = Look {
        reach: 200,
        ..Look::default()
    };
    let window = block::window(&mut view, &look).await.expect("a window");
    let now = view.now();
    drop(view);
    store.close().await;
    (now, window.rows)
}

#[tokio::test]
async fn a_seed_tells_one_story() {
    let home = Home::new();
    let path = |name: &str| home.folder().join(name);
    for (name, seed) in [("a", 7), ("b", 7), ("c", 8)] {
        lived(&path(name), "ana", seed, 2).await;
    }
    let (a, b, c) = (
        told(&entries(&path("a")).await),
        told(&entries(&path("b")).await),
        told(&entries(&path("c")).await),
    );
    assert!(a.len() > 60, "{}", a.len());
    assert_eq!(a, b);
    assert_ne!(a, c);
}

#[tokio::test]
async fn after_some_hours_there_is_everything_to_see() {
    let home = Home::new();
    let path = home.folder().join("demo.db");
    lived(&path, "kim", 1, 3).await;
    let (now, open) = open_blocks(&path).await;
    let count = |is_so: &dyn Fn(&OpenBlock) -> bool| open.iter().filter(|b| is_so(b)).count();
    let breached = |b: &OpenBlock| {
        let audit = &b.audit;
        audit.respond_by_utc.is_some_and(|due| {
            sla(audit.created_at_utc, due, audit.taken_at_utc, now) == Sla::Breach
        })
    };
    for (what, found) in [
        ("untaken", count(&|b| b.audit.taken_by.is_none())),
        (
            "taken by the owner",
            count(&|b| b.audit.taken_by.as_deref() == Some(LEAD)),
        ),
        (
            "taken by the backup",
            count(&|b| b.audit.taken_by.as_deref() == Some(BACKUP)),
        ),
        (
            "escalated",
            count(&|b| b.audit.escalated_by.as_deref() == Some(OPERATIONS)),
        ),
        ("late", count(&breached)),
        (
            "drifted",
            count(&|b| b.audit.block_reason == Some(BlockReason::TupleDrift)),
        ),
    ] {
        assert!(found > 0, "no block is {what}: {open:#?}");
    }
    let passed = sqlite_shell(
        &path,
        "SELECT COUNT(*) FROM publish_snapshots WHERE status = 'gate_passed'",
    );
    assert!(passed.expect("asked").parse::<u32>().expect("a number") > 20);
    let resolved = sqlite_shell(
        &path,
        "SELECT COUNT(*) FROM publish_replay_audit WHERE status = 'resolved'",
    );
    assert!(resolved.expect("asked").parse::<u32>().expect("a number") > 0);
    let anomalies = "SELECT COUNT(*) FROM governance_ledger WHERE clock_anomaly = TRUE";
    assert_eq!(sqlite_shell(&path, anomalies).expect("asked"), "0");
    let store = reading(&path).await;
    let report = verify::verify(&mut store.view().await.expect("a view"), None).await;
    assert_eq!(report.expect("a report").findings, []);
    store.close().await;
}

#[tokio::test]
async fn every_drift_of_the_story_opens_on_its_cells() {
    let home = Home::new();
    let path = home.folder().join("demo.db");
    lived(&path, "ana", 4, 1).await;
    let (_, open) = open_blocks(&path).await;
    let store = reading(&path).await;
    let mut view = store.view().await.expect("a view");
    let mut changes = std::collections::BTreeSet::new();
    let drifted = |b: &&OpenBlock| b.audit.block_reason == Some(BlockReason::TupleDrift);
    for block in open.iter().filter(drifted) {
        let run = &block.audit.publish_run_id;
        let filed = leaf::drift(&mut view, run).await.expect("read");
        let drift = filed.expect("filed").drift.expect("it reads");
        assert_eq!(drift.unexplained, None, "{run}");
        changes.extend(drift.named.iter().map(|cell| cell.change.word()));
        let sql = format!(
            "SELECT body FROM notification_outbox WHERE event_class = 'block_opened' AND subject LIKE '%{run}:%'"
        );
        let told = sqlite_shell(&path, &sql).expect("asked");
        assert!(told.contains(&drift.in_a_line(3)), "{run}: {told}");
    }
    assert_eq!(
        changes.into_iter().collect::<Vec<_>>(),
        ["added", "changed", "vanished"]
    );
    drop(view);
    store.close().await;
}

#[tokio::test]
async fn the_world_never_acts_for_the_seat() {
    let home = Home::new();
    let mut acted = Vec::new();
    for seat in SEATS {
        let path = home.folder().join(seat);
        lived(&path, seat, 1, 2).await;
        let entries = entries(&path).await;
        let start = entries[0].at_utc;
        let later = entries
            .iter()
            .filter(|entry| entry.at_utc.since(start).num_seconds() >= READY);
        let who: Vec<_> = later.map(|entry| entry.login.clone()).collect();
        assert!(!who.iter().any(|who| who == seat), "{seat}: {who:?}");
        acted.extend(who);
    }
    for person in [LEAD, BACKUP, OPERATIONS] {
        assert!(acted.iter().any(|who| who == person), "{person} never acts");
    }
}

#[tokio::test]
async fn what_the_seat_proposes_is_agreed_to() {
    use govdeck::actions::{self, Asked, Outcome};
    use govdeck::rules::guard::Answer;
    use govdeck::store::approval;

    let home = Home::new();
    let path = home.folder().join("demo.db");
    let mut world = made(&path, LEAD, 1).await;
    let place = dsn(&path);
    let seat = Store::open(&place, OsAccount::named(LEAD), Access::Write);
    let seat = seat.await.expect("it opens");
    let mut view = seat.view().await.expect("a view");
    let waiting = approval::waiting(&mut view, 10).await.expect("read");
    assert!(
        waiting.iter().any(|request| request.proposed_by == BACKUP),
        "something waits for whoever opens the demo"
    );
    let expires = view.now().plus_minutes(600).to_string();
    let asked = Asked::of("chg-mine").with("freeze", "fz-1");
    let asked = asked.with("expires", expires);
    let proposal = actions::propose(&mut view, "bypass_freeze", asked).await;
    drop(view);
    let proposal = proposal.expect("a proposal");
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some("the newcomer tries what takes two".to_owned()),
    };
    let request = proposal.confirm(&answer).expect("confirmed");
    let outcome = actions::carry_out(&seat, request).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    seat.close().await;
    world.live_through(15 * 60).await.expect("it goes on");
    world.end().await;
    let agreed = "SELECT requested_by || ' ' || approved_by FROM freeze_bypass \
         WHERE freeze_bypass_id = 'chg-mine'";
    assert_eq!(sqlite_shell(&path, agreed).expect("asked"), "maya lee");
}

#[tokio::test]
async fn a_kept_demo_goes_on_where_it_was_left() {
    let home = Home::new();
    let (whole, parted) = (home.folder().join("whole"), home.folder().join("parted"));
    lived(&whole, "ana", 3, 2).await;
    made(&parted, "ana", 3).await.end().await;
    let mode = fs::metadata(&parted)
        .expect("it is kept")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let left = open_blocks(&parted).await.0;
    let mut world = World::take_up(dsn(&parted), None, "ana", None)
        .await
        .expect("taken up");
    assert_eq!(open_blocks(&parted).await.0, left, "no time has passed");
    for minute in 1..=120 {
        world
            .set_clock(left.plus_minutes(minute), 0)
            .await
            .expect("set");
        world.step().await.expect("it goes on");
    }
    world.end().await;
    let what = |entries: &[Entry]| -> Vec<_> {
        let told = told(entries).into_iter();
        told.map(|(action, target, who, _)| (action, target, who))
            .collect()
    };
    let (mut whole, mut parted) = (what(&entries(&whole).await), what(&entries(&parted).await));
    // Within the minute that a step is, a decision may come before what another chapter's second would have had first.
    whole.sort();
    parted.sort();
    assert_eq!(whole, parted);
}

#[tokio::test]
async fn what_is_no_demo_is_not_taken_up_and_nothing_is_overwritten() {
    let home = Home::new();
    let path = home.folder().join("demo.db");
    made(&path, "maya", 5).await.end().await;
    let stop = |made: Result<World, govdeck::actions::Stop>| {
        made.map(drop).expect_err("refused").to_string()
    };
    let again = stop(World::make(dsn(&path), Story::Everyday, "maya", 5).await);
    assert!(again.contains("there is something at"), "{again}");
    let seed = stop(World::take_up(dsn(&path), None, "maya", Some(6)).await);
    assert!(seed.contains("begun with the seed 5"), "{seed}");
    let seat = stop(World::take_up(dsn(&path), None, "rob\u{1b}", None).await);
    assert!(seat.contains("nobody in the demo"), "{seat}");
    World::take_up(dsn(&path), None, "maya", Some(5))
        .await
        .expect("its own seed is no other")
        .end()
        .await;
    let other = home.folder().join("other.db");
    let init = [
        "init",
        "--environment",
        "demo",
        "--founder",
        "maya",
        "--dsn",
    ];
    let place = format!("sqlite:{}", other.display());
    let made = run(home.govdeck(init.iter().copied().chain([place.as_str()])));
    assert_eq!(made.code, Some(0), "{made:?}");
    let bare = stop(World::take_up(dsn(&other), None, "maya", None).await);
    assert!(bare.contains("is no demo"), "{bare}");
    let text = home.folder().join("text");
    fs::write(&text, "my notes").expect("written");
    stop(World::take_up(dsn(&text), None, "maya", None).await);
    assert_eq!(fs::read(&text).expect("there"), b"my notes");
}

#[tokio::test]
async fn the_clock_runs_at_its_speed_for_everybody() {
    let home = Home::new();
    let path = home.folder().join("demo.db");
    let mut world = made(&path, "maya", 1).await;
    let (stopped, _) = open_blocks(&path).await;
    world.set_clock(stopped, 60).await.expect("set");
    let store = reading(&path).await;
    let mut view = store.view().await.expect("a view");
    let clock = demo_clock::find(&mut view)
        .await
        .expect("read")
        .expect("set");
    let at = |seconds| {
        view.server_now()
            .plus(std::time::Duration::from_secs(seconds))
    };
    let minute = clock
        .shows(at(60))
        .expect("a time")
        .since(clock.shows(at(0)).expect("a time"));
    assert_eq!(minute, chrono::TimeDelta::hours(1));
    assert_eq!((view.rate(), clock.seed().expect("a seed")), (60, 1));
    assert_eq!(view.now(), clock.shows(view.server_now()).expect("a time"));
    let off = Moment::on_this_workstation().since(view.server_now());
    assert!(
        off.abs() < chrono::TimeDelta::seconds(10),
        "the real time stays known: {off}"
    );
    drop(view);
    store.close().await;
    world.end().await;
    let status = run(home.govdeck(["status", "--dsn", &format!("sqlite:{}", path.display())]));
    assert!(status.stdout.starts_with("DEMO gov-demo"), "{status:?}");
    assert!(!status.stdout.contains("clock is"), "{status:?}");
}

#[test]
fn words_that_make_no_sense_are_refused_and_nothing_is_made() {
    let home = Home::new();
    for words in [
        &["--speed", "0"][..],
        &["--speed", "121"],
        &["--speed", "ten"],
        &["--seed", "-1"],
        &["--seed", "4294967296"],
        &["--as", "rob"],
        &["--as", "maya\u{1b}[31m"],
        &["--as", ""],
        &["--story", "night"],
        &["--story", ""],
        &["--dsn", "sqlite:mine.db"],
        &["--keep", "kept.db"],
        &["--keep", ""],
        &[],
    ] {
        let ended = run(home.govdeck([&["demo"], words].concat()));
        let said = refused(&ended, 2);
        assert!(!format!("{said:?}").contains('\u{1b}'), "{words:?}");
    }
    let ended = run(home.govdeck(["demo"]));
    assert!(
        ended.stderr.contains("the console needs a terminal"),
        "{ended:?}"
    );
    assert!(!home.folder().join("kept.db").exists());
    let ended = run(home.govdeck([""; 0]));
    assert!(ended.stderr.contains("govdeck demo"), "{ended:?}");
}

/// Opens the demo in a terminal; what it makes in the temp folder can be looked at.
fn in_a_terminal(home: &Home, words: &[&str]) -> Terminal {
    let temp = home.folder().join("temp");
    fs::create_dir_all(&temp).expect("ours");
    let mut command = home.govdeck([&["demo"], words].concat());
    command
        .env("TERM", "xterm-256color")
        .env("LANG", "C.UTF-8")
        .env("TMPDIR", &temp);
    Terminal::start(&command, SIZE)
}

fn left_in_temp(home: &Home) -> Vec<std::path::PathBuf> {
    let listed = fs::read_dir(home.folder().join("temp")).expect("there");
    listed
        .map(|entry| entry.expect("readable").path())
        .collect()
}

#[test]
fn a_demo_greets_shows_blocks_and_leaves_nothing_behind() {
    let home = Home::new();
    for ending in [None, Some(Signal::SIGTERM)] {
        let mut terminal = in_a_terminal(&home, &["--as", "lee"]);
        terminal.wait_for("You are lee, on call");
        terminal.wait_for(" DEMO ");
        let [folder] = &left_in_temp(&home)[..] else {
            panic!("one folder: {:?}", left_in_temp(&home));
        };
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(folder), 0o700);
        assert_eq!(mode(&folder.join("demo.db")), 0o600);
        terminal.type_keys("esc");
        terminal.wait_gone("You are lee, on call");
        terminal.type_keys("4");
        terminal.wait_for("pub-00");
        terminal.wait_for("x10");
        let code = if let Some(signal) = ending {
            terminal.signal(signal);
            128 + signal as i32
        } else {
            terminal.type_keys("ctrl-c ctrl-c");
            0
        };
        assert_eq!(terminal.exit_code(), code);
        assert_eq!(left_in_temp(&home), [""; 0].map(std::path::PathBuf::from));
    }
}

#[test]
fn a_kept_demo_is_opened_again() {
    let home = Home::new();
    for greets in [true, false] {
        let mut terminal = in_a_terminal(&home, &["--keep", "kept.db"]);
        terminal.wait_for(" live ");
        assert_eq!(
            terminal.screen().contains("You are maya, governance lead"),
            greets
        );
        // An overlay takes the first of them.
        if greets {
            terminal.type_keys("esc");
        }
        terminal.type_keys("ctrl-c ctrl-c");
        assert_eq!(terminal.exit_code(), 0);
    }
    let ended = run(home.govdeck(["--dsn", "sqlite:kept.db", "ledger", "verify"]));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let stopped = sqlite_shell(
        &home.folder().join("kept.db"),
        "SELECT rate FROM demo_clock",
    );
    assert_eq!(stopped.expect("asked"), "0");
}

#[test]
fn a_deployment_that_is_no_demo_is_refused_in_a_terminal_too() {
    let home = Home::new();
    let init = ["--dsn", "sqlite:prod.db", "init", "--environment", "prod"];
    let made = run(home.govdeck(init.into_iter().chain(["--founder", "maya"])));
    assert_eq!(made.code, Some(0), "{made:?}");
    let path = home.folder().join("prod.db");
    let before = fs::read(&path).expect("made");
    let mut terminal = in_a_terminal(&home, &["--keep", "prod.db"]);
    assert_eq!(terminal.exit_code(), 2);
    assert!(terminal.screen().contains("prod.db is no demo"));
    assert!(!terminal.wrote(b"\x1b[?1049h"), "no console was opened");
    assert_eq!(fs::read(&path).expect("there"), before);
}

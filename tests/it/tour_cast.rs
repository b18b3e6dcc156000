//! The recorded tour of the documentation: the console's own tour, done by keys in a pseudo-terminal on the demo's story.
//!
//! To renew it: `GOVDECK_BLESS=1 cargo test --test it tour_cast`.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use govdeck::demo::{Story, World};
use govdeck::settings::Dsn;
use serde_json::json;

use crate::support::command::Home;
use crate::support::terminal::Terminal;

const SIZE: (u16, u16) = (100, 30);
const SEAT: &str = "maya";
const SEED: u32 = 1;
/// How many seconds the demo has lived when somebody looks.
const LIVED: i64 = 3 * 3_600;
/// How long a screen is shown.
const SECONDS_EACH: u32 = 4;
/// How long nothing is written when a screen is whole.
const QUIET: Duration = Duration::from_millis(400);
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// What is pressed, what then stands on the screen, and what it is about.
const STEPS: [(&str, &str, &str); 10] = [
    ("", "Waits for you", "Home: four answers"),
    ("*", "tour 1/8", "the tour begins"),
    ("4", "tour 2/8", "what is blocked"),
    ("w", "tour 3/8", "why: rule, rows, hashes"),
    ("esc", "tour 4/8", "back"),
    ("a", "tour 5/8", "what can be done, and why not"),
    ("t", "tour 6/8", "take a block: what would change"),
    ("esc 8", "tour 7/8", "the ledger"),
    ("V", "tour 8/8", "everything hashed again"),
    ("?", "Keys", "every key"),
];

/// The demo's story as it stands after some hours, in a terminal.
async fn opened(home: &Home) -> Terminal {
    let file = home.folder().join("tour.db");
    let dsn = Dsn::of_file(&file).expect("a path");
    let made = World::make(dsn, Story::Everyday, SEAT, SEED).await;
    let mut world = made.unwrap_or_else(|stop| panic!("{stop}"));
    world.live_through(LIVED).await.expect("it goes on");
    world.end().await;
    let mut command = home.govdeck(["demo", "--as", SEAT, "--speed", "1", "--keep"]);
    command
        .arg(file)
        .env("TERM", "xterm-256color")
        .env("COLORTERM", "truecolor")
        .env("LANG", "C.UTF-8");
    Terminal::start(&command, SIZE)
}

/// What a terminal is sent for one step, and what then stands on it.
struct Shown {
    sent: String,
    screen: String,
}

/// Does the tour; each step is what changed on the screen, whatever the program wrote to get there.
fn toured(terminal: &Terminal) -> Vec<Shown> {
    let mut before: Option<vt100::Screen> = None;
    let step = |(keys, shows, _): &(&str, &str, &str)| {
        terminal.type_keys(keys);
        terminal.wait_for(shows);
        settle(terminal);
        let now = terminal.look(vt100::Screen::clone);
        let sent = before
            .as_ref()
            .map_or_else(|| now.contents_formatted(), |old| now.contents_diff(old));
        let shown = Shown {
            sent: String::from_utf8(sent).expect("the emulator writes UTF-8"),
            screen: now.contents(),
        };
        before = Some(now);
        shown
    };
    STEPS.iter().map(step).collect()
}

/// Waits until nothing more is written.
fn settle(terminal: &Terminal) {
    loop {
        let before = terminal.written();
        thread::sleep(QUIET);
        if terminal.written() == before {
            return;
        }
    }
}

/// Writes a recording as asciicast version 2: a line about it, then when what was sent, and a mark at each step.
fn cast(shown: &[Shown]) -> String {
    let about = json!({
        "version": 2, "width": SIZE.0, "height": SIZE.1, "title": "govdeck, the tour on the demo",
        "env": {"TERM": "xterm-256color"},
    });
    let mut lines = vec![about];
    let mut at = 0;
    for (shown, (.., about)) in shown.iter().zip(&STEPS) {
        lines.push(json!([at, "m", about]));
        lines.push(json!([at, "o", shown.sent]));
        at += SECONDS_EACH;
    }
    lines.push(json!([at, "o", "\u{1b}[0m\u{1b}[2J\u{1b}[H\u{1b}[?25h"]));
    let lines: Vec<_> = lines.iter().map(serde_json::Value::to_string).collect();
    lines.join("\n") + "\n"
}

/// Plays a recording and returns what stands on the screen at each mark's end.
fn played(cast: &str) -> Vec<String> {
    let mut emulator = vt100::Parser::new(SIZE.1, SIZE.0, 0);
    let mut screens = Vec::new();
    for line in cast.lines().skip(1) {
        let event: (f64, String, String) = serde_json::from_str(line).expect("an event");
        if event.1 == "o" {
            emulator.process(event.2.as_bytes());
            screens.push(emulator.screen().contents());
        }
    }
    // The last one clears the screen.
    screens.pop();
    screens
}

/// What a screen says, without what differs each time: numbers, hashes, days, and how wide they are.
fn lasting(screen: &str) -> Vec<String> {
    let is_word = |word: &&str| {
        let letters = |c: char| c.is_alphabetic() || "-_".contains(c);
        word.chars().all(letters) && !word.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
    };
    let day = |word: &&str| !DAYS.contains(word);
    let words = screen.split(|c: char| c.is_whitespace() || "│┌┐└┘├┤─".contains(c));
    words
        .filter(is_word)
        .filter(day)
        .map(str::to_owned)
        .collect()
}

/// How many words two screens have in common, in their order.
fn common(one: &[String], other: &[String]) -> usize {
    let mut row = vec![0; other.len() + 1];
    for word in one {
        let mut diagonal = 0;
        for (place, there) in other.iter().enumerate() {
            let above = row[place + 1];
            row[place + 1] = if word == there {
                diagonal + 1
            } else {
                above.max(row[place])
            };
            diagonal = above;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Tells whether a recording shows what the program does; times of another day carry a date, which pushes words off the screen.
fn is_the_same(stored: &[String], shown: &[String], has_dates: bool) -> bool {
    if has_dates {
        common(stored, shown) * 10 >= stored.len().max(shown.len()) * 8
    } else {
        stored == shown
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_shows_what_the_program_shows() {
    let home = Home::new();
    let begun = Utc::now();
    let terminal = opened(&home).await;
    let stands = Utc::now() + TimeDelta::seconds(Story::Everyday.history() + LIVED);
    let has_dates = begun.date_naive() != stands.date_naive();
    let shown = toured(&terminal);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures/tour.cast");
    if std::env::var_os("GOVDECK_BLESS").is_some() {
        fs::write(&path, cast(&shown)).expect("the recording is writable");
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    let screens = played(&stored);
    assert_eq!(
        screens.len(),
        shown.len(),
        "docs/pictures/tour.cast has other steps"
    );
    for ((stored, shown), (keys, ..)) in screens.iter().zip(&shown).zip(&STEPS) {
        assert!(
            is_the_same(&lasting(stored), &lasting(&shown.screen), has_dates),
            "docs/pictures/tour.cast is not what the program shows after {keys}; \
             GOVDECK_BLESS=1 cargo test --test it tour_cast\n{}",
            shown.screen
        );
    }
}

#[test]
fn words_in_common_are_counted_in_their_order() {
    let words = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
    assert_eq!(common(&words("a b c d"), &words("a x c d e")), 3);
    assert_eq!(common(&words("a b"), &words("b a")), 1);
    assert_eq!(common(&words("a"), &[]), 0);
}

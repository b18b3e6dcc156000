//! Measures the canonical form and the tuple hash against raw SHA-256 and against the usual crates.
//!
//! Every number is a ratio of two sides measured in one run, so that it means the same on any
//! machine. `GOVDECK_BENCH_MB` sets the size of the generated rows (32 unless told).

use std::env;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use govdeck::canon::{Digest, canonical, tuple_hash};
use serde_json::Value;

/// The share of raw SHA-256's speed that is the goal.
const GOAL_RAW: f64 = 0.10;

/// How many times faster than the usual crates is the goal.
const GOAL_CRATES: f64 = 12.0;

/// A way to hash the rows, and its name.
type Side = (&'static str, fn(&[u8]) -> Digest);

fn main() {
    // `cargo bench` says so; `cargo test` says nothing, and only wants to see that it runs.
    let asked = |flag| env::args().any(|argument| argument == flag);
    let is_trial = asked("--test") || !asked("--bench");
    let megabytes = env::var("GOVDECK_BENCH_MB")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(32.0);
    let (megabytes, rounds) = if is_trial { (0.1, 1) } else { (megabytes, 5) };
    let input = rows(megabytes * 1e6);
    assert_same_answers(&input);

    let sides: [Side; 5] = [
        ("raw SHA-256", Digest::of),
        ("canonical + SHA-256", own_canonical),
        ("  the same with crates", crates_canonical),
        ("tuple_hash", own_tuple),
        ("  the same with crates", crates_tuple),
    ];
    let mut times = vec![Vec::new(); sides.len()];
    for _ in 0..rounds {
        for (side, times) in sides.iter().zip(&mut times) {
            let begun = Instant::now();
            black_box(side.1(black_box(&input)));
            times.push(begun.elapsed());
        }
    }
    let medians: Vec<f64> = times.into_iter().map(median).collect();
    report(&sides.map(|side| side.0), &medians, input.len(), rounds);
}

#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
fn report(names: &[&str], medians: &[f64], bytes: usize, rounds: usize) {
    println!("{bytes} bytes of rows, median of {rounds} interleaved rounds");
    for (name, seconds) in names.iter().zip(medians) {
        let speed = bytes as f64 / 1e6 / seconds;
        println!("  {name:<24} {:>9.1} ms {speed:>8.1} MB/s", seconds * 1e3);
    }
    println!(
        "  {:<24} {:>12} {:>8}   {:>12} {:>8}",
        "ratio", "x raw", "goal", "x crates", "goal"
    );
    for (name, own, crates) in [(names[1], 1, 2), (names[3], 3, 4)] {
        let (raw, times) = (medians[0] / medians[own], medians[crates] / medians[own]);
        let verdict = if raw >= GOAL_RAW && times >= GOAL_CRATES {
            "holds"
        } else {
            "MISSED"
        };
        println!(
            "  {name:<24} {raw:>12.3} {GOAL_RAW:>8.2}   {times:>12.1} {GOAL_CRATES:>8.0}   {verdict}"
        );
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

fn assert_same_answers(input: &[u8]) {
    assert_eq!(
        own_canonical(input),
        crates_canonical(input),
        "the two canonical forms differ"
    );
    assert_eq!(
        own_tuple(input),
        crates_tuple(input),
        "the two tuple hashes differ"
    );
}

fn own_canonical(input: &[u8]) -> Digest {
    Digest::of(&canonical(input).expect("the rows are strict JSON"))
}

fn own_tuple(input: &[u8]) -> Digest {
    tuple_hash(input).expect("the rows are a tuple set")
}

fn crates_canonical(input: &[u8]) -> Digest {
    let value: Value = serde_json::from_slice(input).expect("the rows are JSON");
    Digest::of(&serde_json_canonicalizer::to_vec(&value).expect("the rows can be written"))
}

fn crates_tuple(input: &[u8]) -> Digest {
    let mut rows: Vec<Value> = serde_json::from_slice(input).expect("the rows are JSON");
    let written =
        |row: &Value| serde_json_canonicalizer::to_vec(row).expect("the rows can be written");
    rows.sort_by(|a, b| {
        let ids = ids(a).cmp(&ids(b));
        ids.then_with(|| written(a).cmp(&written(b)))
    });
    Digest::of(&serde_json_canonicalizer::to_vec(&rows).expect("the rows can be written"))
}

fn ids(row: &Value) -> (Option<&str>, Option<&str>) {
    let text = |key| row.get(key).and_then(Value::as_str);
    (text("metric_id"), text("dimension_filter_id"))
}

/// Writes rows as an exporter would: keys in the order somebody chose, rows in no order at all.
fn rows(bytes: f64) -> Vec<u8> {
    const SUBJECTS: [&str; 8] = [
        "revenue.net",
        "revenue.gross",
        "breach.count",
        "latency.p99",
        "queue.depth",
        "orders.open",
        "refund.rate",
        "größe.lager",
    ];
    const UNITS: [&str; 4] = ["EUR", "ms", "count", "bp"];
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 16) % below
    };
    let mut pick =
        |from: &[&'static str]| from[usize::try_from(next(from.len() as u64)).unwrap_or(0)];
    let mut text = String::from("[");
    let mut number = 0_u64;
    #[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
    while (text.len() as f64) < bytes {
        let (subject, unit) = (pick(&SUBJECTS), pick(&UNITS));
        let mix = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let separator = if number == 0 { "" } else { ",\n " };
        let filter = match mix % 7 {
            0 => "null".to_owned(),
            squad => format!("\"squad-{squad}/region-{:03}\"", mix / 7 % 400),
        };
        let (day, whole, cents) = (1 + mix % 28, mix / 11 % 2_000_000, mix / 13 % 1_000_000);
        let _ = write!(
            text,
            "{separator}{{\"metric_id\": \"{subject}.{:04}\", \"dimension_filter_id\": {filter}, \
             \"value\": {whole}.{cents:06}, \"unit\": \"{unit}\", \"sample_count\": {}, \
             \"window\": {{\"start_inclusive\": \"2026-03-{day:02}T00:00:00Z\", \
             \"end_exclusive\": \"2026-03-{day:02}T23:59:59Z\", \"tz\": \"UTC\"}}, \
             \"row_ref\": \"r-{number:08}\", \"final\": {}}}",
            mix / 17 % 3000,
            mix % 90_000,
            !mix.is_multiple_of(5),
        );
        number += 1;
    }
    text.push(']');
    text.into_bytes()
}

//! Measures the check of many bundles against reading and hashing the same files.
//!
//! Both sides are measured in one run, the median of several interleaved turns, on one thread: a governance root of a
//! thousand bundles with its registry, checked whole, and the same files read by their names and hashed.
//! `GOVDECK_BENCH_BUNDLES` sets the number of bundles.

#[path = "../tests/it/support/bundles.rs"]
#[expect(dead_code, reason = "the stories break bundles too")]
mod bundles;

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bundles::{Draft, register};
use govdeck::bundles::gather::check_folder;
use govdeck::canon::Digest;
use govdeck::rules::bundle::{Due, Kind};

/// How many bundles a second a core are checked at least.
const GOAL: f64 = 200.0;

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> Done<()> {
    let is_trial = !std::env::args().any(|word| word == "--bench");
    let count = std::env::var("GOVDECK_BENCH_BUNDLES").ok();
    let count = count.and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let (count, turns) = if is_trial { (20, 1) } else { (count, 7) };
    let folder = tempfile::tempdir()?;
    let files = write(folder.path(), count);
    let (mut checks, mut reads) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    for _ in 0..turns {
        let begun = Instant::now();
        bytes = 0;
        for file in &files {
            let read = fs::read(file)?;
            bytes += read.len();
            black_box(Digest::of(&read));
        }
        reads.push(begun.elapsed());
        let begun = Instant::now();
        let found = check_folder(folder.path())?;
        checks.push(begun.elapsed());
        if found.bundles != count || !found.findings.is_empty() {
            return Err(format!("{} bundles, {:?}", found.bundles, found.findings.first()).into());
        }
    }
    let (check, read) = (median(checks), median(reads));
    let a_second =
        |took: Duration| f64::from(u32::try_from(count).unwrap_or(0)) / took.as_secs_f64();
    println!(
        "{count} bundles, {} files of {:.1} MB, one thread, median of {turns} turns",
        files.len(),
        f64::from(u32::try_from(bytes).unwrap_or(0)) / 1e6
    );
    println!(
        "  read and SHA-256:  {:>9.0} bundles a second",
        a_second(read)
    );
    println!(
        "  check of all:      {:>9.0} bundles a second (goal {GOAL}), {:.1} times the time of reading and hashing",
        a_second(check),
        check.as_secs_f64() / read.as_secs_f64()
    );
    bad_input(if is_trial { 10_000 } else { 4_000_000 })
}

/// Measures how soon files are refused that are made to take long.
fn bad_input(size: usize) -> Done<()> {
    let wide = |open: &str, part: &str, close: &str| {
        open.to_owned() + &part.repeat(size / part.len()) + close
    };
    let bombs = [
        (
            "migration.yml",
            wide("", "[", "")[..size.min(250_000)].to_owned(),
        ),
        (
            "migration.yml",
            wide("", "a: &a [*a, *a]\n", "")[..size.min(250_000)].to_owned(),
        ),
        (
            "migration.yml",
            wide("", "? - ", "")[..size.min(250_000)].to_owned(),
        ),
        ("baselines/pre.json", wide("[", "1,", "1]")),
        ("baselines/pre.json", wide("", "{\"a\":", "")),
        (
            "baselines/pre.json",
            wide(
                "{\"objects\":[",
                &format!("{{\"a\":\"{}\"}},", "x".repeat(60)),
                "1]}",
            ),
        ),
        (
            "diffs/summary.json",
            wide("{\"touched\":{\"tables\":[", "\"a\",", "1]}}"),
        ),
        ("receipts/run_receipt.json", wide("{\"a\":\"", "x", "\"}")),
        (
            "receipts/run_receipt.json",
            wide("{\"a\":\"", "\\u0041", "\"}"),
        ),
        ("notes.md", wide("", "password: a ", "")),
        ("notes.md", wide("", "password=\"a pwd='b pwd=c ", "")),
        ("notes.md", wide("", "secret=\\\"", "")),
        ("notes.md", wide("", "postgres://a:b", "")),
        ("notes.md", wide("", "host=$a user=b ", "")),
        ("notes.md", wide("", "curl -u a ", "")),
        ("notes.md", wide("", "a:10:b:c:$d\n", "")),
        ("notes.md", wide("", "eyJaaaaaaaa.", "")),
        ("forward.sql", wide("", "/*", "")),
        ("forward.sql", wide("", "\0", "")),
    ];
    let mut longest = (Duration::ZERO, String::new());
    for (path, bomb) in &bombs {
        let mut draft = Draft::valid();
        draft.put(path, bomb.as_str());
        let begun = Instant::now();
        black_box(draft.check(Due::Everything));
        let took = begun.elapsed();
        if took > longest.0 {
            longest = (
                took,
                format!("{path} of {:?}…", &bomb[..20.min(bomb.len())]),
            );
        }
    }
    println!(
        "  bad input, {} files of up to {:.1} MB: the longest takes {:.3} s (goal 1), {}",
        bombs.len(),
        f64::from(u32::try_from(size)?) / 1e6,
        longest.0.as_secs_f64(),
        longest.1
    );
    Ok(())
}

/// Writes bundles of two kinds and their registry, and lists their files.
fn write(root: &Path, count: usize) -> Vec<PathBuf> {
    let mut entries = Vec::new();
    let mut files = Vec::new();
    for number in 0..count {
        let (kind, series) = if number % 4 == 0 {
            (Kind::Search, "SEARCH")
        } else {
            (Kind::Postgis, "PG")
        };
        let id = format!(
            "{series}-MIG-2026-{:02}-{:02}-{:02}",
            1 + number / 280 % 12,
            1 + number / 10 % 28,
            number % 10
        );
        let draft = Draft::of(&id, kind);
        let folder = draft.write(root);
        files.extend(draft.files.keys().map(|path| root.join(&folder).join(path)));
        entries.push(draft.entry());
    }
    register(root, &entries);
    files
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[took.len() / 2]
}

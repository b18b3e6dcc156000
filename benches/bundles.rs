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
use govdeck::rules::bundle::Kind;

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

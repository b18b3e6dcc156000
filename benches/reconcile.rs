//! Measures the comparison of two sides against summing the values of both files with the same reader.
//!
//! Every number is a ratio of two sides measured in one run, the median of several interleaved turns: files in the order
//! of their ids, files in the order of their numbers, and files each in an order of its own. The peak of the built program is that of
//! the only child of this process, told by the system. `GOVDECK_BENCH_METRICS` sets the number of metrics a side
//! (1 000 000 unless told).

use std::error::Error;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use govdeck::canon::Digest;
use govdeck::rules::reconcile::{
    Decimal, Given, Policy, Rows, RunVerdict, Sidecar, Table, judge, sha256_text,
};
use nix::sys::resource::{UsageWho, getrusage};

/// How many times the two sums the comparison may take.
const GOAL_TIME: f64 = 4.0;

/// How many times the two files the program may take of memory.
const GOAL_MEMORY: f64 = 1.5;

/// Tells a process that it is to measure one run of the built program.
const MEASURED: &str = "GOVDECK_BENCH_MEASURED";

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> Done<()> {
    if let Ok(folder) = std::env::var(MEASURED) {
        return tell_peak(Path::new(&folder));
    }
    let is_trial = !std::env::args().any(|word| word == "--bench");
    let metrics = std::env::var("GOVDECK_BENCH_METRICS").ok();
    let metrics = metrics.and_then(|text| text.parse().ok());
    let metrics = metrics.unwrap_or(1_000_000);
    let (metrics, turns) = if is_trial { (2_000, 1) } else { (metrics, 5) };
    for (order, id, steps) in ORDERS {
        let folder = tempfile::tempdir()?;
        let week = Week::write(folder.path(), metrics, *id, *steps)?;
        println!(
            "{order}: {metrics} metrics a side, two files of {:.1} MB, a policy of {:.1} MB, median of {turns} turns",
            megabytes(week.files),
            megabytes(week.policy)
        );
        let peak = peak_of_the_program(folder.path())?;
        report_memory(peak, &week);
        measure(folder.path(), turns)?;
    }
    Ok(())
}

/// The id of a metric by its number.
type Id = fn(u32) -> String;

/// How far apart the numbers of neighbours lie in leadership's file, the partner's and the policy; primes, so that each
/// number comes once.
type Steps = [u64; 3];

const ORDERS: &[(&str, Id, Steps)] = &[
    ("ids in order", padded, [1, 1, 1]),
    (
        "numbers in order",
        |number| format!("met.{number}"),
        [1, 1, 1],
    ),
    (
        "each file in an order of its own",
        padded,
        [7_368_787, 5_915_587, 9_576_283],
    ),
];

fn padded(number: u32) -> String {
    format!("MET-{number:07}")
}

/// Lists the numbers of all metrics in the order of a file.
fn numbers(metrics: u32, step: u64) -> impl Iterator<Item = u32> {
    let number = move |place: u32| u64::from(place) * step % u64::from(metrics);
    (0..metrics).map(move |place| u32::try_from(number(place)).unwrap_or(0))
}

/// What was written, in bytes.
struct Week {
    files: u64,
    policy: u64,
}

impl Week {
    /// Writes two sides that pass, piece by piece, so that this process stays small.
    fn write(folder: &Path, metrics: u32, id: Id, steps: Steps) -> Done<Self> {
        for (party, step) in ["leadership", "partner"].into_iter().zip(steps) {
            let path = folder.join(party).with_extension("csv");
            let mut out = BufWriter::new(File::create(&path)?);
            out.write_all(b"metric_id,value\n")?;
            for number in numbers(metrics, step) {
                let whole = u64::from(number) * 7_919 % 2_000_000;
                // Every third metric differs by a little.
                let apart = u32::from(party == "partner" && number % 3 == 0);
                let cents = (number % 97) + apart;
                writeln!(out, "{},{whole}.{cents:02}", id(number))?;
            }
            out.into_inner()?.sync_all()?;
            let digest = govdeck::canon::hash_file(File::open(&path)?)?;
            fs::write(path.with_extension("sidecar.json"), sidecar(party, digest))?;
        }
        let mut out = BufWriter::new(File::create(folder.join("policy.json"))?);
        write!(
            out,
            "{{\"epsilon_policy_version\":\"eps-1\",\"contract_max_semver\":\"2.0.0\",\"epsilon\":{{"
        )?;
        for number in numbers(metrics, steps[2]) {
            // All begin with the metric of the number 0.
            let comma = if number == 0 { "" } else { "," };
            write!(out, "{comma}\n\"{}\":\"0.05\"", id(number))?;
        }
        out.write_all(b"}}\n")?;
        out.flush()?;
        let size = |name: &str| fs::metadata(folder.join(name)).map(|found| found.len());
        Ok(Self {
            files: size("leadership.csv")? + size("partner.csv")?,
            policy: size("policy.json")?,
        })
    }
}

fn sidecar(party: &str, digest: Digest) -> String {
    format!(
        "{{\"side\":\"{party}\",\"window_tz_policy\":\"UTC\",\"start_inclusive\":\"2026-05-11T00:00:00Z\",\
         \"end_exclusive\":\"2026-05-18T00:00:00Z\",\"tuple_revision_hash\":\"rev-1\",\"dictionary_semver\":\"v2.4.0\",\
         \"footer_schema_semver\":\"1.2.0\",\"epsilon_policy_version\":\"eps-1\",\"ingest_hash\":\"{}\"}}",
        sha256_text(digest)
    )
}

#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn report_memory(peak: u64, week: &Week) {
    let times = megabytes(peak) / megabytes(week.files);
    let all = megabytes(peak) / megabytes(week.files + week.policy);
    let verdict = if times <= GOAL_MEMORY {
        "holds"
    } else {
        "MISSED"
    };
    println!(
        "  peak of the program       {:>9.1} MB {times:>8.2} x the two files (goal {GOAL_MEMORY}) {verdict}; {all:.2} x with the policy",
        megabytes(peak)
    );
}

/// Asks a process of its own, since the peak of children is that of the largest.
fn peak_of_the_program(folder: &Path) -> Done<u64> {
    let told = Command::new(std::env::current_exe()?)
        .env(MEASURED, folder)
        .output()?;
    let told = String::from_utf8(told.stdout)?;
    Ok(told.trim().parse::<u64>()? * 1024)
}

/// Runs the built program once and prints its peak in kibibytes.
fn tell_peak(folder: &Path) -> Done<()> {
    let at = |name: &str| folder.join(name);
    let ended = Command::new(env!("CARGO_BIN_EXE_govdeck"))
        .args(["gate", "reconcile", "--leadership"])
        .arg(at("leadership.csv"))
        .arg("--partner")
        .arg(at("partner.csv"))
        .arg("--policy")
        .arg(at("policy.json"))
        .stdout(Stdio::null())
        .status()?;
    assert!(ended.success(), "the week passes");
    println!("{}", getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss());
    Ok(())
}

/// What is done with the two files, and its name.
type Work = (&'static str, fn(&Path) -> Done<()>);

fn measure(folder: &Path, turns: usize) -> Done<()> {
    let works: [Work; 3] = [
        ("summing both files", sum_both),
        ("comparing them", compare),
        ("comparing, every metric", compare_and_write),
    ];
    let mut times = vec![Vec::new(); works.len()];
    for _ in 0..turns {
        for ((_, work), times) in works.iter().zip(&mut times) {
            let begun = Instant::now();
            work(folder)?;
            times.push(begun.elapsed());
        }
    }
    let medians: Vec<f64> = times.into_iter().map(median).collect();
    for ((name, _), seconds) in works.iter().zip(&medians) {
        let times = seconds / medians[0];
        println!(
            "  {name:<25} {:>9.1} ms {times:>8.2} x the two sums",
            seconds * 1e3
        );
    }
    let verdict = if medians[1] <= GOAL_TIME * medians[0] {
        "holds"
    } else {
        "MISSED"
    };
    println!("  goal {GOAL_TIME} x: {verdict}");
    Ok(())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

fn csv(folder: &Path, party: &str) -> PathBuf {
    folder.join(party).with_extension("csv")
}

fn sum_both(folder: &Path) -> Done<()> {
    for party in ["leadership", "partner"] {
        let text = String::from_utf8(fs::read(csv(folder, party))?)?;
        let told = |fault: govdeck::rules::reconcile::Fault| fault.what;
        let mut table = Table::begin(&text, &[]).map_err(told)?;
        let mut sum = Decimal::ZERO;
        while let Some(row) = table.next_row().map_err(told)? {
            sum = &sum + &Decimal::parse(&row.value)?;
        }
        black_box(sum);
    }
    Ok(())
}

fn compared(folder: &Path) -> Done<govdeck::rules::reconcile::Comparison> {
    let policy = Policy::read(&fs::read(folder.join("policy.json"))?);
    let given = |party| -> Done<Given> {
        let file = csv(folder, party);
        let beside = file.with_extension("sidecar.json");
        Ok(Given {
            bytes: fs::read(&file)?,
            hashed: None,
            file: file.display().to_string(),
            rows: Rows::Csv {
                further: Vec::new(),
            },
            sidecar: Sidecar::read(&fs::read(&beside)?),
            sidecar_file: beside.display().to_string(),
        })
    };
    let found = judge(
        given("leadership")?,
        given("partner")?,
        policy,
        "policy.json",
        10,
    );
    let comparison = found.map_err(|reject| reject.to_string())?;
    assert_eq!(comparison.verdict(), RunVerdict::Pass);
    Ok(comparison)
}

fn compare(folder: &Path) -> Done<()> {
    black_box(compared(folder)?.totals());
    Ok(())
}

fn compare_and_write(folder: &Path) -> Done<()> {
    compared(folder)?.write_page(&mut std::io::sink(), "bench")?;
    Ok(())
}

//! Measures the allow-list check of an export, and the hash of its key set, against the same over a `serde_json::Value`.
//!
//! Every number is a ratio of two sides measured in one run, the median of several interleaved turns: an export of many
//! elements with the same keys, and one object of which every key is another and allowed. Peaks are those of the only child
//! of a process, told by the system. `GOVDECK_BENCH_MB` sets the size of the export (30 unless told).

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use govdeck::canon::{Digest, ExportKeys, keyset_hash};
use govdeck::rules::allowlist::{
    Artifact, Case, Files, Phase, allowlist_sha256, filed_sha256, judge,
};
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::{Value, json};

/// How many times faster than the usual way is the goal.
const GOAL_TIME: f64 = 2.5;

/// How many times the export the check may take of memory, and the hash alone.
const GOAL_MEMORY: [f64; 2] = [4.0, 3.0];

/// How many seconds anything may take, whatever the export is like.
const LIMIT_SECONDS: f64 = 5.0;

/// How many megabytes anything may take, whatever the export is like.
const LIMIT_MB: f64 = 200.0;

/// Tells a process what it is to run and measure.
const MEASURED: &str = "GOVDECK_BENCH_MEASURED";

/// Tells a process to check as the usual way does.
const USUAL: &str = "GOVDECK_BENCH_USUAL";

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> Done<()> {
    let folder = |name| std::env::var(name).ok();
    if let Some(folder) = folder(USUAL) {
        return usual(&Inputs::read(Path::new(&folder))?).map(|_| ());
    }
    if let Some(words) = folder(MEASURED) {
        return tell_peak(&words);
    }
    let is_trial = !std::env::args().any(|word| word == "--bench");
    let megabytes = folder("GOVDECK_BENCH_MB").and_then(|text| text.parse().ok());
    let megabytes = megabytes.unwrap_or(30_usize);
    let (bytes, turns) = if is_trial {
        (100_000, 1)
    } else {
        (megabytes * 1_000_000, 7)
    };
    let shapes: [(&str, Writing); 2] = [
        ("elements with the same keys", elements),
        ("one object, every key another", wide),
    ];
    for (name, shape) in shapes {
        let folder = tempfile::tempdir()?;
        let shape = shape(bytes);
        println!(
            "{name}: an export of {:.1} MB, a golden one of {:.1} MB, median of {turns} turns",
            mb(shape.sample.len()),
            mb(shape.golden.len())
        );
        shape.write(folder.path())?;
        let size = shape.sample.len();
        drop(shape);
        measure(folder.path(), turns)?;
        report_memory(folder.path(), size)?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
fn mb(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

fn verdict(goal: &str, is_met: bool) -> String {
    let verdict = if is_met { "holds" } else { "MISSED" };
    format!(" (goal: {goal}) {verdict}")
}

/// Writes a case of about so many bytes.
type Writing = fn(usize) -> Shape;

/// The texts of a case.
struct Shape {
    policy: Value,
    golden: String,
    sample: String,
}

impl Shape {
    fn write(&self, folder: &Path) -> Done<()> {
        let policy = self.policy.to_string();
        let hash = allowlist_sha256(policy.as_bytes())?.to_string();
        fs::write(folder.join("policy.json"), policy)?;
        fs::write(folder.join("policy.sha256"), hash)?;
        fs::write(folder.join("golden.json"), &self.golden)?;
        fs::write(folder.join("sample.json"), &self.sample)?;
        Ok(())
    }
}

fn policy(top: &[String], nested: &[&str]) -> Value {
    json!({
        "migration_id": "mig-bench", "phase": "dual_write", "from_semver": "2.4.0", "to_semver": "2.4.1",
        "allowed_top_level_keys": top, "nested_paths_allowed": nested, "forbidden_exact_keys": ["queue_depth"],
        "protected_metric_ids": [],
    })
}

/// An export as an exporter would write it; the golden one is its begin, before the modern halves came.
fn elements(bytes: usize) -> Shape {
    let top = [
        "metric_id",
        "dimension_filter_id",
        "value",
        "breach_count",
        "breachCount",
        "owner_route_id",
        "route",
        "final",
        "notes",
    ];
    let nested = [
        "route.ownerRouteId",
        "route.queue.depth",
        "route.queue.oldest_at_utc",
        "route.hops.host",
        "route.hops.ms",
    ];
    let row = |number: u64, modern: bool| {
        let mix = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let modern_count = if modern {
            format!("\"breachCount\": {}, ", mix % 40)
        } else {
            String::new()
        };
        let modern_route = if modern {
            format!("\"ownerRouteId\": \"route-{}\", ", mix % 90)
        } else {
            String::new()
        };
        format!(
            "{{\"metric_id\": \"MET-{:04}\", \"dimension_filter_id\": \"squad-{}/region-{:03}\", \"value\": {}.{:06}, \
             \"breach_count\": {}, {modern_count}\"owner_route_id\": \"route-{}\", \"route\": {{{modern_route}\"queue\": \
             {{\"depth\": {}, \"oldest_at_utc\": \"2026-03-{:02}T00:00:00Z\"}}, \"hops\": [{{\"host\": \"h{}\", \"ms\": {}}}, \
             {{\"host\": \"h{}\", \"ms\": {}}}]}}, \"final\": {}, \"notes\": [\"größe\", \"r-{number}\"]}}",
            mix % 3000,
            mix % 7,
            mix / 7 % 400,
            mix / 11 % 2_000_000,
            mix / 13 % 1_000_000,
            mix % 40,
            mix % 90,
            mix % 5000,
            1 + mix % 28,
            mix % 64,
            mix % 900,
            mix / 3 % 64,
            mix / 5 % 900,
            mix.is_multiple_of(5),
        )
    };
    let mut sample = String::from("[");
    for number in 0.. {
        if sample.len() >= bytes {
            break;
        }
        let separator = if number == 0 { "" } else { ",\n " };
        let _ = write!(sample, "{separator}{}", row(number, true));
    }
    sample.push(']');
    let golden: Vec<_> = (0..1000).map(|number| row(number, false)).collect();
    Shape {
        policy: policy(&top.map(str::to_owned), &nested),
        golden: format!("[{}]", golden.join(",\n ")),
        sample,
    }
}

/// The worst for whoever remembers keys.
fn wide(bytes: usize) -> Shape {
    let keys: Vec<_> = (0..u32::try_from(bytes / 15).unwrap_or(0))
        .map(|number| format!("k{:08x}", number.wrapping_mul(0x9E37_79B1)))
        .collect();
    let members: Vec<_> = keys.iter().map(|key| format!("\"{key}\":10")).collect();
    Shape {
        policy: policy(&keys, &[]),
        golden: format!("{{{}}}", members[..members.len() / 100].join(",")),
        sample: format!("{{{}}}", members.join(",")),
    }
}

/// The bytes of a case.
struct Inputs {
    policy: Vec<u8>,
    filed: Vec<u8>,
    golden: Vec<u8>,
    sample: Vec<u8>,
}

impl Inputs {
    fn read(folder: &Path) -> Done<Self> {
        let read = |name: &str| fs::read(folder.join(name));
        Ok(Self {
            policy: read("policy.json")?,
            filed: read("policy.sha256")?,
            golden: read("golden.json")?,
            sample: read("sample.json")?,
        })
    }
}

/// A way to check the inputs, which gives the number of findings and the hash of the key set; and its name.
type Side = (&'static str, fn(&Inputs) -> Done<(usize, Digest)>);

fn measure(folder: &Path, turns: usize) -> Done<()> {
    let inputs = Inputs::read(folder)?;
    let sides: [Side; 4] = [
        ("serde_json::Value", usual),
        ("gate allowlist", own),
        ("serde_json::Value", usual_keyset),
        ("hash keyset", own_keyset),
    ];
    for pair in sides.chunks(2) {
        assert_eq!(
            pair[0].1(&inputs)?,
            pair[1].1(&inputs)?,
            "both say the same"
        );
    }
    let mut times = vec![Vec::new(); sides.len()];
    for _ in 0..turns {
        for ((_, side), times) in sides.iter().zip(&mut times) {
            let begun = Instant::now();
            black_box(side(black_box(&inputs))?);
            times.push(begun.elapsed());
        }
    }
    let medians: Vec<f64> = times.into_iter().map(median).collect();
    let read = [
        inputs.golden.len() + inputs.sample.len(),
        inputs.sample.len(),
    ];
    for ((sides, medians), size) in sides.chunks(2).zip(medians.chunks(2)).zip(read) {
        for ((name, _), seconds) in sides.iter().zip(medians) {
            println!(
                "  {name:<20} {:>9.1} ms {:>8.1} MB/s",
                seconds * 1e3,
                mb(size) / seconds
            );
        }
        let times = medians[0] / medians[1];
        println!(
            "  faster by            {times:>9.2} x{}{}",
            verdict(&format!("at least {GOAL_TIME}"), times >= GOAL_TIME),
            verdict(
                &format!("at most {LIMIT_SECONDS} s"),
                medians[1] <= LIMIT_SECONDS
            )
        );
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

fn own(inputs: &Inputs) -> Done<(usize, Digest)> {
    let judgement = judge(Case {
        files: Files {
            artifact: "policy.json".to_owned(),
            sha256: "policy.sha256".to_owned(),
            golden: "golden.json".to_owned(),
            sample: "sample.json".to_owned(),
        },
        artifact: Artifact::read(&inputs.policy),
        filed: filed_sha256(&inputs.filed),
        phase: Phase::DualWrite,
        golden: ExportKeys::of(&inputs.golden),
        sample: ExportKeys::of(&inputs.sample),
        pairs: Vec::new(),
    });
    let hash = judgement.keyset_sha256().ok_or("the sample is an export")?;
    Ok((judgement.count(), hash))
}

fn own_keyset(inputs: &Inputs) -> Done<(usize, Digest)> {
    Ok((0, keyset_hash(&inputs.sample)?))
}

fn usual_keyset(inputs: &Inputs) -> Done<(usize, Digest)> {
    Ok((0, usual_hash(&usual_keys(&inputs.sample)?)?))
}

type Keys = BTreeMap<String, Vec<&'static str>>;

fn usual_hash(keys: &Keys) -> Done<Digest> {
    let list = keys
        .iter()
        .flat_map(|(path, kinds)| kinds.iter().map(move |kind| (path, *kind)));
    let listed = serde_json::to_vec(&list.collect::<Vec<_>>())?;
    Ok(Digest::of(&listed))
}

/// The same check with the usual crates; of duplicate keys it knows nothing.
fn usual(inputs: &Inputs) -> Done<(usize, Digest)> {
    let policy: Value = serde_json::from_slice(&inputs.policy)?;
    let canonical = serde_json_canonicalizer::to_vec(&policy)?;
    let filed = std::str::from_utf8(&inputs.filed)?;
    let mut count = usize::from(Digest::of(&canonical).to_string() != filed);
    let list = |field: &str| -> HashSet<&str> {
        let list = policy[field].as_array();
        list.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    };
    let top = list("allowed_top_level_keys");
    let nested = list("nested_paths_allowed");
    let forbidden = list("forbidden_exact_keys");
    let golden = usual_keys(&inputs.golden)?;
    let sample = usual_keys(&inputs.sample)?;
    for path in sample.keys() {
        let is_allowed = match path.split_once('.') {
            None => top.contains(path.as_str()),
            Some((first, _)) => top.contains(first) && nested.contains(path.as_str()),
        };
        count += usize::from(forbidden.contains(path.as_str()) || !is_allowed);
    }
    for (path, before) in &golden {
        match sample.get(path) {
            None => count += 1,
            Some(now) => count += usize::from(before != &["null"] && before != now),
        }
    }
    Ok((count, usual_hash(&sample)?))
}

fn usual_keys(bytes: &[u8]) -> Done<Keys> {
    let export: Value = serde_json::from_slice(bytes)?;
    let mut keys = Keys::new();
    let mut path = String::new();
    match &export {
        Value::Array(elements) => {
            for element in elements {
                flatten(element, &mut path, &mut keys);
            }
        }
        object => flatten(object, &mut path, &mut keys),
    }
    for kinds in keys.values_mut() {
        kinds.sort_unstable();
    }
    Ok(keys)
}

/// Walks a tree with one growing path; a known path costs a look, not a copy.
fn flatten(value: &Value, path: &mut String, keys: &mut Keys) {
    let kind = match value {
        Value::Object(members) if !members.is_empty() => {
            let length = path.len();
            for (key, member) in members {
                assert!(!key.contains('.'), "no key has a dot");
                if length > 0 {
                    path.push('.');
                }
                path.push_str(key);
                flatten(member, path, keys);
                path.truncate(length);
            }
            return;
        }
        Value::Array(elements) if !elements.is_empty() && elements.iter().all(Value::is_object) => {
            for element in elements {
                flatten(element, path, keys);
            }
            return;
        }
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "boolean",
        Value::Null => "null",
    };
    if let Some(kinds) = keys.get_mut(path.as_str()) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    } else {
        keys.insert(path.clone(), vec![kind]);
    }
}

fn report_memory(folder: &Path, size: usize) -> Done<()> {
    let sides = [
        ("serde_json::Value", "usual", None),
        ("gate allowlist", "gate", Some(GOAL_MEMORY[0])),
        ("hash keyset", "hash", Some(GOAL_MEMORY[1])),
    ];
    for (name, side, goal) in sides {
        let told = Command::new(std::env::current_exe()?)
            .env(MEASURED, format!("{side} {}", folder.display()))
            .output()?;
        let peak = String::from_utf8(told.stdout)?.trim().parse::<usize>()? * 1024;
        let times = mb(peak) / mb(size);
        let verdicts = goal.map_or(String::new(), |goal| {
            verdict(&format!("at most {goal}"), times <= goal)
                + &verdict(&format!("at most {LIMIT_MB} MB"), mb(peak) <= LIMIT_MB)
        });
        println!(
            "  peak of {name:<18} {:>6.1} MB {times:>6.2} x the export{verdicts}",
            mb(peak)
        );
    }
    Ok(())
}

/// Runs one side as the only child of this process and prints its peak in kibibytes.
fn tell_peak(words: &str) -> Done<()> {
    const GATE: &str = "gate allowlist --artifact policy.json --sha256 policy.sha256 --golden golden.json \
                        --sample sample.json --phase dual_write";
    let (side, folder) = words.split_once(' ').ok_or("no folder")?;
    let mut command = if side == "usual" {
        let mut command = Command::new(std::env::current_exe()?);
        command.env(USUAL, folder).env_remove(MEASURED);
        command
    } else {
        let words = if side == "gate" {
            GATE
        } else {
            "hash keyset sample.json"
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_govdeck"));
        command.current_dir(folder).args(words.split_whitespace());
        command
    };
    let ended = command.stdout(Stdio::null()).status()?;
    assert!(ended.success(), "the export passes");
    println!("{}", getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss());
    Ok(())
}

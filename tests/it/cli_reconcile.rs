//! `govdeck gate reconcile`: exit codes, the shape of its document, and what comes of hostile or odd files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli_kit::{document, fifo, misused, refused, said, sha256};
use crate::support::command::{Home, Run, run};

const WORDS: [&str; 8] = [
    "gate",
    "reconcile",
    "--leadership",
    "leadership.csv",
    "--partner",
    "partner.csv",
    "--policy",
    "policy.json",
];

/// A folder with the files of a week.
struct Files {
    home: Home,
}

impl Files {
    /// Writes both sides and the epsilons; everything else agrees.
    fn of(leadership: &str, partner: &str, epsilons: &[(&str, &str)]) -> Self {
        let files = Self { home: Home::new() };
        files.side("leadership", leadership.as_bytes());
        files.side("partner", partner.as_bytes());
        let epsilons: BTreeMap<_, _> = epsilons.iter().copied().collect();
        let policy = json!({"epsilon_policy_version": "eps-1", "contract_max_semver": "v2.4.0", "epsilon": epsilons});
        files.write("policy.json", policy.to_string().as_bytes());
        files
    }

    /// A week that passes.
    fn green() -> Self {
        let csv = "metric_id,value\nMET-0144,9.5\nMET-0171,3\n";
        let epsilons = [("MET-0144", "0.25"), ("MET-0171", "0")];
        Self::of(csv, &csv.replace("9.5", "9.25"), &epsilons)
    }

    fn side(&self, party: &str, csv: &[u8]) {
        self.write(&format!("{party}.csv"), csv);
        let hash = format!("sha256:{}", sha256(csv));
        self.sidecar(party, &[("ingest_hash", &hash)]);
    }

    /// Writes a sidecar with some fields that are not the usual ones.
    fn sidecar(&self, party: &str, fields: &[(&str, &str)]) {
        let mut sidecar = json!({
            "side": party, "window_tz_policy": "UTC", "start_inclusive": "2026-05-11T00:00:00Z",
            "end_exclusive": "2026-05-18T00:00:00Z", "tuple_revision_hash": "rev-17", "dictionary_semver": "v2.4.0",
            "footer_schema_semver": "2.4.0", "epsilon_policy_version": "eps-1",
        });
        let csv = fs::read(self.at(&format!("{party}.csv"))).expect("it is there");
        sidecar["ingest_hash"] = json!(format!("sha256:{}", sha256(&csv)));
        for (name, said) in fields {
            sidecar[*name] = json!(said);
        }
        let name = format!("{party}.sidecar.json");
        self.write(&name, sidecar.to_string().as_bytes());
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.folder().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.at(name), bytes).expect("the home is ours");
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.at(name)).expect("it is there");
    }

    fn text(&self) -> Run {
        run(self.home.govdeck(WORDS))
    }

    fn json(&self, code: i32) -> Value {
        let run = run(self.home.govdeck(WORDS.iter().chain(&["--json"])));
        document(&run, code, "gate-reconcile")
    }
}

#[test]
fn a_week_within_its_epsilons_passes() {
    let files = Files::green();
    assert_eq!(
        said(&files.text(), 0),
        "PASS leadership.csv against partner.csv: 2 metrics, 2 within their epsilon, 0 not\n"
    );
    let document = files.json(0);
    assert_eq!(document["run_verdict"], "PASS");
    assert_eq!(document["reason"], Value::Null);
    assert_eq!(
        document["metrics"],
        json!([
            {"metric_id": "MET-0144", "leadership": "9.5", "partner": "9.25", "epsilon": "0.25", "delta": "0.25",
             "verdict": "PASS", "reason": null},
            {"metric_id": "MET-0171", "leadership": "3", "partner": "3", "epsilon": "0", "delta": "0",
             "verdict": "PASS", "reason": null},
        ])
    );
}

#[test]
fn a_finding_ends_with_1_and_names_the_worst() {
    let files = Files::of(
        "metric_id,value\nc,1\na,5\nb,1\n",
        "metric_id,value\r\n\"a\",2\r\n\"d\",1\r\n\"c\",1\r\n",
        &[("a", "2.5"), ("b", "1"), ("d", "1"), ("e", "1")],
    );
    assert_eq!(
        said(&files.text(), 1),
        "FAIL leadership.csv against partner.csv: 4 metrics, 0 within their epsilon, 4 not\n\
         \u{20} epsilon_exceeded: 1\n\
         \u{20} missing_in_partner: 1\n\
         \u{20} missing_in_leadership: 1\n\
         \u{20} epsilon_missing: 1\n\
         \u{20} of the policy's metrics on neither side: 1\n\
         the worst:\n\
         \u{20} a: leadership 5, partner 2, delta 3, epsilon 2.5: epsilon_exceeded\n\
         \u{20} b: leadership 1, partner none, delta none, epsilon 1: missing_in_partner\n\
         \u{20} c: leadership 1, partner 1, delta 0, epsilon none: epsilon_missing\n\
         \u{20} d: leadership none, partner 1, delta none, epsilon 1: missing_in_leadership\n"
    );
    let document = files.json(1);
    assert_eq!(document["run_verdict"], "FAIL");
    let found: Vec<_> = document["metrics"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|metric| (metric["metric_id"].clone(), metric["reason"].clone()))
        .collect();
    assert_eq!(
        json!(found),
        json!([
            ["a", "epsilon_exceeded"],
            ["b", "missing_in_partner"],
            ["c", "epsilon_missing"],
            ["d", "missing_in_leadership"]
        ])
    );
    assert_eq!(document["totals"]["on_neither_side"], 1);
}

#[test]
fn a_rejection_ends_with_2_and_says_where() {
    let files = Files::green();
    files.side("partner", b"metric_id,value\nMET-0144,9.5\nMET-0171,3e0\n");
    let sentence =
        "partner.csv, line 3, column 11: the value \"3e0\" is no plain decimal: an exponent";
    let text = format!("REJECT value_invalid: {sentence}\nnothing was compared\n");
    assert_eq!(said(&files.text(), 2), text);
    assert_eq!(
        files.json(2),
        json!({
            "schema": "govdeck.gate-reconcile.v1", "run_verdict": "REJECT", "reason": "value_invalid", "detail": sentence,
            "file": "partner.csv", "line": 3, "column": 11, "field": null, "metrics": [],
        })
    );
    files.sidecar("partner", &[("window_tz_policy", "local")]);
    let document = files.json(2);
    assert_eq!(document["reason"], "window_tz_policy");
    assert_eq!(document["field"], "window_tz_policy");
    assert_eq!(document["file"], "partner.sidecar.json");
}

#[test]
fn a_bypass_on_one_side_fails_and_has_no_reason_of_its_own() {
    let files = Files::green();
    files.sidecar("leadership", &[("bypass_audit_id", "BYP-9")]);
    let document = files.json(1);
    assert_eq!(
        (&document["run_verdict"], &document["reason"]),
        (&json!("FAIL"), &Value::Null)
    );
    let detail = "the bypass lineage differs: bypass_audit_id is \"BYP-9\" for leadership and not said for the partner";
    assert_eq!(document["detail"], detail);
    assert_eq!(document["metrics"][0]["verdict"], "PASS");
    assert!(said(&files.text(), 1).contains(detail));
    files.sidecar("partner", &[("bypass_audit_id", "BYP-9")]);
    assert_eq!(files.json(0)["run_verdict"], "PASS");
}

#[test]
fn a_sidecar_that_cannot_be_read_rejects() {
    let files = Files::green();
    let rejected = |what: &str| {
        let document = files.json(2);
        assert_eq!(document["reason"], "sidecar_missing", "{what}");
        assert_eq!(document["file"], "partner.sidecar.json", "{what}");
        document["detail"].as_str().expect("a sentence").to_owned()
    };
    let path = files.at("partner.sidecar.json");
    files.remove("partner.sidecar.json");
    assert!(rejected("missing").starts_with("partner.sidecar.json: No such file"));
    fifo(&path);
    assert_eq!(rejected("a pipe"), "partner.sidecar.json: is not a file");
    files.remove("partner.sidecar.json");
    fs::create_dir(&path).expect("the home is ours");
    assert_eq!(rejected("a folder"), "partner.sidecar.json: is not a file");
    fs::remove_dir(&path).expect("it is empty");
    symlink("partner.sidecar.json", &path).expect("the home is ours");
    rejected("a circle");
    files.remove("partner.sidecar.json");
    files.write("partner.sidecar.json", &vec![b' '; 1024 * 1024 + 1]);
    assert_eq!(
        rejected("too large"),
        "partner.sidecar.json: is larger than 1 MiB"
    );
    files.write(
        "partner.sidecar.json",
        b"{\"side\":\"partner\",\"side\":\"partner\"}",
    );
    let twice = "partner.sidecar.json, line 1, column 19: duplicate key \"side\"";
    assert_eq!(rejected("a key twice"), twice);
}

#[test]
fn a_path_that_cannot_be_opened_ends_with_2_and_no_document() {
    for name in ["leadership.csv", "partner.csv", "policy.json"] {
        let files = Files::green();
        files.remove(name);
        for shape in [&[][..], &["--json"]] {
            let run = run(files.home.govdeck(WORDS.iter().chain(shape)));
            let (sentence, _) = refused(&run, 2);
            assert!(sentence.starts_with(name), "{sentence}");
        }
        fifo(&files.at(name));
        let (sentence, _) = refused(&files.text(), 2);
        assert_eq!(sentence, format!("{name} is not a file"));
        files.remove(name);
        fs::create_dir(files.at(name)).expect("the home is ours");
        let (sentence, _) = refused(&files.text(), 2);
        assert_eq!(sentence, format!("{name} is not a file"));
    }
    let home = Home::new();
    misused(&run(home.govdeck(["gate", "reconcile"])));
    misused(&run(home.govdeck(&WORDS[..6])));
}

#[test]
fn no_database_is_needed_and_none_is_made() {
    let files = Files::green();
    let mut command = files.home.govdeck(WORDS);
    command.env("GOVDECK_DSN", "postgres://nobody@127.0.0.1:1/nowhere");
    said(&run(command), 0);
    assert!(!files.at("data").exists());
}

#[test]
fn hostile_ids_never_reach_the_terminal_raw() {
    let id = "MET\u{202e}\u{200b}\u{e0041}\u{9b}31m";
    let csv = format!("metric_id,value\n\"{id}\r\nnext \"\"line\"\"\",1\n");
    let files = Files::of(&csv, "metric_id,value\n", &[]);
    let shown = files.text();
    let text = said(&shown, 1);
    assert!(
        text.contains("MET<202E><200B><E0041><009B>31m<000D><000A>next \"line\""),
        "{text}"
    );
    let run = run(files.home.govdeck(WORDS.iter().chain(&["--json"])));
    let hostile = |character: char| !matches!(character, ' '..='~' | '\n');
    assert!(!said(&run, 1).contains(hostile), "{}", run.stdout);
    let document = document(&run, 1, "gate-reconcile");
    assert_eq!(
        document["metrics"][0]["metric_id"],
        format!("{id}\r\nnext \"line\"")
    );
}

#[test]
fn odd_files_are_rejected_and_never_pass() {
    for (csv, reason) in [
        (&b""[..], "csv_invalid"),
        (b"\xef\xbb\xbfmetric_id,value\na,1\n", "csv_invalid"),
        (b"metric_id,value\na\0,1\n", "csv_invalid"),
        (b"metric_id,value\n\xff,1\n", "csv_invalid"),
        (b"metric_id,value\n\x1b[2J,1\n", "csv_invalid"),
        (b"metric_id,value,note\na,1,x\n", "csv_invalid"),
        (b"metric_id,value\n", "no_metrics"),
    ] {
        let files = Files::green();
        files.side("leadership", csv);
        files.side("partner", csv);
        let document = files.json(2);
        assert_eq!(document["reason"], reason, "{csv:?}");
        assert_eq!(document["file"], "leadership.csv");
    }
    let large = format!("metric_id,value\n{},1\n", "x".repeat(1_000_000));
    let files = Files::of(&large, &large, &[]);
    assert_eq!(files.json(2)["reason"], "csv_invalid");
    assert!(said(&files.text(), 2).len() < 300);
}

#[test]
fn values_of_forty_digits_are_compared_exactly() {
    let long = "1234567890123456789012345678901234567890";
    let csv = |cents: &str| format!("metric_id,value\nm,{long}.{cents}\n");
    let edge = Files::of(&csv("75"), &csv("5"), &[("m", "0.25")]);
    assert_eq!(edge.json(0)["metrics"][0]["delta"], "0.25");
    let over = Files::of(
        &csv("75"),
        &csv("4999999999999999999999999999"),
        &[("m", "0.25")],
    );
    let metric = &over.json(1)["metrics"][0];
    assert_eq!(metric["delta"], "0.2500000000000000000000000001");
    assert_eq!(metric["leadership"], format!("{long}.75"));
}

#[test]
fn a_document_that_nobody_reads_is_no_pass() {
    let rows: Vec<_> = (0..20_000)
        .map(|number| format!("MET-{number:05},1"))
        .collect();
    let csv = format!("metric_id,value\n{}", rows.join("\n"));
    let files = Files::of(&csv, &csv, &[]);
    let document = files.json(1);
    assert_eq!(document["metrics"].as_array().map(Vec::len), Some(20_000));
    for shape in [&[][..], &["--json"]] {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let mut command = files.home.govdeck(WORDS.iter().chain(shape));
        let ended = Run::from(command.stdout(writer).output().expect("it starts"));
        assert_eq!((ended.code, ended.signal), (Some(3), None), "{ended:?}");
        assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    }
}

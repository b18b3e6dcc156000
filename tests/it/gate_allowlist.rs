//! `govdeck gate allowlist`: exit codes, the shape of its document, and what comes of hostile or odd files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli_kit::{document, fifo, misused, refused, said, sha256};
use crate::cli_memory::peak_of;
use crate::support::command::{Home, Run, run};

const WORDS: [&str; 12] = [
    "gate",
    "allowlist",
    "--artifact",
    "exporter_allowlist_diff.json",
    "--sha256",
    "allowlist.sha256",
    "--golden",
    "golden.json",
    "--sample",
    "sample.json",
    "--phase",
    "dual_write",
];

const ARTIFACT: &str = "exporter_allowlist_diff.json";

const GOLDEN: &str = r#"[{"breach_count": 3, "owner_route_id": "r-1"}]"#;

const SAMPLE: &str = r#"[{"breach_count": 3, "breachCount": 3, "owner_route_id": "r-1", "route": {"ownerRouteId": "r-1"}}]"#;

const PAIRS: &str = r#"[{"legacy_column": "breach_count", "modern_column": "breachCount"},
 {"legacy_column": "owner_route_id", "modern_column": "route.ownerRouteId"}]"#;

/// Says what a policy for dual write says.
fn policy() -> Value {
    json!({
        "migration_id": "mig-2026-05-14", "phase": "dual_write", "from_semver": "2.4.0", "to_semver": "2.4.1",
        "allowed_top_level_keys": ["breach_count", "breachCount", "owner_route_id", "route"],
        "nested_paths_allowed": ["route.ownerRouteId"], "forbidden_exact_keys": ["queue_depth"],
        "protected_metric_ids": ["MET-0144"],
    })
}

/// A folder with the files of a phase.
struct Files {
    home: Home,
}

impl Files {
    /// Files that pass, pairs among them.
    fn green() -> Self {
        let files = Self { home: Home::new() };
        files.artifact(&policy());
        files.write("golden.json", GOLDEN.as_bytes());
        files.write("sample.json", SAMPLE.as_bytes());
        files.write("pairs.json", PAIRS.as_bytes());
        files
    }

    fn sample(sample: &str) -> Self {
        let files = Self::green();
        files.write("sample.json", sample.as_bytes());
        files
    }

    /// Writes an allow-list as people would, and the hash of its canonical form, made without any code of the program.
    fn artifact(&self, policy: &Value) {
        let pretty = serde_json::to_string_pretty(policy).expect("it is JSON");
        self.write(ARTIFACT, pretty.as_bytes());
        // Its keys are ASCII, and its map is sorted, so this is its canonical form.
        let hash = sha256(policy.to_string().as_bytes());
        self.write("allowlist.sha256", format!("{hash}  -\n").as_bytes());
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.folder().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.at(name), bytes).expect("the home is ours");
    }

    fn run(&self, more: &[&str]) -> Run {
        run(self.home.govdeck(WORDS.iter().chain(more)))
    }

    fn json(&self, code: i32) -> Value {
        let run = self.run(&["--pairs", "pairs.json", "--json"]);
        document(&run, code, "gate-allowlist")
    }

    /// Lists the rules of the findings.
    fn rules(&self) -> Vec<String> {
        let document = self.json(1);
        assert_eq!(document["verdict"], "fail");
        let findings = document["findings"].as_array().expect("a list");
        let rule = |finding: &Value| finding["rule"].as_str().expect("a word").to_owned();
        findings.iter().map(rule).collect()
    }
}

#[test]
fn an_export_that_fits_passes() {
    let files = Files::green();
    let keyset = run(files.home.govdeck(["hash", "keyset", "sample.json"]));
    let keyset = said(&keyset, 0).trim_end();
    for more in [&["--pairs", "pairs.json"][..], &[]] {
        assert_eq!(
            said(&files.run(more), 0),
            format!(
                "PASS sample.json in dual_write: 4 keys, all of them allowed\n\
                 added 2, removed 0, of another type 0; keyset {keyset}\n"
            )
        );
    }
    assert_eq!(
        files.json(0),
        json!({
            "schema": "govdeck.gate-allowlist.v1", "verdict": "pass", "findings": [],
            "added_keys": ["breachCount", "route.ownerRouteId"], "removed_keys": [], "type_changed_keys": [],
            "keyset_sha256": keyset,
        })
    );
}

#[test]
fn every_finding_is_told_with_its_key() {
    let files = Files::sample(
        r#"{"breach_count": "3", "breachCount": 3, "queue_depth": 1, "route": {"ownerRouteId": "r", "hops": 2}}"#,
    );
    let lines = files.run(&["--pairs", "pairs.json"]);
    let keyset = files.json(1)["keyset_sha256"].clone();
    assert_eq!(
        said(&lines, 1),
        format!(
            "FAIL sample.json in dual_write: 5 findings\n\
             \x20 forbidden_key queue_depth: sample.json has it, and forbidden_exact_keys names it\n\
             \x20 key_not_allowed route.hops: sample.json has it, and it is not in nested_paths_allowed, or its first \
             segment not in allowed_top_level_keys\n\
             \x20 removed_key owner_route_id: golden.json has it, sample.json has not, and nothing may go in this phase\n\
             \x20 type_changed_key breach_count: number in golden.json, string in sample.json\n\
             \x20 pair_half_missing owner_route_id: the legacy half of \"owner_route_id\" and \"route.ownerRouteId\" is \
             not in sample.json; in dual_write both halves are due\n\
             added 4, removed 1, of another type 1; keyset {}\n",
            keyset.as_str().expect("a hash")
        )
    );
    let document = files.json(1);
    assert_eq!(
        document["findings"][0],
        json!({"rule": "forbidden_key", "key": "queue_depth",
               "detail": "sample.json has it, and forbidden_exact_keys names it"})
    );
    assert_eq!(document["removed_keys"], json!(["owner_route_id"]));
    assert_eq!(document["type_changed_keys"], json!(["breach_count"]));
    let names: Vec<_> = document.as_object().expect("an object").keys().collect();
    assert_eq!(
        names,
        [
            "added_keys",
            "findings",
            "keyset_sha256",
            "removed_keys",
            "schema",
            "type_changed_keys",
            "verdict"
        ]
    );
}

#[test]
fn the_hash_is_that_of_the_canonical_form() {
    let files = Files::green();
    let canon = run(files.home.govdeck(["canon", ARTIFACT]));
    let hash = sha256(canon.stdout.as_bytes());
    for filed in [
        hash.clone(),
        format!("{hash}\n"),
        format!("{hash}  {ARTIFACT}\n"),
    ] {
        files.write("allowlist.sha256", filed.as_bytes());
        assert_eq!(files.json(0)["verdict"], "pass", "{filed:?}");
    }
    let of_the_bytes = sha256(&fs::read(files.at(ARTIFACT)).expect("it is there"));
    for filed in [
        of_the_bytes,
        String::new(),
        hash.to_uppercase(),
        format!("sha256:{hash}"),
    ] {
        files.write("allowlist.sha256", filed.as_bytes());
        assert_eq!(files.rules(), ["allowlist_hash_mismatch"], "{filed:?}");
    }
    let mut other = policy();
    other["allowed_top_level_keys"] = json!([
        "breach_count",
        "breachCount",
        "owner_route_id",
        "route",
        "more"
    ]);
    files.write(ARTIFACT, other.to_string().as_bytes());
    files.write("allowlist.sha256", hash.as_bytes());
    assert_eq!(files.rules(), ["allowlist_hash_mismatch"]);
}

#[test]
fn each_phase_has_its_own_allow_list() {
    let files = Files::green();
    for phase in ["prepare", "cutover"] {
        let mut words = WORDS.to_vec();
        words[11] = phase;
        let ended = run(files.home.govdeck(words.iter().chain(&["--json"])));
        let told = document(&ended, 1, "gate-allowlist");
        assert_eq!(told["findings"][0]["rule"], "phase_mismatch");
        assert_eq!(told["findings"].as_array().map(Vec::len), Some(1));
    }
    for phase in ["rollback", "Cutover", "closed"] {
        let mut words = WORDS.to_vec();
        words[11] = phase;
        let told = misused(&run(files.home.govdeck(&words))).to_owned();
        assert!(
            told.contains("one of: prepare, dual_write, cutover"),
            "{told}"
        );
    }
}

#[test]
fn a_contradiction_warns_and_decides_nothing() {
    let files = Files::green();
    let mut odd = policy();
    odd["nested_paths_allowed"] = json!(["route.ownerRouteId", "flat\u{202e}"]);
    files.artifact(&odd);
    for more in [&["--json"][..], &[]] {
        let run = files.run(more);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert_eq!(
            run.stderr,
            "warning: nested_paths_allowed has \"flat\\u{202e}\", which allows nothing: it is not nested\n"
        );
        assert!(!run.stdout.contains("warning"));
    }
    let mut without = policy();
    without["allowed_top_level_keys"] = json!(["breachCount", "owner_route_id", "route"]);
    files.artifact(&without);
    let run = files.run(&["--pairs", "pairs.json"]);
    assert_eq!(run.code, Some(1));
    assert_eq!(
        run.stderr,
        "warning: the legacy half \"breach_count\" is due and not in allowed_top_level_keys: no export passes in dual_write\n"
    );
}

#[test]
fn what_cannot_be_opened_ends_with_2() {
    for name in [
        ARTIFACT,
        "allowlist.sha256",
        "golden.json",
        "sample.json",
        "pairs.json",
    ] {
        let files = Files::green();
        let missing =
            |files: &Files| refused(&files.run(&["--pairs", "pairs.json", "--json"]), 2).0;
        fs::remove_file(files.at(name)).expect("it is there");
        let told = missing(&files);
        assert!(told.starts_with(&format!("{name}: ")), "{told}");
        fifo(&files.at(name));
        assert_eq!(missing(&files), format!("{name} is not a file"));
        fs::remove_file(files.at(name)).expect("it is there");
        fs::create_dir(files.at(name)).expect("the home is ours");
        assert_eq!(missing(&files), format!("{name} is not a file"));
        fs::remove_dir(files.at(name)).expect("it is there");
        symlink(name, files.at(name)).expect("the home is ours");
        let told = missing(&files);
        assert!(told.starts_with(&format!("{name}: ")), "a loop: {told}");
    }
    let files = Files::green();
    fs::rename(files.at("sample.json"), files.at("real.json")).expect("the home is ours");
    symlink("real.json", files.at("sample.json")).expect("the home is ours");
    assert_eq!(
        files.json(0)["verdict"],
        "pass",
        "a link to a file is a file"
    );
}

#[test]
fn pairs_that_are_none_end_with_2() {
    for (pairs, said) in [
        ("[]", "pairs.json, line 1, column 1: an empty list of pairs"),
        (
            "{}",
            "pairs.json, line 1, column 1: expected an array of pairs",
        ),
        (
            "[{\"legacy_column\": \"a\",\n \"modern_column\": 1}]",
            "pairs.json, line 2, column 19: modern_column is no text",
        ),
    ] {
        let files = Files::green();
        files.write("pairs.json", pairs.as_bytes());
        assert_eq!(refused(&files.run(&["--pairs", "pairs.json"]), 2).0, said);
    }
}

#[test]
fn hostile_exports_end_in_a_finding_with_its_place() {
    let deep = "{\"a\":\n".repeat(100_000);
    let long = format!("{{\"breach_count\":1,\"{}\":1}}", "k".repeat(1_000_000));
    for (text, rule, place) in [
        (
            "",
            "sample_invalid",
            "sample.json, line 1, column 1: no JSON text",
        ),
        (
            "[]",
            "sample_invalid",
            "sample.json, line 1, column 1: an export without",
        ),
        (
            "\u{feff}{}",
            "sample_invalid",
            "sample.json, line 1, column 1: a byte order mark",
        ),
        (
            "{\"a\":\n NaN}",
            "sample_invalid",
            "sample.json, line 2, column 2: expected a value",
        ),
        (
            "{\"a\":9007199254740993}",
            "sample_invalid",
            "sample.json, line 1, column 6: ",
        ),
        (
            "{\"a\":\"\\ud800\"}",
            "sample_invalid",
            "sample.json, line 1, column 7: ",
        ),
        (
            &deep,
            "sample_invalid",
            "sample.json, line 129, column 1: arrays and objects nested",
        ),
        (
            "{\"a\":1,\n\"\\u0061\":1}",
            "duplicate_key",
            "sample.json, line 2, column 1: duplicate key \"a\"",
        ),
        (
            "{\"r\":{\n\"a.b\":1}}",
            "ambiguous_dotted_key",
            "sample.json, line 2, column 1: key \"a.b\"",
        ),
        (
            &long,
            "key_not_allowed",
            "sample.json has it, and it is not in allowed_top_level_keys",
        ),
    ] {
        let files = Files::sample(text);
        let finding = files.json(1)["findings"][0].clone();
        assert_eq!(finding["rule"], rule, "{place}");
        let detail = finding["detail"].as_str().expect("a text");
        assert!(detail.starts_with(place), "{detail}");
        let lines = files.run(&[]);
        assert_eq!(lines.code, Some(1));
        assert!(lines.stdout.lines().all(|line| line.len() < 1_000));
        let other = Files::green();
        other.write("golden.json", text.as_bytes());
        let first = other.rules().swap_remove(0);
        assert_eq!(
            first
                .replace("golden", "sample")
                .replace("removed_key", "key_not_allowed"),
            rule
        );
    }
    let files = Files::green();
    files.write("sample.json", b"{\"a\":\"\xff\"}");
    assert_eq!(files.rules(), ["sample_invalid"]);
}

#[test]
fn hostile_keys_never_reach_the_terminal() {
    let files =
        Files::sample("{\"breach_count\":1,\"owner_route_id\":\"\",\"\\u001b[2J\\u202e\":1}");
    let ran = files.run(&[]);
    let text = said(&ran, 1);
    assert!(text.contains("key_not_allowed <001B>[2J<202E>"), "{text}");
    let ran = files.run(&["--json"]);
    assert!(ran.stdout.is_ascii());
    let told = document(&ran, 1, "gate-allowlist");
    assert_eq!(
        told["findings"][0]["key"], "\u{1b}[2J\u{202e}",
        "the raw key"
    );
}

#[test]
fn of_many_findings_the_lines_name_some_and_the_document_all() {
    let keys: Vec<_> = (0..5_000)
        .map(|number| format!("\"k{number:04}\":1"))
        .collect();
    let files = Files::sample(&format!(
        "{{\"breach_count\":1,\"owner_route_id\":\"\",{}}}",
        keys.join(",")
    ));
    let ran = files.run(&[]);
    let text = said(&ran, 1);
    assert!(text.starts_with("FAIL sample.json in dual_write: 5000 findings\n"));
    assert!(text.contains("\n  and 4950 more\n"), "{text}");
    let run = files.run(&["--json"]);
    let told = document(&run, 1, "gate-allowlist");
    assert_eq!(told["findings"].as_array().map(Vec::len), Some(5_000));
    assert_eq!(told["added_keys"].as_array().map(Vec::len), Some(5_000));
}

#[test]
fn no_database_and_no_setting_is_asked() {
    let files = Files::green();
    let mut command = files.home.govdeck(WORDS);
    command.env("GOVDECK_DSN", "postgres://nobody@127.0.0.1:1/none");
    assert_eq!(run(command).code, Some(0));
    assert!(!files.at("govdeck.db").exists());
}

#[test]
fn it_takes_at_most_four_times_the_export() {
    let words: Vec<_> = WORDS.into();
    let words = words.join(" ");
    let nothing = peak_of(Files::green().home.folder(), &words);
    let key = |number: u32| format!("\"k{:08x}\":1", number.wrapping_mul(0x9E37_79B1));
    let members: Vec<_> = (0..250_000).map(key).collect();
    let wide = format!("{{{}}}", members.join(","));
    let long = format!(
        "[{}]",
        vec![SAMPLE.trim_matches(['[', ']']); 40_000].join(",")
    );
    let bad = wide.replace('k', "k.");
    for (shape, golden, sample) in [
        ("many elements", GOLDEN, &long),
        ("many elements in both", &long, &long),
        ("keys that nobody allowed", GOLDEN, &wide),
        ("keys that are gone", &wide, &long),
        ("keys with a dot", GOLDEN, &bad),
    ] {
        let files = Files::sample(sample);
        files.write("golden.json", golden.as_bytes());
        for words in [words.clone(), format!("{words} --json")] {
            let taken = peak_of(files.home.folder(), &words).saturating_sub(nothing);
            let size = golden.len().max(sample.len());
            // What an allocator keeps for itself differs from run to run.
            assert!(
                taken <= 4 * size + 1024 * 1024,
                "{shape}: {taken} for {size} bytes"
            );
        }
    }
}

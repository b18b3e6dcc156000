//! `govdeck bundle`: the contract of its output, folders that are not what they seem, and what is begun anew.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use govdeck::bundles::gather::check_folder;
use govdeck::rules::bundle::{Kind, Reason, Schema};
use serde_json::{Value, json};

use crate::cli_kit::{document, fifo, files, misused, refused, said};
use crate::docs::{assert_current, row};
use crate::support::bundles::{Draft, ID, register};
use crate::support::command::{Home, Run, run};

/// A governance root in a home.
struct Root {
    home: Home,
}

impl Root {
    fn of(drafts: &[Draft]) -> Self {
        let root = Self { home: Home::new() };
        fs::create_dir(root.at("")).expect("the home is ours");
        for draft in drafts {
            draft.write(&root.at(""));
        }
        let entries: Vec<_> = drafts.iter().map(Draft::entry).collect();
        register(&root.at(""), &entries);
        root
    }

    fn at(&self, path: &str) -> PathBuf {
        self.home.folder().join("gov").join(path)
    }

    fn bundle(&self) -> PathBuf {
        self.at(&format!("postgis/{ID}"))
    }

    fn run(&self, words: &[&str]) -> Run {
        run(self.home.govdeck(["bundle"].iter().chain(words)))
    }

    /// What is found, as `reason path`.
    fn found(&self, words: &[&str]) -> Vec<String> {
        let ran = self.run(&[&["check", "--json"], words].concat());
        let code = ran.code.expect("an exit code");
        let document = document(&ran, code, "bundle-check");
        let findings = document["findings"].as_array().expect("a list");
        assert_eq!(code == 0, findings.is_empty());
        assert_eq!(document["verdict"], if code == 0 { "pass" } else { "fail" });
        let word = |finding: &Value, name: &str| finding[name].as_str().expect("text").to_owned();
        findings
            .iter()
            .map(|finding| {
                assert_eq!(finding.as_object().expect("fields").len(), 3);
                assert!(!word(finding, "detail").is_empty());
                format!("{} {}", word(finding, "reason"), word(finding, "path"))
            })
            .collect()
    }
}

const ONE: &str = "gov/postgis/PG-MIG-2026-02-28-01";

#[test]
fn a_bundle_passes_alone_with_its_type_and_with_the_root() {
    let search = Draft::of("SEARCH-MIG-2026-03-01-01", Kind::Search);
    let root = Root::of(&[Draft::valid(), search]);
    assert_eq!(
        said(&root.run(&["check", ONE]), 0),
        format!("PASS {ONE}: 1 bundle\n")
    );
    assert_eq!(
        said(&root.run(&["check", "gov/postgis"]), 0),
        "PASS gov/postgis: 1 bundle\n"
    );
    assert_eq!(
        said(&root.run(&["check", "gov/"]), 0),
        "PASS gov/: 2 bundles\n"
    );
    let both = root.run(&["check", ONE, "gov/search"]);
    assert_eq!(
        said(&both, 0),
        format!("PASS {ONE} gov/search: 2 bundles\n")
    );
    let document = document(&root.run(&["check", ONE, "--json"]), 0, "bundle-check");
    assert_eq!(
        document,
        json!({"schema": "govdeck.bundle-check.v1", "verdict": "pass", "findings": []})
    );
    let mut inside = root.home.govdeck(["bundle", "check", "."]);
    inside.current_dir(root.bundle());
    assert_eq!(said(&run(inside), 0), "PASS .: 1 bundle\n");
}

#[test]
fn a_finding_is_told_in_every_form() {
    let draft = Draft::valid().replacing(
        "migration.yml",
        "max_row_backfill: 10",
        "max_row_backfill: ten",
    );
    let root = Root::of(&[draft]);
    let detail = "line 17, column 21: limits.max_row_backfill: expected a whole number";
    assert_eq!(
        said(&root.run(&["check", ONE]), 1),
        format!(
            "FAIL {ONE}: 1 bundle, 1 finding\n  limits_invalid migration.yml: {detail}\nwhat to do:\n  limits_invalid: {}\n",
            Reason::LimitsInvalid.remedy()
        )
    );
    let finding = json!({"reason": "limits_invalid", "path": "migration.yml", "detail": detail});
    for words in [&["check", ONE, "--json"], &["check", ONE, "--format=json"]] {
        let document = document(&root.run(words), 1, "bundle-check");
        assert_eq!(document["findings"], json!([finding]));
    }
    let plain = format!("{ONE}/migration.yml:17: limits_invalid: {detail}\n");
    assert_eq!(
        said(&root.run(&["check", ONE, "--format", "plain"]), 1),
        plain
    );
    let sarif: Value =
        serde_json::from_str(said(&root.run(&["check", ONE, "--format", "sarif"]), 1))
            .expect("JSON");
    assert_eq!(
        (&sarif["version"], sarif.as_object().expect("fields").len()),
        (&json!("2.1.0"), 3)
    );
    let log = &sarif["runs"][0];
    assert_eq!(
        log["tool"]["driver"]["rules"]
            .as_array()
            .expect("rules")
            .len(),
        Reason::ALL.len()
    );
    let result = &log["results"][0];
    let rule = &log["tool"]["driver"]["rules"]
        [usize::try_from(result["ruleIndex"].as_u64().expect("a number")).expect("small")];
    assert_eq!(
        (&result["ruleId"], &rule["id"]),
        (&json!("limits_invalid"), &json!("limits_invalid"))
    );
    let location = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        location["artifactLocation"]["uri"],
        format!("{ONE}/migration.yml")
    );
    assert_eq!(
        location["region"],
        json!({"startLine": 17, "startColumn": 21})
    );
}

#[test]
fn what_is_no_bundle_is_never_a_pass() {
    let root = Root::of(&[]);
    fs::create_dir_all(root.at("empty/inside")).expect("ours");
    fs::write(root.at("file"), "x").expect("ours");
    assert_eq!(
        root.found(&["gov/empty"]),
        ["declaration_invalid migration.yml"]
    );
    assert_eq!(root.found(&["gov"]), ["declaration_invalid ."]);
    fs::create_dir(root.at("postgis")).expect("ours");
    assert_eq!(root.found(&["gov"]), ["declaration_invalid ."]);
    assert_eq!(
        root.found(&["gov/postgis"]),
        ["declaration_invalid migration.yml"]
    );
    for words in [&["check", "gov/nowhere"], &["check", "gov/file"]] {
        let (sentence, _) = refused(&root.run(words), 2);
        assert!(sentence.starts_with(words[1]), "{sentence}");
    }
    misused(&root.run(&["check"]));
    misused(&root.run(&["check", "gov", "--format", "xml"]));
}

#[test]
fn the_root_and_its_registry_are_checked_together() {
    let other = Draft::of("PG-MIG-2026-03-01-01", Kind::Postgis);
    let root = Root::of(&[Draft::valid(), other.clone()]);
    let registry = "registry/migrations.v1.json";
    fs::remove_dir_all(root.at("postgis/PG-MIG-2026-03-01-01")).expect("it was there");
    assert_eq!(
        root.found(&["gov"]),
        [format!("artifact_invalid {registry}")]
    );
    register(&root.at(""), &[]);
    assert_eq!(
        root.found(&["gov"]),
        [format!("artifact_invalid {registry}")]
    );
    fs::remove_file(root.at(registry)).expect("it was there");
    assert_eq!(
        root.found(&["gov"]),
        [format!("artifact_invalid {registry}")]
    );
    let mut twin = Draft::of(ID, Kind::Graph);
    twin.write(&root.at(""));
    register(&root.at(""), &[Draft::valid().entry(), twin.entry()]);
    assert!(
        root.found(&["gov"])
            .contains(&format!("migration_id_mismatch graph/{ID}"))
    );
    twin.files.clear();
    fs::remove_dir_all(root.at("graph")).expect("it was there");
    symlink(root.at("postgis"), root.at("graph")).expect("ours");
    register(&root.at(""), &[Draft::valid().entry()]);
    assert_eq!(root.found(&["gov"]), ["symlink graph"]);
    fs::remove_file(root.at("graph")).expect("it was there");
    symlink(root.bundle(), root.at("postgis/PG-MIG-2026-03-01-01")).expect("ours");
    assert_eq!(
        root.found(&["gov"]),
        ["symlink postgis/PG-MIG-2026-03-01-01"]
    );
    let path = "gov/postgis/PG-MIG-2026-03-01-01";
    assert!(root.found(&[path]).contains(&"symlink .".to_owned()));
}

#[test]
fn links_pipes_and_locked_files_are_told_and_not_followed() {
    let root = Root::of(&[Draft::valid()]);
    let bundle = root.bundle();
    fs::write(root.at("outside.sql"), "PASSWORD 'hunter2'").expect("ours");
    symlink(root.at("outside.sql"), bundle.join("extra.sql")).expect("ours");
    assert_eq!(root.found(&[ONE]), ["symlink extra.sql"]);
    fs::remove_file(bundle.join("extra.sql")).expect("it was there");
    fs::remove_file(bundle.join("rollback.sql")).expect("it was there");
    symlink(root.at("outside.sql"), bundle.join("rollback.sql")).expect("ours");
    assert_eq!(root.found(&[ONE]), ["symlink rollback.sql"]);
    fs::remove_file(bundle.join("rollback.sql")).expect("it was there");
    fifo(&bundle.join("rollback.sql"));
    assert_eq!(root.found(&[ONE]), ["artifact_invalid rollback.sql"]);
    fs::remove_file(bundle.join("rollback.sql")).expect("it was there");
    Draft::valid().write(&root.at(""));
    fs::rename(bundle.join("receipts"), root.at("elsewhere")).expect("ours");
    symlink(root.at("elsewhere"), bundle.join("receipts")).expect("ours");
    assert_eq!(root.found(&[ONE]), ["symlink receipts"]);
    fs::remove_file(bundle.join("receipts")).expect("it was there");
    fs::rename(root.at("elsewhere"), bundle.join("receipts")).expect("ours");
    let _socket = std::os::unix::net::UnixListener::bind(bundle.join("s")).expect("ours");
    assert_eq!(root.found(&[ONE]), ["artifact_invalid s"]);
    fs::remove_file(bundle.join("s")).expect("it was there");
    fs::write(bundle.join("large.bin"), vec![b'x'; 9 * 1024 * 1024]).expect("ours");
    assert_eq!(root.found(&[ONE]), ["artifact_invalid large.bin"]);
    fs::remove_file(bundle.join("large.bin")).expect("it was there");
    for number in 0..600 {
        fs::write(bundle.join(format!("many{number}")), "").expect("ours");
    }
    assert!(
        root.found(&[ONE])
            .iter()
            .any(|found| found.starts_with("artifact_invalid"))
    );
}

#[test]
fn a_folder_that_is_swapped_meanwhile_never_leads_outside() {
    let root = Root::of(&[Draft::valid()]);
    let bundle = root.bundle();
    let outside = root.at("outside");
    fs::create_dir(&outside).expect("ours");
    for name in ["pre.json", "post.json"] {
        fs::write(outside.join(name), "password=hunter2").expect("ours");
    }
    let (inside, aside) = (bundle.join("baselines"), root.at("aside"));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let swapped = fs::rename(&inside, &aside).and_then(|()| symlink(&outside, &inside));
                let back = fs::remove_file(&inside).and_then(|()| fs::rename(&aside, &inside));
                assert!(swapped.is_ok() && back.is_ok());
            }
        });
        let mut seen = 0;
        for _ in 0..crate::support::rounds() * 10 {
            let found = check_folder(&bundle).expect("the bundle is there");
            let reasons = found.findings.iter().map(|finding| finding.reason);
            assert!(!reasons.clone().any(|reason| reason == Reason::SecretFound));
            seen += usize::from(reasons.clone().any(|reason| reason == Reason::Symlink));
        }
        stop.store(true, Ordering::Relaxed);
        assert!(seen > 0, "it was never swapped in time");
    });
}

#[test]
fn names_that_are_hostile_never_reach_the_terminal() {
    let root = Root::of(&[Draft::valid()]);
    fs::write(root.bundle().join("a\u{1b}[2J\u{202e}\nb.json"), "{").expect("ours");
    for format in ["text", "plain", "sarif", "json"] {
        let ran = root.run(&["check", ONE, "--format", format]);
        let text = said(&ran, 1);
        let lines = text.lines().count();
        assert!(
            !text.contains(|c| c != '\n' && govdeck::rules::text::is_hostile(c)),
            "{text:?}"
        );
        assert!(lines <= 4, "{text:?}");
    }
}

#[test]
fn bad_input_is_refused_soon_and_in_little_memory() {
    let root = Root::of(&[Draft::valid()]);
    let megabyte = 1024 * 1024;
    let bombs: [(&str, String); 7] = [
        ("migration.yml", "[".repeat(megabyte)),
        ("migration.yml", "a: &a [x]\nb: &b [*a, *a]\n".repeat(9_000)),
        (
            "baselines/pre.json",
            format!("[{}1]", "1,".repeat(2 * megabyte)),
        ),
        ("baselines/pre.json", "{\"a\":".repeat(megabyte)),
        (
            "diffs/summary.json",
            format!("[{}{{}}]", "{\"a\":1},".repeat(megabyte / 4)),
        ),
        (
            "receipts/run_receipt.json",
            format!("{{\"a\":\"{}\"}}", "x".repeat(4 * megabyte)),
        ),
        ("notes.md", "password password: = 'x ".repeat(megabyte / 24)),
    ];
    for (path, bomb) in bombs {
        Draft::valid().write(&root.at(""));
        fs::write(root.bundle().join(path), &bomb).expect("ours");
        let begun = Instant::now();
        let peak = crate::cli_memory::peak_of(root.home.folder(), &format!("bundle check {ONE}"));
        let took = begun.elapsed();
        println!("{path} of {} bytes: {took:?}, {peak} bytes", bomb.len());
        assert!(peak < 100 * megabyte, "{path}: {peak}");
        // Where nothing was optimised, and beside other tests, it takes longer; the bench has the number.
        assert!(took < Duration::from_secs(20), "{path}: {took:?}");
    }
}

#[test]
fn schemas_are_printed_as_they_are_used() {
    let root = Root::of(&[]);
    let names: Vec<_> = Schema::ALL.iter().map(|schema| schema.word()).collect();
    assert_eq!(said(&root.run(&["schema"]), 0), names.join("\n") + "\n");
    for schema in Schema::ALL {
        assert_eq!(
            said(&root.run(&["schema", schema.word()]), 0),
            schema.text()
        );
    }
    assert_eq!(
        said(&root.run(&["schema", "baseline"]), 0),
        Schema::Baseline.text()
    );
    for name in ["receipt", "x", ""] {
        refused(&root.run(&["schema", name]), 2);
    }
}

#[test]
fn a_new_bundle_says_what_is_missing_and_passes_once_filled_in() {
    for kind in Kind::ALL {
        let root = Root::of(&[]);
        fs::remove_dir_all(root.at("registry")).expect("it was there");
        let id = "NEW-MIG-2026-05-01-01";
        let begun = root.run(&["new", kind.word(), id, "--dir", "gov"]);
        assert!(said(&begun, 0).contains(&format!("wrote gov/{kind}/{id}/migration.yml")));
        let found = root.found(&["gov"]);
        assert!(
            found.iter().all(|found| !found.contains("registry")),
            "{found:?}"
        );
        assert!(
            found.contains(&format!("declaration_invalid {kind}/{id}/migration.yml")),
            "{found:?}"
        );
        // Whoever fills it in keeps the files that were made, but for what is to be said.
        let mut draft = Draft::of(id, *kind);
        let made = fs::read_to_string(root.at(&format!("{kind}/{id}/migration.yml")))
            .expect("it was made");
        let filled = made
            .replace("intent: \"\"", "intent: \"Answers faster\"")
            .replace("allowed_schemas: []", "allowed_schemas: [public]")
            .replace("allowed_tables: []", "allowed_tables: [parcels]")
            .replace("required_reviewers: []", "required_reviewers: [platform]")
            .replace("touched: 0", "touched: 1")
            .replace("delta: 0", "delta: 1");
        draft.put("migration.yml", filled);
        draft.with_receipt().write(&root.at(""));
        assert_eq!(root.found(&["gov"]), Vec::<String>::new(), "{kind}");
    }
}

#[test]
fn a_new_bundle_never_writes_over_anything() {
    let root = Root::of(&[Draft::valid()]);
    let next = "PG-MIG-2026-02-28-02";
    let all = || {
        (
            files(&root.at("")),
            files(&root.at("postgis")),
            files(&root.at("registry")),
            files(&root.bundle()),
        )
    };
    let before = all();
    for words in [
        ["new", "postgis", ID, "--dir", "gov"],
        ["new", "graph", ID, "--dir", "gov"],
        ["new", "postgis", "PG-MIG-2026-02-27-01", "--dir", "gov"],
    ] {
        let (sentence, _) = refused(&root.run(&words), 1);
        assert!(!sentence.is_empty());
        assert_eq!(all(), before, "{words:?}");
    }
    for id in ["PG-MIG-2026-02-30-01", "../x", ""] {
        refused(&root.run(&["new", "postgis", id, "--dir", "gov"]), 2);
    }
    refused(&root.run(&["new", "mysql", next, "--dir", "gov"]), 2);
    refused(
        &root.run(&["new", "postgis", next, "--dir", "gov/nowhere"]),
        2,
    );
    let ran = root.run(&["new", "postgis", next, "--dir", "gov", "--json"]);
    let document = document(&ran, 0, "bundle-new");
    assert_eq!(document["files"].as_array().expect("a list").len(), 5);
    let registry: Value = serde_json::from_slice(
        &fs::read(root.at("registry/migrations.v1.json")).expect("it is there"),
    )
    .expect("JSON");
    assert_eq!(registry["migrations"][1]["migration_id"], next);
    assert_eq!(registry["migrations"][1]["status"], "draft");
    refused(&root.run(&["new", "postgis", next, "--dir", "gov"]), 1);
    fs::write(root.at("registry/migrations.v1.json"), "{").expect("ours");
    refused(
        &root.run(&["new", "postgis", "PG-MIG-2026-02-28-03", "--dir", "gov"]),
        1,
    );
    assert!(!root.at("postgis/PG-MIG-2026-02-28-03").exists());
}

#[test]
fn a_new_bundle_is_never_made_elsewhere() {
    let root = Root::of(&[]);
    fs::create_dir(root.home.folder().join("elsewhere")).expect("ours");
    symlink("../elsewhere", root.at("postgis")).expect("ours");
    refused(&root.run(&["new", "postgis", ID, "--dir", "gov"]), 2);
    assert!(files(&root.home.folder().join("elsewhere")).is_empty());
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(root.at(""), mode).expect("ours");
}

#[test]
fn the_table_of_reasons_is_current() {
    let mut table = row(&["reason", "what it means", "what to do"]) + "|---|---|---|\n";
    for reason in Reason::ALL {
        table += &row(&[&format!("`{reason}`"), reason.meaning(), reason.remedy()]);
    }
    assert_current("docs/bundles.md", &table);
}

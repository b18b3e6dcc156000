//! What is read: policies, filed hashes and pairs, each strictly.

use serde_json::{Value, json};

use super::super::{Half, Phase, Policy, allowlist_sha256, filed_sha256, lint, read_pairs};
use super::{cutover, document, policy, renames};
use crate::canon::{Digest, canonical};

#[test]
fn a_policy_says_what_its_fields_say() {
    let mut written = document("dual_write");
    written["removed_keys"] = json!([]);
    written["added_keys"] = json!(["b", "a"]);
    let read = policy(&written);
    assert_eq!(
        (read.migration_id.as_str(), read.phase),
        ("mig-7", Phase::DualWrite)
    );
    assert_eq!(
        (read.from_semver.as_str(), read.to_semver.as_str()),
        ("2.4.0", "v2.4.1")
    );
    assert!(read.protected_metric_ids.contains("MET-0171"));
    assert_eq!(read.added_keys, Some(["a", "b"].map(str::to_owned).into()));
    assert_eq!(read.removed_keys, Some([].into()));
    assert_eq!(read.type_changed_keys, None);
}

#[test]
fn a_key_is_allowed_by_its_place() {
    let read = policy(&document("dual_write"));
    for (path, allowed) in [
        ("breach_count", true),
        ("route", true),
        ("route.ownerRouteId", true),
        ("route.owner_route_id", false),
        ("ownerRouteId", false),
        ("breach_count.x", false),
        ("route.ownerRouteId.x", false),
        ("queue_depth", false),
        ("Route.ownerRouteId", false),
        ("", false),
    ] {
        assert_eq!(read.allows(path), allowed, "{path}");
    }
    let mut orphan = document("dual_write");
    orphan["allowed_top_level_keys"] = json!(["breach_count"]);
    assert!(!policy(&orphan).allows("route.ownerRouteId"), "both lists");
    for phase in Phase::ALL {
        let read = policy(&document(phase.word()));
        assert!(read.forbids("queue_depth") && !read.forbids("queue_depth.x"));
        assert_eq!(read.lets_go("queue_depth"), *phase == Phase::Cutover);
        assert!(!read.lets_go("breach_count"));
    }
}

fn refusal(text: &str) -> String {
    match Policy::read(text.as_bytes()) {
        Ok(_) => panic!("{text} was read"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_field_has_its_form() {
    for (field, value, said) in [
        ("migration_id", json!(""), "migration_id: \"\" is no name"),
        ("migration_id", json!("../x"), "is no name of a folder"),
        ("migration_id", json!("a/b"), "is no name of a folder"),
        ("migration_id", json!("a b"), "is no name of a folder"),
        ("migration_id", json!("a\u{202e}"), "is no name of a folder"),
        ("migration_id", json!(7), "migration_id is no text"),
        (
            "phase",
            json!("rollback"),
            "phase: \"rollback\" has no allow-list; one of: prepare, dual_write, cutover",
        ),
        ("phase", json!("Cutover"), "has no allow-list"),
        ("phase", json!(null), "phase is no text"),
        (
            "from_semver",
            json!("2.4"),
            "from_semver: \"2.4\" is no version",
        ),
        (
            "to_semver",
            json!("2.4.0"),
            "to_semver \"2.4.0\" is not after from_semver \"2.4.0\"",
        ),
        ("to_semver", json!("2.4.0+x"), "is not after"),
        ("to_semver", json!("2.3.9"), "is not after"),
        ("to_semver", json!("3.0.0"), "not of one major version"),
        (
            "allowed_top_level_keys",
            json!("route"),
            "allowed_top_level_keys is no list",
        ),
        (
            "allowed_top_level_keys",
            json!(["a", 1]),
            "an element of allowed_top_level_keys is no text",
        ),
        (
            "nested_paths_allowed",
            json!(["a.b", "a.b"]),
            "nested_paths_allowed: \"a.b\" stands twice",
        ),
        (
            "forbidden_exact_keys",
            json!(null),
            "forbidden_exact_keys is no list",
        ),
        (
            "protected_metric_ids",
            json!({}),
            "protected_metric_ids is no list",
        ),
        ("added_keys", json!(null), "added_keys is no list"),
        ("notes", json!("x"), "an unknown field \"notes\""),
        ("Phase", json!("cutover"), "an unknown field \"Phase\""),
    ] {
        let mut written = document("dual_write");
        written[field] = value.clone();
        let told = refusal(&written.to_string());
        assert!(told.contains(said), "{field} {value}: {told}");
    }
    for field in [
        "migration_id",
        "phase",
        "from_semver",
        "to_semver",
        "allowed_top_level_keys",
        "nested_paths_allowed",
        "forbidden_exact_keys",
        "protected_metric_ids",
    ] {
        let mut written = document("dual_write");
        written.as_object_mut().expect("an object").remove(field);
        let told = refusal(&written.to_string());
        assert_eq!(told, format!("line 1, column 1: {field} is missing"));
    }
}

#[test]
fn what_is_not_strict_is_refused_in_place() {
    for (text, said) in [
        ("", "line 1, column 1: no JSON text"),
        ("[]", "line 1, column 1: expected an object"),
        ("\u{feff}{}", "line 1, column 1: a byte order mark"),
        (
            "{\"phase\":\"cutover\",\n \"ph\\u0061se\":\"cutover\"}",
            "line 2, column 2: duplicate key \"phase\"",
        ),
        (
            "{\n\n  \"phase\": NaN}",
            "line 3, column 12: expected a value, found \"N\"",
        ),
        (
            "{\"added_keys\":[\"a\",\n\"\\u0061\"]}",
            "line 2, column 1: added_keys: \"a\" stands twice",
        ),
        (
            "{\"added_keys\":[\"a\",]}",
            "line 1, column 20: expected a value",
        ),
    ] {
        let told = refusal(text);
        assert!(told.starts_with(said), "{text}: {told}");
    }
    let trailing = format!("{} {{}}", document("prepare"));
    assert!(refusal(&trailing).contains("text after the end"));
    let deep = format!("{{\"added_keys\":{}", "[".repeat(100_000));
    assert!(refusal(&deep).contains("is no text"));
}

#[test]
fn the_hash_is_of_the_canonical_form() {
    let written = document("cutover");
    let text = written.to_string();
    let pretty = serde_json::to_string_pretty(&written).expect("it is JSON");
    let escaped = text.replace("route", "r\\u006fute");
    let expected = Digest::of(&canonical(&text).expect("it is JSON"));
    for spelling in [&text, &pretty, &escaped] {
        assert_eq!(allowlist_sha256(spelling.as_bytes()), Ok(expected));
    }
    let mut other = written;
    other["forbidden_exact_keys"] = json!([]);
    assert_ne!(allowlist_sha256(other.to_string().as_bytes()), Ok(expected));
    assert!(allowlist_sha256(b"{\"a\":1,\"a\":1}").is_err());
    assert!(allowlist_sha256(b"{\"a\":9007199254740993}").is_err());
}

#[test]
fn a_filed_hash_is_the_first_word_of_one_line() {
    let hash = "0123456789abcdef".repeat(4);
    for text in [
        hash.clone(),
        format!("{hash}\n"),
        format!("{hash}\r\n"),
        format!("{hash}  exporter_allowlist_diff.json\n"),
        format!("{hash} *-\n"),
        format!("{hash}\tx"),
    ] {
        assert_eq!(
            filed_sha256(text.as_bytes()),
            Ok(hash.parse().expect("a hash")),
            "{text:?}"
        );
    }
    for text in [
        String::new(),
        "\n".to_owned(),
        format!(" {hash}"),
        format!("\u{feff}{hash}"),
        hash.to_uppercase(),
        format!("sha256:{hash}"),
        hash[1..].to_owned(),
        format!("{hash}0"),
        format!("{hash}\n{hash}\n"),
        format!("\n{hash}"),
        "x".repeat(1_000_000),
    ] {
        let told = filed_sha256(text.as_bytes()).expect_err("it is none");
        assert!(
            told.starts_with("has no hash: ") && told.len() < 250,
            "{told}"
        );
    }
    assert!(filed_sha256(b"\xff").is_err());
}

#[test]
fn pairs_are_two_columns_each() {
    let text = r#"[{"legacy_column":"breach_count","modern_column":"breachCount"},
        {"modern_column":"route.ownerRouteId","legacy_column":"owner_route_id"}]"#;
    assert_eq!(read_pairs(text.as_bytes()), Ok(renames()));
    for (text, said) in [
        ("", "line 1, column 1: no JSON text"),
        ("{}", "line 1, column 1: expected an array of pairs"),
        (" []", "line 1, column 2: an empty list of pairs"),
        ("[1]", "line 1, column 2: expected an object"),
        (
            r#"[{"legacy_column":"a"}]"#,
            "line 1, column 2: modern_column is missing",
        ),
        (
            r#"[{"modern_column":"a"}]"#,
            "line 1, column 2: legacy_column is missing",
        ),
        (r"[{}]", "line 1, column 2: legacy_column is missing"),
        (
            r#"[{"legacy_column":"","modern_column":"a"}]"#,
            "line 1, column 19: legacy_column is empty",
        ),
        (
            r#"[{"legacy_column":"a","modern_column":null}]"#,
            "line 1, column 39: modern_column is no text",
        ),
        (
            r#"[{"legacy_column":"a","modern_column":"\u0061"}]"#,
            "line 1, column 39: the column \"a\" stands twice",
        ),
        (
            r#"[{"legacy":"a","modern":"b"}]"#,
            "line 1, column 3: an unknown field \"legacy\"",
        ),
        (
            r#"[{"legacy_column":"a","legacy_column":"b"}]"#,
            "line 1, column 23: duplicate key",
        ),
        (
            r#"[{"legacy_column":"a","modern_column":"b"}] 1"#,
            "line 1, column 45: text after the end",
        ),
    ] {
        let told = read_pairs(text.as_bytes()).expect_err(text).to_string();
        assert!(told.starts_with(said), "{text}: {told}");
    }
}

#[test]
fn halves_are_due_by_phase() {
    for (phase, legacy) in [
        (Phase::Prepare, true),
        (Phase::DualWrite, true),
        (Phase::Cutover, false),
    ] {
        assert_eq!(Half::Legacy.is_due(phase), legacy, "{phase}");
        assert!(Half::Modern.is_due(phase), "{phase}");
    }
}

fn warnings(change: impl Fn(&mut Value), mut written: Value) -> Vec<String> {
    change(&mut written);
    lint(&policy(&written), &renames())
}

#[test]
fn a_policy_that_contradicts_its_pairs_warns() {
    let dual = || document("dual_write");
    assert_eq!(warnings(|_| {}, dual()), Vec::<String>::new());
    assert_eq!(warnings(|_| {}, cutover()), Vec::<String>::new());
    let nested =
        |policy: &mut Value| policy["nested_paths_allowed"] = json!(["route.owner_route_id"]);
    assert_eq!(
        warnings(nested, dual()),
        [
            "the modern half \"route.ownerRouteId\" is due and not in nested_paths_allowed, or its first segment in \
          allowed_top_level_keys: no export passes in dual_write"
        ]
    );
    let forbidden = |policy: &mut Value| {
        policy["forbidden_exact_keys"] = json!(["breach_count", "breachCount"]);
    };
    assert_eq!(
        warnings(forbidden, dual()),
        [
            "the legacy half \"breach_count\" is due and in forbidden_exact_keys: no export passes in dual_write",
            "the modern half \"breachCount\" is due and in forbidden_exact_keys: no export passes in dual_write"
        ]
    );
    let kept = |policy: &mut Value| policy["forbidden_exact_keys"] = json!(["breach_count"]);
    assert_eq!(
        warnings(kept, cutover()),
        [
            "the legacy half \"owner_route_id\" is not in forbidden_exact_keys, so it may not go in cutover"
        ]
    );
}

#[test]
fn an_entry_that_allows_nothing_warns() {
    let mut written = document("prepare");
    written["allowed_top_level_keys"] = json!(["breach_count", "a.b"]);
    written["nested_paths_allowed"] = json!(["breach_count.x", "route.x", "flat"]);
    assert_eq!(
        lint(&policy(&written), &[]),
        [
            "allowed_top_level_keys has \"a.b\", which is no top-level key: nothing has it",
            "nested_paths_allowed has \"flat\", which allows nothing: it is not nested",
            "nested_paths_allowed has \"route.x\", which allows nothing: \"route\" is not in allowed_top_level_keys"
        ]
    );
}

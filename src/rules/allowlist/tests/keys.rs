//! What is held against the keys of an export: allowed, forbidden, removed, of another type, halves of pairs.

use serde_json::{Value, json};

use super::super::{Differences, Phase, judge};
use super::{BOTH, GOLDEN, MODERN, case, cutover, document, found, judged, renames};
use crate::canon::{ExportKeys, keyset_hash};

#[test]
fn an_export_that_fits_its_phase_passes() {
    for phase in ["prepare", "dual_write"] {
        let mut fits = case(&document(phase), GOLDEN, BOTH);
        fits.pairs = renames();
        let judgement = judge(fits);
        assert_eq!(found(&judgement), [""; 0], "{phase}");
        let added: Vec<_> = judgement.added_keys().collect();
        assert_eq!(added, ["breachCount", "route.ownerRouteId"]);
        let hash = keyset_hash(BOTH.as_bytes()).expect("an export");
        assert_eq!(judgement.keyset_sha256(), Some(hash));
        assert_eq!(judgement.warnings, [""; 0]);
    }
    let mut fits = case(&cutover(), BOTH, MODERN);
    fits.pairs = renames();
    let judgement = judge(fits);
    assert_eq!(found(&judgement), [""; 0]);
    let removed: Vec<_> = judgement.removed_keys().collect();
    assert_eq!(removed, ["breach_count", "owner_route_id"]);
}

#[test]
fn what_is_forbidden_wins_over_what_is_allowed() {
    let mut written = document("dual_write");
    written["allowed_top_level_keys"] = json!(["a", "queue_depth", "route", "b"]);
    written["nested_paths_allowed"] = json!(["route.x", "route.y", "b.c"]);
    written["forbidden_exact_keys"] = json!(["queue_depth", "route.y", "b", "z"]);
    let sample = r#"{"queue_depth":1,"route":[{"x":1,"y":2},{"w":3}],"b":{"c":1},"z":1,"new":{"deep":{}},"a":[]}"#;
    assert_eq!(
        judged(case(&written, r#"{"a":[1]}"#, sample)),
        [
            "forbidden_key queue_depth",
            "forbidden_key route.y",
            "forbidden_key z",
            "key_not_allowed new.deep",
            "key_not_allowed route.w",
        ],
        "b.c is not b"
    );
}

#[test]
fn nothing_goes_but_what_the_cutover_forbids() {
    let (golden, sample) = (
        r#"{"a":1,"b":1,"r":{"x":1,"y":1}}"#,
        r#"{"a":1,"r":{"x":1}}"#,
    );
    for phase in Phase::ALL {
        let mut written = document(phase.word());
        written["allowed_top_level_keys"] = json!(["a", "b", "r"]);
        written["nested_paths_allowed"] = json!(["r.x", "r.y"]);
        for (forbidden, in_cutover) in [
            (json!([]), vec!["removed_key b", "removed_key r.y"]),
            (json!(["b"]), vec!["removed_key r.y"]),
            (json!(["b", "r"]), vec!["removed_key r.y"]),
            (json!(["b", "r.y"]), vec![]),
        ] {
            written["forbidden_exact_keys"] = forbidden.clone();
            let expected = match phase {
                Phase::Cutover => in_cutover,
                _ => vec!["removed_key b", "removed_key r.y"],
            };
            let judgement = judge(case(&written, golden, sample));
            assert_eq!(found(&judgement), expected, "{phase} {forbidden}");
            assert_eq!(judgement.removed_keys().collect::<Vec<_>>(), ["b", "r.y"]);
        }
    }
}

/// The values of one key before and now, and whether that is a change.
#[test]
fn a_type_changes_or_does_not() {
    let table: &[(&str, &str, bool)] = &[
        ("1", "2.5e3", false),
        ("1", "\"1\"", true),
        ("1", "true", true),
        ("true", "false", false),
        ("1", "null", true),
        ("\"x\"", "null", true),
        ("1", "[1]", true),
        ("1", "{}", true),
        ("[]", "[1,{}]", false),
        ("[]", "{}", true),
        ("null", "null", false),
        ("null", "1", false),
        ("null", "\"x\"", false),
        ("null", "[]", false),
        ("null", "{}", false),
        // Several values of one key, as elements.
        ("1|2", "3|4|5", false),
        ("1", "1|\"x\"", true),
        ("1", "1|null", true),
        ("null", "1|null", false),
        ("null", "1|\"x\"", true),
        ("1|null", "1|null", false),
        ("1|null", "1", false),
        ("1|null", "null", true),
        ("1|null", "\"x\"", true),
        ("1|null", "1|\"x\"", true),
        ("1|\"x\"", "1|\"x\"", true),
        ("1|\"x\"", "1", true),
        ("1|\"x\"", "null", true),
        // What was not there before has one type.
        ("", "1", false),
        ("", "null|1", false),
        ("", "1|\"x\"", true),
        ("", "1|[]", true),
    ];
    let export = |values: &str| {
        let elements = values.split('|').filter(|value| !value.is_empty());
        let elements = elements.map(|value| format!(",{{\"a\":{value}}}"));
        format!("[{{\"z\":1}}{}]", elements.collect::<String>())
    };
    for (before, now, changes) in table {
        let mut written = document("dual_write");
        written["allowed_top_level_keys"] = json!(["a", "z"]);
        let judgement = judge(case(&written, &export(before), &export(now)));
        let expected: &[&str] = if *changes {
            &["type_changed_key a"]
        } else {
            &[]
        };
        assert_eq!(found(&judgement), expected, "{before} -> {now}");
        let listed: Vec<_> = judgement.type_changed_keys().collect();
        assert_eq!(listed.len(), expected.len(), "{before} -> {now}");
    }
}

#[test]
fn an_object_that_grows_members_is_no_leaf_any_more() {
    let mut written = document("dual_write");
    written["allowed_top_level_keys"] = json!(["a"]);
    written["nested_paths_allowed"] = json!(["a.b"]);
    for before in [r#"{"a":{}}"#, r#"{"a":null}"#, r#"{"a":[]}"#] {
        assert_eq!(
            judged(case(&written, before, r#"{"a":{"b":1}}"#)),
            ["removed_key a"]
        );
    }
}

#[test]
fn the_halves_of_pairs_are_due_by_phase() {
    let half = |column: &str| format!("pair_half_missing {column}");
    let table: &[(&str, &[&str], &[&str])] = &[
        (BOTH, &[], &[]),
        (MODERN, &["breach_count", "owner_route_id"], &[]),
        (
            GOLDEN,
            &["breachCount", "route.ownerRouteId"],
            &["breachCount", "route.ownerRouteId"],
        ),
        // An object at the place of a column is no column.
        (
            r#"{"breach_count":1,"breachCount":{"x":1},"owner_route_id":1,"route":{"ownerRouteId":{"y":1}}}"#,
            &["breachCount", "route.ownerRouteId"],
            &["breachCount", "route.ownerRouteId"],
        ),
        (
            r#"[{"breach_count":null},{"breachCount":1},{"owner_route_id":""},{"route":[{"ownerRouteId":[]}]}]"#,
            &[],
            &[],
        ),
        (
            r#"{"a":1}"#,
            &[
                "breach_count",
                "breachCount",
                "owner_route_id",
                "route.ownerRouteId",
            ],
            &["breachCount", "route.ownerRouteId"],
        ),
    ];
    for phase in Phase::ALL {
        for (sample, both, modern) in table {
            let mut asked = case(&document(phase.word()), sample, sample);
            asked.pairs = renames();
            let missing: Vec<_> = judged(asked)
                .into_iter()
                .filter(|line| line.starts_with("pair_half"))
                .collect();
            let due = if *phase == Phase::Cutover {
                modern
            } else {
                both
            };
            let due: Vec<_> = due.iter().map(|column| half(column)).collect();
            assert_eq!(missing, due, "{phase} {sample}");
        }
    }
}

#[test]
fn declarations_must_be_what_there_is() {
    let golden = r#"{"breach_count":1,"owner_route_id":"x"}"#;
    let sample = r#"{"breach_count":"1","breachCount":1}"#;
    let rest = [
        "removed_key owner_route_id",
        "type_changed_key breach_count",
    ];
    let fields = ["added_keys", "removed_keys", "type_changed_keys"];
    let right = [
        json!(["breachCount"]),
        json!(["owner_route_id"]),
        json!(["breach_count"]),
    ];
    let with = |values: &[Value; 3]| {
        let mut written = document("dual_write");
        for (field, value) in fields.iter().zip(values) {
            written[*field] = value.clone();
        }
        judge(case(&written, golden, sample))
    };
    assert_eq!(found(&with(&right)), rest);
    for (place, field) in fields.iter().enumerate() {
        for wrong in [json!([]), json!(["x"]), json!(["x", right[place][0]])] {
            let mut values = right.clone();
            values[place] = wrong.clone();
            let told = found(&with(&values));
            assert_eq!(told[0], format!("artifact_invalid {field}"), "{wrong}");
            assert_eq!(told[1..], rest, "{wrong}");
        }
    }
    let mut values = right;
    values[0] = json!(["x"]);
    let detail = with(&values).findings().next().expect("one").detail;
    assert_eq!(
        detail,
        "a.json, added_keys is not what there is; declared and not so: \"x\"; so and not declared: \"breachCount\""
    );
}

#[test]
fn differences_are_places_in_their_order() {
    let keys = |text: &str| ExportKeys::of(text.as_bytes()).expect("an export");
    let golden = keys(r#"{"b":1,"d":1,"e":1,"g":1}"#);
    let sample = keys(r#"{"a":1,"b":1,"c":1,"e":"","h":1}"#);
    let found = Differences::between(&golden, &sample);
    assert_eq!(found.added, [0, 2, 4]);
    assert_eq!(found.removed, [1, 3]);
    assert_eq!(found.type_changed, [3]);
    assert_eq!(
        Differences::between(&golden, &golden),
        Differences::default()
    );
}

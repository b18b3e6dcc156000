//! Flattening, and the hash of what it gives.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Digest, JsonType, Keyset, Reason, keyset};
use super::{Dice, document, oracle_bytes, render};

fn keys(json: &str) -> Keyset {
    keyset(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// Lists the keys as `path:type path:type`.
fn shown(json: &str) -> String {
    let keys = keys(json);
    let shown: Vec<_> = keys
        .keys()
        .map(|(path, kind)| format!("{path}:{}", kind.name()))
        .collect();
    shown.join(" ")
}

#[test]
fn exports_flatten_to_dotted_paths() {
    let table = [
        (r#"{"a":1}"#, "a:number"),
        (
            r#"{"b":"x","a":true,"c":null,"d":false,"e":-1e3}"#,
            "a:boolean b:string c:null d:boolean e:number",
        ),
        (
            r#"{"route":{"ownerRouteId":"x","hops":{"n":1}}}"#,
            "route.hops.n:number route.ownerRouteId:string",
        ),
        (r#"[{"a":1},{"b":2},{"a":3}]"#, "a:number b:number"),
        (
            r#"[{"a":1},{"a":"x"},{"a":null}]"#,
            "a:null a:number a:string",
        ),
        (
            r#"{"r":[{"a":1},{"b":2},{"a":3}]}"#,
            "r.a:number r.b:number",
        ),
        (r#"{"r":[{"s":[{"t":1}]}]}"#, "r.s.t:number"),
        (r#"{"a":{}}"#, "a:object"),
        (r#"{"a":[]}"#, "a:array"),
        (r#"{"a":[1,2]}"#, "a:array"),
        (r#"{"a":[null]}"#, "a:array"),
        (r#"{"a":[{"b":1},2]}"#, "a:array"),
        (r#"{"a":[2,{"b":1}]}"#, "a:array"),
        (r#"{"a":[[{"b":1}]]}"#, "a:array"),
        (r#"{"a":[{"b":1},[{"b":1}]]}"#, "a:array"),
        (r#"{"a":[{}]}"#, "a:object"),
        (r#"{"a":[{},{"b":1}]}"#, "a:object a.b:number"),
        (r#"[{},{"b":1}]"#, "b:number"),
        (r#"{"":1}"#, ":number"),
        (r#"{"":{"":1},"a":{"":2}}"#, ".:number a.:number"),
        // A mixed array takes back only what it added itself.
        (
            r#"{"r":[{"x":[{"b":1}]},{"x":[{"b":1},{"c":1},0]}]}"#,
            "r.x:array r.x.b:number",
        ),
        (
            r#"{"r":[{"x":[{"b":1},0]},{"x":[{"b":1}]}]}"#,
            "r.x:array r.x.b:number",
        ),
        (r#"{"r":[{"x":[{"a":[{"c":1}]},0]}]}"#, "r.x:array"),
        (
            r#"{"r":[{"x":1},{"y":[{"z":1}]},7],"x":1}"#,
            "r:array x:number",
        ),
        // One path, of several types, and a longer path beside it.
        (
            r#"[{"a":1},{"a":{"b":1}},{"a":{}},{"a":[]}]"#,
            "a:array a:number a:object a.b:number",
        ),
        (
            r#"[{"a":{"b":1}},{"a":[{"c":1}]}]"#,
            "a.b:number a.c:number",
        ),
        // Sorted by the path's bytes, not segment by segment.
        (
            r#"{"a":{"b":1},"a!":2,"a/":3}"#,
            "a!:number a.b:number a/:number",
        ),
        (
            r#"[{"a":{"b":{"c":1},"b-":2},"a!":{"b":3},"a!!":{}},{"a":4,"a!":[{"b!":5}]}]"#,
            "a:number a!!:object a!.b:number a!.b!:number a.b-:number a.b.c:number",
        ),
        (
            r#"{"\u0061":1,"\ud83d\ude00":2,"\uffff":3}"#,
            "a:number \u{ffff}:number 😀:number",
        ),
    ];
    for (json, expected) in table {
        assert_eq!(shown(json), expected, "{json}");
    }
}

/// Text, line, column, a part of the message, and the reason.
const REFUSED: &[(&str, usize, usize, &str, Reason)] = &[
    ("{}", 1, 1, "without a single key", Reason::Malformed),
    ("\n []", 2, 2, "without a single key", Reason::Malformed),
    ("[{}, {}]", 1, 1, "without a single key", Reason::Malformed),
    (
        "null",
        1,
        1,
        "expected an object or an array of objects",
        Reason::Malformed,
    ),
    ("\"a\"", 1, 1, "expected an object", Reason::Malformed),
    (
        "[{\"a\":1}, 2]",
        1,
        11,
        "element of the export that is not an object",
        Reason::Malformed,
    ),
    (
        "[[{\"a\":1}]]",
        1,
        2,
        "element of the export that is not an object",
        Reason::Malformed,
    ),
    (
        "{\"a\":1} {}",
        1,
        9,
        "text after the end",
        Reason::Malformed,
    ),
    (
        "{\"a.b\":1}",
        1,
        2,
        "key \"a.b\" contains a dot",
        Reason::DottedKey,
    ),
    (
        "{\"a\\u002eb\":1}",
        1,
        2,
        "key \"a.b\" contains a dot",
        Reason::DottedKey,
    ),
    ("{\".\":1}", 1, 2, "contains a dot", Reason::DottedKey),
    (
        "{\"x\":[0,{\"a.b\":1}]}",
        1,
        10,
        "contains a dot",
        Reason::DottedKey,
    ),
    (
        "{\"a\":1,\"a\":1}",
        1,
        8,
        "duplicate key \"a\"",
        Reason::DuplicateKey,
    ),
    (
        "[{\"a\":1},{\"b\":2,\n\"\\u0062\":1}]",
        2,
        1,
        "duplicate key \"b\"",
        Reason::DuplicateKey,
    ),
    (
        "{\"r\":[0,{\"k\":1,\"k\":1}]}",
        1,
        16,
        "duplicate key \"k\"",
        Reason::DuplicateKey,
    ),
    (
        "[{\"a\":{\"b\":1}},\n {\"a\":[{\"b\":1}]}]",
        2,
        9,
        "flatten to \"a.b\"",
        Reason::DuplicateKey,
    ),
    (
        "[{\"a\":[{\"b\":1}]},\n {\"a\":{\"b\":\"x\"}}]",
        2,
        8,
        "flatten to \"a.b\"",
        Reason::DuplicateKey,
    ),
    (
        "[{\"a\":{}},{\"a\":[{}]}]",
        1,
        17,
        "flatten to \"a\"",
        Reason::DuplicateKey,
    ),
    (
        "[{\"a\":[{}]},{\"a\":1}]",
        1,
        14,
        "flatten to \"a\"",
        Reason::DuplicateKey,
    ),
];

#[test]
fn exports_that_have_no_key_set_are_refused_in_place() {
    for &(json, line, column, what, reason) in REFUSED {
        let error = keyset(json.as_bytes()).expect_err(json);
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{json}: {error}"
        );
        assert!(error.what.contains(what), "{json}: {error}");
        assert_eq!(error.reason(), reason, "{json}");
    }
}

#[test]
fn paths_too_long_to_spell_are_refused_not_built() {
    let deep = format!("{{\"{}\":", "k".repeat(2_000)).repeat(100);
    let leaves: Vec<String> = (0..1_000).map(|n| format!("\"{n}\":0")).collect();
    let json = format!("{deep}{{{}}}{}", leaves.join(","), "}".repeat(100));
    let error = keyset(json.as_bytes()).unwrap_err();
    assert!(error.what.contains("64 MiB"), "{error}");
}

#[test]
fn the_hash_is_that_of_the_canonical_list() {
    let listed = r#"[["a","number"],["a","string"],["b.c","object"]]"#;
    let expected = Digest::of(listed.as_bytes());
    assert_eq!(keys(r#"[{"b":{"c":{}},"a":1},{"a":"x"}]"#).hash(), expected);
    assert_ne!(
        keys(r#"[{"b":{"c":{}},"a":1},{"a":null}]"#).hash(),
        expected
    );
    let odd = r#"{"\u0007\"\\":1}"#;
    assert_eq!(
        keys(odd).hash(),
        Digest::of(br#"[["\u0007\"\\","number"]]"#)
    );
}

#[test]
fn key_sets_are_equal_when_their_lists_are() {
    assert_eq!(
        keys(r#"{"a":1,"b":{"c":2}}"#),
        keys(r#"[{"b":{"c":7}},{"a":-1}]"#)
    );
    assert_ne!(keys(r#"{"a":1}"#), keys(r#"{"a":"1"}"#));
    assert_eq!(keys(r#"{"a":1,"b":2}"#).keys().len(), 2);
}

#[test]
fn long_names_that_differ_late_are_kept_in_order() {
    let name = |n: u32| format!("{}{}", "é\\u0000".repeat(n as usize % 60), n / 60);
    let members: Vec<String> = (0..3_000).map(|n| format!("\"{}\":1", name(n))).collect();
    let keys = keys(&format!("{{{}}}", members.join(",")));
    let mut expected: Vec<String> = (0..3_000)
        .map(|n| name(n).replace("\\u0000", "\0"))
        .collect();
    expected.sort();
    let found = keys.keys().map(|(path, _)| path);
    assert!(found.eq(expected.iter().map(String::as_str)));
}

#[test]
fn many_different_keys_are_kept_apart() {
    let members: Vec<String> = (0..20_000)
        .map(|n| format!("\"k{n}\":{{\"v\":{n}}}"))
        .collect();
    let keys = keys(&format!("{{{}}}", members.join(",")));
    let mut expected: Vec<String> = (0..20_000).map(|n| format!("k{n}.v")).collect();
    expected.sort();
    assert!(
        keys.keys()
            .map(|(path, _)| path)
            .eq(expected.iter().map(String::as_str))
    );
}

/// Flattens a tree, as the definition says; each leaf with its raw path, arrays marked.
fn flatten(value: &Value, raw: &str, path: &str, out: &mut BTreeSet<(String, String, JsonType)>) {
    let kind = match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, member) in members {
                let dotted = if raw.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                flatten(member, &format!("{raw}/{key}"), &dotted, out);
            }
            return;
        }
        Value::Array(elements) if !elements.is_empty() && elements.iter().all(Value::is_object) => {
            for element in elements {
                flatten(element, &format!("{raw}[]"), path, out);
            }
            return;
        }
        Value::Object(_) => JsonType::Object,
        Value::Array(_) => JsonType::Array,
        Value::String(_) => JsonType::String,
        Value::Number(_) => JsonType::Number,
        Value::Bool(_) => JsonType::Boolean,
        Value::Null => JsonType::Null,
    };
    out.insert((path.to_owned(), raw.to_owned(), kind));
}

/// Makes exports of few keys, so that paths meet.
fn export(key: &'static str) -> impl Strategy<Value = Value> {
    let leaf = prop::sample::select(vec![
        json!(1),
        json!("x"),
        json!(null),
        json!({}),
        json!([]),
        json!([1]),
    ]);
    let inner = leaf.prop_recursive(4, 30, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    prop::collection::btree_map(key, inner, 0..4)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

/// Makes sure that exports have the key set that their definition says.
fn flattens(exports: Vec<Value>, seed: u64) -> Result<(), TestCaseError> {
    let mut leaves = BTreeSet::new();
    for export in exports.iter().filter(|export| **export != json!({})) {
        flatten(export, "", "", &mut leaves);
    }
    let mut json = String::new();
    render(&Value::from(exports), &mut Dice(seed), &mut json);
    let collides = leaves
        .iter()
        .any(|a| leaves.iter().any(|b| a.0 == b.0 && a.1 != b.1));
    match keyset(json.as_bytes()) {
        Ok(keys) => {
            prop_assert!(!collides && !leaves.is_empty(), "{}", json);
            let listed: BTreeSet<_> = leaves
                .iter()
                .map(|leaf| (leaf.0.as_str(), leaf.2))
                .collect();
            prop_assert!(keys.keys().eq(listed.iter().copied()), "{}", json);
            let list: Vec<_> = listed
                .iter()
                .map(|(path, kind)| json!([path, kind.name()]))
                .collect();
            prop_assert_eq!(keys.hash(), Digest::of(&oracle_bytes(&Value::from(list))));
        }
        Err(error) => prop_assert!(collides || leaves.is_empty(), "{}: {}", json, error),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_export_flattens_as_its_tree_does(
        exports in prop::collection::vec(export("[a-c]"), 1..5), seed in 1_u64..,
    ) {
        flattens(exports, seed)?;
    }

    #[test]
    fn names_around_a_dot_sort_as_their_paths_do(
        exports in prop::collection::vec(export("a?[-!\u{0}\u{1f}0é]{0,2}"), 1..5), seed in 1_u64..,
    ) {
        flattens(exports, seed)?;
    }

    #[test]
    fn any_document_is_flattened_or_refused(value in document()) {
        let _ = keyset(value.to_string().as_bytes());
    }
}

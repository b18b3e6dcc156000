//! The same rules over a tree of the whole text, written down as they are said, and compared on any input.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Pair, Phase, judge};
use super::{case, found};
use crate::canon::Digest;

type Keys = BTreeMap<String, BTreeSet<&'static str>>;

fn flatten(value: &Value, path: &str, keys: &mut Keys) {
    let kind = match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, member) in members {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                flatten(member, &path, keys);
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
    keys.entry(path.to_owned()).or_default().insert(kind);
}

fn keys(export: &Value) -> Keys {
    let mut keys = Keys::new();
    let elements = export.as_array().expect("an array");
    for element in elements.iter().filter(|element| **element != json!({})) {
        flatten(element, "", &mut keys);
    }
    keys
}

fn has(policy: &Value, field: &str, key: &str) -> bool {
    policy[field]
        .as_array()
        .expect("a list")
        .contains(&json!(key))
}

/// Lists `rule key` in order.
fn verdict(policy: &Value, golden: &Keys, sample: &Keys, pairs: &[Pair]) -> Vec<String> {
    let cutover = policy["phase"] == "cutover";
    let mut found = Vec::new();
    for path in sample
        .keys()
        .filter(|path| has(policy, "forbidden_exact_keys", path))
    {
        found.push(format!("forbidden_key {path}"));
    }
    for path in sample
        .keys()
        .filter(|path| !has(policy, "forbidden_exact_keys", path))
    {
        let first = path.split('.').next().expect("a segment");
        let nested = !path.contains('.') || has(policy, "nested_paths_allowed", path);
        if !nested || !has(policy, "allowed_top_level_keys", first) {
            found.push(format!("key_not_allowed {path}"));
        }
    }
    for path in golden.keys().filter(|path| !sample.contains_key(*path)) {
        if !cutover || !has(policy, "forbidden_exact_keys", path) {
            found.push(format!("removed_key {path}"));
        }
    }
    for (path, now) in sample {
        let known = |types: &BTreeSet<&'static str>| {
            types
                .iter()
                .copied()
                .filter(|kind| *kind != "null")
                .collect::<BTreeSet<_>>()
        };
        let two = known(now).len() > 1;
        let other = golden.get(path).is_some_and(|before| {
            let became_null = now.contains("null") && !before.contains("null");
            !known(before).is_empty() && (known(before) != known(now) || became_null)
        });
        if two || other {
            found.push(format!("type_changed_key {path}"));
        }
    }
    for pair in pairs {
        if !cutover && !sample.contains_key(&pair.legacy) {
            found.push(format!("pair_half_missing {}", pair.legacy));
        }
        if !sample.contains_key(&pair.modern) {
            found.push(format!("pair_half_missing {}", pair.modern));
        }
    }
    found
}

/// Makes exports of few keys without raw paths that collide: an array of objects is always at a key of its own.
fn export() -> impl Strategy<Value = Value> {
    let leaf = prop::sample::select(vec![
        json!(1),
        json!("x"),
        json!(true),
        json!(null),
        json!({}),
        json!([]),
        json!([1, {"a": 2}]),
    ]);
    let flat = prop::collection::btree_map("[ab]", leaf.clone(), 1..3);
    let list = prop::collection::vec(flat.clone(), 1..3);
    let object = (
        prop::collection::btree_map("[ab]", leaf, 0..3),
        prop::option::of(flat),
        prop::option::of(list),
    );
    let element = object.prop_map(|(mut members, nested, list)| {
        members.extend(nested.map(|nested| ("n".to_owned(), json!(nested))));
        members.extend(list.map(|list| ("r".to_owned(), json!(list))));
        Value::Object(members.into_iter().collect())
    });
    prop::collection::vec(element, 1..4).prop_map(Value::from)
}

fn some_of(all: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::sample::subsequence(all, 0..=all.len()).prop_map(|some| json!(some))
}

const PATHS: &[&str] = &["a", "b", "n", "r", "n.a", "n.b", "r.a", "r.b"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_case_is_judged_as_it_is_said(
        golden in export(), sample in export(), phase in prop::sample::select(Phase::ALL),
        top in some_of(PATHS), nested in some_of(PATHS), forbidden in some_of(PATHS),
        halves in prop::sample::subsequence(PATHS, 0..=4),
    ) {
        let policy = json!({
            "migration_id": "m", "phase": phase, "from_semver": "1.0.0", "to_semver": "1.0.1",
            "allowed_top_level_keys": top, "nested_paths_allowed": nested, "forbidden_exact_keys": forbidden,
            "protected_metric_ids": [],
        });
        let pairs: Vec<Pair> = halves
            .chunks_exact(2)
            .map(|two| Pair { legacy: two[0].to_owned(), modern: two[1].to_owned() })
            .collect();
        let (before, now) = (keys(&golden), keys(&sample));
        let mut asked = case(&policy, &golden.to_string(), &sample.to_string());
        asked.pairs = pairs.clone();
        let judgement = judge(asked);
        if before.is_empty() || now.is_empty() {
            let first = found(&judgement).swap_remove(0);
            prop_assert!(first.ends_with("_invalid"), "{}", first);
            return Ok(());
        }
        prop_assert_eq!(found(&judgement), verdict(&policy, &before, &now, &pairs));
        let added: Vec<_> = now.keys().filter(|path| !before.contains_key(*path)).collect();
        prop_assert!(judgement.added_keys().eq(added), "added");
        let removed: Vec<_> = before.keys().filter(|path| !now.contains_key(*path)).collect();
        prop_assert!(judgement.removed_keys().eq(removed), "removed");
        let listed = now.iter().flat_map(|(path, types)| types.iter().map(move |kind| json!([path, kind])));
        let hash = Digest::of(Value::from(listed.collect::<Vec<_>>()).to_string().as_bytes());
        prop_assert_eq!(judgement.keyset_sha256(), Some(hash));
    }
}

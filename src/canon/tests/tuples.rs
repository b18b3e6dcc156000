//! The tuple hash against a straightforward implementation.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Digest, Reason, tuple_hash};
use super::{Dice, oracle_bytes, render, scalar, text};

/// Does what the definition says, with stock parts.
fn plainly(rows: &[Value]) -> Digest {
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| {
        let text = |key: &str| {
            row.get(key)
                .and_then(Value::as_str)
                .map(|s| s.as_bytes().to_vec())
        };
        (
            text("metric_id"),
            text("dimension_filter_id"),
            oracle_bytes(row),
        )
    });
    Digest::of(&oracle_bytes(&Value::from(rows)))
}

fn hash(json: &str) -> Digest {
    tuple_hash(json.as_bytes()).unwrap()
}

fn row() -> impl Strategy<Value = Value> {
    // Few and nested ids, so that rows often tie on one column, both, or a long beginning.
    let id = prop_oneof![
        4 => prop::sample::select(vec!["", "a", "ab", "a\0", "\0", "a\u{1}", "b", "é", "\u{ffff}", "😀", "\"", "\\"]).prop_map(str::to_owned),
        3 => "[ab]{14,20}",
        1 => (0_usize..40).prop_map(|length| "a".repeat(length)),
        1 => text(),
    ];
    let filter = prop_oneof![
        Just(None),
        Just(Some(Value::Null)),
        id.clone().prop_map(|id| Some(Value::from(id)))
    ];
    let extra = prop::collection::btree_map("[a-f\\\\\"]{0,3}", scalar(), 0..3);
    (id, filter, extra).prop_map(|(metric, filter, extra)| {
        let mut row: serde_json::Map<_, _> = extra.into_iter().collect();
        row.insert("metric_id".into(), metric.into());
        if let Some(filter) = filter {
            row.insert("dimension_filter_id".into(), filter);
        }
        Value::Object(row)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_order_of_rows_and_keys_gives_the_plain_hash(
        mut rows in prop::collection::vec(row(), 1..60), seed in 1_u64..,
    ) {
        let expected = plainly(&rows);
        let mut dice = Dice(seed);
        for _ in 0..2 {
            dice.shuffle(&mut rows);
            let mut json = String::new();
            render(&Value::from(rows.clone()), &mut dice, &mut json);
            prop_assert_eq!(tuple_hash(json.as_bytes()), Ok(expected), "{}", json);
        }
    }
}

#[test]
fn known_hashes_can_be_recomputed_with_stock_tools() {
    let sorted = concat!(
        r#"[{"metric_id":"a"},{"dimension_filter_id":null,"metric_id":"b"},{"metric_id":"b"},"#,
        r#"{"dimension_filter_id":"","metric_id":"b"},{"dimension_filter_id":"x","metric_id":"b"}]"#
    );
    assert_eq!(hash(sorted), Digest::of(sorted.as_bytes()));
    let shuffled = r#" [ {"metric_id":"b","dimension_filter_id":"x"}, {"metric_id":"b"},
        {"metric_id":"b","dimension_filter_id":""}, {"metric_id":"a"},
        {"metric_id":"b","dimension_filter_id":null} ] "#;
    assert_eq!(hash(shuffled), Digest::of(sorted.as_bytes()));
    // printf '[{"metric_id":"m","value":1.5}]' | sha256sum
    let known = "772a1647c9197288a4a2b3a07de99611fcf63adc51fa3b874d2d1c06e2189f9e";
    assert_eq!(
        hash(r#"[{"value":1.50,"metric_id":"m"}]"#).to_string(),
        known
    );
}

#[test]
fn rows_sort_by_utf8_although_keys_sort_by_utf16() {
    let rows = "[{\"metric_id\":\"\u{10000}\"},{\"metric_id\":\"\u{ffff}\"}]";
    let sorted = "[{\"metric_id\":\"\u{ffff}\"},{\"metric_id\":\"\u{10000}\"}]";
    assert_eq!(hash(rows), Digest::of(sorted.as_bytes()));
    let keys = "[{\"\u{ffff}\":1,\"\u{10000}\":2,\"metric_id\":\"m\"}]";
    let canonical = "[{\"metric_id\":\"m\",\"\u{10000}\":2,\"\u{ffff}\":1}]";
    assert_eq!(hash(keys), Digest::of(canonical.as_bytes()));
}

#[test]
fn ids_are_compared_unescaped() {
    // As written, the backslash (0x5c) would come after "B"; unescaped, the tab comes first.
    let rows = r#"[{"metric_id":"B"},{"metric_id":"\t"},{"metric_id":"\u0041"}]"#;
    let sorted = r#"[{"metric_id":"\t"},{"metric_id":"A"},{"metric_id":"B"}]"#;
    assert_eq!(hash(rows), Digest::of(sorted.as_bytes()));
    let escaped_key = r#"[{"metric\u005fid":"m","dimension\u005ffilter_id":"f"}]"#;
    assert_eq!(
        hash(escaped_key),
        hash(r#"[{"metric_id":"m","dimension_filter_id":"f"}]"#)
    );
}

#[test]
fn rows_of_one_id_sort_by_their_numbers_as_they_are_spelt_out() {
    let numbers = [1e20, 1e5, 1e-6, -1e20, 1.0, 12e4, 1.5e20, 1e21, 0.1, 2e5];
    let rows: Vec<Value> = numbers
        .iter()
        .flat_map(|a| numbers.iter().map(move |b| json!([a, b])))
        .map(|values| json!({"metric_id": "a", "values": values}))
        .collect();
    let short = rows.iter().rev().map(Value::to_string);
    let short: Vec<String> = short.collect();
    assert!(short[0].contains("200000.0"), "{}", short[0]);
    let text = format!("[{}]", short.join(","));
    // Some of them are written with an exponent, and others as they are in canonical form.
    for text in [text.replacen("00000.0", "e5", 15), text] {
        assert_eq!(hash(&text), plainly(&rows));
    }
}

#[test]
fn ids_of_inner_objects_do_not_count() {
    let error = tuple_hash(br#"[{"inner":{"metric_id":"m"}}]"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1, column 2: a row without a metric_id"
    );
    assert!(
        tuple_hash(br#"[{"metric_id":"m","inner":{"metric_id":1,"dimension_filter_id":2}}]"#)
            .is_ok()
    );
}

#[test]
fn many_rows_with_long_shared_beginnings_are_sorted() {
    let mut dice = Dice(7);
    let mut rows: Vec<Value> = (0..3_000)
        .map(|n| {
            let metric = format!(
                "{}{}",
                "revenue.net.of.all.regions.".repeat(n % 4),
                dice.roll(50)
            );
            let filter = format!("{}{}", "squad-".repeat(n % 7), dice.roll(20));
            json!({"metric_id": metric, "dimension_filter_id": filter, "value": dice.roll(3)})
        })
        .collect();
    rows.extend((0..400).map(|n| json!({"metric_id": "a".repeat(n), "value": n})));
    rows.extend((0..100).map(|_| json!({"metric_id": "same", "value": 1})));
    let json = Value::from(rows.clone()).to_string();
    assert_eq!(hash(&json), plainly(&rows));
}

#[test]
fn a_value_that_changes_changes_the_hash() {
    let base = hash(r#"[{"metric_id":"m","value":1.5}]"#);
    for other in [
        r#"[{"metric_id":"m","value":1.6}]"#,
        r#"[{"metric_id":"n","value":1.5}]"#,
        r#"[{"metric_id":"m","value":"1.5"}]"#,
        r#"[{"metric_id":"m","value":1.5},{"metric_id":"m","value":1.5}]"#,
        r#"[{"metric_id":"m","value":1.5,"dimension_filter_id":null}]"#,
    ] {
        assert_ne!(hash(other), base, "{other}");
    }
    assert_eq!(hash(r#"[{"value":15e-1,"metric_id":"m"}]"#), base);
}

#[test]
fn what_is_not_a_set_of_rows_is_refused_in_place() {
    let cases = [
        ("[]", 1, 1, "a set without a row"),
        ("\n [ ]", 2, 2, "a set without a row"),
        ("{}", 1, 1, "expected an array of row objects"),
        (
            "{\"metric_id\":\"m\"}",
            1,
            1,
            "expected an array of row objects",
        ),
        ("null", 1, 1, "expected an array"),
        ("\"x\"", 1, 1, "expected an array"),
        ("[1]", 1, 2, "a row that is not an object"),
        (
            "[{\"metric_id\":\"m\"}, null]",
            1,
            21,
            "a row that is not an object",
        ),
        (
            "[{\"metric_id\":\"m\"},\n[]]",
            2,
            1,
            "a row that is not an object",
        ),
        ("[{}]", 1, 2, "a row without a metric_id"),
        (
            "[{\"metric_id\":\"m\"}, {\"Metric_id\":\"m\"}]",
            1,
            21,
            "a row without a metric_id",
        ),
        (
            "[{\"metric_id\": null}]",
            1,
            16,
            "a metric_id that is not a string",
        ),
        (
            "[{\"metric_id\":7}]",
            1,
            15,
            "a metric_id that is not a string",
        ),
        (
            "[{\"metric_id\":[\"m\"]}]",
            1,
            15,
            "a metric_id that is not a string",
        ),
        (
            "[{\"metric_id\":\"m\",\"dimension_filter_id\": 7}]",
            1,
            42,
            "neither a string nor null",
        ),
        (
            "[{\"metric_id\":\"m\",\"dimension_filter_id\":false}]",
            1,
            41,
            "neither a string nor null",
        ),
        (
            "[{\"metric_id\":\"m\",\"dimension_filter_id\":{}}]",
            1,
            41,
            "neither a string nor null",
        ),
        ("[{\"metric_id\":\"m\"}] x", 1, 21, "text after the end"),
        ("[{\"metric_id\":\"m\"}", 1, 19, "end of the array"),
    ];
    for (json, line, column, what) in cases {
        let error = tuple_hash(json.as_bytes()).expect_err(json);
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{json}: {error}"
        );
        assert!(error.what.contains(what), "{json}: {error}");
        assert_eq!(error.reason(), Reason::Malformed);
    }
    let twice = r#"[{"metric_id":"m","metric_id":"n"}]"#;
    let error = tuple_hash(twice.as_bytes()).unwrap_err();
    assert_eq!((error.column, error.reason()), (19, Reason::DuplicateKey));
}

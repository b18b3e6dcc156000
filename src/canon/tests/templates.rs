//! Arrays of many objects that are alike: the same bytes and the same refusals as the long way gives.

use proptest::prelude::*;
use serde_json::Value;

use super::super::{JsonError, canonical, canonical_exact, tuple_hash};
use super::{Dice, document, oracle_bytes, render_text, space};

/// More objects than it takes until a template is made.
const MANY: usize = 70;

/// Values that are written in different ways.
const VALUES: [&str; 16] = [
    "null",
    "true",
    "0",
    "-0",
    "12.500",
    "1e2",
    "0.12345678901234567",
    "-100000000000000000000.0",
    r#""""#,
    r#""é 😀 a text that is longer than a short one""#,
    r#""\u0041\/\n\"""#,
    "[]",
    "[ 1, [2.0] ]",
    r#"[{"b": 1, "a": [{}]}, {"b": 2, "a": [{}]}]"#,
    "{}",
    r#"{"y": 1, "x": {"w": "\u0020"}}"#,
];

/// Writes an object with white space and order from one source and values from another.
fn lay_out(object: &Value, layout: &mut Dice, values: &mut Dice, out: &mut String) {
    let Value::Object(members) = object else {
        out.push_str(VALUES[values.roll(VALUES.len())]);
        return;
    };
    let mut members: Vec<_> = members.iter().collect();
    layout.shuffle(&mut members);
    out.push('{');
    for (index, (name, member)) in members.into_iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        space(layout, out);
        render_text(name, layout, out);
        space(layout, out);
        out.push(':');
        space(layout, out);
        lay_out(member, layout, values, out);
        space(layout, out);
    }
    out.push('}');
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn objects_that_are_alike_give_the_bytes_of_the_oracle(
        inner in document(), other in document(), seed in 1_u64.., unlike in 2_usize..40,
    ) {
        let object = serde_json::json!({"inner": inner, "other": other, "more": 0});
        let mut dice = Dice(seed);
        let mut json = String::from("[");
        for number in 0..MANY + 40 {
            let strange = u64::from(number > MANY && dice.roll(unlike) == 0);
            json.push_str(if number == 0 { "" } else { "," });
            lay_out(&object, &mut Dice(seed ^ strange), &mut dice, &mut json);
        }
        json.push(']');
        let value: Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(canonical(&json).unwrap(), oracle_bytes(&value), "{}", json);
    }
}

/// Wraps the values of a row that is like all others.
fn row(value: &str, inner: &str) -> String {
    format!(r#"{{"metric_id": "m", "v": {value}, "inner": {{"x": {inner}, "a": 1}}}}"#)
}

/// Gives what is made of a last row that comes after many others, and after one unlike it.
fn both_ways<T>(
    reader: fn(String) -> Result<T, JsonError>,
    last: &str,
) -> [Result<T, JsonError>; 2] {
    let many = vec![row("1", "[]"); MANY].join(",");
    let one = format!("{:<1$}", r#"{"metric_id":"m"}"#, many.len());
    [many, one].map(|before| reader(format!("[{before},{last}]")))
}

#[test]
fn what_is_refused_is_refused_in_the_same_place() {
    let deep = |depth| "[".repeat(depth) + &"]".repeat(depth);
    let twice = r#"[{"b": 1, "b": 2}]"#;
    let values = [
        "",
        "01",
        "-",
        "1e999",
        "1.",
        "tru",
        r#""\ud800""#,
        r#""\x""#,
        "\"\t\"",
        "\"x",
        "[1,]",
        "[",
        "{",
        twice,
        r#"{"a": [0, {"b": 1, "c": 2, "b": 3}]}"#,
        r#"1, "v": 2, "a": 3"#,
        "1} {",
        "1 2",
        &deep(128),
    ];
    let mut rows = vec![
        row(twice, r#"[{"a": 1, "a": 2}]"#),
        row("1", "[]").replace("\"v\"", "\"v"),
        row("1", "[]").replace("\"x\"", "\"a\""),
        row("1", "[]").replace("\"v\"", r#""inner""#),
        row("1", "[]").replace("}}", "},}"),
        row("1", "[]").replace("}}", "}"),
        row("1", &deep(126)),
        row(&deep(127), "1"),
    ];
    for value in values {
        rows.extend([row(value, "[]"), row("1", value)]);
    }
    for last in rows {
        for [many, one] in [
            both_ways(canonical, &last).map(Result::unwrap_err),
            both_ways(canonical_exact, &last).map(Result::unwrap_err),
            both_ways(tuple_hash, &last).map(Result::unwrap_err),
        ] {
            assert_eq!(many, one, "{last}");
        }
    }
}

#[test]
fn what_only_some_refuse_is_refused_by_them() {
    let inexact = row("9007199254740993", "1");
    let no_text = row("1", "1").replace("\"m\"", "7");
    let no_metric = row("1", "1").replace("metric", "matrix");
    let inner_only = row("1", "1").replace("\"metric_id\"", "\"w\"");
    let inner_only = inner_only.replace("\"x\"", "\"metric_id\"");
    for (last, exact, tuple) in [
        (inexact, false, false),
        (no_text, true, false),
        (no_metric, true, false),
        (inner_only, true, false),
        (row("\"x\\n\"", "[0.1e1]"), true, true),
    ] {
        assert!(both_ways(canonical, &last).iter().all(Result::is_ok));
        let [many, one] = both_ways(canonical_exact, &last);
        assert_eq!((many.is_ok(), many.err()), (exact, one.err()), "{last}");
        let [many, one] = both_ways(tuple_hash, &last);
        assert_eq!((many.is_ok(), many.err()), (tuple, one.err()), "{last}");
    }
}

#[test]
fn depth_is_counted_as_it_is_the_long_way() {
    let deep = |depth| "[".repeat(depth) + &"]".repeat(depth);
    for (last, is_read) in [
        (row(&deep(126), "1"), true),
        (row(&deep(127), "1"), false),
        (row("1", &deep(125)), true),
        (row("1", &deep(126)), false),
    ] {
        for result in both_ways(canonical, &last) {
            assert_eq!(result.is_ok(), is_read, "{last}");
        }
    }
}

//! Every way to be refused, with the line and column it is refused at.

use super::super::{Integers, Reason, canonical, canonical_exact, keyset, scan, tuple_hash};

/// Text, line, column, and a part of the message.
type Case<'a> = (&'a str, usize, usize, &'a str);

const MALFORMED: &[Case<'_>] = &[
    ("", 1, 1, "empty"),
    (" \n\t ", 2, 3, "empty"),
    ("\u{feff}{}", 1, 1, "byte order mark"),
    (" \u{feff}{}", 1, 2, "expected a value, found \"\\u{feff}\""),
    ("{} {}", 1, 4, "text after the end"),
    ("1 2", 1, 3, "text after the end"),
    ("null,", 1, 5, "text after the end"),
    ("[]\u{0}", 1, 3, "text after the end"),
    ("nul", 1, 1, "expected a value, found \"n\""),
    ("True", 1, 1, "expected a value, found \"T\""),
    ("truex", 1, 5, "text after the end"),
    (
        "[true false]",
        1,
        7,
        "expected a comma or the end of the array, found \"f\"",
    ),
    ("NaN", 1, 1, "expected a value"),
    ("[Infinity]", 1, 2, "expected a value"),
    ("-Infinity", 1, 2, "minus sign"),
    ("'a'", 1, 1, "expected a value, found \"\\'\""),
    ("[1 /* x */]", 1, 4, "found \"/\""),
    ("\u{a0}1", 1, 1, "expected a value, found \"\\u{a0}\""),
    ("\u{b}1", 1, 1, "expected a value, found \"\\u{b}\""),
    ("[", 1, 2, "expected a value, found the end of the text"),
    ("[1", 1, 3, "found the end of the text"),
    ("[1,", 1, 4, "expected a value"),
    ("[1,]", 1, 4, "expected a value, found \"]\""),
    ("[,1]", 1, 2, "expected a value, found \",\""),
    ("[1}", 1, 3, "the end of the array, found \"}\""),
    ("]", 1, 1, "expected a value"),
    ("{", 1, 2, "expected a key in quotes, found the end"),
    ("{\"a\"", 1, 5, "expected a colon"),
    ("{\"a\":", 1, 6, "expected a value"),
    (
        "{\"a\":1",
        1,
        7,
        "expected a comma or the end of the object",
    ),
    ("{\"a\":1,", 1, 8, "expected a key"),
    ("{\"a\":1,}", 1, 8, "expected a key in quotes, found \"}\""),
    (
        "{\"a\" 1}",
        1,
        6,
        "expected a colon after the key, found \"1\"",
    ),
    ("{\"a\":1 \"b\":2}", 1, 8, "found \"\\\"\""),
    ("{a:1}", 1, 2, "expected a key in quotes, found \"a\""),
    ("{1:1}", 1, 2, "expected a key"),
    ("{\"a\":1]", 1, 7, "the end of the object, found \"]\""),
    ("\"abc", 1, 5, "a string without an end"),
    ("\"abc\\", 1, 6, "a string without an end"),
    ("\"abc\\\"", 1, 7, "a string without an end"),
    ("\"a\tb\"", 1, 3, "control character U+0009"),
    ("\"a\nb\"", 1, 3, "control character U+000A"),
    ("[\n \"é€😀\u{1f}\"]", 2, 6, "control character U+001F"),
    ("\"\0\"", 1, 2, "control character U+0000"),
    ("\"\\x41\"", 1, 2, "unknown escape"),
    ("\"ab\\'\"", 1, 4, "unknown escape"),
    ("\"\\é\"", 1, 2, "unknown escape"),
    ("\"\\U0041\"", 1, 2, "unknown escape"),
    ("\"\\u004\"", 1, 2, "four hex digits"),
    ("\"\\u00g0\"", 1, 2, "four hex digits"),
    ("\"\\u+041\"", 1, 2, "four hex digits"),
    ("\"\\u00", 1, 2, "four hex digits"),
    ("\"\\u00é\"", 1, 2, "four hex digits"),
    ("\"a\\ud800\"", 1, 3, "lone surrogate \\ud800"),
    ("\"a\\uDFFFb\"", 1, 3, "lone surrogate \\udfff"),
    ("\"\\ud800\\ud800\\udc00\"", 1, 2, "lone surrogate \\ud800"),
    ("\"\\udc00\\ud800\"", 1, 2, "lone surrogate \\udc00"),
    ("\"\\ud800x\\udc00\"", 1, 2, "lone surrogate"),
    ("\"\\ud83d\\u0041\"", 1, 2, "lone surrogate \\ud83d"),
    ("\"\\ud83d\\n\"", 1, 2, "lone surrogate \\ud83d"),
    ("\"\\ud83d\\ude0\"", 1, 8, "four hex digits"),
    ("{\"\\ud800\":1}", 1, 3, "lone surrogate"),
    ("01", 1, 1, "leading zero"),
    ("[-01]", 1, 2, "leading zero"),
    ("00", 1, 1, "leading zero"),
    ("-", 1, 2, "minus sign"),
    ("+1", 1, 1, "expected a value, found \"+\""),
    (".5", 1, 1, "expected a value, found \".\""),
    ("[1.]", 1, 4, "decimal point"),
    ("1.e3", 1, 3, "decimal point"),
    ("[1e]", 1, 4, "exponent"),
    ("1e+", 1, 4, "exponent"),
    ("0x10", 1, 2, "text after the end"),
    ("1_000", 1, 2, "text after the end"),
    ("1e400", 1, 1, "overflows a double: \"1e400\""),
    ("[1,\r\n\n  -1e309]", 3, 3, "overflows a double"),
    ("{\"ключ\": 1e999}", 1, 10, "overflows a double"),
];

#[test]
fn malformed_texts_are_refused_in_place() {
    for &(text, line, column, what) in MALFORMED {
        let error = canonical(text.as_bytes()).expect_err(text);
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{text:?}: {error}"
        );
        assert!(error.what.contains(what), "{text:?}: {error}");
        assert_eq!(error.reason(), Reason::Malformed, "{text:?}");
        assert_eq!(canonical_exact(text.as_bytes()), Err(error), "{text:?}");
    }
}

#[test]
fn the_same_reader_serves_all() {
    for &(text, ..) in MALFORMED {
        for wrapped in [
            format!("[{{\"metric_id\":\"m\",\"x\":{text}}}]"),
            format!("[{text}]"),
        ] {
            assert!(tuple_hash(wrapped.as_bytes()).is_err(), "{wrapped:?}");
        }
        for wrapped in [format!("{{\"x\":{text}}}"), format!("{{\"x\":[{text}]}}")] {
            // An empty element makes an empty array, and that is well formed.
            assert!(
                keyset(wrapped.as_bytes()).is_err() || text.trim().is_empty(),
                "{wrapped:?}"
            );
        }
    }
}

#[test]
fn invalid_utf8_is_refused_where_it_begins() {
    let cases: [(&[u8], usize, usize); 9] = [
        (b"\xff", 1, 1),
        (b"{}\xff", 1, 3),
        (b"\"a\xc3\xa9\xc3\"", 1, 4),
        (b"[1,\n\"\xc0\x80\"]", 2, 2),
        (b"\"\xed\xa0\x80\"", 1, 2),
        (b"\"\xf4\x90\x80\x80\"", 1, 2),
        (b"\"\xe2\x82\"", 1, 2),
        (b"\xfe\xff\0[\0]", 1, 1),
        (b"\x80", 1, 1),
    ];
    for (bytes, line, column) in cases {
        for error in [
            canonical(bytes).unwrap_err(),
            tuple_hash(bytes).unwrap_err(),
            keyset(bytes).unwrap_err(),
        ] {
            assert_eq!(
                error.to_string(),
                format!("line {line}, column {column}: invalid UTF-8")
            );
        }
    }
}

#[test]
fn the_second_of_two_equal_keys_is_refused() {
    let cases: &[Case<'_>] = &[
        (r#"{"a":1,"a":1}"#, 1, 8, r#"duplicate key "a""#),
        ("{\n \"a\" : 1,\n   \"a\":1}", 3, 4, r#"duplicate key "a""#),
        (r#"{"a":1,"\u0061":1}"#, 1, 8, r#"duplicate key "a""#),
        (r#"{"\u0061":1,"b":2,"a":1}"#, 1, 19, r#"duplicate key "a""#),
        (
            r#"{"\ud83d\ude00":1,"😀":1}"#,
            1,
            19,
            r#"duplicate key "😀""#,
        ),
        (r#"{"/":1,"\/":1}"#, 1, 8, r#"duplicate key "/""#),
        (r#"{"":1,"":1}"#, 1, 7, r#"duplicate key """#),
        (
            r#"{"b":1,"c":2,"a":3,"c":4,"b":5,"a":6}"#,
            1,
            20,
            r#"duplicate key "c""#,
        ),
        (r#"{"a":1,"a":2,"a":3}"#, 1, 8, r#"duplicate key "a""#),
        (
            r#"[{"x":[0,{"y":{"k":1,"j":{},"k":2}}]}]"#,
            1,
            29,
            r#"duplicate key "k""#,
        ),
        (
            "{\"\\u001b[2J\":1,\"\\u001b[2J\":2}",
            1,
            16,
            r#"duplicate key "\u{1b}[2J""#,
        ),
    ];
    for &(text, line, column, what) in cases {
        let error = canonical(text.as_bytes()).expect_err(text);
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{text}: {error}"
        );
        assert_eq!(
            (error.what.as_str(), error.reason()),
            (what, Reason::DuplicateKey),
            "{text}"
        );
        let row = format!("[{{\"metric_id\":\"m\",\"x\":{text}}}]");
        assert_eq!(
            tuple_hash(row.as_bytes()).unwrap_err().reason(),
            Reason::DuplicateKey,
            "{row}"
        );
        let export = format!("{{\"top\":{text}}}");
        let error = keyset(export.as_bytes()).expect_err(&export);
        assert_eq!(
            (error.what.as_str(), error.reason()),
            (what, Reason::DuplicateKey),
            "{export}"
        );
        assert_eq!(
            error.column,
            if line == 1 { column + 7 } else { column },
            "{export}"
        );
    }
    assert!(canonical(br#"[{"a":1},{"a":2,"b":{"a":3}}]"#).is_ok());
}

#[test]
fn duplicates_among_many_keys_are_found() {
    for count in [3_u32, 40, 64, 65, 66, 500] {
        let mut members: Vec<String> = (0..count)
            .rev()
            .map(|n| format!("\"k{n:04}\":{n}"))
            .collect();
        let repeated = format!("[{{{0}}},{{{0}}}]", members.join(","));
        assert!(canonical(repeated.as_bytes()).is_ok(), "{count}");
        members.push("\"k0001\":0".into());
        let text = format!("{{{}}}", members.join(","));
        let error = canonical(text.as_bytes()).unwrap_err();
        assert_eq!(error.what, "duplicate key \"k0001\"");
        assert_eq!(error.column, text.rfind("\"k").unwrap() + 1);
    }
}

#[test]
fn an_order_kept_from_another_object_is_never_trusted() {
    let text = r#"[{"b":1,"a":2},{"c":1,"d":2},{"b":3,"a":4},{"x":1,"x":2}]"#;
    assert_eq!(
        canonical(text.as_bytes()).unwrap_err().what,
        "duplicate key \"x\""
    );
    let text = r#"[{"c":1,"a":2,"b":3},{"b":1,"c":2,"a":3},{"c":1,"a":2,"b":3}]"#;
    let expected = r#"[{"a":2,"b":3,"c":1},{"a":3,"b":1,"c":2},{"a":2,"b":3,"c":1}]"#;
    assert_eq!(super::canon(text), expected);
}

#[test]
fn depth_128_is_read_and_129_is_refused() {
    let nested = |open: &str, close: &str, depth: usize| {
        format!("{}{}", open.repeat(depth), close.repeat(depth))
    };
    let limit = scan::MAX_DEPTH;
    assert_eq!(limit, 128);
    let arrays = nested("[", "]", limit);
    assert_eq!(super::canon(&arrays), arrays);
    let objects = nested("{\"a\":", "}", limit).replace(":}", ":1}");
    assert_eq!(super::canon(&objects), objects);
    assert!(keyset(objects.as_bytes()).is_ok());

    let error = canonical(nested("[", "]", limit + 1).as_bytes()).unwrap_err();
    assert_eq!((error.line, error.column), (1, 129));
    assert!(error.what.contains("more than 128 deep"), "{error}");
    let objects = nested("{\"a\":", "}", limit + 1).replace(":}", ":1}");
    for error in [
        canonical(objects.as_bytes()).unwrap_err(),
        keyset(objects.as_bytes()).unwrap_err(),
    ] {
        assert_eq!(error.column, 128 * 5 + 1);
    }
    let row = |depth| {
        format!(
            "[{{\"metric_id\":\"m\",\"x\":{}}}]",
            nested("[", "]", depth)
        )
    };
    assert!(tuple_hash(row(limit - 2).as_bytes()).is_ok());
    assert!(tuple_hash(row(limit - 1).as_bytes()).is_err());
    assert!(canonical("[".repeat(1_000_000).as_bytes()).is_err());
    let wide = format!("[{}[]]", "[],".repeat(1_000));
    assert_eq!(super::canon(&wide), wide);
}

#[test]
fn inexact_integers_are_refused_only_where_exactness_is_asked_for() {
    for integer in [
        "9007199254740992",
        "-9007199254740992",
        "12345678901234567890",
    ] {
        let text = format!("{{\"a\":[0,\n {integer}]}}");
        assert!(canonical(text.as_bytes()).is_ok());
        let what = format!("an integer beyond ±(2^53-1), write it as a string: \"{integer}\"");
        let expected = format!("line 2, column 2: {what}");
        assert_eq!(
            canonical_exact(text.as_bytes()).unwrap_err().to_string(),
            expected
        );
        assert_eq!(keyset(text.as_bytes()).unwrap_err().to_string(), expected);
        let row = format!("[{{\"metric_id\":\"m\",\"v\":{{\"w\":[{integer}]}}}}]");
        assert_eq!(tuple_hash(row.as_bytes()).unwrap_err().what, what);
    }
    for number in [
        "9007199254740991",
        "-9007199254740991",
        "9007199254740993.0",
        "9007199254740993e0",
        "1e20",
    ] {
        assert_eq!(
            canonical_exact(number.as_bytes()),
            canonical(number.as_bytes()),
            "{number}"
        );
        assert!(canonical_exact(number.as_bytes()).is_ok(), "{number}");
    }
    assert!(scan::Scanner::new(b"1", Integers::Exact).is_ok());
}

#[test]
fn hostile_keys_are_cut_and_made_visible() {
    let key = "\u{202e}".repeat(5_000);
    let error = canonical(format!("{{\"{key}\":1,\"{key}\":2}}").as_bytes()).unwrap_err();
    assert!(
        error.what.chars().count() < 70 && !error.what.contains('\u{202e}'),
        "{error}"
    );
    let error = canonical(format!("1{}", "0".repeat(100_000)).as_bytes()).unwrap_err();
    assert!(error.what.len() < 100, "{error}");
}

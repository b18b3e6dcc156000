//! `govdeck canon` and `govdeck hash`: exact bytes and digests, each compared with what other tools make of the input.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::cli_kit::{document, fed, fifo, misused, refused, said, sha256};
use crate::support::command::{Home, Run, run};

/// Every verb that reads a file or standard input.
const VERBS: [&[&str]; 4] = [
    &["canon"],
    &["hash", "tuple"],
    &["hash", "keyset"],
    &["hash", "file"],
];

/// Runs a verb on bytes from a file.
fn on_file(home: &Home, verb: &[&str], bytes: &[u8]) -> Run {
    fs::write(home.folder().join("input"), bytes).expect("the home is ours");
    run(home.govdeck(verb.iter().chain(&["input"])))
}

/// Runs a verb on bytes from standard input.
fn on_stdin(home: &Home, verb: &[&str], bytes: &[u8]) -> Run {
    run(fed(home, home.govdeck(verb), bytes))
}

/// The digest that a verb prints, which must be the same from a file and from standard input.
fn digest(verb: &str, bytes: &[u8]) -> String {
    let home = Home::new();
    let printed = said(&on_file(&home, &["hash", verb], bytes), 0).to_owned();
    assert_eq!(said(&on_stdin(&home, &["hash", verb], bytes), 0), printed);
    let digest = printed.strip_suffix('\n').expect("a line");
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    assert!(digest.len() == 64 && digest.bytes().all(is_hex), "{digest}");
    digest.to_owned()
}

fn canonical(value: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).expect("canonical")
}

#[test]
fn canon_prints_the_canonical_bytes_and_nothing_more() {
    let home = Home::new();
    let text = "\u{20}{\"b\" : 1e2,\n\t\"\u{20ac}\":\"\\u20ac\\/\\u000a\", \"a\":[-0, 1.50, 1E21, 0.000001, true, null, {}, []]}\r\n";
    let expected =
        "{\"a\":[0,1.5,1e+21,0.000001,true,null,{},[]],\"b\":100,\"\u{20ac}\":\"\u{20ac}/\\n\"}";
    assert_eq!(
        said(&on_file(&home, &["canon"], text.as_bytes()), 0),
        expected
    );
    assert_eq!(
        said(&on_stdin(&home, &["canon"], text.as_bytes()), 0),
        expected
    );
    let value: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(canonical(&value), expected.as_bytes());
}

#[test]
fn canon_sorts_keys_by_utf16_units() {
    let home = Home::new();
    // U+1F600 begins with the unit D83D, which lies before U+FF5E; by code points or UTF-8 bytes it would lie behind.
    let text = "{\"\u{ff5e}\":1,\"\u{1f600}\":2,\"z\":3,\"\":4}";
    assert_eq!(
        said(&on_stdin(&home, &["canon"], text.as_bytes()), 0),
        "{\"\":4,\"z\":3,\"\u{1f600}\":2,\"\u{ff5e}\":1}"
    );
}

#[test]
fn canon_of_its_own_output_changes_nothing() {
    let home = Home::new();
    let once = on_stdin(
        &home,
        &["canon"],
        b"[ {\"y\":0.1e1,\"x\":\"\\ud83d\\ude00\"} ]",
    );
    let twice = on_stdin(&home, &["canon"], once.stdout.as_bytes());
    assert_eq!(said(&twice, 0), "[{\"x\":\"\u{1f600}\",\"y\":1}]");
}

#[test]
fn malformed_json_is_refused_with_line_and_column() {
    let home = Home::new();
    let table: [(&[u8], &str); 12] = [
        (b"", "line 1, column 1"),
        (b"\n  \n", "line 3, column 1"),
        (b"\xef\xbb\xbf{}", "line 1, column 1"),
        (b"{\n \"a\":1,\n \"a\":2}", "line 3, column 2"),
        (b"{\"a\":1,\n\"\\u0061\":2}", "line 2, column 1"),
        (b"[1,\n 2,]", "line 2, column 4"),
        (b"{} {}", "line 1, column 4"),
        (b"[\"\\ud800\"]", "line 1, column 3"),
        (b"[\n1e400]", "line 2, column 1"),
        (b"[01]", "line 1, column 2"),
        (b"[\"a\",\n \"\xff\"]", "line 2, column 3"),
        (b"\xff\xfe[\0]\0", "line 1, column 1"),
    ];
    for (bytes, place) in table {
        for run in [
            on_file(&home, &["canon"], bytes),
            on_stdin(&home, &["canon"], bytes),
            on_file(&home, &["hash", "tuple"], bytes),
            on_file(&home, &["hash", "keyset"], bytes),
        ] {
            let (sentence, _) = refused(&run, 2);
            // The two hashes may refuse the shape of the text before its end.
            let elsewhere = sentence.contains("expected an") || sentence.contains("is not an");
            let shown = sentence.contains(&format!("{place}:"));
            assert!(shown || elsewhere, "{bytes:?}: {sentence}");
        }
        let (sentence, _) = refused(&on_file(&home, &["canon"], bytes), 2);
        assert!(
            sentence.contains(&format!("{place}:")),
            "{bytes:?}: {sentence}"
        );
    }
}

#[test]
fn what_a_refusal_quotes_is_shown_plainly() {
    let home = Home::new();
    let run = on_file(
        &home,
        &["canon"],
        "{\"\u{1b}[2J\u{202e}\":1,\"x\":2}"
            .replace('\u{1b}', "\\u001b")
            .replace("\"x\":2", "\"\\u001b[2J\u{202e}\":2")
            .as_bytes(),
    );
    let (sentence, _) = refused(&run, 2);
    assert!(sentence.contains("duplicate key"), "{sentence}");
    let hostile = |character: char| character.is_control() || character == '\u{202e}';
    assert!(!sentence.contains(hostile), "{sentence:?}");
}

#[test]
fn depth_ends_at_128() {
    let home = Home::new();
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(
        said(&on_stdin(&home, &["canon"], nested(128).as_bytes()), 0),
        nested(128)
    );
    for depth in [129, 1_000_000] {
        let (sentence, _) = refused(&on_stdin(&home, &["canon"], nested(depth).as_bytes()), 2);
        assert!(sentence.contains("line 1, column 129: "), "{sentence}");
        let row = format!("[{{\"metric_id\":\"m\",\"v\":{}}}]", nested(depth));
        refused(&on_stdin(&home, &["hash", "tuple"], row.as_bytes()), 2);
        let export = format!("{{\"v\":{}}}", nested(depth));
        refused(&on_stdin(&home, &["hash", "keyset"], export.as_bytes()), 2);
    }
    refused(
        &on_stdin(&home, &["canon"], "{\"a\":".repeat(1_000_000).as_bytes()),
        2,
    );
}

#[test]
fn integers_beyond_a_double_are_printed_but_never_hashed() {
    let home = Home::new();
    let row = |number: &str| format!("[{{\"metric_id\":\"m\",\"v\":{number}}}]");
    let inexact = row("9007199254740993");
    let printed = on_stdin(&home, &["canon"], inexact.as_bytes());
    assert_eq!(said(&printed, 0), row("9007199254740992"));
    for verb in ["tuple", "keyset"] {
        let (sentence, _) = refused(&on_stdin(&home, &["hash", verb], inexact.as_bytes()), 2);
        assert!(sentence.contains("9007199254740993"), "{sentence}");
        said(
            &on_stdin(&home, &["hash", verb], row("9007199254740991").as_bytes()),
            0,
        );
        said(
            &on_stdin(
                &home,
                &["hash", verb],
                row("\"9007199254740993\"").as_bytes(),
            ),
            0,
        );
    }
}

#[test]
fn file_hashes_the_raw_bytes() {
    let all: Vec<u8> = (0..=255).collect();
    for bytes in [&b""[..], b"abc\n", b"{\"a\" :1}", &all, &all.repeat(700)] {
        assert_eq!(digest("file", bytes), sha256(bytes));
    }
    // FIPS 180-2, appendix B.1.
    assert_eq!(
        digest("file", b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn tuple_hashes_the_sorted_canonical_rows() {
    let sorted = json!([
        {"metric_id": "breach_count", "value": "7"},
        {"metric_id": "breach_count", "dimension_filter_id": null, "value": "7"},
        {"metric_id": "breach_count", "dimension_filter_id": "", "value": 1.5},
        {"metric_id": "breach_count", "dimension_filter_id": "eu", "value": -0.0},
        {"metric_id": "latency", "dimension_filter_id": "a", "value": 1},
        {"metric_id": "latency", "dimension_filter_id": "a", "value": 2},
        {"metric_id": "\u{ff5e}", "value": null},
        {"metric_id": "\u{1f600}", "value": []},
    ]);
    let mut rows = sorted.as_array().expect("rows").clone();
    // Rows of one key follow each other by their own bytes: `{"dimension…` lies before `{"metric…`.
    rows.swap(0, 1);
    let expected = sha256(&canonical(&Value::Array(rows.clone())));
    for turn in 0..rows.len() {
        rows.rotate_left(1);
        if turn % 2 == 0 {
            rows.reverse();
        }
        let text = serde_json::to_string_pretty(&rows).expect("JSON");
        assert_eq!(digest("tuple", text.as_bytes()), expected);
    }
    rows[0]["value"] = json!("8");
    let text = serde_json::to_string(&rows).expect("JSON");
    assert_ne!(digest("tuple", text.as_bytes()), expected);
}

#[test]
fn tuple_sorts_by_the_unescaped_text() {
    let plain = "[{\"metric_id\":\"a\"},{\"metric_id\":\"b\"}]";
    let escaped = "[{\"metric_id\":\"b\"},{\"metric_id\":\"\\u0061\"}]";
    assert_eq!(
        digest("tuple", escaped.as_bytes()),
        sha256(plain.as_bytes())
    );
}

#[test]
fn a_set_that_is_malformed_has_no_tuple_hash() {
    let home = Home::new();
    for text in [
        "[]",
        "{}",
        "null",
        "\"[]\"",
        "[1]",
        "[[]]",
        "[{}]",
        "[{\"metric_id\":1}]",
        "[{\"metric_id\":null}]",
        "[{\"Metric_id\":\"m\"}]",
        "[{\"metric_id\":\"m\",\"dimension_filter_id\":1}]",
        "[{\"metric_id\":\"m\",\"dimension_filter_id\":{}}]",
        "[{\"metric_id\":\"m\",\"metric_id\":\"m\"}]",
        "[{\"metric_id\":\"m\"},null]",
        "[{\"metric_id\":\"m\"}]x",
    ] {
        refused(&on_stdin(&home, &["hash", "tuple"], text.as_bytes()), 2);
    }
}

#[test]
fn keyset_hashes_the_sorted_paths_with_their_types() {
    let export = json!({
        "d": [{"e": "x"}, {"e": null}, {"e": "y"}], "a": {"c": [], "b": 1, "f": {}}, "m": [1, {"n": 2}], "t": true,
    });
    let keys = json!([
        ["a.b", "number"],
        ["a.c", "array"],
        ["a.f", "object"],
        ["d.e", "null"],
        ["d.e", "string"],
        ["m", "array"],
        ["t", "boolean"],
    ]);
    let expected = sha256(&canonical(&keys));
    assert_eq!(digest("keyset", export.to_string().as_bytes()), expected);
    let elements = json!([{"t": false, "d": [{"e": ""}]}, {"d": [{"e": null}], "a": {"b": -1, "c": [[]], "f": {}}, "m": [null]}]);
    assert_eq!(digest("keyset", elements.to_string().as_bytes()), expected);
    assert_ne!(digest("keyset", b"{\"t\":true}"), expected);
}

#[test]
fn an_export_without_keys_or_with_ambiguous_ones_has_no_keyset() {
    let home = Home::new();
    for text in [
        "{}",
        "[]",
        "[{}]",
        "1",
        "[1]",
        "{\"a.b\":1}",
        "{\"a\":1,\"\\u0061\":2}",
    ] {
        refused(&on_stdin(&home, &["hash", "keyset"], text.as_bytes()), 2);
    }
}

#[test]
fn json_says_what_was_hashed() {
    let home = Home::new();
    let input = b"[{\"metric_id\":\"m\"}]";
    for of in ["tuple", "keyset", "file"] {
        let said = document(&on_file(&home, &["hash", of, "--json"], input), 0, "hash");
        let expected = json!({"schema": "govdeck.hash.v1", "of": of, "sha256": digest(of, input)});
        assert_eq!(said, expected);
    }
}

#[test]
fn what_is_no_file_is_refused_by_name() {
    let home = Home::new();
    let at = |name: &str| home.folder().join(name);
    fs::create_dir(at("folder")).expect("the home is ours");
    fs::write(at("plain"), "{}").expect("the home is ours");
    fifo(&at("pipe"));
    symlink(at("nowhere"), at("dangling")).expect("the home is ours");
    symlink(at("circle"), at("circle")).expect("the home is ours");
    for verb in VERBS {
        for path in [
            "folder",
            "pipe",
            "dangling",
            "circle",
            "missing",
            "plain/below",
            "/dev/zero",
        ] {
            let run = run(home.govdeck(verb.iter().chain(&[path])));
            let (sentence, _) = refused(&run, 2);
            assert!(sentence.starts_with(path), "{verb:?} {path}: {sentence}");
        }
    }
}

#[test]
fn a_folder_on_standard_input_is_refused() {
    let home = Home::new();
    for verb in VERBS {
        let mut command = home.govdeck(verb);
        command.stdin(Stdio::from(fs::File::open("/").expect("a folder")));
        let (sentence, _) = refused(&run(command), 2);
        assert!(sentence.starts_with("standard input: "), "{sentence}");
    }
}

#[test]
fn two_files_or_an_unknown_verb_are_refused() {
    let home = Home::new();
    for words in [
        &["canon", "a", "b"][..],
        &["hash", "a"],
        &["hash"],
        &["canon", ""],
        &["hash", "tuple", "--sha1"],
        &["Canon"],
    ] {
        misused(&run(home.govdeck(words)));
    }
}

#[test]
fn thirty_megabytes_are_read_whole() {
    let home = Home::new();
    let row = |n: u32| {
        format!(
            "{{\"metric_id\":\"met-{n:07}\",\"note\":\"{}\"}}",
            "x".repeat(60_000)
        )
    };
    let rows: Vec<String> = (0..500).map(row).collect();
    let ascending = format!("[{}]", rows.join(","));
    let descending = format!(
        "[{}]",
        rows.iter().rev().cloned().collect::<Vec<_>>().join(",\n")
    );
    assert!(ascending.len() > 30_000_000);
    let expected = format!("{}\n", sha256(ascending.as_bytes()));
    assert_eq!(
        said(
            &on_file(&home, &["hash", "tuple"], descending.as_bytes()),
            0
        ),
        expected
    );
    assert_eq!(
        said(&on_file(&home, &["hash", "file"], ascending.as_bytes()), 0),
        expected
    );
    let printed = on_stdin(&home, &["canon"], ascending.as_bytes());
    assert!(said(&printed, 0) == ascending, "30 MB differ");
}

#[test]
fn output_that_nobody_reads_is_no_success() {
    let home = Home::new();
    fs::write(home.folder().join("input"), "[{\"metric_id\":\"m\"}]").expect("the home is ours");
    for verb in VERBS {
        for json in [&[][..], &["--json"]] {
            let (reader, writer) = io::pipe().expect("a pipe");
            drop(reader);
            let mut command = home.govdeck(verb.iter().chain(&["input"]).chain(json));
            let ended = Run::from(command.stdout(writer).output().expect("it starts"));
            assert_eq!((ended.code, ended.signal), (Some(3), None), "{ended:?}");
            assert!(!ended.stderr.contains("panicked"), "{ended:?}");
        }
    }
}

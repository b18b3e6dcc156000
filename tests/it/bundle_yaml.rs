//! The strict subset of YAML: what is refused, with which reason, where, and how soon.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use govdeck::rules::bundle::{Declared, Finding, Reason};
use proptest::prelude::*;

use crate::support::bundles::Draft;

fn text() -> String {
    Draft::valid().text("migration.yml")
}

fn refused(bytes: impl AsRef<[u8]>) -> Vec<Finding> {
    match Declared::read(bytes.as_ref()) {
        Ok(declared) => declared.faults(),
        Err(findings) => findings,
    }
}

/// The one reason that everything found has.
fn reason(bytes: impl AsRef<[u8]>) -> Option<Reason> {
    let found = refused(bytes);
    let first = found.first()?.reason;
    assert!(
        found.iter().all(|finding| finding.reason == first),
        "{found:#?}"
    );
    Some(first)
}

fn with(old: &str, new: &str) -> String {
    let text = text();
    assert!(text.contains(old), "{old:?}");
    text.replacen(old, new, 1)
}

#[test]
fn the_text_itself_is_read() {
    assert_eq!(refused(text()), []);
    for same in [
        format!("---\n{}", text()),
        format!("{}...\n", text()),
        format!("# a comment\n\n{}", text()),
        text().replace('\n', "\r\n"),
        with("    - public\n", "    - 'public'\n"),
        with(
            "  allowed_schemas:\n    - public\n",
            "  allowed_schemas: [public]\n",
        ),
        with("intent: \"Add an index", "intent: \"Add \\u0061n index"),
        with(
            "intent: \"Add an index to parcels, so that the map answers faster\"",
            "intent: |\n  Add an index\n  to parcels",
        ),
        with(
            "intent: \"Add an index to parcels, so that the map answers faster\"",
            "intent: größer 漢字 plain words: none".trim_end_matches(": none"),
        ),
    ] {
        assert_eq!(refused(&same), [], "{same}");
    }
}

#[test]
fn what_readers_understand_differently_is_no_yaml_here() {
    let anchored = with("    - platform", "    - &p platform");
    for refused in [
        String::new(),
        "# nothing\n".to_owned(),
        "---\n".to_owned() + &text() + "---\n" + &text(),
        text() + "---\n{}\n",
        "%YAML 1.2\n---\n".to_owned() + &text(),
        "%TAG ! tag:x,2000:\n---\n".to_owned() + &text(),
        format!("\u{feff}{}", text()),
        with("type: postgis", "type: postgis\ntype: postgis"),
        with("type: postgis", "type: postgis\n\"type\": postgis"),
        with("type: postgis", "type: postgis\n\"ty\\x70e\": postgis"),
        anchored.clone(),
        anchored.replacen("    - governance\n  change", "    - *p\n  change", 1),
        with("    - platform", "    - *nowhere"),
        with("type: postgis", "type: !!str postgis"),
        with("type: postgis", "type: !custom postgis"),
        with("type: postgis", "type: ! postgis"),
        with("scope:", "scope: !!map"),
        with(
            "  max_row_backfill: 10",
            "  max_row_backfill: 10\n  <<: {max_row_backfill: 20}",
        ),
        with("type: postgis", "? [a, b]\n: c\ntype: postgis"),
        with("type: postgis", "? {a: b}\n: c\ntype: postgis"),
        with("type: postgis", "1: x\ntype: postgis"),
        with("type: postgis", "~: x\ntype: postgis"),
        with("type: postgis", "type: postgis\n\tx: y"),
        with("type: postgis", "type: [postgis"),
        with("type: postgis", "type: \"postgis"),
        with("type: postgis", "type: postgis\0"),
        with("intent: \"Add", "intent: \"\u{1b}[2JAdd"),
        with("intent: \"Add", "intent: \"\u{85}Add"),
        with("intent: \"Add", "intent: \"\u{2028}Add"),
        format!("[{}", "[".repeat(100_000)),
        format!("{}: x", "a".repeat(100_000)),
    ] {
        assert_eq!(
            reason(&refused),
            Some(Reason::YamlRejected),
            "{}",
            &refused[..refused.len().min(300)]
        );
    }
    let utf16: Vec<u8> = text().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked: Vec<u8> = [0xff, 0xfe].into_iter().chain(utf16.clone()).collect();
    let utf32: Vec<u8> = text()
        .chars()
        .flat_map(|c| u32::from(c).to_be_bytes())
        .collect();
    let latin = with("intent: \"Add", "intent: \"GrXXe").into_bytes();
    let latin: Vec<u8> = latin
        .into_iter()
        .map(|byte| if byte == b'X' { 0xf6 } else { byte })
        .collect();
    for bytes in [utf16, marked, utf32, latin] {
        assert_eq!(reason(bytes), Some(Reason::YamlRejected));
    }
}

#[test]
fn what_is_no_text_for_every_reader_must_be_quoted() {
    for word in [
        "NO",
        "no",
        "Yes",
        "on",
        "OFF",
        "y",
        "N",
        "true",
        "False",
        "null",
        "NULL",
        "~",
        "",
        "12:30",
        "1:2:3",
        "1.0",
        "1",
        "-1",
        "+1",
        "1e5",
        "1_000",
        "0x1F",
        "0o17",
        "017",
        "0b11",
        ".5",
        "1.",
        ".inf",
        "-.INF",
        ".nan",
        "2026-02-28",
        "2026-02-28T10:00:00Z",
        "2026-02-28 10:00",
        "=",
        "190:20:30.15",
        "685_230.15",
    ] {
        let bare = with("tool: \"psql\"    ", &format!("tool: {word}    "));
        assert_eq!(reason(&bare), Some(Reason::DeclarationInvalid), "{word}");
        for quoted in [format!("\"{word}\""), format!("'{word}'")] {
            let quoted = with("tool: \"psql\"    ", &format!("tool: {quoted}    "));
            let expected = word.is_empty().then_some(Reason::DeclarationInvalid);
            assert_eq!(reason(&quoted), expected, "{word}");
        }
    }
    for word in [
        "psql",
        "nope",
        "yesterday",
        "1.2.3",
        "v1.0",
        "a1",
        "12:30:x",
        "e5",
        "0xg",
        "x=y",
        "tool-2",
    ] {
        let bare = with("tool: \"psql\"    ", &format!("tool: {word}    "));
        assert_eq!(reason(&bare), None, "{word}");
    }
}

#[test]
fn shape_and_hostile_text_are_the_declarations_own_faults() {
    for (old, new) in [
        ("type: postgis", "type: postgis\nowner: me"),
        ("    - public", "    - [public]"),
        ("scope:", "scope: x\nnot_scope:"),
        (
            "intent: \"Add an index to parcels, so that the map answers faster\"",
            "intent: \" \"",
        ),
        ("intent: \"Add", "intent: \"\\e[2JAdd"),
        ("intent: \"Add", "intent: \"\u{202e}Add"),
        ("intent: \"Add", "intent: \"\\u202eAdd"),
        ("# or another one", "# \u{202e}eno rehtona"),
        (
            "    - platform\n    - governance\n  change",
            "    - platform\n    - platform\n  change",
        ),
        ("requires_rollback: true", "requires_rollback: True"),
        ("requires_rollback: true", "requires_rollback: 1"),
    ] {
        let text = with(old, new);
        assert_eq!(reason(&text), Some(Reason::DeclarationInvalid), "{new}");
    }
    assert_eq!(reason("[]"), Some(Reason::DeclarationInvalid));
    assert_eq!(reason("just words"), Some(Reason::DeclarationInvalid));
    let padded = text() + &"#".repeat(300_000);
    assert_eq!(reason(padded), Some(Reason::DeclarationInvalid));
}

#[test]
fn a_refusal_names_line_and_column() {
    for (text, place) in [
        (
            with("type: postgis", "type: postgis\ntype: x"),
            "line 3, column 1: duplicate key \"type\"",
        ),
        (
            with("    - platform", "    - &p platform"),
            "line 21, column 10: an anchor",
        ),
        (
            with("type: postgis", "type: !!str postgis"),
            "line 2, column ",
        ),
        (
            with("    - public", "    - public\n    - *x"),
            "line 7, column 7: ",
        ),
        (
            with("type: postgis", "type: postgis\nx: 1"),
            "line 3, column 1: unknown field \"x\"",
        ),
    ] {
        let found = refused(&text);
        assert!(found[0].detail.starts_with(place), "{place} {found:?}");
    }
}

#[test]
fn bombs_are_refused_at_once() {
    let mut laughs = String::from("a0: &a0 [x]\n");
    for level in 1..12 {
        let nine = vec![format!("*a{}", level - 1); 9].join(", ");
        let _ = writeln!(laughs, "a{level}: &a{level} [{nine}]");
    }
    let bombs = [
        laughs,
        "[".repeat(250_000),
        "{a: ".repeat(60_000),
        "- ".repeat(120_000),
        "x: 1\n".repeat(50_000),
        (0..25_000).fold(String::new(), |text, number| {
            text + &format!("k{number}: 1\n")
        }),
        format!("a: {}", "[1, ".repeat(60_000)),
        "? ".repeat(120_000),
        "&a ".repeat(80_000),
        "!a ".repeat(80_000),
        "\"".to_owned() + &"\\\n".repeat(120_000),
        "a: |\n".to_owned() + &" \n".repeat(120_000),
        "a: >\n".to_owned() + &"  b\n\n".repeat(50_000),
        "#".repeat(250_000),
        " ".repeat(250_000),
        "a: b: ".repeat(40_000),
        "%x ".repeat(80_000),
        "a: 'b\n".to_owned() + &"\n".repeat(250_000),
        "- - - -\n".repeat(30_000),
        "[a, ".to_owned() + &"b, ".repeat(80_000),
        "---\n".repeat(60_000),
        ",".repeat(250_000),
        "*a ".repeat(80_000),
    ];
    for bomb in bombs {
        assert!(bomb.len() <= 256 * 1024, "{}", bomb.len());
        let begun = Instant::now();
        assert_ne!(refused(&bomb), []);
        let took = begun.elapsed();
        assert!(
            took < Duration::from_secs(1),
            "{took:?} for {:?}",
            &bomb[..20]
        );
    }
}

proptest! {
    /// Whatever is cut out of a declaration or put into it, it is read or refused, and nothing panics.
    #[test]
    fn damaged_declarations_end_in_words(
        at in 0_usize..900, length in 0_usize..40, put in "[\\-:&*!|>'\"%@`{}\\[\\],?#~ \n\ta<=.0\u{e9}\u{feff}\\\\]{0,12}",
    ) {
        let text = text();
        let cut = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let damaged = format!("{}{put}{}", &text[..cut(at)], &text[cut(at + length)..]);
        let _ = refused(&damaged);
        let _ = refused(&put);
    }
}

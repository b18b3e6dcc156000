//! Whole cases: each rule is hit, they stand in their order, and what cannot be read is never a pass.

use serde_json::json;

use super::super::{Phase, Rule, judge};
use super::{BOTH, Case, GOLDEN, case, case_of, document, found, judged, renames};
use crate::canon::ExportKeys;

/// Takes over the export that a text is.
fn sample(mut case: Case, text: &str) -> Case {
    case.sample = ExportKeys::of(text.as_bytes());
    case
}

fn golden(mut case: Case, text: &str) -> Case {
    case.golden = ExportKeys::of(text.as_bytes());
    case
}

fn fits() -> Case {
    case(&document("dual_write"), GOLDEN, BOTH)
}

/// One case for each rule, as a change of one that fits.
fn hit(rule: Rule, case: Case) -> Case {
    let mut case = case;
    match rule {
        Rule::ArtifactInvalid => {
            let policy = case.artifact.policy.as_mut().expect("a policy");
            policy.added_keys = Some(["x".to_owned()].into());
        }
        Rule::AllowlistHashMismatch => case.filed = Err("has no hash".to_owned()),
        Rule::PhaseMismatch => case.phase = Phase::Cutover,
        Rule::GoldenInvalid => return golden(case, "{}"),
        Rule::SampleInvalid => return sample(case, "[]"),
        Rule::DuplicateKey => return sample(case, r#"{"a":1,"a":2}"#),
        Rule::AmbiguousDottedKey => return sample(case, r#"{"a.b":1}"#),
        Rule::ForbiddenKey => {
            let text = BOTH.replacen('{', r#"{"queue_depth":1,"#, 1);
            return sample(case, &text);
        }
        Rule::KeyNotAllowed => return sample(case, &BOTH.replacen('{', r#"{"x":1,"#, 1)),
        Rule::RemovedKey => return golden(case, r#"{"gone":1}"#),
        Rule::TypeChangedKey => return golden(case, r#"{"breach_count":"3"}"#),
        Rule::PairHalfMissing => {
            case.pairs = renames();
            case.pairs[0].legacy = "other".to_owned();
        }
    }
    case
}

#[test]
fn every_rule_is_hit_alone() {
    assert_eq!(judged(fits()), [""; 0]);
    for rule in Rule::ALL {
        let told = judged(hit(*rule, fits()));
        assert_eq!(told.len(), 1, "{rule}: {told:?}");
        assert_eq!(told[0].split(' ').next(), Some(rule.word()), "{told:?}");
    }
}

/// Tells whether what one fault is about is not looked at because of another.
fn hides(fault: Rule, other: Rule) -> bool {
    use Rule::{
        AmbiguousDottedKey, ArtifactInvalid, DuplicateKey, ForbiddenKey, GoldenInvalid,
        PairHalfMissing, PhaseMismatch, RemovedKey, SampleInvalid, TypeChangedKey,
    };
    match fault {
        PhaseMismatch => other >= ForbiddenKey,
        GoldenInvalid => other == ArtifactInvalid,
        SampleInvalid | DuplicateKey | AmbiguousDottedKey => {
            [ArtifactInvalid, RemovedKey, TypeChangedKey, PairHalfMissing].contains(&other)
        }
        _ => false,
    }
}

#[test]
fn the_rules_stand_in_their_order() {
    let words: Vec<_> = Rule::ALL.iter().map(|rule| rule.word()).collect();
    let order = "artifact_invalid allowlist_hash_mismatch phase_mismatch golden_invalid sample_invalid duplicate_key \
                 ambiguous_dotted_key forbidden_key key_not_allowed removed_key type_changed_key pair_half_missing";
    assert_eq!(words.join(" "), order);
    for first in Rule::ALL {
        for second in Rule::ALL {
            let told = judged(hit(*first, hit(*second, fits())));
            let rules: Vec<Rule> = told
                .iter()
                .map(|line| {
                    line.split(' ')
                        .next()
                        .expect("a rule")
                        .parse()
                        .expect("a rule")
                })
                .collect();
            assert!(rules.is_sorted(), "{first} and {second}: {told:?}");
            assert!(
                hides(*second, *first) || rules.contains(first),
                "{first} and {second}: {told:?}"
            );
        }
    }
}

#[test]
fn all_of_many_is_told_at_once() {
    let mut written = document("dual_write");
    written["type_changed_keys"] = json!([]);
    let golden = r#"{"breach_count":"3","gone":1}"#;
    let sample = r#"{"breach_count":3,"queue_depth":1,"x":1}"#;
    let mut all = case(&written, golden, sample);
    all.filed = Ok(crate::canon::Digest::of(b""));
    all.pairs = renames();
    assert_eq!(
        judged(all),
        [
            "artifact_invalid type_changed_keys",
            "allowlist_hash_mismatch",
            "forbidden_key queue_depth",
            "key_not_allowed x",
            "removed_key gone",
            "type_changed_key breach_count",
            "pair_half_missing breachCount",
            "pair_half_missing owner_route_id",
            "pair_half_missing route.ownerRouteId",
        ]
    );
}

#[test]
fn an_allow_list_of_another_phase_judges_no_key() {
    let mut other = case(&document("prepare"), r#"{"gone":1}"#, r#"{"x":1}"#);
    other.phase = Phase::DualWrite;
    other.pairs = renames();
    let judgement = judge(other);
    assert_eq!(found(&judgement), ["phase_mismatch phase"]);
    assert_eq!(judgement.removed_keys().collect::<Vec<_>>(), ["gone"]);
    let told = judgement.findings().next().expect("one").detail;
    assert_eq!(
        told,
        "a.json is of prepare, and dual_write was asked about: no key was judged by it"
    );
}

#[test]
fn an_allow_list_that_is_none_judges_nothing() {
    for (text, said) in [
        ("", "a.json, line 1, column 1: no JSON text"),
        ("{\"phase\":\n1e999}", "a.json, line 2, column 1: "),
        (
            "{\"a\":1,\"\\u0061\":1}",
            "a.json, line 1, column 8: duplicate key \"a\"",
        ),
        ("{}", "a.json, line 1, column 1: migration_id is missing"),
    ] {
        let judgement = judge(case_of(text, GOLDEN, BOTH));
        let findings: Vec<_> = judgement.findings().collect();
        assert_eq!(findings[0].rule, Rule::ArtifactInvalid, "{text}");
        assert!(findings[0].detail.starts_with(said), "{findings:?}");
        assert!(findings.iter().all(|finding| finding.key.is_none()));
        assert!(judgement.keyset_sha256().is_some(), "the sample has one");
        assert_eq!(judgement.added_keys().count(), 2);
    }
}

#[test]
fn a_golden_export_that_is_none_leaves_the_sample_judged() {
    let sample = r#"{"x":1}"#;
    let mut none = case(&document("dual_write"), "[1]", sample);
    none.pairs = renames()[..1].to_vec();
    let judgement = judge(none);
    assert_eq!(
        found(&judgement),
        [
            "golden_invalid",
            "key_not_allowed x",
            "pair_half_missing breach_count",
            "pair_half_missing breachCount",
        ]
    );
    assert_eq!(judgement.added_keys().count(), 0, "nothing to compare with");
    let nothing = judge(case(&document("dual_write"), GOLDEN, "{\"a\":"));
    assert_eq!(found(&nothing), ["sample_invalid"]);
    assert_eq!(nothing.keyset_sha256(), None);
}

#[test]
fn bad_keys_are_told_with_their_places() {
    let table: &[(&str, &[&str])] = &[
        (
            r#"{"a":1,"\u0061":2}"#,
            &["duplicate_key a: s.json, line 1, column 8: duplicate key \"a\""],
        ),
        (
            r#"{"a":1,"a":2,"a":3}"#,
            &["duplicate_key a: s.json, line 1, column 8: duplicate key \"a\""],
        ),
        (
            "[{\"r\":{\"k\":1}},\n{\"r\":{\"k\":1,\"k\":2}}]",
            &["duplicate_key r.k: s.json, line 2, column 13: duplicate key \"k\""],
        ),
        (
            "{\"r\":[0,\n{\"k\":1,\"k\":2}]}",
            &["duplicate_key r.k: s.json, line 2, column 8: duplicate key \"k\""],
        ),
        (
            r#"[{"a":{"b":1}},{"a":[{"b":1}]}]"#,
            &["duplicate_key a.b: s.json, line 1, column 23: two raw paths flatten to \"a.b\""],
        ),
        (
            r#"{"a\u002eb":1}"#,
            &["ambiguous_dotted_key a.b: s.json, line 1, column 2: key \"a.b\" contains a dot"],
        ),
        (
            r#"[{"a.b":1},{"a.b":2},{"c":{"a.b":2}}]"#,
            &[
                "ambiguous_dotted_key a.b: s.json, line 1, column 3: key \"a.b\" contains a dot",
                "ambiguous_dotted_key c.a.b: s.json, line 1, column 28: key \"a.b\" contains a dot",
            ],
        ),
        (
            r#"{"a.b":{},"a":{"b":1}}"#,
            &[
                "duplicate_key a.b: s.json, line 1, column 16: two raw paths flatten to \"a.b\"",
                "ambiguous_dotted_key a.b: s.json, line 1, column 2: key \"a.b\" contains a dot",
            ],
        ),
        (
            r#"{"x.y":1,"x.y":2}"#,
            &[
                "duplicate_key x.y: s.json, line 1, column 10: duplicate key \"x.y\"",
                "ambiguous_dotted_key x.y: s.json, line 1, column 2: key \"x.y\" contains a dot",
            ],
        ),
        // What is no JSON has no keys at all.
        (
            r#"{"a.b":1,"c":1,"c":2"#,
            &[
                "sample_invalid : s.json, line 1, column 21: expected a comma or the end of the object, found the end of the text",
            ],
        ),
        (
            r#"{"a":NaN}"#,
            &["sample_invalid : s.json, line 1, column 6: expected a value, found \"N\""],
        ),
        (
            "\u{feff}{\"a\":1}",
            &["sample_invalid : s.json, line 1, column 1: a byte order mark before the JSON text"],
        ),
        (
            "[{}, {}]",
            &["sample_invalid : s.json, line 1, column 1: an export without a single key"],
        ),
    ];
    for (text, expected) in table {
        let judgement = judge(case(&document("dual_write"), GOLDEN, text));
        let told: Vec<_> = judgement
            .findings()
            .map(|finding| {
                format!(
                    "{} {}: {}",
                    finding.rule,
                    finding.key.unwrap_or_default(),
                    finding.detail
                )
            })
            .collect();
        assert_eq!(told, *expected, "{text}");
        assert_eq!(judgement.keyset_sha256(), None);
        let other = judge(case(&document("dual_write"), text, BOTH));
        let rule = other.findings().next().expect("it is as bad there").rule;
        let same = told[0].replace("sample_invalid", "golden_invalid");
        assert!(same.starts_with(rule.word()), "{text}: {rule}");
    }
}

#[test]
fn of_very_many_bad_keys_the_first_are_told_and_the_others_counted() {
    let dotted: Vec<_> = (0..5_000)
        .map(|number| format!("\"k.{number}\":1,\n\"d{number}\":1,\"d{number}\":1"))
        .collect();
    let judgement = judge(case(
        &document("dual_write"),
        GOLDEN,
        &format!("{{{}}}", dotted.join(",")),
    ));
    let findings: Vec<_> = judgement.findings().collect();
    assert_eq!(findings.len(), 202);
    assert_eq!(findings[100].detail, "s.json: 4900 more are not listed");
    assert_eq!(
        (findings[100].rule, &findings[100].key),
        (Rule::DuplicateKey, &None)
    );
    assert_eq!(
        findings[101].detail,
        "s.json, line 1, column 2: key \"k.0\" contains a dot"
    );
    assert_eq!(
        findings[200].detail,
        "s.json, line 100, column 17: key \"k.99\" contains a dot"
    );
    assert_eq!(findings[201].rule, Rule::AmbiguousDottedKey);
}

#[test]
fn very_long_keys_and_deep_nesting_end_in_a_finding() {
    let long = "k".repeat(1_000_000);
    let told = judged(case(
        &document("dual_write"),
        GOLDEN,
        &format!("{{\"{long}.\":1}}"),
    ));
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("ambiguous_dotted_key kkk") && told[0].len() < 1_100);
    let told = judged(case(
        &document("dual_write"),
        r#"{"breach_count":1}"#,
        &format!("{{\"breach_count\":1,\"{long}\":1}}"),
    ));
    assert_eq!(told, [format!("key_not_allowed {long}")]);
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let judgement = judge(case(&document("dual_write"), GOLDEN, &deep));
    let detail = judgement.findings().next().expect("one").detail;
    assert_eq!(
        detail,
        "s.json, line 1, column 641: arrays and objects nested more than 128 deep"
    );
}

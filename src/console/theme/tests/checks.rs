//! What the check finds, and that it finds nothing in what is built in.

use super::super::check::{Lack, check};
use super::super::*;
use super::Own;

#[test]
fn every_built_in_theme_passes_its_check() {
    for name in Theme::NAMES {
        let report = check(&Theme::built_in(name).unwrap()).unwrap();
        assert_eq!(report.findings, [], "{name}");
        assert_eq!(report.full.contrast.is_none(), *name == "mono");
    }
}

#[test]
fn each_kind_of_lack_is_found() {
    for (line, lack, sentence) in [
        (
            "\"muted\" = \"#505a6a\"",
            Lack::Contrast,
            "muted on bg: contrast 2.62, wanted 4.5",
        ),
        // Just enough in all colours, and rounded to a grey that is not.
        (
            "\"muted\" = \"#7d8799\"",
            Lack::Contrast,
            "muted on raised in 256 colours: contrast ",
        ),
        (
            "\"selection.fg\" = \"#22365a\"",
            Lack::Contrast,
            "selection.fg on selection.bg: contrast 1.00, wanted 4.5",
        ),
        (
            "\"env.dev\" = \"black on #2f5f9e\"",
            Lack::Chip,
            "env.dev on its own background: contrast 3.25, wanted 4.5",
        ),
        (
            "\"env.prod\" = \"#ff7754\"",
            Lack::Chip,
            "env.prod has no background of its own",
        ),
        (
            "\"status.warn\" = \"ok\"",
            Lack::Distance,
            "status.ok and status.warn: 0.00 apart for usual vision, wanted 10",
        ),
        (
            "\"status.ok\" = \"#e0803c\"",
            Lack::Distance,
            "status.ok and status.danger: ",
        ),
        (
            "\"env.demo\" = \"black on staging\"",
            Lack::Distance,
            "env.staging and env.demo: 0.00 apart for usual vision, wanted 10",
        ),
        (
            "\"status.ok\" = \"default\"",
            Lack::CannotTell,
            "status.ok on bg: what default looks like, only the terminal knows",
        ),
        (
            "\"muted\" = \"ink dim\"",
            Lack::CannotTell,
            "muted on bg: how dim is dim, only the terminal knows",
        ),
    ] {
        let own = Own::new(&[("bad", &format!("inherits = \"dark\"\n[tokens]\n{line}\n"))]);
        let findings = check(&own.load("bad").unwrap()).unwrap().findings;
        let found = findings
            .iter()
            .any(|found| found.lack == lack && found.sentence.starts_with(sentence));
        assert!(found, "{line} {findings:#?}");
    }
}

#[test]
fn high_contrast_asks_for_more_than_other_themes() {
    let text =
        |parent: &str| format!("inherits = \"{parent}\"\n[tokens]\n\"muted\" = \"#8a8a8a\"\n");
    let own = Own::new(&[
        ("plain", &text("high-contrast")),
        ("high-contrast-2", &text("high-contrast")),
    ]);
    assert_eq!(check(&own.load("plain").unwrap()).unwrap().findings, []);
    let findings = check(&own.load("high-contrast-2").unwrap())
        .unwrap()
        .findings;
    assert!(
        findings
            .iter()
            .all(|found| found.sentence.ends_with("wanted 7.0"))
    );
    assert!(!findings.is_empty());
}

#[test]
fn states_without_colours_must_differ_by_modifiers() {
    let own = Own::new(&[(
        "bare",
        "inherits = \"mono\"\n[tokens]\n\"gate.fail\" = \"default\"\n",
    )]);
    let findings = check(&own.load("bare").unwrap()).unwrap().findings;
    let tokens: Vec<_> = findings.iter().map(|found| found.tokens).collect();
    assert_eq!(tokens, [[Token::GatePass, Token::GateFail]]);
}

//! `govdeck snapshot` draws what the console would draw; `govdeck doctor` says what is well around govdeck and what is not.

use crate::cli_kit::{at, configured, document, misused, said, with, writes_nothing};
use crate::support::command::Home;
use crate::support::on_both;

fn finding<'a>(report: &'a serde_json::Value, about: &str) -> &'a serde_json::Value {
    let findings = report["findings"].as_array().expect("findings");
    let found = findings.iter().find(|finding| finding["about"] == about);
    found.unwrap_or_else(|| panic!("nothing about {about} in {report}"))
}

on_both!(a_pane_is_drawn_as_text_picture_and_data, |world| {
    world.register_footer().await;
    world.block("pub-1<2>").await;
    let text = writes_nothing(&world, "maya", &["snapshot", "blocks"]);
    let text = said(&text, 0);
    assert_eq!(text.lines().count(), 24, "{text}");
    assert!(
        text.contains("> pub-1<2>") && text.contains("tuple_drift"),
        "{text}"
    );
    assert!(text.contains("you may: take-block (a t)"), "{text}");

    let svg = writes_nothing(
        &world,
        "maya",
        &["snapshot", "blocks", "--format", "svg", "--size", "160x48"],
    );
    let svg = said(&svg, 0);
    assert!(
        svg.starts_with("<svg ") && svg.ends_with("</svg>\n"),
        "{svg}"
    );
    assert!(svg.contains("pub-1&lt;2&gt;") && !svg.contains("pub-1<2>"));

    for words in [
        &["snapshot", "blocks", "--json"][..],
        &["snapshot", "blocks", "--format", "json"],
    ] {
        let json = document(&writes_nothing(&world, "maya", words), 0, "snapshot");
        assert_eq!(json["open_blocks"], 1);
        assert_eq!(json["blocks"][0]["publish_run_id"], "pub-1<2>");
        assert_eq!(json["lines"].as_array().expect("lines").len(), 24);
    }
    for pane in ["home", "ledger", "Home"] {
        said(&writes_nothing(&world, "lee", &["snapshot", pane]), 0);
    }
});

#[test]
fn what_is_no_pane_or_no_size_is_refused() {
    let home = Home::new();
    for words in [
        &["snapshot", "cellar"][..],
        &["snapshot", "home", "--size", "0x24"],
        &["snapshot", "home", "--size", "80"],
        &["snapshot", "home", "--size", "99999x2"],
        &["snapshot", "home", "--format", "gif"],
    ] {
        misused(&with(&home, &[], words));
    }
}

on_both!(a_healthy_deployment_has_no_failure, |world| {
    let report = writes_nothing(&world, "maya", &["doctor", "--json"]);
    let report = document(&report, 0, "doctor");
    assert_eq!(finding(&report, "database")["health"], "OK");
    assert_eq!(finding(&report, "rights")["health"], "OK");
    assert_eq!(finding(&report, "clock")["health"], "OK");
    assert_eq!(finding(&report, "theme")["health"], "OK");
    assert_eq!(
        finding(&report, "terminal")["health"],
        "WARN",
        "there is none in a test"
    );
    let identity = finding(&report, "identity")["found"]
        .as_str()
        .expect("text");
    assert!(identity.starts_with("maya, known by "), "{identity}");
});

#[test]
fn each_failure_has_one_fix_and_the_rest_is_still_said() {
    let home = Home::new();
    let gone = at(&home, "sqlite:nowhere.db", &["doctor", "--json"]);
    let report = document(&gone, 1, "doctor");
    assert_eq!(report["health"], "FAIL");
    assert_eq!(finding(&report, "database")["health"], "FAIL");
    assert_ne!(finding(&report, "database")["fix"], "");
    assert_eq!(finding(&report, "config")["health"], "OK");
    finding(&report, "log");

    let silent = at(
        &home,
        "postgres://nobody:canary-9@127.0.0.1:1/none",
        &["doctor"],
    );
    let text = said(&silent, 1);
    assert!(text.contains("FAIL database"), "{text}");
    assert!(!text.contains("canary-9"), "{text}");

    configured(&home, "colour = 1\n");
    let report = document(&with(&home, &[], &["doctor", "--json"]), 1, "doctor");
    assert_eq!(finding(&report, "config")["health"], "FAIL");
    finding(&report, "colours");
}

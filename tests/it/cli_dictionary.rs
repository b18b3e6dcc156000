//! The dictionary on the command line: documents in, canonical JSON out, gates, readback, and the way back from a number.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use govdeck::actions::Asked;
use serde_json::{Value, json};

use crate::cli_kit::{document, govdeck, refused, said, sha256, writes_nothing};
use crate::publish_mint::{mint, put};
use crate::support::command::{Home, Run, run};
use crate::support::dictionary::{
    ask, bind, document as sample, maya_too, people, released, with_metric,
};
use crate::support::week_files::adopt_policy;
use crate::support::weeks::{self, MONDAYS, SERIES};
use crate::support::{REASON, World, on_both};

fn file(world: &World, name: &str, text: &str) -> String {
    let path = world.home.folder().join(name);
    fs::write(&path, text).expect("the home is ours");
    path.display().to_string()
}

/// Confirms an import as lee.
fn import(world: &World, path: &str, semver: &str) -> Run {
    let words = [
        "dictionary",
        "import",
        path,
        "--confirm",
        semver,
        "--reason",
        REASON,
    ];
    govdeck(world, "lee", &words)
}

on_both!(toml_and_json_are_one_dictionary, |world| {
    people(&world).await;
    maya_too(&world).await;
    let json = sample("2.4.0");
    let mut toml =
        String::from("schema = \"govdeck.dictionary.v1\"\ndictionary_semver = \"v2.4.0\"\n");
    for metric in json["metrics"].as_array().expect("metrics").iter().rev() {
        toml.push_str("[[metrics]]\n");
        for (field, value) in metric.as_object().expect("a metric") {
            if let Some(text) = value.as_str() {
                let _ = writeln!(toml, "{field} = {text:?}");
            }
        }
    }
    let path = file(&world, "dictionary.toml", &toml);
    let dry = writes_nothing(&world, "lee", &["dictionary", "import", &path]);
    assert!(
        said(&dry, 0).contains("metric_dictionary MET-0144 becomes version 1"),
        "{}",
        dry.stdout
    );
    said(&import(&world, &path, "2.4.0"), 0);
    let exported = govdeck(&world, "lee", &["dictionary", "export"]);
    let canonical = govdeck::canon::canonical(json.to_string()).expect("canonical");
    assert_eq!(said(&exported, 0).as_bytes(), canonical);
    let again = import(&world, &path, "2.4.0");
    assert!(refused(&again, 1).0.contains("says_something"), "{again:?}");
    world.assert_sound().await;
});

on_both!(a_redefinition_is_refused_on_the_command_line, |world| {
    released(&world).await;
    let mut next = sample("2.4.1");
    next["metrics"][0]["formula"] = json!("sum(something_else)");
    let path = file(&world, "next.json", &next.to_string());
    let refusal = import(&world, &path, "2.4.1");
    let (sentence, hint) = refused(&refusal, 1);
    assert!(
        sentence.contains("same_meaning: redefined: MET-0144 formula"),
        "{sentence}"
    );
    assert!(hint.contains("takes a new id"), "{hint}");
    let told = govdeck(
        &world,
        "lee",
        &["dictionary", "diff", "2.4.0", &path, "--json"],
    );
    let told = document(&told, 1, "dictionary-diff");
    assert_eq!(told["changes"][0]["kind"], "redefined");
    assert_eq!(
        world.rows("SELECT dictionary_semver FROM dictionary_release"),
        ["2.4.0"]
    );
});

#[test]
fn documents_are_compared_and_looked_through_without_a_database() {
    let home = Home::new();
    let write = |name: &str, value: &Value| {
        fs::write(home.folder().join(name), value.to_string()).expect("written");
    };
    write("a.json", &sample("2.4.0"));
    let mut next = sample("2.4.1");
    next["metrics"][1]["display_label"] = json!("Breaches");
    with_metric(&mut next, "MET-0200");
    write("b.json", &next);
    let at = |words: &[&str]| {
        let mut command = home.govdeck(words.iter().copied());
        command.env("GOVDECK_DSN", "sqlite:/nonexistent/govdeck.db");
        command.current_dir(home.folder());
        run(command)
    };
    let told = document(
        &at(&["dictionary", "diff", "a.json", "b.json", "--json"]),
        0,
        "dictionary-diff",
    );
    let kinds: Vec<_> = told["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|it| it["kind"].clone())
        .collect();
    assert_eq!(kinds, ["relabelled", "added"]);
    let back = at(&["dictionary", "diff", "b.json", "a.json"]);
    assert!(
        said(&back, 1).contains("MET-0200 REFUSED removed"),
        "{}",
        back.stdout
    );
    assert!(said(&at(&["dictionary", "lint", "a.json"]), 0).contains("0 findings"));
    let linted = document(
        &at(&["dictionary", "lint", "b.json", "--json"]),
        1,
        "dictionary-lint",
    );
    assert_eq!(linted["findings"][0]["rule"], "label_repeated");
    for (name, text, says) in [
        ("none.json", None, "none.json"),
        (
            "twice.json",
            Some("{\"schema\":1,\"schema\":1}".to_owned()),
            "duplicate key",
        ),
        (
            "rule.json",
            Some(sample("2.4.0").to_string().replace("\"sum\"", "\"median\"")),
            "aggregation_rule",
        ),
        (
            "semver.json",
            Some(sample("2.4").to_string()),
            "dictionary_semver",
        ),
        ("bad.toml", Some("schema = ".to_owned()), "bad.toml"),
        (
            "twice.toml",
            Some("schema = \"a\"\nschema = \"b\"\n".to_owned()),
            "duplicate key",
        ),
    ] {
        if let Some(text) = &text {
            fs::write(home.folder().join(name), text).expect("written");
        }
        let (sentence, _) = refused(&at(&["dictionary", "lint", name]), 2);
        assert!(sentence.contains(says), "{name}: {sentence}");
    }
}

/// What two sides would publish, with sidecars.
fn sides(world: &World, tuple: &str, partner: &str) -> [String; 2] {
    [("leadership", "94.5"), ("partner", partner)].map(|(side, value)| {
        let csv = format!("metric_id,value\nMET-0144,{value}\nMET-0171,3\n");
        let sidecar = json!({
            "side": side, "window_tz_policy": "UTC", "start_inclusive": "2026-05-11T00:00:00Z",
            "end_exclusive": "2026-05-18T00:00:00Z", "tuple_revision_hash": tuple, "dictionary_semver": "v2.4.0",
            "footer_schema_semver": "2.4.0", "epsilon_policy_version": "eps-1",
            "ingest_hash": format!("sha256:{}", sha256(csv.as_bytes())),
            "bypass_audit_id": "no bypass", "parent_freeze_id": "no bypass",
        });
        file(world, &format!("{side}.sidecar.json"), &sidecar.to_string());
        file(world, &format!("{side}.csv"), &csv)
    })
}

fn variance(world: &World, tuple: &str, partner: &str) -> Run {
    let [leadership, partner] = sides(world, tuple, partner);
    let words = [
        "gate",
        "variance",
        "--leadership",
        &leadership,
        "--partner",
        &partner,
        "--json",
    ];
    govdeck(world, "lee", &words)
}

on_both!(
    what_lies_too_far_apart_is_not_published_and_goes_to_its_owner,
    |world| {
        let tuple = "ab".repeat(32);
        let early = refused(&variance(&world, &tuple, "94.5"), 3);
        assert!(early.0.contains("never released"), "{early:?}");
        released(&world).await;
        world.register_footer().await;
        let passed = document(&variance(&world, &tuple, "93.5"), 0, "gate-variance");
        assert_eq!(
            (&passed["verdict"], &passed["metrics_failed"]),
            (&json!("pass"), &json!(0)),
            "exactly epsilon passes"
        );
        let failed = document(&variance(&world, &tuple, "93.499"), 1, "gate-variance");
        assert_eq!(failed["worst"][0]["metric_id"], "MET-0144");
        assert_eq!(
            (&failed["owner"], &failed["backup"]),
            (&json!("maya"), &json!("lee"))
        );
        assert_eq!(failed["dictionary_semver"], "2.4.0");
        let uri = failed["artifact_uri"]
            .as_str()
            .expect("an artefact")
            .to_owned();
        let out = world.home.folder().join("found.json");
        let words = ["artifact", "get", &uri, "--out", &out.display().to_string()];
        said(&govdeck(&world, "lee", &words), 0);
        let found = fs::read_to_string(&out).expect("written");
        let found: Value = serde_json::from_str(&found).expect("JSON");
        assert_eq!(found["terms"]["tuple_revision_hash"], tuple);
        assert_eq!(found["terms"]["dictionary_semver"], "v2.4.0");
        assert_eq!(found["metrics"][0]["owner"], "maya");
        assert_eq!(
        world.rows("SELECT event_class || ' ' || recipient_id FROM notification_outbox WHERE event_class = 'variance_failed'"),
        ["variance_failed maya"]
    );
        assert_eq!(
            world.rows("SELECT verdict FROM variance_check ORDER BY checked_at_utc, variance_id"),
            ["PASS", "FAIL"]
        );
        world.assert_sound().await;
    }
);

on_both!(
    a_comparison_that_failed_holds_the_runs_of_its_tuple,
    |world| {
        released(&world).await;
        world.register_footer().await;
        put(
            &world,
            "rows.json",
            r#"[{"metric_id":"MET-0144","value":94.5}]"#,
        );
        put(&world, "board.csv", "metric,value\n");
        let more = ["--source", "rows.json", "--artifact", "board.csv"];
        said(&mint(&world, "pub-1", &more), 0);
        said(&govdeck(&world, "maya", &["gate", "publish", "pub-1"]), 0);
        let tuple = world.owner_sql("SELECT publish_tuple_hash FROM publish_snapshots");
        let distribute = |code| {
            let words = ["gate", "distribute", "pub-1", "--json"];
            let gate = writes_nothing(&world, "maya", &words);
            document(&gate, code, "gate-distribute");
        };
        distribute(0);
        said(&variance(&world, &tuple, "93.499"), 1);
        distribute(1);
        said(&variance(&world, &"ab".repeat(32), "94.5"), 0);
        distribute(1);
        said(&variance(&world, &tuple, "94.5"), 0);
        distribute(0);
    }
);

#[test]
fn two_manifests_are_held_against_each_other() {
    let home = Home::new();
    let manifest = |name: &str, side: &str, end: &str| {
        let manifest = json!({
            "side": side, "window_tz_policy": "UTC", "start_inclusive": "2026-05-11T00:00:00Z", "end_exclusive": end,
            "tuple_revision_hash": "ab".repeat(32), "dictionary_semver": "2.4.0", "bypass_audit_id": "BYP-9",
            "parent_freeze_id": "FZ-31",
        });
        let path = home.folder().join(name);
        fs::write(&path, manifest.to_string()).expect("written");
        path.display().to_string()
    };
    let ours = manifest("a.json", "leadership", "2026-05-18T00:00:00Z");
    let theirs = manifest("b.json", "partner", "2026-05-18T00:00:00Z");
    let other = manifest("d.json", "partner", "2026-05-18T00:00:00.0Z");
    let parity = |partner: &str| {
        let words = [
            "gate",
            "parity",
            "--leadership",
            &ours,
            "--partner",
            partner,
            "--json",
        ];
        run(home.govdeck(words))
    };
    assert_eq!(
        document(&parity(&theirs), 0, "gate-parity")["verdict"],
        "pass"
    );
    for (partner, field) in [(&other, "end_exclusive"), (&ours, "side")] {
        let differs = document(&parity(partner), 1, "gate-parity");
        assert_eq!(differs["findings"][0]["field"], *field);
    }
    refused(&parity("/nonexistent"), 2);
    fs::write(home.folder().join("c.json"), "[]").expect("written");
    refused(
        &parity(&home.folder().join("c.json").display().to_string()),
        2,
    );
}

on_both!(the_gate_of_joins_draws_what_it_found, |world| {
    released(&world).await;
    let cannot = govdeck(&world, "lee", &["gate", "bind"]);
    assert!(
        said(&cannot, 3).contains("query_missing"),
        "{}",
        cannot.stdout
    );
    for (id, surface) in [("rollup", "leadership"), ("annex", "partner_annex")] {
        let all = "SELECT metric_id FROM metric_dictionary";
        bind(&world, &format!("{id}/2.4.0"), surface, all)
            .await
            .expect("registered");
    }
    let (svg, html) = (
        world.home.folder().join("bind.svg"),
        world.home.folder().join("bind.html"),
    );
    let words = [
        "gate",
        "bind",
        "--picture",
        &svg.display().to_string(),
        "--page",
        &html.display().to_string(),
    ];
    let passed = govdeck(&world, "lee", &words);
    assert!(
        said(&passed, 0).starts_with("PASS bind 2.4.0 to 2.4.0: 2 metrics, 0 findings"),
        "{}",
        passed.stdout
    );
    let page = fs::read_to_string(&html).expect("written");
    assert!(page.contains("<svg") && page.contains("MET-0144") && page.contains("rollup"));
    assert_eq!(
        fs::read_to_string(&svg)
            .expect("written")
            .matches("<line")
            .count(),
        4
    );
    world.assert_sound().await;
});

/// A week that was compared from files: the folder where they lie.
async fn compared(world: &World) -> PathBuf {
    let root = world.home.folder().join("gov");
    fs::create_dir_all(&root).expect("made");
    let window = json!({"window_tz_policy": "UTC", "start_inclusive": "2098-04-28T00:00:00Z", "end_exclusive": "2098-05-05T00:00:00Z"});
    for (side, value) in [("leadership", "94.5"), ("partner", "94.25")] {
        let csv = format!("metric_id,value\nMET-0144,{value}\nMET-0171,12\n");
        let mut sidecar = window.clone();
        for (field, said) in [
            ("side", side),
            ("tuple_revision_hash", &"ab".repeat(32)),
            ("dictionary_semver", "2.4.0"),
            ("footer_schema_semver", "1.3.0"),
            ("epsilon_policy_version", "eps-7"),
            ("ingest_hash", &format!("sha256:{}", sha256(csv.as_bytes()))),
            ("bypass_audit_id", "BYP-9"),
            ("parent_freeze_id", "FZ-31"),
        ] {
            sidecar[field] = json!(said);
        }
        fs::write(root.join(format!("{side}.csv")), csv).expect("written");
        fs::write(
            root.join(format!("{side}.sidecar.json")),
            sidecar.to_string(),
        )
        .expect("written");
    }
    let manifest = json!({
        "schema": "govdeck.reconcile-manifest.v1", "series": SERIES, "window": window,
        "leadership": {"id": "q-lead", "file": "leadership.csv"}, "partner": {"id": "exp-partner", "file": "partner.csv"},
        "tuple_revision_hash": "ab".repeat(32), "dictionary_semver": "2.4.0", "epsilon_policy_version": "eps-7",
        "contract_max_semver": "1.4.0", "footer_schema_semver": "1.3.0",
        "owners": {"default": {"owner": "maya", "backup": "lee"}}, "protected": ["MET-0144", "MET-0171"],
    });
    fs::write(root.join("manifest.json"), manifest.to_string()).expect("written");
    weeks::plan(world, 0).await;
    world.set_time(MONDAYS[0]).await;
    let path = root.join("manifest.json").display().to_string();
    let mut job = world.govdeck("maya", &["job", "reconcile", "--manifest", &path]);
    job.env("GOVDECK_GOVERNANCE_ROOT", &root);
    let passed = run(job);
    assert_eq!(passed.code, Some(0), "{}{}", passed.stdout, passed.stderr);
    root
}

on_both!(from_a_headline_to_the_row_it_came_from, |world| {
    let world = weeks::world(world).await;
    released(&world).await;
    ask(&world, "faq-1", "MET-0144").await.expect("put");
    adopt_policy(&world).await;
    let root = compared(&world).await;
    let early = govdeck(&world, "kim", &["readback", "--week", "2098-W18"]);
    let text = said(&early, 3).replace('\\', "");
    for part in [
        "CANNOT TELL",
        "how far it reaches is not established",
        "annex_view_version: not established",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let bypass = Asked::of("BYP-9")
        .with("freeze", "FZ-31")
        .with("expires", "2098-05-07T06:00:00Z");
    weeks::both(&world, "bypass_freeze", bypass)
        .await
        .expect("recorded");
    let view = Asked::of("annex-12")
        .with("release", "2.4.0")
        .with("footer", "1.3.0")
        .with("sql", "SELECT metric_id FROM metric_dictionary");
    world
        .act("lee", "register_annex_view", view)
        .await
        .expect("registered");
    let read = |format: &str| {
        govdeck(
            &world,
            "kim",
            &["readback", "--week", "2098-W18", "--format", format],
        )
    };
    let text = read("md");
    let text = said(&text, 0).replace('\\', "");
    let tuple = "ab".repeat(32);
    for part in [
        "# Readback of 2098-W18",
        "reconciled: leadership and partners agree within the epsilons of the dictionary",
        &format!("**Breaches** (breaches): leadership 94.5 `(MET-0144, {tuple})`; partners 94.25"),
        "bypass BYP-9 of freeze FZ-31",
        "by lee and maya, until 2098-05-07",
        "[When does a response count as late?](annex.html#met-0144)",
        "footer_schema_semver: 1.3.0",
        "dictionary_semver: 2.4.0",
        "annex_view_version: annex-12",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let page = read("html");
    assert!(said(&page, 0).starts_with("<!DOCTYPE html>") && page.stdout.contains("94.5"));
    let packet = document(&read("json"), 0, "readback");
    assert_eq!(
        packet["headlines"][0]["leadership"]["cites"]["metric_id"],
        "MET-0144"
    );
    let cite = |metric: &str| {
        let mut command = world.govdeck("kim", &["cite", &tuple, metric]);
        command.env("GOVDECK_GOVERNANCE_ROOT", &root);
        run(command)
    };
    let chain = cite("MET-0144");
    for part in [
        "count(MET-0144)",
        "PASS",
        "line 2: MET-0144,94.5",
        "line 2: MET-0144,94.25",
        "ledger entry",
        "manifest sha256:",
    ] {
        assert!(
            said(&chain, 0).contains(part),
            "{part} is missing in {}",
            chain.stdout
        );
    }
    fs::write(root.join("leadership.csv"), "metric_id,value\nMET-0144,1\n").expect("written");
    let changed = cite("MET-0144");
    assert!(
        said(&changed, 3).contains("leadership.csv has changed since it was compared"),
        "{}",
        changed.stdout
    );
    assert!(said(&cite("MET-9999"), 3).contains("CANNOT TELL"));
    refused(&govdeck(&world, "kim", &["cite", "ab", "MET-0144"]), 2);
    assert!(
        said(
            &govdeck(&world, "kim", &["readback", "--week", "2098-W30"]),
            3
        )
        .contains("no run of this week")
    );
    refused(
        &govdeck(&world, "kim", &["readback", "--week", "2098-30"]),
        2,
    );
    let shown = govdeck(&world, "kim", &["dictionary", "show", "MET-0144"]);
    assert!(
        said(&shown, 0).contains("leadership 94.5, partner 94.25, PASS"),
        "{}",
        shown.stdout
    );
    world.assert_sound().await;
});

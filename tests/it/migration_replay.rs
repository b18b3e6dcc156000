//! The replay of frozen exports: what is green, what fails with its row and column, and what leaves it open.

use std::fs;
use std::path::PathBuf;

use govdeck::rules::migration::{DICTIONARY, EvidenceKind, Gate, Phase, judge};
use serde_json::{Value, json};

use crate::cli_kit::{document, govdeck, refused, said, sha256};
use crate::evidence::{exported, shell};
use crate::support::command::{Run, run};
use crate::support::migration_story::{ID, known, opened, pair, world};
use crate::support::pairs::row;
use crate::support::{World, on_both};

const GOLDEN: &str = "metric,breaches\r\nMET-0144,3\r\nMET-0171,\"\"\r\n";
const DASHBOARDS: [&str; 2] = ["leadership", "partner_annex"];

/// A query that gives a golden from one of the two halves.
fn half(column: &str) -> Value {
    let sql = format!(
        "SELECT dictionary_metric_id AS metric, \"{column}\" AS breaches FROM {DICTIONARY} ORDER BY dictionary_metric_id"
    );
    json!({"sql": sql})
}

/// A world whose dictionary has two rows, and the folder with what was frozen of them.
struct Frozen {
    world: World,
    root: PathBuf,
}

impl Frozen {
    async fn of(world: World) -> Self {
        opened(&world).await;
        row(&world, "MET-0144", "", "bo", [Some(3), Some(3)]);
        row(&world, "MET-0171", "", "bo", [None, None]);
        let root = world.home.folder().join("root");
        fs::create_dir(&root).expect("the home is ours");
        let frozen = Self { world, root };
        for dashboard in DASHBOARDS {
            frozen.write(&format!("{dashboard}.csv"), GOLDEN);
        }
        frozen
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.root.join(name), text).expect("the folder is ours");
    }

    fn manifest() -> Value {
        let goldens = DASHBOARDS.map(|dashboard| {
            json!({
                "dashboard": dashboard, "file": format!("{dashboard}.csv"), "sha256": sha256(GOLDEN.as_bytes()),
                "from": half("breach_count"), "to": half("breachCount"),
            })
        });
        json!({
            "schema": "govdeck.replay-manifest.v1", "migration_id": ID, "from_semver": "2.4.0", "to_semver": "2.4.1",
            "goldens": goldens,
        })
    }

    fn replay(&self, manifest: &Value, words: &[&str]) -> Run {
        self.write("manifest.json", &manifest.to_string());
        let path = self.root.join("manifest.json");
        let path = path.to_str().expect("it is UTF-8");
        let words = [&["job", "replay", "--manifest", path], words].concat();
        let mut command = self.world.govdeck("maya", &words);
        command.env("GOVDECK_GOVERNANCE_ROOT", &self.root);
        run(command)
    }

    fn json(&self, manifest: &Value, code: i32) -> Value {
        document(&self.replay(manifest, &["--json"]), code, "job-replay")
    }

    /// Replays with something else in the first golden.
    fn with(&self, field: &str, value: Value, code: i32) -> Value {
        let mut manifest = Self::manifest();
        manifest["goldens"][0][field] = value;
        self.json(&manifest, code)
    }

    /// What was filed under a hash.
    fn filed(&self, sha256: &Value) -> String {
        let sha256 = sha256.as_str().expect("a hash");
        let words = ["artifact", "get", sha256, "--out", sha256];
        said(&govdeck(&self.world, "maya", &words), 0);
        let written = fs::read_to_string(self.world.home.folder().join(sha256));
        written.expect("it is text")
    }

    /// How the gate stands.
    async fn gate(&self) -> (String, String) {
        let store = self.world.store("maya").await;
        let now = store.view().await.expect("a view").now();
        store.close().await;
        let report = known(&self.world)
            .await
            .decide(now, |facts| judge(Gate::Replay, facts, Phase::Cutover));
        (report.verdict.to_string(), report.found)
    }
}

on_both!(both_halves_give_what_was_frozen, |w| {
    let frozen = Frozen::of(world(w).await).await;
    let found = frozen.json(&Frozen::manifest(), 0);
    assert_eq!(
        (&found["gate"], &found["migration_id"], &found["looked_for"]),
        (&"G4".into(), &ID.into(), &4.into())
    );
    assert_eq!(found["detail"], "4 of 4 replays are what was frozen");
    assert_eq!(frozen.gate().await.0, "pass");
    // The evidence is the document itself, and it says what was run.
    let evidence: Value =
        serde_json::from_str(&frozen.filed(&found["evidence_sha256"])).expect("JSON");
    assert_eq!(evidence[3]["replays"], found["replays"]);
    assert_eq!(evidence[3]["replays"][1]["source"], half("breachCount"));
    assert_eq!(
        evidence[2],
        known(&frozen.world).await.inputs_of(EvidenceKind::Replay)
    );
    // A replay that was made elsewhere is read as a file.
    frozen.write("elsewhere.csv", "metric,breaches\nMET-0144,3\nMET-0171,\n");
    let found = frozen.with("to", json!({"file": "elsewhere.csv"}), 0);
    let elsewhere = &found["replays"][1];
    assert!(elsewhere["source_sha256"].is_string(), "{found}");
    assert_eq!(elsewhere["source_sha256"], elsewhere["result_sha256"]);
    // One pair more, and what was found says nothing of now.
    let more = pair("owner_route_id", "route.ownerRouteId");
    let registered = frozen.world.act("kim", "register_pair", more).await;
    registered.expect("registered");
    let (verdict, found) = frozen.gate().await;
    assert_eq!(verdict, "cannot_tell");
    assert!(found.contains("has changed since"), "{found}");
    frozen.world.assert_sound().await;
});

on_both!(what_was_compared_is_filed_with_what_was_found, |w| {
    let frozen = Frozen::of(world(w).await).await;
    let newest = || {
        frozen.world.rows(
            "SELECT role FROM ledger_artifact WHERE seq = (SELECT seq FROM ledger_head) ORDER BY role",
        )
    };
    let manifest = Frozen::manifest();
    let found = frozen.json(&manifest, 0);
    assert_eq!(
        newest(),
        [
            "gate_evidence",
            "recheck",
            "replay_golden",
            "replay_manifest",
            "replay_result"
        ]
    );
    // The goldens are gone, and whoever checks it later has them all the same, and what came out.
    for dashboard in DASHBOARDS {
        let golden = frozen.root.join(format!("{dashboard}.csv"));
        fs::remove_file(golden).expect("it is there");
    }
    let [first, second] = [0, 1].map(|at| &found["replays"][at]);
    assert_eq!(frozen.filed(&first["sha256"]), GOLDEN);
    assert_eq!(
        frozen.filed(&first["result_sha256"]),
        "metric,breaches\nMET-0144,3\nMET-0171,\n"
    );
    assert_eq!(first["result_sha256"], second["result_sha256"]);
    assert_eq!(
        frozen.filed(&found["manifest_sha256"]),
        manifest.to_string()
    );
    let folder = exported(&frozen.world, "replayed", &[]);
    let golden = first["sha256"].as_str().expect("a hash");
    let mut names = fs::read_dir(folder.join("evidence")).expect("a folder");
    let name = format!("replay_golden-{golden}.csv");
    let is_there = names.any(|it| {
        let found = it.expect("a file").file_name();
        found.to_string_lossy().ends_with(&name)
    });
    assert!(is_there, "{name}");
    let verified = shell(&frozen.world.home, "sh replayed/verify.sh");
    assert_eq!(verified.code, Some(0), "{verified:?}");
    // Nothing was compared, and nothing but that is filed.
    let found = frozen.json(&manifest, 3);
    assert!(found["replays"][0]["result_sha256"].is_null(), "{found}");
    assert_eq!(newest(), ["gate_evidence", "recheck", "replay_manifest"]);
    frozen.world.assert_sound().await;
});

on_both!(what_differs_is_named_by_row_and_column, |w| {
    let frozen = Frozen::of(world(w).await).await;
    frozen.world.owner_sql(&format!(
        "UPDATE {DICTIONARY} SET \"breachCount\" = 4 WHERE dictionary_metric_id = 'MET-0144'"
    ));
    let lines = frozen.replay(&Frozen::manifest(), &[]);
    let why = "row 1, column \"breaches\" is \"4\", the golden has \"3\"";
    let told = said(&lines, 1);
    assert!(
        told.starts_with(&format!(
            "fail G4 {ID}: 2 of 4 replays are what was frozen; leadership.csv under 2.4.1: {why}\n  \
             fail leadership.csv under 2.4.1: {why}\n  fail partner_annex.csv under 2.4.1: {why}\nevidence sha256:"
        )),
        "{told}"
    );
    let (verdict, found) = frozen.gate().await;
    assert_eq!(verdict, "fail", "{found}");
    let other = frozen.json(&Frozen::manifest(), 1);
    assert_eq!(
        frozen.filed(&other["replays"][1]["result_sha256"]),
        "metric,breaches\nMET-0144,4\nMET-0171,\n"
    );
    // A row more, a row less, and columns in another order.
    let of = |sql: String| json!({"sql": sql});
    for (sql, found) in [
        (
            format!("SELECT dictionary_metric_id AS metric, breach_count AS breaches FROM {DICTIONARY} WHERE breach_count = 3"),
            "row 2 is missing",
        ),
        (
            "SELECT 'MET-0144' AS metric, 3 AS breaches UNION ALL SELECT 'MET-0171', NULL UNION ALL SELECT 'MET-0200', 1 ORDER BY 1".to_owned(),
            "row 3 is not in the golden",
        ),
        (
            "SELECT 1 AS metric, 2 AS metric, 3 AS breaches".to_owned(),
            "it has 3 columns, the golden 2",
        ),
        (
            format!("SELECT breach_count AS breaches, dictionary_metric_id AS metric FROM {DICTIONARY} ORDER BY 2"),
            "column 1 is \"breaches\", the golden has \"metric\"",
        ),
        (
            format!("SELECT dictionary_metric_id AS metric, breach_count AS breaches FROM {DICTIONARY} WHERE breach_count = 9"),
            "it gave no row",
        ),
    ] {
        let told = frozen.with("from", of(sql), 1);
        assert_eq!(told["replays"][0]["detail"], found, "{told}");
    }
});

on_both!(what_cannot_be_compared_is_never_green, |w| {
    let frozen = Frozen::of(world(w).await).await;
    let told = |document: &Value| document["replays"][0]["detail"].as_str().map(str::to_owned);
    let why = |document: Value, what: &str| {
        let told = told(&document).expect("it is said why");
        assert!(told.contains(what), "{told:?} for {what:?}");
    };
    // Queries that do not run, or do not say what they give.
    let sql = |sql: &str| json!({"sql": sql});
    why(
        frozen.with("from", sql("SELECT x FROM nowhere"), 3),
        "nowhere",
    );
    // Goldens that are not what was frozen.
    why(frozen.with("file", json!("gone.csv"), 3), "gone.csv");
    frozen.write("leadership.csv", &GOLDEN.replace('3', "4"));
    why(frozen.json(&Frozen::manifest(), 3), "not what was frozen");
    let as_frozen = |text: &str| {
        frozen.write("leadership.csv", text);
        frozen.with("sha256", json!(sha256(text.as_bytes())), 3)
    };
    why(as_frozen("metric,breaches\n"), "no row");
    why(as_frozen(""), "empty");
    why(as_frozen("metric,breaches\nMET-0144"), "line 2, column 1");
    frozen.write("leadership.csv", GOLDEN);
    let found = frozen.with("to", json!({"file": "gone.csv"}), 3);
    assert_eq!(found["replays"][1]["verdict"], "cannot_tell", "{found}");
    // A surface without a golden, and none at all.
    let mut manifest = Frozen::manifest();
    manifest["goldens"].as_array_mut().expect("a list").pop();
    let found = frozen.json(&manifest, 3);
    assert_eq!(
        found["detail"],
        "no golden of partner_annex was replayed under 2.4.0"
    );
    manifest["goldens"] = json!([]);
    let found = frozen.json(&manifest, 3);
    assert_eq!(found["detail"], "no golden is named: nothing was compared");
    assert_eq!(frozen.gate().await.0, "cannot_tell");
    let verdicts = "SELECT DISTINCT verdict FROM migration_evidence WHERE gate = 'G4'";
    assert_eq!(frozen.world.rows(verdicts), ["cannot_tell"]);
});

on_both!(a_manifest_of_something_else_records_nothing, |w| {
    let frozen = Frozen::of(world(w).await).await;
    let mut other = Frozen::manifest();
    other["to_semver"] = json!("2.4.2");
    let (sentence, _) = refused(&frozen.replay(&other, &[]), 2);
    assert!(sentence.contains("from 2.4.0 to 2.4.1"), "{sentence}");
    other["further"] = json!(1);
    refused(&frozen.replay(&other, &[]), 2);
    let mut unknown = Frozen::manifest();
    unknown["migration_id"] = json!("mig-unknown");
    refused(&frozen.replay(&unknown, &[]), 1);
    let recorded = "SELECT COUNT(*) FROM migration_evidence WHERE gate = 'G4'";
    assert_eq!(frozen.world.rows(recorded), ["0"]);
    let away = fs::remove_file(frozen.root.join("manifest.json"));
    away.expect("it is there");
    let mut gone = frozen
        .world
        .govdeck("maya", &["job", "replay", "--manifest", "gone.json"]);
    gone.env("GOVDECK_GOVERNANCE_ROOT", &frozen.root);
    refused(&run(gone), 2);
});

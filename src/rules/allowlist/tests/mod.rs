//! The allow-list: its documents, its rules one by one, their order, and an implementation that shares nothing with it.

mod cases;
mod documents;
mod keys;
mod naive;

use serde_json::{Value, json};

use super::{Artifact, Case, Files, Judgement, Pair, Phase, Policy, allowlist_sha256, judge};
use crate::canon::ExportKeys;

/// A policy for a rename of a flat and of a nested column.
fn document(phase: &str) -> Value {
    json!({
        "migration_id": "mig-7", "phase": phase, "from_semver": "2.4.0", "to_semver": "v2.4.1",
        "allowed_top_level_keys": ["breach_count", "breachCount", "owner_route_id", "route"],
        "nested_paths_allowed": ["route.ownerRouteId", "route.queueDepth"],
        "forbidden_exact_keys": ["queue_depth"],
        "protected_metric_ids": ["MET-0144", "MET-0171"],
    })
}

/// The same for the cutover, in which the legacy halves must go.
fn cutover() -> Value {
    let mut policy = document("cutover");
    policy["allowed_top_level_keys"] = json!(["breachCount", "route"]);
    policy["forbidden_exact_keys"] = json!(["breach_count", "owner_route_id", "queue_depth"]);
    policy
}

const GOLDEN: &str = r#"{"breach_count": 3, "owner_route_id": "r-1"}"#;

const BOTH: &str = r#"[{"breach_count": 3, "breachCount": 3, "owner_route_id": "r-1", "route": {"ownerRouteId": "r-1"}}]"#;

const MODERN: &str = r#"[{"breachCount": 3, "route": {"ownerRouteId": "r-1"}}]"#;

fn renames() -> Vec<Pair> {
    let pair = |legacy: &str, modern: &str| Pair {
        legacy: legacy.to_owned(),
        modern: modern.to_owned(),
    };
    vec![
        pair("breach_count", "breachCount"),
        pair("owner_route_id", "route.ownerRouteId"),
    ]
}

fn policy(document: &Value) -> Policy {
    let text = document.to_string();
    Policy::read(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A case whose hash is right, unless it is changed afterwards.
fn case(document: &Value, golden: &str, sample: &str) -> Case {
    case_of(&document.to_string(), golden, sample)
}

fn case_of(document: &str, golden: &str, sample: &str) -> Case {
    let artifact = Artifact::read(document.as_bytes());
    let phase = artifact.policy.as_ref().map(|policy| policy.phase);
    Case {
        files: Files {
            artifact: "a.json".to_owned(),
            sha256: "a.sha256".to_owned(),
            golden: "g.json".to_owned(),
            sample: "s.json".to_owned(),
        },
        filed: allowlist_sha256(document.as_bytes()).map_err(|_| "has none".to_owned()),
        phase: phase.unwrap_or(Phase::DualWrite),
        artifact,
        golden: ExportKeys::of(golden.as_bytes()),
        sample: ExportKeys::of(sample.as_bytes()),
        pairs: Vec::new(),
    }
}

/// Lists the findings as `rule key`.
fn found(judgement: &Judgement) -> Vec<String> {
    let listed: Vec<String> = judgement
        .findings()
        .map(|finding| format!("{} {}", finding.rule, finding.key.unwrap_or_default()))
        .map(|line| line.trim_end().to_owned())
        .collect();
    assert_eq!(listed.len(), judgement.count());
    assert_eq!(
        listed.is_empty(),
        judgement.verdict() == crate::rules::Verdict::Pass
    );
    listed
}

fn judged(case: Case) -> Vec<String> {
    found(&judge(case))
}

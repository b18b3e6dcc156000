//! A dictionary that stories release: two metrics, the people who look after it, and what is bound to it.

use govdeck::actions::Asked;
use serde_json::{Value, json};

use super::World;

/// A document of two metrics.
pub fn document(semver: &str) -> Value {
    let metric = |id: &str, label: &str, epsilon: &str, class: &str| {
        json!({
            "metric_id": id, "definition": "Breaches of the agreed response time", "formula": format!("count({id})"),
            "unit": "breaches", "aggregation_rule": "sum", "epsilon_class": class, "epsilon_abs": epsilon,
            "display_label": label, "deprecated_after": null,
        })
    };
    json!({
        "schema": "govdeck.dictionary.v1", "dictionary_semver": semver,
        "metrics": [metric("MET-0144", "Breaches", "1", "count"), metric("MET-0171", "Stalls", "0.5", "custom")],
    })
}

/// Adds a metric to a document.
pub fn with_metric(document: &mut Value, id: &str) {
    let mut metric = document["metrics"][0].clone();
    metric["metric_id"] = json!(id);
    metric["formula"] = json!(format!("count({id})"));
    metric["display_label"] = json!(format!("Number {id}"));
    document["metrics"]
        .as_array_mut()
        .expect("metrics")
        .push(metric);
}

/// Lets lee look after the dictionary, what binds to it, and what people ask about it.
pub async fn people(world: &World) {
    for role in ["analytics_owner", "data_engineer", "faq_editor"] {
        let held = format!("SELECT 1 FROM person_role WHERE person_id = 'lee' AND role = '{role}'");
        if world.rows(&held).is_empty() {
            let asked = Asked::of("lee").with("role", role);
            world
                .act("maya", "grant_role", asked)
                .await
                .expect("granted");
        }
    }
}

/// Lets maya look after the dictionary too: on SQLite the command line is always hers.
pub async fn maya_too(world: &World) {
    let lead = Asked::of("lee").with("role", "governance_lead");
    world
        .act("maya", "grant_role", lead)
        .await
        .expect("granted");
    let owner = Asked::of("maya").with("role", "analytics_owner");
    world
        .act("lee", "grant_role", owner)
        .await
        .expect("granted");
}

/// Asks for a release.
pub fn asked(document: &Value) -> Asked {
    let semver = document["dictionary_semver"].as_str().expect("a version");
    Asked::of(semver).with("document", document.to_string())
}

/// Releases a document, as lee.
pub async fn release(world: &World, document: &Value) -> Result<(), String> {
    let sealed = world
        .act("lee", "release_dictionary", asked(document))
        .await;
    sealed.map(drop)
}

/// Adds the people and releases the two metrics as 2.4.0, unless that was done.
pub async fn released(world: &World) {
    people(world).await;
    if world.rows("SELECT 1 FROM dictionary_release").is_empty() {
        release(world, &document("2.4.0")).await.expect("released");
    }
}

/// Registers a join of a release, as lee.
pub async fn bind(world: &World, target: &str, surface: &str, sql: &str) -> Result<(), String> {
    let asked = Asked::of(target).with("surface", surface).with("sql", sql);
    world
        .act("lee", "register_bind_query", asked)
        .await
        .map(drop)
}

/// Puts a question about a metric, as lee.
pub async fn ask(world: &World, id: &str, metric: &str) -> Result<(), String> {
    let asked = Asked::of(id)
        .with("metric", metric)
        .with("question", "When does a response count as late?")
        .with("anchor", "annex.html#met-0144");
    world.act("lee", "put_faq", asked).await.map(drop)
}

//! The hour of a cutover as a story goes through it, led by maya.

use govdeck::actions::{Asked, ByRule, Prepared, StepFinding};
use govdeck::rules::Verdict;
use govdeck::rules::migration::EvidenceKind;
use govdeck::rules::migration::hour::{Step, StepState};
use govdeck::store::artifact::CUTOVER_STEP;
use serde_json::{Value, json};

use super::World;
use super::migration_story::{ID, found};
use super::weeks::by_rule_with;

/// A plan in which people see to everything outside.
pub fn plan() -> Value {
    json!({
        "schema": "govdeck.cutover-plan.v1",
        "migration_id": ID,
        "announce": {"attest": "the authoring screen shows the banner"},
        "goldens": [
            {"pipeline": "leadership", "name": "leadership.csv", "sql": "SELECT metric_id FROM metric_dictionary ORDER BY 1"},
            {"pipeline": "partner", "name": "annex.json", "file": "landed/annex.json"},
        ],
        "replay": "replay.json",
        "deploy": {"attest": "every exporter runs the profile of the modern half"},
        "purge": {"attest": "annex fragments are gone from every edge"},
        "reconcile": ["weekly.json"],
        "bundles": [],
    })
}

/// Registers a plan.
pub async fn register(world: &World, plan: &Value) -> Result<(), String> {
    let asked = Asked::of(ID).with("document", plan.to_string());
    world
        .act("maya", "register_hour_plan", asked)
        .await
        .map(drop)
}

/// Registers what an hour takes before it begins: the footer schema, the annex view, and its plan.
pub async fn planned(world: &World) {
    if world
        .rows("SELECT 1 FROM footer_schema_registry")
        .is_empty()
    {
        world.register_footer().await;
    }
    let annex = Asked::of("annex-2.4.1")
        .with("release", "2.4.1")
        .with("footer", "v2.4.0")
        .with("sql", "SELECT metric_id FROM metric_dictionary");
    let registered = world.act("lee", "register_annex_view", annex).await;
    registered.expect("registered");
    register(world, &plan()).await.expect("registered");
}

/// Begins a step.
pub async fn begin(world: &World, who: &str, step: &str) -> Result<(), String> {
    let asked = Asked::of(ID).with("step", step);
    world.act(who, "begin_step", asked).await.map(drop)
}

/// Ends a step by a person's word.
pub async fn attest(world: &World, who: &str, step: &str, state: &str) -> Result<(), String> {
    let asked = Asked::of(ID).with("step", step).with("as", state);
    world.act(who, "attest_step", asked).await.map(drop)
}

/// Ends an attempt at a step with what its work is said to have found.
pub async fn end(world: &World, step: Step, attempt: i64, state: StepState) -> Result<(), String> {
    let rule = ByRule::EndStep {
        migration: ID.to_owned(),
        finding: StepFinding {
            step,
            attempt,
            state,
            detail: format!("{step} was looked at"),
        },
    };
    let document = format!("{{\"step\":\"{step}\",\"attempt\":{attempt}}}").into_bytes();
    let document = Prepared::of(CUTOVER_STEP, document);
    by_rule_with(world, "lee", rule, vec![document]).await
}

/// Begins the hour.
pub async fn start(world: &World) -> Result<(), String> {
    world
        .act("maya", "start_hour", Asked::of(ID))
        .await
        .map(drop)
}

/// Brings a migration that is ready to the flip: locked, frozen, and replayed again.
pub async fn at_the_flip(world: &World) {
    start(world).await.expect("begun");
    let told = attest(world, "maya", "announce", "done").await;
    told.expect("announced");
    world.set_time("2098-05-22T06:18:00Z").await;
    begin(world, "maya", "golden").await.expect("begun");
    let ended = end(world, Step::Golden, 1, StepState::Done).await;
    ended.expect("frozen");
    begin(world, "maya", "flip").await.expect("begun");
    let replayed = found(world, EvidenceKind::Replay, Verdict::Pass).await;
    replayed.expect("replayed");
}

/// Sees to the exporters and the caches after the flip.
pub async fn flipped(world: &World) {
    for (step, begins) in [("flip", false), ("purge", true)] {
        if begins {
            begin(world, "maya", step).await.expect("begun");
        }
        let said = attest(world, "maya", step, "done").await;
        said.expect("seen to");
    }
}

/// Ends the step in which every series was compared.
pub async fn compared(world: &World) {
    begin(world, "maya", "reconcile").await.expect("begun");
    let ended = end(world, Step::Reconcile, 1, StepState::Done).await;
    ended.expect("compared");
}

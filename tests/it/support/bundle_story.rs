//! Bundles as a story registers and runs them, with a worker that does as it is told.

use std::collections::BTreeMap;

use govdeck::actions::{self, Asked, Request, Stop};
use govdeck::canon::Digest;
use govdeck::jobs::bundle::{self as job, Ended, Order, Ran, Worker};
use govdeck::rules::bundle::{
    Approvals, Artifacts, Baseline, Check, CheckStatus, Declaration, Kind, Limits, Object, Runner,
    Scope,
};
use govdeck::rules::bundle_run::{Registration, RunOutcome, Script, Tier};
use govdeck::rules::guard::Answer;
use govdeck::store::StoreError;

use super::weeks::both;
use super::{REASON, World};

/// The bundle of the stories.
pub const ID: &str = "PG-MIG-2026-03-01-01";
/// A later one.
pub const LATER: &str = "PG-MIG-2026-03-02-01";

/// Lets lee build and run bundles, and kim run them; maya leads governance.
pub async fn people(world: &World) {
    for (person, role) in [("lee", "data_engineer"), ("kim", "ops_lead")] {
        let held = format!(
            "SELECT 1 FROM person_role WHERE person_id = '{person}' AND role = '{role}' AND active = TRUE"
        );
        if world.rows(&held).is_empty() {
            let asked = Asked::of(person).with("role", role);
            world
                .act("maya", "grant_role", asked)
                .await
                .expect("granted");
        }
    }
}

fn sha(text: &str) -> String {
    format!("sha256:{}", Digest::of(text.as_bytes()))
}

/// What the target looks like, with an index more or not.
pub fn baseline(indexes: u64) -> Baseline {
    let object = |kind: &str, name: &str, table: Option<&str>| Object {
        kind: kind.to_owned(),
        name: name.to_owned(),
        table: table.map(str::to_owned),
        definition: sha(name),
    };
    let mut objects = vec![object("table", "public.roads", None)];
    if indexes > 0 {
        objects.push(object(
            "index",
            "public.roads_by_name",
            Some("public.roads"),
        ));
    }
    let mut baseline = Baseline {
        schema_fingerprint: sha(&format!("{indexes} indexes")),
        protected_domain_fingerprint: sha("protected"),
        objects,
        row_counts: BTreeMap::from([("public.roads".to_owned(), 7)]),
        ..Baseline::default()
    };
    baseline.object_counts.tables = 1;
    baseline.object_counts.indexes = indexes;
    baseline
}

/// The declaration of a bundle that adds an index.
pub fn declared(id: &str) -> Declaration {
    let file = |path: &str| path.to_owned();
    Declaration {
        migration_id: id.to_owned(),
        kind: Kind::Postgis,
        intent: "Find roads by their name".to_owned(),
        scope: Scope {
            allowed_schemas: vec![file("public")],
            allowed_tables: vec![file("public.roads")],
            ..Scope::default()
        },
        limits: Limits {
            max_table_count_touched: 1,
            max_index_count_delta: 1,
            max_row_backfill: 0,
        },
        requires_rollback: true,
        approvals: Approvals {
            required_reviewers: vec![file("data-platform")],
            change_class: file("standard"),
            reference: None,
        },
        runner: Runner {
            tool: file("govdeck"),
            command: file("govdeck bundle apply"),
            environment: vec![file("ROADS_DSN_REF")],
        },
        artifacts: Artifacts {
            forward: vec![file("forward.sql")],
            rollback: vec![file("rollback.sql")],
            pre: file("baselines/pre.json"),
            post: file("baselines/post.json"),
            summary: file("diffs/summary.json"),
        },
    }
}

/// A plan of a declaration.
pub fn plan_of(declared: &Declaration, tier: Tier) -> Registration {
    let script = |path: &str, text: &str| Script {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let forward = "CREATE INDEX roads_by_name ON public.roads (name);";
    let mut document = serde_json::to_value(declared).expect("JSON");
    if declared.approvals.reference.is_none() {
        let approvals = document["approvals"].as_object_mut();
        approvals.expect("an object").remove("reference");
    }
    let declaration = serde_json::to_string_pretty(&document).expect("JSON");
    let plan = Registration::of(
        tier,
        declaration,
        vec![
            script("forward.sql", forward),
            script("rollback.sql", "DROP INDEX public.roads_by_name;"),
        ],
        (baseline(0), baseline(1)),
    );
    Registration {
        led_back: true,
        ..plan
    }
}

/// A plan of the bundle of the stories.
pub fn plan(id: &str, tier: Tier) -> Registration {
    plan_of(&declared(id), tier)
}

/// Asks for a registration.
pub fn asked(plan: &Registration) -> Asked {
    let text = String::from_utf8(plan.bytes()).expect("text");
    let read = Registration::read(&plan.bytes()).expect("a plan");
    Asked::of(read.declared.migration_id).with("plan", text)
}

/// Registers a plan, as lee.
pub async fn register(world: &World, plan: &Registration) -> Result<(), String> {
    world
        .act("lee", "register_bundle", asked(plan))
        .await
        .map(drop)
}

/// Asks for the approval of the plan that is registered for a tier.
pub fn approval(world: &World, id: &str, tier: Tier) -> Asked {
    let hash = format!(
        "SELECT plan_hash FROM bundle_plan WHERE migration_id = '{id}' AND environment = '{tier}'"
    );
    let hash = world.rows(&hash).pop().unwrap_or_else(|| "none".to_owned());
    Asked::of(id)
        .with("environment", tier.word())
        .with("plan", hash)
}

/// Lets lee and maya approve the plan that is registered.
pub async fn approve(world: &World, id: &str, tier: Tier) -> Result<(), String> {
    both(world, "approve_bundle", approval(world, id, tier)).await
}

/// A bundle that was registered for dev, approved and merged.
pub async fn merged(world: &World, id: &str) {
    people(world).await;
    register(world, &plan(id, Tier::Dev))
        .await
        .expect("registered");
    approve(world, id, Tier::Dev).await.expect("approved");
    world
        .act("lee", "merge_bundle", Asked::of(id))
        .await
        .expect("merged");
}

/// A worker that ends each run as it is told.
pub struct Told(pub RunOutcome);

impl Worker for Told {
    async fn run(&self, order: &Order) -> Result<Ran, StoreError> {
        assert_eq!(order.files[0].path, "migration.yml");
        if self.0 == RunOutcome::Failed {
            return Ok(Ran::failed("line 1: relation \"roads\"\n does not exist"));
        }
        let refused = self.0 == RunOutcome::Refused;
        Ok(Ran {
            outcome: self.0,
            pre: Some(baseline(0)),
            post: Some(baseline(1)),
            rows: BTreeMap::new(),
            checks: vec![Check {
                name: "scope_enforcement".to_owned(),
                status: if refused {
                    CheckStatus::Fail
                } else {
                    CheckStatus::Pass
                },
                detail: None,
            }],
            detail: refused.then(|| "scope_violation: public.rivers".to_owned()),
            held: None,
        })
    }
}

/// What a claim of the next run asks.
pub fn claim(id: &str, tier: Tier) -> Asked {
    Asked::of(id)
        .with("environment", tier.word())
        .with("fingerprint", baseline(0).schema_fingerprint)
}

/// Confirms an action as a person, and carries nothing out.
pub async fn confirmed(
    world: &World,
    who: &str,
    verb: &str,
    asked: Asked,
) -> Result<Request, String> {
    let store = world.store(who).await;
    let mut view = store.view().await.expect("a view");
    let proposal = actions::propose(&mut view, verb, asked).await;
    drop(view);
    store.close().await;
    let proposal = proposal.map_err(|stop| stop.to_string())?;
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some(REASON.to_owned()),
    };
    proposal.confirm(&answer).map_err(|stop| stop.to_string())
}

/// Lets kim claim a run, and a worker end it as told.
pub async fn run(
    world: &World,
    verb: &str,
    asked: Asked,
    outcome: RunOutcome,
) -> Result<Ended, String> {
    let request = confirmed(world, "kim", verb, asked).await?;
    let store = world.store("kim").await;
    let ended = job::run(&store, &Told(outcome), request).await;
    store.close().await;
    ended.map_err(|stop: Stop| stop.to_string())
}

/// Makes the bundle in a tier, or ends the run otherwise.
pub async fn apply(
    world: &World,
    id: &str,
    tier: Tier,
    outcome: RunOutcome,
) -> Result<Ended, String> {
    run(world, "claim_bundle_run", claim(id, tier), outcome).await
}

/// Takes the bundle back in a tier, or ends the run otherwise.
pub async fn take_back(
    world: &World,
    id: &str,
    tier: Tier,
    outcome: RunOutcome,
) -> Result<Ended, String> {
    let asked = Asked::of(id).with("environment", tier.word());
    run(world, "roll_back_bundle", asked, outcome).await
}

/// Makes the bundle in dev, then in stage, up to a tier.
pub async fn made_up_to(world: &World, id: &str, last: Tier) {
    merged(world, id).await;
    for tier in Tier::ALL.iter().copied().filter(|tier| *tier <= last) {
        if tier != Tier::Dev {
            register(world, &plan(id, tier)).await.expect("registered");
            approve(world, id, tier).await.expect("approved");
        }
        let ended = apply(world, id, tier, RunOutcome::Applied).await;
        assert_eq!(ended.expect("made").outcome, RunOutcome::Applied);
    }
}

/// How far the bundle has come.
pub fn status(world: &World, id: &str) -> String {
    let sql = format!("SELECT status FROM bundle WHERE migration_id = '{id}'");
    world.rows(&sql).concat()
}

/// A bundle at each step, by its id: a draft, one that was approved, one that was merged, and one made in dev.
pub const AT_EACH_STEP: [&str; 4] = [
    "PG-MIG-2026-03-11-01",
    "PG-MIG-2026-03-12-01",
    "PG-MIG-2026-03-13-01",
    "PG-MIG-2026-03-10-01",
];

/// Makes a bundle at each step, unless that was done.
pub async fn at_each_step(world: &World) {
    let [draft, approved, is_merged, made] = AT_EACH_STEP;
    if !status(world, made).is_empty() {
        return;
    }
    made_up_to(world, made, Tier::Dev).await;
    merged(world, is_merged).await;
    for id in [draft, approved] {
        register(world, &plan(id, Tier::Dev))
            .await
            .expect("registered");
    }
    approve(world, approved, Tier::Dev).await.expect("approved");
}

/// What is asked of an action on bundles, where nothing but who asks stands in its way; none where it is about others.
pub fn asked_at_each_step(world: &World, verb: &str) -> Option<Asked> {
    let [draft, approved, is_merged, made] = AT_EACH_STEP;
    Some(match verb {
        "register_bundle" => asked(&plan(LATER, Tier::Dev)),
        "approve_bundle" => approval(world, draft, Tier::Dev),
        "merge_bundle" => Asked::of(approved),
        "claim_bundle_run" => claim(is_merged, Tier::Dev),
        "roll_back_bundle" => Asked::of(made).with("environment", "dev"),
        "supersede_bundle" => Asked::of(made).with("by", is_merged),
        _ => return None,
    })
}

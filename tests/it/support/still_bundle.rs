//! The bundles of the still life: one at each step, one whose rollback failed, and what is read of the selected one.

use std::time::Instant;

use govdeck::bundles::Step;
use govdeck::console::bundle_sight::BundleDetail;
use govdeck::console::picture::Picture;
use govdeck::console::running::{Came, Running, Work};
use govdeck::jobs::bundle::Ended;
use govdeck::rules::bundle::{Kind, RunType};
use govdeck::rules::bundle_run::{BundleStatus, RunOutcome, Tier, Touched};
use govdeck::store::bundle::{Bundle, Count, Known, Listed, Plan, Run};
use govdeck::store::window::Window;

use super::still::{at, digest};

fn bundle(id: &str, kind: Kind, status: BundleStatus, intent: &str) -> Bundle {
    Bundle {
        migration_id: id.to_owned(),
        kind,
        intent: intent.to_owned(),
        change_class: "standard".to_owned(),
        requires_rollback: true,
        has_rollback: true,
        approval_reference: None,
        touches_dictionary: false,
        declaration_sha256: digest(id).to_string(),
        scripts_sha256: digest("scripts").to_string(),
        status,
        superseded_by: None,
        registered_by: "lee".to_owned(),
        registered_at_utc: at("01:00:00"),
        version: 3,
    }
}

fn listed(bundle: Bundle, newest: &str) -> Listed {
    Listed {
        bundle,
        newest: newest.to_owned(),
        runs_since: None,
        dead_end: i64::from(newest.starts_with("rollback_failed")),
    }
}

fn merged() -> Bundle {
    let intent = "Find roads by their name without reading all of them";
    bundle(
        "PG-MIG-2026-05-12-01",
        Kind::Postgis,
        BundleStatus::ExecutedDev,
        intent,
    )
}

/// The list.
pub fn bundles() -> Window<Listed> {
    let old = "PG-MIG-2026-04-02-01";
    let mut gone = bundle(old, Kind::Postgis, BundleStatus::Superseded, "A first try");
    gone.superseded_by = Some("PG-MIG-2026-05-12-01".to_owned());
    let draft = "SEARCH-MIG-2026-05-13-01";
    let graph = "GRAPH-MIG-2026-05-01-01";
    Window {
        rows: vec![
            listed(merged(), "refused stage"),
            listed(
                bundle(
                    draft,
                    Kind::Search,
                    BundleStatus::Draft,
                    "Search names by their stems",
                ),
                "",
            ),
            listed(
                bundle(
                    graph,
                    Kind::Graph,
                    BundleStatus::ExecutedProd,
                    "A label for bridges",
                ),
                "rollback_failed prod",
            ),
            listed(gone, "applied dev"),
        ],
        more_before: false,
        more_after: false,
    }
}

/// How far all of them have come.
pub fn progress() -> Vec<Count> {
    let count = |status, bundles| Count { status, bundles };
    vec![
        count(BundleStatus::Draft, 1),
        count(BundleStatus::ExecutedDev, 1),
        count(BundleStatus::ExecutedProd, 1),
        count(BundleStatus::Superseded, 1),
    ]
}

fn plan(environment: Tier) -> Plan {
    Plan {
        migration_id: merged().migration_id,
        environment,
        plan_hash: digest(environment.word()).to_string(),
        schema_fingerprint: format!("sha256:{}", digest("schema")),
        pre_sha256: digest("pre").to_string(),
        post_sha256: digest("post").to_string(),
        diff_sha256: digest("diff").to_string(),
        tables_touched: 1,
        index_delta: 1,
        rows_touched: 0,
        milliseconds: Some(140),
        planned_by: "lee".to_owned(),
        planned_at_utc: at("01:00:00"),
        version: 1,
    }
}

fn run(number: u32, run_type: RunType, tier: Option<Tier>, outcome: RunOutcome) -> Run {
    let id = merged().migration_id;
    Run {
        run_id: format!("{id}.{run_type}.{number}"),
        migration_id: id,
        run_type,
        environment: tier,
        plan_hash: tier.map(|tier| digest(tier.word()).to_string()),
        approval_id: None,
        undoes_run_id: None,
        claimed_by: "lee".to_owned(),
        approved_by: (run_type == RunType::Approval).then(|| "maya".to_owned()),
        reason: "the roads are slow to find".to_owned(),
        claimed_at_utc: at("01:20:00"),
        ended_at_utc: Some(at("01:20:02")),
        outcome,
        detail: None,
        receipt_sha256: Some(digest(&format!("{run_type} {number}")).to_string()),
        pre_sha256: None,
        post_sha256: None,
        diff_sha256: None,
        version: 2,
    }
}

/// What the list does not say of the selected one.
pub fn detail() -> BundleDetail {
    let (dev, stage) = (Some(Tier::Dev), Some(Tier::Stage));
    let mut made = run(1, RunType::Migration, dev, RunOutcome::Applied);
    made.approval_id = Some(run(1, RunType::Approval, dev, RunOutcome::Applied).run_id);
    let mut refused = run(2, RunType::Migration, stage, RunOutcome::Refused);
    refused.detail = Some("scope_violation: public.rivers was touched".to_owned());
    refused.approval_id = Some(run(2, RunType::Approval, stage, RunOutcome::Applied).run_id);
    let touched = |kind: &str, name: &str, before: Option<&str>, after: Option<&str>| Touched {
        kind: kind.to_owned(),
        name: name.to_owned(),
        before: before.map(|it| format!("sha256:{}", digest(it))),
        after: after.map(|it| format!("sha256:{}", digest(it))),
    };
    BundleDetail {
        known: Known {
            bundle: merged(),
            plans: vec![plan(Tier::Dev), plan(Tier::Stage)],
            led_back: vec![Tier::Dev, Tier::Stage],
            runs: vec![
                run(1, RunType::Approval, dev, RunOutcome::Applied),
                run(1, RunType::Merge, None, RunOutcome::Applied),
                made,
                run(2, RunType::Approval, stage, RunOutcome::Applied),
                refused,
                run(3, RunType::Approval, stage, RunOutcome::Applied),
            ],
        },
        told: stage,
        touched: Ok(vec![
            touched("index", "public.roads_by_name", None, Some("new")),
            touched("table", "public.roads", Some("old"), Some("altered")),
        ]),
    }
}

/// A run of the selected bundle that this console makes, with one text wherever text may come from outside.
pub fn running(text: &str, at: Instant) -> Running {
    let mut running = Running::new(&merged().migration_id, Work::Bundle(RunType::Migration), at);
    let statement = Step::Statement {
        number: 3,
        of: 12,
        file: text.to_owned(),
        line: 7,
    };
    for step in [Step::Reach, Step::Look, statement] {
        running.take(step, at);
    }
    running
}

/// The same, ended.
pub fn ended(text: &str, at: Instant) -> Running {
    let mut running = running(text, at);
    running.take(Step::Judge, at);
    let ended = Ended {
        run_id: text.to_owned(),
        migration_id: running.migration_id.clone(),
        outcome: RunOutcome::Failed,
        detail: Some(text.to_owned()),
        receipt_sha256: digest("receipt").to_string(),
        written: None,
    };
    running.end = Some((at, Ok(Came::Bundle(ended))));
    running
}

/// Puts one text into every column that holds text.
pub fn fill(picture: &mut Picture, text: &str) {
    for (number, row) in picture.bundles.rows.iter_mut().enumerate() {
        let Listed {
            bundle,
            newest,
            runs_since: _,
            dead_end: _,
        } = row;
        fill_bundle(bundle, &format!("{number}{text}"), text);
        text.clone_into(newest);
    }
    if let Some(BundleDetail {
        known,
        told: _,
        touched,
    }) = &mut picture.bundle
    {
        // The first in the list, which is the one that is selected.
        fill_bundle(&mut known.bundle, &format!("0{text}"), text);
        for plan in &mut known.plans {
            text.clone_into(&mut plan.plan_hash);
            text.clone_into(&mut plan.planned_by);
        }
        for run in &mut known.runs {
            for place in [&mut run.run_id, &mut run.claimed_by, &mut run.reason] {
                text.clone_into(place);
            }
            for place in [
                &mut run.approved_by,
                &mut run.detail,
                &mut run.receipt_sha256,
                &mut run.plan_hash,
            ] {
                *place = Some(text.to_owned());
            }
        }
        for it in touched.iter_mut().flatten() {
            text.clone_into(&mut it.kind);
            text.clone_into(&mut it.name);
            it.before = Some(text.to_owned());
            it.after = Some(text.to_owned());
        }
    }
}

fn fill_bundle(bundle: &mut Bundle, id: &str, text: &str) {
    let Bundle {
        migration_id,
        kind: _,
        intent,
        change_class,
        requires_rollback,
        has_rollback: _,
        approval_reference,
        touches_dictionary,
        declaration_sha256,
        scripts_sha256,
        status: _,
        superseded_by,
        registered_by,
        registered_at_utc: _,
        version: _,
    } = bundle;
    id.clone_into(migration_id);
    (*requires_rollback, *touches_dictionary) = (false, true);
    for place in [
        intent,
        change_class,
        declaration_sha256,
        scripts_sha256,
        registered_by,
    ] {
        text.clone_into(place);
    }
    *approval_reference = Some(text.to_owned());
    *superseded_by = Some(text.to_owned());
}

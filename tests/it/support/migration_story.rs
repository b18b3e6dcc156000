//! A migration of the dictionary as a story moves it, from its opening through dual write and cutover to its close.

use govdeck::actions::{Asked, ByRule, GateFinding, Prepared, Unplanned};
use govdeck::clock::Moment;
use govdeck::jobs::bind;
use govdeck::rules::Verdict;
use govdeck::rules::migration::hour::Step;
use govdeck::rules::migration::{
    Deed, DeedState, EvidenceKind, ForkKind, Receipt, Rehearsed, TakenBack,
};
use govdeck::rules::week::{RunKind, RunStatus};
use govdeck::store::artifact::{GATE_EVIDENCE, REHEARSAL_RECEIPT};
use govdeck::store::migration::{self, Known};
use serde_json::json;

use super::dictionary::{bind as register, document, release, released};
use super::pairs;
use super::weeks::{self, MONDAYS, SERIES, by_rule, by_rule_with, claim, ended, week};
use super::{World, hour_story};

/// The migration of the stories.
pub const ID: &str = "mig-2098-05";

/// An impact matrix without a red cell.
pub const MATRIX: &str = "dashboard,column_rename,nested_json,nullable_add,type_widen\n\
    leadership,green,green,green,green\n\
    partner_annex,amber,green,green,green\n\
    mock_audit_export,green,green,green,green\n\
    reply_manifest_validator,green,green,green,green\n";

/// When dual write begins, in the stories: the third Monday.
pub const BEGINS: &str = MONDAYS[2];

const JOIN: &str = "SELECT metric_id FROM metric_dictionary";

/// A world with two releases, their joins, a series, and everybody whom a migration takes.
pub async fn world(world: World) -> World {
    let world = weeks::world(world).await;
    released(&world).await;
    let mut next = document("2.4.1");
    next["metrics"][0]["display_label"] = json!("Late responses");
    release(&world, &next).await.expect("released");
    for semver in ["2.4.0", "2.4.1"] {
        for surface in ["leadership", "partner_annex"] {
            let target = format!("{surface}/{semver}");
            register(&world, &target, surface, JOIN)
                .await
                .expect("registered");
        }
    }
    for (to, role) in [
        ("kim", "exporter_maintainer"),
        ("kim", "ops_lead"),
        ("lee", "governance_lead"),
    ] {
        let asked = Asked::of(to).with("role", role);
        world
            .act("maya", "grant_role", asked)
            .await
            .expect("granted");
    }
    world
}

/// What is asked to open a migration.
pub fn opening() -> Asked {
    Asked::of(ID)
        .with("from", "2.4.0")
        .with("to", "2.4.1")
        .with("matrix", MATRIX)
        .with("protected", "MET-0144")
}

/// What is asked to register a pair.
pub fn pair(legacy: &str, modern: &str) -> Asked {
    Asked::of(ID)
        .with("legacy", legacy)
        .with("modern", modern)
        .with("rule", "the same number in both")
}

/// Opens the migration, registers a pair, and expands the dictionary for it.
pub async fn opened(world: &World) {
    pairs::with_columns(
        world,
        &[("breach_count", "INTEGER"), ("breachCount", "INTEGER")],
    );
    pairs::with_views(world, &[("breach_count", "breachCount")]);
    let opened = world.act("maya", "open_migration", opening()).await;
    opened.expect("opened");
    let pair = pair("breach_count", "breachCount");
    let registered = world.act("kim", "register_pair", pair).await;
    registered.expect("registered");
}

/// Reads everything that is known of the migration.
pub async fn known(world: &World) -> Known {
    let store = world.store("maya").await;
    let mut view = store.view().await.expect("a view");
    let known = migration::known(&mut view, ID).await.expect("read");
    drop(view);
    store.close().await;
    known.expect("it is there")
}

/// Records what was found for a gate, of what there is now.
pub async fn found(world: &World, kind: EvidenceKind, verdict: Verdict) -> Result<(), String> {
    let inputs = known(world).await.inputs_of(kind).to_owned();
    if kind == EvidenceKind::Rehearsal {
        return rehearsed(world, verdict, inputs).await;
    }
    let finding = GateFinding {
        kind,
        verdict,
        inputs_sha256: inputs,
        detail: format!("{kind} looked at"),
    };
    let document = format!("{{\"gate\":\"{kind}\"}}").into_bytes();
    let rule = ByRule::RecordGateEvidence {
        migration: ID.to_owned(),
        finding,
    };
    by_rule_with(
        world,
        "lee",
        rule,
        vec![Prepared::of(GATE_EVIDENCE, document)],
    )
    .await
}

/// Records the receipt of a rehearsal that comes to a verdict.
async fn rehearsed(world: &World, verdict: Verdict, plan_hash: String) -> Result<(), String> {
    let back = match verdict {
        Verdict::Pass => vec![("same", "same")],
        Verdict::Fail => vec![("same", "other")],
        Verdict::CannotTell => Vec::new(),
    };
    let taken_back = back.into_iter().map(|(before, after)| TakenBack {
        bundle: "PG-MIG-2026-03-01-01".to_owned(),
        state: DeedState::Done,
        detail: "taken back".to_owned(),
        before: Some(before.to_owned()),
        after: Some(after.to_owned()),
        milliseconds: 7,
        fault: None,
    });
    let receipt = Receipt {
        schema: String::new(),
        migration_id: ID.to_owned(),
        plan_hash,
        fork: ForkKind::Sqlite,
        with_faults: false,
        deeds: Step::ALL
            .iter()
            .map(|step| Rehearsed::not(*step, Deed::Outside, "a person sees to it"))
            .collect(),
        gates: Vec::new(),
        moved_back: Rehearsed {
            state: DeedState::Done,
            ..Rehearsed::not(Step::Flip, Deed::Phase, "moved: rollback")
        },
        expansion: Some("PG-MIG-2026-03-01-01".to_owned()),
        taken_back: taken_back.collect(),
        verdict,
    };
    let receipt = serde_json::to_vec(&receipt.judged()).expect("JSON");
    let rule = ByRule::RecordRehearsal {
        migration: ID.to_owned(),
    };
    by_rule_with(
        world,
        "lee",
        rule,
        vec![Prepared::of(REHEARSAL_RECEIPT, receipt)],
    )
    .await
}

/// The allow-list of a phase.
pub fn allowlist(phase: &str, forbidden: &[&str]) -> String {
    json!({
        "migration_id": ID, "phase": phase, "from_semver": "2.4.0", "to_semver": "2.4.1",
        "allowed_top_level_keys": ["breach_count", "breachCount"], "nested_paths_allowed": [],
        "forbidden_exact_keys": forbidden, "protected_metric_ids": ["MET-0144"],
    })
    .to_string()
}

/// Says yes to the allow-list of a phase as it is registered.
pub async fn approve(world: &World, who: &str, phase: &str) -> Result<(), String> {
    let sql = format!("SELECT allowlist_sha256 FROM exporter_allowlist WHERE phase = '{phase}'");
    let asked = Asked::of(ID)
        .with("phase", phase)
        .with("hash", world.rows(&sql).concat());
    world.act(who, "approve_allowlist", asked).await.map(drop)
}

/// Registers the allow-list of a phase, as kim, and has it approved by governance and analytics.
pub async fn agreed(world: &World, phase: &str, forbidden: &[&str]) {
    let asked = Asked::of(ID).with("document", allowlist(phase, forbidden));
    let registered = world.act("kim", "register_allowlist", asked).await;
    registered.expect("registered");
    for who in ["maya", "lee"] {
        approve(world, who, phase).await.expect("approved");
    }
}

/// Compares the joins of both releases.
pub async fn proved(world: &World) {
    let store = world.store("lee").await;
    bind::run(&store, None, None).await.expect("recorded");
    store.close().await;
}

/// Makes everything hold that dual write takes: three green weeks, a proof, the search, and an allow-list.
pub async fn prepared(world: &World) {
    opened(world).await;
    for at in 0..3 {
        week(world, at, RunStatus::Pass).await;
    }
    proved(world).await;
    found(world, EvidenceKind::Protected, Verdict::Pass)
        .await
        .expect("recorded");
    agreed(world, "dual_write", &[]).await;
}

/// Moves the migration into dual write.
pub async fn dual_writing(world: &World) {
    prepared(world).await;
    let moved = world.act("maya", "start_dual_write", Asked::of(ID)).await;
    moved.expect("moved");
}

/// Lets a scan find so many mismatches at a time.
pub async fn scanned(world: &World, at: &str, mismatches: u32) {
    let inputs = known(world).await.inputs.scan;
    let at: Moment = at.parse().expect("a moment");
    scanned_of(world, &at.to_string(), mismatches, &inputs);
}

/// Lets a scan of certain pairs find so many mismatches at a time.
pub fn scanned_of(world: &World, at: &str, mismatches: u32, inputs: &str) {
    let id = govdeck::canon::Digest::of(at.as_bytes()).to_string();
    let sql = format!(
        "INSERT INTO dual_write_scan (scan_id, migration_id, scanned_at_utc, status, rows_total, mismatches, inputs_sha256, detail) \
         VALUES ('{}', '{ID}', '{at}', 'whole', 100, {mismatches}, '{inputs}', 'whole')",
        &id[..32]
    );
    world.owner_sql(&sql);
}

/// Scans every hour for 72 hours from the beginning of dual write, and nothing mismatches.
pub async fn clean(world: &World) {
    let inputs = known(world).await.inputs.scan;
    let start: Moment = BEGINS.parse().expect("a moment");
    for hour in 0..=72 {
        let at = start.plus(std::time::Duration::from_hours(hour));
        scanned_of(world, &at.to_string(), 0, &inputs);
    }
    world.set_time("2098-05-22T06:00:00Z").await;
}

/// What is asked to set a span of the calendar.
pub fn span(id: &str, kind: &str, starts: &str, ends: &str) -> Asked {
    Asked::of(id)
        .with("kind", kind)
        .with("starts", starts)
        .with("ends", ends)
        .with("title", id)
}

/// Sets a maintenance window around the cutover, and a cert week later on.
pub async fn calendar(world: &World) {
    for (id, kind, starts, ends) in [
        (
            "maint-1",
            "maintenance",
            "2098-05-22T06:00:00Z",
            "2098-05-22T08:00:00Z",
        ),
        (
            "cert-w26",
            "cert",
            "2098-06-23T00:00:00Z",
            "2098-06-30T00:00:00Z",
        ),
    ] {
        let asked = span(id, kind, starts, ends);
        world.act("maya", "set_calendar", asked).await.expect("set");
    }
}

/// Makes everything hold that the cutover takes.
pub async fn ready(world: &World) {
    dual_writing(world).await;
    clean(world).await;
    calendar(world).await;
    agreed(world, "cutover", &["breach_count"]).await;
    hour_story::planned(world).await;
    proved(world).await;
    for kind in [
        EvidenceKind::Faq,
        EvidenceKind::Replay,
        EvidenceKind::Protected,
        EvidenceKind::Rehearsal,
    ] {
        found(world, kind, Verdict::Pass).await.expect("recorded");
    }
}

/// Cuts the migration over, in its hour.
pub async fn cut_over(world: &World) {
    ready(world).await;
    hour_story::at_the_flip(world).await;
    let moved = world.act("maya", "cutover", Asked::of(ID)).await;
    moved.expect("moved");
}

/// Compares at once, after the flip.
pub async fn compared(world: &World, status: RunStatus) {
    let at = "2098-05-22T06:30:00Z";
    world.set_time(at).await;
    let unplanned = Unplanned {
        kind: RunKind::Immediate,
        series: SERIES.to_owned(),
        at: at.parse().expect("a moment"),
    };
    let run = unplanned.run_id();
    let rule = ByRule::StartRun {
        run: run.clone(),
        claim: claim(),
        minutes: 15,
        unplanned: Some(unplanned),
    };
    by_rule(world, "lee", rule).await.expect("begun");
    ended(world, &run, 3, status).await.expect("ended");
}

/// Closes the migration after it was compared, with two windows ahead.
pub async fn closed(world: &World) {
    cut_over(world).await;
    hour_story::flipped(world).await;
    compared(world, RunStatus::Pass).await;
    hour_story::compared(world).await;
    for at in [3, 4] {
        weeks::plan(world, at).await;
    }
    let moved = world.act("lee", "close_migration", Asked::of(ID)).await;
    moved.expect("closed");
}

/// Opens the migration in a world that has people and perhaps a first release, unless that was done.
pub async fn with_something_to_do(world: &World) {
    if !world
        .rows("SELECT 1 FROM dictionary_migration_state")
        .is_empty()
    {
        return;
    }
    released(world).await;
    for (semver, label) in [("2.4.1", "Late responses"), ("2.4.2", "Later responses")] {
        let mut next = document(semver);
        next["metrics"][0]["display_label"] = json!(label);
        release(world, &next).await.expect("released");
    }
    let maintainer = Asked::of("lee").with("role", "exporter_maintainer");
    let _ = world.act("maya", "grant_role", maintainer).await;
    let opened = world.act("maya", "open_migration", opening()).await;
    opened.expect("opened");
    let pair = pair("breach_count", "breachCount");
    world
        .act("lee", "register_pair", pair)
        .await
        .expect("registered");
    let list = Asked::of(ID).with("document", allowlist("dual_write", &[]));
    world
        .act("lee", "register_allowlist", list)
        .await
        .expect("registered");
    let far = span(
        "cert-far",
        "cert",
        "2099-01-01T00:00:00Z",
        "2099-01-08T00:00:00Z",
    );
    world.act("maya", "set_calendar", far).await.expect("set");
}

/// What is asked of an action on migrations, where nothing but who asks stands in its way; none where it is about others.
pub fn asked_at_each_step(world: &World, verb: &str) -> Option<Asked> {
    let of = || Asked::of(ID);
    Some(match verb {
        "open_migration" => Asked {
            target: "mig-other".to_owned(),
            ..opening().with("from", "2.4.1").with("to", "2.4.2")
        },
        "start_dual_write" | "cutover" | "close_migration" | "countersign_move" | "start_hour"
        | "abort_hour" => of(),
        "roll_back_migration" => of().with("because", "operator_abort").with("note", "so"),
        "register_hour_plan" => of().with("document", hour_story::plan().to_string()),
        "begin_step" => of().with("step", "golden"),
        "attest_step" => of().with("step", "announce").with("as", "done"),
        "hand_over_hour" => of().with("to", "lee"),
        "note_post_mortem" => of().with(
            "note",
            "What changed, and where to look, in one whole paragraph.",
        ),
        "attach_matrix" => of().with("matrix", MATRIX),
        "override_gate" => {
            let now = world
                .rows("SELECT MAX(at_utc) FROM governance_ledger")
                .concat();
            let year = if now.starts_with("2098") {
                "2098-05-20T07:00:00Z"
            } else {
                ""
            };
            let soon = Moment::on_this_workstation().plus_minutes(60).to_string();
            let expires = if year.is_empty() { &soon } else { year };
            of().with("gate", "D6").with("expires", expires)
        }
        "route_gate" => Asked::of("D1").with("owner", "lee").with("backup", "kim"),
        "register_allowlist" => of().with("document", allowlist("cutover", &["breach_count"])),
        "approve_allowlist" => {
            let sql = "SELECT allowlist_sha256 FROM exporter_allowlist";
            of().with("phase", "dual_write")
                .with("hash", world.rows(sql).concat())
        }
        "register_pair" => pair("owner_route_id", "route.ownerRouteId"),
        "withdraw_pair" => of().with("legacy", "breach_count"),
        "protect_metric" => of().with("metric", "MET-0171"),
        "set_calendar" => span(
            "m-1",
            "maintenance",
            "2099-02-01T00:00:00Z",
            "2099-02-01T01:00:00Z",
        ),
        "cancel_calendar" => Asked::of("cert-far"),
        _ => return None,
    })
}

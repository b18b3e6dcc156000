//! Weekly runs as a story lets them end, without files to compare.

use govdeck::actions::{self, Asked, ByRule, Finding, Outcome, Prepared, Request};
use govdeck::canon::Digest;
use govdeck::rules::week::RunStatus;
use govdeck::store::artifact::{Artifact, RECONCILE_DIFF, RECONCILE_MANIFEST};
use govdeck::store::week::{self, Metric};

use super::World;

/// The series of the stories; its windows lie on Mondays at six, in a future that no test run reaches.
pub const SERIES: &str = "sla";

/// The Mondays of the stories, from the first.
pub const MONDAYS: [&str; 5] = [
    "2098-05-05T06:00:00Z",
    "2098-05-12T06:00:00Z",
    "2098-05-19T06:00:00Z",
    "2098-05-26T06:00:00Z",
    "2098-06-02T06:00:00Z",
];

/// The run of a window.
pub fn run(week: usize) -> String {
    let day = MONDAYS[week].replace([':', '-'], "").to_lowercase();
    format!("{SERIES}.{}z", &day[..13])
}

/// A demo with a signer, an analytics owner, and a series whose first window is on the first Monday.
pub async fn world(world: World) -> World {
    let world = world.where_time_is_set().await;
    world.set_time("2098-05-01T12:00:00Z").await;
    for (person, role) in [
        ("kim", "signer"),
        ("lee", "analytics_owner"),
        ("lee", "engineering_lead"),
    ] {
        let asked = Asked::of(person).with("role", role);
        world
            .act("maya", "grant_role", asked)
            .await
            .expect("granted");
    }
    let asked = Asked::of(SERIES).with("first", MONDAYS[0]);
    world
        .act("maya", "register_series", asked)
        .await
        .expect("registered");
    world
}

/// Lets a rule decide something.
pub async fn by_rule(world: &World, person: &str, rule: ByRule) -> Result<(), String> {
    by_rule_with(world, person, rule, Vec::new()).await
}

/// Lets a rule decide something, with files.
pub async fn by_rule_with(
    world: &World,
    person: &str,
    rule: ByRule,
    evidence: Vec<Prepared>,
) -> Result<(), String> {
    let store = world.store(person).await;
    let request = Request::by_rule(rule)
        .expect("a request")
        .with_prepared(evidence);
    let outcome = actions::carry_out(&store, request).await;
    store.close().await;
    match outcome {
        Outcome::Done(_) => Ok(()),
        Outcome::Refused(refusal) => Err(refusal.sentence),
        other => panic!("{other:?}"),
    }
}

/// Plans the next window.
pub async fn plan(world: &World, week: usize) {
    let rule = ByRule::PlanWindow {
        series: SERIES.to_owned(),
        at: MONDAYS[week].parse().expect("a moment"),
    };
    by_rule(world, "lee", rule).await.expect("planned");
}

/// The claim that the stories begin runs with.
pub fn claim() -> String {
    "c".repeat(32)
}

/// Begins a run in its time, as lee.
pub async fn start(world: &World, week: usize) -> Result<(), String> {
    let rule = ByRule::StartRun {
        run: run(week),
        claim: claim(),
        minutes: 15,
        unplanned: None,
    };
    by_rule(world, "lee", rule).await
}

fn piece(role: &'static str, media: &'static str, bytes: String) -> Prepared {
    Prepared {
        role,
        artifact: Artifact::new(media, bytes.into_bytes()),
        made_of: Vec::new(),
        says: String::new(),
    }
}

/// What a comparison of two metrics found, with its files; none of them differs too much in a pass.
pub fn found(week: usize, status: RunStatus) -> (Finding, Vec<Prepared>) {
    let (diff_role, diff_media) = RECONCILE_DIFF;
    let (manifest_role, manifest_media) = RECONCILE_MANIFEST;
    let diff = piece(diff_role, diff_media, format!("{{\"week\":{week}}}"));
    let manifest = piece(
        manifest_role,
        manifest_media,
        "{\"series\":\"sla\"}".to_owned(),
    );
    if !status.has_compared() {
        let finding = Finding::inconclusive("window_mismatch", "the windows differ");
        return (finding, Vec::new());
    }
    let failed = status == RunStatus::Fail;
    let ingest = |side: &str| Some(format!("sha256:{}", Digest::of(side.as_bytes())));
    let finding = Finding {
        status,
        start_inclusive: Some("2098-04-28T00:00:00Z".parse().expect("a moment")),
        end_exclusive: Some("2098-05-05T00:00:00Z".parse().expect("a moment")),
        manifest_sha256: Some(manifest.artifact.sha256.to_string()),
        artifact_uri: Some(format!("sha256:{}", diff.artifact.sha256)),
        leadership_ingest_hash: ingest("leadership"),
        partner_ingest_hash: ingest("partner"),
        tuple_revision_hash: Some("ab".repeat(32)),
        dictionary_semver: Some("2.4.0".to_owned()),
        footer_schema_semver: Some("1.3.0".to_owned()),
        epsilon_policy_version: Some("eps-7".to_owned()),
        metrics_total: Some(2),
        metrics_failed: Some(i64::from(failed)),
        worst_metric: Some("MET-0144".to_owned()),
        worst_ratio: Some(if failed { "1.5" } else { "0.004" }.to_owned()),
        kept: vec![metric(failed)],
        manifests: Vec::new(),
        reject_reason: None,
        reject_detail: None,
    };
    (finding, vec![diff, manifest])
}

fn metric(failed: bool) -> Metric {
    Metric {
        metric_id: "MET-0144".to_owned(),
        place: 1,
        protected: true,
        leadership: Some("94.5".to_owned()),
        partner: Some(if failed { "93" } else { "94.496" }.to_owned()),
        epsilon: Some("1".to_owned()),
        delta: Some(if failed { "1.5" } else { "0.004" }.to_owned()),
        ratio: Some(if failed { "1.5" } else { "0.004" }.to_owned()),
        verdict: if failed { "FAIL" } else { "PASS" }.to_owned(),
        reason: failed.then(|| "epsilon_exceeded".to_owned()),
        owner_id: failed.then(|| "maya".to_owned()),
        backup_id: failed.then(|| "lee".to_owned()),
    }
}

/// Ends a run that was begun.
pub async fn finish(world: &World, week: usize, status: RunStatus) -> Result<(), String> {
    ended(world, &run(week), week, status).await
}

/// Ends a run of any series with what a week found.
pub async fn ended(world: &World, run: &str, week: usize, status: RunStatus) -> Result<(), String> {
    let (finding, evidence) = found(week, status);
    let rule = ByRule::FinishRun {
        run: run.to_owned(),
        claim: claim(),
        finding: Box::new(finding),
    };
    by_rule_with(world, "lee", rule, evidence).await
}

/// Lets a week go by: planned, and ended as told, in its time.
pub async fn week(world: &World, week: usize, status: RunStatus) {
    plan(world, week).await;
    world.set_time(MONDAYS[week]).await;
    match status {
        RunStatus::Skip => {
            let asked = Asked::of(run(week)).with("because", "maintenance");
            world
                .act("maya", "skip_window", asked)
                .await
                .expect("skipped");
        }
        RunStatus::Missed => {
            world
                .set_time(&MONDAYS[week].replace("06:00:00", "12:00:01"))
                .await;
            let run = run(week);
            let rule = ByRule::MissWindow { run };
            by_rule(world, "lee", rule).await.expect("missed");
        }
        _ => {
            start(world, week).await.expect("begun");
            finish(world, week, status).await.expect("ended");
        }
    }
}

/// Lets a week pass whose diff lies outside the database, as large ones do.
pub async fn week_with_diff_outside(world: &World, week: usize, uri: &str) {
    plan(world, week).await;
    world.set_time(MONDAYS[week]).await;
    start(world, week).await.expect("begun");
    let (finding, mut evidence) = found(week, RunStatus::Pass);
    evidence.retain(|piece| piece.role == RECONCILE_MANIFEST.0);
    let rule = ByRule::FinishRun {
        run: run(week),
        claim: claim(),
        finding: Box::new(Finding {
            artifact_uri: Some(uri.to_owned()),
            ..finding
        }),
    };
    let ended = by_rule_with(world, "lee", rule, evidence).await;
    ended.expect("ended");
}

/// Tells how the series stands, and by which rule.
pub async fn stands(world: &World) -> String {
    let store = world.store("maya").await;
    let mut view = store.view().await.expect("a view");
    let series = week::series(&mut view, SERIES).await.expect("read");
    let look = week::look(&mut view, series.expect("there")).await;
    drop(view);
    store.close().await;
    let standing = look.expect("read").standing;
    format!("{} {}", standing.state, standing.because)
}

/// Lets two agree on what needs two: lee proposes, maya says yes.
pub async fn both(world: &World, verb: &str, asked: Asked) -> Result<(), String> {
    let target = asked.target.clone();
    world.act("lee", verb, asked).await?;
    let waiting = format!(
        "SELECT ticket FROM approval_request WHERE status = 'waiting' AND target_id = '{target}'"
    );
    let ticket = world.rows(&waiting).remove(0);
    world
        .act("maya", "approve", Asked::of(ticket))
        .await
        .map(drop)
}

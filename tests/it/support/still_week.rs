//! The weekly runs of the still life: one of every status, a series that is green, names that count and that do not.

use govdeck::console::detail::{SeriesSight, WeekDetail};
use govdeck::console::picture::Picture;
use govdeck::console::spread_sight::SpreadSight;
use govdeck::rules::people::Attestation;
use govdeck::rules::release::Found;
use govdeck::rules::week::{
    AckBasis, Because, Judged, Pair, RunKind, RunStatus, SkipReason, Standing, State,
};
use govdeck::store::week::{
    Ended, Listed, Look, Metric, Name, OverridePacket, Remediation, Series, Window,
};
use govdeck::store::window;

use super::still::{at, digest};

fn run(id: &str, status: RunStatus, day: &str) -> Window {
    let has_compared = status.has_compared();
    let hash = |of: &str| has_compared.then(|| format!("sha256:{}", digest(of)));
    let failed = i64::from(status == RunStatus::Fail);
    let scheduled_at = format!("2026-{day}T06:00:00Z").parse().expect("a moment");
    Window {
        job_run_id: id.to_owned(),
        series_id: "sla".to_owned(),
        run_kind: RunKind::Scheduled,
        status,
        scheduled_at,
        started_at: has_compared.then_some(scheduled_at),
        completed_at: status.is_final().then_some(scheduled_at),
        skip_reason: (status == RunStatus::Skip).then_some(SkipReason::Maintenance),
        reject_reason: (status == RunStatus::Inconclusive).then(|| "window_mismatch".to_owned()),
        reject_detail: (status == RunStatus::Inconclusive)
            .then(|| "annex.sidecar.json, end_exclusive".to_owned()),
        claim: None,
        claim_until: None,
        triggered_by: has_compared.then(|| "etl".to_owned()),
        start_inclusive: has_compared.then_some(scheduled_at),
        end_exclusive: has_compared.then_some(scheduled_at),
        manifest_sha256: has_compared.then(|| digest("manifest").to_string()),
        artifact_uri: hash("diff"),
        leadership_ingest_hash: hash("leadership"),
        partner_ingest_hash: hash("partner"),
        tuple_revision_hash: has_compared.then(|| digest("tuple").to_string()),
        dictionary_semver: has_compared.then(|| "2.4.0".to_owned()),
        footer_schema_semver: has_compared.then(|| "1.3.0".to_owned()),
        epsilon_policy_version: has_compared.then(|| "eps-7".to_owned()),
        metrics_total: has_compared.then_some(214),
        metrics_failed: has_compared.then_some(failed),
        worst_metric: has_compared.then(|| "MET-0144".to_owned()),
        worst_ratio: has_compared.then(|| "0.004000".to_owned()),
        previous_run_id: None,
        version: 3,
    }
}

/// The list, the newest first.
pub fn weeks() -> window::Window<Listed> {
    use RunStatus::{Fail, Inconclusive, Missed, Pass, Running, Scheduled, Skip};
    let listed = |id: &str, status, day: &str, signers: &str| Listed {
        window: run(id, status, day),
        signers: signers.to_owned(),
    };
    window::Window {
        rows: vec![
            listed("sla.20260518t0600z", Scheduled, "05-18", ""),
            listed("sla.20260513t0600z", Running, "05-13", ""),
            listed("sla.20260511t0600z", Pass, "05-11", "kim"),
            listed("sla.20260504t0600z", Pass, "05-04", "kim maya"),
            listed("sla.20260427t0600z", Fail, "04-27", ""),
            listed("sla.20260420t0600z", Skip, "04-20", ""),
            listed("sla.20260413t0600z", Missed, "04-13", ""),
            listed("sla.20260406t0600z", Inconclusive, "04-06", ""),
        ],
        more_before: false,
        more_after: true,
    }
}

/// How the one series stands.
pub fn series() -> Vec<SeriesSight> {
    use RunStatus::{Fail, Inconclusive, Missed, Pass, Running, Skip};
    let ended = |id: &str| Ended {
        job_run_id: id.to_owned(),
        status: Pass,
    };
    let runs = ["sla.20260504t0600z", "sla.20260511t0600z"];
    vec![SeriesSight {
        look: Look {
            series: Series {
                series_id: "sla".to_owned(),
                active: true,
                first_at_utc: at("06:00:00"),
                every_minutes: 10_080,
                early_minutes: 60,
                grace_minutes: 360,
                quorum: 2,
                override_quorum: 2,
                registered_by: "maya".to_owned(),
                registered_at_utc: at("00:00:01"),
                version: 1,
            },
            ended: runs.map(ended).to_vec(),
            incident: None,
            bootstrap: None,
            remediations: Vec::new(),
            standing: Standing {
                state: State::Green,
                because: Because::DoubleGreen,
                runs: runs.map(str::to_owned).to_vec(),
            },
        },
        strip: vec![
            Pass,
            Pass,
            Inconclusive,
            Missed,
            Skip,
            Fail,
            Pass,
            Pass,
            Running,
        ],
        signers: vec!["kim".to_owned()],
        quorum: (1, 2),
    }]
}

fn metric(id: &str, place: i64, delta: &str, reason: Option<&str>) -> Metric {
    Metric {
        metric_id: id.to_owned(),
        place,
        protected: place == 1,
        leadership: Some("94.5".to_owned()),
        partner: Some("94.1".to_owned()),
        epsilon: Some("1".to_owned()),
        delta: Some(delta.to_owned()),
        ratio: Some("0.004000".to_owned()),
        verdict: if reason.is_some() { "FAIL" } else { "PASS" }.to_owned(),
        reason: reason.map(str::to_owned),
        owner_id: reason.map(|_| "maya".to_owned()),
        backup_id: reason.map(|_| "lee".to_owned()),
    }
}

/// The first run of the list, with everything that a detail can have.
pub fn detail() -> WeekDetail {
    let name = |signer: &str, revoked: Option<&str>| Name {
        signer_id: signer.to_owned(),
        ack_basis: AckBasis::DoubleGreen,
        inputs_sha256: digest("inputs").to_string(),
        acked_at_utc: at("01:00:00"),
        attestation: Attestation::Signed,
        revoked_at_utc: revoked.map(at),
    };
    WeekDetail {
        job_run_id: "sla.20260518t0600z".to_owned(),
        metrics: vec![
            metric("MET-0144", 1, "1.5", Some("epsilon_exceeded")),
            metric("MET-0171", 2, "-0.4", None),
            metric("MET-0009", 3, "0", None),
        ],
        names: vec![
            (name("kim", None), true),
            (name("maya", None), false),
            (name("ana", Some("02:00:00")), true),
        ],
        diff: Found::Same(digest("diff")),
        remediations: vec![Remediation {
            remediation_id: "rem-1".to_owned(),
            job_run_id: "sla.20260518t0600z".to_owned(),
            evidence: "ETL-77 fixed the late partition".to_owned(),
            attached_by: "lee".to_owned(),
            attached_at_utc: at("01:30:00"),
            version: 1,
        }],
        packet: Some(OverridePacket {
            audit_id: "aud-7".to_owned(),
            job_run_id: "sla.20260518t0600z".to_owned(),
            reason: "the board meets at noon".to_owned(),
            requested_by: "lee".to_owned(),
            approved_by: "maya".to_owned(),
            created_at_utc: at("01:40:00"),
            version: 1,
        }),
        spread: Some(spread()),
    }
}

/// Five weeks against both limits: one lay above soft, one above hard, and of one nothing is known.
fn spread() -> SpreadSight {
    let week = |(number, ratio): (usize, Option<&str>)| Judged {
        job_run_id: format!("sla-{number}"),
        status: RunStatus::Pass,
        worst_metric: ratio.map(|_| "MET-0144".to_owned()),
        worst_ratio: ratio.map(str::to_owned),
        amber: ratio.is_some_and(|ratio| ratio > "0.01"),
        rollback: ratio.is_some_and(|ratio| ratio > "0.05"),
        real: false,
    };
    let ratios = [
        Some("0.004000"),
        None,
        Some("0.061000"),
        Some("0.002000"),
        Some("0.020000"),
    ];
    let weeks: Vec<_> = ratios.into_iter().enumerate().map(week).collect();
    SpreadSight {
        policy: "eps-7".to_owned(),
        pair: Pair {
            soft: "0.01".to_owned(),
            hard: "0.05".to_owned(),
            floor: "1".to_owned(),
        },
        run: weeks.last().cloned(),
        cannot_tell: false,
        weeks,
    }
}

/// Puts one text into every column of the weekly runs that holds text.
pub fn fill(picture: &mut Picture, text: &str) {
    for (number, row) in picture.weeks.rows.iter_mut().enumerate() {
        fill_window(&mut row.window, text);
        row.window.job_run_id = format!("{number}{text}");
        text.clone_into(&mut row.signers);
    }
    for sight in &mut picture.series {
        text.clone_into(&mut sight.look.series.series_id);
        text.clone_into(&mut sight.look.series.registered_by);
        for run in &mut sight.look.standing.runs {
            text.clone_into(run);
        }
        for run in &mut sight.look.ended {
            text.clone_into(&mut run.job_run_id);
        }
    }
    if let Some(detail) = &mut picture.run {
        // The first in the list, which is the one that is selected.
        detail.job_run_id = format!("0{text}");
        detail.diff = Found::Changed(text.to_owned());
        for (name, _) in &mut detail.names {
            text.clone_into(&mut name.signer_id);
        }
        for metric in &mut detail.metrics {
            fill_metric(metric, text);
        }
        for it in &mut detail.remediations {
            for place in [
                &mut it.remediation_id,
                &mut it.evidence,
                &mut it.attached_by,
            ] {
                text.clone_into(place);
            }
        }
        if let Some(spread) = &mut detail.spread {
            text.clone_into(&mut spread.policy);
            let run = spread.run.iter_mut();
            run.for_each(|run| run.worst_metric = Some(text.to_owned()));
        }
        if let Some(packet) = &mut detail.packet {
            for place in [
                &mut packet.audit_id,
                &mut packet.requested_by,
                &mut packet.approved_by,
            ] {
                text.clone_into(place);
            }
        }
    }
}

fn fill_metric(metric: &mut Metric, text: &str) {
    text.clone_into(&mut metric.metric_id);
    text.clone_into(&mut metric.verdict);
    for place in [
        &mut metric.leadership,
        &mut metric.partner,
        &mut metric.epsilon,
        &mut metric.delta,
        &mut metric.ratio,
        &mut metric.reason,
        &mut metric.owner_id,
        &mut metric.backup_id,
    ] {
        *place = Some(text.to_owned());
    }
}

fn fill_window(window: &mut Window, text: &str) {
    text.clone_into(&mut window.series_id);
    for place in [
        &mut window.reject_reason,
        &mut window.reject_detail,
        &mut window.triggered_by,
        &mut window.manifest_sha256,
        &mut window.artifact_uri,
        &mut window.leadership_ingest_hash,
        &mut window.partner_ingest_hash,
        &mut window.tuple_revision_hash,
        &mut window.dictionary_semver,
        &mut window.footer_schema_semver,
        &mut window.epsilon_policy_version,
        &mut window.worst_metric,
        &mut window.worst_ratio,
        &mut window.previous_run_id,
    ] {
        *place = Some(text.to_owned());
    }
}

//! The migrations of the still life: one in dual write with gates of every colour, one taken back, and what mismatches.

use std::time::Duration;

use govdeck::console::migration_sight::{Looked, Looks, MigrationDetail, Migrations, Scanned};
use govdeck::console::picture::Picture;
use govdeck::rules::Verdict;
use govdeck::rules::migration::{
    Clean, DeficiencyKind, Earliest, EvidenceKind, Gate, Interruption, Move, PairStatus, Phase,
    Report, RollbackReason, ScanStatus, Why,
};
use govdeck::store::migration::{
    Allowlist, ColumnPair, Deficiency, Event, ExporterFingerprint, GateEvidence, GateOverride,
    Migration, Mismatch, ReplayedGolden, Replays, RowPair, Scan,
};
use govdeck::store::window::Window;

use super::still::{at, digest};
use super::still_hour;

pub const ID: &str = "mig-2026-05-14";

pub fn migration(id: &str, phase: Phase, attempt_no: i64) -> Migration {
    Migration {
        migration_id: id.to_owned(),
        from_semver: "2.4.0".to_owned(),
        to_semver: "2.4.1".to_owned(),
        attempt_no,
        chained_from: None,
        phase,
        opened_at_dt_utc: at("00:10:00"),
        closed_at_dt_utc: (phase == Phase::Rollback).then(|| at("00:05:00")),
        opened_by: "maya".to_owned(),
        rollback_reason: (phase == Phase::Rollback).then_some(RollbackReason::OperatorAbort),
        banner_id: None,
        watch_until: None,
        version: 2,
    }
}

fn report(gate: Gate, verdict: Verdict, found: &str, observed: &str) -> Report {
    Report {
        gate,
        verdict,
        overridden_until: (gate == Gate::Rehearsed).then(|| at("04:00:00")),
        owner: gate.role().word().to_owned(),
        found: found.to_owned(),
        evidence_sha256: Some(digest(found).to_string()),
        observed_at: at(observed),
        fix: "see to it",
    }
}

fn reports() -> Vec<Report> {
    use Verdict::{CannotTell, Fail, Pass};
    vec![
        report(
            Gate::MatrixPresent,
            Pass,
            "an impact matrix is attached",
            "00:10:00",
        ),
        report(
            Gate::Bind,
            Pass,
            "214 metrics in the joins: pass",
            "02:00:00",
        ),
        report(Gate::Allowlist, Pass, "approved by lee, ana", "02:14:07"),
        report(
            Gate::Faq,
            CannotTell,
            "found 1 d 02 h ago, which is too old",
            "00:10:00",
        ),
        report(Gate::Replay, Pass, "green on 2.4.0 and 2.4.1", "01:00:00"),
        report(
            Gate::Baseline,
            Pass,
            "the last 3 weeks of every series passed",
            "02:14:07",
        ),
        report(
            Gate::Clean,
            Fail,
            "clean for 41:12:09 of 72:00:00",
            "02:10:00",
        ),
        report(
            Gate::Calendar,
            Fail,
            "outside of every maintenance window",
            "02:14:07",
        ),
        report(Gate::Blocks, Fail, "6 publish blocks are open", "02:14:07"),
        report(Gate::NotRed, Pass, "governance is not red", "02:14:07"),
        report(Gate::Protected, Pass, "2 of 2 in both joins", "01:00:00"),
        report(
            Gate::Rehearsed,
            CannotTell,
            "nothing was found out yet",
            "02:14:07",
        ),
    ]
}

fn scan(time: &str, mismatches: i64) -> Scan {
    Scan {
        scan_id: digest(time).to_string(),
        migration_id: ID.to_owned(),
        scanned_at_utc: at(time),
        status: ScanStatus::Whole,
        rows_total: 1_204_311,
        mismatches,
        inputs_sha256: digest("inputs").to_string(),
        detail: "whole".to_owned(),
        looked_until_utc: None,
    }
}

fn scans() -> Vec<Scan> {
    let found = [0, 0, 3, 12, 40, 7, 0, 0, 2, 12];
    let scan = |(at, count): (usize, i64)| scan(&format!("0{}:1{}:00", at / 5, at % 5), count);
    found.into_iter().enumerate().map(scan).collect()
}

fn clean() -> Clean {
    Clean {
        counted: Duration::from_secs(41 * 3_600 + 12 * 60 + 9),
        newest: Some(at("01:14:00")),
        runs: false,
        log: vec![Interruption {
            at: at("01:14:00"),
            why: Why::Mismatch,
            counted_micros: 148_329_000_000,
        }],
        is_empty: false,
    }
}

fn event(event_no: i64, kind: Move, from_phase: Option<Phase>, phase: Phase) -> Event {
    Event {
        migration_id: ID.to_owned(),
        event_no,
        kind,
        from_phase,
        phase,
        moved_by: "maya".to_owned(),
        approved_by: None,
        reason: "both halves are written, the week was calm".to_owned(),
        rollback_reason: None,
        note: None,
        needs_countersign: kind == Move::DualWrite,
        countersigned_by: None,
        countersigned_at_utc: None,
        happened_at_utc: at("00:20:00"),
        version: 1,
    }
}

fn pair(legacy: &str, modern: &str) -> ColumnPair {
    ColumnPair {
        migration_id: ID.to_owned(),
        legacy_column: legacy.to_owned(),
        modern_column: modern.to_owned(),
        population_rule: "the same number in both".to_owned(),
        status: PairStatus::Active,
        registered_by: "kim".to_owned(),
        registered_at_utc: at("00:12:00"),
        version: 1,
    }
}

fn fingerprints() -> Vec<ExporterFingerprint> {
    vec![ExporterFingerprint {
        fingerprint_id: digest("fingerprint").to_string(),
        migration_id: ID.to_owned(),
        phase: Phase::DualWrite,
        folder: "landed".to_owned(),
        allowlist_sha256: Some(digest("allowlist of dual write").to_string()),
        verdict: Verdict::Fail,
        exports: 2,
        drifted: 1,
        keysets_sha256: Some(digest("key sets").to_string()),
        evidence_sha256: digest("fingerprint document").to_string(),
        detail: "1 of 2 exports are as the allow-list wants them; annex.json: key_not_allowed \"owner_email\""
            .to_owned(),
        observed_at_utc: at("02:10:00"),
        recorded_by: "govdeck".to_owned(),
        version: 1,
    }]
}

fn looked(kind: EvidenceKind, gate: Gate, detail: &str, observed: &str) -> Looked {
    let report = reports().into_iter().find(|it| it.gate == gate);
    Looked {
        evidence: GateEvidence {
            evidence_id: digest(kind.word()).to_string(),
            migration_id: ID.to_owned(),
            gate: kind,
            verdict: Verdict::Pass,
            inputs_sha256: digest("inputs").to_string(),
            evidence_sha256: digest(detail).to_string(),
            detail: detail.to_owned(),
            observed_at_utc: at(observed),
            recorded_by: "govdeck".to_owned(),
            version: 1,
        },
        report: report.expect("it is asked"),
    }
}

fn looks() -> Looks {
    let golden = |dashboard: &str, semver: &str| ReplayedGolden {
        file: format!("migrations/{ID}/goldens/{dashboard}.csv"),
        sha256: digest(dashboard).to_string(),
        semver: semver.to_owned(),
        verdict: Verdict::Pass,
        detail: "214 rows alike".to_owned(),
        result_sha256: Some(digest(&format!("{dashboard} anew")).to_string()),
    };
    let green = "4 of 4 replays are what was frozen";
    Looks {
        fingerprints: fingerprints(),
        replay: Some(looked(
            EvidenceKind::Replay,
            Gate::Replay,
            green,
            "01:00:00",
        )),
        replayed: Some(Replays {
            manifest_sha256: digest("manifest").to_string(),
            replays: ["leadership", "partner_annex"]
                .into_iter()
                .flat_map(|dashboard| ["2.4.0", "2.4.1"].map(|semver| golden(dashboard, semver)))
                .collect(),
        }),
        faq: Some(looked(
            EvidenceKind::Faq,
            Gate::Faq,
            "12 of 12 questions bind",
            "00:10:00",
        )),
    }
}

fn stuck() -> Deficiency {
    Deficiency {
        deficiency_id: digest("deficiency").to_string(),
        kind: DeficiencyKind::Mismatch,
        migration_id: ID.to_owned(),
        subject: "MET-0144".to_owned(),
        owner_id: "kim".to_owned(),
        detail: "MET-0144 did not match three days running".to_owned(),
        opened_at_utc: at("01:14:00"),
        closed_by: None,
        closed_reason: None,
        closed_at_utc: None,
        version: 1,
    }
}

fn selected() -> MigrationDetail {
    MigrationDetail {
        migration: migration(ID, Phase::DualWrite, 2),
        events: vec![
            event(1, Move::Open, None, Phase::Prepare),
            event(2, Move::DualWrite, Some(Phase::Prepare), Phase::DualWrite),
        ],
        overrides: vec![GateOverride {
            override_id: digest("override").to_string(),
            migration_id: ID.to_owned(),
            gate: Gate::Rehearsed,
            reason: "the rehearsal database is being rebuilt".to_owned(),
            requested_by: "maya".to_owned(),
            approved_by: "lee".to_owned(),
            granted_at_utc: at("02:00:00"),
            expires_at_utc: at("04:00:00"),
            version: 1,
        }],
        pairs: vec![
            pair("breach_count", "breachCount"),
            pair("owner_route_id", "route.ownerRouteId"),
        ],
        scans: scans(),
        reports: reports(),
        earliest: Some(Earliest {
            at: Some(at("14:00:00")),
            path: vec![Gate::Calendar, Gate::Clean],
            work: vec![Gate::Faq, Gate::Blocks],
        }),
        clean: clean(),
        allowlists: vec![Allowlist {
            migration_id: ID.to_owned(),
            phase: Phase::Cutover,
            allowlist_sha256: digest("allowlist").to_string(),
            document_sha256: digest("document").to_string(),
            forbidden_grew: true,
            author_id: "max".to_owned(),
            registered_at_utc: at("00:30:00"),
            version: 1,
        }],
        deficiencies: vec![stuck()],
        redeploy: None,
        looks: looks(),
    }
}

fn mismatch(metric: &str, squad: &str, mismatches: i64) -> Mismatch {
    Mismatch {
        row_id: format!("{metric}/{squad}"),
        metric_id: metric.to_owned(),
        owning_squad: squad.to_owned(),
        mismatches,
    }
}

/// What the panes of migrations show.
pub fn migrations() -> Migrations {
    Migrations {
        newest: Some(migration(ID, Phase::DualWrite, 2)),
        running: None,
        redeploys: Vec::new(),
        deficiencies: Vec::new(),
        rows: Window {
            rows: vec![
                migration(ID, Phase::DualWrite, 2),
                migration("mig-2026-04-28", Phase::Rollback, 1),
            ],
            more_before: false,
            more_after: false,
        },
        hour: Some(Box::new(still_hour::sight())),
        mismatches: Window {
            rows: vec![
                mismatch("MET-0144", "ETL-quest", 9),
                mismatch("MET-0171", "ETL-pcvr", 3),
            ],
            more_before: false,
            more_after: false,
        },
        scanned: Some(Scanned {
            migration_id: ID.to_owned(),
            scans: scans(),
            clean: clean(),
            deficiencies: vec![stuck()],
            fingerprints: fingerprints(),
            rows: Some((
                "MET-0144".to_owned(),
                vec![RowPair {
                    dimension_filter_id: "platform=quest".to_owned(),
                    owning_squad: "ETL-quest".to_owned(),
                    legacy_column: "breach_count".to_owned(),
                    modern_column: "breachCount".to_owned(),
                    legacy_value: Some("14".to_owned()),
                    modern_value: None,
                }],
            )),
        }),
        selected: Some(Box::new(selected())),
    }
}

/// Puts one text into every column that holds text.
pub fn fill(picture: &mut Picture, text: &str) {
    let set = |place: &mut String| text.clone_into(place);
    let all = &mut picture.migrations;
    if let Some(hour) = &mut all.hour {
        still_hour::fill(hour, text);
    }
    for row in all.rows.rows.iter_mut().chain(&mut all.newest) {
        let Migration {
            migration_id,
            from_semver,
            to_semver,
            attempt_no: _,
            chained_from,
            phase: _,
            opened_at_dt_utc: _,
            closed_at_dt_utc: _,
            opened_by,
            rollback_reason: _,
            banner_id,
            watch_until: _,
            version: _,
        } = row;
        for place in [migration_id, from_semver, to_semver, opened_by] {
            set(place);
        }
        for place in [chained_from, banner_id] {
            *place = Some(text.to_owned());
        }
    }
    for row in &mut all.mismatches.rows {
        set(&mut row.row_id);
        set(&mut row.metric_id);
        set(&mut row.owning_squad);
    }
    if let Some(scanned) = &mut all.scanned {
        set(&mut scanned.migration_id);
        if let Some((metric, rows)) = &mut scanned.rows {
            set(metric);
            for row in rows {
                set(&mut row.dimension_filter_id);
                set(&mut row.owning_squad);
                set(&mut row.legacy_column);
                set(&mut row.modern_column);
                row.legacy_value = Some(text.to_owned());
                row.modern_value = Some(text.to_owned());
            }
        }
        for scan in &mut scanned.scans {
            set(&mut scan.detail);
        }
        for it in &mut scanned.deficiencies {
            set(&mut it.owner_id);
            set(&mut it.detail);
        }
        fill_fingerprints(&mut scanned.fingerprints, text);
    }
    let Some(detail) = &mut all.selected else {
        return;
    };
    set(&mut detail.migration.migration_id);
    for event in &mut detail.events {
        set(&mut event.moved_by);
        set(&mut event.reason);
        event.note = Some(text.to_owned());
    }
    for it in &mut detail.overrides {
        set(&mut it.reason);
        set(&mut it.requested_by);
        set(&mut it.approved_by);
    }
    for it in &mut detail.pairs {
        set(&mut it.legacy_column);
        set(&mut it.modern_column);
        set(&mut it.population_rule);
    }
    for it in &mut detail.reports {
        set(&mut it.owner);
        set(&mut it.found);
    }
    for it in &mut detail.allowlists {
        set(&mut it.author_id);
        set(&mut it.allowlist_sha256);
    }
    for it in &mut detail.deficiencies {
        set(&mut it.owner_id);
        set(&mut it.detail);
    }
    let looks = &mut detail.looks;
    fill_fingerprints(&mut looks.fingerprints, text);
    for it in looks.replay.iter_mut().chain(&mut looks.faq) {
        set(&mut it.evidence.detail);
        set(&mut it.report.found);
        set(&mut it.evidence.evidence_sha256);
    }
    for it in looks.replayed.iter_mut().flat_map(|it| &mut it.replays) {
        set(&mut it.file);
        set(&mut it.semver);
        set(&mut it.detail);
        set(&mut it.sha256);
    }
}

fn fill_fingerprints(all: &mut [ExporterFingerprint], text: &str) {
    for it in all {
        for place in [&mut it.folder, &mut it.detail, &mut it.evidence_sha256] {
            text.clone_into(place);
        }
        it.allowlist_sha256 = Some(text.to_owned());
        it.keysets_sha256 = Some(text.to_owned());
    }
}

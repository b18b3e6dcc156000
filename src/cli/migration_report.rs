//! How migrations stand, in lines and as documents.

use std::fmt::Write as _;

use serde_json::json;

use super::migration_watch::{reversible_lines, since};
use super::page::{Exit, Failure, Page};
use crate::clock::Moment;
use crate::jobs::reversible::{self, WayBack};
use crate::rules::Verdict;
use crate::rules::migration::{self as rule, Clean, Earliest, Phase, Report};
use crate::rules::time;
use crate::settings::Settings;
use crate::store::migration::{self, Known, Migration};
use crate::store::{Store, View};

pub(super) async fn list(view: &mut View) -> Result<Page, Failure> {
    let all = migration::listed(view).await?;
    let mut lines: Vec<String> = all.iter().map(line).collect();
    if all.is_empty() {
        lines.push("no migration was opened yet: govdeck migration new".to_owned());
    }
    let json = json!({"migrations": all});
    Ok(Page::new(Exit::Done, lines, "migration-list", json))
}

/// Says where a migration stands, in a word.
pub(super) fn stands(row: &Migration) -> &'static str {
    match (row.phase, row.closed_at_dt_utc) {
        (Phase::Cutover, Some(_)) => "closed",
        (phase, _) => phase.word(),
    }
}

fn line(row: &Migration) -> String {
    format!(
        "{:<10} {} {} -> {} attempt {}",
        stands(row),
        row.migration_id,
        row.from_semver,
        row.to_semver,
        row.attempt_no
    )
}

fn mark(report: &Report) -> &'static str {
    match (report.verdict, report.overridden_until) {
        (Verdict::Pass, _) => "PASS",
        (_, Some(_)) => "OVER",
        (Verdict::Fail, None) => "FAIL",
        (Verdict::CannotTell, None) => "  ? ",
    }
}

fn gate_line(report: &Report, now: Moment) -> String {
    let age = now.since(report.observed_at);
    let age = if age.num_seconds() < 1 {
        "now".to_owned()
    } else {
        time::span(age)
    };
    let mut line = format!(
        "  [{}] {:<4} {}: {} ({}, {age})",
        mark(report),
        report.gate,
        report.gate.meaning(),
        report.found,
        report.owner
    );
    if let Some(until) = report.overridden_until {
        let _ = write!(line, " OVERRIDDEN until {until}");
    } else if report.verdict != Verdict::Pass {
        let _ = write!(line, "; {}", report.fix);
    }
    line
}

fn earliest_line(earliest: &Earliest) -> String {
    let names = |gates: &[rule::Gate]| {
        let words: Vec<_> = gates.iter().map(|gate| gate.word()).collect();
        words.join(", ")
    };
    let mut line = match earliest.at {
        Some(at) => format!("  earliest legal move: {at}"),
        None => "  earliest legal move: nobody can tell, the calendar says nothing of that time"
            .to_owned(),
    };
    if !earliest.path.is_empty() {
        let _ = write!(line, "; critical path: {}", names(&earliest.path));
    }
    if !earliest.work.is_empty() {
        let _ = write!(line, "; to be done first: {}", names(&earliest.work));
    }
    line
}

fn clock_lines(clock: &Clean) -> Vec<String> {
    let state = if clock.runs {
        "counting"
    } else {
        "not counting"
    };
    let mut lines = vec![format!(
        "clean hours: {} of 72:00:00, {state}",
        time::clock(clock.counted)
    )];
    let log = clock.log.iter().rev().take(5);
    lines.extend(log.map(|it| {
        let what = if it.why.resets() { "reset" } else { "paused" };
        format!("  {} {what}: {}", it.at, it.why)
    }));
    lines
}

pub(super) async fn show(
    store: &Store,
    settings: &Settings,
    known: &Known,
) -> Result<Page, Failure> {
    // It looks at the target of bundles too, so nothing is held open meanwhile.
    let back = if row_can_go_back(&known.migration) {
        Some(reversible::look(store, &WayBack::of(settings), known).await?)
    } else {
        None
    };
    let view = &mut store.view().await?;
    let row = &known.migration;
    let now = view.now();
    let next = row.phase.next();
    let (reports, earliest) = known.decide(now, |facts| {
        let reports = next.map(|next| rule::reports(facts, next));
        (reports.unwrap_or_default(), rule::earliest(facts))
    });
    let verdict = next.map(|_| verdict_of(&reports));
    let clock = known.clean(now);
    let lists = migration::allowlists(view, &row.migration_id).await?;
    let deficiencies = migration::deficiencies(view, &row.migration_id).await?;
    let fingerprints = migration::fingerprints(view, &row.migration_id).await?;
    let mut lines = head_lines(row);
    if let (Some(next), Some(verdict)) = (next, verdict) {
        let open = reports.iter().filter(|it| !it.lets_pass()).count();
        lines.push(format!(
            "gates to {next}: {} of {} let pass: {}",
            reports.len() - open,
            reports.len(),
            if verdict == Verdict::Pass {
                "OPEN"
            } else {
                "BLOCKED"
            }
        ));
        lines.extend(reports.iter().map(|report| gate_line(report, now)));
        lines.extend(earliest.iter().map(earliest_line));
    }
    if row.phase != Phase::Prepare {
        lines.extend(clock_lines(&clock));
    }
    let since = since(view, known).await?;
    lines.extend(since.lines());
    lines.extend(back.iter().flat_map(reversible_lines));
    for pair in &known.pairs {
        lines.push(format!(
            "pair {} -> {} ({}): {}",
            pair.legacy_column, pair.modern_column, pair.status, pair.population_rule
        ));
    }
    let protected: Vec<&str> = known.protected.iter().map(|it| &*it.metric_id).collect();
    if !protected.is_empty() {
        lines.push(format!("protected: {}", protected.join(", ")));
    }
    for list in &lists {
        lines.push(format!(
            "allow-list for {}: {} by {}",
            list.phase, list.allowlist_sha256, list.author_id
        ));
    }
    for it in &fingerprints {
        lines.push(format!(
            "exports in {}: {}, {} ({})",
            it.folder, it.verdict, it.detail, it.observed_at_utc
        ));
    }
    for it in &known.overrides {
        lines.push(format!(
            "override of {} until {} by {} and {}: {}",
            it.gate, it.expires_at_utc, it.requested_by, it.approved_by, it.reason
        ));
    }
    for it in &known.events {
        let waits = it.needs_countersign && it.countersigned_by.is_none();
        let waits = if waits {
            ", waits for a second person"
        } else {
            ""
        };
        lines.push(format!(
            "{} {} by {}{waits}: {}",
            it.happened_at_utc, it.kind, it.moved_by, it.reason
        ));
    }
    for it in deficiencies.iter().filter(|it| it.closed_at_utc.is_none()) {
        lines.push(format!("deficiency of {}: {}", it.owner_id, it.detail));
    }
    let log = &clock.log;
    let mut json = json!({
        "migration": row, "verdict": verdict, "gates": reports, "earliest": earliest,
        "clean_seconds": clock.counted.as_secs(), "clean_counting": clock.runs, "clean_log": log,
        "pairs": known.pairs, "protected": protected, "allowlists": lists, "overrides": known.overrides,
        "events": known.events, "deficiencies": deficiencies, "fingerprints": fingerprints,
    });
    since.put(&mut json);
    json["reversible"] = json!(back);
    Ok(Page::new(Exit::Done, lines, "migration-show", json))
}

/// Says which migration it is, and where it stands.
fn head_lines(row: &Migration) -> Vec<String> {
    let mut lines = vec![format!(
        "{} {} -> {} attempt {}: {}",
        row.migration_id,
        row.from_semver,
        row.to_semver,
        row.attempt_no,
        stands(row)
    )];
    lines.extend(row.chained_from.iter().map(|id| format!("  follows {id}")));
    lines.extend(row.watch_until.map(|at| format!("  watched until {at}")));
    lines.extend(
        row.rollback_reason
            .map(|why| format!("  taken back: {why}")),
    );
    lines
}

/// Tells whether there is a way back to ask about.
fn row_can_go_back(row: &Migration) -> bool {
    matches!(row.phase, Phase::DualWrite | Phase::Cutover)
}

fn verdict_of(reports: &[Report]) -> Verdict {
    Verdict::all(reports.iter().map(|report| report.condition().verdict))
}

pub(super) async fn evidence(view: &mut View, known: &Known) -> Result<Page, Failure> {
    let all = migration::evidence_of(view, &known.migration.migration_id).await?;
    let mut lines: Vec<String> = all
        .iter()
        .map(|it| {
            format!(
                "{} {} {:<11} sha256:{} {}",
                it.observed_at_utc, it.gate, it.verdict, it.evidence_sha256, it.detail
            )
        })
        .collect();
    if let Some(proof) = &known.proof {
        lines.push(format!(
            "{} G1 {:<11} sha256:{} {} metrics; its picture is sha256:{}",
            proof.made_at_utc,
            proof.verdict,
            proof.proof_sha256,
            proof.metrics,
            proof.picture_sha256
        ));
    }
    let json = json!({"evidence": all, "bind_proof": known.proof});
    Ok(Page::new(Exit::Done, lines, "migration-evidence", json))
}

/// Lists the calendar as it stands, and until when it is known.
pub(super) async fn calendar(store: &Store) -> Result<Page, Failure> {
    let mut view = store.view().await?;
    let all = migration::calendar(&mut view).await?;
    let now = view.now();
    let coming: Vec<_> = all.iter().filter(|it| it.ends_at_utc > now).collect();
    let planned: Vec<rule::Planned<'_>> = all.iter().map(migration::planned).collect();
    let (until, next) = (
        rule::known_until(&planned),
        rule::next_window(&planned, now),
    );
    let mut lines: Vec<String> = coming
        .iter()
        .map(|it| {
            format!(
                "{:<11} {} to {} {} ({})",
                it.kind, it.starts_at_utc, it.ends_at_utc, it.title, it.calendar_id
            )
        })
        .collect();
    lines.push(match until {
        Some(until) => format!("known until {until}, the end of the last cert week that is set"),
        None => "no cert week is set: nobody can tell which weeks are none".to_owned(),
    });
    lines.extend(next.map(|at| format!("next chance: {at}")));
    let json = json!({"calendar": coming, "known_until": until, "next": next});
    Ok(Page::new(Exit::Done, lines, "calendar", json))
}

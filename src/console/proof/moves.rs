//! Proofs of what moves: migrations, what mismatches, the hour of a cutover, and bundles.

use crate::rules::Verdict;
use crate::rules::migration::hour::StepState;
use crate::store::bundle::Run;

use super::super::list::Listing;
use super::super::model::Model;
use super::super::panes::{bundles, cutover, migration};
use super::super::picture::Picture;
use super::super::reading::spoken;
use super::super::theme::Token;
use super::{Lines, MOST, hash, looks, row, rule, verdict};

pub(super) fn of_migration(model: &Model, picture: &Picture) -> Option<Lines> {
    let at = model.migrations.position(&picture.migrations.rows)?;
    let migration = picture.migrations.rows.rows.get(at)?;
    let (token, word) = migration::stands(migration);
    let mut lines = vec![verdict(
        token,
        format!("{} is in {word}", migration.migration_id),
    )];
    if model.as_of.is_some() {
        lines.push(rule(
            "its gates rest on feeds, which keep no history: cannot tell",
        ));
        return Some(lines);
    }
    let detail = picture.migrations.selected.as_deref();
    let detail = detail.filter(|it| it.migration.migration_id == migration.migration_id)?;
    for report in &detail.reports {
        let (token, word) = spoken(report.verdict);
        let past = match (report.verdict, report.overridden_until) {
            (Verdict::Fail | Verdict::CannotTell, Some(until)) => {
                format!(", OVERRIDDEN until {}", model.date_and_clock(until))
            }
            _ => String::new(),
        };
        lines.push(verdict(token, format!("{} {word}{past}", report.gate)));
        lines.push(rule(report.gate.meaning()));
        let found = format!(
            "{} ({})",
            report.found,
            model.date_and_clock(report.observed_at)
        );
        lines.push(row(found));
        let evidence = report.evidence_sha256.as_deref();
        lines.extend(evidence.map(|sha256| hash("evidence", Some(sha256))));
        if !report.lets_pass() {
            lines.push((
                Token::Fg,
                format!("  do    {}: {}", report.owner, report.fix),
            ));
        }
    }
    let gates: Vec<_> = detail.reports.iter().map(|it| it.gate).collect();
    lines.extend(looks::of_looks(model, &detail.looks, &gates));
    Some(lines)
}

pub(super) fn of_mismatch(model: &Model, picture: &Picture) -> Option<Lines> {
    let scanned = picture.migrations.scanned.as_ref()?;
    let newest = scanned.scans.last()?;
    let mut lines = Vec::new();
    let window = &picture.migrations.mismatches;
    let selected = model.mismatches.position(window);
    if let Some(it) = selected.and_then(|at| window.rows.get(at)) {
        let said = format!("{} of {} do not match", it.metric_id, it.owning_squad);
        lines.push(verdict(Token::StatusDanger, said));
        lines.push(rule("both halves of a pair must be equal in every row"));
        let rows = scanned.rows.iter().flat_map(|(_, rows)| rows).take(MOST);
        lines.extend(rows.map(|it| {
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "NULL".to_owned());
            row(format!(
                "{}: {} {}, {} {}",
                it.dimension_filter_id,
                it.legacy_column,
                value(&it.legacy_value),
                it.modern_column,
                value(&it.modern_value)
            ))
        }));
    }
    let (token, state) = if scanned.clean.runs {
        (Token::StatusOk, "counts")
    } else {
        (Token::StatusWarn, "stands still")
    };
    lines.push(verdict(token, format!("the 72 h clock {state}")));
    lines.push(rule(
        "only the time between two whole scans without a mismatch counts",
    ));
    lines.push(row(format!(
        "scan {}: {}, {} of {} mismatch",
        newest.scan_id, newest.status, newest.mismatches, newest.rows_total
    )));
    lines.push(hash("what was scanned", Some(&newest.inputs_sha256)));
    lines.extend(looks::of_exports(model, &scanned.fingerprints));
    Some(lines)
}

pub(super) fn of_hour(model: &Model) -> Option<Lines> {
    let sight = cutover::sight(model)?;
    let Some(hour) = &sight.hour else {
        return Some(vec![
            verdict(Token::StatusUnknown, "no hour was begun"),
            rule("an hour begins by its registered plan, near a maintenance window"),
        ]);
    };
    let said = format!("hour {} {}", hour.hour.hour_no, hour.hour.status);
    let mut lines = vec![
        verdict(Token::PhaseCurrent, said),
        rule("its steps come one after the other: the next begins when the one before is done"),
        hash("plan", Some(&hour.hour.plan_sha256)),
    ];
    let begun = hour
        .steps
        .iter()
        .filter(|it| it.state != StepState::NotStarted);
    for step in begun {
        lines.push(verdict(
            cutover::token(step.state),
            format!(
                "step {} of 7, {}: {}",
                step.step.number(),
                step.step,
                step.state
            ),
        ));
        let detail = step.detail.as_deref();
        lines.extend(detail.map(row));
        let evidence = step.evidence_sha256.as_deref();
        lines.extend(evidence.map(|sha256| hash("artefact", Some(sha256))));
    }
    Some(lines)
}

pub(super) fn of_bundle(model: &Model, picture: &Picture) -> Option<Lines> {
    let at = model.bundles.position(&picture.bundles)?;
    let bundle = &picture.bundles.rows.get(at)?.bundle;
    let known = &picture.bundle.as_ref()?.known;
    let mut lines = vec![
        verdict(
            bundles::token(bundle.status),
            format!("{} {}", bundle.status, bundle.migration_id),
        ),
        rule("each step that was recorded moves it on; an approval holds for one plan and one run"),
    ];
    for plan in &known.plans {
        lines.push(row(format!(
            "plan for {} by {}",
            plan.environment, plan.planned_by
        )));
        lines.push(hash("plan", Some(&plan.plan_hash)));
        lines.push(hash("before", Some(&plan.pre_sha256)));
        lines.push(hash("after", Some(&plan.post_sha256)));
    }
    lines.extend(known.runs.iter().take(MOST).flat_map(ran));
    Some(lines).filter(|_| known.bundle.migration_id == bundle.migration_id)
}

fn ran(run: &Run) -> Lines {
    let place = run
        .environment
        .map_or(String::new(), |tier| format!(" in {tier}"));
    let mut lines = vec![row(format!(
        "{}{place}: {}, by {}",
        run.run_type, run.outcome, run.claimed_by
    ))];
    let receipt = run.receipt_sha256.as_deref();
    lines.extend(receipt.map(|sha256| hash("receipt", Some(sha256))));
    lines
}

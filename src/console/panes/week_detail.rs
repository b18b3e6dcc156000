//! One weekly run: how it ended, what that makes of its series, who signed, and how far apart its metrics are.

use crate::rules::readback::Citation;
use crate::rules::release::Found;
use crate::rules::text::{counted, shorten};
use crate::rules::week::why_not_current;
use crate::store::week::{Listed, Metric, Window};

use super::super::chart::stretch;
use super::super::detail::{SeriesSight, WeekDetail};
use super::super::list::Listing;
use super::super::model::Model;
use super::super::overlay::Number;
use super::super::picture::Picture;
use super::super::theme::Token;
use super::super::ui::{Glyphs, Parts, muted};
use super::spread;
use super::weeks::{of_state, of_status};

/// How wide the bar of a metric is at most.
const WIDEST: usize = 24;

pub(super) fn explain(
    model: &Model,
    picture: &Picture,
    listed: &Listed,
    glyphs: Glyphs,
) -> Vec<Parts> {
    let window = &listed.window;
    let mut lines = vec![how_it_ended(model, window)];
    lines.extend(why_not_compared(window));
    if model.as_of.is_some() {
        lines.extend(super::past::of_week(model, listed));
        lines.extend(hashes(window));
        return lines;
    }
    lines.extend(state_of(picture, window));
    let detail = picture.run.as_ref();
    match detail.filter(|detail| detail.job_run_id == window.job_run_id) {
        Some(detail) => {
            lines.extend(names(model, detail));
            lines.extend(super::you_may(model, "week"));
            let spread = detail.spread.as_ref();
            lines.extend(spread.map_or_else(Vec::new, |it| spread::lines(it, glyphs)));
            lines.extend(detail.metrics.iter().map(|metric| bar(metric, glyphs)));
            lines.extend(proof(window, detail));
        }
        None => lines.push(vec![muted("reading metrics and names")]),
    }
    lines.push(vec![muted(
        "the strip, oldest left: P pass, F fail, S skip, M missed, I inconclusive, R running",
    )]);
    lines
}

/// Lists the numbers of the selected run that can be followed to where they come from.
#[must_use]
pub(super) fn numbers(model: &Model) -> Vec<Number> {
    let Some(picture) = &model.picture else {
        return Vec::new();
    };
    let listed = model.weeks.position(&picture.weeks);
    let window = listed.and_then(|at| picture.weeks.rows.get(at));
    let Some((window, detail)) = window.map(|it| &it.window).zip(picture.run.as_ref()) else {
        return Vec::new();
    };
    let Some(tuple) = window.tuple_revision_hash.as_deref() else {
        return Vec::new();
    };
    let shown = |value: &Option<String>| match value {
        Some(value) => shorten(value, 20).into_owned(),
        None => "missing".to_owned(),
    };
    let of = |metric: &Metric| {
        Some(Number {
            says: format!(
                "{} leadership {}, partner {} {}",
                metric.metric_id,
                shown(&metric.leadership),
                shown(&metric.partner),
                metric.verdict
            ),
            cites: Citation::new(&metric.metric_id, tuple).ok()?,
        })
    };
    let is_its = detail.job_run_id == window.job_run_id;
    let metrics = detail.metrics.iter().filter(|_| is_its);
    metrics.filter_map(of).collect()
}

fn how_it_ended(model: &Model, window: &Window) -> Parts {
    let mut line = vec![
        (of_status(window.status), window.status.to_string()),
        muted(format!(
            "  {} run, its time {}",
            window.run_kind,
            model.date_and_clock(window.scheduled_at)
        )),
    ];
    if let Some(by) = &window.triggered_by {
        line.push(muted(format!(", run by {by}")));
    }
    if let (Some(failed), Some(total)) = (window.metrics_failed, window.metrics_total) {
        line.push((
            Token::Fg,
            format!("  {}, {failed} failed", counted(total, "metric", "metrics")),
        ));
    }
    line
}

fn why_not_compared(window: &Window) -> Vec<Parts> {
    let why = match (&window.skip_reason, &window.reject_reason) {
        (Some(why), _) => Some(format!(
            "skipped for {why}: it explains, and excuses nothing"
        )),
        (_, Some(why)) => Some(why.clone()),
        _ => None,
    };
    let words = why.into_iter().chain(window.reject_detail.clone());
    words.map(|word| vec![(Token::StatusWarn, word)]).collect()
}

/// Says why the run's series stands as it does: the rule, and the runs that it looked at.
fn state_of(picture: &Picture, window: &Window) -> Vec<Parts> {
    let of_series = |sight: &&SeriesSight| sight.look.series.series_id == window.series_id;
    let Some(sight) = picture.series.iter().find(of_series) else {
        return Vec::new();
    };
    let standing = &sight.look.standing;
    let mut lines = vec![vec![
        muted("state "),
        (
            of_state(standing.state),
            standing.state.word().to_uppercase(),
        ),
        (Token::Fg, format!(": {}", standing.because.meaning())),
        muted(format!(" ({})", standing.runs.join(", "))),
    ]];
    if let Some(incident) = &sight.look.incident {
        let seen = incident.acknowledged_by.as_deref().map_or_else(
            || "nobody has acknowledged it".to_owned(),
            |by| format!("{by} acknowledged it"),
        );
        let owes = if incident.addendum_demanded {
            "; the readback owes partners an addendum"
        } else {
            ""
        };
        lines.push(vec![
            (
                Token::StatusDanger,
                format!("incident {}", incident.incident_id),
            ),
            muted(format!(": {seen}{owes}; it holds gates and distribution")),
        ]);
    }
    lines
}

fn names(model: &Model, detail: &WeekDetail) -> Vec<Parts> {
    let mut lines: Vec<Parts> = detail
        .names
        .iter()
        .map(|(name, is_current)| {
            let stands = match (name.revoked_at_utc, is_current) {
                (Some(at), _) => (
                    Token::AckStale,
                    format!("REVOKED {}", model.date_and_clock(at)),
                ),
                (None, true) => (Token::AckSigned, "counts".to_owned()),
                (None, false) => (Token::AckStale, why_not_current(&detail.diff).to_owned()),
            };
            vec![
                muted("signed by "),
                (Token::Fg, name.signer_id.clone()),
                muted(format!(
                    " {} {}, {}: ",
                    model.date_and_clock(name.acked_at_utc),
                    name.ack_basis,
                    name.attestation
                )),
                stands,
            ]
        })
        .collect();
    if let Some(packet) = &detail.packet {
        lines.push(vec![(
            Token::StatusWarn,
            format!(
                "OVERRIDE {} by {} and {}: it makes nothing green",
                packet.audit_id, packet.requested_by, packet.approved_by
            ),
        )]);
    }
    lines.extend(detail.remediations.iter().map(|it| {
        vec![
            muted(format!(
                "remediation {} by {}: ",
                it.remediation_id, it.attached_by
            )),
            (Token::Fg, it.evidence.clone()),
        ]
    }));
    lines
}

/// Draws how far apart a metric's sides are against what is allowed, in words too.
fn bar(metric: &Metric, glyphs: Glyphs) -> Parts {
    let part = share(metric);
    let filled = part.map_or(0, |percent| (percent * WIDEST / 100).min(WIDEST));
    let token = if metric.verdict == "PASS" {
        Token::GatePass
    } else {
        Token::GateFail
    };
    let said = match (part, metric.reason.as_deref()) {
        (Some(percent), None) => format!(
            " {percent} % of {}",
            metric.epsilon.as_deref().unwrap_or("?")
        ),
        (Some(percent), Some(reason)) => format!(
            " {percent} % of {}: {reason}, owner {}",
            metric.epsilon.as_deref().unwrap_or("?"),
            metric.owner_id.as_deref().unwrap_or("nobody")
        ),
        (None, reason) => format!(" {}", reason.unwrap_or("no number")),
    };
    let mut line = vec![
        (token, format!("{} ", metric.verdict)),
        (
            Token::Fg,
            format!("{:<14} ", shorten(&metric.metric_id, 14)),
        ),
    ];
    line.extend(stretch((token, 0..filled), WIDEST, &[], glyphs));
    line.push((Token::Fg, said));
    line
}

/// Returns how many per cent of its epsilon a metric's sides lie apart; only to draw by.
fn share(metric: &Metric) -> Option<usize> {
    let delta: f64 = metric.delta.as_deref()?.parse().ok()?;
    let epsilon: f64 = metric.epsilon.as_deref()?.parse().ok()?;
    let percent = if epsilon > 0.0 {
        delta.abs() / epsilon * 100.0
    } else if delta == 0.0 {
        0.0
    } else {
        999.0
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 0 and 999"
    )]
    Some(percent.clamp(0.0, 999.0) as usize)
}

/// Lists the hashes that everything rests on.
fn proof(window: &Window, detail: &WeekDetail) -> Vec<Parts> {
    let diff = match &detail.diff {
        Found::Same(sha256) => (Token::StatusOk, format!("the diff hashes to {sha256}")),
        Found::Changed(why) => (Token::StatusDanger, format!("DIFF CHANGED: {why}")),
        Found::Unreachable(why) => (
            Token::StatusUnknown,
            format!("cannot tell about the diff: {why}"),
        ),
        Found::NotNamed => (Token::Muted, "there is no diff".to_owned()),
    };
    let mut lines = vec![vec![diff]];
    lines.extend(hashes(window));
    lines
}

/// Lists what was read, as far as the run says so.
fn hashes(window: &Window) -> Vec<Parts> {
    let mut lines = Vec::new();
    for (what, value) in [
        ("leadership", &window.leadership_ingest_hash),
        ("partners", &window.partner_ingest_hash),
        ("tuple revision", &window.tuple_revision_hash),
        ("policy", &window.epsilon_policy_version),
        ("manifest", &window.manifest_sha256),
    ] {
        lines.extend(
            value
                .as_ref()
                .map(|value| vec![muted(format!("{what} ")), (Token::Fg, value.clone())]),
        );
    }
    lines
}

//! Weeks: what was compared each week, what it makes of governance and by which rule, and whose names stand under it.

use ratatui::layout::Rect;

use crate::rules::people::Role;
use crate::rules::release::Found;
use crate::rules::text::shorten;
use crate::rules::week::{RunStatus, State};
use crate::store::week::{Listed, Metric, WEEK_FIELDS, WeekSort, Window};

use super::super::detail::{SeriesSight, WeekDetail};
use super::super::list::{Drawn, Identified, Listing, Sorts};
use super::super::model::Model;
use super::super::picture::Picture;
use super::super::table::{Cell, Column, Table};
use super::super::theme::Token;
use super::super::ui::{Glyphs, Parts, Pen};

/// How wide the bar of a metric is at most.
const WIDEST: usize = 24;

impl Identified for Listed {
    fn id(&self) -> String {
        self.window.job_run_id.clone()
    }
}

impl Sorts for WeekSort {
    const SORTS: &'static [Self] = Self::ALL;
    const FIELDS: &'static [&'static str] = WEEK_FIELDS;
}

const fn column(title: &'static str, width: u16, rank: u8) -> Column {
    Column { title, width, rank }
}

const COLUMNS: &[Column] = &[
    column("RUN", 12, 0),
    column("STATUS", 12, 0),
    column("WORST METRIC", 12, 1),
    column("RATIO", 8, 1),
    column("FAILED", 9, 2),
    column("SIGNED BY", 12, 0),
    column("KIND", 9, 3),
];

/// Returns the colour of a run; its word stands beside it everywhere.
fn of_status(status: RunStatus) -> Token {
    match status {
        RunStatus::Scheduled => Token::StatusPending,
        RunStatus::Running => Token::StatusInfo,
        RunStatus::Pass => Token::StatusOk,
        RunStatus::Fail => Token::StatusDanger,
        RunStatus::Skip | RunStatus::Missed => Token::StatusWarn,
        RunStatus::Inconclusive => Token::StatusUnknown,
    }
}

/// Returns the colour of a state; its word stands beside it everywhere.
#[must_use]
pub fn of_state(state: State) -> Token {
    match state {
        State::Green => Token::StatusOk,
        State::Amber => Token::StatusWarn,
        State::Red => Token::StatusDanger,
    }
}

fn cells(listed: &Listed) -> Vec<Cell> {
    let window = &listed.window;
    let token = of_status(window.status);
    let signed = if listed.signers.is_empty() {
        (Token::Muted, "nobody".to_owned())
    } else {
        (Token::AckSigned, listed.signers.replace(' ', ", "))
    };
    let failed = window.metrics_failed.zip(window.metrics_total);
    vec![
        (Token::Fg, window.job_run_id.clone()),
        (token, window.status.to_string()),
        (Token::Fg, window.worst_metric.clone().unwrap_or_default()),
        (Token::Fg, window.worst_ratio.clone().unwrap_or_default()),
        (
            Token::Muted,
            failed.map_or(String::new(), |(failed, total)| format!("{failed}/{total}")),
        ),
        signed,
        (Token::Muted, window.run_kind.to_string()),
    ]
}

/// Lists the series whose newest run is green, and not signed by whoever is at the keys, where they are a signer.
#[must_use]
pub fn owed(picture: &Picture) -> Vec<&SeriesSight> {
    let signer = picture.actor.as_ref();
    let Some(signer) = signer.filter(|actor| actor.holds_one_of(&[Role::Signer])) else {
        return Vec::new();
    };
    let owes = |sight: &&SeriesSight| {
        sight.look.standing.state == State::Green && !sight.signers.contains(&signer.person_id)
    };
    picture.series.iter().filter(owes).collect()
}

/// Says how governance stands, in a word with its colour; nothing where no series is registered.
#[must_use]
pub fn governance(picture: &Picture) -> Option<(Token, &'static str)> {
    let worst = picture.series.iter().map(|sight| sight.look.standing.state);
    worst.max().map(|state| {
        let word = match state {
            State::Green => "GREEN",
            State::Amber => "AMBER",
            State::Red => "RED",
        };
        (of_state(state), word)
    })
}

/// Draws the pane.
pub fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let Some(picture) = &model.picture else {
        return;
    };
    let rows = &picture.weeks.rows;
    let selected = model.weeks.position(&picture.weeks);
    // The strips above the list take rows too.
    let strips = picture.series.len().min(3);
    let (list, detail) = super::split(model, area, rows.len() + strips);
    if list.height > 0 {
        let inside = pen.frame(list, &title(model, picture, pen.glyphs), Token::BorderFocus);
        let drawn = strips_of(picture, pen, inside);
        let table_area = Rect {
            y: inside.y + drawn,
            height: inside.height.saturating_sub(drawn),
            ..inside
        };
        if rows.is_empty() {
            let said = if model.weeks.filter_text.is_empty() {
                "no window is planned yet: register a series, and plan its windows".to_owned()
            } else {
                super::nothing_passes(model)
            };
            super::say(pen, table_area, Token::Muted, &said);
            model.weeks.drawn.set(Drawn::default());
        } else {
            let table = Table {
                columns: COLUMNS,
                rows,
                selected,
                cells: &cells,
            };
            model.weeks.drawn.set(table.draw(pen, table_area));
            super::place(pen, list, &picture.weeks, selected, model.weeks.drawn.get());
        }
    }
    if detail.height > 0 {
        let listed = selected.and_then(|at| rows.get(at));
        let title = listed.map_or("no week selected", |listed| &listed.window.job_run_id);
        pen.frame(detail, title, Token::Border);
        let lines = match listed {
            Some(listed) => explain(model, picture, listed, pen.glyphs),
            None if model.weeks.selected.is_some() => vec![vec![(
                Token::StatusStale,
                "this run is not in the list: the filter hides it".to_owned(),
            )]],
            None => Vec::new(),
        };
        super::detail(model, pen, detail, &lines);
    }
}

fn title(model: &Model, picture: &Picture, glyphs: Glyphs) -> String {
    let dot = glyphs.dot();
    let stands = governance(picture).map_or("not established", |(_, word)| word);
    let owed = match owed(picture).len() {
        0 => String::new(),
        1 => format!(" {dot} you owe 1 ack"),
        more => format!(" {dot} you owe {more} acks"),
    };
    format!(
        "Weekly reconciliation{} {dot} governance {stands}{owed} {dot} sort {}{}",
        super::filter_word(&model.weeks.filter_text),
        model.weeks.look.sort,
        super::order_word(model.weeks.look.order),
    )
}

/// Draws how each series stands and its last year, a letter a week; returns how many lines that took.
fn strips_of(picture: &Picture, pen: &mut Pen<'_>, inside: Rect) -> u16 {
    let mut taken = 0;
    for sight in &picture.series {
        if taken + 4 > inside.height || taken == 3 {
            break;
        }
        let standing = &sight.look.standing;
        let mut line = vec![(
            of_state(standing.state),
            format!("{} ", standing.state.word().to_uppercase()),
        )];
        line.push((Token::Fg, format!("{} ", sight.look.series.series_id)));
        let room = usize::from(inside.width).saturating_sub(30).clamp(8, 52);
        let newest = &sight.strip[sight.strip.len().saturating_sub(room)..];
        line.extend(
            newest
                .iter()
                .map(|status| (of_status(*status), letter(*status).to_owned())),
        );
        let (have, need) = sight.quorum;
        line.push((Token::Muted, format!(" {have}/{need} signed")));
        let width = inside.width.saturating_sub(2);
        pen.parts(inside.x + 2, inside.y + taken, width, &line);
        taken += 1;
    }
    taken
}

/// Names a status by its letter: the word's first, so that no colour is needed.
const fn letter(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Scheduled => ".",
        RunStatus::Running => "R",
        RunStatus::Pass => "P",
        RunStatus::Fail => "F",
        RunStatus::Skip => "S",
        RunStatus::Missed => "M",
        RunStatus::Inconclusive => "I",
    }
}

fn muted(text: impl Into<String>) -> (Token, String) {
    (Token::Muted, text.into())
}

fn explain(model: &Model, picture: &Picture, listed: &Listed, glyphs: Glyphs) -> Vec<Parts> {
    let window = &listed.window;
    let mut lines = vec![how_it_ended(model, window)];
    lines.extend(why_not_compared(window));
    lines.extend(state_of(picture, window));
    let detail = picture.run.as_ref();
    match detail.filter(|detail| detail.job_run_id == window.job_run_id) {
        Some(detail) => {
            lines.extend(names(model, detail));
            lines.extend(super::you_may(model, "week"));
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
        line.push((Token::Fg, format!("  {total} metrics, {failed} failed")));
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
                (None, false) => (
                    Token::AckStale,
                    "SIGNED ON OLDER EVIDENCE, does not count".to_owned(),
                ),
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
    vec![
        (token, format!("{} ", metric.verdict)),
        (
            Token::Fg,
            format!("{:<14} ", shorten(&metric.metric_id, 14)),
        ),
        (token, glyphs.block().to_string().repeat(filled)),
        muted(".".repeat(WIDEST - filled)),
        (Token::Fg, said),
    ]
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
        Found::Unreachable(why) => (Token::StatusUnknown, format!("diff not found: {why}")),
        Found::NotNamed => (Token::Muted, "there is no diff".to_owned()),
    };
    let mut lines = vec![vec![diff]];
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

/// Writes the selected run as JSON: the row, its metrics, the names.
#[must_use]
pub fn row_json(model: &Model) -> Option<String> {
    let picture = model.picture.as_ref()?;
    let at = model.weeks.position(&picture.weeks)?;
    let listed = picture.weeks.rows.get(at)?;
    let detail = picture.run.as_ref();
    let detail = detail.filter(|detail| detail.job_run_id == listed.window.job_run_id)?;
    let names: Vec<_> = detail
        .names
        .iter()
        .map(|(name, is_current)| serde_json::json!({"name": name, "is_current": is_current}))
        .collect();
    let json = serde_json::json!({
        "run": listed, "metrics": detail.metrics, "acks": names, "remediations": detail.remediations,
        "override": detail.packet,
    });
    serde_json::to_string_pretty(&json).ok()
}

//! Migrations of the dictionary: which phase, every gate to the next, the clock of clean hours, and what moved.

use ratatui::layout::Rect;

use crate::rules::Verdict;
use crate::rules::migration::{Earliest, Gate, PairStatus, Phase, Report};
use crate::rules::time;
use crate::store::migration::{ColumnPair, Event, MIGRATION_FIELDS, Migration, MigrationSort};

use super::super::chart::spark;
use super::super::list::{Identified, Listing, Sorts};
use super::super::migration_sight::MigrationDetail;
use super::super::model::Model;
use super::super::picture::Picture;
use super::super::table::{Cell, Column, Table};
use super::super::theme::Token;
use super::super::ui::{Parts, Pen, muted};

impl Identified for Migration {
    fn id(&self) -> String {
        self.migration_id.clone()
    }
}

impl Sorts for MigrationSort {
    const SORTS: &'static [Self] = Self::ALL;
    const FIELDS: &'static [&'static str] = MIGRATION_FIELDS;
}

pub(super) const COLUMNS: &[Column] = &[
    Column::new("PHASE", 10, 0),
    Column::new("MIGRATION", 22, 0),
    Column::new("FROM", 9, 0),
    Column::new("TO", 9, 0),
    Column::new("ATTEMPT", 7, 1),
    Column::new("OPENED BY", 12, 2),
    Column::new("OPENED", 17, 2),
];

/// How many scans the little chart shows.
const TREND: usize = 24;

/// Says where a migration stands, in a word and its look.
pub(in crate::console) fn stands(row: &Migration) -> (Token, &'static str) {
    match (row.phase, row.closed_at_dt_utc) {
        (Phase::Cutover, Some(_)) => (Token::PhaseDone, "closed"),
        (Phase::Rollback, _) => (Token::PhaseFailed, Phase::Rollback.word()),
        (phase, _) => (Token::PhaseCurrent, phase.word()),
    }
}

/// Tells whether a migration is still open, so that somebody has to bring it on.
#[must_use]
pub fn needs_somebody(row: &Migration) -> bool {
    row.phase != Phase::Rollback && row.closed_at_dt_utc.is_none()
}

pub(super) fn cells(model: &Model, row: &Migration) -> Vec<Cell> {
    let (token, word) = stands(row);
    vec![
        (token, word.to_owned()),
        (Token::Fg, row.migration_id.clone()),
        muted(&*row.from_semver),
        (Token::Fg, row.to_semver.clone()),
        muted(row.attempt_no.to_string()),
        muted(&*row.opened_by),
        muted(model.date_and_clock(row.opened_at_dt_utc)),
    ]
}

/// Draws the pane.
pub fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let Some(picture) = &model.picture else {
        return;
    };
    let window = &picture.migrations.rows;
    let selected = model.migrations.position(window);
    let (list, detail) = super::split(model, area, window.rows.len());
    if list.height > 0 {
        draw_list(model, picture, pen, list, selected);
    }
    if detail.height > 0 {
        let row = selected.and_then(|at| window.rows.get(at));
        let title = row.map_or("no migration selected", |row| &row.migration_id);
        pen.frame(detail, title, Token::Border);
        let lines = match row {
            Some(row) => explain(model, picture, row, pen),
            None if model.migrations.selected.is_some() => vec![vec![(
                Token::StatusStale,
                super::past::why_hidden(model, "migration"),
            )]],
            None => Vec::new(),
        };
        super::detail(model, pen, detail, &lines);
    }
}

fn draw_list(
    model: &Model,
    picture: &Picture,
    pen: &mut Pen<'_>,
    list: Rect,
    selected: Option<usize>,
) {
    let window = &picture.migrations.rows;
    let dot = pen.glyphs.dot();
    let title = format!(
        "Migrations{}{} {dot} sort {}{}",
        model.as_of_words(dot),
        super::filter_word(&model.migrations.filter_text),
        model.migrations.look.sort,
        super::order_word(model.migrations.look.order),
    );
    let inside = pen.frame(list, &title, Token::BorderFocus);
    let none = match model.as_of {
        Some(_) => "0 migrations: none was opened by then",
        None => "0 migrations: none was opened yet; govdeck migration new",
    };
    let nothing = super::nothing(model, &model.migrations, none);
    let table = Table {
        columns: COLUMNS,
        rows: &window.rows,
        selected,
        cells: &|row| cells(model, row),
    };
    super::rows(
        pen,
        (list, inside),
        &model.migrations,
        window,
        &table,
        (Token::Muted, &nothing),
    );
}

fn explain(model: &Model, picture: &Picture, row: &Migration, pen: &Pen<'_>) -> Vec<Parts> {
    let mut lines = vec![way(row)];
    if let Some(past) = model.past() {
        lines.extend(super::past::of_migration(model, row, past));
        return lines;
    }
    let detail = picture.migrations.selected.as_deref();
    let is_it = |it: &&MigrationDetail| it.migration.migration_id == row.migration_id;
    let Some(detail) = detail.filter(is_it) else {
        lines.push(vec![muted("asking its gates")]);
        return lines;
    };
    lines.extend(row.watch_until.map(|until| {
        vec![(
            Token::StatusInfo,
            format!("watched until {}", model.date_and_clock(until)),
        )]
    }));
    lines.extend(tasks(detail));
    lines.extend(gates(model, picture, detail, pen));
    lines.extend(dual_write(model, detail, pen));
    if needs_somebody(row) {
        lines.extend(super::looked::lines(model, picture, detail));
    }
    lines.extend(rest(model, detail));
    lines.extend(super::you_may(model, "migration"));
    lines
}

/// The way of a migration, with the place where it stands.
fn way(row: &Migration) -> Parts {
    if row.phase == Phase::Rollback {
        let why = row.rollback_reason.map_or("", |why| why.word());
        return vec![(Token::PhaseFailed, format!("[rollback] {why}"))];
    }
    let closed = row.closed_at_dt_utc.is_some();
    let at = match row.phase {
        Phase::Prepare => 0,
        Phase::DualWrite => 1,
        _ if closed => 3,
        _ => 2,
    };
    let step = |(place, name): (usize, &str)| match place.cmp(&at) {
        std::cmp::Ordering::Less => (Token::PhaseDone, format!("{name} ok > ")),
        std::cmp::Ordering::Equal => (Token::PhaseCurrent, format!("[{name}]")),
        std::cmp::Ordering::Greater => (Token::PhaseNext, format!(" > {name}")),
    };
    let names = ["prepare", "dual_write", "cutover", "closed"];
    names.into_iter().enumerate().map(step).collect()
}

fn gates(model: &Model, picture: &Picture, detail: &MigrationDetail, pen: &Pen<'_>) -> Vec<Parts> {
    let phase = detail.migration.phase;
    let looks = || super::looked::summary(picture, (phase, &detail.looks), pen);
    let Some(next) = phase.next() else {
        let is_open = needs_somebody(&detail.migration);
        return is_open.then(looks).into_iter().collect();
    };
    let count = |verdict| {
        let mut found = detail.reports.iter();
        let passes = |it: &&Report| !it.lets_pass() && it.verdict == verdict;
        found.by_ref().filter(passes).count()
    };
    let (fail, unknown) = (count(Verdict::Fail), count(Verdict::CannotTell));
    let pass = detail.reports.len() - fail - unknown;
    let (token, word) = if fail + unknown == 0 {
        (Token::GatePass, "OPEN")
    } else {
        (Token::GateFail, "BLOCKED")
    };
    let mut lines = vec![vec![
        muted(format!(
            "gates to {next}: {pass} pass, {fail} fail, {unknown} cannot tell = "
        )),
        (token, word.to_owned()),
    ]];
    lines.extend(detail.earliest.as_ref().map(|it| earliest(model, it)));
    lines.push(looks());
    // What holds it back comes first.
    let mut reports: Vec<&Report> = detail.reports.iter().collect();
    reports.sort_by_key(|report| match (report.lets_pass(), report.verdict) {
        (true, _) => 2,
        (false, Verdict::Fail) => 0,
        (false, _) => 1,
    });
    lines.extend(reports.into_iter().map(|report| gate(picture, report)));
    lines
}

fn gate(picture: &Picture, report: &Report) -> Parts {
    let (token, word) = match (report.verdict, report.overridden_until) {
        (Verdict::Pass, _) => (Token::GatePass, "[PASS]"),
        (_, Some(_)) => (Token::GateOverridden, "[OVER]"),
        (Verdict::Fail, None) => (Token::GateFail, "[FAIL]"),
        (Verdict::CannotTell, None) => (Token::GateUnknown, "[  ? ]"),
    };
    let age = super::looked::age(picture, report.observed_at);
    let said = match report.overridden_until {
        Some(until) if report.verdict != Verdict::Pass => {
            format!(" OVERRIDDEN until {until}: {}", report.found)
        }
        _ => format!(" {}", report.found),
    };
    vec![
        (token, word.to_owned()),
        (Token::Fg, format!(" {:<4}{said}", report.gate)),
        muted(format!("  {}, {age}", report.owner)),
    ]
}

fn earliest(model: &Model, it: &Earliest) -> Parts {
    let names = |gates: &[Gate]| {
        let words: Vec<_> = gates.iter().map(|gate| gate.word()).collect();
        words.join(", then ")
    };
    let when = it.at.map_or(
        "nobody can tell: the calendar ends before".to_owned(),
        |at| model.date_and_clock(at),
    );
    let mut parts = vec![muted("earliest legal move: "), (Token::Accent, when)];
    if !it.path.is_empty() {
        parts.push(muted(format!("; critical path: {}", names(&it.path))));
    }
    if !it.work.is_empty() {
        parts.push(muted(format!("; to do: {}", names(&it.work))));
    }
    parts
}

fn dual_write(model: &Model, detail: &MigrationDetail, pen: &Pen<'_>) -> Vec<Parts> {
    let Some(newest) = detail.scans.last() else {
        return Vec::new();
    };
    let clean = &detail.clean;
    let token = match (newest.mismatches, clean.runs) {
        (0, true) => Token::StatusOk,
        (0, false) => Token::StatusUnknown,
        _ => Token::StatusDanger,
    };
    let mut parts = vec![
        muted("dual write: "),
        (
            token,
            format!("{} of {} mismatch", newest.mismatches, newest.rows_total),
        ),
        muted(format!(
            ", scanned {}; 72 h clock ",
            model.date_and_clock(newest.scanned_at_utc)
        )),
        (
            if clean.runs {
                Token::StatusOk
            } else {
                Token::StatusWarn
            },
            format!(
                "{} {} ",
                time::clock(clean.counted),
                if clean.runs { "counting" } else { "stopped" }
            ),
        ),
    ];
    let trend: Vec<i64> = detail.scans.iter().map(|scan| scan.mismatches).collect();
    parts.extend(spark(&trend, TREND, pen.glyphs));
    let mut lines = vec![parts];
    lines.extend(clean.log.last().map(|last| {
        let what = if last.why.resets() {
            "set back"
        } else {
            "paused"
        };
        vec![muted(format!(
            "  last {what} at {}: {}",
            model.date_and_clock(last.at),
            last.why
        ))]
    }));
    lines
}

/// What somebody has to see to.
fn tasks(detail: &MigrationDetail) -> Vec<Parts> {
    let open = detail.redeploy.iter().filter(|it| it.done_at_utc.is_none());
    let redeploys = open.map(|it| {
        format!(
            "OPEN: {} deploys exporters from {} back to {}",
            it.owner_id, it.from_semver, it.to_semver
        )
    });
    let open = detail.deficiencies.iter();
    let open = open.filter(|it| it.closed_at_utc.is_none());
    let deficiencies = open.map(|it| {
        format!(
            "DEFICIENCY of {}: {}; id {}",
            it.owner_id, it.detail, it.deficiency_id
        )
    });
    let all = redeploys.chain(deficiencies);
    all.map(|said| vec![(Token::StatusDanger, said)]).collect()
}

/// Pairs, allow-lists, overrides and moves.
fn rest(model: &Model, detail: &MigrationDetail) -> Vec<Parts> {
    let mut lines = Vec::new();
    for it in &detail.overrides {
        lines.push(vec![(
            Token::GateOverridden,
            format!(
                "override of {} until {} by {} and {}: {}",
                it.gate, it.expires_at_utc, it.requested_by, it.approved_by, it.reason
            ),
        )]);
    }
    let active = |it: &&ColumnPair| it.status == PairStatus::Active;
    let pairs: Vec<String> = detail
        .pairs
        .iter()
        .filter(active)
        .map(|it| format!("{} -> {}", it.legacy_column, it.modern_column))
        .collect();
    if !pairs.is_empty() {
        lines.push(vec![muted(format!("pairs: {}", pairs.join(", ")))]);
    }
    for list in &detail.allowlists {
        lines.push(vec![muted(format!(
            "allow-list for {}: {} by {}",
            list.phase,
            crate::rules::text::shorten(&list.allowlist_sha256, 12),
            list.author_id
        ))]);
    }
    lines.extend(moves(model, &detail.events));
    lines
}

/// Tells the moves of a migration, the last first.
pub(super) fn moves(model: &Model, events: &[Event]) -> Vec<Parts> {
    let one = |event: &Event| {
        let waits = event.needs_countersign && event.countersigned_by.is_none();
        let mut parts = vec![muted(format!(
            "{} {} by {}: {}",
            model.date_and_clock(event.happened_at_utc),
            event.kind,
            event.moved_by,
            event.note.as_ref().unwrap_or(&event.reason)
        ))];
        if waits {
            parts.push((Token::AckWaiting, " WAITS FOR A SECOND PERSON".to_owned()));
        }
        parts
    };
    events.iter().rev().map(one).collect()
}

/// Writes the selected migration as JSON: the row, its gates, its moves and its clock.
#[must_use]
pub fn row_json(model: &Model) -> Option<String> {
    let picture = model.picture.as_ref()?;
    let at = model.migrations.position(&picture.migrations.rows)?;
    let row = picture.migrations.rows.rows.get(at)?;
    if let Some(past) = model.past() {
        let moves = past.moves.iter();
        let moves: Vec<_> = moves
            .filter(|it| it.migration_id == row.migration_id)
            .collect();
        let json = serde_json::json!({"as_of": past.past.at, "migration": row, "events": moves});
        return serde_json::to_string_pretty(&json).ok();
    }
    let detail = picture.migrations.selected.as_ref()?;
    let is_it = detail.migration.migration_id == row.migration_id;
    let json = serde_json::json!({
        "migration": row, "gates": detail.reports, "earliest": detail.earliest,
        "clean_seconds": detail.clean.counted.as_secs(), "clean_log": detail.clean.log,
        "pairs": detail.pairs, "events": detail.events, "overrides": detail.overrides, "looks": detail.looks,
    });
    serde_json::to_string_pretty(&json).ok().filter(|_| is_it)
}

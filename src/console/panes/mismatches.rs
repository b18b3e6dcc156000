//! What did not match in the newest scan: which metric of whom, how often, how that went on, and what set the clock back.

use ratatui::layout::Rect;

use crate::rules::migration::CLEAN_HOURS;
use crate::rules::text::counted;
use crate::rules::time;
use crate::store::migration::{MISMATCH_FIELDS, Mismatch, MismatchSort, RowPair, Scan};

use super::super::chart::{self, spark};
use super::super::list::{Identified, Listing, Sorts};
use super::super::migration_sight::Scanned;
use super::super::model::Model;
use super::super::picture::Picture;
use super::super::table::{Cell, Column, Table};
use super::super::theme::Token;
use super::super::ui::{Parts, Pen, muted};

impl Identified for Mismatch {
    fn id(&self) -> String {
        self.row_id.clone()
    }
}

impl Sorts for MismatchSort {
    const SORTS: &'static [Self] = Self::ALL;
    const FIELDS: &'static [&'static str] = MISMATCH_FIELDS;
}

pub(super) const COLUMNS: &[Column] = &[
    Column::new("MISMATCHES", 10, 0),
    Column::new("METRIC", 30, 0),
    Column::new("SQUAD", 20, 0),
];

/// How many scans the chart shows.
const TREND: usize = 60;
/// How many cells the 72 hours have, three hours a cell.
const CLOCK: usize = 24;
/// How much of the clock's log is shown.
const LOG: usize = 20;

pub(super) fn cells(row: &Mismatch) -> Vec<Cell> {
    vec![
        (Token::StatusDanger, row.mismatches.to_string()),
        (Token::Fg, row.metric_id.clone()),
        muted(&*row.owning_squad),
    ]
}

/// Draws the pane.
pub fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let Some(picture) = &model.picture else {
        return;
    };
    let window = &picture.migrations.mismatches;
    let selected = model.mismatches.position(window);
    let (list, detail) = super::split(model, area, window.rows.len());
    if list.height > 0 {
        draw_list(model, picture, pen, list, selected);
    }
    if detail.height > 0 {
        let scanned = picture.migrations.scanned.as_ref();
        let title = scanned.map_or("no migration", |it| &it.migration_id);
        pen.frame(detail, title, Token::Border);
        let lines = scanned.map_or_else(Vec::new, |it| explain(model, picture, it, pen));
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
    let window = &picture.migrations.mismatches;
    let dot = pen.glyphs.dot();
    let title = format!(
        "Mismatches{} {dot} sort {}{}",
        super::filter_word(&model.mismatches.filter_text),
        model.mismatches.look.sort,
        super::order_word(model.mismatches.look.order),
    );
    let inside = pen.frame(list, &title, Token::BorderFocus);
    let scanned = picture.migrations.scanned.as_ref();
    let newest = scanned.and_then(|it| it.scans.last());
    let (token, none) = none(model, newest);
    let nothing = super::nothing(model, &model.mismatches, &none);
    let table = Table {
        columns: COLUMNS,
        rows: &window.rows,
        selected,
        cells: &cells,
    };
    super::rows(
        pen,
        (list, inside),
        &model.mismatches,
        window,
        &table,
        (token, &nothing),
    );
}

/// Says why the list has no rows: only a whole scan of something proves that nothing mismatches.
fn none(model: &Model, newest: Option<&Scan>) -> (Token, String) {
    match newest {
        None => (
            Token::StatusUnknown,
            "cannot tell: nothing was scanned yet; govdeck job scan".to_owned(),
        ),
        Some(scan) if scan.rows_total == 0 || scan.detail.is_empty() => (
            Token::StatusUnknown,
            "cannot tell: the dictionary was empty when it was scanned".to_owned(),
        ),
        Some(scan) if scan.sample().status != crate::rules::migration::ScanStatus::Whole => (
            Token::StatusUnknown,
            format!(
                "cannot tell: the newest scan is {}: {}",
                scan.status, scan.detail
            ),
        ),
        Some(scan) => (
            Token::StatusOk,
            format!(
                "0 of {} mismatch, scanned {}",
                counted(scan.rows_total, "row", "rows"),
                model.date_and_clock(scan.scanned_at_utc)
            ),
        ),
    }
}

fn explain(model: &Model, picture: &Picture, scanned: &Scanned, pen: &Pen<'_>) -> Vec<Parts> {
    let Some(newest) = scanned.scans.last() else {
        return vec![vec![(
            Token::StatusUnknown,
            "nothing was scanned yet".to_owned(),
        )]];
    };
    let clean = &scanned.clean;
    let (token, state) = if clean.runs {
        (Token::StatusOk, "counting")
    } else {
        (Token::StatusWarn, "stopped")
    };
    let mut lines = vec![vec![
        muted(format!(
            "{} of {} mismatch, scanned ",
            newest.mismatches,
            counted(newest.rows_total, "row", "rows")
        )),
        (Token::Fg, model.date_and_clock(newest.scanned_at_utc)),
        muted(format!(" ({})", newest.status)),
    ]];
    let (so_far, whole) = (clean.counted.as_secs(), CLEAN_HOURS.as_secs());
    let filled = chart::cells(so_far, whole, CLOCK);
    let mut clock = vec![muted("72 h clock ")];
    clock.extend(chart::stretch((token, 0..filled), CLOCK, &[], pen.glyphs));
    clock.push((token, format!(" {} {state}", time::clock(clean.counted))));
    lines.push(clock);
    let trend: Vec<i64> = scanned.scans.iter().map(|scan| scan.mismatches).collect();
    let most = trend.iter().rev().take(TREND).max().copied().unwrap_or(0);
    let mut chart = spark(&trend, TREND, pen.glyphs);
    chart.push(muted(format!(
        " last {}, at most {most}",
        counted(trend.len().min(TREND), "scan", "scans")
    )));
    lines.push(chart);
    lines.extend(scanned.deficiencies.iter().map(|it| {
        let said = format!(
            "DEFICIENCY of {}: {}; id {}",
            it.owner_id, it.detail, it.deficiency_id
        );
        vec![(Token::StatusDanger, said)]
    }));
    // Other keys than before set the clock back, too.
    lines.extend(super::looked::exports(
        model,
        picture,
        &scanned.fingerprints,
    ));
    if let Some((metric, rows)) = &scanned.rows {
        let mut listed = picture.migrations.mismatches.rows.iter();
        let is_listed = listed.any(|it| it.metric_id == *metric);
        let gone = if is_listed {
            ""
        } else {
            ", no longer in the list"
        };
        lines.push(vec![(Token::Fg, format!("{metric} now{gone}:"))]);
        if rows.is_empty() {
            lines.push(vec![(Token::StatusOk, "  every row matches".to_owned())]);
        }
        lines.extend(rows.iter().map(row_pair));
    }
    for it in clean.log.iter().rev().take(LOG) {
        let what = if it.why.resets() {
            "set back"
        } else {
            "paused"
        };
        lines.push(vec![
            muted(format!("{} ", model.date_and_clock(it.at))),
            (Token::StatusWarn, what.to_owned()),
            muted(format!(": {}", it.why)),
        ]);
    }
    lines
}

/// Shows both halves of a pair in one row.
fn row_pair(row: &RowPair) -> Parts {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "NULL".to_owned());
    vec![
        muted(format!(
            "  {} {} ",
            row.dimension_filter_id, row.owning_squad
        )),
        muted(format!("{} ", row.legacy_column)),
        (Token::DiffOld, value(&row.legacy_value)),
        muted(format!(" {} ", row.modern_column)),
        (Token::DiffNew, value(&row.modern_value)),
    ]
}

/// Writes the selected row as JSON.
#[must_use]
pub fn row_json(model: &Model) -> Option<String> {
    let picture = model.picture.as_ref()?;
    let at = model.mismatches.position(&picture.migrations.mismatches)?;
    let row = picture.migrations.mismatches.rows.get(at)?;
    serde_json::to_string_pretty(row).ok()
}

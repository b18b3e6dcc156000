//! Bundles: governed changes of rebuildable stores, how far each has come, what it would touch, and every run of it.

use ratatui::layout::Rect;

use crate::clock::Moment;
use crate::rules::bundle_run::{self as rule, BundleStatus};
use crate::store::bundle::{BUNDLE_FIELDS, BundleSort, Listed};

use super::super::list::{Identified, Listing, Sorts};
use super::super::model::Model;
use super::super::picture::Picture;
use super::super::table::{Cell, Column, Table};
use super::super::theme::Token;
use super::super::ui::{Parts, Pen, muted};
use super::bundle_detail::explain;

impl Identified for Listed {
    fn id(&self) -> String {
        self.bundle.migration_id.clone()
    }
}

impl Sorts for BundleSort {
    const SORTS: &'static [Self] = Self::ALL;
    const FIELDS: &'static [&'static str] = BUNDLE_FIELDS;
}

pub(super) const COLUMNS: &[Column] = &[
    Column::new("STATUS", 14, 0),
    Column::new("BUNDLE", 24, 0),
    Column::new("NEWEST RUN", 16, 0),
    Column::new("TYPE", 7, 1),
    Column::new("OWNER", 8, 2),
    Column::new("CLASS", 12, 3),
    Column::new("INTENT", 30, 2),
];

/// Returns the look of a status.
pub(in crate::console) const fn token(status: BundleStatus) -> Token {
    match status {
        BundleStatus::Draft => Token::StatusPending,
        BundleStatus::Approved | BundleStatus::Merged => Token::StatusInfo,
        BundleStatus::ExecutedDev | BundleStatus::ExecutedStage | BundleStatus::ExecutedProd => {
            Token::StatusOk
        }
        BundleStatus::RolledBack => Token::StatusWarn,
        BundleStatus::Superseded => Token::Muted,
    }
}

/// Returns the look of how a run stands, by the first of its words.
fn newest_token(newest: &str) -> Token {
    match newest.split(' ').next().unwrap_or_default() {
        "running" => Token::StatusPending,
        "applied" => Token::StatusOk,
        "rolled_back" | "interrupted" => Token::StatusWarn,
        "" => Token::Muted,
        _ => Token::StatusDanger,
    }
}

/// Tells whether the newest run of a bundle did not end well, or takes longer than it may.
#[must_use]
pub fn needs_somebody(row: &Listed, now: Moment) -> bool {
    let is_late = rule::newest(&row.newest, row.runs_since, now) != row.newest;
    let ended = newest_token(&row.newest);
    row.dead_end > 0 || is_late || matches!(ended, Token::StatusDanger | Token::StatusWarn)
}

pub(super) fn cells(row: &Listed, now: Moment) -> Vec<Cell> {
    let bundle = &row.bundle;
    let name = if bundle.status == BundleStatus::Superseded {
        Token::Muted
    } else {
        Token::Fg
    };
    let newest = if row.dead_end > 0 {
        (Token::StatusDanger, "ROLLBACK FAILED".to_owned())
    } else if row.newest.is_empty() {
        muted("none")
    } else {
        let said = rule::newest(&row.newest, row.runs_since, now);
        let is_late = said != row.newest;
        let look = newest_token(&row.newest);
        (if is_late { Token::StatusWarn } else { look }, said)
    };
    vec![
        (token(bundle.status), bundle.status.to_string()),
        (name, bundle.migration_id.clone()),
        newest,
        muted(bundle.kind.word()),
        muted(&*bundle.registered_by),
        muted(&*bundle.change_class),
        muted(&*bundle.intent),
    ]
}

/// Draws the pane.
pub fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let Some(picture) = &model.picture else {
        return;
    };
    let rows = &picture.bundles.rows;
    let selected = model.bundles.position(&picture.bundles);
    // The line below the list takes a row too.
    let (list, detail) = super::split(model, area, rows.len() + 1);
    if list.height > 0 {
        draw_list(model, picture, pen, list, selected);
    }
    if detail.height > 0 {
        let bundle = selected.and_then(|at| rows.get(at));
        let title = bundle.map_or("no bundle selected", |row| &row.bundle.migration_id);
        pen.frame(detail, title, Token::Border);
        let lines = match bundle {
            Some(row) => explain(model, picture, row),
            None if model.bundles.selected.is_some() => vec![vec![(
                Token::StatusStale,
                "this bundle is not in the list: the filter hides it".to_owned(),
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
    let rows = &picture.bundles.rows;
    let dot = pen.glyphs.dot();
    let title = format!(
        "Bundles{} {dot} sort {}{}",
        super::filter_word(&model.bundles.filter_text),
        model.bundles.look.sort,
        super::order_word(model.bundles.look.order),
    );
    let inside = pen.frame(list, &title, Token::BorderFocus);
    let (table_area, line) = super::above_a_line(inside);
    let none = "0 bundles: nothing was registered yet; govdeck act register-bundle";
    let nothing = super::nothing(model, &model.bundles, none);
    let table = Table {
        columns: COLUMNS,
        rows,
        selected,
        cells: &|row| cells(row, picture.now),
    };
    super::rows(
        pen,
        (list, table_area),
        &model.bundles,
        &picture.bundles,
        &table,
        (Token::Muted, &nothing),
    );
    if let Some(y) = line {
        let room = inside.width.saturating_sub(2);
        pen.parts(inside.x + 2, y, room, &board(picture));
    }
}

/// Counts the bundles by how far they have come.
fn board(picture: &Picture) -> Parts {
    if picture.progress.is_empty() {
        return vec![muted("no bundle")];
    }
    let one = |count: &crate::store::bundle::Count| {
        (
            token(count.status),
            format!("{} {}  ", count.bundles, count.status),
        )
    };
    picture.progress.iter().map(one).collect()
}

/// Writes the selected bundle as JSON: what was registered, its plans, and its runs.
#[must_use]
pub fn row_json(model: &Model) -> Option<String> {
    let picture = model.picture.as_ref()?;
    let at = model.bundles.position(&picture.bundles)?;
    let row = picture.bundles.rows.get(at)?;
    let detail = picture.bundle.as_ref();
    let known = &detail?.known;
    let is_it = known.bundle.migration_id == row.bundle.migration_id;
    let touched = detail?.touched.as_ref();
    let json = serde_json::json!({
        "bundle": row.bundle, "plans": known.plans, "runs": known.runs, "touched": touched.ok(),
    });
    serde_json::to_string_pretty(&json).ok().filter(|_| is_it)
}

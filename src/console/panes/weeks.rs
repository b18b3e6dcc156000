//! Weeks: what was compared each week, what it makes of governance and by which rule, and whose names stand under it.

use ratatui::layout::Rect;

use crate::rules::week::{RunStatus, State};
use crate::store::week::{Listed, WEEK_FIELDS, WeekSort};

use super::super::detail::SeriesSight;
use super::super::list::{Identified, Listing, Sorts};
use super::super::model::Model;
use super::super::overlay::Number;
use super::super::picture::Picture;
use super::super::table::{Cell, Column, Table};
use super::super::theme::Token;
use super::super::ui::{Glyphs, Pen};
use super::week_detail;

impl Identified for Listed {
    fn id(&self) -> String {
        self.window.job_run_id.clone()
    }
}

impl Sorts for WeekSort {
    const SORTS: &'static [Self] = Self::ALL;
    const FIELDS: &'static [&'static str] = WEEK_FIELDS;
}

pub(super) const COLUMNS: &[Column] = &[
    Column::new("RUN", 12, 0),
    Column::new("STATUS", 12, 0),
    Column::new("WORST METRIC", 12, 1),
    Column::new("RATIO", 8, 1),
    Column::new("FAILED", 9, 2),
    Column::new("SIGNED BY", 12, 0),
    Column::new("KIND", 9, 3),
];

/// Returns the colour of a run; its word stands beside it everywhere.
pub(in crate::console) fn of_status(status: RunStatus) -> Token {
    match status {
        RunStatus::Scheduled => Token::StatusPending,
        RunStatus::Running => Token::StatusInfo,
        RunStatus::Pass => Token::StatusOk,
        RunStatus::Fail => Token::StatusDanger,
        RunStatus::Skip | RunStatus::Missed => Token::StatusWarn,
        RunStatus::Inconclusive => Token::StatusUnknown,
    }
}

/// Tells whether a run did not pass, or waits for the name of whoever is at the keys.
#[must_use]
pub fn needs_somebody(picture: &Picture, row: &Listed) -> bool {
    let id = &row.window.job_run_id;
    let is_owed =
        |sight: &&SeriesSight| sight.look.newest().is_some_and(|run| run.job_run_id == *id);
    match row.window.status {
        RunStatus::Fail | RunStatus::Skip | RunStatus::Missed | RunStatus::Inconclusive => true,
        RunStatus::Pass => picture.owed().iter().any(is_owed),
        RunStatus::Scheduled | RunStatus::Running => false,
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

pub(super) fn cells(listed: &Listed) -> Vec<Cell> {
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

/// Lists the numbers of the selected run that can be followed to where they come from.
#[must_use]
pub fn numbers(model: &Model) -> Vec<Number> {
    week_detail::numbers(model)
}

/// Draws the pane.
pub fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let Some(picture) = &model.picture else {
        return;
    };
    let rows = &picture.weeks.rows;
    let selected = model.weeks.position(&picture.weeks);
    // The strips above the list take rows too; how series stood is not worked out for the past.
    let series = match model.as_of {
        Some(_) => &[],
        None => picture.series.as_slice(),
    };
    let strips = series.len().min(3);
    let (list, detail) = super::split(model, area, rows.len() + strips);
    if list.height > 0 {
        let inside = pen.frame(list, &title(model, picture, pen.glyphs), Token::BorderFocus);
        let drawn = strips_of(series, pen, inside);
        let table_area = Rect {
            y: inside.y + drawn,
            height: inside.height.saturating_sub(drawn),
            ..inside
        };
        let none = match model.as_of {
            Some(_) => "0 rows: no window was planned then",
            None => "no window is planned yet: register a series, and plan its windows",
        };
        let nothing = super::nothing(model, &model.weeks, none);
        let table = Table {
            columns: COLUMNS,
            rows,
            selected,
            cells: &cells,
        };
        super::rows(
            pen,
            (list, table_area),
            &model.weeks,
            &picture.weeks,
            &table,
            (Token::Muted, &nothing),
        );
    }
    if detail.height > 0 {
        let listed = selected.and_then(|at| rows.get(at));
        let title = listed.map_or("no week selected", |listed| &listed.window.job_run_id);
        pen.frame(detail, title, Token::Border);
        let lines = match listed {
            Some(listed) => week_detail::explain(model, picture, listed, pen.glyphs),
            None if model.weeks.selected.is_some() => vec![vec![(
                Token::StatusStale,
                super::past::why_hidden(model, "run"),
            )]],
            None => Vec::new(),
        };
        super::detail(model, pen, detail, &lines);
    }
}

fn title(model: &Model, picture: &Picture, glyphs: Glyphs) -> String {
    let dot = glyphs.dot();
    if model.as_of.is_some() {
        return format!(
            "Weekly reconciliation{}{} {dot} sort {}{}",
            model.as_of_words(dot),
            super::filter_word(&model.weeks.filter_text),
            model.weeks.look.sort,
            super::order_word(model.weeks.look.order),
        );
    }
    let stands = governance(picture).map_or("not established", |(_, word)| word);
    let owed = match picture.owed().len() {
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
fn strips_of(series: &[SeriesSight], pen: &mut Pen<'_>, inside: Rect) -> u16 {
    let mut taken = 0;
    for sight in series {
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

/// Writes how the series of a run stands as JSON; nothing where no series stands by that run.
#[must_use]
pub fn series_json(picture: &Picture, run: &str) -> Option<String> {
    let stands_by = |sight: &&SeriesSight| sight.look.standing.runs.iter().any(|it| it == run);
    let sight = picture.series.iter().find(stands_by)?;
    let (have, need) = sight.quorum;
    let json = serde_json::json!({
        "series_id": sight.look.series.series_id, "job_run_id": run, "standing": sight.look.standing,
        "strip": sight.strip, "signers": sight.signers, "names_that_count": have, "names_needed": need,
    });
    serde_json::to_string_pretty(&json).ok()
}

/// Writes the selected run as JSON: the row, its metrics, the names.
#[must_use]
pub fn row_json(model: &Model) -> Option<String> {
    let picture = model.picture.as_ref()?;
    let at = model.weeks.position(&picture.weeks)?;
    let listed = picture.weeks.rows.get(at)?;
    if let Some(past) = model.past() {
        let json = serde_json::json!({"as_of": past.past.at, "run": listed});
        return serde_json::to_string_pretty(&json).ok();
    }
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

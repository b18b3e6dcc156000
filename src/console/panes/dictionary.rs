//! Dictionary: what every metric means, what binds to it, and where its numbers were seen.

use ratatui::layout::Rect;

use crate::rules::Verdict;
use crate::rules::readback::Citation;
use crate::rules::text::{counted, shorten};
use crate::store::dictionary::{DictionaryMetric, METRIC_FIELDS, MetricSort, Use};

use super::super::detail::MetricDetail;
use super::super::list::{Identified, Listing, Sorts};
use super::super::model::Model;
use super::super::overlay::Number;
use super::super::picture::Picture;
use super::super::table::{Cell, Column, Table};
use super::super::theme::Token;
use super::super::ui::{Parts, Pen, muted};

impl Identified for DictionaryMetric {
    fn id(&self) -> String {
        self.metric_id.clone()
    }
}

impl Sorts for MetricSort {
    const SORTS: &'static [Self] = Self::ALL;
    const FIELDS: &'static [&'static str] = METRIC_FIELDS;
}

pub(super) const COLUMNS: &[Column] = &[
    Column::new("METRIC", 10, 0),
    Column::new("LABEL", 22, 0),
    Column::new("STATE", 10, 0),
    Column::new("CLASS", 11, 1),
    Column::new("EPSILON", 8, 1),
    Column::new("UNIT", 12, 2),
    Column::new("RULE", 16, 3),
    Column::new("RELEASE", 8, 2),
];

/// Tells whether a metric is on its way out.
#[must_use]
pub fn needs_somebody(metric: &DictionaryMetric) -> bool {
    metric.deprecated_after.is_some()
}

pub(super) fn cells(metric: &DictionaryMetric) -> Vec<Cell> {
    let (state, name) = match metric.deprecated_after {
        None => ((Token::StatusOk, "in use".to_owned()), Token::Fg),
        Some(_) => ((Token::StatusWarn, "DEPRECATED".to_owned()), Token::Muted),
    };
    vec![
        (name, metric.metric_id.clone()),
        (name, metric.display_label.clone()),
        state,
        muted(metric.epsilon_class.word()),
        (Token::Fg, metric.epsilon_abs.clone()),
        muted(&*metric.unit),
        muted(metric.aggregation_rule.word()),
        muted(&*metric.dictionary_semver),
    ]
}

/// Draws the pane.
pub fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let Some(picture) = &model.picture else {
        return;
    };
    let rows = &picture.dictionary.rows;
    let selected = model.dictionary.position(&picture.dictionary);
    // The line below the list takes a row too.
    let (list, detail) = super::split(model, area, rows.len() + 1);
    if list.height > 0 {
        let dot = pen.glyphs.dot();
        let title = format!(
            "Dictionary{} {dot} sort {}{}",
            super::filter_word(&model.dictionary.filter_text),
            model.dictionary.look.sort,
            super::order_word(model.dictionary.look.order),
        );
        let inside = pen.frame(list, &title, Token::BorderFocus);
        let (table_area, line) = super::above_a_line(inside);
        let none = "0 metrics: the dictionary was never released; govdeck dictionary import FILE";
        let nothing = super::nothing(model, &model.dictionary, none);
        let table = Table {
            columns: COLUMNS,
            rows,
            selected,
            cells: &cells,
        };
        super::rows(
            pen,
            (list, table_area),
            &model.dictionary,
            &picture.dictionary,
            &table,
            (Token::Muted, &nothing),
        );
        if let Some(y) = line {
            let room = inside.width.saturating_sub(2);
            let line = released(model, picture);
            pen.parts(inside.x + 2, y, room, &line);
        }
    }
    if detail.height > 0 {
        let metric = selected.and_then(|at| rows.get(at));
        let title = metric.map_or("no metric selected", |metric| &metric.display_label);
        pen.frame(detail, title, Token::Border);
        let lines = match metric {
            Some(metric) => explain(model, picture, metric),
            None if model.dictionary.selected.is_some() => vec![vec![(
                Token::StatusStale,
                "this metric is not in the list: the filter hides it".to_owned(),
            )]],
            None => Vec::new(),
        };
        super::detail(model, pen, detail, &lines);
    }
}

/// Says which release holds, and whether its joins were proved.
fn released(model: &Model, picture: &Picture) -> Parts {
    let Some(sight) = &picture.released else {
        return vec![(Token::StatusUnknown, "no release".to_owned())];
    };
    let release = &sight.release;
    let (token, proved) = match &sight.proof {
        None => (Token::GateUnknown, "joins NOT PROVED".to_owned()),
        Some(proof) => {
            let (token, word) = match proof.verdict {
                Verdict::Pass => (Token::GatePass, "PASS"),
                Verdict::Fail => (Token::GateFail, "FAIL"),
                Verdict::CannotTell => (Token::GateUnknown, "CANNOT TELL"),
            };
            (token, format!("joins {word} since {}", proof.from_semver))
        }
    };
    let view = sight.annex_view.as_deref();
    vec![
        (Token::Fg, format!("{} ", release.dictionary_semver)),
        muted(format!(
            "by {} at {}, {}  ",
            release.released_by,
            model.date_and_clock(release.released_at_utc),
            counted(release.metrics, "metric", "metrics")
        )),
        (token, proved),
        muted(format!("  annex view {}", view.unwrap_or("NONE"))),
    ]
}

fn explain(model: &Model, picture: &Picture, metric: &DictionaryMetric) -> Vec<Parts> {
    let mut lines = vec![
        vec![(Token::Fg, metric.definition.clone())],
        vec![
            (Token::Accent, metric.formula.clone()),
            muted(format!(" in {}, {}", metric.unit, metric.aggregation_rule)),
        ],
        vec![
            muted("both sides may be "),
            (Token::Fg, metric.epsilon_abs.clone()),
            muted(format!(
                " apart ({}); last changed by {}",
                metric.epsilon_class, metric.dictionary_semver
            )),
        ],
    ];
    if let Some(at) = metric.deprecated_after {
        lines.push(vec![(
            Token::StatusWarn,
            format!("DEPRECATED: not used after {}", model.date_and_clock(at)),
        )]);
    }
    let detail = picture.metric.as_ref();
    match detail.filter(|detail| detail.metric_id == metric.metric_id) {
        None => lines.push(vec![muted("reading where it is used")]),
        Some(detail) => {
            lines.extend(joins(detail));
            for question in &detail.faq {
                lines.push(vec![
                    muted("asked "),
                    (Token::Fg, question.question.clone()),
                    muted(format!(" -> {}", question.annex_anchor)),
                ]);
            }
            if detail.uses.is_empty() {
                lines.push(vec![muted("no weekly run has kept a number of it")]);
            }
            lines.extend(detail.uses.iter().map(used));
            if !detail.uses.is_empty() {
                let key = model.start.keymap.hint(super::super::keymap::Intent::Open);
                lines.push(vec![muted(format!(
                    "{key} twice: follow a number to its rows and hashes"
                ))]);
            }
        }
    }
    lines
}

fn joins(detail: &MetricDetail) -> Vec<Parts> {
    let one = |join: &crate::store::dictionary::BindQuery| {
        vec![
            muted("join "),
            (Token::Fg, join.bind_query_id.clone()),
            muted(format!(
                " of {}, sql {}",
                join.surface.word().replace('_', " "),
                shorten(&join.sql_sha256, 12)
            )),
        ]
    };
    if detail.joins.is_empty() {
        return vec![vec![(
            Token::StatusUnknown,
            "no join is registered for this release".to_owned(),
        )]];
    }
    detail.joins.iter().map(one).collect()
}

fn used(it: &Use) -> Parts {
    let token = if it.verdict == "PASS" {
        Token::GatePass
    } else {
        Token::GateFail
    };
    vec![
        muted(format!("{} ", it.job_run_id)),
        (token, it.verdict.clone()),
        (Token::Fg, format!(" {}", both(it))),
        muted(format!(" tuple {}", shorten(&it.tuple_revision_hash, 12))),
    ]
}

fn both(it: &Use) -> String {
    let shown = |value: &Option<String>| match value {
        Some(value) => shorten(value, 16).into_owned(),
        None => "missing".to_owned(),
    };
    format!(
        "leadership {}, partner {}",
        shown(&it.leadership),
        shown(&it.partner)
    )
}

/// Lists the numbers of the selected metric that can be followed to where they come from.
#[must_use]
pub fn numbers(model: &Model) -> Vec<Number> {
    let picture = model.picture.as_ref();
    let detail = picture.and_then(|picture| picture.metric.as_ref());
    let uses = detail.map_or(&[][..], |detail| &detail.uses);
    let of = |it: &Use| {
        let metric = &detail?.metric_id;
        Some(Number {
            says: format!("{} {}", it.job_run_id, both(it)),
            cites: Citation::new(metric, &it.tuple_revision_hash).ok()?,
        })
    };
    uses.iter().filter_map(of).collect()
}

/// Writes the selected metric as JSON: its meaning, what binds to it, where it was used.
#[must_use]
pub fn row_json(model: &Model) -> Option<String> {
    let picture = model.picture.as_ref()?;
    let at = model.dictionary.position(&picture.dictionary)?;
    let metric = picture.dictionary.rows.get(at)?;
    let detail = picture.metric.as_ref();
    let detail = detail.filter(|detail| detail.metric_id == metric.metric_id)?;
    let json = serde_json::json!({
        "metric": metric, "joins": detail.joins, "faq": detail.faq, "uses": detail.uses,
    });
    serde_json::to_string_pretty(&json).ok()
}
